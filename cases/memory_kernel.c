/*
 * Attached memory and the rest of the system: mprotect, fork and vfork, /proc,
 * the kernel's own accesses, and core files.
 */

/* Addresses are file offsets in /proc/self/mem, and do not fit 31 bits. */
#define _FILE_OFFSET_BITS 64
#include "case.h"

#include <fcntl.h>
#include <stdio.h>
#if defined(__linux__)
#include <dirent.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#endif

#define SIZE 3333
#define SEED 23

static struct outcome protect(void *at, size_t size, int protection, const char *text)
{
        errno = 0;
        int r = mprotect(at, size, protection);
        int error = errno;
        return try_other(text, r, r == -1, error);
}
#define try_mprotect(at, size, protection) protect((at), (size), (protection), "mprotect(" #at ", " #protection ")")

/* ---- mprotect ---- */

CASE("memory.mprotect.rw_to_read",
     "An attachment made PROT_READ cannot be written while another can; made read-write again, and after PROT_NONE, it "
     "has its bytes and can be written",
     .level = LINUX, .clause = "mprotect(2)")
{
        int id = make_filled_segment(KEY, PAGE, 0600, SEED);
        char *at = make_attached(id, 0);
        char *other = make_attached(id, 0);
        check_succeeds(try_mprotect(at, PAGE, PROT_READ));
        check_unwritable("a write after PROT_READ", at);
        check_pattern("it has its bytes", at, PAGE, SEED);
        fill_pattern(other, PAGE, SEED + 1);
        check_pattern("it shows what the other writes", at, PAGE, SEED + 1);
        check_succeeds(try_mprotect(at, PAGE, PROT_NONE));
        struct outcome back = try_mprotect(at, PAGE, PROT_READ | PROT_WRITE);
        check_succeeds(back);
        if (back.failed)
                return;
        check_pattern("it has its bytes after PROT_NONE", at, PAGE, SEED + 1);
        fill_pattern(at, PAGE, SEED + 2);
        check_pattern("it can be written again", other, PAGE, SEED + 2);
}

CASE("memory.mprotect.rdonly_to_rw",
     "mprotect of an SHM_RDONLY attachment to read-write: EACCES, and it stays read-only, in a forked child too",
     .level = LINUX, .clause = "mprotect(2) ERRORS EACCES", .differs = "gVisor lets it be written")
{
        int id = make_filled_segment(KEY, PAGE, 0600, SEED);
        char *at = make_attached(id, SHM_RDONLY);
        check_fails(try_mprotect(at, PAGE, PROT_READ | PROT_WRITE), EACCES);
        check_unwritable("a write after that", at);
        IN_CHILD
        {
                check_fails(try_mprotect(at, PAGE, PROT_READ | PROT_WRITE), EACCES);
        }
        check_pattern("it has its bytes", at, PAGE, SEED);
}

#ifdef __linux__

static void check_runs_once_executable(int id, int shmat_flags, int protection, const char *what)
{
        char *at = make_attached(id, shmat_flags);
        struct outcome o = protect(at, PAGE, protection, what);
        check_succeeds(o);
        if (!o.failed)
                check_runs(what, at);
}

#endif

LINUX_CASE("memory.mprotect.to_exec",
           "PROT_EXEC can be added to an attachment without SHM_EXEC, without x in the mode and read-only too, and "
           "code runs",
           .level = LINUX_UNDOCUMENTED, .clause = "mprotect(2)", .needs = NEED_UNPRIVILEGED,
           .note = "only shmat asks for x")
{
#ifdef __linux__
        int id = make_segment(KEY, PAGE, 0600);
        make_code(make_attached(id, 0));
        check_runs_once_executable(id, 0, PROT_READ | PROT_WRITE | PROT_EXEC, "mprotect(attachment, rwx)");
        check_runs_once_executable(id, SHM_RDONLY, PROT_READ | PROT_EXEC, "mprotect(read-only attachment, r-x)");
#endif
}

CASE("memory.mprotect.after_set",
     "An attachment made PROT_READ can be made read-write again after IPC_SET to mode 0 and the caller's becoming "
     "another "
     "user",
     .level = LINUX_UNDOCUMENTED, .clause = "mprotect(2)", .needs = NEED_TWO_UIDS)
{
        int id = make_filled_segment(KEY, PAGE, 0600, SEED);
        char *at = make_attached(id, 0);
        check_succeeds(try_mprotect(at, PAGE, PROT_READ));
        make_ownership(id, USER_B, GROUP_B, 0);
        become_user(USER_A, GROUP_A);
        check_succeeds(try_mprotect(at, PAGE, PROT_READ | PROT_WRITE));
        check_writable("a write", at);
}

CASE("memory.mprotect.own_process",
     "A child's mprotect to PROT_NONE leaves the parent's attachment; a PROT_READ from before fork holds in the child",
     .level = LINUX, .clause = "mprotect(2)")
{
        int id = make_filled_segment(KEY, PAGE, 0600, SEED);
        char *at = make_attached(id, 0);
        IN_CHILD
        {
                check_succeeds(try_mprotect(at, PAGE, PROT_NONE));
        }
        check_writable("a write in a process that did not ask for PROT_NONE", at + PAGE - 1);
        check_succeeds(try_mprotect(at, PAGE, PROT_READ));
        /* The writer is a child. */
        check_unwritable("a write in a child after PROT_READ in the parent", at);
}

/* ---- fork ---- */

CASE("memory.fork.inherits",
     "A forked child has the attachment at the same address, shared both ways, a read-only one read-only; shm_nattch "
     "is 2 "
     "beside the child, 3 beside a grandchild, and 1 again after they ended",
     .level = POSIX_SHALL, .clause = "POSIX XSH fork DESCRIPTION")
{
        int id = make_segment(KEY, SIZE, 0600);
        int read_only = make_filled_segment(OTHER_KEY, SIZE, 0600, SEED);
        char *at = make_attached(id, 0);
        char *read_only_at = make_attached(read_only, SHM_RDONLY);
        fill_pattern(at, SIZE, SEED);
        struct child heir;
        CHILD(&heir, "heir")
        {
                check_pattern("the child sees what the parent wrote", at, SIZE, SEED);
                check_pattern("the child sees the read-only one", read_only_at, SIZE, SEED);
                check_equal(attachments(id), 2);
                check_unwritable("a child's write to the read-only one", read_only_at);
                IN_CHILD
                {
                        check_equal(attachments(id), 3);
                }
                fill_pattern(at, SIZE, SEED + 1);
                tell_parent(&heir);
                await_parent(&heir);
                check_pattern("the child sees what the parent wrote later", at, SIZE, SEED + 2);
        }
        await_child(&heir);
        check_equal(attachments(id), 2);
        check_pattern("the parent sees what the child wrote", at, SIZE, SEED + 1);
        fill_pattern(at, SIZE, SEED + 2);
        tell_child(&heir);
        join_child(&heir);
        check_equal(attachments(id), 1);
        check_equal(attachments(read_only), 1);
}

CASE("memory.fork.stat",
     "fork changes of shmid_ds shm_nattch and shm_atime, with shm_lpid the parent's; the child's exit sets shm_dtime, "
     "and "
     "shm_lpid to the child's",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c shm_open(); Linux ipc/shm.c shm_close()",
     .needs = NEED_CLOCK_TICK)
{
        int id = make_segment(KEY, SIZE, 0600);
        make_attached(id, 0);
        struct shmid_ds before = make_stat(id);
        wait_for_tick();
        time_t start = stamp_time();
        struct child heir;
        CHILD(&heir, "heir")
        {
                await_parent(&heir);
        }
        struct shmid_ds beside = make_stat(id);
        time_t forked = stamp_time();
        check_equal(beside.shm_nattch, 2);
        check_between(beside.shm_atime, start, forked);
        check_equal(beside.shm_lpid, getpid());
        check_only_changed(&before, &beside, M_NATTCH | M_ATIME);
        tell_child(&heir);
        join_child(&heir);
        struct shmid_ds after = make_stat(id);
        check_equal(after.shm_nattch, 1);
        check_between(after.shm_dtime, start, stamp_time());
        check_equal(after.shm_lpid, heir.pid);
        check_only_changed(&beside, &after, M_NATTCH | M_DTIME | M_LPID);
}

CASE("memory.fork.detach_once", "A child that detaches what it inherited, and then exits, lowers shm_nattch once",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmdt RETURN VALUE")
{
        int id = make_filled_segment(KEY, SIZE, 0600, SEED);
        char *at = make_attached(id, 0);
        IN_CHILD
        {
                check_succeeds(try_shmdt(at));
                check_equal(attachments(id), 1);
        }
        check_equal(attachments(id), 1);
        check_pattern("the parent's has its bytes", at, SIZE, SEED);
}

/* ---- children that share the address space ---- */

#ifdef __linux__

struct sharer {
        int id;
        char *at, *attached, *detached;
        int detach_result;
        pid_t pid;
};

#define STACK_SIZE (64 * 1024)

/* Runs the function in a child with the same memory, and waits for its end; the child's outer id, or -1. */
static pid_t run_sharing(int (*function)(void *), struct sharer *sharer)
{
        char *stack = make_mapping(NULL, STACK_SIZE, PROT_READ | PROT_WRITE);
        pid_t pid = clone(function, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | SIGCHLD, sharer);
        int status = 0;
        if (pid == -1 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
                return -1;
        return pid;
}

static unsigned long attachments_seen;

static int write_and_count(void *argument)
{
        const struct sharer *s = argument;
        struct stat_buffer b;
        memset(&b, 0x5a, sizeof(b));
        s->at[0] = 1;
        if (shmctl(s->id, IPC_STAT, &b.is.ds) == 0)
                attachments_seen = (unsigned long)b.is.ds.shm_nattch;
        return 0;
}

static int attach_and_detach(void *argument)
{
        struct sharer *s = argument;
        s->attached = shmat(s->id, NULL, 0);
        s->detach_result = shmdt(s->detached);
        return 0;
}

#endif

LINUX_CASE("memory.vfork.shares",
           "A child with the parent's memory, as vfork makes, adds nothing to shm_nattch, its writes show, and its end "
           "detaches "
           "nothing",
           .level = LINUX, .clause = "vfork(2); clone(2) CLONE_VM")
{
#ifdef __linux__
        struct sharer s = {.id = make_segment(KEY, SIZE, 0600)};
        s.at = make_attached(s.id, 0);
        pid_t pid = run_sharing(write_and_count, &s);
        make_sure(pid != -1, "no child that shares memory");
        check_equal(attachments_seen, 1);
        check_equal(s.at[0], 1);
        check_equal(attachments(s.id), 1);
#endif
}

LINUX_CASE("memory.vfork.acts_for_parent",
           "What a child with the parent's memory attaches the parent keeps, what it detaches is gone; shm_lpid is the "
           "child's",
           .level = LINUX_UNDOCUMENTED, .clause = "vfork(2); clone(2) CLONE_VM")
{
#ifdef __linux__
        struct sharer s = {.id = make_filled_segment(KEY, SIZE, 0600, SEED)};
        s.detached = make_attached(s.id, 0);
        pid_t pid = run_sharing(attach_and_detach, &s);
        make_sure(pid != -1, "no child that shares memory");
        check_explained(s.attached && (intptr_t)s.attached != -1, "the child attaches", "%p", (void *)s.attached);
        check_equal(s.detach_result, 0);
        check_that(!is_mapped(s.detached), "what it detached is gone");
        if (s.attached && (intptr_t)s.attached != -1 && is_mapped(s.attached))
                check_pattern("what it attached is there", s.attached, SIZE, SEED);
        check_equal(attachments(s.id), 1);
        check_equal(make_stat(s.id).shm_lpid, pid);
#endif
}

/* ---- /proc ---- */

#ifdef __linux__

struct map_line {
        bool found;
        uintptr_t start, end, offset;
        char permissions[8];
        unsigned long inode;
        char name[64];
};

/* The line of /proc/self/maps that begins at the address. */
static struct map_line find_line(const void *at)
{
        struct map_line m = {0};
        char line[512];
        FILE *f = fopen("/proc/self/maps", "r");
        make_sure(f != NULL, "/proc/self/maps cannot be opened");
        while (fgets(line, sizeof(line), f)) {
                struct map_line seen = {.found = true};
                unsigned long start, end, offset;
                int n = sscanf(line, "%lx-%lx %7s %lx %*s %lu %63[^\n]", &start, &end, seen.permissions, &offset,
                               &seen.inode, seen.name);
                if (n < 5 || start != (uintptr_t)at)
                        continue;
                seen.start = start;
                seen.end = end;
                seen.offset = offset;
                m = seen;
                break;
        }
        fclose(f);
        return m;
}

static void check_line(const void *at, int id, const char *permissions, size_t length, key_t key)
{
        struct map_line m = find_line(at);
        char name[64];
        snprintf(name, sizeof(name), "/SYSV%08x (deleted)", (unsigned)key);
        check_that(m.found, "/proc/self/maps has a line for the attachment");
        check_equal(m.end - m.start, length);
        check_explained(strcmp(m.permissions, permissions) == 0, "the permissions are the attachment's", "%s, not %s",
                        m.permissions, permissions);
        check_equal(m.offset, 0);
        check_equal(m.inode, id);
        check_explained(strcmp(m.name, name) == 0, "the name is /SYSV, the key in 8 hex digits, and (deleted)", "%s",
                        m.name);
}

#endif

LINUX_CASE("memory.proc.maps",
           "/proc/self/maps has a line for each attachment: the rounded length, rw-s or r--s, offset 0, the shmid as "
           "inode, "
           "/SYSV and the key in 8 hex digits as name",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c newseg()", .needs = NEED_PROC,
           .differs = "gVisor has another name")
{
#ifdef __linux__
        int id = make_segment(KEY, 2 * PAGE + 1, 0600);
        check_line(make_attached(id, 0), id, "rw-s", 3 * PAGE, KEY);
        check_line(make_attached(id, SHM_RDONLY), id, "r--s", 3 * PAGE, KEY);
#endif
}

LINUX_CASE("memory.proc.maps_key",
           "In /proc/self/maps IPC_PRIVATE reads SYSV00000000, a negative key has 8 digits, IPC_RMID keeps the name, "
           "and shmdt "
           "removes the line",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c newseg()", .needs = NEED_PROC | NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        const key_t negative = -2;
        int private = make_segment(IPC_PRIVATE, PAGE, 0600);
        check_line(make_attached(private, 0), private, "rw-s", PAGE, IPC_PRIVATE);
        int id = make_segment(negative, PAGE, 0600);
        void *at = make_attached(id, 0);
        check_line(at, id, "rw-s", PAGE, negative);
        make_removed(id);
        check_line(at, id, "rw-s", PAGE, negative);
        make_detached(at);
        /* Something else may be mapped there by now. */
        check_that(!strstr(find_line(at).name, "SYSV"), "shmdt removes the line");
#endif
}

LINUX_CASE("memory.proc.map_files",
           "The attachment's link in /proc/self/map_files opens and can be mapped: shm_nattch stays, the mapping "
           "outlives shmdt, "
           "and shmdt of it is EINVAL",
           .level = LINUX_UNDOCUMENTED, .clause = "proc(5) /proc/pid/map_files", .needs = NEED_ROOT | NEED_PROC)
{
#ifdef __linux__
        int id = make_filled_segment(KEY, PAGE, 0600, SEED);
        char *at = make_attached(id, 0);
        char path[96];
        snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", (unsigned long)(uintptr_t)at,
                 (unsigned long)((uintptr_t)at + PAGE));
        int fd = open(path, O_RDWR);
        if (fd == -1 && (errno == ENOENT || errno == EPERM))
                skip_case("%s: %s", path, strerror(errno));
        check_explained(fd != -1, "the link opens", "%s", strerror(errno));
        if (fd == -1)
                return;
        char *mapped = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        check_that(mapped != MAP_FAILED, "it can be mapped");
        check_equal(attachments(id), 1);
        check_succeeds(try_shmdt(at));
        check_equal(attachments(id), 0);
        if (mapped == MAP_FAILED)
                return;
        check_pattern("the mapping outlives the detach", mapped, PAGE, SEED);
        check_fails(try_shmdt(mapped), EINVAL);
        check_that(is_mapped(mapped), "the mapping stays");
#endif
}

LINUX_CASE("memory.proc.mem",
           "pwrite to /proc/self/mem fails with EIO on an SHM_RDONLY attachment, and on one made PROT_READ, whose "
           "bytes stay; it "
           "works on a writable one",
           .level = LINUX_UNDOCUMENTED, .clause = "proc(5) /proc/pid/mem", .needs = NEED_PROC)
{
#ifdef __linux__
        int id = make_filled_segment(KEY, PAGE, 0600, SEED);
        char *read_only = make_attached(id, SHM_RDONLY);
        char *protected = make_attached(id, 0);
        char *writable = make_attached(id, 0);
        bool made_read_only = mprotect(protected, PAGE, PROT_READ) == 0;
        make_sure(made_read_only, "mprotect fails");
        int fd = open("/proc/self/mem", O_RDWR);
        if (fd == -1)
                skip_case("/proc/self/mem: %s", strerror(errno));
        char byte = 'x';
        char *const targets[] = {read_only, protected, writable};
        const char *const names[] = {"pwrite to the read-only one", "pwrite to the PROT_READ one",
                                     "pwrite to the writable one"};
        for (unsigned i = 0; i < 3; i++) {
                errno = 0;
                ssize_t n = pwrite(fd, &byte, 1, (off_t)(uintptr_t)targets[i]);
                int error = errno;
                struct outcome o = try_other(names[i], n, n == -1, error);
                if (targets[i] == writable) {
                        check_succeeds(o);
                        check_equal(read_only[0], byte);
                } else {
                        check_fails(o, EIO);
                        check_pattern("the bytes are as before", read_only, PAGE, SEED);
                }
        }
#endif
}

/* ---- the kernel's accesses ---- */

CASE("memory.kernel.write_read",
     "write(2) from a segment and read(2) into one move the bytes, and IPC_STAT writes its structure into one",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmat DESCRIPTION")
{
        int id = make_filled_segment(KEY, SIZE, 0600, SEED);
        int other = make_segment(OTHER_KEY, SIZE, 0600);
        char *from = make_attached(id, 0);
        char *to = make_attached(other, 0);
        int fds[2];
        make_sure(pipe(fds) == 0, "pipe fails");
        check_equal(write(fds[1], from, SIZE), SIZE);
        check_equal(read(fds[0], to, SIZE), SIZE);
        check_pattern("the bytes came through", make_attached(other, SHM_RDONLY), SIZE, SEED);

        memset(to, 0x5a, sizeof(struct shmid_ds));
        struct outcome o = try_shmctl(id, IPC_STAT, to);
        check_succeeds(o);
        struct shmid_ds there;
        memcpy(&there, to, sizeof(there));
        struct shmid_ds here = make_stat(id);
        check_equal(there.shm_segsz, SIZE);
        check_only_changed(&here, &there, 0);
}

CASE("memory.kernel.past_end",
     "write(2) to a pipe from after the last page of an attachment, and from an attachment that is detached: EFAULT",
     .level = LINUX, .clause = "write(2) ERRORS EFAULT")
{
        char *at = make_free_range(PAGE);
        int id = make_segment(KEY, PAGE, 0600);
        struct outcome attached = try_shmat(id, at, 0);
        make_sure(!attached.failed, "shmat at a free address fails");
        int fds[2];
        make_sure(pipe(fds) == 0, "pipe fails");
        errno = 0;
        ssize_t n = write(fds[1], at + PAGE, 1);
        int error = errno;
        check_fails(try_other("write from after the last page", n, n == -1, error), EFAULT);
        make_detached(at);
        errno = 0;
        n = write(fds[1], at, 1);
        error = errno;
        check_fails(try_other("write from the detached address", n, n == -1, error), EFAULT);
}

#if defined(__linux__) && defined(SYS_process_vm_readv) && defined(SYS_process_vm_writev)

static struct outcome try_process_vm(long number, pid_t pid, void *here, void *there, const char *text)
{
        struct iovec local = {here, SIZE};
        struct iovec remote = {there, SIZE};
        errno = 0;
        long n = syscall(number, (long)pid, &local, 1L, &remote, 1L, 0L);
        int error = errno;
        return try_other(text, n, n == -1, error);
}

#endif

LINUX_CASE("memory.kernel.process_vm",
           "process_vm_readv and process_vm_writev work on a child's attachment; process_vm_writev on its read-only "
           "one is "
           "EFAULT",
           .level = LINUX, .clause = "process_vm_readv(2)")
{
#if defined(__linux__) && defined(SYS_process_vm_readv) && defined(SYS_process_vm_writev)
        int id = make_filled_segment(KEY, SIZE, 0600, SEED);
        void **addresses = make_shared(2 * sizeof(*addresses));
        char here[SIZE];
        struct child target;
        CHILD(&target, "target")
        {
                addresses[0] = make_attached(id, 0);
                addresses[1] = make_attached(id, SHM_RDONLY);
                tell_parent(&target);
                await_parent(&target);
                check_pattern("the child sees what was written", addresses[1], SIZE, SEED + 1);
        }
        await_child(&target);
        memset(here, 0, sizeof(here));
        struct outcome o = try_process_vm(SYS_process_vm_readv, target.pid, here, addresses[0], "process_vm_readv");
        if (o.failed && (o.error == EPERM || o.error == ENOSYS))
                skip_case("process_vm_readv of a child: %s", strerror(o.error));
        check_succeeds(o);
        check_pattern("the bytes were read", here, SIZE, SEED);
        fill_pattern(here, SIZE, SEED + 1);
        check_fails(
                try_process_vm(SYS_process_vm_writev, target.pid, here, addresses[1], "process_vm_writev, read-only"),
                EFAULT);
        check_succeeds(try_process_vm(SYS_process_vm_writev, target.pid, here, addresses[0], "process_vm_writev"));
        tell_child(&target);
        join_child(&target);
#else
        skip_case("no process_vm_readv system call");
#endif
}

#if defined(__linux__) && defined(SYS_userfaultfd)

/* The kernel's ABI; its header is not in every C library's path. */
struct fault_api {
        uint64_t api, features, ioctls;
};
struct fault_register {
        uint64_t start, length, mode, ioctls;
};
#define FAULT_API 0xaa
#define FAULT_USER_MODE_ONLY 1
#define FAULT_MODE_MISSING 1
#define FAULT_IOCTL_API _IOWR(0xaa, 0x3f, struct fault_api)
#define FAULT_IOCTL_REGISTER _IOWR(0xaa, 0x00, struct fault_register)

/* ioctl's request is an int in some C libraries, and does not hold these. */
static long fault_ioctl(int fd, unsigned long request, void *argument)
{
        return syscall(SYS_ioctl, (long)fd, request, argument);
}

static struct outcome try_register(int fd, void *at, const char *text)
{
        struct fault_register range = {.start = (uintptr_t)at, .length = PAGE, .mode = FAULT_MODE_MISSING};
        errno = 0;
        long r = fault_ioctl(fd, FAULT_IOCTL_REGISTER, &range);
        int error = errno;
        return try_other(text, r, r == -1, error);
}

#endif

LINUX_CASE("memory.kernel.userfaultfd",
           "UFFDIO_REGISTER of an attachment is EINVAL, where of shared anonymous memory it works",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux mm/userfaultfd.c")
{
#if defined(__linux__) && defined(SYS_userfaultfd)
        int id = make_segment(KEY, PAGE, 0600);
        void *at = make_attached(id, 0);
        int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | FAULT_USER_MODE_ONLY);
        if (fd == -1)
                skip_case("userfaultfd: %s", strerror(errno));
        struct fault_api api = {.api = FAULT_API};
        if (fault_ioctl(fd, FAULT_IOCTL_API, &api) == -1)
                skip_case("UFFDIO_API: %s", strerror(errno));
        if (try_register(fd, make_shared(PAGE), "UFFDIO_REGISTER of shared anonymous memory").failed)
                skip_case("shared memory cannot be registered at all");
        check_fails(try_register(fd, at, "UFFDIO_REGISTER of the attachment"), EINVAL);
#else
        skip_case("no userfaultfd system call");
#endif
}

/* ---- core files ---- */

#ifdef __linux__

#define MARKER_SIZE 32
/* Private and shared anonymous memory and ELF headers: what the kernel dumps unless told otherwise. */
#define DEFAULT_FILTER "0x33"
#define NO_SHARED_FILTER "0x31"

static char core_name[32];

/* Cores go to the case's own directory, or the case is skipped. */
static void make_core_files(void)
{
        int fd = open("/proc/sys/kernel/core_pattern", O_RDONLY);
        ssize_t n = fd == -1 ? -1 : read(fd, core_name, sizeof(core_name) - 1);
        if (fd != -1)
                close(fd);
        core_name[strcspn(core_name, "\n")] = '\0';
        if (n <= 0 || strpbrk(core_name, "|/%"))
                skip_case("kernel.core_pattern is no plain name");
        struct rlimit limit;
        if (getrlimit(RLIMIT_CORE, &limit) == -1 || limit.rlim_max == 0)
                skip_case("RLIMIT_CORE does not let core files be written");
        make_rlimit(RLIMIT_CORE, limit.rlim_max);
        make_scratch_directory();
}

static void make_core_filter(const char *filter)
{
        int fd = open("/proc/self/coredump_filter", O_WRONLY);
        if (fd == -1 || write(fd, filter, strlen(filter)) != (ssize_t)strlen(filter))
                skip_case("/proc/self/coredump_filter: %s", strerror(errno));
        close(fd);
}

/* Straight from the kernel into the memory, so that this process has no other copy. */
static void make_marker(void *at)
{
        int fd = open("/dev/urandom", O_RDONLY);
        bool done = fd != -1 && read(fd, at, MARKER_SIZE) == MARKER_SIZE;
        make_sure(done, "/dev/urandom cannot be read");
        close(fd);
}

struct core {
        char *bytes;
        size_t size;
};

/* Of an ELF file's first bytes: class and byte order, and the machine. */
#define ELF_CLASS 4
#define ELF_CLASS_SIZE 2
#define ELF_MACHINE 18
#define ELF_MACHINE_SIZE 2
#define ELF_HEAD_SIZE (ELF_MACHINE + ELF_MACHINE_SIZE)

/* Whether the core is of a program for the machine that this one is for: the kernel knows an emulator by its own. */
static bool is_for_this_machine(const struct core *core)
{
        char own[ELF_HEAD_SIZE];
        int fd = open("/proc/self/exe", O_RDONLY);
        bool read_whole = fd != -1 && read(fd, own, sizeof(own)) == (ssize_t)sizeof(own);
        make_sure(read_whole, "/proc/self/exe cannot be read");
        close(fd);
        return core->size > sizeof(own) && memcmp(core->bytes + ELF_CLASS, own + ELF_CLASS, ELF_CLASS_SIZE) == 0 &&
               memcmp(core->bytes + ELF_MACHINE, own + ELF_MACHINE, ELF_MACHINE_SIZE) == 0;
}

/* Reads the core file of the case's directory, and removes it. */
static struct core take_core(void)
{
        DIR *directory = opendir(".");
        make_sure(directory != NULL, "the scratch directory cannot be read");
        struct dirent *entry = NULL;
        do {
                entry = readdir(directory);
        } while (entry && strncmp(entry->d_name, core_name, strlen(core_name)) != 0);
        if (!entry)
                skip_case("the kernel wrote no core file");
        int fd = open(entry->d_name, O_RDONLY);
        struct stat st;
        bool known = fd != -1 && fstat(fd, &st) == 0;
        make_sure(known, "the core file cannot be opened");
        struct core core = {.size = (size_t)st.st_size};
        core.bytes = mmap(NULL, core.size, PROT_READ, MAP_PRIVATE, fd, 0);
        make_sure(core.bytes != MAP_FAILED, "the core file cannot be mapped");
        unlink(entry->d_name);
        close(fd);
        closedir(directory);
        if (!is_for_this_machine(&core))
                skip_case("the kernel's core file is of a program for another machine, an emulator");
        return core;
}

static bool core_has(const struct core *core, const void *marker)
{
        const char *from = core->bytes;
        const char *end = core->bytes + core->size - MARKER_SIZE;
        const char *first = marker;
        while (from <= end && (from = memchr(from, *first, (size_t)(end - from) + 1)) != NULL) {
                if (memcmp(from, marker, MARKER_SIZE) == 0)
                        return true;
                from++;
        }
        return false;
}

/* A marker in private memory, which every core has. */
static char *make_control(void)
{
        char *control = make_mapping(NULL, PAGE, PROT_READ | PROT_WRITE);
        make_marker(control);
        return control;
}

#endif

LINUX_CASE("memory.core.default",
           "A core file holds the bytes of an attachment, of one that is marked for removal, and of one made PROT_NONE",
           .level = LINUX, .clause = "core(5)", .needs = NEED_PROC)
{
#ifdef __linux__
        make_core_files();
        make_core_filter(DEFAULT_FILTER);
        char *control = make_control();
        const char *const what[] = {"the core has the attachment", "the core has the one marked for removal",
                                    "the core has the one made PROT_NONE"};
        char *at[3];
        for (unsigned i = 0; i < 3; i++) {
                int id = make_segment(IPC_PRIVATE, PAGE, 0600);
                at[i] = make_attached(id, 0);
                if (i == 1)
                        make_removed(id);
        }
        struct death dumped;
        DOOMED(&dumped)
        {
                for (unsigned i = 0; i < 3; i++)
                        make_marker(at[i]);
                bool closed = mprotect(at[2], PAGE, PROT_NONE) == 0;
                make_sure(closed, "mprotect fails");
                abort();
        }
        struct core core = take_core();
        make_sure(core_has(&core, control), "the core file does not even have private memory");
        for (unsigned i = 0; i < 3; i++)
                check_that(core_has(&core, at[i]), what[i]);
#endif
}

LINUX_CASE("memory.core.excluded",
           "A core file does not hold the bytes of an attachment with bit 1 of coredump_filter clear, nor after "
           "MADV_DONTDUMP",
           .level = LINUX, .clause = "core(5); madvise(2) MADV_DONTDUMP", .needs = NEED_PROC)
{
#ifdef __linux__
        make_core_files();
        char *control = make_control();
        int id = make_segment(KEY, PAGE, 0600);
        char *at = make_attached(id, 0);
        const char *const filters[] = {NO_SHARED_FILTER, DEFAULT_FILTER};
        const char *const what[] = {"the core does not have it with the bit clear",
                                    "the core does not have it after MADV_DONTDUMP"};
        for (unsigned i = 0; i < 2; i++) {
                make_core_filter(filters[i]);
                bool advised = i == 0 || madvise(at, PAGE, MADV_DONTDUMP) == 0;
                make_sure(advised, "madvise(MADV_DONTDUMP) fails");
                struct death dumped;
                DOOMED(&dumped)
                {
                        make_marker(at);
                        abort();
                }
                struct core core = take_core();
                make_sure(core_has(&core, control), "the core file does not even have private memory");
                check_that(!core_has(&core, at), what[i]);
        }
#endif
}
