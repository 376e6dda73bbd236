#include "recording.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "call.h"
#include "call_sites.h"
#include "event_clock.h"
#include "joined.h"
#include "process.h"

static struct site_cache sites;

/* has_result comes last, so that a result that is there is whole. */
static void write_outcome(struct shm_event *e, const struct outcome *outcome, int64_t duration)
{
        e->result = outcome->result;
        e->error = outcome->error;
        e->nattch = outcome->nattch;
        e->segsz = outcome->segsz;
        e->duration = duration;
        atomic_thread_fence(memory_order_release);
        e->has_result = 1;
}

static void write_entry(struct shm_event *e, const struct recording *r, const int64_t args[3])
{
        e->start = r->start;
        e->duration = 0;
        e->pid = r->pid;
        e->tid = r->tid;
        e->kind = (uint8_t)r->kind;
        e->has_result = 0;
        e->site = r->site;
        e->rule = r->rule;
        e->result = 0;
        e->error = 0;
        e->nattch = 0;
        e->segsz = 0;
        memcpy(e->args, args, sizeof(e->args));
}

static void write_call(struct shm_event *e, const struct recording *r, const struct call *call)
{
        write_entry(e, r, call->args);
        e->call = (uint8_t)call->call;
        e->raw = call->raw;
}

/* Returns false if nobody wants events. */
static bool begin(struct recording *r, enum shm_event_kind kind)
{
        r->slot = NULL;
        if (!joined_wants_events())
                return false;
        r->session = joined_session();
        r->kind = kind;
        r->rule = -1;
        return true;
}

/* A child that a signal handler forked in the midst of something goes on with it, too. */
static bool is_forked_since(const struct recording *r)
{
        return caller_identity()->pid != r->pid;
}

/* Returns false if nobody wants events any more. */
static bool take_slot(struct recording *r)
{
        const struct caller_identity *me = caller_identity();
        r->pid = me->pid;
        r->tid = me->tid;
        r->seen_as = me->seen_as;
        r->slot = session_take_by(r->session, r->seen_as, &r->sequence);
        return r->slot != NULL;
}

/* Writes the event as a whole; again, if this thread was stopped so long that the slot was given up. */
static void write_whole(struct recording *r, const struct call *call, const struct outcome *outcome, int64_t duration,
                        enum shm_event_state state)
{
        while (take_slot(r)) {
                write_call(r->slot, r, call);
                if (outcome) {
                        r->slot->anew = 1;
                        write_outcome(r->slot, outcome, duration);
                }
                /* A child takes a slot of its own: this may be its parent's, in which it has changed nothing. */
                if (!is_forked_since(r) && session_set_state(r->slot, r->sequence, state))
                        return;
        }
}

void record_entry(struct recording *r, const struct call *call, int rule)
{
        if (!begin(r, SHM_EVENT_CALL))
                return;
        r->rule = rule;
        r->site = call_site(r->session, &sites, call->caller);
        r->start = event_clock_now();
        write_whole(r, call, NULL, 0, SHM_EVENT_ENTERED);
}

static void complete(struct recording *r, const struct call *call, const struct outcome *outcome, int64_t duration,
                     enum shm_event_state state)
{
        if (is_forked_since(r))
                return;
        if (session_set_state(r->slot, r->sequence, SHM_EVENT_RETURNING)) {
                write_outcome(r->slot, outcome, duration);
                if (session_set_state(r->slot, r->sequence, state))
                        return;
        }
        write_whole(r, call, outcome, duration, state);
}

void record_outcome(struct recording *r, const struct call *call, const struct outcome *outcome)
{
        if (r->slot)
                complete(r, call, outcome, 0, SHM_EVENT_ENTERED);
}

void record_return(struct recording *r, const struct call *call, const struct outcome *outcome)
{
        if (r->slot)
                complete(r, call, outcome, event_clock_now() - r->start, SHM_EVENT_COMPLETE);
}

void record_mark(enum shm_event_kind kind)
{
        struct recording r;
        int error = errno;
        if (begin(&r, kind)) {
                const int64_t args[3] = {kind == SHM_EVENT_EXIT ? 0 : getppid()};
                r.site = kind == SHM_EVENT_START ? call_site_of_program(r.session) : SESSION_NO_SITE;
                r.start = event_clock_now();
                do {
                        if (!take_slot(&r))
                                break;
                        write_entry(r.slot, &r, args);
                        r.slot->call = 0;
                        r.slot->raw = 0;
                } while (is_forked_since(&r) || !session_set_state(r.slot, r.sequence, SHM_EVENT_COMPLETE));
        }
        errno = error;
}
