/*
 * Baselines: the divergences of a platform that its owner has accepted.
 *
 *     # a comment
 *     shmat.addr.unaligned                     # why it is accepted
 *     shmget.size.minimum  until=2027-03-31    # until when
 *
 * One case a line; what is not known is an error, so that a slip accepts nothing.
 */
#ifndef BASELINE_H
#define BASELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

struct baseline_entry {
        char *id;
        size_t line;
        char until[11]; /* YYYY-MM-DD, or "" */
        bool expired;
        char *comment; /* behind the #, without blanks around it; NULL: there is none */
        char *above;   /* the lines of comment and the empty ones between the entry before and this one; or NULL */
};

struct baseline {
        struct baseline_entry *entries;
        size_t count;
        const struct baseline_entry **sorted; /* by id; NULL: a search looks at all of them */
        char *head;                           /* all lines before the first entry, or NULL */
        char *tail;                           /* all lines after the last entry, or NULL */
};

/*
 * Reads the file; now decides what has expired. Returns NULL after one line
 * (no newline) in why, with file, line and column of the mistake.
 */
struct baseline *baseline_load(const char *path, time_t now, char *why, size_t size);
void baseline_free(struct baseline *baseline);

/* The entry of the case, expired or not; NULL if there is none. baseline may be NULL. */
const struct baseline_entry *baseline_entry_of(const struct baseline *baseline, const char *id);

/* Whether the case's divergence is accepted. baseline may be NULL. */
bool baseline_accepts(const struct baseline *baseline, const char *id);

/*
 * Whether text is a day of the calendar as until= takes it, YYYY-MM-DD. end
 * (or NULL) receives its last second, in local time.
 */
bool baseline_day(const char *text, time_t *end);

#endif
