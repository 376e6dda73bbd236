/* A trace as text for people: each call as they write it, a summary, and what was left behind. */
#ifndef TRACE_TEXT_H
#define TRACE_TEXT_H

#include <stdio.h>

#include "terminal_text.h"
#include "trace.h"

/* What an argument of a call is. */
enum trace_argument {
        TRACE_KEY,
        TRACE_SIZE,
        TRACE_GET_FLAGS,
        TRACE_SHMID,
        TRACE_ADDRESS,
        TRACE_ATTACH_FLAGS,
        TRACE_COMMAND,
        TRACE_BUFFER,
        TRACE_PROJECT
};
#define TRACE_ARGUMENTS 3

struct trace_signature {
        unsigned count;
        struct {
                const char *name;
                enum trace_argument kind;
        } arguments[TRACE_ARGUMENTS];
};

/* What the arguments of shm_event.args are, by call. */
extern const struct trace_signature trace_signatures[SHM_CALLS];

/* Whether the call filled in a structure, whose shm_segsz and shm_nattch the event then has. */
bool trace_tells_segment(const struct shm_event *call);

/* Writes one argument as people write it: "0x5e3a0001", "IPC_CREAT|0600", "IPC_STAT". */
void trace_argument_text(const struct shm_event *call, unsigned i, char *text, size_t size);

/* Writes the result: "0", "-1", an address or a key in hex, "?" if it was not seen. */
void trace_result_text(const struct shm_event *call, char *text, size_t size);

/* Writes the place: "open_segment (queue.c:41)", "open_segment (libqueue.so)", "libqueue.so+0x1f40". */
void trace_place_text(const struct trace_place *place, char *text, size_t size);

/* What a rule did to the call, as strace says it: "INJECTED", "DELAYED", or NULL. */
const char *trace_mark(const struct fault_plan *plan, const struct shm_event *call);

/*
 * Prints one call on one line, as
 * [pid 123] shmget(0x5e3a0001, 4096, IPC_CREAT|0600) = -1 EACCES (Permission denied) <0.000004>  main (queue.c:41)
 * with pid if there are several processes, and with tid if it is not the
 * process's first thread. place may be NULL.
 */
void trace_text_call(FILE *out, const struct shm_event *call, const struct fault_plan *plan,
                     const struct trace_place *place, bool with_pid);

/* Prints how many calls there were, by call and error, and how long they took. */
void trace_text_summary(FILE *out, struct terminal_style style, const struct trace *trace);

/* Prints what segments are left, and who made them. */
void trace_text_left(FILE *out, struct terminal_style style, const struct trace *trace);

#endif
