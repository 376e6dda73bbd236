/*
 * What shmctl refuses: commands it does not know, identifiers of no segment,
 * and which of two errors Linux gives first. A call that fails changes no
 * segment and leaves the buffer alone.
 *
 * Errors that belong to one command (EACCES, EPERM, EFAULT) are in that
 * command's file. Which error comes first is open in POSIX.
 */
#include "case.h"

#include <sys/msg.h>
#include <sys/sem.h>

#define POISON 0x5a
#define INDEXES 32768 /* an identifier is its slot's index plus a multiple of it */
#define IPC_64_FLAG 0x100

/* The call fails with EINVAL and the buffer is left alone. */
static void check_refused(int id, int command)
{
        struct stat_buffer b;
        memset(&b, POISON, sizeof(b));
        check_fails(try_shmctl(id, command, &b.is.ds), EINVAL);
        check_bytes("the buffer", &b, sizeof(b), POISON);
}

/* ---- commands ---- */

CASE("shmctl.cmd.negative", "cmd -1 and INT_MIN on a live segment fail with EINVAL and change nothing",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmctl ERRORS EINVAL")
{
        int id = make_touched_segment(KEY, PAGE + 1, 0640, 1);
        struct snapshot before = take_snapshot(id);
        check_refused(id, -1);
        check_refused(id, INT_MIN);
        check_unchanged(&before);
}

CASE("shmctl.cmd.unknown", "A command that there is not fails with EINVAL and changes nothing", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmctl ERRORS EINVAL",
     .note = "on Linux 11 to 15, which are also numbers of semctl and msgctl commands, are valid")
{
        static const int commands[] = {
#ifdef __linux__
                4,       5,
                6,       7,
                8,       9,
                10,      16,
                17,      18,
                19,      20,
                21,      0x7f,
                0x200,
#endif
                INT_MAX, INT_MAX - 15,
        };
        int id = make_touched_segment(KEY, PAGE + 1, 0640, 1);
        struct snapshot before = take_snapshot(id);
        for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
                check_refused(id, commands[i]);
        check_unchanged(&before);
}

#ifdef __linux__
/* IPC_RMID is the last: a platform that obeys it leaves nothing to compare. */
static const int commands_of_linux[] = {IPC_SET,  IPC_STAT, IPC_INFO,     SHM_LOCK, SHM_UNLOCK,
                                        SHM_STAT, SHM_INFO, SHM_STAT_ANY, IPC_RMID};
#define COMMANDS_OF_LINUX (sizeof(commands_of_linux) / sizeof(commands_of_linux[0]))
#endif

LINUX_CASE("shmctl.cmd.ipc64_flag", "Each command with IPC_64 (0x100) added fails with EINVAL and changes nothing",
           .level = POSIX_SHALL, .clause = "POSIX XSH shmctl ERRORS EINVAL", .needs = NEED_64_BIT,
           .differs = "glibc of 32-bit x86 takes the flag away and obeys: 0x100 removes the segment")
{
#ifdef __linux__
        int id = make_touched_segment(KEY, PAGE + 1, 0640, 1);
        struct snapshot before = take_snapshot(id);
        for (size_t i = 0; i < COMMANDS_OF_LINUX; i++)
                check_refused(id, commands_of_linux[i] | IPC_64_FLAG);
        check_unchanged(&before);
#endif
}

LINUX_CASE("shmctl.cmd.ipc64_flag_raw",
           "Each command with IPC_64 (0x100) added fails with EINVAL by system call and changes nothing",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c ksys_shmctl()", .needs = NEED_RAW_SYSCALL,
           .note = "only the ipc(2) call of 32-bit machines takes the flag")
{
#ifdef __linux__
        int id = make_touched_segment(KEY, PAGE + 1, 0640, 1);
        struct snapshot before = take_snapshot(id);
        for (size_t i = 0; i < COMMANDS_OF_LINUX; i++) {
                struct stat_buffer b;
                memset(&b, POISON, sizeof(b));
                check_fails(try_raw_shmctl(id, commands_of_linux[i] | IPC_64_FLAG, &b.is.ds), EINVAL);
                check_bytes("the buffer", &b, sizeof(b), POISON);
        }
        check_unchanged(&before);
#endif
}

LINUX_CASE("shmctl.cmd.unknown_bad_pointer", "An unknown cmd with buf 16 fails with EINVAL",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c ksys_shmctl()",
           .note = "32-bit C libraries convert the buffer for every command and may fault")
{
#ifdef __linux__
        int id = make_touched_segment(KEY, PAGE + 1, 0640, 1);
        struct snapshot before = take_snapshot(id);
        void *nowhere = (void *)16;
        check_bad_buffer(id, 0x7f, nowhere, EINVAL);
        check_unchanged(&before);
#endif
}

CASE("shmctl.cmd.unknown_bad_id", "An unknown cmd with an unknown identifier fails with EINVAL", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmctl ERRORS EINVAL")
{
        check_refused(make_stale_id(), INT_MAX);
        check_refused(-1, INT_MAX);
        check_refused(make_stale_id(), -1);
}

/* ---- identifiers ---- */

static void check_refused_by_lock(int id)
{
#ifdef __linux__
        LINUX_ONLY
        {
                check_refused(id, SHM_LOCK);
                check_refused(id, SHM_UNLOCK);
        }
#else
        (void)id;
#endif
}

/* Every command refuses the identifier. */
static void check_unknown(int id)
{
        check_refused(id, IPC_STAT);
        check_refused(id, IPC_SET);
        check_refused(id, IPC_RMID);
        check_refused_by_lock(id);
}

CASE("shmctl.id.negative", "A negative identifier fails with EINVAL in every command, also one made of a live one",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmctl ERRORS EINVAL")
{
        int id = make_touched_segment(KEY, PAGE + 1, 0640, 1);
        struct snapshot before = take_snapshot(id);
        check_unknown(-1);
        check_unknown(INT_MIN);
        check_unknown(-id - 1);
        /* The sign bit alone added to the live one. */
        check_unknown(id + INT_MIN);
#ifdef __linux__
        LINUX_ONLY
        {
                check_refused(-1, IPC_INFO);
                check_refused(-1, SHM_INFO);
        }
#endif
        check_unchanged(&before);
}

CASE("shmctl.id.int_max", "Identifiers INT_MAX and INT_MAX-15 fail with EINVAL in every command", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmctl ERRORS EINVAL")
{
        int id = make_touched_segment(KEY, PAGE + 1, 0640, 1);
        struct snapshot before = take_snapshot(id);
        check_unknown(INT_MAX);
        check_unknown(INT_MAX - 15);
        check_unchanged(&before);
}

/* In a shared namespace the number might be somebody's, who would lose the segment. */
CASE("shmctl.id.never_made",
     "Identifiers of slots that were never used (30001, 32767) fail with EINVAL in every command", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmctl ERRORS EINVAL", .needs = NEED_IPC_NAMESPACE)
{
        int id = make_touched_segment(KEY, PAGE + 1, 0640, 1);
        struct snapshot before = take_snapshot(id);
        check_unknown(30001);
        check_unknown(INDEXES - 1);
        check_unchanged(&before);
}

CASE("shmctl.id.zero_empty", "Identifier 0 in an empty namespace fails with EINVAL in every command",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmctl ERRORS EINVAL", .needs = NEED_IPC_NAMESPACE)
{
        check_unknown(0);
}

CASE("shmctl.id.zero_live", "The first segment of a namespace has identifier 0, and it is valid", .level = LINUX,
     .clause = "Linux ipc/util.c ipc_addid()", .needs = NEED_IPC_NAMESPACE,
     .note = "POSIX has positive identifiers only")
{
        int id = make_segment(IPC_PRIVATE, PAGE + 1, 0600);
        check_equal(id, 0);
        struct stat_buffer b;
        memset(&b, POISON, sizeof(b));
        check_succeeds(try_shmctl(0, IPC_STAT, &b.is.ds));
        check_equal(b.is.ds.shm_segsz, PAGE + 1);
}

CASE("shmctl.id.wrong_sequence",
     "A live segment's slot with another sequence number fails in every command, and leaves it alone", .level = LINUX,
     .clause = "Linux ipc/util.c ipc_checkid()")
{
        int id = make_touched_segment(KEY, PAGE + 1, 0640, 1);
        struct snapshot before = take_snapshot(id);
        const int wrong[] = {id + INDEXES, id ^ 1 << 20};
        static const int commands[] = {IPC_STAT, IPC_SET, IPC_RMID};
        for (size_t w = 0; w < 2; w++) {
                for (size_t i = 0; i < 3; i++) {
                        struct stat_buffer b;
                        memset(&b, POISON, sizeof(b));
                        check_fails(try_shmctl(wrong[w], commands[i], &b.is.ds), ON_POSIX(EINVAL, EIDRM),
                                    ON_LINUX(EINVAL));
                        check_bytes("the buffer", &b, sizeof(b), POISON);
                }
                check_refused_by_lock(wrong[w]);
        }
        check_unchanged(&before);
}

static int make_queue(void)
{
        int id = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
        make_sure(!try_other("msgget(IPC_PRIVATE, IPC_CREAT|0600)", id, id == -1, errno).failed, "no message queue");
        return id;
}

static int make_semaphores(void)
{
        int id = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
        make_sure(!try_other("semget(IPC_PRIVATE, 1, IPC_CREAT|0600)", id, id == -1, errno).failed, "no semaphore set");
        return id;
}

static void check_queue_lives(int id)
{
        /* Some C libraries' structure is shorter than what the kernel writes. */
        union {
                struct msqid_ds ds;
                unsigned char room[SHMC_GUARD];
        } u;
        int r = msgctl(id, IPC_STAT, &u.ds);
        check_succeeds(try_other("msgctl(queue, IPC_STAT)", r, r == -1, errno));
}

static void check_semaphores_live(int id)
{
        int r = semctl(id, 0, GETVAL);
        check_succeeds(try_other("semctl(set, 0, GETVAL)", r, r == -1, errno));
}

CASE("shmctl.id.msg_or_sem",
     "Identifiers of a message queue and a semaphore set fail with EINVAL and leave the queue and the set alive",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmctl ERRORS EINVAL", .needs = NEED_IPC_NAMESPACE)
{
        int queue = make_queue();
        int set = make_semaphores();
        check_unknown(queue);
        check_unknown(set);
        check_queue_lives(queue);
        check_semaphores_live(set);
}

CASE("shmctl.id.separate_spaces",
     "IPC_RMID of a segment leaves the queue and the semaphore set of the same number alive", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmctl IPC_RMID", .needs = NEED_IPC_NAMESPACE)
{
        int queue = make_queue();
        int set = make_semaphores();
        int id = make_segment(IPC_PRIVATE, 1, 0600);
        make_sure(set == id && queue == id, "the first identifiers of a namespace differ: %d, %d and %d", queue, set,
                  id);
        check_succeeds(try_shmctl(id, IPC_RMID, NULL));
        check_queue_lives(queue);
        check_semaphores_live(set);
}

LINUX_CASE("shmctl.id.other_namespace", "An identifier of another IPC namespace fails with EINVAL in every command",
           .level = LINUX, .clause = "ipc_namespaces(7)", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        int here = make_segment(KEY, 1, 0600);
        struct snapshot before = take_snapshot(here);
        int *there = make_shared(sizeof(*there));
        struct child c;
        CHILD(&c, "other namespace")
        {
                make_ipc_namespace();
                make_segment(KEY, 1, 0600);
                *there = make_segment(OTHER_KEY, 1, 0600);
                struct snapshot theirs = take_snapshot(*there);
                tell_parent(&c);
                await_parent(&c);
                check_unchanged(&theirs);
        }
        await_child(&c);
        make_sure(*there != here, "both namespaces gave the same identifier");
        check_unknown(*there);
        check_unchanged(&before);
        tell_child(&c);
        join_child(&c);
#endif
}

LINUX_CASE("shmctl.id.old_namespace",
           "After unshare(CLONE_NEWIPC) the old identifier fails with EINVAL, and the old attach still works",
           .level = LINUX, .clause = "ipc_namespaces(7)", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        int id = make_filled_segment(KEY, PAGE, 0600, 1);
        struct snapshot before = take_snapshot(id);
        IN_CHILD
        {
                void *at = make_attached(id, 0);
                make_ipc_namespace();
                check_unknown(id);
                check_pattern("the old attach", at, PAGE, 1);
                fill_pattern(at, PAGE, 2);
                check_succeeds(try_shmdt(at));
        }
        struct shmid_ds now = make_stat(id);
        check_only_changed(&before.ds, &now, M_ATIME | M_DTIME | M_LPID);
        check_pattern("what was written through it", make_attached(id, 0), PAGE, 2);
#endif
}

/* ---- which error comes first ---- */

CASE("shmctl.order.set_bad_id_null", "IPC_SET with an unknown identifier and buf NULL: Linux says EFAULT",
     .level = POSIX_MAY, .clause = "POSIX XSH shmctl ERRORS", .note = "the buffer is copied first")
{
        LINUX_ONLY
        {
                check_fails(try_shmctl(make_stale_id(), IPC_SET, NULL), EFAULT);
        }
}

CASE("shmctl.order.set_negative_id_null", "IPC_SET with identifier -1 and buf NULL: Linux says EINVAL",
     .level = POSIX_MAY, .clause = "POSIX XSH shmctl ERRORS")
{
        LINUX_ONLY
        {
                check_fails(try_shmctl(-1, IPC_SET, NULL), EINVAL);
        }
}

CASE("shmctl.order.set_no_permission_null", "IPC_SET by a stranger with buf NULL: Linux says EFAULT",
     .level = POSIX_MAY, .clause = "POSIX XSH shmctl ERRORS", .needs = NEED_TWO_UIDS)
{
        int id = make_segment(IPC_PRIVATE, 1, 0666);
        struct snapshot before = take_snapshot(id);
        AS_USER(USER_A, GROUP_A)
        {
                LINUX_ONLY
                {
                        check_fails(try_shmctl(id, IPC_SET, NULL), EFAULT);
                }
        }
        check_unchanged(&before);
}

CASE("shmctl.order.set_no_permission_bad_uid", "IPC_SET by a stranger with uid (uid_t)-1 fails: Linux says EPERM",
     .level = POSIX_MAY, .clause = "POSIX XSH shmctl ERRORS EPERM", .needs = NEED_TWO_UIDS)
{
        int id = make_segment(IPC_PRIVATE, 1, 0666);
        struct snapshot before = take_snapshot(id);
        AS_USER(USER_A, GROUP_A)
        {
                check_fails(try_set(id, (uid_t)-1, getegid(), 0600), ON_POSIX(EPERM, EINVAL), ON_LINUX(EPERM));
        }
        check_unchanged(&before);
}

CASE("shmctl.order.set_bad_id_bad_uid", "IPC_SET with an unknown identifier and uid (uid_t)-1 fails with EINVAL",
     .level = POSIX_MAY, .clause = "POSIX XSH shmctl ERRORS EINVAL")
{
        check_fails(try_set(make_stale_id(), (uid_t)-1, getegid(), 0600), EINVAL);
}

CASE("shmctl.order.stat_bad_id_null", "IPC_STAT with an unknown identifier and buf NULL: Linux says EINVAL",
     .level = POSIX_MAY, .clause = "POSIX XSH shmctl ERRORS")
{
        LINUX_ONLY
        {
                check_fails(try_shmctl(make_stale_id(), IPC_STAT, NULL), EINVAL);
        }
}

CASE("shmctl.order.stat_no_permission_null", "IPC_STAT by a stranger who may not read with buf NULL: Linux says EACCES",
     .level = POSIX_MAY, .clause = "POSIX XSH shmctl ERRORS", .needs = NEED_TWO_UIDS)
{
        int id = make_segment(IPC_PRIVATE, 1, 0660);
        AS_USER(USER_A, GROUP_A)
        {
                LINUX_ONLY
                {
                        check_fails(try_shmctl(id, IPC_STAT, NULL), EACCES);
                }
        }
}
