/*
 * How a sweep starts runs from a command that has got as far as its first shm
 * call: libshmfault stops there, offers to be forked, and forks keepers, which
 * fork the runs, each one after the other. Both sides are of one build.
 *
 * The command's process has a sequential-packet socket, on which it says hello
 * once and then takes orders for keepers. Such an order comes with a session,
 * which is that of all the keeper's runs, renewed for each, and a stream socket,
 * on which the keeper takes orders for runs, and tells of the start and the end
 * of each.
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
        FORK_ASIDE,  /* to the command: go on as if nobody had asked */
        FORK_KEEPER, /* to the command; FORK_SOCKET and FORK_SESSION come with it */
        FORK_RUN,    /* to a keeper without a run; FORK_OUTPUT and FORK_ERROR come with it */
        FORK_KILL    /* to a keeper: its run, if it still has one */
};

struct fork_order {
        int32_t kind;
        int32_t session_number; /* of a keeper's session in the tool, to be used for it in the runs as well */
};

/* What comes with an order. */
enum fork_keeper_descriptor { FORK_SOCKET, FORK_SESSION };
enum fork_run_descriptor { FORK_OUTPUT, FORK_ERROR };
#define FORK_DESCRIPTORS 2

/* From a keeper. It ends, and its run with it, when nobody has the other end any more. */
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
