/* The agent as the first process of a machine that was started for it: a virtual one, or a kernel as a process. */
#ifndef SHMC_OWN_MACHINE_H
#define SHMC_OWN_MACHINE_H

/*
 * Mounts /proc, a /tmp, and /dev as far as they are absent, and returns in a
 * child, in which the agent runs as it does anywhere. This process reaps what
 * loses its parent, and powers the machine off when the child has ended. Only
 * for a process that was told so by --power-off; where it is not the first
 * process, it exits with status 2 after one line on standard error.
 */
void shmc_own_machine_enter(void);

#endif
