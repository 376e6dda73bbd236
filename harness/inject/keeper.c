#include "keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "descendants.h"
#include "fresh_namespace.h"
#include "whole_message.h"

/* What the keeper is sent when its starter has ended. */
#define STARTER_GONE SIGRTMAX

struct keeper {
        const struct command_setup *setup;
        int control, signals;
        pid_t starter, command;
        const sigset_t *mask; /* the command's */
        int status, grace;
        bool ended;
        int64_t ended_at; /* milliseconds */
};

static int64_t now(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- the command's process ---- */

static void reset_signals(const sigset_t *mask)
{
        for (int s = 1; s < NSIG; s++) {
                struct sigaction action;
                if (sigaction(s, NULL, &action) == 0 && action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN)
                        signal(s, SIG_DFL);
        }
        signal(SIGPIPE, SIG_DFL);
        sigprocmask(SIG_SETMASK, mask, NULL);
}

/* Becomes the program; what hinders it is written to failed. */
static void become_command(const struct keeper *k, int failed, pid_t keeper)
{
        const struct command_setup *s = k->setup;
        struct start_news news = {.result = COMMAND_NO_PROGRAM};
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != keeper)
                return;
        reset_signals(k->mask);
        if ((s->output != -1 && dup2(s->output, STDOUT_FILENO) == -1) ||
            (s->error != -1 && dup2(s->error, STDERR_FILENO) == -1)) {
                news.result = COMMAND_NOT_SUPERVISED;
                snprintf(news.why, sizeof(news.why), "dup2: %s", strerror(errno));
        } else if (s->prepare && !s->prepare(s->arg, news.why, sizeof(news.why))) {
                news.result = COMMAND_NOT_PREPARED;
        } else {
                execve(s->path, s->words, s->environment);
                snprintf(news.why, sizeof(news.why), "%s: %s", s->path,
                         errno == ENOEXEC ? "not a program that this kernel can run" : strerror(errno));
        }
        if (write(failed, &news, sizeof(news)) == -1)
                _exit(126);
}

/* Returns false with *news filled in. */
static bool start_command(struct keeper *k, struct start_news *news)
{
        int failed[2];
        pid_t keeper = getpid();
        news->result = COMMAND_NOT_SUPERVISED;
        if (pipe2(failed, O_CLOEXEC) == -1) {
                snprintf(news->why, sizeof(news->why), "pipe: %s", strerror(errno));
                return false;
        }
        k->command = fork();
        if (k->command == 0) {
                become_command(k, failed[1], keeper);
                _exit(127);
        }
        if (k->command == -1)
                snprintf(news->why, sizeof(news->why), "fork: %s", strerror(errno));
        close(failed[1]);
        ssize_t n = read(failed[0], news, sizeof(*news));
        close(failed[0]);
        if (k->command == -1 || n != 0)
                return false;
        *news = (struct start_news){.result = COMMAND_STARTED, .pid = k->command};
        return true;
}

/* ---- the keeper ---- */

/* Who kills all processes of the tool's name is not to kill both the tool and what cleans up after it. */
static void take_another_name(void)
{
        prctl(PR_SET_NAME, "keeper");
        if (program_invocation_name)
                strncpy(program_invocation_name, "keeper", strlen(program_invocation_name));
}

/* Holds nothing open but this, or with -1 nothing at all. */
static void keep_only(int fd)
{
        if (fd > 3)
                close_range(3, (unsigned)fd - 1, 0);
        close_range(fd > 2 ? (unsigned)fd + 1 : 3, ~0U, 0);
        int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
        for (int i = 0; i < 3 && nothing != -1; i++)
                dup2(nothing, i);
}

static void reap(struct keeper *k)
{
        int status = 0;
        for (pid_t pid = 0; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
                if (pid != k->command)
                        continue;
                k->status = status;
                k->ended = true;
                k->ended_at = now();
        }
}

static bool has_children(void)
{
        siginfo_t info;
        return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

static _Noreturn void abandon(void)
{
        descendants_kill(NULL);
        _exit(0);
}

/*
 * A signal to the whole process group, as terminals and timeout(1) send it, is
 * pending here too, and has reached a command that is still in the group.
 */
static void pass_signal(const struct keeper *k, int signal_number)
{
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, signal_number);
        bool everybody = sigtimedwait(&set, NULL, &(struct timespec){.tv_nsec = 20000000}) == signal_number;
        if (!k->ended && !(everybody && getpgid(k->command) == getpgrp()))
                kill(k->command, signal_number);
}

static void heed_order(struct keeper *k)
{
        struct order order;
        if (!message_receive(k->control, &order, sizeof(order)))
                abandon();
        if (order.kind == ORDER_SIGNAL) {
                pass_signal(k, order.signal_number);
                return;
        }
        k->grace = 0;
        if (!k->ended)
                kill(k->command, SIGKILL);
}

static void heed_signals(const struct keeper *k)
{
        struct signalfd_siginfo info;
        while (read(k->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
                if (info.ssi_signo == (uint32_t)STARTER_GONE)
                        abandon();
        }
}

/* Until the command has ended, and its orphans have, or had their time for it. */
static void await_end(struct keeper *k)
{
        struct pollfd polled[2] = {{.fd = k->control, .events = POLLIN}, {.fd = k->signals, .events = POLLIN}};
        for (;;) {
                int64_t left = k->ended ? k->ended_at + k->grace - now() : -1;
                if (k->ended && (left <= 0 || !has_children()))
                        return;
                poll(polled, 2, (int)left);
                if (polled[1].revents)
                        heed_signals(k);
                if (polled[0].revents)
                        heed_order(k);
                reap(k);
        }
}

/* ---- the orphans ---- */

struct orphans {
        struct command_orphan *items;
        size_t count;
};

static void add_orphan(pid_t pid, void *arg)
{
        struct orphans *o = arg;
        struct command_orphan *grown = realloc(o->items, (o->count + 1) * sizeof(grown[0]));
        if (!grown)
                return;
        o->items = grown;
        struct command_orphan *orphan = &grown[o->count++];
        char path[64];
        *orphan = (struct command_orphan){.pid = pid};
        snprintf(path, sizeof(path), "/proc/%ld/comm", (long)pid);
        FILE *f = fopen(path, "re");
        if (f && fgets(orphan->name, sizeof(orphan->name), f))
                orphan->name[strcspn(orphan->name, "\n")] = '\0';
        if (f)
                fclose(f);
        descendants_each_child(pid, add_orphan, o);
}

static void end_orphans(struct orphans *o)
{
        descendants_kill(NULL);
        for (size_t i = 0; i < o->count; i++)
                o->items[i].ended = kill(o->items[i].pid, 0) == -1 && errno == ESRCH;
}

/* ---- the keeper's life ---- */

static void report_end(struct keeper *k)
{
        struct segments_there left = {NULL, 0};
        struct orphans orphans = {NULL, 0};
        struct end_news news = {.status = k->status, .left_known = segments_list(&left)};
        descendants_each_child(getpid(), add_orphan, &orphans);
        end_orphans(&orphans);
        news.left_count = left.count;
        news.orphan_count = orphans.count;
        if (message_send(k->control, &news, sizeof(news)) &&
            message_send(k->control, left.items, left.count * sizeof(left.items[0])))
                message_send(k->control, orphans.items, orphans.count * sizeof(orphans.items[0]));
        free(left.items);
        free(orphans.items);
}

static bool take_charge(struct keeper *k, struct start_news *news)
{
        news->result = COMMAND_NO_NAMESPACE;
        if (!k->setup->host && !fresh_namespace_enter(news->why, sizeof(news->why)))
                return false;
        /* Only now: the kernel forgets it when a user namespace is entered. */
        prctl(PR_SET_PDEATHSIG, STARTER_GONE);
        if (getppid() != k->starter)
                _exit(0);
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        return start_command(k, news);
}

static void open_signals(struct keeper *k)
{
        sigset_t heeded;
        sigemptyset(&heeded);
        sigaddset(&heeded, SIGCHLD);
        sigaddset(&heeded, STARTER_GONE);
        k->signals = signalfd(-1, &heeded, SFD_CLOEXEC | SFD_NONBLOCK);
}

static _Noreturn void keep(struct keeper *k)
{
        struct start_news news = {.result = COMMAND_NOT_SUPERVISED};
        bool started = take_charge(k, &news);
        message_send(k->control, &news, sizeof(news));
        if (!started)
                _exit(0);
        keep_only(k->control);
        open_signals(k);
        if (k->signals == -1)
                abandon();
        await_end(k);
        report_end(k);
        _exit(0);
}

/* ---- the guard ---- */

/*
 * Returns when the keeper has ended, which it is told to do when the starter
 * has. It is not killed: if this process is, there is still one that cleans up.
 */
static void await_keeper(pid_t keeper)
{
        sigset_t heeded;
        sigemptyset(&heeded);
        sigaddset(&heeded, SIGCHLD);
        sigaddset(&heeded, STARTER_GONE);
        while (waitpid(keeper, NULL, WNOHANG) == 0) {
                int signal_number = 0;
                if (sigwait(&heeded, &signal_number) != 0 || signal_number != STARTER_GONE)
                        continue;
                kill(keeper, STARTER_GONE);
                /* With the whole group it may have been stopped from the terminal. */
                kill(keeper, SIGCONT);
        }
}

/*
 * A process of its own group, so that it outlives a SIGKILL to the starter's
 * whole group, which the keeper is in for the sake of the signals.
 */
_Noreturn void keeper_run(const struct command_setup *setup, int control, pid_t starter, const sigset_t *mask)
{
        struct keeper keeper = {
                .setup = setup, .control = control, .starter = getpid(), .mask = mask, .grace = setup->grace};
        struct start_news news = {.result = COMMAND_NOT_SUPERVISED};
        pid_t group = getpgrp();
        take_another_name();
        prctl(PR_SET_PDEATHSIG, STARTER_GONE);
        if (getppid() != starter)
                _exit(0);
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        setpgid(0, 0);
        pid_t pid = fork();
        if (pid == 0) {
                setpgid(0, group);
                keep(&keeper);
        }
        if (pid == -1) {
                snprintf(news.why, sizeof(news.why), "fork: %s", strerror(errno));
                message_send(control, &news, sizeof(news));
                _exit(0);
        }
        keep_only(-1);
        await_keeper(pid);
        abandon();
}
