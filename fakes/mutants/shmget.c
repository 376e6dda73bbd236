/* shmget: which segment a key finds, and how the call fails. */
#include <sys/sem.h>
#include <unistd.h>

#include "segment.h"

#define get shmmutant_real.shmget

static int excl_ignored(key_t key, size_t size, int flags)
{
        return get(key, size, flags & ~IPC_EXCL);
}

static int excl_alone_obeyed(key_t key, size_t size, int flags)
{
        if ((flags & IPC_EXCL) && shmmutant_key_is_taken(key))
                return failing(EEXIST);
        return get(key, size, flags);
}

static int excl_not_atomic(key_t key, size_t size, int flags)
{
        if (!(flags & IPC_CREAT) || !(flags & IPC_EXCL) || key == IPC_PRIVATE)
                return get(key, size, flags);
        if (shmmutant_key_is_taken(key))
                return failing(EEXIST);
        usleep(50);
        return get(key, size, flags & ~IPC_EXCL);
}

static int creates_without_creat(key_t key, size_t size, int flags)
{
        return get(key, size, shmmutant_key_is_taken(key) ? flags : flags | IPC_CREAT);
}

static int creat_always_creates(key_t key, size_t size, int flags)
{
        bool finds = (flags & IPC_CREAT) && !(flags & IPC_EXCL) && shmmutant_key_is_taken(key);
        return get(finds && size > 0 ? IPC_PRIVATE : key, size, flags);
}

static int bigger_than_existing_found(key_t key, size_t size, int flags)
{
        int shmid = get(key, size, flags);
        if (shmid == -1 && errno == EINVAL && shmmutant_key_is_taken(key))
                return get(key, 0, flags);
        return shmid;
}

static int bigger_in_page_found(key_t key, size_t size, int flags)
{
        struct shmid_ds ds;
        int shmid = get(key, size, flags);
        if (shmid != -1 || errno != EINVAL || !shmmutant_key_is_taken(key))
                return shmid;
        if (!shmmutant_look(get(key, 0, 0), &ds) || size > shmmutant_in_pages(ds.shm_segsz))
                return failing(EINVAL);
        return get(key, 0, flags);
}

static int smaller_than_existing_refused(key_t key, size_t size, int flags)
{
        struct shmid_ds ds;
        int shmid = get(key, size, flags);
        if (size > 0 && shmmutant_look(shmid, &ds) && size < ds.shm_segsz)
                return failing(EINVAL);
        return shmid;
}

static int size_zero_finds_nothing(key_t key, size_t size, int flags)
{
        int shmid = get(key, size, flags);
        return shmid != -1 && size == 0 ? failing(EINVAL) : shmid;
}

/* shmctl(IPC_SET) needs no more than uid, gid and mode. */
static void set_mode(int shmid, int mode)
{
        struct shmid_ds ds;
        if (!shmmutant_look(shmid, &ds))
                return;
        ds.shm_perm.mode = (mode_t)mode & 0777;
        shmmutant_real.shmctl(shmid, IPC_SET, &ds);
}

static int finding_sets_mode(key_t key, size_t size, int flags)
{
        bool finds = shmmutant_key_is_taken(key);
        int shmid = get(key, size, flags);
        if (finds && shmid != -1 && (flags & IPC_CREAT) && (flags & 0777))
                set_mode(shmid, flags);
        return shmid;
}

static int finding_moves_ctime(key_t key, size_t size, int flags)
{
        struct shmid_ds ds;
        bool finds = shmmutant_key_is_taken(key);
        int shmid = get(key, size, flags);
        if (finds && shmmutant_look(shmid, &ds))
                shmmutant_real.shmctl(shmid, IPC_SET, &ds);
        return shmid;
}

static int failure_leaves_segment(key_t key, size_t size, int flags)
{
        int shmid = get(key, size, flags);
        int error = errno;
        if (shmid == -1 && (flags & IPC_CREAT))
                get(IPC_PRIVATE, 1, 0600);
        errno = error;
        return shmid;
}

static int failure_removes_segment(key_t key, size_t size, int flags)
{
        int shmid = get(key, size, flags);
        int error = errno;
        if (shmid == -1 && (error == EEXIST || error == EINVAL) && shmmutant_key_is_taken(key))
                shmmutant_real.shmctl(get(key, 0, 0), IPC_RMID, NULL);
        errno = error;
        return shmid;
}

static int get_failure_errno_zero(key_t key, size_t size, int flags)
{
        int shmid = get(key, size, flags);
        return shmid == -1 ? failing(0) : shmid;
}

/* A key that is found where it is free would be taken for a lack of isolation. */
static int get_failure_minus_errno(key_t key, size_t size, int flags)
{
        int shmid = get(key, size, flags);
        return shmid == -1 && errno != ENOENT ? -errno : shmid;
}

static int get_failure_returns_zero(key_t key, size_t size, int flags)
{
        int shmid = get(key, size, flags);
        return shmid == -1 && errno != ENOENT ? 0 : shmid;
}

static int get_success_sets_errno(key_t key, size_t size, int flags)
{
        int shmid = get(key, size, flags);
        if (shmid != -1)
                errno = ENOENT;
        return shmid;
}

static int key_cut_to_16_bits(key_t key, size_t size, int flags)
{
        return get(key == IPC_PRIVATE ? key : (key & 0xffff) | 0x10000, size, flags);
}

static int key_sign_lost(key_t key, size_t size, int flags)
{
        return get(key & 0x7fffffff, size, flags);
}

static int key_minus_one_refused(key_t key, size_t size, int flags)
{
        return key == -1 ? failing(EINVAL) : get(key, size, flags);
}

static int private_finds_private(key_t key, size_t size, int flags)
{
        if (key != IPC_PRIVATE)
                return get(key, size, flags);
        return get(0x7ead0000, size, (flags & ~IPC_EXCL) | IPC_CREAT);
}

static void private_key_told(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        if (ds->shm_perm.__key == 0x7ead0000)
                ds->shm_perm.__key = IPC_PRIVATE;
}

static int private_needs_creat(key_t key, size_t size, int flags)
{
        return key == IPC_PRIVATE && !(flags & IPC_CREAT) ? failing(ENOENT) : get(key, size, flags);
}

static int private_refuses_excl(key_t key, size_t size, int flags)
{
        bool refuses = key == IPC_PRIVATE && (flags & IPC_EXCL) && !(flags & IPC_CREAT);
        return refuses ? failing(EEXIST) : get(key, size, flags);
}

static int found_by_maker_only(key_t key, size_t size, int flags)
{
        struct shmid_ds ds;
        bool found = key != IPC_PRIVATE && shmmutant_key_is_taken(key);
        int shmid = shmmutant_real.shmget(key, size, flags);
        return found && shmmutant_look(shmid, &ds) && ds.shm_cpid != getpid() ? failing(ENOENT) : shmid;
}

static int key_of_semaphores_taken(key_t key, size_t size, int flags)
{
        int error = errno;
        bool taken = key != IPC_PRIVATE && (flags & IPC_CREAT) && semget(key, 0, 0) != -1;
        errno = error;
        return taken ? failing(EEXIST) : shmmutant_real.shmget(key, size, flags);
}

const struct mutant shmmutant_shmget[] = {
        {.name = "excl_ignored",
         .wrong = "IPC_CREAT|IPC_EXCL on a taken key returns the segment.",
         .meant_for = "shmget.eexist.* shmget.order.excl_* race.excl.* shmget.flags.all_ones shmget.next_id.kept",
         .shmget = excl_ignored},
        {.name = "excl_alone_obeyed",
         .wrong = "IPC_EXCL without IPC_CREAT on a taken key fails with EEXIST.",
         .meant_for = "shmget.existing.excl_alone",
         .shmget = excl_alone_obeyed},
        {.name = "excl_not_atomic",
         .wrong = "IPC_CREAT|IPC_EXCL looks for the key and then creates, and others come between.",
         .meant_for = "race.excl.*",
         .shmget = excl_not_atomic},
        {.name = "creates_without_creat",
         .wrong = "A free key makes a segment without IPC_CREAT.",
         .meant_for = "shmget.enoent.* shmget.removed.* shmget.id.per_namespace",
         .shmget = creates_without_creat},
        {.name = "creat_always_creates",
         .wrong = "IPC_CREAT on a taken key makes a second segment.",
         .meant_for = "shmget.id.same_key shmget.existing.* race.creat.same_id race.rmid.shmget_creat",
         .shmget = creat_always_creates},
        {.name = "bigger_than_existing_found",
         .wrong = "A size bigger than the segment's finds it.",
         .meant_for = "shmget.existing.bigger* race.creat.sizes shmget.order.size_access",
         .shmget = bigger_than_existing_found},
        {.name = "bigger_in_page_found",
         .wrong = "A size bigger than the segment's finds it as long as it fits the last page.",
         .meant_for = "shmget.existing.bigger_in_page",
         .shmget = bigger_in_page_found},
        {.name = "smaller_than_existing_refused",
         .wrong = "A size smaller than the segment's fails with EINVAL.",
         .meant_for = "shmget.existing.smaller",
         .shmget = smaller_than_existing_refused},
        {.name = "size_zero_finds_nothing",
         .wrong = "Size 0 on a taken key fails with EINVAL.",
         .meant_for = "shmget.existing.size_0 shmget.id.same_key",
         .shmget = size_zero_finds_nothing},
        {.name = "finding_sets_mode",
         .wrong = "IPC_CREAT on a taken key gives the segment the mode that was asked for.",
         .meant_for = "shmget.existing.creat_mode",
         .shmget = finding_sets_mode},
        {.name = "finding_moves_ctime",
         .wrong = "A shmget that finds a segment moves its shm_ctime.",
         .meant_for = "shmget.existing.changes_nothing",
         .shmget = finding_moves_ctime},
        {.name = "failure_leaves_segment",
         .wrong = "A failing shmget with IPC_CREAT leaves a private segment behind.",
         .meant_for = "shmget.eexist.* shmget.existing.bigger* perm.get.creat_denied shmget.next_id.kept",
         .shmget = failure_leaves_segment},
        {.name = "failure_removes_segment",
         .wrong = "A shmget that fails with EEXIST or EINVAL removes the segment that has the key.",
         .meant_for = "shmget.eexist.* shmget.existing.bigger*",
         .shmget = failure_removes_segment},
        {.name = "get_failure_errno_zero",
         .wrong = "A failing shmget returns -1 and sets errno to 0.",
         .meant_for = "shmget.eexist.* shmget.enoent.* shmget.existing.bigger* shmget.access.*",
         .shmget = get_failure_errno_zero},
        {.name = "get_failure_minus_errno",
         .wrong = "A shmget that does not fail with ENOENT returns the negative error number, as the kernel does, and "
                  "not -1.",
         .meant_for = "shmget.eexist.* shmget.existing.bigger* shmget.access.*",
         .shmget = get_failure_minus_errno},
        {.name = "get_failure_returns_zero",
         .wrong = "A shmget that does not fail with ENOENT returns 0 for its failure, the identifier of the first "
                  "segment.",
         .meant_for = "shmget.eexist.* shmget.existing.bigger* shmget.access.*",
         .shmget = get_failure_returns_zero},
        {.name = "get_success_sets_errno",
         .wrong = "A successful shmget sets errno.",
         .meant_for = "shmget.create.errno_success",
         .shmget = get_success_sets_errno},
        {.name = "get_eexist_is_einval",
         .wrong = "A taken key with IPC_CREAT|IPC_EXCL fails with EINVAL.",
         .meant_for = "shmget.eexist.* race.excl.*",
         .wrong_errno = {CALL_SHMGET, 0, EEXIST, EINVAL}},
        {.name = "get_enoent_is_einval",
         .wrong = "A free key without IPC_CREAT fails with EINVAL.",
         .meant_for = "shmget.enoent.* shmget.removed.* race.rmid.shmget ns.key.separate shmget.order.missing_size",
         .wrong_errno = {CALL_SHMGET, 0, ENOENT, EINVAL}},
        {.name = "get_einval_is_enomem",
         .wrong = "A size that cannot be fails with ENOMEM.",
         .meant_for = "shmget.einval.* shmget.existing.bigger* race.creat.sizes shmget.order.size_ids",
         .wrong_errno = {CALL_SHMGET, 0, EINVAL, ENOMEM}},
        {.name = "get_eacces_is_eperm",
         .wrong = "A refused permission fails with EPERM.",
         .meant_for = "shmget.access.* perm.shmget_*",
         .wrong_errno = {CALL_SHMGET, 0, EACCES, EPERM}},
        {.name = "get_enospc_is_enomem",
         .wrong = "A limit of the namespace that is reached fails with ENOMEM.",
         .meant_for = "shmget.shmmni.* shmget.shmall.* ns.limits.own shmget.overflow.* id.next.busy",
         .wrong_errno = {CALL_SHMGET, 0, ENOSPC, ENOMEM}},
        {.name = "get_enomem_is_enospc",
         .wrong = "A lack of memory fails with ENOSPC.",
         .meant_for =
                 "shmget.enomem.* shmget.hugetlb.* shmget.flags.* shmget.order.memory_ids shmget.order.hugetlb_pool",
         .wrong_errno = {CALL_SHMGET, 0, ENOMEM, ENOSPC}},
        {.name = "get_eperm_is_eacces",
         .wrong = "SHM_HUGETLB without the right to it fails with EACCES.",
         .meant_for = "shmget.eperm.* shmget.order.hugetlb_privilege",
         .wrong_errno = {CALL_SHMGET, 0, EPERM, EACCES}},
        {.name = "key_cut_to_16_bits",
         .wrong = "Of a key only the low 16 bits count.",
         .meant_for = "shmget.key.values shmget.create.key_field",
         .shmget = key_cut_to_16_bits},
        {.name = "key_sign_lost",
         .wrong = "The sign bit of a key does not count.",
         .meant_for = "shmget.key.values memory.proc.maps_key proc.key.negative",
         .shmget = key_sign_lost},
        {.name = "key_minus_one_refused",
         .wrong = "The key -1 is refused.",
         .meant_for = "shmget.key.values ftok.minus_one.is_a_key",
         .shmget = key_minus_one_refused},
        {.name = "private_finds_private",
         .wrong = "IPC_PRIVATE is an ordinary key: a second call finds the first one's segment.",
         .meant_for = "shmget.private.distinct shmget.id.unique",
         .shmget = private_finds_private,
         .told = private_key_told},
        {.name = "private_needs_creat",
         .wrong = "IPC_PRIVATE without IPC_CREAT fails with ENOENT.",
         .meant_for = "shmget.private.no_creat shmget.private.flags_0",
         .shmget = private_needs_creat},
        {.name = "private_refuses_excl",
         .wrong = "IPC_PRIVATE with IPC_EXCL fails with EEXIST.",
         .meant_for = "shmget.private.excl",
         .shmget = private_refuses_excl},
        {.name = "found_by_maker_only",
         .wrong = "A key is unknown to all processes but the one that made its segment.",
         .meant_for = "shmget.existing.child shmget.existing.exec id.same_everywhere persist.orphan.found",
         .shmget = found_by_maker_only},
        {.name = "key_of_semaphores_taken",
         .wrong = "A key that a semaphore set has is taken.",
         .meant_for = "shmget.key.not_sem_msg",
         .shmget = key_of_semaphores_taken},
        {.name = NULL},
};
