/*
 * The command, held just before its first shm call, from where runs are forked,
 * so that its start-up is paid once (fork_protocol.h). Not every command is fit
 * for that.
 */
#ifndef SWEEP_SERVER_H
#define SWEEP_SERVER_H

#include "command.h"
#include "session.h"
#include "sweep_output.h"

struct sweep_program;

struct sweep_server {
        bool ready;
        char why_not[512]; /* why it is not, one line, or "" */
        struct command command;
        struct session *session;
        int session_fd;
        int socket;                     /* to the command */
        int streams[2];                 /* what it writes */
        struct sweep_output outputs[2]; /* what it had written by then */
};

/*
 * Starts the command, and waits, at most so many nanoseconds, until it has got
 * so far. Sets server->ready, or why_not.
 */
void sweep_server_start(struct sweep_server *server, const struct sweep_program *program, int64_t limit);

/* Ends the command; runs that were forked go on. */
void sweep_server_end(struct sweep_server *server);

/*
 * Forks a run, which takes part in the session and writes to the descriptors.
 * *c is filled in as command_start does. Returns false with one line in why.
 */
bool sweep_server_fork(const struct sweep_server *server, int session_fd, const int streams[2], struct command *c,
                       char *why, size_t size);

/* The same for such a run as command_wait, without waiting; command_kill; and command_free. */
bool sweep_forked_has_ended(struct command *c);
void sweep_forked_kill(const struct command *c);
void sweep_forked_free(struct command *c);

#endif
