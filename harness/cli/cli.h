/* What the subcommands share: how they are called, how they complain, and the exit statuses. */
#ifndef CLI_H
#define CLI_H

#include <popt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum exit_status {
        EXIT_AS_IT_MUST_BE = 0,
        EXIT_DIVERGES = 1,
        EXIT_USAGE = 2,  /* wrong usage or unreadable input; nothing was run */
        EXIT_HARNESS = 3 /* the harness itself could not do its work */
};

/* One line on standard error, with the program's name in front; printf style. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Reads the options of a subcommand into the variables that its table names.
 * Words that are no options are left in *rest, ending with NULL (or it is
 * NULL); they belong to the context.
 * Returns NULL after one line on standard error: an unknown option comes with
 * the nearest known one.
 */
poptContext options_read(const char *subcommand, const char *usage, int argc, char **argv,
                         const struct poptOption *options, const char ***rest);

/*
 * Sends what is buffered. Returns false after one line on standard error, in
 * which what ("the report") stands for the text, if any of it was not written.
 */
bool end_output(FILE *stream, const char *what);

int command_run(int argc, char **argv);
int command_judge(int argc, char **argv);
int command_report(int argc, char **argv);
int command_matrix(int argc, char **argv);
int command_diff(int argc, char **argv);
int command_baseline(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_coverage(int argc, char **argv);
int command_mutants(int argc, char **argv);
int command_inject(int argc, char **argv);
int command_trace(int argc, char **argv);
int command_sweep(int argc, char **argv);
int command_clean(int argc, char **argv);

#endif
