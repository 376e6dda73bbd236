/* The files that a sweep writes its reports to: an option a format. */
#ifndef SWEEP_FILES_H
#define SWEEP_FILES_H

#include <popt.h>

#include "output_file.h"
#include "sweep.h"

enum sweep_format { SWEEP_AS_JSON, SWEEP_AS_JUNIT, SWEEP_AS_MARKDOWN, SWEEP_AS_HTML, SWEEP_FORMATS };

/* --json FILE and so on, to be included in the subcommand's table, and what they were given, or NULL. */
extern struct poptOption sweep_file_table[];
extern const char *sweep_paths[SWEEP_FORMATS];

struct sweep_files {
        struct output_file files[SWEEP_FORMATS];
};

/*
 * Opens what was asked for, before anything is run. Returns false after one
 * line on standard error; sweep_files_discard is to be called all the same.
 */
bool sweep_files_open(struct sweep_files *f);

/* Writes all of them. Returns false after one line on standard error for each that could not be written. */
bool sweep_files_write(struct sweep_files *f, const struct sweep *s);

/* Forgets what was not written. */
void sweep_files_discard(struct sweep_files *f);

#endif
