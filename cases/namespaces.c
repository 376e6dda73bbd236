/*
 * IPC and PID namespaces: keys, ids and limits are a namespace's own, and an
 * attachment goes with the process that leaves its namespace. All of this is
 * Linux', so that only the linux profile judges here. The ids of a fresh
 * namespace start at 0: where a foreign id is tried, the second one is, and
 * nothing has it by accident. Not covered: the host's own namespace.
 */
#include "case.h"

#if defined(__linux__)
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/syscall.h>
#endif
#if !defined(__dietlibc__)
#include <pthread.h>
#endif

#define SIZE 3333

#ifdef __linux__

static uintmax_t nattch_of(int id)
{
        return make_stat(id).shm_nattch;
}

/* The second segment of the namespace, whose id no fresh namespace has. */
static int make_second_segment(key_t key, int flags)
{
        make_segment(IPC_PRIVATE, 1, 0600);
        return make_filled_segment(key, SIZE, flags, 1);
}

/* A child that is attached to the segment, has left the namespace, and says so. */
static void start_mover(struct child *c, int id)
{
        CHILD(c, "mover")
        {
                make_attached(id, 0);
                make_ipc_namespace();
                tell_parent(c);
                await_parent(c);
        }
        await_child(c);
}

static void end_mover(struct child *c)
{
        tell_child(c);
        join_child(c);
}

#endif

LINUX_CASE(
        "ns.key.separate",
        "A key used outside is unknown inside a new IPC namespace, then makes a segment of its own size and contents",
        .level = LINUX, .clause = "ipc_namespaces(7)", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        int id = make_filled_segment(KEY, SIZE, 0600, 1);
        struct snapshot before = take_snapshot(id);
        IN_CHILD
        {
                make_ipc_namespace();
                check_fails(try_shmget(KEY, 0, 0), ENOENT);
                struct outcome made = try_shmget(KEY, PAGE + 1, IPC_CREAT | IPC_EXCL | 0640);
                check_succeeds(made);
                if (!made.failed) {
                        struct shmid_ds ds = make_stat(id_of(made));
                        check_equal(ds.shm_segsz, PAGE + 1);
                        void *at = make_attached(id_of(made), 0);
                        check_bytes("the segment inside is zero", at, PAGE + 1, 0);
                        memset(at, 0xff, PAGE + 1);
                }
        }
        check_unchanged(&before);
        check_pattern("the segment outside has its contents", make_attached(id, SHM_RDONLY), SIZE, 1);
#endif
}

LINUX_CASE("ns.id.foreign", "An id of another IPC namespace fails with EINVAL in every call, and changes nothing there",
           .level = LINUX, .clause = "ipc_namespaces(7)", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        int id = make_second_segment(KEY, 0600);
        struct snapshot before = take_snapshot(id);
        IN_CHILD
        {
                make_ipc_namespace();
                make_sure(shmget(KEY, 0, 0) == -1, "unshare(CLONE_NEWIPC) isolates nothing");
                make_segment(IPC_PRIVATE, 1, 0600);
                struct stat_buffer b;
                memset(&b, 0, sizeof(b));
                b.is.ds.shm_perm.mode = 0640;
                check_fails(try_shmat(id, NULL, 0), EINVAL);
                check_fails(try_shmctl(id, IPC_SET, &b.is.ds), EINVAL);
                check_fails(try_shmctl(id, SHM_LOCK, NULL), EINVAL);
                check_fails(try_shmctl(id, IPC_STAT, &b.is.ds), EINVAL);
                check_fails(try_shmctl(id, SHM_STAT, &b.is.ds), EINVAL);
                check_fails(try_shmctl(id, IPC_RMID, NULL), EINVAL);
        }
        check_unchanged(&before);
#endif
}

LINUX_CASE("ns.limits.own", "SHMMNI or SHMALL used up here does not bind another IPC namespace", .level = LINUX,
           .clause = "ipc_namespaces(7)", .needs = NEED_SYSCTL | NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        make_sysctl("shmmni", "1");
        make_segment(KEY, PAGE, 0600);
        check_fails(try_shmget(OTHER_KEY, PAGE, IPC_CREAT | 0600), ENOSPC);
        IN_CHILD
        {
                make_ipc_namespace();
                check_succeeds(try_shmget(KEY, PAGE, IPC_CREAT | 0600));
                check_succeeds(try_shmget(OTHER_KEY, PAGE, IPC_CREAT | 0600));
        }
        make_sysctl("shmmni", "4096");
        make_sysctl("shmall", "1");
        check_fails(try_shmget(OTHER_KEY, PAGE, IPC_CREAT | 0600), ENOSPC);
        make_ipc_namespace();
        check_succeeds(try_shmget(KEY, 2 * PAGE, IPC_CREAT | 0600));
#endif
}

/* ---- leaving a namespace while attached ---- */

LINUX_CASE("ns.unshare.keeps",
           "Who leaves the IPC namespace keeps its attachment, which still counts outside; the id fails for it",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c struct shm_file_data", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        int id = make_second_segment(KEY, 0600);
        void *mine = make_attached(id, 0);
        struct child c;
        CHILD(&c, "mover")
        {
                make_ipc_namespace();
                bool kept = is_mapped(mine);
                check_that(kept, "the mover has the attachment");
                if (kept) {
                        check_pattern("the mover reads the contents", mine, SIZE, 1);
                        fill_pattern(mine, SIZE, 2);
                }
                struct stat_buffer b;
                check_fails(try_shmctl(id, IPC_STAT, &b.is.ds), EINVAL);
                tell_parent(&c);
                await_parent(&c);
        }
        await_child(&c);
        check_equal(nattch_of(id), 2);
        check_pattern("what the mover wrote shows outside", mine, SIZE, 2);
        end_mover(&c);
#endif
}

LINUX_CASE("ns.unshare.shmdt", "The shmdt of a process that left the namespace counts outside: nattch, lpid, dtime",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shm_close()", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        int id = make_segment(KEY, SIZE, 0600);
        struct child c;
        CHILD(&c, "mover")
        {
                void *at = make_attached(id, 0);
                make_ipc_namespace();
                tell_parent(&c);
                await_parent(&c);
                check_succeeds(try_shmdt(at));
                tell_parent(&c);
                await_parent(&c);
        }
        await_child(&c);
        check_equal(nattch_of(id), 1);
        /* Attaches beside the mover and goes: shm_lpid is nobody's who acts below. */
        make_touched_by_another(id, SIZE, 1);
        time_t before = time(NULL);
        tell_child(&c);
        await_child(&c);
        time_t after = time(NULL);
        struct shmid_ds ds = make_stat(id);
        check_equal(ds.shm_nattch, 0);
        check_equal(ds.shm_lpid, c.pid);
        check_between(ds.shm_dtime, before, after);
        end_mover(&c);
#endif
}

LINUX_CASE("ns.unshare.fork", "A fork of the process that left the namespace raises nattch outside",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shm_open()", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        int id = make_segment(KEY, SIZE, 0600);
        struct child c;
        CHILD(&c, "mover")
        {
                make_attached(id, 0);
                make_ipc_namespace();
                IN_CHILD
                {
                        tell_parent(&c);
                        await_parent(&c);
                }
                tell_parent(&c);
                await_parent(&c);
        }
        await_child(&c);
        check_equal(nattch_of(id), 2);
        tell_child(&c);
        await_child(&c);
        check_equal(nattch_of(id), 1);
        end_mover(&c);
#endif
}

LINUX_CASE("ns.unshare.exit", "The exit of the process that left the namespace lowers nattch outside",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shm_close()", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        int id = make_segment(KEY, SIZE, 0600);
        struct child c;
        start_mover(&c, id);
        check_equal(nattch_of(id), 1);
        end_mover(&c);
        struct shmid_ds ds = make_stat(id);
        check_equal(ds.shm_nattch, 0);
        check_equal(ds.shm_lpid, c.pid);
#endif
}

LINUX_CASE("ns.unshare.marked", "IPC_RMID outside: who left the namespace reads on, the segment goes at its exit",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shm_close()", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        int id = make_filled_segment(KEY, SIZE, 0600, 1);
        struct child c;
        CHILD(&c, "mover")
        {
                void *at = make_attached(id, 0);
                make_ipc_namespace();
                tell_parent(&c);
                await_parent(&c);
                check_pattern("the mover reads the contents of the marked segment", at, SIZE, 1);
                tell_parent(&c);
                await_parent(&c);
        }
        await_child(&c);
        check_succeeds(try_shmctl(id, IPC_RMID, NULL));
        tell_child(&c);
        await_child(&c);
        check_equal(nattch_of(id), 1);
        end_mover(&c);
        struct stat_buffer b;
        check_fails(try_shmctl(id, IPC_STAT, &b.is.ds), EINVAL);
#endif
}

#if defined(__linux__) && !defined(__dietlibc__)
struct leaver {
        int id;
        bool left;
        int error; /* of its IPC_STAT, 0 for success */
};

static void *leave_namespace(void *argument)
{
        struct leaver *l = argument;
        struct stat_buffer b;
        l->left = unshare(CLONE_NEWIPC) == 0;
        l->error = shmctl(l->id, IPC_STAT, &b.is.ds) == -1 ? errno : 0;
        return NULL;
}
#endif

LINUX_CASE("ns.unshare.thread", "unshare(CLONE_NEWIPC) in one thread moves that thread alone", .level = LINUX,
           .clause = "namespaces(7)", .needs = NEED_IPC_NAMESPACE | NEED_THREADS)
{
#if defined(__linux__) && !defined(__dietlibc__)
        struct leaver l = {.id = make_second_segment(KEY, 0600)};
        pthread_t thread;
        int error = pthread_create(&thread, NULL, leave_namespace, &l);
        make_sure(error == 0, "pthread_create: %s", strerror(error));
        pthread_join(thread, NULL);
        make_sure(l.left, "unshare(CLONE_NEWIPC) in a thread fails");
        check_equal(l.error, EINVAL);
        struct stat_buffer b;
        check_succeeds(try_shmctl(l.id, IPC_STAT, &b.is.ds));
        check_equal(id_of(try_shmget(KEY, 0, 0)), l.id);
#endif
}

#ifdef __linux__
/* Whether a child may unshare with the flags. */
static struct outcome try_unshare(int flags, const char *text)
{
        struct outcome *o = make_shared(sizeof(*o));
        IN_CHILD
        {
                int r = unshare(flags);
                *o = try_other(text, r, r == -1, errno);
        }
        return *o;
}
#endif

LINUX_CASE("ns.unshare.unprivileged",
           "Without CAP_SYS_ADMIN unshare(CLONE_NEWIPC) fails with EPERM, and succeeds together with CLONE_NEWUSER",
           .level = LINUX, .clause = "unshare(2) ERRORS EPERM", .needs = NEED_USER_NAMESPACE | NEED_UNPRIVILEGED)
{
#ifdef __linux__
        check_fails(try_unshare(CLONE_NEWIPC, "unshare(CLONE_NEWIPC)"), EPERM);
        check_succeeds(try_unshare(CLONE_NEWUSER | CLONE_NEWIPC, "unshare(CLONE_NEWUSER|CLONE_NEWIPC)"));
#endif
}

LINUX_CASE("ns.setns.back", "After setns back key and id are valid again, and the attachment worked all along",
           .level = LINUX, .clause = "setns(2); ipc_namespaces(7)", .needs = NEED_IPC_NAMESPACE | NEED_PROC)
{
#ifdef __linux__
        int id = make_second_segment(KEY, 0600);
        void *at = make_attached(id, 0);
        IN_CHILD
        {
                int home = open("/proc/self/ns/ipc", O_RDONLY | O_CLOEXEC);
                if (home == -1)
                        skip_case("/proc/self/ns/ipc: %s", strerror(errno));
                make_ipc_namespace();
                struct stat_buffer b;
                check_fails(try_shmctl(id, IPC_STAT, &b.is.ds), EINVAL);
                check_pattern("away, the attachment shows the contents", at, SIZE, 1);
                make_sure(setns(home, CLONE_NEWIPC) == 0, "setns: %s", strerror(errno));
                check_succeeds(try_shmctl(id, IPC_STAT, &b.is.ds));
                check_equal(id_of(try_shmget(KEY, 0, 0)), id);
                check_succeeds(try_shmdt(at));
                check_equal(nattch_of(id), 1);
        }
#endif
}

LINUX_CASE("ns.setns.denied", "setns to the parent's IPC namespace from a child user namespace fails with EPERM",
           .level = LINUX, .clause = "setns(2) ERRORS EPERM", .needs = NEED_USER_NAMESPACE | NEED_PROC)
{
#ifdef __linux__
        int home = open("/proc/self/ns/ipc", O_RDONLY | O_CLOEXEC);
        if (home == -1)
                skip_case("/proc/self/ns/ipc: %s", strerror(errno));
        make_sure(unshare(CLONE_NEWUSER) == 0, "unshare(CLONE_NEWUSER): %s", strerror(errno));
        make_ipc_namespace();
        int r = setns(home, CLONE_NEWIPC);
        check_fails(try_other("setns(the parent's IPC namespace)", r, r == -1, errno), EPERM);
#endif
}

LINUX_CASE("ns.held.by_fd", "A descriptor of /proc/PID/ns/ipc holds the namespace: id, key and contents wait for setns",
           .level = LINUX, .clause = "namespaces(7)", .needs = NEED_IPC_NAMESPACE | NEED_PROC)
{
#ifdef __linux__
        make_ipc_namespace();
        int held = open("/proc/self/ns/ipc", O_RDONLY | O_CLOEXEC);
        if (held == -1)
                skip_case("/proc/self/ns/ipc: %s", strerror(errno));
        int id = make_second_segment(KEY, 0600);
        make_ipc_namespace();
        check_fails(try_shmget(KEY, 0, 0), ENOENT);
        make_sure(setns(held, CLONE_NEWIPC) == 0, "setns: %s", strerror(errno));
        check_equal(id_of(try_shmget(KEY, 0, 0)), id);
        struct outcome attached = try_shmat(id, NULL, SHM_RDONLY);
        check_succeeds(attached);
        if (!attached.failed)
                check_pattern("the contents are there", address_of(attached), SIZE, 1);
#endif
}

/* ---- the end of a namespace ---- */

#ifdef __linux__

/* This process in a user namespace of its own, which may have so many IPC namespaces. */
static void limit_namespaces(const char *limit)
{
        static const char path[] = "/proc/sys/user/max_ipc_namespaces";
        make_sure(unshare(CLONE_NEWUSER) == 0, "unshare(CLONE_NEWUSER): %s", strerror(errno));
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd == -1)
                skip_case("needs a limit of IPC namespaces: %s: %s", path, strerror(errno));
        make_sure(write(fd, limit, strlen(limit)) > 0, "%s: %s", path, strerror(errno));
        close(fd);
}

#define PATIENCE_S 25

/*
 * The kernel frees a namespace some time after its last process, and after those of the cases before: a refusal is
 * tried again for a while.
 */
static int unshare_with_patience(void)
{
        time_t end = time(NULL) + PATIENCE_S;
        int r = unshare(CLONE_NEWIPC);
        while (r == -1 && errno == ENOSPC && time(NULL) <= end) {
                struct timespec moment = {0, 1000000L};
                nanosleep(&moment, NULL);
                r = unshare(CLONE_NEWIPC);
        }
        return r;
}

/* In a new namespace: a segment that is attached, and one that is not. */
static void leave_segments(void)
{
        int attached = shmget(IPC_PRIVATE, SIZE, 0600);
        int unattached = shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | 0600);
        make_sure(attached != -1 && unattached != -1 && (intptr_t)shmat(attached, NULL, 0) != -1,
                  "segments in a new namespace: %s", strerror(errno));
}

#endif

LINUX_CASE("ns.end.destroys",
           "An IPC namespace is freed, segments and all, when its last process is gone, and makes room for the next",
           .level = LINUX, .clause = "ipc_namespaces(7)", .needs = NEED_USER_NAMESPACE | NEED_PROC, .waits = true)
{
#ifdef __linux__
        enum { NAMESPACES = 2 };
        IN_CHILD
        {
                limit_namespaces("1");
                int refused = 0;
                int error = 0;
                for (int i = 0; i < NAMESPACES; i++) {
                        struct child c;
                        CHILD(&c, "inhabitant")
                        {
                                int r = unshare_with_patience();
                                make_sure(r == 0 || errno == ENOSPC, "unshare(CLONE_NEWIPC): %s", strerror(errno));
                                if (r == 0)
                                        leave_segments();
                                else
                                        check_explained(false, "each new namespace is granted",
                                                        "namespace %d is refused for %d s", i + 1, PATIENCE_S);
                                tell_parent(&c);
                                await_parent(&c);
                        }
                        await_child(&c);
                        refused += unshare(CLONE_NEWIPC) == -1;
                        error = errno;
                        tell_child(&c);
                        join_child(&c);
                }
                check_equal(refused, NAMESPACES);
                check_explained(error == ENOSPC, "while one lives a second is refused with ENOSPC", "%s",
                                strerror(error));
        }
#endif
}

LINUX_CASE("ns.end.attachment_holds",
           "The attachment of a process that left the IPC namespace holds it, and its shmdt makes room for another",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shm_release()",
           .needs = NEED_USER_NAMESPACE | NEED_PROC, .waits = true)
{
#ifdef __linux__
        limit_namespaces("2");
        make_ipc_namespace();
        void *at = make_attached(make_segment(IPC_PRIVATE, SIZE, 0600), 0);
        make_ipc_namespace();
        int r = unshare(CLONE_NEWIPC);
        check_fails(try_other("unshare(CLONE_NEWIPC), the third", r, r == -1, errno), ENOSPC);
        make_detached(at);
        r = unshare_with_patience();
        check_succeeds(try_other("unshare(CLONE_NEWIPC), after the shmdt", r, r == -1, errno));
#endif
}

/* ---- PID namespaces ---- */

LINUX_CASE(
        "ns.pid.translated",
        "shm_cpid and shm_lpid are the reader's numbers: 1 inside for process 1 of a PID namespace, 0 for outer ones",
        .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c pid_vnr()", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        struct shared {
                int outer_segment, inner_segment;
        } *s = make_shared(sizeof(*s));
        s->outer_segment = make_segment(KEY, SIZE, 0600);
        make_detached(make_attached(s->outer_segment, 0));
        IN_CHILD
        {
                if (unshare(CLONE_NEWPID) == -1)
                        skip_case("needs pid-namespace: %s", strerror(errno));
                struct child inner;
                CHILD(&inner, "process 1")
                {
                        make_sure(getpid() == 1, "the child is not process 1 of a PID namespace");
                        struct shmid_ds outer = make_stat(s->outer_segment);
                        check_equal(outer.shm_cpid, 0);
                        check_equal(outer.shm_lpid, 0);
                        s->inner_segment = make_segment(OTHER_KEY, SIZE, 0600);
                        make_detached(make_attached(s->inner_segment, 0));
                        struct shmid_ds own = make_stat(s->inner_segment);
                        check_equal(own.shm_cpid, 1);
                        check_equal(own.shm_lpid, 1);
                        /* The numbers of the dead are shown no more: process 1 lives while the case looks. */
                        tell_parent(&inner);
                        await_parent(&inner);
                }
                await_child(&inner);
                struct shmid_ds seen = make_stat(s->inner_segment);
                check_equal(seen.shm_cpid, inner.pid);
                check_equal(seen.shm_lpid, inner.pid);
                tell_child(&inner);
                join_child(&inner);
        }
#endif
}
