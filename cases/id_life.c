/*
 * Identifiers over time: when they come, when they come back, and what
 * kernel.shm_next_id forces. On Linux an id is a sequence number times 32768
 * plus the index of a slot; the numbers here are those of a kernel that runs
 * without ipcmni_extend. Not covered: that an id comes back after some four
 * million creations, which no case may take the time for.
 */
#include "case.h"

#if defined(__linux__)
#include <stdio.h>
#include <sys/sem.h>
#endif

#define SIZE 3333
#define INDICES 32768
/* Indices are handed out in a cycle of at least this many. */
#define CYCLE 64

CASE("id.same_everywhere", "An id got by one process works in another, and the key gives both the same",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget DESCRIPTION; POSIX XSH 2.7.1 IPC General Description")
{
        int id = make_filled_segment(KEY, SIZE, 0600, 1);
        IN_CHILD
        {
                check_equal(id_of(try_shmget(KEY, 0, 0)), id);
                struct outcome attached = try_shmat(id, NULL, SHM_RDONLY);
                check_succeeds(attached);
                if (!attached.failed)
                        check_pattern("the id leads to the same contents", address_of(attached), SIZE, 1);
        }
        check_equal(id_of(try_shmget(KEY, 0, 0)), id);
}

LINUX_CASE("id.live.consecutive", "In a fresh IPC namespace segments made in a row have the ids 0, 1, 2 and so on",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/util.c ipc_idr_alloc()", .needs = NEED_IPC_NAMESPACE,
           .note = "XSH 2.7.1 says positive, shmget non-negative: a program that takes id 0 for none is wrong")
{
#ifdef __linux__
        for (int i = 0; i < 5; i++)
                check_equal(id_of(try_shmget(IPC_PRIVATE, SIZE, 0600)), i);
#endif
}

LINUX_CASE("id.stale.many_reuses",
           "In 300 rounds of create and remove with one key the first id never returns, and every call with it fails",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/util.c ipc_buildid()", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        enum { ROUNDS = 300 };
        int first = make_segment(KEY, SIZE, 0600);
        make_removed(first);
        unsigned came_back = 0;
        unsigned reached = 0;
        unsigned slot_used = 0;
        for (int i = 0; i < ROUNDS; i++) {
                int id = quiet_shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | 0600);
                make_sure(id != -1, "shmget of round %d: %s", i, strerror(errno));
                struct stat_buffer b;
                came_back += id == first;
                slot_used += id % INDICES == first % INDICES;
                reached += shmctl(first, IPC_STAT, &b.is.ds) != -1 || errno != EINVAL;
                reached += (intptr_t)shmat(first, NULL, 0) != -1 || errno != EINVAL;
                reached += quiet_rmid(first) != -1 || errno != EINVAL;
                make_sure(quiet_rmid(id) == 0, "IPC_RMID of round %d: %s", i, strerror(errno));
        }
        record_fact("rounds in which the first id's slot was in use", "%u", slot_used);
        check_equal(came_back, 0);
        check_explained(reached == 0, "IPC_STAT, shmat and IPC_RMID of the first id fail with EINVAL", "%u did not",
                        reached);
#endif
}

LINUX_CASE("id.index.cyclic",
           "Create and remove in a loop gives the indices 0 to 63, then 0 with the next sequence number; holes wait",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/util.c ipc_idr_alloc()", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        /* Two live segments keep indices 0 and 1, which the cycle then skips. */
        int live[5];
        live[0] = make_segment(IPC_PRIVATE, SIZE, 0600);
        live[1] = make_segment(IPC_PRIVATE, SIZE, 0600);
        check_equal(live[0], 0);
        check_equal(live[1], 1);
        unsigned astray = 0;
        for (int expected = 2; expected < CYCLE; expected++) {
                int id = quiet_shmget(IPC_PRIVATE, SIZE, 0600);
                make_sure(id != -1 && quiet_rmid(id) == 0, "shmget, IPC_RMID: %s", strerror(errno));
                astray += id != expected;
        }
        check_equal(astray, 0);
        live[2] = make_segment(IPC_PRIVATE, SIZE, 0600);
        live[3] = make_segment(IPC_PRIVATE, SIZE, 0600);
        live[4] = make_segment(IPC_PRIVATE, SIZE, 0600);
        check_equal(live[2], INDICES + 2);
        check_equal(live[4], INDICES + 4);
        make_removed(live[3]);
        check_equal(id_of(try_shmget(IPC_PRIVATE, SIZE, 0600)), INDICES + 5);
#endif
}

CASE("id.marked.kept", "While a marked segment is attached 300 creations get neither its id nor its index",
     .level = POSIX_SHALL, .clause = "POSIX XSH 2.7.1 IPC General Description; shmctl(2) IPC_RMID",
     .needs = NEED_IPC_NAMESPACE)
{
        enum { CREATIONS = 300 };
        int id = make_filled_segment(KEY, SIZE, 0600, 1);
        void *at = make_attached(id, 0);
        make_removed(id);
        unsigned same_id = 0;
        unsigned same_index = 0;
        for (int i = 0; i < CREATIONS; i++) {
                int made = quiet_shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | 0600);
                make_sure(made != -1, "shmget of creation %d: %s", i, strerror(errno));
                same_id += made == id;
                same_index += made % INDICES == id % INDICES;
                make_sure(quiet_rmid(made) == 0, "IPC_RMID of creation %d: %s", i, strerror(errno));
        }
        check_equal(same_id, 0);
        LINUX_ONLY
        {
                check_equal(same_index, 0);
                check_equal(make_stat(id).shm_nattch, 1);
        }
        check_pattern("the marked segment keeps its contents", at, SIZE, 1);
}

/* ---- kernel.shm_next_id ---- */

#ifdef __linux__

/* Sequence 10, index 10: far from what a fresh namespace gives by itself. */
#define FORCED (10 * INDICES + 10)

static void force_next_id(int id)
{
        char text[16];
        snprintf(text, sizeof(text), "%d", id);
        make_sysctl("shm_next_id", text);
}

static long next_id(void)
{
        return (long)read_sysctl("shm_next_id");
}

#endif

#define NEXT_ID_NEEDS (NEED_SYSCTL | NEED_IPC_NAMESPACE | NEED_NEXT_ID)

LINUX_CASE("id.next.once",
           "shm_next_id forces the id of one segment; the next gets an ordinary id, as if none was forced",
           .level = LINUX, .clause = "Linux Documentation/admin-guide/sysctl/kernel.rst shm_next_id",
           .needs = NEXT_ID_NEEDS)
{
#ifdef __linux__
        for (int i = 0; i < 3; i++)
                check_equal(id_of(try_shmget(IPC_PRIVATE, SIZE, 0600)), i);
        force_next_id(FORCED);
        check_equal(id_of(try_shmget(IPC_PRIVATE, SIZE, 0600)), FORCED);
        check_equal(next_id(), -1);
        struct outcome next = try_shmget(IPC_PRIVATE, SIZE, 0600);
        check_succeeds(next);
        check_equal(id_of(next) % INDICES, 3);
#endif
}

LINUX_CASE("id.next.top", "shm_next_id INT_MAX is honoured: shmget, shmat and SHM_STAT work, the next id is ordinary",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/ipc_sysctl.c", .needs = NEXT_ID_NEEDS)
{
#ifdef __linux__
        force_next_id(INT_MAX);
        struct outcome made = try_shmget(KEY, SIZE, IPC_CREAT | 0600);
        check_equal(id_of(made), INT_MAX);
        check_equal(id_of(try_shmget(KEY, 0, 0)), INT_MAX);
        check_succeeds(try_shmat(INT_MAX, NULL, 0));
        struct stat_buffer b;
        check_equal(id_of(try_shmctl(INDICES - 1, SHM_STAT, &b.is.ds)), INT_MAX);
        struct outcome next = try_shmget(IPC_PRIVATE, SIZE, 0600);
        check_succeeds(next);
        check_equal(id_of(next) % INDICES, 0);
#endif
}

LINUX_CASE("id.next.rejected",
           "-1, -2, 2147483648, text and 7x are refused with EINVAL, and the id asked for before stays", .level = LINUX,
           .clause = "Linux Documentation/admin-guide/sysctl/kernel.rst shm_next_id", .needs = NEXT_ID_NEEDS)
{
#ifdef __linux__
        static const char *const refused[] = {"-1", "-2", "2147483648", "text", "7x"};
        force_next_id(FORCED);
        for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
                check_fails(try_write_sysctl("shm_next_id", refused[i]), EINVAL);
                check_equal(next_id(), FORCED);
        }
        check_equal(id_of(try_shmget(IPC_PRIVATE, SIZE, 0600)), FORCED);
#endif
}

LINUX_CASE("id.next.busy",
           "If the slot of the forced id is in use, the next free one is taken, with its sequence number",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/util.c ipc_idr_alloc()", .needs = NEXT_ID_NEEDS)
{
#ifdef __linux__
        make_segment(IPC_PRIVATE, SIZE, 0600);
        make_segment(IPC_PRIVATE, SIZE, 0600);
        force_next_id(10 * INDICES);
        check_equal(id_of(try_shmget(IPC_PRIVATE, SIZE, 0600)), 10 * INDICES + 2);
        check_equal(next_id(), -1);
        force_next_id(INT_MAX);
        check_equal(id_of(try_shmget(IPC_PRIVATE, SIZE, 0600)), INT_MAX);
        force_next_id(11 * INDICES - 1);
        check_fails(try_shmget(IPC_PRIVATE, SIZE, 0600), ENOSPC);
        check_equal(next_id(), -1);
#endif
}

LINUX_CASE("id.next.revives", "A forced id that was removed is made anew, and the stale id reaches the new segment",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/util.c ipc_idr_alloc()", .needs = NEXT_ID_NEEDS)
{
#ifdef __linux__
        int stale = make_filled_segment(KEY, SIZE, 0600, 1);
        make_removed(stale);
        force_next_id(stale);
        check_equal(id_of(try_shmget(OTHER_KEY, PAGE + 1, IPC_CREAT | 0640)), stale);
        struct outcome attached = try_shmat(stale, NULL, 0);
        check_succeeds(attached);
        if (!attached.failed)
                check_bytes("the stale id leads to the new segment", address_of(attached), PAGE + 1, 0);
#endif
}

LINUX_CASE("id.next.others", "semget leaves the id that was asked for, and a new IPC namespace has none",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/util.c ipc_init_ids()", .needs = NEXT_ID_NEEDS)
{
#ifdef __linux__
        force_next_id(FORCED);
        int semaphores = semget(IPC_PRIVATE, 1, 0600);
        make_sure(semaphores != -1, "semget: %s", strerror(errno));
        check_equal(next_id(), FORCED);
        IN_CHILD
        {
                make_ipc_namespace();
                check_equal(next_id(), -1);
        }
        check_equal(id_of(try_shmget(IPC_PRIVATE, SIZE, 0600)), FORCED);
#endif
}
