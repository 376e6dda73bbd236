#include "counter.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#define MARK 0x436f756e74657221L

struct shared {
        _Atomic long mark;
        _Atomic long value;
};

struct counter {
        int shmid;
        struct shared *shared;
};

static enum counter_error error_of(int error)
{
        switch (error) {
        case ENOSPC:
        case ENOMEM:
        case ENFILE:
                return COUNTER_NO_ROOM;
        case EACCES:
        case EPERM:
                return COUNTER_DENIED;
        case EINVAL:
                return COUNTER_NOT_OURS;
        default:
                return COUNTER_BROKEN;
        }
}

/* The segment's id, or -1; *made tells whether it is new. */
static int get_segment(key_t key, int *made)
{
        int shmid = -1;
        /* Another one may make or remove it in between. */
        for (int tries = 0; shmid == -1 && tries < 10; tries++) {
                *made = 1;
                shmid = shmget(key, sizeof(struct shared), IPC_CREAT | IPC_EXCL | 0600);
                if (shmid != -1 || errno != EEXIST)
                        break;
                *made = 0;
                shmid = shmget(key, sizeof(struct shared), 0);
                if (shmid == -1 && errno != ENOENT)
                        break;
        }
        return shmid;
}

static enum counter_error attach(struct counter *c, int made)
{
        c->shared = shmat(c->shmid, NULL, 0);
        if (c->shared == (void *)-1)
                return error_of(errno);
        if (made)
                c->shared->mark = MARK;
        if (c->shared->mark == MARK)
                return COUNTER_OK;
        shmdt(c->shared);
        return COUNTER_NOT_OURS;
}

enum counter_error counter_open(const char *file, struct counter **counter)
{
        int made = 0;
        key_t key = ftok(file, 'c');
        if (key == -1)
                return COUNTER_NO_NAME;
        struct counter *c = calloc(1, sizeof(*c));
        if (!c)
                return COUNTER_NO_ROOM;
        c->shmid = get_segment(key, &made);
        enum counter_error error = c->shmid == -1 ? error_of(errno) : attach(c, made);
        if (error == COUNTER_OK) {
                *counter = c;
                return COUNTER_OK;
        }
        /* What nobody else knows of would stay for ever. */
        if (c->shmid != -1 && made)
                shmctl(c->shmid, IPC_RMID, NULL);
        free(c);
        return error;
}

long counter_add(struct counter *counter, long value)
{
        return atomic_fetch_add(&counter->shared->value, value) + value;
}

enum counter_error counter_close(struct counter *counter)
{
        struct shmid_ds ds;
        enum counter_error error = COUNTER_OK;
        if (shmdt(counter->shared) == -1)
                error = COUNTER_BROKEN;
        if (shmctl(counter->shmid, IPC_STAT, &ds) == -1 ||
            (ds.shm_nattch == 0 && shmctl(counter->shmid, IPC_RMID, NULL) == -1 && errno != EINVAL && errno != EIDRM))
                error = COUNTER_BROKEN;
        free(counter);
        return error;
}
