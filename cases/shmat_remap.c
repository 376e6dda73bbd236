/*
 * SHM_REMAP, which is Linux': shmat replaces what is mapped in the range. Each
 * body stands under #ifdef __linux__, as the flag has no name elsewhere.
 */
#include "case.h"

#include <sys/resource.h>

#define SIZE 3333
#define SEED 11

#ifdef __linux__

#define KERNEL_ADDRESS ((uintptr_t)0xffff800000000000ULL)
#define LAST_PAGE ((uintptr_t)0 - PAGE)

static void *as_address(uintptr_t n)
{
        return (void *)n; // NOLINT(performance-no-int-to-ptr): addresses at the edges are the subject
}

/* True if the segment is attached at the address; says so if it is not. */
static bool check_remapped(struct outcome o, const void *address)
{
        check_succeeds(o);
        if (o.failed)
                return false;
        check_explained(address_of(o) == address, "attached exactly at the address that was asked for", "%p, not %p",
                        address_of(o), address);
        return address_of(o) == address;
}

/* size bytes of readable memory with a pattern, at an address whose neighbourhood is free. */
static char *make_patterned_mapping(size_t size)
{
        char *at = make_mapping(make_free_range(size), size, PROT_READ | PROT_WRITE);
        fill_pattern(at, size, SEED + 1);
        return at;
}

#endif

LINUX_CASE("shmat.remap.anonymous",
           "SHM_REMAP over an anonymous mapping attaches exactly there, and the segment's contents replace the old",
           .level = LINUX, .clause = "shmop(2) SHM_REMAP", .differs = "gVisor: ENOMEM")
{
#ifdef __linux__
        int id = make_filled_segment(KEY, SIZE, 0600, SEED);
        char *mapping = make_patterned_mapping(PAGE);
        if (check_remapped(try_shmat(id, mapping, SHM_REMAP), mapping)) {
                check_pattern("the segment is there", mapping, SIZE, SEED);
                check_equal(attachments(id), 1);
        }
#endif
}

LINUX_CASE("shmat.remap.prot_none", "SHM_REMAP over a PROT_NONE reservation gives writable memory of the segment",
           .level = LINUX, .clause = "shmop(2) SHM_REMAP")
{
#ifdef __linux__
        int id = make_segment(KEY, SIZE, 0600);
        char *reservation = make_mapping(make_free_range(PAGE), PAGE, PROT_NONE);
        if (!check_remapped(try_shmat(id, reservation, SHM_REMAP), reservation))
                return;
        fill_pattern(reservation, SIZE, SEED);
        check_pattern("what is written is in the segment", make_attached(id, SHM_RDONLY), SIZE, SEED);
#endif
}

LINUX_CASE("shmat.remap.free_range",
           "SHM_REMAP where nothing is mapped, and where only the first page is, attaches exactly there",
           .level = LINUX, .clause = "shmop(2) SHM_REMAP")
{
#ifdef __linux__
        const size_t size = 2 * PAGE;
        int id = make_filled_segment(KEY, size, 0600, SEED);
        char *nothing = make_free_range(size);
        if (check_remapped(try_shmat(id, nothing, SHM_REMAP), nothing))
                check_pattern("the segment is there", nothing, size, SEED);
        char *half = make_free_range(size);
        make_mapping(half, PAGE, PROT_READ);
        if (check_remapped(try_shmat(id, half, SHM_REMAP), half))
                check_pattern("the segment is there", half, size, SEED);
#endif
}

LINUX_CASE("shmat.remap.extent",
           "SHM_REMAP of a page and a byte inside a larger mapping replaces two pages; the pages before and after keep "
           "their contents",
           .level = LINUX, .clause = "shmop(2) SHM_REMAP")
{
#ifdef __linux__
        const size_t size = PAGE + 1;
        int id = make_filled_segment(KEY, size, 0600, SEED);
        char *before = make_mapping(make_free_range(LBA + 3 * PAGE), LBA + 3 * PAGE, PROT_READ | PROT_WRITE);
        char *at = before + LBA;
        char *after = at + 2 * PAGE;
        fill_pattern(before, LBA, SEED + 1);
        memset(at, 0xff, 2 * PAGE);
        fill_pattern(after, PAGE, SEED + 2);
        if (!check_remapped(try_shmat(id, at, SHM_REMAP), at))
                return;
        check_pattern("the segment is there", at, size, SEED);
        check_bytes("the second page is replaced to its end", at + size, 2 * PAGE - size, 0);
        check_pattern("the pages before are as before", before, LBA, SEED + 1);
        check_pattern("the page after is as before", after, PAGE, SEED + 2);
#endif
}

LINUX_CASE("shmat.remap.null", "SHM_REMAP with a null address, with and without SHM_RND: EINVAL, and nothing changes",
           .level = LINUX, .clause = "shmop(2) ERRORS EINVAL", .differs = "qemu-user and valgrind attach")
{
#ifdef __linux__
        int id = make_touched_segment(KEY, SIZE, 0600, SEED);
        check_fails(try_shmat_in_vain(id, NULL, SHM_REMAP), EINVAL);
        check_fails(try_shmat_in_vain(id, NULL, SHM_REMAP | SHM_RND), EINVAL);
#endif
}

LINUX_CASE("shmat.remap.unaligned",
           "SHM_REMAP of an unaligned address without SHM_RND: EINVAL, and nothing changes, the mapping included",
           .level = LINUX, .clause = "shmop(2) ERRORS EINVAL")
{
#ifdef __linux__
        int id = make_touched_segment(KEY, SIZE, 0600, SEED);
        char *mapping = make_patterned_mapping(2 * PAGE);
        check_fails(try_shmat_in_vain(id, mapping + 1, SHM_REMAP), EINVAL);
        check_fails(try_shmat_in_vain(id, mapping + PAGE - 1, SHM_REMAP), EINVAL);
        check_pattern("the mapping is as before", mapping, 2 * PAGE, SEED + 1);
#endif
}

LINUX_CASE("shmat.remap.rnd", "SHM_REMAP with SHM_RND of an unaligned address replaces at the address rounded down",
           .level = LINUX, .clause = "shmop(2) SHM_REMAP")
{
#ifdef __linux__
        int id = make_filled_segment(KEY, SIZE, 0600, SEED);
        char *mapping = make_patterned_mapping(LBA + PAGE);
        if (!check_remapped(try_shmat(id, mapping + LBA - 1, SHM_REMAP | SHM_RND), mapping))
                return;
        check_pattern("the segment is there", mapping, SIZE, SEED);
#endif
}

LINUX_CASE("shmat.remap.other_segment",
           "B attached with SHM_REMAP over A is a detach of A: shm_nattch 0, shm_dtime and shm_lpid set, contents "
           "kept; B has shm_nattch 1, and shmdt of the address detaches B",
           .level = LINUX, .clause = "shmop(2) SHM_REMAP", .needs = NEED_CLOCK_TICK)
{
#ifdef __linux__
        int a = make_segment(KEY, SIZE, 0600);
        int b = make_filled_segment(OTHER_KEY, SIZE, 0600, SEED + 1);
        char *at = make_attached_apart(a, SIZE, 0);
        make_touched_by_another(a, SIZE, SEED);
        wait_for_tick();
        time_t start = stamp_time();
        if (!check_remapped(try_shmat(b, at, SHM_REMAP), at))
                return;
        time_t end = stamp_time();
        struct shmid_ds a_now = make_stat(a);
        check_equal(a_now.shm_nattch, 0);
        check_between(a_now.shm_dtime, start, end);
        check_equal(a_now.shm_lpid, getpid());
        check_equal(attachments(b), 1);
        check_pattern("B is there", at, SIZE, SEED + 1);
        check_succeeds(try_shmdt(at));
        check_equal(attachments(b), 0);
        check_equal(attachments(a), 0);
        check_pattern("A has its contents", make_attached(a, SHM_RDONLY), SIZE, SEED);
#endif
}

LINUX_CASE("shmat.remap.itself",
           "SHM_REMAP of a segment over its own attachment leaves the contents and shm_nattch 1, which one shmdt "
           "brings to 0; with SHM_RDONLY too the attachment becomes read-only",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c do_shmat()")
{
#ifdef __linux__
        int id = make_filled_segment(KEY, SIZE, 0600, SEED);
        char *at = make_attached(id, 0);
        if (!check_remapped(try_shmat(id, at, SHM_REMAP), at))
                return;
        check_pattern("the contents are as before", at, SIZE, SEED);
        check_equal(attachments(id), 1);
        if (!check_remapped(try_shmat(id, at, SHM_REMAP | SHM_RDONLY), at))
                return;
        check_write("a write to the attachment, read-only now", at, SIGSEGV);
        check_succeeds(try_shmdt(at));
        check_equal(attachments(id), 0);
#endif
}

LINUX_CASE("shmat.remap.itself_marked",
           "SHM_REMAP over the only attachment of a segment marked for removal does not destroy it; the next shmdt "
           "does",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c do_shmat()")
{
#ifdef __linux__
        int id = make_filled_segment(KEY, SIZE, 0600, SEED);
        char *at = make_attached(id, 0);
        make_removed(id);
        if (!check_remapped(try_shmat(id, at, SHM_REMAP), at))
                return;
        check_equal(attachments(id), 1);
        check_pattern("the contents are as before", at, SIZE, SEED);
        check_succeeds(try_shmdt(at));
        check_fails(try_stat(id), EINVAL);
#endif
}

LINUX_CASE("shmat.remap.destroys_marked",
           "SHM_REMAP over the last attachment of another segment that is marked for removal destroys that one",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shm_close()")
{
#ifdef __linux__
        int marked = make_segment(KEY, SIZE, 0600);
        int id = make_filled_segment(OTHER_KEY, SIZE, 0600, SEED);
        char *at = make_attached(marked, 0);
        make_removed(marked);
        check_equal(attachments(marked), 1);
        if (!check_remapped(try_shmat(id, at, SHM_REMAP), at))
                return;
        check_fails(try_stat(marked), EINVAL);
        check_pattern("the other segment is there", at, SIZE, SEED);
#endif
}

LINUX_CASE("shmat.remap.middle_of_larger",
           "B attached over the second page of A's four leaves A with shm_nattch 2 and B with 1; shmdt of A's address "
           "brings A to 0, and B stays and is detached by its own",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c ksys_shmdt()")
{
#ifdef __linux__
        int a = make_segment(KEY, LBA * 4, 0600);
        int b = make_filled_segment(OTHER_KEY, LBA, 0600, SEED);
        char *at = make_attached_apart(a, LBA * 4, 0);
        char *second = at + LBA;
        if (!check_remapped(try_shmat(b, second, SHM_REMAP), second))
                return;
        check_equal(attachments(a), 2);
        check_equal(attachments(b), 1);
        check_succeeds(try_shmdt(at));
        check_equal(attachments(a), 0);
        check_equal(attachments(b), 1);
        if (is_mapped(second))
                check_pattern("B is there", second, LBA, SEED);
        check_succeeds(try_shmdt(second));
        check_equal(attachments(b), 0);
#endif
}

LINUX_CASE("shmat.remap.across_two",
           "C attached over the end of A and the start of B, which is adjacent, leaves each attached once; shmdt at A "
           "and at B detaches the rests, and C stays",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c ksys_shmdt()")
{
#ifdef __linux__
        const size_t size = 2 * LBA;
        int a = make_segment(shmc_key(0), size, 0600);
        int b = make_segment(shmc_key(1), size, 0600);
        int c = make_filled_segment(shmc_key(2), size, 0600, SEED);
        char *at_a = make_free_range(2 * size);
        char *at_b = at_a + size;
        char *at_c = at_a + LBA;
        make_sure(!try_shmat(a, at_a, 0).failed && !try_shmat(b, at_b, 0).failed, "two adjacent attachments");
        if (!check_remapped(try_shmat(c, at_c, SHM_REMAP), at_c))
                return;
        check_equal(attachments(a), 1);
        check_equal(attachments(b), 1);
        check_equal(attachments(c), 1);
        check_succeeds(try_shmdt(at_a));
        check_succeeds(try_shmdt(at_b));
        check_equal(attachments(a), 0);
        check_equal(attachments(b), 0);
        check_equal(attachments(c), 1);
        if (is_mapped(at_c))
                check_pattern("C is there", at_c, size, SEED);
#endif
}

LINUX_CASE("shmat.remap.denied", "SHM_REMAP without permission: EACCES, and nothing changes, the mapping included",
           .level = LINUX, .clause = "shmop(2) ERRORS EACCES", .needs = NEED_TWO_UIDS)
{
#ifdef __linux__
        int id = make_touched_segment(KEY, SIZE, 0600, SEED);
        char *mapping = make_patterned_mapping(PAGE);
        struct snapshot before = take_snapshot(id);
        AS_USER(USER_A, GROUP_A)
        {
                check_fails(try_shmat(id, mapping, SHM_REMAP), EACCES);
                check_pattern("the mapping is as before", mapping, PAGE, SEED + 1);
        }
        check_unchanged(&before);
#endif
}

LINUX_CASE("shmat.remap.no_memory", "SHM_REMAP beyond RLIMIT_AS: ENOMEM, and nothing changes, the mapping included",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c do_shmat()", .needs = NEED_RLIMIT)
{
#ifdef __linux__
        int id = make_touched_segment(KEY, LBA * 16, 0600, SEED);
        char *mapping = make_patterned_mapping(PAGE);
        struct snapshot before = take_snapshot(id);
        struct rlimit limit;
        make_sure(getrlimit(RLIMIT_AS, &limit) == 0, "getrlimit: %s", strerror(errno));
        make_rlimit(RLIMIT_AS, PAGE);
        struct outcome o = try_shmat(id, mapping, SHM_REMAP);
        make_rlimit(RLIMIT_AS, limit.rlim_cur);
        check_fails(o, ENOMEM);
        check_unchanged(&before);
        check_pattern("the mapping is as before", mapping, PAGE, SEED + 1);
#endif
}

LINUX_CASE("shmat.remap.out_of_range",
           "SHM_REMAP of a kernel address and of the last page of the address space: ENOMEM, and nothing changes",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c do_shmat()", .needs = NEED_64_BIT)
{
#ifdef __linux__
        int id = make_touched_segment(KEY, PAGE, 0600, SEED);
        check_fails(try_shmat_in_vain(id, as_address(KERNEL_ADDRESS), SHM_REMAP), ENOMEM);
        check_fails(try_shmat_in_vain(id, as_address(LAST_PAGE), SHM_REMAP), ENOMEM);
#endif
}
