/*
 * shmget that creates: the new shmid_ds, the contents, keys, identifiers and
 * flags. POSIX XSH shmget DESCRIPTION and 2.7.1, shmget(2).
 */
#include "case.h"

#ifdef __linux__
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/msg.h>
#include <sys/sem.h>
#endif
#if !defined(__dietlibc__)
#include <pthread.h>
#endif

#define SIZE 3333
#define MEBIBYTE ((size_t)1 << 20)
#define SENTINEL_ERRNO 77
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A new segment's shmid_ds. */
static struct shmid_ds make_new_stat(void)
{
        return make_stat(make_segment(KEY, SIZE, 0640));
}

static unsigned count_equal_pairs(const int *ids, size_t count)
{
        unsigned equal = 0;
        for (size_t i = 0; i < count; i++) {
                for (size_t j = 0; j < i; j++)
                        equal += ids[i] == ids[j];
        }
        return equal;
}

/* ---- the new shmid_ds ---- */

CASE("shmget.create.uid", "A new segment's shm_perm.uid is the effective uid", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget DESCRIPTION", .needs = NEED_UNPRIVILEGED)
{
        struct shmid_ds ds = make_new_stat();
        check_equal(ds.shm_perm.uid, geteuid());
}

CASE("shmget.create.cuid", "A new segment's shm_perm.cuid is the effective uid", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget DESCRIPTION", .needs = NEED_UNPRIVILEGED)
{
        struct shmid_ds ds = make_new_stat();
        check_equal(ds.shm_perm.cuid, geteuid());
}

CASE("shmget.create.gid", "A new segment's shm_perm.gid is the effective gid", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget DESCRIPTION", .needs = NEED_UNPRIVILEGED)
{
        struct shmid_ds ds = make_new_stat();
        check_equal(ds.shm_perm.gid, getegid());
}

CASE("shmget.create.cgid", "A new segment's shm_perm.cgid is the effective gid", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget DESCRIPTION", .needs = NEED_UNPRIVILEGED)
{
        struct shmid_ds ds = make_new_stat();
        check_equal(ds.shm_perm.cgid, getegid());
}

static void check_owned_by(const struct shmid_ds *ds, uid_t uid, gid_t gid)
{
        check_equal(ds->shm_perm.uid, uid);
        check_equal(ds->shm_perm.cuid, uid);
        check_equal(ds->shm_perm.gid, gid);
        check_equal(ds->shm_perm.cgid, gid);
}

CASE("shmget.create.effective_ids", "With other real and saved ids owner and creator are the effective uid and gid",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget DESCRIPTION", .needs = NEED_TWO_UIDS)
{
        IN_CHILD
        {
                become_ids(USER_B, USER_A, USER_C, GROUP_A);
                struct shmid_ds ds = make_new_stat();
                check_owned_by(&ds, USER_A, GROUP_A);
        }
}

LINUX_CASE("shmget.create.fsuid", "The file system uid and gid do not decide who owns a new segment",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/util.c ipc_addid()", .needs = NEED_TWO_UIDS)
{
#ifdef __linux__
        /* An id that cannot be set asks for the present one, which followed the effective one. */
        if (setfsuid((uid_t)-1) != (int)geteuid())
                skip_case("this kernel gives a process no file system uid");
        IN_CHILD
        {
                setfsgid(GROUP_B);
                setfsuid(USER_B);
                make_sure(setfsuid(USER_B) == (int)USER_B && setfsgid(GROUP_B) == (int)GROUP_B, "setfsuid or setfsgid");
                struct shmid_ds ds = make_new_stat();
                check_owned_by(&ds, geteuid(), getegid());
        }
#endif
}

LINUX_CASE("shmget.create.userns_uid", "In a user namespace that does not map a segment's ids they read as 65534",
           .level = LINUX, .clause = "user_namespaces(7)", .needs = NEED_USER_NAMESPACE)
{
#ifdef __linux__
        const uid_t overflow_id = 65534;
        int id = make_segment(KEY, SIZE, 0666);
        IN_CHILD
        {
                make_sure(unshare(CLONE_NEWUSER) == 0, "unshare(CLONE_NEWUSER)");
                struct shmid_ds ds = make_stat(id);
                check_owned_by(&ds, overflow_id, overflow_id);
        }
#endif
}

CASE("shmget.create.mode", "A new segment's mode has the low 9 bits that were asked for, for each of the 512 values",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget DESCRIPTION", .needs = NEED_IPC_NAMESPACE)
{
        unsigned wrong = 0;
        unsigned first_wrong = 0;
        unsigned seen_there = 0;
        for (unsigned mode = 0; mode <= 0777; mode++) {
                int id = quiet_shmget(IPC_PRIVATE, 1, IPC_CREAT | (int)mode);
                struct stat_buffer b;
                memset(&b, 0x5a, sizeof(b));
                make_sure(id != -1 && shmctl(id, IPC_STAT, &b.is.ds) == 0, "a segment of mode 0%o", mode);
                unsigned seen = b.is.ds.shm_perm.mode & 0777U;
                if (seen != mode && wrong++ == 0) {
                        first_wrong = mode;
                        seen_there = seen;
                }
                make_sure(quiet_rmid(id) == 0, "IPC_RMID of a segment of mode 0%o", mode);
        }
        check_explained(wrong == 0, "each of the 512 modes is shown as asked for", "%u differ; the first, 0%o, is 0%o",
                        wrong, first_wrong, seen_there);
}

CASE("shmget.create.mode_each_bit", "Each of the nine bits of a mode shows alone beside the owner's right to read",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget DESCRIPTION")
{
        for (int bit = 0; bit < 9; bit++) {
                int mode = 0400 | 1 << bit;
                struct shmid_ds ds = make_stat(make_segment(IPC_PRIVATE, 1, mode));
                check_mode(ds.shm_perm.mode & 0777, mode);
        }
}

CASE("shmget.create.umask", "The file mode creation mask does not touch a new segment's mode", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget DESCRIPTION")
{
        umask(0777);
        struct shmid_ds ds = make_stat(make_segment(KEY, SIZE, 0666));
        check_mode(ds.shm_perm.mode & 0777, 0666);
}

CASE("shmget.create.mode_high_bits",
     "IPC_CREAT and IPC_EXCL do not show in a new segment's mode as SHM_DEST or SHM_LOCKED", .level = LINUX,
     .clause = "shmctl(2) DESCRIPTION", .note = "on Linux the bits of these flags are the same")
{
        struct outcome made = try_shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | 0640);
        check_succeeds(made);
        if (made.failed)
                return;
        struct shmid_ds ds = make_stat(id_of(made));
        check_mode(ds.shm_perm.mode, 0640);
}

CASE("shmget.create.segsz", "shm_segsz is the size that was asked for, not rounded", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget DESCRIPTION")
{
        const size_t sizes[] = {1, 2, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE - 1, 3 * PAGE + 1, SIZE, MEBIBYTE};
        for (size_t i = 0; i < COUNT(sizes); i++) {
                struct shmid_ds ds = make_stat(make_segment(IPC_PRIVATE, sizes[i], 0600));
                check_equal(ds.shm_segsz, sizes[i]);
        }
}

CASE("shmget.create.lpid", "A new segment's shm_lpid is 0, other than its shm_cpid", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget DESCRIPTION")
{
        struct shmid_ds ds = make_new_stat();
        check_equal(ds.shm_lpid, 0);
        check_that(ds.shm_cpid != 0, "shm_cpid is not 0");
}

CASE("shmget.create.cpid", "A new segment's shm_cpid is the caller's process id", .level = POSIX_SHALL,
     .clause = "POSIX XBD <sys/shm.h> shm_cpid")
{
        struct shmid_ds ds = make_new_stat();
        check_equal(ds.shm_cpid, getpid());
}

CASE("shmget.create.cpid_child", "A segment made by a child that has exited still shows the child in shm_cpid",
     .level = POSIX_SHALL, .clause = "POSIX XBD <sys/shm.h> shm_cpid")
{
        struct child creator;
        CHILD(&creator, "creator")
        {
                make_segment(KEY, SIZE, 0600);
        }
        join_child(&creator);
        struct outcome found = try_shmget(KEY, 0, 0);
        check_succeeds(found);
        if (found.failed)
                return;
        struct shmid_ds ds = make_stat(id_of(found));
        check_equal(ds.shm_cpid, creator.pid);
}

#if !defined(__dietlibc__)

static void *make_in_thread(void *id)
{
        *(int *)id = make_segment(KEY, SIZE, 0600);
        return NULL;
}

#endif

CASE("shmget.create.cpid_thread", "A segment made by a second thread shows the process in shm_cpid",
     .level = POSIX_SHALL, .clause = "POSIX XBD <sys/shm.h> shm_cpid", .needs = NEED_THREADS)
{
#if !defined(__dietlibc__)
        int id = -1;
        pthread_t thread;
        make_sure(pthread_create(&thread, NULL, make_in_thread, &id) == 0, "pthread_create");
        pthread_join(thread, NULL);
        struct shmid_ds ds = make_stat(id);
        check_equal(ds.shm_cpid, getpid());
#endif
}

LINUX_CASE("shmget.create.cpid_pid_namespace",
           "Each reader sees in shm_cpid the creator's process id in its own PID namespace, also when it is gone",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shmctl_stat()", .needs = NEED_PID_NAMESPACE)
{
#ifdef __linux__
        make_pid_namespace();
        struct child creator;
        CHILD(&creator, "pid 1 of a namespace")
        {
                struct shmid_ds seen_inside = make_new_stat();
                check_equal(seen_inside.shm_cpid, 1);
                tell_parent(&creator);
                await_parent(&creator);
        }
        await_child(&creator);
        struct outcome found = try_shmget(KEY, 0, 0);
        check_succeeds(found);
        if (found.failed)
                return;
        struct shmid_ds seen_outside = make_stat(id_of(found));
        check_equal(seen_outside.shm_cpid, creator.pid);
        tell_child(&creator);
        join_child(&creator);
        struct shmid_ds seen_later = make_stat(id_of(found));
        check_equal(seen_later.shm_cpid, creator.pid);
#endif
}

CASE("shmget.create.nattch", "A new segment's shm_nattch is 0", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget DESCRIPTION")
{
        struct shmid_ds ds = make_new_stat();
        check_equal(ds.shm_nattch, 0);
}

CASE("shmget.create.atime", "A new segment's shm_atime is 0", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget DESCRIPTION")
{
        struct shmid_ds ds = make_new_stat();
        check_equal(ds.shm_atime, 0);
}

CASE("shmget.create.dtime", "A new segment's shm_dtime is 0", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget DESCRIPTION")
{
        struct shmid_ds ds = make_new_stat();
        check_equal(ds.shm_dtime, 0);
}

CASE("shmget.create.ctime", "A new segment's shm_ctime is the time of its creation", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget DESCRIPTION")
{
        time_t before = stamp_time();
        int id = make_segment(KEY, SIZE, 0600);
        time_t after = stamp_time();
        struct shmid_ds ds = make_stat(id);
        check_between(ds.shm_ctime, before, after);
}

CASE("shmget.create.key_field", "shm_perm has the key that was given", .level = LINUX,
     .clause = "shmctl(2) DESCRIPTION")
{
        struct shmid_ds ds = make_new_stat();
        key_t key_in_perm = (key_t)ds.shm_perm.SHMC_PERM_KEY;
        check_key(key_in_perm, KEY);
}

CASE("shmget.create.key_field_private", "A segment of IPC_PRIVATE has the key 0 in shm_perm", .level = LINUX,
     .clause = "shmctl(2) DESCRIPTION")
{
        struct shmid_ds ds = make_stat(make_segment(IPC_PRIVATE, SIZE, 0600));
        key_t key_in_perm = (key_t)ds.shm_perm.SHMC_PERM_KEY;
        check_key(key_in_perm, 0);
}

LINUX_CASE("shmget.create.totals",
           "A creation adds one segment and its size in whole pages to the totals, and no used page", .level = LINUX,
           .clause = "shmctl(2) SHM_INFO", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        const size_t sizes[] = {1, PAGE, PAGE + 1, 3 * PAGE - 1};
        const unsigned long pages[] = {1, 1, 2, 3};
        for (size_t i = 0; i < COUNT(sizes); i++) {
                struct totals before = make_totals();
                make_segment(IPC_PRIVATE, sizes[i], 0600);
                struct totals after = make_totals();
                check_equal(after.used_ids - before.used_ids, 1);
                check_equal(after.pages - before.pages, pages[i]);
                check_equal(after.resident, before.resident);
        }
#endif
}

CASE("shmget.create.mode_0", "A segment of mode 0 is created, though its creator may then not attach it",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget DESCRIPTION", .needs = NEED_UNPRIVILEGED)
{
        struct outcome made = try_shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL);
        check_succeeds(made);
        if (made.failed)
                return;
        check_fails(try_shmat(id_of(made), NULL, 0), EACCES);
        check_fails(try_shmat(id_of(made), NULL, SHM_RDONLY), EACCES);
}

static void check_keeps_errno(const char *text, key_t key, int flags)
{
        errno = SENTINEL_ERRNO;
        int id = quiet_shmget(key, SIZE, flags);
        int errno_after = errno;
        check_succeeds(try_other(text, id, id == -1, errno_after));
        check_equal(errno_after, SENTINEL_ERRNO);
}

CASE("shmget.create.errno_success", "A shmget that creates or finds leaves errno alone", .level = LINUX_UNDOCUMENTED,
     .clause = "errno(3)", .needs = NEED_IPC_NAMESPACE)
{
        check_keeps_errno("errno = 77, then shmget(KEY, SIZE, IPC_CREAT|0600)", KEY, IPC_CREAT | 0600);
        check_keeps_errno("errno = 77, then shmget(KEY, SIZE, 0)", KEY, 0);
        means_to_leave(1);
}

/* ---- contents ---- */

CASE("shmget.zero.all_bytes", "Every byte of a new segment is 0, whatever its size", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget DESCRIPTION")
{
        const size_t sizes[] = {1, PAGE - 1, PAGE, PAGE + 1, 4 * PAGE, SIZE, MEBIBYTE};
        for (size_t i = 0; i < COUNT(sizes); i++) {
                void *at = make_attached(make_segment(IPC_PRIVATE, sizes[i], 0600), 0);
                check_bytes("the new segment is all zero", at, sizes[i], 0);
                make_detached(at);
        }
}

CASE("shmget.zero.tail", "The bytes from a new segment's end to the end of its last page can be read and are 0",
     .level = LINUX_UNDOCUMENTED, .clause = "shmget(2) DESCRIPTION")
{
        const char *at = make_attached(make_segment(KEY, PAGE + 1, 0600), SHM_RDONLY);
        struct death d;
        DOOMED(&d)
        {
                check_bytes("the rest of the last page is zero", at + PAGE + 1, PAGE - 1, 0);
        }
        check_death("the rest of the last page can be read", &d, OK);
}

CASE("shmget.zero.recycled", "A segment that is filled, removed and made again under its key is all zero each time",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget DESCRIPTION")
{
        for (unsigned round = 0; round < 5; round++) {
                int id = make_segment(KEY, 4 * PAGE, 0600);
                void *at = make_attached(id, 0);
                check_bytes("the new segment is all zero", at, 4 * PAGE, 0);
                memset(at, 0x55, 4 * PAGE);
                make_detached(at);
                make_removed(id);
        }
}

CASE("shmget.zero.other_user", "What one user wrote and removed is not seen in another user's new segment",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget DESCRIPTION", .needs = NEED_TWO_UIDS)
{
        make_removed(make_filled_segment(KEY, 4 * PAGE, 0600, 1));
        AS_USER(USER_A, GROUP_A)
        {
                void *at = make_attached(make_segment(KEY, 4 * PAGE, 0600), 0);
                check_bytes("the new segment is all zero", at, 4 * PAGE, 0);
        }
}

CASE("shmget.zero.other_process", "A new segment is all zero to another process that is the first to attach it",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget DESCRIPTION")
{
        int id = make_segment(KEY, PAGE + 1, 0600);
        IN_CHILD
        {
                void *at = make_attached(id, SHM_RDONLY);
                check_bytes("the new segment is all zero", at, PAGE + 1, 0);
        }
}

CASE("shmget.size.last_byte", "The last byte of a segment whose size is no multiple of the page keeps what is written",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget DESCRIPTION")
{
        const size_t size = 3 * PAGE + 5;
        int id = make_segment(KEY, size, 0600);
        struct death d;
        DOOMED(&d)
        {
                unsigned char *at = make_attached(id, 0);
                at[size - 1] = 0xa7;
                make_detached(at);
                at = make_attached(id, SHM_RDONLY);
                check_equal(at[size - 1], 0xa7);
        }
        check_death("the last byte can be written and read", &d, OK);
}

CASE("shmget.size.page_rounding", "The last byte of the only page of a 1-byte segment keeps what is written",
     .level = LINUX, .clause = "shmget(2) DESCRIPTION")
{
        int id = make_segment(KEY, 1, 0600);
        struct death d;
        DOOMED(&d)
        {
                unsigned char *at = make_attached(id, 0);
                at[PAGE - 1] = 0xa7;
                make_detached(at);
                at = make_attached(id, SHM_RDONLY);
                check_equal(at[PAGE - 1], 0xa7);
        }
        check_death("the page's last byte can be written and read", &d, OK);
}

CASE("shmget.size.minimum", "A segment of 1 byte can be created", .level = POSIX_IMPL_DEFINED,
     .clause = "POSIX XSH shmget ERRORS EINVAL", .note = "Linux: SHMMIN is 1")
{
        check_result(try_shmget(KEY, 1, IPC_CREAT | IPC_EXCL | 0600), ON_POSIX(OK, EINVAL), ON_LINUX(OK));
}

/* ---- keys and identifiers ---- */

CASE("shmget.key.values", "Small, great, negative and extreme keys each make a segment of their own and find it again",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget DESCRIPTION", .needs = NEED_IPC_NAMESPACE)
{
        static const key_t keys[] = {1, 2, 0x7f, 0x12345678, INT_MAX, INT_MIN, INT_MIN + 1, -1, -2, (key_t)0xdeadbeef};
        int ids[COUNT(keys)];
        for (size_t i = 0; i < COUNT(keys); i++) {
                struct outcome made = try_shmget(keys[i], SIZE, IPC_CREAT | IPC_EXCL | 0600);
                check_succeeds(made);
                ids[i] = id_of(made);
        }
        for (size_t i = 0; i < COUNT(keys); i++) {
                int found = id_of(try_shmget(keys[i], SIZE, 0600));
                check_equal(found, ids[i]);
        }
        check_equal(count_equal_pairs(ids, COUNT(ids)), 0);
}

LINUX_CASE("shmget.key.not_sem_msg", "A key that a semaphore set and a message queue have is free for a segment",
           .level = LINUX_UNDOCUMENTED, .clause = "sysvipc(7)", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        make_sure(semget(KEY, 1, IPC_CREAT | 0600) != -1, "semget");
        make_sure(msgget(KEY, IPC_CREAT | 0600) != -1, "msgget");
        check_fails(try_shmget(KEY, SIZE, 0), ENOENT);
        check_succeeds(try_shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | 0600));
#endif
}

CASE("shmget.private.distinct", "Each call with IPC_PRIVATE gives a segment of its own, with contents of its own",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget DESCRIPTION")
{
        int ids[3];
        void *at[COUNT(ids)];
        for (size_t i = 0; i < COUNT(ids); i++) {
                struct outcome made = try_shmget(IPC_PRIVATE, SIZE, IPC_CREAT | 0600);
                check_succeeds(made);
                ids[i] = id_of(made);
        }
        check_equal(count_equal_pairs(ids, COUNT(ids)), 0);
        for (size_t i = 0; i < COUNT(ids); i++) {
                at[i] = make_attached(ids[i], 0);
                fill_pattern(at[i], SIZE, (unsigned)i);
        }
        for (size_t i = 0; i < COUNT(ids); i++)
                check_pattern("the segment keeps its own contents", at[i], SIZE, (unsigned)i);
}

CASE("shmget.private.no_creat", "IPC_PRIVATE makes a segment without IPC_CREAT", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget DESCRIPTION")
{
        check_succeeds(try_shmget(IPC_PRIVATE, SIZE, 0600));
}

CASE("shmget.private.excl", "IPC_PRIVATE makes a new segment each time with IPC_EXCL, and with IPC_CREAT|IPC_EXCL",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget DESCRIPTION")
{
        static const int flags[] = {IPC_EXCL | 0600, IPC_EXCL | 0600, IPC_CREAT | IPC_EXCL | 0600,
                                    IPC_CREAT | IPC_EXCL | 0600};
        int ids[COUNT(flags)];
        for (size_t i = 0; i < COUNT(flags); i++) {
                struct outcome made = try_shmget(IPC_PRIVATE, SIZE, flags[i]);
                check_succeeds(made);
                ids[i] = id_of(made);
        }
        check_equal(count_equal_pairs(ids, COUNT(ids)), 0);
}

CASE("shmget.private.flags_0", "IPC_PRIVATE with flags 0 makes a segment of mode 0", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget DESCRIPTION")
{
        struct outcome made = try_shmget(IPC_PRIVATE, SIZE, 0);
        check_succeeds(made);
        if (made.failed)
                return;
        /* A caller without privileges may not read the mode; that it may not says enough. */
        struct stat_buffer b;
        memset(&b, 0x5a, sizeof(b));
        struct outcome read_back = try_shmctl(id_of(made), IPC_STAT, &b.is.ds);
        check_result(read_back, OK, EACCES);
        if (!read_back.failed)
                check_mode(b.is.ds.shm_perm.mode & 0777, 0);
}

CASE("shmget.id.same_key",
     "Every later call with the key, with IPC_CREAT, with flags 0, with size 0, gives the same id",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget DESCRIPTION")
{
        int id = make_segment(KEY, SIZE, 0600);
        int again = id_of(try_shmget(KEY, SIZE, IPC_CREAT | 0600));
        check_equal(again, id);
        again = id_of(try_shmget(KEY, SIZE, 0));
        check_equal(again, id);
        again = id_of(try_shmget(KEY, 0, 0));
        check_equal(again, id);
}

#define MANY 1000

static int by_number(const void *a, const void *b)
{
        int x = *(const int *)a;
        int y = *(const int *)b;
        return x < y ? -1 : x > y;
}

CASE("shmget.id.unique", "A thousand live segments, keyed and private, have a thousand ids, none of them negative",
     .level = POSIX_SHALL, .clause = "POSIX XSH 2.7.1 IPC General Description; POSIX XSH shmget RETURN VALUE",
     .needs = NEED_IPC_NAMESPACE)
{
        static int ids[MANY];
        for (int i = 0; i < MANY; i++) {
                ids[i] = quiet_shmget(i % 2 ? IPC_PRIVATE : i + 1, 1, IPC_CREAT | IPC_EXCL | 0600);
                make_sure(ids[i] != -1, "segment %d of %d", i + 1, MANY);
        }
        qsort(ids, MANY, sizeof(ids[0]), by_number);
        unsigned equal_ids = 0;
        for (int i = 1; i < MANY; i++)
                equal_ids += ids[i] == ids[i - 1];
        check_equal(equal_ids, 0);
        check_that(ids[0] >= 0, "no id is negative");
        means_to_leave(MANY);
}

LINUX_CASE("shmget.id.first", "In a fresh namespace the first segment's id is 0 and the second's 1",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/util.c ipc_addid()", .needs = NEED_IPC_NAMESPACE,
           .note = "breaks programs that take 0 for a failure")
{
#ifdef __linux__
        int first = id_of(try_shmget(KEY, SIZE, IPC_CREAT | 0600));
        int second = id_of(try_shmget(IPC_PRIVATE, SIZE, IPC_CREAT | 0600));
        check_equal(first, 0);
        check_equal(second, 1);
#endif
}

CASE("shmget.id.not_reused_at_once",
     "A segment that is removed and made again under its key has a new id; the old is invalid",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/util.c ipc_addid()")
{
        int old_id = make_segment(KEY, SIZE, 0600);
        make_removed(old_id);
        struct outcome made = try_shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | 0600);
        check_succeeds(made);
        check_that(id_of(made) != old_id, "the new id is not the old one");
        struct stat_buffer b;
        check_fails(try_shmctl(old_id, IPC_STAT, &b.is.ds), EINVAL);
        check_fails(try_shmat(old_id, NULL, 0), EINVAL);
}

LINUX_CASE("shmget.id.sequence", "The sequence number in shm_perm is the id without its low 15 bits",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/util.c ipc_idr_alloc()", .needs = NEED_IPC_NAMESPACE,
           .note = "24 bits with the boot option ipcmni_extend")
{
#ifdef __linux__
        const unsigned rounds = 200;
        const int index_bits = 15;
        unsigned wrong = 0;
        unsigned past_0 = 0;
        for (unsigned round = 0; round < rounds; round++) {
                int id = quiet_shmget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
                struct stat_buffer b;
                make_sure(id != -1 && shmctl(id, IPC_STAT, &b.is.ds) == 0, "a segment in round %u", round);
                wrong += (int)b.is.ds.shm_perm.SHMC_PERM_SEQ != id >> index_bits;
                past_0 += b.is.ds.shm_perm.SHMC_PERM_SEQ != 0;
                make_sure(quiet_rmid(id) == 0, "IPC_RMID in round %u", round);
        }
        check_equal(wrong, 0);
        check_that(past_0 > 0, "200 rounds reach a sequence number that is not 0");
#endif
}

LINUX_CASE("shmget.id.per_namespace", "Two namespaces hold one key and one id at once, for two segments",
           .level = LINUX, .clause = "ipc_namespaces(7)", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        int id = make_segment(KEY, SIZE, 0600);
        void *first = make_attached(id, 0);
        fill_pattern(first, SIZE, 1);
        make_ipc_namespace();
        check_fails(try_shmget(KEY, SIZE, 0600), ENOENT);
        struct outcome made = try_shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | 0600);
        check_succeeds(made);
        if (made.failed)
                return;
        check_equal(id_of(made), id);
        void *second = make_attached(id_of(made), 0);
        check_bytes("the second namespace's segment is new", second, SIZE, 0);
        fill_pattern(second, SIZE, 2);
        check_pattern("the first namespace's segment keeps its contents", first, SIZE, 1);
#endif
}

#ifdef __linux__

#define WANTED_ID 4711
#define WANTED_ID_TEXT "4711"

static int read_next_id(void)
{
        return (int)read_sysctl("shm_next_id");
}

#endif

LINUX_CASE("shmget.next_id.honoured", "kernel.shm_next_id is the id of the next new segment, and reads -1 afterwards",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/util.c ipc_idr_alloc()",
           .needs = NEED_SYSCTL | NEED_NEXT_ID)
{
#ifdef __linux__
        make_sysctl("shm_next_id", WANTED_ID_TEXT);
        struct outcome made = try_shmget(KEY, SIZE, IPC_CREAT | 0600);
        check_succeeds(made);
        check_equal(id_of(made), WANTED_ID);
        check_equal(read_next_id(), -1);
#endif
}

LINUX_CASE("shmget.next_id.kept", "A shmget that fails or finds an existing segment leaves kernel.shm_next_id",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/util.c ipc_idr_alloc()",
           .needs = NEED_SYSCTL | NEED_NEXT_ID)
{
#ifdef __linux__
        make_segment(KEY, SIZE, 0600);
        make_sysctl("shm_next_id", WANTED_ID_TEXT);
        check_succeeds(try_shmget(KEY, SIZE, IPC_CREAT | 0600));
        check_fails(try_shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
        check_fails(try_shmget(OTHER_KEY, SIZE, 0600), ENOENT);
        check_fails(try_shmget(OTHER_KEY, 0, IPC_CREAT | 0600), EINVAL);
        check_equal(read_next_id(), WANTED_ID);
#endif
}

/* ---- flags ---- */

LINUX_CASE("shmget.flags.junk", "Each flag bit above SHM_NORESERVE, alone beside IPC_CREAT, is ignored",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c newseg()")
{
#ifdef __linux__
        const unsigned first_junk = 13;
        for (unsigned bit = first_junk; bit < 32; bit++) {
                struct outcome made = try_shmget(IPC_PRIVATE, SIZE, (int)(1U << bit) | IPC_CREAT | 0640);
                check_succeeds(made);
                if (made.failed)
                        continue;
                struct shmid_ds ds = make_stat(id_of(made));
                check_mode(ds.shm_perm.mode, 0640);
        }
#endif
}

LINUX_CASE("shmget.flags.huge_size_alone", "A code for a size of huge pages is ignored without SHM_HUGETLB",
           .level = LINUX_UNDOCUMENTED, .clause = "shmget(2) SHM_HUGE_2MB")
{
#ifdef __linux__
        static const unsigned codes[] = {5, 21, 30, 63};
        for (size_t i = 0; i < COUNT(codes); i++)
                check_succeeds(try_shmget(IPC_PRIVATE, SIZE, (int)(codes[i] << 26) | IPC_CREAT | 0600));
#endif
}

LINUX_CASE("shmget.flags.all_ones",
           "Flags -1 are refused for their huge page size on a new key, without SHM_HUGETLB they create",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c newseg()")
{
#ifdef __linux__
        check_fails(try_shmget(KEY, SIZE, -1), EINVAL);
        check_fails(try_shmget(IPC_PRIVATE, SIZE, -1), EINVAL);
        check_succeeds(try_shmget(KEY, SIZE, ~SHM_HUGETLB));
        check_fails(try_shmget(KEY, SIZE, -1), EEXIST);
#endif
}

LINUX_CASE("shmget.flags.noreserve", "SHM_NORESERVE makes an ordinary segment of the mode and size that were asked for",
           .level = LINUX, .clause = "shmget(2) SHM_NORESERVE")
{
#ifdef __linux__
        struct outcome made = try_shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | SHM_NORESERVE | 0640);
        check_succeeds(made);
        if (made.failed)
                return;
        struct shmid_ds ds = make_stat(id_of(made));
        check_mode(ds.shm_perm.mode, 0640);
        check_equal(ds.shm_segsz, SIZE);
        char *at = make_attached(id_of(made), 0);
        check_bytes("the new segment is all zero", at, SIZE, 0);
        fill_pattern(at, SIZE, 1);
        check_pattern("the segment keeps what is written", at, SIZE, 1);
#endif
}

/* Huge pages want a privilege of the initial user namespace, and then a page in the pool. */
LINUX_CASE("shmget.flags.nowait_is_hugetlb",
           "IPC_NOWAIT is SHM_HUGETLB to shmget, so that it fails where there are no huge pages",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c newseg()", .needs = NEED_NO_HUGEPAGES)
{
#ifdef __linux__
        check_fails(try_shmget(KEY, SIZE, IPC_CREAT | IPC_NOWAIT | 0600), ENOMEM, EPERM);
        check_fails(try_shmget(KEY, 0, 0), ENOENT);
#endif
}

LINUX_CASE("shmget.flags.private_hugetlb", "SHM_HUGETLB counts with IPC_PRIVATE too", .level = LINUX_UNDOCUMENTED,
           .clause = "Linux ipc/shm.c newseg()", .needs = NEED_NO_HUGEPAGES,
           .note = "shmget(2) NOTES says that IPC_PRIVATE ignores all but the low 9 bits: not so")
{
#ifdef __linux__
        check_fails(try_shmget(IPC_PRIVATE, SIZE, SHM_HUGETLB | 0600), ENOMEM, EPERM);
#endif
}
