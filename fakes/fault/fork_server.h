/* Runs that start from a fork of this process, taken just before its first call: for sweep. */
#ifndef FORK_SERVER_H
#define FORK_SERVER_H

/*
 * To be called before a call that may be the first. If the environment asks
 * for it, and it was not offered before, this process is offered to be forked,
 * and stays here as long as it is; what returns is a fork of it that is a run,
 * or, if the offer is turned down, this process.
 */
void fork_server_offer(void);

#endif
