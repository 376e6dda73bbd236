/* What a run under a fault came to, held against runs without one. */
#ifndef SWEEP_JUDGE_H
#define SWEEP_JUDGE_H

#include "sweep_observation.h"

enum sweep_outcome {
        SWEEP_ABSORBED,    /* same exit status and output */
        SWEEP_REPORTED,    /* another exit status, or a message that is not there without the fault */
        SWEEP_RECOVERED,   /* killed, and the next run without a fault was as it must be */
        SWEEP_MISSED,      /* the fault did not fire */
        SWEEP_CRASHED,     /* by a signal */
        SWEEP_HUNG,        /* killed when its time was over */
        SWEEP_WRONG,       /* status 0, and other output without a message */
        SWEEP_LEAKED,      /* reported or absorbed, and segments are left that are not left without the fault */
        SWEEP_UNRECOVERED, /* killed, and the next run without a fault is not as it must be */
        SWEEP_OUTCOMES
};
#define SWEEP_FIRST_FINDING SWEEP_CRASHED

extern const char *const sweep_outcome_names[SWEEP_OUTCOMES]; /* "absorbed" */

/* Sums of lines, sorted. */
struct sweep_lines {
        uint64_t *sums;
        size_t count;
};

/* What is the same in each run without a fault, and so is compared. */
struct sweep_normal {
        struct sweep_observation first, second;
        enum sweep_likeness likeness[2]; /* of the two, for each stream */
        bool steady_calls;               /* the same ones in the same order */
        struct sweep_lines lines[2];     /* what they wrote: as it is, and masked */
};

struct sweep_verdict {
        enum sweep_outcome outcome;
        enum sweep_outcome beside; /* of SWEEP_LEAKED: what the run came to otherwise */
        size_t *leaked;            /* indices of the observation's segments that are left beyond what is normal */
        size_t leaked_count;
        char message[256]; /* the line that tells of the fault, "" if there is none */
};

/* Holds the two runs against each other. Returns false if out of memory. */
bool sweep_normal_compare(struct sweep_normal *n);
/* Undoes it, so that there can be another second run. */
void sweep_normal_forget_lines(struct sweep_normal *n);
void sweep_normal_free(struct sweep_normal *n);

/*
 * Judges a run under faults; error: the errno that its message may speak of, or
 * 0. Returns false if out of memory. The caller frees verdict->leaked.
 */
bool sweep_judge(const struct sweep_normal *n, const struct sweep_observation *o, int error,
                 struct sweep_verdict *verdict);

/* The signal that ended the command, or, by a shell's way of telling (128 + signal), a command of its own; or 0. */
int sweep_fatal_signal(int status);

#endif
