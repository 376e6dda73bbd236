/* The reports that a run, a judgement or a report writes to files: an option a format. */
#ifndef REPORT_FILES_H
#define REPORT_FILES_H

#include <popt.h>

#include "output_file.h"
#include "report_format.h"

enum report_kind { REPORT_JSON, REPORT_JUNIT, REPORT_TAP, REPORT_KTAP, REPORT_MARKDOWN, REPORT_HTML, REPORT_KINDS };

/* --json FILE and so on, to be included in a subcommand's table; and what they were given, or NULL. */
extern struct poptOption report_option_table[];
extern const char *report_paths[REPORT_KINDS];

struct report_files {
        struct output_file files[REPORT_KINDS];
        void *states[REPORT_KINDS];
        bool output_taken; /* standard output is one of them, or stands in for one */
};

/* Whether a report was asked for. */
bool reports_wanted(void);

/*
 * Whether at most one report, or the file of another option (option and path;
 * path may be NULL), goes to standard output. Complains otherwise.
 */
bool reports_can_share(const char *option, const char *path);

/* Whether one of them goes to standard output. */
bool reports_take_output(void);

/*
 * Opens the files before anything is run. For one that cannot be written one
 * line says so, standard output takes its place if that is free, and
 * *redirected is set: the exit status will be 3, and nothing is lost.
 */
void reports_open(struct report_files *reports, bool *redirected);

/* The same for the file of another option beside them. path may be NULL: out's stream is then NULL, too. */
void reports_open_beside(struct report_files *reports, struct output_file *out, const char *path, const char *option,
                         bool *redirected);

/* The same for one file that is alone. */
void open_results(struct output_file *out, const char *path, const char *option, bool *redirected);

/*
 * For several records, each of which is gone before the next one comes.
 * reports_begin and reports_add complain of nothing; reports_end does, and
 * returns false if a file is not what it should be.
 */
void reports_begin(struct report_files *reports, size_t records);
void reports_add(struct report_files *reports, const struct judged_record *judged);
bool reports_end(struct report_files *reports);

/*
 * Writes all of them for one record. A file that does not take its report
 * (a full disk) stays as it was, one line says so, and standard output takes
 * the report if that is free. Returns false if there was one.
 */
bool reports_write(struct report_files *reports, const struct judged_record *judged);

/* Forgets what was not written to its end. */
void reports_discard(struct report_files *reports);

#endif
