/*
 * shmctl with IPC_SET: which members it stores, that it stores nothing else,
 * who may, which ids it refuses, and what the new mode does to others.
 *
 * Left out: which error comes first when two apply, and errors of the
 * identifier (shmctl_errors.c).
 */
#include "case.h"

#include <sched.h>
#if !defined(__dietlibc__)
#include <pthread.h>
#include <stdatomic.h>
#endif

#define POISON 0x5a

/* ---- what is stored ---- */

CASE("shmctl.set.mode", "IPC_SET of another mode stores it and alters mode and shm_ctime only", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmctl IPC_SET", .needs = NEED_CLOCK_TICK)
{
        int id = make_touched_segment(KEY, PAGE + 1, 0640, 1);
        struct shmid_ds before = make_stat(id);
        wait_for_tick();
        check_succeeds(try_set_mode(id, 0604));
        struct shmid_ds now = make_stat(id);
        check_mode(now.shm_perm.mode & 0777, 0604);
        check_only_changed(&before, &now, M_MODE | M_CTIME);
}

/* A user namespace of one uid maps no other id, hence two-uids. */
CASE("shmctl.set.uid", "IPC_SET of another uid stores it and alters uid and shm_ctime only", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmctl IPC_SET", .needs = NEED_CLOCK_TICK | NEED_TWO_UIDS)
{
        int id = make_touched_segment(KEY, PAGE + 1, 0640, 1);
        struct shmid_ds before = make_stat(id);
        wait_for_tick();
        check_succeeds(try_set(id, USER_B, before.shm_perm.gid, 0640));
        struct shmid_ds now = make_stat(id);
        check_equal(now.shm_perm.uid, USER_B);
        check_only_changed(&before, &now, M_UID | M_CTIME);
}

CASE("shmctl.set.gid", "IPC_SET of another gid stores it and alters gid and shm_ctime only", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmctl IPC_SET", .needs = NEED_CLOCK_TICK | NEED_TWO_UIDS)
{
        int id = make_touched_segment(KEY, PAGE + 1, 0640, 1);
        struct shmid_ds before = make_stat(id);
        wait_for_tick();
        check_succeeds(try_set(id, before.shm_perm.uid, GROUP_B, 0640));
        struct shmid_ds now = make_stat(id);
        check_equal(now.shm_perm.gid, GROUP_B);
        check_only_changed(&before, &now, M_GID | M_CTIME);
}

CASE("shmctl.set.large_ids", "uid and gid 65536, 70000 and 4294967294 are stored whole", .level = LINUX,
     .clause = "shmctl(2) IPC_SET", .needs = NEED_ROOT | NEED_TWO_UIDS)
{
        static const unsigned long ids[] = {65536UL, 70000UL, 4294967294UL};
        int id = make_segment(IPC_PRIVATE, 1, 0600);
        for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
                check_succeeds(try_set(id, (uid_t)ids[i], (gid_t)(ids[i] - 1), 0600));
                struct shmid_ds ds = make_stat(id);
                check_equal(ds.shm_perm.uid, ids[i]);
                check_equal(ds.shm_perm.gid, ids[i] - 1);
        }
}

CASE("shmctl.set.execute_bits", "Mode 0511 is stored and read back", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmctl IPC_SET")
{
        int id = make_segment(IPC_PRIVATE, 1, 0640);
        check_succeeds(try_set_mode(id, 0511));
        check_mode(make_stat(id).shm_perm.mode & 0777, 0511);
}

CASE("shmctl.set.high_bits_ignored", "IPC_SET of mode 07777, 0177777 or all ones succeeds and stores the low nine bits",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmctl IPC_SET",
     .note = "a program that writes back what IPC_STAT showed of a locked segment relies on it")
{
        const mode_t modes[] = {(mode_t)07777, (mode_t)0177777, (mode_t)-1};
        for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
                int id = make_segment(IPC_PRIVATE, 1, 0640);
                check_succeeds(try_set_mode(id, modes[i]));
                struct shmid_ds ds = make_stat(id);
                check_mode(ds.shm_perm.mode & 0777, 0777);
                LINUX_ONLY
                {
                        check_mode(ds.shm_perm.mode, 0777);
                }
        }
}

LINUX_CASE("shmctl.set.cannot_set_flags", "IPC_SET of a mode with SHM_DEST or SHM_LOCKED sets neither", .level = LINUX,
           .clause = "shmctl(2) IPC_SET")
{
#ifdef __linux__
        int id = make_segment(IPC_PRIVATE, 1, 0640);
        check_succeeds(try_set_mode(id, SHM_DEST | 0600));
        check_mode(make_stat(id).shm_perm.mode, 0600);
        check_succeeds(try_set_mode(id, SHM_LOCKED | 0604));
        check_mode(make_stat(id).shm_perm.mode, 0604);
#endif
}

LINUX_CASE("shmctl.set.cannot_clear_flags",
           "IPC_SET of mode 0640 on a locked, removed segment keeps SHM_LOCKED and SHM_DEST", .level = LINUX,
           .clause = "shmctl(2) IPC_SET")
{
#ifdef __linux__
        int id = make_segment(IPC_PRIVATE, 1, 0600);
        make_attached(id, 0);
        struct outcome locked = try_shmctl(id, SHM_LOCK, NULL);
        make_sure(!locked.failed, "SHM_LOCK: %s", strerror(locked.error));
        make_removed(id);
        check_succeeds(try_set_mode(id, 0640));
        check_mode(make_stat(id).shm_perm.mode, SHM_LOCKED | SHM_DEST | 0640);
#endif
}

CASE("shmctl.set.other_fields_ignored",
     "IPC_SET from a buffer that is poison but for uid, gid and mode succeeds and alters mode and shm_ctime only",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmctl IPC_SET")
{
        int id = make_touched_segment(KEY, PAGE + 1, 0640, 1);
        struct shmid_ds before = make_stat(id);
        struct stat_buffer b;
        fill_set(&b, POISON, before.shm_perm.uid, before.shm_perm.gid, 0600);
        check_succeeds(try_shmctl(id, IPC_SET, &b.is.ds));
        struct shmid_ds now = make_stat(id);
        check_mode(now.shm_perm.mode & 0777, 0600);
        check_only_changed(&before, &now, M_MODE | M_CTIME);
}

CASE("shmctl.set.key_lookup", "After IPC_SET from a buffer with another key shmget by the old key finds the segment",
     .level = LINUX, .clause = "shmctl(2) IPC_SET")
{
        int id = make_segment(KEY, PAGE, 0600);
        struct stat_buffer b;
        fill_set(&b, 0, geteuid(), getegid(), 0640);
        b.is.ds.shm_perm.SHMC_PERM_KEY = OTHER_KEY;
        check_succeeds(try_shmctl(id, IPC_SET, &b.is.ds));
        struct outcome found = try_shmget(KEY, 0, 0);
        check_succeeds(found);
        check_equal(id_of(found), id);
        check_fails(try_shmget(OTHER_KEY, 0, 0), ENOENT);
}

CASE("shmctl.set.buf_unwritten", "IPC_SET writes nothing into the buffer", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmctl IPC_SET")
{
        int id = make_touched_segment(KEY, PAGE + 1, 0640, 1);
        struct stat_buffer b;
        struct stat_buffer copy;
        fill_set(&b, POISON, geteuid(), getegid(), 07604);
        memcpy(&copy, &b, sizeof(copy));
        check_succeeds(try_shmctl(id, IPC_SET, &b.is.ds));
        check_that(same_bytes(&copy, &b), "the buffer holds what the caller put there");
}

CASE("shmctl.set.ctime_now", "After IPC_SET shm_ctime is between the time before and after the call",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmctl IPC_SET", .needs = NEED_CLOCK_TICK)
{
        int id = make_segment(IPC_PRIVATE, 1, 0600);
        wait_for_tick();
        time_t before = stamp_time();
        check_succeeds(try_set_mode(id, 0640));
        time_t after = stamp_time();
        check_between(make_stat(id).shm_ctime, before, after);
}

CASE("shmctl.set.ctime_same_values", "IPC_SET of the very values that the segment has moves shm_ctime too",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmctl IPC_SET", .needs = NEED_CLOCK_TICK)
{
        int id = make_segment(IPC_PRIVATE, 1, 0600);
        struct stat_buffer b;
        memset(&b, 0, sizeof(b));
        b.is.ds = make_stat(id);
        wait_for_tick();
        time_t before = stamp_time();
        check_succeeds(try_shmctl(id, IPC_SET, &b.is.ds));
        time_t after = stamp_time();
        check_between(make_stat(id).shm_ctime, before, after);
}

/* ---- who may ---- */

#define ALLOWED .level = POSIX_SHALL, .clause = "POSIX XSH shmctl IPC_SET", .needs = NEED_TWO_UIDS
#define REFUSED .level = POSIX_SHALL, .clause = "POSIX XSH shmctl ERRORS EPERM", .needs = NEED_TWO_UIDS

/* The case (uid and gid 0) made the segment and gave it to USER_A and GROUP_A, mode 0666. */
static const struct caller_row {
        ROW_HEAD;
        uid_t real, effective;
        gid_t gid;
        int expected;
} callers[] = {
        {ROW("shmctl.set.by_owner", "The owner who is not the creator may IPC_SET", ALLOWED), USER_A, USER_A, GROUP_B,
         OK},
        {ROW("shmctl.set.by_group",
             "IPC_SET of a segment of mode 0666 by a member of its group fails with EPERM and changes nothing",
             REFUSED),
         USER_B, USER_B, GROUP_A, EPERM},
        {ROW("shmctl.set.by_other",
             "IPC_SET of a segment of mode 0666 by another user fails with EPERM and changes nothing", REFUSED),
         USER_B, USER_B, GROUP_B, EPERM},
        {ROW("shmctl.set.by_real_uid",
             "IPC_SET fails with EPERM when only the caller's real uid is the owner's, and changes nothing", REFUSED),
         USER_A, USER_B, GROUP_B, EPERM},
        {ROW("shmctl.set.by_effective_uid", "IPC_SET succeeds when only the caller's effective uid is the owner's",
             ALLOWED),
         USER_B, USER_A, GROUP_B, OK},
};

TABLE(callers, struct caller_row, row)
{
        int id = make_segment(IPC_PRIVATE, 1, 0600);
        make_ownership(id, USER_A, GROUP_A, 0666);
        struct snapshot before = take_snapshot(id);
        IN_CHILD
        {
                make_sure(setgid(row->gid) == 0, "setgid: %s", strerror(errno));
                if (row->real == row->effective)
                        become_user(row->real, row->gid);
                else
                        become_ids(row->real, row->effective, row->effective, row->gid);
                check_result(try_set(id, USER_A, GROUP_A, 0604), row->expected);
        }
        if (row->expected == OK)
                check_mode(make_stat(id).shm_perm.mode & 0777, 0604);
        else
                check_unchanged(&before);
}

CASE("shmctl.set.by_creator", "The creator who is not the owner may IPC_SET", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmctl IPC_SET", .needs = NEED_TWO_UIDS)
{
        AS_USER(USER_A, GROUP_A)
        {
                int id = make_segment(IPC_PRIVATE, 1, 0600);
                make_ownership(id, USER_B, GROUP_B, 0600);
                check_succeeds(try_set(id, USER_B, GROUP_B, 0604));
                check_mode(make_stat(id).shm_perm.mode & 0777, 0604);
        }
}

LINUX_CASE("shmctl.set.cap_sys_admin", "A stranger with CAP_SYS_ADMIN alone may IPC_SET", .level = LINUX,
           .clause = "shmctl(2) ERRORS EPERM", .needs = NEED_TWO_UIDS | NEED_CAP_DROP | NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        int id = make_anothers_segment(USER_A, GROUP_A, IPC_PRIVATE, PAGE, 0600);
        IN_CHILD
        {
                make_only_capabilities(CAP_SYS_ADMIN_BIT);
                check_succeeds(try_set(id, USER_A, GROUP_A, 0604));
        }
        check_mode(make_stat(id).shm_perm.mode, 0604);
#endif
}

LINUX_CASE("shmctl.set.userns_root",
           "Root of the user namespace that owns the IPC namespace may change and remove another's segment",
           .level = LINUX, .clause = "capabilities(7) CAP_SYS_ADMIN; capabilities(7) CAP_IPC_LOCK",
           .needs = NEED_ROOT | NEED_TWO_UIDS | NEED_USER_NAMESPACE | NEED_IPC_NAMESPACE | NEED_PROC)
{
#ifdef __linux__
        static const char map[] = "0 100000 65536";
        IN_CHILD
        {
                make_mapped_user_namespace(map, map);
                become_user(0, 0);
                make_ipc_namespace();
                int id = make_anothers_segment(USER_A, GROUP_A, IPC_PRIVATE, PAGE, 0);
                check_succeeds(try_set(id, USER_B, GROUP_B, 0604));
                struct shmid_ds ds = make_stat(id);
                check_equal(ds.shm_perm.uid, USER_B);
                check_equal(ds.shm_perm.cuid, USER_A);
                check_succeeds(try_shmctl(id, SHM_LOCK, NULL));
                check_succeeds(try_shmctl(id, SHM_UNLOCK, NULL));
                check_succeeds(try_shmctl(id, IPC_RMID, NULL));
        }
#endif
}

LINUX_CASE("shmctl.set.userns_root_foreign",
           "Capabilities of a child user namespace do not let IPC_SET, IPC_RMID or SHM_LOCK another's segment",
           .level = LINUX, .clause = "user_namespaces(7) Capabilities", .needs = NEED_TWO_UIDS | NEED_USER_NAMESPACE)
{
#ifdef __linux__
        int id = make_anothers_segment(USER_A, GROUP_A, IPC_PRIVATE, PAGE, 0666);
        struct snapshot before = take_snapshot(id);
        IN_CHILD
        {
                make_sure(unshare(CLONE_NEWUSER) == 0, "unshare(CLONE_NEWUSER): %s", strerror(errno));
                check_fails(try_set(id, USER_A, GROUP_A, 0604), EPERM);
                check_fails(try_shmctl(id, IPC_RMID, NULL), EPERM);
                check_fails(try_shmctl(id, SHM_LOCK, NULL), EPERM);
        }
        check_unchanged(&before);
#endif
}

CASE("shmctl.set.owner_mode_zero", "The owner of a segment with mode 0 may IPC_SET, and so gains access again",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmctl IPC_SET", .needs = NEED_UNPRIVILEGED)
{
        int id = make_segment(IPC_PRIVATE, 1, 0);
        make_sure(try_shmat(id, NULL, 0).failed, "mode 0 does not bind the owner");
        check_succeeds(try_set_mode(id, 0600));
        check_succeeds(try_shmat(id, NULL, 0));
        check_mode(make_stat(id).shm_perm.mode & 0777, 0600);
}

CASE("shmctl.set.give_away",
     "An unprivileged owner may set uid to a stranger and gid to a group that it is not a member of",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmctl IPC_SET", .needs = NEED_UNPRIVILEGED | NEED_TWO_UIDS)
{
        int id = make_segment(IPC_PRIVATE, 1, 0644);
        check_succeeds(try_set(id, USER_B, GROUP_B, 0644));
        struct shmid_ds ds = make_stat(id);
        check_equal(ds.shm_perm.uid, USER_B);
        check_equal(ds.shm_perm.gid, GROUP_B);
        check_equal(ds.shm_perm.cuid, USER_A);
        check_equal(ds.shm_perm.cgid, GROUP_A);
}

CASE("shmctl.set.creator_keeps", "After it gave the segment away the creator still may IPC_SET and IPC_RMID",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmctl IPC_SET", .needs = NEED_UNPRIVILEGED | NEED_TWO_UIDS)
{
        int id = make_segment(IPC_PRIVATE, 1, 0600);
        make_ownership(id, USER_B, GROUP_B, 0600);
        check_succeeds(try_set(id, USER_B, GROUP_B, 0));
        check_succeeds(try_shmctl(id, IPC_RMID, NULL));
}

CASE("shmctl.set.old_owner_loses",
     "An owner who is not the creator and gave the segment to a third fails IPC_SET and IPC_RMID with EPERM",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmctl ERRORS EPERM", .needs = NEED_TWO_UIDS)
{
        int id = make_segment(IPC_PRIVATE, 1, 0600);
        make_ownership(id, USER_A, GROUP_A, 0666);
        AS_USER(USER_A, GROUP_A)
        {
                make_ownership(id, USER_B, GROUP_B, 0666);
                struct snapshot before = take_snapshot(id);
                check_fails(try_set(id, USER_A, GROUP_A, 0600), EPERM);
                check_fails(try_shmctl(id, IPC_RMID, NULL), EPERM);
                check_unchanged(&before);
        }
}

/* ---- ids that are refused ---- */

CASE("shmctl.set.uid_minus_one", "IPC_SET of uid (uid_t)-1 fails with EINVAL and changes nothing",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/util.c ipc_update_perm()", .needs = NEED_CLOCK_TICK)
{
        int id = make_touched_segment(KEY, PAGE + 1, 0640, 1);
        struct snapshot before = take_snapshot(id);
        wait_for_tick();
        check_fails(try_set(id, (uid_t)-1, getegid(), 0600), EINVAL);
        check_unchanged(&before);
}

CASE("shmctl.set.gid_minus_one",
     "IPC_SET of gid (gid_t)-1 beside a new valid uid fails with EINVAL and changes nothing",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/util.c ipc_update_perm()",
     .needs = NEED_CLOCK_TICK | NEED_TWO_UIDS)
{
        int id = make_touched_segment(KEY, PAGE + 1, 0640, 1);
        struct snapshot before = take_snapshot(id);
        wait_for_tick();
        check_fails(try_set(id, USER_B, (gid_t)-1, 0600), EINVAL);
        check_unchanged(&before);
}

LINUX_CASE("shmctl.set.unmapped_uid",
           "IPC_SET of ids that the caller's user namespace does not map fails with EINVAL and changes nothing",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/util.c ipc_update_perm()", .needs = NEED_USER_NAMESPACE,
           .note = "so IPC_STAT and then IPC_SET fails where IPC_STAT showed the overflow id")
{
#ifdef __linux__
        int id = make_segment(IPC_PRIVATE, 1, 0600);
        struct snapshot before = take_snapshot(id);
        IN_CHILD
        {
                make_sure(unshare(CLONE_NEWUSER) == 0, "unshare(CLONE_NEWUSER): %s", strerror(errno));
                check_fails(try_set(id, before.ds.shm_perm.uid, before.ds.shm_perm.gid, 0640), EINVAL);
                struct stat_buffer b;
                memset(&b, 0, sizeof(b));
                b.is.ds = make_stat(id);
                check_fails(try_shmctl(id, IPC_SET, &b.is.ds), EINVAL);
        }
        check_unchanged(&before);
#endif
}

/* ---- what it means for others ---- */

LINUX_CASE("shmctl.set.removed_attached",
           "IPC_SET on a removed, still attached segment alters mode and shm_ctime, keeps SHM_DEST and revives no key",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shmctl_down()", .needs = NEED_CLOCK_TICK)
{
#ifdef __linux__
        int id = make_touched_segment(KEY, PAGE + 1, 0640, 1);
        make_attached(id, 0);
        make_removed(id);
        struct shmid_ds before = make_stat(id);
        struct stat_buffer b;
        fill_set(&b, 0, geteuid(), getegid(), 0600);
        b.is.ds.shm_perm.SHMC_PERM_KEY = KEY;
        wait_for_tick();
        time_t start = stamp_time();
        check_succeeds(try_shmctl(id, IPC_SET, &b.is.ds));
        struct shmid_ds now = make_stat(id);
        check_mode(now.shm_perm.mode, SHM_DEST | 0600);
        check_between(now.shm_ctime, start, stamp_time());
        check_only_changed(&before, &now, M_MODE | M_CTIME);
        check_fails(try_shmget(KEY, 0, 0), ENOENT);
#endif
}

CASE("shmctl.set.new_attach_denied",
     "After IPC_SET of mode 0600 another user's shmat, also read-only, fails with EACCES", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmat ERRORS EACCES", .needs = NEED_TWO_UIDS)
{
        int id = make_segment(IPC_PRIVATE, 1, 0666);
        AS_USER(USER_A, GROUP_A)
        {
                make_detached(make_attached(id, 0));
        }
        struct snapshot before = take_snapshot(id);
        check_succeeds(try_set_mode(id, 0600));
        AS_USER(USER_A, GROUP_A)
        {
                check_fails(try_shmat(id, NULL, 0), EACCES);
                check_fails(try_shmat(id, NULL, SHM_RDONLY), EACCES);
        }
        struct shmid_ds now = make_stat(id);
        check_only_changed(&before.ds, &now, M_MODE | M_CTIME);
}

CASE("shmctl.set.new_attach_allowed",
     "After IPC_SET of mode 0644 in place of 0600 another user may attach read-only, and read-write fails with EACCES",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmat ERRORS EACCES", .needs = NEED_TWO_UIDS)
{
        int id = make_segment(IPC_PRIVATE, 1, 0600);
        AS_USER(USER_A, GROUP_A)
        {
                make_sure(try_shmat(id, NULL, SHM_RDONLY).failed, "mode 0600 lets another user attach");
        }
        check_succeeds(try_set_mode(id, 0644));
        AS_USER(USER_A, GROUP_A)
        {
                check_succeeds(try_shmat(id, NULL, SHM_RDONLY));
                check_fails(try_shmat(id, NULL, 0), EACCES);
        }
}

CASE("shmctl.set.shmget_denied", "After IPC_SET of mode 0600 another user's shmget(key, 0, 0600) fails with EACCES",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget ERRORS EACCES", .needs = NEED_TWO_UIDS)
{
        int id = make_segment(KEY, 1, 0666);
        AS_USER(USER_A, GROUP_A)
        {
                make_sure(!try_shmget(KEY, 0, 0600).failed, "mode 0666 keeps another user out");
        }
        check_succeeds(try_set_mode(id, 0600));
        AS_USER(USER_A, GROUP_A)
        {
                check_fails(try_shmget(KEY, 0, 0600), EACCES);
        }
}

CASE("shmctl.set.old_attach_stays",
     "An attach made before IPC_SET took the permission away stays writable and can be detached", .level = LINUX,
     .clause = "shmop(2) DESCRIPTION", .needs = NEED_UNPRIVILEGED)
{
        int id = make_segment(IPC_PRIVATE, PAGE, 0600);
        void *at = make_attached(id, 0);
        fill_pattern(at, PAGE, 1);
        check_succeeds(try_set_mode(id, 0));
        check_fails(try_shmat(id, NULL, SHM_RDONLY), EACCES);
        struct death d;
        DOOMED(&d)
        {
                check_pattern("the old attach can be read", at, PAGE, 1);
                fill_pattern(at, PAGE, 2);
        }
        check_death("the old attach can be read and written", &d, OK);
        check_pattern("what was written through it", at, PAGE, 2);
        check_succeeds(try_shmdt(at));
}

/* ---- the buffer ---- */

#ifdef __linux__
/* IPC_SET from memory that cannot be read. */
static void check_unreadable(int id, void *buffer)
{
        struct snapshot before = take_snapshot(id);
        check_bad_buffer(id, IPC_SET, buffer, EFAULT);
        check_unchanged(&before);
}
#endif

LINUX_CASE("shmctl.set.buf_null", "IPC_SET with buf NULL fails with EFAULT and changes nothing", .level = LINUX,
           .clause = "shmctl(2) ERRORS EFAULT")
{
#ifdef __linux__
        check_unreadable(make_touched_segment(KEY, PAGE + 1, 0640, 1), NULL);
#endif
}

LINUX_CASE("shmctl.set.buf_unmapped",
           "IPC_SET with buf 16 or in a PROT_NONE page fails with EFAULT and changes nothing", .level = LINUX,
           .clause = "shmctl(2) ERRORS EFAULT")
{
#ifdef __linux__
        int id = make_touched_segment(KEY, PAGE + 1, 0640, 1);
        check_unreadable(id, (void *)16);
        check_unreadable(id, make_mapping(NULL, PAGE, PROT_NONE));
#endif
}

CASE("shmctl.set.buf_read_only", "IPC_SET from a buffer in a PROT_READ page works", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmctl IPC_SET")
{
        int id = make_segment(IPC_PRIVATE, 1, 0600);
        unsigned char *page = make_fenced_page();
        struct stat_buffer b;
        fill_set(&b, 0, geteuid(), getegid(), 0640);
        memcpy(page, &b.is.ds, sizeof(b.is.ds));
        make_sure(mprotect(page, PAGE, PROT_READ) == 0, "mprotect: %s", strerror(errno));
        struct death d;
        DOOMED(&d)
        {
                check_succeeds(try_shmctl(id, IPC_SET, page));
        }
        check_death("the caller lives", &d, OK);
        check_mode(make_stat(id).shm_perm.mode & 0777, 0640);
}

LINUX_CASE("shmctl.set.buf_crossing", "IPC_SET from a buffer readable but for its last byte fails with EFAULT",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c copy_shmid_from_user()", .needs = NEED_64_BIT,
           .note = "32-bit C libraries copy member by member and never touch the last 8 bytes")
{
#ifdef __linux__
        int id = make_touched_segment(KEY, PAGE + 1, 0640, 1);
        unsigned char *page = make_fenced_page();
        unsigned char *crossing = page + PAGE - sizeof(struct shmid_ds) + 1;
        struct stat_buffer b;
        fill_set(&b, 0, geteuid(), getegid(), 0600);
        memcpy(crossing, &b.is.ds, sizeof(b.is.ds) - 1);
        check_unreadable(id, crossing);
#endif
}

CASE("shmctl.set.buf_in_segment", "IPC_SET from a buffer inside the attached segment itself works",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmctl IPC_SET")
{
        int id = make_segment(IPC_PRIVATE, PAGE, 0600);
        struct shmid_ds *ds = make_attached(id, 0);
        struct stat_buffer b;
        fill_set(&b, 0, geteuid(), getegid(), 0640);
        *ds = b.is.ds;
        check_succeeds(try_shmctl(id, IPC_SET, ds));
        check_mode(make_stat(id).shm_perm.mode & 0777, 0640);
}

#if defined(__linux__) && !defined(__dietlibc__)
#define ROUNDS 5000

struct setter {
        int id;
        struct shmid_ds triples[2];
        int failures;
        atomic_bool done;
};

static void *alternate(void *argument)
{
        struct setter *s = argument;
        for (int i = 0; i < ROUNDS; i++)
                s->failures += shmctl(s->id, IPC_SET, &s->triples[i & 1]) == -1;
        atomic_store(&s->done, true);
        return NULL;
}

static bool is_triple(const struct shmid_ds *ds, const struct shmid_ds *triple)
{
        return ds->shm_perm.uid == triple->shm_perm.uid && ds->shm_perm.gid == triple->shm_perm.gid &&
               ds->shm_perm.mode == triple->shm_perm.mode;
}
#endif

LINUX_CASE("shmctl.set.torn",
           "While one thread alternates two triples of uid, gid and mode, another never sees a mixture of them",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shmctl_down()",
           .needs = NEED_ROOT | NEED_TWO_UIDS | NEED_THREADS)
{
#if defined(__linux__) && !defined(__dietlibc__)
        struct setter s = {.id = make_segment(IPC_PRIVATE, 1, 0600)};
        make_ownership(s.id, USER_A, GROUP_A, 0600);
        s.triples[0] = make_stat(s.id);
        make_ownership(s.id, USER_B, GROUP_B, 0644);
        s.triples[1] = make_stat(s.id);
        pthread_t thread;
        make_sure(pthread_create(&thread, NULL, alternate, &s) == 0, "a second thread cannot be started");
        int seen[2] = {0, 0};
        int mixed = 0;
        int failed = 0;
        while (!atomic_load(&s.done)) {
                struct stat_buffer b;
                /* As make_stat did, which the triples are from: what a platform does not write is then no mixture. */
                memset(&b, 0x5a, sizeof(b));
                if (shmctl(s.id, IPC_STAT, &b.is.ds) == -1)
                        failed++;
                else if (is_triple(&b.is.ds, &s.triples[0]))
                        seen[0]++;
                else if (is_triple(&b.is.ds, &s.triples[1]))
                        seen[1]++;
                else
                        mixed++;
        }
        make_sure(pthread_join(thread, NULL) == 0, "the second thread cannot be joined");
        check_equal(s.failures, 0);
        check_equal(failed, 0);
        check_equal(mixed, 0);
        /* On one processor the writer may never be met half way. */
        record_fact("how often each triple was seen", "%d and %d", seen[0], seen[1]);
#endif
}
