/*
 * Privilege: what root, and what each single capability, may do with a segment
 * that is another's and grants nothing. POSIX leaves open what appropriate
 * privileges are; which capability is needed for which call is Linux'. The
 * segment is made by the other user, because even uid 0 is a creator's uid.
 */
#include "case.h"

#include <sys/resource.h>
#if defined(__linux__)
#include <grp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

#define SIZE 3333

/* Capabilities by their numbers in the kernel's ABI, for C libraries without the header. */
#define CAP_BIT(number) (1ULL << (number))
#define CHOWN CAP_BIT(0)
#define DAC_OVERRIDE CAP_BIT(1)
#define DAC_READ_SEARCH CAP_BIT(2)
#define FOWNER CAP_BIT(3)
#define IPC_LOCK CAP_BIT(14)
#define IPC_OWNER CAP_BIT(15)
#define SYS_ADMIN CAP_BIT(21)
#define ALL (~0ULL)

/* A segment of USER_B, mode 0. */
static int make_foreign_segment(void)
{
        int *id = make_shared(sizeof(*id));
        AS_USER(USER_B, GROUP_B)
        {
                *id = make_segment(KEY, SIZE, 0);
        }
        return *id;
}

static struct stat_buffer same_ownership(void)
{
        struct stat_buffer b;
        memset(&b, 0, sizeof(b));
        b.is.ds.shm_perm.uid = USER_B;
        b.is.ds.shm_perm.gid = GROUP_B;
        return b;
}

CASE("priv.root.seteuid", "Root that took another effective uid is a stranger: shmat of a segment of mode 0 is denied",
     .level = POSIX_SHALL, .clause = "POSIX XSH 2.7.1", .needs = NEED_TWO_UIDS)
{
        int id = make_foreign_segment();
        struct snapshot before = take_snapshot(id);
        IN_CHILD
        {
                make_sure(setegid(GROUP_C) == 0 && seteuid(USER_C) == 0 && geteuid() == USER_C, "seteuid: %s",
                          strerror(errno));
                check_fails(try_shmat(id, NULL, 0), EACCES);
        }
        check_unchanged(&before);
}

static const struct privilege_row {
        ROW_HEAD;
        unsigned long long capabilities;
        uid_t uid;
        int access, lock, control; /* OK, or how the calls of the group fail */
} privileges[] = {
        {ROW("priv.root.all_caps", "Root may attach, read, lock, change and remove another's segment of mode 0",
             .level = POSIX_IMPL_DEFINED, .clause = "POSIX XSH 2.7.1 (appropriate privileges)",
             .needs = NEED_ROOT | NEED_TWO_UIDS),
         ALL, 0, OK, OK, OK},
        {ROW("priv.root.no_ipc_owner", "Root without CAP_IPC_OWNER may lock, change and remove, but not attach or read",
             .level = LINUX, .clause = "capabilities(7) CAP_IPC_OWNER", .needs = NEED_CAP_DROP | NEED_TWO_UIDS,
             .linux_only = true),
         ALL & ~IPC_OWNER, 0, EACCES, OK, OK},
        {ROW("priv.root.no_sys_admin", "Root without CAP_SYS_ADMIN may attach, read and lock, but not change or remove",
             .level = LINUX, .clause = "shmctl(2) ERRORS EPERM", .needs = NEED_CAP_DROP | NEED_TWO_UIDS,
             .linux_only = true),
         ALL & ~SYS_ADMIN, 0, OK, OK, EPERM},
        {ROW("priv.root.no_ipc_lock", "Root without CAP_IPC_LOCK may attach, read, change and remove, but not lock",
             .level = LINUX, .clause = "capabilities(7) CAP_IPC_LOCK", .needs = NEED_CAP_DROP | NEED_TWO_UIDS,
             .linux_only = true),
         ALL & ~IPC_LOCK, 0, OK, EPERM, OK},
        {ROW("priv.root.no_caps", "Uid 0 without capabilities is a stranger", .level = LINUX,
             .clause = "capabilities(7)", .needs = NEED_CAP_DROP | NEED_TWO_UIDS, .linux_only = true),
         0, 0, EACCES, EPERM, EPERM},
        {ROW("priv.uid.ipc_owner_only", "An ordinary user with CAP_IPC_OWNER alone may attach and read, nothing else",
             .level = LINUX, .clause = "capabilities(7) CAP_IPC_OWNER", .needs = NEED_CAP_DROP | NEED_TWO_UIDS,
             .linux_only = true),
         IPC_OWNER, USER_C, OK, EPERM, EPERM},
        {ROW("priv.uid.sys_admin_only", "An ordinary user with CAP_SYS_ADMIN alone may change and remove, nothing else",
             .level = LINUX, .clause = "shmctl(2) ERRORS EPERM", .needs = NEED_CAP_DROP | NEED_TWO_UIDS,
             .linux_only = true),
         SYS_ADMIN, USER_C, EACCES, EPERM, OK},
        {ROW("priv.uid.ipc_lock_only",
             "An ordinary user with CAP_IPC_LOCK alone may lock with RLIMIT_MEMLOCK 0, nothing else", .level = LINUX,
             .clause = "capabilities(7) CAP_IPC_LOCK", .needs = NEED_CAP_DROP | NEED_TWO_UIDS, .linux_only = true),
         IPC_LOCK, USER_C, EACCES, OK, EPERM},
        {ROW("priv.uid.file_caps_useless", "The capabilities over files give an ordinary user nothing", .level = LINUX,
             .clause = "capabilities(7) CAP_DAC_OVERRIDE", .needs = NEED_CAP_DROP | NEED_TWO_UIDS, .linux_only = true),
         DAC_OVERRIDE | DAC_READ_SEARCH | FOWNER | CHOWN, USER_C, EACCES, EPERM, EPERM},
};

/* Root of a container may lack a capability that its row speaks of. */
static void need_capabilities(unsigned long long wanted)
{
#ifdef __linux__
        struct {
                uint32_t version;
                int pid;
        } header = {0x20080522, 0};
        uint32_t sets[2][3] = {{0}};
        make_sure(syscall(__NR_capget, &header, sets) == 0, "capget: %s", strerror(errno));
        unsigned long long permitted = sets[0][1] | (unsigned long long)sets[1][1] << 32;
        wanted &= IPC_LOCK | IPC_OWNER | SYS_ADMIN;
        if ((permitted & wanted) != wanted)
                skip_case("needs the capabilities 0x%llx, which the run has not", wanted & ~permitted);
#else
        (void)wanted;
#endif
}

static void become_privileged(const struct privilege_row *row)
{
#ifdef __linux__
        if (row->capabilities == ALL)
                return;
        if (row->uid != 0)
                make_sure(setgroups(0, NULL) == 0 && setgid(GROUP_C) == 0 && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0 &&
                                  setuid(row->uid) == 0 && geteuid() == row->uid,
                          "becoming uid %lu with capabilities: %s", (unsigned long)row->uid, strerror(errno));
        make_only_capabilities(row->capabilities);
#else
        (void)row;
#endif
}

static void try_access(int id, int expected)
{
        struct stat_buffer b;
        check_result(try_shmget(KEY, 0, 0600), expected);
        check_result(try_shmat(id, NULL, 0), expected);
        check_result(try_shmctl(id, IPC_STAT, &b.is.ds), expected);
}

#ifdef __linux__
static void try_linux_access(int id, int index, int expected)
{
        struct stat_buffer b;
        check_result(try_shmat(id, NULL, SHM_EXEC), expected);
        check_result(try_shmctl(index, SHM_STAT, &b.is.ds), expected);
}

static void try_lock(int id, int expected)
{
        check_result(try_shmctl(id, SHM_LOCK, NULL), expected);
        check_result(try_shmctl(id, SHM_UNLOCK, NULL), expected);
}

/* The index by which SHM_STAT knows the segment, or -1. */
static int index_of(int id)
{
        struct stat_buffer b;
        int highest = shmctl(0, SHM_INFO, &b.is.ds);
        for (int index = 0; index <= highest; index++) {
                if (shmctl(index, SHM_STAT, &b.is.ds) == id)
                        return index;
        }
        return -1;
}
#endif

static void try_control(int id, int expected)
{
        struct stat_buffer b = same_ownership();
        check_result(try_shmctl(id, IPC_SET, &b.is.ds), expected);
        check_result(try_shmctl(id, IPC_RMID, NULL), expected);
}

TABLE(privileges, struct privilege_row, row)
{
        need_capabilities(row->capabilities);
        int id = make_foreign_segment();
        struct snapshot before = take_snapshot(id);
#ifdef __linux__
        int index = index_of(id);
#endif
        IN_CHILD
        {
#ifdef RLIMIT_MEMLOCK
                if (row->capabilities == IPC_LOCK)
                        make_rlimit(RLIMIT_MEMLOCK, 0);
#endif
                become_privileged(row);
                try_access(id, row->access);
#ifdef __linux__
                LINUX_ONLY
                {
                        try_linux_access(id, index, row->access);
                        try_lock(id, row->lock);
                }
#endif
                try_control(id, row->control);
        }
        if (row->access != OK && row->lock != OK && row->control != OK)
                check_unchanged(&before);
}
