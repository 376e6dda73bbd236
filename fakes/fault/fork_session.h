/* The session of a run that is a fork of a process which took part in another one. */
#ifndef FORK_SESSION_H
#define FORK_SESSION_H

#include <stdbool.h>

/*
 * Leaves the session that was joined for the one that this descriptor is of,
 * under the number that it has in the supervisor, for the programs that this
 * process starts. The descriptor is used up. Returns false if it is none.
 */
bool fork_session_move(int descriptor, int number);

#endif
