/* shmget: the new segment, its size, flags, owner and the limits. */
#include <sys/fsuid.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "segment.h"

#define get shmmutant_real.shmget

static bool creates(key_t key, int flags)
{
        return key == IPC_PRIVATE || ((flags & IPC_CREAT) && !shmmutant_key_is_taken(key));
}

static void limits(struct shminfo *info)
{
        int error = errno;
        shmmutant_real.shmctl(0, IPC_INFO, (struct shmid_ds *)(void *)info);
        errno = error;
}

static void totals(struct shm_info *info)
{
        int error = errno;
        shmmutant_real.shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)info);
        errno = error;
}

static int too_big_size_succeeds(key_t key, size_t size, int flags)
{
        int shmid = get(key, size, flags);
        if (shmid == -1 && errno == EINVAL && size > shmmutant_page() && creates(key, flags))
                return get(key, shmmutant_page(), flags);
        return shmid;
}

static int size_zero_creates(key_t key, size_t size, int flags)
{
        return get(key, size == 0 && creates(key, flags) ? 1 : size, flags);
}

static int size_cut_to_32_bits(key_t key, size_t size, int flags)
{
        return get(key, (uint32_t)size, flags);
}

static int new_size_rounded_up(key_t key, size_t size, int flags)
{
        bool rounds = size > 0 && size < (size_t)1 << 40 && creates(key, flags);
        return get(key, rounds ? shmmutant_in_pages(size) : size, flags);
}

static int umask_applied(key_t key, size_t size, int flags)
{
        mode_t mask = umask(0);
        umask(mask);
        return get(key, size, creates(key, flags) ? flags & ~(int)mask : flags);
}

static int new_mode_loses_x(key_t key, size_t size, int flags)
{
        return get(key, size, creates(key, flags) ? flags & ~0111 : flags);
}

static int new_mode_gains_owner_r(key_t key, size_t size, int flags)
{
        return get(key, size, creates(key, flags) ? flags | 0400 : flags);
}

static int with_owner(int shmid, uid_t uid, gid_t gid)
{
        struct shmid_ds ds;
        if (!shmmutant_look(shmid, &ds))
                return shmid;
        ds.shm_perm.uid = uid;
        ds.shm_perm.gid = gid;
        shmmutant_real.shmctl(shmid, IPC_SET, &ds);
        return shmid;
}

static int owner_is_real_uid(key_t key, size_t size, int flags)
{
        bool made = creates(key, flags);
        int shmid = get(key, size, flags);
        return made ? with_owner(shmid, getuid(), getegid()) : shmid;
}

static int owner_is_real_gid(key_t key, size_t size, int flags)
{
        bool made = creates(key, flags);
        int shmid = get(key, size, flags);
        return made ? with_owner(shmid, geteuid(), getgid()) : shmid;
}

static int owner_is_root(key_t key, size_t size, int flags)
{
        bool made = creates(key, flags);
        int shmid = get(key, size, flags);
        return made ? with_owner(shmid, 0, getegid()) : shmid;
}

static int hugetlb_ignored(key_t key, size_t size, int flags)
{
        return get(key, size, flags & ~SHM_HUGETLB);
}

static int noreserve_refused(key_t key, size_t size, int flags)
{
        return (flags & SHM_NORESERVE) && creates(key, flags) ? failing(EINVAL) : get(key, size, flags);
}

static int unknown_flags_refused(key_t key, size_t size, int flags)
{
        int known = 0777 | IPC_CREAT | IPC_EXCL | SHM_HUGETLB | SHM_NORESERVE;
        return (flags & ~known) && creates(key, flags) ? failing(EINVAL) : get(key, size, flags);
}

static int shmmax_one_short(key_t key, size_t size, int flags)
{
        struct shminfo info = {0};
        limits(&info);
        return size == info.shmmax && creates(key, flags) ? failing(EINVAL) : get(key, size, flags);
}

static int shmmni_one_short(key_t key, size_t size, int flags)
{
        struct shminfo info = {0};
        struct shm_info now = {0};
        limits(&info);
        totals(&now);
        bool full = (unsigned long)now.used_ids + 1 >= info.shmmni && creates(key, flags);
        return full ? failing(ENOSPC) : get(key, size, flags);
}

static int shmall_one_short(key_t key, size_t size, int flags)
{
        struct shminfo info = {0};
        struct shm_info now = {0};
        limits(&info);
        totals(&now);
        bool full = now.shm_tot + shmmutant_in_pages(size) / shmmutant_page() == info.shmall && creates(key, flags);
        return full ? failing(ENOSPC) : get(key, size, flags);
}

static int full_table_finds_nothing(key_t key, size_t size, int flags)
{
        struct shminfo info = {0};
        struct shm_info now = {0};
        limits(&info);
        totals(&now);
        return (unsigned long)now.used_ids >= info.shmmni ? failing(ENOSPC) : get(key, size, flags);
}

static int shmmax_binds_finding(key_t key, size_t size, int flags)
{
        struct shminfo info = {0};
        limits(&info);
        return size > info.shmmax ? failing(EINVAL) : get(key, size, flags);
}

static int rlimit_fsize_binds(key_t key, size_t size, int flags)
{
        struct rlimit limit;
        bool bound = getrlimit(RLIMIT_FSIZE, &limit) == 0 && size > limit.rlim_cur && creates(key, flags);
        return bound ? failing(EINVAL) : get(key, size, flags);
}

/* The kernel gives the next segment the identifier that this file names. */
static int ids_start_at_one(key_t key, size_t size, int flags)
{
        struct shm_info now = {0};
        totals(&now);
        if (now.used_ids == 0)
                shmmutant_choose_next_id(1);
        return get(key, size, flags);
}

static int rlimit_as_binds_new(key_t key, size_t size, int flags)
{
        struct rlimit limit;
        bool bound = getrlimit(RLIMIT_AS, &limit) == 0 && size > limit.rlim_cur && creates(key, flags);
        return bound ? failing(ENOMEM) : get(key, size, flags);
}

static int group_is_root(key_t key, size_t size, int flags)
{
        bool made = creates(key, flags);
        int shmid = get(key, size, flags);
        return made ? with_owner(shmid, geteuid(), 0) : shmid;
}

static int owner_is_file_system_user(key_t key, size_t size, int flags)
{
        bool made = creates(key, flags);
        int shmid = get(key, size, flags);
        return made ? with_owner(shmid, (uid_t)setfsuid((uid_t)-1), (gid_t)setfsgid((gid_t)-1)) : shmid;
}

static int one_byte_refused(key_t key, size_t size, int flags)
{
        return size == 1 && creates(key, flags) ? failing(EINVAL) : get(key, size, flags);
}

const struct mutant shmmutant_shmget_new[] = {
        {.name = "too_big_size_succeeds",
         .wrong = "A new segment of a size beyond SHMMAX succeeds, with less memory.",
         .meant_for = "shmget.einval.size_max shmget.einval.beyond_off_t shmget.shmmax.* shmget.order.size_ids",
         .shmget = too_big_size_succeeds},
        {.name = "size_zero_creates",
         .wrong = "A new segment of size 0 succeeds.",
         .meant_for = "shmget.einval.size_0",
         .shmget = size_zero_creates},
        {.name = "size_cut_to_32_bits",
         .wrong = "Of a size only the low 32 bits count.",
         .meant_for = "shmget.raw.size_64_bits shmget.enomem.noreserve memory.size.sparse shmget.einval.* "
                      "shmget.existing.bigger",
         .shmget = size_cut_to_32_bits},
        {.name = "new_size_rounded_up",
         .wrong = "A new segment has its size rounded up to whole pages, and shows that.",
         .meant_for = "shmget.create.segsz shmctl.stat.new_segsz shmget.existing.bigger_in_page",
         .shmget = new_size_rounded_up},
        {.name = "umask_applied",
         .wrong = "The file mode creation mask is taken from a new segment's mode.",
         .meant_for = "shmget.create.umask shmctl.stat.new_mode shmget.create.mode_each_bit",
         .shmget = umask_applied},
        {.name = "new_mode_loses_x",
         .wrong = "A new segment's mode has no execute bits.",
         .meant_for = "shmget.create.mode shmget.access.execute",
         .shmget = new_mode_loses_x},
        {.name = "new_mode_gains_owner_r",
         .wrong = "A new segment can always be read by its owner.",
         .meant_for = "shmget.create.mode shmctl.stat.owner_mode_zero shmget.access.owner_mode_0 shmget.create.mode_0",
         .shmget = new_mode_gains_owner_r},
        {.name = "owner_is_real_uid",
         .wrong = "A new segment belongs to the real uid of its maker.",
         .meant_for = "shmget.create.effective_ids shmctl.stat.new_ids_effective",
         .shmget = owner_is_real_uid},
        {.name = "owner_is_real_gid",
         .wrong = "A new segment belongs to the real gid of its maker.",
         .meant_for = "shmget.create.effective_ids shmctl.stat.new_ids_effective",
         .shmget = owner_is_real_gid},
        {.name = "owner_is_root",
         .wrong = "A new segment belongs to uid 0.",
         .meant_for = "shmget.create.effective_ids shmget.create.uid shmctl.stat.new_*",
         .shmget = owner_is_root},
        {.name = "hugetlb_ignored",
         .wrong = "SHM_HUGETLB gives ordinary pages.",
         .meant_for = "shmget.hugetlb.* shmget.eperm.* shmget.flags.nowait_is_hugetlb shmget.flags.private_hugetlb "
                      "shmget.order.hugetlb*",
         .shmget = hugetlb_ignored},
        {.name = "noreserve_refused",
         .wrong = "SHM_NORESERVE fails with EINVAL.",
         .meant_for = "shmget.flags.noreserve shmget.enomem.noreserve memory.size.sparse",
         .shmget = noreserve_refused},
        {.name = "unknown_flags_refused",
         .wrong = "An unknown flag fails with EINVAL.",
         .meant_for = "shmget.flags.junk shmget.flags.*",
         .shmget = unknown_flags_refused},
        {.name = "shmmax_one_short",
         .wrong = "A new segment of exactly SHMMAX bytes fails.",
         .meant_for = "shmget.shmmax.*",
         .shmget = shmmax_one_short},
        {.name = "shmmni_one_short",
         .wrong = "One segment less than SHMMNI can be made.",
         .meant_for = "shmget.shmmni.* race.shmmni.exact",
         .shmget = shmmni_one_short},
        {.name = "shmall_one_short",
         .wrong = "The last page of SHMALL cannot be had.",
         .meant_for = "shmget.shmall.* race.shmall.exact",
         .shmget = shmall_one_short},
        {.name = "full_table_finds_nothing",
         .wrong = "While SHMMNI segments exist none is found.",
         .meant_for = "shmget.shmmni.full_existing shmget.order.existing_max",
         .shmget = full_table_finds_nothing},
        {.name = "shmmax_binds_finding",
         .wrong = "An existing segment beyond SHMMAX is not found.",
         .meant_for = "shmget.shmmax.lowered",
         .shmget = shmmax_binds_finding},
        {.name = "rlimit_fsize_binds",
         .wrong = "RLIMIT_FSIZE bounds the size of a new segment.",
         .meant_for = "shmget.rlimit.*",
         .shmget = rlimit_fsize_binds},
        {.name = "ids_start_at_one",
         .wrong = "The first identifier of an empty namespace is 1.",
         .meant_for = "shmget.id.first id.live.consecutive shmctl.id.zero_live id.next.once",
         .shmget = ids_start_at_one},
        {.name = "rlimit_as_binds_new",
         .wrong = "RLIMIT_AS bounds the size of a new segment.",
         .meant_for = "shmget.rlimit.none_applies",
         .shmget = rlimit_as_binds_new},
        {.name = "group_is_root",
         .wrong = "A new segment belongs to gid 0.",
         .meant_for = "shmget.create.effective_ids shmget.create.gid shmctl.stat.new_*",
         .shmget = group_is_root},
        {.name = "owner_is_file_system_user",
         .wrong = "A new segment belongs to the file system uid and gid of its maker.",
         .meant_for = "shmget.create.fsuid",
         .shmget = owner_is_file_system_user},
        {.name = "one_byte_refused",
         .wrong = "A new segment of 1 byte fails with EINVAL.",
         .meant_for = "shmget.size.minimum",
         .shmget = one_byte_refused},
        {.name = NULL},
};
