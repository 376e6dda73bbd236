/* A System V shm call as the kernel is asked for it: which one, and with what, for each way to make it. */
#ifndef RAW_CALL_H
#define RAW_CALL_H

#include <linux/seccomp.h>

#include "fault_plan.h"

struct raw_call {
        enum shm_call call;
        int64_t args[3];       /* in the order of struct shm_event, signs extended; a command without its ABI flag */
        uint64_t result_at;    /* where in the caller's memory shmat's address is to be put; 0: it is returned */
        unsigned result_bytes; /* how wide it is there */
};

/* Fills in call from what seccomp tells; returns false if it is no shm call that shm_filter.h knows. */
bool raw_call_decode(const struct seccomp_data *data, struct raw_call *call);

#endif
