/* The segments of this process's IPC namespace. */
#ifndef LEAKS_H
#define LEAKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct segment_there {
        int32_t shmid;
        uint32_t key;  /* 0: IPC_PRIVATE, or marked to be destroyed */
        uint64_t size; /* bytes */
        uint64_t nattch;
        uint32_t mode; /* permission bits */
        uint32_t uid;
        int32_t creator; /* pid; 0 when the process is not of this PID namespace */
        bool marked;     /* to be destroyed with its last attachment */
};

struct segments_there {
        struct segment_there *items;
        size_t count;
};

/*
 * Lists them, whoever owns them, by SHM_STAT_ANY (shmctl(2), since Linux 4.17;
 * before that by SHM_STAT those that this user may read). Returns false with
 * errno: ENOSYS where there is no System V shared memory, or ENOMEM.
 * The caller frees items.
 */
bool segments_list(struct segments_there *list);

/* The one with this identifier, or NULL. */
const struct segment_there *segments_find(const struct segments_there *list, int shmid);

#endif
