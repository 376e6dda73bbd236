/*
 * Why a case can see no mutant (cases/beyond_a_preload.txt):
 *
 *     # a comment
 *     shmctl.abi.members  compiled into the agent: no library can alter it
 *
 * A glob of ids, blanks, and the reason to the end of the line.
 */
#ifndef REASONS_H
#define REASONS_H

#include <stdbool.h>
#include <stddef.h>

struct reason {
        char *glob, *text;
        size_t line;
        bool fits; /* there is a case for it */
};

struct reasons {
        struct reason *all;
        size_t count;
};

/* Reads the file. Returns false after one line (no newline) in why. */
bool reasons_load(struct reasons *reasons, const char *path, char *why, size_t size);
void reasons_free(struct reasons *reasons);

/* The first reason whose glob the id matches, or NULL. */
struct reason *reasons_find(const struct reasons *reasons, const char *id);

#endif
