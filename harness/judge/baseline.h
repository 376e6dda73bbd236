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
};

struct baseline {
        struct baseline_entry *entries;
        size_t count;
};

/*
 * Reads the file; now decides what has expired. Returns NULL after one line
 * (no newline) in why, with file, line and column of the mistake.
 */
struct baseline *baseline_load(const char *path, time_t now, char *why, size_t size);
void baseline_free(struct baseline *baseline);

/* Whether the case's divergence is accepted. baseline may be NULL. */
bool baseline_accepts(const struct baseline *baseline, const char *id);

#endif
