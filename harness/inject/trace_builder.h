/* A trace while it grows: what trace.c, trace_processes.c and trace_segments.c share. Reports see trace.h only. */
#ifndef TRACE_BUILDER_H
#define TRACE_BUILDER_H

#include "call_site.h"
#include "trace.h"

/* Beside each trace_process. */
struct process_state {
        int pidfd;       /* -1: not watched */
        int64_t gone_at; /* when its end was noticed, nanoseconds since the start; INT64_MAX: not yet */
        bool missed;     /* it had ended when it was met: it is taken to have ended with its last event */
        bool over;       /* its pid may be another's now */
};

struct trace_builder {
        struct trace trace;
        const struct session *session;
        const struct segments_there *before;
        struct call_sites *sites;
        bool *place_known;
        bool history;
        size_t call_room, process_room, segment_room, attachment_room, count_room;
        struct process_state *states;
        size_t state_room;
        int64_t watched_at;  /* nanoseconds since the start */
        size_t last_process; /* the one that was asked for last */
};

/* Nanoseconds since the start. */
int64_t trace_now(const struct trace_builder *b);

/* When the event was over, or as far as it is known to have gone. */
int64_t trace_end_of(const struct trace_builder *b, const struct shm_event *e);

/* The items with room for one more than count, moved perhaps; NULL if out of memory, and they are where they were. */
void *trace_with_room(void *items, size_t *room, size_t count, size_t size);

/* Keeps the call; returns its index, or TRACE_NONE if out of memory. */
size_t trace_keep_call(struct trace_builder *b, const struct shm_event *e);

/* A shmget that may have made a segment for all that is known: the kernel's side sees no result. */
bool trace_may_have_made(const struct shm_event *e);

/* ---- trace_processes.c; those that add return false if out of memory ---- */

bool trace_add_fork(struct trace_builder *b, const struct shm_event *e);
bool trace_add_start(struct trace_builder *b, const struct shm_event *e);
void trace_add_exit(struct trace_builder *b, const struct shm_event *e);

/* The process of a call, met anew if need be; TRACE_NONE if out of memory. */
size_t trace_process_of(struct trace_builder *b, const struct shm_event *e);

/* Whether a process with this pid was ever met. */
bool trace_has_met(const struct trace_builder *b, pid_t pid);

/* Ends those that are gone, but for the alive ones (ending with 0). */
void trace_end_processes(struct trace_builder *b, const pid_t *alive);

/* ---- trace_segments.c ---- */

/* What the call changed, if it did. call: its index, if it is kept. Returns false if out of memory. */
bool trace_add_effect(struct trace_builder *b, const struct shm_event *e, size_t process, size_t call);

/* The child has what its parent had attached. Returns false if out of memory. */
bool trace_inherit(struct trace_builder *b, size_t parent, size_t child, int64_t at);
void trace_detach_all(struct trace_builder *b, size_t process, int64_t at);

/* A segment that is there after the end. */
void trace_add_left(struct trace_builder *b, const struct segment_there *there);

#endif
