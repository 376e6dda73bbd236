/*
 * One run of a sweep's command while it is under way: in an IPC namespace of
 * its own, without a terminal and without core files, what it writes kept, its
 * time limited. Several can be under way side by side.
 */
#ifndef SWEEP_FLIGHT_H
#define SWEEP_FLIGHT_H

#include <poll.h>

#include "command.h"
#include "crash_stack.h"
#include "sweep_namespace.h"
#include "sweep_observation.h"
#include "sweep_server.h"

/* What is run, and how. */
struct sweep_program {
        const char *path; /* the program's file */
        char *const *words;
        const char *library; /* libshmfault.so; NULL: the kernel's side makes the faults */
        int input;           /* a descriptor: its standard input, each time from where it stands now if it is a file */
};

/* Where a run takes place. */
enum sweep_where {
        SWEEP_OWN_NAMESPACE,
        SWEEP_OWN_NAMESPACE_KEPT, /* and it is to outlive the run */
        SWEEP_NAMESPACE_OF_BEFORE /* what was kept; its segments are then not listed */
};

struct sweep_flight_setup {
        const struct sweep_program *program;
        const struct fault_plan *plan; /* at most SWEEP_FAULTS rules */
        struct sweep_sites *sites;
        enum sweep_keep keep; /* calls */
        size_t most;          /* of these */
        int64_t limit;        /* nanoseconds until it is killed */
        enum sweep_where where;
        struct sweep_server *server;           /* that the run is forked from if it is in its own namespace; or NULL */
        struct sweep_namespace *kept;          /* what is kept, and what is met again */
        bool stack;                            /* is wanted of a crash */
        struct sweep_observation *observation; /* zeroed */
};

struct sweep_flight {
        struct sweep_flight_setup setup;
        struct session *session;
        int session_fd;
        struct command command;
        struct sweep_keeper *keeper;    /* of a run that is forked, and whose session it takes part in; or NULL */
        int handover[2];                /* ours, the command's; -1 when closed */
        struct kernel_backend *backend; /* NULL: none, or no process is under it any more */
        int streams[2];
        struct sweep_watch *watch;
        struct crash_stack stack; /* if it is wanted */
        int64_t begun, until;     /* CLOCK_MONOTONIC, nanoseconds */
};

#define SWEEP_FLIGHT_POLLED 4

/* CLOCK_MONOTONIC, nanoseconds. */
int64_t sweep_now(void);

/*
 * In a run's process: away from the terminal, without core files, and with the
 * program's standard input. Returns false with one line in why.
 */
bool sweep_flight_prepare(const struct sweep_program *program, char *why, size_t size);

/* Starts the run. Returns false with one line in why, and *result telling what kind of failure it was. */
bool sweep_flight_start(struct sweep_flight *f, const struct sweep_flight_setup *setup, enum command_start *result,
                        char *why, size_t size);

/* Fills in what to poll for, SWEEP_FLIGHT_POLLED entries. Returns nanoseconds until it is to be served without. */
int64_t sweep_flight_poll(const struct sweep_flight *f, struct pollfd *polled);

/*
 * Does what is to be done after a poll. Returns true when the run has ended;
 * its observation is then whole but for what *short_of_memory tells.
 */
bool sweep_flight_serve(struct sweep_flight *f, const struct pollfd *polled, bool *short_of_memory);

/* Ends the run, whatever it does. */
void sweep_flight_free(struct sweep_flight *f);

#endif
