#include "timing.h"

#include <stdlib.h>
#include <time.h>

double now_ns(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
        double x = *(const double *)a;
        double y = *(const double *)b;
        return (x > y) - (x < y);
}

double median(double *values, size_t count)
{
        if (!values || count == 0)
                return 0;
        qsort(values, count, sizeof(values[0]), by_value);
        return values[count / 2];
}
