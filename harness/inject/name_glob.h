/*
 * Globs on the names of functions, files and threads. fnmatch(3) would do,
 * but it loads the locale's tables, for which it locks and allocates, and a
 * program may call shm functions in a signal handler or in its own malloc.
 */
#ifndef NAME_GLOB_H
#define NAME_GLOB_H

#include <stdbool.h>

/*
 * Whether the whole text matches: *, ?, [set], [!set] or [^set] with ranges,
 * and \ before a character that is meant as it is. Neither / nor a dot in
 * front is special, as in fnmatch(3) without flags; bytes, not characters.
 */
bool name_glob_matches(const char *glob, const char *text);

/* The place of a [ without its ], or of a \ at the end; NULL if there is none. */
const char *name_glob_flaw(const char *glob);

#endif
