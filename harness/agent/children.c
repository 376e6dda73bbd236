/* The processes of a case beside its first: forked, kept in step by pipes, and accounted for. */
#include "case.h"
#include "children.h"
#include "context.h"
#include "decode.h"
#include "endings.h"
#include "isolation.h"
#include "journal.h"
#include "text.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

static void name_process(const char *name)
{
        struct shmc_text t = SHMC_TEXT(shmc_process_name);
        shmc_add_string(&t, name);
}

/* Names it "uid 1 gid 2", with other words where other ids tell more. */
static void name_by_ids(const char *first, uintmax_t a, const char *second, uintmax_t b)
{
        struct shmc_text t = SHMC_TEXT(shmc_process_name);
        shmc_add_string(&t, first);
        shmc_add_digits(&t, a, 10, 1);
        shmc_add_string(&t, second);
        shmc_add_digits(&t, b, 10, 1);
}

static pid_t fork_child(const char *name)
{
        pid_t pid = fork();
        if (pid == -1)
                shmc_setup_failed("fork: %s", strerror(errno));
        if (pid == 0) {
                name_process(name);
                if (!shmc_context.pid_namespace)
                        shmc_die_with_parent();
        }
        return pid;
}

static int wait_for(pid_t pid)
{
        int status = 0;
        while (waitpid(pid, &status, 0) == -1) {
                if (errno != EINTR)
                        shmc_harness_failed("waitpid: %s", strerror(errno));
        }
        return status;
}

/* A child's end is the case's end, unless it simply got through its body. */
static void follow(int status)
{
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                return;
        if (WIFEXITED(status) && WEXITSTATUS(status) == SHMC_EXIT_ENDED)
                _exit(SHMC_EXIT_ENDED);
        if (WIFSIGNALED(status)) {
                signal(WTERMSIG(status), SIG_DFL);
                kill(getpid(), WTERMSIG(status));
        }
        shmc_harness_failed("a child process of the case ended with status 0x%x", (unsigned)status);
}

struct child shmc_begin_child(const char *name)
{
        struct child c = {.to_child = {-1, -1}, .to_parent = {-1, -1}};
        c.pid = fork_child(name);
        c.running = c.pid == 0;
        if (!c.running) {
                c.status = wait_for(c.pid);
                c.joined = true;
                follow(c.status);
        }
        return c;
}

void shmc_become_user(uid_t uid, gid_t gid)
{
        bool became = setgroups(0, NULL) == 0 && setgid(gid) == 0 && setuid(uid) == 0;
        if (!became || getuid() != uid || geteuid() != uid || getgid() != gid || getegid() != gid)
                shmc_harness_failed("cannot become uid %lu, gid %lu: %s", (unsigned long)uid, (unsigned long)gid,
                                    strerror(errno));
        name_by_ids("uid ", uid, " gid ", gid);
}

void shmc_become_ids(uid_t real, uid_t effective, uid_t saved, gid_t egid)
{
#if defined(__linux__) || defined(__FreeBSD__) || defined(__OpenBSD__)
        if (setgroups(0, NULL) == -1 || setresgid((gid_t)-1, egid, (gid_t)-1) == -1 ||
            setresuid(real, effective, saved) == -1 || geteuid() != effective || getuid() != real)
                shmc_harness_failed("setresuid(%ld, %ld, %ld): %s", (long)real, (long)effective, (long)saved,
                                    strerror(errno));
        name_by_ids("ruid ", real, " euid ", effective);
#else
        (void)real, (void)effective, (void)saved, (void)egid;
        shmc_skip("this platform has no setresuid");
#endif
}

/* The ids of WITH_IDS: real and effective as asked, the saved uid root's, which is the way back. */
static bool set_ids(uid_t uid, gid_t gid)
{
#if defined(__linux__) || defined(__FreeBSD__) || defined(__OpenBSD__)
        return setresgid(gid, gid, gid) == 0 && setresuid(uid, uid, 0) == 0;
#else
        /* Setting the real uid sets the saved one to the effective one. */
        return setregid(gid, gid) == 0 && setreuid(uid, 0) == 0 && seteuid(uid) == 0;
#endif
}

static bool has_groups(gid_t supplementary)
{
        gid_t seen = 0;
        int count = getgroups(1, &seen);
        return supplementary ? count == 1 && seen == supplementary : count == 0;
}

static gid_t gid_before;
static char name_before[sizeof(shmc_process_name)];

bool shmc_take_ids(uid_t uid, gid_t gid, gid_t supplementary)
{
        gid_before = getegid();
        memcpy(name_before, shmc_process_name, sizeof(name_before));
        bool took = has_groups(supplementary) || setgroups(supplementary ? 1 : 0, &supplementary) == 0;
        if (!took || !set_ids(uid, gid) || getuid() != uid || geteuid() != uid || getgid() != gid || getegid() != gid ||
            !has_groups(supplementary))
                shmc_harness_failed("cannot be uid %lu, gid %lu for a while: %s", (unsigned long)uid,
                                    (unsigned long)gid, strerror(errno));
        name_by_ids("uid ", uid, " gid ", gid);
        return true;
}

void shmc_leave_ids(void)
{
        if (seteuid(0) == -1 || !set_ids(0, gid_before) || geteuid() != 0 || getegid() != gid_before)
                shmc_harness_failed("cannot be root again: %s", strerror(errno));
        memcpy(shmc_process_name, name_before, sizeof(shmc_process_name));
}

struct child shmc_begin_user(uid_t uid, gid_t gid)
{
        struct child c = shmc_begin_child("child");
        if (c.running)
                shmc_become_user(uid, gid);
        return c;
}

void shmc_end_child(struct child *c)
{
        (void)c;
        _exit(0);
}

void shmc_start_child(struct child *c, const char *name)
{
        memset(c, 0, sizeof(*c));
        if (pipe(c->to_child) == -1 || pipe(c->to_parent) == -1)
                shmc_setup_failed("pipe: %s", strerror(errno));
        c->pid = fork_child(name);
        c->running = c->pid == 0;
        if (c->running) {
                close(c->to_child[1]);
                close(c->to_parent[0]);
        } else {
                close(c->to_child[0]);
                close(c->to_parent[1]);
        }
}

static void send_token(int fd)
{
        /* The other side may be gone: whoever waits for it will say so. */
        signal(SIGPIPE, SIG_IGN);
        while (write(fd, "x", 1) == -1 && errno == EINTR) {
        }
}

static bool receive_token(int fd)
{
        char token;
        ssize_t n = 0;
        while ((n = read(fd, &token, 1)) == -1 && errno == EINTR) {
        }
        return n == 1;
}

void shmc_tell_child(struct child *c)
{
        send_token(c->to_child[1]);
}

void shmc_await_child(struct child *c)
{
        if (receive_token(c->to_parent[0]))
                return;
        c->status = wait_for(c->pid);
        c->joined = true;
        follow(c->status);
        shmc_harness_failed("a child ended before the step that the case waits for");
}

void shmc_tell_parent(struct child *c)
{
        send_token(c->to_parent[1]);
}

void shmc_await_parent(struct child *c)
{
        /* A parent that is gone has ended the case. */
        if (!receive_token(c->to_child[0]))
                _exit(SHMC_EXIT_ENDED);
}

static void close_pipes(struct child *c)
{
        close(c->to_child[1]);
        close(c->to_parent[0]);
}

void shmc_join_child(struct child *c)
{
        if (c->joined)
                return;
        c->status = wait_for(c->pid);
        c->joined = true;
        close_pipes(c);
        follow(c->status);
}

void shmc_start_holder(struct child *c, int shmid)
{
        CHILD(c, "holder")
        {
                make_attached(shmid, 0);
                tell_parent(c);
                await_parent(c);
        }
        await_child(c);
}

void shmc_end_holder(struct child *c)
{
        shmc_tell_child(c);
        shmc_join_child(c);
}

void shmc_kill_child(struct child *c, int signal_number)
{
        kill(c->pid, signal_number);
        c->status = wait_for(c->pid);
        c->joined = true;
        close_pipes(c);
}

static void note_fault(int signal_number, siginfo_t *info, void *context)
{
        (void)context;
        atomic_store(&shmc_journal->fault_code, info->si_code + 1);
        atomic_store(&shmc_journal->fault_address, (uintptr_t)info->si_addr);
        signal(signal_number, SIG_DFL);
}

void shmc_start_doomed(struct death *d)
{
        memset(d, 0, sizeof(*d));
        atomic_store(&shmc_journal->fault_code, 0);
        atomic_store(&shmc_journal->fault_address, 0);
        d->child.pid = fork_child("doomed child");
        d->child.running = d->child.pid == 0;
        if (d->child.running) {
                /* The handler returns to the faulting instruction, which then dies of the default action. */
                struct sigaction action;
                memset(&action, 0, sizeof(action));
                action.sa_sigaction = note_fault;
                action.sa_flags = SA_SIGINFO;
                sigaction(SIGSEGV, &action, NULL);
                sigaction(SIGBUS, &action, NULL);
                return;
        }
        d->child.status = wait_for(d->child.pid);
        d->child.joined = true;
        if (WIFSIGNALED(d->child.status))
                d->signal_number = WTERMSIG(d->child.status);
        else
                follow(d->child.status);
        d->code = atomic_load(&shmc_journal->fault_code) - 1;
        d->address = atomic_load(&shmc_journal->fault_address);
}

void shmc_end_doomed(struct death *d)
{
        (void)d;
        _exit(0);
}

/* ---- programs ---- */

#define PROGRAMS 64
static const struct shmc_program *programs[PROGRAMS];
static size_t program_count;

void shmc_register_program(const struct shmc_program *p)
{
        if (program_count == PROGRAMS)
                abort();
        programs[program_count++] = p;
}

int shmc_run_program(const char *name, int argc, char **argv)
{
        for (size_t i = 0; i < program_count; i++) {
                if (strcmp(programs[i]->name, name) == 0)
                        return programs[i]->main(argc, argv);
        }
        return 127;
}

#define PROGRAM_WORDS 12

void shmc_exec_program(const char *name, ...)
{
        const char *words[PROGRAM_WORDS + 4] = {shmc_context.program, "--program", name};
        size_t n = 3;
        va_list arguments;
        va_start(arguments, name);
        for (const char *w; (w = va_arg(arguments, const char *)) != NULL;) {
                if (n == PROGRAM_WORDS + 3)
                        shmc_harness_failed("too many words for program %s", name);
                words[n++] = w;
        }
        va_end(arguments);
        char *argv[PROGRAM_WORDS + 5];
        memcpy(argv + 1, words, sizeof(words));
        /* An emulator of programs is no part of what the kernel would start. */
        const char *runner = getenv("SHMCHECK_RUNNER");
        argv[0] = runner ? strdup(runner) : NULL;
        if (runner)
                execv(runner, argv);
        else
                execv(shmc_context.exec_path, argv + 1);
        shmc_setup_failed("exec of %s: %s", shmc_context.program, strerror(errno));
}

PROGRAM("hold")
{
        char token = 'x';
        if (argc != 2 || write(atoi(argv[0]), &token, 1) != 1)
                return 1;
        return read(atoi(argv[1]), &token, 1) == 1 ? 0 : 1;
}

void shmc_exec_holder(const struct child *c)
{
        char out[16];
        char in[16];
        snprintf(out, sizeof(out), "%d", c->to_parent[1]);
        snprintf(in, sizeof(in), "%d", c->to_child[0]);
        exec_program("hold", out, in);
}

/* ---- barrier ---- */

struct barrier {
        unsigned members;
        _Atomic unsigned arrived;
        _Atomic unsigned generation;
};

struct barrier *shmc_make_barrier(unsigned members)
{
        struct barrier *b = shmc_make_shared(sizeof(*b));
        b->members = members;
        return b;
}

void shmc_meet(struct barrier *b)
{
        unsigned generation = atomic_load(&b->generation);
        if (atomic_fetch_add(&b->arrived, 1) + 1 == b->members) {
                atomic_store(&b->arrived, 0);
                atomic_fetch_add(&b->generation, 1);
                return;
        }
        for (unsigned spins = 0; atomic_load(&b->generation) == generation; spins++) {
                if (spins > 200)
                        sched_yield();
        }
}
