/*
 * Permissions: the kernel is made to grant everything, by mode 0777, and a rule
 * of the mutant's own decides on the mode that was asked for, which is the
 * segment's note. The rule is the right one but for what the mutant says.
 */
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "segment.h"

enum { READ = 4, WRITE = 2, EXECUTE = 1 };

/* ---- the caller ---- */

#define CAPABILITY_IPC_OWNER 15
#define CAPABILITY_VERSION 0x20080522U
#define GROUPS 128

static uint64_t capabilities(void)
{
        struct {
                uint32_t version;
                int pid;
        } header = {CAPABILITY_VERSION, 0};
        uint32_t sets[2][3] = {{0}};
        if (syscall(SYS_capget, &header, sets) == -1)
                return 0;
        return (uint64_t)sets[1][0] << 32 | sets[0][0];
}

static bool has_supplementary(gid_t gid)
{
        gid_t groups[GROUPS];
        int count = getgroups(GROUPS, groups);
        for (int i = 0; i < count; i++) {
                if (groups[i] == gid)
                        return true;
        }
        return false;
}

static gid_t file_system_gid(void)
{
        return (gid_t)setfsgid((gid_t)-1);
}

/* ---- the rule ---- */

static bool is_owner(const struct shmid_ds *ds, const struct rule *rule)
{
        uid_t uid = rule->real_uid ? getuid() : geteuid();
        return (uid == ds->shm_perm.uid && !rule->no_owner) || (uid == ds->shm_perm.cuid && !rule->no_creator);
}

static bool is_in_group(gid_t gid, const struct rule *rule)
{
        gid_t own = rule->real_gid ? getgid() : file_system_gid();
        return own == gid || (!rule->no_supplementary && has_supplementary(gid));
}

static bool is_member(const struct shmid_ds *ds, const struct rule *rule)
{
        return (is_in_group(ds->shm_perm.gid, rule) && !rule->no_group) ||
               (is_in_group(ds->shm_perm.cgid, rule) && !rule->no_creator_group);
}

static int rights(const struct shmid_ds *ds, int mode, const struct rule *rule)
{
        int digits[3] = {mode >> 6 & 7, mode >> 3 & 7, rule->no_other ? 0 : mode & 7};
        bool owner = is_owner(ds, rule);
        bool member = is_member(ds, rule);
        if (rule->digits_united)
                return (owner ? digits[0] : 0) | (member ? digits[1] : 0) | digits[2];
        if (rule->group_first && member)
                return digits[1];
        return owner ? digits[0] : member ? digits[1] : digits[2];
}

static bool is_privileged(const struct rule *rule)
{
        if (rule->no_privilege)
                return false;
        return rule->root_by_uid      ? geteuid() == 0
               : rule->any_capability ? capabilities() != 0
                                      : (capabilities() >> CAPABILITY_IPC_OWNER & 1) != 0;
}

static bool grants(int shmid, int wanted, enum call call)
{
        const struct rule *rule = shmmutant_chosen->rule;
        struct shmid_ds ds;
        long noted = 0;
        if (!shmmutant_look(shmid, &ds) || is_privileged(rule) || (rule->unasked & 1U << call))
                return true;
        if (call == CALL_SHMGET && wanted == 0 && rule->shmget_asks_all)
                wanted = READ | WRITE | EXECUTE;
        int mode = shmmutant_noted(shmid, &noted) ? (int)noted : (int)ds.shm_perm.mode;
        int has = rights(&ds, mode, rule);
        if (rule->owner_has_all && is_owner(&ds, rule))
                has = READ | WRITE | EXECUTE;
        if (rule->read_gives_write && (has & READ))
                has |= WRITE;
        if (rule->write_gives_read && (has & WRITE))
                has |= READ;
        if (rule->no_execute)
                wanted &= ~EXECUTE;
        return (wanted & ~has) == 0 || (rule->any_right && (wanted & has));
}

/* ---- the calls ---- */

static int wide_shmget(key_t key, size_t size, int flags)
{
        bool made = !shmmutant_key_is_taken(key);
        int shmid = shmmutant_real.shmget(key, size, made ? flags | 0777 : flags & ~0777);
        if (shmid == -1)
                return -1;
        if (made) {
                shmmutant_note(shmid, flags & 0777);
                return shmid;
        }
        int wanted = (flags >> 6 | flags >> 3 | flags) & 7;
        return grants(shmid, wanted, CALL_SHMGET) ? shmid : failing(EACCES);
}

/* The kernel looks at the address before it asks for permission, and at what is mapped there afterwards. */
static void *wide_shmat(int shmid, const void *address, int flags)
{
        int wanted = READ | (flags & SHM_RDONLY ? 0 : WRITE) | (flags & SHM_EXEC ? EXECUTE : 0);
        bool aligned = ((uintptr_t)address & ((uintptr_t)SHMLBA - 1)) == 0;
        bool proper = address ? aligned || (flags & SHM_RND) : !(flags & SHM_REMAP);
        if (proper && !grants(shmid, wanted, CALL_SHMAT))
                return failing_attach(EACCES);
        return shmmutant_real.shmat(shmid, address, flags);
}

static int wide_set(int shmid, struct shmid_ds *buffer)
{
        if (!buffer || !shmmutant_is_readable(buffer, sizeof(*buffer)))
                return shmmutant_real.shmctl(shmid, IPC_SET, buffer);
        struct shmid_ds asked = *buffer;
        asked.shm_perm.mode |= 0777;
        int result = shmmutant_real.shmctl(shmid, IPC_SET, &asked);
        if (result == 0)
                shmmutant_note(shmid, buffer->shm_perm.mode & 0777);
        return result;
}

static int wide_shmctl(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds ds;
        int told = command == SHM_STAT ? shmmutant_real.shmctl(shmid, SHM_STAT_ANY, &ds) : shmid;
        if ((command == IPC_STAT || command == SHM_STAT) && told >= 0 && !grants(told, READ, CALL_SHMCTL))
                return failing(EACCES);
        return command == IPC_SET ? wide_set(shmid, buffer) : shmmutant_real.shmctl(shmid, command, buffer);
}

static void wide_told(int shmid, struct shmid_ds *ds)
{
        long noted = 0;
        if (shmmutant_noted(shmid, &noted))
                ds->shm_perm.mode = (ds->shm_perm.mode & ~(mode_t)0777) | (mode_t)noted;
}

#define RULE(name_, wrong_, meant_for_, ...)                                                                           \
        {                                                                                                              \
                .name = (name_), .wrong = (wrong_), .meant_for = (meant_for_), .shmget = wide_shmget,                  \
                .shmat = wide_shmat, .shmctl = wide_shmctl, .told = wide_told, .keeps_notes = true,                    \
                .rule = &(const struct rule)                                                                           \
                {                                                                                                      \
                        __VA_ARGS__                                                                                    \
                }                                                                                                      \
        }

#define UNASKED(call) (1U << (call))

const struct mutant shmmutant_permission[] = {
        RULE("mode_not_checked", "The mode decides nothing: everybody may everything.",
             "shmat.access.* shmget.access.* shmctl.stat.other_no_read perm.sh* perm.stat.* userns.parent.* "
             "userns.own.other_uid perm.marked.still_checked",
             .unasked = UNASKED(CALL_SHMGET) | UNASKED(CALL_SHMAT) | UNASKED(CALL_SHMCTL)),
        RULE("mode_not_checked_by_shmget", "shmget does not check the mode.",
             "shmget.access.* shmctl.set.shmget_denied perm.shmget_* perm.deny.changes_nothing perm.get.creat_denied",
             .unasked = UNASKED(CALL_SHMGET)),
        RULE("mode_not_checked_by_shmat", "shmat does not check the mode.",
             "shmat.access.* shmctl.set.new_attach_denied perm.shmat_* perm.id.* priv.root.seteuid "
             "perm.attached.identity_changed perm.attached.mode_revoked shmat.remap.denied",
             .unasked = UNASKED(CALL_SHMAT)),
        RULE("mode_not_checked_by_stat", "IPC_STAT does not check the mode.",
             "shmctl.stat.* shmctl.shm_stat.no_read perm.stat.* perm.shm_stat.*", .unasked = UNASKED(CALL_SHMCTL)),
        RULE("digits_united", "Who belongs to several classes has the rights of all of them.",
             "shmctl.stat.*_class_first shmget.access.owner_in_group shmget.access.owner_not_union perm.class.* "
             "perm.sh*",
             .digits_united = true),
        RULE("group_before_owner", "An owner who is in the segment's group has the group's digit.",
             "shmget.access.owner_in_group", .group_first = true),
        RULE("owner_has_all", "The owner may everything whatever the mode.",
             "shmctl.stat.owner_* shmat.access.own_mode_zero shmget.access.owner_mode_0 perm.s*owner.*",
             .owner_has_all = true),
        RULE("owner_is_other", "The owner who is not the creator has the others' digit.",
             "shmget.access.owner shmat.access.owner.* perm.s*.owner.*", .no_owner = true),
        RULE("creator_is_other", "The creator who is not the owner has the others' digit.",
             "shmget.access.creator shmat.access.creator_uid shmctl.stat.creator_* perm.s*.creator.*",
             .no_creator = true),
        RULE("group_is_other", "A member of the segment's group has the others' digit.",
             "shmget.access.group shmat.access.group.* shmctl.stat.group_* perm.s*.owners_group.* perm.moved.groups",
             .no_group = true),
        RULE("creators_group_is_other", "A member of the creator's group has the others' digit.",
             "shmget.access.creator_group shmat.access.creator_gid shmctl.stat.creator_group perm.s*.creators_group.*",
             .no_creator_group = true),
        RULE("supplementary_groups_ignored", "Supplementary groups do not count.",
             "shmget.access.supplementary* shmat.access.supplementary_group shmctl.stat.supplementary_group "
             "perm.s*.suppl_*",
             .no_supplementary = true),
        RULE("real_uid_counts", "The real uid decides, not the effective one.",
             "shmget.access.real_uid shmat.access.effective_ids perm.id.*", .real_uid = true),
        RULE("real_gid_counts", "The real gid decides, not the effective one.",
             "shmctl.stat.real_group shmat.access.effective_ids perm.id.*", .real_gid = true),
        RULE("read_gives_write", "Who may read may write.",
             "shmat.access.*.rdwr shmat.access.not_downgraded shmget.access.* perm.shmat_rw.* perm.shmget_w.* "
             "shmctl.rmid.attached_reattach_perm",
             .read_gives_write = true),
        RULE("write_gives_read", "Who may write may read.",
             "shmat.access.* shmctl.stat.owner_write_only shmctl.stat.group_write_only perm.shmat_r*.w perm.stat.*.w",
             .write_gives_read = true),
        RULE("one_right_is_enough", "Who has one of the rights that are asked for is granted all.",
             "shmat.access.*.rdwr shmget.access.* perm.shmat_rw.* perm.shmget_rw.*", .any_right = true),
        RULE("execute_not_checked", "Execute permission is never asked for.",
             "shmget.access.execute shmat.access.*.exec shmat.flag.exec_without_x perm.shmget_x.* perm.shmat_*_exec.*",
             .no_execute = true),
        RULE("privilege_ignored", "CAP_IPC_OWNER gives no right.",
             "shmget.access.privileged shmat.access.capable shmctl.stat.cap_ipc_owner userns.own.* "
             "shmget.access.only_cap_ipc_owner",
             .no_privilege = true),
        RULE("uid_zero_is_privileged", "Uid 0 has every right without CAP_IPC_OWNER too.",
             "shmget.access.no_cap_ipc_owner shmat.access.root_without_capability shmctl.stat.without_cap_ipc_owner "
             "priv.*",
             .root_by_uid = true),
        RULE("any_capability_is_privileged", "Any capability gives every right.",
             "shmget.access.other_caps shmctl.stat.without_cap_ipc_owner priv.*", .any_capability = true),
        RULE("others_refused", "The others' digit grants nothing.",
             "shmat.access.other.* shmget.access.other shmctl.stat.other_read perm.s*.other.* perm.id.by_id_alone",
             .no_other = true),
        RULE("shmget_always_asks_all", "shmget asks for every right although no permission bit is given.",
             "shmget.access.nothing_asked perm.shmget_none.*", .shmget_asks_all = true),
        {.name = NULL},
};
