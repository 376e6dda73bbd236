/* A report that has room for so many bytes, made of pieces that go into it as a whole, or not at all. */
#ifndef BOUNDED_REPORT_H
#define BOUNDED_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct bounded_report {
        FILE *out;
        size_t used; /* bytes written */
        bool failed; /* memory was short, and something is missing */
};

struct piece {
        char *bytes;
        size_t size;
        FILE *stream; /* what is written to it makes the piece */
};

/* Begins a piece. Returns false when memory is short; there is then nothing to be put. */
bool begin_piece(struct bounded_report *report, struct piece *piece);

/* Ends the piece, and puts it if the report then ends at or before bound. Returns whether it does. */
bool put_piece(struct bounded_report *report, struct piece *piece, size_t bound);

#endif
