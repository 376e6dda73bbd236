/* A record with its verdicts: what each report draws. A report computes no verdict. */
#ifndef JUDGED_RECORD_H
#define JUDGED_RECORD_H

#include <stdbool.h>

#include "verdict.h"

#define OTHER_PROFILES 2

struct judged_record {
        const char *label; /* tells it from the others of one report; NULL where there is only one */
        const struct record *record;
        const struct judgement *main;                   /* decides */
        const struct judgement *others[OTHER_PROFILES]; /* profiles that are shown beside it */
        size_t other_count;
        const char *cut; /* what is missing of the record; NULL if it is whole */
};

/* The topic of a case of main, as the record has it; "?" if it has none. */
const char *topic_at(const struct judged_record *judged, size_t i);

/* Where the cases of one topic end: those of the topic of case first, which stand together. */
size_t topic_end(const struct judged_record *judged, size_t first);

/* How many of main's cases from first to before end have each verdict. */
void count_verdicts(const struct judged_record *judged, size_t first, size_t end, size_t by_verdict[VERDICTS]);

/* How many of them diverge. */
size_t diverging(const size_t by_verdict[VERDICTS]);

/*
 * One reason in many cases is one thing to tell. Returns a number for each case
 * of main: how many share its verdict and its reason if it is the first of them,
 * else 0. The caller frees it; NULL when memory is short.
 */
size_t *count_reasons(const struct judged_record *judged);

/* "POSIX 542/542, Linux 1276/1276, 9 skipped"; the caller frees it. */
char *describe_score(const struct judged_record *judged);

#endif
