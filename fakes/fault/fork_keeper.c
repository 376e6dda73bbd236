#include "fork_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fork_session.h"
#include "leaks.h"
#include "real_calls.h"
#include "whole_message.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#endif

/* How long a process may take to die of SIGKILL, milliseconds. */
#define DYING 2000

static int64_t now(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void pause_shortly(void)
{
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* ---- the namespace ---- */

static bool write_file(const char *path, const char *text)
{
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        bool written = fd != -1 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
        if (fd != -1)
                close(fd);
        return written;
}

/* As the command was put into its own one: its rights to make namespaces ended when it became its program. */
static bool enter_namespace(void)
{
        char users[64];
        char groups[64];
        snprintf(users, sizeof(users), "%lu %lu 1", (unsigned long)geteuid(), (unsigned long)geteuid());
        snprintf(groups, sizeof(groups), "%lu %lu 1", (unsigned long)getegid(), (unsigned long)getegid());
        if (unshare(CLONE_NEWIPC) == 0)
                return true;
        return unshare(CLONE_NEWUSER | CLONE_NEWIPC) == 0 && write_file("/proc/self/setgroups", "deny") &&
               write_file("/proc/self/uid_map", users) && write_file("/proc/self/gid_map", groups);
}

/* ---- the run ---- */

static void close_quietly(int fd)
{
        if (fd != -1)
                close(fd);
}

/* In the run: what is a process's own, and goes on as the command. Returns false if it cannot. */
static bool become_run(const struct fork_run *run, pid_t keeper, const struct sigaction *on_child)
{
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != keeper)
                return false;
        setsid();
        sigaction(SIGCHLD, on_child, NULL);
        if (!fork_state_own(run->state, run->descriptors[FORK_OUTPUT], run->descriptors[FORK_ERROR]) ||
            !fork_session_move(run->descriptors[FORK_SESSION], run->session_number))
                return false;
        close_quietly(run->descriptors[FORK_OUTPUT]);
        close_quietly(run->descriptors[FORK_ERROR]);
        close_quietly(run->descriptors[FORK_CONTROL]);
        return true;
}

/* ---- what is left of it ---- */

struct children {
        pid_t pids[64];
        size_t count;
};

static void list_children(struct children *c)
{
        char path[64];
        char text[1024];
        c->count = 0;
        snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd == -1 ? 0 : read(fd, text, sizeof(text) - 1);
        close_quietly(fd);
        text[n > 0 ? n : 0] = '\0';
        char *at = text;
        for (char *end = NULL; c->count < sizeof(c->pids) / sizeof(c->pids[0]); at = end) {
                long pid = strtol(at, &end, 10);
                if (end == at)
                        return;
                c->pids[c->count++] = (pid_t)pid;
        }
}

static void name_process(pid_t pid, char *name, size_t size)
{
        char path[64];
        snprintf(path, sizeof(path), "/proc/%d/comm", pid);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd == -1 ? 0 : read(fd, name, size - 1);
        close_quietly(fd);
        name[n > 0 ? n : 0] = '\0';
        name[strcspn(name, "\n")] = '\0';
}

static void note_orphans(struct fork_ended *ended)
{
        struct children c;
        list_children(&c);
        ended->orphan_count = c.count;
        if (c.count)
                name_process(c.pids[0], ended->orphan, sizeof(ended->orphan));
}

/* Kills what became this process's children, and theirs that become so by that. */
static void kill_children(void)
{
        int64_t until = now() + DYING;
        struct children c;
        do {
                while (waitpid(-1, NULL, WNOHANG) > 0) {
                }
                list_children(&c);
                for (size_t i = 0; i < c.count; i++)
                        kill(c.pids[i], SIGKILL);
                if (c.count)
                        pause_shortly();
        } while (c.count && now() < until);
}

static int stat_index(int index, struct shmid_ds *ds)
{
        int id = real.shmctl(index, SHM_STAT_ANY, ds);
        return id != -1 ? id : real.shmctl(index, SHM_STAT, ds);
}

/* Returns how many there are; list is NULL when there is no memory for more than that. */
static uint64_t list_segments(int highest, struct segment_there *list)
{
        uint64_t count = 0;
        for (int i = 0; list && i <= highest; i++) {
                struct shmid_ds ds;
                int id = stat_index(i, &ds);
                if (id == -1)
                        continue;
                list[count++] = (struct segment_there){.shmid = id,
                                                       .key = (uint32_t)ds.shm_perm.__key,
                                                       .size = ds.shm_segsz,
                                                       .nattch = ds.shm_nattch,
                                                       .mode = ds.shm_perm.mode & 0777U,
                                                       .uid = ds.shm_perm.uid,
                                                       .creator = ds.shm_cpid,
                                                       .marked = (ds.shm_perm.mode & SHM_DEST) != 0};
        }
        return count;
}

/* What is attached is told before what is attached to it ends. */
static void report_end(int control, int status)
{
        struct fork_ended ended = {.status = status};
        struct shm_info info;
        int highest = real.shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)&info);
        struct segment_there *list = calloc((size_t)highest + 2, sizeof(list[0]));
        ended.left_known = highest != -1 && list;
        ended.left_count = list_segments(highest, list);
        note_orphans(&ended);
        kill_children();
        if (message_send(control, &ended, sizeof(ended)))
                message_send(control, list, ended.left_count * sizeof(list[0]));
        free(list);
}

/* ---- waiting ---- */

/* Waits for the run's end; ends it when told to, or when nobody is there to tell any more. */
static int await_end(pid_t pid, int control, bool *told)
{
        int status = 0;
        int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
        struct pollfd polled[2] = {{.fd = pidfd, .events = POLLIN}, {.fd = control, .events = POLLIN}};
        while (waitpid(pid, &status, WNOHANG) == 0) {
                if (poll(polled, 2, pidfd == -1 ? 10 : -1) == -1 || !polled[1].revents)
                        continue;
                *told = true;
                polled[1].fd = -1;
                kill(pid, SIGKILL);
        }
        close_quietly(pidfd);
        return status;
}

static void give_grace(void)
{
        struct children c;
        int64_t until = now() + FORK_GRACE;
        do {
                while (waitpid(-1, NULL, WNOHANG) > 0) {
                }
                list_children(&c);
                if (c.count)
                        pause_shortly();
        } while (c.count && now() < until);
}

static _Noreturn void keep(pid_t pid, int control)
{
        bool told = false;
        int status = await_end(pid, control, &told);
        if (!told)
                give_grace();
        report_end(control, status);
        _exit(0);
}

static void keep_only(int control)
{
        if (control > 0)
                close_range(0, (unsigned)control - 1, 0);
        close_range((unsigned)control + 1, ~0U, 0);
}

bool fork_keep(struct fork_run *run)
{
        struct fork_started started = {.pid = -1};
        struct sigaction on_child;
        int control = run->descriptors[FORK_CONTROL];
        pid_t keeper = getpid();
        close(run->server);
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        /* Ignored, it would take the run's status away. */
        sigaction(SIGCHLD, &(struct sigaction){.sa_handler = SIG_DFL}, &on_child);
        if (!enter_namespace())
                snprintf(started.why_not, sizeof(started.why_not), "unshare: %s", strerror(errno));
        else if ((started.pid = fork()) == -1)
                snprintf(started.why_not, sizeof(started.why_not), "fork: %s", strerror(errno));
        if (started.pid == 0) {
                if (become_run(run, keeper, &on_child))
                        return true;
                _exit(127);
        }
        if (!message_send(control, &started, sizeof(started)) || started.pid == -1) {
                kill_children();
                _exit(0);
        }
        keep_only(control);
        prctl(PR_SET_NAME, "keeper");
        keep(started.pid, control);
}
