/* IPC_STAT: shm_atime, shm_dtime, shm_ctime. */
#include <time.h>

#include "segment.h"

static time_t later(time_t a, time_t b)
{
        return a > b ? a : b;
}

static void atime_never_set(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        ds->shm_atime = 0;
}

static void dtime_never_set(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        ds->shm_dtime = 0;
}

static void ctime_never_set(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        ds->shm_ctime = 0;
}

static void atime_starts_at_creation(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        if (ds->shm_atime == 0)
                ds->shm_atime = ds->shm_ctime;
}

static void dtime_starts_at_creation(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        if (ds->shm_dtime == 0)
                ds->shm_dtime = ds->shm_ctime;
}

static void atime_and_dtime_swapped(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        time_t atime = ds->shm_atime;
        ds->shm_atime = ds->shm_dtime;
        ds->shm_dtime = atime;
}

static void atime_moved_by_detach(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        ds->shm_atime = later(ds->shm_atime, ds->shm_dtime);
}

static void dtime_moved_by_attach(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        ds->shm_dtime = later(ds->shm_dtime, ds->shm_atime);
}

static void ctime_moved_by_attach(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        ds->shm_ctime = later(ds->shm_ctime, ds->shm_atime);
}

static void ctime_moved_by_detach(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        ds->shm_ctime = later(ds->shm_ctime, ds->shm_dtime);
}

static void atime_moved_by_stat(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        if (ds->shm_atime != 0)
                ds->shm_atime = time(NULL);
}

static void ctime_moved_by_stat(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        ds->shm_ctime = time(NULL);
}

static void ctime_one_hour_off(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        ds->shm_ctime += 3600;
}

static void atime_one_hour_off(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        if (ds->shm_atime != 0)
                ds->shm_atime += 3600;
}

/* The first ctime that was seen of a segment is its note. */
static int note_ctime(key_t key, size_t size, int flags)
{
        struct shmid_ds ds;
        bool made = !shmmutant_key_is_taken(key);
        int shmid = shmmutant_real.shmget(key, size, flags);
        if (made && shmmutant_look(shmid, &ds))
                shmmutant_note(shmid, ds.shm_ctime);
        return shmid;
}

static void ctime_not_moved_by_set(int shmid, struct shmid_ds *ds)
{
        long noted = 0;
        if (shmmutant_noted(shmid, &noted))
                ds->shm_ctime = noted;
}

const struct mutant shmmutant_stat_times[] = {
        {.name = "atime_never_set",
         .wrong = "shm_atime is always 0.",
         .meant_for = "shmctl.stat.attach_atime shmat.stat.exact shmctl.stat.fork_atime_lpid memory.fork.stat "
                      "shmdt.munmap.partial_times",
         .told = atime_never_set},
        {.name = "dtime_never_set",
         .wrong = "shm_dtime is always 0.",
         .meant_for = "shmctl.stat.detach_dtime shmdt.ok.stat_exact life.child.attaches_alone life.death.times "
                      "life.exec.times shmctl.stat.exit_dtime_lpid shmdt.munmap.full shmdt.munmap.partial_times "
                      "memory.fork.stat",
         .told = dtime_never_set},
        {.name = "ctime_never_set",
         .wrong = "shm_ctime is always 0.",
         .meant_for = "shmctl.stat.new_ctime shmget.create.ctime",
         .told = ctime_never_set},
        {.name = "atime_starts_at_creation",
         .wrong = "A new segment's shm_atime is the time of its creation.",
         .meant_for = "shmctl.stat.new_atime shmget.create.atime",
         .told = atime_starts_at_creation},
        {.name = "dtime_starts_at_creation",
         .wrong = "A new segment's shm_dtime is the time of its creation.",
         .meant_for = "shmctl.stat.new_dtime shmget.create.dtime",
         .told = dtime_starts_at_creation},
        {.name = "atime_and_dtime_swapped",
         .wrong = "shm_atime and shm_dtime are exchanged.",
         .meant_for = "shmat.stat.dtime_kept shmctl.stat.attach_atime",
         .told = atime_and_dtime_swapped},
        {.name = "atime_moved_by_detach",
         .wrong = "shmdt moves shm_atime.",
         .meant_for = "shmctl.stat.detach_leaves_rest shmdt.ok.stat_exact",
         .told = atime_moved_by_detach},
        {.name = "dtime_moved_by_attach",
         .wrong = "shmat moves shm_dtime.",
         .meant_for = "shmat.stat.dtime_kept shmctl.stat.attach_leaves_rest",
         .told = dtime_moved_by_attach},
        {.name = "ctime_moved_by_attach",
         .wrong = "shmat moves shm_ctime.",
         .meant_for = "shmat.stat.ctime_kept shmctl.stat.attach_leaves_rest",
         .told = ctime_moved_by_attach},
        {.name = "ctime_moved_by_detach",
         .wrong = "shmdt moves shm_ctime.",
         .meant_for = "shmctl.stat.detach_leaves_rest shmdt.ok.stat_exact",
         .told = ctime_moved_by_detach},
        {.name = "atime_moved_by_stat",
         .wrong = "IPC_STAT moves shm_atime.",
         .meant_for = "shmctl.stat.changes_nothing persist.orphan.idle shmat.stat.access_kept shmdt.mprotect.whole "
                      "shmdt.error.times_kept",
         .told = atime_moved_by_stat},
        {.name = "ctime_moved_by_stat",
         .wrong = "IPC_STAT moves shm_ctime.",
         .meant_for = "shmctl.stat.changes_nothing persist.orphan.idle",
         .told = ctime_moved_by_stat},
        {.name = "ctime_one_hour_off",
         .wrong = "shm_ctime is an hour ahead.",
         .meant_for = "shmctl.stat.new_ctime shmget.create.ctime",
         .told = ctime_one_hour_off},
        {.name = "atime_one_hour_off",
         .wrong = "shm_atime is an hour ahead.",
         .meant_for = "shmctl.stat.attach_atime",
         .told = atime_one_hour_off},
        {.name = "ctime_not_moved_by_set",
         .wrong = "IPC_SET leaves shm_ctime.",
         .meant_for = "shmctl.set.ctime_*",
         .shmget = note_ctime,
         .told = ctime_not_moved_by_set,
         .keeps_notes = true},
        {.name = NULL},
};
