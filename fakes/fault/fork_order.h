/* Orders of the tool, with the descriptors that come with them (fork_protocol.h). */
#ifndef FORK_ORDER_H
#define FORK_ORDER_H

#include <stdbool.h>

#include "fork_protocol.h"

struct fork_order_received {
        struct fork_order order;
        int descriptors[FORK_DESCRIPTORS]; /* close-on-exec */
        unsigned count;                    /* of descriptors */
};

/* Waits for one. Returns false if nobody gives orders any more. */
bool fork_order_receive(int socket, struct fork_order_received *received);

#endif
