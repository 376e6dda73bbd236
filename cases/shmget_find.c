/*
 * shmget on a key that has, or had, a segment: what finds it, what does not,
 * and what IPC_RMID leaves of a key. POSIX XSH shmget DESCRIPTION and ERRORS.
 */
#include "case.h"

#include <stdio.h>

#define SIZE 3333
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void check_finds(int id, key_t key, size_t size, int flags)
{
        struct outcome found = try_shmget(key, size, flags);
        check_succeeds(found);
        check_equal(id_of(found), id);
}

/* ---- an existing segment ---- */

CASE("shmget.existing.changes_nothing",
     "A shmget that finds a segment changes nothing of it, neither stamp nor byte nor total", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget DESCRIPTION", .needs = NEED_CLOCK_TICK)
{
        int id = make_segment(KEY, SIZE, 0600);
        make_touched_by_another(id, SIZE, 1);
        const void *mapped = make_attached(id, SHM_RDONLY);
        struct snapshot before = take_snapshot_mapped(id, mapped);
        wait_for_tick();
        check_finds(id, KEY, SIZE, 0);
        check_finds(id, KEY, SIZE, IPC_CREAT | 0600);
        check_finds(id, KEY, SIZE - 1, 0600);
        check_finds(id, KEY, 0, IPC_CREAT);
        check_unchanged(&before);
}

CASE("shmget.existing.creat_mode", "IPC_CREAT with another mode returns the segment and leaves its mode",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget DESCRIPTION")
{
        int id = make_segment(KEY, SIZE, 0600);
        check_finds(id, KEY, SIZE, IPC_CREAT | 0400);
        struct shmid_ds ds = make_stat(id);
        check_mode(ds.shm_perm.mode & 0777, 0600);
}

CASE("shmget.existing.smaller",
     "The same size and any smaller one find the segment, whose attachment still has its full size",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget ERRORS EINVAL")
{
        const size_t whole = 2 * PAGE + 1;
        const size_t sizes[] = {2 * PAGE + 1, 2 * PAGE, PAGE, 1};
        int id = make_filled_segment(KEY, whole, 0600, 1);
        for (size_t i = 0; i < COUNT(sizes); i++) {
                check_finds(id, KEY, sizes[i], 0600);
                check_finds(id, KEY, sizes[i], IPC_CREAT | 0600);
        }
        struct death d;
        DOOMED(&d)
        {
                struct outcome found = try_shmget(KEY, 1, 0600);
                check_succeeds(found);
                if (!found.failed)
                        check_pattern("the whole segment is there", make_attached(id_of(found), SHM_RDONLY), whole, 1);
        }
        check_death("the attachment reaches to the segment's end", &d, OK);
}

CASE("shmget.existing.size_0", "Size 0 finds the segment, with and without IPC_CREAT", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget ERRORS EINVAL")
{
        int id = make_segment(KEY, SIZE, 0600);
        check_finds(id, KEY, 0, 0600);
        check_finds(id, KEY, 0, IPC_CREAT | 0600);
}

/* Asks for a size that the segment does not have. */
static void check_too_big(int id, size_t size)
{
        struct snapshot before = take_snapshot(id);
        check_fails(try_shmget(KEY, size, 0600), EINVAL);
        check_fails(try_shmget(KEY, size, IPC_CREAT | 0600), EINVAL);
        check_unchanged(&before);
        check_finds(id, KEY, 0, 0600);
}

CASE("shmget.existing.bigger",
     "A size bigger than the segment's fails with EINVAL, changes nothing and makes no second segment",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget ERRORS EINVAL")
{
        const size_t sizes[] = {PAGE + 1, 2 * PAGE, SIZE_MAX / 2 + 1, SIZE_MAX};
        int id = make_segment(KEY, PAGE, 0600);
        make_touched_by_another(id, PAGE, 1);
        for (size_t i = 0; i < COUNT(sizes); i++)
                check_too_big(id, sizes[i]);
}

CASE("shmget.existing.bigger_in_page",
     "A size that is bigger than the segment's but fits its last page fails with EINVAL", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget ERRORS EINVAL", .note = "bytes count, not pages")
{
        const size_t small = 100;
        int id = make_segment(KEY, small, 0600);
        check_too_big(id, small + 1);
        check_too_big(id, PAGE);
}

CASE("shmget.existing.excl_alone", "IPC_EXCL without IPC_CREAT finds the segment", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget ERRORS EEXIST")
{
        int id = make_segment(KEY, SIZE, 0600);
        check_finds(id, KEY, SIZE, IPC_EXCL | 0600);
        check_finds(id, KEY, 0, IPC_EXCL);
}

LINUX_CASE("shmget.existing.huge_flags",
           "SHM_HUGETLB, SHM_NORESERVE and unknown flags do not matter where a segment is found",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/util.c ipcget_public()", .needs = NEED_UNPRIVILEGED)
{
#ifdef __linux__
        const unsigned bad_size_code = 5U << 26;
        const unsigned junk = 0x6000U;
        int id = make_segment(KEY, SIZE, 0600);
        check_finds(id, KEY, SIZE, SHM_HUGETLB | 0600);
        check_finds(id, KEY, SIZE, (int)bad_size_code | SHM_HUGETLB | IPC_CREAT | 0600);
        check_finds(id, KEY, SIZE, SHM_NORESERVE | IPC_CREAT | 0600);
        check_finds(id, KEY, SIZE, (int)junk | 0600);
        check_finds(id, KEY, SIZE, INT_MIN | 0600);
#endif
}

CASE("shmget.existing.child", "A child finds its parent's segment by key", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget DESCRIPTION")
{
        int id = make_segment(KEY, SIZE, 0600);
        IN_CHILD
        {
                check_finds(id, KEY, SIZE, 0600);
        }
}

/* Writes the id that the key argv[0] gives to the file descriptor argv[1]. */
PROGRAM("shmget_of")
{
        if (argc != 2)
                return 2;
        int id = shmget((key_t)strtoul(argv[0], NULL, 0), 0, 0);
        return write(atoi(argv[1]), &id, sizeof(id)) == (ssize_t)sizeof(id) ? 0 : 1;
}

CASE("shmget.existing.exec", "A program started by exec finds its starter's segment by key", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget DESCRIPTION")
{
        int id = make_segment(KEY, SIZE, 0600);
        int ends[2];
        make_sure(pipe(ends) == 0, "pipe");
        IN_CHILD
        {
                char key[16];
                char descriptor[16];
                snprintf(key, sizeof(key), "%u", (unsigned)KEY);
                snprintf(descriptor, sizeof(descriptor), "%d", ends[1]);
                exec_program("shmget_of", key, descriptor);
        }
        int id_in_program = -2;
        make_sure(read(ends[0], &id_in_program, sizeof(id_in_program)) == (ssize_t)sizeof(id_in_program),
                  "the program wrote no id");
        check_equal(id_in_program, id);
}

CASE("shmget.existing.creator_gone", "When a segment's creator has exited another process finds it by key",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget DESCRIPTION", .note = "not with kernel.shm_rmid_forced=1")
{
        int *id = make_shared(sizeof(*id));
        IN_CHILD
        {
                *id = make_segment(KEY, SIZE, 0600);
        }
        IN_CHILD
        {
                check_finds(*id, KEY, SIZE, 0600);
        }
}

/* ---- a removed segment ---- */

CASE("shmget.removed.unattached", "The key of a removed segment is not found, by size 0 neither", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget ERRORS ENOENT")
{
        make_removed(make_filled_segment(KEY, SIZE, 0600, 1));
        check_fails(try_shmget(KEY, SIZE, 0600), ENOENT);
        check_fails(try_shmget(KEY, 0, 0), ENOENT);
}

CASE("shmget.removed.attached", "The key of a segment that is removed while attached is not found",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmctl IPC_RMID", .differs = "Linux before 2.3.30: EIDRM")
{
        int id = make_segment(KEY, SIZE, 0600);
        make_attached(id, 0);
        make_removed(id);
        check_fails(try_shmget(KEY, SIZE, 0600), ENOENT);
        check_fails(try_shmget(KEY, 0, 0), ENOENT);
}

CASE("shmget.removed.key_free",
     "The key of a segment that is removed while attached is free for a new one of any size and mode",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmctl IPC_RMID")
{
        const size_t bigger = 2 * PAGE + 1;
        int old_id = make_segment(KEY, SIZE, 0600);
        unsigned char *old = make_attached(old_id, 0);
        fill_pattern(old, SIZE, 1);
        make_removed(old_id);

        struct outcome made = try_shmget(KEY, bigger, IPC_CREAT | IPC_EXCL | 0640);
        check_succeeds(made);
        if (made.failed)
                return;
        check_that(id_of(made) != old_id, "the new segment has a new id");
        struct shmid_ds ds = make_stat(id_of(made));
        check_mode(ds.shm_perm.mode & 0777, 0640);
        check_equal(ds.shm_segsz, bigger);
        void *new = make_attached(id_of(made), 0);
        check_bytes("the new segment is all zero", new, bigger, 0);
        fill_pattern(new, bigger, 2);
        LINUX_ONLY
        {
                check_pattern("the old attachment keeps its data", old, SIZE, 1);
        }
#ifdef __linux__
        LINUX_ONLY
        {
                struct shmid_ds old_ds = make_stat(old_id);
                check_mode(old_ds.shm_perm.mode & SHM_DEST, SHM_DEST);
                key_t old_key = (key_t)old_ds.shm_perm.SHMC_PERM_KEY;
                check_key(old_key, IPC_PRIVATE);
        }
#endif
}

LINUX_CASE("shmget.removed.generations",
           "Four segments that had one key, each removed while attached, keep four contents", .level = LINUX,
           .clause = "shmctl(2) IPC_RMID", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        enum { GENERATIONS = 4 };
        const void *at[GENERATIONS];
        struct totals before = make_totals();
        for (unsigned i = 0; i < GENERATIONS; i++) {
                int id = make_segment(KEY, SIZE, 0600);
                void *mapped = make_attached(id, 0);
                fill_pattern(mapped, SIZE, i);
                make_removed(id);
                at[i] = mapped;
        }
        for (unsigned i = 0; i < GENERATIONS; i++)
                check_pattern("the generation keeps its contents", at[i], SIZE, i);
        struct totals now = make_totals();
        check_equal(now.used_ids - before.used_ids, GENERATIONS);
#endif
}
