#include "fresh_namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <unistd.h>

#include "leaks.h"

static bool write_file(const char *path, const char *text)
{
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        bool written = fd != -1 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
        if (fd != -1)
                close(fd);
        return written;
}

static bool map_own_ids(uid_t uid, gid_t gid)
{
        char users[64];
        char groups[64];
        snprintf(users, sizeof(users), "%lu %lu 1", (unsigned long)uid, (unsigned long)uid);
        snprintf(groups, sizeof(groups), "%lu %lu 1", (unsigned long)gid, (unsigned long)gid);
        /* user_namespaces(7): gid_map can only be written once setgroups(2) is given up. */
        return write_file("/proc/self/setgroups", "deny") && write_file("/proc/self/uid_map", users) &&
               write_file("/proc/self/gid_map", groups);
}

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
        uid_t uid = geteuid();
        gid_t gid = getegid();
        const char *failed = NULL;
        if (unshare(CLONE_NEWIPC) == -1) {
                if (unshare(CLONE_NEWUSER | CLONE_NEWIPC) == -1)
                        failed = "unshare(CLONE_NEWUSER|CLONE_NEWIPC)";
                else if (!map_own_ids(uid, gid))
                        failed = "writing the user namespace's uid_map and gid_map";
        }
        if (failed)
                snprintf(why, size, "%s: %s", failed, strerror(errno));
        else if (is_isolated())
                return true;
        else
                snprintf(why, size, "unshare(CLONE_NEWIPC) succeeds and isolates nothing");
        return false;
}
