/*
 * Seccomp filters on the four System V shm calls, for each way in which a
 * program of this machine can make one: the native calls and, on x86, the
 * 32-bit and x32 ones and the ipc(2) multiplexer.
 */
#ifndef SHM_FILTER_H
#define SHM_FILTER_H

#include <seccomp.h>

#include "fault_plan.h"

/* Bits of the calls that are system calls: all but ftok. */
#define SHM_FILTER_CALLS (1U << SHM_CALL_SHMGET | 1U << SHM_CALL_SHMAT | 1U << SHM_CALL_SHMDT | 1U << SHM_CALL_SHMCTL)

/* The calls' numbers in the first argument of ipc(2); its upper 16 bits are a version. */
enum shm_multiplexed { SHM_MULTIPLEXED_AT = 21, SHM_MULTIPLEXED_DT, SHM_MULTIPLEXED_GET, SHM_MULTIPLEXED_CTL };
#define SHM_MULTIPLEXED_CALL 0xffffU

/*
 * Makes a filter that allows everything but what actions tells: for each enum
 * shm_call an action of libseccomp, SCMP_ACT_ALLOW for a call that is let be.
 * Programs of an architecture that the filter does not know are let be too.
 * To be released with seccomp_release. Returns NULL with why (of size bytes)
 * filled in on failure.
 */
scmp_filter_ctx shm_filter_new(const uint32_t actions[SHM_CALLS], char *why, size_t size);

/*
 * Loads the filter into this thread, which is to have no others. It sets
 * no_new_privs only where the kernel asks for it, which it does of a thread
 * without CAP_SYS_ADMIN in its user namespace (seccomp(2), EACCES).
 *
 * listener: whether the filter has notifications, to be read from a
 * descriptor. Where the kernel can (5.19), a call whose notification was read
 * is not interrupted by signals that do not kill.
 *
 * Returns the descriptor (close-on-exec), or 0 without listener; -1 with errno
 * and why (of size bytes) on failure:
 *   EBUSY   the thread already has a filter with a listener, and can have one
 *   EINVAL  the kernel knows no user notification (before 5.0)
 *   other   as seccomp(2)
 */
int shm_filter_load(scmp_filter_ctx filter, bool listener, char *why, size_t size);

#endif
