/*
 * Privilege: what root, and what each single capability, may do with a segment
 * that is another's and grants nothing. POSIX leaves open what appropriate
 * privileges are; which capability is needed for which call is Linux'. The
 * segment is made by the other user, because even uid 0 is a creator's uid.
 */
#include "case.h"

#include <sys/resource.h>
#if defined(__linux__)
#include <sys/syscall.h>
#endif

#define SIZE 3333

/* Capabilities by their numbers in the kernel's ABI, for C libraries without the header. */
#define ALL (~0ULL)

/* A segment of USER_B, mode 0. */
static int make_foreign_segment(void)
{
        return make_anothers_segment(USER_B, GROUP_B, KEY, SIZE, 0);
}

static struct stat_buffer same_ownership(void)
{
        struct stat_buffer b;
        fill_set(&b, 0, USER_B, GROUP_B, 0);
        return b;
}

CASE("priv.root.seteuid", "Root that took another effective uid is a stranger: shmat of a segment of mode 0 is denied",
     .level = POSIX_SHALL, .clause = "POSIX XSH 2.7.1 IPC General Description", .needs = NEED_TWO_UIDS)
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
             .level = POSIX_IMPL_DEFINED, .clause = "POSIX XSH 2.7.1 IPC General Description",
             .needs = NEED_ROOT | NEED_TWO_UIDS),
         ALL, 0, OK, OK, OK},
        {ROW("priv.root.no_ipc_owner", "Root without CAP_IPC_OWNER may lock, change and remove, but not attach or read",
             .level = LINUX, .clause = "capabilities(7) CAP_IPC_OWNER", .needs = NEED_CAP_DROP | NEED_TWO_UIDS,
             .linux_only = true),
         ALL & ~CAP_IPC_OWNER_BIT, 0, EACCES, OK, OK},
        {ROW("priv.root.no_sys_admin", "Root without CAP_SYS_ADMIN may attach, read and lock, but not change or remove",
             .level = LINUX, .clause = "shmctl(2) ERRORS EPERM", .needs = NEED_CAP_DROP | NEED_TWO_UIDS,
             .linux_only = true),
         ALL & ~CAP_SYS_ADMIN_BIT, 0, OK, OK, EPERM},
        {ROW("priv.root.no_ipc_lock", "Root without CAP_IPC_LOCK may attach, read, change and remove, but not lock",
             .level = LINUX, .clause = "capabilities(7) CAP_IPC_LOCK", .needs = NEED_CAP_DROP | NEED_TWO_UIDS,
             .linux_only = true),
         ALL & ~CAP_IPC_LOCK_BIT, 0, OK, EPERM, OK},
        {ROW("priv.root.no_caps", "Uid 0 without capabilities is a stranger", .level = LINUX,
             .clause = "capabilities(7)", .needs = NEED_CAP_DROP | NEED_TWO_UIDS, .linux_only = true),
         0, 0, EACCES, EPERM, EPERM},
        {ROW("priv.uid.ipc_owner_only", "An ordinary user with CAP_IPC_OWNER alone may attach and read, nothing else",
             .level = LINUX, .clause = "capabilities(7) CAP_IPC_OWNER", .needs = NEED_CAP_DROP | NEED_TWO_UIDS,
             .linux_only = true),
         CAP_IPC_OWNER_BIT, USER_C, OK, EPERM, EPERM},
        {ROW("priv.uid.sys_admin_only", "An ordinary user with CAP_SYS_ADMIN alone may change and remove, nothing else",
             .level = LINUX, .clause = "shmctl(2) ERRORS EPERM", .needs = NEED_CAP_DROP | NEED_TWO_UIDS,
             .linux_only = true),
         CAP_SYS_ADMIN_BIT, USER_C, EACCES, EPERM, OK},
        {ROW("priv.uid.ipc_lock_only",
             "An ordinary user with CAP_IPC_LOCK alone may lock with RLIMIT_MEMLOCK 0, nothing else", .level = LINUX,
             .clause = "capabilities(7) CAP_IPC_LOCK", .needs = NEED_CAP_DROP | NEED_TWO_UIDS, .linux_only = true),
         CAP_IPC_LOCK_BIT, USER_C, EACCES, OK, EPERM},
        {ROW("priv.uid.file_caps_useless", "The capabilities over files give an ordinary user nothing", .level = LINUX,
             .clause = "capabilities(7) CAP_DAC_OVERRIDE", .needs = NEED_CAP_DROP | NEED_TWO_UIDS, .linux_only = true),
         CAP_DAC_OVERRIDE_BIT | CAP_DAC_READ_SEARCH_BIT | CAP_FOWNER_BIT | CAP_CHOWN_BIT, USER_C, EACCES, EPERM, EPERM},
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
        wanted &= CAP_IPC_LOCK_BIT | CAP_IPC_OWNER_BIT | CAP_SYS_ADMIN_BIT;
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
                become_user_with_capabilities(row->uid, GROUP_C, row->capabilities);
        else
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
        int index = make_index(id);
#endif
        IN_CHILD
        {
#ifdef RLIMIT_MEMLOCK
                if (row->capabilities == CAP_IPC_LOCK_BIT)
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

/* The segment of mode 0666 is USER_A's; the caller is uid 0 and has only the capabilities, and then none. */
static const struct useless_row {
        ROW_HEAD;
        int command;
        unsigned long long capabilities;
} useless[] = {
        {ROW("shmctl.set.other_caps",
             "CAP_IPC_OWNER, CAP_CHOWN, CAP_FOWNER and CAP_DAC_OVERRIDE do not let a stranger IPC_SET: EPERM",
             .level = LINUX, .clause = "shmctl(2) ERRORS EPERM", .needs = NEED_TWO_UIDS | NEED_CAP_DROP,
             .linux_only = true),
         IPC_SET, CAP_IPC_OWNER_BIT | CAP_CHOWN_BIT | CAP_FOWNER_BIT | CAP_DAC_OVERRIDE_BIT},
        {ROW("shmctl.rmid.other_caps",
             "IPC_RMID by a stranger (uid 0) with CAP_IPC_OWNER and CAP_IPC_LOCK fails with EPERM, and so without any",
             .level = LINUX, .clause = "shmctl(2) ERRORS EPERM", .needs = NEED_TWO_UIDS | NEED_CAP_DROP,
             .linux_only = true),
         IPC_RMID, CAP_IPC_OWNER_BIT | CAP_IPC_LOCK_BIT},
};

TABLE(useless, struct useless_row, row)
{
        int id = make_anothers_segment(USER_A, GROUP_A, IPC_PRIVATE, PAGE, 0666);
        struct snapshot before = take_snapshot(id);
        const unsigned long long sets[] = {row->capabilities, 0};
        for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
                struct stat_buffer b;
                fill_set(&b, 0, USER_A, GROUP_A, 0604);
                IN_CHILD
                {
                        make_only_capabilities(sets[i]);
                        check_fails(try_shmctl(id, row->command, row->command == IPC_SET ? &b.is.ds : NULL), EPERM);
                }
        }
        check_unchanged(&before);
}
