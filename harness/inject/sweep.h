/*
 * Every failure of every shm call of a command, tried and judged: runs without
 * faults tell what calls there are and what is normal; then there is one run
 * for each call and each fault that it can meet, and each is held against what
 * is normal. Reports only draw this.
 */
#ifndef SWEEP_H
#define SWEEP_H

#include "sweep_faults.h"
#include "sweep_judge.h"
#include "sweep_pool.h"

/* Calls of the run without faults that can be learnt. */
#define SWEEP_CALLS_MAX 1000000
/* Bytes of what a run wrote that are kept for reports. */
#define SWEEP_EXCERPT 4096

struct sweep;
struct sweep_log;

struct sweep_wishes {
        struct sweep_choice choice;
        size_t jobs;                             /* runs side by side */
        int64_t timeout;                         /* nanoseconds; 0: by the time of the runs without faults */
        size_t per_site;                         /* calls of each site that are tried; 0: all */
        size_t pairs;                            /* runs with two faults, at most */
        bool no_fork_server;                     /* each run is to be started anew */
        struct sweep_log *log;                   /* where tries are kept and found, or NULL */
        const volatile sig_atomic_t *stop;       /* not 0: what is known so far is all */
        void (*progress)(const struct sweep *s); /* called now and then, or NULL */
};

/* One run, or for a kill a run and the one after it. */
struct sweep_try {
        struct sweep_fault faults[SWEEP_FAULTS];
        unsigned fault_count;
        bool done;
        enum sweep_outcome outcome;
        enum sweep_outcome beside; /* of SWEEP_LEAKED: what it came to otherwise */
        int status;                /* as waitpid(2) tells it; of the last run */
        bool timed_out;
        int64_t time;            /* nanoseconds */
        size_t site;             /* where the last fault fired; or is meant to */
        size_t last_site;        /* of the last call */
        struct sweep_left *left; /* beyond what is normal; after a kill, all that was left by it */
        size_t left_count;
        char message[256]; /* the line that tells of the fault, or "" */
        char *written[2];  /* beginnings of standard output and standard error; NULL: nothing */
        size_t orphan_count;
        struct sweep_call *after; /* the first calls after the fault, if there are to be pairs */
        size_t after_count;
};

/* Tries of one outcome at one site. */
struct sweep_finding {
        enum sweep_outcome outcome;
        size_t site;
        char *key;     /* what stands in a baseline: "crashed:shmat:open_queue@queue.c" */
        size_t *tries; /* indices, those that are told best first */
        size_t try_count;
        struct sweep_fault shown[SWEEP_FAULTS]; /* the shortest that it was seen with again */
        unsigned shown_count;
        bool confirmed; /* it was: else this was seen once and then not again */
        bool known;     /* by the baseline */
        char *stack;    /* of SWEEP_CRASHED, a line for each function, the innermost first; or NULL */
};

struct sweep {
        const struct sweep_program *program;
        struct sweep_wishes wishes;
        struct sweep_sites sites;
        struct sweep_normal normal;
        struct sweep_normal again;  /* the second of two runs in one namespace, without faults; if there are kills */
        bool kills_skipped;         /* the command does not run twice in one namespace */
        bool side_by_side_differs;  /* runs disturb each other: they are made one after the other */
        char side_by_side[512];     /* how that showed */
        int64_t limit;              /* nanoseconds */
        bool reads_input;           /* of which there is none */
        struct sweep_server server; /* that runs are forked from; server.why_not: why they are not */
        struct sweep_try *tries;
        size_t try_count, try_room;
        size_t next, done; /* tries that were begun, that have ended */
        size_t left_out;   /* calls that per_site leaves out */
        size_t pairs_possible, pairs_tried;
        bool stopped;
        bool changed; /* the command without faults is not as it was before */
        char changed_how[512];
        struct sweep_finding *findings;
        size_t finding_count;
        size_t confirming; /* findings that were looked at again */
        int64_t begun;     /* CLOCK_MONOTONIC, nanoseconds */
        int64_t time;      /* nanoseconds, all of it */
        struct sweep_failure failure;
};

/* What the runs without faults came to. */
enum sweep_learnt {
        SWEEP_LEARNT,
        SWEEP_FAILS,     /* it fails without a fault: normal.first tells how */
        SWEEP_NO_CALL,   /* none was seen */
        SWEEP_UNSTARTED, /* failure tells why */
        SWEEP_LEARNING_STOPPED
};

/* Begins a sweep; what the arguments point to must outlive it. Returns NULL if out of memory. */
struct sweep *sweep_new(const struct sweep_program *program, const struct sweep_wishes *wishes);

/*
 * Makes the runs without faults, and holds the command before its first call if
 * runs can be forked from there; if not, s->server.why_not says why, unless
 * that is not wished.
 */
enum sweep_learnt sweep_learn(struct sweep *s);

/* Makes the runs with faults. Returns false with s->failure filled in if that could not be done to the end. */
bool sweep_run(struct sweep *s);

/* Groups what was found, and looks at each again, for the shortest way to see it. Returns as sweep_run. */
bool sweep_conclude(struct sweep *s);

/* How many tries came to this. */
size_t sweep_count(const struct sweep *s, enum sweep_outcome outcome);

void sweep_free(struct sweep *s);

#endif
