/* Runs a program as a user would and keeps what it said: for the end-to-end tests. */
#ifndef COMMAND_H
#define COMMAND_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct finished {
        int status; /* exit status, or 128 + signal */
        char *out;  /* standard output, NUL behind it */
        size_t out_length;
        char *err;
};

/* Runs the shell command from the project's folder, BUILD being what $B stands for in it. */
struct finished run_command(const char *command);

/* The same as the unprivileged user nobody, when this process is root. */
struct finished run_as_nobody(const char *command);

void finished_free(struct finished *f);

/* Runs it, and expects this exit status and these texts; out and err may be NULL: whatever they are. */
void expect_command(const char *command, int status, const char *out, const char *err);

/* Runs it, and expects this exit status, and these parts of texts. */
void expect_parts(const char *command, int status, const char *out, const char *err);

/* Whether text holds part. */
bool has(const char *text, const char *part);

/* How many lines text has. */
size_t count_lines(const char *text);

/* The JSON that is the whole standard output; fails the test if it is none. */
json_t *json_output(const struct finished *f);

/* The verdict of the case in the results, or "". */
const char *verdict_in(const json_t *results, const char *id);

/*
 * Moves this test into an IPC namespace of its own, so that what it counts as
 * the host's segments is not what other tests do. Skips the test where that
 * cannot be.
 */
void enter_own_ipc_namespace(void);

/*
 * Copies the programs to a folder that every user may search and that no other
 * test's processes have in their path; $I stands for it in commands. Returns
 * it. remove_installation removes it.
 */
const char *make_installation(void);
void remove_installation(void);

/* Skips the test where an ordinary user can make no user namespace, as in a chroot (user_namespaces(7)). */
void need_namespaces_of_nobody(void);

/* Segments in this process's IPC namespace, as `ipcs -m` counts them. */
size_t segments_here(void);

/* Processes whose command line holds the word, this one aside. */
size_t processes_named(const char *word);

#endif
