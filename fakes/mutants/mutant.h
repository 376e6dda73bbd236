/*
 * A mutant is a platform that breaks exactly one behaviour of System V shared
 * memory, there to prove that a case notices. libshmmutant.so is preloaded,
 * and the environment variable SHMCHECK_MUTANT names the one mutant whose
 * hooks stand between the caller and the C library.
 *
 * A hook takes the place of the call and may use the real one. Nothing is kept
 * in this process unless a segment's note says so: cases fork, exec and change
 * their namespace.
 */
#ifndef MUTANT_H
#define MUTANT_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/types.h>

#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#endif

enum call { CALL_NONE, CALL_SHMGET, CALL_SHMAT, CALL_SHMDT, CALL_SHMCTL, CALL_FTOK };

#define ANY_COMMAND (-1)

/* An errno that is given where another one is due. */
struct wrong_errno {
        enum call call;
        int command; /* of shmctl, or ANY_COMMAND */
        int due, given;
};

/* How the rule of permissions is broken; permission.c. */
struct rule {
        unsigned unasked; /* calls that ask for nothing, a bit each */
        bool digits_united, group_first, owner_has_all;
        bool no_owner, no_creator, no_group, no_creator_group, no_supplementary;
        bool real_uid, real_gid;
        bool read_gives_write, write_gives_read, any_right, no_execute;
        bool no_privilege, root_by_uid, any_capability;
        bool no_other, shmget_asks_all;
};

struct mutant {
        const char *name;      /* what is wrong: excl_ignored */
        const char *wrong;     /* the same as a sentence */
        const char *meant_for; /* globs of the ids of the cases that are to catch it, separated by spaces */

        int (*shmget)(key_t key, size_t size, int flags);
        void *(*shmat)(int shmid, const void *address, int flags);
        int (*shmdt)(const void *address);
        int (*shmctl)(int shmid, int command, struct shmid_ds *buffer);
        key_t (*ftok)(const char *path, int proj_id);
        struct wrong_errno wrong_errno;
        /* Alters what a successful IPC_STAT, SHM_STAT or SHM_STAT_ANY tells of the segment. */
        void (*told)(int shmid, struct shmid_ds *ds);

        /* What is no call of shared memory and meets it all the same. */
        int (*open)(const char *path, int flags); /* of a file that is there */
        ssize_t (*write)(int fd, const void *bytes, size_t size);
        long (*syscall)(long number, long arguments[6]);
        int (*unshare)(int flags);
        int (*setns)(int fd, int type);
        void *(*mremap)(void *old, size_t old_size, size_t size, int flags, void *address);
        int (*mprotect)(void *start, size_t size, int protection);
        int (*mlock)(const void *start, size_t size);

        void (*in_child)(void);    /* after fork */
        void (*before_exec)(void); /* and before posix_spawn, by the parent */
        void (*after_failed_exec)(void);
        void (*before_exit)(void); /* by exit or _exit */
        void (*after_unshare)(int flags);

        bool keeps_notes;
        const struct rule *rule;
};

/* The calls of the C library. */
struct real_calls {
        int (*shmget)(key_t key, size_t size, int flags);
        void *(*shmat)(int shmid, const void *address, int flags);
        int (*shmdt)(const void *address);
        int (*shmctl)(int shmid, int command, struct shmid_ds *buffer);
        key_t (*ftok)(const char *path, int proj_id);
        int (*open)(const char *path, int flags, ...);
        ssize_t (*write)(int fd, const void *bytes, size_t size);
        long (*syscall)(long number, ...);
        int (*unshare)(int flags);
        int (*setns)(int fd, int type);
        void *(*mremap)(void *old, size_t old_size, size_t size, int flags, ...);
        int (*mprotect)(void *start, size_t size, int protection);
        int (*mlock)(const void *start, size_t size);
};
extern struct real_calls shmmutant_real;

/* The one that is preloaded for; one without hooks, if there is none. */
extern const struct mutant *shmmutant_chosen;

/* Every mutant, in the order of the tables; NULL beyond the last. */
const struct mutant *shmmutant_at(size_t i);

/* A table of mutants ends with one that has no name. */
extern const struct mutant shmmutant_shmget[], shmmutant_shmget_new[], shmmutant_shmat[], shmmutant_shmat_access[],
        shmmutant_shmdt[], shmmutant_stat[], shmmutant_stat_times[], shmmutant_stat_buffer[], shmmutant_shmctl_errno[],
        shmmutant_set[], shmmutant_rmid[], shmmutant_lock[], shmmutant_info[], shmmutant_identifiers[],
        shmmutant_permission[], shmmutant_memory[], shmmutant_protection[], shmmutant_lifecycle[], shmmutant_death[],
        shmmutant_namespaces[], shmmutant_settings[], shmmutant_proc_list[], shmmutant_raw[], shmmutant_ftok[],
        shmmutant_hugetlb[], shmmutant_machine[];

/* What a failing call returns. */
static inline int failing(int error)
{
        errno = error;
        return -1;
}
#define FAILED_ATTACH ((void *)-1)
static inline void *failing_attach(int error)
{
        errno = error;
        return FAILED_ATTACH;
}

#endif
