/*
 * A session: memory that a command's processes and the supervisor share. It
 * holds the plan and its counters (when= counts over the whole command), the
 * places that calls came from, and a ring of events. It is a memfd, so nothing
 * is left of it when the last process is gone, whoever was killed.
 *
 * Writers are any number of threads, processes and signal handlers; the reader
 * is one, the supervisor. Nothing locks or allocates. An event is in the memory
 * from the moment its call is entered, so a process that is killed takes none
 * with it; each change of an event's state is a compare and exchange, so that
 * what the reader has given up can no longer be written to.
 */
#ifndef SESSION_H
#define SESSION_H

#include <stdalign.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "fault_plan.h"

#define SESSION_MAGIC "shmsess2"
#define SESSION_VARIABLE "SHMFAULT_SESSION" /* PID:FD of the supervisor's descriptor; FD is also inherited */
#define SESSION_SITES 2048
#define SESSION_EVENTS 32768 /* a power of two */
#define SESSION_PARKED 1024
#define SESSION_NO_SITE UINT32_MAX

/* shm_event.rule: one that the program itself armed with shmfault.h, which is in no plan of the supervisor's. */
#define SESSION_OWN_RULE (-2)

struct rule_state {
        _Atomic uint64_t matched; /* calls that matched all but when= and prob= */
        _Atomic uint64_t hit;     /* calls it fired on */
};

/* A place that calls shm functions: the return address, as an offset in its module. */
struct shm_site {
        _Atomic uint32_t claimed;        /* somebody writes it */
        _Atomic uint32_t ready;          /* it is written; may never come to be, if the writer was killed */
        _Atomic uint64_t asked, matched; /* bits of the rules whose caller= was held against it, and that matched */
        uint64_t offset;                 /* from the module's load address: what its DWARF counts in */
        char module[256];                /* path of the file */
        char function[128];              /* the symbol that the address is in, static ones too, or "" */
};

enum shm_event_kind {
        SHM_EVENT_CALL,  /* a call, with its result once it has returned */
        SHM_EVENT_START, /* a process image has loaded the library: args[0] is the parent's pid; site, if there is one,
                            names the program's file as its module */
        SHM_EVENT_FORK,  /* in the child, at the latest before its first call: args[0] is the parent's pid */
        SHM_EVENT_EXIT   /* a process ends by exit(); one that is killed writes none */
};

enum shm_event_state {
        SHM_EVENT_FREE,
        SHM_EVENT_TAKEN,   /* being written */
        SHM_EVENT_ENTERED, /* a call that has not returned (or died in it); has_result: it only waits to return */
        SHM_EVENT_COMPLETE,
        SHM_EVENT_RETURNING, /* entered, and its result is being written */
        SHM_EVENT_RETIRED    /* nobody knows whether somebody still writes to it: never used again */
};

/* One cache line pair; what is written on return is in the first line. A slot is free again once it was read. */
struct shm_event {
        alignas(64) _Atomic uint64_t
                sequence_state; /* round of the ring, writer's thread, state: session_event_state */
        int64_t start;          /* CLOCK_MONOTONIC, nanoseconds */
        int64_t duration;       /* nanoseconds */
        int32_t pid, tid;
        uint8_t kind, call;
        uint8_t has_result, raw; /* raw: made by syscall(2) */
        int32_t error;           /* errno, 0 if it did not fail */
        int64_t result;
        uint32_t site;   /* index, or SESSION_NO_SITE */
        int32_t rule;    /* index of the rule that fired, SESSION_OWN_RULE, or -1 */
        uint32_t nattch; /* of IPC_STAT and its kin, as the caller saw it */
        uint32_t anew;   /* a call that was given up by the reader, written once more: session_set_state */
        int64_t args[3]; /* shmget: key, size, flags; shmat: id, address, flags; shmdt: address; shmctl: id, command,
                            buffer; ftok: project id */
        uint64_t segsz;  /* of IPC_STAT and its kin, as the caller saw it */
};

/* A call that takes long, moved out of the way of the others. */
struct session_parked {
        struct shm_event event;
        uint64_t gone_before; /* position, plus 1, in front of which its thread ended, and all that it wrote is */
};

/* What the reader, and nobody else, has to remember. */
struct session_reader {
        uint64_t stuck_at;    /* position that is taken and was not written yet, plus 1 */
        int64_t stuck_since;  /* CLOCK_MONOTONIC, nanoseconds */
        int64_t parked_asked; /* when their threads were last looked for */
        bool parked_lost;     /* there were too many, so that some were visited early */
        unsigned parked_count;
        struct session_parked parked[SESSION_PARKED];
};

struct session {
        char magic[8];
        uint32_t size; /* sizeof(struct session): both sides are of one build */
        int32_t supervisor;
        uint64_t pid_namespace;  /* inode of the supervisor's, 0 if not known */
        _Atomic uint32_t closed; /* nobody reads events any more */
        uint32_t events_on;
        struct fault_plan plan;
        unsigned plan_calls; /* bits of all calls that some rule is about */
        alignas(64) struct rule_state states[FAULT_RULES];
        alignas(64) _Atomic uint32_t seen[SHM_CALLS]; /* 1: such a call was seen (counted exactly by events) */
        _Atomic uint32_t unreachable; /* processes that started an image the library cannot reach: static, setuid */
        char unreachable_path[256];   /* the first of them */
        _Atomic uint32_t site_count;
        struct shm_site sites[SESSION_SITES];
        alignas(64) _Atomic uint64_t head; /* next position to take */
        _Atomic uint32_t room;             /* futex: grows when there is room again */
        _Atomic uint32_t waiters;          /* for room */
        alignas(64) _Atomic uint64_t tail; /* next position to be read */
        _Atomic uint32_t wake;             /* futex: grows when there is much to read, or the ring is full */
        _Atomic uint32_t sleeping;         /* the reader waits for wake */
        _Atomic uint32_t beat;             /* grows each time the reader comes by */
        struct shm_event ring[SESSION_EVENTS];
        struct session_reader reader;
};

/*
 * Makes a session of the plan. *fd is its descriptor, close-on-exec, as high a
 * number as can be had below 1024, so that it is in nobody's way and costs a
 * fork nothing. Returns NULL with errno on failure, as memfd_create(2),
 * ftruncate(2) and mmap(2) have it.
 */
struct session *session_new(const struct fault_plan *plan, bool events, int *fd);

/*
 * Begins anew with the plan, for the next command; the sites that are known
 * stay. No process but the caller may use the session by then.
 */
void session_renew(struct session *s, const struct fault_plan *plan);

/* Lets go of the memory; the descriptor stays the caller's. */
void session_free(struct session *s);

/* In the child that is to become a program of the session: lets that inherit the descriptor. */
bool session_hand_on(int fd);

/* Writes the value of SESSION_VARIABLE for a child. */
void session_name(const struct session *s, int fd, char *value, size_t size);

/*
 * Joins the session that the value names: by the inherited descriptor, or, if
 * that was closed, through /proc/PID/fd. Returns NULL if it names none, or one
 * of another build. Safe in a signal handler.
 */
struct session *session_join(const char *value);

/* Whether this process's pids mean the same to the supervisor: both are in one PID namespace, and /proc says so. */
bool session_shares_pids(const struct session *s);

/*
 * Takes a slot for an event of the thread, which is 0 if its number would mean
 * another thread, or none, to the reader. Waits while the ring is full, unless
 * nobody reads it any more: then returns NULL. That is so when the session was
 * closed, when the supervisor is seen to be gone, or, if its pid cannot be
 * seen, when it did not come by for ten seconds of waiting. The caller fills the
 * event in and sets its state. *sequence names this use of the slot. Errno
 * stays as it is.
 */
struct shm_event *session_take_by(struct session *s, pid_t thread, uint64_t *sequence);
struct shm_event *session_take(struct session *s, uint64_t *sequence);

/*
 * Returns whether the state was set: false if the reader has given the slot up
 * since (see session_drain), which then must not be written to any more: take
 * another one, and write the whole event there, with anew set if it was ENTERED
 * before.
 * Order: TAKEN, then ENTERED or COMPLETE; RETURNING before anything is written
 * to an event that is ENTERED, then ENTERED again or COMPLETE.
 */
bool session_set_state(struct shm_event *e, uint64_t sequence, enum shm_event_state state);

/* COMPLETE, or, of an event that session_drain visited before it was complete, ENTERED. */
enum shm_event_state session_event_state(const struct shm_event *e);

/*
 * Calls visit for each event that is complete, in the order in which they were
 * begun. One that is not holds the others up for a moment only:
 * - a call that was entered more than 50 ms ago is put aside, and visited when
 *   it is complete, or its thread is gone, so after later ones;
 * - one whose writing was begun and not ended is passed over if its thread is
 *   gone, and given up after one second if it is not, or if there is no telling.
 *   If its thread was only stopped meanwhile, it writes the event anew.
 * With final, everything there is visited as it is: has_result tells whether
 * the result is known. Close the session first if somebody may still write.
 * The event passed to visit is a copy. Returns how many were visited; unless
 * final is set, at most about SESSION_EVENTS in one call.
 */
size_t session_drain(struct session *s, bool final, void (*visit)(const struct shm_event *e, void *arg), void *arg);

/*
 * Waits until there is much to read (an eighth of the ring), at most so many
 * milliseconds: writers spend no system call on telling of less. Ends early on
 * a signal.
 */
void session_wait(struct session *s, int milliseconds);

/* Tells writers that nobody reads events any more, and frees those that wait. Faults still happen. */
void session_close(struct session *s);

/* The index of the site with this module and offset if it is known, else SESSION_NO_SITE. Safe in a signal handler. */
uint32_t session_known_site(const struct session *s, const char *module, uint64_t offset);

/*
 * The index of the site with this module and offset, which is added if it is
 * not there yet; SESSION_NO_SITE if there are too many. function: what it is to
 * be called if it is new, or "". Safe in a signal handler.
 */
uint32_t session_site(struct session *s, const char *module, uint64_t offset, const char *function);

#endif
