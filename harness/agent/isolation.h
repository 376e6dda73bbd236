/* Namespaces around the cases: chosen once, verified before they are trusted. */
#ifndef SHMC_ISOLATION_H
#define SHMC_ISOLATION_H

#include "context.h"

/* "auto", "ipcns", "userns" or "host"; false for any other word. */
bool shmc_isolation_parse(const char *word, enum shmc_isolation *isolation);
const char *shmc_isolation_name(enum shmc_isolation isolation);

/*
 * Settles isolation and PID namespace of this run in shmc_context: tries them
 * in child processes, proves for each IPC namespace that a key made in one is
 * unknown in the next, and falls back if wanted is SHMC_ISOLATION_AUTO.
 * Returns false with a sentence in why (size bytes) if what was wanted cannot
 * be had.
 */
bool shmc_isolation_choose(enum shmc_isolation wanted, char *why, size_t size);

/*
 * Forks a worker inside the namespaces of shmc_context that outlive a single
 * case (user, PID), tied to the life of its parent: it is killed when the
 * parent dies, and with it all that it started.
 * Returns as fork does.
 */
pid_t shmc_fork_worker(void);

/* Asks for SIGKILL when the parent dies, where the platform has that. An exec of a set-user-ID program and a change of
 * uid undo it. */
void shmc_die_with_parent(void);

/*
 * Moves this worker into a fresh IPC namespace; does nothing under host
 * isolation. Returns false with errno on failure.
 */
bool shmc_isolation_renew(void);

/*
 * Gives this worker a file system of its own for temporary files, which ends
 * with it, and names it in shmc_context.scratch. Returns false where that
 * cannot be; scratch is then $TMPDIR or /tmp, and what is made there has to be
 * entered in the ledger.
 */
bool shmc_scratch_enter(void);

/* Of the agent's first process: becomes the parent of what outlives a worker where there is no PID namespace. */
void shmc_adopt_strays(void);

/* Kills what it has become the parent of; the workers have ended before. */
void shmc_end_strays(void);

/* Kills and reaps every process that the last case left behind. */
void shmc_reap_all(pid_t group);

#endif
