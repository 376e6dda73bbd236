/* Keys are drawn until one is free: only all keys being taken could make that endless. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/shm.h>

int main(void)
{
        int id = -1;
        do {
                id = shmget((key_t)(rand() | 1), 4096, IPC_CREAT | IPC_EXCL | 0600);
        } while (id == -1 && errno == EEXIST);
        if (id == -1) {
                perror("draws: shmget");
                return 1;
        }
        puts("made");
        if (shmctl(id, IPC_RMID, NULL) == -1) {
                perror("draws: shmctl");
                return 1;
        }
        return 0;
}
