/* shmcheck matrix: what several records say of the same behaviours, side by side. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "matrix_format.h"
#include "record_file.h"
#include "terminal_report.h"
#include "verdict_output.h"

enum output { OUTPUT_HTML, OUTPUT_MARKDOWN, OUTPUT_CSV, OUTPUT_JSON, OUTPUTS };

static const struct matrix_format *const formats[OUTPUTS] = {&matrix_html, &matrix_markdown, &matrix_csv, &matrix_json};
static const char *output_paths[OUTPUTS];
static char **names;

static struct poptOption option_table[] = {
        {"html", 0, POPT_ARG_STRING, &output_paths[OUTPUT_HTML], 0,
         "write one page for a browser to FILE, - for standard output; so do the following", "FILE"},
        {"markdown", 0, POPT_ARG_STRING, &output_paths[OUTPUT_MARKDOWN], 0,
         "as Markdown; to standard output where no file is asked for", "FILE"},
        {"csv", 0, POPT_ARG_STRING, &output_paths[OUTPUT_CSV], 0, "as comma-separated values", "FILE"},
        {"json", 0, POPT_ARG_STRING, &output_paths[OUTPUT_JSON], 0, "for programs", "FILE"},
        {"profile", 0, POPT_ARG_STRING, &verdict_options.profile, 0,
         "judge all of them by this profile (default: linux for Linux, else posix)", "NAME"},
        {"name", 0, POPT_ARG_ARGV, &names, 0, "what to call the platform; once a record, in the same order", "NAME"},
        POPT_AUTOHELP POPT_TABLEEND};

/* ---- the records ---- */

/* What tells the record from others of the same platform: its file's name, without what stands behind the last dot. */
static char *label_of(const char *path)
{
        const char *slash = strrchr(path, '/');
        const char *name = slash ? slash + 1 : path;
        const char *dot = strrchr(name, '.');
        if (strcmp(path, "-") == 0)
                return strdup("standard input");
        return dot && dot > name ? strndup(name, (size_t)(dot - name)) : strdup(name);
}

/* Returns the exit status that the record alone would have. */
static int add_judged(struct platform_matrix *matrix, const struct verdicts *v, const char *path, const char *name)
{
        if (!platform_matrix_add(matrix, &v->judged, name)) {
                complain("out of memory");
                return EXIT_HARNESS;
        }
        if (v->cut)
                complain("%s: %s", path, v->cut);
        return judgement_exit_status(v->main, v->judged.record);
}

static int add_record(struct platform_matrix *matrix, struct kept_profiles *kept, const char *path, const char *name,
                      const struct locations *where)
{
        struct record_reader *reader = record_file_read(path);
        struct verdicts v;
        if (!reader)
                return EXIT_USAGE;
        const struct record *record = record_reader_record(reader);
        int status = EXIT_USAGE;
        if (keep_profiles_for(kept, where->profiles, record)) {
                char *label = label_of(path);
                /* The others are of no use here, and judging takes time. */
                struct profiles alone = kept->profiles;
                alone.other_count = 0;
                status = EXIT_HARNESS;
                if (judge_by_profiles(&v, record, &alone, label)) {
                        status = add_judged(matrix, &v, path, name);
                        free_verdicts(&v);
                }
                free(label);
        }
        record_reader_free(reader);
        return status;
}

/* The gravest status of all. A record that cannot be read ends it. */
static int add_records(struct platform_matrix *matrix, struct kept_profiles *kept, const char *const *paths,
                       const struct locations *where)
{
        int gravest = EXIT_AS_IT_MUST_BE;
        for (size_t i = 0; paths[i]; i++) {
                int status = add_record(matrix, kept, paths[i], names ? names[i] : NULL, where);
                if (status == EXIT_USAGE)
                        return status;
                gravest = status > gravest ? status : gravest;
        }
        if (platform_matrix_finish(matrix))
                return gravest;
        complain("out of memory");
        return EXIT_HARNESS;
}

/* ---- the files ---- */

static bool write_file(const struct platform_matrix *matrix, const struct matrix_format *format,
                       struct output_file *file)
{
        char why[4200];
        if (!file->stream)
                return true;
        if (!format->write(matrix, file->stream) && stream_error(file->stream) == 0) {
                complain("--%s: out of memory", format->name);
                output_discard(file);
                return false;
        }
        if (output_commit(file, why, sizeof(why)))
                return true;
        complain("--%s %s", format->name, why);
        return false;
}

/* Opens what was asked for, before the records are read. Complains and returns false if one cannot be written. */
static bool open_files(struct output_file *files)
{
        char why[4200];
        memset(files, 0, OUTPUTS * sizeof(files[0]));
        for (size_t i = 0; i < OUTPUTS; i++) {
                if (!output_paths[i] || output_open(&files[i], output_paths[i], why, sizeof(why)))
                        continue;
                complain("--%s %s", formats[i]->name, why);
                return false;
        }
        return true;
}

static int write_matrix(const char *const *paths, size_t count, const struct locations *where)
{
        struct output_file files[OUTPUTS];
        struct platform_matrix *matrix = platform_matrix_new(count);
        struct kept_profiles kept = {.sysname = NULL};
        int status = EXIT_HARNESS;
        if (!matrix)
                complain("out of memory");
        else if (open_files(files)) {
                status = add_records(matrix, &kept, paths, where);
                for (size_t i = 0; i < OUTPUTS && status != EXIT_USAGE; i++) {
                        if (!write_file(matrix, formats[i], &files[i]))
                                status = EXIT_HARNESS;
                }
        }
        for (size_t i = 0; matrix && i < OUTPUTS; i++)
                output_discard(&files[i]);
        platform_matrix_free(matrix);
        free_kept_profiles(&kept);
        return status;
}

/* ---- the command line ---- */

static size_t count_words(const char *const *words)
{
        size_t count = 0;
        while (words && words[count])
                count++;
        return count;
}

static bool is_standard(const char *path)
{
        return path && strcmp(path, "-") == 0;
}

static bool outputs_can_share(void)
{
        const char *first = NULL;
        for (size_t i = 0; i < OUTPUTS; i++) {
                if (!is_standard(output_paths[i]))
                        continue;
                if (first) {
                        complain("matrix: --%s and --%s cannot both go to standard output", first, formats[i]->name);
                        return false;
                }
                first = formats[i]->name;
        }
        return true;
}

static bool words_are_good(const char *const *paths)
{
        size_t count = count_words(paths);
        size_t named = count_words((const char *const *)names);
        size_t inputs = 0;
        for (size_t i = 0; i < count; i++)
                inputs += is_standard(paths[i]);
        if (count == 0)
                complain("matrix: takes records: files, or - for standard input");
        else if (inputs > 1)
                complain("matrix: standard input is one record, and - was given %zu times", inputs);
        else if (named && named != count)
                complain("matrix: %zu names for %zu records; --name is given once a record, or not at all", named,
                         count);
        else
                return true;
        return false;
}

static bool wants_no_file(void)
{
        for (size_t i = 0; i < OUTPUTS; i++) {
                if (output_paths[i])
                        return false;
        }
        return true;
}

int command_matrix(int argc, char **argv)
{
        static struct locations where;
        const char **rest = NULL;
        poptContext context = options_read("matrix", "[OPTION...] RECORD...", argc, argv, option_table, &rest);
        int status = EXIT_USAGE;
        if (!context)
                return status;
        locations_find(&where);
        if (wants_no_file())
                output_paths[OUTPUT_MARKDOWN] = "-";
        if (words_are_good((const char *const *)rest) && outputs_can_share())
                status = write_matrix((const char *const *)rest, count_words((const char *const *)rest), &where);
        poptFreeContext(context);
        return status;
}
