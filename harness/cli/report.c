/* shmcheck report: files for programs and pages for people, made of records that are there. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "record_file.h"
#include "terminal_report.h"
#include "verdict_output.h"

static struct poptOption option_table[] = {
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, report_option_table, 0,
         "Reports, of which any may be asked for at once:", NULL},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, verdict_option_table, 0, "Verdicts:", NULL},
        POPT_AUTOHELP POPT_TABLEEND};

/* The name of the file, without its folder and what stands behind the last dot; the caller frees it. */
static char *short_name(const char *path)
{
        const char *slash = strrchr(path, '/');
        const char *name = slash ? slash + 1 : path;
        const char *dot = strrchr(name, '.');
        return dot && dot > name ? strndup(name, (size_t)(dot - name)) : strdup(name);
}

static bool is_shared(const char *name, const char *const *paths)
{
        size_t count = 0;
        for (; *paths; paths++) {
                char *other = short_name(*paths);
                count += other && strcmp(other, name) == 0;
                free(other);
        }
        return count > 1;
}

/* What a report of several records calls the record of the path; the caller frees it. */
static char *label_of(const char *path, const char *const *paths)
{
        if (strcmp(path, "-") == 0)
                return strdup("standard input");
        char *name = short_name(path);
        if (name && is_shared(name, paths)) {
                free(name);
                return strdup(path);
        }
        return name;
}

/* Returns the exit status that the record alone would have. */
static int add_record(const struct profiles *profiles, const struct record *record, const char *label, FILE *people,
                      struct report_files *reports)
{
        struct verdicts v;
        struct terminal_style style = {may_use_color(people), terminal_width(people)};
        if (!baseline_names_cases(record, profiles->baseline))
                return EXIT_USAGE;
        if (!judge_by_profiles(&v, record, profiles, label))
                return EXIT_HARNESS;
        int status = judgement_exit_status(v.main, record);
        reports_add(reports, &v.judged);
        terminal_closing(people, style, &v.judged);
        if (v.cut)
                complain("%s%s%s", label ? label : "", label ? ": " : "", v.cut);
        free_verdicts(&v);
        return status;
}

static int add_file(struct kept_profiles *kept, const struct locations *where, const char *path, const char *label,
                    FILE *people, struct report_files *reports)
{
        struct record_reader *reader = record_file_read(path);
        int status = EXIT_USAGE;
        if (!reader)
                return status;
        const struct record *record = record_reader_record(reader);
        if (keep_profiles_for(kept, where->profiles, record))
                status = add_record(&kept->profiles, record, label, people, reports);
        record_reader_free(reader);
        return status;
}

/* The gravest status of all; none of the files is written if a record cannot be read. */
static int report_files_of(const char *const *paths, size_t count, const struct locations *where)
{
        struct kept_profiles kept = {.sysname = NULL};
        struct report_files reports;
        bool redirected = false;
        int gravest = EXIT_AS_IT_MUST_BE;
        reports_open(&reports, &redirected);
        FILE *people = reports.output_taken ? stderr : stdout;
        reports_begin(&reports, count);
        for (size_t i = 0; i < count && gravest != EXIT_USAGE; i++) {
                char *label = count > 1 ? label_of(paths[i], paths) : NULL;
                int status = add_file(&kept, where, paths[i], label, people, &reports);
                gravest = status == EXIT_USAGE || status > gravest ? status : gravest;
                free(label);
        }
        bool written = gravest == EXIT_USAGE || reports_end(&reports);
        written = end_output(people, "the report") && written && !redirected;
        reports_discard(&reports);
        free_kept_profiles(&kept);
        return gravest == EXIT_USAGE || written ? gravest : EXIT_HARNESS;
}

/* What can be known before the first file is written is looked at first. */
static bool are_readable(const char *const *paths)
{
        size_t inputs = 0;
        for (; *paths; paths++) {
                if (strcmp(*paths, "-") == 0 ? inputs++ == 0 : access(*paths, R_OK) == 0)
                        continue;
                if (inputs > 1)
                        complain("report: standard input is one record, and - was given twice");
                else
                        complain("%s: %m", *paths);
                return false;
        }
        return true;
}

int command_report(int argc, char **argv)
{
        static struct locations where;
        const char **rest = NULL;
        poptContext context = options_read("report", "[OPTION...] RECORD...", argc, argv, option_table, &rest);
        if (!context)
                return EXIT_USAGE;
        int status = EXIT_USAGE;
        size_t count = 0;
        locations_find(&where);
        while (rest && rest[count])
                count++;
        if (count == 0)
                complain("report: takes records: files, or - for standard input");
        else if (!reports_wanted())
                complain("report: takes at least one report to write, such as --junit FILE; --help lists them");
        else if (reports_can_share(NULL, NULL) && verdict_options_check() && are_readable(rest))
                status = report_files_of(rest, count, &where);
        poptFreeContext(context);
        return status;
}
