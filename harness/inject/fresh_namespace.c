#include "fresh_namespace.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#include "leaks.h"
#include "own_namespace.h"

/* A segment of one namespace must not be there in the next: some platforms make namespaces that isolate nothing. */
static bool is_isolated(void)
{
        struct segments_there seen = {NULL, 0};
        int probe = shmget(IPC_PRIVATE, 1, 0600);
        if (probe == -1)
                return true;
        bool isolated = unshare(CLONE_NEWIPC) == 0 && segments_list(&seen) && seen.count == 0;
        free(seen.items);
        if (!isolated)
                shmctl(probe, IPC_RMID, NULL);
        return isolated;
}

bool fresh_namespace_enter(char *why, size_t size)
{
        const char *failed = own_namespace_enter();
        if (failed)
                snprintf(why, size, "%s: %s", failed, strerror(errno));
        else if (is_isolated())
                return true;
        else
                snprintf(why, size, "unshare(CLONE_NEWIPC) succeeds and isolates nothing");
        return false;
}
