/* Segments of huge pages. The note of such a segment tells that it is one; a locked one has another number. */
#include "segment.h"

#define get shmmutant_real.shmget
#define control shmmutant_real.shmctl

enum { ORDINARY, HUGE, HUGE_LOCKED };

static bool is_huge(int shmid)
{
        long kind = ORDINARY;
        return shmmutant_noted(shmid, &kind) && kind != ORDINARY;
}

static bool creates(key_t key, int flags)
{
        return key == IPC_PRIVATE || ((flags & IPC_CREAT) && !shmmutant_key_is_taken(key));
}

static int noting_get(key_t key, size_t size, int flags)
{
        bool makes = creates(key, flags);
        int shmid = get(key, size, flags);
        if (shmid != -1 && makes)
                shmmutant_note(shmid, flags & SHM_HUGETLB ? HUGE : ORDINARY);
        return shmid;
}

static size_t length_of(int shmid)
{
        struct attachment a = {.length = 0};
        void *at = shmmutant_real.shmat(shmid, NULL, 0);
        shmmutant_attachment_of(shmid, &a);
        if (at != FAILED_ATTACH)
                shmmutant_real.shmdt(at);
        return a.length;
}

/* ---- shmget ---- */

static int huge_page_dirty(key_t key, size_t size, int flags)
{
        int shmid = noting_get(key, size, flags);
        if (shmid == -1 || !is_huge(shmid))
                return shmid;
        size_t length = length_of(shmid);
        char *at = shmmutant_real.shmat(shmid, NULL, 0);
        if (at != FAILED_ATTACH && length > 0) {
                at[length - 1] = 0x77;
                shmmutant_real.shmdt(at);
        }
        return shmid;
}

static int huge_pages_overbooked(key_t key, size_t size, int flags)
{
        int shmid = get(key, size, flags);
        bool lacks = shmid == -1 && errno == ENOMEM && (flags & SHM_HUGETLB);
        return lacks ? get(key, size, flags | SHM_NORESERVE) : shmid;
}

static int huge_pages_wanted_two_more(key_t key, size_t size, int flags)
{
        bool huge = (flags & SHM_HUGETLB) && size > 1 && creates(key, flags);
        return get(key, huge ? size + ((size_t)2 << 20) : size, flags);
}

/* ---- shmat ---- */

static void *huge_address_rounded(int shmid, const void *address, int flags)
{
        void *at = shmmutant_real.shmat(shmid, address, flags);
        if (at != FAILED_ATTACH || errno != EINVAL || !is_huge(shmid) || (uintptr_t)address % shmmutant_page() != 0)
                return at;
        uintptr_t down = (uintptr_t)address & ~(length_of(shmid) - 1);
        return shmmutant_real.shmat(shmid, (void *)down, flags); // NOLINT(performance-no-int-to-ptr)
}

static void *huge_attached_at_any_page(int shmid, const void *address, int flags)
{
        char *at = shmmutant_real.shmat(shmid, address, flags);
        return at != FAILED_ATTACH && !address && is_huge(shmid) ? at + shmmutant_page() : at;
}

static int detached_at_any_page(const void *address)
{
        const char *start = (const char *)address - shmmutant_page();
        struct attachment a;
        bool moved = address && shmmutant_attachment_at(start, &a) && a.address == start && is_huge(a.shmid);
        return shmmutant_real.shmdt(moved ? start : address);
}

/* ---- shmctl ---- */

/* An attachment holds the pages. */
static int huge_pages_not_given_back(int shmid, int command, struct shmid_ds *buffer)
{
        if (command == IPC_RMID && is_huge(shmid) && shmmutant_real.shmat(shmid, NULL, 0) == FAILED_ATTACH)
                return -1;
        return control(shmid, command, buffer);
}

static int huge_lock_bound(int shmid, int command, struct shmid_ds *buffer)
{
        return command == SHM_LOCK && is_huge(shmid) ? failing(ENOMEM) : control(shmid, command, buffer);
}

static int huge_lock_noted(int shmid, int command, struct shmid_ds *buffer)
{
        int result = control(shmid, command, buffer);
        if (result == 0 && (command == SHM_LOCK || command == SHM_UNLOCK) && is_huge(shmid))
                shmmutant_note(shmid, command == SHM_LOCK ? HUGE_LOCKED : HUGE);
        return result;
}

static void huge_lock_told(int shmid, struct shmid_ds *ds)
{
        long kind = ORDINARY;
        if (shmmutant_noted(shmid, &kind) && kind == HUGE_LOCKED)
                ds->shm_perm.mode |= SHM_LOCKED;
}

static int huge_lock_asks_nobody(int shmid, int command, struct shmid_ds *buffer)
{
        int result = control(shmid, command, buffer);
        bool refused = result == -1 && errno == EPERM && is_huge(shmid);
        return refused && (command == SHM_LOCK || command == SHM_UNLOCK) ? 0 : result;
}

/* What SHM_INFO tells where one huge page is all there is. */
#define MANY_PAGES 256

static int huge_page_counts_as_one(int shmid, int command, struct shmid_ds *buffer)
{
        int result = control(shmid, command, buffer);
        struct shm_info *info = (struct shm_info *)(void *)buffer;
        if (result != -1 && command == SHM_INFO && info->shm_tot >= MANY_PAGES)
                info->shm_tot = 1;
        return result;
}

static int huge_page_resident_as_one(int shmid, int command, struct shmid_ds *buffer)
{
        int result = control(shmid, command, buffer);
        struct shm_info *info = (struct shm_info *)(void *)buffer;
        if (result != -1 && command == SHM_INFO && info->shm_rss >= MANY_PAGES)
                info->shm_rss = 1;
        return result;
}

const struct mutant shmmutant_hugetlb[] = {
        {.name = "huge_page_dirty",
         .wrong = "The last byte of a new huge page is not zero.",
         .meant_for = "shmget.hugetlb.created",
         .shmget = huge_page_dirty,
         .keeps_notes = true},
        {.name = "huge_pages_overbooked",
         .wrong = "More huge pages than there are can be had.",
         .meant_for = "shmget.hugetlb.pool_used_up",
         .shmget = huge_pages_overbooked},
        {.name = "huge_pages_wanted_two_more",
         .wrong = "A segment of huge pages takes two more than it needs.",
         .meant_for = "shmget.hugetlb.pool_used_up",
         .shmget = huge_pages_wanted_two_more},
        {.name = "huge_pages_not_given_back",
         .wrong = "IPC_RMID gives no huge pages back.",
         .meant_for = "shmget.hugetlb.pool_used_up",
         .shmget = noting_get,
         .shmctl = huge_pages_not_given_back,
         .keeps_notes = true},
        {.name = "huge_address_rounded",
         .wrong = "An address for huge pages is rounded down to a multiple of their size.",
         .meant_for = "shmat.addr.huge_page",
         .shmget = noting_get,
         .shmat = huge_address_rounded,
         .keeps_notes = true},
        {.name = "huge_attached_at_any_page",
         .wrong = "The address that the system chooses for huge pages is no multiple of their size.",
         .meant_for = "shmat.addr.huge_page",
         .shmget = noting_get,
         .shmat = huge_attached_at_any_page,
         .shmdt = detached_at_any_page,
         .keeps_notes = true},
        {.name = "huge_lock_bound",
         .wrong = "SHM_LOCK of huge pages is charged against the limit.",
         .meant_for = "shmctl.lock.hugetlb",
         .shmget = noting_get,
         .shmctl = huge_lock_bound,
         .keeps_notes = true},
        {.name = "huge_lock_sets_bit",
         .wrong = "SHM_LOCK of huge pages sets SHM_LOCKED.",
         .meant_for = "shmctl.lock.hugetlb",
         .shmget = noting_get,
         .shmctl = huge_lock_noted,
         .told = huge_lock_told,
         .keeps_notes = true},
        {.name = "huge_lock_asks_nobody",
         .wrong = "SHM_LOCK of huge pages is granted to everybody.",
         .meant_for = "shmctl.lock.hugetlb",
         .shmget = noting_get,
         .shmctl = huge_lock_asks_nobody,
         .keeps_notes = true},
        {.name = "huge_page_counts_as_one",
         .wrong = "A huge page counts as one page of shm_tot.",
         .meant_for = "shmctl.shm_info.hugetlb_units",
         .shmctl = huge_page_counts_as_one},
        {.name = "huge_page_resident_as_one",
         .wrong = "A huge page counts as one page of shm_rss.",
         .meant_for = "shmctl.shm_info.hugetlb_units",
         .shmctl = huge_page_resident_as_one},
        {.name = NULL},
};
