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
};

static bool prepare(void *arg, char *why, size_t size)
{
        const struct server_start *start = arg;
        if (fcntl(start->socket, F_SETFD, 0) == 0)
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
        struct server_start start = {program, socket};
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

static void take_hello(struct sweep_server *server)
{
        struct fork_hello hello;
        ssize_t n = recv(server->socket, &hello, sizeof(hello), MSG_DONTWAIT);
        for (int i = 0; i < 2; i++)
                drain(server, i);
        if (n != (ssize_t)sizeof(hello))
                snprintf(server->why_not, sizeof(server->why_not), "it does not answer");
        else if (hello.pid != server->command.pid)
                snprintf(server->why_not, sizeof(server->why_not), "its first call is made by another process");
        else if (hello.why_not[0])
                snprintf(server->why_not, sizeof(server->why_not), "%.*s", FORK_WHY, hello.why_not);
        else if (!is_whole(&server->outputs[0]) || !is_whole(&server->outputs[1]))
                snprintf(server->why_not, sizeof(server->why_not), "it writes much before its first call");
        else
                server->ready = true;
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
                sweep_server_end(server);
}

void sweep_server_end(struct sweep_server *server)
{
        server->ready = false;
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

static bool send_order(const struct sweep_server *server, int session_fd, const int streams[2], int control)
{
        const int fds[FORK_DESCRIPTORS] = {session_fd, streams[0], streams[1], control};
        struct fork_order order = {.kind = FORK_RUN, .session_number = session_fd};
        struct iovec io = {&order, sizeof(order)};
        union {
                char bytes[CMSG_SPACE(sizeof(fds))];
                struct cmsghdr aligned;
        } ancillary = {{0}};
        struct msghdr message = {.msg_iov = &io,
                                 .msg_iovlen = 1,
                                 .msg_control = ancillary.bytes,
                                 .msg_controllen = sizeof(ancillary.bytes)};
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(fds));
        memcpy(CMSG_DATA(header), fds, sizeof(fds));
        return sendmsg(server->socket, &message, MSG_NOSIGNAL) == (ssize_t)sizeof(order);
}

bool sweep_server_fork(const struct sweep_server *server, int session_fd, const int streams[2], struct command *c,
                       char *why, size_t size)
{
        int ends[2];
        struct fork_started started = {.pid = -1, .why_not = "the command that runs are forked from is gone"};
        memset(c, 0, sizeof(*c));
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1) {
                snprintf(why, size, "socketpair: %s", strerror(errno));
                return false;
        }
        bool sent = send_order(server, session_fd, streams, ends[1]);
        close(ends[1]);
        bool told = sent && message_receive(ends[0], &started, sizeof(started));
        if (told && started.pid > 0) {
                c->pid = started.pid;
                c->control = ends[0];
                return true;
        }
        snprintf(why, size, "%.*s", FORK_WHY, started.why_not);
        close(ends[0]);
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
        send(c->control, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void sweep_forked_free(struct command *c)
{
        struct pollfd polled = {.fd = c->control, .events = POLLIN};
        if (!c->ended) {
                sweep_forked_kill(c);
                poll(&polled, 1, DYING);
                sweep_forked_has_ended(c);
        }
        close(c->control);
        free(c->left.items);
        free(c->orphans);
        memset(c, 0, sizeof(*c));
}
