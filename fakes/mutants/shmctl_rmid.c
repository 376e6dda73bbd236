/* IPC_RMID: what it removes and when, and who may. */
#include <sys/sem.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "segment.h"

#define control shmmutant_real.shmctl

static bool is_owner(const struct shmid_ds *ds)
{
        return geteuid() == ds->shm_perm.uid;
}

static bool is_creator(const struct shmid_ds *ds)
{
        return geteuid() == ds->shm_perm.cuid;
}

static bool may_control(const struct shmid_ds *ds)
{
        return geteuid() == 0 || is_owner(ds) || is_creator(ds);
}

static int rmid_does_nothing(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds ds;
        bool lies = command == IPC_RMID && shmmutant_look(shmid, &ds) && may_control(&ds);
        return lies ? 0 : control(shmid, command, buffer);
}

static int rmid_waits_for_attach(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds ds;
        bool lies = command == IPC_RMID && shmmutant_look(shmid, &ds) && may_control(&ds) && ds.shm_nattch == 0;
        return lies ? 0 : control(shmid, command, buffer);
}

static int rmid_refused_while_attached(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds ds;
        bool refused = command == IPC_RMID && shmmutant_look(shmid, &ds) && may_control(&ds) && ds.shm_nattch > 0;
        return refused ? failing(EBUSY) : control(shmid, command, buffer);
}

static int rmid_refused_on_marked(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds ds;
        bool refused = command == IPC_RMID && shmmutant_look(shmid, &ds) && (ds.shm_perm.mode & SHM_DEST);
        return refused ? failing(EIDRM) : control(shmid, command, buffer);
}

static bool visit_to_replace(const struct attachment *a, void *arg)
{
        if (a->shmid != *(const int *)arg)
                return true;
        shmmutant_map_over(a->address, a->length, PROT_READ | PROT_WRITE);
        return false;
}

static void replace_attachments(int shmid)
{
        struct attachment a;
        while (shmmutant_attachment_of(shmid, &a))
                shmmutant_each_attachment(visit_to_replace, &shmid);
}

static int rmid_destroys_at_once(int shmid, int command, struct shmid_ds *buffer)
{
        int result = control(shmid, command, buffer);
        if (result == 0 && command == IPC_RMID)
                replace_attachments(shmid);
        return result;
}

static bool visit_to_clear(const struct attachment *a, void *arg)
{
        if (a->shmid == *(const int *)arg && a->writable)
                memset(a->address, 0, a->length);
        return true;
}

static int rmid_clears_contents(int shmid, int command, struct shmid_ds *buffer)
{
        int result = control(shmid, command, buffer);
        if (result == 0 && command == IPC_RMID)
                shmmutant_each_attachment(visit_to_clear, &shmid);
        return result;
}

static int rmid_moves_ctime(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds ds;
        int result = control(shmid, command, buffer);
        if (result == 0 && command == IPC_RMID && shmmutant_look(shmid, &ds))
                control(shmid, IPC_SET, &ds);
        return result;
}

static int rmid_takes_rights(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds ds;
        int result = control(shmid, command, buffer);
        if (result == 0 && command == IPC_RMID && shmmutant_look(shmid, &ds)) {
                ds.shm_perm.mode = 0;
                control(shmid, IPC_SET, &ds);
        }
        return result;
}

static int rmid_reads_buffer(int shmid, int command, struct shmid_ds *buffer)
{
        bool bad = command == IPC_RMID && buffer && !shmmutant_is_readable(buffer, sizeof(*buffer));
        return bad ? failing(EFAULT) : control(shmid, command, buffer);
}

static int rmid_writes_buffer(int shmid, int command, struct shmid_ds *buffer)
{
        int result = control(shmid, command, buffer);
        if (result == 0 && command == IPC_RMID && buffer && shmmutant_is_readable(buffer, sizeof(*buffer)))
                memset(buffer, 0, sizeof(*buffer));
        return result;
}

static int rmid_returns_id(int shmid, int command, struct shmid_ds *buffer)
{
        int result = control(shmid, command, buffer);
        return result == 0 && command == IPC_RMID ? shmid + 1 : result;
}

/* ---- key and identifier ---- */

static int note_key(key_t key, size_t size, int flags)
{
        int shmid = shmmutant_real.shmget(key, size, flags);
        if (shmid != -1 && key != IPC_PRIVATE)
                shmmutant_note(shmid, key);
        return shmid;
}

/* The marked segment that was made with the key, or -1. */
static int marked_with_key(key_t key)
{
        struct shm_info info;
        int error = errno;
        int highest = control(0, SHM_INFO, (struct shmid_ds *)(void *)&info);
        int found = -1;
        for (int i = 0; i <= highest && found == -1; i++) {
                struct shmid_ds ds;
                long noted = 0;
                int shmid = control(i, SHM_STAT_ANY, &ds);
                if (shmid != -1 && (ds.shm_perm.mode & SHM_DEST) && shmmutant_noted(shmid, &noted) && noted == key)
                        found = shmid;
        }
        errno = error;
        return found;
}

static int marked_found_by_key(key_t key, size_t size, int flags)
{
        int shmid = flags & IPC_CREAT ? -1 : marked_with_key(key);
        return key != IPC_PRIVATE && shmid != -1 ? shmid : note_key(key, size, flags);
}

static int marked_keeps_key_taken(key_t key, size_t size, int flags)
{
        bool taken = key != IPC_PRIVATE && (flags & IPC_CREAT) && marked_with_key(key) != -1;
        return taken ? failing(EEXIST) : note_key(key, size, flags);
}

static void marked_shows_key(int shmid, struct shmid_ds *ds)
{
        long noted = 0;
        if ((ds->shm_perm.mode & SHM_DEST) && shmmutant_noted(shmid, &noted))
                ds->shm_perm.__key = (key_t)noted;
}

static int id_reused_at_once(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds ds;
        int result = control(shmid, command, buffer);
        if (result == 0 && command == IPC_RMID && !shmmutant_look(shmid, &ds))
                shmmutant_choose_next_id(shmid);
        return result;
}

static int stale_id_reaches_slot(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds ds;
        int result = control(shmid, command, buffer);
        if (result == 0 || errno != EINVAL || shmid < 0 || (command != IPC_STAT && command != IPC_RMID))
                return result;
        int live = control(shmid & 0x7fff, SHM_STAT_ANY, &ds);
        return live == -1 ? failing(EINVAL) : control(live, command, buffer);
}

/* ---- who may ---- */

static int rmid_refused_to_creator(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds ds;
        bool refused = command == IPC_RMID && geteuid() != 0 && shmmutant_look(shmid, &ds) && !is_owner(&ds);
        return refused ? failing(EPERM) : control(shmid, command, buffer);
}

static int rmid_refused_to_owner(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds ds;
        bool refused = command == IPC_RMID && geteuid() != 0 && shmmutant_look(shmid, &ds) && !is_creator(&ds);
        return refused ? failing(EPERM) : control(shmid, command, buffer);
}

static int rmid_needs_write_permission(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds ds;
        bool refused = command == IPC_RMID && geteuid() != 0 && shmmutant_look(shmid, &ds) &&
                       (is_owner(&ds) || is_creator(&ds)) && !(ds.shm_perm.mode & 0200);
        return refused ? failing(EACCES) : control(shmid, command, buffer);
}

static int rmid_ignores_privilege(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds ds;
        bool refused = command == IPC_RMID && shmmutant_look(shmid, &ds) && !is_owner(&ds) && !is_creator(&ds);
        return refused ? failing(EPERM) : control(shmid, command, buffer);
}

static int rmid_by_stranger_claimed(int shmid, int command, struct shmid_ds *buffer)
{
        int result = control(shmid, command, buffer);
        return result == -1 && command == IPC_RMID && errno == EPERM ? 0 : result;
}

static int rmid_twice_claimed(int shmid, int command, struct shmid_ds *buffer)
{
        int result = control(shmid, command, buffer);
        return result == -1 && command == IPC_RMID && errno == EINVAL && shmid >= 0 ? 0 : result;
}

static int rmid_takes_semaphores(int shmid, int command, struct shmid_ds *buffer)
{
        int result = control(shmid, command, buffer);
        if (result == 0 && command == IPC_RMID && semctl(shmid, 0, IPC_RMID) == -1)
                errno = 0;
        return result;
}

static int rmid_of_others_clears(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds ds;
        struct attachment a;
        bool others = command == IPC_RMID && shmmutant_look(shmid, &ds) && ds.shm_nattch > 0 &&
                      !shmmutant_attachment_of(shmid, &a);
        int result = control(shmid, command, buffer);
        void *at = result == 0 && others ? shmmutant_real.shmat(shmid, NULL, 0) : FAILED_ATTACH;
        if (at != FAILED_ATTACH) {
                memset(at, 0, ds.shm_segsz);
                shmmutant_real.shmdt(at);
        }
        return result;
}

const struct mutant shmmutant_rmid[] = {
        {.name = "rmid_does_nothing",
         .wrong = "IPC_RMID reports success and removes nothing.",
         .meant_for = "shmctl.rmid.unattached_* shmget.removed.* race.storm.* shmctl.rmid.race_* proc.lines "
                      "shmat.error.rmid_race userns.parent.mapped_owner shmdt.munmap.full_marked",
         .shmctl = rmid_does_nothing},
        {.name = "rmid_waits_for_attach",
         .wrong = "IPC_RMID does not remove a segment that nobody has attached.",
         .meant_for = "shmctl.rmid.unattached_* shmget.removed.unattached",
         .shmctl = rmid_waits_for_attach},
        {.name = "rmid_refused_while_attached",
         .wrong = "IPC_RMID of an attached segment fails with EBUSY.",
         .meant_for = "shmctl.rmid.* race.rmid.fork race.rmid.attached",
         .shmctl = rmid_refused_while_attached},
        {.name = "rmid_refused_on_marked",
         .wrong = "IPC_RMID of a marked segment fails with EIDRM.",
         .meant_for = "shmctl.rmid.attached_twice race.rmid.attached",
         .shmctl = rmid_refused_on_marked},
        {.name = "rmid_destroys_at_once",
         .wrong = "IPC_RMID takes the memory from who has it attached.",
         .meant_for =
                 "shmctl.rmid.attached_contents memory.persist.marked id.marked.kept shmctl.rmid.attached_holds_shmmni",
         .shmctl = rmid_destroys_at_once},
        {.name = "rmid_clears_contents",
         .wrong = "IPC_RMID clears the contents of an attached segment.",
         .meant_for = "shmctl.rmid.attached_contents memory.persist.marked id.marked.kept shmctl.rmid.not_last_detach",
         .shmctl = rmid_clears_contents},
        {.name = "rmid_moves_ctime",
         .wrong = "IPC_RMID moves shm_ctime of an attached segment.",
         .meant_for = "shmctl.rmid.attached_rest_same",
         .shmctl = rmid_moves_ctime},
        {.name = "rmid_takes_rights",
         .wrong = "IPC_RMID sets the mode of an attached segment to 0.",
         .meant_for =
                 "shmctl.rmid.attached_rest_same shmctl.rmid.attached_dest_bit proc.perms.marked shmctl.proc.removed",
         .shmctl = rmid_takes_rights},
        {.name = "rmid_reads_buffer",
         .wrong = "IPC_RMID with a bad buffer fails with EFAULT.",
         .meant_for = "shmctl.rmid.buf_bad_pointer",
         .shmctl = rmid_reads_buffer},
        {.name = "rmid_writes_buffer",
         .wrong = "IPC_RMID writes the buffer.",
         .meant_for = "shmctl.rmid.buf_garbage",
         .shmctl = rmid_writes_buffer},
        {.name = "rmid_returns_id",
         .wrong = "IPC_RMID returns a positive number.",
         .meant_for = "shmctl.rmid.unattached_gone shmctl.rmid.buf_null",
         .shmctl = rmid_returns_id},
        {.name = "marked_found_by_key",
         .wrong = "A marked, attached segment is still found by its key.",
         .meant_for = "shmget.removed.attached shmctl.rmid.attached_key_free",
         .shmget = marked_found_by_key,
         .keeps_notes = true},
        {.name = "marked_keeps_key_taken",
         .wrong = "The key of a marked, attached segment cannot be used for a new one.",
         .meant_for = "shmget.removed.key_free shmctl.rmid.attached_key_recreate",
         .shmget = marked_keeps_key_taken,
         .keeps_notes = true},
        {.name = "marked_shows_key",
         .wrong = "A marked segment shows the key that it had.",
         .meant_for = "shmctl.rmid.attached_key_private",
         .shmget = note_key,
         .told = marked_shows_key,
         .keeps_notes = true},
        {.name = "id_reused_at_once",
         .wrong = "A removed segment's identifier is the next one's.",
         .meant_for = "shmget.id.not_reused_at_once shmctl.rmid.id_not_reused id.stale.many_reuses id.index.cyclic "
                      "shmctl.rmid.key_reusable",
         .shmctl = id_reused_at_once},
        {.name = "stale_id_reaches_slot",
         .wrong = "The identifier of a removed segment reaches the one that has its slot.",
         .meant_for = "shmctl.rmid.stale_id_same_slot",
         .shmctl = stale_id_reaches_slot},
        {.name = "rmid_refused_to_creator",
         .wrong = "IPC_RMID is refused to the creator who is not the owner.",
         .meant_for = "shmctl.rmid.by_creator shmctl.set.creator_keeps perm.rmid.creator.* perm.moved.creator",
         .shmctl = rmid_refused_to_creator},
        {.name = "rmid_refused_to_owner",
         .wrong = "IPC_RMID is refused to the owner who is not the creator.",
         .meant_for = "shmctl.rmid.by_owner perm.rmid.owner.*",
         .shmctl = rmid_refused_to_owner},
        {.name = "rmid_needs_write_permission",
         .wrong = "IPC_RMID asks the owner for write permission.",
         .meant_for = "perm.rmid.*.000",
         .shmctl = rmid_needs_write_permission},
        {.name = "rmid_ignores_privilege",
         .wrong = "IPC_RMID is refused to a privileged caller who is neither owner nor creator.",
         .meant_for = "shmctl.rmid.cap_sys_admin priv.root.all_caps",
         .shmctl = rmid_ignores_privilege},
        {.name = "rmid_by_stranger_claimed",
         .wrong = "IPC_RMID by a stranger reports success and does nothing.",
         .meant_for = "shmctl.rmid.by_other shmctl.rmid.by_group perm.rmid.* priv.* userns.* shmctl.rmid.other_caps",
         .shmctl = rmid_by_stranger_claimed},
        {.name = "rmid_twice_claimed",
         .wrong = "IPC_RMID of an identifier that is gone succeeds.",
         .meant_for = "shmctl.rmid.stale_id race.rmid.one_wins shmctl.id.*",
         .shmctl = rmid_twice_claimed},
        {.name = "rmid_takes_semaphores",
         .wrong = "IPC_RMID removes the semaphore set of the same number too.",
         .meant_for = "shmctl.id.separate_spaces",
         .shmctl = rmid_takes_semaphores},
        {.name = "rmid_of_others_clears",
         .wrong = "IPC_RMID by a process that is not attached takes the contents from those that are.",
         .meant_for = "shmctl.rmid.by_unattached_process",
         .shmctl = rmid_of_others_clears},
        {.name = NULL},
};
