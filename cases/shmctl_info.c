/*
 * What only Linux tells about shared memory: IPC_INFO, SHM_INFO, SHM_STAT and
 * SHM_STAT_ANY of shmctl, and /proc/sysvipc/shm. POSIX knows none of them.
 *
 * An identifier is found by its index here by looking, not by arithmetic, but
 * in the cases that are about the arithmetic. Segments of huge pages, which
 * count otherwise, are left out: a pool of them is rarely there.
 */
#include "case.h"

#include <stdio.h>
#if defined(__linux__)
#include <sys/resource.h>
#endif

#define POISON 0x5a
#define OTHER_POISON 0xa5
#define SIZE 3333
#define INDEXES 32768 /* an identifier is its slot's index plus a multiple of it */
/* With ipcmni_extend, indexes are handed out in a cycle of this many; otherwise of fewer. */
#define LONGEST_CYCLE 4096

#ifdef __linux__

/* Either structure between guard bytes. */
struct info_buffer {
        unsigned char before[SHMC_GUARD];
        union {
                struct shminfo limits;
                struct shm_info info;
                struct shmid_ds as_argument;
                unsigned char bytes[SHMC_GUARD];
        } is;
        unsigned char after[SHMC_GUARD];
};

static struct outcome try_info(int shmid, int command, struct info_buffer *b, int poison)
{
        memset(b, poison, sizeof(*b));
        return try_shmctl(shmid, command, &b->is.as_argument);
}

static struct shm_info info_now(void)
{
        struct info_buffer b;
        check_succeeds(try_info(0, SHM_INFO, &b, POISON));
        return b.is.info;
}

static struct shminfo limits_now(void)
{
        struct info_buffer b;
        check_succeeds(try_info(0, IPC_INFO, &b, POISON));
        return b.is.limits;
}

/* Every byte of the structure is written, and none around it. */
static void check_extent(int command, size_t size)
{
        struct info_buffer a;
        struct info_buffer b;
        check_succeeds(try_info(0, command, &a, POISON));
        check_succeeds(try_info(0, command, &b, OTHER_POISON));
        size_t kept = 0;
        for (size_t i = 0; i < size; i++)
                kept += a.is.bytes[i] != b.is.bytes[i];
        check_equal(kept, 0);
        check_bytes("bytes before the structure", b.before, sizeof(b.before), OTHER_POISON);
        check_bytes("bytes after the structure", b.is.bytes + size, sizeof(b.is.bytes) - size, OTHER_POISON);
        check_bytes("bytes further on", b.after, sizeof(b.after), OTHER_POISON);
}

static int highest_index(void)
{
        struct info_buffer b;
        return shmctl(0, SHM_INFO, &b.is.as_argument);
}

static struct outcome try_stat_at(int index, int command, struct stat_buffer *b)
{
        memset(b, POISON, sizeof(*b));
        return try_shmctl(index, command, &b->is.ds);
}

#endif

/* ---- IPC_INFO ---- */

LINUX_CASE("shmctl.ipc_info.limits", "IPC_INFO gives the limits of /proc/sys/kernel/shm*, and shmmin 1", .level = LINUX,
           .clause = "shmctl(2) IPC_INFO", .needs = NEED_PROC,
           .note = "a 32-bit process sees shmmax cut to INT_MAX and the low half of shmall")
{
#ifdef __linux__
        unsigned long long shmmax = read_sysctl("shmmax");
        unsigned long long shmall = read_sysctl("shmall");
        if (sizeof(void *) == 4) {
                shmmax = shmmax > INT_MAX ? INT_MAX : shmmax;
                shmall = (uint32_t)shmall;
        }
        struct shminfo limits = limits_now();
        check_equal(limits.shmmni, read_sysctl("shmmni"));
        check_equal((unsigned long)limits.shmmax, (unsigned long)shmmax);
        check_equal((unsigned long)limits.shmall, (unsigned long)shmall);
        check_equal(limits.shmmin, 1);
#endif
}

LINUX_CASE("shmctl.ipc_info.shmseg", "IPC_INFO gives shmseg equal to shmmni", .level = LINUX_UNDOCUMENTED,
           .clause = "Linux ipc/shm.c shmctl_ipc_info()")
{
#ifdef __linux__
        struct shminfo limits = limits_now();
        check_equal(limits.shmseg, limits.shmmni);
#endif
}

LINUX_CASE("shmctl.ipc_info.follows_sysctl",
           "After the limits of the namespace were written IPC_INFO shows the new ones", .level = LINUX,
           .clause = "shmctl(2) IPC_INFO", .needs = NEED_IPC_NAMESPACE | NEED_SYSCTL)
{
#ifdef __linux__
        make_sysctl("shmmni", "17");
        make_sysctl("shmmax", "12345");
        make_sysctl("shmall", "77");
        struct shminfo limits = limits_now();
        check_equal(limits.shmmni, 17);
        check_equal(limits.shmmax, 12345);
        check_equal(limits.shmall, 77);
#endif
}

LINUX_CASE("shmctl.ipc_info.reserved_zero",
           "IPC_INFO writes struct shminfo whole and no byte around it, and its reserved words are 0",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shmctl_ipc_info()")
{
#ifdef __linux__
        check_extent(IPC_INFO, sizeof(struct shminfo));
        struct info_buffer b;
        check_succeeds(try_info(0, IPC_INFO, &b, POISON));
        size_t named = offsetof(struct shminfo, shmall) + sizeof(b.is.limits.shmall);
        check_bytes("the reserved words", b.is.bytes + named, sizeof(struct shminfo) - named, 0);
#endif
}

/* ---- what both commands return ---- */

LINUX_CASE("shmctl.info.return_index", "IPC_INFO and SHM_INFO return the highest index in use", .level = LINUX,
           .clause = "shmctl(2) RETURN VALUE", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        struct info_buffer b;
        for (int n = 0; n < 3; n++) {
                make_segment(IPC_PRIVATE, 1, 0600);
                check_equal(try_info(0, IPC_INFO, &b, POISON).value, n);
                check_equal(try_info(0, SHM_INFO, &b, POISON).value, n);
        }
#endif
}

LINUX_CASE("shmctl.info.return_index_hole",
           "IPC_RMID at a middle index leaves the highest index, IPC_RMID at the highest lowers it to the next in use",
           .level = LINUX, .clause = "shmctl(2) RETURN VALUE", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        int ids[3];
        for (int n = 0; n < 3; n++)
                ids[n] = make_segment(IPC_PRIVATE, 1, 0600);
        struct info_buffer b;
        make_removed(ids[1]);
        check_equal(try_info(0, IPC_INFO, &b, POISON).value, 2);
        check_equal(try_info(0, SHM_INFO, &b, POISON).value, 2);
        make_removed(ids[2]);
        check_equal(try_info(0, IPC_INFO, &b, POISON).value, 0);
        check_equal(try_info(0, SHM_INFO, &b, POISON).value, 0);
#endif
}

LINUX_CASE("shmctl.info.return_empty", "With no segment IPC_INFO and SHM_INFO return 0", .level = LINUX,
           .clause = "shmctl(2) RETURN VALUE", .needs = NEED_IPC_NAMESPACE,
           .note = "with one segment at index 0 too: used_ids tells them apart")
{
#ifdef __linux__
        struct info_buffer b;
        check_equal(try_info(0, IPC_INFO, &b, POISON).value, 0);
        check_equal(try_info(0, SHM_INFO, &b, POISON).value, 0);
        check_equal(b.is.info.SHMC_INFO_USED_IDS, 0);
#endif
}

LINUX_CASE("shmctl.info.shmid_unused", "IPC_INFO and SHM_INFO take any shmid from 0 up, also of no segment",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c ksys_shmctl()")
{
#ifdef __linux__
        const int ids[] = {1, 12345, make_stale_id(), INT_MAX};
        for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
                struct info_buffer b;
                check_succeeds(try_info(ids[i], IPC_INFO, &b, POISON));
                check_succeeds(try_info(ids[i], SHM_INFO, &b, POISON));
        }
#endif
}

LINUX_CASE("shmctl.info.no_permission", "IPC_INFO and SHM_INFO need no permission on any segment",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c ksys_shmctl()", .needs = NEED_UNPRIVILEGED)
{
#ifdef __linux__
        make_segment(IPC_PRIVATE, 1, 0);
        struct info_buffer b;
        check_succeeds(try_info(0, IPC_INFO, &b, POISON));
        check_succeeds(try_info(0, SHM_INFO, &b, POISON));
        check_that(b.is.info.SHMC_INFO_USED_IDS >= 1, "a segment of mode 0 is counted");
#endif
}

LINUX_CASE("shmctl.info.buf_bad", "IPC_INFO and SHM_INFO with buf NULL or 16 fail with EFAULT",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c ksys_shmctl()")
{
#ifdef __linux__
        struct death d;
        DOOMED(&d)
        {
                void *nowhere = (void *)16;
                check_fails(try_shmctl(0, IPC_INFO, NULL), EFAULT);
                check_fails(try_shmctl(0, SHM_INFO, NULL), EFAULT);
                check_fails(try_shmctl(0, IPC_INFO, nowhere), EFAULT);
                check_fails(try_shmctl(0, SHM_INFO, nowhere), EFAULT);
        }
        check_death("the caller lives", &d, OK);
#endif
}

/* ---- SHM_INFO ---- */

LINUX_CASE("shmctl.shm_info.whole_struct",
           "SHM_INFO writes struct shm_info whole, the hole after used_ids too, and no byte around it",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shmctl_shm_info()", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        check_extent(SHM_INFO, sizeof(struct shm_info));
#endif
}

LINUX_CASE("shmctl.shm_info.used_ids", "used_ids counts each segment, attached or not", .level = LINUX,
           .clause = "shmctl(2) SHM_INFO", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        check_equal(info_now().SHMC_INFO_USED_IDS, 0);
        int first = make_segment(IPC_PRIVATE, 1, 0600);
        check_equal(info_now().SHMC_INFO_USED_IDS, 1);
        int second = make_segment(KEY, PAGE + 1, 0600);
        make_attached(second, 0);
        make_attached(second, 0);
        check_equal(info_now().SHMC_INFO_USED_IDS, 2);
        make_removed(first);
        check_equal(info_now().SHMC_INFO_USED_IDS, 1);
#endif
}

LINUX_CASE("shmctl.shm_info.tot_pages",
           "shm_tot grows by each segment's size in pages, rounded up, with SHM_NORESERVE too", .level = LINUX,
           .clause = "shmctl(2) SHM_INFO", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        check_equal(info_now().shm_tot, 0);
        make_segment(IPC_PRIVATE, 1, 0600);
        check_equal(info_now().shm_tot, 1);
        make_segment(IPC_PRIVATE, PAGE, 0600);
        check_equal(info_now().shm_tot, 2);
        make_segment(IPC_PRIVATE, PAGE + 1, 0600);
        check_equal(info_now().shm_tot, 4);
        make_segment(IPC_PRIVATE, 2 * PAGE + 1, SHM_NORESERVE | 0600);
        check_equal(info_now().shm_tot, 7);
#endif
}

LINUX_CASE("shmctl.shm_info.rss_touched",
           "shm_rss grows by one for each page touched: by a write, and by a read through a read-only attach",
           .level = LINUX, .clause = "shmctl(2) SHM_INFO", .needs = NEED_IPC_NAMESPACE,
           .note = "holds where shared memory is not given transparent huge pages")
{
#ifdef __linux__
        int id = make_segment(IPC_PRIVATE, 4 * PAGE, 0600);
        volatile unsigned char *writable = make_attached(id, 0);
        volatile const unsigned char *readable = make_attached(id, SHM_RDONLY);
        check_equal(info_now().shm_rss, 0);
        writable[0] = 1;
        check_equal(info_now().shm_rss, 1);
        writable[PAGE - 1] = readable[0];
        check_equal(info_now().shm_rss, 1);
        writable[0] = readable[2 * PAGE];
        check_equal(info_now().shm_rss, 2);
#endif
}

LINUX_CASE("shmctl.shm_info.rss_detached",
           "The last detach leaves shm_rss, shm_tot and used_ids, IPC_RMID takes the segment from all three",
           .level = LINUX, .clause = "shmctl(2) SHM_INFO", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        int id = make_segment(IPC_PRIVATE, 2 * PAGE, 0600);
        void *at = make_attached(id, 0);
        fill_pattern(at, 2 * PAGE, 1);
        make_detached(at);
        struct shm_info detached = info_now();
        check_equal(detached.SHMC_INFO_USED_IDS, 1);
        check_equal(detached.shm_tot, 2);
        check_equal(detached.shm_rss + detached.shm_swp, 2);
        make_removed(id);
        struct shm_info removed = info_now();
        check_equal(removed.SHMC_INFO_USED_IDS, 0);
        check_equal(removed.shm_tot, 0);
        check_equal(removed.shm_rss + removed.shm_swp, 0);
#endif
}

LINUX_CASE("shmctl.shm_info.swap_fields", "swap_attempts and swap_successes are 0", .level = LINUX,
           .clause = "shmctl(2) SHM_INFO")
{
#ifdef __linux__
        struct shm_info info = info_now();
        check_equal(info.SHMC_INFO_SWAP_ATTEMPTS, 0);
        check_equal(info.SHMC_INFO_SWAP_SUCCESSES, 0);
#endif
}

LINUX_CASE("shmctl.shm_info.own_namespace", "A fresh namespace shows no segment and no page while ours has some",
           .level = LINUX, .clause = "ipc_namespaces(7)", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        make_segment(KEY, PAGE + 1, 0600);
        IN_CHILD
        {
                make_ipc_namespace();
                struct shm_info there = info_now();
                check_equal(there.SHMC_INFO_USED_IDS, 0);
                check_equal(there.shm_tot, 0);
        }
        struct shm_info here = info_now();
        check_equal(here.SHMC_INFO_USED_IDS, 1);
        check_equal(here.shm_tot, 2);
#endif
}

/* ---- SHM_STAT and SHM_STAT_ANY ---- */

LINUX_CASE("shmctl.shm_stat.finds_each_once",
           "SHM_STAT over 0 to the highest index returns each live identifier exactly once", .level = LINUX,
           .clause = "shmctl(2) SHM_STAT")
{
#ifdef __linux__
        int ids[4];
        int found[4] = {0};
        for (int n = 0; n < 4; n++)
                ids[n] = make_segment(IPC_PRIVATE, 1, 0600);
        make_removed(ids[1]);
        int highest = highest_index();
        for (int i = 0; i <= highest; i++) {
                struct stat_buffer b;
                int id = shmctl(i, SHM_STAT, &b.is.ds);
                for (int n = 0; n < 4; n++)
                        found[n] += id == ids[n];
        }
        check_equal(found[0], 1);
        check_equal(found[1], 0);
        check_equal(found[2], 1);
        check_equal(found[3], 1);
#endif
}

LINUX_CASE("shmctl.shm_stat.same_struct",
           "SHM_STAT and SHM_STAT_ANY write what IPC_STAT of the returned identifier does, byte for byte",
           .level = LINUX, .clause = "shmctl(2) SHM_STAT")
{
#ifdef __linux__
        int id = make_segment(KEY, SIZE, 0640);
        make_touched_by_another(id, SIZE, 1);
        int index = make_index(id);
        struct stat_buffer stat;
        memset(&stat, POISON, sizeof(stat));
        make_sure(!try_shmctl(id, IPC_STAT, &stat.is.ds).failed, "IPC_STAT fails");
        static const int commands[] = {SHM_STAT, SHM_STAT_ANY};
        for (size_t i = 0; i < 2; i++) {
                struct stat_buffer b;
                check_equal(try_stat_at(index, commands[i], &b).value, id);
                check_that(same_bytes(&b, &stat), "the buffer and its guards are as after IPC_STAT");
        }
#endif
}

#ifdef __linux__
/* A segment whose identifier is not its index: its slot was used before. */
static int make_segment_in_used_slot(void)
{
        for (int patience = LONGEST_CYCLE; patience >= 0; patience--) {
                int id = quiet_shmget(IPC_PRIVATE, SIZE, 0600);
                make_sure(id != -1, "shmget: %s", strerror(errno));
                if (id >= INDEXES)
                        return id;
                make_sure(quiet_rmid(id) == 0, "IPC_RMID: %s", strerror(errno));
        }
        skip_case("of %d segments none came to lie in a used slot", LONGEST_CYCLE + 1);
}
#endif

LINUX_CASE("shmctl.shm_stat.index_not_id",
           "The index of a segment in a slot that was used before works in SHM_STAT, and fails in IPC_STAT with EINVAL",
           .level = LINUX, .clause = "shmctl(2) SHM_STAT", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        int id = make_segment_in_used_slot();
        struct stat_buffer b;
        check_equal(try_stat_at(id % INDEXES, SHM_STAT, &b).value, id);
        check_equal(b.is.ds.shm_segsz, SIZE);
        check_fails(try_stat_at(id % INDEXES, IPC_STAT, &b), EINVAL);
        means_to_leave(1);
#endif
}

LINUX_CASE("shmctl.shm_stat.id_as_index",
           "SHM_STAT takes an identifier, also a stale one, modulo 32768: it returns the live identifier of the slot",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/util.h ipcid_to_idx()", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        int id = make_segment_in_used_slot();
        struct stat_buffer b;
        check_equal(try_stat_at(id, SHM_STAT, &b).value, id);
        check_equal(try_stat_at(id - INDEXES, SHM_STAT, &b).value, id);
        check_equal(try_stat_at(id + 5 * INDEXES, SHM_STAT, &b).value, id);
        means_to_leave(1);
#endif
}

LINUX_CASE("shmctl.shm_stat.hole",
           "SHM_STAT and SHM_STAT_ANY of an index of no segment fail with EINVAL and leave the buffer", .level = LINUX,
           .clause = "shmctl(2) ERRORS EINVAL", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        make_segment(IPC_PRIVATE, 1, 0600);
        int middle = make_segment(IPC_PRIVATE, 1, 0600);
        make_segment(IPC_PRIVATE, 1, 0600);
        const int indexes[] = {make_index(middle), highest_index() + 1, INDEXES - 1, INT_MAX, -1, INT_MIN};
        make_removed(middle);
        for (size_t i = 0; i < sizeof(indexes) / sizeof(indexes[0]); i++) {
                struct stat_buffer b;
                check_fails(try_stat_at(indexes[i], SHM_STAT, &b), EINVAL);
                check_bytes("the buffer", &b, sizeof(b), POISON);
                check_fails(try_stat_at(indexes[i], SHM_STAT_ANY, &b), EINVAL);
                check_bytes("the buffer", &b, sizeof(b), POISON);
        }
#endif
}

LINUX_CASE("shmctl.shm_stat.no_read",
           "SHM_STAT by a stranger without read permission fails with EACCES and leaves the buffer", .level = LINUX,
           .clause = "shmctl(2) ERRORS EACCES", .needs = NEED_TWO_UIDS, .note = "CAP_IPC_OWNER alone suffices")
{
#ifdef __linux__
        int index = make_index(make_segment(IPC_PRIVATE, 1, 0660));
        AS_USER(USER_A, GROUP_A)
        {
                struct stat_buffer b;
                check_fails(try_stat_at(index, SHM_STAT, &b), EACCES);
                check_bytes("the buffer", &b, sizeof(b), POISON);
        }
#endif
}

LINUX_CASE("shmctl.shm_stat.removed", "SHM_STAT still finds a removed, attached segment, with SHM_DEST and key 0",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shmctl_stat()")
{
#ifdef __linux__
        int id = make_segment(KEY, SIZE, 0640);
        make_attached(id, 0);
        int index = make_index(id);
        make_removed(id);
        struct stat_buffer b;
        check_equal(try_stat_at(index, SHM_STAT, &b).value, id);
        check_mode(b.is.ds.shm_perm.mode, SHM_DEST | 0640);
        check_key(b.is.ds.shm_perm.SHMC_PERM_KEY, 0);
#endif
}

LINUX_CASE("shmctl.shm_stat.buf_null",
           "SHM_STAT with buf NULL fails with EFAULT at the index of a segment, and with EINVAL at no segment's",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c ksys_shmctl()")
{
#ifdef __linux__
        int index = make_index(make_segment(IPC_PRIVATE, 1, 0600));
        struct death d;
        DOOMED(&d)
        {
                check_fails(try_shmctl(index, SHM_STAT, NULL), EFAULT);
                check_fails(try_shmctl(INT_MIN, SHM_STAT, NULL), EINVAL);
        }
        check_death("the caller lives", &d, OK);
#endif
}

LINUX_CASE("shmctl.shm_stat_any.no_read",
           "SHM_STAT_ANY gives a stranger without read permission the identifier and all members", .level = LINUX,
           .clause = "shmctl(2) SHM_STAT_ANY", .needs = NEED_TWO_UIDS, .note = "since Linux 4.17",
           .differs = "qemu-user and gVisor answer EINVAL")
{
#ifdef __linux__
        int id = make_segment(KEY, SIZE, 0);
        int index = make_index(id);
        struct shmid_ds expected = make_stat(id);
        AS_USER(USER_A, GROUP_A)
        {
                struct stat_buffer b;
                check_equal(try_stat_at(index, SHM_STAT_ANY, &b).value, id);
                check_only_changed(&expected, &b.is.ds, 0);
        }
#endif
}

/* ---- /proc/sysvipc/shm ---- */

#ifdef __linux__

struct proc_line {
        long key, id;
        unsigned long mode;
        unsigned long long size;
        long cpid, lpid;
        unsigned long nattch, uid, gid, cuid, cgid;
        long long atime, dtime, ctime;
        unsigned long long rss, swap;
};

/* Gives each line to take until it returns true; false if none does. */
static bool for_each_line(bool (*take)(const struct proc_line *line, void *context), void *context)
{
        char text[512];
        FILE *f = fopen("/proc/sysvipc/shm", "r");
        make_sure(f && fgets(text, sizeof(text), f), "/proc/sysvipc/shm cannot be read");
        bool taken = false;
        while (!taken && fgets(text, sizeof(text), f)) {
                struct proc_line l;
                int columns = sscanf(text, "%ld %ld %lo %llu %ld %ld %lu %lu %lu %lu %lu %lld %lld %lld %llu %llu",
                                     &l.key, &l.id, &l.mode, &l.size, &l.cpid, &l.lpid, &l.nattch, &l.uid, &l.gid,
                                     &l.cuid, &l.cgid, &l.atime, &l.dtime, &l.ctime, &l.rss, &l.swap);
                make_sure(columns == 16, "a line of /proc/sysvipc/shm has not 16 columns: %s", text);
                taken = take(&l, context);
        }
        fclose(f);
        return taken;
}

static bool take_id(const struct proc_line *line, void *context)
{
        struct proc_line *wanted = context;
        if (line->id != wanted->id)
                return false;
        *wanted = *line;
        return true;
}

/* The segment's line; a missing one is a failed check. */
static bool find_line(int id, struct proc_line *line)
{
        line->id = id;
        bool found = for_each_line(take_id, line);
        check_that(found, "/proc/sysvipc/shm has a line of the segment");
        return found;
}
#endif

LINUX_CASE("shmctl.proc.fields_agree", "The line of /proc/sysvipc/shm agrees with IPC_STAT in every member",
           .level = LINUX, .clause = "proc(5) /proc/sysvipc", .needs = NEED_PROC)
{
#ifdef __linux__
        int id = make_segment(KEY, PAGE + 1, 0640);
        make_touched_by_another(id, PAGE + 1, 1);
        make_attached(id, 0);
        struct shmid_ds ds = make_stat(id);
        struct proc_line line;
        if (!find_line(id, &line))
                return;
        check_key(line.key, KEY);
        check_mode(line.mode, ds.shm_perm.mode);
        check_equal(line.size, ds.shm_segsz);
        check_equal(line.cpid, ds.shm_cpid);
        check_equal(line.lpid, ds.shm_lpid);
        check_equal(line.nattch, ds.shm_nattch);
        check_equal(line.uid, ds.shm_perm.uid);
        check_equal(line.gid, ds.shm_perm.gid);
        check_equal(line.cuid, ds.shm_perm.cuid);
        check_equal(line.cgid, ds.shm_perm.cgid);
        check_equal(line.atime, ds.shm_atime);
        check_equal(line.dtime, ds.shm_dtime);
        check_equal(line.ctime, ds.shm_ctime);
        check_equal(line.rss + line.swap, 2 * PAGE);
#endif
}

LINUX_CASE("shmctl.proc.removed", "/proc/sysvipc/shm shows a removed, attached segment with key 0 and mode 1640",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c sysvipc_shm_proc_show()", .needs = NEED_PROC)
{
#ifdef __linux__
        int id = make_segment(KEY, 1, 0640);
        make_attached(id, 0);
        make_removed(id);
        struct proc_line line;
        if (!find_line(id, &line))
                return;
        check_key(line.key, 0);
        check_mode(line.mode, SHM_DEST | 0640);
#endif
}

#ifdef __linux__
struct sums {
        unsigned long lines;
        unsigned long long pages, rss;
};

static bool add_line(const struct proc_line *line, void *context)
{
        struct sums *s = context;
        s->lines++;
        s->pages += (line->size + PAGE - 1) / PAGE;
        s->rss += line->rss;
        return false;
}
#endif

LINUX_CASE("shmctl.proc.sums",
           "The lines of /proc/sysvipc/shm, their pages and their resident bytes add up to what SHM_INFO gives",
           .level = LINUX, .clause = "Linux ipc/shm.c sysvipc_shm_proc_show()", .needs = NEED_PROC | NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        make_segment(IPC_PRIVATE, 1, 0600);
        make_filled_segment(KEY, PAGE + 1, 0, 1);
        int removed = make_filled_segment(OTHER_KEY, SIZE, 0600, 1);
        make_attached(removed, 0);
        make_removed(removed);
        struct shm_info info = info_now();
        struct sums sums = {0};
        for_each_line(add_line, &sums);
        check_equal(sums.lines, 3);
        check_equal(info.SHMC_INFO_USED_IDS, sums.lines);
        check_equal(info.shm_tot, sums.pages);
        check_equal(info.shm_rss * PAGE, sums.rss);
#endif
}

LINUX_CASE("shmctl.proc.strangers_see", "A stranger sees the line of a segment of mode 0 in /proc/sysvipc/shm",
           .level = LINUX, .clause = "shmctl(2) SHM_STAT_ANY", .needs = NEED_TWO_UIDS | NEED_PROC)
{
#ifdef __linux__
        int id = make_segment(KEY, SIZE, 0);
        AS_USER(USER_A, GROUP_A)
        {
                struct proc_line line;
                if (find_line(id, &line))
                        check_equal(line.size, SIZE);
        }
#endif
}
