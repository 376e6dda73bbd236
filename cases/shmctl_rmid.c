/*
 * shmctl with IPC_RMID: what is gone at once, what lives on while somebody is
 * attached, when that ends, who may, and what happens when several try.
 *
 * POSIX has the identifier removed by the call itself; Linux keeps the
 * identifier of an attached segment valid until its last detach, so what is
 * said of it then holds for Linux only.
 */
#include "case.h"

#include <sched.h>

#define SIZE 3333
#define INDEXES 32768 /* an identifier is its slot's index plus a multiple of it */
/* With ipcmni_extend, indexes are handed out in a cycle of this many; otherwise of fewer. */
#define LONGEST_CYCLE 4096
/* What make_stat fills its buffer with: what a platform does not write is then no change. */
#define FILLER 0x5a

/* No call knows the identifier. */
static void check_gone(int id)
{
        check_fails(try_stat(id), ON_POSIX(EINVAL, EIDRM), ON_LINUX(EINVAL));
        check_fails(try_set_mode(id, 0600), ON_POSIX(EINVAL, EIDRM), ON_LINUX(EINVAL));
        check_fails(try_shmctl(id, IPC_RMID, NULL), ON_POSIX(EINVAL, EIDRM), ON_LINUX(EINVAL));
        check_fails(try_shmat(id, NULL, 0), ON_POSIX(EINVAL, EIDRM), ON_LINUX(EINVAL));
#ifdef __linux__
        LINUX_ONLY
        {
                check_fails(try_shmctl(id, SHM_LOCK, NULL), EINVAL);
                check_fails(try_shmctl(id, SHM_UNLOCK, NULL), EINVAL);
        }
#endif
}

/* A segment with a key and a pattern, attached here and then removed. */
static int make_removed_attached(void **at)
{
        int id = make_filled_segment(KEY, SIZE, 0640, 1);
        make_touched_by_another(id, SIZE, 1);
        *at = make_attached(id, 0);
        make_removed(id);
        return id;
}

/* ---- nobody is attached ---- */

CASE("shmctl.rmid.unattached_gone",
     "IPC_RMID of an unattached segment succeeds and no call knows the identifier after it", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmctl IPC_RMID; POSIX XSH shmctl ERRORS EINVAL")
{
        int id = make_filled_segment(KEY, SIZE, 0600, 1);
        check_succeeds(try_shmctl(id, IPC_RMID, NULL));
        check_gone(id);
}

CASE("shmctl.rmid.unattached_key_free", "After IPC_RMID of an unattached segment its key finds nothing",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget ERRORS ENOENT")
{
        int id = make_segment(KEY, 1, 0600);
        check_succeeds(try_shmctl(id, IPC_RMID, NULL));
        check_fails(try_shmget(KEY, 0, 0), ENOENT);
}

LINUX_CASE("shmctl.rmid.unattached_totals",
           "IPC_RMID of an unattached segment takes it and its pages from the namespace's totals at once",
           .level = LINUX, .clause = "shmctl(2) SHM_INFO", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        make_segment(IPC_PRIVATE, 1, 0600);
        int id = make_segment(IPC_PRIVATE, PAGE + 1, 0600);
        struct totals before = make_totals();
        check_succeeds(try_shmctl(id, IPC_RMID, NULL));
        struct totals now = make_totals();
        check_equal(now.used_ids, before.used_ids - 1);
        check_equal(now.pages, before.pages - 2);
#endif
}

CASE("shmctl.rmid.key_reusable",
     "IPC_CREAT and IPC_EXCL on the key of a segment just removed make a new one: its own size and mode, zero-filled",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget DESCRIPTION")
{
        int old = make_filled_segment(KEY, PAGE + 1, 0640, 1);
        make_removed(old);
        struct outcome made = try_shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | 0604);
        check_succeeds(made);
        if (made.failed)
                return;
        struct shmid_ds ds = make_stat(id_of(made));
        check_equal(ds.shm_segsz, SIZE);
        check_mode(ds.shm_perm.mode & 0777, 0604);
        check_bytes("the new segment", make_attached(id_of(made), SHM_RDONLY), SIZE, 0);
        LINUX_ONLY
        {
                check_that(id_of(made) != old, "the new segment has another identifier");
        }
}

CASE("shmctl.rmid.stale_id", "The old identifier fails while the key's new segment lives, and leaves that one alone",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmctl ERRORS EINVAL")
{
        int old = make_segment(KEY, SIZE, 0600);
        make_removed(old);
        int id = make_filled_segment(KEY, SIZE, 0600, 1);
        if (id == old)
                skip_case("the platform gave the same identifier again");
        struct snapshot before = take_snapshot_mapped(id, make_attached(id, SHM_RDONLY));
        check_gone(old);
        check_unchanged(&before);
}

CASE("shmctl.rmid.stale_id_same_slot", "The old identifier fails when its slot of the table was filled again",
     .level = LINUX, .clause = "Linux ipc/util.c ipc_checkid()", .needs = NEED_IPC_NAMESPACE)
{
        int old = make_stale_id();
        int id = -1;
        int patience = LONGEST_CYCLE;
        do {
                if (id != -1)
                        quiet_rmid(id);
                id = quiet_shmget(IPC_PRIVATE, 1, 0600);
                make_sure(id != -1, "shmget: %s", strerror(errno));
        } while (id % INDEXES != old % INDEXES && patience-- > 0);
        if (id % INDEXES != old % INDEXES)
                skip_case("of %d segments none came to lie in the slot of the old one", LONGEST_CYCLE + 1);
        make_sure(id != old, "the old identifier was given again");
        struct snapshot before = take_snapshot(id);
        check_gone(old);
        check_unchanged(&before);
        quiet_rmid(id);
}

CASE("shmctl.rmid.id_not_reused", "300 rounds of create and remove give 300 different identifiers",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/util.c ipc_idr_alloc()", .needs = NEED_IPC_NAMESPACE)
{
        enum { ROUNDS = 300 };
        static int ids[ROUNDS];
        int repeated = 0;
        for (int i = 0; i < ROUNDS; i++) {
                ids[i] = quiet_shmget(IPC_PRIVATE, 1, 0600);
                make_sure(ids[i] != -1 && quiet_rmid(ids[i]) == 0, "round %d: %s", i, strerror(errno));
                for (int j = 0; j < i; j++)
                        repeated += ids[j] == ids[i];
        }
        check_equal(repeated, 0);
}

/* ---- somebody is attached ---- */

CASE("shmctl.rmid.attached_contents",
     "After IPC_RMID the contents stay readable and writable through an existing attach", .level = LINUX,
     .clause = "shmctl(2) IPC_RMID")
{
        int id = make_filled_segment(IPC_PRIVATE, SIZE, 0600, 1);
        void *at = make_attached(id, 0);
        check_succeeds(try_shmctl(id, IPC_RMID, NULL));
        struct death d;
        DOOMED(&d)
        {
                check_pattern("the contents after IPC_RMID", at, SIZE, 1);
                fill_pattern(at, SIZE, 2);
        }
        check_death("the attach can be read and written", &d, OK);
        if (d.signal_number == 0)
                check_pattern("what another attached process wrote after IPC_RMID", at, SIZE, 2);
}

LINUX_CASE("shmctl.rmid.attached_dest_bit",
           "IPC_STAT of a removed, attached segment shows SHM_DEST beside the permission bits", .level = LINUX,
           .clause = "shmctl(2) IPC_RMID")
{
#ifdef __linux__
        void *at;
        int id = make_removed_attached(&at);
        check_succeeds(try_stat(id));
        check_mode(make_stat(id).shm_perm.mode, SHM_DEST | 0640);
#endif
}

CASE("shmctl.rmid.attached_key_private", "IPC_STAT of a removed, attached segment shows key 0",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c do_shm_rmid()")
{
        void *at;
        int id = make_removed_attached(&at);
        check_key(make_stat(id).shm_perm.SHMC_PERM_KEY, 0);
}

CASE("shmctl.rmid.attached_rest_same", "IPC_RMID of an attached segment alters key and mode only, not shm_ctime",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c do_shm_rmid()", .needs = NEED_CLOCK_TICK)
{
        int id = make_filled_segment(KEY, SIZE, 0640, 1);
        make_attached(id, 0);
        make_touched_by_another(id, SIZE, 1);
        struct shmid_ds before = make_stat(id);
        wait_for_tick();
        check_succeeds(try_shmctl(id, IPC_RMID, NULL));
        struct shmid_ds now = make_stat(id);
        check_only_changed(&before, &now, M_KEY | M_MODE);
}

CASE("shmctl.rmid.attached_key_free", "After IPC_RMID of an attached segment its key finds nothing",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget ERRORS ENOENT")
{
        int id = make_segment(KEY, SIZE, 0640);
        make_attached(id, 0);
        check_succeeds(try_shmctl(id, IPC_RMID, NULL));
        check_fails(try_shmget(KEY, 0, 0), ENOENT);
}

CASE("shmctl.rmid.attached_key_recreate",
     "The key of a removed, attached segment makes a second one that shares no byte with the first",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget DESCRIPTION")
{
        void *at;
        make_removed_attached(&at);
        struct outcome made = try_shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | 0600);
        check_succeeds(made);
        if (made.failed)
                return;
        void *second = make_attached(id_of(made), 0);
        check_bytes("the second segment", second, SIZE, 0);
        fill_pattern(second, SIZE, 2);
        check_pattern("the first segment", at, SIZE, 1);
        check_succeeds(try_shmctl(id_of(made), IPC_RMID, NULL));
        make_detached(second);
        check_pattern("the first segment after the second is gone", at, SIZE, 1);
}

CASE("shmctl.rmid.attached_reattach",
     "shmat by the identifier of a removed, attached segment gives the same data, here and in another process",
     .level = LINUX, .clause = "shmop(2) NOTES", .note = "most other systems refuse it")
{
        void *at;
        int id = make_removed_attached(&at);
        struct outcome again = try_shmat(id, NULL, 0);
        check_succeeds(again);
        if (again.failed)
                return;
        check_pattern("the new attach", address_of(again), SIZE, 1);
        fill_pattern(address_of(again), SIZE, 2);
        check_pattern("the old attach", at, SIZE, 2);
        check_equal(make_stat(id).shm_nattch, 2);
        make_detached(address_of(again));
        IN_CHILD
        {
                make_detached(at);
                struct outcome there = try_shmat(id, NULL, SHM_RDONLY);
                check_succeeds(there);
                if (!there.failed)
                        check_pattern("another process's new attach", address_of(there), SIZE, 2);
        }
}

CASE("shmctl.rmid.attached_reattach_perm",
     "shmat by the identifier of a removed, attached segment still obeys the mode", .level = LINUX_UNDOCUMENTED,
     .clause = "Linux ipc/shm.c do_shmat()", .needs = NEED_TWO_UIDS)
{
        int id = make_segment(IPC_PRIVATE, SIZE, 0604);
        make_attached(id, 0);
        make_removed(id);
        AS_USER(USER_A, GROUP_A)
        {
                check_fails(try_shmat(id, NULL, 0), EACCES);
                check_succeeds(try_shmat(id, NULL, SHM_RDONLY));
        }
}

CASE("shmctl.rmid.attached_twice", "A second IPC_RMID of a removed, attached segment returns 0 and changes nothing",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c do_shm_rmid()")
{
        void *at;
        int id = make_removed_attached(&at);
        struct stat_buffer before;
        memset(&before, FILLER, sizeof(before));
        bool known = shmctl(id, IPC_STAT, &before.is.ds) == 0;
        check_result(try_shmctl(id, IPC_RMID, NULL), ON_POSIX(OK, EINVAL, EIDRM), ON_LINUX(OK));
        check_pattern("the contents", at, SIZE, 1);
        if (!known)
                return;
        struct shmid_ds now = make_stat(id);
        check_only_changed(&before.is.ds, &now, 0);
}

LINUX_CASE("shmctl.rmid.attached_totals",
           "A removed, attached segment stays in the namespace's totals until its last detach",
           .level = LINUX_UNDOCUMENTED, .clause = "shmctl(2) SHM_INFO", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        struct totals none = make_totals();
        int id = make_segment(IPC_PRIVATE, PAGE + 1, 0600);
        void *at = make_attached(id, 0);
        check_succeeds(try_shmctl(id, IPC_RMID, NULL));
        struct totals removed = make_totals();
        check_equal(removed.used_ids, none.used_ids + 1);
        check_equal(removed.pages, none.pages + 2);
        check_succeeds(try_shmdt(at));
        struct totals detached = make_totals();
        check_equal(detached.used_ids, none.used_ids);
        check_equal(detached.pages, none.pages);
#endif
}

LINUX_CASE("shmctl.rmid.attached_holds_shmmni",
           "With shmmni 1 a removed, attached segment fills the table until its last detach",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shm_destroy()",
           .needs = NEED_IPC_NAMESPACE | NEED_SYSCTL)
{
#ifdef __linux__
        make_sysctl("shmmni", "1");
        int id = make_segment(IPC_PRIVATE, SIZE, 0600);
        void *at = make_attached(id, 0);
        make_removed(id);
        check_fails(try_shmget(IPC_PRIVATE, SIZE, 0600), ENOSPC);
        check_succeeds(try_shmdt(at));
        struct outcome next = try_shmget(IPC_PRIVATE, SIZE, 0600);
        check_succeeds(next);
        check_succeeds(try_shmctl(id_of(next), IPC_RMID, NULL));
        check_succeeds(try_shmget(IPC_PRIVATE, SIZE, 0600));
#endif
}

/* ---- the last one goes ---- */

CASE("shmctl.rmid.not_last_detach", "A removed segment with two attaches stays when one of them is detached",
     .level = LINUX, .clause = "shmctl(2) IPC_RMID")
{
        int id = make_filled_segment(IPC_PRIVATE, SIZE, 0600, 1);
        void *first = make_attached(id, 0);
        void *second = make_attached(id, 0);
        make_removed(id);
        check_succeeds(try_shmdt(first));
        check_equal(make_stat(id).shm_nattch, 1);
        check_pattern("the other attach", second, SIZE, 1);
}

CASE("shmctl.rmid.last_detach", "The last detach of a removed segment destroys it", .level = LINUX,
     .clause = "shmctl(2) IPC_RMID")
{
        void *at;
        int id = make_removed_attached(&at);
        make_sure(!try_stat(id).failed, "the identifier is gone before the last detach");
        check_succeeds(try_shmdt(at));
        check_gone(id);
}

LINUX_CASE("shmctl.rmid.reattach_prolongs",
           "A removed segment that is attached by identifier again outlives the detach of its first attach",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shm_may_destroy()")
{
#ifdef __linux__
        void *at;
        int id = make_removed_attached(&at);
        void *second = make_attached(id, 0);
        make_detached(at);
        struct shmid_ds ds = make_stat(id);
        check_equal(ds.shm_nattch, 1);
        check_mode(ds.shm_perm.mode, SHM_DEST | 0640);
        check_pattern("the second attach", second, SIZE, 1);
        check_succeeds(try_shmdt(second));
        check_gone(id);
#endif
}

CASE("shmctl.rmid.last_munmap", "munmap of the only attach of a removed segment destroys it",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shm_close()")
{
        void *at;
        int id = make_removed_attached(&at);
        int r = munmap(at, SIZE);
        check_succeeds(try_other("munmap(attach, size)", r, r == -1, errno));
        check_gone(id);
}

static const struct end_row {
        ROW_HEAD;
        bool killed;
} ends[] = {
        {ROW("shmctl.rmid.exit_destroys", "Exit of the last attached process destroys a removed segment",
             .level = LINUX, .clause = "shmctl(2) IPC_RMID"),
         false},
        {ROW("shmctl.rmid.kill_destroys", "SIGKILL of the last attached process destroys a removed segment",
             .level = LINUX, .clause = "shmctl(2) IPC_RMID"),
         true},
};

TABLE(ends, struct end_row, row)
{
        int id = make_segment(IPC_PRIVATE, SIZE, 0600);
        struct child c;
        start_holder(&c, id);
        make_sure(attachments(id) == 1, "the child's attach is not counted");
        make_removed(id);
        if (row->killed)
                kill_child(&c, SIGKILL);
        else
                end_holder(&c);
        check_gone(id);
}

CASE("shmctl.rmid.exec_destroys",
     "exec in the last attached process destroys a removed segment while the new program runs", .level = LINUX,
     .clause = "shmop(2) DESCRIPTION")
{
        int id = make_segment(IPC_PRIVATE, SIZE, 0600);
        struct child c;
        CHILD(&c, "exec")
        {
                make_attached(id, 0);
                make_removed(id);
                exec_holder(&c);
        }
        await_child(&c);
        check_gone(id);
        end_holder(&c);
}

CASE("shmctl.rmid.fork_keeps", "A child forked after IPC_RMID keeps the segment alive when the parent detaches",
     .level = LINUX, .clause = "shmop(2) NOTES")
{
        void *at;
        int id = make_removed_attached(&at);
        struct child c;
        CHILD(&c, "heir")
        {
                tell_parent(&c);
                await_parent(&c);
                check_pattern("the child's inherited attach", at, SIZE, 1);
        }
        await_child(&c);
        check_succeeds(try_shmdt(at));
        check_equal(make_stat(id).shm_nattch, 1);
        tell_child(&c);
        join_child(&c);
        check_gone(id);
}

CASE("shmctl.rmid.by_unattached_process", "IPC_RMID by a process that is not attached leaves another's attach usable",
     .level = LINUX, .clause = "shmctl(2) IPC_RMID")
{
        int id = make_filled_segment(IPC_PRIVATE, SIZE, 0600, 1);
        struct child c;
        CHILD(&c, "attached")
        {
                void *at = make_attached(id, 0);
                tell_parent(&c);
                await_parent(&c);
                check_pattern("the contents after another process's IPC_RMID", at, SIZE, 1);
                fill_pattern(at, SIZE, 2);
                check_pattern("what was written after it", at, SIZE, 2);
                check_succeeds(try_shmdt(at));
        }
        await_child(&c);
        check_succeeds(try_shmctl(id, IPC_RMID, NULL));
        tell_child(&c);
        join_child(&c);
        check_gone(id);
}

/* ---- the buffer ---- */

CASE("shmctl.rmid.buf_null", "IPC_RMID with buf NULL succeeds", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmctl IPC_RMID")
{
        int id = make_segment(IPC_PRIVATE, SIZE, 0600);
        check_succeeds(try_shmctl(id, IPC_RMID, NULL));
        check_fails(try_stat(id), ON_POSIX(EINVAL, EIDRM), ON_LINUX(EINVAL));
}

LINUX_CASE("shmctl.rmid.buf_bad_pointer", "IPC_RMID with buf 16 or -1 succeeds", .level = LINUX,
           .clause = "shmctl(2) IPC_RMID",
           .note = "32-bit C libraries convert the buffer for every command and may fault")
{
#ifdef __linux__
        void *const buffers[] = {(void *)16, (void *)UINTPTR_MAX};
        for (size_t i = 0; i < 2; i++) {
                int id = make_segment(IPC_PRIVATE, SIZE, 0600);
                struct death d;
                DOOMED(&d)
                {
                        check_succeeds(try_shmctl(id, IPC_RMID, buffers[i]));
                }
                check_caller_lives(&d);
                if (d.signal_number == 0)
                        check_gone(id);
        }
#endif
}

CASE("shmctl.rmid.buf_garbage", "IPC_RMID with a buffer full of 0xff succeeds and leaves the buffer alone",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmctl IPC_RMID")
{
        int id = make_segment(IPC_PRIVATE, SIZE, 0600);
        struct stat_buffer b;
        memset(&b, 0xff, sizeof(b));
        check_succeeds(try_shmctl(id, IPC_RMID, &b.is.ds));
        check_bytes("the buffer", &b, sizeof(b), 0xff);
        check_fails(try_stat(id), ON_POSIX(EINVAL, EIDRM), ON_LINUX(EINVAL));
}

/* ---- who may ---- */

#define ALLOWED .level = POSIX_SHALL, .clause = "POSIX XSH shmctl IPC_RMID", .needs = NEED_TWO_UIDS
#define REFUSED .level = POSIX_SHALL, .clause = "POSIX XSH shmctl ERRORS EPERM", .needs = NEED_TWO_UIDS

/* The case (uid and gid 0) made the segment and gave it to USER_A and GROUP_A. */
static const struct caller_row {
        ROW_HEAD;
        uid_t real, effective;
        gid_t gid;
        mode_t mode;
        bool attached;
        int expected;
} callers[] = {
        {ROW("shmctl.rmid.by_owner", "The owner who is not the creator may IPC_RMID, also with mode 0", ALLOWED),
         USER_A, USER_A, GROUP_B, 0, false, OK},
        {ROW("shmctl.rmid.by_group",
             "IPC_RMID of a segment of mode 0666 by a member of its group fails with EPERM and changes nothing",
             REFUSED),
         USER_B, USER_B, GROUP_A, 0666, false, EPERM},
        {ROW("shmctl.rmid.by_other",
             "IPC_RMID of a segment of mode 0666 by another user fails with EPERM and changes nothing", REFUSED),
         USER_B, USER_B, GROUP_B, 0666, false, EPERM},
        {ROW("shmctl.rmid.by_other_attached",
             "IPC_RMID of a segment of mode 0666 by another user who is attached fails with EPERM and removes nothing",
             REFUSED),
         USER_B, USER_B, GROUP_B, 0666, true, EPERM},
        {ROW("shmctl.rmid.by_real_uid",
             "IPC_RMID fails with EPERM when only the caller's real uid is the owner's, and changes nothing", REFUSED),
         USER_A, USER_B, GROUP_B, 0666, false, EPERM},
};

TABLE(callers, struct caller_row, row)
{
        int id = make_segment(KEY, SIZE, 0600);
        make_ownership(id, USER_A, GROUP_A, row->mode);
        struct shmid_ds before = make_stat(id);
        IN_CHILD
        {
                make_sure(setgid(row->gid) == 0, "setgid: %s", strerror(errno));
                if (row->real == row->effective)
                        become_user(row->real, row->gid);
                else
                        become_ids(row->real, row->effective, row->effective, row->gid);
                if (row->attached)
                        make_attached(id, 0);
                check_result(try_shmctl(id, IPC_RMID, NULL), row->expected);
        }
        if (row->expected == OK) {
                check_gone(id);
                return;
        }
        struct stat_buffer now;
        memset(&now, FILLER, sizeof(now));
        struct outcome still_there = try_shmctl(id, IPC_STAT, &now.is.ds);
        check_succeeds(still_there);
        if (still_there.failed)
                return;
        check_only_changed(&before, &now.is.ds, row->attached ? M_ATIME | M_DTIME | M_LPID : 0);
        check_equal(id_of(try_shmget(KEY, 0, 0)), id);
}

CASE("shmctl.rmid.by_creator", "The creator who is not the owner may IPC_RMID, also with mode 0", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmctl IPC_RMID", .needs = NEED_UNPRIVILEGED | NEED_TWO_UIDS)
{
        int id = make_segment(IPC_PRIVATE, SIZE, 0600);
        make_ownership(id, USER_B, GROUP_B, 0);
        check_succeeds(try_shmctl(id, IPC_RMID, NULL));
        check_gone(id);
}

LINUX_CASE("shmctl.rmid.cap_sys_admin", "A stranger with CAP_SYS_ADMIN alone may IPC_RMID", .level = LINUX,
           .clause = "shmctl(2) ERRORS EPERM", .needs = NEED_TWO_UIDS | NEED_CAP_DROP | NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        int id = make_anothers_segment(USER_A, GROUP_A, IPC_PRIVATE, PAGE, 0);
        IN_CHILD
        {
                make_only_capabilities(CAP_SYS_ADMIN_BIT);
                check_succeeds(try_shmctl(id, IPC_RMID, NULL));
        }
        check_gone(id);
#endif
}

LINUX_CASE("shmctl.rmid.other_namespace",
           "IPC_RMID of the same identifier in another IPC namespace leaves the segment of this one", .level = LINUX,
           .clause = "ipc_namespaces(7)", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        int id = make_segment(KEY, SIZE, 0600);
        struct snapshot before = take_snapshot(id);
        IN_CHILD
        {
                make_ipc_namespace();
                int there = make_segment(KEY, PAGE, 0600);
                make_sure(there == id, "identifiers of a fresh namespace begin elsewhere: %d, not %d", there, id);
                check_succeeds(try_shmctl(id, IPC_RMID, NULL));
                check_gone(id);
        }
        check_unchanged(&before);
        check_equal(id_of(try_shmget(KEY, 0, 0)), id);
#endif
}

/* ---- races ---- */

#define RACERS 6
#define ROUNDS 20
#define PATIENCE 2 /* seconds for a removal that is under way */

/* The distinct errors of a race: its rounds would drown the record. */
struct errors {
        int seen[8];
        size_t count;
};

static bool is_new(struct errors *e, int error)
{
        for (size_t i = 0; i < e->count; i++) {
                if (e->seen[i] == error)
                        return false;
        }
        if (e->count == sizeof(e->seen) / sizeof(e->seen[0]))
                return false;
        e->seen[e->count++] = error;
        return true;
}

static void make_quiet_segments(int *ids)
{
        for (int r = 0; r < ROUNDS; r++) {
                ids[r] = quiet_shmget(IPC_PRIVATE, SIZE, 0600);
                make_sure(ids[r] != -1, "shmget: %s", strerror(errno));
        }
}

CASE("shmctl.rmid.race_one_winner", "Of six processes that IPC_RMID one segment at once exactly one succeeds",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmctl IPC_RMID; POSIX XSH shmctl ERRORS EINVAL",
     .needs = NEED_IPC_NAMESPACE)
{
        struct race {
                int ids[ROUNDS];
                int errors[ROUNDS][RACERS];
        } *race = make_shared(sizeof(*race));
        make_quiet_segments(race->ids);
        struct barrier *line = make_barrier(RACERS);
        struct child c[RACERS];
        for (int i = 0; i < RACERS; i++) {
                CHILD(&c[i], "racer")
                {
                        for (int r = 0; r < ROUNDS; r++) {
                                meet(line);
                                race->errors[r][i] = quiet_rmid(race->ids[r]) == 0 ? 0 : errno;
                        }
                }
        }
        for (int i = 0; i < RACERS; i++)
                join_child(&c[i]);
        int rounds_without_one_winner = 0;
        struct errors errors = {.count = 0};
        for (int r = 0; r < ROUNDS; r++) {
                int winners = 0;
                for (int i = 0; i < RACERS; i++) {
                        int error = race->errors[r][i];
                        winners += error == 0;
                        if (error != 0 && is_new(&errors, error))
                                check_fails(try_other("shmctl(id, IPC_RMID, NULL) of a loser", -1, true, error),
                                            ON_POSIX(EINVAL, EIDRM), ON_LINUX(EINVAL));
                }
                rounds_without_one_winner += winners != 1;
        }
        check_equal(rounds_without_one_winner, 0);
}

#ifdef __linux__

enum reader { READ_STAT, READ_SHM_STAT, READ_UNLOCK, READ_ATTACH, READERS };

/* One call on the identifier, which may meet a removal half way. 0, or its errno. */
static int read_once(enum reader reader, int id)
{
        struct stat_buffer b;
        void *at;
        switch (reader) {
        case READ_STAT:
                return shmctl(id, IPC_STAT, &b.is.ds) == -1 ? errno : 0;
        case READ_SHM_STAT:
                return shmctl(id % INDEXES, SHM_STAT, &b.is.ds) == -1 ? errno : 0;
        case READ_UNLOCK:
                return shmctl(id, SHM_UNLOCK, NULL) == -1 ? errno : 0;
        default:
                at = shmat(id, NULL, 0);
                if (at == (void *)-1)
                        return errno;
                return shmdt(at) == -1 ? errno : 0;
        }
}

/*
 * Reads until the removal shows; false if that takes seconds. The processor is
 * given up now and then, for the remover to have it if it is the only one.
 */
static bool check_until_gone(enum reader reader, const char *call, int id, struct errors *errors)
{
        time_t start = time(NULL);
        int error = 0;
        for (unsigned n = 1; error == 0; n++) {
                error = read_once(reader, id);
                if (n % 256 != 0)
                        continue;
                sched_yield();
                if (time(NULL) > start + PATIENCE)
                        break;
        }
        if (error == 0 || is_new(errors, error))
                check_fails(try_other(call, error == 0 ? 0 : -1, error != 0, error), ON_POSIX(EINVAL, EIDRM),
                            ON_LINUX(EINVAL, EIDRM));
        return error != 0;
}
#endif

LINUX_CASE("shmctl.rmid.race_reader",
           "IPC_STAT, SHM_STAT, SHM_UNLOCK and shmat against IPC_RMID succeed, or fail with EINVAL or EIDRM",
           .level = LINUX, .clause = "shmctl(2) ERRORS EIDRM", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        static const char *const calls[READERS] = {"IPC_STAT against IPC_RMID", "SHM_STAT against IPC_RMID",
                                                   "SHM_UNLOCK against IPC_RMID", "shmat against IPC_RMID"};
        bool gone = true;
        for (int reader = 0; reader < READERS && gone; reader++) {
                int *ids = make_shared(ROUNDS * sizeof(ids[0]));
                make_quiet_segments(ids);
                struct barrier *line = make_barrier(2);
                struct child c;
                CHILD(&c, "remover")
                {
                        for (int r = 0; r < ROUNDS; r++) {
                                meet(line);
                                quiet_rmid(ids[r]);
                        }
                }
                struct errors errors = {.count = 0};
                for (int r = 0; r < ROUNDS && gone; r++) {
                        meet(line);
                        gone = check_until_gone((enum reader)reader, calls[reader], ids[r], &errors);
                }
                /* After a removal that never showed the remover waits in vain for the next round. */
                kill_child(&c, SIGKILL);
        }
#endif
}
