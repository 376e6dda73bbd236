/*
 * shmdt: what it unmaps, what it does to shmid_ds, and the addresses that it must
 * refuse. What munmap, mremap and mprotect make of attachments is in
 * shmdt_mappings.c.
 */
#include "case.h"

#include <fcntl.h>
#if defined(__linux__)
#include <sys/syscall.h>
#endif
#if !defined(__dietlibc__)
#include <pthread.h>
#endif

#define SIZE 3333
#define SEED 17
#define CYCLES 500

#define KERNEL_ADDRESS ((uintptr_t)0xffff800000000000ULL)

static void *as_address(uintptr_t n)
{
        return (void *)n; // NOLINT(performance-no-int-to-ptr): addresses at the edges are the subject
}

/* Attached where the neighbourhood is free, filled, and last touched by another process. */
static char *make_touched_apart(int id, size_t size)
{
        char *at = make_attached_apart(id, size, 0);
        make_touched_by_another(id, size, SEED);
        return at;
}

/* A read in the page raises a signal, for nothing is mapped there. */
static void check_unmapped(const char *what, const char *address)
{
        struct death reader = check_read(what, address, ON_POSIX(SIGSEGV, SIGBUS), ON_LINUX(SIGSEGV));
        LINUX_ONLY
        {
                if (reader.signal_number)
                        check_equal(reader.code, SEGV_MAPERR);
        }
}

/* ---- what it does ---- */

CASE("shmdt.ok.unmaps", "shmdt of an attach address returns 0, and no page of the segment can be read any more",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmdt DESCRIPTION")
{
        const size_t size = 2 * PAGE + 1;
        int id = make_segment(KEY, size, 0600);
        char *at = make_attached(id, 0);
        struct outcome o = try_shmdt(at);
        check_succeeds(o);
        check_equal(o.value, 0);
        check_unmapped("a read of the first byte", at);
        check_unmapped("a read in the second page", at + PAGE);
        check_unmapped("a read of the last byte", at + size - 1);
        check_unmapped("a read at the end of the last page", at + 3 * PAGE - 1);
}

static void check_detach_stat(const struct shmid_ds *before, int id, time_t start, time_t end)
{
        struct shmid_ds now = make_stat(id);
        check_equal(now.shm_nattch, before->shm_nattch - 1);
        check_between(now.shm_dtime, start, end);
        check_equal(now.shm_lpid, getpid());
        check_only_changed(before, &now, M_NATTCH | M_DTIME | M_LPID);
}

CASE("shmdt.ok.stat_exact",
     "A detach takes 1 from shm_nattch, sets shm_dtime to the time and shm_lpid to the caller, and changes no other "
     "member",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmdt RETURN VALUE", .needs = NEED_CLOCK_TICK)
{
        int writable = make_segment(KEY, SIZE, 0640);
        int read_only = make_segment(OTHER_KEY, SIZE, 0640);
        void *writable_at = make_attached(writable, 0);
        void *read_only_at = make_attached(read_only, SHM_RDONLY);
        make_touched_by_another(writable, SIZE, SEED);
        make_touched_by_another(read_only, SIZE, SEED);
        struct shmid_ds writable_before = make_stat(writable);
        struct shmid_ds read_only_before = make_stat(read_only);
        wait_for_tick();

        time_t start = stamp_time();
        check_succeeds(try_shmdt(writable_at));
        check_succeeds(try_shmdt(read_only_at));
        time_t end = stamp_time();
        check_detach_stat(&writable_before, writable, start, end);
        check_detach_stat(&read_only_before, read_only, start, end);
}

CASE("shmdt.ok.contents_survive",
     "Detached to shm_nattch 0 and not removed, a segment keeps every byte for the next attach", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmdt DESCRIPTION")
{
        const size_t size = 2 * PAGE + 1;
        int id = make_segment(KEY, size, 0600);
        char *at = make_attached(id, 0);
        fill_pattern(at, size, SEED);
        check_succeeds(try_shmdt(at));
        struct outcome again = try_shmat(id, NULL, SHM_RDONLY);
        check_succeeds(again);
        if (again.failed)
                return;
        check_pattern("every byte is as left", address_of(again), size, SEED);
        check_equal(attachments(id), 1);
}

CASE("shmdt.ok.one_of_two",
     "Of two attachments of a segment one is detached: the other stays usable, shm_nattch is 1, and it is detached by "
     "its own address",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmdt DESCRIPTION")
{
        int id = make_filled_segment(KEY, SIZE, 0600, SEED);
        char *first = make_attached(id, 0);
        char *second = make_attached(id, 0);
        check_succeeds(try_shmdt(first));
        check_equal(attachments(id), 1);
        check_that(!is_mapped(first), "the one is gone");
        check_that(is_mapped(second), "the other is mapped");
        if (!is_mapped(second))
                return;
        check_pattern("the other has the contents", second, SIZE, SEED);
        fill_pattern(second, SIZE, SEED + 1);
        check_succeeds(try_shmdt(second));
        check_equal(attachments(id), 0);
}

CASE("shmdt.ok.other_segment_kept",
     "Detaching one segment changes nothing of another that is attached, back to back with it too",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmdt DESCRIPTION")
{
        int id = make_segment(KEY, LBA, 0600);
        int other = make_segment(OTHER_KEY, LBA, 0600);
        char *at = make_free_range(2 * LBA);
        make_sure(!try_shmat(id, at, 0).failed && !try_shmat(other, at + LBA, 0).failed, "two adjacent attachments");
        char *anywhere = make_attached(id, 0);
        make_touched_by_another(other, LBA, SEED);
        struct snapshot before = take_snapshot(other);
        check_succeeds(try_shmdt(anywhere));
        check_succeeds(try_shmdt(at));
        check_unchanged(&before);
        check_that(!is_mapped(at), "the one is gone");
        check_that(is_mapped(at + LBA), "the other is mapped");
        if (is_mapped(at + LBA))
                check_pattern("the other has its contents", at + LBA, LBA, SEED);
}

CASE("shmdt.ok.adjacent_same",
     "Of two attachments of one segment back to back, shmdt of the first leaves the second, and shm_nattch is 1",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmdt DESCRIPTION")
{
        int id = make_filled_segment(KEY, LBA, 0600, SEED);
        char *first = make_free_range(2 * LBA);
        char *second = first + LBA;
        make_sure(!try_shmat(id, first, 0).failed && !try_shmat(id, second, 0).failed, "two adjacent attachments");
        check_succeeds(try_shmdt(first));
        check_equal(attachments(id), 1);
        check_that(!is_mapped(first), "the first is gone");
        check_that(is_mapped(second), "the second is mapped");
        if (is_mapped(second))
                check_pattern("the second has the contents", second, LBA, SEED);
        check_succeeds(try_shmdt(second));
        check_equal(attachments(id), 0);
}

CASE("shmdt.ok.child",
     "A child that detaches what it inherited has it no more; the parent's stays usable, shm_nattch is 1, and shm_lpid "
     "is the child's",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmdt DESCRIPTION")
{
        int id = make_filled_segment(KEY, SIZE, 0600, SEED);
        char *at = make_attached(id, 0);
        struct child detacher;
        CHILD(&detacher, "detacher")
        {
                check_succeeds(try_shmdt(at));
                check_that(!is_mapped(at), "it is gone in the child");
                tell_parent(&detacher);
                await_parent(&detacher);
        }
        await_child(&detacher);
        struct shmid_ds now = make_stat(id);
        check_equal(now.shm_nattch, 1);
        check_equal(now.shm_lpid, detacher.pid);
        tell_child(&detacher);
        join_child(&detacher);
        check_pattern("the parent's has the contents", at, SIZE, SEED);
        check_equal(attachments(id), 1);
        check_succeeds(try_shmdt(at));
}

CASE("shmdt.ok.parent",
     "When the parent detaches, what the child inherited stays usable, and shm_nattch is 1 until it exits",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmdt DESCRIPTION")
{
        int id = make_filled_segment(KEY, SIZE, 0600, SEED);
        char *at = make_attached(id, 0);
        struct child heir;
        CHILD(&heir, "heir")
        {
                await_parent(&heir);
                check_pattern("the child's has the contents", at, SIZE, SEED);
                fill_pattern(at, SIZE, SEED + 1);
                tell_parent(&heir);
                await_parent(&heir);
        }
        check_succeeds(try_shmdt(at));
        tell_child(&heir);
        await_child(&heir);
        check_equal(attachments(id), 1);
        tell_child(&heir);
        join_child(&heir);
        check_equal(attachments(id), 0);
        check_pattern("what the child wrote is there", make_attached(id, SHM_RDONLY), SIZE, SEED + 1);
}

#if !defined(__dietlibc__)

struct attacher {
        int id;
        void *at;
};

static void *attach_in_thread(void *argument)
{
        struct attacher *a = argument;
        a->at = make_attached(a->id, 0);
        return NULL;
}

#endif

CASE("shmdt.ok.other_thread", "What one thread attached another detaches, for the whole process", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmdt DESCRIPTION", .needs = NEED_THREADS)
{
#if !defined(__dietlibc__)
        struct attacher a = {.id = make_filled_segment(KEY, SIZE, 0600, SEED)};
        pthread_t thread;
        make_sure(pthread_create(&thread, NULL, attach_in_thread, &a) == 0, "pthread_create fails");
        pthread_join(thread, NULL);
        check_pattern("this thread sees the contents", a.at, SIZE, SEED);
        check_succeeds(try_shmdt(a.at));
        check_that(!is_mapped(a.at), "it is gone");
        check_equal(attachments(a.id), 0);
#endif
}

CASE("shmdt.ok.without_permission",
     "After IPC_SET to mode 0, and the caller's becoming another user, shmdt still detaches", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmdt ERRORS", .needs = NEED_TWO_UIDS)
{
        int id = make_segment(KEY, SIZE, 0600);
        make_ownership(id, USER_B, GROUP_B, 0);
        struct child user;
        CHILD(&user, "user")
        {
                void *at = make_attached(id, 0);
                become_user(USER_A, GROUP_A);
                check_succeeds(try_shmdt(at));
                check_that(!is_mapped(at), "it is gone");
                tell_parent(&user);
                await_parent(&user);
        }
        await_child(&user);
        check_equal(attachments(id), 0);
        tell_child(&user);
        join_child(&user);
}

LINUX_CASE("shmdt.ok.other_namespace", "After unshare(CLONE_NEWIPC) an attachment of before can be detached",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c ksys_shmdt()", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        int id = make_filled_segment(KEY, SIZE, 0600, SEED);
        struct child mover;
        CHILD(&mover, "mover")
        {
                char *at = make_attached(id, 0);
                make_ipc_namespace();
                check_pattern("the memory is there", at, SIZE, SEED);
                check_succeeds(try_shmdt(at));
                check_that(!is_mapped(at), "it is gone");
                tell_parent(&mover);
                await_parent(&mover);
        }
        await_child(&mover);
        check_equal(attachments(id), 0);
        tell_child(&mover);
        join_child(&mover);
#endif
}

CASE("shmdt.ok.marked_last", "Of a segment marked for removal the last shmdt destroys it, and the one before does not",
     .level = LINUX, .clause = "shmop(2) DESCRIPTION")
{
        int id = make_filled_segment(KEY, SIZE, 0600, SEED);
        char *first = make_attached(id, 0);
        char *second = make_attached(id, 0);
        make_removed(id);
        struct stat_buffer b;
        memset(&b, 0x5a, sizeof(b));
        check_succeeds(try_shmdt(first));
        struct outcome one_left = try_shmctl(id, IPC_STAT, &b.is.ds);
        check_succeeds(one_left);
        if (!one_left.failed)
                check_equal(b.is.ds.shm_nattch, 1);
        check_pattern("the other attachment has the contents", second, SIZE, SEED);
        check_succeeds(try_shmdt(second));
        check_fails(try_shmctl(id, IPC_STAT, &b.is.ds), ON_POSIX(EINVAL, EIDRM), ON_LINUX(EINVAL));
}

CASE("shmdt.ok.cycles",
     "Five hundred cycles of attach and detach all succeed, and leave shm_nattch 0 and the process no larger than "
     "before",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmdt RETURN VALUE")
{
        int id = make_segment(KEY, SIZE, 0600);
        unsigned long before = pages_mapped();
        unsigned attached = 0;
        unsigned detached = 0;
        for (unsigned i = 0; i < CYCLES; i++) {
                void *at = shmat(id, NULL, 0);
                if ((intptr_t)at == -1)
                        continue;
                attached++;
                detached += shmdt(at) == 0;
        }
        unsigned long after = pages_mapped();
        check_equal(attached, CYCLES);
        check_equal(detached, CYCLES);
        check_equal(attachments(id), 0);
        check_equal(after, before);
}

/* ---- what it refuses ---- */

CASE("shmdt.error.second", "A second shmdt of an address: EINVAL, and nothing changes", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmdt ERRORS EINVAL")
{
        int id = make_segment(KEY, SIZE, 0600);
        char *stays = make_attached(id, 0);
        char *at = make_attached(id, 0);
        make_detached(at);
        make_touched_by_another(id, SIZE, SEED);
        check_fails(try_shmdt_in_vain(id, at), EINVAL);
        check_that(is_mapped(stays), "the other attachment is mapped");
}

CASE("shmdt.error.null", "shmdt(NULL), while a segment is attached: EINVAL, and nothing changes", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmdt ERRORS EINVAL")
{
        int id = make_segment(KEY, SIZE, 0600);
        char *at = make_touched_apart(id, SIZE);
        check_fails(try_shmdt_in_vain(id, NULL), EINVAL);
        check_that(is_mapped(at), "the attachment is mapped");
}

CASE("shmdt.error.unaligned",
     "The attach address plus 1, plus half a page, plus a page less 1, and less 1: EINVAL, nothing changes, and the "
     "memory stays usable",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmdt ERRORS EINVAL")
{
        int id = make_segment(KEY, SIZE, 0600);
        char *at = make_touched_apart(id, SIZE);
        check_fails(try_shmdt_in_vain(id, at + 1), EINVAL);
        check_fails(try_shmdt_in_vain(id, at + PAGE / 2), EINVAL);
        check_fails(try_shmdt_in_vain(id, at + PAGE - 1), EINVAL);
        check_fails(try_shmdt_in_vain(id, at - 1), EINVAL);
        check_that(is_mapped(at), "the attachment is mapped");
        if (is_mapped(at))
                check_pattern("it has the contents", at, SIZE, SEED);
}

CASE("shmdt.error.interior",
     "Each later page of an attachment, and 64 KiB into a larger one: EINVAL, and nothing changes",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmdt ERRORS EINVAL")
{
        const size_t kilobytes_64 = 64 * 1024;
        const size_t size = 4 * PAGE;
        int id = make_segment(KEY, size, 0600);
        char *at = make_touched_apart(id, size);
        for (size_t offset = PAGE; offset < size; offset += PAGE)
                check_fails(try_shmdt_in_vain(id, at + offset), EINVAL);
        check_that(is_mapped(at) && is_mapped(at + size - 1), "the attachment is mapped");

        int large = make_segment(OTHER_KEY, 4 * kilobytes_64, 0600);
        char *large_at = make_touched_apart(large, 4 * kilobytes_64);
        check_fails(try_shmdt_in_vain(large, large_at + kilobytes_64), EINVAL);
        check_that(is_mapped(large_at) && is_mapped(large_at + kilobytes_64), "the larger one is mapped");
}

CASE("shmdt.error.neighbour",
     "The free pages one to eight before an attachment, and the one after: EINVAL, and nothing changes",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmdt ERRORS EINVAL", .note = "Linux searches upwards from the address")
{
        const size_t size = PAGE;
        int id = make_segment(KEY, size, 0600);
        char *at = make_touched_apart(id, size);
        for (size_t pages = 1; pages <= 8; pages++)
                check_fails(try_shmdt_in_vain(id, at - pages * PAGE), EINVAL);
        check_fails(try_shmdt_in_vain(id, at + size), EINVAL);
        check_that(is_mapped(at), "the attachment is mapped");
}

static void check_not_a_segment(int id, const void *address, const char *what)
{
        const void *page = as_address((uintptr_t)address / PAGE * PAGE);
        struct death caller;
        DOOMED(&caller)
        {
                check_fails(try_shmdt(page), EINVAL);
                check_that(is_mapped(page), what);
        }
        check_death("the caller lives on", &caller, OK);
        check_equal(attachments(id), 1);
}

/* What shims build their segments of; NULL where there is no such thing. */
static void *map_memfd(void)
{
#if defined(SYS_memfd_create)
        int fd = (int)syscall(SYS_memfd_create, "SYSV00000000", 0U);
        if (fd == -1 || ftruncate(fd, (off_t)PAGE) == -1)
                return NULL;
        void *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        return at == MAP_FAILED ? NULL : at;
#else
        return NULL;
#endif
}

CASE("shmdt.error.not_a_segment",
     "Private and shared anonymous memory, a mapped file or memfd, the heap, the stack, the code, and a free page: "
     "EINVAL, and "
     "they stay",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmdt ERRORS EINVAL")
{
        int id = make_segment(KEY, SIZE, 0600);
        make_attached(id, 0);
        make_scratch_directory();
        make_file("mapped", 0600);
        int fd = open("mapped", O_RDWR);
        bool sized = fd != -1 && ftruncate(fd, (off_t)PAGE) == 0;
        make_sure(sized, "no file to map");
        void *file = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        make_sure(file != MAP_FAILED, "mmap of a file fails");
        static void *heap;
        heap = malloc(SIZE);
        make_sure(heap != NULL, "malloc fails");
        int on_stack = 0;

        check_not_a_segment(id, make_mapping(NULL, PAGE, PROT_READ | PROT_WRITE), "private anonymous memory stays");
        check_not_a_segment(id, make_shared(PAGE), "shared anonymous memory stays");
        check_not_a_segment(id, file, "the mapped file stays");
        check_not_a_segment(id, heap, "the heap stays");
        check_not_a_segment(id, &on_stack, "the stack stays");
        check_not_a_segment(id, as_address((uintptr_t)&check_not_a_segment), "the code stays");
        check_fails(try_shmdt_in_vain(id, make_free_range(PAGE)), EINVAL);
        void *memfd = map_memfd();
        if (memfd)
                check_not_a_segment(id, memfd, "the mapped memfd stays");
}

CASE("shmdt.error.out_of_range", "(void *)-1, the last page of the address space and a kernel address: EINVAL",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmdt ERRORS EINVAL")
{
        int id = make_segment(KEY, SIZE, 0600);
        make_touched_apart(id, SIZE);
        check_fails(try_shmdt_in_vain(id, as_address(UINTPTR_MAX)), EINVAL);
        check_fails(try_shmdt_in_vain(id, as_address((uintptr_t)0 - PAGE)), EINVAL);
        if (sizeof(void *) == sizeof(uint64_t))
                check_fails(try_shmdt_in_vain(id, as_address(KERNEL_ADDRESS)), EINVAL);
}

CASE("shmdt.error.attached_elsewhere",
     "An address where only another process has a segment: EINVAL, and nothing changes", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmdt ERRORS EINVAL")
{
        int id = make_segment(KEY, SIZE, 0600);
        char *at = make_free_range(SIZE);
        struct child holder;
        CHILD(&holder, "holder")
        {
                make_sure(!try_shmat(id, at, 0).failed, "shmat at a free address fails");
                tell_parent(&holder);
                await_parent(&holder);
                check_that(is_mapped(at), "the other process's attachment is mapped");
        }
        await_child(&holder);
        check_equal(attachments(id), 1);
        check_fails(try_shmdt_in_vain(id, at), EINVAL);
        tell_child(&holder);
        join_child(&holder);
}

CASE("shmdt.error.marked_kept", "A shmdt that fails neither detaches nor destroys a segment that is marked for removal",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmdt ERRORS EINVAL")
{
        int id = make_segment(KEY, SIZE, 0600);
        char *at = make_touched_apart(id, SIZE);
        make_removed(id);
        check_fails(try_shmdt(at + 1), EINVAL);
        check_that(is_mapped(at), "the attachment is mapped");
        if (is_mapped(at))
                check_pattern("it has the contents", at, SIZE, SEED);
        LINUX_ONLY
        {
                struct stat_buffer b;
                memset(&b, 0x5a, sizeof(b));
                struct outcome o = try_shmctl(id, IPC_STAT, &b.is.ds);
                check_succeeds(o);
                if (!o.failed)
                        check_equal(b.is.ds.shm_nattch, 1);
        }
}

CASE("shmdt.error.times_kept", "A shmdt that fails once time() advanced keeps shm_dtime, shm_lpid and shm_nattch",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmdt RETURN VALUE", .needs = NEED_CLOCK_TICK)
{
        int id = make_segment(KEY, 2 * PAGE, 0600);
        char *at = make_touched_apart(id, 2 * PAGE);
        struct snapshot before = take_snapshot(id);
        wait_for_tick();
        check_fails(try_shmdt(at + 1), EINVAL);
        check_fails(try_shmdt(at + PAGE), EINVAL);
        check_fails(try_shmdt(NULL), EINVAL);
        check_fails(try_shmdt(at - PAGE), EINVAL);
        check_unchanged(&before);
}
