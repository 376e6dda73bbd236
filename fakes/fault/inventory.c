#include "inventory.h"

#include <errno.h>
#include <sys/shm.h>

#include "call.h"
#include "own_rules.h"
#include "process.h"
#include "real_calls.h"
#include "shm_commands.h"

#define PROBES 256

static size_t spread(uint64_t value)
{
        return (size_t)((value * UINT64_C(0x9e3779b97f4a7c15)) >> 40);
}

/* ---- segments ---- */

static struct segment_note *segment_place(struct segment_notes *notes, uint64_t name, size_t i)
{
        return &notes->notes[(spread(name) + i) % SEGMENTS_NOTED];
}

static struct segment_note *find_segment(struct segment_notes *notes, uint64_t name)
{
        for (size_t i = 0; i < PROBES; i++) {
                struct segment_note *note = segment_place(notes, name, i);
                uint64_t there = atomic_load(&note->name);
                if (there == name)
                        return note;
                if (there == 0)
                        return NULL;
        }
        return NULL;
}

/* A free place, or, if there is none, that of a segment which is on its way out. */
static struct segment_note *claim_segment(struct segment_notes *notes, uint64_t name)
{
        for (size_t i = 0; i < PROBES; i++) {
                struct segment_note *note = segment_place(notes, name, i);
                uint64_t none = 0;
                if (atomic_compare_exchange_strong(&note->name, &none, name))
                        return note;
        }
        for (size_t i = 0; i < PROBES; i++) {
                struct segment_note *note = segment_place(notes, name, i);
                uint32_t going = 1;
                if (atomic_compare_exchange_strong(&note->going, &going, 0)) {
                        atomic_store(&note->complete, 0);
                        atomic_store(&note->name, name);
                        return note;
                }
        }
        return NULL;
}

static void note_segment(const struct call *c, int shmid)
{
        key_t key = (key_t)c->args[0];
        int flags = (int)c->args[2];
        struct own_rules *own = own_rules();
        if (!own || (key != IPC_PRIVATE && !(flags & IPC_CREAT)))
                return;
        uint64_t name = (uint64_t)(unsigned)shmid + 1;
        struct segment_note *note = find_segment(&own->segments, name);
        if (note && !atomic_load(&note->going))
                return;
        note = note ? note : claim_segment(&own->segments, name);
        if (!note) {
                atomic_store(&own->segments.overflowed, true);
                return;
        }
        note->certain = key == IPC_PRIVATE || flags & IPC_EXCL;
        note->maker = caller_identity()->pid;
        note->key = key;
        note->made_at = c->caller;
        atomic_store(&note->going, 0);
        atomic_store(&note->complete, 1);
}

static void note_removal(int shmid)
{
        struct own_rules *own = own_rules();
        struct segment_note *note = own ? find_segment(&own->segments, (uint64_t)(unsigned)shmid + 1) : NULL;
        if (note)
                atomic_store(&note->going, 1);
}

/* IPC_STAT of a segment that may not be read, as SHM_STAT_ANY tells it. */
static bool stat_unreadable(int shmid, struct shmid_ds *ds)
{
        struct shm_info info;
        int highest = real.shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)&info);
        for (int i = 0; i <= highest; i++) {
                if (real.shmctl(i, SHM_STAT_ANY, ds) == shmid)
                        return true;
        }
        return false;
}

/* Returns false if it is not there, or another process made it. */
static bool is_there(const struct segment_note *note, int shmid, struct shmid_ds *ds)
{
        bool seen = real.shmctl(shmid, IPC_STAT, ds) == 0 || (errno == EACCES && stat_unreadable(shmid, ds));
        return seen && (note->certain || ds->shm_cpid == note->maker);
}

ssize_t inventory_segments(struct segment_notes *notes, struct shmfault_segment *list, size_t room)
{
        int error = errno;
        size_t count = 0;
        if (atomic_load(&notes->overflowed)) {
                errno = EOVERFLOW;
                return -1;
        }
        for (size_t i = 0; i < SEGMENTS_NOTED; i++) {
                struct segment_note *note = &notes->notes[i];
                struct shmid_ds ds;
                uint64_t name = atomic_load(&note->name);
                if (name == 0 || !atomic_load(&note->complete))
                        continue;
                int shmid = (int)(name - 1);
                if (!is_there(note, shmid, &ds)) {
                        atomic_store(&note->going, 1);
                        continue;
                }
                if (count < room)
                        list[count] = (struct shmfault_segment){.shmid = shmid,
                                                                .key = note->key,
                                                                .size = ds.shm_segsz,
                                                                .maker = note->maker,
                                                                .made_at = note->made_at,
                                                                .attached = ds.shm_nattch,
                                                                .marked = (ds.shm_perm.mode & SHM_DEST) != 0};
                count++;
        }
        errno = error;
        return (ssize_t)count;
}

/* ---- attachments: of this process, and of a child as far as it inherits them ---- */

#define ATTACHMENTS_NOTED 4096

/* Where something is attached, and not an address that anything could be attached at. */
enum { PLACE_FREE, PLACE_LEFT, PLACE_BUSY, PLACE_TAG };

static struct {
        _Atomic uintptr_t place; /* address + PLACE_TAG, or one of the above */
        int shmid, flags;
} attachments[ATTACHMENTS_NOTED];
static _Atomic bool attachments_overflowed;

static size_t attachment_place(uintptr_t place, size_t i)
{
        return (spread(place >> 12) + i) % ATTACHMENTS_NOTED;
}

static void note_detachment(uintptr_t address)
{
        uintptr_t place = address + PLACE_TAG;
        for (size_t i = 0; i < PROBES; i++) {
                size_t at = attachment_place(place, i);
                uintptr_t there = atomic_load_explicit(&attachments[at].place, memory_order_relaxed);
                if (there == PLACE_FREE)
                        return;
                if (there == place &&
                    atomic_compare_exchange_strong(&attachments[at].place, &there, (uintptr_t)PLACE_LEFT))
                        return;
        }
}

static void note_attachment(uintptr_t address, int shmid, int flags)
{
        uintptr_t place = address + PLACE_TAG;
        /* It may take the place of another one: SHM_REMAP, or after a munmap. */
        note_detachment(address);
        for (size_t i = 0; i < PROBES; i++) {
                size_t at = attachment_place(place, i);
                uintptr_t there = atomic_load_explicit(&attachments[at].place, memory_order_relaxed);
                if (there > PLACE_LEFT ||
                    !atomic_compare_exchange_strong(&attachments[at].place, &there, (uintptr_t)PLACE_BUSY))
                        continue;
                attachments[at].shmid = shmid;
                attachments[at].flags = flags;
                atomic_store_explicit(&attachments[at].place, place, memory_order_release);
                return;
        }
        atomic_store(&attachments_overflowed, true);
}

ssize_t inventory_attachments(struct shmfault_attachment *list, size_t room)
{
        size_t count = 0;
        if (atomic_load(&attachments_overflowed)) {
                errno = EOVERFLOW;
                return -1;
        }
        for (size_t i = 0; i < ATTACHMENTS_NOTED; i++) {
                uintptr_t place = atomic_load(&attachments[i].place);
                if (place <= PLACE_BUSY)
                        continue;
                if (count < room)
                        list[count] = (struct shmfault_attachment){.address = (const void *)(place - PLACE_TAG),
                                                                   .shmid = attachments[i].shmid,
                                                                   .flags = attachments[i].flags};
                count++;
        }
        return (ssize_t)count;
}

/* ---- both ---- */

void inventory_note(const struct call *c, int64_t result)
{
        switch (c->call) {
        case SHM_CALL_SHMGET:
                note_segment(c, (int)result);
                break;
        case SHM_CALL_SHMAT:
                note_attachment((uintptr_t)result, (int)c->args[0], (int)c->args[2]);
                break;
        case SHM_CALL_SHMDT:
                note_detachment((uintptr_t)c->args[0]);
                break;
        case SHM_CALL_SHMCTL:
                if (call_command(c) == IPC_RMID)
                        note_removal((int)c->args[0]);
                break;
        default:
                break;
        }
}
