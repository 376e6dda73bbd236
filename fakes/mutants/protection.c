/* What mprotect, mlock, mremap, a core file and a personality make of an attachment. */
#include <sys/mman.h>
#include <sys/personality.h>

#include "segment.h"

static bool is_attachment(const void *start)
{
        struct attachment a;
        return shmmutant_attachment_at(start, &a);
}

static int execute_never_added(void *start, size_t size, int protection)
{
        return (protection & PROT_EXEC) && is_attachment(start) ? failing(EACCES)
                                                                : shmmutant_real.mprotect(start, size, protection);
}

static int mlock_limit_ignored(const void *start, size_t size)
{
        int result = shmmutant_real.mlock(start, size);
        return result == -1 && errno == ENOMEM && is_attachment(start) ? 0 : result;
}

static void *duplicate_is_private(void *old, size_t old_size, size_t size, int flags, void *address)
{
        if (old_size != 0 || !is_attachment(old))
                return shmmutant_real.mremap(old, old_size, size, flags, address);
        return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void *attachment_not_dumped(int shmid, const void *address, int flags)
{
        struct attachment a;
        void *at = shmmutant_real.shmat(shmid, address, flags);
        if (at != FAILED_ATTACH && shmmutant_attachment_at(at, &a))
                madvise(at, a.length, MADV_DONTDUMP);
        return at;
}

static void *personality_ignored(int shmid, const void *address, int flags)
{
        struct attachment a;
        int old = personality(0xffffffffU);
        void *at = shmmutant_real.shmat(shmid, address, flags);
        if (at == FAILED_ATTACH || (flags & SHM_EXEC) || !(old & READ_IMPLIES_EXEC) || !shmmutant_attachment_at(at, &a))
                return at;
        personality((unsigned long)old & ~(unsigned long)READ_IMPLIES_EXEC);
        shmmutant_real.mprotect(at, a.length, a.writable ? PROT_READ | PROT_WRITE : PROT_READ);
        personality((unsigned long)old);
        return at;
}

static int write_asks_for_the_mode(void *start, size_t size, int protection)
{
        struct attachment a;
        void *at = NULL;
        if ((protection & PROT_WRITE) && shmmutant_attachment_at(start, &a)) {
                at = shmmutant_real.shmat(a.shmid, NULL, 0);
                if (at == FAILED_ATTACH)
                        return -1;
                shmmutant_real.shmdt(at);
        }
        return shmmutant_real.mprotect(start, size, protection);
}

static bool visit_to_protect(const struct attachment *a, void *arg)
{
        if (a->shmid == *(const int *)arg)
                shmmutant_real.mprotect(a->address, a->length, PROT_READ);
        return true;
}

static int set_revokes_attachments(int shmid, int command, struct shmid_ds *buffer)
{
        bool revokes = command == IPC_SET && buffer && shmmutant_is_readable(buffer, sizeof(*buffer)) &&
                       !(buffer->shm_perm.mode & 0222);
        int result = shmmutant_real.shmctl(shmid, command, buffer);
        if (result == 0 && revokes)
                shmmutant_each_attachment(visit_to_protect, &shmid);
        return result;
}

const struct mutant shmmutant_protection[] = {
        {.name = "execute_never_added",
         .wrong = "mprotect cannot make an attachment executable.",
         .meant_for = "memory.mprotect.to_exec",
         .mprotect = execute_never_added},
        {.name = "write_asks_for_the_mode",
         .wrong = "mprotect makes an attachment writable only for who may write the segment now.",
         .meant_for = "memory.mprotect.after_set",
         .mprotect = write_asks_for_the_mode},
        {.name = "mlock_limit_ignored",
         .wrong = "mlock of an attachment beyond RLIMIT_MEMLOCK reports success.",
         .meant_for = "memory.mlock.limit",
         .mlock = mlock_limit_ignored},
        {.name = "duplicate_is_private",
         .wrong = "mremap of an attachment with old size 0 gives private memory.",
         .meant_for = "shmdt.mremap.duplicated",
         .mremap = duplicate_is_private},
        {.name = "attachment_not_dumped",
         .wrong = "A core file has no attachments.",
         .meant_for = "memory.core.default",
         .shmat = attachment_not_dumped},
        {.name = "personality_ignored",
         .wrong = "The personality READ_IMPLIES_EXEC does not hold for attachments.",
         .meant_for = "shmat.flag.read_implies_exec",
         .shmat = personality_ignored},
        {.name = "set_revokes_attachments",
         .wrong = "An IPC_SET that takes the write bits makes the caller's attachments read-only.",
         .meant_for = "shmat.flag.kept_after_set perm.attached.mode_revoked",
         .shmctl = set_revokes_attachments},
        {.name = NULL},
};
