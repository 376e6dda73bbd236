#include "trace_builder.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <time.h>
#include <unistd.h>

#include "event_backlog.h"

int64_t trace_now(const struct trace_builder *b)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec - b->trace.start;
}

int64_t trace_end_of(const struct trace_builder *b, const struct shm_event *e)
{
        return e->start + e->duration - b->trace.start;
}

void *trace_with_room(void *items, size_t *room, size_t count, size_t size)
{
        if (count < *room)
                return items;
        size_t more = *room ? 2 * *room : 64;
        void *grown = reallocarray(items, more, size);
        if (grown)
                *room = more;
        return grown;
}

struct trace_builder *trace_begin(const struct session *s, char *const *command, const struct segments_there *before,
                                  bool history)
{
        struct trace_builder *b = calloc(1, sizeof(*b));
        if (!b)
                return NULL;
        b->session = s;
        b->before = before;
        b->history = history;
        b->trace.command = command;
        b->trace.plan = &s->plan;
        b->trace.rule_states = s->states;
        b->trace.start = trace_now(b);
        b->sites = call_sites_new();
        b->trace.places = calloc(SESSION_SITES, sizeof(b->trace.places[0]));
        b->place_known = calloc(SESSION_SITES, sizeof(b->place_known[0]));
        if (b->sites && b->trace.places && b->place_known)
                return b;
        trace_free(b);
        return NULL;
}

void trace_free(struct trace_builder *b)
{
        if (!b)
                return;
        for (size_t i = 0; i < b->trace.process_count; i++) {
                if (b->states[i].pidfd != -1)
                        close(b->states[i].pidfd);
        }
        call_sites_free(b->sites);
        free(b->place_known);
        free(b->states);
        free(b->trace.calls);
        free(b->trace.places);
        free(b->trace.processes);
        free(b->trace.segments);
        free(b->trace.attachments);
        free(b->trace.counts);
        free(b);
}

const struct fault_plan *trace_plan(const struct trace_builder *b)
{
        return b->trace.plan;
}

int64_t trace_origin(const struct trace_builder *b)
{
        return b->trace.start;
}

/* ---- places ---- */

const struct trace_place *trace_place_of(struct trace_builder *b, uint32_t site)
{
        if (site >= SESSION_SITES || !atomic_load(&b->session->sites[site].ready))
                return NULL;
        struct trace_place *place = &b->trace.places[site];
        if (!b->place_known[site]) {
                const struct shm_site *s = &b->session->sites[site];
                call_sites_find(b->sites, s->module, s->offset, s->function, place);
                b->place_known[site] = true;
        }
        return place;
}

/* ---- counts ---- */

static bool count_call(struct trace_builder *b, const struct shm_event *e)
{
        struct trace *t = &b->trace;
        struct trace_count of = {.call = e->call,
                                 .command = e->call == SHM_CALL_SHMCTL ? (int)e->args[1] : FAULT_ANY_COMMAND,
                                 .error = e->has_result ? e->error : TRACE_UNFINISHED};
        size_t i = 0;
        while (i < t->count_count &&
               !(t->counts[i].call == of.call && t->counts[i].command == of.command && t->counts[i].error == of.error))
                i++;
        if (i == t->count_count) {
                struct trace_count *grown =
                        trace_with_room(t->counts, &b->count_room, t->count_count, sizeof(grown[0]));
                if (!grown)
                        return false;
                t->counts = grown;
                t->counts[t->count_count++] = of;
        }
        t->counts[i].count++;
        t->counts[i].time += e->duration;
        return true;
}

static int compare_counts(const void *left, const void *right)
{
        const struct trace_count *a = left;
        const struct trace_count *b = right;
        if (a->call != b->call)
                return a->call < b->call ? -1 : 1;
        if (a->command != b->command)
                return a->command < b->command ? -1 : 1;
        return (a->error > b->error) - (a->error < b->error);
}

/* ---- calls ---- */

bool trace_call_was_made(const struct fault_plan *plan, const struct shm_event *call)
{
        return call->rule < 0 || !plan || (unsigned)call->rule >= plan->count ||
               !(plan->rules[call->rule].actions & (FAULT_ERROR | FAULT_RETVAL));
}

bool trace_may_have_made(const struct shm_event *e)
{
        return e->call == SHM_CALL_SHMGET && !e->has_result &&
               ((uint32_t)e->args[0] == IPC_PRIVATE || (e->args[2] & IPC_CREAT));
}

size_t trace_keep_call(struct trace_builder *b, const struct shm_event *e)
{
        struct trace *t = &b->trace;
        if (!events_reserve(&t->calls, &b->call_room, t->call_count))
                return TRACE_NONE;
        memcpy((void *)&t->calls[t->call_count], e, sizeof(*e));
        return t->call_count++;
}

static bool add_call(struct trace_builder *b, const struct shm_event *e)
{
        size_t process = trace_process_of(b, e);
        size_t call = TRACE_NONE;
        bool counted = count_call(b, e);
        bool keeps = b->history || trace_may_have_made(e);
        if (keeps)
                call = trace_keep_call(b, e);
        if (b->history)
                trace_place_of(b, e->site);
        bool kept = !keeps || call != TRACE_NONE;
        return trace_add_effect(b, e, process, call) && kept && counted && process != TRACE_NONE;
}

bool trace_add(struct trace_builder *b, const struct shm_event *e)
{
        switch (e->kind) {
        case SHM_EVENT_FORK:
                return trace_add_fork(b, e);
        case SHM_EVENT_START:
                return trace_add_start(b, e);
        case SHM_EVENT_EXIT:
                trace_add_exit(b, e);
                return true;
        default:
                return add_call(b, e);
        }
}

const struct trace *trace_end(struct trace_builder *b, int status, const struct segments_there *left,
                              const pid_t *alive)
{
        struct trace *t = &b->trace;
        t->end = trace_now(b);
        t->status = status;
        t->leaks_known = left != NULL;
        for (size_t i = 0; left && i < left->count; i++)
                trace_add_left(b, &left->items[i]);
        trace_end_processes(b, alive);
        t->place_count = atomic_load(&b->session->site_count);
        if (t->place_count > SESSION_SITES)
                t->place_count = SESSION_SITES;
        if (t->count_count)
                qsort(t->counts, t->count_count, sizeof(t->counts[0]), compare_counts);
        return t;
}
