/* The processes below this one. */
#ifndef DESCENDANTS_H
#define DESCENDANTS_H

#include "command.h"

/* Calls visit for each child of the process's first thread (proc(5), /proc/PID/task/TID/children). */
void descendants_each_child(pid_t parent, void (*visit)(pid_t pid, void *arg), void *arg);

/*
 * Kills this process's children, and theirs that become its children by that
 * because it is a subreaper (prctl(2)), but for the keepers of the commands in
 * the list. Gives up after two seconds if some do not die.
 */
void descendants_kill(const struct command *spared);

#endif
