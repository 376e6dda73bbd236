/*
 * shmcheck-mutants: which case catches which mutant.
 *
 * The suite is run once without a mutant, and then under each. A mutant is
 * caught by a case that passes without it and fails, crashes or hangs with it.
 * A case is tried with each mutant that is meant for it. With the others it is
 * tried if it uses the call that the mutant breaks, is quick, does not wait for
 * the clock and is no cell of a product: all pairs would take ten minutes, and
 * what was not tried is not counted as anything.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../fakes/mutants/mutant.h"
#include "suite.h"

/* A case that takes more times the median is tried only with the mutants that are meant for it. */
#define QUICK_MEDIANS 4
/* Ids that a line of the matrix shows. */
#define SHOWN 4
#define SIDE_BY_SIDE 64

enum exit_status { EXIT_ALL_CAUGHT = 0, EXIT_MISSED = 1, EXIT_USAGE = 2, EXIT_HARNESS = 3 };

struct tried_case {
        char *id;
        bool passes; /* without a mutant */
        bool quick;
        const json_t *result; /* of its run without a mutant */
        size_t tried, caught; /* mutants */
};

struct tried_mutant {
        const struct mutant *mutant;
        bool *tried, *caught; /* by the case of that index */
        size_t caught_count, meant_count; /* cases that caught it, and those of them that were meant to */
        char why[256];                    /* its run went wrong */
        bool done;
};

static struct {
        struct tried_case *cases;
        size_t case_count;
        struct tried_mutant *mutants;
        size_t mutant_count;
        struct suite_setup setup;
        struct suite_run plain;
        char isolation[32];
} matrix;

static void *must(void *memory)
{
        if (!memory) {
                fputs("shmcheck-mutants: out of memory\n", stderr);
                exit(EXIT_HARNESS);
        }
        return memory;
}

/* ---- what is tried ---- */

static bool is_meant_for(const struct mutant *m, const char *id)
{
        char globs[512];
        char *rest = NULL;
        snprintf(globs, sizeof(globs), "%s", m->meant_for);
        for (char *glob = strtok_r(globs, " ", &rest); glob; glob = strtok_r(NULL, " ", &rest)) {
                if (fnmatch(glob, id, 0) == 0)
                        return true;
        }
        return false;
}

/* Whether the case made the call, and it failed with the errno if one is named. */
static bool has_step(const struct tried_case *c, const char *call, const char *error)
{
        size_t i = 0;
        json_t *step = NULL;
        json_array_foreach(json_object_get(c->result, "steps"), i, step)
        {
                const char *made = json_string_value(json_object_get(step, "call"));
                const char *failed = json_string_value(json_object_get(step, "errno"));
                if (made && strcmp(made, call) == 0 && (!error || (failed && strcmp(failed, error) == 0)))
                        return true;
        }
        return false;
}

/* Checks and the agent itself call shmget and shmctl without a step, so these cannot be told from the record. */
static bool uses_what_breaks(const struct mutant *m, const struct tried_case *c)
{
        static const char *const calls[] = {"", "shmget", "shmat", "shmdt", "shmctl", "ftok"};
        bool lives = m->in_child || m->before_exec || m->after_failed_exec || m->before_exit || m->after_unshare;
        if (lives || m->told || m->shmget || m->shmctl)
                return true;
        return (m->shmat && has_step(c, "shmat", NULL)) || (m->shmdt && has_step(c, "shmdt", NULL)) ||
               (m->ftok && has_step(c, "ftok", NULL)) ||
               (m->wrong_errno.call != CALL_NONE &&
                has_step(c, calls[m->wrong_errno.call], strerrorname_np(m->wrong_errno.due)));
}

/* One of many rows of a product, of which the others say much the same: perm.shmat_rw.owner.r. */
static bool is_cell(const char *id)
{
        size_t dots = 0;
        for (; *id; id++)
                dots += *id == '.';
        return dots > 2;
}

static bool is_tried(const struct mutant *m, const struct tried_case *c)
{
        return c->passes && (is_meant_for(m, c->id) || (c->quick && !is_cell(c->id) && uses_what_breaks(m, c)));
}

/* ---- the run without a mutant ---- */

static int by_id(const void *a, const void *b)
{
        return strcmp(((const struct tried_case *)a)->id, ((const struct tried_case *)b)->id);
}

static bool waits_for_clock(const json_t *result)
{
        size_t i = 0;
        json_t *need = NULL;
        json_array_foreach(json_object_get(result, "needs"), i, need)
        {
                if (strcmp(json_string_value(need), "clock-tick") == 0)
                        return true;
        }
        return false;
}

static long long microseconds(const json_t *result)
{
        return (long long)json_integer_value(json_object_get(result, "us"));
}

static int by_time(const void *a, const void *b)
{
        long long x = microseconds(((const struct tried_case *)a)->result);
        long long y = microseconds(((const struct tried_case *)b)->result);
        return x < y ? -1 : x > y;
}

static void tell_quick_cases(void)
{
        qsort(matrix.cases, matrix.case_count, sizeof(matrix.cases[0]), by_time);
        long long median = matrix.case_count ? microseconds(matrix.cases[matrix.case_count / 2].result) : 0;
        for (size_t i = 0; i < matrix.case_count; i++) {
                const json_t *result = matrix.cases[i].result;
                matrix.cases[i].quick = microseconds(result) <= QUICK_MEDIANS * median && !waits_for_clock(result);
        }
        qsort(matrix.cases, matrix.case_count, sizeof(matrix.cases[0]), by_id);
}

static void take_cases(const struct judgement *judgement)
{
        matrix.case_count = judgement->case_count;
        matrix.cases = must(calloc(judgement->case_count + 1, sizeof(matrix.cases[0])));
        for (size_t i = 0; i < judgement->case_count; i++) {
                const struct judged_case *j = &judgement->cases[i];
                matrix.cases[i] = (struct tried_case){
                        .id = j->of->id, .passes = j->verdict == VERDICT_PASS, .result = j->of->results[0]};
        }
        tell_quick_cases();
}

static bool run_plain(void)
{
        static char processors[16];
        snprintf(processors, sizeof(processors), "%ld", sysconf(_SC_NPROCESSORS_ONLN));
        struct suite_setup setup = matrix.setup;
        setup.jobs = processors;
        setup.timeout = "5";
        if (suite_start(&matrix.plain, &setup, "none", NULL, 0)) {
                while (suite_read(&matrix.plain)) {
                }
                suite_finish(&matrix.plain, setup.profile);
        }
        if (matrix.plain.why[0] || !matrix.plain.judgement) {
                fprintf(stderr, "shmcheck-mutants: without a mutant: %s\n", matrix.plain.why);
                return false;
        }
        const struct record *record = record_reader_record(matrix.plain.reader);
        const char *mode = json_string_value(json_object_get(json_object_get(record->start, "isolation"), "mode"));
        snprintf(matrix.isolation, sizeof(matrix.isolation), "%s", mode ? mode : "auto");
        take_cases(matrix.plain.judgement);
        return true;
}

/* ---- the runs with one ---- */

static bool start_mutant(struct tried_mutant *t, struct suite_run *run)
{
        const char **ids = must(calloc(matrix.case_count + 1, sizeof(ids[0])));
        size_t count = 0;
        t->tried = must(calloc(matrix.case_count + 1, sizeof(t->tried[0])));
        t->caught = must(calloc(matrix.case_count + 1, sizeof(t->caught[0])));
        for (size_t i = 0; i < matrix.case_count; i++) {
                t->tried[i] = is_tried(t->mutant, &matrix.cases[i]);
                matrix.cases[i].tried += t->tried[i];
                if (t->tried[i])
                        ids[count++] = matrix.cases[i].id;
        }
        bool started = count > 0 && suite_start(run, &matrix.setup, t->mutant->name, ids, count);
        if (count == 0)
                snprintf(t->why, sizeof(t->why), "no case is meant for it");
        else if (!started)
                snprintf(t->why, sizeof(t->why), "%s", run->why);
        free(ids);
        return started;
}

static void take_verdicts(struct tried_mutant *t, const struct judgement *judgement)
{
        for (size_t i = 0; judgement && i < judgement->case_count; i++) {
                const struct judged_case *j = &judgement->cases[i];
                struct tried_case key = {.id = j->of->id};
                struct tried_case *c =
                        bsearch(&key, matrix.cases, matrix.case_count, sizeof(matrix.cases[0]), by_id);
                if (!c || !verdict_diverges(j->verdict))
                        continue;
                t->caught[c - matrix.cases] = true;
                t->caught_count++;
                t->meant_count += is_meant_for(t->mutant, c->id);
                c->caught++;
        }
}

static void print_caught(const struct tried_mutant *t, bool meant, size_t *shown)
{
        for (size_t i = 0; i < matrix.case_count && *shown < SHOWN; i++) {
                if (t->caught[i] && is_meant_for(t->mutant, matrix.cases[i].id) == meant) {
                        printf(" %s%s", meant ? "*" : "", matrix.cases[i].id);
                        (*shown)++;
                }
        }
}

static void print_mutant(const struct tried_mutant *t)
{
        size_t shown = 0;
        printf("%-32s %5zu ", t->mutant->name, t->caught_count);
        if (t->caught) {
                print_caught(t, true, &shown);
                print_caught(t, false, &shown);
        }
        if (t->caught_count > shown)
                fputs(" ...", stdout);
        if (t->why[0])
                printf(" (%s)", t->why);
        putchar('\n');
        fflush(stdout);
}

struct slots {
        struct suite_run run[SIDE_BY_SIDE];
        struct tried_mutant *mutant[SIDE_BY_SIDE]; /* NULL: free */
        size_t count, next, printed;
};

static void print_done(struct slots *s)
{
        while (s->printed < matrix.mutant_count && matrix.mutants[s->printed].done)
                print_mutant(&matrix.mutants[s->printed++]);
}

static void fill_slot(struct slots *s, size_t i)
{
        while (!s->mutant[i] && s->next < matrix.mutant_count) {
                struct tried_mutant *t = &matrix.mutants[s->next++];
                if (start_mutant(t, &s->run[i]))
                        s->mutant[i] = t;
                else
                        t->done = true;
        }
}

static void empty_slot(struct slots *s, size_t i)
{
        struct tried_mutant *t = s->mutant[i];
        suite_finish(&s->run[i], matrix.setup.profile);
        snprintf(t->why, sizeof(t->why), "%s", s->run[i].why);
        take_verdicts(t, s->run[i].judgement);
        suite_free(&s->run[i]);
        t->done = true;
        s->mutant[i] = NULL;
}

static void run_mutants(void)
{
        long processors = sysconf(_SC_NPROCESSORS_ONLN);
        struct slots s = {.count = processors > SIDE_BY_SIDE ? SIDE_BY_SIDE : (size_t)(processors > 0 ? processors : 1)};
        struct pollfd polled[SIDE_BY_SIDE];
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

/* ---- what comes out ---- */

static size_t missed_mutants(void)
{
        size_t missed = 0;
        for (size_t i = 0; i < matrix.mutant_count; i++)
                missed += matrix.mutants[i].meant_count == 0;
        return missed;
}

static void print_idle_cases(void)
{
        bool any = false;
        for (size_t i = 0; i < matrix.case_count; i++) {
                const struct tried_case *c = &matrix.cases[i];
                if (!c->passes || c->caught > 0)
                        continue;
                if (!any)
                        puts("\ncases that caught no mutant, and how many each was tried with:");
                any = true;
                printf("%5zu  %s\n", c->tried, c->id);
        }
}

static void print_closing(double seconds)
{
        size_t passing = 0;
        size_t catching = 0;
        size_t missed = missed_mutants();
        for (size_t i = 0; i < matrix.case_count; i++) {
                passing += matrix.cases[i].passes;
                catching += matrix.cases[i].caught > 0;
        }
        printf("\n%zu mutants, %zu caught by a case meant for it; %zu cases, %zu pass without a mutant, %zu of them "
               "caught one; %.0f s\n",
               matrix.mutant_count, matrix.mutant_count - missed, matrix.case_count, passing, catching, seconds);
        if (missed == 0)
                return;
        fputs("missed:", stdout);
        for (size_t i = 0; i < matrix.mutant_count; i++) {
                if (matrix.mutants[i].meant_count == 0)
                        printf(" %s", matrix.mutants[i].mutant->name);
        }
        putchar('\n');
}

static json_t *ids_of(const bool *chosen)
{
        json_t *ids = json_array();
        for (size_t i = 0; chosen && i < matrix.case_count; i++) {
                if (chosen[i])
                        json_array_append_new(ids, json_string(matrix.cases[i].id));
        }
        return ids;
}

static bool write_json(const char *path, double seconds)
{
        json_t *mutants = json_array();
        for (size_t i = 0; i < matrix.mutant_count; i++) {
                const struct tried_mutant *t = &matrix.mutants[i];
                json_array_append_new(mutants, json_pack("{s:s, s:s, s:s, s:b, s:o, s:o}", "name", t->mutant->name,
                                                         "wrong", t->mutant->wrong, "meant_for", t->mutant->meant_for,
                                                         "caught", t->meant_count > 0, "caught_by", ids_of(t->caught),
                                                         "tried", ids_of(t->tried)));
        }
        json_t *all = json_pack("{s:o, s:f}", "mutants", mutants, "seconds", seconds);
        bool written = all && json_dump_file(all, path, JSON_INDENT(1)) == 0;
        if (!written)
                fprintf(stderr, "shmcheck-mutants: --json %s: %s\n", path, strerror(errno));
        json_decref(all);
        return written;
}

/* ---- the mutants ---- */

static const struct mutant *(*find_mutants(const char *library))(size_t)
{
        const struct mutant *(*at)(size_t) = NULL;
        void *opened = dlopen(library, RTLD_NOW | RTLD_LOCAL);
        void *found = opened ? dlsym(opened, "shmmutant_at") : NULL;
        if (!found) {
                fprintf(stderr, "shmcheck-mutants: %s\n", dlerror());
                return NULL;
        }
        memcpy(&at, &found, sizeof(at));
        return at;
}

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

static bool choose_mutants(const struct mutant *(*at)(size_t), const char *only)
{
        size_t all = 0;
        while (at(all))
                all++;
        matrix.mutants = must(calloc(all + 1, sizeof(matrix.mutants[0])));
        for (size_t i = 0; i < all; i++) {
                if (is_named(at(i)->name, only))
                        matrix.mutants[matrix.mutant_count++].mutant = at(i);
        }
        if (!only || matrix.mutant_count == count_names(only))
                return true;
        fprintf(stderr, "shmcheck-mutants: --only %s: not all of these are mutants; --list names them\n", only);
        return false;
}

static int list_mutants(void)
{
        for (size_t i = 0; i < matrix.mutant_count; i++)
                printf("%-32s %s\n", matrix.mutants[i].mutant->name, matrix.mutants[i].mutant->wrong);
        return EXIT_ALL_CAUGHT;
}

static double now(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int run_matrix(const char *json, bool whole)
{
        double start = now();
        if (!run_plain())
                return EXIT_HARNESS;
        matrix.setup.isolation = matrix.isolation;
        run_mutants();
        if (whole)
                print_idle_cases();
        print_closing(now() - start);
        if (json && !write_json(json, now() - start))
                return EXIT_HARNESS;
        return missed_mutants() == 0 ? EXIT_ALL_CAUGHT : EXIT_MISSED;
}

static const char help[] = "usage: shmcheck-mutants [OPTION...]\n"
                           "Which case catches which mutant.\n"
                           "\n"
                           "  --only NAME[,NAME]  only these mutants\n"
                           "  --json FILE         write the whole matrix to FILE\n"
                           "  --list              what mutants there are; nothing is run\n"
                           "  --help              this\n"
                           "\n"
                           "Exit status: 0 every mutant is caught by a case meant for it, 1 not so, 2 wrong usage,\n"
                           "3 the suite could not be run.\n";

int main(int argc, char **argv)
{
        static const struct option options[] = {{"only", required_argument, NULL, 'o'},
                                                {"json", required_argument, NULL, 'j'},
                                                {"list", no_argument, NULL, 'l'},
                                                {"help", no_argument, NULL, 'h'},
                                                {NULL, 0, NULL, 0}};
        const char *only = NULL;
        const char *json = NULL;
        bool list = false;
        for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
                if (option == 'o')
                        only = optarg;
                else if (option == 'j')
                        json = optarg;
                else if (option == 'l')
                        list = true;
                else {
                        fputs(help, option == 'h' ? stdout : stderr);
                        return option == 'h' ? EXIT_ALL_CAUGHT : EXIT_USAGE;
                }
        }
        static struct locations where;
        static char library[sizeof(where.agent) + 32];
        locations_find(&where);
        snprintf(library, sizeof(library), "%.*s/libshmmutant.so", (int)(strrchr(where.agent, '/') - where.agent),
                 where.agent);
        unsetenv("SHMCHECK_MUTANT");
        const struct mutant *(*at)(size_t) = find_mutants(library);
        if (!at)
                return EXIT_HARNESS;
        if (!choose_mutants(at, only))
                return EXIT_USAGE;
        if (list)
                return list_mutants();
        char why[512];
        struct profile *profile = profile_load(where.profiles, "linux", why, sizeof(why));
        if (!profile) {
                fprintf(stderr, "shmcheck-mutants: %s\n", why);
                return EXIT_HARNESS;
        }
        matrix.setup = (struct suite_setup){.agent = where.agent,
                                            .library = library,
                                            .profile = profile,
                                            .isolation = "auto",
                                            .jobs = "1",
                                            .timeout = "1"};
        return run_matrix(json, only == NULL);
}
