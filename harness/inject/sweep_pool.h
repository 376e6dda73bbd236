/* Runs side by side: each slot has one under way, and gets the next one when it has ended. */
#ifndef SWEEP_POOL_H
#define SWEEP_POOL_H

#include <signal.h>

#include "sweep_flight.h"

#define SWEEP_JOBS_MAX 256

struct sweep_slot {
        bool busy;
        size_t job;     /* what is run, in the words of whoever gave it */
        unsigned stage; /* of a job of several runs, one after the other */
        struct fault_plan plan;
        struct sweep_flight_setup setup;
        struct sweep_observation observation; /* of the run that has ended */
        struct sweep_namespace kept;
        struct sweep_flight flight;
};

struct sweep_pool {
        size_t count; /* slots, at most SWEEP_JOBS_MAX */
        /* Fills in job, plan and setup of a free slot. Returns false if there is nothing to start now. */
        bool (*next)(struct sweep_slot *slot, void *arg);
        /*
         * Takes the observation of a run that has ended; what it takes it
         * clears. Returns whether the slot is to run what its setup is now.
         */
        bool (*done)(struct sweep_slot *slot, void *arg);
        void (*pause)(void *arg);          /* called now and then, or NULL */
        const volatile sig_atomic_t *stop; /* not 0: all runs are to be ended, and nothing more started; or NULL */
        void *arg;
};

struct sweep_failure {
        enum command_start result;
        char why[4096]; /* one line */
};

/*
 * Runs until there is nothing more to start and all has ended, or until it is
 * stopped. Returns false with *failure filled in if a run could not be made,
 * or not be watched; the others are then ended.
 */
bool sweep_pool_run(const struct sweep_pool *pool, struct sweep_failure *failure);

#endif
