/*
 * shmget's errors, and which of two that both apply comes first: POSIX XSH
 * shmget ERRORS, shmget(2) ERRORS. ENOSPC and EINVAL by a limit that is
 * reached are shmget_limits.c's, EACCES is shmget_access.c's, success from a
 * pool of huge pages is hugetlb.c's.
 *
 * ENFILE, what vm.overcommit_memory 1 and 2 do, and a full memory cgroup are
 * states of a whole machine: no case makes them, they are judged where they are.
 */
#include "case.h"

#include <fcntl.h>
#include <stdio.h>
#ifdef __linux__
#include <sys/sysinfo.h>
#endif

#define SIZE 3333
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The key has no segment: a failed creation left it free. */
static void check_key_free(key_t key)
{
        check_fails(try_shmget(key, 0, 0), ENOENT);
}

/* ---- EEXIST and ENOENT ---- */

CASE("shmget.eexist.creat_excl", "IPC_CREAT|IPC_EXCL on a key that has a segment fails with EEXIST and changes nothing",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget ERRORS EEXIST")
{
        const size_t sizes[] = {SIZE, SIZE - 1, 0, SIZE + 1, 2 * PAGE};
        int id = make_segment(KEY, SIZE, 0600);
        make_touched_by_another(id, SIZE, 1);
        struct snapshot before = take_snapshot_mapped(id, make_attached(id, SHM_RDONLY));
        for (size_t i = 0; i < COUNT(sizes); i++) {
                check_fails(try_shmget(KEY, sizes[i], IPC_CREAT | IPC_EXCL | 0600), EEXIST);
                check_fails(try_shmget(KEY, sizes[i], IPC_CREAT | IPC_EXCL), EEXIST);
        }
        check_unchanged(&before);
}

CASE("shmget.enoent.no_creat", "A key without a segment fails with ENOENT where IPC_CREAT is not given, and stays free",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget ERRORS ENOENT")
{
        /* Another segment is there: the key alone decides. */
        make_segment(OTHER_KEY, SIZE, 0600);
        check_fails(try_shmget(KEY, SIZE, 0600), ENOENT);
        check_fails(try_shmget(KEY, SIZE, 0), ENOENT);
        check_succeeds(try_shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | 0600));
}

CASE("shmget.enoent.excl_alone", "A key without a segment fails with ENOENT where only IPC_EXCL is given",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget ERRORS ENOENT")
{
        check_fails(try_shmget(KEY, SIZE, IPC_EXCL | 0600), ENOENT);
        check_succeeds(try_shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | 0600));
}

/* ---- EINVAL: a size that no new segment can have ---- */

CASE("shmget.einval.size_0", "A new segment of size 0, keyed or private, fails with EINVAL", .level = POSIX_MAY,
     .clause = "POSIX XSH shmget ERRORS EINVAL", .note = "POSIX leaves the minimum to the system")
{
        check_fails(try_shmget(KEY, 0, IPC_CREAT | IPC_EXCL | 0600), ON_POSIX(EINVAL, OK), ON_LINUX(EINVAL));
        check_fails(try_shmget(IPC_PRIVATE, 0, IPC_CREAT | 0600), ON_POSIX(EINVAL, OK), ON_LINUX(EINVAL));
        check_fails(try_shmget(IPC_PRIVATE, 0, 0600), ON_POSIX(EINVAL, OK), ON_LINUX(EINVAL));
        LINUX_ONLY
        {
                check_key_free(KEY);
        }
}

CASE("shmget.einval.size_max", "A new segment of SIZE_MAX bytes fails with EINVAL", .level = POSIX_IMPL_DEFINED,
     .clause = "POSIX XSH shmget ERRORS EINVAL",
     .note = "a 32-bit program's 4 GiB are below SHMMAX on a 64-bit kernel: created or ENOMEM, as memory allows")
{
        struct outcome o = try_shmget(KEY, SIZE_MAX, IPC_CREAT | IPC_EXCL | 0600);
        if (sizeof(size_t) == 8)
                check_fails(o, ON_POSIX(EINVAL, ENOMEM, ENOSPC, OK), ON_LINUX(EINVAL));
        else
                check_result(o, ON_POSIX(EINVAL, ENOMEM, ENOSPC, OK), ON_LINUX(EINVAL, ENOMEM, OK));
        if (o.failed)
                check_key_free(KEY);
}

LINUX_CASE("shmget.einval.beyond_off_t",
           "A new segment of more than 2^63-1 bytes fails with EINVAL, SHM_NORESERVE or not",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux mm/shmem.c shmem_file_setup()", .needs = NEED_64_BIT)
{
#ifdef __linux__
        const size_t default_shmmax = SIZE_MAX - ((size_t)1 << 24);
        const size_t sizes[] = {SIZE_MAX / 2 + 1, default_shmmax};
        for (size_t i = 0; i < COUNT(sizes); i++) {
                check_fails(try_shmget(KEY, sizes[i], IPC_CREAT | 0600), EINVAL);
                check_fails(try_shmget(KEY, sizes[i], IPC_CREAT | SHM_NORESERVE | 0600), EINVAL);
        }
        check_key_free(KEY);
#endif
}

/* ---- ENOMEM ---- */

#ifdef __linux__

/* RAM and swap in bytes, as what is set against a segment's size. */
static uint64_t make_memory_size(bool with_swap)
{
        struct sysinfo info;
        make_sure(sysinfo(&info) == 0, "sysinfo");
        uint64_t units = info.totalram + (with_swap ? (uint64_t)info.totalswap : 0);
        return units * info.mem_unit;
}

static size_t make_size(uint64_t bytes)
{
        if (bytes > SIZE_MAX)
                skip_case("size_t cannot hold %" PRIu64 " bytes, which this machine's memory asks for", bytes);
        return (size_t)bytes;
}

#endif

LINUX_CASE("shmget.enomem.overcommit", "A segment bigger than RAM and swap fails with ENOMEM; only its own size counts",
           .level = POSIX_MAY, .clause = "POSIX XSH shmget ERRORS ENOMEM", .needs = NEED_OVERCOMMIT_0)
{
#ifdef __linux__
        const uint64_t beyond = (uint64_t)64 << 20;
        size_t too_big = make_size(make_memory_size(true) + beyond);
        check_fails(try_shmget(KEY, too_big, IPC_CREAT | IPC_EXCL | 0600), ON_POSIX(ENOMEM, EINVAL, ENOSPC, OK),
                    ON_LINUX(ENOMEM));
        LINUX_ONLY
        {
                check_key_free(KEY);
                size_t two_thirds = make_size(make_memory_size(false) / 3 * 2);
                check_succeeds(try_shmget(IPC_PRIVATE, two_thirds, IPC_CREAT | 0600));
                check_succeeds(try_shmget(IPC_PRIVATE, two_thirds, IPC_CREAT | 0600));
        }
#endif
}

LINUX_CASE("shmget.enomem.noreserve", "SHM_NORESERVE creates segments of 4 times RAM, 2^62 and 2^63-1 bytes",
           .level = LINUX, .clause = "shmget(2) SHM_NORESERVE", .needs = NEED_OVERCOMMIT_0 | NEED_64_BIT)
{
#ifdef __linux__
        const uint64_t sizes[] = {4 * make_memory_size(false), (uint64_t)1 << 62, (uint64_t)INT64_MAX};
        for (size_t i = 0; i < COUNT(sizes); i++) {
                struct outcome made = try_shmget(IPC_PRIVATE, make_size(sizes[i]), IPC_CREAT | SHM_NORESERVE | 0600);
                check_succeeds(made);
                if (made.failed)
                        continue;
                struct shmid_ds ds = make_stat(id_of(made));
                check_equal(ds.shm_segsz, sizes[i]);
        }
#endif
}

#ifdef __linux__

/* CommitLimit of /proc/meminfo, in bytes. */
static uint64_t make_commit_limit(void)
{
        uint64_t kib = 0;
        char line[128];
        FILE *f = fopen("/proc/meminfo", "r");
        make_sure(f != NULL, "/proc/meminfo: %s", strerror(errno));
        while (fgets(line, sizeof(line), f) && sscanf(line, "CommitLimit: %" SCNu64, &kib) != 1) {
        }
        fclose(f);
        make_sure(kib > 0, "/proc/meminfo tells no CommitLimit");
        return kib * 1024;
}

static int read_overcommit(void)
{
        int mode = 0;
        FILE *f = fopen("/proc/sys/vm/overcommit_memory", "r");
        make_sure(f && fscanf(f, "%d", &mode) == 1, "vm.overcommit_memory cannot be read");
        fclose(f);
        return mode;
}

#endif

LINUX_CASE(
        "shmget.enomem.overcommit_never",
        "With vm.overcommit_memory 2 a segment beyond the commit limit fails with ENOMEM, SHM_NORESERVE or not; with "
        "1 one of 4 times RAM is made",
        .level = LINUX, .clause = "proc(5) /proc/sys/vm/overcommit_memory", .needs = NEED_COMMIT_MODE)
{
#ifdef __linux__
        if (read_overcommit() == 1) {
                size_t large = make_size(4 * make_memory_size(false));
                struct outcome made = try_shmget(KEY, large, IPC_CREAT | IPC_EXCL | 0600);
                check_succeeds(made);
                if (!made.failed)
                        check_equal(make_stat(id_of(made)).shm_segsz, large);
                return;
        }
        size_t too_big = make_size(make_commit_limit() + PAGE);
        check_fails(try_shmget(KEY, too_big, IPC_CREAT | 0600), ENOMEM);
        check_fails(try_shmget(KEY, too_big, IPC_CREAT | SHM_NORESERVE | 0600), ENOMEM);
        check_key_free(KEY);
        check_succeeds(try_shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | SHM_NORESERVE | 0600));
#endif
}

#ifdef __linux__

#define GREATEST_SHMMNI 32768

/* What is done in a cgroup that is full must touch no memory for the first time: that would wait for ever. */
struct filling {
        int ids[GREATEST_SHMMNI];
        int made, no_memory, no_space, otherwise, found;
};

static void fill_with_segments(struct filling *f)
{
        const int refusals = 100;
        f->made = f->no_memory = f->no_space = f->otherwise = 0;
        while (f->made < GREATEST_SHMMNI - 1 && f->no_memory + f->no_space + f->otherwise < refusals) {
                int id = shmget(IPC_PRIVATE, SIZE, 0600);
                if (id != -1)
                        f->ids[f->made++] = id;
                else if (errno == ENOMEM)
                        f->no_memory++;
                else if (errno == ENOSPC)
                        f->no_space++;
                else
                        f->otherwise++;
        }
        f->found = shmget(KEY, 0, 0);
        for (int i = 0; i < f->made; i++)
                shmctl(f->ids[i], IPC_RMID, NULL);
}

static void join_cgroup(const char *folder)
{
        char path[PATH_MAX];
        snprintf(path, sizeof(path), "%s/cgroup.procs", folder);
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        make_sure(fd != -1 && write(fd, "0", 1) == 1, "%s: %s", path, strerror(errno));
        close(fd);
        char text[PATH_MAX + 32];
        snprintf(text, sizeof(text), "write(\"%s\", \"0\")", path);
        try_other(text, 1, false, 0);
}

#endif

LINUX_CASE("shmget.enomem.cgroup",
           "In a full memory cgroup a new segment fails with ENOMEM, or ENOSPC where its inode was refused; one that "
           "exists is found",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c newseg()",
           .needs = NEED_MEMORY_CGROUP | NEED_SYSCTL | NEED_IPC_NAMESPACE,
           .note = "SHMCHECK_MEMORY_CGROUP names a cgroup of a few MiB whose members the out-of-memory killer spares: "
                   "memory.oom_control 1, or an oom_score_adj of -1000")
{
#ifdef __linux__
        make_sysctl("shmmni", "32768");
        int id = make_segment(KEY, SIZE, 0600);
        struct totals before = make_totals();
        struct filling *f = make_shared(sizeof(*f));
        struct death d;
        DOOMED(&d)
        {
                make_sure(mlockall(MCL_CURRENT) == 0, "mlockall: %s", strerror(errno));
                join_cgroup(getenv("SHMCHECK_MEMORY_CGROUP"));
                fill_with_segments(f);
        }
        if (d.signal_number == SIGKILL)
                skip_case("the out-of-memory killer came in place of ENOMEM");
        make_sure(f->no_memory + f->no_space + f->otherwise > 0, "%d segments do not fill the cgroup", f->made);
        record_fact("segments until it was full", "%d", f->made);
        check_that(f->no_memory > 0, "some fail with ENOMEM");
        check_equal(f->otherwise, 0);
        check_equal(f->found, id);
        struct totals after = make_totals();
        check_equal(after.used_ids, before.used_ids);
        check_equal(after.pages, before.pages);
#endif
}

/* ---- ENFILE ---- */

LINUX_CASE(
        "shmget.enfile.file_max",
        "With fs.file-max used up a creation without privileges fails with ENFILE; an existing segment is found, and "
        "root creates",
        .level = LINUX, .clause = "shmget(2) ERRORS ENFILE",
        .needs = NEED_FILES_USED_UP | NEED_ROOT | NEED_TWO_UIDS | NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        struct outcome roots = try_shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | 0666);
        check_succeeds(roots);
        struct totals before = make_totals();
        AS_USER(USER_A, GROUP_A)
        {
                check_fails(try_shmget(OTHER_KEY, SIZE, IPC_CREAT | 0600), ENFILE);
                check_fails(try_shmget(IPC_PRIVATE, SIZE, 0600), ENFILE);
                check_key_free(OTHER_KEY);
                struct outcome found = try_shmget(KEY, SIZE, IPC_CREAT | 0666);
                check_succeeds(found);
                check_equal(id_of(found), id_of(roots));
        }
        struct totals after = make_totals();
        check_equal(after.used_ids, before.used_ids);
        check_equal(after.pages, before.pages);
#endif
}

/* ---- huge pages ---- */

#ifdef __linux__

#define HUGE_SIZE_CODE(log2) ((int)((unsigned)(log2) << 26))

static bool has_2_mib_pages(void)
{
        return access("/sys/kernel/mm/hugepages/hugepages-2048kB", F_OK) == 0;
}

#endif

LINUX_CASE("shmget.eperm.hugetlb", "SHM_HUGETLB without CAP_IPC_LOCK fails with EPERM, whatever RLIMIT_MEMLOCK allows",
           .level = LINUX, .clause = "shmget(2) ERRORS EPERM", .needs = NEED_UNPRIVILEGED)
{
#ifdef __linux__
        check_fails(try_shmget(KEY, SIZE, IPC_CREAT | SHM_HUGETLB | 0600), EPERM);
        check_fails(try_shmget(KEY, SIZE, IPC_CREAT | SHM_HUGETLB | SHM_NORESERVE | 0600), EPERM);
        check_fails(try_shmget(IPC_PRIVATE, SIZE, IPC_CREAT | SHM_HUGETLB | 0600), EPERM);
        check_key_free(KEY);
#endif
}

LINUX_CASE("shmget.eperm.hugetlb_group",
           "A caller without privileges whose gid is vm.hugetlb_shm_group may ask for huge pages", .level = LINUX,
           .clause = "proc(5) /proc/sys/vm/hugetlb_shm_group", .needs = NEED_ROOT | NEED_TWO_UIDS | NEED_NO_HUGEPAGES,
           .note = "an empty pool then says ENOMEM")
{
#ifdef __linux__
        FILE *f = fopen("/proc/sys/vm/hugetlb_shm_group", "r");
        unsigned group = 0;
        if (!f || fscanf(f, "%u", &group) != 1)
                skip_case("vm.hugetlb_shm_group cannot be read");
        fclose(f);
        AS_USER(USER_A, (gid_t)group)
        {
                check_fails(try_shmget(KEY, SIZE, IPC_CREAT | SHM_HUGETLB | 0600), ENOMEM);
        }
        AS_USER(USER_A, GROUP_A)
        {
                check_fails(try_shmget(KEY, SIZE, IPC_CREAT | SHM_HUGETLB | 0600), EPERM);
        }
#endif
}

LINUX_CASE("shmget.hugetlb.no_pool", "SHM_HUGETLB with an empty pool of huge pages fails with ENOMEM, for 1 byte too",
           .level = LINUX, .clause = "shmget(2) SHM_HUGETLB", .needs = NEED_ROOT | NEED_NO_HUGEPAGES)
{
#ifdef __linux__
        check_fails(try_shmget(KEY, SIZE, IPC_CREAT | SHM_HUGETLB | 0600), ENOMEM);
        check_fails(try_shmget(KEY, 1, IPC_CREAT | SHM_HUGETLB | 0600), ENOMEM);
        check_fails(try_shmget(IPC_PRIVATE, 1, SHM_HUGETLB | 0600), ENOMEM);
        if (has_2_mib_pages())
                check_fails(try_shmget(KEY, SIZE, IPC_CREAT | SHM_HUGETLB | HUGE_SIZE_CODE(21) | 0600), ENOMEM);
        check_key_free(KEY);
#endif
}

LINUX_CASE("shmget.hugetlb.bad_size_code", "SHM_HUGETLB with a page size that the machine has not fails with EINVAL",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c newseg()")
{
#ifdef __linux__
        static const int log2_sizes[] = {5, 12, 20, 22, 63};
        for (size_t i = 0; i < COUNT(log2_sizes); i++) {
                int flags = SHM_HUGETLB | HUGE_SIZE_CODE(log2_sizes[i]) | 0600;
                check_fails(try_shmget(KEY, SIZE, IPC_CREAT | flags), EINVAL);
                check_fails(try_shmget(IPC_PRIVATE, SIZE, flags), EINVAL);
        }
        check_key_free(KEY);
#endif
}

LINUX_CASE("shmget.hugetlb.noreserve_no_pool",
           "SHM_HUGETLB|SHM_NORESERVE creates with an empty pool, and a write then dies of SIGBUS",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c newseg()", .needs = NEED_ROOT | NEED_NO_HUGEPAGES)
{
#ifdef __linux__
        struct outcome made = try_shmget(KEY, SIZE, IPC_CREAT | SHM_HUGETLB | SHM_NORESERVE | 0600);
        check_succeeds(made);
        if (made.failed)
                return;
        struct death d;
        DOOMED(&d)
        {
                volatile char *at = make_attached(id_of(made), 0);
                at[0] = 1;
        }
        check_death("a write to the segment", &d, SIGBUS);
#endif
}

/* ---- which error first ---- */

CASE("shmget.order.excl_size_access", "Of EEXIST, EINVAL by a bigger size and EACCES, EEXIST comes first",
     .level = POSIX_MAY, .clause = "POSIX XSH shmget ERRORS", .needs = NEED_UNPRIVILEGED)
{
        const size_t sizes[] = {SIZE + 1, SIZE_MAX, 0};
        make_segment(KEY, SIZE, 0);
        for (size_t i = 0; i < COUNT(sizes); i++)
                check_fails(try_shmget(KEY, sizes[i], IPC_CREAT | IPC_EXCL | 0600), ON_POSIX(EEXIST, EINVAL, EACCES),
                            ON_LINUX(EEXIST));
}

CASE("shmget.order.excl_access", "Of EEXIST and EACCES, EEXIST comes first", .level = POSIX_MAY,
     .clause = "POSIX XSH shmget ERRORS", .needs = NEED_UNPRIVILEGED)
{
        make_segment(KEY, SIZE, 0);
        check_fails(try_shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | 0600), ON_POSIX(EEXIST, EACCES), ON_LINUX(EEXIST));
}

CASE("shmget.order.size_access", "Of EINVAL by a bigger size and EACCES, EINVAL comes first", .level = POSIX_MAY,
     .clause = "POSIX XSH shmget ERRORS", .needs = NEED_UNPRIVILEGED)
{
        make_segment(KEY, SIZE, 0);
        check_fails(try_shmget(KEY, SIZE + 1, 0600), ON_POSIX(EINVAL, EACCES), ON_LINUX(EINVAL));
        check_fails(try_shmget(KEY, SIZE + 1, IPC_CREAT | 0600), ON_POSIX(EINVAL, EACCES), ON_LINUX(EINVAL));
}

CASE("shmget.order.missing_size",
     "A key without a segment fails with ENOENT, not EINVAL, where the size is 0 or SIZE_MAX", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget ERRORS ENOENT", .note = "EINVAL is for a creation or an existing segment")
{
        check_fails(try_shmget(KEY, 0, 0600), ENOENT);
        check_fails(try_shmget(KEY, SIZE_MAX, 0600), ENOENT);
}

/* Room for SIZE, and not for much more. */
#define SMALL_SHMMAX 8000
#define SMALL_SHMMAX_TEXT "8000"

/* One segment, and no room for another; returns its id. */
static int make_full_namespace(void)
{
        make_sysctl("shmmni", "1");
        return make_segment(OTHER_KEY, SIZE, 0600);
}

CASE("shmget.order.size_ids", "Of EINVAL by size 0 or beyond SHMMAX and ENOSPC by SHMMNI, EINVAL comes first",
     .level = POSIX_MAY, .clause = "POSIX XSH shmget ERRORS", .needs = NEED_SYSCTL)
{
        make_sysctl("shmmax", SMALL_SHMMAX_TEXT);
        make_full_namespace();
        check_fails(try_shmget(KEY, SIZE, IPC_CREAT | 0600), ENOSPC);
        check_fails(try_shmget(KEY, 0, IPC_CREAT | 0600), ON_POSIX(EINVAL, ENOSPC), ON_LINUX(EINVAL));
        check_fails(try_shmget(KEY, SMALL_SHMMAX + 1, IPC_CREAT | 0600), ON_POSIX(EINVAL, ENOSPC), ON_LINUX(EINVAL));
}

LINUX_CASE("shmget.order.memory_ids",
           "Of ENOMEM and ENOSPC by SHMMNI, ENOMEM comes first; ENOSPC by SHMALL comes before it",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c newseg()",
           .needs = NEED_SYSCTL | NEED_OVERCOMMIT_0 | NEED_64_BIT)
{
#ifdef __linux__
        size_t too_big = make_size(4 * make_memory_size(true));
        make_full_namespace();
        check_fails(try_shmget(KEY, too_big, IPC_CREAT | 0600), ENOMEM);
        check_fails(try_shmget(KEY, too_big, IPC_CREAT | SHM_NORESERVE | 0600), ENOSPC);
        make_sysctl("shmall", "8");
        check_fails(try_shmget(KEY, too_big, IPC_CREAT | 0600), ENOSPC);
#endif
}

LINUX_CASE("shmget.order.hugetlb", "EINVAL by a bad huge page size comes before ENOSPC by SHMMNI",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c newseg()", .needs = NEED_SYSCTL)
{
#ifdef __linux__
        const int bad = SHM_HUGETLB | HUGE_SIZE_CODE(5);
        make_full_namespace();
        check_fails(try_shmget(KEY, SIZE, IPC_CREAT | bad | 0600), EINVAL);
        check_fails(try_shmget(KEY, 0, IPC_CREAT | bad | 0600), EINVAL);
#endif
}

LINUX_CASE("shmget.order.hugetlb_privilege", "EINVAL by a bad huge page size comes before EPERM",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c newseg()", .needs = NEED_UNPRIVILEGED)
{
#ifdef __linux__
        check_fails(try_shmget(KEY, SIZE, IPC_CREAT | SHM_HUGETLB | 0600), EPERM);
        check_fails(try_shmget(KEY, SIZE, IPC_CREAT | SHM_HUGETLB | HUGE_SIZE_CODE(5) | 0600), EINVAL);
#endif
}

LINUX_CASE("shmget.order.hugetlb_pool",
           "ENOMEM by an empty pool comes before ENOSPC by SHMMNI; ENOSPC by SHMALL before it",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c newseg()",
           .needs = NEED_ROOT | NEED_SYSCTL | NEED_NO_HUGEPAGES)
{
#ifdef __linux__
        make_full_namespace();
        check_fails(try_shmget(KEY, SIZE, IPC_CREAT | SHM_HUGETLB | 0600), ENOMEM);
        make_sysctl("shmall", "1");
        check_fails(try_shmget(KEY, SIZE, IPC_CREAT | SHM_HUGETLB | 0600), ENOSPC);
#endif
}

CASE("shmget.order.existing_max",
     "A size bigger than an existing segment and than SHMMAX fails with EINVAL, SHMMNI reached or not",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget ERRORS EINVAL", .needs = NEED_SYSCTL,
     .note = "nothing is to be created, so ENOSPC does not apply")
{
        make_sysctl("shmmax", SMALL_SHMMAX_TEXT);
        struct snapshot before = take_snapshot(make_full_namespace());
        check_fails(try_shmget(OTHER_KEY, SMALL_SHMMAX + 1, 0600), EINVAL);
        check_fails(try_shmget(OTHER_KEY, SMALL_SHMMAX + 1, IPC_CREAT | 0600), EINVAL);
        check_unchanged(&before);
}
