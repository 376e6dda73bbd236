/* The keeper of a run that is a fork: it holds the run's IPC namespace, and ends whatever is left of it. */
#ifndef FORK_KEEPER_H
#define FORK_KEEPER_H

#include <stdbool.h>

#include "fork_protocol.h"
#include "fork_state.h"

struct fork_run {
        const struct fork_state *state;
        int server; /* the socket that orders come from */
        int descriptors[FORK_DESCRIPTORS];
        int session_number;
};

/* In a fork: becomes the keeper of a run, and ends with it. Returns, true, in the run alone. */
bool fork_keep(struct fork_run *run);

#endif
