/*
 * Messages of a known size between the processes that run a command, over a
 * stream socket. For the preloaded library too: libc only, no allocation.
 */
#ifndef WHOLE_MESSAGE_H
#define WHOLE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

/* Sends, or waits for, all size bytes. Returns false if the other side is gone, or with errno as send(2), recv(2) have
 * it. */
bool message_send(int socket, const void *bytes, size_t size);
bool message_receive(int socket, void *bytes, size_t size);

#endif
