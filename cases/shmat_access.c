/*
 * Who may attach: permission class by mode digit by way of attaching. A row's
 * class under test has each of the eight digits in turn, the other classes all
 * bits, so that a wrong choice of class shows.
 *
 * All rows need two real uids that own nothing else; segments are made and given
 * away by root.
 */
#include "case.h"

#include <grp.h>

#define SIZE 3333
#define SEED 3
#define DIGITS 8

enum permission_class { OWNER, GROUP, OTHER };

static mode_t mode_with(enum permission_class class, unsigned digit)
{
        switch (class) {
        case OWNER:
                return (mode_t)(digit << 6 | 077);
        case GROUP:
                return (mode_t)(digit << 3 | 0707);
        case OTHER:
                break;
        }
        return (mode_t)(digit | 0770);
}

/* A way to attach, and the bits of the digit that it needs. */
struct way {
        int flags;
        unsigned needed;
};
static const struct way rdonly[] = {{SHM_RDONLY, 4}, {-1, 0}};
static const struct way rdwr[] = {{0, 6}, {-1, 0}};
static const struct way both[] = {{SHM_RDONLY, 4}, {0, 6}, {-1, 0}};
#ifdef __linux__
static const struct way exec[] = {{SHM_EXEC, 7}, {SHM_EXEC | SHM_RDONLY, 5}, {-1, 0}};
#else
static const struct way exec[] = {{-1, 0}};
#endif

struct identity {
        uid_t uid;
        gid_t gid;
        gid_t supplementary; /* 0: none */
};

/* What every segment of a row is given to; nobody below is both. */
#define SEGMENT_UID USER_A
#define SEGMENT_GID GROUP_A

/* clang-format off */
static const struct access_row {
        ROW_HEAD;
        enum permission_class class;
        const struct way *ways;
        struct identity caller;
        struct identity creator; /* uid 0: root */
} rows[] = {
        {ROW("shmat.access.owner.rdonly", "The owner, by effective uid, needs r of the owner's digit for SHM_RDONLY",
             .level = POSIX_SHALL, .clause = "POSIX XSH shmat ERRORS EACCES", .needs = NEED_TWO_UIDS),
         OWNER, rdonly, {USER_A, GROUP_B, 0}, {0, 0, 0}},
        {ROW("shmat.access.owner.rdwr", "The owner, by effective uid, needs r and w of the owner's digit for flags 0",
             .level = POSIX_SHALL, .clause = "POSIX XSH shmat ERRORS EACCES", .needs = NEED_TWO_UIDS),
         OWNER, rdwr, {USER_A, GROUP_B, 0}, {0, 0, 0}},
        {ROW("shmat.access.owner.exec",
             "The owner needs r, w and x of the owner's digit for SHM_EXEC, and r and x with SHM_RDONLY too",
             .level = LINUX, .clause = "shmop(2) SHM_EXEC", .needs = NEED_TWO_UIDS, .linux_only = true),
         OWNER, exec, {USER_A, GROUP_B, 0}, {0, 0, 0}},
        {ROW("shmat.access.group.rdonly",
             "A member of the group, by effective gid, needs r of its digit for SHM_RDONLY", .level = POSIX_SHALL,
             .clause = "POSIX XSH shmat ERRORS EACCES", .needs = NEED_TWO_UIDS),
         GROUP, rdonly, {USER_B, GROUP_A, 0}, {0, 0, 0}},
        {ROW("shmat.access.group.rdwr",
             "A member of the group, by effective gid, needs r and w of its digit for flags 0", .level = POSIX_SHALL,
             .clause = "POSIX XSH shmat ERRORS EACCES", .needs = NEED_TWO_UIDS),
         GROUP, rdwr, {USER_B, GROUP_A, 0}, {0, 0, 0}},
        {ROW("shmat.access.group.exec",
             "A member of the group needs r, w and x of its digit for SHM_EXEC, and r and x with SHM_RDONLY too",
             .level = LINUX, .clause = "shmop(2) SHM_EXEC", .needs = NEED_TWO_UIDS, .linux_only = true),
         GROUP, exec, {USER_B, GROUP_A, 0}, {0, 0, 0}},
        {ROW("shmat.access.other.rdonly", "Anybody else needs r of the others' digit for SHM_RDONLY",
             .level = POSIX_SHALL, .clause = "POSIX XSH shmat ERRORS EACCES", .needs = NEED_TWO_UIDS),
         OTHER, rdonly, {USER_B, GROUP_B, 0}, {0, 0, 0}},
        {ROW("shmat.access.other.rdwr", "Anybody else needs r and w of the others' digit for flags 0",
             .level = POSIX_SHALL, .clause = "POSIX XSH shmat ERRORS EACCES", .needs = NEED_TWO_UIDS),
         OTHER, rdwr, {USER_B, GROUP_B, 0}, {0, 0, 0}},
        {ROW("shmat.access.other.exec",
             "Anybody else needs r, w and x of the others' digit for SHM_EXEC, and r and x with SHM_RDONLY too",
             .level = LINUX, .clause = "shmop(2) SHM_EXEC", .needs = NEED_TWO_UIDS, .linux_only = true),
         OTHER, exec, {USER_B, GROUP_B, 0}, {0, 0, 0}},
        {ROW("shmat.access.supplementary_group",
             "A caller that has the segment's gid as a supplementary group only is a member of the group",
             .level = POSIX_SHALL, .clause = "POSIX XSH 2.7.1 IPC General Description", .needs = NEED_TWO_UIDS),
         GROUP, both, {USER_B, GROUP_B, GROUP_A}, {0, 0, 0}},
        {ROW("shmat.access.creator_uid", "The creator, who is the owner no more, has the owner's digit",
             .level = POSIX_SHALL, .clause = "POSIX XSH 2.7.1 IPC General Description", .needs = NEED_TWO_UIDS),
         OWNER, both, {USER_B, GROUP_C, 0}, {USER_B, GROUP_B, 0}},
        {ROW("shmat.access.creator_gid",
             "A caller whose gid is the creator's, not the segment's, is a member of the group", .level = POSIX_SHALL,
             .clause = "POSIX XSH 2.7.1 IPC General Description", .needs = NEED_TWO_UIDS),
         GROUP, both, {USER_B, GROUP_B, 0}, {USER_C, GROUP_B, 0}},
};
/* clang-format on */

/* One segment for each digit, made by the creator, then given away by root. */
static void make_segments(const struct access_row *row, int *ids)
{
        WITH_IDS(row->creator.uid, row->creator.gid, row->creator.supplementary)
        {
                for (unsigned digit = 0; digit < DIGITS; digit++)
                        ids[digit] = make_segment(shmc_key(digit), SIZE, 0600);
        }
        for (unsigned digit = 0; digit < DIGITS; digit++)
                make_ownership(ids[digit], SEGMENT_UID, SEGMENT_GID, mode_with(row->class, digit));
}

static bool grants(unsigned digit, const struct way *way)
{
        return (digit & way->needed) == way->needed;
}

static bool grants_none(unsigned digit, const struct way *ways)
{
        for (const struct way *way = ways; way->flags != -1; way++) {
                if (grants(digit, way))
                        return false;
        }
        return true;
}

TABLE(rows, struct access_row, row)
{
        int ids[DIGITS] = {0};
        struct snapshot before[DIGITS];
        make_segments(row, ids);
        for (unsigned digit = 0; digit < DIGITS; digit++)
                before[digit] = take_snapshot(ids[digit]);
        WITH_IDS(row->caller.uid, row->caller.gid, row->caller.supplementary)
        {
                for (unsigned digit = 0; digit < DIGITS; digit++) {
                        for (const struct way *way = row->ways; way->flags != -1; way++) {
                                struct outcome attached = try_shmat(ids[digit], NULL, way->flags);
                                if (grants(digit, way))
                                        check_succeeds(attached);
                                else
                                        check_fails(attached, EACCES);
                        }
                }
        }
        for (unsigned digit = 0; digit < DIGITS; digit++) {
                if (grants_none(digit, row->ways))
                        check_unchanged(&before[digit]);
        }
}

CASE("shmat.access.effective_ids",
     "The effective ids decide: with the owner's uid, or the group's gid, as effective id only the caller is granted, "
     "as real id only it is refused",
     .level = POSIX_SHALL, .clause = "POSIX XSH 2.7.1 IPC General Description", .needs = NEED_TWO_UIDS)
{
        int owners = make_segment(KEY, SIZE, 0600);
        make_ownership(owners, USER_A, GROUP_A, 0600);
        int groups = make_segment(OTHER_KEY, SIZE, 0600);
        make_ownership(groups, USER_A, GROUP_A, 0060);
        struct snapshot owners_before = take_snapshot(owners);
        struct snapshot groups_before = take_snapshot(groups);
        IN_CHILD
        {
                become_ids(USER_A, USER_B, USER_A, GROUP_B);
                check_fails(try_shmat(owners, NULL, 0), EACCES);
        }
        IN_CHILD
        {
                make_sure(setgroups(0, NULL) == 0 && setregid(GROUP_A, GROUP_B) == 0, "setregid: %s", strerror(errno));
                become_ids(USER_B, USER_B, USER_B, GROUP_B);
                make_sure(getgid() == GROUP_A && getegid() == GROUP_B, "the gids are not set apart");
                check_fails(try_shmat(groups, NULL, 0), EACCES);
        }
        check_unchanged(&owners_before);
        check_unchanged(&groups_before);
        IN_CHILD
        {
                become_ids(USER_B, USER_A, USER_B, GROUP_B);
                check_succeeds(try_shmat(owners, NULL, 0));
        }
        make_sure(setgroups(0, NULL) == 0 && setregid(GROUP_B, GROUP_A) == 0, "setregid: %s", strerror(errno));
        become_ids(USER_B, USER_B, USER_B, GROUP_A);
        make_sure(getgid() == GROUP_B && getegid() == GROUP_A, "the gids are not set apart");
        check_succeeds(try_shmat(groups, NULL, 0));
}

CASE("shmat.access.not_downgraded",
     "Flags 0 on a segment that the caller may only read: EACCES, nothing changes, and no read-only attachment is made "
     "instead",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmat DESCRIPTION", .needs = NEED_TWO_UIDS)
{
        int id = make_segment(KEY, SIZE, 0600);
        make_touched_by_another(id, SIZE, SEED);
        make_ownership(id, USER_A, GROUP_A, 0444);
        struct snapshot before = take_snapshot(id);
        WITH_IDS(USER_A, GROUP_B, 0)
        {
                check_fails(try_shmat(id, NULL, 0), EACCES);
        }
        WITH_IDS(USER_B, GROUP_B, 0)
        {
                check_fails(try_shmat(id, NULL, 0), EACCES);
        }
        check_unchanged(&before);
        WITH_IDS(USER_B, GROUP_B, 0)
        {
                struct outcome readable = try_shmat(id, NULL, SHM_RDONLY);
                check_succeeds(readable);
                if (!readable.failed)
                        check_pattern("what may be read is read", address_of(readable), SIZE, SEED);
        }
}

CASE("shmat.access.own_mode_zero", "The owner of a segment of mode 0 is refused, with flags 0 and with SHM_RDONLY",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmat ERRORS EACCES", .needs = NEED_UNPRIVILEGED)
{
        int id = make_segment(KEY, SIZE, 0);
        check_fails(try_shmat(id, NULL, 0), EACCES);
        check_fails(try_shmat(id, NULL, SHM_RDONLY), EACCES);
        make_ownership(id, geteuid(), getegid(), 0600);
        struct shmid_ds now = make_stat(id);
        check_equal(now.shm_nattch, 0);
        check_equal(now.shm_atime, 0);
        check_equal(now.shm_lpid, 0);
}

#ifdef __linux__

#define CAP_DAC_OVERRIDE_BIT (1ULL << 1)
#define CAP_IPC_OWNER_BIT (1ULL << 15)

/* Every way of attaching, read-write and executable alike. */
static void check_all_ways(int id)
{
        check_succeeds(try_shmat(id, NULL, 0));
        check_succeeds(try_shmat(id, NULL, SHM_RDONLY));
        check_succeeds(try_shmat(id, NULL, SHM_EXEC));
        check_succeeds(try_shmat(id, NULL, SHM_EXEC | SHM_RDONLY));
}

#endif

LINUX_CASE("shmat.access.capable",
           "CAP_IPC_OWNER alone attaches a segment of mode 0 in every way; without it the same uid is refused",
           .level = LINUX, .clause = "capabilities(7) CAP_IPC_OWNER", .needs = NEED_CAP_DROP)
{
#ifdef __linux__
        int id = make_segment(KEY, SIZE, 0);
        check_all_ways(id);
        make_only_capabilities(CAP_IPC_OWNER_BIT);
        check_all_ways(id);
        make_only_capabilities(0);
        check_fails(try_shmat(id, NULL, 0), EACCES);
#endif
}

LINUX_CASE("shmat.access.root_without_capability",
           "uid 0 without CAP_IPC_OWNER is refused mode 0, and flags 0 on mode 0400", .level = LINUX,
           .clause = "capabilities(7) CAP_IPC_OWNER", .needs = NEED_CAP_DROP)
{
#ifdef __linux__
        if (geteuid() != 0)
                skip_case("the run is not uid 0's");
        int closed = make_segment(KEY, SIZE, 0);
        int readable = make_segment(OTHER_KEY, SIZE, 0400);
        /* The one that opens files of mode 0 is kept: it must not do for segments. */
        make_only_capabilities(CAP_DAC_OVERRIDE_BIT);
        check_fails(try_shmat(closed, NULL, 0), EACCES);
        check_fails(try_shmat(closed, NULL, SHM_RDONLY), EACCES);
        struct snapshot before = take_snapshot(readable);
        check_fails(try_shmat(readable, NULL, 0), EACCES);
        check_unchanged(&before);
        check_succeeds(try_shmat(readable, NULL, SHM_RDONLY));
#endif
}
