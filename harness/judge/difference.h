/*
 * What changed between two judged records, of two platforms or of one at two
 * times. Both are judged by the same profile.
 */
#ifndef DIFFERENCE_H
#define DIFFERENCE_H

#include "verdict.h"

/* In the order in which they are told. */
enum change {
        CHANGE_REGRESSION, /* passed, and diverges now */
        CHANGE_OTHERWISE,  /* diverged, and diverges in another way */
        CHANGE_FIX,        /* diverged, and passes now */
        CHANGE_UNJUDGED,   /* passed or diverged, and is skipped, cannot be tried or is not judged now */
        CHANGE_JUDGED,     /* the other way round: there was nothing to be compared with */
        CHANGE_SEEN,       /* the verdict is as it was, and what was seen, or why it was not tried, is not */
        CHANGE_NEW,        /* only in the second record */
        CHANGE_GONE,       /* only in the first */
        CHANGE_NONE,
        CHANGES
};

/* "regression", "diverges-otherwise", ... */
const char *change_name(enum change change);

struct case_difference {
        enum change change;
        const struct judged_case *before, *after; /* NULL where a record does not have the case */
};

struct difference {
        const struct judgement *before, *after;
        struct case_difference
                *cases; /* in the order of the second record, behind them those that only the first has */
        size_t count;
        size_t by_change[CHANGES];
};

/* Compares them. They have to live as long as the difference. Returns NULL when memory is short. */
struct difference *difference_of(const struct judgement *before, const struct judgement *after);
void difference_free(struct difference *difference);

/*
 * Whether it can be said of all cases what became of them: the records are
 * whole, and no case that was judged before could not be tried any more.
 */
bool difference_is_whole(const struct difference *difference, const struct record *before, const struct record *after);

/* An observation of both cases, or of one. */
struct observation_pair {
        const struct value *before, *after;                 /* NULL where the case has none */
        const struct value *allowed_before, *allowed_after; /* what the profile expects of each, or NULL */
        bool differs; /* it tells the platforms apart, and something else was seen, or another thing is expected */
};

/*
 * The observations of a case that both records have, in the order of the second
 * record. Returns an array, which the caller frees; NULL when memory is short.
 */
struct observation_pair *pair_observations(const struct difference *difference, const struct case_difference *d,
                                           size_t *count);

/* A step of both cases, or of one. */
struct step_pair {
        const struct value *before, *after; /* NULL where the case did not take it */
        bool differs;                       /* in its result, if both took it; addresses, identifiers and times aside */
};

/* The same for the steps. */
struct step_pair *pair_steps(const struct case_difference *d, size_t *count);

#endif
