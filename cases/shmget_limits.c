/*
 * shmget at its limits, each reached for real in an IPC namespace of the case:
 * POSIX XSH shmget ERRORS ENOSPC and EINVAL, shmget(2) NOTES, and the resource
 * limits, none of which binds shmget.
 */
#include "case.h"

#include <stdio.h>
#include <sys/resource.h>

#define SIZE 3333
#define MEBIBYTE ((size_t)1 << 20)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define DEFAULT_SHMMNI 4096
#define GREATEST_SHMMNI 32768

static void make_limit(const char *name, uint64_t value)
{
        char text[32];
        snprintf(text, sizeof(text), "%" PRIu64, value);
        make_sysctl(name, text);
}

static struct outcome try_new(size_t size)
{
        return try_shmget(IPC_PRIVATE, size, IPC_CREAT | 0600);
}

static int make_pages(size_t pages)
{
        return make_segment(IPC_PRIVATE, pages * PAGE, 0600);
}

/* A new segment, keyed and private, fails with the error and leaves key and totals. */
static void check_no_room(size_t size, int error)
{
        struct totals before = make_totals();
        check_fails(try_shmget(OTHER_KEY, size, IPC_CREAT | 0600), error);
        check_fails(try_new(size), error);
        check_fails(try_shmget(OTHER_KEY, 0, 0), ENOENT);
        struct totals after = make_totals();
        check_equal(after.used_ids, before.used_ids);
        check_equal(after.pages, before.pages);
}

static void check_finds(int id, key_t key, size_t size, int flags)
{
        struct outcome found = try_shmget(key, size, flags);
        check_succeeds(found);
        check_equal(id_of(found), id);
}

/* ---- what a namespace starts with ---- */

#ifdef __linux__

#define OWN_SHMMNI 17
#define OWN_SHMMAX 12345
#define OWN_SHMALL 678

/* Limits that no namespace starts with. */
static void make_own_limits(void)
{
        make_limit("shmmni", OWN_SHMMNI);
        make_limit("shmmax", OWN_SHMMAX);
        make_limit("shmall", OWN_SHMALL);
}

/* ULONG_MAX - 2^24 of the kernel, whose long may be wider than the program's. */
static bool is_default_maximum(uint64_t value)
{
        const uint64_t below = (uint64_t)1 << 24;
        return value == UINT64_MAX - below || (sizeof(long) == 4 && value == UINT32_MAX - below);
}

#endif

LINUX_CASE("shmget.limit.defaults",
           "A new namespace starts with SHMMNI 4096 and the greatest SHMMAX and SHMALL, whatever its parent has",
           .level = LINUX, .clause = "shmget(2) NOTES", .needs = NEED_SYSCTL)
{
#ifdef __linux__
        make_own_limits();
        make_ipc_namespace();
        check_equal(read_sysctl("shmmni"), DEFAULT_SHMMNI);
        check_explained(is_default_maximum(read_sysctl("shmmax")), "SHMMAX is ULONG_MAX - 2^24", "%llu",
                        read_sysctl("shmmax"));
        check_explained(is_default_maximum(read_sysctl("shmall")), "SHMALL is ULONG_MAX - 2^24", "%llu",
                        read_sysctl("shmall"));
#endif
}

LINUX_CASE("shmget.limit.info_agrees", "IPC_INFO shows the limits that were written; SHMSEG is SHMMNI and SHMMIN is 1",
           .level = LINUX, .clause = "shmctl(2) IPC_INFO", .needs = NEED_SYSCTL)
{
#ifdef __linux__
        union {
                struct shminfo info;
                struct shmid_ds ds;
                unsigned char room[512];
        } u;
        make_own_limits();
        memset(&u, 0x5a, sizeof(u));
        check_succeeds(try_shmctl(0, IPC_INFO, &u.ds));
        check_equal(u.info.shmmni, OWN_SHMMNI);
        check_equal(u.info.shmmax, OWN_SHMMAX);
        check_equal(u.info.shmall, OWN_SHMALL);
        check_equal(u.info.shmseg, OWN_SHMMNI);
        check_equal(u.info.shmmin, 1);
#endif
}

/* ---- SHMMNI: how many segments ---- */

CASE("shmget.shmmni.default_full",
     "Segments are made until SHMMNI, 4096 by default, is reached; the next fails with ENOSPC", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget ERRORS ENOSPC", .needs = NEED_IPC_NAMESPACE)
{
        int made = 0;
        while (made <= DEFAULT_SHMMNI && quiet_shmget(IPC_PRIVATE, 1, IPC_CREAT | 0600) != -1)
                made++;
        means_to_leave(made);
        LINUX_ONLY
        {
                check_equal(made, DEFAULT_SHMMNI);
        }
        /* A system whose limit is further off has not reached it. */
        if (made <= DEFAULT_SHMMNI)
                check_fails(try_new(1), ENOSPC);
}

#define SMALL_SHMMNI 3

/* As many segments as the limit allows; the last has KEY. */
static void make_full(int ids[SMALL_SHMMNI])
{
        make_limit("shmmni", SMALL_SHMMNI);
        for (int i = 0; i < SMALL_SHMMNI; i++)
                ids[i] = make_segment(i == SMALL_SHMMNI - 1 ? KEY : IPC_PRIVATE, SIZE, 0600);
}

CASE("shmget.shmmni.full",
     "When SHMMNI segments exist another, keyed or private, fails with ENOSPC and changes nothing",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget ERRORS ENOSPC", .needs = NEED_SYSCTL)
{
        int ids[SMALL_SHMMNI];
        make_full(ids);
        check_no_room(SIZE, ENOSPC);
}

CASE("shmget.shmmni.full_existing",
     "When SHMMNI is reached existing keys are found, and EEXIST and ENOENT are said as ever", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget DESCRIPTION", .needs = NEED_SYSCTL)
{
        int ids[SMALL_SHMMNI];
        make_full(ids);
        int id = ids[SMALL_SHMMNI - 1];
        check_finds(id, KEY, SIZE, 0600);
        check_finds(id, KEY, SIZE, IPC_CREAT | 0600);
        check_fails(try_shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
        check_fails(try_shmget(OTHER_KEY, SIZE, 0600), ENOENT);
}

CASE("shmget.shmmni.recovers", "When SHMMNI is reached one IPC_RMID makes room for exactly one segment",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget ERRORS ENOSPC", .needs = NEED_SYSCTL)
{
        int ids[SMALL_SHMMNI];
        make_full(ids);
        check_fails(try_new(SIZE), ENOSPC);
        make_removed(ids[0]);
        check_succeeds(try_new(SIZE));
        check_fails(try_new(SIZE), ENOSPC);
}

CASE("shmget.shmmni.marked_counts", "A segment marked for destruction counts against SHMMNI until its last detach",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c newseg()", .needs = NEED_SYSCTL)
{
        int ids[SMALL_SHMMNI];
        make_full(ids);
        void *at = make_attached(ids[0], 0);
        make_removed(ids[0]);
        check_fails(try_new(SIZE), ENOSPC);
        make_detached(at);
        check_succeeds(try_new(SIZE));

        struct child holder;
        CHILD(&holder, "holder")
        {
                make_attached(ids[1], 0);
                make_removed(ids[1]);
                tell_parent(&holder);
                await_parent(&holder);
        }
        await_child(&holder);
        check_fails(try_new(SIZE), ENOSPC);
        tell_child(&holder);
        join_child(&holder);
        check_succeeds(try_new(SIZE));
}

CASE("shmget.shmmni.lowered", "Live segments outlive a lowered SHMMNI; creation fails until fewer than SHMMNI are left",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/util.c ipc_addid()", .needs = NEED_SYSCTL)
{
        enum { SEGMENTS = 5, LOWERED = 2 };
        int ids[SEGMENTS];
        for (unsigned i = 0; i < SEGMENTS; i++)
                ids[i] = make_filled_segment(shmc_key(2 + i), SIZE, 0600, i);
        make_limit("shmmni", LOWERED);
        for (unsigned i = 0; i < SEGMENTS; i++) {
                check_finds(ids[i], shmc_key(2 + i), SIZE, 0600);
                const void *at = make_attached(ids[i], SHM_RDONLY);
                check_pattern("the segment has its contents", at, SIZE, i);
                make_detached(at);
        }
        for (int left = SEGMENTS; left >= LOWERED; left--) {
                check_fails(try_new(SIZE), ENOSPC);
                make_removed(ids[left - 1]);
        }
        check_succeeds(try_new(SIZE));
}

CASE("shmget.shmmni.zero", "With SHMMNI 0, and with SHMALL 0, every creation fails with ENOSPC",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/util.c ipc_addid()", .needs = NEED_SYSCTL)
{
        make_limit("shmmni", 0);
        check_no_room(1, ENOSPC);
        make_limit("shmmni", DEFAULT_SHMMNI);
        make_limit("shmall", 0);
        check_no_room(1, ENOSPC);
}

LINUX_CASE("shmget.shmmni.maximum",
           "SHMMNI can be 32768, and then exactly so many segments made; 32769 and -1 are refused",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/ipc_sysctl.c", .needs = NEED_SYSCTL, .waits = true,
           .note = "more with the boot option ipcmni_extend")
{
#ifdef __linux__
        make_limit("shmmni", GREATEST_SHMMNI);
        check_fails(try_write_sysctl("shmmni", "32769"), EINVAL);
        check_fails(try_write_sysctl("shmmni", "-1"), EINVAL);
        check_equal(read_sysctl("shmmni"), GREATEST_SHMMNI);
        int made = 0;
        while (made < GREATEST_SHMMNI && quiet_shmget(IPC_PRIVATE, 1, IPC_CREAT | 0600) != -1)
                made++;
        means_to_leave(made);
        check_equal(made, GREATEST_SHMMNI);
        check_fails(try_shmget(IPC_PRIVATE, 1, IPC_CREAT | 0600), ENOSPC);
#endif
}

LINUX_CASE("shmget.shmmni.failures_free",
           "Creations that fail by SHMMNI use up nothing of SHMALL, those that fail by EEXIST no id", .level = LINUX,
           .clause = "shmget(2) ERRORS ENOSPC", .needs = NEED_SYSCTL)
{
#ifdef __linux__
        const int refused = 100;
        const int taken = 100;
        int ids[SMALL_SHMMNI];
        make_full(ids);
        struct totals before = make_totals();
        int for_shmmni = 0;
        int for_the_key = 0;
        for (int i = 0; i < refused; i++)
                for_shmmni += quiet_shmget(IPC_PRIVATE, SIZE, IPC_CREAT | 0600) == -1 && errno == ENOSPC;
        for (int i = 0; i < taken; i++)
                for_the_key += quiet_shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | 0600) == -1 && errno == EEXIST;
        struct totals after = make_totals();
        check_equal(for_shmmni, refused);
        check_equal(for_the_key, taken);
        check_equal(after.used_ids, before.used_ids);
        check_equal(after.pages, before.pages);
        /* What a refusal had kept would be missing here. */
        make_removed(ids[0]);
        make_limit("shmall", before.pages);
        check_succeeds(try_new(SIZE));
#endif
}

/* ---- SHMMAX: how big ---- */

CASE("shmget.shmmax.exact",
     "A new segment of SHMMAX bytes is made; one of a byte more fails with EINVAL, keyed and private",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget ERRORS EINVAL", .needs = NEED_SYSCTL,
     .note = "bytes count, not pages")
{
        make_limit("shmmax", PAGE + 1);
        check_succeeds(try_shmget(KEY, PAGE, IPC_CREAT | IPC_EXCL | 0600));
        check_succeeds(try_new(PAGE + 1));
        check_no_room(PAGE + 2, EINVAL);
        check_no_room(SIZE_MAX, EINVAL);
}

CASE("shmget.shmmax.zero_one",
     "With SHMMAX 0 a segment of 1 byte fails with EINVAL; with SHMMAX 1 it is made and one of 2 fails",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c newseg()", .needs = NEED_SYSCTL)
{
        make_limit("shmmax", 0);
        check_no_room(1, EINVAL);
        make_limit("shmmax", 1);
        check_succeeds(try_new(1));
        check_no_room(2, EINVAL);
}

CASE("shmget.shmmax.lowered",
     "A live segment bigger than a lowered SHMMAX is found and attached; a new one waits for a raised SHMMAX",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c newseg()", .needs = NEED_SYSCTL)
{
        const size_t size = 2 * PAGE;
        int id = make_filled_segment(KEY, size, 0600, 1);
        make_limit("shmmax", PAGE);
        check_finds(id, KEY, size, 0600);
        check_finds(id, KEY, size, IPC_CREAT | 0600);
        check_pattern("the segment has its contents", make_attached(id, SHM_RDONLY), size, 1);
        check_no_room(size, EINVAL);
        make_limit("shmmax", size);
        check_succeeds(try_new(size));
}

/* ---- SHMALL: how many pages ---- */

CASE("shmget.shmall.full",
     "A segment that does not fit SHMALL fails with ENOSPC and changes nothing; what fits is made", .level = LINUX,
     .clause = "shmget(2) ERRORS ENOSPC", .needs = NEED_SYSCTL)
{
        make_limit("shmall", 4);
        int id = make_segment(KEY, 3 * PAGE, 0600);
        struct totals before = make_totals();
        struct outcome refused = try_shmget(OTHER_KEY, 2 * PAGE, IPC_CREAT | 0600);
        check_fails(refused, ON_POSIX(ENOSPC, ENOMEM), ON_LINUX(ENOSPC));
        check_fails(try_shmget(OTHER_KEY, 0, 0), ENOENT);
        struct totals after = make_totals();
        check_equal(after.used_ids, before.used_ids);
        check_equal(after.pages, before.pages);
        check_finds(id, KEY, 3 * PAGE, 0600);
        check_succeeds(try_new(PAGE));
        check_fails(try_new(1), ON_POSIX(ENOSPC, ENOMEM), ON_LINUX(ENOSPC));
}

CASE("shmget.shmall.exact", "A segment of exactly SHMALL pages is made; one of a byte more fails with ENOSPC",
     .level = LINUX, .clause = "shmget(2) NOTES", .needs = NEED_SYSCTL)
{
        make_limit("shmall", 3);
        check_no_room(3 * PAGE + 1, ENOSPC);
        check_succeeds(try_new(3 * PAGE));
        check_no_room(1, ENOSPC);
}

CASE("shmget.shmall.rounding", "Each segment counts against SHMALL with its size rounded up to whole pages",
     .level = LINUX, .clause = "shmget(2) NOTES", .needs = NEED_SYSCTL)
{
        make_limit("shmall", 3);
        for (int i = 0; i < 3; i++)
                check_succeeds(try_new(1));
        check_no_room(1, ENOSPC);
}

CASE("shmget.shmall.untouched_counts", "A segment that nobody has touched counts against SHMALL with its whole size",
     .level = LINUX, .clause = "shmget(2) NOTES", .needs = NEED_SYSCTL)
{
        make_limit("shmall", 256);
        make_pages(255);
        check_equal(make_totals().resident, 0);
        check_no_room(2 * PAGE, ENOSPC);
}

CASE("shmget.shmall.recovers", "IPC_RMID gives back a segment's pages, and no more", .level = LINUX,
     .clause = "shmget(2) NOTES", .needs = NEED_SYSCTL)
{
        make_limit("shmall", 4);
        int id = make_pages(2);
        make_pages(2);
        check_no_room(1, ENOSPC);
        make_removed(id);
        check_succeeds(try_new(2 * PAGE));
        check_no_room(1, ENOSPC);
}

CASE("shmget.shmall.marked_counts", "A segment marked for destruction counts against SHMALL until its last detach",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shm_destroy()", .needs = NEED_SYSCTL)
{
        make_limit("shmall", 2);
        int id = make_pages(2);
        void *at = make_attached(id, 0);
        make_removed(id);
        check_no_room(1, ENOSPC);
        make_detached(at);
        check_succeeds(try_new(2 * PAGE));
}

CASE("shmget.shmall.lowered", "Live segments outlive a lowered SHMALL; a raised one has room for just what it adds",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c newseg()", .needs = NEED_SYSCTL)
{
        int id = make_filled_segment(KEY, 4 * PAGE, 0600, 1);
        make_limit("shmall", 2);
        check_finds(id, KEY, 4 * PAGE, 0600);
        check_pattern("the segment has its contents", make_attached(id, SHM_RDONLY), 4 * PAGE, 1);
        check_no_room(1, ENOSPC);
        make_limit("shmall", 5);
        check_succeeds(try_new(PAGE));
        check_no_room(PAGE, ENOSPC);
}

/* ---- sums that overflow ---- */

LINUX_CASE("shmget.overflow.size",
           "Sizes whose pages cannot be counted fail with ENOSPC, those beyond off_t with EINVAL",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c newseg()",
           .needs = NEED_SYSCTL | NEED_RAW_SYSCALL | NEED_64_BIT,
           .note = "by system call: musl turns a size above PTRDIFF_MAX into SIZE_MAX")
{
#ifdef __linux__
        make_limit("shmmax", UINT64_MAX);
        make_limit("shmall", UINT64_MAX);
        check_fails(try_raw_shmget(KEY, SIZE_MAX, IPC_CREAT | 0600), ENOSPC);
        check_fails(try_raw_shmget(KEY, SIZE_MAX - PAGE + 2, IPC_CREAT | 0600), ENOSPC);
        check_fails(try_raw_shmget(KEY, SIZE_MAX - PAGE + 1, IPC_CREAT | 0600), EINVAL);
        check_fails(try_raw_shmget(KEY, SIZE_MAX / 2 + 1, IPC_CREAT | 0600), EINVAL);
        check_fails(try_shmget(KEY, 0, 0), ENOENT);
#endif
}

LINUX_CASE("shmget.overflow.total",
           "A segment whose pages would make the namespace's total of pages wrap fails with ENOSPC",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c newseg()", .needs = NEED_SYSCTL | NEED_64_BIT)
{
#ifdef __linux__
        const size_t size = SIZE_MAX / 2 + 1 - PAGE;
        const uint64_t pages = size / PAGE;
        const uint64_t fit = UINT64_MAX / pages;
        make_limit("shmmax", UINT64_MAX);
        make_limit("shmall", UINT64_MAX);
        make_limit("shmmni", GREATEST_SHMMNI);
        make_sure(fit < GREATEST_SHMMNI, "%" PRIu64 " segments", fit);
        for (uint64_t i = 0; i < fit; i++)
                make_sure(quiet_shmget(IPC_PRIVATE, size, IPC_CREAT | SHM_NORESERVE | 0600) != -1,
                          "segment %" PRIu64 " of %" PRIu64, i + 1, fit);
        means_to_leave((int)fit);
        check_fails(try_shmget(IPC_PRIVATE, size, IPC_CREAT | SHM_NORESERVE | 0600), ENOSPC);
#endif
}

/* ---- resource limits ---- */

CASE("shmget.rlimit.none_applies", "No resource limit of the process stops the creation of a segment of 1 MiB",
     .level = LINUX_UNDOCUMENTED, .clause = "getrlimit(2)", .note = "RLIMIT_AS binds shmat, RLIMIT_MEMLOCK SHM_LOCK")
{
        static const struct {
                int resource;
                unsigned long long soft;
        } limits[] = {
                {RLIMIT_DATA, 0},    {RLIMIT_NOFILE, 0}, {RLIMIT_STACK, 64 * 1024},
#ifdef RLIMIT_AS
                {RLIMIT_AS, 0},
#endif
#ifdef RLIMIT_MEMLOCK
                {RLIMIT_MEMLOCK, 0},
#endif
#ifdef RLIMIT_RSS
                {RLIMIT_RSS, 0},
#endif
#ifdef RLIMIT_NPROC
                {RLIMIT_NPROC, 0},
#endif
        };
        for (size_t i = 0; i < COUNT(limits); i++) {
                struct rlimit usual;
                getrlimit((shmc_resource)limits[i].resource, &usual);
                make_rlimit(limits[i].resource, limits[i].soft);
                check_succeeds(try_shmget(IPC_PRIVATE, MEBIBYTE, IPC_CREAT | 0600));
                make_rlimit(limits[i].resource, usual.rlim_cur);
        }
}

CASE("shmget.rlimit.fsize", "RLIMIT_FSIZE 0 stops neither the creation of a segment nor a write to its last byte",
     .level = LINUX_UNDOCUMENTED, .clause = "getrlimit(2)", .needs = NEED_IPC_NAMESPACE)
{
        struct death d;
        DOOMED(&d)
        {
                make_rlimit(RLIMIT_FSIZE, 0);
                struct outcome made = try_shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | 0600);
                check_succeeds(made);
                if (!made.failed) {
                        unsigned char *at = make_attached(id_of(made), 0);
                        at[SIZE - 1] = 0xa7;
                        check_equal(at[SIZE - 1], 0xa7);
                }
        }
        check_death("the caller lives", &d, OK);
}
