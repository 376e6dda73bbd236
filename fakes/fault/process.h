/* Which process and thread makes a call, told without a system call; and that a process began or ends. */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

struct caller_identity {
        pid_t pid, tid;
        pid_t seen_as;   /* tid, if the supervisor would find this thread by it, or else 0 */
        unsigned thread; /* 1: the process's first one; the others are counted from 2 as they come here */
};

/* What is known of this process. The kernel zeroes it in a child, so that one made by a raw system call is seen too. */
struct process {
        _Atomic pid_t pid;        /* 0: not known */
        _Atomic bool is_zeroed;   /* the kernel does so; else the pid has to be asked for each time */
        _Atomic bool shares_pids; /* with the supervisor */
        _Atomic unsigned threads;
};

extern struct process *_Atomic process;
extern _Thread_local struct caller_identity identity __attribute__((tls_model("initial-exec")));

/* For a thread, or a process, that comes here for the first time. */
const struct caller_identity *identify_caller(void);

/*
 * The calling thread's. A new process is noticed however it was made, except by
 * vfork or another clone that shares memory: until it calls exec, that one is
 * taken for its parent's thread. Lock-free and safe in a signal handler.
 */
static inline const struct caller_identity *caller_identity(void)
{
        const struct process *p = atomic_load_explicit(&process, memory_order_acquire);
        pid_t pid = atomic_load_explicit(&p->pid, memory_order_relaxed);
        if (__builtin_expect(
                    pid == 0 || pid != identity.pid || !atomic_load_explicit(&p->is_zeroed, memory_order_relaxed), 0))
                return identify_caller();
        return &identity;
}

/* Makes ready what a fork is noticed by. May be called by several threads, and more than once. */
void process_set_up(void);

/*
 * The next child, and it alone, is to take it that it shares pids with the
 * supervisor if this process does, which spares it the look. For who is sure to
 * make that child in its own PID namespace.
 */
void process_fork_is_alike(bool alike);

/* Keeps a thread that is to be cancelled from being so within a call that is no cancellation point. */
int cancellation_off(void);
void cancellation_back(int state);

#endif
