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

struct shmc_context shmc_context;

SHMC_NORETURN static void end_case(enum shmc_ending ending, const char *reason)
{
        shmc_journal_end(shmc_journal, ending, reason);
        _exit(SHMC_EXIT_ENDED);
}

void shmc_setup_failed(const char *why, ...)
{
        char reason[SHMC_REASON_SIZE];
        va_list arguments;
        va_start(arguments, why);
        vsnprintf(reason, sizeof(reason), why, arguments);
        va_end(arguments);
        end_case(SHMC_END_SETUP_FAILED, reason);
}

void shmc_harness_failed(const char *why, ...)
{
        char reason[SHMC_REASON_SIZE];
        va_list arguments;
        va_start(arguments, why);
        vsnprintf(reason, sizeof(reason), why, arguments);
        va_end(arguments);
        end_case(SHMC_END_HARNESS, reason);
}

void shmc_skip(const char *why, ...)
{
        char reason[SHMC_REASON_SIZE];
        va_list arguments;
        va_start(arguments, why);
        vsnprintf(reason, sizeof(reason), why, arguments);
        va_end(arguments);
        end_case(SHMC_END_SKIP, reason);
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
        struct outcome o = try_set(shmid, uid, gid, mode);
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

int shmc_make_touched_segment(key_t key, size_t size, int flags, unsigned seed)
{
        int id = shmc_make_segment(key, size, flags);
        shmc_make_touched_by_another(id, size, seed);
        return id;
}

int shmc_make_anothers_segment(uid_t uid, gid_t gid, key_t key, size_t size, int flags)
{
        int *id = shmc_make_shared(sizeof(*id));
        AS_USER(uid, gid)
        {
                *id = shmc_make_segment(key, size, flags);
        }
        return *id;
}

int shmc_make_anothers_filled_segment(uid_t uid, gid_t gid, key_t key, size_t size, mode_t mode, unsigned seed)
{
        int *id = shmc_make_shared(sizeof(*id));
        AS_USER(uid, gid)
        {
                /* An attach may be denied by the mode that is asked for. */
                *id = shmc_make_filled_segment(key, size, 0600, seed);
                shmc_make_ownership(*id, uid, gid, mode);
        }
        return *id;
}

void *shmc_make_attached_apart(int shmid, size_t size, int flags)
{
        struct outcome o = try_shmat(shmid, shmc_make_free_range(size), flags);
        make_sure(!o.failed, "shmat at a free address: %s", shmc_errno_name(o.error));
        return address_of(o);
}

unsigned long shmc_attachments(int shmid)
{
        return (unsigned long)shmc_make_stat(shmid).shm_nattch;
}

#ifdef __linux__
int shmc_make_index(int shmid)
{
        struct stat_buffer b;
        int highest = shmctl(0, SHM_INFO, &b.is.ds);
        for (int index = 0; index <= highest; index++) {
                if (shmctl(index, SHM_STAT, &b.is.ds) == shmid)
                        return index;
        }
        return shmid;
}
#endif

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

void shmc_make_rlimit(int resource, unsigned long long soft)
{
        struct rlimit limit;
        /* glibc gives the resource an enumeration type of its own, others an int. */
        make_sure(getrlimit((shmc_resource)resource, &limit) == 0, "getrlimit: %s", strerror(errno));
        limit.rlim_cur = (rlim_t)soft;
        make_sure(setrlimit((shmc_resource)resource, &limit) == 0, "setrlimit: %s", strerror(errno));
}

void shmc_means_to_leave(int n)
{
        atomic_store(&shmc_journal->meant_left, n);
}
