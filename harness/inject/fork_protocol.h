/*
 * How a sweep starts runs from a command that has got as far as its first shm
 * call: libshmfault stops there, offers to be forked, and forks a keeper and a
 * run for each order. Both sides are of one build.
 *
 * The command's process has a sequential-packet socket, on which it says hello
 * once and then takes orders. Each order comes with four descriptors; the last
 * is a stream socket, on which that run's keeper tells of start and end.
 */
#ifndef FORK_PROTOCOL_H
#define FORK_PROTOCOL_H

#include <stdint.h>

/* SOCKET:OUT:ERR, the socket's number and the inodes of the pipes that are the command's two output streams. */
#define FORK_VARIABLE "SHMFAULT_FORK_SERVER"

#define FORK_WHY 240
/* Milliseconds that a run's orphans have to end by themselves. */
#define FORK_GRACE 500

/* From the command. */
struct fork_hello {
        int32_t pid;
        char why_not[FORK_WHY]; /* what makes it unfit, one line; or "" */
};

enum fork_order_kind {
        FORK_ASIDE, /* go on as if nobody had asked */
        FORK_RUN
};

struct fork_order {
        int32_t kind;
        int32_t session_number; /* of the session's descriptor in the tool, to be used for it in the run as well */
};

/* What comes with FORK_RUN. */
enum fork_descriptor { FORK_SESSION, FORK_OUTPUT, FORK_ERROR, FORK_CONTROL, FORK_DESCRIPTORS };

/* From the run's keeper, which ends the run when it is sent a byte, or nobody has the other end any more. */
struct fork_started {
        int32_t pid;            /* of the run */
        char why_not[FORK_WHY]; /* why there is none; or "" */
};

struct fork_ended {
        int32_t status; /* as waitpid(2) tells it */
        int32_t left_known;
        uint64_t left_count; /* struct segment_there follow, so many */
        uint64_t orphan_count;
        char orphan[32]; /* the name of the first */
};

#endif
