/* Namespaces that a case makes beside its own. */
#include "case.h"
#include "context.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>

void shmc_make_ipc_namespace(void)
{
#ifdef __linux__
        make_sure(unshare(CLONE_NEWIPC) == 0, "unshare(CLONE_NEWIPC): %s", strerror(errno));
        shmc_in_case_namespace = false;
        try_other("unshare(CLONE_NEWIPC)", 0, false, 0);
#else
        shmc_skip("IPC namespaces are Linux'");
#endif
}

void shmc_make_pid_namespace(void)
{
#ifdef __linux__
        make_sure(unshare(CLONE_NEWPID) == 0, "unshare(CLONE_NEWPID): %s", strerror(errno));
#else
        shmc_skip("PID namespaces are Linux'");
#endif
}

void shmc_make_id_map(const char *process, const char *map, const char *text)
{
        char path[64];
        snprintf(path, sizeof(path), "/proc/%s/%s", process, map);
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        make_sure(fd != -1 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), "%s: writing %s: %s", path, text,
                  strerror(errno));
        close(fd);
}

void shmc_make_mapped_user_namespace(const char *uid_map, const char *gid_map)
{
#ifdef __linux__
        /* /proc may be that of another PID namespace: the link tells the number that it knows this process by. */
        char process[16] = "";
        make_sure(readlink("/proc/self", process, sizeof(process) - 1) > 0, "/proc/self: %s", strerror(errno));
        /* The writer stays behind: nobody inside may write these maps. */
        struct child writer;
        CHILD(&writer, "map writer")
        {
                await_parent(&writer);
                shmc_make_id_map(process, "uid_map", uid_map);
                shmc_make_id_map(process, "gid_map", gid_map);
        }
        make_sure(unshare(CLONE_NEWUSER) == 0, "unshare(CLONE_NEWUSER): %s", strerror(errno));
        tell_child(&writer);
        join_child(&writer);
        make_sure(setresgid(0, 0, 0) == 0 && setresuid(0, 0, 0) == 0, "becoming root inside: %s", strerror(errno));
        char text[96];
        snprintf(text, sizeof(text), "unshare(CLONE_NEWUSER), uid_map \"%s\"", uid_map);
        try_other(text, 0, false, 0);
#else
        (void)uid_map, (void)gid_map;
        shmc_skip("user namespaces are Linux'");
#endif
}
