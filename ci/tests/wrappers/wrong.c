/* The mistake: where the size cannot be asked for, it is taken to be 0, and nobody is told. */
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/shm.h>

static unsigned long size_of(int id)
{
        struct shmid_ds ds;
        if (shmctl(id, IPC_STAT, &ds) == -1) /* bug */
                return 0;
        return ds.shm_segsz;
}

int main(void)
{
        int id = shmget(IPC_PRIVATE, 3333, IPC_CREAT | 0600);
        if (id == -1) {
                perror("wrong: shmget");
                return 1;
        }
        printf("%lu bytes\n", size_of(id));
        if (shmctl(id, IPC_RMID, NULL) == -1) {
                perror("wrong: shmctl");
                return 1;
        }
        return 0;
}
