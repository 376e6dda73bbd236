/*
 * Segments of huge pages: shmget(2) SHM_HUGETLB, and what differs for them in
 * shmat, SHM_LOCK and SHM_INFO. What is said where there are no huge pages is
 * in shmget_errors.c.
 *
 * The pool is the whole machine's, and no case changes it. They run where
 * nobody uses it, take turns, and give back what they took before they end: an
 * IPC namespace ends some time after its last process.
 */
#include "case.h"

#include <fcntl.h>
#include <sys/file.h>

#ifdef __linux__

struct pool {
        size_t page; /* bytes */
        unsigned long pages;
};

static unsigned long make_number(const char *meminfo, const char *name)
{
        const char *at = strstr(meminfo, name);
        make_sure(at != NULL, "/proc/meminfo does not tell %s", name);
        return strtoul(at + strlen(name), NULL, 10);
}

/* Reads the pool as it is now; false while somebody uses it. */
static bool read_pool(int meminfo, struct pool *pool)
{
        char text[8192] = "";
        make_sure(pread(meminfo, text, sizeof(text) - 1, 0) > 0, "/proc/meminfo: %s", strerror(errno));
        pool->page = make_number(text, "Hugepagesize:") * 1024;
        pool->pages = make_number(text, "HugePages_Total:");
        return make_number(text, "HugePages_Free:") == pool->pages && make_number(text, "HugePages_Rsvd:") == 0;
}

/* The pool, which no other case uses until this one ends: the lock is that of the file that tells of it. */
static struct pool make_pool(void)
{
        const struct timespec moment = {0, 1000000};
        struct pool pool;
        int fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
        make_sure(fd != -1 && flock(fd, LOCK_EX) == 0, "/proc/meminfo: %s", strerror(errno));
        /* The case before may have given up its lock a little sooner than its memory. */
        for (int tries = 0; tries < 500; tries++) {
                if (read_pool(fd, &pool))
                        return pool;
                nanosleep(&moment, NULL);
        }
        skip_case("somebody uses the pool of huge pages by now");
}

static struct outcome try_huge(key_t key, size_t size)
{
        return try_shmget(key, size, IPC_CREAT | SHM_HUGETLB | 0600);
}

/* An address where range bytes are free, and a huge page may begin. */
static char *make_huge_range(struct pool pool, size_t range)
{
        uintptr_t start = (uintptr_t)make_free_range(range + pool.page);
        return (char *)((start + pool.page - 1) & ~(uintptr_t)(pool.page - 1)); // NOLINT(performance-no-int-to-ptr)
}

#endif

LINUX_CASE(
        "shmget.hugetlb.created",
        "A segment of 1 byte of huge pages shows that size, adds 1 page to shm_tot, and is one whole huge page, zero "
        "and writable",
        .level = LINUX, .clause = "shmget(2) SHM_HUGETLB", .needs = NEED_HUGEPAGES | NEED_ROOT | NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        struct pool pool = make_pool();
        struct totals before = make_totals();
        struct outcome made = try_huge(KEY, 1);
        check_succeeds(made);
        if (made.failed)
                return;
        struct shmid_ds ds = make_stat(id_of(made));
        check_equal(ds.shm_segsz, 1);
        check_mode(ds.shm_perm.mode, 0600);
        struct totals after = make_totals();
        check_equal(after.pages, before.pages + 1);

        char *at = make_attached(id_of(made), 0);
        make_removed(id_of(made));
        char *last = at + pool.page - 1;
        if (check_read("the last byte of the huge page", last, OK).signal_number)
                return;
        check_bytes("the huge page", at, pool.page, 0);
        check_writable("the last byte of the huge page", last);
        check_equal(*last, 1);
        check_write("the byte behind the huge page", last + 1, SIGSEGV);
#endif
}

LINUX_CASE(
        "shmget.hugetlb.pool_used_up",
        "A segment of more huge pages than the pool has left fails with ENOMEM; after IPC_RMID of another it succeeds",
        .level = LINUX, .clause = "shmget(2) SHM_HUGETLB", .needs = NEED_HUGEPAGES | NEED_ROOT | NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        struct pool pool = make_pool();
        int other = make_segment(IPC_PRIVATE, pool.page, SHM_HUGETLB | 0600);
        struct totals before = make_totals();
        check_fails(try_huge(KEY, pool.pages * pool.page), ENOMEM);
        check_fails(try_huge(KEY, (pool.pages - 1) * pool.page + 1), ENOMEM);
        check_fails(try_shmget(KEY, 0, 0), ENOENT);
        struct totals after = make_totals();
        check_equal(after.used_ids, before.used_ids);
        check_equal(after.pages, before.pages);
        make_removed(other);
        struct outcome made = try_huge(KEY, pool.pages * pool.page);
        check_succeeds(made);
        if (!made.failed)
                make_removed(id_of(made));
#endif
}

LINUX_CASE("shmat.addr.huge_page",
           "A segment of huge pages is attached at a multiple of their size only; another address fails with EINVAL",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c do_shmat()", .needs = NEED_HUGEPAGES | NEED_ROOT)
{
#ifdef __linux__
        struct pool pool = make_pool();
        int id = make_segment(IPC_PRIVATE, pool.page, SHM_HUGETLB | 0600);
        make_touched_by_another(id, 1, 1);
        char *range = make_huge_range(pool, 2 * pool.page);
        check_fails(try_shmat_in_vain(id, range + LBA, 0), EINVAL);
        check_fails(try_shmat_in_vain(id, range + LBA, SHM_RND), EINVAL);
        check_fails(try_shmat_in_vain(id, range + pool.page / 2, 0), EINVAL);

        struct outcome exact = try_shmat(id, range, 0);
        make_removed(id);
        check_succeeds(exact);
        check_equal(exact.value, (intptr_t)range);
        check_fails(try_shmat_in_vain(id, range + LBA, SHM_REMAP), EINVAL);
        struct outcome chosen = try_shmat(id, NULL, 0);
        check_succeeds(chosen);
        if (!chosen.failed)
                check_equal((uintptr_t)chosen.value % pool.page, 0);
#endif
}

LINUX_CASE(
        "shmctl.shm_info.hugetlb_units",
        "A segment of a huge page counts in shm_tot, and once touched in shm_rss, as the ordinary pages that it spans",
        .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shm_get_stat()",
        .needs = NEED_HUGEPAGES | NEED_ROOT | NEED_IPC_NAMESPACE,
        .differs = "Linux 6.18 multiplies shm_rss twice: 262144 pages for a touched huge page of 2 MiB, 512 on 6.1")
{
#ifdef __linux__
        struct pool pool = make_pool();
        const unsigned long spanned = pool.page / PAGE;
        struct totals before = make_totals();
        int id = make_segment(IPC_PRIVATE, pool.page, SHM_HUGETLB | 0600);
        struct totals made = make_totals();
        check_equal(made.pages, before.pages + spanned);
        check_equal(made.resident, before.resident);
        volatile char *at = make_attached(id, 0);
        at[0] = 1;
        struct totals touched = make_totals();
        make_removed(id);
        check_equal(touched.pages, before.pages + spanned);
        unsigned long resident = touched.resident - before.resident;
        record_fact("shm_rss of one huge page", "%lu", resident);
        check_explained(resident == spanned || resident == spanned * spanned, "shm_rss counts it in ordinary pages",
                        "%lu", resident);
#endif
}

LINUX_CASE("shmctl.lock.hugetlb",
           "SHM_LOCK of a segment of huge pages succeeds whatever its size, sets no bit and charges nothing, and with "
           "limit 0 or by a stranger fails with EPERM as for any segment",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shmctl_do_lock()",
           .needs = NEED_HUGEPAGES | NEED_ROOT | NEED_TWO_UIDS)
{
#ifdef __linux__
        struct pool pool = make_pool();
        int id = make_segment(IPC_PRIVATE, pool.page, SHM_HUGETLB | 0600);
        make_ownership(id, USER_A, GROUP_A, 0600);
        make_touched_by_another(id, 1, 1);
        struct snapshot before = take_snapshot(id);
        make_rlimit(RLIMIT_MEMLOCK, PAGE);
        AS_USER(USER_A, GROUP_A)
        {
                check_succeeds(try_shmctl(id, SHM_LOCK, NULL));
                check_unchanged(&before);
                check_succeeds(try_shmctl(id, SHM_UNLOCK, NULL));
        }
        AS_USER(USER_B, GROUP_B)
        {
                check_fails(try_shmctl(id, SHM_LOCK, NULL), EPERM);
                check_fails(try_shmctl(id, SHM_UNLOCK, NULL), EPERM);
        }
        make_rlimit(RLIMIT_MEMLOCK, 0);
        AS_USER(USER_A, GROUP_A)
        {
                check_fails(try_shmctl(id, SHM_LOCK, NULL), EPERM);
        }
        check_unchanged(&before);
        check_mode(make_stat(id).shm_perm.mode, 0600);
        make_removed(id);
#endif
}
