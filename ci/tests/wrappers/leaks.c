/* The mistake: when shmat fails, the segment that was just made is forgotten. */
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/shm.h>

static int *open_counter(int *id)
{
        *id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
        if (*id == -1)
                return NULL;
        int *counter = shmat(*id, NULL, 0); /* bug */
        return counter == (void *)-1 ? NULL : counter;
}

int main(void)
{
        int id = 0;
        int *counter = open_counter(&id);
        if (!counter) {
                fputs("leaks: the counter cannot be opened\n", stderr);
                return 1;
        }
        printf("%d\n", ++*counter);
        if (shmctl(id, IPC_RMID, NULL) == -1 || shmdt(counter) == -1) {
                perror("leaks");
                return 1;
        }
        return 0;
}
