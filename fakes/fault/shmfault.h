/*
 * Faults on demand in System V shared memory, from inside a test, in any test
 * framework. Link the test with -lshmfault (pkg-config --libs shmfault), which
 * must stand before the C library, as it does unless -lc is written in front of
 * it; or preload libshmfault.so. The calls of the whole program are then looked
 * at, those of its libraries and of plugins as well, and of processes that it
 * forks. A static program cannot have this.
 *
 *     #include <shmfault.h>
 *
 *     char why[SHMFAULT_WHY];
 *     int full = shmfault_arm("shmget:error=ENOSPC:when=2", why, sizeof(why));
 *     assert(full != -1 && "why says what is wrong with the rule");
 *
 *     assert(open_two_queues() == NO_ROOM);           // the second shmget fails
 *
 *     struct shmfault_counts counts;
 *     shmfault_counts(full, &counts);
 *     assert(counts.hit == 1);                        // or the fault was never met
 *     assert(shmfault_segments(NULL, 0) == 0);        // and nothing was left behind
 *     shmfault_disarm(full);
 *
 * A rule is written as for `shmcheck inject`:
 *
 *     CALL:ACTION[:ACTION...][:SELECTION...]
 *
 *     CALL        shmget shmat shmdt shmctl ftok, shm (all five), shmctl/IPC_STAT, or several with commas
 *     ACTION      error=ENOSPC            the call is not made, and fails so
 *                 retval=N                the call is not made, and returns N
 *                 signal=KILL             sent to the thread before the call; signal_exit= after it
 *                 delay_enter=2ms         before the call; delay_exit= after it
 *                 corrupt=nattch:0        what IPC_STAT, SHM_STAT and SHM_STAT_ANY tell
 *                 short, short=SIZE       the segment is made smaller than asked
 *     SELECTION   when=N, N+, N+STEP, N..M    of the calls that match the rest, counted over all processes
 *                 key=, size= (with < and >), uid=, caller=GLOB, thread=, prob=P:seed=S
 *
 * Rules are tried in the order in which they were armed, and the first that
 * fires is the only one. Under `shmcheck inject` the command's own plan comes
 * before them.
 *
 * All functions may be called from several threads at once, and none prints,
 * but none may be called in a signal handler. Those that return -1 set errno.
 */
#ifndef SHMFAULT_H
#define SHMFAULT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* As many bytes take any message. */
#define SHMFAULT_WHY 512

/* How many rules can be armed at a time. */
#define SHMFAULT_RULES 64

/* A rule in parts; what is 0 or NULL is not in it, but for the call, which each rule has. */
struct shmfault_rule {
        const char *call;                 /* as in the text: "shmget", "shmctl/IPC_RMID", "shm" */
        int error;                        /* errno value */
        int signal_enter, signal_exit;    /* signal numbers */
        uint64_t delay_enter, delay_exit; /* nanoseconds */
        uint64_t first, last, step;       /* when=: from this call (0: the first) to that (0: all), every so manyth */
        const char *also;                 /* more of the rule, as text: "key=0x5e3a0001:corrupt=nattch:0" */
        int any_error;                    /* not 0: accept an errno that the call can never have by any documentation */
};

struct shmfault_counts {
        uint64_t matched; /* calls that matched all but when= and prob= */
        uint64_t hit;     /* calls that the rule fired on */
};

struct shmfault_segment {
        int shmid;
        int key;                /* the key_t that it was made with */
        size_t size;            /* bytes */
        pid_t maker;            /* process that made it */
        const void *made_at;    /* where, as a return address in the maker's program */
        unsigned long attached; /* how often it is attached just now (shm_nattch) */
        int marked;             /* not 0: removed by IPC_RMID, and kept by what is attached */
};

struct shmfault_attachment {
        const void *address;
        int shmid;
        int flags; /* as shmat was given them: SHM_RDONLY, ... */
};

/*
 * Arms a rule, for all threads of the program and all processes that it forks
 * or has forked. An errno that a call can never have by any documentation is a
 * mistake, see shmfault_arm_any.
 *
 * Returns a handle, which is above 0, or -1; then one line in why (size bytes,
 * or NULL), without a newline, says what is wrong with the rule and in which
 * column. errno: EINVAL: the rule is not understood; ENOSPC: SHMFAULT_RULES
 * rules are armed; ENOSYS: this library stands behind the C library, where it
 * sees no call; ENOMEM: there is no memory for rules.
 */
int shmfault_arm(const char *rule, char *why, size_t size);

/* The same, and accepts any errno. */
int shmfault_arm_any(const char *rule, char *why, size_t size);

/* The same for a rule in parts. */
int shmfault_arm_rule(const struct shmfault_rule *rule, char *why, size_t size);

/*
 * Tells how often the rule matched and hit so far. A rule that was disarmed
 * still tells, until its place is taken by another one.
 * Returns 0, or -1: EINVAL: there is no such rule.
 */
int shmfault_counts(int handle, struct shmfault_counts *counts);

/*
 * Disarms the rule; no call that begins later is hit by it, in no process.
 * Returns 0, or -1: EINVAL: no rule is armed with this handle.
 */
int shmfault_disarm(int handle);

/* Disarms all rules that were armed with this header. Returns 0, or -1: ENOMEM as above. */
int shmfault_reset(void);

/*
 * Lists the segments that were made by this process, its children and those it
 * is a child of, as far as they forked without exec, and that are still there.
 * Copies at most room of them to list. Returns how many there are, or -1:
 * ENOMEM as above; EOVERFLOW: more than 4096 were made that were there at once.
 * Removal is seen whoever does it; one that may not be looked at is still listed.
 */
ssize_t shmfault_segments(struct shmfault_segment *list, size_t room);

/*
 * Lists what this process has attached, by itself or inherited in a fork.
 * Copies at most room of them to list. Returns how many there are, or -1:
 * EOVERFLOW: too many were attached at once. An attachment that was unmapped by
 * munmap(2) or mapped over, rather than detached, is still listed.
 */
ssize_t shmfault_attachments(struct shmfault_attachment *list, size_t room);

#ifdef __cplusplus
}
#endif

#endif
