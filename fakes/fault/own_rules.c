#include "own_rules.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <sys/mman.h>
#include <time.h>

#include "fault_decision.h"
#include "joined.h"
#include "process.h"

/* A decision takes less than a microsecond; a process that was killed in one is not waited for longer than this. */
#define PATIENCE_STEPS 10000
#define STEP_NANOSECONDS 100000

static struct own_rules *_Atomic area;

struct own_rules *own_rules(void)
{
        return atomic_load_explicit(&area, memory_order_acquire);
}

static bool lock_is_made(pthread_mutex_t *lock)
{
        pthread_mutexattr_t attributes;
        if (pthread_mutexattr_init(&attributes) != 0)
                return false;
        bool made = pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0 &&
                    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0 &&
                    pthread_mutex_init(lock, &attributes) == 0;
        pthread_mutexattr_destroy(&attributes);
        return made;
}

void own_rules_set_up(void)
{
        struct own_rules *expected = NULL;
        size_t size = offsetof(struct own_rules, session) + offsetof(struct session, head);
        if (own_rules())
                return;
        struct own_rules *own =
                mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (own == MAP_FAILED)
                return;
        if (!lock_is_made(&own->lock) || !atomic_compare_exchange_strong(&area, &expected, own)) {
                munmap(own, size);
                return;
        }
        atomic_store_explicit(&watch.own_calls, &own->session.plan_calls, memory_order_release);
}

void own_rules_enter(struct own_rules *own)
{
        atomic_fetch_add(&own->deciding, 1);
}

void own_rules_leave(struct own_rules *own, pid_t pid)
{
        if (caller_identity()->pid == pid)
                atomic_fetch_sub(&own->deciding, 1);
}

static void wait_for_deciders(struct own_rules *own)
{
        int deciding = 0;
        for (int i = 0; i < PATIENCE_STEPS; i++) {
                deciding = atomic_load(&own->deciding);
                if (deciding <= 0)
                        return;
                nanosleep(&(struct timespec){0, STEP_NANOSECONDS}, NULL);
        }
        atomic_fetch_sub(&own->deciding, deciding);
}

static void lock(struct own_rules *own)
{
        /* Whoever died with it left each rule either armed or not. */
        if (pthread_mutex_lock(&own->lock) == EOWNERDEAD)
                pthread_mutex_consistent(&own->lock);
}

static void unlock(struct own_rules *own)
{
        pthread_mutex_unlock(&own->lock);
}

/* Makes calls heed the rules that are armed. */
static void publish(struct own_rules *own)
{
        struct session *s = &own->session;
        unsigned count = 0;
        unsigned calls = 0;
        for (unsigned i = 0; i < FAULT_RULES; i++) {
                if (!own->armed[i])
                        continue;
                count = i + 1;
                /* A thread's number is its place among those that made a call, whichever. */
                calls |= s->plan.rules[i].selection & FAULT_BY_THREAD ? EVERY_CALL : s->plan.rules[i].calls;
        }
        __atomic_store_n(&s->plan.count, count, __ATOMIC_RELEASE);
        __atomic_store_n(&s->plan_calls, calls, __ATOMIC_RELEASE);
}

static int free_place(const struct own_rules *own)
{
        unsigned count = own->session.plan.count;
        if (count < FAULT_RULES)
                return (int)count;
        for (int i = 0; i < FAULT_RULES; i++) {
                if (!own->armed[i])
                        return i;
        }
        return -1;
}

/* A handle that is of no rule that was armed lately: the place, and how often it was used. */
static int next_handle(const struct own_rules *own, int place)
{
        int handle = own->handles[place];
        return handle > INT_MAX - FAULT_RULES || handle == 0 ? place + FAULT_RULES : handle + FAULT_RULES;
}

static void disarm_at(struct own_rules *own, int place)
{
        own->armed[place] = false;
        __atomic_store_n(&own->session.plan.rules[place].calls, 0, __ATOMIC_RELEASE);
}

/* The place of the handle's rule, or -1. */
static int place_of(const struct own_rules *own, int handle)
{
        int place = handle >= FAULT_RULES ? handle % FAULT_RULES : -1;
        return place != -1 && own->handles[place] == handle ? place : -1;
}

int own_rules_arm(struct own_rules *own, const struct fault_rule *rule)
{
        int handle = -1;
        lock(own);
        int place = free_place(own);
        if (place != -1) {
                struct fault_rule *armed = &own->session.plan.rules[place];
                handle = own->handles[place] = next_handle(own, place);
                fault_forget(&own->session, (unsigned)place);
                *armed = *rule;
                own->armed[place] = true;
                publish(own);
        }
        unlock(own);
        return handle;
}

bool own_rules_disarm(struct own_rules *own, int handle)
{
        lock(own);
        int place = place_of(own, handle);
        bool was_armed = place != -1 && own->armed[place];
        if (was_armed) {
                disarm_at(own, place);
                publish(own);
                wait_for_deciders(own);
        }
        unlock(own);
        return was_armed;
}

bool own_rules_counters(struct own_rules *own, int handle, uint64_t *matched, uint64_t *hit)
{
        lock(own);
        int place = place_of(own, handle);
        if (place != -1) {
                const struct rule_state *state = &own->session.states[place];
                *matched = atomic_load(&state->matched);
                *hit = atomic_load(&state->hit);
        }
        unlock(own);
        return place != -1;
}

void own_rules_disarm_all(struct own_rules *own)
{
        lock(own);
        for (int i = 0; i < FAULT_RULES; i++)
                disarm_at(own, i);
        publish(own);
        wait_for_deciders(own);
        unlock(own);
}
