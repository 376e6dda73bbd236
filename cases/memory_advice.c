/*
 * madvise, msync, mincore and mlock on attached memory. All of it is Linux':
 * POSIX knows msync and mlock, but not what they mean for a segment.
 */
#include "case.h"

#include <sys/resource.h>

#define PAGES 4
#define SEED 31

#ifdef __linux__

/* The kernel's ABI, for C libraries whose headers are older than it. */
#ifndef MADV_NORMAL
#define MADV_NORMAL 0
#define MADV_RANDOM 1
#define MADV_SEQUENTIAL 2
#define MADV_WILLNEED 3
#define MADV_DONTNEED 4
#endif
#ifndef MADV_FREE
#define MADV_FREE 8
#endif
#ifndef MADV_REMOVE
#define MADV_REMOVE 9
#define MADV_DONTFORK 10
#define MADV_DOFORK 11
#endif
#ifndef MADV_DONTDUMP
#define MADV_DONTDUMP 16
#define MADV_DODUMP 17
#endif
#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif
#ifndef MADV_COLD
#define MADV_COLD 20
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

static struct outcome record(const char *text, int r, int error)
{
        return try_other(text, r, r == -1, error);
}

static struct outcome advise(void *at, size_t size, int advice, const char *text)
{
        errno = 0;
        int r = madvise(at, size, advice);
        return record(text, r, errno);
}
#define try_madvise(at, size, advice) advise((at), (size), (advice), "madvise(" #advice ")")

static struct outcome synchronize(void *at, size_t size, int flags, const char *text)
{
        errno = 0;
        int r = msync(at, size, flags);
        return record(text, r, errno);
}
#define try_msync(at, size, flags) synchronize((at), (size), (flags), "msync(" #flags ")")

static struct outcome try_mlock(void *at, size_t size)
{
        errno = 0;
        int r = mlock(at, size);
        return record("mlock", r, errno);
}

/* A limit of a page or none is the caller's, not the platform's. */
static void make_locked(void *at, size_t size)
{
        struct outcome o = try_mlock(at, size);
        if (o.failed && (o.error == EPERM || o.error == ENOMEM))
                skip_case("RLIMIT_MEMLOCK does not let memory be locked");
        make_sure(!o.failed, "mlock of an attachment fails");
}

/* Resident pages of the range, or -1. */
static int count_resident(void *at, size_t pages)
{
        unsigned char in_core[64];
        if (pages > sizeof(in_core) || mincore(at, pages * PAGE, in_core) == -1)
                return -1;
        int n = 0;
        for (size_t i = 0; i < pages; i++)
                n += in_core[i] & 1;
        return n;
}

#endif

/* ---- madvise ---- */

LINUX_CASE("memory.madvise.dontneed",
           "MADV_DONTNEED keeps the contents; after mlock it is EINVAL, where MADV_DONTNEED_LOCKED works and keeps "
           "them",
           .level = LINUX, .clause = "madvise(2) MADV_DONTNEED", .note = "MADV_DONTNEED_LOCKED is of Linux 5.18")
{
#ifdef __linux__
        const size_t size = PAGES * PAGE;
        int id = make_segment(KEY, size, 0600);
        char *at = make_attached(id, 0);
        fill_pattern(at, size, SEED);
        check_succeeds(try_madvise(at, size, MADV_DONTNEED));
        check_pattern("the contents are as before", at, size, SEED);
        make_locked(at, size);
        check_fails(try_madvise(at, size, MADV_DONTNEED), EINVAL);
        struct outcome locked = try_madvise(at, size, MADV_DONTNEED_LOCKED);
        check_result(locked, OK, EINVAL);
        check_pattern("the contents are as before", at, size, SEED);
#endif
}

LINUX_CASE("memory.madvise.remove",
           "MADV_REMOVE zeroes its pages, the short last one too, in every attachment, and no others; resident pages "
           "fall by "
           "as many, the segment's pages and shm_nattch stay",
           .level = LINUX, .clause = "madvise(2) MADV_REMOVE", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        const size_t size = PAGES * PAGE - 7;
        int id = make_segment(KEY, size, 0600);
        char *at = make_attached(id, 0);
        char *alias = make_attached(id, SHM_RDONLY);
        fill_pattern(at, size, SEED);
        struct totals before = make_totals();
        check_succeeds(try_madvise(at + 2 * PAGE, 2 * PAGE, MADV_REMOVE));
        struct totals after = make_totals();
        check_pattern("the other pages are as before", at, 2 * PAGE, SEED);
        check_equal(after.resident, before.resident - 2);
        check_equal(after.pages, before.pages);
        check_bytes("the pages are zero", at + 2 * PAGE, size - 2 * PAGE, 0);
        check_bytes("the pages are zero in the other attachment", alias + 2 * PAGE, size - 2 * PAGE, 0);
        check_equal(make_stat(id).shm_nattch, 2);
#endif
}

LINUX_CASE("memory.madvise.remove_rdonly",
           "MADV_REMOVE on an SHM_RDONLY attachment is EACCES and the contents stay; on a writable one made PROT_READ "
           "it works",
           .level = LINUX, .clause = "madvise(2) ERRORS EACCES")
{
#ifdef __linux__
        const size_t size = PAGES * PAGE;
        int id = make_filled_segment(KEY, size, 0600, SEED);
        char *at = make_attached(id, SHM_RDONLY);
        check_fails(try_madvise(at, size, MADV_REMOVE), EACCES);
        check_pattern("the contents are as before", at, size, SEED);
        char *writable = make_attached(id, 0);
        bool made_read_only = mprotect(writable, size, PROT_READ) == 0;
        make_sure(made_read_only, "mprotect fails");
        check_succeeds(try_madvise(writable, size, MADV_REMOVE));
        check_bytes("the contents are gone", at, size, 0);
#endif
}

LINUX_CASE("memory.madvise.remove_locked",
           "MADV_REMOVE after mlock is EINVAL and the contents stay; after SHM_LOCK alone it works", .level = LINUX,
           .clause = "madvise(2) ERRORS EINVAL")
{
#ifdef __linux__
        const size_t size = PAGES * PAGE;
        int id = make_filled_segment(KEY, size, 0600, SEED);
        char *at = make_attached(id, 0);
        make_locked(at, size);
        check_fails(try_madvise(at, size, MADV_REMOVE), EINVAL);
        check_pattern("the contents are as before", at, size, SEED);
        bool unlocked = munlock(at, size) == 0;
        make_sure(unlocked, "munlock fails");
        struct outcome locked = try_shmctl(id, SHM_LOCK, NULL);
        make_sure(!locked.failed, "SHM_LOCK fails");
        check_succeeds(try_madvise(at, size, MADV_REMOVE));
        check_bytes("the contents are gone", at, size, 0);
#endif
}

LINUX_CASE("memory.madvise.private_only", "MADV_FREE and MADV_WIPEONFORK are EINVAL, and the contents stay",
           .level = LINUX, .clause = "madvise(2) ERRORS EINVAL")
{
#ifdef __linux__
        const size_t size = PAGES * PAGE;
        int id = make_filled_segment(KEY, size, 0600, SEED);
        char *at = make_attached(id, 0);
        check_fails(try_madvise(at, size, MADV_FREE), EINVAL);
        check_fails(try_madvise(at, size, MADV_WIPEONFORK), EINVAL);
        IN_CHILD
        {
                check_pattern("a child sees the contents", at, size, SEED);
        }
        check_pattern("the contents are as before", at, size, SEED);
#endif
}

LINUX_CASE("memory.madvise.hints",
           "Advice about use, dumping and populating keeps the contents; MADV_POPULATE_WRITE of a read-only "
           "attachment is EINVAL",
           .level = LINUX_UNDOCUMENTED, .clause = "madvise(2)", .note = "MADV_POPULATE_* are of Linux 5.14")
{
#ifdef __linux__
        const size_t size = PAGES * PAGE;
        int id = make_filled_segment(KEY, size, 0600, SEED);
        char *at = make_attached(id, 0);
        check_succeeds(try_madvise(at, size, MADV_NORMAL));
        check_succeeds(try_madvise(at, size, MADV_RANDOM));
        check_succeeds(try_madvise(at, size, MADV_SEQUENTIAL));
        check_succeeds(try_madvise(at, size, MADV_WILLNEED));
        check_succeeds(try_madvise(at, size, MADV_DONTDUMP));
        check_succeeds(try_madvise(at, size, MADV_DODUMP));
        check_result(try_madvise(at, size, MADV_COLD), OK, EINVAL);
        check_result(try_madvise(at, size, MADV_PAGEOUT), OK, EINVAL);
        check_pattern("the contents are as before", at, size, SEED);
        struct outcome populated = try_madvise(at, size, MADV_POPULATE_READ);
        if (populated.failed && populated.error == EINVAL) {
                record_fact("MADV_POPULATE_READ", "not known to this kernel");
                return;
        }
        check_succeeds(populated);
        check_succeeds(try_madvise(at, size, MADV_POPULATE_WRITE));
        check_fails(try_madvise(make_attached(id, SHM_RDONLY), size, MADV_POPULATE_WRITE), EINVAL);
        check_pattern("the contents are as before", at, size, SEED);
#endif
}

LINUX_CASE("memory.madvise.guard",
           "MADV_GUARD_INSTALL makes its page raise SIGSEGV, with another attachment and shm_nattch as before; "
           "MADV_GUARD_REMOVE brings the bytes back",
           .level = LINUX_UNDOCUMENTED, .clause = "madvise(2) MADV_GUARD_INSTALL")
{
#ifdef __linux__
        const size_t size = PAGES * PAGE;
        int id = make_filled_segment(KEY, size, 0600, SEED);
        char *at = make_attached(id, 0);
        char *alias = make_attached(id, 0);
        struct outcome guarded = try_madvise(at + PAGE, PAGE, MADV_GUARD_INSTALL);
        if (guarded.failed && guarded.error == EINVAL)
                skip_case("this kernel has no guard regions in shared memory");
        check_succeeds(guarded);
        check_read("a read in the guarded page", at + PAGE, SIGSEGV);
        check_pattern("the other attachment has its contents", alias, size, SEED);
        check_equal(make_stat(id).shm_nattch, 2);
        struct outcome removed = try_madvise(at + PAGE, PAGE, MADV_GUARD_REMOVE);
        check_succeeds(removed);
        if (!removed.failed)
                check_pattern("the bytes are back", at, size, SEED);
#endif
}

LINUX_CASE("memory.madvise.dontfork",
           "After MADV_DONTFORK a child has no attachment: a read is SIGSEGV, shmdt EINVAL, shm_nattch 1; MADV_DOFORK "
           "undoes it",
           .level = LINUX, .clause = "madvise(2) MADV_DONTFORK")
{
#ifdef __linux__
        const size_t size = PAGES * PAGE;
        int id = make_filled_segment(KEY, size, 0600, SEED);
        char *at = make_attached(id, 0);
        check_succeeds(try_madvise(at, size, MADV_DONTFORK));
        struct death reader;
        DOOMED(&reader)
        {
                check_fails(try_shmdt(at), EINVAL);
                check_equal(make_stat(id).shm_nattch, 1);
                (void)*(volatile char *)at;
        }
        check_death("a child's read", &reader, SIGSEGV);
        check_equal(make_stat(id).shm_nattch, 1);
        check_succeeds(try_madvise(at, size, MADV_DOFORK));
        IN_CHILD
        {
                check_equal(make_stat(id).shm_nattch, 2);
                check_that(is_mapped(at), "the child has the attachment");
        }
#endif
}

/* ---- msync, and ranges that are detached ---- */

LINUX_CASE("memory.msync.ok",
           "msync with MS_SYNC, MS_ASYNC and MS_SYNC|MS_INVALIDATE succeeds and keeps the contents; MS_INVALIDATE "
           "after mlock "
           "is EBUSY",
           .level = LINUX_UNDOCUMENTED, .clause = "msync(2)")
{
#ifdef __linux__
        const size_t size = PAGES * PAGE;
        int id = make_filled_segment(KEY, size, 0600, SEED);
        char *at = make_attached(id, 0);
        check_succeeds(try_msync(at, size, MS_SYNC));
        check_succeeds(try_msync(at, size, MS_ASYNC));
        check_succeeds(try_msync(at, size, MS_SYNC | MS_INVALIDATE));
        check_pattern("the contents are as before", at, size, SEED);
        make_locked(at, size);
        check_fails(try_msync(at, size, MS_INVALIDATE), EBUSY);
#endif
}

LINUX_CASE("memory.after_detach.errors", "msync, mincore, mlock, mprotect and madvise of a detached range are ENOMEM",
           .level = LINUX_UNDOCUMENTED, .clause = "msync(2); mincore(2); mlock(2); mprotect(2); madvise(2)")
{
#ifdef __linux__
        const size_t size = PAGES * PAGE;
        unsigned char in_core[PAGES];
        int id = make_segment(KEY, size, 0600);
        char *at = make_attached(id, 0);
        make_detached(at);
        check_fails(try_msync(at, size, MS_SYNC), ENOMEM);
        errno = 0;
        int r = mincore(at, size, in_core);
        check_fails(record("mincore", r, errno), ENOMEM);
        check_fails(try_mlock(at, PAGE), ENOMEM);
        errno = 0;
        r = mprotect(at, size, PROT_READ);
        check_fails(record("mprotect", r, errno), ENOMEM);
        check_fails(try_madvise(at, size, MADV_DONTNEED), ENOMEM);
#endif
}

/* ---- residence ---- */

LINUX_CASE("memory.mincore.touched",
           "No page of a new segment is in core; pages written here, or by another process, are, and no others",
           .level = LINUX_UNDOCUMENTED, .clause = "mincore(2)")
{
#ifdef __linux__
        int id = make_segment(KEY, PAGES * PAGE, 0600);
        char *at = make_attached(id, 0);
        check_equal(count_resident(at, PAGES), 0);
        at[PAGE] = 1;
        check_equal(count_resident(at, PAGES), 1);
        check_equal(count_resident(at + PAGE, 1), 1);
        IN_CHILD
        {
                char *there = make_attached(id, 0);
                there[2 * PAGE] = 1;
        }
        check_equal(count_resident(at, PAGES), 2);
        check_equal(count_resident(at + 2 * PAGE, 1), 1);
#endif
}

LINUX_CASE("memory.mlock.resident",
           "mlock makes all pages resident and VmLck grow by them; munlock, or shmdt, takes it back; SHM_LOCK does not "
           "show",
           .level = LINUX, .clause = "mlock(2)", .needs = NEED_PROC)
{
#ifdef __linux__
        const size_t size = PAGES * PAGE;
        const long kilobytes = (long)(size / 1024);
        int id = make_segment(KEY, size, 0600);
        char *at = make_attached(id, 0);
        long before = locked_kib();
        make_locked(at, size);
        check_equal(count_resident(at, PAGES), PAGES);
        check_equal(locked_kib(), before + kilobytes);
        bool unlocked = munlock(at, size) == 0;
        make_sure(unlocked, "munlock fails");
        check_equal(locked_kib(), before);
        make_locked(at, size);
        check_succeeds(try_shmdt(at));
        check_equal(locked_kib(), before);
        struct outcome locked = try_shmctl(id, SHM_LOCK, NULL);
        make_sure(!locked.failed, "SHM_LOCK fails");
        make_attached(id, 0);
        check_equal(locked_kib(), before);
#endif
}

LINUX_CASE("memory.mlock.limit", "With RLIMIT_MEMLOCK of one page mlock of 1 MiB is ENOMEM, and of one page it works",
           .level = LINUX, .clause = "mlock(2) ERRORS ENOMEM", .needs = NEED_UNPRIVILEGED | NEED_RLIMIT)
{
#ifdef __linux__
        const size_t size = 1 << 20;
        int id = make_segment(KEY, size, 0600);
        char *at = make_attached(id, 0);
        make_rlimit(RLIMIT_MEMLOCK, PAGE);
        check_fails(try_mlock(at, size), ENOMEM);
        check_succeeds(try_mlock(at, PAGE));
#endif
}

LINUX_CASE("memory.mlock.future",
           "After mlockall(MCL_FUTURE) a new attachment is resident at once; mlockall(MCL_CURRENT) makes an existing "
           "one so",
           .level = LINUX, .clause = "mlockall(2)")
{
#ifdef __linux__
        int existing = make_segment(KEY, PAGES * PAGE, 0600);
        int new = make_segment(OTHER_KEY, PAGES * PAGE, 0600);
        char *at = make_attached(existing, 0);
        check_equal(count_resident(at, PAGES), 0);
        if (mlockall(MCL_CURRENT) == -1)
                skip_case("mlockall(MCL_CURRENT) is not permitted, or more than the limit");
        check_equal(count_resident(at, PAGES), PAGES);
        munlockall();
        if (mlockall(MCL_FUTURE) == -1)
                skip_case("mlockall(MCL_FUTURE) is not permitted");
        struct outcome attached = try_shmat(new, NULL, 0);
        check_succeeds(attached);
        if (!attached.failed)
                check_equal(count_resident(address_of(attached), PAGES), PAGES);
#endif
}
