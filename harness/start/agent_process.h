/* The agent as a child process whose record is read while it runs. */
#ifndef AGENT_PROCESS_H
#define AGENT_PROCESS_H

#include <stdbool.h>
#include <stdio.h>

#include "foreign_line.h"
#include "record_reader.h"

/* That run at one time and are told to end when this process is. */
#define AGENTS_MAX 64

/* Seconds; 0 is for ever. */
struct agent_limits {
        double silence; /* in which the record does not grow */
        double whole;   /* of the run */
};

enum agent_stop { AGENT_NOT_STOPPED, AGENT_SILENT, AGENT_TOO_LONG, AGENT_LINGERS };

struct agent_process {
        pid_t pid;
        int fd;                     /* its standard output */
        bool group;                 /* it leads a process group, which is ended as a whole */
        struct agent_limits limits; /* none, unless they are set after the start */
        enum agent_stop stopped;    /* for what limit agent_read ended it */
        struct foreign_line foreign;
};

/* Where the parts of an installation are. */
struct locations {
        char agent[4096];    /* shmcheck-agent; the static one has -static behind it */
        char data[4096];     /* holds cases/ with the sources and profiles */
        char profiles[4096]; /* cases/profiles */
};

/* Finds them: beside this program in a build folder, else where they were installed. */
void locations_find(struct locations *l);

/*
 * Starts the agent with the words after its name (ending with NULL), under the
 * preload library if one is given. It dies with this process. Returns false
 * with one line in why.
 */
bool agent_start(struct agent_process *agent, const char *path, const char *const *words, const char *preload,
                 char *why, size_t size);

/*
 * Starts a command that leads to an agent: the first of the words (ending with
 * NULL) is looked for in PATH. It gets a process group of its own and an empty
 * standard input. Returns false with one line in why.
 */
bool agent_start_behind(struct agent_process *agent, const char *const *words, char *why, size_t size);

/*
 * Reads the record to its end, or until a limit ends it. copy (or NULL) receives the bytes as they come;
 * progress (or NULL) is called after each piece. Returns false when the
 * record cannot be read any further; the agent is then stopped.
 */
bool agent_read(struct agent_process *agent, struct record_reader *reader, FILE *copy,
                void (*progress)(const struct record *record, void *arg), void *arg);

/* The signal to end that was passed on to the agents, or 0. */
int agent_signal(void);

/* Waits for the agent's end; returns its exit status, or 128 + the signal. */
int agent_finish(struct agent_process *agent);

/*
 * Runs the agent with the words and reads all that it writes. Returns the
 * reader, which the caller frees, or NULL after one line in why: it could not
 * be started, or ended with a status other than 0.
 */
struct record_reader *agent_ask(const char *path, const char *const *words, char *why, size_t size);

#endif
