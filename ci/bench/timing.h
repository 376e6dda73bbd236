/* What the benchmarks measure with. */
#ifndef TIMING_H
#define TIMING_H

#include <stddef.h>

/* Nanoseconds of CLOCK_MONOTONIC. */
double now_ns(void);

/* Sorts the values, and returns the middle one; 0 if there are none (values may then be NULL). */
double median(double *values, size_t count);

#endif
