/*
 * Races between the threads of one process: they share the attachments, so that
 * each can detach or remove what another is about to use. Those between
 * processes stand in races.c, races_attachments.c and races_storms.c.
 */
#include "racing.h"

static void attach_or_remove(struct arena *a, unsigned who)
{
        a->seen[who] = who == 0 ? kept((intptr_t)shmat(a->id, NULL, 0)) : kept(quiet_rmid(a->id));
}

static void judge_attached_or_refused(struct arena *a)
{
        bool attached = a->seen[0].value != -1;
        a->came[attached ? 0 : 1]++;
        if (a->seen[1].value == -1)
                wrong(a, "IPC_RMID: %s", text_of(a->seen[1]));
        if (!attached && !is_gone(a->seen[0].error))
                wrong(a, "shmat: %s", text_of(a->seen[0]));
        if (attached && shmdt((void *)a->seen[0].value) == -1)
                wrong(a, "shmdt: %s", strerror(errno));
        expect_gone(a);
}

CASE("shmat.error.rmid_race",
     "An attach in one thread against IPC_RMID in another either succeeds or fails with EINVAL or EIDRM, and the "
     "segment is gone afterwards",
     .level = POSIX_MAY, .clause = "POSIX XSH shmat ERRORS", .needs = NEED_THREADS | NEED_IPC_NAMESPACE,
     .note = "EIDRM is seen about once in ten thousand")
{
        static const char *const outcomes[] = {"attached", "refused", NULL};
        static const struct race race = {.racers = 2,
                                         .rounds = 300,
                                         .by_threads = true,
                                         .prepare = make_private,
                                         .run = attach_or_remove,
                                         .judge = judge_attached_or_refused,
                                         .outcomes = outcomes};
        run_race("in each round the attach succeeds or finds the segment gone, and it is gone afterwards", &race);
}

#define DETACHERS 4

static void judge_one_of_four(struct arena *a)
{
        unsigned detached = 0;
        for (unsigned who = 0; who < DETACHERS; who++) {
                if (a->seen[who].value == 0) {
                        a->came[who]++;
                        detached++;
                } else if (a->seen[who].error != EINVAL) {
                        wrong(a, "shmdt of thread %u: %s", who, text_of(a->seen[who]));
                }
        }
        if (detached != 1)
                wrong(a, "%u of %d shmdts succeeded", detached, DETACHERS);
        struct stat_buffer b;
        if (shmctl(a->id, IPC_STAT, &b.is.ds) == -1 || b.is.ds.shm_nattch != 0)
                wrong(a, "nattch is not 0 after them");
        if (quiet_rmid(a->id) == -1)
                wrong(a, "IPC_RMID: %s", strerror(errno));
}

CASE("shmdt.race.threads",
     "Of four threads that detach one address at once one succeeds, three get EINVAL, and shm_nattch ends 0, in each "
     "round",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmdt DESCRIPTION", .needs = NEED_THREADS | NEED_IPC_NAMESPACE)
{
        static const char *const outcomes[] = {"won by the first thread", "by the second", "by the third",
                                               "by the fourth", NULL};
        static const struct race race = {.racers = DETACHERS,
                                         .rounds = 100,
                                         .by_threads = true,
                                         .prepare = make_attached_once,
                                         .run = detach_it,
                                         .judge = judge_one_of_four,
                                         .outcomes = outcomes};
        run_race("in each round one shmdt succeeds, three fail with EINVAL, and nattch is 0", &race);
}
