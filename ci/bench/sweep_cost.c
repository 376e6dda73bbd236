/*
 * What a sweep costs against starting the command once under strace for each
 * fault, in one run and by turns: a program in C, and one in Python. A sweep
 * runs as many side by side as there are processors; what it takes one after
 * the other, as strace is run here, is told as well.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "own_namespace.h"
#include "timing.h"

#define ROUNDS 5
#define STRACES 8 /* a round */
#define WORDS 16
#define RULES 512

struct workload {
        const char *name;
        const char *words[4];
        double wanted;
};

/* The rules of a sweep's runs, as strace has them. */
struct rules {
        char items[RULES][96];
        size_t count; /* that strace can do */
        size_t runs;  /* of the sweep */
};

/* Starts the words, their output to the descriptor. */
static pid_t start(const char *const *words, int output)
{
        posix_spawn_file_actions_t actions;
        pid_t pid = -1;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
        const char *program = words[0] ? words[0] : "";
        int error = posix_spawnp(&pid, program, &actions, NULL, (char *const *)words, environ);
        posix_spawn_file_actions_destroy(&actions);
        if (error)
                fprintf(stderr, "bench: %s: %s\n", program, strerror(error));
        return error ? -1 : pid;
}

/* Seconds until the words have ended; negative if they could not be started. */
static double time_of(const char *const *words)
{
        int status = 0;
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        double begun = now_ns();
        pid_t pid = start(words, null);
        bool ended = pid != -1 && waitpid(pid, &status, 0) == pid;
        double seconds = (now_ns() - begun) / 1e9;
        close(null);
        return ended ? seconds : -1;
}

static void put_together(const char **words, const char *const *first, const struct workload *w)
{
        size_t count = 0;
        for (; *first; first++)
                words[count++] = *first;
        for (size_t i = 0; w->words[i]; i++)
                words[count++] = w->words[i];
        words[count] = NULL;
}

/* ---- the sweep ---- */

static json_t *report_of(const char *tool, const struct workload *w)
{
        const char *words[WORDS];
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) == -1)
                return NULL;
        put_together(words, (const char *const[]){tool, "sweep", "--json", "-", "--", NULL}, w);
        pid_t pid = start(words, ends[1]);
        close(ends[1]);
        json_error_t error;
        json_t *report = json_loadfd(ends[0], 0, &error);
        close(ends[0]);
        if (pid != -1)
                waitpid(pid, NULL, 0);
        return report;
}

/* strace has no call that is no system call, and takes no command of shmctl. */
static void add_rule(struct rules *r, const char *rule)
{
        size_t call = strcspn(rule, "/:");
        const char *rest = strchr(rule, ':');
        if (rest && strncmp(rule, "ftok", 4) != 0 && r->count < RULES)
                snprintf(r->items[r->count++], sizeof(r->items[0]), "inject=%.*s%s", (int)call, rule, rest);
}

static bool read_rules(const char *tool, const struct workload *w, struct rules *r)
{
        size_t i = 0;
        json_t *run = NULL;
        json_t *report = report_of(tool, w);
        const json_t *runs = json_object_get(report, "runs");
        r->count = 0;
        r->runs = json_array_size(runs);
        json_array_foreach(runs, i, run)
        {
                const json_t *fault = json_array_get(json_object_get(run, "faults"), 0);
                const char *rule = json_string_value(json_object_get(fault, "rule"));
                if (rule)
                        add_rule(r, rule);
        }
        json_decref(report);
        return r->count > 0;
}

static double sweep_time(const char *tool, bool one_by_one, const struct workload *w)
{
        const char *words[WORDS];
        const char *jobs = one_by_one ? "1" : NULL;
        put_together(words,
                     jobs ? (const char *const[]){tool, "sweep", "-j", jobs, "--", NULL}
                          : (const char *const[]){tool, "sweep", "--", NULL},
                     w);
        return time_of(words);
}

/* ---- strace ---- */

/* The middle one of some of the starts, in seconds. */
static double strace_time(const struct rules *r, int round, const struct workload *w)
{
        double times[STRACES];
        for (size_t i = 0; i < STRACES; i++) {
                const char *words[WORDS];
                const char *rule = r->items[((size_t)round * STRACES + i) * 7 % r->count];
                put_together(words, (const char *const[]){"strace", "-f", "-o", "/dev/null", "-e", rule, NULL}, w);
                times[i] = time_of(words);
                if (times[i] < 0)
                        return -1;
        }
        return median(times, STRACES);
}

/* ---- both ---- */

static int compare(const char *tool, const struct workload *w)
{
        static struct rules rules;
        double ratios[ROUNDS];
        double one_by_one[ROUNDS];
        double sweeps[ROUNDS];
        double straces[ROUNDS];
        if (!read_rules(tool, w, &rules)) {
                fprintf(stderr, "bench: %s could not be swept\n", w->words[0]);
                return 3;
        }
        for (int i = 0; i < ROUNDS; i++) {
                sweeps[i] = sweep_time(tool, false, w);
                double alone = sweep_time(tool, true, w);
                straces[i] = strace_time(&rules, i, w);
                if (sweeps[i] <= 0 || alone <= 0 || straces[i] <= 0)
                        return 3;
                ratios[i] = straces[i] * (double)rules.runs / sweeps[i];
                one_by_one[i] = straces[i] * (double)rules.runs / alone;
        }
        double ratio = median(ratios, ROUNDS);
        printf("sweep of %s: %zu runs in %.3f s, a start under strace %.1f ms: %.1f times as fast, %.1f with -j 1",
               w->name, rules.runs, median(sweeps, ROUNDS), 1e3 * median(straces, ROUNDS), ratio,
               median(one_by_one, ROUNDS));
        if (w->wanted > 0)
                printf("; wanted %.0f: %s", w->wanted, ratio >= w->wanted ? "met" : "NOT MET");
        putchar('\n');
        return 0;
}

static bool is_there(const char *command, const char *what)
{
        if (system(command) == 0) // NOLINT(cert-env33-c): fixed commands
                return true;
        printf("sweep             %s\n", what);
        return false;
}

int main(int argc, char **argv)
{
        static const char python[] = "/usr/bin/python3";
        if (argc != 4) {
                fputs("usage: sweep_cost SHMCHECK PROGRAM TUTORIAL\n", stderr);
                return 2;
        }
        const struct workload c = {"a program in C", {argv[2], NULL}, 5};
        /* Most of a sweep of so few calls is what each sweep takes. */
        const struct workload tutorial = {"six calls in C", {argv[3], NULL}, 0};
        const struct workload script = {"a program in Python", {python, "ci/bench/sweep_cost.py", NULL}, 10};
        const struct workload two = {"two processes in Python", {python, "ci/wrappers/python-sysv-ipc/capitals.py"}, 0};
        if (!is_there("command -v strace >/dev/null", "strace is not installed"))
                return 0;
        /* What a start under strace leaves is to go with this process. */
        const char *failed = own_namespace_enter();
        if (failed) {
                printf("sweep             not measured: %s: %s\n", failed, strerror(errno));
                return 0;
        }
        int status = compare(argv[1], &c);
        if (status == 0)
                status = compare(argv[1], &tutorial);
        if (status || !is_there("/usr/bin/python3 -c 'import sysv_ipc' 2>/dev/null", "no python3-sysv-ipc"))
                return status;
        status = compare(argv[1], &script);
        return status ? status : compare(argv[1], &two);
}
