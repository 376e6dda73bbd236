/* A segment that is gone before it is attached is looked up again: that ends, as one of the next is there. */
#include <errno.h>
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/shm.h>

int main(void)
{
        int id = -1;
        void *address = (void *)-1;
        do {
                id = shmget(0x5e3a0001, 4096, IPC_CREAT | 0600);
                address = id == -1 ? (void *)-1 : shmat(id, NULL, 0);
        } while (id != -1 && address == (void *)-1 && (errno == EINVAL || errno == EIDRM));
        if (address == (void *)-1)
                perror("looks_again");
        else
                puts("attached");
        if (id != -1 && shmctl(id, IPC_RMID, NULL) == -1)
                perror("looks_again: shmctl");
        return address == (void *)-1;
}
