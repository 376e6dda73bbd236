/* How processes and threads end: by a signal, by pthread_exit, and as a child that shares its parent's memory. */
#include <pthread.h>
#include <unistd.h>

#include "segment.h"

#define attach shmmutant_real.shmat
#define detach shmmutant_real.shmdt

/* ---- a signal: what no call has counted down is told for ever ---- */

static void note_nattch(int shmid)
{
        struct shmid_ds ds;
        if (shmmutant_look(shmid, &ds))
                shmmutant_note(shmid, (long)ds.shm_nattch);
}

static void *attach_and_note(int shmid, const void *address, int flags)
{
        void *at = attach(shmid, address, flags);
        if (at != FAILED_ATTACH)
                note_nattch(shmid);
        return at;
}

static int detach_and_note(const void *address)
{
        struct attachment a;
        bool found = shmmutant_attachment_at(address, &a);
        int result = detach(address);
        if (result == 0 && found)
                note_nattch(a.shmid);
        return result;
}

static bool visit_to_count_down(const struct attachment *a, void *arg)
{
        long noted = 0;
        (void)arg;
        if (shmmutant_noted(a->shmid, &noted) && noted > 0)
                shmmutant_note(a->shmid, noted - 1);
        return true;
}

static void count_down(void)
{
        shmmutant_each_attachment(visit_to_count_down, NULL);
}

static void killed_process_counts(int shmid, struct shmid_ds *ds)
{
        long noted = 0;
        if (shmmutant_noted(shmid, &noted) && (unsigned long)noted > ds->shm_nattch)
                ds->shm_nattch = (shmatt_t)noted;
}

/* ---- a thread ---- */

static pthread_key_t newest;
static pthread_once_t newest_once = PTHREAD_ONCE_INIT;

static void detach_newest(void *at)
{
        detach(at);
}

static void make_newest(void)
{
        pthread_key_create(&newest, detach_newest);
}

static void *attach_for_thread(int shmid, const void *address, int flags)
{
        void *at = attach(shmid, address, flags);
        pthread_once(&newest_once, make_newest);
        if (at != FAILED_ATTACH)
                pthread_setspecific(newest, at);
        return at;
}

/* ---- a child that shares its parent's memory ---- */

static pid_t owner_of_memory;

static void note_owner(void)
{
        owner_of_memory = getpid();
}

static int get_as_owner(key_t key, size_t size, int flags)
{
        if (owner_of_memory == 0)
                note_owner();
        return shmmutant_real.shmget(key, size, flags);
}

static void detach_all_of_sharer(void)
{
        if (owner_of_memory != 0 && getpid() != owner_of_memory)
                shmmutant_detach_all();
}

const struct mutant shmmutant_death[] = {
        {.name = "killed_process_counts",
         .wrong = "The attachments of a process that dies by a signal go on counting in shm_nattch.",
         .meant_for = "life.death.abort life.death.sig* life.death.several life.stopped.attached life.creator.dies "
                      "shmctl.stat.kill_nattch race.nattch.kill_anywhere",
         .shmat = attach_and_note,
         .shmdt = detach_and_note,
         .before_exec = count_down,
         .before_exit = count_down,
         .told = killed_process_counts,
         .keeps_notes = true},
        {.name = "thread_exit_detaches",
         .wrong = "What a thread has attached last is detached with its end.",
         .meant_for = "life.thread.*",
         .shmat = attach_for_thread},
        {.name = "sharer_exit_detaches",
         .wrong = "The exit of a child that shares its parent's memory, as vfork makes it, detaches the parent's.",
         .meant_for = "life.vfork.shares life.vfork.attaches",
         .shmget = get_as_owner,
         .in_child = note_owner,
         .before_exit = detach_all_of_sharer},
        {.name = NULL},
};
