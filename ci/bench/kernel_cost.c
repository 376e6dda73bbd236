/*
 * What a call costs under the kernel back end and under strace, both with a
 * rule that never fires, as ratios in one run: a loop of shmctl(IPC_STAT),
 * bare, supervised, and traced, by turns.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault_plan.h"
#include "kernel_backend.h"
#include "session.h"
#include "timing.h"

#define CALLS 20000
#define ROUNDS 7
#define RATIO_WANTED 2.0
#define LOOP "--loop"
#define RULE "shmctl:error=EINVAL:when=65535" /* more than there are calls; strace counts no further */

/* The segment is marked to be destroyed before the loop, so that nothing is left of it, whoever is killed. */
static int loop(void)
{
        struct shmid_ds ds;
        int id = shmget(IPC_PRIVATE, 4096, 0600);
        void *address = id == -1 ? (void *)-1 : shmat(id, NULL, 0);
        if (id == -1 || shmctl(id, IPC_RMID, NULL) == -1 || address == (void *)-1)
                return 1;
        double start = now_ns();
        for (int i = 0; i < CALLS; i++) {
                if (shmctl(id, IPC_STAT, &ds) == -1) {
                        fprintf(stderr, "kernel_cost: call %d: %s\n", i, strerror(errno));
                        return 1;
                }
        }
        printf("%.9f\n", (now_ns() - start) / 1e9 / CALLS);
        return 0;
}

/* A loop in a process of its own. */
struct looper {
        pid_t pid;
        int output;
};

static bool start_loop(struct looper *l, const char *const *words, void (*prepare)(void *arg), void *arg)
{
        int output[2];
        if (pipe2(output, O_CLOEXEC) == -1)
                return false;
        l->pid = fork();
        if (l->pid == 0) {
                dup2(output[1], STDOUT_FILENO);
                if (prepare)
                        prepare(arg);
                execvp(words[0], (char *const *)words);
                _exit(127);
        }
        int error = errno;
        close(output[1]);
        l->output = output[0];
        if (l->pid != -1)
                return true;
        fprintf(stderr, "kernel_cost: fork: %s\n", strerror(error));
        close(l->output);
        return false;
}

/* Returns seconds a call, or -1. */
static double finish_loop(struct looper *l)
{
        char text[64] = "";
        int status = 0;
        ssize_t n = read(l->output, text, sizeof(text) - 1);
        close(l->output);
        waitpid(l->pid, &status, 0);
        if (n > 0 && status == 0)
                return strtod(text, NULL);
        fprintf(stderr, "kernel_cost: a loop ended with wait status 0x%x\n", (unsigned)status);
        return -1;
}

/* Starts the words and waits for their end. */
static double run_words(const char *const *words)
{
        struct looper l;
        return start_loop(&l, words, NULL, NULL) ? finish_loop(&l) : -1;
}

static double run_bare(const char *self)
{
        return run_words((const char *const[]){self, LOOP, NULL});
}

static double run_under_strace(const char *self)
{
        static const char inject[] = "inject=" RULE;
        return run_words((const char *const[]){"strace", "-f", "--seccomp-bpf", "-e", "trace=shmctl", "-e", inject,
                                               "-o", "/dev/null", self, LOOP, NULL});
}

struct supervised {
        struct fault_plan plan;
        bool events;
        int sockets[2];
};

static void hold_calls(void *arg)
{
        const struct supervised *s = arg;
        char why[256] = "";
        int listener = kernel_backend_install(&s->plan, s->events, why, sizeof(why));
        if (!kernel_backend_send(s->sockets[1], listener, why) || listener == -1)
                _exit(126);
}

static void pass_over(const struct shm_event *e, void *arg)
{
        (void)e;
        (void)arg;
}

/* The loop that a tool runs, which waits for the command beside its calls. */
static void supervise(struct kernel_backend *b, struct session *s, const struct looper *l)
{
        struct pollfd polled[] = {{.fd = kernel_backend_fd(b), .events = POLLIN}, {.fd = l->output, .events = POLLIN}};
        while (ppoll(polled, 2, NULL, NULL) != -1) {
                if (!kernel_backend_serve(b, polled[0].revents))
                        polled[0].fd = -1;
                if (s->events_on)
                        session_drain(s, false, pass_over, NULL);
                if (polled[1].revents)
                        return;
        }
}

static double run_supervised(const char *self, bool events)
{
        const char *const words[] = {self, LOOP, NULL};
        struct supervised s = {.events = events};
        struct fault_mistake mistake;
        struct looper l;
        char why[256] = "";
        bool weak = false;
        int shared = -1;
        if (!fault_rule_parse(&s.plan.rules[s.plan.count++], RULE, false, &mistake) ||
            socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s.sockets) == -1 ||
            !start_loop(&l, words, hold_calls, &s))
                return -1;
        close(s.sockets[1]);
        int listener = kernel_backend_receive(s.sockets[0], &weak, why, sizeof(why));
        close(s.sockets[0]);
        struct session *session = session_new(&s.plan, events, &shared);
        struct kernel_backend *b = listener == -1 || !session ? NULL : kernel_backend_new(listener, session);
        if (!b) {
                fprintf(stderr, "kernel_cost: %s\n", why[0] ? why : strerror(errno));
                kill(l.pid, SIGKILL);
        } else {
                supervise(b, session, &l);
        }
        double cost = finish_loop(&l);
        kernel_backend_free(b);
        session_free(session);
        close(shared);
        return cost;
}

static bool is_there(const char *program)
{
        char command[64];
        snprintf(command, sizeof(command), "command -v %s >/dev/null", program);
        return system(command) == 0; // NOLINT: a name of ours, in the path of whoever runs the bench
}

static double run_with_rule(const char *self)
{
        return run_supervised(self, false);
}

static double run_with_events(const char *self)
{
        return run_supervised(self, true);
}

enum { BARE, KERNEL, KERNEL_WITH_EVENTS, STRACE, WAYS };

static const struct {
        const char *name;
        double (*run)(const char *self);
} ways[WAYS] = {
        [BARE] = {"bare", run_bare},
        [KERNEL] = {"kernel back end", run_with_rule},
        [KERNEL_WITH_EVENTS] = {"kernel back end, with events", run_with_events},
        [STRACE] = {"strace --seccomp-bpf", run_under_strace},
};

/* The best of all rounds is what the way costs; the rest is what else the machine had to do. */
static bool run_round(const char *self, size_t count, double costs[WAYS])
{
        for (size_t i = 0; i < count; i++) {
                double cost = ways[i].run(self);
                if (cost < 0) {
                        fprintf(stderr, "kernel_cost: %s: the loop did not finish\n", ways[i].name);
                        return false;
                }
                costs[i] = costs[i] > 0 && costs[i] < cost ? costs[i] : cost;
        }
        return true;
}

int main(int argc, char **argv)
{
        double costs[WAYS] = {0};
        if (argc == 2 && strcmp(argv[1], LOOP) == 0)
                return loop();
        if (argc != 1) {
                fprintf(stderr, "usage: kernel_cost\n");
                return 2;
        }
        size_t count = is_there("strace") ? WAYS : STRACE;
        for (int i = 0; i < ROUNDS; i++) {
                if (!run_round(argv[0], count, costs))
                        return 3;
        }
        for (size_t i = 0; i < count; i++)
                printf("%-29s %7.2f us a call, %6.1f times the bare one\n", ways[i].name, costs[i] * 1e6,
                       costs[i] / costs[BARE]);
        if (count == WAYS)
                printf("the kernel back end is %.1f times as fast as strace (wanted: at least %.1f)\n",
                       costs[STRACE] / costs[KERNEL], RATIO_WANTED);
        else
                printf("strace is not installed: not compared with it\n");
        return 0;
}
