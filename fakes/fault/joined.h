/* What this process takes part in: the session of a supervisor, if the environment names one. */
#ifndef JOINED_H
#define JOINED_H

#include <stdatomic.h>
#include <stdbool.h>

#include "session.h"

#define CALL_BIT(call) (1U << (call))
#define EVERY_CALL (CALL_BIT(SHM_CALLS) - 1)

/* What a call has to look at, so that most are no more than a jump to the real one. */
struct watch {
        struct session *_Atomic session;   /* what was joined, or NULL */
        _Atomic unsigned calls;            /* bits of those that are more than that */
        _Atomic uint32_t spared;           /* bits of shmctl's commands that are no more than that after all */
        _Atomic unsigned unfamiliar;       /* bits of those that were not made yet; all, until the set-up */
        const unsigned *_Atomic own_calls; /* bits of those that rules which the program armed itself are about */
        _Atomic bool events;               /* the supervisor reads them */
        _Atomic bool threads;              /* a thread's number counts, its place among those that made a call */
};
extern struct watch watch;

static inline bool is_watched_by_own(enum shm_call call)
{
        const unsigned *calls = atomic_load_explicit(&watch.own_calls, memory_order_acquire);
        return __builtin_expect(__atomic_load_n(calls, __ATOMIC_RELAXED) & CALL_BIT(call), 0);
}

static inline bool is_watched(enum shm_call call)
{
        return __builtin_expect(atomic_load_explicit(&watch.calls, memory_order_relaxed) & CALL_BIT(call), 0) ||
               is_watched_by_own(call);
}

/* The same for shmctl with this command. */
static inline bool is_watched_shmctl(int command)
{
        return is_watched(SHM_CALL_SHMCTL) &&
               (!(atomic_load_explicit(&watch.spared, memory_order_relaxed) & FAULT_COMMAND_BIT(command)) ||
                is_watched_by_own(SHM_CALL_SHMCTL));
}

static inline bool is_unfamiliar(enum shm_call call)
{
        return __builtin_expect(atomic_load_explicit(&watch.unfamiliar, memory_order_relaxed) & CALL_BIT(call), 0);
}

/* The session, or NULL. */
static inline struct session *joined_session(void)
{
        return atomic_load_explicit(&watch.session, memory_order_acquire);
}

/* Whether the supervisor still reads events. */
static inline bool joined_wants_events(void)
{
        const struct session *s = joined_session();
        return s && s->events_on && !atomic_load_explicit(&s->closed, memory_order_relaxed);
}

/*
 * Joins the session and gets ready, if that was not done yet. Without a lock:
 * the first call may come from another object's constructor, from several
 * threads, or from a signal handler that interrupted this very function.
 */
void join_if_not_joined(void);

/* Whether pids mean the same to the supervisor; false without one. */
bool joined_shares_pids(void);

/* A call is made for the first time, as far as this process knows: gets ready if need be, and tells the supervisor. */
void joined_gets_to_know(enum shm_call call);

#endif
