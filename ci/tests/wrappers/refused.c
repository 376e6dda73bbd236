/* A segment that its own creator may not attach: the error is what is expected, unless its caller has CAP_IPC_OWNER. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/shm.h>

int main(void)
{
        int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0000);
        if (id == -1) {
                perror("shmget");
                return 1;
        }
        void *address = shmat(id, NULL, 0);
        printf("%s\n", address == (void *)-1 ? strerror(errno) : "attached");
        if (shmctl(id, IPC_RMID, NULL) == -1) {
                perror("IPC_RMID");
                return 1;
        }
        return 0;
}
