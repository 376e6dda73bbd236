/*
 * shmctl with IPC_STAT: what each member of struct shmid_ds shows when the
 * segment is new and after each event that may move it, which bytes of the
 * caller's buffer are written, and whom the mode lets read.
 *
 * EOVERFLOW, and the offsets and types of the members, are in shmctl_abi.c.
 */
#include "case.h"

#include <grp.h>
#include <sched.h>
#if !defined(__dietlibc__)
#include <pthread.h>
#endif

#define POISON 0x5a
#define OTHER_POISON 0xa5

/* What a child found out and the case goes on with. */
struct found {
        int id;
        pid_t pid;
};

static struct outcome stat_poisoned(int id, struct stat_buffer *b, int poison)
{
        memset(b, poison, sizeof(*b));
        return try_shmctl(id, IPC_STAT, &b->is.ds);
}

/* ---- a new segment ---- */

CASE("shmctl.stat.returns_zero", "IPC_STAT on a readable segment returns exactly 0", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmctl RETURN VALUE")
{
        int id = make_segment(IPC_PRIVATE, PAGE, 0400);
        struct stat_buffer b;
        struct outcome o = stat_poisoned(id, &b, POISON);
        check_succeeds(o);
        check_equal(o.value, 0);
}

CASE("shmctl.stat.new_key", "A segment made with a key shows that key, also -1, INT_MIN and INT_MAX", .level = LINUX,
     .clause = "shmctl(2) struct ipc_perm", .note = "POSIX has no key member")
{
        const key_t keys[] = {KEY, (key_t)-1, INT_MIN, INT_MAX};
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
                struct outcome made = try_shmget(keys[i], 1, IPC_CREAT | IPC_EXCL | 0600);
                /* In a namespace that others share the odd keys may be somebody's. */
                if (made.failed && made.error == EEXIST)
                        continue;
                check_succeeds(made);
                if (!made.failed)
                        check_key(make_stat(id_of(made)).shm_perm.SHMC_PERM_KEY, keys[i]);
        }
}

CASE("shmctl.stat.new_private_key", "An IPC_PRIVATE segment shows key 0", .level = LINUX,
     .clause = "shmctl(2) struct ipc_perm")
{
        struct shmid_ds ds = make_stat(make_segment(IPC_PRIVATE, 1, 0600));
        check_key(ds.shm_perm.SHMC_PERM_KEY, 0);
}

/* Unprivileged where it can be, so that an owner who is left at 0 does not pass. */
CASE("shmctl.stat.new_owner", "A new segment shows uid and gid of its maker", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget DESCRIPTION", .needs = NEED_UNPRIVILEGED)
{
        struct shmid_ds ds = make_stat(make_segment(IPC_PRIVATE, 1, 0600));
        check_equal(ds.shm_perm.uid, geteuid());
        check_equal(ds.shm_perm.gid, getegid());
}

CASE("shmctl.stat.new_creator", "A new segment shows cuid and cgid of its maker", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget DESCRIPTION", .needs = NEED_UNPRIVILEGED)
{
        struct shmid_ds ds = make_stat(make_segment(IPC_PRIVATE, 1, 0600));
        check_equal(ds.shm_perm.cuid, geteuid());
        check_equal(ds.shm_perm.cgid, getegid());
}

CASE("shmctl.stat.new_ids_effective",
     "A segment made while the effective ids differ from the real ones shows the effective uid and gid in all four ids",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget DESCRIPTION", .needs = NEED_TWO_UIDS)
{
        make_sure(setgid(GROUP_A) == 0, "setgid: %s", strerror(errno));
        become_ids(USER_A, USER_B, USER_B, GROUP_B);
        struct shmid_ds ds = make_stat(make_segment(IPC_PRIVATE, 1, 0600));
        check_equal(ds.shm_perm.uid, USER_B);
        check_equal(ds.shm_perm.gid, GROUP_B);
        check_equal(ds.shm_perm.cuid, USER_B);
        check_equal(ds.shm_perm.cgid, GROUP_B);
}

CASE("shmctl.stat.new_mode", "The low nine mode bits are those of shmflg (0, 0421, 0640, 0777), whatever the umask",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget DESCRIPTION")
{
        static const mode_t masks[] = {0, 027, 0777};
        static const int modes[] = {0, 0421, 0640, 0777};
        for (size_t m = 0; m < sizeof(masks) / sizeof(masks[0]); m++) {
                umask(masks[m]);
                for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
                        /* Mode 0 is read back by privilege only. */
                        if (modes[i] == 0 && geteuid() != 0)
                                continue;
                        struct shmid_ds ds = make_stat(make_segment(IPC_PRIVATE, 1, modes[i]));
                        check_mode(ds.shm_perm.mode & 0777, modes[i]);
                }
        }
}

LINUX_CASE("shmctl.stat.new_mode_high_bits",
           "A new segment, also one made with SHM_NORESERVE, has no mode bit above 0777", .level = LINUX_UNDOCUMENTED,
           .clause = "Linux ipc/shm.c newseg()", .differs = "qemu-user leaves garbage in the upper half of mode")
{
#ifdef __linux__
        struct shmid_ds plain = make_stat(make_segment(IPC_PRIVATE, 1, 0640));
        check_mode(plain.shm_perm.mode, 0640);
        struct shmid_ds unreserved = make_stat(make_segment(IPC_PRIVATE, 1, SHM_NORESERVE | 0640));
        check_mode(unreserved.shm_perm.mode, 0640);
#endif
}

CASE("shmctl.stat.new_segsz", "shm_segsz is the size that was asked for, not rounded", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget DESCRIPTION")
{
        const size_t sizes[] = {1, 3333, PAGE - 1, PAGE, PAGE + 1};
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
                struct shmid_ds ds = make_stat(make_segment(IPC_PRIVATE, sizes[i], 0600));
                check_equal(ds.shm_segsz, sizes[i]);
        }
}

CASE("shmctl.stat.new_nattch", "A new segment has shm_nattch 0", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget DESCRIPTION")
{
        struct shmid_ds ds = make_stat(make_segment(IPC_PRIVATE, 1, 0600));
        check_equal(ds.shm_nattch, 0);
}

CASE("shmctl.stat.new_lpid", "A new segment has shm_lpid 0", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget DESCRIPTION")
{
        struct shmid_ds ds = make_stat(make_segment(IPC_PRIVATE, 1, 0600));
        check_equal(ds.shm_lpid, 0);
}

CASE("shmctl.stat.new_atime", "A new segment has shm_atime 0", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget DESCRIPTION")
{
        struct shmid_ds ds = make_stat(make_segment(IPC_PRIVATE, 1, 0600));
        check_equal(ds.shm_atime, 0);
}

CASE("shmctl.stat.new_dtime", "A new segment has shm_dtime 0", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget DESCRIPTION")
{
        struct shmid_ds ds = make_stat(make_segment(IPC_PRIVATE, 1, 0600));
        check_equal(ds.shm_dtime, 0);
}

CASE("shmctl.stat.new_ctime", "A new segment has a shm_ctime between the time before and after shmget",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget DESCRIPTION")
{
        time_t before = stamp_time();
        int id = make_segment(IPC_PRIVATE, 1, 0600);
        time_t after = stamp_time();
        struct shmid_ds ds = make_stat(id);
        check_between(ds.shm_ctime, before, after);
}

CASE("shmctl.stat.new_cpid", "shm_cpid is the process id of the maker", .level = POSIX_SHALL,
     .clause = "POSIX XBD <sys/shm.h> shm_cpid")
{
        struct shmid_ds ds = make_stat(make_segment(IPC_PRIVATE, 1, 0600));
        check_equal(ds.shm_cpid, getpid());
}

#if !defined(__dietlibc__)
static void *make_and_attach(void *id)
{
        *(int *)id = make_segment(IPC_PRIVATE, 1, 0600);
        make_attached(*(int *)id, 0);
        return NULL;
}
#endif

CASE("shmctl.stat.thread_pids",
     "A segment made and attached by a second thread shows the process id in shm_cpid and shm_lpid",
     .level = POSIX_SHALL, .clause = "POSIX XBD <sys/shm.h> shm_cpid; POSIX XBD <sys/shm.h> shm_lpid",
     .needs = NEED_THREADS)
{
#if !defined(__dietlibc__)
        int id = -1;
        pthread_t thread;
        make_sure(pthread_create(&thread, NULL, make_and_attach, &id) == 0, "a second thread cannot be started");
        make_sure(pthread_join(thread, NULL) == 0, "the second thread cannot be joined");
        struct shmid_ds ds = make_stat(id);
        check_equal(ds.shm_cpid, getpid());
        check_equal(ds.shm_lpid, getpid());
#endif
}

CASE("shmctl.stat.cpid_outlives_creator", "After the creator was reaped its process id is still shown as shm_cpid",
     .level = POSIX_SHALL, .clause = "POSIX XBD <sys/shm.h> shm_cpid")
{
        struct found *found = make_shared(sizeof(*found));
        IN_CHILD
        {
                found->id = make_segment(IPC_PRIVATE, 1, 0600);
                found->pid = getpid();
        }
        struct shmid_ds ds = make_stat(found->id);
        check_equal(ds.shm_cpid, found->pid);
}

LINUX_CASE("shmctl.stat.pid_outside_namespace",
           "A creator and a last process that do not exist in the caller's PID namespace are shown as 0",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shmctl_stat()", .needs = NEED_PID_NAMESPACE,
           .note = "before Linux 4.17 the number of the creator's own namespace was shown")
{
#ifdef __linux__
        int id = make_touched_segment(IPC_PRIVATE, PAGE + 1, 0640, 1);
        make_pid_namespace();
        IN_CHILD
        {
                struct shmid_ds ds = make_stat(id);
                check_equal(ds.shm_cpid, 0);
                check_equal(ds.shm_lpid, 0);
        }
#endif
}

LINUX_CASE("shmctl.stat.unmapped_ids",
           "Ids that the caller's user namespace does not map are shown as the overflow ids",
           .level = LINUX_UNDOCUMENTED, .clause = "user_namespaces(7) Unmapped user and group IDs",
           .needs = NEED_USER_NAMESPACE)
{
#ifdef __linux__
        int id = make_segment(IPC_PRIVATE, 1, 0644);
        struct shmid_ds outside = make_stat(id);
        IN_CHILD
        {
                make_sure(unshare(CLONE_NEWUSER) == 0, "unshare(CLONE_NEWUSER): %s", strerror(errno));
                if (getuid() == outside.shm_perm.uid)
                        skip_case("the caller's own uid is the overflow id");
                struct stat_buffer b;
                struct outcome o = stat_poisoned(id, &b, POISON);
                check_succeeds(o);
                /* Nothing is mapped yet, so getuid and getgid give the overflow ids. */
                check_equal(b.is.ds.shm_perm.uid, getuid());
                check_equal(b.is.ds.shm_perm.gid, getgid());
                check_equal(b.is.ds.shm_perm.cuid, getuid());
                check_equal(b.is.ds.shm_perm.cgid, getgid());
        }
#endif
}

/* ---- after an attach ---- */

CASE("shmctl.stat.attach_nattch", "An attach adds 1 to shm_nattch", .level = POSIX_SHALL,
     .clause = "POSIX XBD <sys/shm.h> shm_nattch")
{
        int id = make_segment(IPC_PRIVATE, 1, 0600);
        check_succeeds(try_shmat(id, NULL, 0));
        check_equal(make_stat(id).shm_nattch, 1);
}

CASE("shmctl.stat.attach_twice", "Two attaches by one process count 2", .level = POSIX_SHALL,
     .clause = "POSIX XBD <sys/shm.h> shm_nattch",
     .note = "shmctl(2) calls it the number of processes, which no kernel makes true")
{
        int id = make_segment(IPC_PRIVATE, 1, 0600);
        make_attached(id, 0);
        check_succeeds(try_shmat(id, NULL, SHM_RDONLY));
        check_equal(make_stat(id).shm_nattch, 2);
}

CASE("shmctl.stat.attach_lpid", "After an attach shm_lpid is the process id of the attacher", .level = POSIX_SHALL,
     .clause = "POSIX XBD <sys/shm.h> shm_lpid")
{
        int id = make_touched_segment(IPC_PRIVATE, PAGE + 1, 0640, 1);
        check_succeeds(try_shmat(id, NULL, 0));
        check_equal(make_stat(id).shm_lpid, getpid());
}

CASE("shmctl.stat.attach_atime", "After an attach shm_atime is now", .level = POSIX_SHALL,
     .clause = "POSIX XBD <sys/shm.h> shm_atime", .needs = NEED_CLOCK_TICK)
{
        int id = make_touched_segment(IPC_PRIVATE, PAGE + 1, 0640, 1);
        wait_for_tick();
        time_t before = stamp_time();
        check_succeeds(try_shmat(id, NULL, 0));
        time_t after = stamp_time();
        check_between(make_stat(id).shm_atime, before, after);
}

CASE("shmctl.stat.attach_leaves_rest",
     "An attach, read-write or read-only, alters shm_atime, shm_lpid and shm_nattch only", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmat DESCRIPTION", .needs = NEED_CLOCK_TICK)
{
        int ids[] = {make_touched_segment(IPC_PRIVATE, PAGE + 1, 0640, 1),
                     make_touched_segment(IPC_PRIVATE, PAGE + 1, 0640, 1)};
        struct shmid_ds before[] = {make_stat(ids[0]), make_stat(ids[1])};
        wait_for_tick();
        check_succeeds(try_shmat(ids[0], NULL, 0));
        check_succeeds(try_shmat(ids[1], NULL, SHM_RDONLY));
        for (size_t i = 0; i < 2; i++) {
                struct shmid_ds now = make_stat(ids[i]);
                check_only_changed(&before[i], &now, M_ATIME | M_LPID | M_NATTCH);
        }
}

CASE("shmctl.stat.attach_failed", "An attach that fails (unaligned, over a mapping) alters no member",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmat DESCRIPTION", .needs = NEED_CLOCK_TICK)
{
        int id = make_touched_segment(IPC_PRIVATE, PAGE + 1, 0640, 1);
        char *taken = make_mapping(make_free_range(2 * PAGE), 2 * PAGE, PROT_READ);
        struct snapshot before = take_snapshot(id);
        wait_for_tick();
        make_sure(try_shmat(id, taken + 1, 0).failed, "an unaligned attach succeeds");
        check_unchanged(&before);
        make_sure(try_shmat(id, taken, 0).failed, "an attach over a mapping succeeds");
        check_unchanged(&before);
}

/* ---- after a detach, fork, exit, exec ---- */

CASE("shmctl.stat.detach_nattch", "shmdt takes 1 from shm_nattch", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmdt DESCRIPTION")
{
        int id = make_segment(IPC_PRIVATE, 1, 0600);
        void *first = make_attached(id, 0);
        void *second = make_attached(id, 0);
        check_succeeds(try_shmdt(first));
        check_equal(make_stat(id).shm_nattch, 1);
        check_succeeds(try_shmdt(second));
        check_equal(make_stat(id).shm_nattch, 0);
}

CASE("shmctl.stat.detach_dtime", "After shmdt shm_dtime is now", .level = POSIX_SHALL,
     .clause = "POSIX XBD <sys/shm.h> shm_dtime", .needs = NEED_CLOCK_TICK)
{
        int id = make_touched_segment(IPC_PRIVATE, PAGE + 1, 0640, 1);
        void *at = make_attached(id, 0);
        wait_for_tick();
        time_t before = stamp_time();
        check_succeeds(try_shmdt(at));
        time_t after = stamp_time();
        check_between(make_stat(id).shm_dtime, before, after);
}

CASE("shmctl.stat.detach_lpid", "After shmdt in a child shm_lpid is the child", .level = POSIX_SHALL,
     .clause = "POSIX XBD <sys/shm.h> shm_lpid")
{
        int id = make_segment(IPC_PRIVATE, 1, 0600);
        void *at = make_attached(id, 0);
        IN_CHILD
        {
                check_succeeds(try_shmdt(at));
                check_equal(make_stat(id).shm_lpid, getpid());
        }
}

CASE("shmctl.stat.detach_leaves_rest", "shmdt alters shm_dtime, shm_lpid and shm_nattch only", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmdt DESCRIPTION", .needs = NEED_CLOCK_TICK)
{
        int id = make_touched_segment(IPC_PRIVATE, PAGE + 1, 0640, 1);
        void *at = make_attached(id, 0);
        struct shmid_ds before = make_stat(id);
        wait_for_tick();
        check_succeeds(try_shmdt(at));
        struct shmid_ds now = make_stat(id);
        check_only_changed(&before, &now, M_DTIME | M_LPID | M_NATTCH);
}

CASE("shmctl.stat.fork_nattch", "fork of an attached process adds 1 to shm_nattch for each attach", .level = LINUX,
     .clause = "shmop(2) NOTES")
{
        int id = make_segment(IPC_PRIVATE, 1, 0600);
        make_attached(id, 0);
        make_attached(id, SHM_RDONLY);
        IN_CHILD
        {
                check_equal(make_stat(id).shm_nattch, 4);
        }
}

CASE("shmctl.stat.fork_atime_lpid", "fork of an attached process sets shm_atime to now and shm_lpid to the parent",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shm_open()", .needs = NEED_CLOCK_TICK)
{
        int id = make_segment(IPC_PRIVATE, PAGE, 0600);
        make_attached(id, 0);
        make_touched_by_another(id, PAGE, 1);
        pid_t parent = getpid();
        make_sure(make_stat(id).shm_lpid != parent, "the last process is not the one that exited last");
        wait_for_tick();
        time_t before = stamp_time();
        IN_CHILD
        {
                struct shmid_ds ds = make_stat(id);
                check_between(ds.shm_atime, before, stamp_time());
                check_equal(ds.shm_lpid, parent);
        }
}

CASE("shmctl.stat.exit_nattch", "Exit of an attached process takes each of its attaches from shm_nattch",
     .level = POSIX_SHALL, .clause = "POSIX XSH _Exit Consequences of Process Termination")
{
        int id = make_segment(IPC_PRIVATE, 1, 0600);
        make_attached(id, 0);
        struct child c;
        CHILD(&c, "attached")
        {
                tell_parent(&c);
                await_parent(&c);
                make_attached(id, 0);
                tell_parent(&c);
                await_parent(&c);
        }
        await_child(&c);
        uintmax_t inherited = make_stat(id).shm_nattch;
        tell_child(&c);
        await_child(&c);
        make_sure(make_stat(id).shm_nattch == inherited + 1, "the child's attach is not counted");
        tell_child(&c);
        join_child(&c);
        check_equal(make_stat(id).shm_nattch, 1);
}

CASE("shmctl.stat.exit_dtime_lpid", "Exit of an attached process sets shm_dtime to now and shm_lpid to it",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shm_close()", .needs = NEED_CLOCK_TICK)
{
        int id = make_segment(IPC_PRIVATE, PAGE, 0600);
        struct child c;
        start_holder(&c, id);
        make_touched_by_another(id, PAGE, 1);
        wait_for_tick();
        time_t before = stamp_time();
        end_holder(&c);
        struct shmid_ds ds = make_stat(id);
        check_between(ds.shm_dtime, before, stamp_time());
        check_equal(ds.shm_lpid, c.pid);
}

CASE("shmctl.stat.kill_nattch", "SIGKILL of an attached process takes 1 from shm_nattch", .level = POSIX_SHALL,
     .clause = "POSIX XSH _Exit Consequences of Process Termination",
     .note = "Linux also sets shm_lpid to the process that was killed")
{
        int id = make_segment(IPC_PRIVATE, PAGE, 0600);
        struct child c;
        start_holder(&c, id);
        make_touched_by_another(id, PAGE, 1);
        make_sure(make_stat(id).shm_nattch == 1, "the child's attach is not counted");
        kill_child(&c, SIGKILL);
        struct shmid_ds ds = make_stat(id);
        check_equal(ds.shm_nattch, 0);
        LINUX_ONLY
        {
                check_equal(ds.shm_lpid, c.pid);
        }
}

CASE("shmctl.stat.exec_nattch", "exec detaches: shm_nattch falls by 1 while the new program runs", .level = POSIX_SHALL,
     .clause = "POSIX XSH exec DESCRIPTION", .note = "Linux also sets shm_lpid to the process that called exec")
{
        int id = make_segment(IPC_PRIVATE, PAGE, 0600);
        struct child c;
        CHILD(&c, "exec")
        {
                make_attached(id, 0);
                tell_parent(&c);
                await_parent(&c);
                exec_holder(&c);
        }
        await_child(&c);
        make_touched_by_another(id, PAGE, 1);
        make_sure(make_stat(id).shm_nattch == 1, "the child's attach is not counted");
        tell_child(&c);
        await_child(&c);
        struct shmid_ds ds = make_stat(id);
        check_equal(ds.shm_nattch, 0);
        LINUX_ONLY
        {
                check_equal(ds.shm_lpid, c.pid);
        }
        end_holder(&c);
}

CASE("shmctl.stat.changes_nothing",
     "IPC_STATs of one process, of another, and of the first again a tick later give equal structures",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmctl IPC_STAT", .needs = NEED_CLOCK_TICK)
{
        int id = make_touched_segment(IPC_PRIVATE, PAGE + 1, 0640, 1);
        struct shmid_ds *there = make_shared(sizeof(*there));
        struct child reader;
        /* Begun before the attach: who inherits one moves what is to stay. */
        CHILD(&reader, "reader")
        {
                await_parent(&reader);
                *there = make_stat(id);
        }
        make_attached(id, 0);
        make_touched_by_another(id, PAGE, 1);
        struct shmid_ds before = make_stat(id);
        wait_for_tick();
        struct shmid_ds now = make_stat(id);
        check_only_changed(&before, &now, 0);
        end_holder(&reader);
        check_only_changed(&before, there, 0);
        struct shmid_ds again = make_stat(id);
        check_only_changed(&before, &again, 0);
}

/* ---- the buffer ---- */

#define MEMBER(name) #name, offsetof(struct shmid_ds, name), sizeof(((struct shmid_ds *)0)->name)
static const struct place {
        const char *name;
        size_t offset, size;
} members[] = {
        {MEMBER(shm_perm.uid)},
        {MEMBER(shm_perm.gid)},
        {MEMBER(shm_perm.cuid)},
        {MEMBER(shm_perm.cgid)},
        {MEMBER(shm_perm.mode)},
        {MEMBER(shm_segsz)},
        {MEMBER(shm_lpid)},
        {MEMBER(shm_cpid)},
        {MEMBER(shm_nattch)},
        {MEMBER(shm_atime)},
        {MEMBER(shm_dtime)},
        {MEMBER(shm_ctime)},
        /* The two that POSIX does not name come last. */
        {MEMBER(shm_perm.SHMC_PERM_KEY)},
        {MEMBER(shm_perm.SHMC_PERM_SEQ)},
};
#define POSIX_MEMBERS (sizeof(members) / sizeof(members[0]) - 2)

CASE("shmctl.stat.whole_struct", "IPC_STAT leaves no byte of a member that POSIX names as it was", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmctl IPC_STAT")
{
        int id = make_touched_segment(IPC_PRIVATE, PAGE + 1, 0640, 1);
        struct stat_buffer a;
        struct stat_buffer b;
        check_succeeds(stat_poisoned(id, &a, POISON));
        check_succeeds(stat_poisoned(id, &b, OTHER_POISON));
        for (size_t i = 0; i < POSIX_MEMBERS; i++) {
                const struct place *m = &members[i];
                bool written = memcmp(a.is.bytes + m->offset, b.is.bytes + m->offset, m->size) == 0;
                check_explained(written, m->name, "keeps what was in the buffer");
        }
}

LINUX_CASE("shmctl.stat.reserved_zero", "The pad and reserved bytes of struct shmid_ds read 0",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shmctl_stat()", .needs = NEED_64_BIT,
           .note = "32-bit C libraries do not write the last 8 bytes")
{
#ifdef __linux__
        int id = make_touched_segment(IPC_PRIVATE, PAGE + 1, 0640, 1);
        struct stat_buffer b;
        check_succeeds(stat_poisoned(id, &b, OTHER_POISON));
        for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
                memset(b.is.bytes + members[i].offset, 0, members[i].size);
        check_bytes("the bytes of struct shmid_ds between its members", b.is.bytes, sizeof(b.is.ds), 0);
#endif
}

CASE("shmctl.stat.guard_bytes", "IPC_STAT writes no byte before or after struct shmid_ds", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmctl IPC_STAT")
{
        int id = make_touched_segment(IPC_PRIVATE, PAGE + 1, 0640, 1);
        static const int poisons[] = {POISON, OTHER_POISON};
        for (size_t i = 0; i < 2; i++) {
                struct stat_buffer b;
                check_succeeds(stat_poisoned(id, &b, poisons[i]));
                check_bytes("bytes before the structure", b.before, sizeof(b.before), poisons[i]);
                check_bytes("bytes after the structure", b.is.bytes + sizeof(b.is.ds),
                            sizeof(b.is.bytes) - sizeof(b.is.ds), poisons[i]);
                check_bytes("bytes further on", b.after, sizeof(b.after), poisons[i]);
        }
}

CASE("shmctl.stat.failed_leaves_buf", "IPC_STAT that fails with EINVAL or EACCES leaves the buffer as it was",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c ksys_shmctl()", .needs = NEED_UNPRIVILEGED)
{
        struct stat_buffer b;
        check_fails(stat_poisoned(make_stale_id(), &b, POISON), EINVAL);
        check_bytes("the buffer after EINVAL", &b, sizeof(b), POISON);
        check_fails(stat_poisoned(make_segment(IPC_PRIVATE, 1, 0), &b, POISON), EACCES);
        check_bytes("the buffer after EACCES", &b, sizeof(b), POISON);
}

LINUX_CASE("shmctl.stat.buf_null", "IPC_STAT with buf NULL fails with EFAULT", .level = LINUX,
           .clause = "shmctl(2) ERRORS EFAULT")
{
#ifdef __linux__
        int id = make_touched_segment(IPC_PRIVATE, PAGE + 1, 0640, 1);
        struct snapshot before = take_snapshot(id);
        check_bad_buffer(id, IPC_STAT, NULL, EFAULT);
        check_unchanged(&before);
#endif
}

LINUX_CASE("shmctl.stat.buf_unmapped",
           "IPC_STAT into address 16, -1, the last page or a PROT_NONE page fails with EFAULT", .level = LINUX,
           .clause = "shmctl(2) ERRORS EFAULT")
{
#ifdef __linux__
        int id = make_touched_segment(IPC_PRIVATE, PAGE + 1, 0640, 1);
        check_bad_buffer(id, IPC_STAT, (void *)16, EFAULT);
        check_bad_buffer(id, IPC_STAT, (void *)UINTPTR_MAX, EFAULT);
        check_bad_buffer(id, IPC_STAT, (void *)(UINTPTR_MAX - PAGE + 1), EFAULT);
        check_bad_buffer(id, IPC_STAT, make_mapping(NULL, PAGE, PROT_NONE), EFAULT);
#endif
}

LINUX_CASE("shmctl.stat.buf_read_only", "IPC_STAT into a PROT_READ page fails with EFAULT", .level = LINUX,
           .clause = "shmctl(2) ERRORS EFAULT")
{
#ifdef __linux__
        int id = make_touched_segment(IPC_PRIVATE, PAGE + 1, 0640, 1);
        unsigned char *page = make_mapping(NULL, PAGE, PROT_READ);
        check_bad_buffer(id, IPC_STAT, page, EFAULT);
        check_bytes("the page", page, PAGE, 0);
#endif
}

LINUX_CASE("shmctl.stat.buf_crossing",
           "IPC_STAT into a buffer whose last byte lies in an unmapped page fails with EFAULT", .level = LINUX,
           .clause = "shmctl(2) ERRORS EFAULT", .needs = NEED_64_BIT,
           .note = "32-bit C libraries copy member by member: only a member that is cut faults")
{
#ifdef __linux__
        int id = make_touched_segment(IPC_PRIVATE, PAGE + 1, 0640, 1);
        struct snapshot before = take_snapshot(id);
        check_bad_buffer(id, IPC_STAT, make_fenced_page() + PAGE - sizeof(struct shmid_ds) + 1, EFAULT);
        check_unchanged(&before);
#endif
}

CASE("shmctl.stat.buf_page_edges", "IPC_STAT into the first or the last bytes of a mapped area works",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmctl IPC_STAT")
{
        int id = make_touched_segment(IPC_PRIVATE, PAGE + 1, 0640, 1);
        unsigned char *page = make_fenced_page();
        const size_t places[] = {0, PAGE - sizeof(struct shmid_ds)};
        struct death d;
        DOOMED(&d)
        {
                for (size_t i = 0; i < 2; i++) {
                        memset(page, POISON, PAGE);
                        struct shmid_ds *ds = (struct shmid_ds *)(void *)(page + places[i]);
                        check_succeeds(try_shmctl(id, IPC_STAT, ds));
                        check_equal(ds->shm_segsz, PAGE + 1);
                }
        }
        check_death("the caller lives", &d, OK);
}

LINUX_CASE("shmctl.stat.buf_unaligned", "IPC_STAT into an odd address works", .level = LINUX_UNDOCUMENTED,
           .clause = "x86 ABI", .note = "judged on x86 only: other machines may fault")
{
#if defined(__linux__)
#if defined(__x86_64__) || defined(__i386__)
        int id = make_touched_segment(IPC_PRIVATE, PAGE + 1, 0640, 1);
        struct stat_buffer aligned;
        check_succeeds(stat_poisoned(id, &aligned, POISON));
        unsigned char room[2 * sizeof(struct shmid_ds)];
        memset(room, POISON, sizeof(room));
        void *odd = room + 1 + ((uintptr_t)room & 1);
        errno = 0;
        int r = shmctl(id, IPC_STAT, odd);
        check_succeeds(try_other("shmctl(id, IPC_STAT, odd address)", r, r == -1, errno));
        check_that(memcmp(odd, aligned.is.bytes, sizeof(aligned.is.ds)) == 0,
                   "the bytes are those of an aligned buffer");
#else
        skip_case("this machine is not an x86");
#endif
#endif
}

CASE("shmctl.stat.buf_in_segment", "IPC_STAT into the attached segment itself works", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmctl IPC_STAT", .note = "through a read-only attach it cannot: EFAULT on 64-bit Linux")
{
        int id = make_segment(IPC_PRIVATE, PAGE, 0600);
        struct shmid_ds *ds = make_attached(id, 0);
        check_succeeds(try_shmctl(id, IPC_STAT, ds));
        check_equal(ds->shm_segsz, PAGE);
        check_equal(ds->shm_nattch, 1);
#ifdef __linux__
        LINUX_ONLY
        {
                check_bad_buffer(id, IPC_STAT, make_attached(id, SHM_RDONLY), EFAULT);
        }
#endif
}

/* ---- who may ---- */

/* The caller made the segment and owns it. */
static const struct own_row {
        ROW_HEAD;
        int mode;
        int expected;
} own_modes[] = {
        {ROW("shmctl.stat.owner_read_only", "The owner may IPC_STAT a segment of mode 0400", .level = POSIX_SHALL,
             .clause = "POSIX XSH shmctl ERRORS EACCES", .needs = NEED_UNPRIVILEGED),
         0400, OK},
        {ROW("shmctl.stat.owner_write_only", "The owner's IPC_STAT of a segment of mode 0200 fails with EACCES",
             .level = POSIX_SHALL, .clause = "POSIX XSH shmctl ERRORS EACCES", .needs = NEED_UNPRIVILEGED),
         0200, EACCES},
        {ROW("shmctl.stat.owner_mode_zero", "The owner's IPC_STAT of a segment of mode 0 fails with EACCES",
             .level = POSIX_SHALL, .clause = "POSIX XSH shmctl ERRORS EACCES", .needs = NEED_UNPRIVILEGED,
             .note = "IPC_SET and IPC_RMID need no permission bit"),
         0, EACCES},
        {ROW("shmctl.stat.owner_class_first",
             "The owner's IPC_STAT of a segment of mode 0077 fails with EACCES though group and other may read",
             .level = POSIX_SHALL, .clause = "POSIX XSH 2.7.1 IPC General Description", .needs = NEED_UNPRIVILEGED),
         0077, EACCES},
};

TABLE(own_modes, struct own_row, row)
{
        int id = make_segment(IPC_PRIVATE, 1, row->mode);
        struct stat_buffer b;
        check_result(stat_poisoned(id, &b, POISON), row->expected);
}

#define PERMISSION_CLASSES                                                                                             \
        .level = POSIX_SHALL, .clause = "POSIX XSH 2.7.1 IPC General Description", .needs = NEED_TWO_UIDS

/* The segment is the case's own (uid and gid 0), given to USER_A and GROUP_A; the caller is another. */
static const struct class_row {
        ROW_HEAD;
        uid_t uid;
        gid_t gid;
        bool creators_group; /* gid is the creator's, whatever it is */
        mode_t mode;
        int expected;
} classes[] = {
        {ROW("shmctl.stat.group_read", "IPC_STAT of a segment of mode 0040 by a member of its group succeeds",
             PERMISSION_CLASSES),
         USER_B, GROUP_A, false, 0040, OK},
        {ROW("shmctl.stat.group_write_only",
             "IPC_STAT of a segment of mode 0020 by a member of its group fails with EACCES", PERMISSION_CLASSES),
         USER_B, GROUP_A, false, 0020, EACCES},
        {ROW("shmctl.stat.group_class_first",
             "IPC_STAT of a segment of mode 0604 by a member of its group fails with EACCES though others may read",
             PERMISSION_CLASSES),
         USER_B, GROUP_A, false, 0604, EACCES},
        {ROW("shmctl.stat.creator_group",
             "IPC_STAT of a segment of mode 0040 by a member of the creator's group, not of the owner's, succeeds",
             PERMISSION_CLASSES),
         USER_B, 0, true, 0040, OK},
        {ROW("shmctl.stat.other_read", "IPC_STAT of a segment of mode 0004 by another user succeeds",
             PERMISSION_CLASSES),
         USER_B, GROUP_B, false, 0004, OK},
        {ROW("shmctl.stat.other_no_read", "IPC_STAT of a segment of mode 0662 by another user fails with EACCES",
             PERMISSION_CLASSES),
         USER_B, GROUP_B, false, 0662, EACCES},
};

TABLE(classes, struct class_row, row)
{
        int id = make_segment(IPC_PRIVATE, 1, 0600);
        make_ownership(id, USER_A, GROUP_A, row->mode);
        struct snapshot before = take_snapshot(id);
        AS_USER(row->uid, row->creators_group ? before.ds.shm_perm.cgid : row->gid)
        {
                struct stat_buffer b;
                check_result(stat_poisoned(id, &b, POISON), row->expected);
        }
        check_unchanged(&before);
}

/* The caller made the segment and gave it away. */
static const struct own_row creator_modes[] = {
        {ROW("shmctl.stat.creator_owner_bits",
             "IPC_STAT of a segment of mode 0400 by its creator who is not the owner succeeds", PERMISSION_CLASSES),
         0400, OK},
        {ROW("shmctl.stat.creator_class_first",
             "IPC_STAT of a segment of mode 0066 by its creator who is not the owner fails with EACCES",
             PERMISSION_CLASSES),
         0066, EACCES},
};

TABLE(creator_modes, struct own_row, row)
{
        AS_USER(USER_A, GROUP_A)
        {
                int id = make_segment(IPC_PRIVATE, 1, 0600);
                make_ownership(id, USER_B, GROUP_B, (mode_t)row->mode);
                struct stat_buffer b;
                check_result(stat_poisoned(id, &b, POISON), row->expected);
        }
}

CASE("shmctl.stat.supplementary_group",
     "IPC_STAT of a segment of mode 0040 succeeds when its group is only among the caller's supplementary groups",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/util.c ipcperms()", .needs = NEED_TWO_UIDS,
     .note = "POSIX names the effective group only")
{
        int id = make_segment(IPC_PRIVATE, 1, 0600);
        make_ownership(id, USER_A, GROUP_A, 0040);
        IN_CHILD
        {
                const gid_t groups[] = {GROUP_C, GROUP_A};
                make_sure(setgroups(2, groups) == 0 && setgid(GROUP_B) == 0 && setuid(USER_B) == 0,
                          "cannot become another user: %s", strerror(errno));
                struct stat_buffer b;
                check_result(stat_poisoned(id, &b, POISON), ON_POSIX(OK, EACCES), ON_LINUX(OK));
        }
}

CASE("shmctl.stat.real_group",
     "IPC_STAT of a segment of mode 0040 fails with EACCES when only the caller's real group is the segment's",
     PERMISSION_CLASSES)
{
        int id = make_segment(IPC_PRIVATE, 1, 0600);
        make_ownership(id, USER_A, GROUP_A, 0040);
        make_sure(setgid(GROUP_A) == 0, "setgid: %s", strerror(errno));
        become_ids(USER_B, USER_B, USER_B, GROUP_B);
        struct stat_buffer b;
        check_fails(stat_poisoned(id, &b, POISON), EACCES);
}

LINUX_CASE("shmctl.stat.cap_ipc_owner", "IPC_STAT of a segment of mode 0 succeeds with CAP_IPC_OWNER alone",
           .level = LINUX, .clause = "capabilities(7) CAP_IPC_OWNER", .needs = NEED_CAP_DROP)
{
#ifdef __linux__
        int id = make_segment(IPC_PRIVATE, 1, 0);
        make_only_capabilities(CAP_IPC_OWNER_BIT);
        struct stat_buffer b;
        check_succeeds(stat_poisoned(id, &b, POISON));
#endif
}

LINUX_CASE("shmctl.stat.without_cap_ipc_owner",
           "CAP_SYS_ADMIN and CAP_DAC_* do not let the creator IPC_STAT a segment of mode 0: EACCES", .level = LINUX,
           .clause = "shmctl(2) ERRORS EACCES", .needs = NEED_CAP_DROP | NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        int id = make_segment(IPC_PRIVATE, 1, 0);
        struct stat_buffer b;
        make_only_capabilities(CAP_SYS_ADMIN_BIT | CAP_DAC_OVERRIDE_BIT | CAP_DAC_READ_SEARCH_BIT);
        check_fails(stat_poisoned(id, &b, POISON), EACCES);
        make_only_capabilities(0);
        check_fails(stat_poisoned(id, &b, POISON), EACCES);
#endif
}
