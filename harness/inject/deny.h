/*
 * `--deny CALL=EPERM|ENOSYS`: what the seccomp profile of a container does. The
 * calls fail in the kernel, for 64- and 32-bit programs alike, and nobody
 * supervises.
 */
#ifndef DENY_H
#define DENY_H

#include "fault_plan.h"

struct deny {
        int errors[SHM_CALLS]; /* errno value for each call; 0: it is let be */
        bool named[SHM_CALLS]; /* the call was named itself, not by "shm" */
};

/*
 * Adds to deny (zeroed at first) what the text says: one CALL=ERROR, or several
 * with commas between them; CALL is shmget, shmat, shmdt, shmctl, or shm for
 * what is not named itself; ERROR is EPERM or ENOSYS. Returns false with
 * *mistake filled in: for a word that is not known, or for a call that is given
 * two errors.
 */
bool deny_parse(struct deny *deny, const char *text, struct fault_mistake *mistake);

/*
 * In the child, just before execve: loads the filter, with no_new_privs where
 * the kernel asks for it (shm_filter.h). Returns 0, or -1 with errno and why
 * (of size bytes) filled in.
 */
int deny_install(const struct deny *deny, char *why, size_t size);

#endif
