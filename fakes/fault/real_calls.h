/* The calls as the next object behind this library gives them: the C library, or another shim. */
#ifndef REAL_CALLS_H
#define REAL_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/types.h>

/*
 * Looked up at the first call of any of them, whoever makes it: without a lock,
 * and also before this library's constructor has run. Each can be called at any
 * time, and the call is always a plain jump in effect: a caller that is itself
 * only a jump stays out of what its callee sees as the return address.
 */
struct real_calls {
        int (*_Atomic shmget)(key_t key, size_t size, int flags);
        void *(*_Atomic shmat)(int shmid, const void *address, int flags);
        int (*_Atomic shmdt)(const void *address);
        int (*_Atomic shmctl)(int shmid, int command, struct shmid_ds *buffer);
        key_t (*_Atomic ftok)(const char *path, int project);
        void *(*_Atomic dlopen)(const char *file, int mode);
        long (*_Atomic syscall)(long number, long a, long b, long c, long d, long e, long f);
};
extern struct real_calls real;

/*
 * Returns what the call returns, as a jump: gcc does so by itself when it
 * optimizes, clang when it is told to.
 */
#if defined(__has_attribute)
#if __has_attribute(musttail)
#define JUMP_TO(call) __attribute__((musttail)) return call
#endif
#endif
#ifndef JUMP_TO
#define JUMP_TO(call) return call
#endif

/* Whether there is any shim behind this library. */
extern _Atomic bool real_calls_have_shims;

/*
 * Whether the code at this address belongs to a shim that gives the calls in
 * the C library's place: what it calls in turn is its own business.
 */
bool real_calls_come_from(const void *address);

/* Whether this library stands before the one that gives the calls, in the order in which the program finds them. */
bool real_calls_are_interposed(void);

#endif
