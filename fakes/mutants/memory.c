/* The memory: zero when it is new, shared, and kept between attachments. */
#include <string.h>
#include <sys/mman.h>

#include "segment.h"

#define attach shmmutant_real.shmat
#define detach shmmutant_real.shmdt

/* Whether nobody has ever attached the segment. */
static bool is_new(int shmid)
{
        struct shmid_ds ds;
        return shmmutant_look(shmid, &ds) && ds.shm_atime == 0 && ds.shm_nattch == 0;
}

/* Attaches, and alters the memory unless alter is NULL; a read-only attachment's through another one before it. */
static void *attach_altered(int shmid, const void *address, int flags, void (*alter)(char *at, size_t size))
{
        struct shmid_ds ds;
        bool known = alter && shmmutant_look(shmid, &ds);
        char *aside = known && (flags & SHM_RDONLY) ? attach(shmid, NULL, 0) : FAILED_ATTACH;
        if (aside != FAILED_ATTACH) {
                alter(aside, ds.shm_segsz);
                detach(aside);
        }
        char *at = attach(shmid, address, flags);
        if (known && at != FAILED_ATTACH && !(flags & SHM_RDONLY))
                alter(at, ds.shm_segsz);
        return at;
}

static void *attach_dirty(int shmid, const void *address, int flags, void (*dirty)(char *at, size_t size))
{
        return attach_altered(shmid, address, flags, is_new(shmid) ? dirty : NULL);
}

static void dirty_first_page(char *at, size_t size)
{
        memset(at, 0xa5, size < shmmutant_page() ? size : shmmutant_page());
}

static void dirty_last_byte(char *at, size_t size)
{
        at[size - 1] = 1;
}

static void dirty_tail(char *at, size_t size)
{
        memset(at + size, 0xa5, shmmutant_in_pages(size) - size);
}

static void *new_memory_dirty(int shmid, const void *address, int flags)
{
        return attach_dirty(shmid, address, flags, dirty_first_page);
}

static void *new_last_byte_dirty(int shmid, const void *address, int flags)
{
        return attach_dirty(shmid, address, flags, dirty_last_byte);
}

static void *new_tail_dirty(int shmid, const void *address, int flags)
{
        return attach_dirty(shmid, address, flags, dirty_tail);
}

/* ---- memory that is used again ---- */

#define REMAINS 64

static int remember_contents(const void *address)
{
        struct attachment a;
        if (shmmutant_attachment_at(address, &a) && a.address == address && shmmutant_is_readable(a.address, REMAINS))
                memcpy(shmmutant_shared(), a.address, REMAINS);
        return detach(address);
}

static void fill_with_remains(char *at, size_t size)
{
        memcpy(at, shmmutant_shared(), size < REMAINS ? size : REMAINS);
}

static void *memory_used_again_uncleared(int shmid, const void *address, int flags)
{
        return attach_dirty(shmid, address, flags, fill_with_remains);
}

static void clear_first_pages(char *at, size_t size)
{
        memset(at, 0, size < 16 * shmmutant_page() ? size : 16 * shmmutant_page());
}

static void *first_attach_clears(int shmid, const void *address, int flags)
{
        struct shmid_ds ds;
        bool alone = shmmutant_look(shmid, &ds) && ds.shm_nattch == 0;
        return attach_altered(shmid, address, flags, alone ? clear_first_pages : NULL);
}

static int last_detach_keeps_first_page(const void *address)
{
        struct attachment a;
        struct shmid_ds ds;
        size_t page = shmmutant_page();
        if (shmmutant_attachment_at(address, &a) && a.address == address && a.writable && a.length > page &&
            shmmutant_look(a.shmid, &ds) && ds.shm_nattch == 1)
                memset(a.address + page, 0, a.length - page);
        return detach(address);
}

static int last_detach_cuts_tail(const void *address)
{
        struct attachment a;
        struct shmid_ds ds;
        if (shmmutant_attachment_at(address, &a) && a.address == address && a.writable &&
            shmmutant_look(a.shmid, &ds) && ds.shm_nattch == 1 && ds.shm_segsz < a.length)
                memset(a.address + ds.shm_segsz, 0, a.length - ds.shm_segsz);
        return detach(address);
}

/* ---- memory that is not shared ---- */

#define COPIES 64

/* A private copy stands where the attachment was asked for; the attachment itself is elsewhere. */
static struct copy {
        char *shown, *kept;
        size_t length;
        bool writable;
} copies[COPIES];

static void *attach_private_copy(int shmid, const void *address, int flags)
{
        struct attachment a;
        struct copy *free_copy = NULL;
        char *at = attach(shmid, address, flags);
        for (size_t i = 0; i < COPIES && !free_copy; i++)
                free_copy = copies[i].shown ? NULL : &copies[i];
        if (at == FAILED_ATTACH || !free_copy || !shmmutant_attachment_at(at, &a) || a.length > 256 * shmmutant_page())
                return at;
        void *room = mmap(NULL, a.length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        char *kept = room == MAP_FAILED ? room : mremap(at, a.length, a.length, MREMAP_MAYMOVE | MREMAP_FIXED, room);
        if (kept == MAP_FAILED)
                return at;
        shmmutant_map_over(at, a.length, PROT_READ | PROT_WRITE);
        memcpy(at, kept, a.length);
        mprotect(at, a.length, a.writable ? PROT_READ | PROT_WRITE : PROT_READ);
        *free_copy = (struct copy){at, kept, a.length, a.writable};
        return at;
}

static int detach_private_copy(const void *address, bool write_back)
{
        for (size_t i = 0; i < COPIES; i++) {
                struct copy c = copies[i];
                if (!c.shown || c.shown != address)
                        continue;
                if (write_back && c.writable)
                        memcpy(c.kept, c.shown, c.length);
                copies[i].shown = NULL;
                munmap(c.shown, c.length);
                return detach(c.kept);
        }
        return detach(address);
}

static int detach_writes_back(const void *address)
{
        return detach_private_copy(address, true);
}

static int detach_forgets(const void *address)
{
        return detach_private_copy(address, false);
}

const struct mutant shmmutant_memory[] = {
        {.name = "new_memory_dirty",
         .wrong = "The memory of a new segment is not zeroed.",
         .meant_for = "shmget.zero.* memory.zero.* race.storm.totals",
         .shmat = new_memory_dirty},
        {.name = "new_last_byte_dirty",
         .wrong = "The last byte of a new segment is not zeroed.",
         .meant_for = "shmget.zero.all_bytes memory.zero.new",
         .shmat = new_last_byte_dirty},
        {.name = "new_tail_dirty",
         .wrong = "The bytes between a new segment's end and its last page's end are not zeroed.",
         .meant_for = "shmget.zero.tail memory.zero.tail",
         .shmat = new_tail_dirty},
        {.name = "memory_used_again_uncleared",
         .wrong = "A new segment holds what another segment held.",
         .meant_for = "shmget.zero.recycled shmget.zero.other_user memory.zero.recycled shmat.error.id_same_number "
                      "shmget.id.per_namespace shmctl.rmid.key_reusable",
         .shmat = memory_used_again_uncleared,
         .shmdt = remember_contents,
         .keeps_notes = true},
        {.name = "first_attach_clears",
         .wrong = "An attach of a segment that nobody has attached clears it.",
         .meant_for = "shmdt.ok.contents_survive persist.* memory.persist.process_end perm.attached.owner_moved "
                      "shmat.flag.rdonly_read",
         .shmat = first_attach_clears},
        {.name = "last_detach_keeps_first_page",
         .wrong = "Of what was stored only the first page outlives the last shmdt.",
         .meant_for = "shmdt.ok.contents_survive",
         .shmdt = last_detach_keeps_first_page},
        {.name = "last_detach_cuts_tail",
         .wrong = "What was stored behind the segment's end in its last page is lost with the last shmdt.",
         .meant_for = "shmget.size.page_rounding memory.size.tail_usable",
         .shmdt = last_detach_cuts_tail},
        {.name = "stores_seen_after_detach",
         .wrong = "What a process stores is seen by others only after its shmdt.",
         .meant_for = "memory.share.* memory.coherent.* life.fork.inherits",
         .shmat = attach_private_copy,
         .shmdt = detach_writes_back},
        {.name = "stores_never_seen",
         .wrong = "What a process stores is its own.",
         .meant_for = "memory.share.* shmdt.ok.contents_survive persist.* life.fork.inherits walkthrough.* "
                      "memory.sync.* memory.futex.* memory.kernel.* memory.core.excluded memory.mprotect.rw_to_read "
                      "shmat.flag.rdonly_read shmat.flag.rdonly_kernel_read id.same_everywhere",
         .shmat = attach_private_copy,
         .shmdt = detach_forgets},
        {.name = NULL},
};
