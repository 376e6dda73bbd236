/* What changed between two records, in words: the same in every report. */
#ifndef DIFF_WORDS_H
#define DIFF_WORDS_H

#include "difference.h"
#include "judged_record.h"

struct compared {
        const struct judged_record *before, *after; /* each with a label */
        const struct difference *difference;
};

/* "1 regression, 2 fixes, 1290 as before"; the caller frees it, as what the others return. NULL when memory is short.
 */
char *describe_changes(const struct difference *difference);

/* "Linux 1276/1276, now 1275/1276" */
char *describe_scores(const struct compared *c);

/* "pass, now fail", or the verdict of a case that only one record has. */
char *describe_change(const struct case_difference *d);

/* "shmdt(0x7f..): expected EINVAL, was EINVAL, is 0" */
char *describe_pair(const struct case_difference *d, const struct observation_pair *p);

/* The needs that are missing in one record and not in the other, with the reasons; "" if there are none. */
char *describe_lacks(const struct record *record, const struct record *other);

/* Whether a case is told with what was seen and its steps: both records have it, and it was tried each time. */
bool is_told_whole(enum change change);

#endif
