/*
 * User namespaces: root of one is root over the IPC namespaces that it owns and
 * a stranger, with the uid that it is mapped to, in those of its parents. All of
 * this is Linux', so that only the linux profile judges here. Unless a case says
 * otherwise uid 0 inside is USER_A outside, and gid 0 GROUP_A. Not covered:
 * nesting deeper than one level below the case.
 */
#include "case.h"

#if defined(__linux__)
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#endif

#define SIZE 3333
/* What the kernel shows for an id that the reader's namespace does not map. */
#define UNMAPPED 65534

#ifdef __linux__

/* Root inside is USER_A; with two ids mapped 1 inside is USER_B, and likewise the groups. */
static void enter_as_a(unsigned ids_mapped)
{
        char uid_map[48];
        char gid_map[48];
        snprintf(uid_map, sizeof(uid_map), "0 %u %u", (unsigned)USER_A, ids_mapped);
        snprintf(gid_map, sizeof(gid_map), "0 %u %u", (unsigned)GROUP_A, ids_mapped);
        make_mapped_user_namespace(uid_map, gid_map);
}

static int make_as(uid_t uid, gid_t gid, mode_t mode)
{
        return make_anothers_filled_segment(uid, gid, KEY, SIZE, mode, 1);
}

#endif

#define NEEDS (NEED_USER_NAMESPACE | NEED_TWO_UIDS | NEED_PROC)

/* ---- segments in an IPC namespace of the parent user namespace ---- */

LINUX_CASE("userns.parent.unmapped_owner",
           "To a segment of mode 0604 whose owner is not mapped root of a user namespace is one of the others",
           .level = LINUX, .clause = "user_namespaces(7)", .needs = NEEDS)
{
#ifdef __linux__
        int id = make_as(USER_B, GROUP_B, 0604);
        struct snapshot before = take_snapshot(id);
        IN_CHILD
        {
                enter_as_a(1);
                check_fails(try_shmat(id, NULL, 0), EACCES);
                check_fails(try_set(id, 0, 0, 0666), EPERM);
                check_fails(try_shmctl(id, IPC_RMID, NULL), EPERM);
                check_fails(try_shmctl(id, SHM_LOCK, NULL), EPERM);
                check_fails(try_shmctl(id, SHM_UNLOCK, NULL), EPERM);
        }
        check_unchanged(&before);
        IN_CHILD
        {
                enter_as_a(1);
                struct outcome attached = try_shmat(id, NULL, SHM_RDONLY);
                check_succeeds(attached);
                if (!attached.failed)
                        check_pattern("root inside reads the contents", address_of(attached), SIZE, 1);
        }
#endif
}

LINUX_CASE(
        "userns.parent.mapped_other",
        "A segment of mode 0 of another mapped user is denied to root of a user namespace: its capabilities end there",
        .level = LINUX, .clause = "user_namespaces(7)", .needs = NEEDS)
{
#ifdef __linux__
        int id = make_as(USER_B, GROUP_B, 0);
        struct snapshot before = take_snapshot(id);
        IN_CHILD
        {
                enter_as_a(2);
                check_fails(try_shmat(id, NULL, SHM_RDONLY), EACCES);
                check_fails(try_shmctl(id, IPC_RMID, NULL), EPERM);
        }
        check_unchanged(&before);
#endif
}

LINUX_CASE("userns.parent.mapped_owner",
           "A segment of mode 0600 of the user that root of a user namespace is mapped to is its own", .level = LINUX,
           .clause = "user_namespaces(7)", .needs = NEEDS)
{
#ifdef __linux__
        int id = make_as(USER_A, GROUP_A, 0600);
        IN_CHILD
        {
                enter_as_a(1);
                struct shmid_ds ds = make_stat(id);
                check_equal(ds.shm_perm.uid, 0);
                check_equal(ds.shm_perm.cuid, 0);
                struct outcome attached = try_shmat(id, NULL, 0);
                check_succeeds(attached);
                check_succeeds(try_set(id, 0, 0, 0640));
                if (!attached.failed)
                        make_detached(address_of(attached));
                check_succeeds(try_shmctl(id, IPC_RMID, NULL));
        }
        struct stat_buffer b;
        check_fails(try_shmctl(id, IPC_STAT, &b.is.ds), EINVAL);
#endif
}

LINUX_CASE(
        "userns.parent.real_root",
        "Real root in a user namespace that maps 0 to 0 is denied another's segment of mode 0600, and granted its own",
        .level = LINUX, .clause = "user_namespaces(7)", .needs = NEEDS | NEED_ROOT)
{
#ifdef __linux__
        int foreign = make_as(USER_B, GROUP_B, 0600);
        int own = make_segment(OTHER_KEY, SIZE, 0600);
        IN_CHILD
        {
                make_mapped_user_namespace("0 0 1", "0 0 1");
                check_fails(try_shmat(foreign, NULL, SHM_RDONLY), EACCES);
                check_succeeds(try_shmat(own, NULL, 0));
        }
#endif
}

LINUX_CASE("userns.set.round_trip",
           "Where the owner is not mapped, the mapped creator's IPC_SET with what IPC_STAT gave fails with EINVAL",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/util.c ipc_update_perm()", .needs = NEEDS)
{
#ifdef __linux__
        int id = make_as(USER_A, GROUP_A, 0600);
        make_ownership(id, USER_B, GROUP_B, 0600);
        struct snapshot before = take_snapshot(id);
        IN_CHILD
        {
                enter_as_a(1);
                struct shmid_ds ds = make_stat(id);
                check_equal(ds.shm_perm.cuid, 0);
                check_equal(ds.shm_perm.uid, UNMAPPED);
                check_equal(ds.shm_perm.gid, UNMAPPED);
                check_fails(try_shmctl(id, IPC_SET, &ds), EINVAL);
        }
        check_unchanged(&before);
#endif
}

/* ---- segments in an IPC namespace of the user namespace's own ---- */

LINUX_CASE("userns.own.root",
           "In an IPC namespace of its own root of a user namespace may do all with another's mode 0", .level = LINUX,
           .clause = "capabilities(7); user_namespaces(7)", .needs = NEEDS | NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        IN_CHILD
        {
                enter_as_a(2);
                make_ipc_namespace();
                int id = make_as(1, 1, 0);
                check_equal(id_of(try_shmget(KEY, 0, 0600)), id);
                struct outcome attached = try_shmat(id, NULL, 0);
                check_succeeds(attached);
                if (!attached.failed) {
                        check_pattern("root inside reads the contents", address_of(attached), SIZE, 1);
                        make_detached(address_of(attached));
                }
                struct stat_buffer b;
                check_succeeds(try_shmctl(id, IPC_STAT, &b.is.ds));
                check_succeeds(try_shmctl(id, SHM_LOCK, NULL));
                check_succeeds(try_shmctl(id, SHM_UNLOCK, NULL));
                check_succeeds(try_set(id, 0, 1, 0));
                check_succeeds(try_shmctl(id, IPC_RMID, NULL));
                check_fails(try_shmctl(id, IPC_STAT, &b.is.ds), EINVAL);
        }
#endif
}

#ifdef __linux__
static void check_denied_to(uid_t uid, gid_t gid, int id)
{
        AS_USER(uid, gid)
        {
                check_fails(try_shmat(id, NULL, SHM_RDONLY), EACCES);
                check_fails(try_shmctl(id, IPC_RMID, NULL), EPERM);
        }
}
#endif

LINUX_CASE("userns.own.other_uid", "There another user is denied root's segment of mode 0600", .level = LINUX,
           .clause = "capabilities(7); user_namespaces(7)", .needs = NEEDS | NEED_IPC_NAMESPACE){
#ifdef __linux__
        IN_CHILD{enter_as_a(2);
make_ipc_namespace();
int id = make_segment(KEY, SIZE, 0600);
struct snapshot before = take_snapshot(id);
check_denied_to(1, 1, id);
check_unchanged(&before);
}
#endif
}

LINUX_CASE("userns.own.real_root_enters",
           "Real root that enters by setns may attach mode 0, IPC_SET any uid, and IPC_RMID", .level = LINUX,
           .clause = "user_namespaces(7); setns(2)", .needs = NEEDS | NEED_ROOT | NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        struct shared {
                int id;
                char process[16];
        } *s = make_shared(sizeof(*s));
        struct child c;
        CHILD(&c, "inside")
        {
                make_sure(readlink("/proc/self", s->process, sizeof(s->process) - 1) > 0, "/proc/self: %s",
                          strerror(errno));
                enter_as_a(2);
                make_ipc_namespace();
                s->id = make_as(1, 1, 0);
                tell_parent(&c);
                await_parent(&c);
        }
        await_child(&c);
        char path[64];
        snprintf(path, sizeof(path), "/proc/%s/ns/ipc", s->process);
        IN_CHILD
        {
                int fd = open(path, O_RDONLY | O_CLOEXEC);
                if (fd == -1)
                        skip_case("%s: %s", path, strerror(errno));
                make_sure(setns(fd, CLONE_NEWIPC) == 0, "setns: %s", strerror(errno));
                struct shmid_ds ds = make_stat(s->id);
                check_equal(ds.shm_perm.uid, USER_B);
                check_equal(ds.shm_perm.gid, GROUP_B);
                struct outcome attached = try_shmat(s->id, NULL, 0);
                check_succeeds(attached);
                if (!attached.failed) {
                        check_pattern("real root reads the contents", address_of(attached), SIZE, 1);
                        make_detached(address_of(attached));
                }
                check_succeeds(try_set(s->id, USER_C, GROUP_C, 0));
                check_equal(make_stat(s->id).shm_perm.uid, USER_C);
                check_succeeds(try_shmctl(s->id, IPC_RMID, NULL));
        }
        tell_child(&c);
        join_child(&c);
#endif
}

#ifdef __linux__
static void check_all_ids(int id, unsigned long expected)
{
        struct shmid_ds ds = make_stat(id);
        check_equal(ds.shm_perm.uid, expected);
        check_equal(ds.shm_perm.gid, expected);
        check_equal(ds.shm_perm.cuid, expected);
        check_equal(ds.shm_perm.cgid, expected);
}
#endif

LINUX_CASE("userns.own.unprivileged",
           "An ordinary process in its own user and IPC namespace has a segment of mode 0, ids mapped or not",
           .level = LINUX, .clause = "user_namespaces(7)",
           .needs = NEED_USER_NAMESPACE | NEED_UNPRIVILEGED | NEED_IPC_NAMESPACE | NEED_PROC)
{
#ifdef __linux__
        make_segment(KEY, SIZE, 0666);
        IN_CHILD
        {
                unsigned long uid = geteuid();
                unsigned long gid = getegid();
                /* Who lacks CAP_SETFCAP may not map its parent's uid 0 (Linux 5.12). */
                if (uid == 0)
                        skip_case("needs an ordinary uid: the run's only one is 0");
                /* A process that setuid has made undumpable may not write its own maps. */
                prctl(PR_SET_DUMPABLE, 1);
                make_sure(unshare(CLONE_NEWUSER) == 0, "unshare(CLONE_NEWUSER): %s", strerror(errno));
                make_ipc_namespace();
                check_fails(try_shmget(KEY, 0, 0), ENOENT);
                int early = make_segment(IPC_PRIVATE, SIZE, 0);
                int kept = make_segment(KEY, SIZE, 0);
                check_all_ids(kept, UNMAPPED);
                check_succeeds(try_shmat(kept, NULL, 0));
                check_succeeds(try_shmctl(early, IPC_RMID, NULL));
                char map[48];
                make_id_map("self", "setgroups", "deny");
                snprintf(map, sizeof(map), "0 %lu 1", uid);
                make_id_map("self", "uid_map", map);
                snprintf(map, sizeof(map), "0 %lu 1", gid);
                make_id_map("self", "gid_map", map);
                check_all_ids(kept, 0);
                check_succeeds(try_shmat(kept, NULL, 0));
        }
#endif
}

LINUX_CASE("userns.attached.kept", "unshare(CLONE_NEWUSER) keeps the attachment, and the access through it",
           .level = LINUX, .clause = "user_namespaces(7)", .needs = NEED_USER_NAMESPACE)
{
#ifdef __linux__
        int id = make_filled_segment(KEY, SIZE, 0600, 1);
        struct death d;
        DOOMED(&d)
        {
                void *at = make_attached(id, 0);
                make_sure(unshare(CLONE_NEWUSER) == 0, "unshare(CLONE_NEWUSER): %s", strerror(errno));
                check_pattern("the contents are there", at, SIZE, 1);
                fill_pattern(at, SIZE, 2);
        }
        check_death("loads and stores of the attachment", &d, OK);
        check_pattern("what was stored is there", make_attached(id, SHM_RDONLY), SIZE, 2);
#endif
}

/* ---- files of /proc ---- */

#ifdef __linux__
/* uid, gid, cuid, cgid of the segment's line in /proc/sysvipc/shm; false if it has none. */
static bool read_listed_ids(int id, unsigned long ids[4])
{
        FILE *f = fopen("/proc/sysvipc/shm", "r");
        make_sure(f != NULL, "/proc/sysvipc/shm: %s", strerror(errno));
        char line[512];
        int listed = -1;
        while (listed != id && fgets(line, sizeof(line), f)) {
                if (sscanf(line, "%*d %d %*o %*u %*d %*d %*u %lu %lu %lu %lu", &listed, &ids[0], &ids[1], &ids[2],
                           &ids[3]) != 5)
                        listed = -1;
        }
        fclose(f);
        return listed == id;
}
#endif

LINUX_CASE("proc.ids_of_reader", "/proc/sysvipc/shm shows ids as its opener's user namespace does: as mapped, or 65534",
           .level = LINUX, .clause = "user_namespaces(7)", .needs = NEEDS)
{
#ifdef __linux__
        int id = make_as(USER_A, GROUP_A, 0600);
        make_ownership(id, USER_C, GROUP_C, 0600);
        unsigned long outside[4] = {0};
        check_that(read_listed_ids(id, outside), "the segment is listed outside");
        check_equal(outside[0], USER_C);
        check_equal(outside[2], USER_A);
        IN_CHILD
        {
                enter_as_a(1);
                unsigned long inside[4] = {1, 1, 1, 1};
                check_that(read_listed_ids(id, inside), "the segment is listed inside");
                check_equal(inside[0], UNMAPPED);
                check_equal(inside[1], UNMAPPED);
                check_equal(inside[2], 0);
                check_equal(inside[3], 0);
        }
#endif
}

LINUX_CASE("sysctl.write.child_userns",
           "Root of a child user namespace may not write the settings of the IPC namespace it came from",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/ipc_sysctl.c ipc_permissions()",
           .needs = NEEDS | NEED_SYSCTL | NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        static const char *const paths[] = {"/proc/sys/kernel/shmmni", "/proc/sys/kernel/shmmax",
                                            "/proc/sys/kernel/shmall", "/proc/sys/kernel/shm_rmid_forced"};
        /* Proves that the settings are not the host's. */
        make_sysctl("shm_rmid_forced", "0");
        IN_CHILD
        {
                enter_as_a(1);
                for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
                        int fd = open(paths[i], O_WRONLY);
                        char text[64];
                        snprintf(text, sizeof(text), "open(\"%s\", O_WRONLY)", paths[i]);
                        check_fails(try_other(text, fd, fd == -1, errno), EACCES);
                }
        }
#endif
}
