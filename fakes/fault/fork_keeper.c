#include "fork_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fork_order.h"
#include "fork_session.h"
#include "leaks.h"
#include "own_namespace.h"
#include "process.h"
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

/* ---- capabilities ---- */

struct capabilities {
        struct __user_cap_data_struct words[_LINUX_CAPABILITY_U32S_3];
};

static bool capabilities_get(struct capabilities *c)
{
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        return syscall(SYS_capget, &header, c->words) == 0;
}

static bool capabilities_set(const struct capabilities *c)
{
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        return syscall(SYS_capset, &header, c->words) == 0;
}

/* ---- the run ---- */

static void close_quietly(int fd)
{
        if (fd != -1)
                close(fd);
}

/* What a keeper has for all its runs. */
struct keeper {
        const struct fork_state *state;
        int socket;
        pid_t pid;
        struct sigaction on_child;
        struct capabilities rights; /* of the command; a user namespace gives more */
};

/* In the run: what is a process's own, and goes on as the command. Returns false if it cannot. */
static bool become_run(const struct keeper *k, const struct fork_order_received *r)
{
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != k->pid)
                return false;
        setsid();
        close(k->socket);
        sigaction(SIGCHLD, &k->on_child, NULL);
        fork_session_begin();
        if (!fork_state_own(k->state, r->descriptors[FORK_OUTPUT], r->descriptors[FORK_ERROR]))
                return false;
        close(r->descriptors[FORK_OUTPUT]);
        close(r->descriptors[FORK_ERROR]);
        return capabilities_set(&k->rights);
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

/* Reaps those that have ended; returns whether others are left. */
static bool has_children(void)
{
        pid_t ended = 0;
        do {
                ended = waitpid(-1, NULL, WNOHANG);
        } while (ended > 0);
        return ended == 0;
}

static void note_orphans(struct fork_ended *ended)
{
        struct children c;
        if (!has_children())
                return;
        list_children(&c);
        ended->orphan_count = c.count;
        if (c.count)
                name_process(c.pids[0], ended->orphan, sizeof(ended->orphan));
}

/* Kills what became this process's children, and theirs that become so by that. */
static void kill_children(void)
{
        int64_t until = now() + DYING;
        while (has_children() && now() < until) {
                struct children c;
                list_children(&c);
                for (size_t i = 0; i < c.count; i++)
                        kill(c.pids[i], SIGKILL);
                pause_shortly();
        }
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

static void *memory_for(size_t size)
{
        void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return memory == MAP_FAILED ? NULL : memory;
}

/* What is attached is told before what is attached to it ends. */
static void report_end(int socket, int status)
{
        struct fork_ended ended = {.status = status};
        struct shm_info info;
        int highest = real.shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)&info);
        /* Not from the heap, which is that of the runs to come. */
        size_t room = highest >= 0 && info.used_ids > 0 ? ((size_t)highest + 1) * sizeof(struct segment_there) : 0;
        struct segment_there *list = room ? memory_for(room) : NULL;
        ended.left_known = highest != -1 && (list || !room);
        ended.left_count = list_segments(highest, list);
        note_orphans(&ended);
        kill_children();
        if (message_send(socket, &ended, sizeof(ended)))
                message_send(socket, list, ended.left_count * sizeof(list[0]));
        if (list)
                munmap(list, room);
}

/* ---- waiting ---- */

/* Returns false if there will be no orders any more. */
static bool is_to_go_on(int socket)
{
        struct fork_order_received received;
        return fork_order_receive(socket, &received) && received.order.kind != FORK_KILL;
}

/* Waits for the run's end; ends it when told to, or when nobody is there to tell any more. */
static int await_end(pid_t pid, int socket, bool *told)
{
        int status = 0;
        int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
        struct pollfd polled[2] = {{.fd = pidfd, .events = POLLIN}, {.fd = socket, .events = POLLIN}};
        while (waitpid(pid, &status, WNOHANG) == 0) {
                if (poll(polled, 2, pidfd == -1 ? 10 : -1) == -1 || !polled[1].revents || is_to_go_on(socket))
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
        int64_t until = now() + FORK_GRACE;
        while (has_children() && now() < until)
                pause_shortly();
}

static void keep(pid_t pid, int socket)
{
        bool told = false;
        int status = await_end(pid, socket, &told);
        if (!told)
                give_grace();
        report_end(socket, status);
}

/* Returns true in the run alone. */
static bool begin_run(const struct keeper *k, const struct fork_order_received *r)
{
        struct fork_started started = {.pid = -1};
        const char *failed = own_namespace_enter();
        (void)caller_identity();
        process_fork_is_alike(true);
        if (failed)
                snprintf(started.why_not, sizeof(started.why_not), "%s: %s", failed, strerror(errno));
        else if ((started.pid = fork()) == -1)
                snprintf(started.why_not, sizeof(started.why_not), "fork: %s", strerror(errno));
        if (started.pid == 0) {
                if (become_run(k, r))
                        return true;
                _exit(127);
        }
        process_fork_is_alike(false);
        for (unsigned i = 0; i < r->count; i++)
                close(r->descriptors[i]);
        if (message_send(k->socket, &started, sizeof(started)) && started.pid != -1)
                keep(started.pid, k->socket);
        return false;
}

void fork_keep(const struct fork_state *state, int server, const struct fork_order_received *order)
{
        int socket = order->descriptors[FORK_SOCKET];
        struct keeper k = {.state = state, .socket = socket, .pid = getpid()};
        struct fork_order_received received;
        close(server);
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        /* Ignored, it would take the runs' status away. */
        sigaction(SIGCHLD, &(struct sigaction){.sa_handler = SIG_DFL}, &k.on_child);
        if (!capabilities_get(&k.rights) ||
            !fork_session_move(order->descriptors[FORK_SESSION], order->order.session_number))
                _exit(127);
        while (fork_order_receive(socket, &received)) {
                bool is_order = received.order.kind == FORK_RUN && received.count == FORK_DESCRIPTORS;
                if (is_order && begin_run(&k, &received))
                        return;
        }
        kill_children();
        _exit(0);
}
