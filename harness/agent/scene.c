/* make_*: what a case needs before its one question. A refusal ends the case as a failed set-up. */
#include "case.h"
#include "context.h"
#include "decode.h"
#include "endings.h"
#include "journal.h"
#include "ledger.h"
#include "scene.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#if defined(__linux__)
#include <sched.h>
#include <sys/syscall.h>
#endif

struct shmc_context shmc_context;

SHMC_NORETURN static void end_case(enum shmc_ending ending, const char *format, va_list arguments)
{
        char reason[SHMC_REASON_SIZE];
        vsnprintf(reason, sizeof(reason), format, arguments);
        shmc_journal_end(shmc_journal, ending, reason);
        _exit(SHMC_EXIT_ENDED);
}

void shmc_setup_failed(const char *why, ...)
{
        va_list arguments;
        va_start(arguments, why);
        end_case(SHMC_END_SETUP_FAILED, why, arguments);
}

void shmc_harness_failed(const char *why, ...)
{
        va_list arguments;
        va_start(arguments, why);
        end_case(SHMC_END_HARNESS, why, arguments);
}

void shmc_skip(const char *why, ...)
{
        va_list arguments;
        va_start(arguments, why);
        end_case(SHMC_END_SKIP, why, arguments);
}

size_t shmc_page(void)
{
        static size_t size;
        if (size == 0)
                size = (size_t)sysconf(_SC_PAGESIZE);
        return size;
}

size_t shmc_shmlba(void)
{
#ifdef SHMLBA
        return (size_t)SHMLBA;
#else
        return shmc_page();
#endif
}

#define KEYS 16
static unsigned key_base = 0x5e3a0000U;

static unsigned random_bits(void)
{
        unsigned bits = 0;
        int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
        if (fd == -1 || read(fd, &bits, sizeof(bits)) != (ssize_t)sizeof(bits)) {
                struct timespec now;
                clock_gettime(CLOCK_REALTIME, &now);
                bits = (unsigned)now.tv_nsec * 2654435761U ^ (unsigned)getpid() << 16;
        }
        if (fd != -1)
                close(fd);
        return bits;
}

void shmc_choose_free_keys(void)
{
        for (int tries = 0; tries < 100; tries++) {
                key_base = (random_bits() & 0x7fffffffU & ~(KEYS - 1U)) | 0x01000000U;
                bool free_keys = true;
                for (unsigned n = 0; n < KEYS && free_keys; n++)
                        free_keys = shmget(shmc_key(n), 0, 0) == -1 && errno == ENOENT;
                if (free_keys)
                        return;
        }
}

key_t shmc_key(unsigned n)
{
        return (key_t)(key_base + 1 + n);
}

int shmc_make_segment(key_t key, size_t size, int flags)
{
        struct outcome o = try_shmget(key, size, IPC_CREAT | IPC_EXCL | flags);
        if (o.failed)
                shmc_setup_failed("shmget of a new segment of %zu bytes: %s", size, shmc_errno_name(o.error));
        return (int)o.value;
}

void *shmc_make_attached(int shmid, int flags)
{
        struct outcome o = try_shmat(shmid, NULL, flags);
        if (o.failed)
                shmc_setup_failed("shmat at an address of the system's choice: %s", shmc_errno_name(o.error));
        return address_of(o);
}

void shmc_make_detached(const void *address)
{
        struct outcome o = try_shmdt(address);
        if (o.failed)
                shmc_setup_failed("shmdt of an attachment: %s", shmc_errno_name(o.error));
}

void shmc_make_removed(int shmid)
{
        struct outcome o = try_shmctl(shmid, IPC_RMID, NULL);
        if (o.failed)
                shmc_setup_failed("shmctl(IPC_RMID): %s", shmc_errno_name(o.error));
}

struct shmid_ds shmc_make_stat(int shmid)
{
        struct stat_buffer b;
        memset(&b, 0x5a, sizeof(b));
        struct outcome o = try_shmctl(shmid, IPC_STAT, &b.is.ds);
        if (o.failed)
                shmc_setup_failed("shmctl(IPC_STAT): %s", shmc_errno_name(o.error));
        return b.is.ds;
}

void shmc_make_ownership(int shmid, uid_t uid, gid_t gid, mode_t mode)
{
        struct stat_buffer b;
        memset(&b, 0, sizeof(b));
        b.is.ds.shm_perm.uid = uid;
        b.is.ds.shm_perm.gid = gid;
        b.is.ds.shm_perm.mode = (unsigned short)mode;
        struct outcome o = try_shmctl(shmid, IPC_SET, &b.is.ds);
        if (o.failed)
                shmc_setup_failed("shmctl(IPC_SET): %s", shmc_errno_name(o.error));
}

key_t shmc_make_ftok(const char *path, int proj_id)
{
        struct outcome o = try_ftok(path, proj_id);
        if (o.failed)
                shmc_setup_failed("ftok of an existing file: %s", shmc_errno_name(o.error));
        return (key_t)o.value;
}

int shmc_make_filled_segment(key_t key, size_t size, int flags, unsigned seed)
{
        int id = shmc_make_segment(key, size, flags);
        void *at = shmc_make_attached(id, 0);
        shmc_fill_pattern(at, size, seed);
        shmc_make_detached(at);
        return id;
}

void shmc_make_touched_by_another(int shmid, size_t size, unsigned seed)
{
        IN_CHILD
        {
                void *at = shmc_make_attached(shmid, 0);
                shmc_fill_pattern(at, size, seed);
                shmc_make_detached(at);
        }
}

void *shmc_make_free_range(size_t size)
{
        size_t align = shmc_shmlba() > 16 * shmc_page() ? shmc_shmlba() : 16 * shmc_page();
        size_t whole = ((size + align - 1) & ~(align - 1)) + 3 * align;
        char *area = mmap(NULL, whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (area == MAP_FAILED || munmap(area, whole) == -1)
                shmc_setup_failed("mmap of %zu bytes: %s", whole, shmc_errno_name(errno));
        uintptr_t first = ((uintptr_t)area + align + align - 1) & ~(uintptr_t)(align - 1);
        return (void *)first; // NOLINT(performance-no-int-to-ptr): an address was rounded
}

void *shmc_make_mapping(void *address_or_null, size_t size, int protection)
{
        int flags = MAP_PRIVATE | MAP_ANONYMOUS | (address_or_null ? MAP_FIXED : 0);
        void *at = mmap(address_or_null, size, protection, flags, -1, 0);
        if (at == MAP_FAILED)
                shmc_setup_failed("mmap of %zu bytes: %s", size, shmc_errno_name(errno));
        return at;
}

int shmc_make_stale_id(void)
{
        int id = shmc_make_segment(IPC_PRIVATE, 1, 0600);
        shmc_make_removed(id);
        return id;
}

void shmc_make_scratch_directory(void)
{
        const char *parent = shmc_context.scratch;
        char path[sizeof(shmc_journal->scratch)];
        /* The parent is on a file system that others share only where the ledger is kept. */
        int n = snprintf(path, sizeof(path), "%s/shmcheck-%08x%08x", parent, key_base, random_bits());
        umask(0);
        make_sure(n > 0 && (size_t)n < sizeof(path), "the path of the directory for temporary files is too long");
        shmc_ledger_scratch(path);
        memcpy(shmc_journal->scratch, path, sizeof(path));
        make_sure(mkdir(path, 0777) == 0, "mkdir %s: %s", path, strerror(errno));
        make_sure(chdir(path) == 0, "chdir %s: %s", path, strerror(errno));
}

void shmc_make_file(const char *path, mode_t mode)
{
        int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
        make_sure(fd != -1 && fchmod(fd, mode) == 0, "%s: %s", path, strerror(errno));
        close(fd);
}

void shmc_make_sysctl(const char *name, const char *value)
{
#ifdef __linux__
        char ours[64] = "";
        ssize_t n = readlink("/proc/self/ns/ipc", ours, sizeof(ours) - 1);
        if (n <= 0 || strcmp(ours, shmc_context.host_ipc) == 0)
                shmc_harness_failed("kernel.%s is not to be written: this is the host's own IPC namespace", name);
        char path[96];
        snprintf(path, sizeof(path), "/proc/sys/kernel/%s", name);
        int fd = open(path, O_RDWR | O_CLOEXEC);
        make_sure(fd != -1, "%s: %s", path, strerror(errno));
        bool written = write(fd, value, strlen(value)) == (ssize_t)strlen(value);
        make_sure(written, "%s: writing %s: %s", path, value, strerror(errno));
        char now[64] = "";
        make_sure(lseek(fd, 0, SEEK_SET) == 0 && read(fd, now, sizeof(now) - 1) > 0, "%s: %s", path, strerror(errno));
        now[strcspn(now, "\n")] = '\0';
        make_sure(strcmp(now, value) == 0, "%s: wrote %s, reads %s", path, value, now);
        close(fd);
        char text[160];
        snprintf(text, sizeof(text), "kernel.%s = %s", name, value);
        try_other(text, 0, false, 0);
#else
        (void)value;
        shmc_skip("kernel.%s is Linux'", name);
#endif
}

void shmc_make_ipc_namespace(void)
{
#ifdef __linux__
        make_sure(unshare(CLONE_NEWIPC) == 0, "unshare(CLONE_NEWIPC): %s", strerror(errno));
        shmc_in_case_namespace = false;
        try_other("unshare(CLONE_NEWIPC)", 0, false, 0);
#else
        shmc_skip("IPC namespaces are Linux'");
#endif
}

void shmc_make_rlimit(int resource, unsigned long long soft)
{
        struct rlimit limit;
        /* glibc gives the resource an enumeration type of its own, others an int. */
        make_sure(getrlimit((shmc_resource)resource, &limit) == 0, "getrlimit: %s", strerror(errno));
        limit.rlim_cur = (rlim_t)soft;
        make_sure(setrlimit((shmc_resource)resource, &limit) == 0, "setrlimit: %s", strerror(errno));
}

void shmc_make_only_capabilities(unsigned long long mask)
{
#ifdef __linux__
        struct {
                uint32_t version;
                int pid;
        } header = {0x20080522, 0};
        struct {
                uint32_t effective, permitted, inheritable;
        } data[2];
        memset(data, 0, sizeof(data));
        make_sure(syscall(SYS_capget, &header, data) == 0, "capget: %s", strerror(errno));
        for (int word = 0; word < 2; word++) {
                uint32_t kept = data[word].permitted & (uint32_t)(mask >> (32 * word));
                data[word].effective = data[word].permitted = kept;
                data[word].inheritable = 0;
        }
        make_sure(syscall(SYS_capset, &header, data) == 0, "capset: %s", strerror(errno));
        char text[64];
        snprintf(text, sizeof(text), "capset(0x%llx)", mask);
        try_other(text, 0, false, 0);
#else
        (void)mask;
        shmc_skip("capabilities are Linux'");
#endif
}

void shmc_means_to_leave(int n)
{
        atomic_store(&shmc_journal->meant_left, n);
}

/* The second that the kernel stamps with: it follows the clock of time() by up to a timer tick in some C libraries. */
static time_t stamping_second(void)
{
#ifdef CLOCK_REALTIME_COARSE
        struct timespec now;
        if (clock_gettime(CLOCK_REALTIME_COARSE, &now) == 0)
                return now.tv_sec;
#endif
        return time(NULL);
}

void shmc_wait_for_tick(void)
{
        time_t start = time(NULL);
        int patience = 6000;
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        struct timespec rest = {0, 1000000000L - now.tv_nsec};
        nanosleep(&rest, NULL);
        while (time(NULL) == start || stamping_second() == start) {
                if (patience-- == 0)
                        shmc_skip("missing need clock-tick: the clock of time() stands still");
                struct timespec moment = {0, 500000L};
                nanosleep(&moment, NULL);
        }
}

bool shmc_is_mapped(const void *address)
{
        uintptr_t first = (uintptr_t)address & ~(uintptr_t)(shmc_page() - 1);
        return msync((void *)first, 1, MS_ASYNC) == 0; // NOLINT(performance-no-int-to-ptr)
}

void *shmc_make_shared(size_t size)
{
        void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED)
                shmc_setup_failed("mmap of shared memory: %s", shmc_errno_name(errno));
        return at;
}
