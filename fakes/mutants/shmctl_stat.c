/* IPC_STAT: the members of shmid_ds, times apart. SHM_STAT and SHM_STAT_ANY tell the same. */
#include <signal.h>
#include <unistd.h>

#include "segment.h"

static void segsz_rounded_up(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        ds->shm_segsz = shmmutant_in_pages(ds->shm_segsz);
}

static void segsz_one_more(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        ds->shm_segsz++;
}

static void segsz_in_pages(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        ds->shm_segsz = shmmutant_in_pages(ds->shm_segsz) / shmmutant_page();
}

static void segsz_cut_to_32_bits(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        ds->shm_segsz = (uint32_t)ds->shm_segsz;
}

static void nattch_one_more(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        ds->shm_nattch++;
}

static void nattch_always_zero(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        ds->shm_nattch = 0;
}

static void nattch_yes_or_no(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        ds->shm_nattch = ds->shm_nattch > 0;
}

struct count {
        int shmid;
        unsigned mappings;
};

static bool visit_own(const struct attachment *a, void *arg)
{
        struct count *count = arg;
        count->mappings += a->shmid == count->shmid;
        return true;
}

static void nattch_counts_processes(int shmid, struct shmid_ds *ds)
{
        struct count count = {.shmid = shmid};
        shmmutant_each_attachment(visit_own, &count);
        if (count.mappings > 1 && ds->shm_nattch >= count.mappings)
                ds->shm_nattch -= count.mappings - 1;
}

static void key_not_told(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        ds->shm_perm.__key = IPC_PRIVATE;
}

static void private_key_is_id(int shmid, struct shmid_ds *ds)
{
        if (ds->shm_perm.__key == IPC_PRIVATE)
                ds->shm_perm.__key = shmid + 1;
}

static void uid_is_creators(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        ds->shm_perm.uid = ds->shm_perm.cuid;
}

static void gid_is_creators(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        ds->shm_perm.gid = ds->shm_perm.cgid;
}

static void cuid_follows_uid(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        ds->shm_perm.cuid = ds->shm_perm.uid;
}

static void cgid_follows_gid(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        ds->shm_perm.cgid = ds->shm_perm.gid;
}

static void uid_and_gid_swapped(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        uid_t uid = ds->shm_perm.uid;
        ds->shm_perm.uid = ds->shm_perm.gid;
        ds->shm_perm.gid = uid;
}

static void ids_cut_to_16_bits(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        ds->shm_perm.uid &= 0xffff;
        ds->shm_perm.gid &= 0xffff;
}

static void dest_not_told(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        ds->shm_perm.mode &= ~(mode_t)SHM_DEST;
}

static void locked_not_told(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        ds->shm_perm.mode &= ~(mode_t)SHM_LOCKED;
}

static void dest_told_while_attached(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        if (ds->shm_nattch > 0)
                ds->shm_perm.mode |= SHM_DEST;
}

static void creation_flags_told(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        ds->shm_perm.mode |= 010000;
}

static void mode_x_not_told(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        ds->shm_perm.mode &= ~(mode_t)0111;
}

static void lpid_never_set(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        ds->shm_lpid = 0;
}

static void lpid_starts_as_creator(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        if (ds->shm_lpid == 0)
                ds->shm_lpid = ds->shm_cpid;
}

static void lpid_is_creator(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        if (ds->shm_lpid != 0)
                ds->shm_lpid = ds->shm_cpid;
}

static void lpid_set_by_stat(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        ds->shm_lpid = getpid();
}

static void cpid_not_told(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        ds->shm_cpid = 0;
}

static void cpid_is_caller(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        ds->shm_cpid = getpid();
}

static void cpid_is_last(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        if (ds->shm_lpid != 0)
                ds->shm_cpid = ds->shm_lpid;
}

static void cpid_ends_with_creator(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        if (ds->shm_cpid > 0 && kill(ds->shm_cpid, 0) == -1 && errno == ESRCH)
                ds->shm_cpid = 0;
}

static void cpid_is_thread(int shmid, struct shmid_ds *ds)
{
        long thread = 0;
        if (shmmutant_noted(shmid, &thread))
                ds->shm_cpid = (pid_t)thread;
}

static int note_thread(key_t key, size_t size, int flags)
{
        bool made = !shmmutant_key_is_taken(key);
        int shmid = shmmutant_real.shmget(key, size, flags);
        if (made && shmid != -1)
                shmmutant_note(shmid, gettid());
        return shmid;
}

static void sequence_not_told(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        ds->shm_perm.__seq = 0;
}

/* The overflow uid of the kernel. */
#define UNMAPPED 65534

static void unmapped_id_is_root(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        ds->shm_perm.uid = ds->shm_perm.uid == UNMAPPED ? 0 : ds->shm_perm.uid;
        ds->shm_perm.cuid = ds->shm_perm.cuid == UNMAPPED ? 0 : ds->shm_perm.cuid;
}

static void owner_one_more(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        ds->shm_perm.uid++;
        ds->shm_perm.gid++;
}

static void creator_one_more(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        ds->shm_perm.cuid++;
        ds->shm_perm.cgid++;
}

const struct mutant shmmutant_stat[] = {
        {.name = "segsz_rounded_up",
         .wrong = "shm_segsz is rounded up to whole pages.",
         .meant_for = "shmget.create.segsz shmctl.stat.new_segsz",
         .told = segsz_rounded_up},
        {.name = "segsz_one_more",
         .wrong = "shm_segsz is one byte too big.",
         .meant_for = "shmget.create.segsz shmctl.stat.new_segsz",
         .told = segsz_one_more},
        {.name = "segsz_in_pages",
         .wrong = "shm_segsz counts pages.",
         .meant_for = "shmget.create.segsz shmctl.stat.new_segsz",
         .told = segsz_in_pages},
        {.name = "segsz_cut_to_32_bits",
         .wrong = "shm_segsz shows the low 32 bits of the size.",
         .meant_for = "shmget.raw.size_64_bits shmget.enomem.noreserve shmctl.abi.large_segsz*",
         .told = segsz_cut_to_32_bits},
        {.name = "nattch_one_more",
         .wrong = "shm_nattch is one too many.",
         .meant_for = "shmctl.stat.new_nattch shmget.create.nattch race.nattch.transient race.nattch.kill_anywhere "
                      "shmdt.m* shmdt.remap_file_pages.moved memory.vfork.shares life.vfork.* life.clone_vm.shares",
         .told = nattch_one_more},
        {.name = "nattch_always_zero",
         .wrong = "shm_nattch is always 0.",
         .meant_for = "shmctl.stat.attach_nattch",
         .told = nattch_always_zero},
        {.name = "nattch_yes_or_no",
         .wrong = "shm_nattch says whether there is an attachment, not how many.",
         .meant_for =
                 "shmctl.stat.attach_twice life.fork.many race.nattch.mixed shmat.stat.ten_processes shmat.stat.second",
         .told = nattch_yes_or_no},
        {.name = "nattch_counts_processes",
         .wrong = "shm_nattch counts processes, not attachments.",
         .meant_for = "shmctl.stat.attach_twice shmat.addr.repeat_distinct",
         .told = nattch_counts_processes},
        {.name = "key_not_told",
         .wrong = "shm_perm has no key.",
         .meant_for = "shmctl.stat.new_key shmget.create.key_field",
         .told = key_not_told},
        {.name = "private_key_is_id",
         .wrong = "A segment of IPC_PRIVATE shows a key of its own.",
         .meant_for = "shmctl.stat.new_private_key shmget.create.key_field_private",
         .told = private_key_is_id},
        {.name = "uid_is_creators",
         .wrong = "shm_perm.uid shows the creator's uid.",
         .meant_for = "shmctl.set.uid persist.set_kept",
         .told = uid_is_creators},
        {.name = "gid_is_creators",
         .wrong = "shm_perm.gid shows the creator's gid.",
         .meant_for = "shmctl.set.gid persist.set_kept",
         .told = gid_is_creators},
        {.name = "cuid_follows_uid",
         .wrong = "shm_perm.cuid shows the owner's uid.",
         .meant_for = "shmctl.set.uid",
         .told = cuid_follows_uid},
        {.name = "cgid_follows_gid",
         .wrong = "shm_perm.cgid shows the owner's gid.",
         .meant_for = "shmctl.set.gid",
         .told = cgid_follows_gid},
        {.name = "uid_and_gid_swapped",
         .wrong = "shm_perm.uid and shm_perm.gid are exchanged.",
         .meant_for = "shmctl.set.uid shmctl.set.gid shmget.create.effective_ids",
         .told = uid_and_gid_swapped},
        {.name = "ids_cut_to_16_bits",
         .wrong = "shm_perm.uid and shm_perm.gid show their low 16 bits.",
         .meant_for = "shmctl.set.large_ids",
         .told = ids_cut_to_16_bits},
        {.name = "dest_not_told",
         .wrong = "A marked segment does not show SHM_DEST.",
         .meant_for = "shmctl.rmid.attached_dest_bit shmctl.lock.removed_attached",
         .told = dest_not_told},
        {.name = "locked_not_told",
         .wrong = "A locked segment does not show SHM_LOCKED.",
         .meant_for = "shmctl.lock.sets_bit",
         .told = locked_not_told},
        {.name = "dest_told_while_attached",
         .wrong = "An attached segment shows SHM_DEST.",
         .meant_for = "shmctl.stat.attach_leaves_rest forced.attached.not_marked forced.attached.*",
         .told = dest_told_while_attached},
        {.name = "creation_flags_told",
         .wrong = "The mode has a bit above 0777.",
         .meant_for = "shmget.create.mode_high_bits shmctl.stat.new_mode_high_bits",
         .told = creation_flags_told},
        {.name = "mode_x_not_told",
         .wrong = "The mode shows no execute bits.",
         .meant_for = "shmctl.set.execute_bits shmget.create.mode shmget.create.mode_each_bit",
         .told = mode_x_not_told},
        {.name = "lpid_never_set",
         .wrong = "shm_lpid is always 0.",
         .meant_for = "shmctl.stat.attach_lpid shmctl.stat.detach_lpid life.death.times shmctl.stat.exit_dtime_lpid "
                      "shmctl.stat.fork_atime_lpid ns.pid.translated shmat.stat.lpid_* shmctl.stat.kill_nattch",
         .told = lpid_never_set},
        {.name = "lpid_starts_as_creator",
         .wrong = "A new segment's shm_lpid is its creator.",
         .meant_for = "shmctl.stat.new_lpid shmget.create.lpid",
         .told = lpid_starts_as_creator},
        {.name = "lpid_is_creator",
         .wrong = "shm_lpid is the creator, whoever attached last.",
         .meant_for = "shmat.stat.lpid_other_process shmctl.stat.detach_lpid",
         .told = lpid_is_creator},
        {.name = "lpid_set_by_stat",
         .wrong = "IPC_STAT sets shm_lpid.",
         .meant_for = "shmctl.stat.changes_nothing shmctl.stat.new_lpid",
         .told = lpid_set_by_stat},
        {.name = "cpid_not_told",
         .wrong = "shm_cpid is 0.",
         .meant_for = "shmctl.stat.new_cpid shmget.create.cpid proc.columns shmctl.proc.fields_agree "
                      "shmget.create.cpid_pid_namespace",
         .told = cpid_not_told},
        {.name = "cpid_is_caller",
         .wrong = "shm_cpid is whoever asks.",
         .meant_for = "shmget.create.cpid_child shmctl.stat.cpid_outlives_creator ns.pid.translated "
                      "shmctl.stat.pid_outside_namespace",
         .told = cpid_is_caller},
        {.name = "cpid_is_last",
         .wrong = "shm_cpid is the process that attached last.",
         .meant_for = "shmat.stat.exact shmctl.stat.attach_leaves_rest",
         .told = cpid_is_last},
        {.name = "cpid_ends_with_creator",
         .wrong = "shm_cpid becomes 0 when the creator has ended.",
         .meant_for = "shmctl.stat.cpid_outlives_creator shmget.create.cpid_child persist.orphan.fields",
         .told = cpid_ends_with_creator},
        {.name = "sequence_not_told",
         .wrong = "The sequence number in shm_perm is always 0.",
         .meant_for = "shmget.id.sequence shmctl.abi.seq_matches_id",
         .told = sequence_not_told},
        {.name = "cpid_is_thread",
         .wrong = "shm_cpid is the thread that made the segment.",
         .meant_for = "shmget.create.cpid_thread shmctl.stat.thread_pids",
         .shmget = note_thread,
         .told = cpid_is_thread,
         .keeps_notes = true},
        {.name = "unmapped_id_is_root",
         .wrong = "A uid that the user namespace does not map is shown as 0.",
         .meant_for = "shmget.create.userns_uid shmctl.stat.unmapped_ids userns.own.unprivileged userns.set.round_trip",
         .told = unmapped_id_is_root},
        {.name = "owner_one_more",
         .wrong = "shm_perm.uid and shm_perm.gid are one too many.",
         .meant_for = "shmget.create.uid shmget.create.gid shmctl.stat.new_owner",
         .told = owner_one_more},
        {.name = "creator_one_more",
         .wrong = "shm_perm.cuid and shm_perm.cgid are one too many.",
         .meant_for = "shmget.create.cuid shmget.create.cgid shmctl.stat.new_creator",
         .told = creator_one_more},
        {.name = NULL},
};
