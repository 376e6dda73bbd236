/* Moving to an IPC namespace of one's own. For the preloaded library too: libc only, no allocation. */
#ifndef OWN_NAMESPACE_H
#define OWN_NAMESPACE_H

/*
 * Moves this process, which has one thread, to a new IPC namespace
 * (unshare(2)). Who may not have one is given a user namespace around it, in
 * which their ids are what they were (user_namespaces(7)); the capabilities
 * that it gives are for the caller to give up. Returns NULL, or what failed,
 * with errno set.
 */
const char *own_namespace_enter(void);

#endif
