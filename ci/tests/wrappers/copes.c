/* A counter in shared memory whose author has thought of everything: each failure is told, and nothing is left. */
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include <sys/ipc.h>
#include <sys/shm.h>

static int give_up(const char *what, int id)
{
        fprintf(stderr, "copes: %s: %s\n", what, strerror(errno));
        if (id != -1)
                shmctl(id, IPC_RMID, NULL);
        return 1;
}

int main(void)
{
        struct shmid_ds ds;
        int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
        if (id == -1)
                return give_up("shmget", -1);
        int *counter = shmat(id, NULL, 0);
        if (counter == (void *)-1)
                return give_up("shmat", id);
        *counter = 41;
        ++*counter;
        if (shmctl(id, IPC_STAT, &ds) == -1)
                return give_up("IPC_STAT", id);
        printf("%d\n", *counter);
        if (shmctl(id, IPC_RMID, NULL) == -1)
                return give_up("IPC_RMID", -1);
        if (shmdt(counter) == -1)
                return give_up("shmdt", -1);
        return 0;
}
