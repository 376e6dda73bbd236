/* Writes events for the supervisor. */
#ifndef RECORDING_H
#define RECORDING_H

#include "session.h"

struct call;
struct outcome;

/* An event that is being written: what is needed to write it anew. */
struct recording {
        struct session *session;
        struct shm_event *slot; /* NULL: nobody wants it */
        uint64_t sequence;
        int64_t start;
        enum shm_event_kind kind;
        pid_t pid, tid, seen_as;
        uint32_t site;
        int rule;
};

/* The call is entered, and a rule fired on it, or none did (-1). None of these changes errno. */
void record_entry(struct recording *r, const struct call *call, int rule);

/* The call has its outcome, but is held before it returns (else record_return alone will do). */
void record_outcome(struct recording *r, const struct call *call, const struct outcome *outcome);

void record_return(struct recording *r, const struct call *call, const struct outcome *outcome);

/* Something else than a call: START, FORK or EXIT. */
void record_mark(enum shm_event_kind kind);

#endif
