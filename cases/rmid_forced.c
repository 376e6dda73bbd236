/*
 * kernel.shm_rmid_forced = 1, written in the case's own IPC namespace: Linux
 * then destroys segments that nobody is attached to, at the last detach or at
 * the end of their creator. The setting departs from POSIX on purpose, so that
 * only the linux profile judges here. "Gone" is IPC_STAT failing with EINVAL.
 */
#include "case.h"

#if !defined(__dietlibc__)
#include <pthread.h>
#endif
#if defined(__linux__)
#include <sys/prctl.h>
#endif

#define SIZE 3333
#define ALL_NEEDS (NEED_SYSCTL | NEED_IPC_NAMESPACE)

#ifdef __linux__

/* What is unattached goes with its creator, at the latest when the case ends: nothing is left. */
static void make_forced(void)
{
        make_sysctl("shm_rmid_forced", "1");
        means_to_leave(0);
}

static int setting(void)
{
        return (int)read_sysctl("shm_rmid_forced");
}

static void check_gone(int id)
{
        check_fails(try_stat(id), EINVAL);
}

static void check_there(int id)
{
        check_succeeds(try_stat(id));
}

/* A segment that a dead process has made; attached and detached once, if that is asked for. */
enum history { NEVER_ATTACHED, ONCE_ATTACHED };
static int make_orphan(key_t key, enum history history)
{
        int *id = make_shared(sizeof(*id));
        IN_CHILD
        {
                *id = make_segment(key, SIZE, 0600);
                if (history == ONCE_ATTACHED)
                        make_detached(make_attached(*id, 0));
        }
        return *id;
}

/* What the creator of a segment does with the rest of its life, which ends with end_holder. */
typedef void life(struct child *creator);

static void wait_to_be_told(struct child *creator)
{
        tell_parent(creator);
        await_parent(creator);
}

static void exec_and_wait(struct child *creator)
{
        exec_holder(creator);
}

static void leave_namespace(struct child *creator)
{
        wait_to_be_told(creator);
        make_ipc_namespace();
        wait_to_be_told(creator);
}

/* A child that has made the segment and lives on. */
static int start_creator(struct child *creator, life *live)
{
        int *id = make_shared(sizeof(*id));
        CHILD(creator, "creator")
        {
                *id = make_segment(KEY, SIZE, 0640);
                live(creator);
        }
        await_child(creator);
        return *id;
}

#endif

LINUX_CASE("forced.default", "A new IPC namespace starts with shm_rmid_forced 0, also one made inside one that has 1",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shm_init_ns()", .needs = ALL_NEEDS)
{
#ifdef __linux__
        make_ipc_namespace();
        check_equal(setting(), 0);
        make_sysctl("shm_rmid_forced", "1");
        IN_CHILD
        {
                make_ipc_namespace();
                check_equal(setting(), 0);
        }
        check_equal(setting(), 1);
#endif
}

/* ---- the last detach ---- */

LINUX_CASE("forced.detach.last",
           "The last shmdt, or munmap of the whole, destroys the segment; the last but one does not", .level = LINUX,
           .clause = "proc(5) /proc/sys/kernel/shm_rmid_forced", .needs = ALL_NEEDS)
{
#ifdef __linux__
        make_forced();
        struct totals before = make_totals();
        int id = make_segment(KEY, SIZE, 0600);
        void *first = make_attached(id, 0);
        void *second = make_attached(id, 0);
        check_succeeds(try_shmdt(first));
        check_there(id);
        check_succeeds(try_shmdt(second));
        check_gone(id);
        check_fails(try_shmget(KEY, 0, 0), ENOENT);

        int unmapped = make_segment(KEY, SIZE, 0600);
        void *at = make_attached(unmapped, 0);
        make_sure(munmap(at, PAGE) == 0, "munmap: %s", strerror(errno));
        check_gone(unmapped);
        struct totals after = make_totals();
        check_equal(after.used_ids, before.used_ids);
        check_equal(after.pages, before.pages);
#endif
}

#ifdef __linux__
enum end { BY_EXIT, BY_SIGKILL, BY_EXEC };
#endif

LINUX_CASE("forced.detach.death", "exit, SIGKILL and exec of the last attacher destroy, although the creator lives",
           .level = LINUX, .clause = "proc(5) /proc/sys/kernel/shm_rmid_forced", .needs = ALL_NEEDS)
{
#ifdef __linux__
        make_forced();
        for (int end = BY_EXIT; end <= BY_EXEC; end++) {
                int id = make_segment(KEY, SIZE, 0600);
                struct child c;
                CHILD(&c, "attacher")
                {
                        make_attached(id, 0);
                        tell_parent(&c);
                        await_parent(&c);
                        if (end == BY_EXEC)
                                exec_holder(&c);
                }
                await_child(&c);
                check_there(id);
                if (end == BY_SIGKILL) {
                        kill_child(&c, SIGKILL);
                        check_gone(id);
                        continue;
                }
                tell_child(&c);
                if (end == BY_EXIT) {
                        join_child(&c);
                        check_gone(id);
                        continue;
                }
                await_child(&c);
                check_gone(id);
                end_holder(&c);
        }
#endif
}

LINUX_CASE("forced.attached.not_marked",
           "While it is attached the segment is not marked with SHM_DEST, and its key finds it",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shm_may_destroy()", .needs = ALL_NEEDS,
           .note = "proc(5)'s \"as though IPC_RMID had been called\" is not literal")
{
#ifdef __linux__
        make_forced();
        int id = make_segment(KEY, SIZE, 0600);
        make_attached(id, 0);
        struct shmid_ds ds = make_stat(id);
        check_mode(ds.shm_perm.mode, 0600);
        check_key(ds.shm_perm.SHMC_PERM_KEY, KEY);
        check_equal(id_of(try_shmget(KEY, 0, 0)), id);
#endif
}

/* ---- unattached segments and their creator ---- */

LINUX_CASE("forced.unattached.creator_lives", "A never attached segment stays while its creator lives; others find it",
           .level = LINUX, .clause = "proc(5) /proc/sys/kernel/shm_rmid_forced", .needs = ALL_NEEDS)
{
#ifdef __linux__
        make_forced();
        int id = make_segment(KEY, SIZE, 0600);
        IN_CHILD
        {
                check_equal(id_of(try_shmget(KEY, 0, 0)), id);
                check_there(id);
        }
        check_there(id);
#endif
}

LINUX_CASE("forced.unattached.creator_exits",
           "An unattached segment is gone when its creator has exited, though the creator's child lives",
           .level = LINUX, .clause = "proc(5) /proc/sys/kernel/shm_rmid_forced", .needs = ALL_NEEDS)
{
#ifdef __linux__
        struct ids {
                int early, late;
        } *ids = make_shared(sizeof(*ids));
        struct child creator;
        CHILD(&creator, "creator")
        {
                ids->early = make_segment(KEY, SIZE, 0600);
                wait_to_be_told(&creator);
                ids->late = make_segment(OTHER_KEY, SIZE, 0600);
                struct child heir;
                CHILD(&heir, "creator's child")
                {
                        prctl(PR_SET_PDEATHSIG, 0);
                        tell_parent(&heir);
                        for (;;)
                                pause();
                }
                await_child(&heir);
                wait_to_be_told(&creator);
        }
        await_child(&creator);
        make_forced();
        tell_child(&creator);
        await_child(&creator);
        check_there(ids->early);
        check_there(ids->late);
        end_holder(&creator);
        check_gone(ids->early);
        check_gone(ids->late);
        check_fails(try_shmget(KEY, 0, 0), ENOENT);
#endif
}

#if defined(__linux__) && !defined(__dietlibc__)
static void *make_as_thread(void *id)
{
        *(int *)id = make_segment(KEY, SIZE, 0600);
        return NULL;
}
#endif

LINUX_CASE("forced.unattached.thread_exits",
           "An unattached segment is gone when the thread that made it has exited, though the process lives",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c exit_shm()", .needs = ALL_NEEDS | NEED_THREADS)
{
#if defined(__linux__) && !defined(__dietlibc__)
        make_forced();
        int id = -1;
        pthread_t thread;
        int error = pthread_create(&thread, NULL, make_as_thread, &id);
        make_sure(error == 0, "pthread_create: %s", strerror(error));
        pthread_join(thread, NULL);
        /* pthread_join may return before the kernel has taken the thread apart. */
        struct shmid_ds ds;
        for (int tries = 0; tries < 200 && shmctl(id, IPC_STAT, &ds) == 0; tries++) {
                struct timespec moment = {0, 1000000L};
                nanosleep(&moment, NULL);
        }
        check_gone(id);
#endif
}

LINUX_CASE("forced.unattached.creator_execs",
           "The creator's exec keeps an unattached segment, its exit then destroys it", .level = LINUX_UNDOCUMENTED,
           .clause = "Linux ipc/shm.c exit_shm()", .needs = ALL_NEEDS)
{
#ifdef __linux__
        make_forced();
        struct child creator;
        int id = start_creator(&creator, exec_and_wait);
        check_there(id);
        end_holder(&creator);
        check_gone(id);
#endif
}

LINUX_CASE("forced.unattached.creator_unshares",
           "An unattached segment is gone when its creator leaves the IPC namespace", .level = LINUX_UNDOCUMENTED,
           .clause = "Linux kernel/fork.c ksys_unshare()", .needs = ALL_NEEDS)
{
#ifdef __linux__
        make_forced();
        struct child creator;
        int id = start_creator(&creator, leave_namespace);
        check_there(id);
        tell_child(&creator);
        await_child(&creator);
        check_gone(id);
        end_holder(&creator);
#endif
}

LINUX_CASE("forced.unattached.failed_shmat",
           "A shmat that fails at an occupied address destroys a segment that nobody has attached, creator alive",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c do_shmat()", .needs = ALL_NEEDS,
           .note = "with shm_rmid_forced 0 the same call changes nothing")
{
#ifdef __linux__
        int id = make_segment(KEY, SIZE, 0600);
        char *occupied = make_free_range(PAGE);
        make_mapping(occupied, PAGE, PROT_READ);
        struct snapshot before = take_snapshot(id);
        check_fails(try_shmat(id, occupied, 0), EINVAL);
        check_unchanged(&before);
        make_forced();
        check_fails(try_shmat(id, occupied + 1, 0), EINVAL);
        check_unchanged(&before);
        check_fails(try_shmat(id, NULL, SHM_REMAP), EINVAL);
        check_unchanged(&before);
        check_fails(try_shmat(id, occupied, 0), EINVAL);
        check_gone(id);
        check_fails(try_shmget(KEY, 0, 0), ENOENT);
#endif
}

LINUX_CASE("forced.attached.creator_exits",
           "A segment that another has attached outlives its creator unmarked, and is gone at the last detach",
           .level = LINUX, .clause = "proc(5) /proc/sys/kernel/shm_rmid_forced", .needs = ALL_NEEDS)
{
#ifdef __linux__
        make_forced();
        struct child creator;
        int id = start_creator(&creator, wait_to_be_told);
        void *at = make_attached(id, 0);
        fill_pattern(at, SIZE, 1);
        end_holder(&creator);
        check_there(id);
        struct shmid_ds ds = make_stat(id);
        check_mode(ds.shm_perm.mode, 0640);
        check_key(ds.shm_perm.SHMC_PERM_KEY, KEY);
        check_pattern("the contents are there", at, SIZE, 1);
        check_succeeds(try_shmdt(at));
        check_gone(id);
#endif
}

/* ---- the write of 1 itself ---- */

LINUX_CASE("forced.write.orphans", "Writing 1 destroys unattached segments of dead creators, never attached or once",
           .level = LINUX, .clause = "proc(5) /proc/sys/kernel/shm_rmid_forced", .needs = ALL_NEEDS)
{
#ifdef __linux__
        int never = make_orphan(KEY, NEVER_ATTACHED);
        int once = make_orphan(OTHER_KEY, ONCE_ATTACHED);
        check_there(never);
        check_there(once);
        make_forced();
        check_gone(never);
        check_gone(once);
#endif
}

LINUX_CASE("forced.write.creator_lives",
           "Writing 1 spares unattached segments of living creators, never attached or once",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shm_try_destroy_orphaned()", .needs = ALL_NEEDS,
           .note = "proc(5) says that they are destroyed")
{
#ifdef __linux__
        int never = make_segment(KEY, SIZE, 0600);
        int once = make_segment(OTHER_KEY, SIZE, 0600);
        make_detached(make_attached(once, 0));
        make_forced();
        check_there(never);
        check_there(once);
#endif
}

LINUX_CASE("forced.write.attached", "Writing 1 spares attached segments, which are gone at their last detach",
           .level = LINUX, .clause = "proc(5) /proc/sys/kernel/shm_rmid_forced", .needs = ALL_NEEDS)
{
#ifdef __linux__
        int id = make_orphan(KEY, ONCE_ATTACHED);
        void *at = make_attached(id, 0);
        make_forced();
        check_there(id);
        check_succeeds(try_shmdt(at));
        check_gone(id);
#endif
}

LINUX_CASE("forced.write.back_to_zero",
           "With 0 again what was attached under 1 stays when it is detached; the orphans go when 1 is written anew",
           .level = LINUX, .clause = "proc(5) /proc/sys/kernel/shm_rmid_forced", .needs = ALL_NEEDS)
{
#ifdef __linux__
        make_forced();
        struct child creator;
        int id = start_creator(&creator, wait_to_be_told);
        void *at = make_attached(id, 0);
        end_holder(&creator);
        make_sysctl("shm_rmid_forced", "0");
        check_succeeds(try_shmdt(at));
        check_there(id);
        make_sysctl("shm_rmid_forced", "1");
        check_gone(id);
#endif
}

LINUX_CASE("forced.scope", "shm_rmid_forced 1 in another IPC namespace does nothing here", .level = LINUX,
           .clause = "ipc_namespaces(7)", .needs = ALL_NEEDS)
{
#ifdef __linux__
        int orphan = make_orphan(OTHER_KEY, NEVER_ATTACHED);
        struct child elsewhere;
        CHILD(&elsewhere, "elsewhere")
        {
                make_ipc_namespace();
                make_sysctl("shm_rmid_forced", "1");
                tell_parent(&elsewhere);
                await_parent(&elsewhere);
        }
        await_child(&elsewhere);
        check_equal(setting(), 0);
        check_there(orphan);
        int id = make_segment(KEY, SIZE, 0600);
        check_succeeds(try_shmdt(make_attached(id, 0)));
        check_there(id);
        end_holder(&elsewhere);
#endif
}
