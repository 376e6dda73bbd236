/*
 * When shmat fails: ids that name no segment, segments marked for removal,
 * limits, and which error is seen where two apply. Refusals for want of
 * permission are in shmat_access.c, for the address in shmat_address.c.
 */
#include "case.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/sem.h>

#define SIZE 3333
#define SEED 9
/* Far more than the process has left once RLIMIT_AS is a page. */
#define LARGE (64 * PAGE)

/* RLIMIT_AS for the one attach, so that nothing else of the case runs short. */
static struct outcome try_within(unsigned long long address_space, int id, const void *address, int flags)
{
        struct rlimit limit;
        bool known = getrlimit(RLIMIT_AS, &limit) == 0;
        make_sure(known, "getrlimit fails");
        make_rlimit(RLIMIT_AS, address_space);
        struct outcome o = try_shmat(id, address, flags);
        make_rlimit(RLIMIT_AS, limit.rlim_cur);
        return o;
}

CASE("shmat.error.returns_minus_one", "A failed attach returns (void *)-1, not a null pointer", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmat RETURN VALUE")
{
        int id = make_stale_id();
        errno = 0;
        void *at = shmat(id, NULL, 0);
        int error = errno;
        check_explained((intptr_t)at == -1, "shmat returns (void *)-1", "%p", at);
        check_that(error != 0, "errno is set");
}

/* ---- ids ---- */

CASE("shmat.error.id_invalid", "The ids -1, -2, INT_MIN and INT_MAX: EINVAL, with and without SHM_RDONLY",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmat ERRORS EINVAL")
{
        const int ids[] = {-1, -2, INT_MIN, INT_MAX};
        for (unsigned i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
                check_fails(try_shmat(ids[i], NULL, 0), EINVAL);
                check_fails(try_shmat(ids[i], NULL, SHM_RDONLY), EINVAL);
        }
}

CASE("shmat.error.id_zero_unused", "The id 0, where no segment has it: EINVAL", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmat ERRORS EINVAL", .needs = NEED_IPC_NAMESPACE)
{
        check_fails(try_shmat(0, NULL, 0), EINVAL);
        int first = make_stale_id();
        record_fact("the first id of a namespace", "%d", first);
        check_fails(try_shmat(0, NULL, 0), EINVAL);
}

CASE("shmat.error.id_never", "The newest id plus 1: EINVAL, and nothing of the newest segment changes",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmat ERRORS EINVAL", .needs = NEED_IPC_NAMESPACE)
{
        int id = make_touched_segment(KEY, SIZE, 0600, SEED);
        struct snapshot before = take_snapshot(id);
        check_fails(try_shmat(id + 1, NULL, 0), EINVAL);
        check_unchanged(&before);
}

CASE("shmat.error.id_removed", "The id of a segment that was removed while not attached: EINVAL", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmat ERRORS EINVAL", .note = "shmop(2) names EIDRM, which Linux gives in a race only")
{
        int id = make_filled_segment(KEY, SIZE, 0600, SEED);
        make_removed(id);
        check_fails(try_shmat(id, NULL, 0), EINVAL);
        check_fails(try_shmat(id, NULL, SHM_RDONLY), EINVAL);
}

CASE("shmat.error.id_wrong_sequence",
     "A live id plus 32768, or with the sign bit set: EINVAL, and nothing of the segment changes", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmat ERRORS EINVAL", .needs = NEED_IPC_NAMESPACE)
{
        const int one_sequence_later = 32768;
        int id = make_touched_segment(KEY, SIZE, 0600, SEED);
        struct snapshot before = take_snapshot(id);
        check_fails(try_shmat(id + one_sequence_later, NULL, 0), EINVAL);
        check_fails(try_shmat((int)((unsigned)id | 1U << 31), NULL, 0), EINVAL);
        check_unchanged(&before);
}

LINUX_CASE("shmat.error.id_other_namespace", "An id of another IPC namespace: EINVAL", .level = LINUX,
           .clause = "ipc_namespaces(7)", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        int id = make_segment(KEY, SIZE, 0600);
        make_ipc_namespace();
        check_fails(try_shmat(id, NULL, 0), EINVAL);
#endif
}

LINUX_CASE("shmat.error.id_same_number",
           "Where a new IPC namespace has a segment of the same number, that one is attached, and not the old",
           .level = LINUX, .clause = "ipc_namespaces(7)", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        int outer = make_filled_segment(KEY, SIZE, 0600, SEED);
        make_ipc_namespace();
        int inner = make_segment(KEY, SIZE, 0600);
        if (inner != outer)
                skip_case("the first id of the new namespace is %d, not %d", inner, outer);
        struct outcome attached = try_shmat(outer, NULL, 0);
        check_succeeds(attached);
        if (!attached.failed)
                check_bytes("the new namespace's segment is attached", address_of(attached), SIZE, 0);
        check_equal(make_stat(inner).shm_nattch, 1);
#endif
}

CASE("shmat.error.id_of_semaphores", "The id of a semaphore set, which no segment has: EINVAL", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmat ERRORS EINVAL", .needs = NEED_IPC_NAMESPACE)
{
        int sem = semget(IPC_PRIVATE, 1, 0600);
        if (sem == -1)
                skip_case("semget: %s", strerror(errno));
        check_fails(try_shmat(sem, NULL, 0), EINVAL);
        semctl(sem, 0, IPC_RMID);
}

/* ---- marked for removal ---- */

static void check_marked_attach(int id, unsigned long attachments_then)
{
        struct outcome attached = try_shmat(id, NULL, 0);
        check_result(attached, ON_POSIX(OK, EINVAL, EIDRM), ON_LINUX(OK));
        if (attached.failed)
                return;
        check_pattern("it has the same contents", address_of(attached), SIZE, SEED);
        LINUX_ONLY
        {
                check_equal(make_stat(id).shm_nattch, attachments_then);
        }
}

CASE("shmat.error.id_marked",
     "A segment that is marked for removal and still attached can be attached by its id, here and in another process",
     .level = LINUX, .clause = "shmop(2) NOTES")
{
        int id = make_filled_segment(KEY, SIZE, 0600, SEED);
        void *at = make_attached(id, 0);
        make_removed(id);
        IN_CHILD
        {
                make_detached(at);
                check_marked_attach(id, 2);
        }
        check_marked_attach(id, 2);
}

CASE("shmat.error.marked_kept",
     "An attach of a marked, attached segment that fails, for the address is taken, changes nothing and destroys "
     "nothing",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c do_shmat()")
{
        int id = make_segment(KEY, SIZE, 0600);
        char *at = make_attached(id, 0);
        make_touched_by_another(id, SIZE, SEED);
        make_removed(id);
        check_fails(try_shmat_in_vain(id, at, 0), EINVAL);
        check_equal(make_stat(id).shm_nattch, 1);
        check_pattern("the attachment is still there", at, SIZE, SEED);
}

LINUX_CASE("shmat.error.rmid_forced",
           "With shm_rmid_forced 1, an attach that fails for the address or RLIMIT_AS destroys a segment that nobody "
           "has attached; for an unaligned address it does not, nor does it destroy an attached one",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c do_shmat()",
           .needs = NEED_IPC_NAMESPACE | NEED_SYSCTL | NEED_RLIMIT)
{
#ifdef __linux__
        int by_address = make_segment(shmc_key(0), SIZE, 0600);
        int by_limit = make_segment(shmc_key(1), LARGE, 0600);
        int unaligned = make_segment(shmc_key(2), SIZE, 0600);
        int attached = make_segment(shmc_key(3), SIZE, 0600);
        char *at = make_attached(attached, 0);
        make_sysctl("shm_rmid_forced", "1");
        check_fails(try_shmat(unaligned, at + 1, 0), EINVAL);
        check_succeeds(try_stat(unaligned));
        check_fails(try_shmat(attached, at, 0), EINVAL);
        check_succeeds(try_stat(attached));
        check_fails(try_shmat(by_address, at, 0), EINVAL);
        check_fails(try_stat(by_address), EINVAL);
        check_fails(try_within(PAGE, by_limit, NULL, 0), ENOMEM);
        check_fails(try_stat(by_limit), EINVAL);
        make_removed(unaligned);
        make_detached(at);
        means_to_leave(0);
#endif
}

/* ---- limits ---- */

CASE("shmat.error.rlimit_as",
     "With too little left of RLIMIT_AS, at a null and at a free address: ENOMEM, and nothing changes; once it is "
     "raised "
     "again the attach works",
     .level = POSIX_MAY, .clause = "POSIX XSH shmat ERRORS ENOMEM", .needs = NEED_RLIMIT,
     .differs = "qemu-user attaches")
{
        int id = make_touched_segment(KEY, LARGE, 0600, SEED);
        char *free_range = make_free_range(LARGE);
        struct snapshot before = take_snapshot(id);
        struct outcome anywhere = try_within(PAGE, id, NULL, 0);
        check_result(anywhere, ON_POSIX(ENOMEM, OK), ON_LINUX(ENOMEM));
        struct outcome exact = try_within(PAGE, id, free_range, 0);
        check_result(exact, ON_POSIX(ENOMEM, OK), ON_LINUX(ENOMEM));
        if (anywhere.failed && exact.failed)
                check_unchanged(&before);
        check_succeeds(try_shmat(id, NULL, 0));
}

LINUX_CASE("shmat.error.rlimit_as_rounding",
           "A segment one byte short of a hundred pages needs a hundred of RLIMIT_AS: with room for 99 it is ENOMEM, "
           "with room for 100 it attaches",
           .level = LINUX_UNDOCUMENTED, .clause = "getrlimit(2) RLIMIT_AS", .needs = NEED_RLIMIT | NEED_PROC)
{
#ifdef __linux__
        const unsigned long pages = 100;
        int id = make_segment(KEY, pages * PAGE - 1, 0600);
        unsigned long mapped = pages_mapped();
        make_sure(mapped > 0, "/proc/self/statm cannot be read");
        check_fails(try_within((unsigned long long)(mapped + pages - 1) * PAGE, id, NULL, 0), ENOMEM);
        check_succeeds(try_within((unsigned long long)(mapped + pages) * PAGE, id, NULL, 0));
#endif
}

LINUX_CASE("shmat.error.rlimit_others",
           "RLIMIT_DATA of one page, and RLIMIT_NOFILE, RLIMIT_FSIZE and RLIMIT_MEMLOCK of 0, do not hinder an attach",
           .level = LINUX_UNDOCUMENTED, .clause = "getrlimit(2)", .needs = NEED_RLIMIT)
{
#ifdef __linux__
        int id = make_filled_segment(KEY, LARGE, 0600, SEED);
        make_rlimit(RLIMIT_DATA, PAGE);
        make_rlimit(RLIMIT_NOFILE, 0);
        make_rlimit(RLIMIT_FSIZE, 0);
        make_rlimit(RLIMIT_MEMLOCK, 0);
        struct outcome attached = try_shmat(id, NULL, 0);
        check_succeeds(attached);
        if (attached.failed)
                return;
        check_pattern("it has its contents", address_of(attached), LARGE, SEED);
        memset(address_of(attached), 1, LARGE);
        check_bytes("it can be written", address_of(attached), LARGE, 1);
#endif
}

#if UINTPTR_MAX > 0xffffffffU
#define HALF_OF_USER_SPACE ((size_t)1 << 46)
#define BEYOND_USER_SPACE ((size_t)1 << 62)
#else
#define HALF_OF_USER_SPACE ((size_t)1 << 30)
#define BEYOND_USER_SPACE ((size_t)1 << 31)
#endif

CASE("shmat.error.address_space_full",
     "A segment of half the user's address space attaches once; the second attach is ENOMEM and changes nothing",
     .level = POSIX_MAY, .clause = "POSIX XSH shmat ERRORS ENOMEM", .needs = NEED_64_BIT)
{
#if !defined(__x86_64__)
        skip_case("where the user's address space ends is known for x86_64 only");
#endif
#ifdef SHM_NORESERVE
        struct outcome made = try_shmget(KEY, HALF_OF_USER_SPACE, IPC_CREAT | IPC_EXCL | SHM_NORESERVE | 0600);
#else
        struct outcome made = try_shmget(KEY, HALF_OF_USER_SPACE, IPC_CREAT | IPC_EXCL | 0600);
#endif
        if (made.failed)
                skip_case("no segment of that size can be made: %s", strerror(made.error));
        int id = id_of(made);
        struct outcome first = try_shmat(id, NULL, 0);
        check_result(first, ON_POSIX(OK, ENOMEM), ON_LINUX(OK));
        if (first.failed)
                return;
        struct snapshot before = take_snapshot(id);
        check_fails(try_shmat(id, NULL, 0), ENOMEM);
        check_unchanged(&before);
}

LINUX_CASE("shmat.error.beyond_address_space",
           "A segment larger than any address space can be made; attaching it is ENOMEM and changes nothing",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c do_shmat()", .needs = NEED_64_BIT)
{
#ifdef __linux__
        struct outcome made = try_shmget(KEY, BEYOND_USER_SPACE, IPC_CREAT | IPC_EXCL | SHM_NORESERVE | 0600);
        if (made.failed)
                skip_case("no segment of that size can be made: %s", strerror(made.error));
        check_fails(try_shmat_in_vain(id_of(made), NULL, 0), ENOMEM);
#endif
}

LINUX_CASE("shmat.error.mlockall_future",
           "After mlockall(MCL_FUTURE) with RLIMIT_MEMLOCK too small: EAGAIN, and nothing changes; after munlockall "
           "the attach works",
           .level = LINUX_UNDOCUMENTED, .clause = "mlock(2) ERRORS", .needs = NEED_UNPRIVILEGED | NEED_RLIMIT)
{
#ifdef __linux__
        int id = make_touched_segment(KEY, LARGE, 0600, SEED);
        struct snapshot before = take_snapshot(id);
        make_rlimit(RLIMIT_MEMLOCK, PAGE);
        bool locked = mlockall(MCL_FUTURE) == 0;
        make_sure(locked, "mlockall(MCL_FUTURE) fails");
        struct outcome o = try_shmat(id, NULL, 0);
        munlockall();
        check_fails(o, EAGAIN);
        check_unchanged(&before);
        check_succeeds(try_shmat(id, NULL, 0));
#endif
}

#ifdef __linux__

/* As many mappings as a process may have, or one or two less: every other page gets another protection. */
static void make_nearly_all_mappings(void)
{
        unsigned most = 0;
        FILE *f = fopen("/proc/sys/vm/max_map_count", "r");
        make_sure(f && fscanf(f, "%u", &most) == 1, "vm.max_map_count cannot be read");
        fclose(f);
        char *area = make_mapping(NULL, (most + 1) * PAGE, PROT_NONE);
        unsigned page = 1;
        while (page < most && mprotect(area + page * PAGE, PAGE, PROT_READ) == 0)
                page += 2;
        make_sure(page < most, "%u mappings and room for more", most);
}

#endif

LINUX_CASE("shmat.error.map_count",
           "With vm.max_map_count mappings an attach fails with ENOMEM, SHM_REMAP too, and changes nothing; after one "
           "shmdt it works",
           .level = LINUX_UNDOCUMENTED, .clause = "proc(5) /proc/sys/vm/max_map_count", .needs = NEED_MAP_COUNT,
           .waits = true)
{
#ifdef __linux__
        enum { ROOM = 4 };
        int id = make_touched_segment(KEY, SIZE, 0600, SEED);
        void *first = make_attached(id, 0);
        make_nearly_all_mappings();
        unsigned room = 0;
        while (room < ROOM && !try_shmat(id, NULL, 0).failed)
                room++;
        check_between(room, 0, ROOM - 1);
        check_fails(try_shmat_in_vain(id, NULL, 0), ENOMEM);
        check_fails(try_shmat_in_vain(id, first, SHM_REMAP), ENOMEM);
        check_that(is_mapped(first), "the first attachment is still there");
        check_succeeds(try_shmdt(first));
        check_succeeds(try_shmat(id, NULL, 0));
        check_fails(try_shmat_in_vain(id, NULL, 0), ENOMEM);
#endif
}

CASE("shmat.error.leaves_no_mapping", "A failed attach leaves nothing mapped: the address taken, RLIMIT_AS too small",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmat RETURN VALUE", .needs = NEED_PROC | NEED_RLIMIT)
{
        static char maps[1 << 17];
        int id = make_segment(KEY, LARGE, 0600);
        char *range = make_free_range(LARGE);
        make_mapping(range + LARGE - PAGE, PAGE, PROT_NONE);
        make_sure(try_shmat(id, range, 0).failed, "an attach over a mapping succeeds");
        make_sure(try_within(PAGE, id, NULL, 0).failed, "an attach beyond RLIMIT_AS succeeds");
        int fd = open("/proc/self/maps", O_RDONLY);
        make_sure(fd != -1, "/proc/self/maps cannot be opened");
        size_t used = 0;
        for (ssize_t n; (n = read(fd, maps + used, sizeof(maps) - 1 - used)) > 0;)
                used += (size_t)n;
        close(fd);
        check_that(strstr(maps, "SYSV") == NULL, "no line of /proc/self/maps names a segment");
        check_that(!is_mapped(range), "the free part of the range is not mapped");
}

/* ---- what a failure keeps ---- */

CASE("shmat.error.times_kept",
     "Attaches that fail once time() advanced, for the address and for RLIMIT_AS, keep shm_atime, shm_lpid and "
     "shm_nattch",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmat RETURN VALUE", .needs = NEED_CLOCK_TICK | NEED_RLIMIT)
{
        int id = make_touched_segment(KEY, LARGE, 0600, SEED);
        char *taken = make_mapping(make_free_range(PAGE), PAGE, PROT_NONE);
        struct snapshot before = take_snapshot(id);
        wait_for_tick();
        check_fails(try_shmat(id, taken + 1, 0), EINVAL);
        LINUX_ONLY
        {
                check_fails(try_shmat(id, taken, 0), EINVAL);
#ifdef __linux__
                check_fails(try_shmat(id, NULL, SHM_REMAP), EINVAL);
#endif
                check_fails(try_within(PAGE, id, NULL, 0), ENOMEM);
        }
        check_unchanged(&before);
}

CASE("shmat.error.denied_times_kept",
     "An attach that is denied once time() advanced keeps shm_atime, shm_lpid and shm_nattch", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmat RETURN VALUE", .needs = NEED_TWO_UIDS | NEED_CLOCK_TICK)
{
        int id = make_touched_segment(KEY, SIZE, 0600, SEED);
        struct snapshot before = take_snapshot(id);
        wait_for_tick();
        AS_USER(USER_A, GROUP_A)
        {
                check_fails(try_shmat(id, NULL, 0), EACCES);
                check_fails(try_shmat(id, NULL, SHM_RDONLY), EACCES);
        }
        check_unchanged(&before);
}

/* ---- two errors at once: the choice is the platform's ---- */

CASE("shmat.order.denied_unaligned", "No permission and an unaligned address: EACCES or EINVAL", .level = POSIX_MAY,
     .clause = "POSIX XSH shmat ERRORS", .needs = NEED_TWO_UIDS)
{
        int id = make_segment(KEY, SIZE, 0600);
        char *address = make_free_range(SIZE);
        AS_USER(USER_A, GROUP_A)
        {
                check_fails(try_shmat(id, address + 1, 0), EACCES, EINVAL);
        }
}

CASE("shmat.order.denied_overlap", "No permission and an address where something is mapped: EACCES or EINVAL",
     .level = POSIX_MAY, .clause = "POSIX XSH shmat ERRORS", .needs = NEED_TWO_UIDS)
{
        int id = make_segment(KEY, SIZE, 0600);
        char *mapping = make_mapping(make_free_range(PAGE), PAGE, PROT_NONE);
        AS_USER(USER_A, GROUP_A)
        {
                check_fails(try_shmat(id, mapping, 0), EACCES, EINVAL);
        }
}

CASE("shmat.order.denied_removed", "No permission and a segment that is removed already: EACCES or EINVAL",
     .level = POSIX_MAY, .clause = "POSIX XSH shmat ERRORS", .needs = NEED_TWO_UIDS)
{
        int id = make_stale_id();
        AS_USER(USER_A, GROUP_A)
        {
                check_fails(try_shmat(id, NULL, 0), EACCES, EINVAL);
        }
}

CASE("shmat.order.denied_no_memory", "No permission and too little left of RLIMIT_AS: EACCES or ENOMEM",
     .level = POSIX_MAY, .clause = "POSIX XSH shmat ERRORS", .needs = NEED_TWO_UIDS | NEED_RLIMIT)
{
        int id = make_segment(KEY, LARGE, 0600);
        AS_USER(USER_A, GROUP_A)
        {
                check_fails(try_within(PAGE, id, NULL, 0), EACCES, ENOMEM);
        }
}

CASE("shmat.order.overlap_no_memory",
     "An address where something is mapped and too little left of RLIMIT_AS: EINVAL or ENOMEM", .level = POSIX_MAY,
     .clause = "POSIX XSH shmat ERRORS", .needs = NEED_RLIMIT)
{
        int id = make_segment(KEY, LARGE, 0600);
        char *mapping = make_mapping(make_free_range(LARGE), LARGE, PROT_NONE);
        check_fails(try_within(PAGE, id, mapping, 0), EINVAL, ENOMEM);
}
