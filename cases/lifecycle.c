/*
 * What the ends and beginnings of processes do to attachments: fork, vfork and
 * clone inherit or share them, exec and every kind of death detach them (POSIX
 * XSH fork, exec, _Exit, shmat, shmdt). The children tell and wait over pipes.
 * Not covered: a process that ends with the machine, and core dumps.
 */
#include "case.h"

#include <stdio.h>
#include <sys/resource.h>
#if !defined(__dietlibc__)
#include <pthread.h>
#include <spawn.h>
#endif
#if defined(__linux__)
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#endif

#define SIZE 3333

/* A child that exists beside the case until end_holder, and does nothing. */
static void start_bystander(struct child *c)
{
        CHILD(c, "bystander")
        {
                tell_parent(c);
                await_parent(c);
        }
        await_child(c);
}

/* Waits until the child is dead, and leaves it a zombie. */
static void await_zombie(const struct child *c)
{
#if defined(__dietlibc__)
        /* It has no waitid: P_PID, WEXITED|WNOWAIT. */
        make_sure(syscall(__NR_waitid, 1, c->pid, NULL, 0x01000004, NULL) == 0, "waitid: %s", strerror(errno));
#else
        siginfo_t info;
        make_sure(waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOWAIT) == 0, "waitid: %s", strerror(errno));
#endif
}

/* The harness kills a child whose parent has died, where that is all that keeps children from staying behind. */
static void outlive_parent(void)
{
#if defined(__linux__)
        prctl(PR_SET_PDEATHSIG, 0);
#endif
}

/*
 * nattch as it is when a process that cannot be waited for has ended: no rule
 * orders its detaching before anything else that a stranger can see of its end.
 */
static uintmax_t nattch_settled_at(int id, uintmax_t expected)
{
        uintmax_t seen = attachments(id);
        for (int tries = 0; seen != expected && tries < 200; tries++) {
                struct timespec moment = {0, 1000000L};
                nanosleep(&moment, NULL);
                seen = attachments(id);
        }
        return seen;
}

/* ---- fork ---- */

CASE("life.fork.inherits", "A forked child reads and writes the segment at the same address, and the parent sees it",
     .level = POSIX_SHALL, .clause = "POSIX XSH fork DESCRIPTION; shmop(2) NOTES")
{
        int id = make_segment(KEY, SIZE, 0600);
        void *at = make_attached(id, 0);
        fill_pattern(at, SIZE, 1);
        IN_CHILD
        {
                bool inherited = is_mapped(at);
                check_that(inherited, "the child has the attachment at the same address");
                if (inherited) {
                        check_pattern("the child reads what the parent wrote", at, SIZE, 1);
                        fill_pattern(at, SIZE, 2);
                }
        }
        check_pattern("the parent reads what the child wrote", at, SIZE, 2);
}

CASE("life.fork.nattch", "fork raises shm_nattch by each inherited attachment, the child's exit lowers it again",
     .level = POSIX_SHALL,
     .clause = "POSIX XBD <sys/shm.h> shm_nattch; POSIX XSH _Exit Consequences of Process Termination",
     .note = "only the exit's half is spelt out in XSH")
{
        int id = make_segment(KEY, SIZE, 0600);
        make_attached(id, 0);
        make_attached(id, SHM_RDONLY);
        make_sure(attachments(id) == 2, "two attachments do not count as two");
        struct child c;
        start_bystander(&c);
        check_equal(attachments(id), 4);
        end_holder(&c);
        check_equal(attachments(id), 2);
}

CASE("life.fork.read_only", "An inherited read-only attachment stays read-only: the child's store raises SIGSEGV",
     .level = POSIX_SHALL, .clause = "POSIX XSH fork DESCRIPTION; POSIX XSH shmat SHM_RDONLY")
{
        int id = make_segment(KEY, SIZE, 0600);
        volatile unsigned char *read_write = make_attached(id, 0);
        volatile unsigned char *read_only = make_attached(id, SHM_RDONLY);
        struct death d;
        DOOMED(&d)
        {
                read_write[0] = 1;
        }
        check_death("a store into the inherited read-write attachment", &d, OK);
        check_equal(read_only[0], 1);
        DOOMED(&d)
        {
                read_only[0] = 2;
        }
        check_death("a store into the inherited read-only attachment", &d, SIGSEGV);
        check_equal(read_write[0], 1);
}

CASE("life.fork.child_detaches", "The child's shmdt leaves the parent's attachment, and lowers shm_nattch by one",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmdt DESCRIPTION")
{
        int id = make_segment(KEY, SIZE, 0600);
        void *at = make_attached(id, 0);
        fill_pattern(at, SIZE, 1);
        struct child c;
        CHILD(&c, "child")
        {
                check_equal(attachments(id), 2);
                check_succeeds(try_shmdt(at));
                tell_parent(&c);
                await_parent(&c);
        }
        await_child(&c);
        check_equal(attachments(id), 1);
        check_that(is_mapped(at), "the parent keeps its attachment");
        if (is_mapped(at))
                check_pattern("the parent's attachment shows the contents", at, SIZE, 1);
        end_holder(&c);
        check_equal(attachments(id), 1);
}

CASE("life.fork.parent_detaches", "The parent's shmdt leaves the child's attachment usable", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmdt DESCRIPTION")
{
        int id = make_segment(KEY, SIZE, 0600);
        void *at = make_attached(id, 0);
        fill_pattern(at, SIZE, 1);
        struct child c;
        CHILD(&c, "child")
        {
                await_parent(&c);
                bool kept = is_mapped(at);
                check_that(kept, "the child keeps its attachment");
                if (kept) {
                        check_pattern("the child reads the contents", at, SIZE, 1);
                        fill_pattern(at, SIZE, 2);
                }
                tell_parent(&c);
                await_parent(&c);
        }
        check_succeeds(try_shmdt(at));
        check_equal(attachments(id), 1);
        tell_child(&c);
        await_child(&c);
        check_pattern("a new attachment shows what the child wrote", make_attached(id, SHM_RDONLY), SIZE, 2);
        end_holder(&c);
}

CASE("life.fork.grandchild", "A grandchild's inherited attachment works after the process between has exited",
     .level = POSIX_SHALL, .clause = "POSIX XSH fork DESCRIPTION; POSIX XSH _Exit Consequences of Process Termination")
{
        int id = make_segment(KEY, SIZE, 0600);
        void *at = make_attached(id, 0);
        fill_pattern(at, SIZE, 1);
        struct child middle;
        CHILD(&middle, "middle")
        {
                struct child grandchild;
                CHILD(&grandchild, "grandchild")
                {
                        outlive_parent();
                        tell_parent(&grandchild);
                        await_parent(&middle);
                        bool kept = is_mapped(at);
                        check_that(kept, "the grandchild has the attachment");
                        if (kept) {
                                check_pattern("the grandchild reads the contents", at, SIZE, 1);
                                fill_pattern(at, SIZE, 2);
                        }
                        tell_parent(&middle);
                        await_parent(&middle);
                }
                await_child(&grandchild);
        }
        await_zombie(&middle);
        check_equal(attachments(id), 2);
        tell_child(&middle);
        await_child(&middle);
        check_pattern("the first process reads what the grandchild wrote", at, SIZE, 2);
        tell_child(&middle);
        join_child(&middle);
        check_equal(nattch_settled_at(id, 1), 1);
}

#define CROWD 50

CASE("life.fork.many", "Each of 50 children of an attached process counts, and no longer when it has exited",
     .level = POSIX_SHALL, .clause = "POSIX XBD <sys/shm.h> shm_nattch")
{
        int id = make_segment(KEY, SIZE, 0600);
        make_attached(id, 0);
        /* One pipe holds them all: each child reads until the case closes the other end. */
        int hold[2];
        make_sure(pipe(hold) == 0, "pipe: %s", strerror(errno));
        int born = 0;
        for (pid_t pid; born < CROWD && (pid = fork()) != -1; born++) {
                if (pid == 0) {
                        char token;
                        close(hold[1]);
                        _exit(read(hold[0], &token, 1) == 0 ? 0 : 1);
                }
        }
        int error = errno;
        uintmax_t while_alive = attachments(id);
        close(hold[1]);
        for (int i = 0; i < born; i++)
                make_sure(wait(NULL) > 0, "wait: %s", strerror(errno));
        make_sure(born == CROWD, "fork of child %d: %s", born + 1, strerror(error));
        check_equal(while_alive, CROWD + 1);
        check_equal(attachments(id), 1);
}

CASE("life.child.attaches_alone",
     "A child's attachment counts while it lives, and its exit detaches it: nattch 1, then 0", .level = POSIX_SHALL,
     .clause = "POSIX XSH _Exit Consequences of Process Termination", .needs = NEED_CLOCK_TICK)
{
        int id = make_segment(KEY, SIZE, 0600);
        struct child c;
        start_holder(&c, id);
        make_touched_by_another(id, SIZE, 1);
        struct shmid_ds attached = make_stat(id);
        check_equal(attached.shm_nattch, 1);
        wait_for_tick();
        time_t before = stamp_time();
        end_holder(&c);
        time_t after = stamp_time();
        struct shmid_ds now = make_stat(id);
        check_equal(now.shm_nattch, 0);
        LINUX_ONLY
        {
                check_equal(now.shm_lpid, c.pid);
                check_between(now.shm_dtime, before, after);
                check_only_changed(&attached, &now, M_NATTCH | M_LPID | M_DTIME);
        }
}

/* ---- vfork and clone ---- */

PROGRAM("lifecycle.exit")
{
        (void)argc, (void)argv;
        return 0;
}

#ifdef __linux__
/* Written by a vfork child, and seen by its parent unless vfork is fork, as in some C libraries and emulators. */
static volatile bool vfork_shares;

/* The parent is stopped until the child is gone, so it need not be told. */
static void end_vfork(pid_t pid)
{
        int status = -1;
        make_sure(pid != -1 && waitpid(pid, &status, 0) == pid, "vfork: %s", strerror(errno));
        make_sure(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the vfork child ended with status 0x%x",
                  (unsigned)status);
        if (!vfork_shares)
                skip_case("needs a vfork whose child shares its parent's memory");
}
#endif

LINUX_CASE("life.vfork.shares",
           "A vfork child that exits or execs leaves the parent's attachments and the whole shmid_ds as they are",
           .level = LINUX, .clause = "vfork(2)", .needs = NEED_CLOCK_TICK)
{
#ifdef __linux__
        int id = make_segment(KEY, SIZE, 0600);
        void *at = make_attached(id, 0);
        make_touched_by_another(id, SIZE, 1);
        wait_for_tick();
        struct snapshot before = take_snapshot_mapped(id, at);
        pid_t pid = vfork();
        if (pid == 0) {
                vfork_shares = true; // NOLINT(clang-analyzer-unix.Vfork): what is asked for
                _exit(0);
        }
        end_vfork(pid);
        check_unchanged(&before);
        pid = vfork();
        if (pid == 0)
                exec_program("lifecycle.exit"); // NOLINT(clang-analyzer-unix.Vfork): it execs or exits
        end_vfork(pid);
        check_unchanged(&before);
#endif
}

LINUX_CASE("life.vfork.attaches", "What a vfork child attaches is its parent's after the child's _exit",
           .level = LINUX_UNDOCUMENTED, .clause = "vfork(2)")
{
#ifdef __linux__
        int id = make_filled_segment(KEY, SIZE, 0600, 1);
        /* Static: written by the child, read by the parent, and in no register of either. */
        static struct outcome attached;
        pid_t pid = vfork();
        if (pid == 0) {
                vfork_shares = true;               // NOLINT(clang-analyzer-unix.Vfork): what is asked for
                attached = try_shmat(id, NULL, 0); // NOLINT(clang-analyzer-unix.Vfork): the call under test
                _exit(0);
        }
        end_vfork(pid);
        check_succeeds(attached);
        struct shmid_ds ds = make_stat(id);
        check_equal(ds.shm_nattch, 1);
        check_equal(ds.shm_lpid, pid);
        bool mapped = !attached.failed && is_mapped(address_of(attached));
        check_that(mapped, "the attachment is in the parent");
        if (mapped)
                check_pattern("the parent reads the contents", address_of(attached), SIZE, 1);
#endif
}

LINUX_CASE("life.vfork.detaches", "shmdt in a vfork child detaches its parent, whose own shmdt then fails with EINVAL",
           .level = LINUX_UNDOCUMENTED, .clause = "vfork(2)")
{
#ifdef __linux__
        int id = make_segment(KEY, SIZE, 0600);
        static void *at;
        at = make_attached(id, 0);
        static struct outcome detached;
        pid_t pid = vfork();
        if (pid == 0) {
                vfork_shares = true;      // NOLINT(clang-analyzer-unix.Vfork): what is asked for
                detached = try_shmdt(at); // NOLINT(clang-analyzer-unix.Vfork): the call under test
                _exit(0);
        }
        end_vfork(pid);
        check_succeeds(detached);
        check_equal(attachments(id), 0);
        check_that(!is_mapped(at), "nothing is mapped at the address any more");
        check_fails(try_shmdt(at), EINVAL);
#endif
}

#ifdef __linux__
static int outlive_and_wait(void *unused)
{
        (void)unused;
        outlive_parent();
        for (;;)
                pause();
        return 0;
}
#endif

LINUX_CASE("life.clone_vm.shares",
           "A CLONE_VM child adds nothing to shm_nattch and keeps the attachment after its parent's exit",
           .level = LINUX, .clause = "clone(2) CLONE_VM")
{
#ifdef __linux__
        /* The case is to be the heir of the CLONE_VM child, and can then wait for its end. */
        if (prctl(PR_SET_CHILD_SUBREAPER, 1) == -1)
                skip_case("prctl(PR_SET_CHILD_SUBREAPER): %s", strerror(errno));
        int id = make_segment(KEY, SIZE, 0600);
        pid_t *sharer = make_shared(sizeof(*sharer));
        struct child c;
        CHILD(&c, "parent")
        {
                make_attached(id, 0);
                size_t stack_size = 64 * 1024;
                char *stack = make_mapping(NULL, stack_size, PROT_READ | PROT_WRITE);
                *sharer = clone(outlive_and_wait, stack + stack_size, CLONE_VM | SIGCHLD, NULL);
                make_sure(*sharer != -1, "clone(CLONE_VM): %s", strerror(errno));
                tell_parent(&c);
                await_parent(&c);
        }
        await_child(&c);
        check_equal(attachments(id), 1);
        end_holder(&c);
        check_equal(attachments(id), 1);
        kill(*sharer, SIGKILL);
        make_sure(waitpid(*sharer, NULL, 0) == *sharer, "wait for the CLONE_VM child: %s", strerror(errno));
        check_equal(attachments(id), 0);
#endif
}

/* ---- threads ---- */

#if !defined(__dietlibc__)
struct thread_work {
        int id;
        struct outcome attached, detached;
};

static void *attach_and_store(void *argument)
{
        struct thread_work *w = argument;
        w->attached = try_shmat(w->id, NULL, 0);
        if (!w->attached.failed)
                fill_pattern(address_of(w->attached), SIZE, 1);
        return NULL;
}

static void *detach(void *argument)
{
        struct thread_work *w = argument;
        w->detached = try_shmdt(address_of(w->attached));
        return NULL;
}

static void run_thread(void *(*start)(void *), void *argument)
{
        pthread_t thread;
        int error = pthread_create(&thread, NULL, start, argument);
        make_sure(error == 0, "pthread_create: %s", strerror(error));
        error = pthread_join(thread, NULL);
        make_sure(error == 0, "pthread_join: %s", strerror(error));
}
#endif

CASE("life.thread.attach", "A thread's attachment is the process's: it outlives the thread, and another may detach it",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmat DESCRIPTION", .needs = NEED_THREADS)
{
#if !defined(__dietlibc__)
        struct thread_work w = {.id = make_segment(KEY, SIZE, 0600)};
        run_thread(attach_and_store, &w);
        check_succeeds(w.attached);
        if (w.attached.failed)
                return;
        check_equal(attachments(w.id), 1);
        bool kept = is_mapped(address_of(w.attached));
        check_that(kept, "the attachment is there after the thread's end");
        if (kept)
                check_pattern("the main thread reads what the thread stored", address_of(w.attached), SIZE, 1);
        run_thread(detach, &w);
        check_succeeds(w.detached);
        check_equal(attachments(w.id), 0);
#endif
}

/* ---- exec ---- */

#if !defined(__dietlibc__)
struct survivor {
        pthread_t main_thread;
        int out, in;
};

static void *outlive_main_thread(void *argument)
{
        const struct survivor *s = argument;
        char token = 'x';
        if (pthread_join(s->main_thread, NULL) != 0 || write(s->out, &token, 1) != 1)
                _exit(1);
        _exit(read(s->in, &token, 1) == 1 ? 0 : 1);
}
#endif

/* Attaches, and ends its main thread while another keeps step over the pipes. */
PROGRAM("lifecycle.main_exits")
{
#if !defined(__dietlibc__)
        static struct survivor s;
        pthread_t thread;
        if (argc != 3 || (intptr_t)shmat(atoi(argv[0]), NULL, 0) == -1)
                return 1;
        s.main_thread = pthread_self();
        s.out = atoi(argv[1]);
        s.in = atoi(argv[2]);
        if (pthread_create(&thread, NULL, outlive_main_thread, &s) == 0)
                pthread_exit(NULL);
#else
        (void)argc, (void)argv;
#endif
        return 1;
}

CASE("life.thread.main_exits", "The exit of the main thread while another runs detaches nothing", .level = POSIX_SHALL,
     .clause = "POSIX XSH pthread_exit DESCRIPTION; POSIX XSH _Exit Consequences of Process Termination",
     .needs = NEED_THREADS)
{
        int id = make_segment(KEY, SIZE, 0600);
        struct child c;
        /* A program of its own: in a forked child of musl before 1.2.4 the main thread cannot be joined. */
        CHILD(&c, "threaded")
        {
                char words[3][16];
                snprintf(words[0], sizeof(words[0]), "%d", id);
                snprintf(words[1], sizeof(words[1]), "%d", c.to_parent[1]);
                snprintf(words[2], sizeof(words[2]), "%d", c.to_child[0]);
                exec_program("lifecycle.main_exits", words[0], words[1], words[2]);
        }
        await_child(&c);
        check_equal(attachments(id), 1);
        end_holder(&c);
        check_equal(attachments(id), 0);
}

CASE("life.spawn.not_inherited", "While a posix_spawn child runs its program the attachments are the parent's alone",
     .level = POSIX_SHALL, .clause = "POSIX XSH posix_spawn DESCRIPTION; POSIX XSH exec DESCRIPTION")
{
#if defined(__dietlibc__)
        skip_case("this C library has no posix_spawn");
#else
        extern char **environ;
        int id = make_segment(KEY, SIZE, 0600);
        void *at = make_attached(id, 0);
        fill_pattern(at, SIZE, 1);
        /* Where a runner starts programs, as an emulator has to, it is told the path that the link stands for. */
        static char self[4096] = "/proc/self/exe";
        char *runner = getenv("SHMCHECK_RUNNER");
        if (runner && readlink("/proc/self/exe", self, sizeof(self) - 1) == -1)
                skip_case("/proc/self/exe: %s", strerror(errno));
        if (access(self, X_OK) != 0)
                skip_case("%s does not lead to the agent's program", self);
        int to_program[2];
        int from_program[2];
        make_sure(pipe(to_program) == 0 && pipe(from_program) == 0, "pipe: %s", strerror(errno));
        char out[16];
        char in[16];
        snprintf(out, sizeof(out), "%d", from_program[1]);
        snprintf(in, sizeof(in), "%d", to_program[0]);
        static char option[] = "--program";
        static char program[] = "hold";
        char *const words[] = {runner, self, option, program, out, in, NULL};
        char *const *argv = runner ? words : words + 1;
        pid_t pid = 0;
        int error = posix_spawn(&pid, argv[0], NULL, NULL, argv, environ);
        make_sure(error == 0, "posix_spawn: %s", strerror(error));
        close(from_program[1]);
        char token;
        make_sure(read(from_program[0], &token, 1) == 1, "the spawned program did not start");
        check_equal(attachments(id), 1);
        check_pattern("the parent's attachment shows the contents", at, SIZE, 1);
        make_sure(write(to_program[1], "x", 1) == 1, "write: %s", strerror(errno));
        make_sure(waitpid(pid, NULL, 0) == pid, "waitpid: %s", strerror(errno));
        check_equal(attachments(id), 1);
#endif
}

CASE("life.exec.detaches", "exec detaches all attachments: none counts while the new program runs",
     .level = POSIX_SHALL, .clause = "POSIX XSH exec DESCRIPTION")
{
        int id = make_segment(KEY, SIZE, 0600);
        struct child c;
        CHILD(&c, "execer")
        {
                make_attached(id, 0);
                make_attached(id, SHM_RDONLY);
                tell_parent(&c);
                await_parent(&c);
                exec_holder(&c);
        }
        await_child(&c);
        check_equal(attachments(id), 2);
        tell_child(&c);
        await_child(&c);
        check_equal(attachments(id), 0);
        end_holder(&c);
        check_equal(attachments(id), 0);
}

LINUX_CASE("life.exec.times",
           "exec of an attached process sets shm_dtime to now and shm_lpid to it, the new program's exit nothing",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shm_close()", .needs = NEED_CLOCK_TICK)
{
#ifdef __linux__
        int id = make_segment(KEY, SIZE, 0600);
        struct child c;
        CHILD(&c, "execer")
        {
                make_attached(id, 0);
                tell_parent(&c);
                await_parent(&c);
                exec_holder(&c);
        }
        await_child(&c);
        make_touched_by_another(id, SIZE, 1);
        struct shmid_ds before = make_stat(id);
        wait_for_tick();
        time_t start = stamp_time();
        tell_child(&c);
        await_child(&c);
        time_t end = stamp_time();
        struct shmid_ds now = make_stat(id);
        check_between(now.shm_dtime, start, end);
        check_equal(now.shm_lpid, c.pid);
        check_equal(now.shm_nattch, 0);
        check_only_changed(&before, &now, M_DTIME | M_LPID | M_NATTCH);
        make_touched_by_another(id, SIZE, 1);
        struct snapshot running = take_snapshot(id);
        end_holder(&c);
        check_unchanged(&running);
#endif
}

CASE("life.exec.failed", "An exec that fails leaves the attachment and the whole shmid_ds", .level = POSIX_SHALL,
     .clause = "POSIX XSH exec RETURN VALUE")
{
        int id = make_segment(KEY, SIZE, 0600);
        void *at = make_attached(id, 0);
        make_touched_by_another(id, SIZE, 1);
        struct snapshot before = take_snapshot_mapped(id, at);
        static char path[] = "/nonexistent/shmcheck";
        char *const words[] = {path, NULL};
        int result = execv(path, words);
        int error = errno;
        try_other("execv(\"/nonexistent/shmcheck\", {...})", result, true, error);
        bool kept = is_mapped(at);
        check_that(kept, "the attachment is there after the failed exec");
        if (kept)
                check_unchanged(&before);
}

#if !defined(__dietlibc__)
static void *tell_and_wait(void *argument)
{
        struct child *c = argument;
        tell_parent(c);
        for (;;)
                pause();
        return NULL;
}
#endif

CASE("life.exec.threaded", "exec by a process with a second thread detaches all attachments", .level = POSIX_SHALL,
     .clause = "POSIX XSH exec DESCRIPTION", .needs = NEED_THREADS)
{
#if !defined(__dietlibc__)
        int id = make_segment(KEY, SIZE, 0600);
        struct child c;
        CHILD(&c, "execer")
        {
                make_attached(id, 0);
                pthread_t thread;
                int error = pthread_create(&thread, NULL, tell_and_wait, &c);
                make_sure(error == 0, "pthread_create: %s", strerror(error));
                await_parent(&c);
                exec_holder(&c);
        }
        await_child(&c);
        check_equal(attachments(id), 1);
        tell_child(&c);
        await_child(&c);
        check_equal(attachments(id), 0);
        end_holder(&c);
#endif
}

/* ---- death ---- */

enum way { BY_EXIT, BY_IMMEDIATE_EXIT, BY_ABORT, BY_SIGKILL, BY_SIGSEGV };

static void die(enum way way)
{
        switch (way) {
        case BY_EXIT:
                exit(0);
        case BY_IMMEDIATE_EXIT:
                _exit(0);
        case BY_ABORT:
                abort();
        case BY_SIGKILL:
                raise(SIGKILL);
                break;
        case BY_SIGSEGV: {
                volatile unsigned char *closed = make_mapping(NULL, PAGE, PROT_NONE);
                closed[0] = 1;
                break;
        }
        }
}

static const struct death_row {
        ROW_HEAD;
        enum way way;
        int end; /* a signal, or OK */
} deaths[] = {
        {ROW("life.death.exit", "exit() detaches, and what was stored stays", .level = POSIX_SHALL,
             .clause = "POSIX XSH _Exit Consequences of Process Termination"),
         BY_EXIT, OK},
        {ROW("life.death.immediate", "_exit() detaches, and what was stored stays", .level = POSIX_SHALL,
             .clause = "POSIX XSH _Exit Consequences of Process Termination"),
         BY_IMMEDIATE_EXIT, OK},
        {ROW("life.death.abort", "abort() detaches, and what was stored stays", .level = POSIX_SHALL,
             .clause = "POSIX XSH abort DESCRIPTION; POSIX XSH _Exit Consequences of Process Termination"),
         BY_ABORT, SIGABRT},
        {ROW("life.death.sigkill", "Death by SIGKILL detaches, and what was stored stays", .level = POSIX_SHALL,
             .clause = "POSIX XSH _Exit Consequences of Process Termination; POSIX XSH 2.4.3 Signal Actions"),
         BY_SIGKILL, SIGKILL},
        {ROW("life.death.sigsegv", "Death by SIGSEGV detaches, and what was stored stays", .level = POSIX_SHALL,
             .clause = "POSIX XSH _Exit Consequences of Process Termination; POSIX XSH 2.4.3 Signal Actions"),
         BY_SIGSEGV, SIGSEGV},
};

TABLE(deaths, struct death_row, row)
{
        int id = make_segment(KEY, SIZE, 0600);
        void *mine = make_attached(id, SHM_RDONLY);
        make_rlimit(RLIMIT_CORE, 0);
        struct death d;
        DOOMED(&d)
        {
                fill_pattern(make_attached(id, 0), SIZE, 1);
                check_equal(attachments(id), 3);
                die(row->way);
        }
        check_death("the end of the attached process", &d, row->end);
        check_equal(attachments(id), 1);
        check_pattern("what the dead process stored is there", mine, SIZE, 1);
}

CASE("life.death.several", "Death with three attachments of one segment lowers shm_nattch by three",
     .level = POSIX_SHALL, .clause = "POSIX XSH _Exit Consequences of Process Termination")
{
        int id = make_segment(KEY, SIZE, 0600);
        struct death d;
        DOOMED(&d)
        {
                make_attached(id, 0);
                make_attached(id, SHM_RDONLY);
                make_attached(id, 0);
                check_equal(attachments(id), 3);
                raise(SIGKILL);
        }
        check_equal(attachments(id), 0);
}

LINUX_CASE("life.death.split_mapping",
           "Exit after munmap and mprotect of single pages of an attachment detaches it all", .level = LINUX,
           .clause = "shmop(2) NOTES")
{
#ifdef __linux__
        int id = make_segment(KEY, 5 * PAGE, 0600);
        IN_CHILD
        {
                char *at = make_attached(id, 0);
                make_sure(munmap(at + PAGE, PAGE) == 0, "munmap: %s", strerror(errno));
                make_sure(mprotect(at + 3 * PAGE, PAGE, PROT_READ) == 0, "mprotect: %s", strerror(errno));
                uintmax_t pieces = attachments(id);
                record_fact("shm_nattch while it is in pieces", "%ju", pieces);
                check_between(pieces, 1, 4);
        }
        check_equal(attachments(id), 0);
#endif
}

LINUX_CASE("life.death.times",
           "Each kind of death sets shm_lpid to the dead process and shm_dtime to now, nothing else",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shm_close()", .needs = NEED_CLOCK_TICK)
{
#ifdef __linux__
        enum { WAYS = BY_SIGSEGV + 1 };
        make_rlimit(RLIMIT_CORE, 0);
        /* A segment each, so that no death finds the stamp of another. */
        int ids[WAYS];
        struct child dying[WAYS];
        for (int way = 0; way < WAYS; way++) {
                ids[way] = make_segment(shmc_key((unsigned)way), SIZE, 0600);
                CHILD(&dying[way], "dying")
                {
                        make_attached(ids[way], 0);
                        tell_parent(&dying[way]);
                        await_parent(&dying[way]);
                        die((enum way)way);
                }
                await_child(&dying[way]);
                make_touched_by_another(ids[way], SIZE, 1);
        }
        wait_for_tick();
        for (int way = 0; way < WAYS; way++) {
                struct shmid_ds before = make_stat(ids[way]);
                time_t start = stamp_time();
                tell_child(&dying[way]);
                await_zombie(&dying[way]);
                time_t end = stamp_time();
                struct shmid_ds now = make_stat(ids[way]);
                check_equal(now.shm_lpid, dying[way].pid);
                check_between(now.shm_dtime, start, end);
                check_only_changed(&before, &now, M_LPID | M_DTIME | M_NATTCH);
        }
#endif
}

LINUX_CASE("life.zombie.detached", "A zombie no longer counts in shm_nattch, and reaping it changes nothing",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux kernel/exit.c exit_mm()")
{
#ifdef __linux__
        int id = make_segment(KEY, SIZE, 0600);
        struct child c;
        start_holder(&c, id);
        check_equal(attachments(id), 1);
        tell_child(&c);
        await_zombie(&c);
        check_equal(attachments(id), 0);
        make_touched_by_another(id, SIZE, 1);
        struct snapshot before = take_snapshot(id);
        join_child(&c);
        check_unchanged(&before);
#endif
}

CASE("life.stopped.attached", "A stopped process counts in shm_nattch until it is killed", .level = POSIX_SHALL,
     .clause = "POSIX XBD <sys/shm.h> shm_nattch; POSIX XSH _Exit Consequences of Process Termination")
{
        int id = make_segment(KEY, SIZE, 0600);
        struct child c;
        CHILD(&c, "attacher")
        {
                make_attached(id, 0);
                raise(SIGSTOP);
        }
        int status = 0;
        make_sure(waitpid(c.pid, &status, WUNTRACED) == c.pid && WIFSTOPPED(status), "the child did not stop");
        check_equal(attachments(id), 1);
        kill_child(&c, SIGKILL);
        check_equal(attachments(id), 0);
}

LINUX_CASE("life.proc_fds.no_hold", "Open /proc/PID/mem and maps of a dead process do not keep shm_nattch up",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux kernel/fork.c mmput()", .needs = NEED_PROC)
{
#ifdef __linux__
        int id = make_segment(KEY, SIZE, 0600);
        struct child c;
        CHILD(&c, "attacher")
        {
                void *at = make_attached(id, 0);
                int mem = open("/proc/self/mem", O_RDONLY);
                int maps = open("/proc/self/maps", O_RDONLY);
                char byte;
                make_sure(mem != -1 && maps != -1 && read(maps, &byte, 1) == 1, "/proc/self: %s", strerror(errno));
                /* The grandchild inherits the descriptors, which stay those of its parent's memory. */
                struct child keeper;
                CHILD(&keeper, "keeper")
                {
                        outlive_parent();
                        make_detached(at);
                        tell_parent(&keeper);
                        for (;;)
                                pause();
                }
                await_child(&keeper);
                tell_parent(&c);
                await_parent(&c);
        }
        await_child(&c);
        check_equal(attachments(id), 1);
        end_holder(&c);
        check_equal(attachments(id), 0);
#endif
}

LINUX_CASE("life.marked.last_death", "The death by SIGKILL of the last attacher of a marked segment destroys it",
           .level = LINUX, .clause = "shmctl(2) IPC_RMID", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        struct totals before = make_totals();
        int id = make_segment(KEY, SIZE, 0600);
        struct child c;
        CHILD(&c, "attacher")
        {
                memset(make_attached(id, 0), 1, SIZE);
                tell_parent(&c);
                await_parent(&c);
        }
        await_child(&c);
        make_removed(id);
        check_equal(attachments(id), 1);
        kill_child(&c, SIGKILL);
        struct stat_buffer b;
        check_fails(try_shmctl(id, IPC_STAT, &b.is.ds), EINVAL);
        check_fails(try_shmget(KEY, 0, 0), ENOENT);
        struct totals after = make_totals();
        check_equal(after.used_ids, before.used_ids);
        check_equal(after.pages, before.pages);
#endif
}

LINUX_CASE("life.marked.nattch", "After IPC_RMID shm_nattch goes on counting, and the last exit destroys the segment",
           .level = LINUX, .clause = "shmctl(2) IPC_RMID")
{
#ifdef __linux__
        int id = make_segment(KEY, SIZE, 0600);
        void *at = make_attached(id, 0);
        make_removed(id);
        check_equal(attachments(id), 1);
        struct child c;
        start_bystander(&c);
        check_equal(attachments(id), 2);
        check_succeeds(try_shmdt(at));
        check_equal(attachments(id), 1);
        end_holder(&c);
        struct stat_buffer b;
        check_fails(try_shmctl(id, IPC_STAT, &b.is.ds), EINVAL);
#endif
}

CASE("life.creator.dies", "A segment outlives its creator: contents and shm_cpid stay, the dead no longer counts",
     .level = POSIX_SHALL, .clause = "POSIX XSH _Exit Consequences of Process Termination; POSIX XSH shmctl IPC_RMID")
{
        int *id = make_shared(sizeof(*id));
        struct child creator;
        CHILD(&creator, "creator")
        {
                *id = make_segment(KEY, SIZE, 0600);
                fill_pattern(make_attached(*id, 0), SIZE, 1);
                tell_parent(&creator);
                await_parent(&creator);
        }
        await_child(&creator);
        void *at = make_attached(*id, 0);
        check_equal(attachments(*id), 2);
        kill_child(&creator, SIGKILL);
        struct shmid_ds ds = make_stat(*id);
        check_equal(ds.shm_nattch, 1);
        check_equal(ds.shm_cpid, creator.pid);
        check_pattern("the contents are there", at, SIZE, 1);
}
