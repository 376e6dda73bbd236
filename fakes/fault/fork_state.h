/* What a process shares with its forks, and what each of them needs of its own. */
#ifndef FORK_STATE_H
#define FORK_STATE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FORK_FILES 64
#define FORK_AREAS 16

/* A descriptor that a fork has to have for itself. */
struct fork_file {
        int fd;
        int stream;  /* 0 or 1: an output stream of the command; -1: a file, to be opened anew */
        int flags;   /* for open(2) */
        bool closes; /* on exec */
        off_t offset;
};

/* Memory that was to be shared with children, which are not there yet. */
struct fork_area {
        char *from;
        size_t size;
        size_t used; /* up to the last page that was written to */
};

struct fork_state {
        uint64_t streams[2]; /* inodes of the output streams' pipes */
        sigset_t mask;       /* before it was forked */
        struct fork_file files[FORK_FILES];
        size_t file_count;
        struct fork_area areas[FORK_AREAS];
        size_t area_count;
};

/* Notes which descriptors this process was started with: those it shares with other runs in any case. */
void fork_state_begin(void);

/*
 * Reads what this process has. why_not: what no fork can have for itself, one
 * line, or "". server: the descriptor that is not the program's.
 */
void fork_state_read(struct fork_state *state, int server, char *why_not, size_t size);

/* In a fork: makes its own what it is to have for itself. Returns false if that cannot be. */
bool fork_state_own(const struct fork_state *state, int output, int error);

#endif
