#include "worker.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/time.h>
#if defined(__linux__)
#include <sched.h>
#endif

#include "context.h"
#include "current_case.h"
#include "decode.h"
#include "endings.h"
#include "isolation.h"
#include "ledger.h"
#include "record.h"
#include "scene.h"

static char line_bytes[SHMC_LINE_SIZE];

long long shmc_now_ms(void)
{
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static long long now_us(void)
{
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Seconds that a case of those that wait may be kept waiting by all the others. */
#define LONGEST_WAIT 30.0

double shmc_allowance(const struct shmc_case *c)
{
        double wait = c->waits ? LONGEST_WAIT : (c->needs & NEED_CLOCK_TICK) ? 1.1 : 0.0;
        return shmc_context.timeout + wait + shmc_context.stress;
}

bool shmc_waits(const struct shmc_case *c)
{
        return c->waits || (c->needs & NEED_CLOCK_TICK);
}

double shmc_stress(void)
{
        return shmc_context.stress;
}

/* ---- the time-out ---- */

static volatile sig_atomic_t timed_out;
static volatile pid_t running_case;

/* Kills where it fires: a handler that only set a flag could fire just before waitpid. */
static void on_alarm(int signal_number)
{
        (void)signal_number;
        int error = errno;
        timed_out = 1;
        if (running_case > 0) {
                kill(-running_case, SIGKILL);
                kill(running_case, SIGKILL);
        }
        errno = error;
}

static void set_timer(double seconds)
{
        struct itimerval timer = {{0, 0}, {0, 0}};
        timer.it_value.tv_sec = (time_t)seconds;
        timer.it_value.tv_usec = (suseconds_t)((seconds - (double)timer.it_value.tv_sec) * 1e6);
        setitimer(ITIMER_REAL, &timer, NULL);
}

/* ---- one case ---- */

static const char *missing_need(const struct shmc_case *c, const struct shmc_needs *needs, char *why, size_t size)
{
        for (unsigned bit = 0; bit < SHMC_NEEDS; bit++) {
                if ((c->needs & (1UL << bit)) && needs->missing[bit][0]) {
                        snprintf(why, size, "needs %s: %s", shmc_need_name(bit), needs->missing[bit]);
                        return why;
                }
        }
        return NULL;
}

static void give_up_privileges(const struct shmc_needs *needs)
{
        bool can_become_users = needs->missing[1][0] == '\0';
        if (can_become_users)
                shmc_become_user(USER_A, GROUP_A);
        else if (geteuid() == 0)
                shmc_make_only_capabilities(0);
        memcpy(shmc_process_name, "case", sizeof("case"));
}

SHMC_NORETURN static void run_body(const struct shmc_case *c, const struct shmc_needs *needs)
{
        signal(SIGALRM, SIG_DFL);
        signal(SIGPIPE, SIG_DFL);
        if (!shmc_context.pid_namespace)
                shmc_die_with_parent();
        setpgid(0, 0);
        if (c->needs & NEED_UNPRIVILEGED)
                give_up_privileges(needs);
        if (c->row_body)
                c->row_body(c->row);
        else
                c->body();
        _exit(0);
}

static const char *ending_status(int ending)
{
        switch (ending) {
        case SHMC_END_SKIP:
                return "skip";
        case SHMC_END_SETUP_FAILED:
                return "setup";
        case SHMC_END_HARNESS:
                return "error";
        default:
                return "done";
        }
}

static void classify(struct shmc_result *r, int status, char *reason, size_t size)
{
        const struct shmc_journal *j = shmc_journal;
        int ending = atomic_load(&j->ending);
        r->reason = reason;
        if (timed_out) {
                r->status = "hang";
                snprintf(reason, size, "no end after %g s", shmc_allowance(shmc_current_case));
        } else if (WIFSIGNALED(status)) {
                r->status = "crash";
                snprintf(reason, size, "killed by %s", shmc_signal_name(WTERMSIG(status)));
        } else if (WEXITSTATUS(status) == SHMC_EXIT_ENDED && ending != SHMC_END_DONE) {
                r->status = ending_status(ending);
                r->reason = j->reason;
        } else if (WEXITSTATUS(status) != 0) {
                r->status = "error";
                snprintf(reason, size, "the case's process exited with status %d", WEXITSTATUS(status));
        } else if (atomic_load(&j->dropped[SHMC_OBSERVATION])) {
                r->status = "error";
                snprintf(reason, size, "%u observations found no room in the journal",
                         (unsigned)atomic_load(&j->dropped[SHMC_OBSERVATION]));
        } else if (atomic_load(&j->observations) == 0) {
                r->status = "error";
                snprintf(reason, size, "the case made no observation");
        } else {
                r->status = "done";
        }
}

/* ---- what persists ---- */

static bool segment_exists(int shmid, struct shmid_ds *ds)
{
        return shmctl(shmid, IPC_STAT, ds) == 0 || errno == EACCES || errno == EPERM;
}

/* Segments of the worker's whole namespace; -1 where it is shared, or cannot be told. */
static long count_in_namespace(const struct shmc_needs *needs)
{
#ifdef __linux__
        union {
                struct shm_info info;
                struct shmid_ds ds;
                unsigned char room[512];
        } u;
        if (needs->counts_segments && shmctl(0, SHM_INFO, &u.ds) >= 0)
                return (long)u.info.SHMC_INFO_USED_IDS;
#else
        (void)needs;
#endif
        return -1;
}

/*
 * Looks at what is left now that the case's processes are gone and nothing is
 * cleaned up yet, and adds the observation that it is what the case meant.
 */
static void observe_persistence(struct shmc_text *left, const char *status, const struct shmc_needs *needs)
{
        struct shmc_journal *j = shmc_journal;
        uint32_t count = atomic_load(&j->made_count);
        long meant = 0;
        long found = 0;
        const char *comma = "";
        shmc_add(left, "{\"segments\":[");
        for (uint32_t i = 0; i < count && i < SHMC_SEGMENTS; i++) {
                int shmid = (int)(atomic_load(&j->made[i].id_plus_1) - 1);
                union {
                        struct shmid_ds ds;
                        unsigned char room[512];
                } u;
                memset(&u, 0, sizeof(u));
                bool exists = segment_exists(shmid, &u.ds);
                meant += !atomic_load(&j->made[i].removed);
                found += exists;
                if (!exists)
                        continue;
                shmc_add(left, "%s{\"id\":%d,\"key\":\"0x%08x\",\"nattch\":\"%" PRIuMAX "\"}", comma, shmid,
                         (unsigned)j->made[i].key, (uintmax_t)u.ds.shm_nattch);
                comma = ",";
        }
        bool done = strcmp(status, "done") == 0;
        bool set_up_failed = strcmp(status, "setup") == 0;
        /* A case that ended half-way has not yet said what else it means to leave: then only what it told counts. */
        long in_namespace = set_up_failed ? -1 : count_in_namespace(needs);
        if (in_namespace >= 0)
                found = in_namespace;
        bool has_told = atomic_load(&j->meant_left) >= 0;
        if (has_told)
                meant = atomic_load(&j->meant_left);
        /* What a case tells are segments that only the namespace's count knows of. */
        bool unknown = has_told && !needs->counts_segments && shmc_context.isolation != SHMC_ISOLATION_HOST;
        shmc_add(left, "],\"count\":%ld,\"meant\":%ld}", found, meant);
        if (!(done || set_up_failed) || count > SHMC_SEGMENTS || unknown)
                return;
        char observation[256];
        struct shmc_text t = SHMC_TEXT(observation);
        shmc_add(&t,
                 "{\"by\":\"agent\",\"what\":\"segments left when the case's processes are gone\",\"seen\":\"%ld\","
                 "\"expected\":{\"posix\":[\"%ld\"]}}",
                 found, meant);
        shmc_journal_append(j, SHMC_OBSERVATION, t.bytes, t.length);
}

/* Under host isolation: removes what the case made, if it still is what was made. */
static void remove_own_segments(void)
{
        struct shmc_journal *j = shmc_journal;
        uint32_t count = atomic_load(&j->made_count);
        for (uint32_t i = 0; i < count && i < SHMC_SEGMENTS; i++) {
                int shmid = (int)(atomic_load(&j->made[i].id_plus_1) - 1);
                union {
                        struct shmid_ds ds;
                        unsigned char room[512];
                } u;
                /* A segment of mode 0 does not show who made it; the owner may make it readable. */
                bool seen = shmctl(shmid, IPC_STAT, &u.ds) == 0;
                if (!seen && errno == EACCES) {
                        memset(&u, 0, sizeof(u));
                        u.ds.shm_perm.uid = geteuid();
                        u.ds.shm_perm.gid = getegid();
                        u.ds.shm_perm.mode = 0600;
                        seen = shmctl(shmid, IPC_SET, &u.ds) == 0 && shmctl(shmid, IPC_STAT, &u.ds) == 0;
                }
                if (seen && u.ds.shm_cpid == j->made[i].pid && shmctl(shmid, IPC_RMID, NULL) == 0)
                        shmc_ledger_removed(shmid);
        }
}

static void run_case(const struct shmc_case *c, const struct shmc_needs *needs, struct shmc_result *r,
                     struct shmc_text *left, char *reason, size_t size)
{
        shmc_current_case = c;
        r->reason = reason;
        reason[0] = '\0';
        if (missing_need(c, needs, reason, size)) {
                r->status = "skip";
                return;
        }
#ifndef __linux__
        if (c->linux_only) {
                r->status = "not-applicable";
                snprintf(reason, size, "only Linux has this");
                return;
        }
#endif
        shmc_journal_reset(shmc_journal);
        if (!shmc_isolation_renew()) {
                r->status = "error";
                snprintf(reason, size, "no fresh IPC namespace: %s", strerror(errno));
                return;
        }
        if (shmc_context.isolation == SHMC_ISOLATION_HOST)
                shmc_choose_free_keys();
        timed_out = 0;
        pid_t pid = fork();
        if (pid == 0)
                run_body(c, needs);
        if (pid == -1) {
                r->status = "error";
                snprintf(reason, size, "fork: %s", strerror(errno));
                return;
        }
        running_case = pid;
        set_timer(shmc_allowance(c));
        int status = 0;
        while (waitpid(pid, &status, 0) == -1 && errno == EINTR) {
        }
        running_case = 0;
        set_timer(0);
        shmc_reap_all(pid);
        r->journal = shmc_journal;
        classify(r, status, reason, size);
        observe_persistence(left, r->status, needs);
        r->left = left->bytes;
        if (shmc_context.isolation == SHMC_ISOLATION_HOST)
                remove_own_segments();
        if (shmc_journal->scratch[0])
                shmc_remove_tree(shmc_journal->scratch);
}

/*
 * Microseconds of what no case can do without: a bare fork, new IPC namespace,
 * exit and wait. Measured beside each case, since a machine's pace changes
 * within one run, and in its worker, since a fork costs by the size of what forks.
 */
static long measure_floor(void)
{
        long long start = now_us();
        pid_t pid = fork();
        if (pid == 0) {
#ifdef __linux__
                if (shmc_context.isolation != SHMC_ISOLATION_HOST)
                        unshare(CLONE_NEWIPC);
#endif
                _exit(0);
        }
        while (pid != -1 && waitpid(pid, NULL, 0) == -1 && errno == EINTR) {
        }
        return (long)(now_us() - start);
}

static void run_job(const struct shmc_job *job, const struct shmc_needs *needs, int fd)
{
        char left_bytes[16384];
        char reason[256];
        struct shmc_text begin = SHMC_TEXT(line_bytes);
        shmc_record_begin(&begin, job->c, job->round);
        shmc_add_bytes(&begin, "\n", 1);
        if (!shmc_write_all(fd, begin.bytes, begin.length))
                _exit(1);
        struct shmc_text left = SHMC_TEXT(left_bytes);
        struct shmc_result result = {.status = "error", .reason = ""};
        long long start = now_us();
        run_case(job->c, needs, &result, &left, reason, sizeof(reason));
        result.microseconds = (long)(now_us() - start);
        if (shmc_context.floor)
                result.floor = measure_floor();
        struct shmc_text lines = SHMC_TEXT(line_bytes);
        if (result.journal) {
                shmc_record_steps(&lines, job->c, job->round, result.journal);
                shmc_add_bytes(&lines, "\n", 1);
        }
        shmc_record_case(&lines, job->c, job->round, &result);
        shmc_add_bytes(&lines, "\n", 1);
        if (!shmc_write_all(fd, lines.bytes, lines.length))
                _exit(1);
}

static bool reader_is_gone(int fd)
{
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        return poll(&p, 1, 0) == 1 && (p.revents & POLLERR);
}

static void take_job(struct shmc_activity *activity, const struct shmc_job *jobs, unsigned job,
                     const struct shmc_needs *needs, int fd)
{
        atomic_store(&activity->started_ms, shmc_now_ms());
        atomic_store(&activity->job_plus_1, job + 1);
        run_job(&jobs[job], needs, fd);
        atomic_store(&activity->job_plus_1, 0);
}

void shmc_worker(struct shmc_schedule *schedule, struct shmc_activity *activity, const struct shmc_job *jobs,
                 unsigned count, int only, const struct shmc_needs *needs, int fd)
{
        /* A parent that died before the death signal was asked for is noticed here. */
        if (reader_is_gone(fd))
                _exit(1);
        /* What a case or a library under test prints must not come between the frames. */
        dup2(STDERR_FILENO, STDOUT_FILENO);
        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
        signal(SIGHUP, SIG_DFL);
        shmc_journal = shmc_journal_new();
        if (!shmc_journal)
                _exit(1);
        shmc_scratch_enter();
        struct sigaction action;
        memset(&action, 0, sizeof(action));
        action.sa_handler = on_alarm;
        sigaction(SIGALRM, &action, NULL);
        signal(SIGPIPE, SIG_IGN);
        if (only >= 0) {
                take_job(activity, jobs, (unsigned)only, needs, fd);
                _exit(0);
        }
        for (unsigned job; (job = atomic_fetch_add(&schedule->next, 1)) < count;) {
                /* Jobs that wait have workers of their own. */
                if (!shmc_waits(jobs[job].c))
                        take_job(activity, jobs, job, needs, fd);
        }
        _exit(0);
}
