/* The rounds of a race, with processes or threads; see racing.h. No cases of its own. */
#include "racing.h"

#include <stdarg.h>
#include <stdio.h>
#if !defined(__dietlibc__)
#include <pthread.h>
#endif

long long shmc_race_now_us(void)
{
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

bool shmc_race_goes_on(long long start_us, unsigned rounds, unsigned enough)
{
        double stress = shmc_stress();
        if (rounds == 0)
                return true;
        if (stress > 0)
                return now_us() < start_us + (long long)(stress * 1e6);
        /* On a loaded machine the time would be over before the racers have met often enough to say anything. */
        long long patience_us = (rounds < FEWEST_ROUNDS ? 20 : 1) * PATIENCE_MS * 1000LL;
        return rounds < enough && now_us() < start_us + patience_us;
}

/* The namespace's segments, or -1 where the platform does not tell. */
static long live_segments(void)
{
#ifdef __linux__
        union {
                struct shm_info info;
                struct shmid_ds ds;
                unsigned char room[512];
        } u;
        if (shmctl(0, SHM_INFO, &u.ds) == -1)
                return -1;
        /* No segment is without pages, and gVisor's used_ids does not fall. */
        return u.info.shm_tot == 0 ? 0 : (long)u.info.SHMC_INFO_USED_IDS;
#else
        return -1;
#endif
}

void shmc_race_wrong(struct arena *a, const char *format, ...)
{
        if (a->broken[0])
                return;
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(a->broken, sizeof(a->broken), format, arguments);
        va_end(arguments);
}

/* Lets the start of one racer, another each round, slide over that of the others. */
static void sweep(const struct arena *a, unsigned who, unsigned racers)
{
        if (a->round / 16 % racers != who)
                return;
        for (volatile unsigned i = 0; i < a->round % 16 * 8; i++) {
        }
}

static void race_on(const struct race *r, struct arena *a, unsigned who)
{
        for (;;) {
                if (r->enter) {
                        meet(a->end);
                        if (!a->over)
                                r->enter(a, who);
                        meet(a->end);
                }
                meet(a->start);
                if (a->over)
                        return;
                sweep(a, who, r->racers);
                r->run(a, who);
                meet(a->end);
        }
}

/* The judge's side of the start of a round. */
static void start_round(const struct race *r, struct arena *a)
{
        if (r->enter) {
                meet(a->end);
                meet(a->end);
                if (!a->over)
                        r->entered(a);
        }
        meet(a->start);
}

static void judge_rounds(const struct race *r, struct arena *a)
{
        long long start = now_us();
        while (!a->broken[0] && race_goes_on(start, a->round, r->rounds)) {
                r->prepare(a);
                start_round(r, a);
                meet(a->end);
                r->judge(a);
                a->round++;
        }
        a->over = true;
        for (unsigned i = 0; i < r->guests; i++) {
                if (fork() == 0) {
                        meet(a->start);
                        _exit(0);
                }
        }
        start_round(r, a);
}

#if !defined(__dietlibc__)
struct racing_thread {
        const struct race *race;
        struct arena *arena;
        unsigned who;
        pthread_t thread;
};

static void *race_as_thread(void *argument)
{
        struct racing_thread *t = argument;
        race_on(t->race, t->arena, t->who);
        return NULL;
}

static void run_with_threads(const struct race *r, struct arena *a)
{
        struct racing_thread threads[N] = {{NULL, NULL, 0, 0}};
        for (unsigned who = 0; who < r->racers; who++) {
                threads[who].race = r;
                threads[who].arena = a;
                threads[who].who = who;
                int error = pthread_create(&threads[who].thread, NULL, race_as_thread, &threads[who]);
                make_sure(error == 0, "pthread_create: %s", strerror(error));
        }
        judge_rounds(r, a);
        for (unsigned who = 0; who < r->racers; who++)
                pthread_join(threads[who].thread, NULL);
}
#endif

static void run_with_processes(const struct race *r, struct arena *a)
{
        struct child racers[N];
        for (unsigned who = 0; who < r->racers; who++) {
                CHILD(&racers[who], "racer")
                {
                        race_on(r, a, who);
                }
        }
        judge_rounds(r, a);
        for (unsigned who = 0; who < r->racers; who++)
                join_child(&racers[who]);
}

void shmc_run_race(const char *what, const struct race *r)
{
        struct arena *a = make_shared(sizeof(*a));
        long before = live_segments();
        a->start = make_barrier(r->racers + r->guests + 1);
        a->end = make_barrier(r->racers + 1);
#if !defined(__dietlibc__)
        if (r->by_threads)
                run_with_threads(r, a);
        else
#endif
                run_with_processes(r, a);
        record_fact("rounds", "%u", a->round);
        for (unsigned i = 0; r->outcomes && r->outcomes[i]; i++)
                record_fact(r->outcomes[i], "%u", a->came[i]);
        check_explained(a->broken[0] == '\0', what, "round %u: %s", a->round, a->broken);
        LINUX_ONLY
        {
                check_equal(live_segments(), before);
        }
}

struct seen shmc_race_kept(intptr_t value)
{
        int error = errno;
        struct seen s = {value, value == -1 ? error : 0};
        return s;
}

const char *shmc_race_text(struct seen s)
{
        return s.value == -1 ? strerror(s.error) : "ok";
}

void shmc_race_expect_gone(struct arena *a)
{
        struct stat_buffer b;
        if (shmctl(a->id, IPC_STAT, &b.is.ds) == 0)
                wrong(a, "the removed segment %d is still there, nattch %ju", a->id, (uintmax_t)b.is.ds.shm_nattch);
        else if (!is_gone(errno))
                wrong(a, "IPC_STAT of the removed segment: %s", strerror(errno));
}

void shmc_race_prepare_nothing(struct arena *a)
{
        (void)a;
}

void shmc_race_make_private(struct arena *a)
{
        a->id = quiet_shmget(IPC_PRIVATE, SIZE, 0600);
        make_sure(a->id != -1, "shmget: %s", strerror(errno));
}

void shmc_race_make_keyed(struct arena *a)
{
        a->id = quiet_shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | 0600);
        make_sure(a->id != -1, "shmget: %s", strerror(errno));
}

void shmc_race_make_attached_once(struct arena *a)
{
        make_private(a);
        a->at = shmat(a->id, NULL, 0);
        make_sure((intptr_t)a->at != -1, "shmat: %s", strerror(errno));
}

void shmc_race_detach(struct arena *a, unsigned who)
{
        a->seen[who] = kept(shmdt(a->at));
}

void shmc_race_remove(struct arena *a, unsigned who)
{
        a->seen[who] = kept(quiet_rmid(a->id));
}
