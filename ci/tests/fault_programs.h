/* Programs under libshmfault.so, with a session that the test supervises. */
#ifndef FAULT_PROGRAMS_H
#define FAULT_PROGRAMS_H

#include "command.h"
#include "session.h"

/*
 * Compiles the programs of ci/tests/fault_programs, and moves the test into an
 * IPC namespace of its own. In commands, $P is their folder, and $L starts a
 * program with the library preloaded.
 */
void make_fault_programs(void);

/* What a command did under a session. */
struct faulted {
        struct finished f;
        struct session *session;
        struct shm_event *events; /* as they were read */
        size_t count;
};

/* Runs the shell command under the rules, a list that ends with NULL, and reads its events meanwhile, if wanted. */
struct faulted run_under(const char *const *rules, bool events, const char *command);
void faulted_free(struct faulted *r);

#define RULES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NO_RULES ((const char *const[]){NULL})

/* The first event of the kind (and, of calls, the call) from this index on; the test fails if there is none. */
const struct shm_event *next_event(const struct faulted *r, size_t *from, enum shm_event_kind kind, enum shm_call call);

/* How many there are. */
size_t count_events(const struct faulted *r, enum shm_event_kind kind, enum shm_call call);

#endif
