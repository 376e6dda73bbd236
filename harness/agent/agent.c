/*
 * shmcheck-agent: the runner on the platform under test. It writes down what
 * happened, as a record on standard output, and decides nothing.
 *
 * One main process starts the workers and writes all frames. A worker runs
 * cases one after another; a case that waits, mostly for the clock, has a worker
 * of its own, so that all such cases wait together.
 */
#include "platform.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <poll.h>
#include <stdio.h>

#include "children.h"
#include "context.h"
#include "isolation.h"
#include "ledger.h"
#include "options.h"
#include "own_machine.h"
#include "record.h"
#include "worker.h"

/* Cases that wait at the same time. */
#define WAITING_MAX 160
/* How much longer than a case's allowance its worker may be silent. */
#define GRACE_MS 3000

struct slot {
        pid_t pid; /* 0: free */
        int fd;
        int only;    /* the one job of this worker, or -1 */
        bool reaped; /* it has ended, with this status */
        int status;
        struct shmc_activity *activity;
        char *line; /* what has been read of an unfinished line */
        size_t length;
        char last_told[256]; /* the id and round of its last result */
};

struct run {
        struct shmc_job *jobs;
        unsigned job_count;
        unsigned next_waiting; /* the first job that has not been looked at for whether it waits */
        unsigned results;
        struct shmc_needs needs;
        struct shmc_schedule *schedule;
        struct slot *slots;
        unsigned slot_count;
        unsigned workers; /* slots for workers that take any job; the rest wait */
};

static char object_bytes[SHMC_LINE_SIZE];

/* The signal that asks for an early end, or 0. */
static volatile sig_atomic_t asked_to_stop;

static void on_stop(int signal_number)
{
        asked_to_stop = signal_number;
}

SHMC_NORETURN static void give_up(const char *what)
{
        fprintf(stderr, "shmcheck-agent: %s: %s\n", what, strerror(errno));
        exit(3);
}

static void *shared(size_t size)
{
        void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED)
                give_up("mmap");
        return at;
}

static void emit(const struct shmc_text *t)
{
        /* The workers die with this process, and the cases with them. */
        if (!shmc_write_frame(STDOUT_FILENO, t->bytes, t->length))
                give_up("standard output");
}

static bool selected(const struct shmc_case *c, const struct shmc_options *o)
{
        for (size_t i = 0; i < o->excepted_count; i++) {
                if (fnmatch(o->excepted[i], c->id, 0) == 0)
                        return false;
        }
        for (size_t i = 0; i < o->filter_count; i++) {
                if (fnmatch(o->filters[i], c->id, 0) == 0)
                        return true;
        }
        return o->filter_count == 0;
}

/* A filter that selects nothing is a slip: of the filters, or of whoever removed the case. */
static bool filters_select(const struct shmc_options *o)
{
        for (size_t i = 0; i < o->filter_count; i++) {
                bool found = false;
                for (size_t k = 0; k < shmc_registry_count() && !found; k++)
                        found = fnmatch(o->filters[i], shmc_registry_at(k)->id, 0) == 0;
                if (!found) {
                        fprintf(stderr, "shmcheck: no case matches '%s'; run --list shows all\n", o->filters[i]);
                        return false;
                }
        }
        return true;
}

static int list_cases(const struct shmc_options *o)
{
        for (size_t i = 0; i < shmc_registry_count(); i++) {
                if (!selected(shmc_registry_at(i), o))
                        continue;
                struct shmc_text t = SHMC_TEXT(object_bytes);
                shmc_record_list(&t, shmc_registry_at(i));
                emit(&t);
        }
        return 0;
}

/* ---- workers ---- */

static bool start_worker(struct run *run, struct slot *s, int only)
{
        int fds[2];
        if (pipe(fds) == -1)
                return false;
        fcntl(fds[0], F_SETFD, FD_CLOEXEC);
        fcntl(fds[1], F_SETFD, FD_CLOEXEC);
        atomic_store(&s->activity->job_plus_1, 0);
        atomic_store(&s->activity->started_ms, shmc_now_ms());
        pid_t pid = shmc_fork_worker();
        if (pid == 0) {
                /* Whoever holds a read end keeps a worker from noticing that its parent is gone. */
                for (unsigned i = 0; i < run->slot_count; i++) {
                        if (run->slots[i].pid)
                                close(run->slots[i].fd);
                }
                close(fds[0]);
                shmc_worker(run->schedule, s->activity, run->jobs, run->job_count, only, &run->needs, fds[1]);
        }
        close(fds[1]);
        if (pid == -1) {
                close(fds[0]);
                return false;
        }
        s->pid = pid;
        s->fd = fds[0];
        s->only = only;
        s->reaped = false;
        s->length = 0;
        s->last_told[0] = '\0';
        return true;
}

/* The result of a job whose worker cannot tell it any more. */
static void emit_lost(struct run *run, unsigned job, const char *status, const char *reason)
{
        struct shmc_result result = {.status = status, .reason = reason};
        struct shmc_text t = SHMC_TEXT(object_bytes);
        shmc_record_case(&t, run->jobs[job].c, run->jobs[job].round, &result);
        emit(&t);
        run->results++;
}

static void describe_job(char *text, size_t size, const struct shmc_job *job)
{
        snprintf(text, size, "\"%s\" %u", job->c->id, job->round);
}

/* What describe_job says of the job whose result the line is. */
static void note_told(struct slot *s, const char *line)
{
        static const char id_mark[] = "\"id\":";
        static const char round_mark[] = ",\"round\":";
        const char *id = strstr(line, id_mark);
        const char *round = strstr(line, round_mark);
        if (!id || !round)
                return;
        id += sizeof(id_mark) - 1;
        snprintf(s->last_told, sizeof(s->last_told), "%.*s %lu", (int)strcspn(id, ","), id,
                 strtoul(round + sizeof(round_mark) - 1, NULL, 10));
}

/* Whether the result of the job was the last that the worker told: it died before it could turn to the next. */
static bool was_told(const struct run *run, const struct slot *s, unsigned job)
{
        char text[sizeof(s->last_told)];
        describe_job(text, sizeof(text), &run->jobs[job]);
        return strcmp(text, s->last_told) == 0;
}

/* The number of the job that the slot's worker runs, from 1; 0 if it runs none, or if there is no telling. */
static unsigned running_job(const struct run *run, const struct slot *s)
{
        unsigned job = atomic_load(&s->activity->job_plus_1);
        /* A platform that writes past an attachment may have written there. */
        return job <= run->job_count ? job : 0;
}

static void take_line(struct run *run, struct slot *s, const char *line, size_t length)
{
        static const char result_start[] = "{\"type\":\"case\"";
        if (strncmp(line, result_start, sizeof(result_start) - 1) == 0) {
                run->results++;
                note_told(s, line);
        }
        if (!shmc_write_frame(STDOUT_FILENO, line, length))
                give_up("standard output");
}

/* Reads what a worker has to say; false when it is at its end. */
static bool read_worker(struct run *run, struct slot *s)
{
        if (!s->line) {
                s->line = malloc(SHMC_LINE_SIZE);
                if (!s->line)
                        give_up("malloc");
        }
        ssize_t n = read(s->fd, s->line + s->length, SHMC_LINE_SIZE - s->length);
        if (n == -1 && errno == EINTR)
                return true;
        if (n <= 0)
                return false;
        s->length += (size_t)n;
        char *start = s->line;
        for (char *end; (end = memchr(start, '\n', s->length - (size_t)(start - s->line))) != NULL; start = end + 1) {
                *end = '\0';
                take_line(run, s, start, (size_t)(end - start));
        }
        s->length -= (size_t)(start - s->line);
        memmove(s->line, start, s->length);
        return true;
}

static bool has_more(const struct slot *s)
{
        struct pollfd p = {.fd = s->fd, .events = POLLIN};
        return poll(&p, 1, 0) == 1;
}

static void worker_ended(struct run *run, struct slot *s, bool silent)
{
        int status = s->status;
        while (!s->reaped && waitpid(s->pid, &status, 0) == -1 && errno == EINTR) {
        }
        while (has_more(s) && read_worker(run, s)) {
        }
        close(s->fd);
        s->pid = 0;
        unsigned job = running_job(run, s);
        bool lost = job != 0;
        if (!lost && s->only >= 0 && !(WIFEXITED(status) && WEXITSTATUS(status) == 0)) {
                job = (unsigned)s->only + 1;
                lost = true;
        }
        if (!lost)
                return;
        char reason[160];
        if (was_told(run, s, job - 1)) {
                /* Nothing is missing. */
        } else if (silent) {
                emit_lost(run, job - 1, "hang", "the case could not be stopped from inside its isolation");
        } else {
                snprintf(reason, sizeof(reason), "the worker died (%s %d)",
                         WIFSIGNALED(status) ? "signal" : "exit status",
                         WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
                emit_lost(run, job - 1, "error", reason);
        }
        if (s->only < 0 && !start_worker(run, s, -1))
                give_up("fork");
}

static void start_waiting(struct run *run)
{
        for (unsigned i = run->workers; i < run->slot_count && run->next_waiting < run->job_count; i++) {
                while (run->next_waiting < run->job_count && !shmc_waits(run->jobs[run->next_waiting].c))
                        run->next_waiting++;
                if (run->slots[i].pid || run->next_waiting == run->job_count)
                        continue;
                if (!start_worker(run, &run->slots[i], (int)run->next_waiting))
                        give_up("fork");
                run->next_waiting++;
        }
}

static bool is_silent(const struct run *run, const struct slot *s)
{
        unsigned job = running_job(run, s);
        return job && shmc_now_ms() - atomic_load(&s->activity->started_ms) >
                              (long long)(shmc_allowance(run->jobs[job - 1].c) * 1000) + GRACE_MS;
}

static void stop_silent_workers(const struct run *run)
{
        for (unsigned i = 0; i < run->slot_count; i++) {
                const struct slot *s = &run->slots[i];
                if (s->pid && is_silent(run, s))
                        kill(s->pid, SIGKILL);
        }
}

/* A process that a case left behind where there is no PID namespace may hold the pipe of a worker that is gone. */
static void miss_workers(struct run *run)
{
        for (unsigned i = 0; i < run->slot_count; i++) {
                struct slot *s = &run->slots[i];
                if (s->pid && waitpid(s->pid, &s->status, WNOHANG) == s->pid) {
                        s->reaped = true;
                        worker_ended(run, s, is_silent(run, s));
                }
        }
}

/* Ends early: the workers and their cases first, then what the ledger names. */
SHMC_NORETURN static void stop_early(struct run *run)
{
        for (unsigned i = 0; i < run->slot_count; i++) {
                if (run->slots[i].pid) {
                        kill(run->slots[i].pid, SIGKILL);
                        waitpid(run->slots[i].pid, NULL, 0);
                }
        }
        shmc_end_strays();
        shmc_ledger_close();
        exit(3);
}

static void run_all(struct run *run)
{
        struct pollfd *polled = calloc(run->slot_count + 1, sizeof(polled[0]));
        if (!polled)
                give_up("calloc");
        start_waiting(run);
        for (unsigned i = 0; i < run->workers; i++) {
                if (!start_worker(run, &run->slots[i], -1))
                        give_up("fork");
        }
        for (;;) {
                bool busy = false;
                for (unsigned i = 0; i < run->slot_count; i++) {
                        polled[i].fd = run->slots[i].pid ? run->slots[i].fd : -1;
                        polled[i].events = POLLIN;
                        busy |= run->slots[i].pid != 0;
                }
                if (!busy)
                        break;
                /* Asked for no event: only that the reader is gone shows. */
                polled[run->slot_count].fd = STDOUT_FILENO;
                polled[run->slot_count].events = 0;
                int told_of = poll(polled, run->slot_count + 1, 500);
                if (told_of == -1) {
                        if (errno != EINTR)
                                give_up("poll");
                        for (unsigned i = 0; i <= run->slot_count; i++)
                                polled[i].revents = 0;
                }
                if (asked_to_stop)
                        stop_early(run);
                if (polled[run->slot_count].revents & POLLERR) {
                        fputs("shmcheck-agent: standard output: nobody reads it any more\n", stderr);
                        stop_early(run);
                }
                for (unsigned i = 0; i < run->slot_count; i++) {
                        struct slot *s = &run->slots[i];
                        bool told = polled[i].fd != -1 && (polled[i].revents & (POLLIN | POLLHUP | POLLERR));
                        if (told && !read_worker(run, s))
                                worker_ended(run, s, is_silent(run, s));
                }
                if (told_of == 0)
                        miss_workers(run);
                start_waiting(run);
                stop_silent_workers(run);
        }
        shmc_end_strays();
        free(polled);
}

static void choose_jobs(struct run *run, const struct shmc_options *o)
{
        size_t all = shmc_registry_count() * o->repeat;
        run->jobs = calloc(all ? all : 1, sizeof(run->jobs[0]));
        if (!run->jobs)
                give_up("calloc");
        for (unsigned round = 1; round <= o->repeat; round++) {
                for (size_t i = 0; i < shmc_registry_count(); i++) {
                        if (selected(shmc_registry_at(i), o)) {
                                struct shmc_job job = {shmc_registry_at(i), round};
                                run->jobs[run->job_count++] = job;
                        }
                }
        }
}

static void make_slots(struct run *run, const struct shmc_options *o)
{
        long processors = sysconf(_SC_NPROCESSORS_ONLN);
        run->workers = o->jobs ? o->jobs : (unsigned)(processors > 0 ? processors : 1);
        unsigned waiting = 0;
        for (unsigned i = 0; i < run->job_count && waiting < WAITING_MAX; i++)
                waiting += shmc_waits(run->jobs[i].c);
        run->slot_count = run->workers + waiting;
        run->slots = calloc(run->slot_count, sizeof(run->slots[0]));
        if (!run->slots)
                give_up("calloc");
        run->schedule = shared(sizeof(*run->schedule));
        struct shmc_activity *activities = shared(run->slot_count * sizeof(activities[0]));
        for (unsigned i = 0; i < run->slot_count; i++) {
                run->slots[i].activity = &activities[i];
                run->slots[i].fd = -1;
        }
}

static void stop_on_signals(void)
{
        static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
        struct sigaction action;
        memset(&action, 0, sizeof(action));
        action.sa_handler = on_stop;
        for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
                sigaction(signals[i], &action, NULL);
}

/* Probes and children of cases die on purpose; a case that wants a core file raises the limit again. */
static void leave_no_cores(void)
{
        struct rlimit core;
        if (getrlimit(RLIMIT_CORE, &core) == 0) {
                core.rlim_cur = 0;
                setrlimit(RLIMIT_CORE, &core);
        }
}

static int run_cases(const struct shmc_options *o)
{
        struct run run = {0};
        char why[PATH_MAX + 256];
        shmc_context.timeout = o->timeout;
        shmc_context.stress = o->stress;
        shmc_context.floor = o->floor;
        signal(SIGPIPE, SIG_IGN);
        stop_on_signals();
        leave_no_cores();
        if (!shmc_isolation_choose(o->isolation, why, sizeof(why))) {
                fprintf(stderr, "shmcheck-agent: %s\n", why);
                return 3;
        }
        if (!shmc_needs_probe(&run.needs)) {
                fprintf(stderr, "shmcheck-agent: the process that probes the platform died\n");
                return 3;
        }
        bool leaves_traces = shmc_context.isolation == SHMC_ISOLATION_HOST || !run.needs.private_scratch;
        if (leaves_traces && !shmc_ledger_open(NULL, why, sizeof(why))) {
                fprintf(stderr, "shmcheck-agent: no ledger, and without one no case can run here: %s\n", why);
                return 3;
        }
        shmc_adopt_strays();
        choose_jobs(&run, o);
        make_slots(&run, o);
        struct shmc_text start = SHMC_TEXT(object_bytes);
        shmc_record_start(&start, &run.needs, run.job_count, o->repeat, run.workers);
        emit(&start);
        run_all(&run);
        struct shmc_text end = SHMC_TEXT(object_bytes);
        shmc_record_end(&end, run.results);
        emit(&end);
        shmc_ledger_close();
        return 0;
}

static void find_program(const char *argv0)
{
        ssize_t n = readlink("/proc/self/exe", shmc_context.program, sizeof(shmc_context.program) - 1);
        if (n > 0) {
                shmc_context.program[n] = '\0';
                /* The link works even where the path cannot be searched by the user a case became. */
                shmc_context.exec_path = "/proc/self/exe";
                return;
        }
        if (!realpath(argv0, shmc_context.program))
                snprintf(shmc_context.program, sizeof(shmc_context.program), "%s", argv0);
        shmc_context.exec_path = shmc_context.program;
}

int main(int argc, char **argv)
{
        struct shmc_options options;
        shmc_registry_fill();
        if (!shmc_options_read(&options, argc, argv))
                return 2;
        if (options.power_off)
                shmc_own_machine_enter();
        find_program(argv[0]);
        switch (options.action) {
        case SHMC_PROGRAM:
                return shmc_run_program(argv[options.rest], argc - options.rest - 1, argv + options.rest + 1);
        case SHMC_CLEAN:
                return shmc_ledger_clean(NULL) < 0 ? 3 : 0;
        case SHMC_HELP:
                shmc_options_help();
                return 0;
        case SHMC_VERSION:
                puts("shmcheck-agent " SHMC_AGENT_VERSION);
                return 0;
        case SHMC_LIST:
                shmc_registry_sort();
                return filters_select(&options) ? list_cases(&options) : 2;
        case SHMC_RUN:
                break;
        }
        shmc_registry_sort();
        return filters_select(&options) ? run_cases(&options) : 2;
}
