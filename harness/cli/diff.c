/* shmcheck diff: what changed between two records. */
#include <string.h>

#include "case_text.h"
#include "cli.h"
#include "diff_json.h"
#include "diff_markdown.h"
#include "diff_text.h"
#include "record_file.h"
#include "verdict_output.h"

enum side { OLD, NEW, SIDES };
enum output { OUTPUT_MARKDOWN, OUTPUT_JSON, OUTPUTS };

static const struct {
        const char *name;
        bool (*write)(FILE *out, const struct compared *c);
} formats[OUTPUTS] = {[OUTPUT_MARKDOWN] = {"markdown", diff_markdown}, [OUTPUT_JSON] = {"json", diff_json}};

static const char *output_paths[OUTPUTS];

static struct poptOption option_table[] = {
        {"markdown", 0, POPT_ARG_STRING, &output_paths[OUTPUT_MARKDOWN], 0,
         "write it to FILE as Markdown that fits a comment on a pull request, - for standard output", "FILE"},
        {"json", 0, POPT_ARG_STRING, &output_paths[OUTPUT_JSON], 0, "for programs", "FILE"},
        {"profile", 0, POPT_ARG_STRING, &verdict_options.profile, 0,
         "judge both by this profile: a name, or a file if it has a slash (default: linux if both are of Linux, else "
         "posix)",
         "NAME"},
        {"color", 0, POPT_ARG_STRING, &verdict_options.color, 0, "auto (default), always or never", "WHEN"},
        POPT_AUTOHELP POPT_TABLEEND};

/* ---- the files ---- */

static bool open_files(struct output_file *files)
{
        char why[4200];
        memset(files, 0, OUTPUTS * sizeof(files[0]));
        for (size_t i = 0; i < OUTPUTS; i++) {
                if (!output_paths[i] || output_open(&files[i], output_paths[i], why, sizeof(why)))
                        continue;
                complain("--%s %s", formats[i].name, why);
                return false;
        }
        return true;
}

static bool write_file(size_t kind, struct output_file *file, const struct compared *c)
{
        char why[4200];
        if (!file->stream)
                return true;
        if (!formats[kind].write(file->stream, c) && stream_error(file->stream) == 0) {
                complain("--%s: out of memory", formats[kind].name);
                output_discard(file);
                return false;
        }
        if (output_commit(file, why, sizeof(why)))
                return true;
        complain("--%s %s", formats[kind].name, why);
        return false;
}

static bool write_reports(struct output_file *files, const struct compared *c)
{
        FILE *people = report_stream(output_paths, OUTPUTS);
        struct terminal_style style = {may_use_color(people), terminal_width(people)};
        diff_text(people, style, c);
        bool written = end_output(people, "the report");
        for (size_t i = 0; i < OUTPUTS; i++)
                written = write_file(i, &files[i], c) && written;
        return written;
}

/* ---- the records ---- */

static int exit_status(const struct compared *c)
{
        if (c->difference->by_change[CHANGE_REGRESSION])
                return EXIT_DIVERGES;
        return difference_is_whole(c->difference, c->before->record, c->after->record) ? EXIT_AS_IT_MUST_BE
                                                                                       : EXIT_HARNESS;
}

static int compare(const struct verdicts *v, const char *const *paths, struct output_file *files)
{
        struct difference *difference = difference_of(v[OLD].main, v[NEW].main);
        const struct compared c = {&v[OLD].judged, &v[NEW].judged, difference};
        int status = EXIT_HARNESS;
        if (!difference)
                complain("out of memory");
        else if (write_reports(files, &c))
                status = exit_status(&c);
        for (size_t i = 0; i < SIDES; i++) {
                if (v[i].cut)
                        complain("%s: %s", paths[i], v[i].cut);
        }
        difference_free(difference);
        return status;
}

static int judge_both(const struct record *const *records, const struct profiles *profiles, const char *const *paths,
                      struct output_file *files)
{
        struct verdicts v[SIDES];
        struct profiles alone = *profiles;
        int status = EXIT_HARNESS;
        alone.other_count = 0;
        if (!judge_by_profiles(&v[OLD], records[OLD], &alone, paths[OLD]))
                return status;
        if (judge_by_profiles(&v[NEW], records[NEW], &alone, paths[NEW])) {
                status = compare(v, paths, files);
                free_verdicts(&v[NEW]);
        }
        free_verdicts(&v[OLD]);
        return status;
}

/* The system that both are of; "" for two, which only POSIX is promised by. */
static const char *common_sysname(const struct record *const *records)
{
        const char *names[SIDES];
        for (size_t i = 0; i < SIDES; i++)
                names[i] = start_text(json_object_get(records[i]->start, "platform"), "sysname");
        return strcmp(names[OLD], names[NEW]) == 0 ? names[OLD] : "";
}

static int diff_records(struct record_reader *const *readers, const char *const *paths, const struct locations *where)
{
        const struct record *records[SIDES] = {record_reader_record(readers[OLD]), record_reader_record(readers[NEW])};
        struct output_file files[OUTPUTS];
        struct profiles profiles;
        int status = EXIT_HARNESS;
        if (!load_profiles(&profiles, where->profiles, common_sysname(records)))
                return EXIT_USAGE;
        if (open_files(files))
                status = judge_both(records, &profiles, paths, files);
        for (size_t i = 0; i < OUTPUTS; i++)
                output_discard(&files[i]);
        free_profiles(&profiles);
        return status;
}

static int diff_files(const char *const *paths, const struct locations *where)
{
        struct record_reader *readers[SIDES] = {record_file_read(paths[OLD]), NULL};
        int status = EXIT_USAGE;
        if (readers[OLD])
                readers[NEW] = record_file_read(paths[NEW]);
        if (readers[NEW])
                status = diff_records(readers, paths, where);
        record_reader_free(readers[OLD]);
        record_reader_free(readers[NEW]);
        return status;
}

/* ---- the command line ---- */

static bool is_standard(const char *path)
{
        return path && strcmp(path, "-") == 0;
}

static bool words_are_good(const char *const *words)
{
        if (!words || !words[OLD] || !words[NEW] || words[SIDES])
                complain("diff: takes two records, the old and the new: files, or - for standard input");
        else if (is_standard(words[OLD]) && is_standard(words[NEW]))
                complain("diff: standard input is one record, and - was given twice");
        else if (is_standard(output_paths[OUTPUT_MARKDOWN]) && is_standard(output_paths[OUTPUT_JSON]))
                complain("diff: --markdown and --json cannot both go to standard output");
        else
                return verdict_options_check();
        return false;
}

int command_diff(int argc, char **argv)
{
        static struct locations where;
        const char **rest = NULL;
        poptContext context = options_read("diff", "[OPTION...] OLD NEW", argc, argv, option_table, &rest);
        int status = EXIT_USAGE;
        if (!context)
                return status;
        locations_find(&where);
        if (words_are_good((const char *const *)rest))
                status = diff_files((const char *const *)rest, &where);
        poptFreeContext(context);
        return status;
}
