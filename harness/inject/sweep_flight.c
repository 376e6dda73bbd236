#include "sweep_flight.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "kernel_backend.h"
#include "reach.h"

/* Nanoseconds between two looks at the events, so that the ring does not fill. */
#define TICK 20000000
/* Bytes that are read of a stream before others get their turn. */
#define PORTION (1 << 20)

int64_t sweep_now(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- in the run's process ---- */

/* A file is opened anew, as runs side by side would move each other's offset. */
static bool take_input(int input, char *why, size_t size)
{
        char path[64];
        struct stat st;
        snprintf(path, sizeof(path), "/proc/self/fd/%d", input);
        bool is_file = fstat(input, &st) == 0 && S_ISREG(st.st_mode);
        int fd = is_file ? open(path, O_RDONLY | O_CLOEXEC) : input;
        if (fd != -1 && is_file)
                lseek(fd, lseek(input, 0, SEEK_CUR), SEEK_SET);
        if (fd != -1 && dup2(fd, STDIN_FILENO) != -1)
                return true;
        snprintf(why, size, "standard input cannot be opened again: %s", strerror(errno));
        return false;
}

static bool hand_listener_over(const struct sweep_flight *f, char *why, size_t size)
{
        int listener = kernel_backend_install(f->setup.plan, true, why, size);
        if (listener == -1)
                return false;
        if (kernel_backend_send(f->handover[1], listener, NULL))
                return true;
        snprintf(why, size, "the filter's listener could not be handed over: %s", strerror(errno));
        return false;
}

bool sweep_flight_prepare(const struct sweep_program *program, char *why, size_t size)
{
        struct rlimit limit;
        /* Not to be stopped or interrupted by the terminal, and not to ask there. */
        setsid();
        if (getrlimit(RLIMIT_CORE, &limit) == 0) {
                limit.rlim_cur = 0;
                setrlimit(RLIMIT_CORE, &limit);
        }
        return take_input(program->input, why, size);
}

static bool prepare(void *arg, char *why, size_t size)
{
        const struct sweep_flight *f = arg;
        const struct sweep_flight_setup *s = &f->setup;
        if (s->stack)
                crash_stack_wait(&f->stack);
        if (!sweep_flight_prepare(s->program, why, size))
                return false;
        if (s->where == SWEEP_OWN_NAMESPACE_KEPT && !sweep_namespace_send(f->handover[1], why, size))
                return false;
        if (s->where == SWEEP_NAMESPACE_OF_BEFORE && !sweep_namespace_enter(s->kept, why, size))
                return false;
        if (!s->program->library)
                return hand_listener_over(f, why, size);
        if (session_hand_on(f->session_fd))
                return true;
        snprintf(why, size, "fcntl: %s", strerror(errno));
        return false;
}

/* ---- the start ---- */

static bool open_pipes(struct sweep_flight *f, int theirs[2])
{
        for (int i = 0; i < 2; i++) {
                int ends[2];
                if (pipe2(ends, O_CLOEXEC) == -1)
                        return false;
                f->streams[i] = ends[0];
                theirs[i] = ends[1];
                if (fcntl(ends[0], F_SETFL, O_NONBLOCK) == -1)
                        return false;
        }
        return f->keeper || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, f->handover) == 0;
}

static char **environment_of(const struct sweep_flight *f, char *why, size_t size)
{
        char name[64];
        session_name(f->session, f->session_fd, name, sizeof(name));
        return environment_with(f->setup.program->library, SESSION_VARIABLE, name, why, size);
}

static void close_handover(struct sweep_flight *f, int i)
{
        if (f->handover[i] != -1)
                close(f->handover[i]);
        f->handover[i] = -1;
}

/* Takes what the run's process has sent before it became the program. */
static bool take_handover(struct sweep_flight *f, char *why, size_t size)
{
        bool weak = false;
        close_handover(f, 1);
        if (f->setup.where == SWEEP_OWN_NAMESPACE_KEPT && !sweep_namespace_receive(f->handover[0], f->setup.kept)) {
                snprintf(why, size, "the run's IPC namespace was not handed over");
                return false;
        }
        if (f->setup.program->library)
                return true;
        int listener = kernel_backend_receive(f->handover[0], &weak, why, size);
        f->backend = listener == -1 ? NULL : kernel_backend_new(listener, f->session);
        if (listener != -1 && !f->backend)
                snprintf(why, size, "the kernel's notifications cannot be read: %s", strerror(errno));
        return f->backend != NULL;
}

static bool start_command(struct sweep_flight *f, const int theirs[2], enum command_start *result, char *why,
                          size_t size)
{
        const struct sweep_program *program = f->setup.program;
        char **environment = program->library ? environment_of(f, why, size) : NULL;
        if (program->library && !environment)
                return false;
        struct command_setup setup = {.path = program->path,
                                      .words = program->words,
                                      .environment = environment ? environment : environ,
                                      .host = f->setup.where == SWEEP_NAMESPACE_OF_BEFORE,
                                      .output = theirs[0],
                                      .error = theirs[1],
                                      .grace = COMMAND_GRACE,
                                      .prepare = prepare,
                                      .arg = f};
        if (f->setup.stack)
                f->setup.stack = crash_stack_begin(&f->stack);
        f->begun = sweep_now();
        f->until = f->begun + f->setup.limit;
        *result = command_start(&f->command, &setup, why, size);
        environment_free(environment);
        return *result == COMMAND_STARTED && take_handover(f, why, size);
}

/* What the command had written before it was forked is the run's as well. */
static void begin_with_output_of(struct sweep_flight *f, const struct sweep_server *server)
{
        for (int i = 0; i < 2; i++) {
                if (server->outputs[i].kept)
                        sweep_output_add(&f->setup.observation->outputs[i], server->outputs[i].text,
                                         server->outputs[i].kept);
        }
}

static bool start_fork(struct sweep_flight *f, const int theirs[2], enum command_start *result, char *why, size_t size)
{
        f->until = f->begun + f->setup.limit;
        if (!sweep_keeper_fork(f->keeper, theirs, &f->command, why, size))
                return false;
        begin_with_output_of(f, f->setup.server);
        *result = COMMAND_STARTED;
        return true;
}

static bool open_session(struct sweep_flight *f, char *why, size_t size)
{
        const struct sweep_flight_setup *s = &f->setup;
        bool forks = s->server && s->server->ready && s->where == SWEEP_OWN_NAMESPACE;
        if (forks && !(f->keeper = sweep_server_keeper(s->server, s->plan, why, size)))
                return false;
        f->session = f->keeper ? f->keeper->session : session_new(s->plan, true, &f->session_fd);
        if (f->session)
                f->watch = sweep_watch_begin(s->observation, s->sites, f->session, s->keep, s->most);
        if (!f->watch)
                snprintf(why, size, "no memory to share with the command: %s", strerror(errno));
        return f->watch != NULL;
}

bool sweep_flight_start(struct sweep_flight *f, const struct sweep_flight_setup *setup, enum command_start *result,
                        char *why, size_t size)
{
        int theirs[2] = {-1, -1};
        *f = (struct sweep_flight){
                .setup = *setup, .session_fd = -1, .handover = {-1, -1}, .streams = {-1, -1}, .begun = sweep_now()};
        *result = COMMAND_NOT_SUPERVISED;
        bool started = open_session(f, why, size);
        if (started && !open_pipes(f, theirs)) {
                snprintf(why, size, "pipe: %s", strerror(errno));
                started = false;
        }
        started = started && (f->keeper ? start_fork : start_command)(f, theirs, result, why, size);
        for (int i = 0; i < 2; i++) {
                if (theirs[i] != -1)
                        close(theirs[i]);
        }
        if (!started)
                sweep_flight_free(f);
        return started;
}

/* ---- while it runs ---- */

enum polled { POLLED_CONTROL, POLLED_KERNEL, POLLED_OUTPUT, POLLED_ERROR };

int64_t sweep_flight_poll(const struct sweep_flight *f, struct pollfd *polled)
{
        const int fds[SWEEP_FLIGHT_POLLED] = {f->command.control, f->backend ? kernel_backend_fd(f->backend) : -1,
                                              f->streams[0], f->streams[1]};
        for (size_t i = 0; i < SWEEP_FLIGHT_POLLED; i++)
                polled[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
        int64_t wait = f->until - sweep_now();
        int64_t due = f->backend ? kernel_backend_due(f->backend) : -1;
        if (due != -1 && due < wait)
                wait = due;
        return wait < 0 ? 0 : wait < TICK ? wait : TICK;
}

static void read_stream(struct sweep_flight *f, int i)
{
        static char bytes[65536];
        ssize_t n = 0;
        for (size_t all = 0; f->streams[i] != -1 && all < PORTION; all += (size_t)n) {
                n = read(f->streams[i], bytes, sizeof(bytes));
                if (n == -1 && errno == EINTR) {
                        n = 0;
                        continue;
                }
                if (n == -1 && errno == EAGAIN)
                        return;
                if (n <= 0) {
                        close(f->streams[i]);
                        f->streams[i] = -1;
                        return;
                }
                sweep_output_add(&f->setup.observation->outputs[i], bytes, (size_t)n);
        }
}

static void finish(struct sweep_flight *f, bool *short_of_memory)
{
        struct sweep_observation *o = f->setup.observation;
        const struct command *c = &f->command;
        o->time = sweep_now() - f->begun;
        session_close(f->session);
        session_drain(f->session, true, sweep_watch_event, f->watch);
        for (int i = 0; i < 2; i++) {
                read_stream(f, i);
                sweep_output_end(&o->outputs[i]);
        }
        o->status = c->status;
        o->keeper_lost = c->keeper_lost;
        o->orphan_count = c->orphan_count;
        if (c->orphan_count)
                memcpy(o->orphan, c->orphans[0].name, sizeof(o->orphan));
        bool listed = c->left_known && f->setup.where != SWEEP_NAMESPACE_OF_BEFORE;
        if (f->setup.stack)
                o->stack = crash_stack_end(&f->stack);
        f->setup.stack = false;
        *short_of_memory = !sweep_watch_end(f->watch, listed ? &c->left : NULL);
        f->watch = NULL;
        sweep_flight_free(f);
}

static bool has_ended(struct sweep_flight *f)
{
        return f->keeper ? sweep_forked_has_ended(&f->command) : command_wait(&f->command, 0);
}

static void kill_if_late(struct sweep_flight *f)
{
        if (f->setup.observation->timed_out || sweep_now() < f->until)
                return;
        f->setup.observation->timed_out = true;
        /* It is killed, and tells of its end: no need to come back before. */
        f->until = INT64_MAX;
        (f->keeper ? sweep_forked_kill : command_kill)(&f->command);
}

bool sweep_flight_serve(struct sweep_flight *f, const struct pollfd *polled, bool *short_of_memory)
{
        if (f->backend && !kernel_backend_serve(f->backend, polled[POLLED_KERNEL].revents)) {
                kernel_backend_free(f->backend);
                f->backend = NULL;
        }
        for (int i = 0; i < 2; i++) {
                if (polled[POLLED_OUTPUT + i].revents)
                        read_stream(f, i);
        }
        session_drain(f->session, false, sweep_watch_event, f->watch);
        /* First: who has ended is not late, however late that is seen. */
        if (!has_ended(f)) {
                kill_if_late(f);
                return false;
        }
        finish(f, short_of_memory);
        return true;
}

void sweep_flight_free(struct sweep_flight *f)
{
        if (f->command.pid && f->keeper)
                sweep_forked_free(f->keeper, &f->command);
        else if (f->command.pid)
                command_free(&f->command);
        f->command.pid = 0;
        if (f->setup.stack)
                free(crash_stack_end(&f->stack));
        f->setup.stack = false;
        kernel_backend_free(f->backend);
        f->backend = NULL;
        for (int i = 0; i < 2; i++) {
                close_handover(f, i);
                if (f->streams[i] != -1)
                        close(f->streams[i]);
                f->streams[i] = -1;
        }
        if (f->watch)
                sweep_watch_end(f->watch, NULL);
        f->watch = NULL;
        if (!f->keeper)
                session_free(f->session);
        f->session = NULL;
        f->keeper = NULL;
        if (f->session_fd != -1)
                close(f->session_fd);
        f->session_fd = -1;
}
