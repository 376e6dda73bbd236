/* The calls as the preloaded library gives them: the chosen mutant's, or the C library's. */
#include "mutant.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "segment.h"

struct real_calls shmmutant_real;

static struct {
        int (*execve)(const char *path, char *const argv[], char *const envp[]);
        int (*spawn)(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                     const posix_spawnattr_t *attributes, char *const argv[], char *const envp[]);
        FILE *(*fopen)(const char *path, const char *mode);
        void (*end)(int status);
} real;

static const struct mutant none = {.name = "none", .wrong = "Nothing is wrong.", .meant_for = ""};
const struct mutant *shmmutant_chosen = &none;

static const struct mutant *const tables[] = {
        shmmutant_shmget,   shmmutant_shmget_new, shmmutant_shmat,       shmmutant_shmat_access, shmmutant_shmdt,
        shmmutant_stat,     shmmutant_stat_times, shmmutant_stat_buffer, shmmutant_shmctl_errno, shmmutant_set,
        shmmutant_rmid,     shmmutant_lock,       shmmutant_info,        shmmutant_identifiers,  shmmutant_permission,
        shmmutant_memory,   shmmutant_protection, shmmutant_lifecycle,   shmmutant_death,        shmmutant_namespaces,
        shmmutant_settings, shmmutant_proc_list,  shmmutant_raw,         shmmutant_ftok,         shmmutant_hugetlb,
        shmmutant_machine,
};

const struct mutant *shmmutant_at(size_t i)
{
        for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
                for (const struct mutant *m = tables[t]; m->name; m++) {
                        if (i-- == 0)
                                return m;
                }
        }
        return NULL;
}

/* ---- the choice ---- */

static void write_error(const char *text)
{
        if (write(STDERR_FILENO, text, strlen(text)) == -1)
                _Exit(2);
}

static const struct mutant *find_mutant(const char *name)
{
        if (!name || !*name || strcmp(name, none.name) == 0)
                return &none;
        const struct mutant *m = NULL;
        for (size_t i = 0; (m = shmmutant_at(i)) != NULL; i++) {
                if (strcmp(m->name, name) == 0)
                        return m;
        }
        write_error("libshmmutant: SHMCHECK_MUTANT=");
        write_error(name);
        write_error(": there is no such mutant; shmcheck mutants --list names them\n");
        _Exit(2);
}

/* dlsym gives an object pointer; POSIX promises that it can be a function's. */
#define FIND(call, name)                                                                                               \
        do {                                                                                                           \
                void *found_ = dlsym(RTLD_NEXT, name);                                                                 \
                memcpy(&(call), &found_, sizeof(found_));                                                              \
        } while (0)

static void in_child(void)
{
        int error = errno;
        shmmutant_chosen->in_child();
        errno = error;
}

static void at_exit(void)
{
        shmmutant_chosen->before_exit();
}

static void find_calls(void)
{
        FIND(shmmutant_real.shmget, "shmget");
        FIND(shmmutant_real.shmat, "shmat");
        FIND(shmmutant_real.shmdt, "shmdt");
        FIND(shmmutant_real.shmctl, "shmctl");
        FIND(shmmutant_real.ftok, "ftok");
        FIND(shmmutant_real.open, "open");
        FIND(shmmutant_real.write, "write");
        FIND(shmmutant_real.syscall, "syscall");
        FIND(shmmutant_real.unshare, "unshare");
        FIND(shmmutant_real.setns, "setns");
        FIND(shmmutant_real.mremap, "mremap");
        FIND(shmmutant_real.mprotect, "mprotect");
        FIND(shmmutant_real.mlock, "mlock");
        FIND(real.execve, "execve");
        FIND(real.spawn, "posix_spawn");
        FIND(real.fopen, "fopen");
        FIND(real.end, "_exit");
}

/* The calls, also for who needs one before this library's turn to start has come. */
static const struct real_calls *calls(void)
{
        if (!shmmutant_real.mlock)
                find_calls();
        return &shmmutant_real;
}

__attribute__((constructor)) static void choose(void)
{
        find_calls();
        shmmutant_chosen = find_mutant(getenv("SHMCHECK_MUTANT"));
        if (shmmutant_chosen->keeps_notes)
                shmmutant_notes_open();
        if (shmmutant_chosen->in_child)
                pthread_atfork(NULL, NULL, in_child);
        if (shmmutant_chosen->before_exit)
                atexit(at_exit);
}

/* ---- the calls ---- */

static void give_errno(enum call call, int command)
{
        const struct wrong_errno *w = &shmmutant_chosen->wrong_errno;
        if (w->call == call && (w->command == ANY_COMMAND || w->command == command) && errno == w->due)
                errno = w->given;
}

int shmget(key_t key, size_t size, int shmflg)
{
        int shmid = (shmmutant_chosen->shmget ? shmmutant_chosen->shmget : shmmutant_real.shmget)(key, size, shmflg);
        if (shmid == -1)
                give_errno(CALL_SHMGET, 0);
        return shmid;
}

void *shmat(int shmid, const void *shmaddr, int shmflg)
{
        void *at = (shmmutant_chosen->shmat ? shmmutant_chosen->shmat : shmmutant_real.shmat)(shmid, shmaddr, shmflg);
        if (at == FAILED_ATTACH)
                give_errno(CALL_SHMAT, 0);
        return at;
}

int shmdt(const void *shmaddr)
{
        int result = (shmmutant_chosen->shmdt ? shmmutant_chosen->shmdt : shmmutant_real.shmdt)(shmaddr);
        if (result == -1)
                give_errno(CALL_SHMDT, 0);
        return result;
}

static bool tells(int command)
{
        return command == IPC_STAT || command == SHM_STAT || command == SHM_STAT_ANY;
}

int shmctl(int shmid, int cmd, struct shmid_ds *buf)
{
        int result = (shmmutant_chosen->shmctl ? shmmutant_chosen->shmctl : shmmutant_real.shmctl)(shmid, cmd, buf);
        if (result == -1)
                give_errno(CALL_SHMCTL, cmd);
        else if (tells(cmd) && shmmutant_chosen->told)
                shmmutant_chosen->told(cmd == IPC_STAT ? shmid : result, buf);
        return result;
}

key_t ftok(const char *pathname, int proj_id)
{
        key_t key = (shmmutant_chosen->ftok ? shmmutant_chosen->ftok : shmmutant_real.ftok)(pathname, proj_id);
        if (key == (key_t)-1)
                give_errno(CALL_FTOK, 0);
        return key;
}

/* ---- what is no call of shared memory ---- */

static int open_with(const char *path, int flags, mode_t mode)
{
        if (shmmutant_chosen->open && !(flags & (O_CREAT | O_TMPFILE)))
                return shmmutant_chosen->open(path, flags);
        return calls()->open(path, flags, mode);
}

int open(const char *file, int oflag, ...)
{
        mode_t mode = 0;
        if (oflag & (O_CREAT | O_TMPFILE)) {
                va_list arguments;
                va_start(arguments, oflag);
                mode = va_arg(arguments, mode_t);
                va_end(arguments);
        }
        return open_with(file, oflag, mode);
}

FILE *fopen(const char *filename, const char *modes)
{
        if (!shmmutant_chosen->open || modes[0] != 'r' || strchr(modes, '+'))
                return real.fopen(filename, modes);
        int fd = open_with(filename, O_RDONLY, 0);
        return fd == -1 ? NULL : fdopen(fd, "r");
}

ssize_t write(int fd, const void *buf, size_t n)
{
        return (shmmutant_chosen->write ? shmmutant_chosen->write : calls()->write)(fd, buf, n);
}

#define ARGUMENTS 6

long syscall(long sysno, ...)
{
        long a[ARGUMENTS];
        va_list arguments;
        va_start(arguments, sysno);
        for (size_t i = 0; i < ARGUMENTS; i++)
                a[i] = va_arg(arguments, long);
        va_end(arguments);
        return shmmutant_chosen->syscall ? shmmutant_chosen->syscall(sysno, a)
                                         : calls()->syscall(sysno, a[0], a[1], a[2], a[3], a[4], a[5]);
}

void *mremap(void *addr, size_t old_len, size_t new_len, int flags, ...)
{
        void *address = NULL;
        if (flags & MREMAP_FIXED) {
                va_list arguments;
                va_start(arguments, flags);
                address = va_arg(arguments, void *);
                va_end(arguments);
        }
        if (shmmutant_chosen->mremap)
                return shmmutant_chosen->mremap(addr, old_len, new_len, flags, address);
        return calls()->mremap(addr, old_len, new_len, flags, address);
}

int mprotect(void *addr, size_t len, int prot)
{
        return (shmmutant_chosen->mprotect ? shmmutant_chosen->mprotect : calls()->mprotect)(addr, len, prot);
}

int mlock(const void *addr, size_t len)
{
        return (shmmutant_chosen->mlock ? shmmutant_chosen->mlock : calls()->mlock)(addr, len);
}

/* ---- what ends or moves a process ---- */

int execve(const char *path, char *const argv[], char *const envp[])
{
        if (shmmutant_chosen->before_exec)
                shmmutant_chosen->before_exec();
        int result = real.execve(path, argv, envp);
        int error = errno;
        if (shmmutant_chosen->after_failed_exec)
                shmmutant_chosen->after_failed_exec();
        errno = error;
        return result;
}

int execv(const char *path, char *const argv[])
{
        extern char **environ;
        return execve(path, argv, environ);
}

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *file_actions,
                const posix_spawnattr_t *attrp, char *const argv[], char *const envp[])
{
        if (shmmutant_chosen->before_exec)
                shmmutant_chosen->before_exec();
        return real.spawn(pid, path, file_actions, attrp, argv, envp);
}

void _exit(int status)
{
        if (shmmutant_chosen->before_exit)
                shmmutant_chosen->before_exit();
        real.end(status);
        __builtin_unreachable();
}

int unshare(int flags)
{
        int result = (shmmutant_chosen->unshare ? shmmutant_chosen->unshare : calls()->unshare)(flags);
        int error = errno;
        if (result == 0 && shmmutant_chosen->after_unshare)
                shmmutant_chosen->after_unshare(flags);
        errno = error;
        return result;
}

int setns(int fd, int nstype)
{
        return (shmmutant_chosen->setns ? shmmutant_chosen->setns : calls()->setns)(fd, nstype);
}
