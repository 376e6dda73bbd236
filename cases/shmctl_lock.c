/*
 * shmctl with SHM_LOCK and SHM_UNLOCK, which only Linux has: the bit that
 * IPC_STAT shows, who may, and how RLIMIT_MEMLOCK binds.
 *
 * The charge is kept for each user over the whole system, so every case about
 * amounts locks as a user that no other case, and no other round of the same
 * case, is at that time. Whether pages really stay in memory would take memory
 * pressure to see; that the kernel has put them aside is seen.
 */
#include "racing.h"

#include <stdio.h>
#if defined(__linux__)
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#endif

#ifdef __linux__
static void make_locked(int id)
{
        struct outcome o = try_shmctl(id, SHM_LOCK, NULL);
        make_sure(!o.failed, "SHM_LOCK: %s", strerror(o.error));
}

static void check_lock_refused(int id, int error)
{
        struct snapshot before = take_snapshot(id);
        check_fails(try_shmctl(id, SHM_LOCK, NULL), error);
        check_unchanged(&before);
}

static mode_t mode_of(int id)
{
        return (mode_t)make_stat(id).shm_perm.mode;
}

/*
 * A user that has locked nothing; the next number is another one. It is made of this process's number outside its PID
 * namespace, which no other process has: a namespace that ends keeps its charge for a while, and random numbers met.
 */
static uid_t make_locker(void)
{
        char number[16] = "";
        if (readlink("/proc/self", number, sizeof(number) - 1) <= 0)
                snprintf(number, sizeof(number), "%ld", (long)getpid());
        return (uid_t)(20000 + strtoul(number, NULL, 10) % 20000 * 2);
}

static int make_lockers_segment(uid_t locker, size_t size)
{
        int id = make_segment(IPC_PRIVATE, size, 0600);
        make_ownership(id, locker, GROUP_A, 0600);
        return id;
}

/* SHM_LOCK of the segment by the user, with the limit that the case has set. */
static void check_lock_by(uid_t user, int id, int expected)
{
        AS_USER(user, GROUP_A)
        {
                check_result(try_shmctl(id, SHM_LOCK, NULL), expected);
        }
}
#endif

/* ---- the bit ---- */

LINUX_CASE("shmctl.lock.sets_bit", "SHM_LOCK returns 0 and sets SHM_LOCKED beside the permission bits", .level = LINUX,
           .clause = "shmctl(2) SHM_LOCK")
{
#ifdef __linux__
        int id = make_segment(IPC_PRIVATE, PAGE, 0640);
        struct outcome o = try_shmctl(id, SHM_LOCK, NULL);
        check_succeeds(o);
        check_equal(o.value, 0);
        check_mode(mode_of(id), SHM_LOCKED | 0640);
#endif
}

LINUX_CASE("shmctl.lock.rest_same", "SHM_LOCK and SHM_UNLOCK alter mode only, not shm_ctime",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shmctl_do_lock()", .needs = NEED_CLOCK_TICK)
{
#ifdef __linux__
        int id = make_touched_segment(KEY, PAGE, 0640, 1);
        struct shmid_ds before = make_stat(id);
        wait_for_tick();
        check_succeeds(try_shmctl(id, SHM_LOCK, NULL));
        struct shmid_ds locked = make_stat(id);
        check_only_changed(&before, &locked, M_MODE);
        check_succeeds(try_shmctl(id, SHM_UNLOCK, NULL));
        struct shmid_ds unlocked = make_stat(id);
        check_only_changed(&before, &unlocked, 0);
#endif
}

LINUX_CASE("shmctl.unlock.clears_bit", "SHM_UNLOCK returns 0 and the segment is as before SHM_LOCK", .level = LINUX,
           .clause = "shmctl(2) SHM_UNLOCK")
{
#ifdef __linux__
        int id = make_touched_segment(KEY, PAGE, 0640, 1);
        struct snapshot before = take_snapshot(id);
        make_locked(id);
        make_sure(mode_of(id) != before.ds.shm_perm.mode, "SHM_LOCK sets no bit");
        struct outcome o = try_shmctl(id, SHM_UNLOCK, NULL);
        check_succeeds(o);
        check_equal(o.value, 0);
        check_unchanged(&before);
#endif
}

LINUX_CASE("shmctl.lock.twice", "A second SHM_LOCK returns 0 and changes nothing, and one SHM_UNLOCK then suffices",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shmctl_do_lock()")
{
#ifdef __linux__
        int id = make_touched_segment(KEY, PAGE, 0640, 1);
        make_locked(id);
        struct snapshot locked = take_snapshot(id);
        check_succeeds(try_shmctl(id, SHM_LOCK, NULL));
        check_unchanged(&locked);
        check_succeeds(try_shmctl(id, SHM_UNLOCK, NULL));
        check_mode(mode_of(id), 0640);
#endif
}

LINUX_CASE("shmctl.unlock.not_locked", "SHM_UNLOCK of a segment that is not locked returns 0 and changes nothing",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shmctl_do_lock()")
{
#ifdef __linux__
        int id = make_touched_segment(KEY, PAGE, 0640, 1);
        struct snapshot before = take_snapshot(id);
        check_succeeds(try_shmctl(id, SHM_UNLOCK, NULL));
        check_unchanged(&before);
#endif
}

LINUX_CASE("shmctl.lock.contents",
           "The contents stay through SHM_LOCK and SHM_UNLOCK, the tail of the last page included", .level = LINUX,
           .clause = "shmctl(2) SHM_LOCK")
{
#ifdef __linux__
        size_t size = PAGE + 1;
        int id = make_segment(IPC_PRIVATE, size, 0600);
        void *at = make_attached(id, 0);
        fill_pattern(at, 2 * PAGE, 1);
        check_succeeds(try_shmctl(id, SHM_LOCK, NULL));
        check_pattern("the pages of the locked segment", at, 2 * PAGE, 1);
        check_succeeds(try_shmctl(id, SHM_UNLOCK, NULL));
        check_pattern("the pages of the unlocked segment", at, 2 * PAGE, 1);
#endif
}

LINUX_CASE("shmctl.lock.survives_process", "The lock stays after the locker detached and exited",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shmctl_do_lock()")
{
#ifdef __linux__
        int id = make_segment(IPC_PRIVATE, PAGE, 0640);
        IN_CHILD
        {
                void *at = make_attached(id, 0);
                check_succeeds(try_shmctl(id, SHM_LOCK, NULL));
                make_detached(at);
                check_mode(mode_of(id), SHM_LOCKED | 0640);
        }
        check_mode(mode_of(id), SHM_LOCKED | 0640);
#endif
}

LINUX_CASE("shmctl.lock.removed_attached", "SHM_LOCK and SHM_UNLOCK work on a removed, attached segment",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shmctl_do_lock()")
{
#ifdef __linux__
        int id = make_segment(IPC_PRIVATE, PAGE, 0600);
        make_attached(id, 0);
        make_removed(id);
        check_succeeds(try_shmctl(id, SHM_LOCK, NULL));
        check_mode(mode_of(id), SHM_LOCKED | SHM_DEST | 0600);
        check_succeeds(try_shmctl(id, SHM_UNLOCK, NULL));
        check_mode(mode_of(id), SHM_DEST | 0600);
#endif
}

#ifdef __linux__

#define KPF_UNEVICTABLE_BIT 18 /* of /proc/kpageflags */
#define PAGEMAP_PRESENT_BIT 63
#define PAGEMAP_FRAME ((UINT64_C(1) << 55) - 1)

/* One number of 8 bytes by its place in a file of /proc. */
static uint64_t make_word(int fd, uint64_t place)
{
        uint64_t word = 0;
        if (pread(fd, &word, sizeof(word), (off_t)(place * sizeof(word))) != (ssize_t)sizeof(word))
                skip_case("/proc/self/pagemap or /proc/kpageflags does not tell of a page");
        return word;
}

/* How many of the pages, all of them touched, the kernel keeps apart as unevictable. */
static unsigned count_unevictable(const char *start, unsigned pages)
{
        int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
        int flags = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
        unsigned count = 0;
        if (pagemap == -1 || flags == -1)
                skip_case("/proc/kpageflags cannot be read: %s", strerror(errno));
        for (unsigned i = 0; i < pages; i++) {
                uint64_t entry = make_word(pagemap, ((uintptr_t)start + i * PAGE) / PAGE);
                /* An emulator's pagemap is of its own addresses. */
                if (!(entry >> PAGEMAP_PRESENT_BIT))
                        skip_case("/proc/self/pagemap does not have a page that was written");
                if ((entry & PAGEMAP_FRAME) == 0)
                        skip_case("/proc/self/pagemap hides the frames");
                count += make_word(flags, entry & PAGEMAP_FRAME) >> KPF_UNEVICTABLE_BIT & 1 ? 1 : 0;
        }
        close(pagemap);
        close(flags);
        return count;
}

#endif

LINUX_CASE("shmctl.lock.unevictable",
           "Pages that are written while the segment is locked become unevictable; after SHM_UNLOCK none is",
           .level = LINUX_UNDOCUMENTED, .clause = "proc(5) /proc/kpageflags UNEVICTABLE",
           .needs = NEED_ROOT | NEED_PROC)
{
#ifdef __linux__
        /* Some wait for their turn in a batch of each processor's, which is smaller than this. */
        enum { PAGES = 128, MOST = PAGES / 2 };
        int id = make_segment(IPC_PRIVATE, PAGES * PAGE, 0600);
        char *at = make_attached(id, 0);
        make_locked(id);
        fill_pattern(at, PAGES * PAGE, 1);
        check_between(count_unevictable(at, PAGES), MOST, PAGES);
        check_succeeds(try_shmctl(id, SHM_UNLOCK, NULL));
        check_equal(count_unevictable(at, PAGES), 0);

        int other = make_segment(IPC_PRIVATE, PAGES * PAGE, 0600);
        char *free_to_go = make_attached(other, 0);
        fill_pattern(free_to_go, PAGES * PAGE, 1);
        check_equal(count_unevictable(free_to_go, PAGES), 0);
#endif
}

/* ---- RLIMIT_MEMLOCK ---- */

LINUX_CASE("shmctl.lock.limit_zero", "SHM_LOCK by an unprivileged owner with limit 0 fails with EPERM", .level = LINUX,
           .clause = "shmctl(2) ERRORS EPERM", .needs = NEED_UNPRIVILEGED)
{
#ifdef __linux__
        int id = make_touched_segment(KEY, PAGE, 0640, 1);
        make_rlimit(RLIMIT_MEMLOCK, 0);
        check_lock_refused(id, EPERM);
#endif
}

LINUX_CASE("shmctl.lock.limit_zero_userns_root", "SHM_LOCK by root of a user namespace with limit 0 fails with ENOMEM",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux mm/mlock.c user_shm_lock()",
           .needs = NEED_USER_NAMESPACE | NEED_IPC_NAMESPACE,
           .note = "the capability there passes the first check, not the one of the amount")
{
#ifdef __linux__
        make_rlimit(RLIMIT_MEMLOCK, 0);
        IN_CHILD
        {
                make_sure(unshare(CLONE_NEWUSER) == 0, "unshare(CLONE_NEWUSER): %s", strerror(errno));
                make_ipc_namespace();
                int id = make_segment(IPC_PRIVATE, PAGE, 0640);
                check_lock_refused(id, ENOMEM);
        }
#endif
}

LINUX_CASE("shmctl.lock.limit_exceeded",
           "SHM_LOCK of one byte more than the limit of one page fails with ENOMEM, sets no bit and charges nothing",
           .level = LINUX, .clause = "shmctl(2) ERRORS ENOMEM", .needs = NEED_TWO_UIDS)
{
#ifdef __linux__
        make_rlimit(RLIMIT_MEMLOCK, PAGE);
        become_user(make_locker(), GROUP_A);
        int large = make_segment(IPC_PRIVATE, PAGE + 1, 0600);
        int small = make_segment(IPC_PRIVATE, PAGE, 0600);
        check_lock_refused(large, ENOMEM);
        check_succeeds(try_shmctl(small, SHM_LOCK, NULL));
#endif
}

LINUX_CASE("shmctl.lock.limit_exact", "SHM_LOCK of one page, or of one byte, succeeds with a limit of one page",
           .level = LINUX, .clause = "shmctl(2) ERRORS ENOMEM", .needs = NEED_TWO_UIDS)
{
#ifdef __linux__
        make_rlimit(RLIMIT_MEMLOCK, PAGE);
        uid_t locker = make_locker();
        check_lock_by(locker, make_lockers_segment(locker, PAGE), OK);
        check_lock_by(locker + 1, make_lockers_segment(locker + 1, 1), OK);
#endif
}

LINUX_CASE("shmctl.lock.limit_rounds_down",
           "SHM_LOCK of one byte fails with ENOMEM with a limit one byte short of a page", .level = LINUX_UNDOCUMENTED,
           .clause = "Linux mm/mlock.c user_shm_lock()", .needs = NEED_TWO_UIDS)
{
#ifdef __linux__
        make_rlimit(RLIMIT_MEMLOCK, PAGE - 1);
        become_user(make_locker(), GROUP_A);
        int id = make_segment(IPC_PRIVATE, 1, 0600);
        check_lock_refused(id, ENOMEM);
#endif
}

LINUX_CASE("shmctl.lock.limit_sums_segments", "With a limit of one page SHM_LOCK of a second one-page segment fails",
           .level = LINUX, .clause = "shmctl(2) ERRORS ENOMEM", .needs = NEED_TWO_UIDS)
{
#ifdef __linux__
        make_rlimit(RLIMIT_MEMLOCK, PAGE);
        become_user(make_locker(), GROUP_A);
        make_locked(make_segment(IPC_PRIVATE, PAGE, 0600));
        int second = make_segment(IPC_PRIVATE, PAGE, 0600);
        check_lock_refused(second, ENOMEM);
#endif
}

LINUX_CASE("shmctl.lock.limit_per_user",
           "What one process has locked counts in another of the same user, and not in one of another user",
           .level = LINUX, .clause = "shmctl(2) ERRORS ENOMEM", .needs = NEED_TWO_UIDS)
{
#ifdef __linux__
        make_rlimit(RLIMIT_MEMLOCK, PAGE);
        uid_t locker = make_locker();
        int first = make_lockers_segment(locker, PAGE);
        int second = make_lockers_segment(locker, PAGE);
        int others = make_lockers_segment(locker + 1, PAGE);
        struct child c;
        CHILD(&c, "locker")
        {
                become_user(locker, GROUP_A);
                make_locked(first);
                tell_parent(&c);
                await_parent(&c);
        }
        await_child(&c);
        check_lock_by(locker, second, ENOMEM);
        check_lock_by(locker + 1, others, OK);
        tell_child(&c);
        join_child(&c);
#endif
}

LINUX_CASE("shmctl.lock.charge_outlives_locker", "The charge stays after the locker exited",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux mm/mlock.c user_shm_lock()", .needs = NEED_TWO_UIDS)
{
#ifdef __linux__
        make_rlimit(RLIMIT_MEMLOCK, PAGE);
        uid_t locker = make_locker();
        check_lock_by(locker, make_lockers_segment(locker, PAGE), OK);
        check_lock_by(locker, make_lockers_segment(locker, PAGE), ENOMEM);
#endif
}

LINUX_CASE("shmctl.lock.charge_unlock", "SHM_UNLOCK by the locker, or by root, gives the locker's charge back",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux mm/mlock.c user_shm_unlock()", .needs = NEED_TWO_UIDS)
{
#ifdef __linux__
        make_rlimit(RLIMIT_MEMLOCK, PAGE);
        uid_t locker = make_locker();
        int first = make_lockers_segment(locker, PAGE);
        int second = make_lockers_segment(locker, PAGE);
        check_lock_by(locker, first, OK);
        AS_USER(locker, GROUP_A)
        {
                check_succeeds(try_shmctl(first, SHM_UNLOCK, NULL));
        }
        check_lock_by(locker, second, OK);
        check_lock_by(locker, first, ENOMEM);
        check_succeeds(try_shmctl(second, SHM_UNLOCK, NULL));
        check_lock_by(locker, first, OK);
#endif
}

LINUX_CASE("shmctl.lock.charge_rmid",
           "Destruction gives the charge back: IPC_RMID at once if unattached, the last detach if attached",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shm_destroy()", .needs = NEED_TWO_UIDS)
{
#ifdef __linux__
        make_rlimit(RLIMIT_MEMLOCK, PAGE);
        uid_t locker = make_locker();
        int unattached = make_lockers_segment(locker, PAGE);
        int attached = make_lockers_segment(locker, PAGE);
        int last = make_lockers_segment(locker, PAGE);
        check_lock_by(locker, unattached, OK);
        check_lock_by(locker, attached, ENOMEM);
        make_removed(unattached);
        check_lock_by(locker, attached, OK);

        void *at = make_attached(attached, 0);
        make_removed(attached);
        check_lock_by(locker, last, ENOMEM);
        make_detached(at);
        check_lock_by(locker, last, OK);
#endif
}

LINUX_CASE("shmctl.lock.mlock_apart",
           "With a limit of one page mlock of a page and SHM_LOCK of a page succeed side by side",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux mm/mlock.c", .needs = NEED_TWO_UIDS)
{
#ifdef __linux__
        make_rlimit(RLIMIT_MEMLOCK, PAGE);
        uid_t locker = make_locker();
        for (int shm_first = 0; shm_first < 2; shm_first++) {
                int id = make_lockers_segment(locker + (uid_t)shm_first, PAGE);
                AS_USER(locker + (uid_t)shm_first, GROUP_A)
                {
                        void *page = make_mapping(NULL, PAGE, PROT_READ | PROT_WRITE);
                        if (shm_first)
                                check_succeeds(try_shmctl(id, SHM_LOCK, NULL));
                        int r = mlock(page, PAGE);
                        check_succeeds(try_other("mlock(page, page size)", r, r == -1, errno));
                        if (!shm_first)
                                check_succeeds(try_shmctl(id, SHM_LOCK, NULL));
                }
        }
#endif
}

LINUX_CASE("shmctl.lock.relock_free", "SHM_LOCK of a locked segment by an owner far over its limit succeeds",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux mm/shmem.c shmem_lock()", .needs = NEED_TWO_UIDS)
{
#ifdef __linux__
        make_rlimit(RLIMIT_MEMLOCK, PAGE);
        uid_t locker = make_locker();
        int id = make_lockers_segment(locker, 4 * PAGE);
        check_lock_by(locker, id, ENOMEM);
        make_locked(id);
        check_lock_by(locker, id, OK);
        check_mode(mode_of(id), SHM_LOCKED | 0600);
#endif
}

/* ---- who may ---- */

LINUX_CASE("shmctl.lock.cap_ipc_lock",
           "With CAP_IPC_LOCK alone a stranger with limit 0 may SHM_LOCK and SHM_UNLOCK a segment of mode 0",
           .level = LINUX, .clause = "capabilities(7) CAP_IPC_LOCK", .needs = NEED_TWO_UIDS | NEED_CAP_DROP)
{
#ifdef __linux__
        int id = make_anothers_segment(USER_A, GROUP_A, IPC_PRIVATE, PAGE, 0);
        make_rlimit(RLIMIT_MEMLOCK, 0);
        IN_CHILD
        {
                make_only_capabilities(CAP_IPC_LOCK_BIT);
                check_succeeds(try_shmctl(id, SHM_LOCK, NULL));
        }
        check_mode(mode_of(id), SHM_LOCKED);
        IN_CHILD
        {
                make_only_capabilities(CAP_IPC_LOCK_BIT);
                check_succeeds(try_shmctl(id, SHM_UNLOCK, NULL));
        }
        check_mode(mode_of(id), 0);
#endif
}

LINUX_CASE("shmctl.lock.without_cap_ipc_lock",
           "uid 0 without CAP_IPC_LOCK is bound: SHM_LOCK fails with EPERM with limit 0, and on a stranger's segment",
           .level = LINUX, .clause = "shmctl(2) ERRORS EPERM",
           .needs = NEED_TWO_UIDS | NEED_CAP_DROP | NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        int others = make_anothers_segment(USER_A, GROUP_A, IPC_PRIVATE, PAGE, 0666);
        int own = make_segment(IPC_PRIVATE, PAGE, 0600);
        struct snapshot others_before = take_snapshot(others);
        struct snapshot own_before = take_snapshot(own);
        IN_CHILD
        {
                make_only_capabilities(CAP_IPC_OWNER_BIT | CAP_SYS_ADMIN_BIT);
                check_fails(try_shmctl(others, SHM_LOCK, NULL), EPERM);
                check_fails(try_shmctl(others, SHM_UNLOCK, NULL), EPERM);
                make_rlimit(RLIMIT_MEMLOCK, 0);
                check_fails(try_shmctl(own, SHM_LOCK, NULL), EPERM);
        }
        check_unchanged(&others_before);
        check_unchanged(&own_before);
#endif
}

LINUX_CASE("shmctl.lock.by_owner_or_creator",
           "Owner and creator, where they differ, may both SHM_LOCK and SHM_UNLOCK a segment of mode 0066",
           .level = LINUX, .clause = "shmctl(2) SHM_LOCK", .needs = NEED_TWO_UIDS)
{
#ifdef __linux__
        uid_t creator = make_locker();
        uid_t owner = creator + 1;
        make_rlimit(RLIMIT_MEMLOCK, PAGE);
        int *id = make_shared(sizeof(*id));
        AS_USER(creator, GROUP_A)
        {
                *id = make_segment(IPC_PRIVATE, PAGE, 0600);
                make_ownership(*id, owner, GROUP_B, 0066);
                check_succeeds(try_shmctl(*id, SHM_LOCK, NULL));
        }
        check_mode(mode_of(*id), SHM_LOCKED | 0066);
        AS_USER(owner, GROUP_C)
        {
                check_succeeds(try_shmctl(*id, SHM_UNLOCK, NULL));
                check_succeeds(try_shmctl(*id, SHM_LOCK, NULL));
        }
        AS_USER(creator, GROUP_A)
        {
                check_succeeds(try_shmctl(*id, SHM_UNLOCK, NULL));
        }
        check_mode(mode_of(*id), 0066);
#endif
}

LINUX_CASE("shmctl.lock.by_group_or_other",
           "SHM_LOCK and SHM_UNLOCK of a segment of mode 0666 by a member of its group or another user fail with EPERM",
           .level = LINUX, .clause = "shmctl(2) ERRORS EPERM", .needs = NEED_TWO_UIDS)
{
#ifdef __linux__
        int id = make_segment(IPC_PRIVATE, PAGE, 0600);
        make_ownership(id, USER_A, GROUP_A, 0666);
        struct snapshot before = take_snapshot(id);
        static const gid_t groups[] = {GROUP_A, GROUP_B};
        for (size_t i = 0; i < 2; i++) {
                AS_USER(USER_B, groups[i])
                {
                        check_fails(try_shmctl(id, SHM_LOCK, NULL), EPERM);
                        check_fails(try_shmctl(id, SHM_UNLOCK, NULL), EPERM);
                }
        }
        check_unchanged(&before);
#endif
}

LINUX_CASE("shmctl.unlock.by_other",
           "SHM_UNLOCK of a locked segment of mode 0666 by another user fails with EPERM and the bit stays",
           .level = LINUX, .clause = "shmctl(2) ERRORS EPERM", .needs = NEED_TWO_UIDS)
{
#ifdef __linux__
        int id = make_segment(IPC_PRIVATE, PAGE, 0666);
        make_locked(id);
        struct snapshot before = take_snapshot(id);
        AS_USER(USER_A, GROUP_A)
        {
                check_fails(try_shmctl(id, SHM_UNLOCK, NULL), EPERM);
        }
        check_unchanged(&before);
        check_mode(mode_of(id), SHM_LOCKED | 0666);
#endif
}

LINUX_CASE("shmctl.unlock.limit_zero", "The owner with limit 0 may SHM_UNLOCK, also what root has locked",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shmctl_do_lock()", .needs = NEED_TWO_UIDS)
{
#ifdef __linux__
        uid_t owner = make_locker();
        make_rlimit(RLIMIT_MEMLOCK, PAGE);
        int own = make_lockers_segment(owner, PAGE);
        int roots = make_lockers_segment(owner, PAGE);
        check_lock_by(owner, own, OK);
        make_locked(roots);
        make_rlimit(RLIMIT_MEMLOCK, 0);
        AS_USER(owner, GROUP_A)
        {
                check_succeeds(try_shmctl(own, SHM_UNLOCK, NULL));
                check_succeeds(try_shmctl(roots, SHM_UNLOCK, NULL));
        }
        check_mode(mode_of(own), 0600);
        check_mode(mode_of(roots), 0600);
#endif
}

/* ---- what it does not do ---- */

LINUX_CASE("shmctl.lock.buf_ignored", "SHM_LOCK and SHM_UNLOCK with buf 16 succeed", .level = LINUX_UNDOCUMENTED,
           .clause = "Linux ipc/shm.c ksys_shmctl()",
           .note = "32-bit C libraries convert the buffer for every command and may fault")
{
#ifdef __linux__
        int id = make_segment(IPC_PRIVATE, PAGE, 0600);
        void *nowhere = (void *)16;
        struct death d;
        DOOMED(&d)
        {
                check_succeeds(try_shmctl(id, SHM_LOCK, nowhere));
                check_mode(mode_of(id), SHM_LOCKED | 0600);
                check_succeeds(try_shmctl(id, SHM_UNLOCK, nowhere));
                check_mode(mode_of(id), 0600);
        }
        check_caller_lives(&d);
#endif
}

LINUX_CASE("shmctl.lock.no_vmlck", "SHM_LOCK leaves VmLck of the attached process as it was",
           .level = LINUX_UNDOCUMENTED, .clause = "proc(5) /proc/pid/status VmLck", .needs = NEED_PROC)
{
#ifdef __linux__
        int id = make_segment(IPC_PRIVATE, 4 * PAGE, 0600);
        fill_pattern(make_attached(id, 0), 4 * PAGE, 1);
        long before = locked_kib();
        check_succeeds(try_shmctl(id, SHM_LOCK, NULL));
        check_equal(locked_kib(), before);
#endif
}

LINUX_CASE("shmctl.lock.no_populate", "SHM_LOCK of an untouched segment makes no page resident", .level = LINUX,
           .clause = "shmctl(2) SHM_LOCK", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        int id = make_segment(IPC_PRIVATE, 4 * PAGE, 0600);
        unsigned char *at = make_attached(id, 0);
        check_succeeds(try_shmctl(id, SHM_LOCK, NULL));
        check_equal(make_totals().resident, 0);
        at[0] = 1;
        check_that(make_totals().resident > 0, "a write does");
#endif
}

/* ---- four at a time ---- */

#ifdef __linux__

#define LOCKERS 4

static void lock_and_unlock(struct arena *a, unsigned who)
{
        enum { TIMES = 100 };
        a->seen[who] = a->then[who] = (struct seen){0, 0};
        for (int i = 0; i < TIMES && a->seen[who].value == 0 && a->then[who].value == 0; i++) {
                a->seen[who] = kept(shmctl(a->id, SHM_LOCK, NULL));
                a->then[who] = kept(shmctl(a->id, SHM_UNLOCK, NULL));
        }
}

static void expect_at_rest(struct arena *a, int command, mode_t mode)
{
        struct stat_buffer b;
        if (shmctl(a->id, command, NULL) != 0)
                wrong(a, "%s at rest: %s", command == SHM_LOCK ? "SHM_LOCK" : "SHM_UNLOCK", strerror(errno));
        else if (shmctl(a->id, IPC_STAT, &b.is.ds) == -1 || b.is.ds.shm_perm.mode != mode)
                wrong(a, "the mode at rest is %#o, not %#o", (unsigned)b.is.ds.shm_perm.mode, (unsigned)mode);
}

static void judge_lockers(struct arena *a)
{
        for (unsigned who = 0; who < LOCKERS; who++) {
                if (a->seen[who].value != 0)
                        wrong(a, "a SHM_LOCK: %s", text_of(a->seen[who]));
                if (a->then[who].value != 0)
                        wrong(a, "a SHM_UNLOCK: %s", text_of(a->then[who]));
        }
        /* A charge that two locks took and one unlock gave back would leave no room for this lock. */
        expect_at_rest(a, SHM_UNLOCK, 0600);
        expect_at_rest(a, SHM_LOCK, SHM_LOCKED | 0600);
        expect_at_rest(a, SHM_UNLOCK, 0600);
        if (quiet_rmid(a->id) == -1)
                wrong(a, "IPC_RMID: %s", strerror(errno));
}

#endif

LINUX_CASE("race.lock.unlock",
           "Four processes that SHM_LOCK and SHM_UNLOCK one segment of exactly their limit all succeed, and at rest it "
           "can be locked again",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux mm/shmem.c shmem_lock()",
           .needs = NEED_TWO_UIDS | NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        static const struct race race = {.racers = LOCKERS,
                                         .rounds = 300,
                                         .prepare = make_private,
                                         .run = lock_and_unlock,
                                         .judge = judge_lockers};
        make_rlimit(RLIMIT_MEMLOCK, PAGE);
        become_user(make_locker(), GROUP_A);
        run_race("in each round all succeed, and nothing stays charged", &race);
#endif
}
