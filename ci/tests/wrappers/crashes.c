/* The mistake: what shmat gives is not held against (void *)-1. */
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/shm.h>

static char *attach(int id)
{
        char *address = shmat(id, NULL, 0); /* bug */
        address[0] = 'x';
        address[1] = '\0';
        return address;
}

int main(void)
{
        int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
        if (id == -1) {
                perror("crashes: shmget");
                return 1;
        }
        char *text = attach(id);
        puts(text);
        if (shmctl(id, IPC_RMID, NULL) == -1 || shmdt(text) == -1) {
                perror("crashes");
                return 1;
        }
        return 0;
}
