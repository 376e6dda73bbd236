#include "verdict_output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli.h"
#include "json_report.h"
#include "nearest.h"
#include "terminal_report.h"

struct verdict_options verdict_options;

struct poptOption verdict_option_table[] = {
        {"profile", 0, POPT_ARG_STRING, &verdict_options.profile, 0,
         "judge by this profile: a name, or a file if it has a slash (default: linux on Linux, else posix)", "NAME"},
        {"baseline", 0, POPT_ARG_STRING, &verdict_options.baseline, 0, "divergences that are accepted, one case a line",
         "FILE"},
        {"json", 0, POPT_ARG_STRING, &verdict_options.json, 0, "write the results to FILE, - for standard output",
         "FILE"},
        {"color", 0, POPT_ARG_STRING, &verdict_options.color, 0, "auto (default), always or never", "WHEN"},
        POPT_TABLEEND};

bool verdict_options_check(void)
{
        const char *color = verdict_options.color;
        if (!color || strcmp(color, "auto") == 0 || strcmp(color, "always") == 0 || strcmp(color, "never") == 0)
                return true;
        complain("--color %s: takes auto, always or never", color);
        return false;
}

bool may_use_color(FILE *stream)
{
        const char *color = verdict_options.color;
        if (color && strcmp(color, "always") == 0)
                return true;
        if (color && strcmp(color, "never") == 0)
                return false;
        const char *no_color = getenv("NO_COLOR");
        const char *term = getenv("TERM");
        return !(no_color && *no_color) && term && strcmp(term, "dumb") != 0 && isatty(fileno(stream));
}

int terminal_width(FILE *stream)
{
        struct winsize size;
        if (!isatty(fileno(stream)))
                return 0;
        if (ioctl(fileno(stream), TIOCGWINSZ, &size) == -1 || size.ws_col == 0)
                return 80;
        return size.ws_col;
}

FILE *report_stream(const char *const *files, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                if (files[i] && strcmp(files[i], "-") == 0)
                        return stderr;
        }
        return stdout;
}

void open_results(struct output_file *out, const char *path, const char *option, bool *redirected)
{
        char why[4200];
        memset(out, 0, sizeof(*out));
        if (!path || output_open(out, path, why, sizeof(why)))
                return;
        complain("%s %s; it goes to standard output instead", option, why);
        output_open(out, "-", why, sizeof(why));
        *redirected = true;
}

static bool load_baseline(struct profiles *p)
{
        char why[4200];
        if (!verdict_options.baseline)
                return true;
        p->baseline = baseline_load(verdict_options.baseline, time(NULL), why, sizeof(why));
        if (!p->baseline) {
                complain("--baseline %s", why);
                return false;
        }
        for (size_t i = 0; i < p->baseline->count; i++) {
                const struct baseline_entry *e = &p->baseline->entries[i];
                if (e->expired)
                        complain("%s:%zu: the entry for %s ended with %s and counts no more", verdict_options.baseline,
                                 e->line, e->id, e->until);
        }
        return true;
}

bool load_profiles(struct profiles *p, const char *directory, const char *sysname)
{
        char why[4200];
        const char *name = verdict_options.profile;
        memset(p, 0, sizeof(*p));
        if (!name)
                name = !sysname || strcmp(sysname, "Linux") == 0 ? "linux" : "posix";
        p->main = profile_load(directory, name, why, sizeof(why));
        if (!p->main) {
                complain("%s", why);
                return false;
        }
        static const char *const shown[] = {"posix", "linux"};
        for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
                if (strcmp(p->main->name, shown[i]) == 0)
                        continue;
                struct profile *other = profile_load(directory, shown[i], why, sizeof(why));
                if (!other) {
                        complain("%s", why);
                        free_profiles(p);
                        return false;
                }
                p->others[p->other_count++] = other;
        }
        if (load_baseline(p))
                return true;
        free_profiles(p);
        return false;
}

void free_profiles(struct profiles *p)
{
        profile_free(p->main);
        baseline_free(p->baseline);
        for (size_t i = 0; i < p->other_count; i++)
                profile_free(p->others[i]);
        memset(p, 0, sizeof(*p));
}

/* Writes the results; when their file does not take them, standard output does. */
static bool write_json(json_t *report, struct output_file *json)
{
        char why[4200];
        if (json_dumpf(report, json->stream, JSON_INDENT(1)) == 0)
                fputc('\n', json->stream);
        bool to_stdout = json->stream == stdout;
        if (output_commit(json, why, sizeof(why)))
                return true;
        complain("--json %s%s", why, to_stdout ? "" : "; it goes to standard output instead");
        if (!to_stdout) {
                json_dumpf(report, stdout, JSON_INDENT(1));
                fputc('\n', stdout);
        }
        return false;
}

/* Whether each entry of the baseline names a case, as far as a record of all cases can tell. Complains otherwise. */
static bool baseline_names_cases(const struct record *record, const struct baseline *baseline)
{
        json_int_t all = json_integer_value(json_object_get(record->start, "all_cases"));
        bool good = true;
        if (!baseline || (json_int_t)record->case_count != all)
                return true;
        json_t *ids = json_array();
        for (size_t i = 0; i < record->case_count; i++)
                json_array_append_new(ids, json_string(record->cases[i].id));
        for (size_t i = 0; i < baseline->count; i++) {
                const struct baseline_entry *e = &baseline->entries[i];
                const char *nearest = nearest_name(e->id, ids);
                if (nearest && strcmp(nearest, e->id) == 0)
                        continue;
                complain("%s:%zu: no case is called '%s'; the nearest is '%s'", verdict_options.baseline, e->line,
                         e->id, nearest ? nearest : "none");
                good = false;
        }
        json_decref(ids);
        return good;
}

int report_verdicts(const struct record *record, const struct profiles *profiles, FILE *people,
                    struct output_file *json)
{
        struct judgement *main = judge_record(record, profiles->main, profiles->baseline);
        struct judgement *others[2] = {NULL, NULL};
        bool judged = main != NULL;
        for (size_t i = 0; i < profiles->other_count; i++) {
                others[i] = judge_record(record, profiles->others[i], NULL);
                judged = judged && others[i];
        }
        int status = EXIT_HARNESS;
        if (judged) {
                const struct judgement *const shown[2] = {others[0], others[1]};
                struct terminal_style style = {may_use_color(people), terminal_width(people)};
                status = judgement_exit_status(main, record);
                terminal_report(people, style, record, main, shown, profiles->other_count);
                bool written = end_output(people, "the report");
                if (json->stream) {
                        json_t *report = json_report(record, main, shown, profiles->other_count);
                        written = report && write_json(report, json) && written;
                        json_decref(report);
                }
                if (!written)
                        status = EXIT_HARNESS;
                else if (!baseline_names_cases(record, profiles->baseline))
                        status = EXIT_USAGE;
        } else {
                complain("out of memory");
        }
        if (!record_is_complete(record)) {
                char *cut = record_describe_cut(record);
                complain("%s", cut ? cut : "the record is cut short");
                free(cut);
        }
        judgement_free(main);
        for (size_t i = 0; i < profiles->other_count; i++)
                judgement_free(others[i]);
        return status;
}
