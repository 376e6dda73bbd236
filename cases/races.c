/*
 * Calls that race for keys, ids and room: shmget against shmget, and IPC_RMID
 * against every other call (POSIX XSH shmget, shmctl). Races of processes and
 * attachments, and storms of all calls, have files of their own. Not covered:
 * what takes longer than a case may, such as wrapping all identifiers.
 */
#include "racing.h"

/* ---- shmget against shmget ---- */

static void create_exclusively(struct arena *a, unsigned who)
{
        a->seen[who] = kept(quiet_shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | 0600));
}

static void judge_one_winner(struct arena *a)
{
        unsigned winners = 0;
        for (unsigned who = 0; who < N; who++) {
                struct seen s = a->seen[who];
                if (s.value != -1 && winners++ == 0)
                        a->id = (int)s.value;
                else if (s.value == -1 && s.error != EEXIST)
                        wrong(a, "a loser's shmget: %s", strerror(s.error));
        }
        int found = quiet_shmget(KEY, 0, 0);
        if (winners != 1)
                wrong(a, "%u of %u creators succeed", winners, N);
        else if (found != a->id)
                wrong(a, "the winner has id %d, the key gives %d", a->id, found);
        if (quiet_rmid(found) == -1)
                wrong(a, "IPC_RMID of the winner's segment: %s", strerror(errno));
}

CASE("race.excl.one_winner", "Of eight simultaneous IPC_CREAT|IPC_EXCL of one key one succeeds, the others EEXIST",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget ERRORS EEXIST", .needs = NEED_IPC_NAMESPACE)
{
        static const struct race race = {.racers = N,
                                         .rounds = 500,
                                         .prepare = prepare_nothing,
                                         .run = create_exclusively,
                                         .judge = judge_one_winner};
        run_race("each round has one winner, whose id the key gives, and losers with EEXIST", &race);
}

/* A winner stores its stamp at both ends; a loser looks at both ends of what it finds. */
static void create_or_attach(struct arena *a, unsigned who)
{
        create_exclusively(a, who);
        bool won = a->seen[who].value != -1;
        int id = won ? (int)a->seen[who].value : quiet_shmget(KEY, 0, 0);
        unsigned char *at = shmat(id, NULL, 0);
        a->then[who] = kept((intptr_t)at);
        if ((intptr_t)at == -1)
                return;
        unsigned char first = at[0];
        unsigned char last = at[SIZE - 1];
        struct stat_buffer b;
        bool whole = shmctl(id, IPC_STAT, &b.is.ds) == 0 && b.is.ds.shm_segsz == SIZE;
        bool clean = (first == 0 || first == stamp_of(a)) && (last == 0 || last == stamp_of(a));
        a->then[who].value = whole && clean;
        a->then[who].error = 0;
        if (won)
                at[0] = at[SIZE - 1] = stamp_of(a);
        shmdt(at);
}

static void judge_losers(struct arena *a)
{
        for (unsigned who = 0; who < N; who++) {
                if (a->then[who].value == -1)
                        wrong(a, "attaching what the key gives: %s", strerror(a->then[who].error));
                else if (!a->then[who].value)
                        wrong(a, "the segment has not its full size, or neither zero nor the winner's bytes");
        }
        judge_one_winner(a);
}

CASE("race.excl.loser_attaches",
     "A loser of IPC_CREAT|IPC_EXCL that attaches at once finds the full size, and zero or the winner's bytes",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget DESCRIPTION", .needs = NEED_IPC_NAMESPACE)
{
        static const struct race race = {
                .racers = N, .rounds = 500, .prepare = prepare_nothing, .run = create_or_attach, .judge = judge_losers};
        run_race("in each round all find a segment of full size that holds zero or what the winner stored", &race);
}

#define LOCKERS 4

/* The segment as a lock: who can create it is alone inside until it removes it. */
static void lock_and_unlock(struct arena *a, unsigned who)
{
        enum { TRIES = 20 };
        a->then[who].value = 0;
        for (int i = 0; i < TRIES; i++) {
                int id = quiet_shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | 0600);
                if (id == -1) {
                        a->seen[who].error = errno;
                        if (errno != EEXIST)
                                return;
                        continue;
                }
                a->then[who].value++;
                if (atomic_fetch_add(&a->inside, 1) != 0)
                        atomic_fetch_add(&a->overlaps, 1);
                for (volatile unsigned stay = 0; stay < 200; stay++) {
                }
                atomic_fetch_sub(&a->inside, 1);
                if (quiet_rmid(id) == -1) {
                        a->seen[who].error = errno;
                        return;
                }
        }
        a->seen[who].error = EEXIST;
}

static void judge_lock(struct arena *a)
{
        for (unsigned who = 0; who < LOCKERS; who++) {
                a->came[0] += (unsigned)a->then[who].value;
                if (a->seen[who].error != EEXIST)
                        wrong(a, "shmget or IPC_RMID: %s", strerror(a->seen[who].error));
        }
        if (atomic_load(&a->overlaps))
                wrong(a, "two processes were inside at once");
        if (quiet_shmget(KEY, 0, 0) != -1)
                wrong(a, "the key has a segment when all have left");
}

CASE("race.excl.as_lock",
     "IPC_CREAT|IPC_EXCL and IPC_RMID make a lock: never are two processes inside, losers get EEXIST",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget ERRORS EEXIST; POSIX XSH shmctl IPC_RMID",
     .needs = NEED_IPC_NAMESPACE)
{
        static const char *const outcomes[] = {"times that the lock was taken", NULL};
        static const struct race race = {.racers = LOCKERS,
                                         .rounds = 500,
                                         .prepare = prepare_nothing,
                                         .run = lock_and_unlock,
                                         .judge = judge_lock,
                                         .outcomes = outcomes};
        run_race("never are two inside, losers fail with EEXIST, and nothing is left", &race);
}

static void create_or_find(struct arena *a, unsigned who)
{
        a->seen[who] = kept(quiet_shmget(KEY, SIZE, IPC_CREAT | 0600));
}

static void judge_same_id(struct arena *a)
{
        a->id = (int)a->seen[0].value;
        for (unsigned who = 0; who < N; who++) {
                if (a->seen[who].value == -1)
                        wrong(a, "a shmget fails: %s", strerror(a->seen[who].error));
                else if (a->seen[who].value != a->seen[0].value)
                        wrong(a, "two callers got ids %d and %d", a->id, (int)a->seen[who].value);
        }
        if (quiet_rmid(a->id) == -1)
                wrong(a, "IPC_RMID: %s", strerror(errno));
        if (quiet_shmget(KEY, 0, 0) != -1)
                wrong(a, "the key has another segment when the first is removed");
}

CASE("race.creat.same_id", "Eight simultaneous IPC_CREAT of one key get one id", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget DESCRIPTION", .needs = NEED_IPC_NAMESPACE)
{
        static const struct race race = {
                .racers = N, .rounds = 500, .prepare = prepare_nothing, .run = create_or_find, .judge = judge_same_id};
        run_race("in each round all have the same id, of the only segment", &race);
}

static void create_with_size(struct arena *a, unsigned who)
{
        a->seen[who] = kept(quiet_shmget(KEY, size_of(who), IPC_CREAT | 0600));
}

static void judge_sizes(struct arena *a)
{
        int id = quiet_shmget(KEY, 0, 0);
        struct stat_buffer b;
        if (id == -1 || shmctl(id, IPC_STAT, &b.is.ds) == -1) {
                wrong(a, "the key has no segment: %s", strerror(errno));
                return;
        }
        if (b.is.ds.shm_segsz % PAGE != 0 || b.is.ds.shm_segsz == 0 || b.is.ds.shm_segsz > size_of(N - 1))
                wrong(a, "the size %ju is nobody's", (uintmax_t)b.is.ds.shm_segsz);
        for (unsigned who = 0; who < N; who++) {
                struct seen s = a->seen[who];
                bool fits = size_of(who) <= b.is.ds.shm_segsz;
                if (fits ? s.value != id : s.value != -1 || s.error != EINVAL)
                        wrong(a, "shmget of %zu bytes of a segment of %ju: %s", size_of(who),
                              (uintmax_t)b.is.ds.shm_segsz, text_of(s));
                a->came[0] += fits;
                a->came[1] += !fits;
        }
        if (quiet_rmid(id) == -1)
                wrong(a, "IPC_RMID: %s", strerror(errno));
}

CASE("race.creat.sizes",
     "Of eight simultaneous IPC_CREAT of one key with different sizes one decides, who asked more gets EINVAL",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget ERRORS EINVAL", .needs = NEED_IPC_NAMESPACE)
{
        static const char *const outcomes[] = {"got the id", "EINVAL", NULL};
        static const struct race race = {.racers = N,
                                         .rounds = 500,
                                         .prepare = prepare_nothing,
                                         .run = create_with_size,
                                         .judge = judge_sizes,
                                         .outcomes = outcomes};
        run_race("in each round the size is one caller's, who asked no more has the id, the others EINVAL", &race);
}

/* ---- limits ---- */

#ifdef __linux__
#define ROOM 5

static void create_two_pages(struct arena *a, unsigned who)
{
        a->seen[who] = kept(quiet_shmget(IPC_PRIVATE, 2 * PAGE, 0600));
}

static void judge_limit(struct arena *a)
{
        int made = 0;
        for (unsigned who = 0; who < N; who++) {
                struct seen s = a->seen[who];
                made += s.value != -1;
                if (s.value == -1 && s.error != ENOSPC)
                        wrong(a, "shmget beyond the limit: %s", strerror(s.error));
                if (s.value != -1 && quiet_rmid((int)s.value) == -1)
                        wrong(a, "IPC_RMID: %s", strerror(errno));
        }
        if (made != ROOM)
                wrong(a, "%d of %d segments made where there is room for %d", made, N, ROOM);
}

static const struct race limit_race = {
        .racers = N, .rounds = 300, .prepare = prepare_nothing, .run = create_two_pages, .judge = judge_limit};
#endif

LINUX_CASE("race.shmmni.exact", "Of eight simultaneous creators exactly five succeed where SHMMNI leaves room for five",
           .level = LINUX, .clause = "shmget(2) ERRORS ENOSPC", .needs = NEED_SYSCTL | NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        make_sysctl("shmmni", "5");
        run_race("in each round five succeed and three fail with ENOSPC", &limit_race);
#endif
}

LINUX_CASE("race.shmall.exact",
           "Of eight simultaneous creators of two pages exactly five succeed where SHMALL is ten pages", .level = LINUX,
           .clause = "shmget(2) ERRORS ENOSPC", .needs = NEED_SYSCTL | NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        make_sysctl("shmall", "10");
        run_race("in each round five succeed and three fail with ENOSPC", &limit_race);
#endif
}

/* ---- IPC_RMID against everything ---- */

static void judge_one_remover(struct arena *a)
{
        unsigned winners = 0;
        for (unsigned who = 0; who < N; who++) {
                winners += a->seen[who].value == 0;
                if (a->seen[who].value == -1 && !is_gone(a->seen[who].error))
                        wrong(a, "a loser's IPC_RMID: %s", strerror(a->seen[who].error));
                a->came[0] += a->seen[who].error == EINVAL;
                a->came[1] += a->seen[who].error == EIDRM;
        }
        if (winners != 1)
                wrong(a, "%u of %u IPC_RMIDs succeed", winners, N);
        expect_gone(a);
}

CASE("race.rmid.one_wins", "Of eight simultaneous IPC_RMID of one unattached segment one succeeds",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmctl ERRORS EINVAL", .needs = NEED_IPC_NAMESPACE)
{
        static const char *const outcomes[] = {"losers with EINVAL", "losers with EIDRM", NULL};
        static const struct race race = {.racers = N,
                                         .rounds = 2000,
                                         .prepare = make_private,
                                         .run = remove_it,
                                         .judge = judge_one_remover,
                                         .outcomes = outcomes};
        run_race("each round has one winner, and losers with EINVAL or EIDRM", &race);
}

static void prepare_filled(struct arena *a)
{
        make_private(a);
        unsigned char *at = shmat(a->id, NULL, 0);
        make_sure((intptr_t)at != -1, "shmat: %s", strerror(errno));
        at[0] = at[SIZE - 1] = stamp_of(a);
        shmdt(at);
}

static void remove_or_attach(struct arena *a, unsigned who)
{
        if (who == 0) {
                remove_it(a, who);
                return;
        }
        unsigned char *at = shmat(a->id, NULL, 0);
        a->seen[who] = kept((intptr_t)at);
        if ((intptr_t)at == -1)
                return;
        a->then[0].value = at[0] == stamp_of(a) && at[SIZE - 1] == stamp_of(a);
        a->then[1] = kept(shmdt(at));
}

static void judge_rmid_shmat(struct arena *a)
{
        if (a->seen[0].value != 0)
                wrong(a, "IPC_RMID against shmat: %s", strerror(a->seen[0].error));
        if (a->seen[1].value != -1) {
                a->came[0]++;
                if (!a->then[0].value)
                        wrong(a, "shmat succeeds and the contents are not there");
                if (a->then[1].value != 0)
                        wrong(a, "shmdt of what was attached: %s", strerror(a->then[1].error));
        } else if (!is_gone(a->seen[1].error)) {
                wrong(a, "shmat against IPC_RMID: %s", strerror(a->seen[1].error));
        }
        a->came[1] += a->seen[1].error == EINVAL;
        a->came[2] += a->seen[1].error == EIDRM;
        expect_gone(a);
}

CASE("race.rmid.shmat",
     "IPC_RMID against shmat: shmat has the contents or fails, and the segment is gone when both are done",
     .level = POSIX_MAY, .clause = "POSIX XSH shmat ERRORS EINVAL", .needs = NEED_IPC_NAMESPACE)
{
        static const char *const outcomes[] = {"attached", "EINVAL", "EIDRM", NULL};
        static const struct race race = {.racers = 2,
                                         .rounds = 3000,
                                         .prepare = prepare_filled,
                                         .run = remove_or_attach,
                                         .judge = judge_rmid_shmat,
                                         .outcomes = outcomes};
        run_race("in each round IPC_RMID succeeds, and shmat has the contents or fails with EINVAL or EIDRM", &race);
}

static void remove_or_find(struct arena *a, unsigned who)
{
        if (who == 0)
                remove_it(a, who);
        else
                a->seen[who] = kept(quiet_shmget(KEY, 0, 0));
}

static void judge_rmid_shmget(struct arena *a)
{
        struct seen found = a->seen[1];
        if (a->seen[0].value != 0)
                wrong(a, "IPC_RMID against shmget: %s", strerror(a->seen[0].error));
        if (found.value != -1 ? found.value != a->id : found.error != ENOENT)
                wrong(a, "shmget of the key of segment %d: %d, %s", a->id, (int)found.value, text_of(found));
        a->came[0] += found.value != -1;
        a->came[1] += found.value == -1;
        expect_gone(a);
        if (quiet_shmget(KEY, 0, 0) != -1)
                wrong(a, "the key still has a segment");
}

CASE("race.rmid.shmget", "IPC_RMID against shmget of the key: the old id, or ENOENT", .level = POSIX_MAY,
     .clause = "POSIX XSH shmget ERRORS ENOENT", .needs = NEED_IPC_NAMESPACE)
{
        static const char *const outcomes[] = {"the old id", "ENOENT", NULL};
        static const struct race race = {.racers = 2,
                                         .rounds = 3000,
                                         .prepare = make_keyed,
                                         .run = remove_or_find,
                                         .judge = judge_rmid_shmget,
                                         .outcomes = outcomes};
        run_race("in each round IPC_RMID succeeds, and shmget gives the old id or ENOENT", &race);
}

static void remove_or_create(struct arena *a, unsigned who)
{
        if (who == 0)
                remove_it(a, who);
        else
                a->seen[who] = kept(quiet_shmget(KEY, SIZE, IPC_CREAT | 0600));
}

static void judge_rmid_creat(struct arena *a)
{
        struct seen got = a->seen[1];
        int found = quiet_shmget(KEY, 0, 0);
        bool old = got.value == a->id;
        if (a->seen[0].value != 0)
                wrong(a, "IPC_RMID against shmget: %s", strerror(a->seen[0].error));
        if (got.value == -1)
                wrong(a, "shmget with IPC_CREAT: %s", strerror(got.error));
        else if (found != (old ? -1 : (int)got.value))
                wrong(a, "shmget gave %s id %d, afterwards the key gives %d", old ? "the old" : "a new", (int)got.value,
                      found);
        a->came[0] += old;
        a->came[1] += !old;
        if (found != -1 && quiet_rmid(found) == -1)
                wrong(a, "IPC_RMID of the new segment: %s", strerror(errno));
}

CASE("race.rmid.shmget_creat",
     "IPC_RMID against IPC_CREAT of the key: the old id and no segment after it, or a new id and its segment",
     .level = POSIX_MAY, .clause = "POSIX XSH shmget DESCRIPTION", .needs = NEED_IPC_NAMESPACE)
{
        static const char *const outcomes[] = {"the old id", "a new id", NULL};
        static const struct race race = {.racers = 2,
                                         .rounds = 3000,
                                         .prepare = make_keyed,
                                         .run = remove_or_create,
                                         .judge = judge_rmid_creat,
                                         .outcomes = outcomes};
        run_race("in each round both succeed, and the key has a segment only if the id is new", &race);
}

/* The call of the round against IPC_RMID: which of them depends on the round. */
static intptr_t control(const struct arena *a)
{
        struct stat_buffer b;
        memset(&b, 0, sizeof(b));
        b.is.ds.shm_perm.uid = geteuid();
        b.is.ds.shm_perm.gid = getegid();
        b.is.ds.shm_perm.mode = 0640;
        switch (a->round % 4) {
        case 0:
                return shmctl(a->id, IPC_SET, &b.is.ds);
#ifdef __linux__
        case 1:
                return shmctl(a->id, SHM_LOCK, NULL);
        case 2:
                return shmctl(a->id % 32768, SHM_STAT, &b.is.ds);
#endif
        default:
                return shmctl(a->id, IPC_STAT, &b.is.ds);
        }
}

static void remove_or_control(struct arena *a, unsigned who)
{
        if (who == 0)
                remove_it(a, who);
        else
                a->seen[who] = kept(control(a));
}

static void judge_rmid_shmctl(struct arena *a)
{
        struct seen s = a->seen[1];
        if (a->seen[0].value != 0)
                wrong(a, "IPC_RMID against another shmctl: %s", strerror(a->seen[0].error));
        if (s.value == -1 && !is_gone(s.error))
                wrong(a, "shmctl %u of 4 against IPC_RMID: %s", a->round % 4, strerror(s.error));
        a->came[0] += s.value != -1;
        a->came[1] += s.error == EINVAL;
        a->came[2] += s.error == EIDRM;
        expect_gone(a);
}

CASE("race.rmid.shmctl", "IPC_RMID against IPC_STAT, SHM_STAT, SHM_LOCK and IPC_SET: success, EINVAL or EIDRM",
     .level = POSIX_MAY, .clause = "POSIX XSH shmctl ERRORS EINVAL", .needs = NEED_IPC_NAMESPACE)
{
        static const char *const outcomes[] = {"succeeded", "EINVAL", "EIDRM", NULL};
        static const struct race race = {.racers = 2,
                                         .rounds = 3000,
                                         .prepare = make_private,
                                         .run = remove_or_control,
                                         .judge = judge_rmid_shmctl,
                                         .outcomes = outcomes};
        run_race("in each round IPC_RMID succeeds, and the other call does or fails with EINVAL or EIDRM", &race);
}

#ifdef __linux__
static void prepare_bystander(struct arena *a)
{
        make_private(a);
        a->at = shmat(a->id, NULL, 0);
        make_sure((intptr_t)a->at != -1, "shmat: %s", strerror(errno));
        memset(a->at, stamp_of(a), SIZE);
}

static void judge_all_remove(struct arena *a)
{
        for (unsigned who = 0; who < N; who++) {
                if (a->seen[who].value != 0)
                        wrong(a, "an IPC_RMID of an attached segment: %s", strerror(a->seen[who].error));
        }
        const unsigned char *at = a->at;
        if (at[0] != stamp_of(a) || at[SIZE - 1] != stamp_of(a))
                wrong(a, "the bystander's attachment has lost the contents");
        if (shmdt(a->at) == -1)
                wrong(a, "the bystander's shmdt: %s", strerror(errno));
        expect_gone(a);
}
#endif

LINUX_CASE("race.rmid.attached",
           "Eight simultaneous IPC_RMID of an attached segment all succeed, it goes at the last shmdt",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c do_shm_rmid()", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        static const struct race race = {
                .racers = N, .rounds = 300, .prepare = prepare_bystander, .run = remove_it, .judge = judge_all_remove};
        run_race("in each round all succeed, the bystander keeps the contents, and its shmdt destroys", &race);
#endif
}
