/* A worker: a process that runs cases one after another, each in isolation, and writes what happened. */
#ifndef SHMC_WORKER_H
#define SHMC_WORKER_H

#include "needs.h"
#include "registry.h"

struct shmc_job {
        const struct shmc_case *c;
        unsigned round;
};

/* Shared by the agent's main process and its workers. */
struct shmc_schedule {
        _Atomic unsigned next; /* the first job that no worker has taken */
};

/* What the main process sees of a worker while it is busy. */
struct shmc_activity {
        _Atomic unsigned job_plus_1;  /* 0: between jobs */
        _Atomic long long started_ms; /* CLOCK_MONOTONIC */
};

/*
 * Runs jobs until none is left (only >= 0: that one job), writing begin and
 * case objects to fd, a line each. Does not return.
 */
SHMC_NORETURN void shmc_worker(struct shmc_schedule *schedule, struct shmc_activity *activity,
                               const struct shmc_job *jobs, unsigned count, int only, const struct shmc_needs *needs,
                               int fd);

/* How long a case may take, in seconds: the run's time-out, and on top of it what it waits for, and the stress. */
double shmc_allowance(const struct shmc_case *c);

/* Whether the case is to wait beside the others, in a worker of its own. */
bool shmc_waits(const struct shmc_case *c);

/* Milliseconds of CLOCK_MONOTONIC. */
long long shmc_now_ms(void);

#endif
