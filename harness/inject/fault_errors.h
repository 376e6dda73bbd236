/* Which errors a call can really give, by what document, and when a user meets them: shared with sweep. */
#ifndef FAULT_ERRORS_H
#define FAULT_ERRORS_H

#include "fault_plan.h"

enum fault_source { FAULT_NEVER, FAULT_RARE, FAULT_YES };

struct fault_error {
        enum shm_call call;
        int command; /* of shmctl; FAULT_ANY_COMMAND: for every one, and for the other calls */
        int error;
        enum fault_source posix, linux_; /* linux_: the kernel or a C library on it can give it */
        const char *when;                /* the situation in which a user meets it */
};

extern const struct fault_error fault_errors[];
extern const size_t fault_error_count;

/*
 * Whether one of the calls (bits 1 << enum shm_call) can fail so by some
 * document; of shmctl with this command, or with some if it is FAULT_ANY_COMMAND.
 */
bool fault_error_is_known(unsigned calls, int command, int error);

/* Whether the row is of one of the calls, in the same sense. */
bool fault_error_is_of(const struct fault_error *row, unsigned calls, int command);

#endif
