#include "verdict_output.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "nearest.h"
#include "terminal_report.h"

struct verdict_options verdict_options;

struct poptOption judge_option_table[] = {
        {"profile", 0, POPT_ARG_STRING, &verdict_options.profile, 0,
         "judge by this profile: a name, or a file if it has a slash (default: linux on Linux, else posix)", "NAME"},
        {"baseline", 0, POPT_ARG_STRING, &verdict_options.baseline, 0, "divergences that are accepted, one case a line",
         "FILE"},
        POPT_TABLEEND};

struct poptOption verdict_option_table[] = {
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, judge_option_table, 0, NULL, NULL},
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

static const char *sysname_of(const struct record *record)
{
        return json_string_value(json_object_get(json_object_get(record->start, "platform"), "sysname"));
}

bool load_profiles_for(struct profiles *p, const char *directory, const struct record *record)
{
        return load_profiles(p, directory, sysname_of(record));
}

bool keep_profiles_for(struct kept_profiles *kept, const char *directory, const struct record *record)
{
        const char *sysname = sysname_of(record);
        if (kept->sysname && strcmp(kept->sysname, sysname ? sysname : "") == 0)
                return true;
        free_kept_profiles(kept);
        if (!load_profiles_for(&kept->profiles, directory, record))
                return false;
        kept->sysname = strdup(sysname ? sysname : "");
        if (kept->sysname)
                return true;
        complain("out of memory");
        free_profiles(&kept->profiles);
        return false;
}

void free_kept_profiles(struct kept_profiles *kept)
{
        if (kept->sysname)
                free_profiles(&kept->profiles);
        free(kept->sysname);
        kept->sysname = NULL;
}

void free_profiles(struct profiles *p)
{
        profile_free(p->main);
        baseline_free(p->baseline);
        for (size_t i = 0; i < p->other_count; i++)
                profile_free(p->others[i]);
        memset(p, 0, sizeof(*p));
}

/* Whether the record has all cases that its agent has: what it does not have is nowhere. */
static bool has_all_cases(const struct record *record)
{
        return (json_int_t)record->case_count == json_integer_value(json_object_get(record->start, "all_cases"));
}

/* An array of the ids, which the caller frees. */
static json_t *case_ids(const struct record *record)
{
        json_t *ids = json_array();
        for (size_t i = 0; i < record->case_count; i++)
                json_array_append_new(ids, json_string(record->cases[i].id));
        return ids;
}

static bool is_among(const char *name, const json_t *ids)
{
        size_t i = 0;
        json_t *id = NULL;
        json_array_foreach(ids, i, id)
        {
                if (strcmp(name, json_string_value(id)) == 0)
                        return true;
        }
        return false;
}

static bool fits_one(const char *pattern, const json_t *ids)
{
        size_t i = 0;
        json_t *id = NULL;
        json_array_foreach(ids, i, id)
        {
                if (fnmatch(pattern, json_string_value(id), 0) == 0)
                        return true;
        }
        return false;
}

static const char *nearest_or_none(const char *name, const json_t *ids)
{
        const char *nearest = nearest_name(name, ids);
        return nearest ? nearest : "none";
}

bool baseline_names_cases(const struct record *record, const struct baseline *baseline)
{
        bool good = true;
        if (!baseline || !has_all_cases(record))
                return true;
        json_t *ids = case_ids(record);
        for (size_t i = 0; i < baseline->count; i++) {
                const struct baseline_entry *e = &baseline->entries[i];
                if (is_among(e->id, ids))
                        continue;
                complain("%s:%zu: no case is called '%s'; the nearest is '%s'", verdict_options.baseline, e->line,
                         e->id, nearest_or_none(e->id, ids));
                good = false;
        }
        json_decref(ids);
        return good;
}

static void check_override(const char *profile_name, size_t number, const char *cases, bool is_pattern, void *arg)
{
        const json_t *ids = arg;
        if (is_pattern && !fits_one(cases, ids))
                complain("profile '%s': override %zu: no case of the record fits '%s'", profile_name, number, cases);
        else if (!is_pattern && !is_among(cases, ids))
                complain("profile '%s': override %zu: no case of the record is called '%s'; the nearest is '%s'",
                         profile_name, number, cases, nearest_or_none(cases, ids));
}

/* No more than a line: the record can be of an agent that had other cases. */
static void tell_overrides_without_case(const struct record *record, const struct profile *profile)
{
        if (!has_all_cases(record))
                return;
        json_t *ids = case_ids(record);
        profile_each_case(profile, check_override, ids);
        json_decref(ids);
}

bool judge_by_profiles(struct verdicts *v, const struct record *record, const struct profiles *profiles,
                       const char *label)
{
        memset(v, 0, sizeof(*v));
        v->main = judge_record(record, profiles->main, profiles->baseline);
        v->judged = (struct judged_record){
                .label = label, .record = record, .main = v->main, .other_count = profiles->other_count};
        bool judged = v->main != NULL;
        for (size_t i = 0; i < profiles->other_count; i++) {
                v->others[i] = judge_record(record, profiles->others[i], NULL);
                v->judged.others[i] = v->others[i];
                judged = judged && v->others[i];
        }
        if (!record_is_complete(record)) {
                v->cut = record_describe_cut(record);
                v->judged.cut = v->cut;
                judged = judged && v->cut;
        }
        if (judged)
                return true;
        complain("out of memory");
        free_verdicts(v);
        return false;
}

void free_verdicts(struct verdicts *v)
{
        judgement_free(v->main);
        for (size_t i = 0; i < OTHER_PROFILES; i++)
                judgement_free(v->others[i]);
        free(v->cut);
        memset(v, 0, sizeof(*v));
}

int report_verdicts(const struct record *record, const struct profiles *profiles, FILE *people,
                    struct report_files *reports)
{
        struct verdicts v;
        struct terminal_style style = {may_use_color(people), terminal_width(people)};
        if (!judge_by_profiles(&v, record, profiles, NULL))
                return EXIT_HARNESS;
        int status = judgement_exit_status(v.main, record);
        terminal_report(people, style, &v.judged);
        bool written = end_output(people, "the report");
        written = reports_write(reports, &v.judged) && written;
        if (!written)
                status = EXIT_HARNESS;
        else if (!baseline_names_cases(record, profiles->baseline))
                status = EXIT_USAGE;
        tell_overrides_without_case(record, profiles->main);
        if (v.cut)
                complain("%s", v.cut);
        free_verdicts(&v);
        return status;
}
