/*
 * A segment lives until it is removed, whoever made it and whoever is gone
 * (POSIX XSH shmget, shmctl IPC_RMID). Every step here is a process of its own,
 * so that nothing of a process can carry what must be the segment's. Not
 * covered: a restart of the system, which POSIX leaves open.
 */
#include "case.h"

#define SIZE 3333

/* An orphan: made and filled by one process, used once more by another, both gone. Returns its id. */
static int make_orphan(mode_t mode)
{
        int *id = make_shared(sizeof(*id));
        IN_CHILD
        {
                *id = make_filled_segment(KEY, SIZE, (int)mode, 1);
        }
        IN_CHILD
        {
                check_pattern("another process reads the contents", make_attached(*id, SHM_RDONLY), SIZE, 1);
        }
        return *id;
}

CASE("persist.orphan.found",
     "When creator and attachers are gone another process finds the same id by key and reads the contents to the end",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget DESCRIPTION; POSIX XSH shmctl IPC_RMID")
{
        int id = make_orphan(0600);
        IN_CHILD
        {
                struct outcome found = try_shmget(KEY, SIZE, 0600);
                check_succeeds(found);
                check_equal(id_of(found), id);
                struct outcome attached = try_shmat(id, NULL, SHM_RDONLY);
                check_succeeds(attached);
                if (!attached.failed)
                        check_pattern("the contents are as the first process left them", address_of(attached), SIZE, 1);
        }
}

CASE("persist.orphan.fields", "Key, size, mode, owner, creator, cpid and ctime of an orphan are as they were made",
     .level = POSIX_SHALL, .clause = "POSIX XBD <sys/shm.h>; POSIX XSH shmget DESCRIPTION")
{
        struct shared {
                int id;
                pid_t creator;
                uid_t uid;
                gid_t gid;
        } *made = make_shared(sizeof(*made));
        time_t before = stamp_time();
        IN_CHILD
        {
                made->id = make_filled_segment(KEY, SIZE, 0640, 1);
                made->creator = getpid();
                made->uid = geteuid();
                made->gid = getegid();
        }
        time_t after = stamp_time();
        make_touched_by_another(made->id, SIZE, 2);
        struct shmid_ds ds = make_stat(made->id);
        LINUX_ONLY
        {
                check_key(ds.shm_perm.SHMC_PERM_KEY, KEY);
        }
        check_equal(ds.shm_segsz, SIZE);
        check_mode(ds.shm_perm.mode & 0777, 0640);
        check_equal(ds.shm_perm.uid, made->uid);
        check_equal(ds.shm_perm.gid, made->gid);
        check_equal(ds.shm_perm.cuid, made->uid);
        check_equal(ds.shm_perm.cgid, made->gid);
        check_equal(ds.shm_cpid, made->creator);
        check_between(ds.shm_ctime, before, after);
        check_equal(ds.shm_nattch, 0);
}

CASE("persist.orphan.idle", "While nobody is attached two IPC_STATs a second apart are byte-identical",
     .level = POSIX_SHALL, .clause = "POSIX XBD <sys/shm.h>", .needs = NEED_CLOCK_TICK)
{
        int id = make_orphan(0600);
        struct stat_buffer early;
        struct stat_buffer late;
        memset(&early, 0x5a, sizeof(early));
        memset(&late, 0x5a, sizeof(late));
        struct outcome first = try_shmctl(id, IPC_STAT, &early.is.ds);
        wait_for_tick();
        struct outcome second = try_shmctl(id, IPC_STAT, &late.is.ds);
        check_succeeds(first);
        check_succeeds(second);
        check_that(memcmp(early.is.bytes, late.is.bytes, sizeof(early.is.bytes)) == 0,
                   "the two structures are byte-identical");
}

CASE("persist.generations", "Three processes in turn find, increment and exit: the fourth reads 3 under the same id",
     .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget DESCRIPTION; POSIX XSH _Exit Consequences of Process Termination")
{
        int *id = make_shared(sizeof(*id));
        IN_CHILD
        {
                *id = make_segment(KEY, sizeof(int), 0600);
        }
        for (int generation = 0; generation < 3; generation++) {
                IN_CHILD
                {
                        check_equal(id_of(try_shmget(KEY, sizeof(int), 0600)), *id);
                        int *number = make_attached(*id, 0);
                        *number += 1;
                }
                check_equal(make_stat(*id).shm_nattch, 0);
        }
        IN_CHILD
        {
                check_equal(id_of(try_shmget(KEY, sizeof(int), 0600)), *id);
                const int *number = make_attached(*id, SHM_RDONLY);
                check_equal(*number, 3);
        }
}

CASE("persist.set_kept", "Owner, group and mode set by a process now dead hold for the next", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmctl IPC_SET", .needs = NEED_TWO_UIDS)
{
        int *id = make_shared(sizeof(*id));
        AS_USER(USER_A, GROUP_A)
        {
                *id = make_segment(KEY, SIZE, 0600);
        }
        AS_USER(USER_A, GROUP_A)
        {
                make_ownership(*id, USER_B, GROUP_C, 0640);
        }
        AS_USER(USER_B, GROUP_B)
        {
                struct shmid_ds ds = make_stat(*id);
                check_equal(ds.shm_perm.uid, USER_B);
                check_equal(ds.shm_perm.gid, GROUP_C);
                check_mode(ds.shm_perm.mode & 0777, 0640);
                check_equal(ds.shm_perm.cuid, USER_A);
                check_succeeds(try_shmat(*id, NULL, 0));
        }
        AS_USER(USER_C, GROUP_C)
        {
                check_succeeds(try_shmat(*id, NULL, SHM_RDONLY));
                check_fails(try_shmat(*id, NULL, 0), EACCES);
        }
}

CASE("persist.rmid_ends",
     "IPC_RMID of an orphan by a later process ends it: the id fails, a new segment of the key is all zero",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmctl IPC_RMID; POSIX XSH shmget DESCRIPTION")
{
        int id = make_orphan(0600);
        IN_CHILD
        {
                check_succeeds(try_shmctl(id, IPC_RMID, NULL));
        }
        struct stat_buffer b;
        check_fails(try_shmctl(id, IPC_STAT, &b.is.ds), EINVAL);
        check_fails(try_shmat(id, NULL, 0), EINVAL);
        struct outcome made = try_shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | 0600);
        check_succeeds(made);
        if (made.failed)
                return;
        LINUX_ONLY
        {
                check_that(id_of(made) != id, "the new segment has another id");
        }
        struct outcome attached = try_shmat(id_of(made), NULL, SHM_RDONLY);
        check_succeeds(attached);
        if (!attached.failed)
                check_bytes("the new segment is zero", address_of(attached), SIZE, 0);
}
