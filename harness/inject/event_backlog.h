/*
 * Events that were read and not worked on yet. What is done with an event takes
 * longer than the call it tells of; the session's ring is emptied first, so that
 * the command has not to wait.
 */
#ifndef EVENT_BACKLOG_H
#define EVENT_BACKLOG_H

#include "session.h"

struct event_backlog {
        void (*work)(const struct shm_event *e, void *arg); /* what is to be done with each */
        void *arg;
        struct shm_event *events;
        size_t first, count, room;
};

/*
 * Makes room for one more event than count, in memory that is aligned as events
 * are. Returns false if out of memory.
 */
bool events_reserve(struct shm_event **events, size_t *room, size_t count);

/*
 * Keeps a copy of the event; works on all that are kept when they are too many.
 * For session_drain. What is no event, as a program can write over the ring, is
 * passed over.
 */
void event_backlog_put(const struct shm_event *e, void *backlog);

/* Works on so many of the events, the oldest first. */
void event_backlog_work(struct event_backlog *b, size_t most);

bool event_backlog_is_empty(const struct event_backlog *b);
void event_backlog_free(struct event_backlog *b);

#endif
