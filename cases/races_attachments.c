/*
 * Attachments that race: processes that exit, fork and exec while the segment
 * is removed, simultaneous shmat and shmdt, and what shm_nattch says in the end
 * (POSIX XSH shmat, shmdt, _Exit; XBD <sys/shm.h>).
 */
#include "racing.h"

#include <sched.h>

/* ---- processes that begin and end ---- */

static struct child guests[N];

/* A process that is attached, and at the start of the round does what it is for. */
static void start_attached_guest(struct arena *a, struct child *guest, void (*then)(struct arena *a, void *at))
{
        CHILD(guest, "guest")
        {
                void *at = shmat(a->id, NULL, 0);
                make_sure((intptr_t)at != -1, "shmat: %s", strerror(errno));
                meet(a->start);
                then(a, at);
        }
}

static void end_at_once(struct arena *a, void *at)
{
        (void)a, (void)at;
        _exit(0);
}

static void prepare_exiting_guest(struct arena *a)
{
        make_private(a);
        start_attached_guest(a, &guests[0], end_at_once);
}

static void judge_rmid_and_guest(struct arena *a)
{
        join_child(&guests[0]);
        if (a->seen[0].value != 0)
                wrong(a, "IPC_RMID: %s", strerror(a->seen[0].error));
        expect_gone(a);
}

CASE("race.rmid.exit",
     "IPC_RMID against the exit of the only attacher: it succeeds, and the segment is gone after both",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmctl IPC_RMID", .needs = NEED_IPC_NAMESPACE)
{
        static const struct race race = {.racers = 1,
                                         .rounds = 600,
                                         .guests = 1,
                                         .prepare = prepare_exiting_guest,
                                         .run = remove_it,
                                         .judge = judge_rmid_and_guest};
        run_race("in each round IPC_RMID succeeds, and the segment is gone when the attacher is", &race);
}

#ifdef __linux__
/* Forks, and notes in then[0] whether the child could store and load. */
static void fork_at_once(struct arena *a, void *at)
{
        volatile unsigned char *bytes = at;
        pid_t pid = fork();
        if (pid == 0) {
                bytes[0] = stamp_of(a);
                _exit(bytes[0] == stamp_of(a) ? 0 : 1);
        }
        int status = -1;
        a->then[0].value = pid != -1 && waitpid(pid, &status, 0) == pid && status == 0 && bytes[0] == stamp_of(a);
}

static void prepare_forking_guest(struct arena *a)
{
        make_private(a);
        start_attached_guest(a, &guests[0], fork_at_once);
}

static void judge_rmid_and_fork(struct arena *a)
{
        judge_rmid_and_guest(a);
        if (!a->then[0].value)
                wrong(a, "the attacher's child could not store and load");
}
#endif

LINUX_CASE("race.rmid.fork",
           "IPC_RMID against a fork of the attacher: the child stores and loads, all is gone after both",
           .level = LINUX, .clause = "shmctl(2) IPC_RMID", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        static const struct race race = {.racers = 1,
                                         .rounds = 400,
                                         .guests = 1,
                                         .prepare = prepare_forking_guest,
                                         .run = remove_it,
                                         .judge = judge_rmid_and_fork};
        run_race("in each round the child of the attacher stores and loads, and the segment is gone after both", &race);
#endif
}

#ifdef __linux__
static void prepare_creating_guest(struct arena *a)
{
        struct child *creator = &guests[0];
        CHILD(creator, "creator")
        {
                make_private(a);
                tell_parent(creator);
                meet(a->start);
        }
        await_child(creator);
}

static void attach_and_store(struct arena *a, unsigned who)
{
        unsigned char *at = shmat(a->id, NULL, 0);
        a->seen[who] = kept((intptr_t)at);
        if ((intptr_t)at == -1)
                return;
        at[0] = stamp_of(a);
        a->then[who].value = at[0] == stamp_of(a) && shmdt(at) == 0;
}

static void judge_forced(struct arena *a)
{
        join_child(&guests[0]);
        struct seen s = a->seen[0];
        if (s.value != -1 ? !a->then[0].value : !is_gone(s.error))
                wrong(a, "shmat against the creator's exit: %s", text_of(s));
        a->came[0] += s.value != -1;
        a->came[1] += s.error == EINVAL;
        a->came[2] += s.error == EIDRM;
        expect_gone(a);
}
#endif

LINUX_CASE("race.forced.creator_exit",
           "With shm_rmid_forced 1 the creator's exit against shmat: attached and usable, or failed; gone after both",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c exit_shm()",
           .needs = NEED_SYSCTL | NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        static const char *const outcomes[] = {"attached", "EINVAL", "EIDRM", NULL};
        static const struct race race = {.racers = 1,
                                         .rounds = 600,
                                         .guests = 1,
                                         .prepare = prepare_creating_guest,
                                         .run = attach_and_store,
                                         .judge = judge_forced,
                                         .outcomes = outcomes};
        make_sysctl("shm_rmid_forced", "1");
        run_race("in each round shmat works or fails with EINVAL or EIDRM, and the segment is gone after both", &race);
#endif
}

#define EXECERS 6

static void exec_at_once(struct arena *a, void *at)
{
        (void)a, (void)at;
        exec_program("races.exit");
}

/* Ends at once: its exec is what the race is about. */
PROGRAM("races.exit")
{
        (void)argc, (void)argv;
        return 0;
}

static void prepare_execing_guests(struct arena *a)
{
        make_private(a);
        for (unsigned i = 0; i < EXECERS; i++)
                start_attached_guest(a, &guests[i], exec_at_once);
}

static void judge_execs(struct arena *a)
{
        for (unsigned i = 0; i < EXECERS; i++)
                join_child(&guests[i]);
        struct stat_buffer b;
        if (shmctl(a->id, IPC_STAT, &b.is.ds) == -1 || b.is.ds.shm_nattch != 0)
                wrong(a, "nattch is not 0 when all have execed");
        if (quiet_rmid(a->id) == -1)
                wrong(a, "IPC_RMID: %s", strerror(errno));
        expect_gone(a);
}

CASE("race.nattch.exec", "Six attached processes that exec at once are all detached", .level = POSIX_SHALL,
     .clause = "POSIX XSH exec DESCRIPTION", .needs = NEED_IPC_NAMESPACE)
{
        static const struct race race = {.racers = 0,
                                         .rounds = 20,
                                         .guests = EXECERS,
                                         .prepare = prepare_execing_guests,
                                         .run = remove_it,
                                         .judge = judge_execs};
        run_race("in each round nattch falls to 0", &race);
}

/* ---- attaching and detaching ---- */

#ifdef __linux__
#define DETACHERS 4

static void *mine; /* a racer's own attachment */

static void attach_mine(struct arena *a, unsigned who)
{
        mine = shmat(a->id, NULL, 0);
        a->then[who] = kept((intptr_t)mine);
}

static void mark(struct arena *a)
{
        for (unsigned who = 0; who < DETACHERS; who++)
                make_sure(a->then[who].value != -1, "shmat: %s", strerror(a->then[who].error));
        make_sure(quiet_rmid(a->id) == 0, "IPC_RMID of the attached segment: %s", strerror(errno));
}

static void detach_mine(struct arena *a, unsigned who)
{
        a->seen[who] = kept(shmdt(mine));
}

static void judge_all_detach(struct arena *a)
{
        for (unsigned who = 0; who < DETACHERS; who++) {
                if (a->seen[who].value != 0)
                        wrong(a, "a shmdt of a marked segment: %s", strerror(a->seen[who].error));
        }
        expect_gone(a);
}
#endif

LINUX_CASE("race.detach.marked",
           "When all four attachers of a marked segment shmdt at once, all succeed and it is gone", .level = LINUX,
           .clause = "shmctl(2) IPC_RMID", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        static const struct race race = {.racers = DETACHERS,
                                         .rounds = 500,
                                         .prepare = make_private,
                                         .enter = attach_mine,
                                         .entered = mark,
                                         .run = detach_mine,
                                         .judge = judge_all_detach};
        run_race("in each round all shmdts succeed, and the segment is gone after them", &race);
#endif
}

static void prepare_hole(struct arena *a)
{
        make_private(a);
        /* Chosen when the threads exist: their stacks fill holes. */
        a->at = make_free_range(SIZE);
}

static void attach_there(struct arena *a, unsigned who)
{
        a->seen[who] = kept((intptr_t)shmat(a->id, a->at, 0));
}

static void judge_one_attaches(struct arena *a)
{
        unsigned winner = a->seen[0].value != -1 ? 0 : 1;
        a->came[winner]++;
        if (a->seen[winner].value != (intptr_t)a->at || a->seen[1 - winner].value != -1 ||
            a->seen[1 - winner].error != EINVAL)
                wrong(a, "the two shmats: %s; %s", text_of(a->seen[0]), text_of(a->seen[1]));
        struct stat_buffer b;
        if (shmctl(a->id, IPC_STAT, &b.is.ds) == -1 || b.is.ds.shm_nattch != 1)
                wrong(a, "nattch is not 1 after both");
        if (shmdt(a->at) == -1 || quiet_rmid(a->id) == -1)
                wrong(a, "shmdt, IPC_RMID: %s", strerror(errno));
        expect_gone(a);
}

CASE("race.attach.same_address",
     "Of two simultaneous shmat at one free address one succeeds, the other fails with EINVAL", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmat ERRORS EINVAL", .needs = NEED_THREADS | NEED_IPC_NAMESPACE)
{
        static const char *const outcomes[] = {"won by the first thread", "won by the second thread", NULL};
        static const struct race race = {.racers = 2,
                                         .rounds = 1000,
                                         .by_threads = true,
                                         .prepare = prepare_hole,
                                         .run = attach_there,
                                         .judge = judge_one_attaches,
                                         .outcomes = outcomes};
        run_race("in each round one shmat succeeds, the other fails with EINVAL, and nattch is 1", &race);
}

static void judge_one_detaches(struct arena *a)
{
        unsigned winner = a->seen[0].value == 0 ? 0 : 1;
        a->came[winner]++;
        if (a->seen[winner].value != 0 || a->seen[1 - winner].value != -1 || a->seen[1 - winner].error != EINVAL)
                wrong(a, "the two shmdts: %s; %s", text_of(a->seen[0]), text_of(a->seen[1]));
        struct stat_buffer b;
        if (shmctl(a->id, IPC_STAT, &b.is.ds) == -1 || b.is.ds.shm_nattch != 0)
                wrong(a, "nattch is not 0 after both");
        if (quiet_rmid(a->id) == -1)
                wrong(a, "IPC_RMID: %s", strerror(errno));
}

CASE("race.detach.same_address", "Of two simultaneous shmdt of one address one succeeds, the other fails with EINVAL",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmdt ERRORS EINVAL", .needs = NEED_THREADS | NEED_IPC_NAMESPACE)
{
        static const char *const outcomes[] = {"won by the first thread", "won by the second thread", NULL};
        static const struct race race = {.racers = 2,
                                         .rounds = 1000,
                                         .by_threads = true,
                                         .prepare = make_attached_once,
                                         .run = detach_it,
                                         .judge = judge_one_detaches,
                                         .outcomes = outcomes};
        run_race("in each round one shmdt succeeds, the other fails with EINVAL, and nattch is 0", &race);
}

/* ---- shm_nattch ---- */

static void attach_and_detach(struct arena *a, unsigned who)
{
        enum { TIMES = 30 };
        struct seen s = {0, 0};
        for (int i = 0; i < TIMES && s.value != -1; i++) {
                void *at = shmat(a->id, NULL, i % 2 ? SHM_RDONLY : 0);
                s = kept((intptr_t)at);
                if (s.value != -1)
                        s = kept(shmdt(at));
        }
        a->seen[who] = s;
}

static void judge_all_balanced(struct arena *a)
{
        for (unsigned who = 0; who < N; who++) {
                if (a->seen[who].value == -1)
                        wrong(a, "a shmat or shmdt: %s", strerror(a->seen[who].error));
        }
        struct stat_buffer b;
        if (shmctl(a->id, IPC_STAT, &b.is.ds) == -1)
                wrong(a, "IPC_STAT: %s", strerror(errno));
        else if (b.is.ds.shm_nattch != 0)
                wrong(a, "nattch is %ju when all have detached", (uintmax_t)b.is.ds.shm_nattch);
        if (quiet_rmid(a->id) == -1)
                wrong(a, "IPC_RMID: %s", strerror(errno));
        expect_gone(a);
}

CASE("race.nattch.threads",
     "When eight threads shmat and shmdt one segment all succeed, and shm_nattch is 0 in the end", .level = POSIX_SHALL,
     .clause = "POSIX XBD <sys/shm.h> shm_nattch", .needs = NEED_THREADS | NEED_IPC_NAMESPACE)
{
        static const struct race race = {.racers = N,
                                         .rounds = 10,
                                         .by_threads = true,
                                         .prepare = make_private,
                                         .run = attach_and_detach,
                                         .judge = judge_all_balanced};
        run_race("in each round all calls succeed, and nattch is 0 after them", &race);
}

LINUX_CASE("race.nattch.transient",
           "While one process loops shmat and shmdt readers see shm_nattch 0, 1 or, inside shmat, 2, and at rest 0",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c do_shmat()")
{
#ifdef __linux__
        int id = make_segment(KEY, SIZE, 0600);
        volatile bool *over = make_shared(sizeof(*over));
        struct child looper;
        CHILD(&looper, "looper")
        {
                while (!*over)
                        shmdt(shmat(id, NULL, 0));
        }
        unsigned seen[4] = {0};
        unsigned failed = 0;
        unsigned reads = 0;
        for (long long start = now_us(); race_goes_on(start, reads, 30000); reads++) {
                struct stat_buffer b;
                if (shmctl(id, IPC_STAT, &b.is.ds) == -1)
                        failed++;
                else
                        seen[b.is.ds.shm_nattch < 3 ? b.is.ds.shm_nattch : 3]++;
        }
        *over = true;
        join_child(&looper);
        record_fact("IPC_STATs that saw 0, 1, 2", "%u, %u, %u", seen[0], seen[1], seen[2]);
        check_equal(failed, 0);
        check_explained(seen[3] == 0, "no IPC_STAT sees more than 2", "%u of %u do", seen[3], reads);
        check_equal(make_stat(id).shm_nattch, 0);
#endif
}

#define MIXERS 6
#define HELD_MAX 6

/* What a mixer holds, oldest first. */
struct held {
        void *at[HELD_MAX];
        unsigned count;
};

static unsigned next_random(unsigned *state)
{
        *state = *state * 1103515245U + 12345U;
        return *state >> 16;
}

/* A child that has inherited all, and dies by SIGKILL, or detaches one and exits. */
static void fork_and_wait(const struct held *h, bool by_signal)
{
        pid_t pid = fork();
        make_sure(pid != -1, "fork: %s", strerror(errno));
        if (pid == 0) {
                if (by_signal)
                        raise(SIGKILL);
                if (h->count)
                        shmdt(h->at[h->count - 1]);
                _exit(0);
        }
        make_sure(waitpid(pid, NULL, 0) == pid, "waitpid: %s", strerror(errno));
}

/* Steps at random, in the same order in each run; returns how many attachments are left. */
static unsigned mix(int id, unsigned seed)
{
        enum { STEPS = 40 };
        struct held h = {.count = 0};
        long long start = now_us();
        for (unsigned i = 0; i < STEPS || race_goes_on(start, i, STEPS); i++) {
                unsigned dice = next_random(&seed) % 8;
                if (dice < 4 && h.count < HELD_MAX) {
                        h.at[h.count] = shmat(id, NULL, dice % 2 ? SHM_RDONLY : 0);
                        make_sure((intptr_t)h.at[h.count] != -1, "shmat: %s", strerror(errno));
                        h.count++;
                } else if (dice < 7 && h.count > 0) {
                        h.count--;
                        make_sure(shmdt(h.at[h.count]) == 0, "shmdt: %s", strerror(errno));
                } else {
                        fork_and_wait(&h, next_random(&seed) % 2);
                }
        }
        return h.count;
}

CASE("race.nattch.mixed",
     "While processes attach, detach, fork, exit and are killed shm_nattch is in the end what the living hold",
     .level = POSIX_SHALL,
     .clause = "POSIX XBD <sys/shm.h> shm_nattch; POSIX XSH _Exit Consequences of Process Termination")
{
        int id = make_segment(KEY, SIZE, 0600);
        unsigned *left = make_shared(MIXERS * sizeof(*left));
        struct child mixers[MIXERS];
        for (unsigned i = 0; i < MIXERS; i++) {
                CHILD(&mixers[i], "mixer")
                {
                        left[i] = mix(id, i + 1);
                        tell_parent(&mixers[i]);
                        await_parent(&mixers[i]);
                }
        }
        unsigned living = 0;
        for (unsigned i = 0; i < MIXERS; i++) {
                await_child(&mixers[i]);
                living += left[i];
        }
        check_equal(make_stat(id).shm_nattch, living);
        for (unsigned i = 0; i < MIXERS; i++) {
                if (i % 2) {
                        tell_child(&mixers[i]);
                        join_child(&mixers[i]);
                } else {
                        kill_child(&mixers[i], SIGKILL);
                }
                living -= left[i];
                check_equal(make_stat(id).shm_nattch, living);
        }
}

/* The life that SIGKILL ends somewhere: it says that it begins, then attaches, forks and detaches for ever. */
static void attach_fork_detach(int id, volatile bool *begun)
{
        signal(SIGCHLD, SIG_IGN);
        for (;;) {
                void *first = shmat(id, NULL, 0);
                void *second = shmat(id, NULL, SHM_RDONLY);
                *begun = true;
                if (fork() == 0)
                        _exit(0);
                shmdt(first);
                shmdt(second);
        }
}

/*
 * nattch once the killed process's own child is gone too. Nobody here can wait for that child, but the pipe that it
 * holds ends with it; the tries are for platforms that close a process's files before they detach.
 */
static uintmax_t nattch_at_rest(int id, int held)
{
        uintmax_t nattch = 0;
        char byte = 0;
        while (read(held, &byte, 1) == -1 && errno == EINTR) {
        }
        close(held);
        for (int tries = 0; tries < 500; tries++) {
                struct stat_buffer b;
                if (shmctl(id, IPC_STAT, &b.is.ds) == -1)
                        return UINTMAX_MAX;
                nattch = b.is.ds.shm_nattch;
                if (nattch == 0)
                        return 0;
                struct timespec moment = {0, 200000L};
                nanosleep(&moment, NULL);
        }
        return nattch;
}

CASE("race.nattch.kill_anywhere",
     "SIGKILL at any moment of a loop of shmat, fork and shmdt leaves shm_nattch 0 when its processes are gone",
     .level = POSIX_SHALL, .clause = "POSIX XSH _Exit Consequences of Process Termination")
{
        enum { KILLS = 150 };
        int id = make_segment(KEY, SIZE, 0600);
        volatile bool *begun = make_shared(sizeof(*begun));
        uintmax_t nattch = 0;
        unsigned kills = 0;
        long long start = now_us();
        while (nattch == 0 && race_goes_on(start, kills, KILLS)) {
                *begun = false;
                int held[2];
                make_sure(pipe(held) == 0, "pipe: %s", strerror(errno));
                pid_t pid = fork();
                make_sure(pid != -1, "fork: %s", strerror(errno));
                if (pid == 0)
                        attach_fork_detach(id, begun);
                while (!*begun)
                        sched_yield();
                for (volatile unsigned i = 0; i < kills * 37 % 64 * 1000; i++) {
                }
                kill(pid, SIGKILL);
                make_sure(waitpid(pid, NULL, 0) == pid, "waitpid: %s", strerror(errno));
                close(held[1]);
                nattch = nattch_at_rest(id, held[0]);
                kills++;
        }
        record_fact("kills", "%u", kills);
        check_explained(nattch == 0, "nattch is 0 after each kill", "%ju after kill %u", nattch, kills);
}
