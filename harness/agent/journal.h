/*
 * The journal: memory that a worker shares with the processes of the case it
 * runs. They write what they do as ready-made JSON objects; the worker reads it
 * after the last of them is gone, so a crash or a SIGKILL loses nothing that
 * was finished.
 */
#ifndef SHMC_JOURNAL_H
#define SHMC_JOURNAL_H

#include "platform.h"

#include <stdatomic.h>

#define SHMC_LOG_SIZE (192 * 1024)
#define SHMC_SEGMENTS 128
#define SHMC_REASON_SIZE 512

enum shmc_ending {
        SHMC_END_DONE,         /* the body ran to its end */
        SHMC_END_SKIP,         /* a condition was missing */
        SHMC_END_SETUP_FAILED, /* a make_* was refused by the platform */
        SHMC_END_HARNESS       /* the agent's own fault */
};

enum shmc_entry { SHMC_STEP, SHMC_OBSERVATION, SHMC_ENTRY_KINDS };

/* A segment that the case's processes made: what persistence is held against. */
struct shmc_made {
        _Atomic uint32_t id_plus_1; /* 0 while the entry is being written */
        _Atomic int removed;
        key_t key;
        pid_t pid; /* of the process that made it */
};

struct shmc_journal {
        _Atomic uint32_t used;                      /* bytes of log */
        _Atomic uint32_t dropped[SHMC_ENTRY_KINDS]; /* entries for which there was no room */
        _Atomic uint32_t observations;
        _Atomic uint32_t next_step;
        _Atomic int ending;       /* enum shmc_ending; the first one that is not DONE stays */
        _Atomic int reason_taken; /* someone has begun to write the reason */
        char reason[SHMC_REASON_SIZE];
        _Atomic int meant_left; /* segments the case means to leave; -1: as many as it made and did not remove */
        _Atomic uint32_t made_count;
        struct shmc_made made[SHMC_SEGMENTS];
        char scratch[640];      /* a directory on a real file system that the worker must remove */
        _Atomic int fault_code; /* of the last doomed child: si_code + 1, 0 for none */
        _Atomic uintptr_t fault_address;
        /* Steps and observations as they came: together, so that a case touches few pages. */
        char log[SHMC_LOG_SIZE];
};

/*
 * Makes a journal that children share.
 * Returns NULL with errno of mmap on failure.
 */
struct shmc_journal *shmc_journal_new(void);

/* Empties it for the next case. */
void shmc_journal_reset(struct shmc_journal *j);

/* Appends the text as one entry; async-signal-safe but for the copy itself. Counts what finds no room. */
void shmc_journal_append(struct shmc_journal *j, enum shmc_entry kind, const char *json, size_t length);

/* Counts an entry that was too long to be written down. */
void shmc_journal_drop(struct shmc_journal *j, enum shmc_entry kind);

/*
 * Calls visit for each finished entry of the kind, in the order in which they
 * were begun. Returns false if an entry was begun and never finished in a way
 * that hides those behind it.
 */
bool shmc_journal_each(const struct shmc_journal *j, enum shmc_entry kind,
                       void (*visit)(const char *json, size_t length, void *arg), void *arg);

/* Notes how the case ended, unless it is noted already. reason is copied. */
void shmc_journal_end(struct shmc_journal *j, enum shmc_ending ending, const char *reason);

/* Notes a segment that was made, found, or removed. */
void shmc_journal_made(struct shmc_journal *j, int shmid, key_t key);
void shmc_journal_removed(struct shmc_journal *j, int shmid);

/* The journal of the case that this process runs; set by the worker before the case starts. */
extern struct shmc_journal *shmc_journal;

#endif
