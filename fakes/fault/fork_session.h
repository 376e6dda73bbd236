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

/* In a fork: takes up the session's plan, which may be another one than when it was joined. */
void fork_session_begin(void);

#endif
