/*
 * Attachments that munmap, mmap, mremap, mprotect and remap_file_pages changed,
 * and what shmdt makes of the rest. POSIX leaves these calls on attached memory
 * unspecified; Linux counts mappings in shm_nattch, so that a split adds one.
 *
 * shmdt there looks for mappings of the segment whose distance from the address
 * is their offset in the segment: it finds parts, and no part by its own address.
 */
#include "case.h"

#define PAGES 4
#define SEED 29

/* A segment of so many pages with a pattern, attached where the neighbourhood is free. */
static char *make_filled_apart(int *id, key_t key, size_t pages, int flags)
{
        *id = make_filled_segment(key, pages * PAGE, 0600, SEED);
        return make_attached_apart(*id, pages * PAGE, flags);
}

/* The first, second, ... page of what make_filled_apart attached is the page at the address. */
static void check_shows_page(const char *what, const char *at, unsigned page)
{
        static char expected[PAGES * 65536];
        fill_pattern(expected, (page + 1) * PAGE, SEED);
        check_that(is_mapped(at) && memcmp(at, expected + page * PAGE, PAGE) == 0, what);
}

static void make_unmapped(char *at, size_t pages)
{
        bool done = munmap(at, pages * PAGE) == 0;
        make_sure(done, "munmap of a part of an attachment fails");
}

static size_t count_mapped(const char *at, size_t pages)
{
        size_t n = 0;
        for (size_t i = 0; i < pages; i++)
                n += is_mapped(at + i * PAGE);
        return n;
}

/* ---- munmap ---- */

CASE("shmdt.munmap.first_page",
     "With the first page unmapped shm_nattch is 1, shmdt of the new start is EINVAL, and shmdt of the old start "
     "detaches "
     "the rest",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c ksys_shmdt()")
{
        int id;
        char *at = make_filled_apart(&id, KEY, PAGES, 0);
        make_unmapped(at, 1);
        check_equal(attachments(id), 1);
        check_fails(try_shmdt(at + PAGE), EINVAL);
        check_equal(count_mapped(at, PAGES), PAGES - 1);
        check_succeeds(try_shmdt(at));
        check_equal(attachments(id), 0);
        check_equal(count_mapped(at, PAGES), 0);
}

CASE("shmdt.munmap.middle_page",
     "With the second page unmapped shm_nattch is 2, shmdt of the second part is EINVAL, and shmdt of the start "
     "detaches "
     "both parts",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c ksys_shmdt()")
{
        int id;
        char *at = make_filled_apart(&id, KEY, PAGES, 0);
        make_unmapped(at + PAGE, 1);
        check_equal(attachments(id), 2);
        check_fails(try_shmdt(at + 2 * PAGE), EINVAL);
        check_equal(attachments(id), 2);
        check_succeeds(try_shmdt(at));
        check_equal(attachments(id), 0);
        check_equal(count_mapped(at, PAGES), 0);
}

CASE("shmdt.munmap.last_page", "With the last page unmapped shm_nattch is 1, and shmdt of the start detaches the rest",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c ksys_shmdt()")
{
        int id;
        char *at = make_filled_apart(&id, KEY, PAGES, 0);
        make_unmapped(at + (PAGES - 1) * PAGE, 1);
        check_equal(attachments(id), 1);
        check_succeeds(try_shmdt(at));
        check_equal(attachments(id), 0);
        check_equal(count_mapped(at, PAGES), 0);
}

CASE("shmdt.munmap.only_second_left",
     "With all but the second page unmapped shmdt of that page is EINVAL, and shmdt of the start, a free page, "
     "detaches it",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c ksys_shmdt()")
{
        int id;
        char *at = make_filled_apart(&id, KEY, PAGES, 0);
        make_unmapped(at, 1);
        make_unmapped(at + 2 * PAGE, PAGES - 2);
        check_fails(try_shmdt(at + PAGE), EINVAL);
        check_that(is_mapped(at + PAGE), "the second page is mapped");
        check_succeeds(try_shmdt(at));
        check_that(!is_mapped(at + PAGE), "the second page is gone");
        check_equal(attachments(id), 0);
}

static void check_fully_detached(int id, char *at, time_t start)
{
        struct shmid_ds now = make_stat(id);
        check_equal(now.shm_nattch, 0);
        check_between(now.shm_dtime, start, stamp_time());
        check_equal(now.shm_lpid, getpid());
        struct snapshot before = take_snapshot(id);
        check_fails(try_shmdt(at), EINVAL);
        check_unchanged(&before);
}

CASE("shmdt.munmap.full",
     "All unmapped, at once or page by page, is a detach: shm_nattch 0, shm_dtime and shm_lpid set; shmdt is then "
     "EINVAL "
     "and changes nothing",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shm_close()", .needs = NEED_CLOCK_TICK)
{
        int at_once, by_page;
        char *at_once_at = make_filled_apart(&at_once, KEY, PAGES, 0);
        char *by_page_at = make_filled_apart(&by_page, OTHER_KEY, PAGES, 0);
        make_touched_by_another(at_once, PAGE, SEED);
        make_touched_by_another(by_page, PAGE, SEED);
        wait_for_tick();
        time_t start = stamp_time();
        make_unmapped(at_once_at, PAGES);
        for (size_t i = 0; i < PAGES; i++)
                make_unmapped(by_page_at + i * PAGE, 1);
        check_fully_detached(at_once, at_once_at, start);
        check_fully_detached(by_page, by_page_at, start);
}

CASE("shmdt.munmap.full_marked", "munmap of the last attachment destroys a segment that is marked for removal",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shm_close()")
{
        int id;
        char *at = make_filled_apart(&id, KEY, PAGES, 0);
        make_removed(id);
        make_unmapped(at, 1);
        check_succeeds(try_stat(id));
        make_unmapped(at + PAGE, PAGES - 1);
        check_fails(try_stat(id), EINVAL);
}

CASE("shmdt.munmap.partial_times", "munmap of the first or of a middle page sets shm_atime and shm_dtime",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shm_open(); Linux ipc/shm.c shm_close()",
     .needs = NEED_CLOCK_TICK)
{
        int ids[2];
        char *first = make_filled_apart(&ids[0], KEY, PAGES, 0);
        char *middle = make_filled_apart(&ids[1], OTHER_KEY, PAGES, 0);
        wait_for_tick();
        time_t start = stamp_time();
        make_unmapped(first, 1);
        make_unmapped(middle + PAGE, 1);
        time_t end = stamp_time();
        for (unsigned i = 0; i < 2; i++) {
                struct shmid_ds now = make_stat(ids[i]);
                check_between(now.shm_atime, start, end);
                check_between(now.shm_dtime, start, end);
        }
}

CASE("shmdt.munmap.hole_mapping_kept",
     "A private mapping in a hole of an attachment keeps its contents over shmdt of the start, which detaches the "
     "parts",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c ksys_shmdt()")
{
        int id;
        char *at = make_filled_apart(&id, KEY, PAGES, 0);
        make_unmapped(at + PAGE, 1);
        char *hole = make_mapping(at + PAGE, PAGE, PROT_READ | PROT_WRITE);
        fill_pattern(hole, PAGE, SEED + 1);
        check_succeeds(try_shmdt(at));
        check_equal(attachments(id), 0);
        check_equal(count_mapped(at, PAGES), 1);
        if (is_mapped(hole))
                check_pattern("the mapping has its contents", hole, PAGE, SEED + 1);
}

CASE("shmdt.munmap.hole_segment_kept",
     "Another segment in a hole of an attachment stays over shmdt of the start, and is detached alone by its address",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c ksys_shmdt()")
{
        int id;
        char *at = make_filled_apart(&id, KEY, PAGES, 0);
        int other = make_filled_segment(OTHER_KEY, PAGE, 0600, SEED + 1);
        make_unmapped(at + PAGE, 1);
        struct outcome o = try_shmat(other, at + PAGE, 0);
        if (o.failed)
                skip_case("an odd page cannot be attached to: %s", strerror(o.error));
        check_succeeds(try_shmdt(at));
        check_equal(attachments(id), 0);
        check_equal(attachments(other), 1);
        check_that(is_mapped(at + PAGE), "the other segment is mapped");
        if (is_mapped(at + PAGE))
                check_pattern("it has its contents", at + PAGE, PAGE, SEED + 1);
        check_succeeds(try_shmdt(at + PAGE));
        check_equal(attachments(other), 0);
}

/* ---- mmap ---- */

CASE("shmdt.mmap.fixed_first_page",
     "mmap with MAP_FIXED over the first page leaves shm_nattch 1; shmdt of the start detaches the rest, and the new "
     "mapping stays",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c ksys_shmdt()")
{
        int id;
        char *at = make_filled_apart(&id, KEY, PAGES, 0);
        make_mapping(at, PAGE, PROT_READ | PROT_WRITE);
        fill_pattern(at, PAGE, SEED + 1);
        check_equal(attachments(id), 1);
        check_succeeds(try_shmdt(at));
        check_equal(attachments(id), 0);
        check_equal(count_mapped(at, PAGES), 1);
        if (is_mapped(at))
                check_pattern("the new mapping has its contents", at, PAGE, SEED + 1);
}

CASE("shmdt.mmap.fixed_all",
     "mmap with MAP_FIXED over the whole is a detach: shm_nattch 0; shmdt is EINVAL, and the new mapping stays",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c ksys_shmdt()")
{
        int id;
        char *at = make_filled_apart(&id, KEY, PAGES, 0);
        make_mapping(at, PAGES * PAGE, PROT_READ | PROT_WRITE);
        fill_pattern(at, PAGES * PAGE, SEED + 1);
        check_equal(attachments(id), 0);
        check_fails(try_shmdt(at), EINVAL);
        check_equal(count_mapped(at, PAGES), PAGES);
        if (is_mapped(at))
                check_pattern("the new mapping has its contents", at, PAGES * PAGE, SEED + 1);
}

/* ---- mremap ---- */

#ifdef __linux__

#ifndef MREMAP_MAYMOVE
#define MREMAP_MAYMOVE 1
#endif
#ifndef MREMAP_FIXED
#define MREMAP_FIXED 2
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

/* mremap as a recorded call; where is for MREMAP_FIXED. */
static struct outcome try_mremap(char *at, size_t old_pages, size_t new_pages, int flags, char *where)
{
#if defined(__dietlibc__)
        skip_case("this C library's mremap takes no new address");
        (void)at, (void)old_pages, (void)new_pages, (void)flags, (void)where;
#else
        errno = 0;
        char *now = mremap(at, old_pages * PAGE, new_pages * PAGE, flags, where);
        int error = errno;
        return try_other("mremap", (intptr_t)now, now == MAP_FAILED, error);
#endif
}

/* The same where it is the scene; the new address. */
static char *make_remapped(char *at, size_t old_pages, size_t new_pages, int flags, char *where)
{
        struct outcome o = try_mremap(at, old_pages, new_pages, flags, where);
        make_sure(!o.failed, "mremap of an attachment: %s", strerror(o.error));
        return address_of(o);
}

#endif

LINUX_CASE("shmdt.mremap.moved",
           "Moved by mremap, onto an attachment of another segment too, which that detaches, the contents follow, "
           "shm_nattch "
           "stays 1, shmdt of the old address is EINVAL, and shmdt of the new one detaches",
           .level = LINUX_UNDOCUMENTED, .clause = "mremap(2)")
{
#ifdef __linux__
        int id, other;
        char *at = make_filled_apart(&id, KEY, PAGES, 0);
        char *where = make_free_range(PAGES * PAGE);
        char *now = make_remapped(at, PAGES, PAGES, MREMAP_MAYMOVE | MREMAP_FIXED, where);
        check_pattern("the contents follow", now, PAGES * PAGE, SEED);
        check_equal(attachments(id), 1);
        check_fails(try_shmdt(at), EINVAL);
        check_equal(attachments(id), 1);

        char *taken = make_filled_apart(&other, OTHER_KEY, PAGES, 0);
        now = make_remapped(now, PAGES, PAGES, MREMAP_MAYMOVE | MREMAP_FIXED, taken);
        check_equal(attachments(other), 0);
        check_equal(attachments(id), 1);
        check_succeeds(try_shmdt(now));
        check_equal(attachments(id), 0);
        check_equal(count_mapped(now, PAGES), 0);
#endif
}

LINUX_CASE("shmdt.mremap.shrunk",
           "Shrunk by mremap to one page shm_nattch stays 1, the rest is not mapped, and shmdt detaches",
           .level = LINUX_UNDOCUMENTED, .clause = "mremap(2)")
{
#ifdef __linux__
        int id;
        char *at = make_filled_apart(&id, KEY, PAGES, 0);
        make_remapped(at, PAGES, 1, 0, NULL);
        check_equal(attachments(id), 1);
        check_equal(count_mapped(at, PAGES), 1);
        check_read("a read in the rest", at + PAGE, SIGSEGV);
        check_succeeds(try_shmdt(at));
        check_equal(attachments(id), 0);
#endif
}

LINUX_CASE("shmdt.mremap.grown",
           "Grown by mremap from one page to three, what is beyond the segment raises SIGBUS, and is EFAULT for "
           "write(2); shm_segsz stays, and one shmdt removes all",
           .level = LINUX_UNDOCUMENTED, .clause = "mremap(2)")
{
#ifdef __linux__
        int id;
        char *at = make_filled_apart(&id, KEY, 1, 0);
        char *now = make_remapped(at, 1, 3, MREMAP_MAYMOVE, NULL);
        check_pattern("the page has its contents", now, PAGE, SEED);
        check_read("a read beyond the segment", now + PAGE, SIGBUS);
        int fds[2];
        make_sure(pipe(fds) == 0, "pipe fails");
        errno = 0;
        ssize_t n = write(fds[1], now + PAGE, 1);
        int error = errno;
        check_fails(try_other("write from beyond the segment", n, n == -1, error), EFAULT);
        check_equal(make_stat(id).shm_segsz, PAGE);
        check_equal(attachments(id), 1);
        check_succeeds(try_shmdt(now));
        check_equal(attachments(id), 0);
        check_equal(count_mapped(now, 3), 0);
#endif
}

LINUX_CASE("shmdt.mremap.duplicated",
           "mremap with old_size 0 makes a second attachment: shm_nattch 2, the same contents, each detached by its "
           "address; "
           "one of a read-only attachment is read-only",
           .level = LINUX_UNDOCUMENTED, .clause = "mremap(2)", .differs = "qemu-user: ENOMEM")
{
#ifdef __linux__
        int id, read_only;
        char *at = make_filled_apart(&id, KEY, PAGES, 0);
        struct outcome second = try_mremap(at, 0, PAGES, MREMAP_MAYMOVE, NULL);
        check_succeeds(second);
        if (second.failed)
                return;
        char *alias = address_of(second);
        check_equal(attachments(id), 2);
        fill_pattern(at, PAGES * PAGE, SEED + 1);
        check_pattern("it is the same memory", alias, PAGES * PAGE, SEED + 1);
        check_succeeds(try_shmdt(alias));
        check_equal(attachments(id), 1);
        check_succeeds(try_shmdt(at));
        check_equal(attachments(id), 0);

        char *read_only_at = make_filled_apart(&read_only, OTHER_KEY, PAGES, SHM_RDONLY);
        char *read_only_alias = make_remapped(read_only_at, 0, PAGES, MREMAP_MAYMOVE, NULL);
        check_write("a write to the second, of a read-only attachment", read_only_alias, SIGSEGV);
#endif
}

LINUX_CASE("shmdt.mremap.dontunmap",
           "With MREMAP_DONTUNMAP both addresses are usable, shm_nattch is 2, and each is detached by its own",
           .level = LINUX_UNDOCUMENTED, .clause = "mremap(2)", .note = "since Linux 5.13")
{
#ifdef __linux__
        int id;
        char *at = make_filled_apart(&id, KEY, PAGES, 0);
        struct outcome moved = try_mremap(at, PAGES, PAGES, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
        if (moved.failed && moved.error == EINVAL)
                skip_case("no MREMAP_DONTUNMAP of shared memory");
        check_succeeds(moved);
        if (moved.failed)
                return;
        char *now = address_of(moved);
        check_equal(attachments(id), 2);
        fill_pattern(at, PAGES * PAGE, SEED + 1);
        check_pattern("both show the same memory", now, PAGES * PAGE, SEED + 1);
        check_succeeds(try_shmdt(at));
        check_equal(attachments(id), 1);
        check_succeeds(try_shmdt(now));
        check_equal(attachments(id), 0);
#endif
}

LINUX_CASE("shmdt.mremap.page_moved",
           "With its second page moved elsewhere an attachment counts 3; shmdt of that page is EINVAL, shmdt of the "
           "start leaves it, and shmdt of the page before it detaches it",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c ksys_shmdt()")
{
#ifdef __linux__
        int id;
        char *at = make_filled_apart(&id, KEY, PAGES, 0);
        char *where = (char *)make_free_range(2 * PAGE) + PAGE;
        char *moved = make_remapped(at + PAGE, 1, 1, MREMAP_MAYMOVE | MREMAP_FIXED, where);
        check_equal(attachments(id), 3);
        check_shows_page("the moved page has its contents", moved, 1);
        check_fails(try_shmdt(moved), EINVAL);
        check_succeeds(try_shmdt(at));
        check_equal(attachments(id), 1);
        check_shows_page("the moved page is still there", moved, 1);
        check_succeeds(try_shmdt(moved - PAGE));
        check_equal(attachments(id), 0);
        check_that(!is_mapped(moved), "the moved page is gone");
#endif
}

LINUX_CASE("shmdt.mremap.foreign_page",
           "A page of B moved to the same offset inside A's attachment is left by shmdt of A's address, and counted "
           "for B",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c ksys_shmdt()")
{
#ifdef __linux__
        int a, b;
        char *at_a = make_filled_apart(&a, KEY, PAGES, 0);
        char *at_b = make_filled_apart(&b, OTHER_KEY, PAGES, 0);
        fill_pattern(at_a, PAGES * PAGE, SEED + 1);
        make_remapped(at_b + PAGE, 1, 1, MREMAP_MAYMOVE | MREMAP_FIXED, at_a + PAGE);
        check_succeeds(try_shmdt(at_a));
        check_equal(attachments(a), 0);
        check_shows_page("B's page is still there", at_a + PAGE, 1);
        check_equal(attachments(b), 3);
        check_succeeds(try_shmdt(at_b));
        check_equal(attachments(b), 1);
#endif
}

/* ---- mprotect ---- */

static void make_protected(char *at, size_t pages, int protection)
{
        bool done = mprotect(at, pages * PAGE, protection) == 0;
        make_sure(done, "mprotect of a part of an attachment fails");
}

CASE("shmdt.mprotect.split",
     "With its second page made PROT_READ an attachment counts 3; shmdt of an inner part is EINVAL, and shmdt of the "
     "start "
     "removes all",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c ksys_shmdt()")
{
        int id;
        char *at = make_filled_apart(&id, KEY, PAGES, 0);
        make_protected(at + PAGE, 1, PROT_READ);
        check_equal(attachments(id), 3);
        check_fails(try_shmdt(at + PAGE), EINVAL);
        check_fails(try_shmdt(at + 2 * PAGE), EINVAL);
        check_equal(count_mapped(at, PAGES), PAGES);
        check_succeeds(try_shmdt(at));
        check_equal(attachments(id), 0);
        check_equal(count_mapped(at, PAGES), 0);
}

CASE("shmdt.mprotect.no_leak",
     "Protecting a page and restoring it, twenty times, does not add up: shmdt of the start leaves shm_nattch 0",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shm_close()")
{
        int id;
        char *at = make_filled_apart(&id, KEY, PAGES, 0);
        for (unsigned i = 0; i < 20; i++) {
                make_protected(at + PAGE, 1, PROT_READ);
                make_protected(at + PAGE, 1, PROT_READ | PROT_WRITE);
        }
        /* Whether the parts are merged again is the kernel's choice. */
        record_fact("shm_nattch after twenty times", "%lu", attachments(id));
        check_between(attachments(id), 1, 3);
        check_succeeds(try_shmdt(at));
        check_equal(attachments(id), 0);
        check_equal(count_mapped(at, PAGES), 0);
}

CASE("shmdt.mprotect.whole",
     "mprotect of the whole attachment to PROT_READ changes no member of shmid_ds; made PROT_NONE it can be detached",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c ksys_shmdt()", .needs = NEED_CLOCK_TICK)
{
        int id;
        char *at = make_filled_apart(&id, KEY, PAGES, 0);
        make_touched_by_another(id, PAGE, SEED);
        struct snapshot before = take_snapshot(id);
        wait_for_tick();
        make_protected(at, PAGES, PROT_READ);
        check_unchanged(&before);
        make_protected(at, PAGES, PROT_NONE);
        check_succeeds(try_shmdt(at));
        check_equal(attachments(id), 0);
        check_equal(count_mapped(at, PAGES), 0);
}

CASE("shmdt.mprotect.split_inherited",
     "An attachment split in three counts 6 beside a forked child, and 3 once the child has detached it by its start",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c ksys_shmdt()")
{
        int id;
        char *at = make_filled_apart(&id, KEY, PAGES, 0);
        make_protected(at + PAGE, 1, PROT_READ);
        IN_CHILD
        {
                check_equal(attachments(id), 6);
                check_succeeds(try_shmdt(at));
                check_equal(attachments(id), 3);
                check_equal(count_mapped(at, PAGES), 0);
        }
        check_equal(attachments(id), 3);
}

/* ---- remap_file_pages ---- */

LINUX_CASE("shmdt.remap_file_pages.moved",
           "With the third page shown at the start by remap_file_pages, shmdt of the start leaves that page, and shmdt "
           "of two "
           "pages before the start detaches it",
           .level = LINUX_UNDOCUMENTED, .clause = "remap_file_pages(2)", .note = "emulated since Linux 4.0")
{
#ifdef __linux__
        int id;
        char *at = make_filled_apart(&id, KEY, PAGES, 0);
#if defined(__dietlibc__)
        skip_case("this C library has no remap_file_pages");
#else
        errno = 0;
        if (remap_file_pages(at, PAGE, 0, 2, 0) == -1)
                skip_case("remap_file_pages: %s", strerror(errno));
#endif
        check_shows_page("the third page is shown at the start", at, 2);
        check_succeeds(try_shmdt(at));
        check_shows_page("it is still there", at, 2);
        check_equal(attachments(id), 1);
        check_succeeds(try_shmdt(at - 2 * PAGE));
        check_that(!is_mapped(at), "it is gone");
        check_equal(attachments(id), 0);
#endif
}
