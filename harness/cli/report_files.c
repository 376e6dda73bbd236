#include "report_files.h"

#include <string.h>

#include "cli.h"

const char *report_paths[REPORT_KINDS];

static const struct report_format *const formats[REPORT_KINDS] = {&json_format, &junit_format,    &tap_format,
                                                                  &ktap_format, &markdown_format, &html_format};

struct poptOption report_option_table[] = {
        {"json", 0, POPT_ARG_STRING, &report_paths[REPORT_JSON], 0,
         "write the results to FILE, - for standard output; so do the following", "FILE"},
        {"junit", 0, POPT_ARG_STRING, &report_paths[REPORT_JUNIT], 0, "as JUnit's XML, for Jenkins, GitLab and others",
         "FILE"},
        {"tap", 0, POPT_ARG_STRING, &report_paths[REPORT_TAP], 0,
         "as TAP 14, or 13 if the environment has TAP_VERSION=13", "FILE"},
        {"ktap", 0, POPT_ARG_STRING, &report_paths[REPORT_KTAP], 0, "as the kernel's TAP", "FILE"},
        {"markdown", 0, POPT_ARG_STRING, &report_paths[REPORT_MARKDOWN], 0,
         "as Markdown that fits a comment on a pull request", "FILE"},
        {"html", 0, POPT_ARG_STRING, &report_paths[REPORT_HTML], 0, "as one page for a browser, which needs no network",
         "FILE"},
        POPT_TABLEEND};

static bool is_output(const char *path)
{
        return path && strcmp(path, "-") == 0;
}

bool reports_wanted(void)
{
        for (size_t i = 0; i < REPORT_KINDS; i++) {
                if (report_paths[i])
                        return true;
        }
        return false;
}

bool reports_take_output(void)
{
        for (size_t i = 0; i < REPORT_KINDS; i++) {
                if (is_output(report_paths[i]))
                        return true;
        }
        return false;
}

bool reports_can_share(const char *option, const char *path)
{
        const char *first = NULL;
        for (size_t i = 0; i < REPORT_KINDS; i++) {
                if (!is_output(report_paths[i]))
                        continue;
                if (first) {
                        complain("--%s and --%s cannot both go to standard output", first, formats[i]->name);
                        return false;
                }
                first = formats[i]->name;
        }
        if (!first || !is_output(path))
                return true;
        complain("--%s and %s cannot both go to standard output", first, option);
        return false;
}

static void open_or_redirect(struct output_file *out, const char *path, const char *option, bool *taken,
                             bool *redirected)
{
        char why[4200];
        memset(out, 0, sizeof(*out));
        if (!path || output_open(out, path, why, sizeof(why)))
                return;
        complain("%s %s; %s", option, why,
                 *taken ? "it is left out, as standard output has something else"
                        : "it goes to standard output instead");
        if (!*taken)
                output_open(out, "-", why, sizeof(why));
        *taken = true;
        *redirected = true;
}

void open_results(struct output_file *out, const char *path, const char *option, bool *redirected)
{
        bool taken = false;
        open_or_redirect(out, path, option, &taken, redirected);
}

void reports_open_beside(struct report_files *reports, struct output_file *out, const char *path, const char *option,
                         bool *redirected)
{
        open_or_redirect(out, path, option, &reports->output_taken, redirected);
}

void reports_open(struct report_files *reports, bool *redirected)
{
        memset(reports, 0, sizeof(*reports));
        reports->output_taken = reports_take_output();
        for (size_t i = 0; i < REPORT_KINDS; i++) {
                char option[32];
                snprintf(option, sizeof(option), "--%s", formats[i]->name);
                reports_open_beside(reports, &reports->files[i], report_paths[i], option, redirected);
        }
}

/* ---- drawing ---- */

static void begin(struct report_files *reports, size_t kind, size_t records)
{
        if (reports->files[kind].stream)
                reports->states[kind] = formats[kind]->begin(reports->files[kind].stream, records);
}

/* Ends one report. Returns false after a line about what is wrong with its file, the line ending with outcome. */
static bool end(struct report_files *reports, size_t kind, const char *outcome)
{
        struct output_file *file = &reports->files[kind];
        char why[4200];
        if (!file->stream)
                return true;
        bool drawn = reports->states[kind] && formats[kind]->end(reports->states[kind]);
        reports->states[kind] = NULL;
        if (!drawn && stream_error(file->stream) == 0) {
                complain("--%s: out of memory", formats[kind]->name);
                output_discard(file);
                return false;
        }
        if (output_commit(file, why, sizeof(why)))
                return true;
        complain("--%s %s%s", formats[kind]->name, why, outcome);
        return false;
}

void reports_begin(struct report_files *reports, size_t records)
{
        for (size_t i = 0; i < REPORT_KINDS; i++)
                begin(reports, i, records);
}

void reports_add(struct report_files *reports, const struct judged_record *judged)
{
        for (size_t i = 0; i < REPORT_KINDS; i++) {
                if (reports->states[i])
                        formats[i]->add(reports->states[i], judged);
        }
}

bool reports_end(struct report_files *reports)
{
        bool good = true;
        for (size_t i = 0; i < REPORT_KINDS; i++)
                good &= end(reports, i, "");
        return good;
}

static bool write_one(struct report_files *reports, size_t kind, const struct judged_record *judged)
{
        bool instead = !reports->output_taken && reports->files[kind].stream != stdout;
        begin(reports, kind, 1);
        if (reports->states[kind])
                formats[kind]->add(reports->states[kind], judged);
        if (end(reports, kind, instead ? "; it goes to standard output instead" : ""))
                return true;
        void *state = instead ? formats[kind]->begin(stdout, 1) : NULL;
        if (state) {
                reports->output_taken = true;
                formats[kind]->add(state, judged);
                formats[kind]->end(state);
        }
        return false;
}

bool reports_write(struct report_files *reports, const struct judged_record *judged)
{
        bool good = true;
        for (size_t i = 0; i < REPORT_KINDS; i++)
                good &= write_one(reports, i, judged);
        return good;
}

void reports_discard(struct report_files *reports)
{
        for (size_t i = 0; i < REPORT_KINDS; i++) {
                if (reports->states[i])
                        formats[i]->end(reports->states[i]);
                reports->states[i] = NULL;
                output_discard(&reports->files[i]);
        }
}
