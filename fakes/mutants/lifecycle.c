/* What fork, exec, exit and the creator's end do to attachments and segments. */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "segment.h"

/* ---- the creator's end ---- */

#define INDEXES 64

static void remove_orphans(void)
{
        int error = errno;
        for (int i = 0; i < INDEXES; i++) {
                struct shmid_ds ds;
                int shmid = shmmutant_real.shmctl(i, SHM_STAT_ANY, &ds);
                bool dead = shmid != -1 && ds.shm_cpid > 0 && kill(ds.shm_cpid, 0) == -1 && errno == ESRCH;
                if (dead && ds.shm_nattch == 0)
                        shmmutant_real.shmctl(shmid, IPC_RMID, NULL);
        }
        errno = error;
}

static int get_after_orphans(key_t key, size_t size, int flags)
{
        remove_orphans();
        return shmmutant_real.shmget(key, size, flags);
}

static void *attach_after_orphans(int shmid, const void *address, int flags)
{
        remove_orphans();
        return shmmutant_real.shmat(shmid, address, flags);
}

static int control_after_orphans(int shmid, int command, struct shmid_ds *buffer)
{
        remove_orphans();
        return shmmutant_real.shmctl(shmid, command, buffer);
}

/* ---- fork ---- */

static bool visit_to_copy(const struct attachment *a, void *arg)
{
        bool *copied = arg;
        void *copy = mmap(NULL, a->length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (copy == MAP_FAILED)
                return false;
        memcpy(copy, a->address, a->length);
        mprotect(copy, a->length, a->writable ? PROT_READ | PROT_WRITE : PROT_READ);
        mremap(copy, a->length, a->length, MREMAP_MAYMOVE | MREMAP_FIXED, a->address);
        *copied = true;
        return false;
}

static void fork_copies(void)
{
        bool copied = true;
        while (copied) {
                copied = false;
                shmmutant_each_attachment(visit_to_copy, &copied);
        }
}

static bool visit_to_protect(const struct attachment *a, void *arg)
{
        (void)arg;
        mprotect(a->address, a->length, PROT_READ);
        return true;
}

static void fork_takes_write_access(void)
{
        shmmutant_each_attachment(visit_to_protect, NULL);
}

static bool in_forked_child;

static void note_child(void)
{
        in_forked_child = true;
}

static int inherited_detach_refused(const void *address)
{
        return in_forked_child ? failing(EINVAL) : shmmutant_real.shmdt(address);
}

static void *attach_as_own(int shmid, const void *address, int flags)
{
        in_forked_child = false;
        return shmmutant_real.shmat(shmid, address, flags);
}

/* ---- exec and exit ---- */

/*
 * A process that holds the attachments and nothing else. It must not hold the
 * pipes that a case waits on, and ends with the isolation of the case.
 */
static void leave_holder(int death_signal)
{
        if (shmmutant_attachments() == 0 || fork() != 0)
                return;
        signal(SIGTERM, SIG_DFL);
        prctl(PR_SET_PDEATHSIG, death_signal);
        close_range(0, ~0U, 0);
        for (;;)
                pause();
}

static void exec_keeps_attachments(void)
{
        leave_holder(SIGKILL);
}

static void exit_keeps_attachments(void)
{
        leave_holder(0);
}

const struct mutant shmmutant_lifecycle[] = {
        {.name = "segment_vanishes_with_creator",
         .wrong = "A segment that nobody has attached ends with the process that made it.",
         .meant_for = "persist.* life.creator.dies shmget.existing.creator_gone shmctl.stat.cpid_outlives_creator",
         .shmget = get_after_orphans,
         .shmat = attach_after_orphans,
         .shmctl = control_after_orphans},
        {.name = "fork_drops_attachments",
         .wrong = "A forked child has no attachment.",
         .meant_for = "life.fork.* shmctl.stat.fork_nattch memory.fork.inherits race.rmid.fork",
         .in_child = shmmutant_detach_all},
        {.name = "fork_copies",
         .wrong = "A forked child has a private copy of the memory.",
         .meant_for = "life.fork.inherits memory.fork.inherits",
         .in_child = fork_copies},
        {.name = "fork_takes_write_access",
         .wrong = "A forked child may only read what it inherited.",
         .meant_for = "life.fork.inherits memory.fork.inherits memory.mprotect.own_process",
         .in_child = fork_takes_write_access},
        {.name = "inherited_detach_refused",
         .wrong = "A forked child cannot detach what it inherited.",
         .meant_for = "life.fork.child_detaches shmdt.ok.child memory.fork.detach_once",
         .in_child = note_child,
         .shmat = attach_as_own,
         .shmdt = inherited_detach_refused},
        {.name = "exec_keeps_attachments",
         .wrong = "exec does not detach.",
         .meant_for =
                 "life.exec.detaches shmctl.stat.exec_nattch shmctl.rmid.exec_destroys race.nattch.exec "
                 "life.exec.threaded life.exec.times life.spawn.not_inherited forced.detach.death life.exec.setuid",
         .before_exec = exec_keeps_attachments},
        {.name = "failed_exec_detaches",
         .wrong = "An exec that fails has detached all.",
         .meant_for = "life.exec.failed",
         .after_failed_exec = shmmutant_detach_all},
        {.name = "exit_keeps_attachments",
         .wrong = "Exit does not detach.",
         .meant_for = "life.death.exit life.death.immediate shmctl.stat.exit_nattch shmctl.rmid.exit_destroys "
                      "race.rmid.exit life.child.attaches_alone forced.detach.death life.death.split_mapping "
                      "life.marked.nattch life.proc_fds.no_hold life.zombie.detached life.clone_vm.shares "
                      "ns.end.destroys perm.exit.needs_no_permission",
         .before_exit = exit_keeps_attachments},
        {.name = NULL},
};
