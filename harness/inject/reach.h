/* Whether a preloaded library reaches a program: the program's file is looked at, and nothing is started. */
#ifndef REACH_H
#define REACH_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Finds the file that execvp(3) would start for the name. Returns false with
 * one line in why: there is none, it is a directory, or it may not be executed.
 */
bool program_find(const char *name, char path[PATH_MAX], char *why, size_t size);

/*
 * Whether the dynamic linker would load the library into the program, or, if it
 * is a script, into its interpreter (execve(2), ld.so(8) "Secure-execution
 * mode"). Returns false with one line in why: the program is static, or gains
 * privileges when started by this user, or is for another machine or C library
 * than the library, or no program at all.
 */
bool reach_by_preload(const char *path, const char *library, char *why, size_t size);

/*
 * This process's environment with the library in front of LD_PRELOAD and
 * NAME=VALUE added. Returns NULL with one line in why: LD_PRELOAD cannot name
 * the library (ld.so(8): names are separated by spaces and colons), or memory
 * is short. The caller frees it with environment_free.
 */
char **environment_with(const char *library, const char *name, const char *value, char *why, size_t size);
void environment_free(char **environment);

#endif
