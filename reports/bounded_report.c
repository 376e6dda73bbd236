#include "bounded_report.h"

#include <stdlib.h>

bool begin_piece(struct bounded_report *report, struct piece *p)
{
        *p = (struct piece){NULL, 0, NULL};
        p->stream = open_memstream(&p->bytes, &p->size);
        report->failed |= !p->stream;
        return p->stream != NULL;
}

bool put_piece(struct bounded_report *report, struct piece *p, size_t bound)
{
        fclose(p->stream);
        bool fits = p->bytes && report->used + p->size <= bound;
        if (fits) {
                fwrite(p->bytes, 1, p->size, report->out);
                report->used += p->size;
        }
        free(p->bytes);
        return fits;
}
