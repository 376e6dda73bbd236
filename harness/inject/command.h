/*
 * A command and all that it starts, under a keeper: a process that holds the
 * command's IPC namespace, is the parent of processes that lost theirs, and
 * ends whatever is left when the command has ended, or when the process that
 * started it has, by whatever signal. Several can run side by side. For a
 * process with one thread that starts commands.
 */
#ifndef INJECT_COMMAND_H
#define INJECT_COMMAND_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "leaks.h"

/* What the command's orphans may take to end by themselves, milliseconds. */
#define COMMAND_GRACE 500

struct command_setup {
        const char *path;         /* the program's file */
        char *const *words;       /* argv, ending with NULL */
        char *const *environment; /* ending with NULL */
        bool host;                /* in this process's IPC namespace; false: in a fresh one */
        int output, error;        /* descriptors that become its standard output and error; -1: this process's */
        int grace;                /* milliseconds from the command's end until its orphans are killed */
        /*
         * Called in the command's process before it becomes the program, or
         * NULL. Returns false with one line in why: nothing is started then.
         */
        bool (*prepare)(void *arg, char *why, size_t size);
        void *arg;
};

/* A process that outlived the command. */
struct command_orphan {
        pid_t pid;
        char name[32];
        bool ended; /* by the keeper; false: it could not be ended */
};

struct command {
        pid_t pid;    /* of the command */
        pid_t keeper; /* above it */
        int control;  /* to the keeper; readable when there is news */
        int status;   /* as waitpid(2) tells it, once the command has ended */
        bool ended;
        bool keeper_lost;           /* the keeper was killed, and the command with it */
        struct segments_there left; /* segments there after the command's end, before its orphans were killed */
        bool left_known;
        struct command_orphan *orphans;
        size_t orphan_count;
        struct command *next; /* the others that are running */
};

enum command_start {
        COMMAND_STARTED,
        COMMAND_NO_NAMESPACE,  /* no IPC namespace of its own can be had: why says so */
        COMMAND_NOT_PREPARED,  /* prepare returned false */
        COMMAND_NO_PROGRAM,    /* execve(2) refused the file */
        COMMAND_NOT_SUPERVISED /* there are no processes, descriptors or memory for it */
};

/*
 * Starts the command. As root it is put in an IPC namespace (unshare(2)), for
 * others in a user namespace around one, in which their ids are what they were;
 * that the namespace isolates is proved first. Its signal handling is the
 * default one, what this process ignores but SIGPIPE excepted.
 * On anything but COMMAND_STARTED one line is in why, and nothing is running.
 */
enum command_start command_start(struct command *c, const struct command_setup *setup, char *why, size_t size);

/* Waits until all of the command has ended, at most so many milliseconds (-1: for ever). Returns c->ended. */
bool command_wait(struct command *c, int milliseconds);

/*
 * Sends the signal that this process has received to the command as well,
 * unless it has it already because it was sent to the whole process group, as a
 * terminal does. Safe in a signal handler.
 */
void command_pass_signal(const struct command *c, int signal_number);

/* Ends the command and all that it started; command_wait then tells when they are gone. */
void command_kill(const struct command *c);

/* The command's exit status, or 128 + the signal that ended it. */
int command_exit_status(const struct command *c);

/* Forgets a command that has ended, or kills it and waits for its end. */
void command_free(struct command *c);

#endif
