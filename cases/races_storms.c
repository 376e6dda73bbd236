/*
 * Many calls at once on what others read: IPC_SET against IPC_STAT and shmat,
 * and storms of segments that come and go under the eyes of SHM_STAT and
 * /proc/sysvipc/shm. Not covered: SHM_LOCK against SHM_UNLOCK with an exact
 * RLIMIT_MEMLOCK, because the kernel counts what a user has locked over all
 * cases that run as it.
 */
#include "racing.h"

#include <stdio.h>

/* ---- IPC_SET ---- */

#ifdef __linux__

/* What an IPC_SET sets, as one of two values that differ in every member. */
static struct stat_buffer triple(unsigned which)
{
        struct stat_buffer b;
        memset(&b, 0, sizeof(b));
        b.is.ds.shm_perm.uid = which ? USER_B : USER_C;
        b.is.ds.shm_perm.gid = which ? GROUP_B : GROUP_C;
        b.is.ds.shm_perm.mode = which ? 0644 : 0466;
        return b;
}

static bool is_triple(const struct shmid_ds *ds, unsigned which)
{
        struct stat_buffer b = triple(which);
        return ds->shm_perm.uid == b.is.ds.shm_perm.uid && ds->shm_perm.gid == b.is.ds.shm_perm.gid &&
               (ds->shm_perm.mode & 0777) == (b.is.ds.shm_perm.mode & 0777);
}

#define READERS 2

/* Reads as long as the case sets, and counts what it saw; the first torn one is kept. */
struct reading {
        unsigned seen[2], torn;
        struct shmid_ds first_torn;
};

static void read_triples(int id, const volatile bool *over, struct reading *r)
{
        while (!*over) {
                struct stat_buffer b;
                if (shmctl(id, IPC_STAT, &b.is.ds) == -1)
                        continue;
                if (is_triple(&b.is.ds, 0))
                        r->seen[0]++;
                else if (is_triple(&b.is.ds, 1))
                        r->seen[1]++;
                else if (r->torn++ == 0)
                        r->first_torn = b.is.ds;
        }
}

#endif

LINUX_CASE("race.set.torn_stat", "While one process alternates two owners, groups and modes, readers see either whole",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shmctl_stat()", .needs = NEED_TWO_UIDS)
{
#ifdef __linux__
        struct shared {
                volatile bool over;
                struct reading readings[READERS];
        } *s = make_shared(sizeof(*s));
        int id = make_segment(KEY, SIZE, 0600);
        struct stat_buffer first = triple(0);
        make_ownership(id, first.is.ds.shm_perm.uid, first.is.ds.shm_perm.gid, first.is.ds.shm_perm.mode);
        struct child readers[READERS];
        for (unsigned i = 0; i < READERS; i++) {
                CHILD(&readers[i], "reader")
                {
                        become_user(USER_A, GROUP_A);
                        read_triples(id, &s->over, &s->readings[i]);
                }
        }
        unsigned sets = 0;
        unsigned refused = 0;
        for (long long start = now_us(); race_goes_on(start, sets, 40000); sets++) {
                struct stat_buffer b = triple(sets % 2);
                refused += shmctl(id, IPC_SET, &b.is.ds) == -1;
        }
        s->over = true;
        for (unsigned i = 0; i < READERS; i++)
                join_child(&readers[i]);
        record_fact("IPC_SETs", "%u", sets);
        check_equal(refused, 0);
        for (unsigned i = 0; i < READERS; i++) {
                const struct reading *r = &s->readings[i];
                const struct shmid_ds *torn = &r->first_torn;
                record_fact("IPC_STATs of a reader", "%u of the one, %u of the other", r->seen[0], r->seen[1]);
                check_explained(r->torn == 0, "each IPC_STAT shows one of the two, whole",
                                "%u torn, the first with uid %lu, gid %lu, mode 0%o", r->torn,
                                (unsigned long)torn->shm_perm.uid, (unsigned long)torn->shm_perm.gid,
                                (unsigned)torn->shm_perm.mode);
        }
#endif
}

#ifdef __linux__

static void prepare_owned(struct arena *a)
{
        make_private(a);
        struct stat_buffer b = triple(0);
        make_sure(shmctl(a->id, IPC_SET, &b.is.ds) == 0, "IPC_SET: %s", strerror(errno));
}

static void set_triple(struct arena *a, unsigned who)
{
        struct stat_buffer b = triple(who);
        a->seen[who] = kept(shmctl(a->id, IPC_SET, &b.is.ds));
}

static void judge_whole(struct arena *a)
{
        struct stat_buffer b;
        if (a->seen[0].value != 0 || a->seen[1].value != 0)
                wrong(a, "the two IPC_SETs: %s; %s", text_of(a->seen[0]), text_of(a->seen[1]));
        if (shmctl(a->id, IPC_STAT, &b.is.ds) == -1)
                wrong(a, "IPC_STAT: %s", strerror(errno));
        else if (!is_triple(&b.is.ds, 0) && !is_triple(&b.is.ds, 1))
                wrong(a, "mixed: uid %lu, gid %lu, mode 0%o", (unsigned long)b.is.ds.shm_perm.uid,
                      (unsigned long)b.is.ds.shm_perm.gid, (unsigned)b.is.ds.shm_perm.mode);
        else
                a->came[is_triple(&b.is.ds, 1)]++;
        if (quiet_rmid(a->id) == -1)
                wrong(a, "IPC_RMID: %s", strerror(errno));
}

#endif

LINUX_CASE("race.set.set",
           "Two simultaneous IPC_SETs of different owners, groups and modes leave one of the two, whole",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shmctl_down()",
           .needs = NEED_TWO_UIDS | NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        static const char *const outcomes[] = {"the first one's is left", "the second one's is left", NULL};
        static const struct race race = {.racers = 2,
                                         .rounds = 2000,
                                         .prepare = prepare_owned,
                                         .run = set_triple,
                                         .judge = judge_whole,
                                         .outcomes = outcomes};
        run_race("in each round both succeed, and uid, gid and mode are those of one of them", &race);
#endif
}

CASE("race.set.shmat", "IPC_SET of mode 0600 and 0 in turn against shmat of the ordinary owner: success or EACCES",
     .level = POSIX_MAY, .clause = "POSIX XSH shmat ERRORS EACCES", .needs = NEED_TWO_UIDS)
{
        enum { ENOUGH = 50 };
        struct shared {
                volatile bool over;
                volatile unsigned attached, denied, otherwise;
                int error;
        } *s = make_shared(sizeof(*s));
        int id = make_segment(KEY, SIZE, 0600);
        make_ownership(id, USER_A, GROUP_A, 0600);
        struct child owner;
        CHILD(&owner, "owner")
        {
                become_user(USER_A, GROUP_A);
                while (!s->over) {
                        void *at = shmat(id, NULL, 0);
                        if ((intptr_t)at != -1) {
                                s->attached++;
                                shmdt(at);
                        } else if (errno == EACCES) {
                                s->denied++;
                        } else {
                                s->error = errno;
                                s->otherwise++;
                        }
                }
        }
        unsigned refused = 0;
        unsigned sets = 0;
        long long start = now_us();
        while (race_goes_on(start, sets, s->attached < ENOUGH || s->denied < ENOUGH ? UINT_MAX : 0)) {
                struct stat_buffer b;
                memset(&b, 0, sizeof(b));
                b.is.ds.shm_perm.uid = USER_A;
                b.is.ds.shm_perm.gid = GROUP_A;
                b.is.ds.shm_perm.mode = sets++ % 2 ? 0600 : 0;
                refused += shmctl(id, IPC_SET, &b.is.ds) == -1;
        }
        s->over = true;
        join_child(&owner);
        record_fact("IPC_SETs", "%u", sets);
        record_fact("shmats that were granted, denied", "%u, %u", s->attached, s->denied);
        check_equal(refused, 0);
        check_explained(s->otherwise == 0, "each shmat succeeds or fails with EACCES", "%u fail otherwise, with %s",
                        s->otherwise, strerror(s->error));
        check_equal(make_stat(id).shm_nattch, 0);
}

/* ---- storms ---- */

#define STORMERS 4
#define STORM_ITERATIONS 10

/* A segment's key, size and contents all tell who made it. */
static key_t key_of(unsigned who)
{
        return shmc_key(who);
}

/* One segment from its creation to its end; what goes wrong is an errno, or less than 0. */
enum storm_fault { STORM_DIRTY = -2, STORM_TWIN = -3 };
static int live_once(struct arena *a, unsigned who, bool remove_attached)
{
        int id = quiet_shmget(key_of(who), size_of(who), IPC_CREAT | IPC_EXCL | 0600);
        if (id == -1)
                return errno;
        atomic_store(&a->current[who], id + 1);
        for (unsigned other = 0; other < STORMERS; other++) {
                if (other != who && atomic_load(&a->current[other]) == id + 1)
                        return STORM_TWIN;
        }
        unsigned char *at = shmat(id, NULL, 0);
        if ((intptr_t)at == -1)
                return errno;
        bool clean = at[0] == 0 && at[size_of(who) - 1] == 0;
        at[0] = at[size_of(who) - 1] = 0xff;
        /* Withdrawn before the id can be another's. */
        atomic_store(&a->current[who], 0);
        if (remove_attached ? quiet_rmid(id) == -1 || shmdt(at) == -1 : shmdt(at) == -1 || quiet_rmid(id) == -1)
                return errno;
        return clean ? 0 : STORM_DIRTY;
}

static void storm(struct arena *a, unsigned who)
{
        int fault = 0;
        for (int i = 0; i < STORM_ITERATIONS && fault == 0; i++)
                fault = live_once(a, who, i % 2);
        a->seen[who].value = fault;
}

static void judge_storm(struct arena *a)
{
        for (unsigned who = 0; who < STORMERS; who++) {
                intptr_t fault = a->seen[who].value;
                if (fault > 0)
                        wrong(a, "a call of process %u fails: %s", who, strerror((int)fault));
                else if (fault)
                        wrong(a, "process %u: %s", who,
                              fault == STORM_DIRTY ? "a new segment is not zero" : "two live segments have one id");
                if (quiet_shmget(key_of(who), 0, 0) != -1)
                        wrong(a, "a removed segment's key is still known");
        }
}

CASE("race.storm.totals",
     "Four processes create, attach, store and remove before or after shmdt: no call fails, no id twice, all is zero",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget DESCRIPTION; POSIX XSH 2.7.1 IPC General Description",
     .needs = NEED_IPC_NAMESPACE)
{
        static const struct race race = {
                .racers = STORMERS, .rounds = 300, .prepare = prepare_nothing, .run = storm, .judge = judge_storm};
        run_race("no call fails, no two live segments share an id, none is dirty, none is left", &race);
}

#ifdef __linux__

#define SCANNER STORMERS

/* The last racer looks at all indices meanwhile; what it sees must belong together. */
static void storm_or_scan(struct arena *a, unsigned who)
{
        if (who != SCANNER) {
                storm(a, who);
                return;
        }
        a->then[who].value = 0;
        for (int index = 0; index < 64; index++) {
                struct stat_buffer b;
                int id = shmctl(index, SHM_STAT, &b.is.ds);
                if (id == -1) {
                        if (!is_gone(errno))
                                a->then[who].error = errno;
                        continue;
                }
                a->then[who].value++;
                key_t key = b.is.ds.shm_perm.SHMC_PERM_KEY;
                bool whole = false;
                for (unsigned maker = 0; maker < STORMERS; maker++)
                        whole |= b.is.ds.shm_segsz == size_of(maker) && (key == key_of(maker) || key == IPC_PRIVATE);
                if (!whole || id % 32768 != index)
                        a->then[who].error = -1;
        }
}

static void judge_scan(struct arena *a)
{
        judge_storm(a);
        a->came[0] += (unsigned)a->then[SCANNER].value;
        if (a->then[SCANNER].error > 0)
                wrong(a, "SHM_STAT: %s", strerror(a->then[SCANNER].error));
        else if (a->then[SCANNER].error)
                wrong(a, "SHM_STAT shows id, key and size that do not belong together");
}

#endif

LINUX_CASE("race.storm.shm_stat",
           "SHM_STAT over all indices in a storm fails with EINVAL or EIDRM, or its id, key and size belong together",
           .level = LINUX, .clause = "shmctl(2) SHM_STAT", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        static const char *const outcomes[] = {"segments seen", NULL};
        static const struct race race = {.racers = STORMERS + 1,
                                         .rounds = 600,
                                         .prepare = prepare_nothing,
                                         .run = storm_or_scan,
                                         .judge = judge_scan,
                                         .outcomes = outcomes};
        run_race("in each round SHM_STAT fails with EINVAL or EIDRM, or shows what one process made", &race);
#endif
}

#ifdef __linux__

/* The segment that lives throughout. */
static int resident;

/* One line: sixteen numbers and nothing else. The second is the id. */
static bool is_well_formed(const char *line, long *id)
{
        int columns = 0;
        for (const char *p = line; columns < 17; columns++) {
                char *end;
                long n = strtol(p, &end, 10);
                if (end == p)
                        break;
                if (columns == 1)
                        *id = n;
                p = end;
        }
        return columns == 16 && line[strspn(line, " -0123456789\n")] == '\0';
}

/* The last racer reads the list meanwhile: then[].value is the resident's lines, then[].error not 0 for a bad line. */
static void storm_or_list(struct arena *a, unsigned who)
{
        if (who != SCANNER) {
                storm(a, who);
                return;
        }
        FILE *f = fopen("/proc/sysvipc/shm", "r");
        char line[512];
        a->then[who].value = 0;
        a->then[who].error = !f || !fgets(line, sizeof(line), f);
        while (f && fgets(line, sizeof(line), f)) {
                long id = -1;
                a->then[who].error |= !is_well_formed(line, &id);
                a->then[who].value += id == resident;
        }
        if (f)
                fclose(f);
}

static void judge_list(struct arena *a)
{
        judge_storm(a);
        if (a->then[SCANNER].error)
                wrong(a, "the list cannot be read, or a line is not sixteen numbers");
        if (a->then[SCANNER].value != 1)
                wrong(a, "the segment that lives throughout has %d lines", (int)a->then[SCANNER].value);
}

#endif

LINUX_CASE("race.storm.proc",
           "The lines of /proc/sysvipc/shm meanwhile are well formed, and a segment that lives throughout has one",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/util.c sysvipc_proc_next()",
           .needs = NEED_PROC | NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        static const struct race race = {.racers = STORMERS + 1,
                                         .rounds = 1000,
                                         .prepare = prepare_nothing,
                                         .run = storm_or_list,
                                         .judge = judge_list};
        resident = make_segment(IPC_PRIVATE, SIZE, 0600);
        run_race("in each round every line is sixteen numbers, and the resident segment has one", &race);
#endif
}
