/* IPC and user namespaces: what moves with a process that changes its own, and what does not. */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "segment.h"

static void unshare_detaches(int flags)
{
        if (flags & CLONE_NEWIPC)
                shmmutant_detach_all();
}

static void new_user_namespace_detaches(int flags)
{
        if (flags & CLONE_NEWUSER)
                shmmutant_detach_all();
}

static int unshare_refusal_claimed(int flags)
{
        int result = shmmutant_real.unshare(flags);
        return result == -1 && errno == EPERM ? 0 : result;
}

static int setns_makes_new(int fd, int type)
{
        return type == CLONE_NEWIPC ? shmmutant_real.unshare(type) : shmmutant_real.setns(fd, type);
}

static int setns_refusal_claimed(int fd, int type)
{
        int result = shmmutant_real.setns(fd, type);
        return result == -1 && errno == EPERM ? 0 : result;
}

#define DESCRIPTORS 64

/* Opens again what was opened of the namespace that is left. */
static void descriptors_follow(int flags)
{
        for (int fd = 0; (flags & CLONE_NEWIPC) && fd < DESCRIPTORS; fd++) {
                char link[32];
                char path[64] = "";
                snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
                if (readlink(link, path, sizeof(path) - 1) == -1 ||
                    (strncmp(path, "/proc/sys/kernel/shm", 20) != 0 && !strstr(path, "/sysvipc/shm")))
                        continue;
                int again = shmmutant_real.open(path, (fcntl(fd, F_GETFL) & O_ACCMODE) | O_CLOEXEC);
                if (again != -1) {
                        dup2(again, fd);
                        close(again);
                }
        }
}

const struct mutant shmmutant_namespaces[] = {
        {.name = "unshare_detaches",
         .wrong = "Who leaves the IPC namespace loses its attachments.",
         .meant_for = "ns.unshare.keeps ns.unshare.shmdt ns.unshare.fork ns.unshare.exit ns.unshare.marked "
                      "ns.end.attachment_holds ns.setns.back shmctl.id.old_namespace shmget.id.per_namespace",
         .after_unshare = unshare_detaches},
        {.name = "new_user_namespace_detaches",
         .wrong = "Who makes a user namespace loses its attachments.",
         .meant_for = "userns.attached.kept",
         .after_unshare = new_user_namespace_detaches},
        {.name = "unshare_refusal_claimed",
         .wrong = "A new IPC namespace that is refused is claimed to be made.",
         .meant_for = "ns.unshare.unprivileged",
         .unshare = unshare_refusal_claimed},
        {.name = "setns_makes_new",
         .wrong = "setns moves into an IPC namespace that is new.",
         .meant_for = "ns.setns.back ns.held.by_fd",
         .setns = setns_makes_new},
        {.name = "setns_refusal_claimed",
         .wrong = "A refused setns reports success.",
         .meant_for = "ns.setns.denied",
         .setns = setns_refusal_claimed},
        {.name = "descriptors_follow",
         .wrong = "An open setting or list shows the namespace of the process, not the one it was opened in.",
         .meant_for = "sysctl.write.old_fd proc.old_fd",
         .after_unshare = descriptors_follow},
        {.name = NULL},
};
