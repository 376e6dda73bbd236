/* The names that rules are written with and reports print: calls, shmctl commands, errors, signals, members. */
#ifndef FAULT_NAMES_H
#define FAULT_NAMES_H

#include "fault_plan.h"

/* Names and what they stand for, side by side; a number's first name is the one to print. */
struct fault_names {
        const char *const *names; /* ending with NULL */
        const int *numbers;       /* NULL: their places in names */
};

extern const struct fault_names fault_call_names; /* and "shm" as SHM_CALLS */
extern const struct fault_names fault_command_names;
extern const struct fault_names fault_error_names;
extern const struct fault_names fault_signal_names;       /* as "SIGKILL"; none of the real-time signals */
extern const struct fault_names fault_short_signal_names; /* as "KILL" */
extern const struct fault_names fault_member_names;

/* Looks a word of so many bytes up, whatever its letters' case; false if no name is that word. */
bool fault_name_find(const struct fault_names *list, const char *word, size_t length, int *number);

/* The number's first name, or NULL. */
const char *fault_name_of(const struct fault_names *list, int number);

#endif
