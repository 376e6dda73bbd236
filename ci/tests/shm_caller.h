/* Compiles programs/shm_caller.c in the ways that a test needs, and starts it under a filter. */
#ifndef SHM_CALLER_H
#define SHM_CALLER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define NOBODY 65534

/* What a started program writes. */
struct caller_output {
        int fd;
        char text[8192];
        size_t length;
};

/*
 * For a test's .init and .fini: an IPC namespace of its own, and a folder that
 * every user may write to; it is $D in commands.
 */
void caller_set_up(void);
void caller_tear_down(void);

/* Compiles it with the compiler, options included. Returns whether it runs here. */
bool compile_caller(const char *compiler);

/* At low addresses, so that it can point to its data in a 32-bit call. Fails the test if it cannot be compiled. */
void compile_static(void);

/* Skips the test where that cannot be compiled or run. */
void compile_for_32_bits(void);

/* In a child: becomes the user, or ends; 0: stays who it is. */
void become_user(uid_t uid);

/*
 * In a child: becomes the program that was compiled, with the words, which are
 * separated by blanks, and with output as its standard output. All else that is
 * open is closed, so that a descriptor that the program finds was leaked later.
 */
void become_caller(const char *words, int output);

/* Appends what there is to read; returns false at the end. */
bool read_output(struct caller_output *output);

#endif
