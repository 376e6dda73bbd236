#include "sweep_observation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>

struct kind {
        enum shm_call call;
        int command;
        uint64_t count;
};

/* A segment that a call of the run made. */
struct made {
        int shmid;
        size_t site;
        bool by_fault;
};

struct sweep_watch {
        struct sweep_observation *observation;
        struct sweep_sites *sites;
        const struct session *session;
        enum sweep_keep keep;
        size_t most, room;
        struct kind *kinds;
        size_t kind_count, kind_room;
        struct made *made;
        size_t made_count, made_room;
        bool after; /* a fault has happened */
        bool short_of_memory;
};

/* Room for one more; false if out of memory. */
static bool reserve(struct sweep_watch *w, void **items, size_t *room, size_t count, size_t size)
{
        if (count < *room)
                return true;
        size_t more = *room ? 2 * *room : 16;
        void *grown = reallocarray(*items, more, size);
        if (!grown) {
                w->short_of_memory = true;
                return false;
        }
        *items = grown;
        *room = more;
        return true;
}
#define RESERVE(w, items, room, count) reserve(w, (void **)&(items), &(room), (count), sizeof((items)[0]))

struct sweep_watch *sweep_watch_begin(struct sweep_observation *o, struct sweep_sites *sites, const struct session *s,
                                      enum sweep_keep keep, size_t most)
{
        struct sweep_watch *w = calloc(1, sizeof(*w));
        if (!w)
                return NULL;
        *w = (struct sweep_watch){.observation = o, .sites = sites, .session = s, .keep = keep, .most = most};
        o->last_site = SWEEP_NO_SITE;
        return w;
}

static uint64_t count_kind(struct sweep_watch *w, enum shm_call call, int command)
{
        for (size_t i = 0; i < w->kind_count; i++) {
                if (w->kinds[i].call == call && w->kinds[i].command == command)
                        return ++w->kinds[i].count;
        }
        if (RESERVE(w, w->kinds, w->kind_room, w->kind_count))
                w->kinds[w->kind_count++] = (struct kind){call, command, 1};
        return 1;
}

/* ---- segments ---- */

static struct made *find_made(struct sweep_watch *w, int64_t shmid)
{
        for (size_t i = w->made_count; i-- > 0;) {
                if (w->made[i].shmid == shmid)
                        return &w->made[i];
        }
        return NULL;
}

static bool fails_by_fault(const struct sweep_watch *w, const struct shm_event *e)
{
        return e->rule >= 0 && (unsigned)e->rule < w->session->plan.count &&
               w->session->plan.rules[e->rule].actions & (FAULT_ERROR | FAULT_RETVAL);
}

/* Returns whether the segment was got by an earlier call. */
static bool note_segment(struct sweep_watch *w, const struct shm_event *e, size_t site)
{
        if (!e->has_result || e->error || fails_by_fault(w, e))
                return false;
        if (find_made(w, e->result))
                return true;
        if (RESERVE(w, w->made, w->made_room, w->made_count))
                w->made[w->made_count++] = (struct made){(int)e->result, site, false};
        return false;
}

static void note_removal(struct sweep_watch *w, const struct shm_event *e)
{
        struct made *made = find_made(w, e->args[0]);
        bool by_fault = fails_by_fault(w, e);
        /* The kernel's side does not see who made it. */
        if (!made && by_fault && RESERVE(w, w->made, w->made_room, w->made_count)) {
                made = &w->made[w->made_count++];
                *made = (struct made){(int)e->args[0], SWEEP_NO_SITE, true};
        } else if (made && by_fault) {
                made->by_fault = true;
        } else if (made && e->has_result && !e->error) {
                *made = w->made[--w->made_count];
        }
}

/* Whether the command is told that its identifier does not exist: it can do no more about the segment. */
static bool is_said_gone(const struct sweep_watch *w, const struct shm_event *e)
{
        bool is_about_id = (e->call == SHM_CALL_SHMAT && e->args[1] == 0) ||
                           (e->call == SHM_CALL_SHMCTL && e->args[1] == IPC_STAT);
        return fails_by_fault(w, e) && (e->error == EIDRM || (e->error == EINVAL && is_about_id));
}

/* Whether it is told how many others are attached: it may well leave the segment to them. */
static bool is_said_shared(const struct sweep_watch *w, const struct shm_event *e)
{
        if (e->rule < 0 || (unsigned)e->rule >= w->session->plan.count)
                return false;
        const struct fault_rule *rule = &w->session->plan.rules[e->rule];
        return rule->actions & FAULT_CORRUPT && rule->member == FAULT_MEMBER_NATTCH && rule->value > 0;
}

/* In a world where that is so, the segment is not the command's to remove any more. */
static void note_untruth(struct sweep_watch *w, const struct shm_event *e)
{
        struct made *made = is_said_gone(w, e) || is_said_shared(w, e) ? find_made(w, e->args[0]) : NULL;
        if (made)
                made->by_fault = true;
}

/* ---- calls ---- */

static void note_failure(struct sweep_observation *o, size_t site, int error)
{
        if (o->failure_count == SWEEP_FAILURES || sweep_observed_failure(o, site, error))
                return;
        o->failures[o->failure_count].site = site;
        o->failures[o->failure_count++].error = error;
}

static void keep_call(struct sweep_watch *w, const struct sweep_call *call)
{
        struct sweep_observation *o = w->observation;
        if (w->keep == SWEEP_KEEP_NONE || (w->keep == SWEEP_KEEP_AFTER_FAULT && !call->after) || o->kept >= w->most)
                return;
        if (RESERVE(w, o->calls, w->room, o->kept))
                o->calls[o->kept++] = *call;
}

/* What shows that the first fault cannot last. */
static void note_other_segment(struct sweep_observation *o, const struct sweep_call *call)
{
        const struct sweep_call *failed = &o->fired[0];
        if (call->call != SHM_CALL_SHMGET || !o->fired_known[0])
                return;
        if (failed->call == SHM_CALL_SHMGET)
                o->other_key |= failed->args[0] != call->args[0];
        else
                o->looked_again = true;
}

static void note_fired(struct sweep_watch *w, int rule, const struct sweep_call *call)
{
        struct sweep_observation *o = w->observation;
        if (rule < 0)
                return;
        w->after = true;
        if (rule >= SWEEP_FAULTS || o->fired_known[rule])
                return;
        o->fired[rule] = *call;
        o->fired_known[rule] = true;
}

void sweep_watch_event(const struct shm_event *e, void *arg)
{
        struct sweep_watch *w = arg;
        struct sweep_observation *o = w->observation;
        if (e->kind != SHM_EVENT_CALL || e->call >= SHM_CALLS)
                return;
        struct sweep_call call = {.call = (enum shm_call)e->call,
                                  .command = e->call == SHM_CALL_SHMCTL ? (int)e->args[1] : FAULT_ANY_COMMAND,
                                  .site = sweep_site_of(w->sites, w->session, e),
                                  .error = e->has_result ? e->error : 0,
                                  .result = e->has_result ? e->result : 0,
                                  .after = w->after,
                                  .start = e->start};
        memcpy(call.args, e->args, sizeof(call.args));
        call.ordinal = count_kind(w, call.call, call.command);
        if (e->call == SHM_CALL_SHMGET)
                call.found = note_segment(w, e, call.site);
        if (e->call == SHM_CALL_SHMCTL && e->args[1] == IPC_RMID)
                note_removal(w, e);
        if (e->call == SHM_CALL_SHMAT || e->call == SHM_CALL_SHMCTL)
                note_untruth(w, e);
        if (call.error)
                note_failure(o, call.site, call.error);
        o->call_count++;
        o->last_site = call.site;
        keep_call(w, &call);
        note_other_segment(o, &call);
        note_fired(w, e->rule, &call);
        if (call.site == SWEEP_NO_SITE)
                w->short_of_memory = true;
}

/* ---- the end ---- */

static void note_left(struct sweep_watch *w, const struct segments_there *left)
{
        struct sweep_observation *o = w->observation;
        o->left = calloc(left->count + 1, sizeof(o->left[0]));
        if (!o->left) {
                w->short_of_memory = true;
                return;
        }
        for (size_t i = 0; i < left->count; i++) {
                const struct made *made = find_made(w, left->items[i].shmid);
                o->left[o->left_count++] = (struct sweep_left){.segment = left->items[i],
                                                               .site = made ? made->site : SWEEP_NO_SITE,
                                                               .by_fault = made && made->by_fault};
        }
        o->left_known = true;
}

bool sweep_watch_end(struct sweep_watch *w, const struct segments_there *left)
{
        struct sweep_observation *o = w->observation;
        for (unsigned i = 0; i < SWEEP_FAULTS && i < w->session->plan.count; i++) {
                o->matched[i] = atomic_load(&w->session->states[i].matched);
                o->hit[i] = atomic_load(&w->session->states[i].hit);
        }
        o->unreachable = atomic_load(&w->session->unreachable);
        if (o->unreachable)
                memcpy(o->unreachable_path, w->session->unreachable_path, sizeof(o->unreachable_path) - 1);
        if (left)
                note_left(w, left);
        bool whole = !w->short_of_memory;
        free(w->kinds);
        free(w->made);
        free(w);
        return whole;
}

bool sweep_observed_failure(const struct sweep_observation *o, size_t site, int error)
{
        for (size_t i = 0; i < o->failure_count; i++) {
                if (o->failures[i].site == site && o->failures[i].error == error)
                        return true;
        }
        return false;
}

void sweep_observation_free(struct sweep_observation *o)
{
        for (int i = 0; i < 2; i++)
                sweep_output_free(&o->outputs[i]);
        free(o->stack);
        free(o->left);
        free(o->calls);
        memset(o, 0, sizeof(*o));
}
