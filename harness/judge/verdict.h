/*
 * The judge: a record held against a profile. The record has the facts, the
 * profile what is allowed; a verdict is made here and nowhere else.
 */
#ifndef VERDICT_H
#define VERDICT_H

#include "baseline.h"
#include "profile.h"
#include "record_reader.h"

enum verdict {
        VERDICT_PASS,
        VERDICT_FAIL,   /* an observation is none of what the profile allows */
        VERDICT_CRASH,  /* the case, or a process of it, died by a signal */
        VERDICT_HANG,   /* the case did not end in its time */
        VERDICT_FLAKY,  /* rounds of one run have different verdicts */
        VERDICT_ERROR,  /* the set-up failed, or the harness did: nothing can be said of the behaviour */
        VERDICT_KNOWN,  /* diverges as the baseline says */
        VERDICT_FIXED,  /* the baseline says it diverges, and it no longer does */
        VERDICT_SKIP,   /* a need is missing */
        VERDICT_RECORD, /* the profile allows anything: kept, not judged */
        VERDICTS
};

/* "pass", ... */
const char *verdict_name(enum verdict verdict);

/* Whether the verdict is one that a run has to report: exit status 1. */
bool verdict_diverges(enum verdict verdict);

/* One observation that is not what the profile allows. */
struct divergence {
        size_t round;                    /* index into the case's results */
        const struct value *observation; /* of the record */
        const struct value *allowed;     /* a list of texts */
};

struct judged_case {
        const struct record_case *of;
        enum verdict verdict;
        size_t by_verdict[VERDICTS];    /* rounds with each verdict */
        size_t shown;                   /* the round that tells the verdict's story: its first */
        const char *reason;             /* of a skip, crash, hang or error; "" otherwise */
        struct divergence *divergences; /* of the round shown */
        size_t divergence_count;
        const struct baseline_entry *accepted; /* of known and fixed: where the baseline says so; else NULL */
};

/* The result that tells the verdict's story, and its steps. */
static inline const struct value *shown_result(const struct judged_case *c)
{
        return c->of->results[c->shown];
}

static inline const struct value *shown_steps(const struct judged_case *c)
{
        return record_case_steps(c->of, c->shown);
}

struct judgement {
        const struct profile *profile;
        struct judged_case *cases; /* as in the record */
        size_t case_count;
        size_t by_verdict[VERDICTS];
};

/* Judges all cases of the record; baseline may be NULL. Returns NULL when memory is short. */
struct judgement *judge_record(const struct record *record, const struct profile *profile,
                               const struct baseline *baseline);
void judgement_free(struct judgement *judgement);

/* Cases that were judged and not skipped, and those of them that pass. */
size_t judgement_tried(const struct judgement *judgement);
size_t judgement_passed(const struct judgement *judgement);

/* 0, 1 for a divergence, 3 for an error or an incomplete record. */
int judgement_exit_status(const struct judgement *judgement, const struct record *record);

/* Whether seen is one of the allowed: the same text, or a number inside "LOW..HIGH". */
bool result_is_allowed(const char *seen, const struct value *allowed);

#endif
