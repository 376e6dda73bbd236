/* shmcheck run: starts the agent here, reads its record, judges it. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "target.h"
#include "verdict_output.h"

#define WORDS 600

static struct {
        int list;
        char **filters;
        char **excepted;
        const char *record;
        const char *isolation;
        const char *timeout;
        const char *stress;
        const char *jobs;
        const char *repeat;
        const char *preload;
        const char *agent;
} run_options;

static struct poptOption option_table[] = {
        {"filter", 'f', POPT_ARG_ARGV, &run_options.filters, 0,
         "only the cases whose id matches; may be given again, and words after the options are filters too", "GLOB"},
        {"except", 0, POPT_ARG_ARGV, &run_options.excepted, 0, "none of these; may be given again", "GLOB"},
        {"list", 0, POPT_ARG_NONE, &run_options.list, 0, "what cases there are, one a line; nothing is run", NULL},
        {"record", 0, POPT_ARG_STRING, &run_options.record, 0,
         "keep the record (the facts) in FILE, - for standard output", "FILE"},
        {"preload", 0, POPT_ARG_STRING, &run_options.preload, 0, "judge a library that implements or wraps the calls",
         "LIB"},
        {"repeat", 0, POPT_ARG_STRING, &run_options.repeat, 0, "each case N times; a verdict that changes is flaky",
         "N"},
        {"jobs", 'j', POPT_ARG_STRING, &run_options.jobs, 0, "cases side by side (default: processors)", "N"},
        {"timeout", 0, POPT_ARG_STRING, &run_options.timeout, 0, "what a case may take (default 5)", "SECONDS"},
        {"stress", 0, POPT_ARG_STRING, &run_options.stress, 0, "races go on for so long each", "SECONDS"},
        {"isolation", 0, POPT_ARG_STRING, &run_options.isolation, 0, "auto (default), ipcns, userns or host", "MODE"},
        {"agent", 0, POPT_ARG_STRING, &run_options.agent, 0, "another build of the agent", "FILE"},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, target_option_table, 0, "Elsewhere than here:", NULL},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, verdict_option_table, 0, "Verdicts:", NULL},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, report_option_table, 0, "Reports beside the one for people:", NULL},
        POPT_AUTOHELP POPT_TABLEEND};

struct words {
        const char *word[WORDS];
        size_t count;
};

static bool add_word(struct words *w, const char *word)
{
        if (w->count + 1 == WORDS) {
                complain("run: too many filters");
                return false;
        }
        w->word[w->count++] = word;
        return true;
}

static bool is_number(const char *text, double low, double high, bool whole)
{
        char *end = NULL;
        errno = 0;
        double n = strtod(text, &end);
        return !errno && end != text && !*end && n >= low && n <= high &&
               (!whole || strspn(text, "0123456789") == strlen(text));
}

static bool check_values(void)
{
        static const char *const modes[] = {"auto", "ipcns", "userns", "host"};
        bool known = !run_options.isolation;
        for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]) && !known; i++)
                known = strcmp(run_options.isolation, modes[i]) == 0;
        if (!known)
                complain("--isolation %s: takes auto, ipcns, userns or host", run_options.isolation);
        else if (run_options.jobs && !is_number(run_options.jobs, 1, 1024, true))
                complain("--jobs %s: takes a whole number from 1 to 1024", run_options.jobs);
        else if (run_options.repeat && !is_number(run_options.repeat, 1, 100000, true))
                complain("--repeat %s: takes a whole number from 1 to 100000", run_options.repeat);
        else if (run_options.timeout && !is_number(run_options.timeout, 0.01, 86400, false))
                complain("--timeout %s: takes seconds from 0.01 to 86400", run_options.timeout);
        else if (run_options.stress && !is_number(run_options.stress, 0.01, 86400, false))
                complain("--stress %s: takes seconds from 0.01 to 86400", run_options.stress);
        else if (run_options.preload && target_wanted())
                complain("--preload is for an agent that is started here; --target preload takes a library too");
        else
                return reports_can_share("--record", run_options.record) && verdict_options_check();
        return false;
}

/* The dynamic linker skips a library that it cannot load, so what can be known of it is looked at first. */
static char *find_preload(void)
{
        char *path = realpath(run_options.preload, NULL);
        struct stat st;
        if (path && stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
                complain("--preload %s: not a file", run_options.preload);
                free(path);
                return NULL;
        }
        if (!path || access(path, R_OK) == -1) {
                complain("--preload %s: %s", run_options.preload, strerror(errno));
                free(path);
                return NULL;
        }
        return path;
}

/* ---- the progress line ---- */

struct progress {
        FILE *stream;
        bool shown;
};

static void show_progress(const struct record *record, void *arg)
{
        struct progress *p = arg;
        if (!record->start)
                return;
        const char *running = json_object_iter_key(json_object_iter(record->running));
        long long all = (long long)json_integer_value(json_object_get(record->start, "results"));
        int room = terminal_width(p->stream) - 24;
        fprintf(p->stream, "\r%zu/%lld %.*s\033[K", record->results, all, room > 0 ? room : 0, running ? running : "");
        fflush(p->stream);
        p->shown = true;
}

static bool may_show_progress(FILE *stream)
{
        const char *term = getenv("TERM");
        return isatty(fileno(stream)) && term && strcmp(term, "dumb") != 0;
}

static void end_progress(struct progress *p)
{
        if (p->shown) {
                fputs("\r\033[K", p->stream);
                fflush(p->stream);
        }
}

/* ---- list ---- */

static int print_list(const struct record *record)
{
        size_t i = 0;
        json_t *entry = NULL;
        int width = 0;
        json_array_foreach(record->listed, i, entry)
        {
                int length = (int)json_string_length(json_object_get(entry, "id"));
                width = length > width ? length : width;
        }
        json_array_foreach(record->listed, i, entry)
                printf("%-*s  %-18s  %s\n", width, json_string_value(json_object_get(entry, "id")),
                       json_string_value(json_object_get(entry, "level")),
                       json_string_value(json_object_get(entry, "sentence")));
        return end_output(stdout, "the list") ? EXIT_AS_IT_MUST_BE : EXIT_HARNESS;
}

/* ---- run ---- */

static int complain_of_record(enum record_status status, int agent_status)
{
        if (agent_status == EXIT_USAGE && !target_wanted())
                return EXIT_USAGE;
        if (status == RECORD_EMPTY)
                complain("the agent wrote no record (exit status %d)", agent_status);
        else if (status == RECORD_TWICE)
                complain("the agent's record cannot be read: a second one begins in it; it has to be started once");
        else
                complain("the agent's record cannot be read (exit status %d)", agent_status);
        return EXIT_HARNESS;
}

static bool preload_is_missing(const struct record *record)
{
        const json_t *platform = json_object_get(record->start, "platform");
        return run_options.preload && record->start && !json_is_true(json_object_get(platform, "preload_loaded"));
}

/* Whether there is anything to keep: of a run that did not come about, what was kept before is not replaced. */
static bool has_run(const struct record *record)
{
        return record->start && json_integer_value(json_object_get(record->start, "results")) > 0;
}

static int finish_run(struct record_reader *reader, int agent_status, const struct profiles *profiles, FILE *people,
                      struct report_files *reports)
{
        enum record_status status = record_reader_finish(reader, NULL);
        const struct record *record = record_reader_record(reader);
        if (status != RECORD_OK || (run_options.list ? agent_status != 0 : !record->start))
                return complain_of_record(status, agent_status);
        if (run_options.list)
                return print_list(record);
        if (preload_is_missing(record)) {
                complain("--preload %s: the dynamic linker did not load it into %s", run_options.preload, "the agent");
                return EXIT_USAGE;
        }
        if (!has_run(record)) {
                complain("no case matches the filters; --list shows all");
                return EXIT_USAGE;
        }
        return report_verdicts(record, profiles, people, reports);
}

/* Starts it here, or where the user said. */
static bool start_agent(struct agent_process *agent, const struct locations *where, const struct words *words,
                        const char *preload, char *why, size_t size)
{
        static struct target_words behind;
        bool started = false;
        if (target_wanted()) {
                snprintf(why, size, "the command is too long");
                started =
                        target_words(&behind, where, words->word) && agent_start_behind(agent, behind.word, why, size);
        } else {
                started = agent_start(agent, run_options.agent ? run_options.agent : where->agent, words->word, preload,
                                      why, size);
        }
        if (started)
                agent->limits = target_limits(run_options.timeout, run_options.stress);
        return started;
}

static int run_agent(const struct locations *where, const struct words *words, const char *preload,
                     const struct profiles *profiles)
{
        struct report_files reports;
        struct output_file record;
        bool redirected = false;
        char why[4200];
        reports_open(&reports, &redirected);
        reports_open_beside(&reports, &record, run_options.record, "--record", &redirected);
        FILE *people = reports.output_taken ? stderr : report_stream(&run_options.record, 1);
        struct agent_process agent;
        struct record_reader *reader = record_reader_new();
        int status = EXIT_HARNESS;
        if (!reader) {
                complain("out of memory");
        } else if (!start_agent(&agent, where, words, preload, why, sizeof(why))) {
                complain("%s", why);
        } else {
                struct progress progress = {.stream = people};
                bool shows = !run_options.list && may_show_progress(people);
                agent_read(&agent, reader, record.stream, shows ? show_progress : NULL, &progress);
                end_progress(&progress);
                int agent_status = agent_finish(&agent);
                target_tell_end(&agent, record_reader_record(reader), agent_status);
                bool kept = !has_run(record_reader_record(reader)) || output_commit(&record, why, sizeof(why));
                if (!kept)
                        complain("--record %s", why);
                status = finish_run(reader, agent_status, profiles, people, &reports);
                if (!kept || redirected)
                        status = EXIT_HARNESS;
        }
        reports_discard(&reports);
        output_discard(&record);
        record_reader_free(reader);
        return status;
}

static bool add_each(struct words *w, const char *option, char *const *globs)
{
        for (; globs && *globs; globs++) {
                if (!add_word(w, option) || !add_word(w, *globs))
                        return false;
        }
        return true;
}

static bool agent_words(struct words *w, const char **rest)
{
        const struct {
                const char *option, *value;
        } valued[] = {{"--isolation", run_options.isolation},
                      {"--timeout", run_options.timeout},
                      {"--stress", run_options.stress},
                      {"--jobs", run_options.jobs},
                      {"--repeat", run_options.repeat}};
        if (!add_each(w, "--filter", run_options.filters) || !add_each(w, "--filter", (char *const *)rest) ||
            !add_each(w, "--except", run_options.excepted))
                return false;
        for (size_t i = 0; i < sizeof(valued) / sizeof(valued[0]); i++) {
                if (valued[i].value && (!add_word(w, valued[i].option) || !add_word(w, valued[i].value)))
                        return false;
        }
        return !run_options.list || add_word(w, "--list");
}

int command_run(int argc, char **argv)
{
        struct words words = {.count = 0};
        static struct locations where;
        struct profiles profiles;
        const char **rest = NULL;
        poptContext context = options_read("run", "[OPTION...] [GLOB...]", argc, argv, option_table, &rest);
        if (!context)
                return EXIT_USAGE;
        locations_find(&where);
        char *preload = NULL;
        bool usable = check_values() && target_check(&where, run_options.agent, &rest) && agent_words(&words, rest) &&
                      load_profiles(&profiles, where.profiles, NULL);
        if (usable && run_options.preload) {
                preload = find_preload();
                usable = preload != NULL;
                if (!usable)
                        free_profiles(&profiles);
        }
        int status = usable ? target_prepare(&where) : EXIT_USAGE;
        if (usable && status == EXIT_AS_IT_MUST_BE)
                status = run_agent(&where, &words, preload, &profiles);
        if (usable)
                free_profiles(&profiles);
        free(preload);
        poptFreeContext(context);
        return status;
}
