/*
 * What /proc tells of a thread that makes a call. A thread may die, and its
 * number be given to another, at any moment: who asks makes sure afterwards
 * that it is still the same one.
 */
#ifndef CALLER_FACTS_H
#define CALLER_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct caller_status {
        pid_t process;                     /* thread group */
        uint32_t uid;                      /* effective, as this process's user namespace numbers it */
        uint64_t blocked, ignored, caught; /* bit N - 1 for signal N */
        bool first;                        /* process 1 of a PID namespace: no signal ends it by default */
};

/* Reads /proc/THREAD/status (proc(5)); returns false if there is none. */
bool caller_status_read(pid_t thread, struct caller_status *status);

/* The user id that the thread itself sees, in its own user namespace, for one that this process sees. */
uint32_t caller_uid_inside(pid_t thread, uint32_t uid);

/* The thread's name; returns false if it is gone. */
bool caller_name(pid_t thread, char name[16]);

/* Whether the signal, sent to the thread now, would end it, stop it or run a handler before it goes on. */
bool caller_will_heed(const struct caller_status *status, int signal_number);

/* Threads that have been seen. Zeroed: none. */
struct callers {
        struct caller *known;
        size_t count, room;
};

/* The process of the thread, cheaply if the thread was seen before; 0 if it is gone. */
pid_t callers_process(struct callers *callers, pid_t thread);

/* 1 for the first thread of its process, 2 for the next one that is asked about, and so on; 0 if it is gone. */
unsigned callers_number(struct callers *callers, pid_t thread);

void callers_free(struct callers *callers);

#endif
