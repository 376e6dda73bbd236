/*
 * shmcheck-mutants: which case catches which mutant. The suite is run once
 * without a mutant and then under each, several side by side. A mutant is
 * caught by a case that passes without it, and fails, crashes or hangs with it.
 */
#include <dlfcn.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "matrix_output.h"
#include "suite.h"
#include "tries.h"

#define SIDE_BY_SIDE 64
#define DIGITS(number) DIGITS_(number)
#define DIGITS_(number) #number

enum exit_status { EXIT_ALL_CAUGHT = 0, EXIT_MISSED = 1, EXIT_USAGE = 2, EXIT_HARNESS = 3 };

struct options {
        const char *only;
        const char *json;
        bool all;
        bool list;
};

/* ---- the mutants ---- */

typedef const struct mutant *mutant_at(size_t i);

static mutant_at *find_mutants(const char *library)
{
        mutant_at *at = NULL;
        void *opened = dlopen(library, RTLD_NOW | RTLD_LOCAL);
        void *found = opened ? dlsym(opened, "shmmutant_at") : NULL;
        if (!found)
                fprintf(stderr, "shmcheck-mutants: %s\n", dlerror());
        /* POSIX promises that this object pointer can be a function's. */
        memcpy(&at, &found, sizeof(at));
        return at;
}

/* Whether name is one of the names that commas separate in only; every name is, if there is no such list. */
static bool is_named(const char *name, const char *only)
{
        size_t length = strlen(name);
        for (const char *at = only; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
                if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == '\0'))
                        return true;
        }
        return only == NULL;
}

static size_t count_names(const char *only)
{
        size_t count = 1;
        for (const char *at = only; *at; at++)
                count += *at == ',';
        return count;
}

static bool choose_mutants(struct matrix *matrix, mutant_at *at, const char *only)
{
        size_t all = 0;
        while (at(all))
                all++;
        matrix->mutants = calloc(all + 1, sizeof(matrix->mutants[0]));
        for (size_t i = 0; matrix->mutants && i < all; i++) {
                if (is_named(at(i)->name, only)) {
                        matrix->mutants[matrix->mutant_count].number = i;
                        matrix->mutants[matrix->mutant_count++].mutant = at(i);
                }
        }
        if (matrix->mutants && (!only || matrix->mutant_count == count_names(only)))
                return true;
        fprintf(stderr, "shmcheck-mutants: --only %s: not all of these are mutants; --list names them\n", only);
        return false;
}

static void list_mutants(const struct matrix *matrix)
{
        for (size_t i = 0; i < matrix->mutant_count; i++)
                printf("%-32s %s\n", matrix->mutants[i].mutant->name, matrix->mutants[i].mutant->wrong);
}

/* ---- the run without a mutant ---- */

static bool run_plain(struct suite_run *plain, struct suite_setup setup)
{
        char processors[16];
        snprintf(processors, sizeof(processors), "%ld", sysconf(_SC_NPROCESSORS_ONLN));
        setup.jobs = processors;
        setup.timeout = "5";
        if (suite_start(plain, &setup, "none", NULL, 0)) {
                while (suite_read(plain)) {
                }
                suite_finish(plain, setup.profile);
        }
        if (!plain->why[0] && plain->judgement)
                return true;
        fprintf(stderr, "shmcheck-mutants: without a mutant: %s\n", plain->why);
        return false;
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
        bool all;
        struct suite_run run[SIDE_BY_SIDE];
        struct tried_mutant *mutant[SIDE_BY_SIDE]; /* NULL: free */
        size_t count, next, printed;
};

static bool start_mutant(struct slots *s, struct suite_run *run, struct tried_mutant *t)
{
        const struct matrix *matrix = s->matrix;
        const char **ids = calloc(matrix->case_count + 1, sizeof(ids[0]));
        bool ready = ids && choose_tries(s->matrix, t, s->all);
        size_t count = 0;
        for (size_t i = 0; ready && i < matrix->case_count; i++) {
                if (t->tried[i])
                        ids[count++] = matrix->cases[i].id;
        }
        bool started = count > 0 && suite_start(run, s->setup, t->mutant->name, ids, count);
        if (!started)
                snprintf(t->why, sizeof(t->why), "%s", !ready ? "out of memory" : count ? run->why : "no case fits");
        free(ids);
        return started;
}

static void fill_slot(struct slots *s, size_t i)
{
        while (!s->mutant[i] && s->next < s->matrix->mutant_count) {
                struct tried_mutant *t = &s->matrix->mutants[s->next++];
                if (start_mutant(s, &s->run[i], t))
                        s->mutant[i] = t;
                else
                        t->done = true;
        }
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
}

static void print_done(struct slots *s)
{
        while (s->printed < s->matrix->mutant_count && s->matrix->mutants[s->printed].done)
                print_mutant(s->matrix, &s->matrix->mutants[s->printed++]);
}

static void run_mutants(struct matrix *matrix, const struct suite_setup *setup, bool all)
{
        /* Twice the processors: runs wait for the clock, and for time-outs. */
        long wanted = 2 * sysconf(_SC_NPROCESSORS_ONLN);
        struct slots s = {.matrix = matrix, .setup = setup, .all = all};
        struct pollfd polled[SIDE_BY_SIDE];
        s.count = wanted < 1 ? 1 : wanted > SIDE_BY_SIDE ? SIDE_BY_SIDE : (size_t)wanted;
        for (;;) {
                bool busy = false;
                for (size_t i = 0; i < s.count; i++) {
                        fill_slot(&s, i);
                        polled[i].fd = s.mutant[i] ? s.run[i].agent.fd : -1;
                        polled[i].events = POLLIN;
                        busy |= s.mutant[i] != NULL;
                }
                print_done(&s);
                if (!busy)
                        break;
                if (poll(polled, s.count, -1) == -1)
                        continue;
                for (size_t i = 0; i < s.count; i++) {
                        if (s.mutant[i] && polled[i].revents && !suite_read(&s.run[i]))
                                empty_slot(&s, i);
                }
        }
}

/* ---- all of it ---- */

static double now(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int run_matrix(struct matrix *matrix, struct suite_setup *setup, const struct options *options)
{
        double start = now();
        struct suite_run plain;
        if (!run_plain(&plain, *setup) || !matrix_take_cases(matrix, plain.judgement))
                return EXIT_HARNESS;
        setup->isolation = isolation_of(&plain);
        run_mutants(matrix, setup, options->all || options->only);
        matrix->seconds = now() - start;
        if (!options->only)
                print_idle_cases(matrix);
        print_closing(matrix);
        bool written = !options->json || write_json(matrix, options->json);
        bool missed = count_fate(matrix, MUTANT_MISSED) > 0;
        suite_free(&plain);
        if (!written)
                return EXIT_HARNESS;
        return missed ? EXIT_MISSED : EXIT_ALL_CAUGHT;
}

static void free_matrix(struct matrix *matrix)
{
        for (size_t i = 0; i < matrix->mutant_count; i++) {
                free(matrix->mutants[i].tried);
                free(matrix->mutants[i].caught);
        }
        free(matrix->mutants);
        free(matrix->cases);
}

static int run(const struct options *options)
{
        struct locations where;
        char library[sizeof(where.agent) + 32];
        char why[512];
        locations_find(&where);
        snprintf(library, sizeof(library), "%.*s/libshmmutant.so", (int)(strrchr(where.agent, '/') - where.agent),
                 where.agent);
        unsetenv("SHMCHECK_MUTANT");
        mutant_at *at = find_mutants(library);
        if (!at)
                return EXIT_HARNESS;
        struct matrix matrix = {.cases = NULL};
        if (!choose_mutants(&matrix, at, options->only)) {
                free_matrix(&matrix);
                return EXIT_USAGE;
        }
        int status = EXIT_ALL_CAUGHT;
        struct profile *profile = options->list ? NULL : profile_load(where.profiles, "linux", why, sizeof(why));
        if (options->list) {
                list_mutants(&matrix);
        } else if (!profile) {
                fprintf(stderr, "shmcheck-mutants: %s\n", why);
                status = EXIT_HARNESS;
        } else {
                struct suite_setup setup = {.agent = where.agent,
                                            .library = library,
                                            .profile = profile,
                                            .isolation = "auto",
                                            .jobs = "1",
                                            .timeout = DIGITS(MUTANT_TIMEOUT)};
                status = run_matrix(&matrix, &setup, options);
                profile_free(profile);
        }
        free_matrix(&matrix);
        return status;
}

static const char help[] = "usage: shmcheck-mutants [OPTION...]\n"
                           "Which case catches which mutant.\n"
                           "\n"
                           "  --only NAME[,NAME]  only these mutants, each with all quick cases\n"
                           "  --all               try every mutant with all quick cases, not only some: minutes\n"
                           "  --json FILE         write the whole matrix to FILE\n"
                           "  --list              what mutants there are; nothing is run\n"
                           "  --help              this\n"
                           "\n"
                           "Exit status: 0 every mutant is caught by a case meant for it, 1 not so, 2 wrong usage,\n"
                           "3 the suite could not be run.\n";

int main(int argc, char **argv)
{
        static const struct option words[] = {{"only", required_argument, NULL, 'o'}, {"all", no_argument, NULL, 'a'},
                                              {"json", required_argument, NULL, 'j'}, {"list", no_argument, NULL, 'l'},
                                              {"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0}};
        struct options options = {.only = NULL};
        for (int option; (option = getopt_long(argc, argv, "", words, NULL)) != -1;) {
                switch (option) {
                case 'o':
                        options.only = optarg;
                        break;
                case 'a':
                        options.all = true;
                        break;
                case 'j':
                        options.json = optarg;
                        break;
                case 'l':
                        options.list = true;
                        break;
                case 'h':
                        fputs(help, stdout);
                        return EXIT_ALL_CAUGHT;
                default:
                        fputs(help, stderr);
                        return EXIT_USAGE;
                }
        }
        if (optind < argc) {
                fputs(help, stderr);
                return EXIT_USAGE;
        }
        return run(&options);
}
