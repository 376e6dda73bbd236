/*
 * Where a command was when a signal such as SIGSEGV ended it: a process of this
 * tool traces it (ptrace(2)), and reads its stack by its debug information.
 */
#ifndef CRASH_STACK_H
#define CRASH_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct crash_stack {
        pid_t tracer;
        int meeting[2]; /* the tracer's end, the command's */
        int told;       /* what the tracer tells */
};

/* Starts the tracer. Returns false if it cannot be had; there will be no stack then. */
bool crash_stack_begin(struct crash_stack *s);

/* In the command's process, before it becomes its program: waits until it is traced, or cannot be. */
void crash_stack_wait(const struct crash_stack *s);

/*
 * After the command's end: what the tracer has seen, a line for each function,
 * the innermost first, as "strcpy (libc.so.6)"; or NULL if there was no crash.
 * The caller frees it.
 */
char *crash_stack_end(struct crash_stack *s);

#endif
