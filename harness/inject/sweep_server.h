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

/* A process that forks runs, one after the other, which all take part in its session. */
struct sweep_keeper {
        int socket;
        bool busy;
        struct session *session;
        int session_fd;
};

struct sweep_server {
        bool ready;
        bool held;         /* it waits before its first call */
        char why_not[512]; /* why it is not, one line, or "" */
        struct command command;
        struct session *session;
        int session_fd;
        char directory[512];            /* that it had changed to by then, "" if it had not */
        int socket;                     /* to the command */
        int streams[2];                 /* what it writes */
        struct sweep_output outputs[2]; /* what it had written by then */
        struct sweep_keeper **keepers;
        size_t keeper_count;
};

/*
 * Starts the command, and waits, at most so many nanoseconds, until it has got
 * so far. Sets server->ready, or why_not.
 */
void sweep_server_start(struct sweep_server *server, const struct sweep_program *program, int64_t limit);

/* Lets a command that is no good for forks go on, and ends it if it has not ended by itself after so many nanoseconds.
 */
void sweep_server_dismiss(struct sweep_server *server, int64_t limit);

/* Ends the command, and runs that were forked. */
void sweep_server_end(struct sweep_server *server);

/*
 * Returns a keeper that has no run, its session renewed with the plan; or NULL
 * with one line in why.
 */
struct sweep_keeper *sweep_server_keeper(struct sweep_server *server, const struct fault_plan *plan, char *why,
                                         size_t size);

/*
 * Has it fork a run, which writes to the descriptors. *c is filled in as
 * command_start does. Returns false with one line in why.
 */
bool sweep_keeper_fork(struct sweep_keeper *keeper, const int streams[2], struct command *c, char *why, size_t size);

/* The same for such a run as command_wait, without waiting; command_kill; and command_free. */
bool sweep_forked_has_ended(struct command *c);
void sweep_forked_kill(const struct command *c);
void sweep_forked_free(struct sweep_keeper *keeper, struct command *c);

#endif
