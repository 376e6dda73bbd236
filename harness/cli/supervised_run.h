/* A run as supervision.c and outcome.c see it. */
#ifndef SUPERVISED_RUN_H
#define SUPERVISED_RUN_H

#include <limits.h>

#include "command.h"
#include "deny.h"
#include "event_backlog.h"
#include "event_output.h"
#include "kernel_backend.h"
#include "supervision.h"

struct supervised_run {
        const struct supervision *wishes;
        char *const *words;
        struct fault_plan plan;
        struct deny deny;
        bool denies, kernel, preloads, follows;
        bool notified; /* the kernel asks about calls */
        char program[PATH_MAX], library[PATH_MAX];
        struct event_output events;
        struct session *session;
        int session_fd;
        int handover[2]; /* of the kernel's listener: ours, the command's */
        struct kernel_backend *backend;
        struct segments_there before;
        struct command command;
        struct trace_builder *trace;
        struct event_backlog backlog;
        bool trace_cut; /* out of memory */
};

/* Tells what of the command is still running, or was until now. */
void outcome_tell_orphans(const struct supervised_run *r);

/*
 * Tells of rules that did not fire, of programs that were not reached, of a run
 * without a call. Returns whether the run is not to count as fine.
 */
bool outcome_tell_misses(const struct supervised_run *r);

#endif
