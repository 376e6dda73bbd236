/*
 * shmcheck mutants: proves that the suite can fail. It is run once without a
 * mutant and then under each, several side by side. A mutant is seen by a case
 * that passes without it, and fails, crashes or hangs with it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fnmatch.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "mutants_report.h"
#include "nearest.h"
#include "verdict_output.h"

#define DIGITS(number) DIGITS_(number)
#define DIGITS_(number) #number

static struct {
        int list;
        int all;
        char **filters;
        const char *jobs;
        const char *json;
} mutants_options;

static struct poptOption option_table[] = {
        {"filter", 'f', POPT_ARG_ARGV, &mutants_options.filters, 0,
         "only the cases whose id matches, and the mutants that are meant for them; may be given again", "GLOB"},
        {"list", 0, POPT_ARG_NONE, &mutants_options.list, 0, "what mutants there are, one a line; nothing is run",
         NULL},
        {"all", 0, POPT_ARG_NONE, &mutants_options.all, 0,
         "try each mutant with all quick cases, and not only with those that are meant for it and a few more: minutes",
         NULL},
        {"jobs", 'j', POPT_ARG_STRING, &mutants_options.jobs, 0, "mutants side by side (default: twice the processors)",
         "N"},
        {"json", 0, POPT_ARG_STRING, &mutants_options.json, 0, "write the whole matrix to FILE, - for standard output",
         "FILE"},
        {"color", 0, POPT_ARG_STRING, &verdict_options.color, 0, "auto (default), always or never", "WHEN"},
        POPT_AUTOHELP POPT_TABLEEND};

/* ---- the mutants ---- */

typedef const struct mutant *mutant_at(size_t i);

static mutant_at *find_mutants(const char *library)
{
        mutant_at *at = NULL;
        void *opened = dlopen(library, RTLD_NOW | RTLD_LOCAL);
        void *found = opened ? dlsym(opened, "shmmutant_at") : NULL;
        if (!found)
                complain("mutants: %s", dlerror());
        /* POSIX promises that this object pointer can be a function's. */
        memcpy(&at, &found, sizeof(at));
        return at;
}

/* Whether one of the globs fits the name; every name fits where there are no globs. */
static bool is_chosen(const char *name, const char *const *globs)
{
        if (!globs || !globs[0])
                return true;
        for (; *globs; globs++) {
                if (fnmatch(*globs, name, 0) == 0)
                        return true;
        }
        return false;
}

static bool complain_of_glob(mutant_at *at, const char *glob)
{
        json_t *names = json_array();
        for (size_t i = 0; at(i); i++)
                json_array_append_new(names, json_string(at(i)->name));
        complain("mutants: no mutant is called '%s'; the nearest is '%s', and --list shows all", glob,
                 nearest_name(glob, names));
        json_decref(names);
        return false;
}

static bool check_globs(mutant_at *at, const char *const *globs)
{
        for (; globs && *globs; globs++) {
                size_t i = 0;
                while (at(i) && fnmatch(*globs, at(i)->name, 0) != 0)
                        i++;
                if (!at(i))
                        return complain_of_glob(at, *globs);
        }
        return true;
}

static bool choose_mutants(struct matrix *matrix, mutant_at *at, const char *const *globs)
{
        size_t all = 0;
        while (at(all))
                all++;
        matrix->mutants = calloc(all + 1, sizeof(matrix->mutants[0]));
        for (size_t i = 0; matrix->mutants && i < all; i++) {
                if (is_chosen(at(i)->name, globs))
                        matrix->mutants[matrix->mutant_count++].mutant = at(i);
        }
        if (!matrix->mutants)
                complain("out of memory");
        return matrix->mutants != NULL;
}

static int list_mutants(const struct matrix *matrix)
{
        for (size_t i = 0; i < matrix->mutant_count; i++)
                printf("%-32s %s\n", matrix->mutants[i].mutant->name, matrix->mutants[i].mutant->wrong);
        return end_output(stdout, "the list") ? EXIT_AS_IT_MUST_BE : EXIT_HARNESS;
}

/* ---- the run without a mutant ---- */

static bool told_to_end(void)
{
        if (agent_signal())
                complain("mutants: ended by SIG%s before all were tried", sigabbrev_np(agent_signal()));
        return agent_signal() != 0;
}

static int run_plain(struct suite_run *plain, struct suite_setup setup)
{
        const char *const *filters = (const char *const *)mutants_options.filters;
        char processors[16];
        size_t count = 0;
        while (filters && filters[count])
                count++;
        snprintf(processors, sizeof(processors), "%ld", sysconf(_SC_NPROCESSORS_ONLN));
        setup.jobs = processors;
        setup.timeout = "5";
        if (suite_start(plain, &setup, "none", filters, count)) {
                while (suite_read(plain)) {
                }
                suite_finish(plain, setup.profile);
        }
        /* The agent has said what it does not understand. */
        if (plain->status == EXIT_USAGE)
                return EXIT_USAGE;
        if (!plain->why[0] && plain->judgement)
                return EXIT_AS_IT_MUST_BE;
        if (!told_to_end())
                complain("mutants: without a mutant: %s", plain->why);
        return EXIT_HARNESS;
}

/* No other isolation than this run's will do under a mutant: the host's segments are not for mutants to play with. */
static const char *isolation_of(const struct suite_run *plain)
{
        const json_t *start = record_reader_record(plain->reader)->start;
        const char *mode = json_string_value(json_object_get(json_object_get(start, "isolation"), "mode"));
        return mode ? mode : "auto";
}

/* ---- the runs with one ---- */

struct slots {
        struct matrix *matrix;
        const struct suite_setup *setup;
        bool by_name;
        bool all;
        bool again; /* only what is worth another look */
        FILE *out;
        struct terminal_style style;
        struct suite_run run[AGENTS_MAX];
        struct tried_mutant *mutant[AGENTS_MAX]; /* NULL: free */
        size_t count, next, printed;
};

static bool start_mutant(struct slots *s, struct suite_run *run, struct tried_mutant *t)
{
        const struct matrix *matrix = s->matrix;
        const char **ids = calloc(matrix->case_count + 1, sizeof(ids[0]));
        bool ready = ids && (s->again || choose_tries(s->matrix, t, s->all));
        size_t count = 0;
        for (size_t i = 0; ready && i < matrix->case_count; i++) {
                const struct tried_case *c = &matrix->cases[i];
                if (s->again ? is_worth_another_look(matrix, t, c) : t->tried[i])
                        ids[count++] = c->id;
        }
        bool started = count > 0 && suite_start(run, s->setup, t->mutant->name, ids, count);
        if (!started && (count > 0 || !ready))
                snprintf(t->why, sizeof(t->why), "%s", ready ? run->why : "out of memory");
        free(ids);
        return started;
}

static void fill_slot(struct slots *s, size_t i)
{
        while (!s->mutant[i] && s->next < s->matrix->mutant_count && !agent_signal()) {
                struct tried_mutant *t = &s->matrix->mutants[s->next++];
                if (start_mutant(s, &s->run[i], t))
                        s->mutant[i] = t;
                else
                        t->done = true;
        }
}

static void print_one(struct slots *s, const struct tried_mutant *t)
{
        (s->by_name ? print_mutant_whole : print_mutant)(s->out, s->style, s->matrix, t);
}

static void empty_slot(struct slots *s, size_t i)
{
        struct tried_mutant *t = s->mutant[i];
        suite_finish(&s->run[i], s->setup->profile);
        memcpy(t->why, s->run[i].why, sizeof(t->why));
        take_verdicts(s->matrix, t, s->run[i].judgement);
        suite_free(&s->run[i]);
        t->done = true;
        s->mutant[i] = NULL;
        if (s->again)
                print_one(s, t);
}

/* In the order of the tables, whatever the order in which they end. */
static void print_done(struct slots *s)
{
        while (s->printed < s->matrix->mutant_count && s->matrix->mutants[s->printed].done)
                print_one(s, &s->matrix->mutants[s->printed++]);
}

static void run_mutants(struct slots *s)
{
        struct pollfd polled[AGENTS_MAX];
        for (;;) {
                bool busy = false;
                for (size_t i = 0; i < s->count; i++) {
                        fill_slot(s, i);
                        polled[i].fd = s->mutant[i] ? s->run[i].agent.fd : -1;
                        polled[i].events = POLLIN;
                        busy |= s->mutant[i] != NULL;
                }
                print_done(s);
                if (!busy)
                        break;
                if (poll(polled, s->count, -1) == -1)
                        continue;
                for (size_t i = 0; i < s->count; i++) {
                        if (s->mutant[i] && polled[i].revents && !suite_read(&s->run[i]))
                                empty_slot(s, i);
                }
        }
}

#define LOOKS 2

/* Races are given longer. */
static void look_again(struct slots *s, struct suite_setup setup)
{
        const struct suite_setup *usual = s->setup;
        setup.stress = "1";
        s->setup = &setup;
        s->again = true;
        for (int look = 0; look < LOOKS; look++) {
                s->next = 0;
                run_mutants(s);
        }
        s->setup = usual;
}

/* ---- what is wrong with the whole ---- */

/* One line on standard error for each thing to mend, with the place to do it at. */
static bool tell_findings(const struct matrix *matrix, const struct reasons *reasons, const char *path)
{
        bool any = false;
        for (size_t i = 0; matrix->judges_cases && i < matrix->case_count; i++) {
                const struct tried_case *c = &matrix->cases[i];
                if (is_idle(c) && !c->reason) {
                        complain("%s: %s sees no mutant that is meant for it, and no reason is given", path, c->id);
                        any = true;
                }
        }
        bool whole = matrix->judges_cases && matrix->judges_mutants;
        for (size_t i = 0; whole && i < reasons->count; i++) {
                const struct reason *r = &reasons->all[i];
                if (!r->fits) {
                        complain("%s:%zu: '%s' fits no case that sees no mutant: take the reason away", path, r->line,
                                 r->glob);
                        any = true;
                }
        }
        return any;
}

/* ---- all of it ---- */

static double now(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool write_json(const struct matrix *matrix, const struct reasons *reasons, struct output_file *json)
{
        char why[4200];
        json_t *object = matrix_as_json(matrix, reasons);
        bool written = object && json_dumpf(object, json->stream, JSON_INDENT(1)) == 0 &&
                       fputc('\n', json->stream) != EOF && output_commit(json, why, sizeof(why));
        if (!object)
                complain("out of memory");
        else if (!written)
                complain("--json %s", why);
        json_decref(object);
        return written;
}

static int report_end(struct slots *s, const struct reasons *reasons, const char *path, struct output_file *json)
{
        print_matrix_end(s->out, s->style, s->matrix);
        bool mended = !tell_findings(s->matrix, reasons, path);
        bool written = end_output(s->out, "the report") && (!json->stream || write_json(s->matrix, reasons, json));
        if (told_to_end() || !written)
                return EXIT_HARNESS;
        if (s->matrix->judges_mutants && count_fate(s->matrix, MUTANT_MISSED) > 0)
                mended = false;
        return mended ? EXIT_AS_IT_MUST_BE : EXIT_DIVERGES;
}

static size_t wanted_jobs(void)
{
        /* Twice the processors: runs wait for the clock, and for time-outs. */
        long wanted = mutants_options.jobs ? atol(mutants_options.jobs) : 2 * sysconf(_SC_NPROCESSORS_ONLN);
        return wanted < 1 ? 1 : wanted > AGENTS_MAX ? AGENTS_MAX : (size_t)wanted;
}

static int run_matrix(struct matrix *matrix, struct suite_setup *setup, struct reasons *reasons, const char *path,
                      bool by_name)
{
        static struct slots s;
        struct output_file json;
        struct suite_run plain;
        bool redirected = false;
        double start = now();
        int status = run_plain(&plain, *setup);
        if (status == EXIT_AS_IT_MUST_BE && !matrix_take_cases(matrix, plain.judgement)) {
                complain("out of memory");
                status = EXIT_HARNESS;
        }
        if (status != EXIT_AS_IT_MUST_BE) {
                suite_free(&plain);
                return status;
        }
        if (mutants_options.filters && !by_name)
                keep_mutants_that_are_meant(matrix);
        open_results(&json, mutants_options.json, "--json", &redirected);
        FILE *out = redirected ? stderr : report_stream(&mutants_options.json, 1);
        s = (struct slots){.matrix = matrix,
                           .setup = setup,
                           .by_name = by_name,
                           .all = mutants_options.all || by_name,
                           .out = out,
                           .style = {may_use_color(out), terminal_width(out)},
                           .count = wanted_jobs()};
        setup->isolation = isolation_of(&plain);
        run_mutants(&s);
        matrix_take_reasons(matrix, reasons);
        look_again(&s, *setup);
        matrix_take_reasons(matrix, reasons);
        matrix->judges_cases = !by_name && !agent_signal();
        matrix->judges_mutants = (by_name || !mutants_options.filters) && !agent_signal();
        matrix->seconds = now() - start;
        status = report_end(&s, reasons, path, &json);
        output_discard(&json);
        suite_free(&plain);
        return redirected ? EXIT_HARNESS : status;
}

static int prove(struct matrix *matrix, const struct locations *where, const char *library, bool by_name)
{
        struct profile *profile = NULL;
        struct reasons reasons;
        char path[4200];
        char why[4300];
        snprintf(path, sizeof(path), "%s/cases/beyond_a_preload.txt", where->data);
        if (!reasons_load(&reasons, path, why, sizeof(why)) ||
            !(profile = profile_load(where->profiles, "linux", why, sizeof(why)))) {
                complain("mutants: %s", why);
                return EXIT_USAGE;
        }
        struct suite_setup setup = {.agent = where->agent,
                                    .library = library,
                                    .profile = profile,
                                    .isolation = "auto",
                                    .jobs = "1",
                                    .timeout = DIGITS(MUTANT_TIMEOUT)};
        int status = run_matrix(matrix, &setup, &reasons, path, by_name);
        profile_free(profile);
        reasons_free(&reasons);
        return status;
}

static bool check_values(void)
{
        const char *jobs = mutants_options.jobs;
        if (jobs && (!*jobs || jobs[strspn(jobs, "0123456789")] || atol(jobs) < 1 || atol(jobs) > AGENTS_MAX)) {
                complain("--jobs %s: takes a whole number from 1 to %d", jobs, AGENTS_MAX);
                return false;
        }
        return verdict_options_check();
}

static int try_mutants(const char *const *globs)
{
        static struct locations where;
        char library[sizeof(where.agent) + 32];
        locations_find(&where);
        snprintf(library, sizeof(library), "%.*s/libshmmutant.so", (int)(strrchr(where.agent, '/') - where.agent),
                 where.agent);
        /* The library makes its choice also when it is only asked what there is. */
        unsetenv("SHMCHECK_MUTANT");
        mutant_at *at = find_mutants(library);
        if (!at)
                return EXIT_HARNESS;
        struct matrix matrix = {.cases = NULL};
        int status = EXIT_USAGE;
        if (check_globs(at, globs) && choose_mutants(&matrix, at, globs))
                status = mutants_options.list ? list_mutants(&matrix) : prove(&matrix, &where, library, globs != NULL);
        matrix_free(&matrix);
        return status;
}

int command_mutants(int argc, char **argv)
{
        const char **rest = NULL;
        poptContext context = options_read("mutants", "[OPTION...] [MUTANT...]", argc, argv, option_table, &rest);
        if (!context)
                return EXIT_USAGE;
        int status = check_values() ? try_mutants((const char *const *)rest) : EXIT_USAGE;
        poptFreeContext(context);
        return status;
}
