#include "own_namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool write_file(const char *path, const char *text)
{
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        bool written = fd != -1 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
        int error = errno;
        if (fd != -1)
                close(fd);
        errno = error;
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

const char *own_namespace_enter(void)
{
        uid_t uid = geteuid();
        gid_t gid = getegid();
        if (unshare(CLONE_NEWIPC) == 0)
                return NULL;
        if (unshare(CLONE_NEWUSER | CLONE_NEWIPC) == -1)
                return "unshare(CLONE_NEWUSER|CLONE_NEWIPC)";
        return map_own_ids(uid, gid) ? NULL : "writing the user namespace's uid_map and gid_map";
}
