/*
 * /proc/sysvipc/shm, Linux' list of segments as text: what its lines say, for
 * whom, and of which namespace. POSIX knows no such file, so that only the
 * linux profile judges here. Not covered: the column swap, which no case can
 * make anything but 0 without filling the machine's memory.
 */
#include "case.h"

#if defined(__linux__)
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#endif

#define SIZE 3333
#define LIST "/proc/sysvipc/shm"

#ifdef __linux__

enum column {
        C_KEY,
        C_SHMID,
        C_PERMS,
        C_SIZE,
        C_CPID,
        C_LPID,
        C_NATTCH,
        C_UID,
        C_GID,
        C_CUID,
        C_CGID,
        C_ATIME,
        C_DTIME,
        C_CTIME,
        C_RSS,
        C_SWAP,
        COLUMNS
};

/* One line of the list: text is cut into its columns. */
struct line {
        char text[256];
        const char *column[COLUMNS];
        int columns; /* that there are, at most COLUMNS + 1 */
};

/* The whole list, which the next call overwrites. Each read asks for at most chunk bytes. */
#define LIST_SIZE (64 * 1024)
static const char *read_open_list(int fd, size_t chunk)
{
        static char bytes[LIST_SIZE];
        size_t length = 0;
        for (;;) {
                size_t room = sizeof(bytes) - 1 - length;
                ssize_t n = read(fd, bytes + length, room < chunk ? room : chunk);
                make_sure(n >= 0, "reading " LIST ": %s", strerror(errno));
                if (n == 0)
                        break;
                length += (size_t)n;
        }
        bytes[length] = '\0';
        return bytes;
}

static const char *read_list(void)
{
        int fd = open(LIST, O_RDONLY | O_CLOEXEC);
        make_sure(fd != -1, LIST ": %s", strerror(errno));
        const char *list = read_open_list(fd, LIST_SIZE);
        close(fd);
        return list;
}

static void cut(struct line *l)
{
        l->columns = 0;
        for (char *p = l->text; l->columns <= COLUMNS;) {
                p += strspn(p, " \t");
                if (*p == '\0')
                        return;
                if (l->columns < COLUMNS)
                        l->column[l->columns] = p;
                l->columns++;
                p += strcspn(p, " \t");
                if (*p)
                        *p++ = '\0';
        }
}

/* The list's n-th line, 0 being the header; false beyond the last. */
static bool nth_line(const char *list, int n, struct line *l)
{
        while (n-- > 0) {
                list = strchr(list, '\n');
                if (!list)
                        return false;
                list++;
        }
        size_t length = strcspn(list, "\n");
        if (length == 0)
                return false;
        snprintf(l->text, sizeof(l->text), "%.*s", (int)(length < 255 ? length : 255), list);
        cut(l);
        return true;
}

static int count_segments(const char *list)
{
        struct line l;
        int n = 0;
        while (nth_line(list, n + 1, &l))
                n++;
        return n;
}

static long long number(const struct line *l, enum column c)
{
        return strtoll(l->column[c], NULL, c == C_PERMS ? 8 : 10);
}

/* How many lines the segment has; the last of them is kept. */
static int lines_of(const char *list, int id, struct line *found)
{
        struct line l;
        int lines = 0;
        for (int n = 1; nth_line(list, n, &l); n++) {
                if (l.columns == COLUMNS && number(&l, C_SHMID) == id) {
                        lines++;
                        /* The columns point into the line's own text: cut anew. */
                        nth_line(list, n, found);
                }
        }
        return lines;
}

/* The segment's only line; false, after a check that says so, when there is none. */
static bool check_line(int id, struct line *l)
{
        int lines_of_segment = lines_of(read_list(), id, l);
        check_equal(lines_of_segment, 1);
        return lines_of_segment == 1;
}

static bool is_listed(int id)
{
        struct line l;
        return lines_of(read_list(), id, &l) > 0;
}

#endif

LINUX_CASE("proc.header", "The first line names the sixteen columns, and is the only one when there is no segment",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shm_init()", .needs = NEED_PROC | NEED_IPC_NAMESPACE,
           .differs = "gVisor has no such file")
{
#ifdef __linux__
        static const char *const names[COLUMNS] = {"key",    "shmid", "perms", "size", "cpid", "lpid",
                                                   "nattch", "uid",   "gid",   "cuid", "cgid", "atime",
                                                   "dtime",  "ctime", "rss",   "swap"};
        const char *list = read_list();
        struct line header;
        bool there = nth_line(list, 0, &header);
        check_that(there, "there is a first line");
        if (!there)
                return;
        check_equal(header.columns, COLUMNS);
        for (int i = 0; i < COLUMNS && i < header.columns; i++)
                check_explained(strcmp(header.column[i], names[i]) == 0, names[i], "column %d is called %s", i,
                                header.column[i]);
        check_equal(count_segments(list), 0);
#endif
}

LINUX_CASE("proc.columns", "The fourteen columns from key to ctime equal what IPC_STAT gives", .level = LINUX,
           .clause = "proc(5) /proc/sysvipc", .needs = NEED_PROC | NEED_TWO_UIDS)
{
#ifdef __linux__
        int *id = make_shared(sizeof(*id));
        AS_USER(USER_A, GROUP_A)
        {
                *id = make_segment(KEY, 5000, 0640);
        }
        make_ownership(*id, USER_B, GROUP_B, 0604);
        make_touched_by_another(*id, 5000, 1);
        struct child holder;
        start_holder(&holder, *id);
        struct shmid_ds ds = make_stat(*id);
        make_sure(ds.shm_perm.uid == USER_B && ds.shm_perm.cuid == USER_A && ds.shm_perm.gid == GROUP_B &&
                          ds.shm_perm.cgid == GROUP_A && ds.shm_nattch == 1 && ds.shm_lpid != ds.shm_cpid,
                  "IPC_STAT does not tell the members apart");
        struct line l;
        if (check_line(*id, &l)) {
                check_equal(number(&l, C_KEY), ds.shm_perm.SHMC_PERM_KEY);
                check_mode(number(&l, C_PERMS), ds.shm_perm.mode);
                check_equal(number(&l, C_SIZE), ds.shm_segsz);
                check_equal(number(&l, C_CPID), ds.shm_cpid);
                check_equal(number(&l, C_LPID), ds.shm_lpid);
                check_equal(number(&l, C_NATTCH), ds.shm_nattch);
                check_equal(number(&l, C_UID), ds.shm_perm.uid);
                check_equal(number(&l, C_GID), ds.shm_perm.gid);
                check_equal(number(&l, C_CUID), ds.shm_perm.cuid);
                check_equal(number(&l, C_CGID), ds.shm_perm.cgid);
                check_equal(number(&l, C_ATIME), ds.shm_atime);
                check_equal(number(&l, C_DTIME), ds.shm_dtime);
                check_equal(number(&l, C_CTIME), ds.shm_ctime);
        }
        end_holder(&holder);
#endif
}

LINUX_CASE("proc.key.negative", "Keys with the highest bit set are printed as negative numbers",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c sysvipc_shm_proc_show()",
           .needs = NEED_PROC | NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        static const key_t keys[] = {(key_t)-5, (key_t)INT_MIN};
        static const char *const texts[] = {"-5", "-2147483648"};
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
                int id = make_segment(keys[i], SIZE, 0600);
                struct line l;
                if (check_line(id, &l))
                        check_explained(strcmp(l.column[C_KEY], texts[i]) == 0, texts[i], "the key column is %s",
                                        l.column[C_KEY]);
        }
#endif
}

LINUX_CASE("proc.perms.marked", "A marked and attached segment shows perms 1600 and key 0", .level = LINUX_UNDOCUMENTED,
           .clause = "Linux ipc/shm.c do_shm_rmid()", .needs = NEED_PROC)
{
#ifdef __linux__
        int id = make_segment(KEY, SIZE, 0600);
        make_attached(id, 0);
        make_removed(id);
        struct line l;
        if (check_line(id, &l)) {
                check_mode(number(&l, C_PERMS), 01600);
                check_equal(number(&l, C_KEY), 0);
        }
#endif
}

LINUX_CASE("proc.perms.locked", "A locked segment of mode 0604 shows perms 2604", .level = LINUX_UNDOCUMENTED,
           .clause = "Linux ipc/shm.c shmctl_do_lock()", .needs = NEED_PROC)
{
#ifdef __linux__
        int id = make_segment(KEY, SIZE, 0604);
        struct outcome locked = try_shmctl(id, SHM_LOCK, NULL);
        make_sure(!locked.failed, "shmctl(SHM_LOCK): %s", strerror(locked.error));
        struct line l;
        if (check_line(id, &l))
                check_mode(number(&l, C_PERMS), 02604);
#endif
}

LINUX_CASE("proc.rss", "When three pages of a segment were touched rss is three pages in bytes, and shm_rss 3",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shm_add_rss_swap()",
           .needs = NEED_PROC | NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        int id = make_segment(KEY, 8 * PAGE, 0600);
        volatile char *at = make_attached(id, 0);
        struct line l;
        if (check_line(id, &l))
                check_equal(number(&l, C_RSS), 0);
        at[0] = at[3 * PAGE] = at[8 * PAGE - 1] = 1;
        if (check_line(id, &l))
                check_equal(number(&l, C_RSS), 3 * PAGE);
        check_equal(make_totals().resident, 3);
#endif
}

LINUX_CASE("proc.lines",
           "There is one line a segment in the order of indices, however small the reads, none for removed ones",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/util.c sysvipc_proc_next()",
           .needs = NEED_PROC | NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        enum { SEGMENTS = 200, FEW = 7, REMOVED = 17 };
        int ids[SEGMENTS];
        for (int i = 0; i < SEGMENTS; i++) {
                ids[i] = quiet_shmget(IPC_PRIVATE, SIZE, 0600);
                make_sure(ids[i] != -1, "shmget of segment %d: %s", i, strerror(errno));
        }
        make_sure(quiet_rmid(ids[REMOVED]) == 0, "IPC_RMID: %s", strerror(errno));
        means_to_leave(SEGMENTS - 1);
        int fd = open(LIST, O_RDONLY | O_CLOEXEC);
        make_sure(fd != -1, LIST ": %s", strerror(errno));
        const char *list = read_open_list(fd, FEW);
        check_equal(count_segments(list), SEGMENTS - 1);
        struct line l;
        unsigned out_of_order = 0;
        for (int n = 1; n < SEGMENTS && nth_line(list, n, &l); n++)
                out_of_order += l.columns != COLUMNS || number(&l, C_SHMID) != ids[n <= REMOVED ? n - 1 : n];
        check_equal(out_of_order, 0);
        close(fd);
#endif
}

LINUX_CASE("proc.no_permission", "A stranger reads the line of a segment of mode 0", .level = LINUX,
           .clause = "shmctl(2) SHM_STAT_ANY", .needs = NEED_PROC | NEED_TWO_UIDS)
{
#ifdef __linux__
        int id = make_segment(KEY, SIZE, 0);
        AS_USER(USER_A, GROUP_A)
        {
                struct line l;
                if (check_line(id, &l)) {
                        check_equal(number(&l, C_SIZE), SIZE);
                        check_mode(number(&l, C_PERMS), 0);
                }
        }
#endif
}

LINUX_CASE("proc.read_only",
           "Root opens the list for writing and the write fails with EIO; a stranger's open with EACCES",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux fs/proc/inode.c",
           .needs = NEED_PROC | NEED_ROOT | NEED_TWO_UIDS)
{
#ifdef __linux__
        int fd = open(LIST, O_WRONLY | O_CLOEXEC);
        check_fails(try_other("open(\"" LIST "\", O_WRONLY)", fd, fd == -1, errno), OK);
        if (fd != -1) {
                ssize_t n = write(fd, "x", 1);
                check_fails(try_other("write(..., \"x\", 1)", n, n == -1, errno), EIO);
        }
        AS_USER(USER_A, GROUP_A)
        {
                int other = open(LIST, O_WRONLY | O_CLOEXEC);
                check_fails(try_other("open(\"" LIST "\", O_WRONLY)", other, other == -1, errno), EACCES);
        }
#endif
}

LINUX_CASE("proc.no_effect", "Reading the list leaves the whole shmid_ds", .level = LINUX,
           .clause = "proc(5) /proc/sysvipc", .needs = NEED_PROC)
{
#ifdef __linux__
        int id = make_segment(KEY, SIZE, 0600);
        make_touched_by_another(id, SIZE, 1);
        struct snapshot before = take_snapshot(id);
        make_sure(is_listed(id), "the segment is not in " LIST);
        check_unchanged(&before);
#endif
}

LINUX_CASE("proc.per_namespace", "In a fresh IPC namespace the list is empty, then shows its own segments only",
           .level = LINUX, .clause = "ipc_namespaces(7)", .needs = NEED_PROC | NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        make_segment(IPC_PRIVATE, 1, 0600);
        int id = make_segment(KEY, SIZE, 0600);
        IN_CHILD
        {
                make_ipc_namespace();
                check_equal(count_segments(read_list()), 0);
                int inside = make_segment(KEY, SIZE, 0600);
                check_equal(count_segments(read_list()), 1);
                check_that(is_listed(inside), "the list shows the segment made inside");
        }
        check_equal(count_segments(read_list()), 2);
        check_that(is_listed(id), "outside the list is as before");
#endif
}

LINUX_CASE("proc.old_fd", "A descriptor opened before unshare goes on showing the namespace it was opened in",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/util.c sysvipc_proc_open()",
           .needs = NEED_PROC | NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        int id = make_segment(KEY, SIZE, 0600);
        IN_CHILD
        {
                int fd = open(LIST, O_RDONLY | O_CLOEXEC);
                make_sure(fd != -1, LIST ": %s", strerror(errno));
                make_ipc_namespace();
                int inside[2] = {make_segment(KEY, SIZE, 0600), make_segment(OTHER_KEY, SIZE, 0600)};
                struct line l;
                const char *list = read_open_list(fd, LIST_SIZE);
                check_equal(count_segments(list), 1);
                check_equal(lines_of(list, id, &l), 1);
                int later = open(LIST, O_RDONLY | O_CLOEXEC);
                make_sure(later != -1, LIST ": %s", strerror(errno));
                /* The namespace loses its last process, and lives on in the descriptor. */
                make_ipc_namespace();
                list = read_open_list(later, LIST_SIZE);
                check_equal(count_segments(list), 2);
                check_equal(lines_of(list, inside[1], &l), 1);
        }
#endif
}
