#include "leaks.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/shm.h>

static int stat_index(int index, struct shmid_ds *ds)
{
        int id = shmctl(index, SHM_STAT_ANY, ds);
        return id != -1 ? id : shmctl(index, SHM_STAT, ds);
}

static struct segment_there describe(int id, const struct shmid_ds *ds)
{
        return (struct segment_there){.shmid = id,
                                      .key = (uint32_t)ds->shm_perm.__key,
                                      .size = ds->shm_segsz,
                                      .nattch = ds->shm_nattch,
                                      .mode = ds->shm_perm.mode & 0777U,
                                      .uid = ds->shm_perm.uid,
                                      .creator = ds->shm_cpid,
                                      .marked = (ds->shm_perm.mode & SHM_DEST) != 0};
}

bool segments_list(struct segments_there *list)
{
        struct shm_info info;
        *list = (struct segments_there){NULL, 0};
        /* Also the result when there is no segment at all is 0. */
        int highest = shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)&info);
        if (highest == -1)
                return false;
        list->items = calloc((size_t)highest + 1, sizeof(list->items[0]));
        if (!list->items)
                return false;
        for (int i = 0; i <= highest; i++) {
                struct shmid_ds ds;
                int id = stat_index(i, &ds);
                if (id != -1)
                        list->items[list->count++] = describe(id, &ds);
        }
        return true;
}

const struct segment_there *segments_find(const struct segments_there *list, int shmid)
{
        for (size_t i = 0; i < list->count; i++) {
                if (list->items[i].shmid == shmid)
                        return &list->items[i];
        }
        return NULL;
}
