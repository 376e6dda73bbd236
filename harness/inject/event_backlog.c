#include "event_backlog.h"

#include <stdlib.h>
#include <string.h>

/* 128 MB. */
#define MOST_EVENTS 1000000

bool events_reserve(struct shm_event **events, size_t *room, size_t count)
{
        if (count < *room)
                return true;
        size_t more = *room ? 2 * *room : 64;
        struct shm_event *grown = aligned_alloc(alignof(struct shm_event), more * sizeof(grown[0]));
        if (!grown)
                return false;
        if (count)
                memcpy((void *)grown, (const void *)*events, count * sizeof(grown[0]));
        free(*events);
        *events = grown;
        *room = more;
        return true;
}

static bool is_event(const struct shm_event *e)
{
        return e->kind <= SHM_EVENT_EXIT && e->call < SHM_CALLS;
}

void event_backlog_put(const struct shm_event *e, void *backlog)
{
        struct event_backlog *b = backlog;
        if (!is_event(e))
                return;
        if (b->count >= MOST_EVENTS || !events_reserve(&b->events, &b->room, b->count))
                event_backlog_work(b, SIZE_MAX);
        if (b->room)
                memcpy((void *)&b->events[b->count++], (const void *)e, sizeof(*e));
        else
                b->work(e, b->arg);
}

void event_backlog_work(struct event_backlog *b, size_t most)
{
        for (; most > 0 && b->first < b->count; most--)
                b->work(&b->events[b->first++], b->arg);
        if (b->first == b->count)
                b->first = b->count = 0;
}

bool event_backlog_is_empty(const struct event_backlog *b)
{
        return b->count == 0;
}

void event_backlog_free(struct event_backlog *b)
{
        free(b->events);
        b->events = NULL;
}
