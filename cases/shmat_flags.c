/*
 * What the flags of shmat make of the memory: read-write, SHM_RDONLY, Linux'
 * SHM_EXEC, and bits that mean nothing. Whether a write or a jump is stopped is
 * seen in a child that is expected to die of it.
 *
 * Code is a single return instruction; where the processor's is not known here
 * such a case is skipped.
 */
#include "case.h"

#if defined(__linux__)
#include <sys/personality.h>
#include <sys/prctl.h>
#endif

#define SIZE 3333
#define SEED 5

/* What a signal tells of the address that raised it: on IBM Z its page alone. */
static uintptr_t told_address(const char *at)
{
#ifdef __s390__
        return (uintptr_t)at & ~(uintptr_t)(PAGE - 1);
#else
        return (uintptr_t)at;
#endif
}

/* The write's signal says why and where. */
/* The write's signal says why and where. */
static void check_denied_write(const char *what, char *at)
{
        struct death writer = check_unwritable(what, at);
        if (writer.signal_number == 0)
                return;
        LINUX_ONLY
        {
                check_equal(writer.code, SEGV_ACCERR);
                check_explained(writer.address == told_address(at), "si_addr is the address written to", "0x%" PRIxPTR,
                                writer.address);
        }
}

CASE("shmat.flag.read_write", "With flags 0 the attachment can be read and written", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmat DESCRIPTION")
{
        int id = make_filled_segment(KEY, SIZE, 0600, SEED);
        struct outcome attached = try_shmat(id, NULL, 0);
        check_succeeds(attached);
        if (attached.failed)
                return;
        char *at = address_of(attached);
        check_pattern("it reads what is in the segment", at, SIZE, SEED);
        check_writable("a write", at);
        fill_pattern(at, SIZE, SEED + 1);
        check_pattern("what is written is in the segment", make_attached(id, SHM_RDONLY), SIZE, SEED + 1);
}

CASE("shmat.flag.rdonly_read", "With SHM_RDONLY the contents can be read", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmat DESCRIPTION")
{
        int id = make_filled_segment(KEY, SIZE, 0600, SEED);
        struct outcome attached = try_shmat(id, NULL, SHM_RDONLY);
        check_succeeds(attached);
        if (!attached.failed)
                check_pattern("it reads what is in the segment", address_of(attached), SIZE, SEED);
}

CASE("shmat.flag.rdonly_write", "A write to an SHM_RDONLY attachment raises a signal, and the contents stay",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmat DESCRIPTION")
{
        int id = make_filled_segment(KEY, SIZE, 0600, SEED);
        char *at = make_attached(id, SHM_RDONLY);
        check_denied_write("a write to the first byte", at);
        check_denied_write("a write to the last byte", at + SIZE - 1);
        check_pattern("the contents are as before", at, SIZE, SEED);
}

CASE("shmat.flag.rdonly_beside_rw",
     "Attached both ways in one process, what is written to one is seen in the other, which stays unwritable; "
     "shm_nattch is 2",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmat DESCRIPTION")
{
        int id = make_segment(KEY, SIZE, 0600);
        char *writable = make_attached(id, 0);
        struct outcome second = try_shmat(id, NULL, SHM_RDONLY);
        check_succeeds(second);
        if (second.failed)
                return;
        fill_pattern(writable, SIZE, SEED);
        check_pattern("what is written to one is seen in the other", address_of(second), SIZE, SEED);
        check_equal(make_stat(id).shm_nattch, 2);
        check_denied_write("a write to the read-only one", address_of(second));
        check_pattern("the contents are as before", writable, SIZE, SEED);
}

/* ---- the kernel's accesses ---- */

CASE("shmat.flag.rdonly_kernel_write",
     "read(2) from a pipe into an SHM_RDONLY attachment: EFAULT; the contents stay, and so do the data in the pipe",
     .level = LINUX, .clause = "read(2) ERRORS EFAULT", .differs = "proot --sysvipc lets it be written")
{
        int id = make_filled_segment(KEY, SIZE, 0600, SEED);
        char *at = make_attached(id, SHM_RDONLY);
        static const char message[] = "for another reader";
        int fds[2];
        make_sure(pipe(fds) == 0 && write(fds[1], message, sizeof(message)) == (ssize_t)sizeof(message), "pipe: %s",
                  strerror(errno));
        errno = 0;
        ssize_t n = read(fds[0], at, sizeof(message));
        int error = errno;
        check_fails(try_other("read into the attachment", n, n == -1, error), EFAULT);
        check_pattern("the contents are as before", at, SIZE, SEED);
        if (n != -1)
                return;
        char received[sizeof(message)] = "";
        check_equal(read(fds[0], received, sizeof(received)), sizeof(message));
        check_that(memcmp(received, message, sizeof(message)) == 0, "the data are still in the pipe");
}

CASE("shmat.flag.rdonly_stat_buffer", "IPC_STAT with a buffer in an SHM_RDONLY attachment fails, and the contents stay",
     .level = LINUX, .clause = "shmctl(2) ERRORS EFAULT",
     .note = "a C library that converts the structure itself is killed by SIGSEGV")
{
        int id = make_filled_segment(KEY, SIZE, 0600, SEED);
        char *at = make_attached(id, SHM_RDONLY);
        struct death caller;
        DOOMED(&caller)
        {
                check_fails(try_shmctl(id, IPC_STAT, at), EFAULT);
        }
        if (sizeof(void *) == sizeof(uint64_t))
                check_death("the caller", &caller, OK);
        else
                check_death("the caller", &caller, OK, SIGSEGV);
        check_pattern("the contents are as before", at, SIZE, SEED);
}

CASE("shmat.flag.rdonly_kernel_read", "write(2) to a pipe from an SHM_RDONLY attachment sends the contents",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmat DESCRIPTION")
{
        int id = make_filled_segment(KEY, SIZE, 0600, SEED);
        char *at = make_attached(id, SHM_RDONLY);
        char received[SIZE] = "";
        int fds[2];
        make_sure(pipe(fds) == 0, "pipe: %s", strerror(errno));
        errno = 0;
        ssize_t n = write(fds[1], at, SIZE);
        int error = errno;
        check_succeeds(try_other("write from the attachment", n, n == -1, error));
        if (n == -1)
                return;
        check_equal(n, SIZE);
        check_equal(read(fds[0], received, sizeof(received)), SIZE);
        check_pattern("the contents came through", received, SIZE, SEED);
}

/* ---- SHM_EXEC ---- */

#ifdef __linux__

/* A segment of that mode that begins with a function that returns at once. */
static int make_code_segment(key_t key, int mode)
{
        int id = make_segment(key, SIZE, 0600);
        char *at = make_attached(id, 0);
        make_code(at);
        make_detached(at);
        make_ownership(id, geteuid(), getegid(), (mode_t)mode);
        return id;
}

static void run_code(const void *at)
{
        void (*function)(void);
        memcpy(&function, &at, sizeof(at));
        function();
}

static void check_does_not_run(const char *what, const void *at)
{
        struct death runner;
        DOOMED(&runner)
        {
                run_code(at);
        }
        check_death(what, &runner, SIGSEGV);
        if (runner.signal_number)
                check_equal(runner.code, SEGV_ACCERR);
}

/* Whether the processor keeps code from running in memory without PROT_EXEC. */
static bool has_no_exec(void)
{
        char *at = make_mapping(NULL, PAGE, PROT_READ | PROT_WRITE);
        make_code(at);
        struct death runner;
        DOOMED(&runner)
        {
                run_code(at);
        }
        return runner.signal_number != 0;
}

#endif

LINUX_CASE("shmat.flag.exec_runs", "With SHM_EXEC, on a segment of mode 0700, code in the segment runs", .level = LINUX,
           .clause = "shmop(2) SHM_EXEC", .differs = "qemu-user and valgrind: SIGSEGV")
{
#ifdef __linux__
        int id = make_code_segment(KEY, 0700);
        struct outcome attached = try_shmat(id, NULL, SHM_EXEC);
        check_succeeds(attached);
        if (attached.failed)
                return;
        check_runs("code in the segment", address_of(attached));
        check_writable("a write", (char *)address_of(attached) + PAGE - 1);
#endif
}

LINUX_CASE("shmat.flag.exec_rdonly",
           "With SHM_EXEC and SHM_RDONLY, on a segment of mode 0500, code runs and a write raises SIGSEGV",
           .level = LINUX, .clause = "shmop(2) SHM_EXEC", .needs = NEED_UNPRIVILEGED)
{
#ifdef __linux__
        int id = make_code_segment(KEY, 0500);
        struct outcome attached = try_shmat(id, NULL, SHM_EXEC | SHM_RDONLY);
        check_succeeds(attached);
        if (attached.failed)
                return;
        check_runs("code in the segment", address_of(attached));
        check_denied_write("a write", address_of(attached));
#endif
}

LINUX_CASE("shmat.flag.no_exec",
           "Without SHM_EXEC, read-only or not, code in a segment of mode 0700 does not run, beside an SHM_EXEC "
           "attachment either",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c do_shmat()")
{
#ifdef __linux__
        int id = make_code_segment(KEY, 0700);
        if (!has_no_exec())
                skip_case("code runs in any readable memory here");
        make_attached(id, SHM_EXEC);
        check_does_not_run("code in a read-write attachment", make_attached(id, 0));
        check_does_not_run("code in a read-only attachment", make_attached(id, SHM_RDONLY));
#endif
}

LINUX_CASE("shmat.flag.exec_without_x", "SHM_EXEC on mode 0600 by the owner: EACCES, and nothing changes",
           .level = LINUX, .clause = "shmop(2) SHM_EXEC", .needs = NEED_UNPRIVILEGED)
{
#ifdef __linux__
        int id = make_segment(KEY, SIZE, 0600);
        make_touched_by_another(id, SIZE, SEED);
        struct snapshot before = take_snapshot(id);
        check_fails(try_shmat(id, NULL, SHM_EXEC), EACCES);
        check_fails(try_shmat(id, NULL, SHM_EXEC | SHM_RDONLY), EACCES);
        check_unchanged(&before);
#endif
}

LINUX_CASE("shmat.flag.exec_without_x_capable", "SHM_EXEC on mode 0600 with CAP_IPC_OWNER attaches, and code runs",
           .level = LINUX, .clause = "capabilities(7) CAP_IPC_OWNER", .needs = NEED_CAP_DROP)
{
#ifdef __linux__
        int id = make_code_segment(KEY, 0600);
        struct outcome attached = try_shmat(id, NULL, SHM_EXEC);
        check_succeeds(attached);
        if (!attached.failed)
                check_runs("code in the segment", address_of(attached));
#endif
}

LINUX_CASE("shmat.flag.read_implies_exec",
           "Under the personality READ_IMPLIES_EXEC, read-write and read-only attachments of mode 0600 run code",
           .level = LINUX_UNDOCUMENTED, .clause = "personality(2) READ_IMPLIES_EXEC")
{
#ifdef __linux__
        int old = personality(0xffffffffU);
        if (old == -1 || personality((unsigned)old | READ_IMPLIES_EXEC) == -1)
                skip_case("personality: %s", strerror(errno));
        int id = make_code_segment(KEY, 0600);
        check_runs("code in a read-write attachment", make_attached(id, 0));
        check_runs("code in a read-only attachment", make_attached(id, SHM_RDONLY));
#endif
}

#ifdef __linux__
#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#endif
#ifndef PR_MDWE_REFUSE_EXEC_GAIN
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif
#endif

LINUX_CASE("shmat.flag.exec_mdwe",
           "After prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN) SHM_EXEC fails with EACCES and changes nothing; with "
           "SHM_RDONLY too it works",
           .level = LINUX_UNDOCUMENTED, .clause = "prctl(2) PR_SET_MDWE", .note = "since Linux 6.3")
{
#ifdef __linux__
        int id = make_code_segment(KEY, 0700);
        make_touched_by_another(id, 0, SEED);
        if (prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0L, 0L, 0L) == -1)
                skip_case("prctl(PR_SET_MDWE): %s", strerror(errno));
        struct snapshot before = take_snapshot(id);
        check_fails(try_shmat(id, NULL, SHM_EXEC), EACCES);
        check_unchanged(&before);
        struct outcome read_only = try_shmat(id, NULL, SHM_EXEC | SHM_RDONLY);
        check_succeeds(read_only);
        if (!read_only.failed)
                check_runs("code in the read-only attachment", address_of(read_only));
#endif
}

/* ---- other bits ---- */

LINUX_CASE("shmat.flag.unknown_ignored",
           "Each bit that shmat has no meaning for, alone and all together, the sign bit too, attaches as without it, "
           "and SHM_RDONLY beside them is kept",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c do_shmat()")
{
#ifdef __linux__
        const unsigned known = SHM_RDONLY | SHM_RND | SHM_REMAP | SHM_EXEC;
        int id = make_filled_segment(KEY, SIZE, 0600, SEED);
        for (unsigned bit = 1; bit != 0; bit <<= 1) {
                if (bit & known)
                        continue;
                struct outcome attached = try_shmat(id, NULL, (int)bit);
                check_succeeds(attached);
                if (attached.failed)
                        continue;
                check_writable("a write with that bit", (char *)address_of(attached) + SIZE);
                make_detached(address_of(attached));
        }
        struct outcome all = try_shmat(id, NULL, (int)~known);
        check_succeeds(all);
        if (!all.failed) {
                check_pattern("it reads what is in the segment", address_of(all), SIZE, SEED);
                check_writable("a write with all other bits", (char *)address_of(all) + SIZE);
        }
        struct outcome read_only = try_shmat(id, NULL, (int)~known | SHM_RDONLY);
        check_succeeds(read_only);
        if (!read_only.failed)
                check_denied_write("a write with all other bits and SHM_RDONLY", address_of(read_only));
#endif
}

LINUX_CASE("shmat.flag.all_bits_address",
           "With shmflg -1 and an unaligned mapped address, on mode 0700, the mapping at the address rounded down is "
           "replaced by a read-only executable attachment; with a null address it is EINVAL",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c do_shmat()")
{
#ifdef __linux__
        int id = make_code_segment(KEY, 0700);
        char *mapping = make_mapping(make_free_range(LBA), LBA, PROT_READ | PROT_WRITE);
        struct snapshot before = take_snapshot(id);
        check_fails(try_shmat(id, NULL, -1), EINVAL);
        check_unchanged(&before);
        struct outcome attached = try_shmat(id, mapping + 1, -1);
        check_succeeds(attached);
        if (attached.failed)
                return;
        check_explained(address_of(attached) == mapping, "attached at the address rounded down", "%p, not %p",
                        address_of(attached), (void *)mapping);
        check_runs("code in the segment", address_of(attached));
        check_denied_write("a write", address_of(attached));
#endif
}

CASE("shmat.flag.kept_after_set",
     "IPC_SET to mode 0 and another owner, and the caller's becoming another user, leave an attachment readable and "
     "writable",
     .level = POSIX_IMPL_DEFINED, .clause = "POSIX XSH shmctl IPC_SET", .needs = NEED_TWO_UIDS)
{
        int id = make_filled_segment(KEY, SIZE, 0600, SEED);
        char *at = make_attached(id, 0);
        make_ownership(id, USER_B, GROUP_B, 0);
        become_user(USER_A, GROUP_A);
        check_fails(try_shmat(id, NULL, 0), EACCES);
        check_writable("a write", at + SIZE);
        check_pattern("the contents are as before", at, SIZE, SEED);
}
