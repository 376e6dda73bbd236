/* IPC_SET: what it stores, and who may. */
#include <sched.h>
#include <unistd.h>

#include "segment.h"

#define control shmmutant_real.shmctl

/* IPC_SET with what alter makes of the caller's structure; any other command, and a bad buffer, as they are. */
static int set_altered(int shmid, int command, struct shmid_ds *buffer,
                       void (*alter)(struct shmid_ds *asked, const struct shmid_ds *now))
{
        struct shmid_ds now;
        if (command != IPC_SET || !buffer || !shmmutant_is_readable(buffer, sizeof(*buffer)) ||
            !shmmutant_look(shmid, &now))
                return control(shmid, command, buffer);
        struct shmid_ds asked = *buffer;
        alter(&asked, &now);
        return control(shmid, command, &asked);
}

static void keep_mode(struct shmid_ds *asked, const struct shmid_ds *now)
{
        asked->shm_perm.mode = now->shm_perm.mode;
}

static void keep_uid(struct shmid_ds *asked, const struct shmid_ds *now)
{
        asked->shm_perm.uid = now->shm_perm.uid;
}

static void keep_gid(struct shmid_ds *asked, const struct shmid_ds *now)
{
        asked->shm_perm.gid = now->shm_perm.gid;
}

static void drop_x(struct shmid_ds *asked, const struct shmid_ds *now)
{
        (void)now;
        asked->shm_perm.mode &= ~(mode_t)0111;
}

static void cut_ids(struct shmid_ds *asked, const struct shmid_ds *now)
{
        (void)now;
        asked->shm_perm.uid &= 0xffff;
        asked->shm_perm.gid &= 0xffff;
}

static void apply_to_x(struct shmid_ds *asked, const struct shmid_ds *now)
{
        asked->shm_perm.mode |= now->shm_perm.mode & 0777;
}

static void take_minus_one_as_unchanged(struct shmid_ds *asked, const struct shmid_ds *now)
{
        if (asked->shm_perm.uid == (uid_t)-1)
                asked->shm_perm.uid = now->shm_perm.uid;
        if (asked->shm_perm.gid == (gid_t)-1)
                asked->shm_perm.gid = now->shm_perm.gid;
}

static void take_ids_of_caller(struct shmid_ds *asked, const struct shmid_ds *now)
{
        (void)now;
        asked->shm_perm.uid = geteuid();
        asked->shm_perm.gid = getegid();
}

#define ALTERED(name, alter)                                                                                           \
        static int name(int shmid, int command, struct shmid_ds *buffer)                                               \
        {                                                                                                              \
                return set_altered(shmid, command, buffer, alter);                                                     \
        }
ALTERED(set_keeps_mode, keep_mode)
ALTERED(set_keeps_uid, keep_uid)
ALTERED(set_keeps_gid, keep_gid)
ALTERED(set_drops_x, drop_x)
ALTERED(set_cuts_ids_to_16_bits, cut_ids)
ALTERED(set_only_adds_mode_bits, apply_to_x)
ALTERED(set_minus_one_means_unchanged, take_minus_one_as_unchanged)
ALTERED(set_gives_to_caller, take_ids_of_caller)

static int set_does_nothing(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds now;
        if (command != IPC_SET || !shmmutant_look(shmid, &now))
                return control(shmid, command, buffer);
        if (!buffer || !shmmutant_is_readable(buffer, sizeof(*buffer)))
                return failing(EFAULT);
        bool may = geteuid() == 0 || geteuid() == now.shm_perm.uid || geteuid() == now.shm_perm.cuid;
        return may ? 0 : failing(EPERM);
}

static int set_refuses_high_bits(int shmid, int command, struct shmid_ds *buffer)
{
        bool high = command == IPC_SET && shmmutant_is_readable(buffer, sizeof(*buffer)) &&
                    (buffer->shm_perm.mode & ~(mode_t)0777);
        return high ? failing(EINVAL) : control(shmid, command, buffer);
}

static int set_writes_buffer(int shmid, int command, struct shmid_ds *buffer)
{
        int result = control(shmid, command, buffer);
        if (result == 0 && command == IPC_SET)
                shmmutant_look(shmid, buffer);
        return result;
}

static int set_null_succeeds(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds now;
        if (command == IPC_SET && !buffer && shmmutant_look(shmid, &now))
                return 0;
        return control(shmid, command, buffer);
}

static int set_reads_first_half(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds half = {.shm_nattch = 0};
        if (command != IPC_SET || !buffer || !shmmutant_is_readable(buffer, sizeof(buffer->shm_perm)))
                return control(shmid, command, buffer);
        half.shm_perm = buffer->shm_perm;
        return control(shmid, command, &half);
}

/* ---- who may ---- */

static bool is_owner(const struct shmid_ds *ds)
{
        return geteuid() == ds->shm_perm.uid;
}

static bool is_creator(const struct shmid_ds *ds)
{
        return geteuid() == ds->shm_perm.cuid;
}

static int set_refused_to_creator(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds ds;
        bool refused = command == IPC_SET && geteuid() != 0 && shmmutant_look(shmid, &ds) && !is_owner(&ds);
        return refused ? failing(EPERM) : control(shmid, command, buffer);
}

static int set_refused_to_owner(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds ds;
        bool refused = command == IPC_SET && geteuid() != 0 && shmmutant_look(shmid, &ds) && !is_creator(&ds);
        return refused ? failing(EPERM) : control(shmid, command, buffer);
}

static int set_needs_write_permission(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds ds;
        bool refused = command == IPC_SET && geteuid() != 0 && shmmutant_look(shmid, &ds) &&
                       (is_owner(&ds) || is_creator(&ds)) && !(ds.shm_perm.mode & 0200);
        return refused ? failing(EACCES) : control(shmid, command, buffer);
}

static int set_ignores_privilege(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds ds;
        bool refused = command == IPC_SET && shmmutant_look(shmid, &ds) && !is_owner(&ds) && !is_creator(&ds);
        return refused ? failing(EPERM) : control(shmid, command, buffer);
}

static int set_asks_real_uid(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds ds;
        bool refused = command == IPC_SET && getuid() != 0 && shmmutant_look(shmid, &ds) &&
                       getuid() != ds.shm_perm.uid && getuid() != ds.shm_perm.cuid;
        return refused ? failing(EPERM) : control(shmid, command, buffer);
}

static int set_by_stranger_claimed(int shmid, int command, struct shmid_ds *buffer)
{
        int result = control(shmid, command, buffer);
        return result == -1 && command == IPC_SET && errno == EPERM ? 0 : result;
}

static int set_cannot_give_away(int shmid, int command, struct shmid_ds *buffer)
{
        bool refused = command == IPC_SET && geteuid() != 0 && shmmutant_is_readable(buffer, sizeof(*buffer)) &&
                       buffer->shm_perm.uid != geteuid();
        return refused ? failing(EPERM) : control(shmid, command, buffer);
}

static int set_refused_on_marked(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds ds;
        bool refused = command == IPC_SET && shmmutant_look(shmid, &ds) && (ds.shm_perm.mode & SHM_DEST);
        return refused ? failing(EIDRM) : control(shmid, command, buffer);
}

static int set_moves_times(int shmid, int command, struct shmid_ds *buffer)
{
        int result = control(shmid, command, buffer);
        int error = errno;
        void *touched =
                result == 0 && command == IPC_SET ? shmmutant_real.shmat(shmid, NULL, SHM_RDONLY) : FAILED_ATTACH;
        if (touched != FAILED_ATTACH)
                shmmutant_real.shmdt(touched);
        errno = error;
        return result;
}

/* Of two processes that were forked in a row one takes its time, each in turn, for the other to come between. */
static void dawdle(void)
{
        static int calls;
        bool slow = (getpid() + calls++) % 2 == 0;
        for (int i = 0; i < (slow ? 50 : 1); i++)
                sched_yield();
}

static int set_not_whole(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds now;
        if (command != IPC_SET || !buffer || !shmmutant_is_readable(buffer, sizeof(*buffer)) ||
            !shmmutant_look(shmid, &now))
                return control(shmid, command, buffer);
        now.shm_perm.mode = buffer->shm_perm.mode;
        if (control(shmid, IPC_SET, &now) == -1)
                return -1;
        dawdle();
        if (!shmmutant_look(shmid, &now))
                return failing(EIDRM);
        now.shm_perm.uid = buffer->shm_perm.uid;
        now.shm_perm.gid = buffer->shm_perm.gid;
        return control(shmid, IPC_SET, &now);
}

static int set_returns_one(int shmid, int command, struct shmid_ds *buffer)
{
        int result = control(shmid, command, buffer);
        return result == 0 && command == IPC_SET ? 1 : result;
}

const struct mutant shmmutant_set[] = {
        {.name = "set_does_nothing",
         .wrong = "IPC_SET reports success and stores nothing.",
         .meant_for = "shmctl.set.mode shmctl.set.uid shmctl.set.gid shmctl.set.execute_bits",
         .shmctl = set_does_nothing},
        {.name = "set_keeps_mode",
         .wrong = "IPC_SET does not store the mode.",
         .meant_for = "shmctl.set.mode shmctl.set.execute_bits shmctl.set.high_bits_ignored perm.attached.mode_revoked",
         .shmctl = set_keeps_mode},
        {.name = "set_keeps_uid",
         .wrong = "IPC_SET does not store the uid.",
         .meant_for = "shmctl.set.uid shmctl.set.large_ids shmctl.set.give_away race.set.set perm.moved.new_owner "
                      "proc.ids_of_reader",
         .shmctl = set_keeps_uid},
        {.name = "set_keeps_gid",
         .wrong = "IPC_SET does not store the gid.",
         .meant_for = "shmctl.set.gid shmctl.set.large_ids perm.moved.groups",
         .shmctl = set_keeps_gid},
        {.name = "set_drops_x",
         .wrong = "IPC_SET does not store execute bits.",
         .meant_for = "shmctl.set.execute_bits shmctl.set.high_bits_ignored",
         .shmctl = set_drops_x},
        {.name = "set_cuts_ids_to_16_bits",
         .wrong = "IPC_SET stores the low 16 bits of uid and gid.",
         .meant_for = "shmctl.set.large_ids",
         .shmctl = set_cuts_ids_to_16_bits},
        {.name = "set_only_adds_mode_bits",
         .wrong = "IPC_SET takes no bit of the mode away.",
         .meant_for = "shmctl.set.mode shmctl.set.new_attach_denied",
         .shmctl = set_only_adds_mode_bits},
        {.name = "set_minus_one_means_unchanged",
         .wrong = "IPC_SET of uid or gid -1 succeeds and leaves it.",
         .meant_for = "shmctl.set.uid_minus_one shmctl.set.gid_minus_one",
         .shmctl = set_minus_one_means_unchanged},
        {.name = "set_gives_to_caller",
         .wrong = "IPC_SET makes the caller the owner, whatever was asked.",
         .meant_for = "shmctl.set.uid shmctl.set.give_away",
         .shmctl = set_gives_to_caller},
        {.name = "set_refuses_high_bits",
         .wrong = "IPC_SET of a mode above 0777 fails with EINVAL.",
         .meant_for = "shmctl.set.high_bits_ignored shmctl.set.cannot_set_flags",
         .shmctl = set_refuses_high_bits},
        {.name = "set_writes_buffer",
         .wrong = "IPC_SET writes the segment's members into the buffer.",
         .meant_for = "shmctl.set.buf_unwritten",
         .shmctl = set_writes_buffer},
        {.name = "set_null_succeeds",
         .wrong = "IPC_SET with a null buffer succeeds.",
         .meant_for = "shmctl.set.buf_null",
         .shmctl = set_null_succeeds},
        {.name = "set_reads_first_half",
         .wrong = "IPC_SET reads shm_perm only, so that a buffer that is cut behind it does.",
         .meant_for = "shmctl.set.buf_crossing",
         .shmctl = set_reads_first_half},
        {.name = "set_refused_to_creator",
         .wrong = "IPC_SET is refused to the creator who is not the owner.",
         .meant_for = "shmctl.set.by_creator shmctl.set.creator_keeps perm.set.creator.* perm.moved.creator",
         .shmctl = set_refused_to_creator},
        {.name = "set_refused_to_owner",
         .wrong = "IPC_SET is refused to the owner who is not the creator.",
         .meant_for = "shmctl.set.by_owner shmctl.set.by_effective_uid perm.set.owner.* perm.moved.new_owner",
         .shmctl = set_refused_to_owner},
        {.name = "set_needs_write_permission",
         .wrong = "IPC_SET asks the owner for write permission.",
         .meant_for = "shmctl.set.owner_mode_zero perm.set.*.000",
         .shmctl = set_needs_write_permission},
        {.name = "set_ignores_privilege",
         .wrong = "IPC_SET is refused to a privileged caller who is neither owner nor creator.",
         .meant_for = "shmctl.set.cap_sys_admin priv.root.all_caps userns.own.real_root_enters",
         .shmctl = set_ignores_privilege},
        {.name = "set_asks_real_uid",
         .wrong = "IPC_SET asks the real uid.",
         .meant_for = "shmctl.set.by_effective_uid perm.id.effective_uid_counts",
         .shmctl = set_asks_real_uid},
        {.name = "set_by_stranger_claimed",
         .wrong = "IPC_SET by a stranger reports success and does nothing.",
         .meant_for = "shmctl.set.by_other shmctl.set.by_group perm.set.* priv.* userns.* perm.moved.former_owner "
                      "shmctl.set.old_owner_loses",
         .shmctl = set_by_stranger_claimed},
        {.name = "set_cannot_give_away",
         .wrong = "IPC_SET of another uid is refused to an unprivileged owner.",
         .meant_for = "shmctl.set.give_away perm.moved.give_away",
         .shmctl = set_cannot_give_away},
        {.name = "set_refused_on_marked",
         .wrong = "IPC_SET of a marked segment fails with EIDRM.",
         .meant_for = "shmctl.set.removed_attached shmctl.set.cannot_clear_flags",
         .shmctl = set_refused_on_marked},
        {.name = "set_moves_times",
         .wrong = "IPC_SET sets shm_atime, shm_dtime and shm_lpid.",
         .meant_for = "shmctl.set.mode shmctl.set.uid shmctl.set.gid",
         .shmctl = set_moves_times},
        {.name = "set_not_whole",
         .wrong = "IPC_SET stores the mode first and owner and group a moment later.",
         .meant_for = "shmctl.set.torn race.set.torn_stat race.set.set",
         .shmctl = set_not_whole},
        {.name = "set_returns_one",
         .wrong = "IPC_SET returns 1.",
         .meant_for = "shmctl.set.mode shmctl.set.uid",
         .shmctl = set_returns_one},
        {.name = NULL},
};
