/* The segments of a traced command, who has them attached, and what is left of them. */
#include "trace_builder.h"

#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>

/* ---- attachments ---- */

static bool attach(struct trace_builder *b, const struct trace_attachment *attachment)
{
        struct trace *t = &b->trace;
        struct trace_attachment *attachments =
                trace_with_room(t->attachments, &b->attachment_room, t->attachment_count, sizeof(attachments[0]));
        if (!attachments)
                return false;
        t->attachments = attachments;
        t->attachments[t->attachment_count++] = *attachment;
        return true;
}

static void detach(struct trace_builder *b, size_t i, int64_t at)
{
        struct trace *t = &b->trace;
        if (b->history)
                t->attachments[i].to = at;
        else
                t->attachments[i] = t->attachments[--t->attachment_count];
}

void trace_detach_all(struct trace_builder *b, size_t process, int64_t at)
{
        for (size_t i = b->trace.attachment_count; i-- > 0;) {
                const struct trace_attachment *a = &b->trace.attachments[i];
                if (a->process == process && a->to == INT64_MAX)
                        detach(b, i, at);
        }
}

bool trace_inherit(struct trace_builder *b, size_t parent, size_t child, int64_t at)
{
        size_t count = b->trace.attachment_count;
        bool whole = true;
        for (size_t i = 0; i < count; i++) {
                struct trace_attachment a = b->trace.attachments[i];
                if (a.process != parent || a.to != INT64_MAX)
                        continue;
                a.process = child;
                a.inherited = true;
                a.from = at;
                whole = attach(b, &a) && whole;
        }
        return whole;
}

/* ---- segments ---- */

static bool was_there_before(const struct trace_builder *b, int shmid)
{
        return b->before && segments_find(b->before, shmid);
}

/* The segment that has the identifier now, or had it last; TRACE_NONE if none has been met. */
static size_t find_segment(const struct trace_builder *b, int shmid)
{
        for (size_t i = b->trace.segment_count; i-- > 0;) {
                if (b->trace.segments[i].shmid == shmid)
                        return i;
        }
        return TRACE_NONE;
}

static bool is_attached(const struct trace_builder *b, size_t segment)
{
        for (size_t i = 0; i < b->trace.attachment_count; i++) {
                if (b->trace.attachments[i].segment == segment && b->trace.attachments[i].to == INT64_MAX)
                        return true;
        }
        return false;
}

/* Without history: a place in the list whose segment is gone, or one more. */
static size_t place_for_segment(struct trace_builder *b)
{
        struct trace *t = &b->trace;
        for (size_t i = t->segment_count; !b->history && i-- > 0;) {
                if (t->segments[i].removed_at != INT64_MAX && !is_attached(b, i))
                        return i;
        }
        struct trace_segment *segments =
                trace_with_room(t->segments, &b->segment_room, t->segment_count, sizeof(segments[0]));
        if (!segments)
                return TRACE_NONE;
        t->segments = segments;
        return t->segment_count++;
}

static size_t add_segment(struct trace_builder *b, int shmid)
{
        size_t i = place_for_segment(b);
        if (i != TRACE_NONE)
                b->trace.segments[i] = (struct trace_segment){
                        .shmid = shmid, .made_by = TRACE_NONE, .removed_by = TRACE_NONE, .removed_at = INT64_MAX};
        return i;
}

static size_t segment_of(struct trace_builder *b, int shmid)
{
        size_t segment = find_segment(b, shmid);
        return segment != TRACE_NONE ? segment : add_segment(b, shmid);
}

/* Whether shmget made a segment, and did not find it. */
static bool makes(const struct trace_builder *b, const struct shm_event *e, size_t known)
{
        if ((uint32_t)e->args[0] == IPC_PRIVATE)
                return true;
        if (!(e->args[2] & IPC_CREAT) || was_there_before(b, (int)e->result))
                return false;
        return (e->args[2] & IPC_EXCL) || known == TRACE_NONE || b->trace.segments[known].removed_at != INT64_MAX;
}

/* Without history: the call that made the segment which was at this place before is not needed any more. */
static size_t keep_maker(struct trace_builder *b, const struct shm_event *e, size_t segment, size_t call)
{
        if (b->history)
                return call;
        struct trace *t = &b->trace;
        while (t->call_count <= segment) {
                if (trace_keep_call(b, e) == TRACE_NONE)
                        return TRACE_NONE;
        }
        memcpy((void *)&t->calls[segment], e, sizeof(*e));
        return segment;
}

static bool add_get(struct trace_builder *b, const struct shm_event *e, size_t call)
{
        size_t known = find_segment(b, (int)e->result);
        bool made = makes(b, e, known);
        if (!made && known != TRACE_NONE)
                return true;
        size_t i = add_segment(b, (int)e->result);
        if (i == TRACE_NONE)
                return false;
        struct trace_segment *s = &b->trace.segments[i];
        s->key = (uint32_t)e->args[0];
        s->size = (uint64_t)e->args[1];
        if (!made)
                return true;
        s->mode = (unsigned)e->args[2] & 0777U;
        s->made_at = trace_end_of(b, e);
        s->creator = e->pid;
        s->made_by = keep_maker(b, e, i, call);
        return s->made_by != TRACE_NONE;
}

static bool add_attach(struct trace_builder *b, const struct shm_event *e, size_t process)
{
        size_t segment = segment_of(b, (int)e->args[0]);
        return segment != TRACE_NONE && attach(b, &(struct trace_attachment){.segment = segment,
                                                                             .process = process,
                                                                             .address = (uint64_t)e->result,
                                                                             .read_only = e->args[2] & SHM_RDONLY,
                                                                             .from = trace_end_of(b, e),
                                                                             .to = INT64_MAX});
}

static void add_detach(struct trace_builder *b, const struct shm_event *e, size_t process)
{
        for (size_t i = b->trace.attachment_count; i-- > 0;) {
                const struct trace_attachment *a = &b->trace.attachments[i];
                if (a->process == process && a->to == INT64_MAX && a->address == (uint64_t)e->args[0]) {
                        detach(b, i, trace_end_of(b, e));
                        return;
                }
        }
}

static bool add_removal(struct trace_builder *b, const struct shm_event *e, size_t call)
{
        size_t segment = segment_of(b, (int)e->args[0]);
        if (segment == TRACE_NONE)
                return false;
        struct trace_segment *s = &b->trace.segments[segment];
        if (s->removed_at == INT64_MAX) {
                s->removed_by = b->history ? call : TRACE_NONE;
                s->removed_at = trace_end_of(b, e);
        }
        return true;
}

bool trace_add_effect(struct trace_builder *b, const struct shm_event *e, size_t process, size_t call)
{
        if (!e->has_result || e->error || process == TRACE_NONE || !trace_call_was_made(&b->session->plan, e))
                return true;
        switch (e->call) {
        case SHM_CALL_SHMGET:
                return add_get(b, e, call);
        case SHM_CALL_SHMAT:
                return add_attach(b, e, process);
        case SHM_CALL_SHMDT:
                add_detach(b, e, process);
                return true;
        case SHM_CALL_SHMCTL:
                return e->args[1] != IPC_RMID || add_removal(b, e, call);
        default:
                return true;
        }
}

/* ---- what is left ---- */

/* A maker whose result was not seen: the creator's latest call that would make such a segment. */
static size_t likely_maker(const struct trace *t, const struct segment_there *there)
{
        for (size_t i = t->call_count; i-- > 0;) {
                const struct shm_event *e = &t->calls[i];
                if (trace_may_have_made(e) && e->pid == there->creator && (uint32_t)e->args[0] == there->key &&
                    (uint64_t)e->args[1] == there->size)
                        return i;
        }
        return TRACE_NONE;
}

void trace_add_left(struct trace_builder *b, const struct segment_there *there)
{
        if (was_there_before(b, there->shmid))
                return;
        size_t segment = find_segment(b, there->shmid);
        if (segment == TRACE_NONE && b->before && !trace_has_met(b, there->creator)) {
                b->trace.foreign++;
                return;
        }
        bool seen = segment != TRACE_NONE;
        if (!seen)
                segment = add_segment(b, there->shmid);
        if (segment == TRACE_NONE)
                return;
        struct trace_segment *s = &b->trace.segments[segment];
        if (!seen) {
                s->key = there->key;
                s->made_by = likely_maker(&b->trace, there);
        }
        s->size = there->size;
        s->mode = there->mode;
        s->creator = there->creator;
        s->left = true;
        s->left_nattch = there->nattch;
        s->left_marked = there->marked;
        if (s->made_by != TRACE_NONE)
                trace_place_of(b, b->trace.calls[s->made_by].site);
}
