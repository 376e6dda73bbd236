/*
 * shmget's permission to find: POSIX XSH 2.7.1 and shmget ERRORS EACCES, by
 * class of caller. POSIX is held to the read and write bits of the caller's own
 * digit of shmflg; what bits of the other digits and execute bits ask is
 * Linux'. The same classes with shmat and shmctl are permissions.c's.
 */
#include "case.h"

#include <stdio.h>
#ifdef __linux__
#include <grp.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#endif

#define SIZE 3333
/* Every fifth of the 512 modes: each digit takes every value, beside others that grant more and less. */
#define MODES 01000
#define STRIDE 5

/* Which digit of the mode a class of callers has: how far it is from the lowest. */
enum digit { USER_DIGIT = 6, GROUP_DIGIT = 3, OTHER_DIGIT = 0 };

/* ---- the classes ---- */

struct class_row {
        ROW_HEAD;
        uid_t uid;
        gid_t gid;
        gid_t supplementary; /* 0 for none */
        enum digit digit;
        bool privileged; /* whatever the digit says */
};

#define CREATOR USER_A
#define CREATOR_GROUP GROUP_A
#define OWNER USER_B
#define OWNER_GROUP GROUP_B
#define STRANGER USER_C
#define STRANGER_GROUP GROUP_C

static key_t key_of_mode(int mode)
{
        return (key_t)(mode + 1);
}

/* One segment for each of the modes, whose owner and owner's group are not its creator and creator's group. */
static void make_segment_of_each_mode(void)
{
        int made = 0;
        WITH_IDS(CREATOR, CREATOR_GROUP, 0)
        {
                for (int mode = 0; mode < MODES; mode += STRIDE)
                        make_sure(quiet_shmget(key_of_mode(mode), 1, IPC_CREAT | IPC_EXCL | mode) != -1,
                                  "a segment of mode 0%o", (unsigned)mode);
        }
        for (int mode = 0; mode < MODES; mode += STRIDE) {
                struct stat_buffer b;
                memset(&b, 0, sizeof(b));
                b.is.ds.shm_perm.uid = OWNER;
                b.is.ds.shm_perm.gid = OWNER_GROUP;
                b.is.ds.shm_perm.mode = (unsigned short)mode;
                int id = quiet_shmget(key_of_mode(mode), 0, 0);
                make_sure(shmctl(id, IPC_SET, &b.is.ds) == 0, "IPC_SET of mode 0%o", (unsigned)mode);
                made++;
        }
        means_to_leave(made);
}

struct tally {
        unsigned asked, wrong;
        char first[80]; /* the first answer that is wrong */
};

static void ask(struct tally *t, int mode, int flags, bool granted)
{
        errno = 0;
        int id = quiet_shmget(key_of_mode(mode), 0, flags);
        int error = id == -1 ? errno : 0;
        t->asked++;
        if (granted ? error == 0 : error == EACCES)
                return;
        if (t->wrong++ == 0)
                snprintf(t->first, sizeof(t->first), "flags 0%o on mode 0%o: %s", (unsigned)flags, (unsigned)mode,
                         error ? strerror(error) : "granted");
}

static void check_tally(const char *what, const struct tally *t)
{
        check_explained(t->asked > 0 && t->wrong == 0, what, "%u of %u are not; the first, %s", t->wrong, t->asked,
                        t->first);
}

/* Read, write and both, asked in the caller's own digit. */
static void check_own_digit(const struct class_row *row)
{
        struct tally t = {0};
        for (int mode = 0; mode < MODES; mode += STRIDE) {
                int have = mode >> row->digit & 7;
                for (int want = 2; want <= 6; want += 2)
                        ask(&t, mode, want << row->digit, row->privileged || !(want & ~have));
        }
        check_tally("read and write of the caller's own digit are granted by that digit of every fifth mode", &t);
}

/*
 * Any digit asks; the single bits of three digits come together to all that can
 * be asked. A fifth of the modes is enough: their digits still take every value.
 */
static struct tally ask_in_any_digit(const struct class_row *row)
{
        static const int bits[] = {0, 1, 2, 4};
        struct tally t = {0};
        for (int mode = 0; mode < MODES; mode += STRIDE * STRIDE) {
                int have = mode >> row->digit & 7;
                for (int n = 0; n < 4 * 4 * 4; n++) {
                        int user = bits[n & 3];
                        int group = bits[n >> 2 & 3];
                        int other = bits[n >> 4 & 3];
                        int want = user | group | other;
                        ask(&t, mode, user << 6 | group << 3 | other, row->privileged || !(want & ~have));
                }
        }
        return t;
}

static const struct class_row classes[] = {
        {ROW("shmget.access.owner", "The owner is granted and denied by the user digit", .level = POSIX_SHALL,
             .clause = "POSIX XSH 2.7.1 IPC General Description", .needs = NEED_TWO_UIDS | NEED_IPC_NAMESPACE),
         OWNER, STRANGER_GROUP, 0, USER_DIGIT, false},
        {ROW("shmget.access.creator", "The creator who is no longer owner is granted and denied by the user digit",
             .level = POSIX_SHALL, .clause = "POSIX XSH 2.7.1 IPC General Description",
             .needs = NEED_TWO_UIDS | NEED_IPC_NAMESPACE),
         CREATOR, STRANGER_GROUP, 0, USER_DIGIT, false},
        {ROW("shmget.access.group", "A caller of the segment's group is granted and denied by the group digit",
             .level = POSIX_SHALL, .clause = "POSIX XSH 2.7.1 IPC General Description",
             .needs = NEED_TWO_UIDS | NEED_IPC_NAMESPACE),
         STRANGER, OWNER_GROUP, 0, GROUP_DIGIT, false},
        {ROW("shmget.access.creator_group", "A caller of the creator's group is granted and denied by the group digit",
             .level = POSIX_SHALL, .clause = "POSIX XSH 2.7.1 IPC General Description",
             .needs = NEED_TWO_UIDS | NEED_IPC_NAMESPACE),
         STRANGER, CREATOR_GROUP, 0, GROUP_DIGIT, false},
        {ROW("shmget.access.supplementary",
             "A caller with the segment's group as supplementary group has the group digit",
             .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/util.c ipcperms()",
             .needs = NEED_TWO_UIDS | NEED_IPC_NAMESPACE, .note = "POSIX XSH 2.7.1 names the effective gid only"),
         STRANGER, STRANGER_GROUP, OWNER_GROUP, GROUP_DIGIT, false},
        {ROW("shmget.access.supplementary_creator",
             "A caller with the creator's group as supplementary group has the group digit",
             .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/util.c ipcperms()",
             .needs = NEED_TWO_UIDS | NEED_IPC_NAMESPACE, .note = "POSIX XSH 2.7.1 names the effective gid only"),
         STRANGER, STRANGER_GROUP, CREATOR_GROUP, GROUP_DIGIT, false},
        {ROW("shmget.access.other", "A stranger is granted and denied by the other digit", .level = POSIX_SHALL,
             .clause = "POSIX XSH 2.7.1 IPC General Description", .needs = NEED_TWO_UIDS | NEED_IPC_NAMESPACE),
         STRANGER, STRANGER_GROUP, 0, OTHER_DIGIT, false},
        {ROW("shmget.access.owner_in_group",
             "For an owner who is in the segment's group too only the user digit counts", .level = POSIX_SHALL,
             .clause = "POSIX XSH 2.7.1 IPC General Description", .needs = NEED_TWO_UIDS | NEED_IPC_NAMESPACE),
         OWNER, OWNER_GROUP, 0, USER_DIGIT, false},
        {ROW("shmget.access.privileged", "A caller with appropriate privileges is granted everything on every mode",
             .level = POSIX_SHALL, .clause = "POSIX XSH 2.7.1 IPC General Description",
             .needs = NEED_TWO_UIDS | NEED_IPC_NAMESPACE),
         0, 0, 0, OTHER_DIGIT, true},
};

TABLE(classes, struct class_row, row)
{
        make_segment_of_each_mode();
        WITH_IDS(row->uid, row->gid, row->supplementary)
        {
                check_own_digit(row);
                struct tally t = ask_in_any_digit(row);
                if (row->privileged) {
                        check_tally("whatever is asked is granted", &t);
                } else {
                        LINUX_ONLY
                        {
                                check_tally("what any digit asks is granted by the caller's digit of each mode tried",
                                            &t);
                        }
                }
        }
}

/* ---- one caller ---- */

CASE("shmget.access.owner_not_union", "On mode 0066 the owner is denied what group and others may",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget ERRORS EACCES", .needs = NEED_UNPRIVILEGED)
{
        make_segment(KEY, SIZE, 0066);
        check_fails(try_shmget(KEY, SIZE, 0600), EACCES);
        check_fails(try_shmget(KEY, SIZE, 0400), EACCES);
        check_fails(try_shmget(KEY, SIZE, 0200), EACCES);
}

CASE("shmget.access.owner_mode_0", "On mode 0 the owner is denied reading, writing and both, with IPC_CREAT too",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget ERRORS EACCES", .needs = NEED_UNPRIVILEGED)
{
        static const int asked[] = {0400, 0200, 0600};
        make_segment(KEY, SIZE, 0);
        for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
                check_fails(try_shmget(KEY, SIZE, asked[i]), EACCES);
                check_fails(try_shmget(KEY, SIZE, IPC_CREAT | asked[i]), EACCES);
        }
}

CASE("shmget.access.nothing_asked",
     "Flags without permission bits give a stranger the id of a mode 0 segment, not its contents", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget ERRORS EACCES", .needs = NEED_TWO_UIDS)
{
        int id = make_segment(KEY, SIZE, 0);
        WITH_IDS(STRANGER, STRANGER_GROUP, 0)
        {
                int found = id_of(try_shmget(KEY, SIZE, 0));
                check_equal(found, id);
                found = id_of(try_shmget(KEY, 0, IPC_CREAT));
                check_equal(found, id);
                check_fails(try_shmat(id, NULL, SHM_RDONLY), EACCES);
        }
}

CASE("shmget.access.digits_folded",
     "Read, and write, asked in any of the three digits is asked of the caller's own digit",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/util.c ipcperms()", .needs = NEED_UNPRIVILEGED)
{
        int readable = make_segment(KEY, SIZE, 0400);
        make_segment(OTHER_KEY, SIZE, 0044);
        for (int digit = OTHER_DIGIT; digit <= USER_DIGIT; digit += 3) {
                int found = id_of(try_shmget(KEY, SIZE, 4 << digit));
                check_equal(found, readable);
                check_fails(try_shmget(KEY, SIZE, 2 << digit), EACCES);
                check_fails(try_shmget(OTHER_KEY, SIZE, 4 << digit), EACCES);
        }
}

CASE("shmget.access.execute", "An execute bit asked in any digit is denied by mode 0600 and granted by mode 0700",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/util.c ipcperms()", .needs = NEED_UNPRIVILEGED,
     .note = "shmget(2) says that execute bits are not used: they are in this check")
{
        static const int asked[] = {0100, 0010, 0001, 0700};
        make_segment(KEY, SIZE, 0600);
        int executable = make_segment(OTHER_KEY, SIZE, 0700);
        for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
                check_fails(try_shmget(KEY, SIZE, asked[i]), EACCES);
                int found = id_of(try_shmget(OTHER_KEY, SIZE, asked[i]));
                check_equal(found, executable);
        }
}

static int make_segment_of(uid_t uid, gid_t gid, int mode)
{
        int id = -1;
        WITH_IDS(uid, gid, 0)
        {
                id = make_segment(KEY, SIZE, mode);
        }
        return id;
}

CASE("shmget.access.real_uid",
     "The effective uid decides: the owner's real and saved uid do not help, a stranger's do not harm",
     .level = POSIX_SHALL, .clause = "POSIX XSH 2.7.1 IPC General Description", .needs = NEED_TWO_UIDS)
{
        int id = make_segment_of(OWNER, OWNER_GROUP, 0600);
        IN_CHILD
        {
                become_ids(OWNER, STRANGER, OWNER, STRANGER_GROUP);
                check_fails(try_shmget(KEY, SIZE, 0400), EACCES);
        }
        IN_CHILD
        {
                become_ids(STRANGER, OWNER, STRANGER, STRANGER_GROUP);
                int found = id_of(try_shmget(KEY, SIZE, 0600));
                check_equal(found, id);
        }
        become_ids(STRANGER, 0, STRANGER, STRANGER_GROUP);
        int found = id_of(try_shmget(KEY, SIZE, 0600));
        check_equal(found, id);
}

#ifdef __linux__

/* Groups for good, then the uid: what is left is the change to fsgid, which real and effective gid allow. */
static void become_fsgid(gid_t real, gid_t effective, gid_t file_system)
{
        make_sure(setgroups(0, NULL) == 0 && setresgid(real, effective, effective) == 0 && setuid(STRANGER) == 0,
                  "setgroups, setresgid or setuid");
        setfsgid(file_system);
        make_sure(setfsgid(file_system) == (int)file_system, "setfsgid");
}

#endif

LINUX_CASE("shmget.access.fsgid", "The file system gid decides on the group digit, not the effective gid",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/util.c ipcperms()", .needs = NEED_TWO_UIDS)
{
#ifdef __linux__
        /* An id that cannot be set asks for the present one, which followed the effective one. */
        if (setfsgid((gid_t)-1) != (int)getegid())
                skip_case("this kernel gives a process no file system gid");
        int id = make_segment_of(OWNER, OWNER_GROUP, 0060);
        IN_CHILD
        {
                become_fsgid(OWNER_GROUP, STRANGER_GROUP, OWNER_GROUP);
                int found = id_of(try_shmget(KEY, SIZE, 0060));
                check_equal(found, id);
        }
        become_fsgid(STRANGER_GROUP, OWNER_GROUP, STRANGER_GROUP);
        check_fails(try_shmget(KEY, SIZE, 0060), EACCES);
#endif
}

#ifdef __linux__

#define CAP_BIT_IPC_OWNER (1ULL << 15)

/* A stranger keeps those of root's capabilities that are in mask. */
static void become_stranger_with(unsigned long long mask)
{
        make_sure(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0, "prctl(PR_SET_KEEPCAPS)");
        become_user(STRANGER, STRANGER_GROUP);
        make_only_capabilities(mask);
}

#endif

LINUX_CASE("shmget.access.no_cap_ipc_owner", "Uid 0 without CAP_IPC_OWNER is denied its own mode 0 segment",
           .level = LINUX, .clause = "capabilities(7) CAP_IPC_OWNER", .needs = NEED_CAP_DROP)
{
#ifdef __linux__
        int id = make_segment(KEY, SIZE, 0);
        int found = id_of(try_shmget(KEY, SIZE, 0600));
        check_equal(found, id);
        make_only_capabilities(~CAP_BIT_IPC_OWNER);
        check_fails(try_shmget(KEY, SIZE, 0400), EACCES);
        check_fails(try_shmget(KEY, SIZE, 0600), EACCES);
#endif
}

LINUX_CASE("shmget.access.only_cap_ipc_owner", "A stranger with CAP_IPC_OWNER alone is granted", .level = LINUX,
           .clause = "capabilities(7) CAP_IPC_OWNER", .needs = NEED_TWO_UIDS | NEED_CAP_DROP)
{
#ifdef __linux__
        int id = make_segment(KEY, SIZE, 0);
        become_stranger_with(CAP_BIT_IPC_OWNER);
        int found = id_of(try_shmget(KEY, SIZE, 0600));
        check_equal(found, id);
#endif
}

LINUX_CASE("shmget.access.other_caps", "A stranger with every capability but CAP_IPC_OWNER is denied", .level = LINUX,
           .clause = "capabilities(7) CAP_IPC_OWNER", .needs = NEED_TWO_UIDS | NEED_CAP_DROP)
{
#ifdef __linux__
        make_segment(KEY, SIZE, 0);
        become_stranger_with(~CAP_BIT_IPC_OWNER);
        check_fails(try_shmget(KEY, SIZE, 0400), EACCES);
        check_fails(try_shmget(KEY, SIZE, 0600), EACCES);
#endif
}

LINUX_CASE("shmget.access.foreign_user_namespace",
           "Every capability in a new user namespace gives no right in the old one's IPC namespace", .level = LINUX,
           .clause = "shmget(2) ERRORS EACCES", .needs = NEED_USER_NAMESPACE)
{
#ifdef __linux__
        make_segment(KEY, SIZE, 0);
        make_sure(unshare(CLONE_NEWUSER) == 0, "unshare(CLONE_NEWUSER)");
        check_fails(try_shmget(KEY, SIZE, 0400), EACCES);
#endif
}

CASE("shmget.access.after_ipc_set",
     "A stranger who is denied is granted once IPC_SET gives others the right, or makes him owner",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmctl IPC_SET", .needs = NEED_TWO_UIDS)
{
        int id = make_segment(KEY, SIZE, 0600);
        WITH_IDS(STRANGER, STRANGER_GROUP, 0)
        {
                check_fails(try_shmget(KEY, SIZE, 0004), EACCES);
        }
        make_ownership(id, OWNER, OWNER_GROUP, 0604);
        WITH_IDS(STRANGER, STRANGER_GROUP, 0)
        {
                int found = id_of(try_shmget(KEY, SIZE, 0004));
                check_equal(found, id);
        }
        make_ownership(id, STRANGER, OWNER_GROUP, 0600);
        WITH_IDS(STRANGER, STRANGER_GROUP, 0)
        {
                int found = id_of(try_shmget(KEY, SIZE, 0600));
                check_equal(found, id);
        }
}

CASE("shmget.access.denied_changes_nothing", "A denied shmget changes nothing", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget ERRORS EACCES", .needs = NEED_TWO_UIDS)
{
        int id = make_segment_of(OWNER, OWNER_GROUP, 0600);
        make_touched_by_another(id, SIZE, 1);
        struct snapshot before = take_snapshot(id);
        WITH_IDS(STRANGER, STRANGER_GROUP, 0)
        {
                check_fails(try_shmget(KEY, SIZE, 0004), EACCES);
                check_fails(try_shmget(KEY, SIZE, IPC_CREAT | 0006), EACCES);
        }
        check_unchanged(&before);
        check_pattern("the contents are as before", make_attached(id, SHM_RDONLY), SIZE, 1);
}
