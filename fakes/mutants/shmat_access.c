/* shmat: reading, writing and executing through the attachment. */
#include <sys/mman.h>

#include "segment.h"

#define attach shmmutant_real.shmat

static void *with_protection(void *at, int shmid, int protection)
{
        struct shmid_ds ds;
        int error = errno;
        if (at != FAILED_ATTACH && shmmutant_look(shmid, &ds))
                mprotect(at, shmmutant_in_pages(ds.shm_segsz), protection);
        errno = error;
        return at;
}

static void *rdonly_ignored(int shmid, const void *address, int flags)
{
        void *at = attach(shmid, address, flags & ~SHM_RDONLY);
        return at == FAILED_ATTACH && errno == EACCES ? attach(shmid, address, flags) : at;
}

static void *read_only_by_default(int shmid, const void *address, int flags)
{
        void *at = attach(shmid, address, flags);
        return flags & SHM_RDONLY ? at : with_protection(at, shmid, PROT_READ);
}

static void *rdonly_can_be_lifted(int shmid, const void *address, int flags)
{
        void *at = rdonly_ignored(shmid, address, flags);
        return flags & SHM_RDONLY ? with_protection(at, shmid, PROT_READ) : at;
}

static void *refused_write_gives_read_only(int shmid, const void *address, int flags)
{
        void *at = attach(shmid, address, flags);
        return at == FAILED_ATTACH && errno == EACCES ? attach(shmid, address, flags | SHM_RDONLY) : at;
}

static void *rdonly_needs_write_permission(int shmid, const void *address, int flags)
{
        if (flags & SHM_RDONLY) {
                void *at = attach(shmid, NULL, flags & ~SHM_RDONLY);
                if (at == FAILED_ATTACH && errno == EACCES)
                        return at;
                if (at != FAILED_ATTACH)
                        shmmutant_real.shmdt(at);
        }
        return attach(shmid, address, flags);
}

static void *exec_ignored(int shmid, const void *address, int flags)
{
        return with_protection(attach(shmid, address, flags), shmid,
                               flags & SHM_RDONLY ? PROT_READ : PROT_READ | PROT_WRITE);
}

static void *exec_always(int shmid, const void *address, int flags)
{
        return with_protection(attach(shmid, address, flags), shmid,
                               flags & SHM_RDONLY ? PROT_READ | PROT_EXEC : PROT_READ | PROT_WRITE | PROT_EXEC);
}

static void *exec_permission_not_asked(int shmid, const void *address, int flags)
{
        void *at = attach(shmid, address, flags);
        if (at == FAILED_ATTACH && errno == EACCES && (flags & SHM_EXEC))
                return attach(shmid, address, flags & ~SHM_EXEC);
        return at;
}

static void *exec_refused(int shmid, const void *address, int flags)
{
        return flags & SHM_EXEC ? failing_attach(EINVAL) : attach(shmid, address, flags);
}

const struct mutant shmmutant_shmat_access[] = {
        {.name = "rdonly_ignored",
         .wrong = "SHM_RDONLY gives a writable attachment to who may write.",
         .meant_for = "shmat.flag.rdonly_* life.fork.read_only memory.proc.mem",
         .shmat = rdonly_ignored},
        {.name = "read_only_by_default",
         .wrong = "An attachment without SHM_RDONLY cannot be written.",
         .meant_for = "shmat.flag.read_write shmat.addr.null",
         .shmat = read_only_by_default},
        {.name = "rdonly_can_be_lifted",
         .wrong = "mprotect makes an SHM_RDONLY attachment writable.",
         .meant_for = "memory.mprotect.rdonly_to_rw",
         .shmat = rdonly_can_be_lifted},
        {.name = "refused_write_gives_read_only",
         .wrong = "Who may only read gets a read-only attachment where a writable one was asked for.",
         .meant_for = "shmat.access.not_downgraded shmat.access.owner.rdwr perm.shmat_rw.*",
         .shmat = refused_write_gives_read_only},
        {.name = "rdonly_needs_write_permission",
         .wrong = "SHM_RDONLY asks for write permission too.",
         .meant_for = "shmat.access.*.rdonly perm.shmat_ro.*",
         .shmat = rdonly_needs_write_permission},
        {.name = "exec_ignored",
         .wrong = "SHM_EXEC gives memory that cannot be executed.",
         .meant_for = "shmat.flag.exec_*",
         .shmat = exec_ignored},
        {.name = "exec_always",
         .wrong = "Every attachment can be executed.",
         .meant_for = "shmat.flag.no_exec memory.proc.maps_key",
         .shmat = exec_always},
        {.name = "exec_permission_not_asked",
         .wrong = "SHM_EXEC does not ask for execute permission.",
         .meant_for = "shmat.flag.exec_without_x shmat.access.*.exec perm.shmat_*_exec.*",
         .shmat = exec_permission_not_asked},
        {.name = "exec_refused",
         .wrong = "SHM_EXEC fails with EINVAL.",
         .meant_for = "shmat.flag.exec_* shmat.access.*.exec",
         .shmat = exec_refused},
        {.name = NULL},
};
