/*
 * Which identity counts: the effective ids of the caller against the owner's and
 * creator's of the segment (POSIX XSH 2.7.1), at the moment of the call and not
 * later; and what becomes of the rights when ownership moves. The matrix of all
 * classes and modes has a file of its own.
 */
#include "case.h"

#include <grp.h>
#include <stdio.h>
#if defined(__linux__)
#include <fcntl.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#endif

#define SIZE 3333

/* Created by USER_B of GROUP_B, owned by USER_A and GROUP_A. */
static int make_owned(mode_t mode)
{
        int id = make_anothers_filled_segment(USER_B, GROUP_B, KEY, SIZE, 0600, 1);
        make_ownership(id, USER_A, GROUP_A, mode);
        return id;
}

/* Created and owned by USER_A of GROUP_A. */
static int make_own(mode_t mode)
{
        return make_anothers_filled_segment(USER_A, GROUP_A, KEY, SIZE, mode, 1);
}

/* USER_C with three group ids. */
static void become_with_groups(gid_t real, gid_t effective, gid_t saved)
{
#if defined(__linux__) || defined(__FreeBSD__) || defined(__OpenBSD__)
        make_sure(setgroups(0, NULL) == 0 && setresgid(real, effective, saved) == 0 && setuid(USER_C) == 0,
                  "setresgid, setuid: %s", strerror(errno));
        make_sure(getgid() == real && getegid() == effective && geteuid() == USER_C, "the ids asked for are not there");
#else
        (void)real, (void)effective, (void)saved;
        skip_case("this platform has no setresgid");
#endif
}

/* ---- the class is the most specific one ---- */

CASE("perm.class.owner_in_group",
     "On mode 0077 the owner is denied shmat, though its group has the segment's group's bits", .level = POSIX_SHALL,
     .clause = "POSIX XSH 2.7.1 IPC General Description", .needs = NEED_TWO_UIDS)
{
        int id = make_owned(0077);
        AS_USER(USER_A, GROUP_A)
        {
                check_fails(try_shmat(id, NULL, SHM_RDONLY), EACCES);
        }
}

CASE("perm.class.creator_in_owners_group",
     "On mode 0077 the creator is denied shmat, though its group is the segment's", .level = POSIX_SHALL,
     .clause = "POSIX XSH 2.7.1 IPC General Description", .needs = NEED_TWO_UIDS)
{
        int id = make_owned(0077);
        AS_USER(USER_B, GROUP_A)
        {
                check_fails(try_shmat(id, NULL, SHM_RDONLY), EACCES);
        }
}

/* ---- effective ids, and no others ---- */

CASE("perm.id.real_uid_ignored",
     "A stranger whose real uid is the owner's is denied shmat, IPC_SET and IPC_RMID on mode 0600",
     .level = POSIX_SHALL, .clause = "POSIX XSH 2.7.1 IPC General Description", .needs = NEED_TWO_UIDS)
{
        int id = make_owned(0600);
        struct snapshot before = take_snapshot(id);
        IN_CHILD
        {
                become_ids(USER_A, USER_C, USER_C, GROUP_C);
                check_fails(try_shmat(id, NULL, 0), EACCES);
                check_fails(try_set(id, USER_C, GROUP_C, 0666), EPERM);
                check_fails(try_shmctl(id, IPC_RMID, NULL), EPERM);
        }
        check_unchanged(&before);
}

CASE("perm.id.effective_uid_counts",
     "Whose effective uid is the owner's may shmat and IPC_SET on mode 0600, whatever its real uid",
     .level = POSIX_SHALL, .clause = "POSIX XSH 2.7.1 IPC General Description", .needs = NEED_TWO_UIDS)
{
        int id = make_owned(0600);
        IN_CHILD
        {
                become_ids(USER_C, USER_A, USER_C, GROUP_C);
                check_succeeds(try_shmat(id, NULL, 0));
                check_succeeds(try_set(id, USER_A, GROUP_A, 0640));
        }
        check_mode(make_stat(id).shm_perm.mode & 0777, 0640);
}

CASE("perm.id.saved_uid_ignored",
     "Whose saved uid is the owner's is denied shmat until seteuid takes it, and again after seteuid back",
     .level = POSIX_SHALL, .clause = "POSIX XSH 2.7.1 IPC General Description", .needs = NEED_TWO_UIDS)
{
        int id = make_owned(0600);
        IN_CHILD
        {
                become_ids(USER_C, USER_C, USER_A, GROUP_C);
                check_fails(try_shmat(id, NULL, SHM_RDONLY), EACCES);
                make_sure(seteuid(USER_A) == 0, "seteuid: %s", strerror(errno));
                check_succeeds(try_shmat(id, NULL, SHM_RDONLY));
                make_sure(seteuid(USER_C) == 0, "seteuid: %s", strerror(errno));
                check_fails(try_shmat(id, NULL, SHM_RDONLY), EACCES);
        }
}

CASE("perm.id.effective_gid_counts",
     "On mode 0060 an effective gid that is the segment's grants shmat; a real or a saved one alone does not",
     .level = POSIX_SHALL, .clause = "POSIX XSH 2.7.1 IPC General Description", .needs = NEED_TWO_UIDS)
{
        int id = make_owned(0060);
        IN_CHILD
        {
                become_with_groups(GROUP_C, GROUP_A, GROUP_C);
                check_succeeds(try_shmat(id, NULL, 0));
        }
        IN_CHILD
        {
                become_with_groups(GROUP_A, GROUP_C, GROUP_C);
                check_fails(try_shmat(id, NULL, 0), EACCES);
        }
        IN_CHILD
        {
                become_with_groups(GROUP_C, GROUP_C, GROUP_A);
                check_fails(try_shmat(id, NULL, 0), EACCES);
        }
}

LINUX_CASE("perm.id.fsuid_ignored", "The file system uid neither grants nor denies: the effective uid decides",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/util.c ipcperms()", .needs = NEED_TWO_UIDS)
{
#ifdef __linux__
        /* An id that cannot be set asks for the present one, which followed the effective one. */
        if (setfsuid((uid_t)-1) != (int)geteuid())
                skip_case("this kernel gives a process no file system uid");
        int id = make_owned(0600);
        IN_CHILD
        {
                become_ids(USER_A, USER_C, USER_C, GROUP_C);
                setfsuid(USER_A);
                make_sure(setfsuid((uid_t)-1) == (int)USER_A, "setfsuid to the owner has no effect");
                check_fails(try_shmat(id, NULL, 0), EACCES);
        }
        IN_CHILD
        {
                become_ids(USER_C, USER_A, USER_A, GROUP_C);
                setfsuid(USER_C);
                make_sure(setfsuid((uid_t)-1) == (int)USER_C, "setfsuid to a stranger has no effect");
                check_succeeds(try_shmat(id, NULL, 0));
        }
#endif
}

LINUX_CASE("perm.id.fsgid_counts", "On mode 0060 the file system gid decides, not the effective gid",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux kernel/groups.c in_group_p()", .needs = NEED_TWO_UIDS,
           .note = "unlike the uid; setegid moves the file system gid too")
{
#ifdef __linux__
        if (setfsgid((gid_t)-1) != (int)getegid())
                skip_case("this kernel gives a process no file system gid");
        int id = make_owned(0060);
        IN_CHILD
        {
                become_with_groups(GROUP_A, GROUP_C, GROUP_C);
                setfsgid(GROUP_A);
                make_sure(setfsgid((gid_t)-1) == (int)GROUP_A, "setfsgid to the segment's group has no effect");
                check_succeeds(try_shmat(id, NULL, 0));
        }
        IN_CHILD
        {
                become_with_groups(GROUP_C, GROUP_A, GROUP_A);
                setfsgid(GROUP_C);
                make_sure(setfsgid((gid_t)-1) == (int)GROUP_C, "setfsgid to another group has no effect");
                check_fails(try_shmat(id, NULL, 0), EACCES);
        }
#endif
}

CASE("perm.id.by_id_alone",
     "A stranger that knows the id of an IPC_PRIVATE segment of mode 0666 may shmat and IPC_STAT it",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmat DESCRIPTION; POSIX XSH shmget IPC_PRIVATE",
     .needs = NEED_TWO_UIDS)
{
        int id = make_filled_segment(IPC_PRIVATE, SIZE, 0666, 1);
        AS_USER(USER_C, GROUP_C)
        {
                struct stat_buffer b;
                struct outcome attached = try_shmat(id, NULL, 0);
                check_succeeds(attached);
                if (!attached.failed)
                        check_pattern("the stranger reads the contents", address_of(attached), SIZE, 1);
                check_succeeds(try_shmctl(id, IPC_STAT, &b.is.ds));
        }
}

/* ---- set-user-ID programs ---- */

/* The exit status of a set-user-ID program that could not do what it is for; no errno. */
#define NOT_TRIED 254

#ifdef __linux__

#define COPY "setuid-program"

/*
 * The scratch directory as one that honours set-user-ID: bound onto itself in a
 * mount namespace of this process, where its flags are nobody else's.
 */
static bool honour_setuid(void)
{
        struct statvfs fs;
        char here[PATH_MAX];
        if (statvfs(".", &fs) == 0 && !(fs.f_flag & ST_NOSUID))
                return true;
        return getcwd(here, sizeof(here)) && unshare(CLONE_NEWNS) == 0 &&
               mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
               mount(here, here, NULL, MS_BIND, NULL) == 0 &&
               mount("none", here, NULL, MS_REMOUNT | MS_BIND, NULL) == 0 && chdir(here) == 0 &&
               statvfs(".", &fs) == 0 && !(fs.f_flag & ST_NOSUID);
}

/* Becomes USER_C, and then the set-user-ID program named by the words. */
SHMC_NORETURN static void become_setuid_program(const char *program, const char *first, const char *second)
{
        become_user(USER_C, GROUP_C);
        char words[5][24];
        const char *const texts[5] = {COPY, "--program", program, first, second};
        char *argv[6] = {NULL};
        for (int i = 0; i < 5 && texts[i]; i++) {
                snprintf(words[i], sizeof(words[i]), "%s", texts[i]);
                argv[i] = words[i];
        }
        execv(COPY, argv);
        _exit(NOT_TRIED);
}

/* The exit status of the set-user-ID program of one word or none, started by USER_C. */
static int exit_status_of_setuid_program(const char *program, const char *word)
{
        pid_t pid = fork();
        make_sure(pid != -1, "fork: %s", strerror(errno));
        if (pid == 0)
                become_setuid_program(program, word, NULL);
        int status = 0;
        make_sure(waitpid(pid, &status, 0) == pid && WIFEXITED(status), "the set-user-ID program died");
        return WEXITSTATUS(status);
}

/* A copy of the agent, set-user-ID to USER_A, in the scratch directory. */
static void make_setuid_program(void)
{
        make_scratch_directory();
        if (!honour_setuid() || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
                skip_case("needs suid-exec: no set-user-ID program can be had");
        int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        if (from == -1)
                skip_case("needs suid-exec: /proc/self/exe: %s", strerror(errno));
        int to = open(COPY, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0700);
        make_sure(to != -1, COPY ": %s", strerror(errno));
        static char bytes[64 * 1024];
        for (ssize_t n; (n = read(from, bytes, sizeof(bytes))) > 0;)
                make_sure(write(to, bytes, (size_t)n) == n, COPY ": %s", strerror(errno));
        make_sure(fchown(to, USER_A, GROUP_A) == 0 && fchmod(to, 04755) == 0, COPY ": %s", strerror(errno));
        close(to);
        close(from);
        /* An emulator of programs may not start the copy at all, or start it without its owner's rights. */
        if (exit_status_of_setuid_program("identity.owner", NULL) != 0)
                skip_case("needs suid-exec: a set-user-ID copy of the agent does not run as its owner");
}
#endif

/* Exit status: 0 if it runs as USER_A. */
PROGRAM("identity.owner")
{
        (void)argc, (void)argv;
        return geteuid() == USER_A ? 0 : NOT_TRIED;
}

/* Exit status: what shmat of the id in its word gives, 0 or errno; NOT_TRIED if it does not run as USER_A. */
PROGRAM("identity.attach")
{
        if (argc != 1 || geteuid() != USER_A)
                return NOT_TRIED;
        return (intptr_t)shmat(atoi(argv[0]), NULL, 0) != -1 ? 0 : errno;
}

/* Keeps step over the pipes whose descriptors it is given: says that it runs as USER_A, and runs until it is told. */
PROGRAM("identity.hold")
{
        char token = 'x';
        if (argc != 2 || geteuid() != USER_A || write(atoi(argv[0]), &token, 1) != 1)
                return NOT_TRIED;
        return read(atoi(argv[1]), &token, 1) == 1 ? 0 : 1;
}

#ifdef __linux__
/* The outcome of a shmat by the set-user-ID program, started by USER_C. */
static struct outcome try_shmat_in_setuid_program(int id)
{
        char number[16];
        snprintf(number, sizeof(number), "%d", id);
        int error = exit_status_of_setuid_program("identity.attach", number);
        make_sure(error != NOT_TRIED, "the set-user-ID program did not run as its owner");
        char text[96];
        snprintf(text, sizeof(text), "shmat(%d, NULL, 0) by a program that is set-user-ID to uid %u", id,
                 (unsigned)USER_A);
        return try_other(text, error ? -1 : 0, error != 0, error);
}
#endif

CASE("perm.id.setuid_program",
     "After exec of a set-user-ID program its new euid decides: it is granted what its owner is", .level = POSIX_SHALL,
     .clause = "POSIX XSH exec DESCRIPTION; POSIX XSH 2.7.1 IPC General Description",
     .needs = NEED_ROOT | NEED_TWO_UIDS)
{
#ifdef __linux__
        struct ids {
                int of_owner, of_caller;
        } *ids = make_shared(sizeof(*ids));
        AS_USER(USER_A, GROUP_A)
        {
                ids->of_owner = make_segment(KEY, SIZE, 0600);
        }
        AS_USER(USER_C, GROUP_C)
        {
                ids->of_caller = make_segment(OTHER_KEY, SIZE, 0600);
        }
        make_setuid_program();
        check_succeeds(try_shmat_in_setuid_program(ids->of_owner));
        check_fails(try_shmat_in_setuid_program(ids->of_caller), EACCES);
#else
        skip_case("needs suid-exec: the case knows no way to a set-user-ID copy of itself here");
#endif
}

CASE("life.exec.setuid", "exec of a set-user-ID program detaches all attachments", .level = POSIX_SHALL,
     .clause = "POSIX XSH exec DESCRIPTION", .needs = NEED_ROOT | NEED_TWO_UIDS)
{
#ifdef __linux__
        int id = make_own(0666);
        make_setuid_program();
        struct child c;
        CHILD(&c, "execer")
        {
                make_attached(id, 0);
                make_attached(id, SHM_RDONLY);
                tell_parent(&c);
                await_parent(&c);
                char out[16];
                char in[16];
                snprintf(out, sizeof(out), "%d", c.to_parent[1]);
                snprintf(in, sizeof(in), "%d", c.to_child[0]);
                become_setuid_program("identity.hold", out, in);
        }
        await_child(&c);
        check_equal(attachments(id), 2);
        tell_child(&c);
        await_child(&c);
        check_equal(attachments(id), 0);
        tell_child(&c);
        join_child(&c);
#else
        skip_case("needs suid-exec: the case knows no way to a set-user-ID copy of itself here");
#endif
}

/* ---- denied calls ---- */

CASE("perm.get.creat_denied",
     "IPC_CREAT without IPC_EXCL on a denied key fails with EACCES and makes no second segment", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget ERRORS EACCES", .needs = NEED_TWO_UIDS)
{
        int id = make_own(0600);
        struct snapshot before = take_snapshot(id);
        AS_USER(USER_C, GROUP_C)
        {
                check_fails(try_shmget(KEY, SIZE, IPC_CREAT | 0600), EACCES);
        }
        check_unchanged(&before);
        check_equal(id_of(try_shmget(KEY, 0, 0)), id);
}

CASE("perm.deny.changes_nothing", "What a stranger is denied on mode 0600 leaves the whole shmid_ds and the contents",
     .level = POSIX_SHALL, .clause = "POSIX XSH 2.3 Error Numbers", .needs = NEED_TWO_UIDS)
{
        int id = make_own(0600);
        make_touched_by_another(id, SIZE, 1);
        struct snapshot before = take_snapshot(id);
        AS_USER(USER_C, GROUP_C)
        {
                struct stat_buffer b;
                check_fails(try_shmget(KEY, 0, 0600), EACCES);
                check_fails(try_shmat(id, NULL, 0), EACCES);
                check_fails(try_shmctl(id, IPC_STAT, &b.is.ds), EACCES);
                check_fails(try_set(id, USER_C, GROUP_C, 0666), EPERM);
                check_fails(try_shmctl(id, IPC_RMID, NULL), EPERM);
#ifdef SHM_LOCK
                LINUX_ONLY
                {
                        check_fails(try_shmctl(id, SHM_LOCK, NULL), EPERM);
                }
#endif
        }
        check_unchanged(&before);
        struct outcome attached = try_shmat(id, NULL, SHM_RDONLY);
        check_succeeds(attached);
        if (!attached.failed)
                check_pattern("the contents are as before", address_of(attached), SIZE, 1);
}

/* ---- checked at attach only ---- */

LINUX_CASE("perm.attached.mode_revoked",
           "After IPC_SET to mode 0 what was attached before can be stored to, a new shmat is denied",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c do_shmat()", .needs = NEED_TWO_UIDS)
{
#ifdef __linux__
        int id = make_own(0600);
        struct death d;
        DOOMED(&d)
        {
                become_user(USER_A, GROUP_A);
                void *at = make_attached(id, 0);
                make_ownership(id, USER_A, GROUP_A, 0);
                check_fails(try_shmat(id, NULL, SHM_RDONLY), ON_POSIX(EACCES), ON_LINUX(EACCES));
                fill_pattern(at, SIZE, 2);
        }
        check_death("stores into the attachment", &d, OK);
        check_pattern("what was stored is there", make_attached(id, SHM_RDONLY), SIZE, 2);
#endif
}

LINUX_CASE("perm.attached.identity_changed",
           "After setuid to a stranger the attachment works on, in a child too; a new shmat is denied",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c do_shmat()", .needs = NEED_TWO_UIDS)
{
#ifdef __linux__
        int id = make_own(0600);
        struct death d;
        DOOMED(&d)
        {
                unsigned char *at = make_attached(id, 0);
                become_user(USER_C, GROUP_C);
                check_pattern("the stranger reads the contents", at, SIZE, 1);
                fill_pattern(at, SIZE, 2);
                check_fails(try_shmat(id, NULL, SHM_RDONLY), ON_POSIX(EACCES), ON_LINUX(EACCES));
                IN_CHILD
                {
                        check_pattern("its child reads the contents", at, SIZE, 2);
                        fill_pattern(at, SIZE, 3);
                }
        }
        check_death("loads and stores of the attachment", &d, OK);
        check_pattern("what was stored is there", make_attached(id, SHM_RDONLY), SIZE, 3);
#endif
}

LINUX_CASE("perm.attached.owner_moved", "After uid and gid went to others the former owner's attachment works on",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c do_shmat()", .needs = NEED_TWO_UIDS)
{
#ifdef __linux__
        int id = make_owned(0600);
        struct child owner;
        CHILD(&owner, "owner")
        {
                become_user(USER_A, GROUP_A);
                void *at = make_attached(id, 0);
                tell_parent(&owner);
                await_parent(&owner);
                check_pattern("the former owner reads the contents", at, SIZE, 1);
                fill_pattern(at, SIZE, 2);
        }
        await_child(&owner);
        make_ownership(id, USER_C, GROUP_C, 0600);
        tell_child(&owner);
        join_child(&owner);
        check_pattern("what it stored is there", make_attached(id, SHM_RDONLY), SIZE, 2);
#endif
}

CASE("perm.exit.needs_no_permission", "Exit detaches although mode and owner no longer grant the process anything",
     .level = POSIX_SHALL, .clause = "POSIX XSH _Exit Consequences of Process Termination", .needs = NEED_TWO_UIDS)
{
        int id = make_owned(0600);
        struct child owner;
        CHILD(&owner, "owner")
        {
                become_user(USER_A, GROUP_A);
                make_attached(id, 0);
                tell_parent(&owner);
                await_parent(&owner);
        }
        await_child(&owner);
        make_attached(id, 0);
        make_ownership(id, USER_C, GROUP_C, 0);
        check_equal(attachments(id), 2);
        tell_child(&owner);
        join_child(&owner);
        struct shmid_ds ds = make_stat(id);
        check_equal(ds.shm_nattch, 1);
        LINUX_ONLY
        {
                check_equal(ds.shm_lpid, owner.pid);
        }
}

/* ---- ownership that moves ---- */

CASE("perm.moved.give_away", "An ordinary owner may IPC_SET a uid and gid that it has not: 65534, 2^31, 2^32-2",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmctl IPC_SET", .needs = NEED_ROOT | NEED_TWO_UIDS)
{
        static const uint32_t strange[] = {65534U, 0x80000000U, 0xfffffffeU};
        int id = make_own(0600);
        for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++) {
                AS_USER(USER_A, GROUP_A)
                {
                        check_succeeds(try_set(id, (uid_t)strange[i], (gid_t)strange[i], 0600));
                }
                struct shmid_ds ds = make_stat(id);
                check_equal(ds.shm_perm.uid, strange[i]);
                check_equal(ds.shm_perm.gid, strange[i]);
        }
}

CASE("perm.moved.creator", "After it gave the segment away the creator has the user digit, IPC_SET and IPC_RMID",
     .level = POSIX_SHALL, .clause = "POSIX XSH 2.7.1 IPC General Description; POSIX XSH shmctl ERRORS EPERM",
     .needs = NEED_TWO_UIDS)
{
        int id = make_own(0600);
        AS_USER(USER_A, GROUP_A)
        {
                make_ownership(id, USER_B, GROUP_B, 0600);
                struct outcome attached = try_shmat(id, NULL, 0);
                check_succeeds(attached);
                check_succeeds(try_set(id, USER_A, GROUP_A, 0640));
                check_equal(make_stat(id).shm_perm.uid, USER_A);
                check_succeeds(try_set(id, USER_B, GROUP_B, 0));
                check_fails(try_shmat(id, NULL, SHM_RDONLY), EACCES);
                if (!attached.failed)
                        make_detached(address_of(attached));
                check_succeeds(try_shmctl(id, IPC_RMID, NULL));
        }
        struct stat_buffer b;
        check_fails(try_shmctl(id, IPC_STAT, &b.is.ds), EINVAL);
}

CASE("perm.moved.new_owner", "The new owner may shmat and IPC_SET at once", .level = POSIX_SHALL,
     .clause = "POSIX XSH 2.7.1 IPC General Description", .needs = NEED_TWO_UIDS)
{
        int id = make_own(0600);
        AS_USER(USER_A, GROUP_A)
        {
                make_ownership(id, USER_B, GROUP_B, 0600);
        }
        AS_USER(USER_B, GROUP_C)
        {
                check_succeeds(try_shmat(id, NULL, 0));
                check_succeeds(try_set(id, USER_B, GROUP_B, 0640));
        }
        check_mode(make_stat(id).shm_perm.mode & 0777, 0640);
}

CASE("perm.moved.former_owner",
     "Who was owner only for a while, between creator and new owner, is a stranger afterwards", .level = POSIX_SHALL,
     .clause = "POSIX XSH 2.7.1 IPC General Description; POSIX XSH shmctl ERRORS EPERM", .needs = NEED_TWO_UIDS)
{
        int id = make_own(0600);
        AS_USER(USER_A, GROUP_A)
        {
                make_ownership(id, USER_B, GROUP_B, 0600);
        }
        AS_USER(USER_B, GROUP_B)
        {
                make_ownership(id, USER_C, GROUP_C, 0600);
        }
        struct snapshot before = take_snapshot(id);
        AS_USER(USER_B, GROUP_B)
        {
                struct stat_buffer b;
                check_fails(try_shmat(id, NULL, SHM_RDONLY), EACCES);
                check_fails(try_shmctl(id, IPC_STAT, &b.is.ds), EACCES);
                check_fails(try_set(id, USER_B, GROUP_B, 0666), EPERM);
                check_fails(try_shmctl(id, IPC_RMID, NULL), EPERM);
#ifdef SHM_LOCK
                LINUX_ONLY
                {
                        check_fails(try_shmctl(id, SHM_LOCK, NULL), EPERM);
                }
#endif
        }
        check_unchanged(&before);
}

CASE("perm.moved.groups",
     "After IPC_SET the new group and the creator's have the group digit, the former owner's has not",
     .level = POSIX_SHALL, .clause = "POSIX XSH 2.7.1 IPC General Description", .needs = NEED_TWO_UIDS)
{
        int id = make_own(0600);
        make_ownership(id, USER_A, GROUP_B, 0060);
        make_ownership(id, USER_A, GROUP_C, 0060);
        AS_USER(USER_C, GROUP_C)
        {
                check_succeeds(try_shmat(id, NULL, 0));
        }
        AS_USER(USER_C, GROUP_A)
        {
                check_succeeds(try_shmat(id, NULL, 0));
        }
        AS_USER(USER_C, GROUP_B)
        {
                check_fails(try_shmat(id, NULL, 0), EACCES);
        }
}

LINUX_CASE("perm.marked.still_checked",
           "A stranger is denied every call on a marked, attached segment of mode 0600 too",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/util.c ipcperms()", .needs = NEED_TWO_UIDS)
{
#ifdef __linux__
        int id = make_own(0600);
        /* A holder of its own: the stranger must not inherit an attachment, whose end would count. */
        struct child holder;
        start_holder(&holder, id);
        make_removed(id);
        struct snapshot before = take_snapshot(id);
        AS_USER(USER_C, GROUP_C)
        {
                struct stat_buffer b;
                check_fails(try_shmat(id, NULL, SHM_RDONLY), EACCES);
                check_fails(try_shmctl(id, IPC_STAT, &b.is.ds), EACCES);
                check_fails(try_set(id, USER_C, GROUP_C, 0666), EPERM);
                check_fails(try_shmctl(id, IPC_RMID, NULL), EPERM);
        }
        check_unchanged(&before);
        end_holder(&holder);
#endif
}
