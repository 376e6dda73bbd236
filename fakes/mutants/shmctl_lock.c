/* SHM_LOCK and SHM_UNLOCK. */
#include <string.h>
#include <limits.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include "segment.h"

#define control shmmutant_real.shmctl

static bool may_control(int shmid)
{
        struct shmid_ds ds;
        return shmmutant_look(shmid, &ds) &&
               (geteuid() == 0 || geteuid() == ds.shm_perm.uid || geteuid() == ds.shm_perm.cuid);
}

static bool is_locked(int shmid)
{
        struct shmid_ds ds;
        return shmmutant_look(shmid, &ds) && (ds.shm_perm.mode & SHM_LOCKED);
}

static int lock_does_nothing(int shmid, int command, struct shmid_ds *buffer)
{
        return command == SHM_LOCK && may_control(shmid) ? 0 : control(shmid, command, buffer);
}

static int unlock_does_nothing(int shmid, int command, struct shmid_ds *buffer)
{
        return command == SHM_UNLOCK && may_control(shmid) ? 0 : control(shmid, command, buffer);
}

static int lock_twice_refused(int shmid, int command, struct shmid_ds *buffer)
{
        return command == SHM_LOCK && is_locked(shmid) ? failing(EINVAL) : control(shmid, command, buffer);
}

static int unlock_needs_lock(int shmid, int command, struct shmid_ds *buffer)
{
        bool refused = command == SHM_UNLOCK && may_control(shmid) && !is_locked(shmid);
        return refused ? failing(EINVAL) : control(shmid, command, buffer);
}

static int lock_limit_claimed_met(int shmid, int command, struct shmid_ds *buffer)
{
        int result = control(shmid, command, buffer);
        return result == -1 && command == SHM_LOCK && errno == ENOMEM ? 0 : result;
}

static int lock_by_stranger_claimed(int shmid, int command, struct shmid_ds *buffer)
{
        int result = control(shmid, command, buffer);
        return result == -1 && command == SHM_LOCK && errno == EPERM ? 0 : result;
}

static int unlock_by_stranger_claimed(int shmid, int command, struct shmid_ds *buffer)
{
        int result = control(shmid, command, buffer);
        return result == -1 && command == SHM_UNLOCK && errno == EPERM ? 0 : result;
}

static int lock_refused_to_creator(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds ds;
        bool refused =
                command == SHM_LOCK && geteuid() != 0 && shmmutant_look(shmid, &ds) && geteuid() != ds.shm_perm.uid;
        return refused ? failing(EPERM) : control(shmid, command, buffer);
}

static int lock_for_root_only(int shmid, int command, struct shmid_ds *buffer)
{
        return command == SHM_LOCK && geteuid() != 0 ? failing(EPERM) : control(shmid, command, buffer);
}

static int lock_moves_ctime(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds ds;
        int result = control(shmid, command, buffer);
        if (result == 0 && command == SHM_LOCK && shmmutant_look(shmid, &ds))
                control(shmid, IPC_SET, &ds);
        return result;
}

static int lock_reads_buffer(int shmid, int command, struct shmid_ds *buffer)
{
        bool bad = (command == SHM_LOCK || command == SHM_UNLOCK) && buffer &&
                   !shmmutant_is_readable(buffer, sizeof(*buffer));
        return bad ? failing(EFAULT) : control(shmid, command, buffer);
}

static bool visit_to_lock(const struct attachment *a, void *arg)
{
        if (a->shmid == *(const int *)arg)
                mlock(a->address, a->length);
        return true;
}

static int lock_is_mlock(int shmid, int command, struct shmid_ds *buffer)
{
        int result = control(shmid, command, buffer);
        if (result == 0 && command == SHM_LOCK)
                shmmutant_each_attachment(visit_to_lock, &shmid);
        return result;
}

/* The lock of a process ends with its attachment, as that of mlock would. */
static int detach_unlocks(const void *address)
{
        struct attachment a;
        bool found = shmmutant_attachment_at(address, &a);
        int result = shmmutant_real.shmdt(address);
        if (found && result == 0 && is_locked(a.shmid))
                control(a.shmid, SHM_UNLOCK, NULL);
        return result;
}

static int unlock_for_root_only(int shmid, int command, struct shmid_ds *buffer)
{
        return command == SHM_UNLOCK && geteuid() != 0 ? failing(EPERM) : control(shmid, command, buffer);
}

static int lock_returns_one(int shmid, int command, struct shmid_ds *buffer)
{
        int result = control(shmid, command, buffer);
        return result == 0 && (command == SHM_LOCK || command == SHM_UNLOCK) ? 1 : result;
}

/* The note of this identifier, which no segment has, stands for the namespace. */
#define NAMESPACE INT_MAX

static int lock_charge_kept(int shmid, int command, struct shmid_ds *buffer)
{
        long charged = 0;
        bool takes = command == SHM_LOCK && geteuid() != 0 && !is_locked(shmid);
        if (takes && shmmutant_noted(NAMESPACE, &charged))
                return failing(ENOMEM);
        int result = control(shmid, command, buffer);
        if (takes && result == 0)
                shmmutant_note(NAMESPACE, 1);
        return result;
}

static int unlock_cuts_tail(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds ds;
        int result = control(shmid, command, buffer);
        char *at = result == 0 && command == SHM_UNLOCK && shmmutant_look(shmid, &ds)
                           ? shmmutant_real.shmat(shmid, NULL, 0)
                           : FAILED_ATTACH;
        if (at != FAILED_ATTACH) {
                memset(at + ds.shm_segsz, 0, shmmutant_in_pages(ds.shm_segsz) - ds.shm_segsz);
                shmmutant_real.shmdt(at);
        }
        return result;
}

/* The note is what is charged for the segment. A lock looks whether it is the first, and charges a moment later. */
static int lock_charges_twice_in_a_race(int shmid, int command, struct shmid_ds *buffer)
{
        long charged = 0;
        bool limited = geteuid() != 0 && (command == SHM_LOCK || command == SHM_UNLOCK) && may_control(shmid);
        if (!limited)
                return control(shmid, command, buffer);
        bool locked = is_locked(shmid);
        sched_yield();
        shmmutant_noted(shmid, &charged);
        if (command == SHM_LOCK && !locked && charged > 0)
                return failing(ENOMEM);
        if (command == SHM_LOCK && !locked)
                shmmutant_note(shmid, 1);
        if (command == SHM_UNLOCK && locked)
                shmmutant_note(shmid, 0);
        return control(shmid, command, buffer);
}

static int charge_nothing_yet(key_t key, size_t size, int flags)
{
        int shmid = shmmutant_real.shmget(key, size, flags);
        if (shmid != -1 && key == IPC_PRIVATE)
                shmmutant_note(shmid, 0);
        return shmid;
}

/* The note is the bit that is told; the segment itself is as it was. */
static int lock_only_told(int shmid, int command, struct shmid_ds *buffer)
{
        if ((command != SHM_LOCK && command != SHM_UNLOCK) || !may_control(shmid))
                return control(shmid, command, buffer);
        shmmutant_note(shmid, command == SHM_LOCK);
        return 0;
}

static int unlock_only_told(int shmid, int command, struct shmid_ds *buffer)
{
        if (command != SHM_UNLOCK || !may_control(shmid))
                return control(shmid, command, buffer);
        shmmutant_note(shmid, 0);
        return 0;
}

static void note_told(int shmid, struct shmid_ds *ds)
{
        long noted = 0;
        if (shmmutant_noted(shmid, &noted))
                ds->shm_perm.mode = (ds->shm_perm.mode & (mode_t)~SHM_LOCKED) | (noted ? SHM_LOCKED : 0U);
}

const struct mutant shmmutant_lock[] = {
        {.name = "lock_does_nothing",
         .wrong = "SHM_LOCK reports success and locks nothing.",
         .meant_for = "shmctl.lock.sets_bit proc.perms.locked shmctl.lock.cap_ipc_lock shmctl.lock.removed_attached "
                      "shmctl.lock.unevictable",
         .shmctl = lock_does_nothing},
        {.name = "unlock_does_nothing",
         .wrong = "SHM_UNLOCK reports success and unlocks nothing.",
         .meant_for = "shmctl.unlock.clears_bit shmctl.lock.cap_ipc_lock shmctl.lock.unevictable",
         .shmctl = unlock_does_nothing},
        {.name = "lock_twice_refused",
         .wrong = "SHM_LOCK of a locked segment fails with EINVAL.",
         .meant_for = "shmctl.lock.twice shmctl.lock.relock_free",
         .shmctl = lock_twice_refused},
        {.name = "unlock_needs_lock",
         .wrong = "SHM_UNLOCK of a segment that is not locked fails with EINVAL.",
         .meant_for = "shmctl.unlock.not_locked",
         .shmctl = unlock_needs_lock},
        {.name = "lock_limit_claimed_met",
         .wrong = "SHM_LOCK beyond RLIMIT_MEMLOCK reports success.",
         .meant_for = "shmctl.lock.limit_* shmctl.lock.charge_*",
         .shmctl = lock_limit_claimed_met},
        {.name = "lock_by_stranger_claimed",
         .wrong = "SHM_LOCK by a stranger reports success.",
         .meant_for = "shmctl.lock.by_group_or_other perm.lock.* priv.* userns.* perm.deny.changes_nothing "
                      "perm.moved.former_owner",
         .shmctl = lock_by_stranger_claimed},
        {.name = "unlock_by_stranger_claimed",
         .wrong = "SHM_UNLOCK by a stranger reports success.",
         .meant_for = "shmctl.unlock.by_other perm.unlock.*",
         .shmctl = unlock_by_stranger_claimed},
        {.name = "lock_refused_to_creator",
         .wrong = "SHM_LOCK is refused to the creator who is not the owner.",
         .meant_for = "shmctl.lock.by_owner_or_creator perm.lock.creator.*",
         .shmctl = lock_refused_to_creator},
        {.name = "lock_for_root_only",
         .wrong = "SHM_LOCK is refused to every uid but 0.",
         .meant_for = "shmctl.lock.limit_exact shmctl.lock.by_owner_or_creator perm.lock.owner.* race.lock.unlock",
         .shmctl = lock_for_root_only},
        {.name = "lock_moves_ctime",
         .wrong = "SHM_LOCK moves shm_ctime.",
         .meant_for = "shmctl.lock.rest_same",
         .shmctl = lock_moves_ctime},
        {.name = "lock_reads_buffer",
         .wrong = "SHM_LOCK with a bad buffer fails with EFAULT.",
         .meant_for = "shmctl.lock.buf_ignored",
         .shmctl = lock_reads_buffer},
        {.name = "lock_is_mlock",
         .wrong = "SHM_LOCK locks the attachments of the caller as mlock does.",
         .meant_for = "shmctl.lock.no_vmlck shmctl.lock.no_populate",
         .shmctl = lock_is_mlock},
        {.name = "detach_unlocks",
         .wrong = "shmdt unlocks a locked segment.",
         .meant_for = "shmctl.lock.survives_process",
         .shmdt = detach_unlocks},
        {.name = "unlock_for_root_only",
         .wrong = "SHM_UNLOCK is refused to every uid but 0.",
         .meant_for = "shmctl.unlock.limit_zero perm.unlock.*",
         .shmctl = unlock_for_root_only},
        {.name = "lock_returns_one",
         .wrong = "SHM_LOCK and SHM_UNLOCK return 1.",
         .meant_for = "shmctl.lock.sets_bit shmctl.unlock.clears_bit",
         .shmctl = lock_returns_one},
        {.name = "lock_charge_kept",
         .wrong = "What SHM_LOCK has charged is never given back.",
         .meant_for = "shmctl.lock.charge_* shmctl.lock.mlock_apart race.lock.unlock",
         .shmctl = lock_charge_kept,
         .keeps_notes = true},
        {.name = "unlock_cuts_tail",
         .wrong = "What was stored behind the segment's end in its last page is lost with SHM_UNLOCK.",
         .meant_for = "shmctl.lock.contents",
         .shmctl = unlock_cuts_tail},
        {.name = "lock_charges_twice_in_a_race",
         .wrong = "Of two that lock a segment at once one finds its limit used up.",
         .meant_for = "race.lock.unlock",
         .shmget = charge_nothing_yet,
         .shmctl = lock_charges_twice_in_a_race,
         .keeps_notes = true},
        {.name = "lock_only_told",
         .wrong = "SHM_LOCK is told by the mode, and keeps no page in memory.",
         .meant_for = "shmctl.lock.unevictable",
         .shmctl = lock_only_told,
         .told = note_told,
         .keeps_notes = true},
        {.name = "unlock_only_told",
         .wrong = "SHM_UNLOCK is told by the mode, and the pages stay locked.",
         .meant_for = "shmctl.lock.unevictable",
         .shmctl = unlock_only_told,
         .told = note_told,
         .keeps_notes = true},
        {.name = NULL},
};
