/* shmdt: which addresses it takes, what it leaves, and how it fails. */
#include <string.h>
#include <sys/mman.h>

#include "segment.h"

#define detach shmmutant_real.shmdt

static int detach_twice_succeeds(const void *address)
{
        int result = detach(address);
        return result == -1 && errno == EINVAL && address && !shmmutant_is_readable(address, 1) ? 0 : result;
}

static int any_address_detaches(const void *address)
{
        int result = detach(address);
        return result == -1 && errno == EINVAL ? 0 : result;
}

static int detach_failure_errno_zero(const void *address)
{
        return detach(address) == -1 ? failing(0) : 0;
}

static int detach_returns_one(const void *address)
{
        return detach(address) == -1 ? -1 : 1;
}

static int inner_address_detaches(const void *address)
{
        struct attachment a;
        int result = detach(address);
        if (result == -1 && errno == EINVAL && shmmutant_attachment_at(address, &a))
                return detach(a.address);
        return result;
}

static int unaligned_address_detaches(const void *address)
{
        uintptr_t start = (uintptr_t)address & ~(uintptr_t)(shmmutant_page() - 1);
        return detach((const void *)start); // NOLINT(performance-no-int-to-ptr): an address was rounded
}

static int detach_does_nothing(const void *address)
{
        struct attachment a;
        return shmmutant_attachment_at(address, &a) && a.address == address ? 0 : detach(address);
}

/* The attachment moves to where nobody looks for it. */
static void keep_hidden(const void *address)
{
        struct attachment a;
        if (shmmutant_attachment_at(address, &a) && a.address == address)
                mremap(a.address, 0, a.length, MREMAP_MAYMOVE);
}

static int detach_not_counted(const void *address)
{
        keep_hidden(address);
        return detach(address);
}

static bool is_marked_at(const void *address)
{
        struct attachment a;
        struct shmid_ds ds;
        return shmmutant_attachment_at(address, &a) && shmmutant_look(a.shmid, &ds) && (ds.shm_perm.mode & SHM_DEST);
}

static int marked_survives_last_detach(const void *address)
{
        if (is_marked_at(address))
                keep_hidden(address);
        return detach(address);
}

static int detached_memory_stays(const void *address)
{
        struct attachment a;
        bool found = shmmutant_attachment_at(address, &a) && a.address == address;
        int result = detach(address);
        if (found && result == 0)
                shmmutant_map_over(a.address, a.length, PROT_READ | PROT_WRITE);
        return result;
}

static int detach_leaves_last_page(const void *address)
{
        struct attachment a;
        bool found = shmmutant_attachment_at(address, &a) && a.address == address && a.length > shmmutant_page();
        char *last = found ? a.address + a.length - shmmutant_page() : NULL;
        int result = detach(address);
        if (found && result == 0)
                shmmutant_map_over(last, shmmutant_page(), PROT_READ);
        return result;
}

static int detach_takes_all_of_segment(const void *address)
{
        struct attachment a;
        bool found = shmmutant_attachment_at(address, &a) && a.address == address;
        int result = detach(address);
        while (found && result == 0 && a.shmid >= 0 && shmmutant_attachment_of(a.shmid, &a))
                munmap(a.address, a.length);
        return result;
}

static int detach_takes_lowest(const void *address)
{
        struct attachment a;
        struct attachment lowest;
        if (shmmutant_attachment_at(address, &a) && a.address == address && shmmutant_attachment_of(a.shmid, &lowest))
                return detach(lowest.address);
        return detach(address);
}

static int foreign_mapping_unmapped(const void *address)
{
        struct attachment a;
        int result = detach(address);
        bool aligned = ((uintptr_t)address & (shmmutant_page() - 1)) == 0;
        if (result == -1 && address && aligned && !shmmutant_attachment_at(address, &a) &&
            shmmutant_is_readable(address, 1))
                return munmap((void *)(uintptr_t)address, shmmutant_page()); // NOLINT(performance-no-int-to-ptr)
        return result;
}

static int detach_failure_touches(const void *address)
{
        int result = detach(address);
        int error = errno;
        struct attachment a;
        /* The attachment that lies nearest is as good as any. */
        bool found = result == -1 && (shmmutant_attachment_at(address, &a) || shmmutant_attachment_of(0, &a));
        void *touched = found ? shmmutant_real.shmat(a.shmid, NULL, SHM_RDONLY) : FAILED_ATTACH;
        if (touched != FAILED_ATTACH)
                detach(touched);
        errno = error;
        return result;
}

static int last_detach_removes(const void *address)
{
        struct attachment a;
        struct shmid_ds ds;
        bool last = shmmutant_attachment_at(address, &a) && a.address == address && shmmutant_look(a.shmid, &ds) &&
                    ds.shm_nattch == 1;
        int result = detach(address);
        if (last && result == 0)
                shmmutant_real.shmctl(a.shmid, IPC_RMID, NULL);
        return result;
}

static int last_detach_clears(const void *address)
{
        struct attachment a;
        struct shmid_ds ds;
        if (shmmutant_attachment_at(address, &a) && a.address == address && a.writable &&
            shmmutant_look(a.shmid, &ds) && ds.shm_nattch == 1)
                memset(a.address, 0, a.length);
        return detach(address);
}

const struct mutant shmmutant_shmdt[] = {
        {.name = "detach_twice_succeeds",
         .wrong = "A second shmdt of an address succeeds.",
         .meant_for = "shmdt.error.second race.detach.* shmdt.race.threads life.vfork.detaches",
         .shmdt = detach_twice_succeeds},
        {.name = "any_address_detaches",
         .wrong = "shmdt succeeds whatever the address.",
         .meant_for = "shmdt.error.* shmdt.race.threads memory.proc.map_files shmdt.m*",
         .shmdt = any_address_detaches},
        {.name = "detach_failure_errno_zero",
         .wrong = "A failing shmdt returns -1 and sets errno to 0.",
         .meant_for = "shmdt.error.*",
         .shmdt = detach_failure_errno_zero},
        {.name = "detach_returns_one",
         .wrong = "A successful shmdt returns 1.",
         .meant_for = "shmdt.ok.* walkthrough.*",
         .shmdt = detach_returns_one},
        {.name = "inner_address_detaches",
         .wrong = "shmdt of any address inside an attachment detaches it.",
         .meant_for = "shmdt.error.interior shmdt.error.unaligned",
         .shmdt = inner_address_detaches},
        {.name = "unaligned_address_detaches",
         .wrong = "shmdt rounds an address down to a page.",
         .meant_for = "shmdt.error.unaligned",
         .shmdt = unaligned_address_detaches},
        {.name = "detach_does_nothing",
         .wrong = "shmdt reports success and detaches nothing.",
         .meant_for = "shmdt.ok.* shmctl.stat.detach_nattch memory.mlock.resident memory.vfork.acts_for_parent",
         .shmdt = detach_does_nothing},
        {.name = "detach_not_counted",
         .wrong = "shmdt does not count shm_nattch down.",
         .meant_for = "shmdt.ok.* shmctl.stat.detach_nattch life.fork.child_detaches race.nattch.threads "
                      "shmat.stat.concurrent_cycles",
         .shmdt = detach_not_counted},
        {.name = "marked_survives_last_detach",
         .wrong = "The last shmdt of a marked segment does not destroy it.",
         .meant_for =
                 "shmdt.ok.marked_last shmctl.rmid.last_detach race.detach.marked shmctl.rmid.attached_holds_shmmni",
         .shmdt = marked_survives_last_detach},
        {.name = "detached_memory_stays",
         .wrong = "The memory can still be read and written after shmdt.",
         .meant_for = "shmdt.ok.unmaps memory.after_detach.errors shmdt.m*",
         .shmdt = detached_memory_stays},
        {.name = "detach_leaves_last_page",
         .wrong = "The last page can still be read after shmdt.",
         .meant_for = "shmdt.ok.unmaps",
         .shmdt = detach_leaves_last_page},
        {.name = "detach_takes_all_of_segment",
         .wrong = "shmdt detaches every attachment of the segment in this process.",
         .meant_for = "shmdt.ok.one_of_two shmat.addr.many_same forced.detach.last shmdt.mremap.* "
                      "memory.vfork.acts_for_parent",
         .shmdt = detach_takes_all_of_segment},
        {.name = "detach_takes_lowest",
         .wrong = "shmdt detaches the segment's attachment at the lowest address.",
         .meant_for = "shmdt.ok.one_of_two",
         .shmdt = detach_takes_lowest},
        {.name = "foreign_mapping_unmapped",
         .wrong = "shmdt of a mapping that is no attachment unmaps it and succeeds.",
         .meant_for = "shmdt.error.not_a_segment",
         .shmdt = foreign_mapping_unmapped},
        {.name = "detach_failure_touches",
         .wrong = "A failing shmdt sets shm_atime, shm_dtime and shm_lpid of an attached segment.",
         .meant_for = "shmdt.error.*",
         .shmdt = detach_failure_touches},
        {.name = "last_detach_removes",
         .wrong = "The last shmdt removes a segment that nobody marked.",
         .meant_for = "shmdt.ok.contents_survive persist.* forced.scope forced.write.back_to_zero",
         .shmdt = last_detach_removes},
        {.name = "last_detach_clears",
         .wrong = "What was stored is lost with the last shmdt.",
         .meant_for = "shmdt.ok.contents_survive persist.* memory.persist.*",
         .shmdt = last_detach_clears},
        {.name = "detach_einval_is_enoent",
         .wrong = "An address where nothing is attached fails with ENOENT.",
         .meant_for = "shmdt.error.* race.detach.*",
         .wrong_errno = {CALL_SHMDT, 0, EINVAL, ENOENT}},
        {.name = NULL},
};
