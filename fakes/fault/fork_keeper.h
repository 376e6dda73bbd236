/* The keeper of runs that are forks, one at a time: it holds a run's IPC namespace, and ends whatever is left of it. */
#ifndef FORK_KEEPER_H
#define FORK_KEEPER_H

#include "fork_order.h"
#include "fork_state.h"

/*
 * In a fork: becomes the keeper that was ordered, takes orders itself, and ends
 * when there are no more. server: the socket that is the command's. Returns in
 * the runs alone.
 */
void fork_keep(const struct fork_state *state, int server, const struct fork_order_received *order);

#endif
