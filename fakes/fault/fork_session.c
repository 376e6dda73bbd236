#include "fork_session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "call_sites.h"
#include "fault_decision.h"
#include "joined.h"

/* What the environment says: the supervisor's pid, and the number of the descriptor. */
static bool read_name(long *pid, int *number)
{
        const char *name = getenv(SESSION_VARIABLE);
        return name && sscanf(name, "%ld:%d", pid, number) == 2;
}

/* In its place where that is possible: a program may keep pointers into its environment. */
static bool write_name(long pid, int number)
{
        char text[64];
        char *name = getenv(SESSION_VARIABLE);
        snprintf(text, sizeof(text), "%ld:%d", pid, number);
        if (!name || strlen(name) != strlen(text))
                return setenv(SESSION_VARIABLE, text, 1) == 0;
        memcpy(name, text, strlen(text) + 1);
        return true;
}

static struct session *join(int descriptor, int number)
{
        long pid = 0;
        int before = -1;
        char name[64];
        if (!read_name(&pid, &before))
                return NULL;
        if (before != number)
                close(before);
        if (descriptor != number && (dup2(descriptor, number) == -1 || close(descriptor) == -1))
                return NULL;
        snprintf(name, sizeof(name), "%ld:%d", pid, number);
        return write_name(pid, number) ? session_join(name) : NULL;
}

bool fork_session_move(int descriptor, int number)
{
        struct session *before = joined_session();
        struct session *s = join(descriptor, number);
        if (!s)
                return false;
        atomic_store(&watch.session, s);
        session_free(before);
        /* Places are counted anew. */
        call_sites_forget();
        return true;
}

void fork_session_begin(void)
{
        const struct session *s = joined_session();
        /* What was found out is of the plan before: calls are looked at anew. */
        watch.threads = fault_plan_uses(&s->plan, 0, FAULT_BY_THREAD) >= 0;
        watch.events = s->events_on;
        watch.spared = 0;
        watch.unfamiliar = EVERY_CALL;
        watch.calls = EVERY_CALL;
}
