#include "joined.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "event_clock.h"
#include "fault_decision.h"
#include "fork_server.h"
#include "own_rules.h"
#include "process.h"
#include "recording.h"

static const unsigned no_calls;
struct watch watch = {.calls = EVERY_CALL, .unfamiliar = EVERY_CALL, .own_calls = &no_calls};

bool joined_shares_pids(void)
{
        const struct session *s = joined_session();
        return s && s->events_on && session_shares_pids(s);
}

/* The calls that are watched once they are known. */
static unsigned calls_of_interest(const struct session *s)
{
        return s && (s->events_on || watch.threads) ? EVERY_CALL : s ? s->plan_calls : 0;
}

/* The commands of shmctl that no rule is about. */
static uint32_t spared_commands(const struct session *s)
{
        uint32_t spared = UINT32_MAX;
        if (s->events_on || watch.threads)
                return 0;
        for (unsigned i = 0; i < s->plan.count; i++) {
                const struct fault_rule *rule = &s->plan.rules[i];
                if (rule->calls & CALL_BIT(SHM_CALL_SHMCTL))
                        spared &= rule->command == FAULT_ANY_COMMAND ? rule->spared : ~FAULT_COMMAND_BIT(rule->command);
        }
        return spared;
}

void joined_gets_to_know(enum shm_call call)
{
        join_if_not_joined();
        fork_server_offer();
        struct session *s = joined_session();
        if (s && !atomic_load_explicit(&s->seen[call], memory_order_relaxed))
                atomic_store(&s->seen[call], 1);
        if (s && call == SHM_CALL_SHMCTL)
                atomic_store(&watch.spared, spared_commands(s));
        atomic_fetch_and(&watch.unfamiliar, ~CALL_BIT(call));
        atomic_fetch_and(&watch.calls, calls_of_interest(s) | atomic_load(&watch.unfamiliar));
}

static void join(void)
{
        const char *name = getenv(SESSION_VARIABLE);
        struct session *expected = NULL;
        struct session *joined = name ? session_join(name) : NULL;
        if (joined && !atomic_compare_exchange_strong(&watch.session, &expected, joined))
                session_free(joined);
}

void join_if_not_joined(void)
{
        static _Atomic bool joined, started;
        if (atomic_load_explicit(&joined, memory_order_acquire))
                return;
        int error = errno;
        int cancellation = cancellation_off();
        join();
        process_set_up();
        own_rules_set_up();
        const struct session *s = joined_session();
        watch.threads = s && fault_plan_uses(&s->plan, 0, FAULT_BY_THREAD) >= 0;
        watch.events = s && s->events_on;
        if (watch.events)
                event_clock_set_up();
        atomic_store(&joined, true);
        if (!s) {
                atomic_store(&watch.unfamiliar, 0);
                atomic_store(&watch.calls, 0);
        }
        if (!atomic_exchange(&started, true))
                record_mark(SHM_EVENT_START);
        cancellation_back(cancellation);
        errno = error;
}

static void after_fork(void)
{
        if (joined_wants_events())
                (void)caller_identity();
}

__attribute__((constructor)) static void set_up(void)
{
        join_if_not_joined();
        (void)pthread_atfork(NULL, NULL, after_fork);
}

__attribute__((destructor)) static void tell_of_end(void)
{
        record_mark(SHM_EVENT_EXIT);
}
