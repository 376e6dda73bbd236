/*
 * What libshmfault costs a program: the time of 200k shmctl(IPC_STAT) and of
 * 50k pairs of shmat and shmdt in a process of its own, with the library and
 * without, by turns. A process's figure is the median over a hundred parts of
 * its loop, so that what else the machine does weighs little, and each ratio is
 * the median over the rounds of one run.
 */
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include "session.h"
#include "timing.h"

#define STATS 200000
#define PAIRS 50000
#define PARTS 100
#define ROUNDS 11
#define CALLS (STATS + 2 * PAIRS + 2) /* of the whole program */

/* ---- the program that is measured ---- */

static void ask(int id)
{
        struct shmid_ds ds;
        shmctl(id, IPC_STAT, &ds);
}

static void attach_and_detach(int id)
{
        shmdt(shmat(id, NULL, 0));
}

static double cost_of(void (*call)(int id), int id, int times)
{
        double parts[PARTS];
        int times_each = times / PARTS;
        for (int part = 0; part < PARTS; part++) {
                double start = now_ns();
                for (int i = 0; i < times_each; i++)
                        call(id);
                parts[part] = (now_ns() - start) / times_each;
        }
        return median(parts, PARTS);
}

static int run_loops(void)
{
        int id = shmget(IPC_PRIVATE, 4096, 0600);
        if (id == -1)
                return 3;
        double stat = cost_of(ask, id, STATS);
        double pair = cost_of(attach_and_detach, id, PAIRS);
        shmctl(id, IPC_RMID, NULL);
        printf("%f %f\n", stat, pair);
        return 0;
}

/* ---- the measuring ---- */

/* Nanoseconds. */
struct cost {
        double stat, pair;
};

struct setting {
        const char *name;
        const char *const *rules; /* ending with NULL; NULL: there is no session */
        bool preloaded, events;
        double wanted; /* ratio; 0: none */
        struct cost costs[ROUNDS];
        size_t read;
};

static const char *const about_others[] = {"shmget:error=ENOSPC:key=0x5e3a0001", "ftok:error=ENOENT", NULL};
static const char *const about_these[] = {"shmctl:error=EACCES:when=1000000000", "shmat:error=ENOMEM:when=1000000000",
                                          "shmdt:error=EINVAL:when=1000000000", NULL};
static const char *const none[] = {NULL};

static struct setting settings[] = {
        {.name = "without the library"},
        {.name = "library, no session", .preloaded = true},
        {.name = "rules about other calls", .preloaded = true, .rules = about_others, .wanted = 1.05},
        {.name = "rules about these calls, none hit", .preloaded = true, .rules = about_these, .wanted = 1.05},
        {.name = "events on", .preloaded = true, .rules = none, .events = true, .wanted = 1.3},
};
#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

static bool make_plan(struct fault_plan *plan, const char *const *rules)
{
        struct fault_mistake mistake;
        memset(plan, 0, sizeof(*plan));
        for (; *rules; rules++) {
                if (!fault_rule_parse(&plan->rules[plan->count++], *rules, false, &mistake)) {
                        fprintf(stderr, "bench: %s: %s\n", *rules, mistake.why);
                        return false;
                }
        }
        return true;
}

static void count(const struct shm_event *e, void *arg)
{
        size_t *calls = arg;
        *calls += e->kind == SHM_EVENT_CALL;
}

static _Noreturn void become_program(const char *self, const struct setting *setting, const char *library,
                                     const char *session, int out)
{
        if (setting->preloaded)
                setenv("LD_PRELOAD", library, 1);
        if (session)
                setenv(SESSION_VARIABLE, session, 1);
        dup2(out, STDOUT_FILENO);
        execl(self, self, "--loops", (char *)NULL);
        _exit(127);
}

/* Reads events until the process has ended. */
static int supervise(pid_t pid, struct session *s, size_t *calls)
{
        int status = 0;
        bool reads = s && s->events_on;
        while (waitpid(pid, &status, reads ? WNOHANG : 0) == 0) {
                session_drain(s, false, count, calls);
                session_wait(s, 20);
        }
        if (reads)
                session_drain(s, true, count, calls);
        return status;
}

static bool measure(const char *self, struct setting *setting, const char *library, size_t round)
{
        static struct fault_plan plan;
        struct session *s = NULL;
        struct cost *cost = &setting->costs[round];
        char name[64] = "";
        char line[128];
        int fd = -1;
        int ends[2];
        if (setting->rules) {
                if (!make_plan(&plan, setting->rules) || !(s = session_new(&plan, setting->events, &fd)))
                        return false;
                session_name(s, fd, name, sizeof(name));
                session_hand_on(fd);
        }
        if (pipe(ends) == -1)
                return false;
        pid_t pid = fork();
        if (pid == 0)
                become_program(self, setting, library, s ? name : NULL, ends[1]);
        close(ends[1]);
        setting->read = 0;
        int status = pid == -1 ? -1 : supervise(pid, s, &setting->read);
        ssize_t length = read(ends[0], line, sizeof(line) - 1);
        close(ends[0]);
        session_free(s);
        if (fd != -1)
                close(fd);
        line[length > 0 ? length : 0] = '\0';
        char *rest = NULL;
        cost->stat = strtod(line, &rest);
        cost->pair = strtod(rest, NULL);
        return status == 0 && cost->stat > 0 && cost->pair > 0;
}

/* Of what a round took to what the bare calls of the same round took. */
static void report(struct setting *setting)
{
        double stat[ROUNDS];
        double pair[ROUNDS];
        double stat_ratio[ROUNDS];
        double pair_ratio[ROUNDS];
        for (size_t i = 0; i < ROUNDS; i++) {
                stat[i] = setting->costs[i].stat;
                pair[i] = setting->costs[i].pair;
                stat_ratio[i] = stat[i] / settings[0].costs[i].stat;
                pair_ratio[i] = pair[i] / settings[0].costs[i].pair;
        }
        printf("%-34s %7.0f ns %6.3f  %9.0f ns %6.3f", setting->name, median(stat, ROUNDS), median(stat_ratio, ROUNDS),
               median(pair, ROUNDS), median(pair_ratio, ROUNDS));
        if (setting->wanted > 0)
                printf("   (wanted: at most %.2f)", setting->wanted);
        printf("\n");
}

static bool enter_own_ipc_namespace(void)
{
        return unshare(CLONE_NEWIPC) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWIPC) == 0;
}

/* The one that was built together with this program, unless another is named. */
static bool find_library(const char *named, char path[PATH_MAX])
{
        char self[PATH_MAX] = "";
        if (named)
                return realpath(named, path) != NULL;
        if (!realpath("/proc/self/exe", self))
                return false;
        *strrchr(self, '/') = '\0';
        return snprintf(path, PATH_MAX, "%s/libshmfault.so", self) < PATH_MAX && access(path, R_OK) == 0;
}

static bool measure_all(const char *library)
{
        for (size_t round = 0; round < ROUNDS; round++) {
                for (size_t i = 0; i < SETTINGS; i++) {
                        struct setting *setting = &settings[i];
                        if (!measure("/proc/self/exe", setting, library, round) ||
                            (setting->events && setting->read != CALLS)) {
                                fprintf(stderr, "bench: %s: not measured, %zu of %d events read\n", setting->name,
                                        setting->read, CALLS);
                                return false;
                        }
                }
        }
        return true;
}

int main(int argc, char **argv)
{
        char library[PATH_MAX];
        if (argc == 2 && strcmp(argv[1], "--loops") == 0)
                return run_loops();
        if (argc > 2 || !find_library(argc == 2 ? argv[1] : NULL, library)) {
                fprintf(stderr, "usage: fault_cost [LIBRARY]\n");
                return 2;
        }
        if (!enter_own_ipc_namespace()) {
                fprintf(stderr, "bench: no IPC namespace: %s\n", strerror(errno));
                return 3;
        }
        if (!measure_all(library))
                return 3;
        printf("%-34s %10s %6s  %12s %6s\n", "cost of libshmfault, a call", "IPC_STAT", "ratio", "shmat, shmdt",
               "ratio");
        for (size_t i = 0; i < SETTINGS; i++)
                report(&settings[i]);
        return 0;
}
