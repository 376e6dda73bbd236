/* Which process and thread makes a call, told without a system call; and that a process began or ends. */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

struct caller_identity {
        pid_t pid, tid;
        pid_t seen_as;   /* tid, if the supervisor would find this thread by it, or else 0 */
        unsigned thread; /* 1: the process's first one; the others are counted from 2 as they come here */
};

/*
 * The calling thread's. A new process is noticed however it was made, except by
 * vfork or another clone that shares memory: until it calls exec, that one is
 * taken for its parent's thread. Lock-free and safe in a signal handler.
 */
const struct caller_identity *caller_identity(void);

/* Makes ready what a fork is noticed by. May be called by several threads, and more than once. */
void process_set_up(void);

/* Keeps a thread that is to be cancelled from being so within a call that is no cancellation point. */
int cancellation_off(void);
void cancellation_back(int state);

#endif
