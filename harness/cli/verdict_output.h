/* From a record to the reports on the terminal and in files: what `run` and `judge` share. */
#ifndef VERDICT_OUTPUT_H
#define VERDICT_OUTPUT_H

#include <popt.h>

#include "agent_process.h"
#include "output_file.h"
#include "baseline.h"
#include "profile.h"

struct verdict_options {
        const char *profile;  /* NULL: linux on Linux, else posix */
        const char *baseline; /* a file, or NULL */
        const char *json;     /* where the results go, or NULL */
        const char *color;    /* auto, always, never; NULL is auto */
};

/* The options of popt for these, to be included in a subcommand's table. */
extern struct verdict_options verdict_options;
extern struct poptOption verdict_option_table[];

/* Whether --color has a value that is known; complains otherwise. */
bool verdict_options_check(void);

/* Whether escape sequences may be written to the stream: --color, NO_COLOR, TERM, and whether it is a terminal. */
bool may_use_color(FILE *stream);

/* Columns of the terminal behind the stream; 0 if it is none. */
int terminal_width(FILE *stream);

/* The stream for people: standard error if one of the files is standard output. */
FILE *report_stream(const char *const *files, size_t count);

/*
 * Opens a file of results before anything is run. If it cannot be written one
 * line says so, standard output takes its place, and *redirected is set: the
 * exit status will be 3, and nothing is lost.
 */
void open_results(struct output_file *out, const char *path, const char *option, bool *redirected);

/*
 * Loads the profile that judges, those that are shown beside it, and the baseline.
 * sysname is the record's, to choose when the user did not; may be NULL.
 * Complains and returns false when one cannot be loaded.
 */
struct profiles {
        struct profile *main;
        struct profile *others[2];
        size_t other_count;
        struct baseline *baseline; /* what main is held against, or NULL */
};
bool load_profiles(struct profiles *p, const char *directory, const char *sysname);
void free_profiles(struct profiles *p);

/*
 * Judges, prints the report to people, writes the results to json (whose
 * stream is NULL if none is wanted). Returns the exit status.
 */
int report_verdicts(const struct record *record, const struct profiles *profiles, FILE *people,
                    struct output_file *json);

#endif
