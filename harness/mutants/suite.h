/* The suite run under one mutant, or none: an agent beside others, its record read as it comes and judged. */
#ifndef SUITE_H
#define SUITE_H

#include <stdbool.h>
#include <stddef.h>

#include "agent_process.h"
#include "profile.h"
#include "verdict.h"

struct suite_run {
        struct agent_process agent;
        struct record_reader *reader;
        struct judgement *judgement; /* after the end; NULL if there is none */
        int status;                  /* the agent's, then */
        char why[256];               /* what went wrong then */
};

struct suite_setup {
        const char *agent;
        const char *library;
        const struct profile *profile;
        const char *isolation;
        const char *jobs;
        const char *timeout;
        const char *stress; /* seconds that each race is to go on for, or NULL */
};

/* Starts the agent with the mutant ("none" for none) on the cases whose ids are given; all, if there are none. */
bool suite_start(struct suite_run *run, const struct suite_setup *setup, const char *mutant, const char *const *ids,
                 size_t count);
/* Takes what the agent has written; false at its end. */
bool suite_read(struct suite_run *run);
/* Waits for the agent's end and judges its record. */
void suite_finish(struct suite_run *run, const struct profile *profile);
void suite_free(struct suite_run *run);

#endif
