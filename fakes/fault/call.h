/* One call on its way from the program to the one that really makes it, and back. */
#ifndef CALL_H
#define CALL_H

#include <stdbool.h>
#include <stdint.h>

#include <sys/shm.h>

#include "fault_plan.h"

struct call {
        enum shm_call call;
        bool raw;           /* made by syscall(2) */
        const void *caller; /* return address */
        int64_t args[3];    /* as shm_event has them */
        const char *path;   /* of ftok */
};

/* What came of it. */
struct outcome {
        int64_t result;
        int error;       /* errno, 0 if it did not fail */
        uint32_t nattch; /* as the caller's shmid_ds has them, if it was filled in */
        uint64_t segsz;
};

/* In two registers. */
struct answer {
        int64_t result; /* of a call that was made */
        bool made;
        bool to_record; /* it was not made, and is to be recorded */
};

/* The call's course, faults and all. Returns what the caller is to be given, and leaves errno as it is to be. */
int64_t call_run(const struct call *c);

/*
 * The same in two steps for shmctl, which is the one that is called often: the
 * second one, if there is any, can be the last thing that its caller does.
 */
struct answer call_run_shmctl_if_hit(int shmid, int command, struct shmid_ds *buffer, const void *caller);
int call_record_shmctl(int shmid, int command, struct shmid_ds *buffer, const void *caller);

/* shmctl's command, without the flag that a raw call may have in it. */
int call_command(const struct call *c);

#endif
