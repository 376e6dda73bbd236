/* shmat: the address, the flags, the identifier, and how the call fails. */
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "segment.h"

#define attach shmmutant_real.shmat

static bool is_aligned(const void *address)
{
        return ((uintptr_t)address & ((uintptr_t)SHMLBA - 1)) == 0;
}

static void *attach_failure_returns_null(int shmid, const void *address, int flags)
{
        void *at = attach(shmid, address, flags);
        return at == FAILED_ATTACH ? NULL : at;
}

static void *attach_failure_errno_zero(int shmid, const void *address, int flags)
{
        void *at = attach(shmid, address, flags);
        return at == FAILED_ATTACH ? failing_attach(0) : at;
}

static void *attach_failure_counts(int shmid, const void *address, int flags)
{
        void *at = attach(shmid, address, flags);
        int error = errno;
        if (at == FAILED_ATTACH)
                attach(shmid, NULL, flags & SHM_RDONLY);
        errno = error;
        return at;
}

static void *attach_failure_touches(int shmid, const void *address, int flags)
{
        void *at = attach(shmid, address, flags);
        int error = errno;
        void *touched = at == FAILED_ATTACH ? attach(shmid, NULL, flags & SHM_RDONLY) : FAILED_ATTACH;
        if (touched != FAILED_ATTACH)
                shmmutant_real.shmdt(touched);
        errno = error;
        return at;
}

static void *attach_failure_unmaps(int shmid, const void *address, int flags)
{
        void *at = attach(shmid, address, flags);
        int error = errno;
        bool in_use = at == FAILED_ATTACH && address && is_aligned(address) && shmmutant_is_readable(address, 1);
        if (in_use)
                munmap((void *)(uintptr_t)address, shmmutant_page()); // NOLINT(performance-no-int-to-ptr)
        errno = error;
        return at;
}

static void *removed_id_gives_memory(int shmid, const void *address, int flags)
{
        struct shmid_ds ds;
        void *at = attach(shmid, address, flags);
        if (at == FAILED_ATTACH && errno == EINVAL && shmid >= 0 && !shmmutant_look(shmid, &ds))
                return mmap(NULL, shmmutant_page(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return at;
}

static void *unaligned_rounded_without_rnd(int shmid, const void *address, int flags)
{
        return attach(shmid, address, is_aligned(address) ? flags : flags | SHM_RND);
}

static void *rnd_ignored(int shmid, const void *address, int flags)
{
        return attach(shmid, address, flags & ~SHM_RND);
}

static void *rnd_rounds_up(int shmid, const void *address, int flags)
{
        if (!(flags & SHM_RND) || is_aligned(address))
                return attach(shmid, address, flags);
        return attach(shmid, (const char *)address + SHMLBA, flags);
}

static void *address_is_a_hint(int shmid, const void *address, int flags)
{
        bool plain = address && is_aligned(address) && !(flags & SHM_REMAP);
        return attach(shmid, plain ? NULL : address, flags);
}

static void *occupied_address_avoided(int shmid, const void *address, int flags)
{
        void *at = attach(shmid, address, flags);
        if (at == FAILED_ATTACH && errno == EINVAL && address && is_aligned(address) && !(flags & SHM_REMAP))
                return attach(shmid, NULL, flags);
        return at;
}

static void *occupied_address_replaced(int shmid, const void *address, int flags)
{
        void *at = attach(shmid, address, flags);
        if (at == FAILED_ATTACH && errno == EINVAL && address && is_aligned(address))
                return attach(shmid, address, flags | SHM_REMAP);
        return at;
}

static void *only_first_page_looked_at(int shmid, const void *address, int flags)
{
        void *at = attach(shmid, address, flags);
        if (at == FAILED_ATTACH && errno == EINVAL && address && is_aligned(address) &&
            !shmmutant_is_readable(address, 1))
                return attach(shmid, address, flags | SHM_REMAP);
        return at;
}

static void *remap_ignored(int shmid, const void *address, int flags)
{
        return attach(shmid, address, flags & ~SHM_REMAP);
}

static void *remap_takes_null(int shmid, const void *address, int flags)
{
        return attach(shmid, address, address ? flags : flags & ~SHM_REMAP);
}

static void *remap_takes_unaligned(int shmid, const void *address, int flags)
{
        return attach(shmid, address, flags & SHM_REMAP ? flags | SHM_RND : flags);
}

static void *remap_takes_a_page_more(int shmid, const void *address, int flags)
{
        struct shmid_ds ds;
        void *at = attach(shmid, address, flags);
        if (at != FAILED_ATTACH && (flags & SHM_REMAP) && shmmutant_look(shmid, &ds))
                munmap((char *)at + shmmutant_in_pages(ds.shm_segsz), shmmutant_page());
        return at;
}

static void *second_attach_gives_first(int shmid, const void *address, int flags)
{
        struct attachment a;
        if (!address && shmmutant_attachment_of(shmid, &a))
                return a.address;
        return attach(shmid, address, flags);
}

#define FEW 10

static void *ten_attachments_at_most(int shmid, const void *address, int flags)
{
        return shmmutant_attachments() < FEW ? attach(shmid, address, flags) : failing_attach(EMFILE);
}

static void *last_page_missing(int shmid, const void *address, int flags)
{
        struct shmid_ds ds;
        void *at = attach(shmid, address, flags);
        if (at == FAILED_ATTACH || !shmmutant_look(shmid, &ds) || ds.shm_segsz <= shmmutant_page())
                return at;
        munmap((char *)at + shmmutant_in_pages(ds.shm_segsz) - shmmutant_page(), shmmutant_page());
        return at;
}

static void *one_page_too_many(int shmid, const void *address, int flags)
{
        struct shmid_ds ds;
        void *at = attach(shmid, address, flags);
        if (at == FAILED_ATTACH || !shmmutant_look(shmid, &ds))
                return at;
        (void)mmap((char *)at + shmmutant_in_pages(ds.shm_segsz), shmmutant_page(), PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        return at;
}

static void *unknown_attach_flags_refused(int shmid, const void *address, int flags)
{
        int known = SHM_RDONLY | SHM_RND | SHM_REMAP | SHM_EXEC;
        return flags & ~known ? failing_attach(EINVAL) : attach(shmid, address, flags);
}

static void *attach_moves_break(int shmid, const void *address, int flags)
{
        void *at = attach(shmid, address, flags);
        if (at != FAILED_ATTACH)
                sbrk((intptr_t)shmmutant_page());
        return at;
}

static void *rlimit_as_ignored(int shmid, const void *address, int flags)
{
        struct rlimit limit;
        if (getrlimit(RLIMIT_AS, &limit) == -1)
                return attach(shmid, address, flags);
        struct rlimit raised = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
        setrlimit(RLIMIT_AS, &raised);
        void *at = attach(shmid, address, flags);
        int error = errno;
        setrlimit(RLIMIT_AS, &limit);
        errno = error;
        return at;
}

static void *rlimit_memlock_binds_attach(int shmid, const void *address, int flags)
{
        struct rlimit limit;
        struct shmid_ds ds;
        bool bound =
                getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && shmmutant_look(shmid, &ds) && ds.shm_segsz > limit.rlim_cur;
        return bound ? failing_attach(ENOMEM) : attach(shmid, address, flags);
}

static void *marked_refuses_attach(int shmid, const void *address, int flags)
{
        struct shmid_ds ds;
        bool marked = shmmutant_look(shmid, &ds) && (ds.shm_perm.mode & SHM_DEST);
        return marked ? failing_attach(EIDRM) : attach(shmid, address, flags);
}

static void *marked_refuses_strangers(int shmid, const void *address, int flags)
{
        struct shmid_ds ds;
        struct attachment a;
        bool refused = shmmutant_look(shmid, &ds) && (ds.shm_perm.mode & SHM_DEST) && ds.shm_cpid != getpid() &&
                       !shmmutant_attachment_of(shmid, &a);
        return refused ? failing_attach(EIDRM) : attach(shmid, address, flags);
}

static void *rnd_refuses_null(int shmid, const void *address, int flags)
{
        return !address && (flags & SHM_RND) ? failing_attach(EINVAL) : attach(shmid, address, flags);
}

#define INDEXES 16

static void *attach_touches_another(int shmid, const void *address, int flags)
{
        void *at = attach(shmid, address, flags);
        int error = errno;
        for (int i = 0; at != FAILED_ATTACH && i < INDEXES; i++) {
                struct shmid_ds ds;
                int other = shmmutant_real.shmctl(i, SHM_STAT_ANY, &ds);
                void *touched = other == -1 || other == shmid ? FAILED_ATTACH : attach(other, NULL, SHM_RDONLY);
                if (touched != FAILED_ATTACH)
                        shmmutant_real.shmdt(touched);
        }
        errno = error;
        return at;
}

#define INSIDE 64

/* Memory of its own is behind the segment: what is stored there by mistake is nobody else's. */
static void *address_inside_page(int shmid, const void *address, int flags)
{
        struct shmid_ds ds;
        if (address || !shmmutant_look(shmid, &ds))
                return attach(shmid, address, flags);
        size_t size = shmmutant_in_pages(ds.shm_segsz) + shmmutant_page();
        void *room = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        char *at = room == MAP_FAILED ? FAILED_ATTACH : attach(shmid, room, flags | SHM_REMAP);
        return at == FAILED_ATTACH ? at : at + INSIDE;
}

static int detach_inside_page(const void *address)
{
        bool inside = ((uintptr_t)address & (shmmutant_page() - 1)) == INSIDE;
        return shmmutant_real.shmdt((const char *)address - (inside ? INSIDE : 0));
}

const struct mutant shmmutant_shmat[] = {
        {.name = "attach_failure_returns_null",
         .wrong = "A failing shmat returns a null pointer, not (void *)-1.",
         .meant_for = "shmat.error.returns_minus_one",
         .shmat = attach_failure_returns_null},
        {.name = "attach_failure_errno_zero",
         .wrong = "A failing shmat returns (void *)-1 and sets errno to 0.",
         .meant_for = "shmat.error.* shmat.addr.unaligned shmat.addr.over_*",
         .shmat = attach_failure_errno_zero},
        {.name = "attach_failure_counts",
         .wrong = "A failing shmat leaves an attachment that nobody knows of.",
         .meant_for = "shmat.addr.over_* shmctl.stat.attach_failed shmat.error.leaves_no_mapping shmat.addr.minus_one "
                      "shmat.addr.rnd_onto_mapping shmat.addr.rnd_to_zero_remap shmat.addr.straddles_end",
         .shmat = attach_failure_counts},
        {.name = "attach_failure_touches",
         .wrong = "A failing shmat sets shm_atime, shm_dtime and shm_lpid.",
         .meant_for = "shmat.error.times_kept shmctl.stat.attach_failed shmat.addr.over_*",
         .shmat = attach_failure_touches},
        {.name = "attach_failure_unmaps",
         .wrong = "A shmat that fails at an occupied address unmaps what was there.",
         .meant_for = "shmat.addr.over_* shmat.remap.denied",
         .shmat = attach_failure_unmaps},
        {.name = "removed_id_gives_memory",
         .wrong = "shmat of a removed identifier gives memory.",
         .meant_for = "shmat.error.id_removed shmctl.rmid.stale_id race.forced.creator_exit shmat.order.denied_removed",
         .shmat = removed_id_gives_memory},
        {.name = "unaligned_rounded_without_rnd",
         .wrong = "An unaligned address is rounded down without SHM_RND.",
         .meant_for = "shmat.addr.unaligned",
         .shmat = unaligned_rounded_without_rnd},
        {.name = "rnd_ignored",
         .wrong = "SHM_RND does not round: an unaligned address fails.",
         .meant_for = "shmat.addr.rnd_down shmat.addr.rnd_to_zero shmat.flag.all_bits_address",
         .shmat = rnd_ignored},
        {.name = "rnd_rounds_up",
         .wrong = "SHM_RND rounds up.",
         .meant_for = "shmat.addr.rnd_down shmat.addr.rnd_to_zero",
         .shmat = rnd_rounds_up},
        {.name = "address_is_a_hint",
         .wrong = "A free address that was asked for is only a hint.",
         .meant_for = "shmat.addr.exact* shmat.addr.reuse_after_detach shmat.addr.above_brk shmat.addr.at_min_addr "
                      "shmat.addr.last_user_page",
         .shmat = address_is_a_hint},
        {.name = "occupied_address_avoided",
         .wrong = "At an occupied address the segment is attached elsewhere.",
         .meant_for = "shmat.addr.over_* race.attach.same_address forced.unattached.failed_shmat shmat.addr.wraps",
         .shmat = occupied_address_avoided},
        {.name = "occupied_address_replaced",
         .wrong = "At an occupied address the segment replaces what was there, without SHM_REMAP.",
         .meant_for = "shmat.addr.over_* race.attach.same_address",
         .shmat = occupied_address_replaced},
        {.name = "only_first_page_looked_at",
         .wrong = "Whether an address is free is asked of its first page only.",
         .meant_for = "shmat.addr.over_part shmat.addr.over_by_rounding shmat.addr.over_other_kinds",
         .shmat = only_first_page_looked_at},
        {.name = "remap_ignored",
         .wrong = "SHM_REMAP does nothing.",
         .meant_for = "shmat.remap.*",
         .shmat = remap_ignored},
        {.name = "remap_takes_null",
         .wrong = "SHM_REMAP with a null address lets the system choose.",
         .meant_for = "shmat.remap.null",
         .shmat = remap_takes_null},
        {.name = "remap_takes_unaligned",
         .wrong = "SHM_REMAP rounds an unaligned address without SHM_RND.",
         .meant_for = "shmat.remap.unaligned",
         .shmat = remap_takes_unaligned},
        {.name = "remap_takes_a_page_more",
         .wrong = "SHM_REMAP unmaps the page behind the segment too.",
         .meant_for = "shmat.remap.extent",
         .shmat = remap_takes_a_page_more},
        {.name = "second_attach_gives_first",
         .wrong = "A second attach of a segment returns the first address.",
         .meant_for = "shmat.addr.repeat_distinct shmat.addr.many_same shmctl.stat.attach_twice",
         .shmat = second_attach_gives_first},
        {.name = "ten_attachments_at_most",
         .wrong = "The eleventh attachment of a process fails with EMFILE.",
         .meant_for = "shmat.addr.many_*",
         .shmat = ten_attachments_at_most},
        {.name = "last_page_missing",
         .wrong = "The last page of a segment of several is not attached.",
         .meant_for = "shmat.addr.null memory.* shmget.size.last_byte",
         .shmat = last_page_missing},
        {.name = "one_page_too_many",
         .wrong = "The page behind an attachment can be written.",
         .meant_for = "memory.size.past_end memory.kernel.past_end",
         .shmat = one_page_too_many},
        {.name = "unknown_attach_flags_refused",
         .wrong = "An unknown flag of shmat fails with EINVAL.",
         .meant_for = "shmat.flag.unknown_ignored shmat.flag.all_bits_address",
         .shmat = unknown_attach_flags_refused},
        {.name = "attach_moves_break",
         .wrong = "An attach moves the program break.",
         .meant_for = "shmat.addr.brk_unchanged",
         .shmat = attach_moves_break},
        {.name = "rlimit_as_ignored",
         .wrong = "RLIMIT_AS does not bound an attach.",
         .meant_for = "shmat.error.rlimit_as*",
         .shmat = rlimit_as_ignored},
        {.name = "rlimit_memlock_binds_attach",
         .wrong = "RLIMIT_MEMLOCK bounds an attach.",
         .meant_for = "shmat.error.rlimit_others",
         .shmat = rlimit_memlock_binds_attach},
        {.name = "marked_refuses_attach",
         .wrong = "A segment that is marked for removal and attached cannot be attached by its identifier.",
         .meant_for = "shmat.error.id_marked shmctl.rmid.attached_reattach",
         .shmat = marked_refuses_attach},
        {.name = "marked_refuses_strangers",
         .wrong =
                 "A segment that is marked for removal can be attached only by its creator and by who has it attached.",
         .meant_for = "shmat.error.id_marked shmctl.rmid.attached_reattach perm.marked.still_checked",
         .shmat = marked_refuses_strangers},
        {.name = "attach_einval_is_enoent",
         .wrong = "An identifier or address that cannot be fails with ENOENT.",
         .meant_for = "shmat.error.* shmat.addr.unaligned shmat.addr.over_* race.rmid.shmat shmat.order.denied_removed "
                      "shmat.order.denied_unaligned shmat.order.overlap_no_memory race.forced.creator_exit",
         .wrong_errno = {CALL_SHMAT, 0, EINVAL, ENOENT}},
        {.name = "attach_eacces_is_eperm",
         .wrong = "A refused permission fails with EPERM.",
         .meant_for =
                 "shmat.access.* perm.shmat_* race.set.shmat shmat.order.denied_no_memory shmat.order.denied_overlap",
         .wrong_errno = {CALL_SHMAT, 0, EACCES, EPERM}},
        {.name = "attach_enomem_is_eagain",
         .wrong = "A lack of address space fails with EAGAIN.",
         .meant_for = "shmat.error.rlimit_as* shmat.addr.kernel shmat.addr.straddles_end",
         .wrong_errno = {CALL_SHMAT, 0, ENOMEM, EAGAIN}},
        {.name = "attach_eperm_is_einval",
         .wrong = "An address that the caller may not map fails with EINVAL.",
         .meant_for = "shmat.addr.rnd_to_zero_denied",
         .wrong_errno = {CALL_SHMAT, 0, EPERM, EINVAL}},
        {.name = "rnd_refuses_null",
         .wrong = "A null address with SHM_RND fails.",
         .meant_for = "shmat.addr.null_with_rnd",
         .shmat = rnd_refuses_null},
        {.name = "attach_touches_another",
         .wrong = "An attach sets shm_atime, shm_dtime and shm_lpid of other segments too.",
         .meant_for = "shmat.stat.other_segment_kept",
         .shmat = attach_touches_another},
        {.name = "address_inside_page",
         .wrong = "The address that the system chooses is no multiple of SHMLBA.",
         .meant_for = "shmat.addr.null_multiple_of_shmlba",
         .shmat = address_inside_page,
         .shmdt = detach_inside_page},
        {.name = NULL},
};
