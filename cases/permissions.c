/*
 * The permission matrix: who may do what with a segment of which mode (POSIX
 * XSH 2.7.1, and the ERRORS of shmget, shmat and shmctl). Every call is tried by
 * every class of user with every digit, as a case of its own, called
 * perm.CALL.CLASS.BITS. Where the cell must be granted the other two digits of
 * the mode are 0, so that nothing else can have granted it; where it must be
 * denied they are 7, because the most specific class decides though it grants
 * less. What decides who somebody is, and privileges, have files of their own.
 */
#include "case.h"

#include <stdio.h>
#include <sys/resource.h>

#define SIZE 3333

/* ---- who ---- */

/*
 * The segment is created by USER_B of GROUP_B and then owned by USER_A and
 * GROUP_A, so that no two of its four ids are alike.
 */
static const struct class
{
        const char *name;
        const char *words;
        uid_t uid;
        gid_t gid;
        gid_t supplementary; /* 0: none */
        unsigned shift;      /* of the digit that counts for the class */
} classes[] = {
        {"owner", "the owner", USER_A, GROUP_C, 0, 6},
        {"creator", "the creator", USER_B, GROUP_C, 0, 6},
        {"owners_group", "a member of the owner's group", USER_C, GROUP_A, 0, 3},
        {"creators_group", "a member of the creator's group", USER_C, GROUP_B, 0, 3},
        {"other", "anybody else", USER_C, GROUP_C, 0, 0},
        {"suppl_owners_group", "a supplementary member of the owner's group", USER_C, GROUP_C, GROUP_A, 3},
        {"suppl_creators_group", "a supplementary member of the creator's group", USER_C, GROUP_C, GROUP_B, 3},
};
#define CLASSES (sizeof(classes) / sizeof(classes[0]))

static bool owns(const struct class *class)
{
        return class->uid != USER_C;
}

/* ---- what ---- */

struct cell;
struct digit {
        const char *name;
        mode_t mode;
};

static const struct digit without_x[] = {{"none", 0}, {"r", 4}, {"w", 2}, {"rw", 6}, {NULL, 0}};
static const struct digit with_x[] = {{"none", 0}, {"r", 4}, {"x", 1}, {"rx", 5}, {"rw", 6}, {"rwx", 7}, {NULL, 0}};
/* For what the mode must not matter to: the whole mode. */
static const struct digit whole[] = {{"000", 0}, {"777", 0777}, {NULL, 0}};

/* Makes the call as the class, id being the segment's and index, on Linux, that of its slot. */
static void find(const struct cell *cell, int id, int index);
static void attach(const struct cell *cell, int id, int index);
static void read_members(const struct cell *cell, int id, int index);
static void read_by_index(const struct cell *cell, int id, int index);
static void set_members(const struct cell *cell, int id, int index);
static void remove_segment(const struct cell *cell, int id, int index);
static void lock(const struct cell *cell, int id, int index);

/* Checks, as root, that what was granted has happened. */
static void check_set(int id);
static void check_removed(int id);
static void check_locked(int id);
static void check_unlocked(int id);

#ifdef __linux__
#define LINUX_NUMBER(x) (x)
#else
#define LINUX_NUMBER(x) 0
#endif

static const struct call {
        const char *name;
        const char *words;
        const char *clause;
        const char *note, *differs;
        const struct digit *digits; /* whole: only owner and creator may */
        void (*run)(const struct cell *cell, int id, int index);
        void (*check)(int id);
        enum shmc_level level;
        mode_t needed; /* bits of the digit */
        int error;     /* when it is denied */
        int argument;  /* flags or command */
        int line;
} calls[] = {
        {.line = __LINE__,
         .name = "shmget_none",
         .words = "shmget(key, 0, 0)",
         .level = POSIX_SHALL,
         .clause = "POSIX XSH shmget ERRORS EACCES",
         .digits = without_x,
         .needed = 0,
         .error = EACCES,
         .argument = 0,
         .run = find},
        {.line = __LINE__,
         .name = "shmget_r",
         .words = "shmget(key, 0, 0400)",
         .level = POSIX_SHALL,
         .clause = "POSIX XSH shmget ERRORS EACCES; POSIX XSH 2.7.1 IPC General Description",
         .digits = without_x,
         .needed = 4,
         .error = EACCES,
         .argument = 0400,
         .run = find,
         .differs = "gVisor grants it on mode 0, to strangers too"},
        {.line = __LINE__,
         .name = "shmget_w",
         .words = "shmget(key, 0, 0200)",
         .level = POSIX_SHALL,
         .clause = "POSIX XSH shmget ERRORS EACCES; POSIX XSH 2.7.1 IPC General Description",
         .digits = without_x,
         .needed = 2,
         .error = EACCES,
         .argument = 0200,
         .run = find},
        {.line = __LINE__,
         .name = "shmget_rw",
         .words = "shmget(key, 0, 0600)",
         .level = POSIX_SHALL,
         .clause = "POSIX XSH shmget ERRORS EACCES; POSIX XSH 2.7.1 IPC General Description",
         .digits = without_x,
         .needed = 6,
         .error = EACCES,
         .argument = 0600,
         .run = find,
         .differs = "gVisor grants it on mode 0, to strangers too"},
        {.line = __LINE__,
         .name = "shmget_x",
         .words = "shmget(key, 0, 0100)",
         .level = LINUX_UNDOCUMENTED,
         .clause = "Linux ipc/util.c ipcperms()",
         .digits = with_x,
         .needed = 1,
         .error = EACCES,
         .argument = 0100,
         .run = find,
         .note = "shmctl(2) calls the x bits unused"},
        {.line = __LINE__,
         .name = "shmat_ro",
         .words = "shmat with SHM_RDONLY",
         .level = POSIX_SHALL,
         .clause = "POSIX XSH shmat ERRORS EACCES",
         .digits = without_x,
         .needed = 4,
         .error = EACCES,
         .argument = SHM_RDONLY,
         .run = attach,
         .differs = "valgrind gives EINVAL"},
        {.line = __LINE__,
         .name = "shmat_rw",
         .words = "shmat without SHM_RDONLY",
         .level = POSIX_SHALL,
         .clause = "POSIX XSH shmat ERRORS EACCES",
         .digits = without_x,
         .needed = 6,
         .error = EACCES,
         .argument = 0,
         .run = attach},
        {.line = __LINE__,
         .name = "shmat_ro_exec",
         .words = "shmat with SHM_RDONLY|SHM_EXEC",
         .level = LINUX,
         .clause = "shmop(2) SHM_EXEC",
         .digits = with_x,
         .needed = 5,
         .error = EACCES,
         .argument = SHM_RDONLY | LINUX_NUMBER(SHM_EXEC),
         .run = attach,
         .note = "shmctl(2) says that x is not needed: it is"},
        {.line = __LINE__,
         .name = "shmat_rw_exec",
         .words = "shmat with SHM_EXEC",
         .level = LINUX,
         .clause = "shmop(2) SHM_EXEC",
         .digits = with_x,
         .needed = 7,
         .error = EACCES,
         .argument = LINUX_NUMBER(SHM_EXEC),
         .run = attach},
        {.line = __LINE__,
         .name = "stat",
         .words = "IPC_STAT",
         .level = POSIX_SHALL,
         .clause = "POSIX XSH shmctl ERRORS EACCES",
         .digits = without_x,
         .needed = 4,
         .error = EACCES,
         .argument = IPC_STAT,
         .run = read_members},
        {.line = __LINE__,
         .name = "shm_stat",
         .words = "SHM_STAT",
         .level = LINUX,
         .clause = "shmctl(2) ERRORS EACCES",
         .digits = without_x,
         .needed = 4,
         .error = EACCES,
         .argument = LINUX_NUMBER(SHM_STAT),
         .run = read_by_index,
         .differs = "gVisor takes the identifier for the index, and returns 0"},
        {.line = __LINE__,
         .name = "shm_stat_any",
         .words = "SHM_STAT_ANY",
         .level = LINUX,
         .clause = "shmctl(2) SHM_STAT_ANY",
         .digits = without_x,
         .needed = 0,
         .error = EACCES,
         .argument = LINUX_NUMBER(SHM_STAT_ANY),
         .run = read_by_index,
         .note = "since Linux 4.17",
         .differs = "gVisor has no SHM_STAT_ANY: EINVAL"},
        {.line = __LINE__,
         .name = "set",
         .words = "IPC_SET",
         .level = POSIX_SHALL,
         .clause = "POSIX XSH shmctl ERRORS EPERM",
         .digits = whole,
         .needed = 0,
         .error = EPERM,
         .argument = IPC_SET,
         .run = set_members,
         .check = check_set},
        {.line = __LINE__,
         .name = "rmid",
         .words = "IPC_RMID",
         .level = POSIX_SHALL,
         .clause = "POSIX XSH shmctl ERRORS EPERM",
         .digits = whole,
         .needed = 0,
         .error = EPERM,
         .argument = IPC_RMID,
         .run = remove_segment,
         .check = check_removed,
         .differs = "gVisor grants it to everybody"},
        {.line = __LINE__,
         .name = "lock",
         .words = "SHM_LOCK",
         .level = LINUX,
         .clause = "shmctl(2) SHM_LOCK",
         .digits = whole,
         .needed = 0,
         .error = EPERM,
         .argument = LINUX_NUMBER(SHM_LOCK),
         .run = lock,
         .check = check_locked,
         .differs = "gVisor grants it to everybody"},
        {.line = __LINE__,
         .name = "unlock",
         .words = "SHM_UNLOCK of what root has locked",
         .level = LINUX,
         .clause = "shmctl(2) SHM_LOCK",
         .digits = whole,
         .needed = 0,
         .error = EPERM,
         .argument = LINUX_NUMBER(SHM_UNLOCK),
         .run = lock,
         .check = check_unlocked},
};
#define CALLS (sizeof(calls) / sizeof(calls[0]))

struct cell {
        struct shmc_case as_case;
        const struct call *call;
        const struct class *class;
        mode_t mode; /* of the segment */
        bool granted;
        char id[64], sentence[192];
};

static bool judge(const struct cell *cell, struct outcome o)
{
        if (cell->granted)
                check_succeeds(o);
        else
                check_fails(o, cell->call->error);
        return cell->granted && !o.failed;
}

static void find(const struct cell *cell, int id, int index)
{
        (void)index;
        struct outcome o = try_shmget(KEY, 0, cell->call->argument);
        if (judge(cell, o))
                check_equal(id_of(o), id);
}

static void attach(const struct cell *cell, int id, int index)
{
        (void)index;
        struct outcome o = try_shmat(id, NULL, cell->call->argument);
        if (judge(cell, o))
                check_pattern("the attachment shows the contents", address_of(o), SIZE, 1);
}

static void read_members(const struct cell *cell, int id, int index)
{
        (void)index;
        struct stat_buffer b;
        memset(&b, 0, sizeof(b));
        if (judge(cell, try_shmctl(id, cell->call->argument, &b.is.ds)))
                check_equal(b.is.ds.shm_segsz, SIZE);
}

static void read_by_index(const struct cell *cell, int id, int index)
{
        struct stat_buffer b;
        memset(&b, 0, sizeof(b));
        struct outcome o = try_shmctl(index, cell->call->argument, &b.is.ds);
        if (judge(cell, o)) {
                check_equal(id_of(o), id);
                check_equal(b.is.ds.shm_segsz, SIZE);
        }
}

#define NEW_MODE 0640

static void set_members(const struct cell *cell, int id, int index)
{
        (void)index;
        struct stat_buffer b;
        memset(&b, 0, sizeof(b));
        b.is.ds.shm_perm.uid = USER_A;
        b.is.ds.shm_perm.gid = GROUP_A;
        b.is.ds.shm_perm.mode = NEW_MODE;
        judge(cell, try_shmctl(id, cell->call->argument, &b.is.ds));
}

static void check_set(int id)
{
        struct shmid_ds now = make_stat(id);
        check_mode(now.shm_perm.mode & 0777, NEW_MODE);
}

static void remove_segment(const struct cell *cell, int id, int index)
{
        (void)index;
        judge(cell, try_shmctl(id, cell->call->argument, NULL));
}

static void check_removed(int id)
{
        struct stat_buffer b;
        check_fails(try_shmctl(id, IPC_STAT, &b.is.ds), EINVAL);
}

static void lock(const struct cell *cell, int id, int index)
{
        (void)index;
        judge(cell, try_shmctl(id, cell->call->argument, NULL));
}

static void check_locked(int id)
{
        struct shmid_ds now = make_stat(id);
        check_mode(now.shm_perm.mode & LINUX_NUMBER(SHM_LOCKED), LINUX_NUMBER(SHM_LOCKED));
}

static void check_unlocked(int id)
{
        struct shmid_ds now = make_stat(id);
        check_mode(now.shm_perm.mode & LINUX_NUMBER(SHM_LOCKED), 0);
}

/* ---- the scene ---- */

/* What the rows about SHM_LOCK and SHM_UNLOCK need: room to lock, and for the latter something locked. */
static void make_lockable(const struct call *call, int id)
{
#ifdef __linux__
        make_rlimit(RLIMIT_MEMLOCK, 16 * PAGE);
        if (call->argument == SHM_UNLOCK) {
                struct outcome locked = try_shmctl(id, SHM_LOCK, NULL);
                make_sure(!locked.failed, "shmctl(SHM_LOCK) by root: %s", strerror(locked.error));
        }
#else
        (void)call, (void)id;
#endif
}

/*
 * The segment has contents only where they are looked at: otherwise nobody has
 * ever attached it, so that whatever a denied call leaves in it shows.
 */
static struct snapshot make_scene(const struct cell *cell)
{
        int id = -1;
        bool is_read = cell->granted && cell->call->run == attach;
        WITH_IDS(USER_B, GROUP_B, 0)
        {
                id = is_read ? make_filled_segment(KEY, SIZE, 0600, 1) : make_segment(KEY, SIZE, 0600);
        }
        make_ownership(id, USER_A, GROUP_A, cell->mode);
        if (cell->call->run == lock)
                make_lockable(cell->call, id);
        struct snapshot scene = take_snapshot(id);
        const struct shmid_ds *ds = &scene.ds;
        make_sure(ds->shm_perm.uid == USER_A && ds->shm_perm.gid == GROUP_A && ds->shm_perm.cuid == USER_B &&
                          ds->shm_perm.cgid == GROUP_B && (ds->shm_perm.mode & 0777) == cell->mode,
                  "the segment has not the owner, creator and mode that it was given");
        return scene;
}

/* The index by which SHM_STAT knows the segment: its identifier where no index leads to it, as in gVisor. */
static int index_of(int id)
{
#ifdef __linux__
        struct stat_buffer b;
        int highest = shmctl(0, SHM_INFO, &b.is.ds);
        for (int index = 0; index <= highest; index++) {
                if (shmctl(index, SHM_STAT, &b.is.ds) == id)
                        return index;
        }
#endif
        return id;
}

static void try_cell(const void *row)
{
        const struct cell *cell = row;
        const struct call *call = cell->call;
        struct snapshot before = make_scene(cell);
        int id = before.shmid;
        int index = call->run == read_by_index ? index_of(id) : -1;
        WITH_IDS(cell->class->uid, cell->class->gid, cell->class->supplementary)
        {
                call->run(cell, id, index);
        }
        if (!cell->granted)
                check_unchanged(&before);
        else if (call->check)
                call->check(id);
}

/* ---- the cells ---- */

static bool is_granted(const struct call *call, const struct class *class, mode_t digit)
{
        if (call->digits == whole)
                return owns(class);
        return (digit & call->needed) == call->needed;
}

static mode_t mode_of(const struct call *call, const struct class *class, mode_t digit, bool granted)
{
        if (call->digits == whole)
                return digit;
        mode_t others = granted ? 0 : 0777 & ~((mode_t)7 << class->shift);
        return digit << class->shift | others;
}

static void describe(struct cell *cell, const struct digit *digit)
{
        const struct call *call = cell->call;
        snprintf(cell->id, sizeof(cell->id), "perm.%s.%s.%s", call->name, cell->class->name, digit->name);
        const char *verdict = cell->granted          ? "granted"
                              : call->error == EPERM ? "denied with EPERM"
                                                     : "denied with EACCES";
        if (call->digits == whole)
                snprintf(cell->sentence, sizeof(cell->sentence), "%s by %s, on mode %s, is %s", call->words,
                         cell->class->words, digit->name, verdict);
        else
                snprintf(cell->sentence, sizeof(cell->sentence), "%s by %s, for whom the mode says %s, is %s",
                         call->words, cell->class->words, digit->mode ? digit->name : "nothing", verdict);
}

static void add_cell(const struct call *call, const struct class *class, const struct digit *digit)
{
        struct cell *cell = calloc(1, sizeof(*cell));
        if (!cell)
                abort();
        bool supplementary = class->supplementary != 0;
        cell->call = call;
        cell->class = class;
        cell->granted = is_granted(call, class, digit->mode);
        cell->mode = mode_of(call, class, digit->mode, cell->granted);
        describe(cell, digit);
        cell->as_case.id = cell->id;
        cell->as_case.sentence = cell->sentence;
        cell->as_case.clause = call->clause;
        cell->as_case.note = call->note;
        cell->as_case.differs = call->differs;
        cell->as_case.level = call->level;
        /* POSIX names the effective group ID only. */
        if (supplementary && call->level < LINUX) {
                cell->as_case.level = LINUX;
                cell->as_case.clause = "credentials(7) supplementary group IDs";
        }
        cell->as_case.linux_only = cell->as_case.level >= LINUX;
        cell->as_case.needs = NEED_TWO_UIDS;
        cell->as_case.row_body = try_cell;
        cell->as_case.row = cell;
        cell->as_case.file = __FILE__;
        cell->as_case.line = call->line;
        shmc_register(&cell->as_case);
}

SHMC_CONSTRUCTOR static void register_cells(void)
{
        for (size_t call = 0; call < CALLS; call++) {
                for (size_t class = 0; class < CLASSES; class ++) {
                        for (const struct digit *digit = calls[call].digits; digit->name; digit++)
                                add_cell(&calls[call], &classes[class], digit);
                }
        }
}
