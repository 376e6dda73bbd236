/* What one run of a sweep showed: how it ended, what it wrote, what its calls were, what it left. */
#ifndef SWEEP_OBSERVATION_H
#define SWEEP_OBSERVATION_H

#include "leaks.h"
#include "sweep_output.h"
#include "sweep_sites.h"

#define SWEEP_FAULTS 2 /* at most in one run */
#define SWEEP_FAILURES 32

struct sweep_call {
        enum shm_call call;
        int command;      /* of shmctl, else FAULT_ANY_COMMAND */
        uint64_t ordinal; /* among the calls of this kind, from 1, over the whole command */
        size_t site;
        int error;
        int64_t args[3]; /* as shm_event.args has them */
        int64_t result;
        bool found;    /* shmget: an earlier call of the run had got the same segment */
        bool after;    /* it was begun after a fault */
        int64_t start; /* CLOCK_MONOTONIC, nanoseconds */
};

/* A segment that is there at the end. */
struct sweep_left {
        struct segment_there segment;
        size_t site;   /* of the call that made it, or SWEEP_NO_SITE */
        bool by_fault; /* its removal was what a rule made fail */
};

struct sweep_observation {
        int status; /* as waitpid(2) tells it */
        bool timed_out;
        bool keeper_lost; /* something outside killed what supervised it */
        int64_t time;     /* nanoseconds */
        struct sweep_output outputs[2];
        char *stack; /* of a crash, a line for each function, if it was asked for; or NULL */
        struct sweep_left *left;
        size_t left_count;
        bool left_known;
        size_t orphan_count;  /* processes that outlived the command */
        char orphan[32];      /* the name of the first */
        unsigned unreachable; /* programs that it started and the library could not be loaded into */
        char unreachable_path[256];

        size_t call_count;
        size_t last_site;                      /* of the last call that was begun */
        uint64_t matched[SWEEP_FAULTS];        /* by rule: calls that it counted */
        uint64_t hit[SWEEP_FAULTS];            /* and fired on */
        struct sweep_call fired[SWEEP_FAULTS]; /* the first of these, where hit is not 0 and events were seen */
        bool fired_known[SWEEP_FAULTS];
        bool other_key;    /* after the first fault, which was one of shmget, another key was asked for */
        bool looked_again; /* after the first fault, which was another's, shmget was called */
        struct {
                size_t site;
                int error;
        } failures[SWEEP_FAILURES]; /* which errors calls met where, each once */
        size_t failure_count;
        struct sweep_call *calls; /* the first of them that were asked for */
        size_t kept;
};

/* What is needed while the run goes on. */
struct sweep_watch;

/* Which calls are kept in observation.calls. */
enum sweep_keep { SWEEP_KEEP_NONE, SWEEP_KEEP_ALL, SWEEP_KEEP_AFTER_FAULT };

/* Begins to watch. Returns NULL if out of memory. What the arguments point to must outlive the watch. */
struct sweep_watch *sweep_watch_begin(struct sweep_observation *o, struct sweep_sites *sites, const struct session *s,
                                      enum sweep_keep keep, size_t most);

/* Takes an event of the session up; arg is the watch. */
void sweep_watch_event(const struct shm_event *e, void *arg);

/*
 * Ends the watch with the segments that are left (NULL: not known). Returns
 * false if memory was short, and something is left out.
 */
bool sweep_watch_end(struct sweep_watch *w, const struct segments_there *left);

/* Whether calls failed with this error at this site. */
bool sweep_observed_failure(const struct sweep_observation *o, size_t site, int error);

void sweep_observation_free(struct sweep_observation *o);

#endif
