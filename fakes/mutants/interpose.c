/* The calls as the preloaded library gives them: the chosen mutant's, or the C library's. */
#include "mutant.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "segment.h"

struct real_calls shmmutant_real;

static struct {
        int (*execve)(const char *path, char *const argv[], char *const envp[]);
        int (*unshare)(int flags);
        void (*end)(int status);
} real;

static const struct mutant none = {.name = "none", .wrong = "Nothing is wrong.", .meant_for = ""};
const struct mutant *shmmutant_chosen = &none;

static const struct mutant *const tables[] = {
        shmmutant_shmget, shmmutant_shmget_new, shmmutant_shmat,       shmmutant_shmat_access, shmmutant_shmdt,
        shmmutant_stat,   shmmutant_stat_times, shmmutant_stat_buffer, shmmutant_shmctl_errno, shmmutant_set,
        shmmutant_rmid,   shmmutant_lock,       shmmutant_info,        shmmutant_identifiers,  shmmutant_permission,
        shmmutant_memory, shmmutant_lifecycle,  shmmutant_ftok,
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
        write_error(": there is no such mutant; shmcheck-mutants --list names them\n");
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

__attribute__((constructor)) static void choose(void)
{
        FIND(shmmutant_real.shmget, "shmget");
        FIND(shmmutant_real.shmat, "shmat");
        FIND(shmmutant_real.shmdt, "shmdt");
        FIND(shmmutant_real.shmctl, "shmctl");
        FIND(shmmutant_real.ftok, "ftok");
        FIND(real.execve, "execve");
        FIND(real.unshare, "unshare");
        FIND(real.end, "_exit");
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

void _exit(int status)
{
        if (shmmutant_chosen->before_exit)
                shmmutant_chosen->before_exit();
        real.end(status);
        __builtin_unreachable();
}

int unshare(int flags)
{
        int result = real.unshare(flags);
        int error = errno;
        if (result == 0 && (flags & CLONE_NEWIPC) && shmmutant_chosen->after_unshare)
                shmmutant_chosen->after_unshare();
        errno = error;
        return result;
}
