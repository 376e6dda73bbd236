#include "sweep_pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct slots {
        const struct sweep_pool *pool;
        struct sweep_slot *items;
        struct pollfd *polled;
        struct sweep_failure *failure;
};

static void empty(struct sweep_slot *slot)
{
        sweep_observation_free(&slot->observation);
        sweep_namespace_close(&slot->kept);
        slot->busy = false;
}

static bool start(struct slots *s, struct sweep_slot *slot)
{
        slot->setup.plan = &slot->plan;
        slot->setup.kept = &slot->kept;
        slot->setup.observation = &slot->observation;
        slot->busy = sweep_flight_start(&slot->flight, &slot->setup, &s->failure->result, s->failure->why,
                                        sizeof(s->failure->why));
        if (!slot->busy)
                empty(slot);
        return slot->busy;
}

/* Returns false if a run could not be started. */
static bool fill(struct slots *s)
{
        for (size_t i = 0; i < s->pool->count; i++) {
                struct sweep_slot *slot = &s->items[i];
                if (slot->busy)
                        continue;
                slot->stage = 0;
                slot->kept = SWEEP_NO_NAMESPACE;
                if (!s->pool->next(slot, s->pool->arg))
                        return true;
                if (!start(s, slot))
                        return false;
        }
        return true;
}

static bool fail(struct slots *s, const char *why)
{
        s->failure->result = COMMAND_NOT_SUPERVISED;
        snprintf(s->failure->why, sizeof(s->failure->why), "%s", why);
        return false;
}

static bool take_end(struct slots *s, struct sweep_slot *slot, bool short_of_memory)
{
        if (short_of_memory)
                return fail(s, "out of memory");
        if (slot->observation.keeper_lost)
                return fail(s, "the process that kept a run was killed, and the run with it");
        bool again = s->pool->done(slot, s->pool->arg);
        sweep_observation_free(&slot->observation);
        if (again)
                return start(s, slot);
        empty(slot);
        return true;
}

/* Waits for news of the runs; returns false if one cannot go on. */
static bool serve(struct slots *s)
{
        int64_t wait = INT64_MAX;
        for (size_t i = 0; i < s->pool->count; i++) {
                struct pollfd *polled = &s->polled[i * SWEEP_FLIGHT_POLLED];
                for (int k = 0; k < SWEEP_FLIGHT_POLLED; k++)
                        polled[k] = (struct pollfd){.fd = -1};
                int64_t due = s->items[i].busy ? sweep_flight_poll(&s->items[i].flight, polled) : INT64_MAX;
                wait = due < wait ? due : wait;
        }
        struct timespec limit = {wait / 1000000000, wait % 1000000000};
        if (ppoll(s->polled, s->pool->count * SWEEP_FLIGHT_POLLED, &limit, NULL) == -1)
                return true;
        for (size_t i = 0; i < s->pool->count; i++) {
                struct sweep_slot *slot = &s->items[i];
                bool short_of_memory = false;
                if (!slot->busy ||
                    !sweep_flight_serve(&slot->flight, &s->polled[i * SWEEP_FLIGHT_POLLED], &short_of_memory))
                        continue;
                slot->busy = false;
                if (!take_end(s, slot, short_of_memory))
                        return false;
        }
        return true;
}

static bool is_busy(const struct slots *s)
{
        for (size_t i = 0; i < s->pool->count; i++) {
                if (s->items[i].busy)
                        return true;
        }
        return false;
}

static bool is_stopped(const struct sweep_pool *pool)
{
        return pool->stop && *pool->stop;
}

static bool run(struct slots *s)
{
        while (!is_stopped(s->pool)) {
                if (!fill(s))
                        return false;
                if (!is_busy(s))
                        return true;
                if (!serve(s))
                        return false;
                if (s->pool->pause)
                        s->pool->pause(s->pool->arg);
        }
        return true;
}

static void end_all(struct slots *s)
{
        for (size_t i = 0; i < s->pool->count; i++) {
                struct sweep_slot *slot = &s->items[i];
                if (!slot->busy)
                        continue;
                sweep_flight_free(&slot->flight);
                empty(slot);
        }
}

bool sweep_pool_run(const struct sweep_pool *pool, struct sweep_failure *failure)
{
        struct slots s = {.pool = pool,
                          .items = calloc(pool->count, sizeof(struct sweep_slot)),
                          .polled = calloc(pool->count * SWEEP_FLIGHT_POLLED, sizeof(struct pollfd)),
                          .failure = failure};
        bool whole = s.items && s.polled ? run(&s) : fail(&s, "out of memory");
        if (s.items)
                end_all(&s);
        free(s.items);
        free(s.polled);
        return whole;
}
