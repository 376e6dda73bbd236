/* What the calls left there: segments that were made, addresses that are attached. */
#ifndef INVENTORY_H
#define INVENTORY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "shmfault.h"

#define SEGMENTS_NOTED 4096 /* what Linux allows in an IPC namespace, unless told otherwise */

/* A segment that shmget gave to one who may have made it: whether it did is found out when somebody asks. */
struct segment_note {
        _Atomic uint64_t name;     /* shmid + 1; 0: free */
        _Atomic uint32_t going;    /* marked to be destroyed: another one may be noted here */
        _Atomic uint32_t complete; /* the rest is written */
        bool certain;              /* shmget cannot have found it there */
        pid_t maker;
        key_t key;
        const void *made_at;
};

/* Shared by all processes that are to know of each other's segments. Zeroed memory is an empty one. */
struct segment_notes {
        _Atomic bool overflowed;
        struct segment_note notes[SEGMENTS_NOTED];
};

struct call;

/* Notes what a call that has succeeded did. Lock-free and safe in a signal handler; errno stays as it is. */
void inventory_note(const struct call *c, int64_t result);

/* As shmfault_segments and shmfault_attachments have it. */
ssize_t inventory_segments(struct segment_notes *notes, struct shmfault_segment *list, size_t room);
ssize_t inventory_attachments(struct shmfault_attachment *list, size_t room);

#endif
