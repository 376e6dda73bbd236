/* An IPC namespace of one's own, and the proof that it is one. */
#ifndef FRESH_NAMESPACE_H
#define FRESH_NAMESPACE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Moves this process, which has one thread, to an IPC namespace in which no
 * segment is (unshare(2)). Who may not have one is given a user namespace
 * around it, in which their ids are what they were (user_namespaces(7)).
 * Returns false with one line in why: what failed, or that the platform makes
 * namespaces that isolate nothing.
 */
bool fresh_namespace_enter(char *why, size_t size);

#endif
