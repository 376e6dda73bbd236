/* From a record to the reports on the terminal and in files: what `run` and `judge` share. */
#ifndef VERDICT_OUTPUT_H
#define VERDICT_OUTPUT_H

#include <popt.h>

#include "agent_process.h"
#include "baseline.h"
#include "judged_record.h"
#include "profile.h"
#include "report_files.h"

struct verdict_options {
        const char *profile;  /* NULL: linux on Linux, else posix */
        const char *baseline; /* a file, or NULL */
        const char *color;    /* auto, always, never; NULL is auto */
};

/* The options of popt for these, to be included in a subcommand's table: what judges, and that with the color. */
extern struct verdict_options verdict_options;
extern struct poptOption judge_option_table[];
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
 * Loads the profile that judges, those that are shown beside it, and the baseline.
 * sysname is the record's, to choose when the user did not; may be NULL.
 * Complains and returns false when one cannot be loaded.
 */
struct profiles {
        struct profile *main;
        struct profile *others[OTHER_PROFILES];
        size_t other_count;
        struct baseline *baseline; /* what main is held against, or NULL */
};
bool load_profiles(struct profiles *p, const char *directory, const char *sysname);
void free_profiles(struct profiles *p);

/* The same for a record that is there: what the user did not choose, its platform does. */
bool load_profiles_for(struct profiles *p, const char *directory, const struct record *record);

/* Profiles for one record after the other, which are loaded anew where the platform asks for others. Begins as {0}. */
struct kept_profiles {
        struct profiles profiles;
        char *sysname; /* whose they are; NULL: none are loaded */
};
bool keep_profiles_for(struct kept_profiles *kept, const char *directory, const struct record *record);
void free_kept_profiles(struct kept_profiles *kept);

/* What judging a record makes: its verdicts by each profile. */
struct verdicts {
        struct judged_record judged;
        struct judgement *main;
        struct judgement *others[OTHER_PROFILES];
        char *cut;
};

/* Judges the record, which has to live as long as the verdicts. Complains and returns false when memory is short. */
bool judge_by_profiles(struct verdicts *v, const struct record *record, const struct profiles *profiles,
                       const char *label);
void free_verdicts(struct verdicts *v);

/* Whether each entry of the baseline names a case, as far as a record of all cases can tell. Complains otherwise. */
bool baseline_names_cases(const struct record *record, const struct baseline *baseline);

/* Judges, prints the report to people, writes the other reports. Returns the exit status. */
int report_verdicts(const struct record *record, const struct profiles *profiles, FILE *people,
                    struct report_files *reports);

#endif
