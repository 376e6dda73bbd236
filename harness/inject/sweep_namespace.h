/* An IPC namespace that outlives the run that was given it, so that a second run meets what the first left. */
#ifndef SWEEP_NAMESPACE_H
#define SWEEP_NAMESPACE_H

#include <stdbool.h>
#include <stddef.h>

/* Descriptors of /proc/self/ns, -1: none. user is -1 where the IPC namespace is in this process's user namespace. */
struct sweep_namespace {
        int user, ipc;
};

#define SWEEP_NO_NAMESPACE ((struct sweep_namespace){-1, -1})

/* In the run's process: hands its namespaces over. Returns false with one line in why. */
bool sweep_namespace_send(int socket, char *why, size_t size);

/* Takes them. Returns false, with none, if they were not sent. */
bool sweep_namespace_receive(int socket, struct sweep_namespace *n);

/* In another run's process: moves it there. Returns false with one line in why. */
bool sweep_namespace_enter(const struct sweep_namespace *n, char *why, size_t size);

void sweep_namespace_close(struct sweep_namespace *n);

#endif
