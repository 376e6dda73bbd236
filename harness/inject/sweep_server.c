#include "sweep_server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fork_protocol.h"
#include "reach.h"
#include "sweep_flight.h"
#include "whole_message.h"

/* A number that programs do not use by themselves, and that is in nobody's way. */
#define SOCKET_NUMBER 700
/* Milliseconds that a run which was killed has to be gone. */
#define DYING 5000

static void close_fd(int *fd)
{
        if (*fd != -1)
                close(*fd);
        *fd = -1;
}

/* ---- the start ---- */

struct server_start {
        const struct sweep_program *program;
        int socket; /* the command's */
        int session_fd;
};

static bool prepare(void *arg, char *why, size_t size)
{
        const struct server_start *start = arg;
        if (fcntl(start->socket, F_SETFD, 0) == 0 && session_hand_on(start->session_fd))
                return sweep_flight_prepare(start->program, why, size);
        snprintf(why, size, "fcntl: %s", strerror(errno));
        return false;
}

static uint64_t inode_of(int fd)
{
        struct stat st;
        return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

/* The environment of a run, with the offer added. */
static char **environment_for(const struct sweep_server *server, const struct sweep_program *program,
                              const int theirs[2], int socket, char *why, size_t size)
{
        char name[64];
        char value[128];
        snprintf(value, sizeof(value), "%d:%llu:%llu", socket, (unsigned long long)inode_of(theirs[0]),
                 (unsigned long long)inode_of(theirs[1]));
        session_name(server->session, server->session_fd, name, sizeof(name));
        if (setenv(FORK_VARIABLE, value, 1) == -1)
                return NULL;
        char **environment = environment_with(program->library, SESSION_VARIABLE, name, why, size);
        unsetenv(FORK_VARIABLE);
        return environment;
}

static bool start_command(struct sweep_server *server, const struct sweep_program *program, const int theirs[2],
                          int socket)
{
        struct server_start start = {program, socket, server->session_fd};
        struct command_setup setup = {.path = program->path,
                                      .words = program->words,
                                      .output = theirs[0],
                                      .error = theirs[1],
                                      .prepare = prepare,
                                      .arg = &start};
        char **environment = environment_for(server, program, theirs, socket, server->why_not, sizeof(server->why_not));
        setup.environment = environment;
        bool started = environment && command_start(&server->command, &setup, server->why_not,
                                                    sizeof(server->why_not)) == COMMAND_STARTED;
        environment_free(environment);
        return started;
}

static bool open_pipes(struct sweep_server *server, int theirs[2], int *socket)
{
        int ends[2];
        for (int i = 0; i < 2; i++) {
                if (pipe2(ends, O_CLOEXEC) == -1)
                        return false;
                server->streams[i] = ends[0];
                theirs[i] = ends[1];
        }
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == -1)
                return false;
        server->socket = ends[0];
        *socket = fcntl(ends[1], F_DUPFD_CLOEXEC, SOCKET_NUMBER);
        close(ends[1]);
        return *socket != -1;
}

/* ---- until it says hello ---- */

static void read_stream(struct sweep_server *server, int i)
{
        char bytes[65536];
        ssize_t n = read(server->streams[i], bytes, sizeof(bytes));
        if (n > 0)
                sweep_output_add(&server->outputs[i], bytes, (size_t)n);
        else
                close_fd(&server->streams[i]);
}

/* What is in the pipe by now. */
static void drain(struct sweep_server *server, int i)
{
        struct pollfd polled = {.fd = server->streams[i], .events = POLLIN};
        while (server->streams[i] != -1 && poll(&polled, 1, 0) == 1)
                read_stream(server, i);
}

static bool is_whole(const struct sweep_output *o)
{
        return o->kept == o->length;
}

static void note_directory(struct sweep_server *server)
{
        char link[64];
        char ours[sizeof(server->directory)];
        snprintf(link, sizeof(link), "/proc/%d/cwd", server->command.pid);
        ssize_t length = readlink(link, server->directory, sizeof(server->directory) - 1);
        server->directory[length > 0 ? length : 0] = '\0';
        if (!getcwd(ours, sizeof(ours)) || strcmp(ours, server->directory) == 0)
                server->directory[0] = '\0';
}

static void take_hello(struct sweep_server *server)
{
        struct fork_hello hello;
        ssize_t n = recv(server->socket, &hello, sizeof(hello), MSG_DONTWAIT);
        for (int i = 0; i < 2; i++)
                drain(server, i);
        server->held = n == (ssize_t)sizeof(hello);
        if (!server->held)
                snprintf(server->why_not, sizeof(server->why_not), "it does not answer");
        else if (hello.pid != server->command.pid)
                snprintf(server->why_not, sizeof(server->why_not), "its first call is made by another process");
        else if (hello.why_not[0])
                snprintf(server->why_not, sizeof(server->why_not), "%.*s", FORK_WHY, hello.why_not);
        else if (!is_whole(&server->outputs[0]) || !is_whole(&server->outputs[1]))
                snprintf(server->why_not, sizeof(server->why_not), "it writes much before its first call");
        else
                server->ready = true;
        note_directory(server);
}

static void await_hello(struct sweep_server *server, int64_t limit)
{
        int64_t until = sweep_now() + limit;
        while (!server->ready && !server->why_not[0]) {
                struct pollfd polled[4] = {{.fd = server->socket, .events = POLLIN},
                                           {.fd = server->command.control, .events = POLLIN},
                                           {.fd = server->streams[0], .events = POLLIN},
                                           {.fd = server->streams[1], .events = POLLIN}};
                int64_t left = (until - sweep_now()) / 1000000;
                if (left <= 0 || polled[1].revents)
                        snprintf(server->why_not, sizeof(server->why_not), "it took too long to its first call");
                else if (poll(polled, 4, (int)(left < 1000 ? left : 1000)) == -1)
                        continue;
                for (int i = 0; i < 2; i++) {
                        if (polled[2 + i].revents)
                                read_stream(server, i);
                }
                if (polled[0].revents)
                        take_hello(server);
                else if (polled[1].revents)
                        snprintf(server->why_not, sizeof(server->why_not), "it ended and had not come to a call");
        }
}

static void pass_over(const struct shm_event *e, void *arg)
{
        (void)e;
        (void)arg;
}

/* Lets the command go on, so that it can undo what it did before its first call, and waits until it has ended. */
static void let_it_end(struct sweep_server *server, int64_t limit)
{
        static const struct fork_order order = {.kind = FORK_ASIDE};
        int64_t until = sweep_now() + limit;
        bool sent = send(server->socket, &order, sizeof(order), MSG_NOSIGNAL) == (ssize_t)sizeof(order);
        while (sent && !command_wait(&server->command, 0) && sweep_now() < until) {
                struct pollfd polled[3] = {{.fd = server->command.control, .events = POLLIN},
                                           {.fd = server->streams[0], .events = POLLIN},
                                           {.fd = server->streams[1], .events = POLLIN}};
                if (poll(polled, 3, 1000) == -1)
                        continue;
                session_drain(server->session, false, pass_over, NULL);
                for (int i = 0; i < 2; i++) {
                        if (polled[1 + i].revents)
                                read_stream(server, i);
                }
        }
}

void sweep_server_start(struct sweep_server *server, const struct sweep_program *program, int64_t limit)
{
        static const struct fault_plan no_faults;
        int theirs[2] = {-1, -1};
        int socket = -1;
        *server = (struct sweep_server){.session_fd = -1, .socket = -1, .streams = {-1, -1}};
        server->session = session_new(&no_faults, true, &server->session_fd);
        if (!server->session || !open_pipes(server, theirs, &socket))
                snprintf(server->why_not, sizeof(server->why_not), "%s", strerror(errno));
        else if (start_command(server, program, theirs, socket))
                await_hello(server, limit);
        for (int i = 0; i < 2; i++)
                close_fd(&theirs[i]);
        close_fd(&socket);
        if (!server->ready)
                sweep_server_dismiss(server, limit);
}

void sweep_server_dismiss(struct sweep_server *server, int64_t limit)
{
        if (server->held)
                let_it_end(server, limit);
        sweep_server_end(server);
}

static void free_keeper(struct sweep_keeper *keeper)
{
        session_free(keeper->session);
        close_fd(&keeper->session_fd);
        close_fd(&keeper->socket);
        free(keeper);
}

void sweep_server_end(struct sweep_server *server)
{
        server->ready = server->held = false;
        for (size_t i = 0; i < server->keeper_count; i++)
                free_keeper(server->keepers[i]);
        free(server->keepers);
        server->keepers = NULL;
        server->keeper_count = 0;
        if (server->command.pid)
                command_free(&server->command);
        server->command.pid = 0;
        if (server->session) {
                session_free(server->session);
                close_fd(&server->session_fd);
                close_fd(&server->socket);
        }
        server->session = NULL;
        for (int i = 0; i < 2; i++) {
                if (server->streams[i] > 0)
                        close_fd(&server->streams[i]);
                sweep_output_free(&server->outputs[i]);
        }
}

/* ---- runs ---- */

static bool send_order(int socket, const struct fork_order *order, const int fds[FORK_DESCRIPTORS])
{
        struct iovec io = {(void *)(uintptr_t)order, sizeof(*order)};
        union {
                char bytes[CMSG_SPACE(FORK_DESCRIPTORS * sizeof(int))];
                struct cmsghdr aligned;
        } ancillary = {{0}};
        struct msghdr message = {.msg_iov = &io,
                                 .msg_iovlen = 1,
                                 .msg_control = ancillary.bytes,
                                 .msg_controllen = sizeof(ancillary.bytes)};
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(FORK_DESCRIPTORS * sizeof(fds[0]));
        memcpy(CMSG_DATA(header), fds, FORK_DESCRIPTORS * sizeof(fds[0]));
        return sendmsg(socket, &message, MSG_NOSIGNAL) == (ssize_t)sizeof(*order);
}

static bool order_keeper(const struct sweep_server *server, struct sweep_keeper *keeper)
{
        static const struct fault_plan no_faults;
        int ends[2];
        keeper->session = session_new(&no_faults, true, &keeper->session_fd);
        if (!keeper->session || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1)
                return false;
        keeper->socket = ends[0];
        const struct fork_order order = {.kind = FORK_KEEPER, .session_number = keeper->session_fd};
        const int fds[FORK_DESCRIPTORS] = {[FORK_SOCKET] = ends[1], [FORK_SESSION] = keeper->session_fd};
        bool sent = send_order(server->socket, &order, fds);
        close(ends[1]);
        return sent;
}

static struct sweep_keeper *add_keeper(struct sweep_server *server)
{
        size_t count = server->keeper_count;
        struct sweep_keeper **grown = reallocarray(server->keepers, count + 1, sizeof(struct sweep_keeper *));
        if (!grown)
                return NULL;
        server->keepers = grown;
        struct sweep_keeper *keeper = malloc(sizeof(*keeper));
        if (!keeper)
                return NULL;
        *keeper = (struct sweep_keeper){.socket = -1, .session_fd = -1};
        if (!order_keeper(server, keeper)) {
                free_keeper(keeper);
                return NULL;
        }
        server->keepers[server->keeper_count++] = keeper;
        return keeper;
}

static struct sweep_keeper *find_free_keeper(struct sweep_server *server)
{
        for (size_t i = 0; i < server->keeper_count; i++) {
                if (!server->keepers[i]->busy)
                        return server->keepers[i];
        }
        return add_keeper(server);
}

struct sweep_keeper *sweep_server_keeper(struct sweep_server *server, const struct fault_plan *plan, char *why,
                                         size_t size)
{
        struct sweep_keeper *keeper = find_free_keeper(server);
        if (keeper)
                session_renew(keeper->session, plan);
        else
                snprintf(why, size, "no keeper of runs could be started: %s", strerror(errno));
        return keeper;
}

bool sweep_keeper_fork(struct sweep_keeper *keeper, const int streams[2], struct command *c, char *why, size_t size)
{
        static const struct fork_order order = {.kind = FORK_RUN};
        const int fds[FORK_DESCRIPTORS] = {[FORK_OUTPUT] = streams[0], [FORK_ERROR] = streams[1]};
        struct fork_started started = {.pid = -1, .why_not = "the process that runs are forked from is gone"};
        memset(c, 0, sizeof(*c));
        if (send_order(keeper->socket, &order, fds) && message_receive(keeper->socket, &started, sizeof(started)) &&
            started.pid > 0) {
                keeper->busy = true;
                c->pid = started.pid;
                c->control = keeper->socket;
                return true;
        }
        snprintf(why, size, "%.*s", FORK_WHY, started.why_not);
        return false;
}

static bool receive_end(struct command *c)
{
        struct fork_ended ended;
        if (!message_receive(c->control, &ended, sizeof(ended)))
                return false;
        c->left.items = calloc(ended.left_count + 1, sizeof(c->left.items[0]));
        c->orphans = calloc(ended.orphan_count + 1, sizeof(c->orphans[0]));
        if (!c->left.items || !c->orphans ||
            !message_receive(c->control, c->left.items, ended.left_count * sizeof(c->left.items[0])))
                return false;
        c->left.count = ended.left_count;
        c->left_known = ended.left_known;
        c->status = ended.status;
        c->orphan_count = ended.orphan_count;
        memcpy(c->orphans[0].name, ended.orphan, sizeof(ended.orphan));
        return true;
}

bool sweep_forked_has_ended(struct command *c)
{
        struct pollfd polled = {.fd = c->control, .events = POLLIN};
        if (c->ended || poll(&polled, 1, 0) != 1)
                return c->ended;
        c->ended = true;
        c->keeper_lost = !receive_end(c);
        return true;
}

void sweep_forked_kill(const struct command *c)
{
        static const struct fork_order order = {.kind = FORK_KILL};
        send(c->control, &order, sizeof(order), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void sweep_forked_free(struct sweep_keeper *keeper, struct command *c)
{
        struct pollfd polled = {.fd = c->control, .events = POLLIN};
        if (!c->ended) {
                sweep_forked_kill(c);
                poll(&polled, 1, DYING);
                sweep_forked_has_ended(c);
        }
        /* One that did not end its run is not asked again. */
        keeper->busy = !c->ended || c->keeper_lost;
        free(c->left.items);
        free(c->orphans);
        memset(c, 0, sizeof(*c));
}
