/*
 * Where shmat places a segment: the system's choice, an exact address, an
 * address that SHM_RND rounds, and addresses that cannot be had.
 *
 * SHM_REMAP is in shmat_remap.c, the alignment of SHM_HUGETLB segments in
 * hugetlb.c.
 */
#include "case.h"

#include <fcntl.h>

#define SIZE 3333
#define SEED 7
#define MANY 100

#define KERNEL_ADDRESS ((uintptr_t)0xffff800000000000ULL)
#define NON_CANONICAL ((uintptr_t)(1ULL << 59))
/* The first byte beyond the user's half of the address space, with four levels of page tables. */
#define USER_END ((uintptr_t)(1ULL << 47))
#define LAST_PAGE ((uintptr_t)0 - PAGE)

static void *as_address(uintptr_t n)
{
        return (void *)n; // NOLINT(performance-no-int-to-ptr): addresses at the edges are the subject
}

static size_t rounded(size_t size)
{
        return (size + PAGE - 1) / PAGE * PAGE;
}

static void check_placed(struct outcome o, const void *address)
{
        check_explained(address_of(o) == address, "attached exactly at the address that was asked for", "%p, not %p",
                        address_of(o), address);
}

/* ---- the system's choice ---- */

struct range {
        uintptr_t start, end;
};

/* The mappings of this process, as /proc tells; 0 where it does not. */
static size_t read_ranges(struct range *ranges, size_t room)
{
        static char text[1 << 17];
        int fd = open("/proc/self/maps", O_RDONLY);
        if (fd == -1)
                return 0;
        size_t used = 0;
        for (ssize_t n; (n = read(fd, text + used, sizeof(text) - 1 - used)) > 0;)
                used += (size_t)n;
        close(fd);
        text[used] = '\0';
        size_t count = 0;
        for (char *line = text; *line && count < room; count++) {
                char *dash = line;
                ranges[count].start = (uintptr_t)strtoull(line, &dash, 16);
                ranges[count].end = *dash == '-' ? (uintptr_t)strtoull(dash + 1, NULL, 16) : 0;
                line += strcspn(line, "\n");
                line += *line == '\n';
        }
        return count;
}

CASE("shmat.addr.null",
     "shmat with a null address attaches the segment page aligned where nothing was mapped, and every byte of it "
     "reads back as written",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmat DESCRIPTION")
{
        static struct range ranges[512];
        const size_t size = 2 * PAGE + 1;
        int id = make_segment(KEY, size, 0600);
        size_t count = read_ranges(ranges, sizeof(ranges) / sizeof(ranges[0]));

        struct outcome attached = try_shmat(id, NULL, 0);
        check_succeeds(attached);
        if (attached.failed)
                return;
        char *at = address_of(attached);
        check_equal((uintptr_t)at % PAGE, 0);
        bool was_free = true;
        for (size_t i = 0; i < count; i++)
                was_free &= (uintptr_t)at + size <= ranges[i].start || (uintptr_t)at >= ranges[i].end;
        check_that(was_free, "nothing was mapped where the segment is now");
        fill_pattern(at, size, SEED);
        check_pattern("every byte reads back as written", at, size, SEED);
}

CASE("shmat.addr.null_multiple_of_shmlba", "shmat with a null address returns a multiple of SHMLBA, whatever the size",
     .level = LINUX, .clause = "shmop(2) NOTES")
{
        const size_t sizes[] = {1, PAGE - 1, PAGE + 1, SIZE, 3 * LBA + 1};
        for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
                struct outcome attached = try_shmat(make_segment(shmc_key(i), sizes[i], 0600), NULL, 0);
                check_succeeds(attached);
                if (!attached.failed)
                        check_equal((uintptr_t)attached.value % LBA, 0);
        }
}

CASE("shmat.addr.null_with_rnd", "With SHM_RND a null address still lets the system choose, and it does not choose 0",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmat DESCRIPTION")
{
        int id = make_segment(KEY, SIZE, 0600);
        struct outcome attached = try_shmat(id, NULL, SHM_RND);
        check_succeeds(attached);
        if (attached.failed)
                return;
        check_that(attached.value != 0, "the address is not 0");
        check_equal((uintptr_t)attached.value % PAGE, 0);
        fill_pattern(address_of(attached), SIZE, SEED);
        void *other = make_attached(id, 0);
        check_pattern("the segment is attached there", other, SIZE, SEED);
}

CASE("shmat.addr.repeat_distinct",
     "A second attach of an attached segment with a null address returns a range that does not overlap the first, and "
     "shm_nattch is 2",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmat DESCRIPTION")
{
        const size_t size = 3 * PAGE + 1;
        int id = make_segment(KEY, size, 0600);
        char *first = make_attached(id, 0);
        struct outcome again = try_shmat(id, NULL, 0);
        check_result(again, ON_POSIX(OK, EMFILE), ON_LINUX(OK));
        if (again.failed)
                return;
        char *second = address_of(again);
        check_that(second + rounded(size) <= first || first + rounded(size) <= second, "the ranges do not overlap");
        check_equal(make_stat(id).shm_nattch, 2);
}

CASE("shmat.addr.many_same",
     "One segment attached a hundred times is at a hundred different addresses, with shm_nattch 100, and a hundred "
     "detaches bring shm_nattch to 0",
     .level = POSIX_MAY, .clause = "POSIX XSH shmat ERRORS EMFILE", .note = "Linux has no SHMSEG limit")
{
        int id = make_segment(KEY, SIZE, 0600);
        char *at[MANY];
        unsigned same = 0;
        struct outcome o = {0};
        for (unsigned i = 0; i < MANY; i++) {
                o = try_shmat(id, NULL, 0);
                if (o.failed)
                        break;
                at[i] = address_of(o);
                for (unsigned k = 0; k < i; k++)
                        same += at[k] < at[i] + PAGE && at[i] < at[k] + PAGE;
        }
        check_result(o, ON_POSIX(OK, EMFILE), ON_LINUX(OK));
        if (o.failed)
                return;
        check_equal(same, 0);
        check_equal(make_stat(id).shm_nattch, MANY);
        unsigned refused = 0;
        for (unsigned i = 0; i < MANY; i++)
                refused += try_shmdt(at[i]).failed;
        check_equal(refused, 0);
        check_equal(make_stat(id).shm_nattch, 0);
}

CASE("shmat.addr.many_segments", "A hundred different segments attached at once keep a hundred different contents",
     .level = POSIX_MAY, .clause = "POSIX XSH shmat ERRORS EMFILE", .note = "Linux has no SHMSEG limit")
{
        void *at[MANY];
        struct outcome o = {0};
        for (unsigned i = 0; i < MANY; i++) {
                o = try_shmat(make_segment(IPC_PRIVATE, SIZE, 0600), NULL, 0);
                if (o.failed)
                        break;
                at[i] = address_of(o);
                memset(at[i], (int)i + 1, SIZE);
        }
        check_result(o, ON_POSIX(OK, EMFILE), ON_LINUX(OK));
        if (o.failed)
                return;
        for (unsigned i = 0; i < MANY; i++)
                check_bytes("each segment has the bytes written into it", at[i], SIZE, (int)i + 1);
}

CASE("shmat.addr.reuse_after_detach",
     "An address that shmat chose and shmdt freed can be asked for: the segment is attached exactly there with its "
     "contents as left, and after another detach so is another segment of that size",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmat DESCRIPTION")
{
        int id = make_segment(KEY, SIZE, 0600);
        int other = make_filled_segment(OTHER_KEY, SIZE, 0600, SEED + 1);
        /* Not the address that the system would choose again: that is the other one. */
        char *chosen_first = make_attached(id, 0);
        char *at = make_attached(id, 0);
        fill_pattern(at, SIZE, SEED);
        make_detached(at);
        make_detached(chosen_first);

        struct outcome again = try_shmat(id, at, 0);
        check_succeeds(again);
        if (again.failed)
                return;
        check_placed(again, at);
        check_pattern("the contents are as left", address_of(again), SIZE, SEED);
        make_detached(address_of(again));

        struct outcome another = try_shmat(other, at, 0);
        check_succeeds(another);
        if (another.failed)
                return;
        check_placed(another, at);
        check_pattern("it is the other segment", address_of(another), SIZE, SEED + 1);
}

/* ---- exact addresses ---- */

static void check_exact(struct outcome attached, int id, const void *address)
{
        if (attached.failed)
                return;
        check_placed(attached, address);
        fill_pattern(address_of(attached), SIZE, SEED + 1);
        check_pattern("it is writable memory of the segment", make_attached(id, SHM_RDONLY), SIZE, SEED + 1);
}

CASE("shmat.addr.exact", "A free address that is a multiple of SHMLBA, flags 0: attached exactly there, writable",
     .level = POSIX_MAY, .clause = "POSIX XSH shmat DESCRIPTION", .note = "POSIX leaves open which addresses are legal",
     .differs = "qemu-user for i386 and arm: EINVAL")
{
        int id = make_segment(KEY, SIZE, 0600);
        char *address = make_free_range(SIZE);
        struct outcome attached = try_shmat(id, address, 0);
        check_result(attached, ON_POSIX(OK, EINVAL), ON_LINUX(OK));
        check_exact(attached, id, address);
}

CASE("shmat.addr.exact_odd_page",
     "A free address that is an odd multiple of the page size, flags 0: attached exactly there, writable",
     .level = POSIX_MAY, .clause = "POSIX XSH shmat DESCRIPTION",
     .note = "EINVAL where the processor's caches force an SHMLBA above the page size")
{
        int id = make_segment(KEY, SIZE, 0600);
        char *address = (char *)make_free_range(SIZE) + PAGE;
        struct outcome attached = try_shmat(id, address, 0);
        if (LBA == PAGE)
                check_result(attached, ON_POSIX(OK, EINVAL), ON_LINUX(OK));
        else
                check_result(attached, OK, EINVAL);
        check_exact(attached, id, address);
}

CASE("shmat.addr.exact_gap",
     "A segment fits exactly into a gap of its size rounded up to pages, and filling it leaves the mappings on both "
     "sides as they were",
     .level = POSIX_MAY, .clause = "POSIX XSH shmat DESCRIPTION")
{
        const size_t size = PAGE + 1;
        int id = make_segment(KEY, size, 0600);
        char *gap = (char *)make_free_range(LBA + rounded(size) + PAGE) + LBA;
        char *below = make_mapping(gap - PAGE, PAGE, PROT_READ | PROT_WRITE);
        char *above = make_mapping(gap + rounded(size), PAGE, PROT_READ | PROT_WRITE);
        fill_pattern(below, PAGE, SEED);
        fill_pattern(above, PAGE, SEED + 1);

        struct outcome attached = try_shmat(id, gap, 0);
        check_result(attached, ON_POSIX(OK, EINVAL), ON_LINUX(OK));
        if (attached.failed)
                return;
        check_placed(attached, gap);
        memset(address_of(attached), 0xff, size);
        check_pattern("the page below is as before", below, PAGE, SEED);
        check_pattern("the page above is as before", above, PAGE, SEED + 1);
}

CASE("shmat.addr.unaligned", "An address that is not page aligned, without SHM_RND: EINVAL, and nothing changes",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmat ERRORS EINVAL", .differs = "gVisor attaches")
{
        int id = make_touched_segment(KEY, SIZE, 0600, SEED);
        char *address = make_free_range(2 * PAGE);
        check_fails(try_shmat_in_vain(id, address + 1, 0), EINVAL);
        check_fails(try_shmat_in_vain(id, address + PAGE / 2, 0), EINVAL);
        check_fails(try_shmat_in_vain(id, address + PAGE - 1, 0), EINVAL);
        check_that(!is_mapped(address) && !is_mapped(address + PAGE), "nothing is mapped there");
}

/* ---- SHM_RND ---- */

CASE("shmat.addr.rnd_down",
     "With SHM_RND an address is rounded down to a multiple of SHMLBA: of a just detached address plus 0, 1 and "
     "SHMLBA-1 the segment is attached at that address",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmat DESCRIPTION")
{
        int id = make_filled_segment(KEY, SIZE, 0600, SEED);
        char *at = make_attached(id, 0);
        make_detached(at);
        if ((uintptr_t)at % LBA != 0)
                skip_case("the address that shmat chose, %p, is no multiple of SHMLBA", (void *)at);

        const size_t offsets[] = {0, 1, LBA - 1};
        for (unsigned i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
                struct outcome attached = try_shmat(id, at + offsets[i], SHM_RND);
                check_succeeds(attached);
                if (attached.failed)
                        continue;
                check_explained(address_of(attached) == at, "attached at the address rounded down", "%p, not %p",
                                address_of(attached), (void *)at);
                check_pattern("the segment is attached there", address_of(attached), SIZE, SEED);
                make_detached(address_of(attached));
        }
}

CASE("shmat.addr.rnd_onto_mapping", "SHM_RND that rounds down onto a mapping: EINVAL, and nothing changes",
     .level = LINUX, .clause = "shmop(2) SHM_REMAP")
{
        int id = make_touched_segment(KEY, SIZE, 0600, SEED);
        char *mapping = make_mapping(make_free_range(LBA), PAGE, PROT_READ | PROT_WRITE);
        fill_pattern(mapping, PAGE, SEED);
        check_fails(try_shmat_in_vain(id, mapping + LBA - 1, SHM_RND), EINVAL);
        check_pattern("the mapping is as before", mapping, PAGE, SEED);
}

#ifdef __linux__
static bool may_map_page_zero(void)
{
        void *at = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        return at != MAP_FAILED && munmap(at, PAGE) == 0;
}
#endif

LINUX_CASE("shmat.addr.rnd_to_zero",
           "Address 1 with SHM_RND and the right to map page 0 attaches at address 0, and shmdt(NULL) detaches it",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c do_shmat()", .needs = NEED_ROOT,
           .note = "EINVAL from about Linux 4.11 to 4.16", .differs = "emulators")
{
#ifdef __linux__
        if (!may_map_page_zero())
                skip_case("this process may not map page 0");
        int id = make_filled_segment(KEY, SIZE, 0600, SEED);
        struct outcome attached = try_shmat(id, as_address(1), SHM_RND);
        check_succeeds(attached);
        if (attached.failed)
                return;
        check_equal(attached.value, 0);
        check_pattern("the segment can be read at that address", address_of(attached), SIZE, SEED);
        check_succeeds(try_shmdt(NULL));
        check_equal(make_stat(id).shm_nattch, 0);
#endif
}

LINUX_CASE("shmat.addr.rnd_to_zero_denied",
           "Address 1 with SHM_RND and without the right to map page 0: EPERM, and nothing changes",
           .level = LINUX_UNDOCUMENTED, .clause = "proc(5) /proc/sys/vm/mmap_min_addr", .needs = NEED_UNPRIVILEGED)
{
#ifdef __linux__
        if (may_map_page_zero())
                skip_case("vm.mmap_min_addr lets everybody map page 0");
        int id = make_touched_segment(KEY, SIZE, 0600, SEED);
        check_fails(try_shmat_in_vain(id, as_address(1), SHM_RND), EPERM);
#endif
}

LINUX_CASE("shmat.addr.rnd_to_zero_remap",
           "Address 1 with SHM_RND and SHM_REMAP: EINVAL for everybody, and nothing changes",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c do_shmat()", .differs = "qemu-user attaches")
{
#ifdef __linux__
        int id = make_touched_segment(KEY, SIZE, 0600, SEED);
        check_fails(try_shmat_in_vain(id, as_address(1), SHM_RND | SHM_REMAP), EINVAL);
#endif
}

#ifdef __linux__
/* vm.mmap_min_addr, or -1. */
static long min_address(void)
{
        char text[32] = "";
        int fd = open("/proc/sys/vm/mmap_min_addr", O_RDONLY);
        if (fd == -1)
                return -1;
        ssize_t n = read(fd, text, sizeof(text) - 1);
        close(fd);
        return n > 0 ? strtol(text, NULL, 10) : -1;
}
#endif

LINUX_CASE("shmat.addr.at_min_addr",
           "The lowest permitted address, vm.mmap_min_addr, can be asked for by a caller without privileges",
           .level = LINUX_UNDOCUMENTED, .clause = "proc(5) /proc/sys/vm/mmap_min_addr",
           .needs = NEED_PROC | NEED_UNPRIVILEGED)
{
#ifdef __linux__
        long lowest = min_address();
        if (lowest <= 0 || (size_t)lowest % LBA != 0 || is_mapped(as_address((uintptr_t)lowest)))
                skip_case("no attachable page at vm.mmap_min_addr, which reads %ld", lowest);
        int id = make_segment(KEY, SIZE, 0600);
        struct outcome attached = try_shmat(id, as_address((uintptr_t)lowest), 0);
        check_succeeds(attached);
        check_exact(attached, id, as_address((uintptr_t)lowest));
#endif
}

LINUX_CASE("shmat.addr.below_min_addr",
           "A page below vm.mmap_min_addr, other than page 0, without privileges: EPERM, and nothing changes",
           .level = LINUX_UNDOCUMENTED, .clause = "proc(5) /proc/sys/vm/mmap_min_addr",
           .needs = NEED_PROC | NEED_UNPRIVILEGED)
{
#ifdef __linux__
        if (min_address() <= (long)LBA)
                skip_case("vm.mmap_min_addr reads %ld: no page lies between 0 and it", min_address());
        int id = make_touched_segment(KEY, SIZE, 0600, SEED);
        check_fails(try_shmat_in_vain(id, as_address(LBA), 0), EPERM);
#endif
}

/* ---- addresses where something is mapped ---- */

CASE("shmat.addr.over_anonymous",
     "The address of an anonymous mapping, without SHM_REMAP: EINVAL, and nothing changes, the mapping included",
     .level = LINUX, .clause = "shmop(2) SHM_REMAP", .differs = "gVisor attaches over it")
{
        int id = make_touched_segment(KEY, SIZE, 0600, SEED);
        char *mapping = make_mapping(make_free_range(PAGE), PAGE, PROT_READ | PROT_WRITE);
        fill_pattern(mapping, PAGE, SEED + 1);
        check_fails(try_shmat_in_vain(id, mapping, 0), EINVAL);
        check_pattern("the mapping is as before", mapping, PAGE, SEED + 1);
}

/* In a process of its own: where the platform does attach over the stack or the code, that process dies. */
static void check_refuses_over(int id, const void *address, const char *what)
{
        const void *page = as_address((uintptr_t)address / LBA * LBA);
        struct death caller;
        DOOMED(&caller)
        {
                check_fails(try_shmat_in_vain(id, page, 0), EINVAL);
        }
        check_death(what, &caller, OK);
}

CASE("shmat.addr.over_other_kinds",
     "The address of a PROT_NONE reservation, of a file mapping, of the stack, the code and the heap, without "
     "SHM_REMAP: EINVAL, and nothing changes",
     .level = LINUX, .clause = "shmop(2) SHM_REMAP")
{
        int id = make_touched_segment(KEY, SIZE, 0600, SEED);
        char *reservation = make_mapping(make_free_range(LBA), LBA, PROT_NONE);
        make_scratch_directory();
        make_file("mapped", 0600);
        int fd = open("mapped", O_RDWR);
        make_sure(fd != -1 && ftruncate(fd, (off_t)LBA) == 0, "a file to map: %s", strerror(errno));
        void *file = mmap(make_free_range(LBA), LBA, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0);
        make_sure(file != MAP_FAILED, "mmap of a file: %s", strerror(errno));
        static void *heap;
        heap = malloc(SIZE);
        make_sure(heap != NULL, "malloc: %s", strerror(errno));
        int on_stack = 0;

        check_refuses_over(id, reservation, "the caller lives on: PROT_NONE reservation");
        check_refuses_over(id, file, "the caller lives on: file mapping");
        check_refuses_over(id, &on_stack, "the caller lives on: stack");
        check_refuses_over(id, as_address((uintptr_t)&check_refuses_over), "the caller lives on: code");
        check_refuses_over(id, heap, "the caller lives on: heap");
}

CASE("shmat.addr.over_other_segment",
     "The address of another attached segment, without SHM_REMAP: EINVAL, and neither segment changes", .level = LINUX,
     .clause = "shmop(2) SHM_REMAP")
{
        int id = make_touched_segment(KEY, SIZE, 0600, SEED);
        int other = make_filled_segment(OTHER_KEY, SIZE, 0600, SEED + 1);
        char *at = make_attached(other, 0);
        struct snapshot others = take_snapshot_mapped(other, at);
        check_fails(try_shmat_in_vain(id, at, 0), EINVAL);
        check_unchanged(&others);
        check_pattern("the other segment is still there", at, SIZE, SEED + 1);
}

CASE("shmat.addr.over_itself",
     "The address of the segment's own attachment, without SHM_REMAP: EINVAL, and shm_nattch stays 1", .level = LINUX,
     .clause = "shmop(2) SHM_REMAP")
{
        int id = make_segment(KEY, SIZE, 0600);
        char *at = make_attached(id, 0);
        make_touched_by_another(id, SIZE, SEED);
        check_fails(try_shmat_in_vain(id, at, 0), EINVAL);
        check_equal(make_stat(id).shm_nattch, 1);
        check_pattern("the attachment is still there", at, SIZE, SEED);
}

CASE("shmat.addr.over_part",
     "Only the first, the middle or the last page of the range is mapped, no SHM_REMAP: EINVAL, nothing changes, and "
     "not one page is attached",
     .level = LINUX, .clause = "shmop(2) SHM_REMAP", .differs = "gVisor attaches over it")
{
        const size_t pages = 3;
        int id = make_touched_segment(KEY, pages * PAGE, 0600, SEED);
        for (size_t mapped = 0; mapped < pages; mapped++) {
                char *range = make_free_range(pages * PAGE);
                char *page = make_mapping(range + mapped * PAGE, PAGE, PROT_READ | PROT_WRITE);
                fill_pattern(page, PAGE, SEED + 1);
                check_fails(try_shmat_in_vain(id, range, 0), EINVAL);
                check_pattern("the mapped page is as before", page, PAGE, SEED + 1);
                size_t others = 0;
                for (size_t i = 0; i < pages; i++)
                        others += i != mapped && is_mapped(range + i * PAGE);
                check_equal(others, 0);
        }
}

CASE("shmat.addr.over_by_rounding",
     "A segment of one page and a byte does not fit where the second page is mapped: EINVAL, and nothing changes; with "
     "the third page mapped it is attached",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c do_shmat()")
{
        int id = make_touched_segment(KEY, PAGE + 1, 0600, SEED);
        char *range = make_free_range(2 * PAGE);
        make_mapping(range + PAGE, PAGE, PROT_NONE);
        check_fails(try_shmat_in_vain(id, range, 0), EINVAL);
        check_that(!is_mapped(range), "the first page is not mapped");
        check_that(is_mapped(range + PAGE), "the second page is still mapped");

        char *fits = make_free_range(3 * PAGE);
        make_mapping(fits + 2 * PAGE, PAGE, PROT_NONE);
        struct outcome attached = try_shmat(id, fits, 0);
        check_succeeds(attached);
        if (!attached.failed)
                check_placed(attached, fits);
}

/* ---- the break ---- */

LINUX_CASE("shmat.addr.brk_unchanged", "shmat does not move the program break", .level = LINUX, .clause = "shmop(2)")
{
#ifdef __linux__
        int id = make_segment(KEY, SIZE, 0600);
        void *before = sbrk(0);
        make_sure(before != as_address((uintptr_t)-1), "sbrk(0): %s", strerror(errno));
        check_succeeds(try_shmat(id, NULL, 0));
        void *after = sbrk(0);
        check_explained(after == before, "sbrk(0) is as before", "%p, was %p", after, before);
#endif
}

LINUX_CASE("shmat.addr.above_brk",
           "With a segment attached a few pages above the break, sbrk across it fails with ENOMEM and the contents "
           "stay",
           .level = LINUX_UNDOCUMENTED, .clause = "brk(2)")
{
#ifdef __linux__
        const size_t distance = 16 * LBA;
        int id = make_segment(KEY, SIZE, 0600);
        uintptr_t end = (uintptr_t)sbrk(0);
        char *above = as_address((end + distance) / LBA * LBA);
        for (size_t offset = 0; offset < 2 * distance; offset += PAGE) {
                if (is_mapped((char *)as_address(end) + PAGE + offset))
                        skip_case("something is mapped above the break");
        }
        struct outcome attached = try_shmat(id, above, 0);
        check_succeeds(attached);
        if (attached.failed)
                return;
        check_placed(attached, above);
        fill_pattern(above, SIZE, SEED);

        errno = 0;
        void *grown = sbrk((intptr_t)(2 * distance));
        int error = errno;
        check_fails(try_other("sbrk across the attachment", (intptr_t)grown, (intptr_t)grown == -1, error), ENOMEM);
        check_pattern("the contents are as before", above, SIZE, SEED);
#endif
}

/* ---- addresses outside the user's ---- */

CASE("shmat.addr.kernel", "An address of the kernel's: ENOMEM or EINVAL, and nothing changes", .level = POSIX_MAY,
     .clause = "POSIX XSH shmat ERRORS", .needs = NEED_64_BIT, .differs = "gVisor returns another address")
{
        int id = make_touched_segment(KEY, SIZE, 0600, SEED);
        check_fails(try_shmat_in_vain(id, as_address(KERNEL_ADDRESS), 0), ON_POSIX(EINVAL, ENOMEM), ON_LINUX(ENOMEM));
        check_fails(try_shmat_in_vain(id, as_address(NON_CANONICAL), 0), ON_POSIX(EINVAL, ENOMEM), ON_LINUX(ENOMEM));
}

LINUX_CASE("shmat.addr.last_user_page", "The last pages of the user's address space can be asked for, if free",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c do_shmat()", .needs = NEED_64_BIT)
{
#ifdef __linux__
#if !defined(__x86_64__)
        skip_case("where the user's address space ends is known for x86_64 only");
#endif
        /* The very last page is kept free for a flaw of some processors. */
        char *last = as_address(USER_END - 2 * PAGE);
        if (is_mapped(last))
                skip_case("the last user page is mapped");
        int id = make_segment(KEY, SIZE, 0600);
        struct outcome attached = try_shmat(id, last, 0);
        check_succeeds(attached);
        check_exact(attached, id, last);
#endif
}

CASE("shmat.addr.straddles_end",
     "A range across the end of the user's address space: ENOMEM or EINVAL, and nothing changes, with SHM_REMAP too",
     .level = POSIX_MAY, .clause = "POSIX XSH shmat ERRORS", .needs = NEED_64_BIT)
{
#if !defined(__x86_64__)
        skip_case("where the user's address space ends is known for x86_64 only");
#endif
        int id = make_touched_segment(KEY, 3 * PAGE, 0600, SEED);
        char *start = as_address(USER_END - 2 * PAGE);
        check_fails(try_shmat_in_vain(id, start, 0), ON_POSIX(EINVAL, ENOMEM), ON_LINUX(ENOMEM));
        check_that(!is_mapped(start), "nothing is mapped there");
#ifdef __linux__
        LINUX_ONLY
        {
                check_fails(try_shmat_in_vain(id, start, SHM_REMAP), ENOMEM);
        }
#endif
}

/* A 32-bit program under a 64-bit kernel does not reach the end of the kernel's arithmetic. */
static void check_wraps(struct outcome o)
{
        if (sizeof(void *) == sizeof(uint64_t))
                check_fails(o, ON_POSIX(EINVAL, ENOMEM), ON_LINUX(EINVAL));
        else
                check_fails(o, EINVAL, ENOMEM);
}

CASE("shmat.addr.wraps",
     "The last page of the address space, for one page and for sixteen: EINVAL or ENOMEM, and nothing changes",
     .level = POSIX_MAY, .clause = "POSIX XSH shmat ERRORS", .note = "ENOMEM for a 32-bit program on a 64-bit kernel")
{
        check_wraps(try_shmat_in_vain(make_touched_segment(KEY, PAGE, 0600, SEED), as_address(LAST_PAGE), 0));
        check_wraps(
                try_shmat_in_vain(make_touched_segment(OTHER_KEY, 16 * PAGE, 0600, SEED), as_address(LAST_PAGE), 0));
}

CASE("shmat.addr.minus_one", "The address (void *)-1, with and without SHM_RND: EINVAL, and nothing changes",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmat ERRORS EINVAL",
     .note = "rounded down it is the last page: Linux says ENOMEM there for a segment that is shorter than the page")
{
        int id = make_touched_segment(KEY, PAGE, 0600, SEED);
        check_fails(try_shmat_in_vain(id, as_address(UINTPTR_MAX), 0), EINVAL);
        check_wraps(try_shmat_in_vain(id, as_address(UINTPTR_MAX), SHM_RND));
}
