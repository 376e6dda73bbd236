/*
 * Text that is made to be compared: what is another thing in each run, an
 * address, an identifier, a time, is a sign in it.
 */
#ifndef MASKED_TEXT_H
#define MASKED_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Begins as {0}. The bytes are the holder's to free; NULL while nothing was put into it. */
struct masked_text {
        char *bytes; /* a NUL behind them */
        size_t length, room;
        bool failed; /* memory was short, and something is missing */
};

/* Puts the text as it is. */
void put_exactly(struct masked_text *to, const char *text);

/* Puts the text, with # for each number of so many digits that it is none that anybody wrote down. */
void put_masked(struct masked_text *to, const char *text);

#endif
