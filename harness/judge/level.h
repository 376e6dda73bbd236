/* How binding a behaviour is, in the record's words (harness/agent/registry.c writes them). */
#ifndef LEVEL_H
#define LEVEL_H

#include <stddef.h>

#define LEVELS 5

/* The most binding first. */
extern const char *const level_names[LEVELS];

/* The place of the level among them; LEVELS for one that is none, or NULL. */
size_t level_place(const char *name);

#endif
