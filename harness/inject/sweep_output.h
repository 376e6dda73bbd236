/*
 * What a run wrote to one of its streams: the first of it, and sums by which
 * two are held against each other without keeping all of either.
 */
#ifndef SWEEP_OUTPUT_H
#define SWEEP_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SWEEP_OUTPUT_KEPT (1U << 20) /* bytes */

struct sweep_output {
        char *text; /* the first of it, NUL behind; NULL: nothing was written, or memory was short */
        size_t kept, room;
        uint64_t length; /* bytes that were written */
        uint64_t exact;  /* sum of all bytes */
        uint64_t masked; /* the same with each word that has a digit in it as one sign */
        uint64_t lines;  /* of the masked lines, whatever their order */
        uint64_t line, word;
        bool in_word, has_digit;
};

/* From what is the same to what is not. */
enum sweep_likeness {
        SWEEP_LIKE_EXACTLY,
        SWEEP_LIKE_BUT_NUMBERS, /* words with digits in them differ: pids, times, addresses */
        SWEEP_LIKE_BUT_ORDER,   /* and the lines are in another order */
        SWEEP_UNLIKE
};

/* A zeroed one is empty. Safe to go on with when memory is short: less is kept then. */
void sweep_output_add(struct sweep_output *o, const char *bytes, size_t count);

/* To be called once after all was added. */
void sweep_output_end(struct sweep_output *o);

void sweep_output_free(struct sweep_output *o);

/* In which sense two that have ended are the same. */
enum sweep_likeness sweep_output_likeness(const struct sweep_output *a, const struct sweep_output *b);

/* The sum of a line (without its newline), masked or not: equal lines have equal sums. */
uint64_t sweep_line_sum(const char *line, size_t length, bool masked);

#endif
