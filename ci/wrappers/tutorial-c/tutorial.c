/* A segment as tutorials teach it: a key from a file, create, attach, write, read, detach, remove. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#define SHM_SIZE 1024

int main(int argc, char **argv)
{
        if (argc > 2) {
                fprintf(stderr, "usage: tutorial [TEXT]\n");
                exit(1);
        }

        /* The key is made from a file that is there, and a letter. */
        key_t key = ftok(argv[0], 'R');
        if (key == -1) {
                perror("ftok");
                exit(1);
        }

        /* Connect to the segment, and create it if it is not there. */
        int shmid = shmget(key, SHM_SIZE, 0644 | IPC_CREAT);
        if (shmid == -1) {
                perror("shmget");
                exit(1);
        }

        /* Attach it to get a pointer to it. */
        char *data = shmat(shmid, NULL, 0);
        if (data == (void *)-1) {
                perror("shmat");
                exit(1);
        }

        /* Write to it, and read it. */
        const char *text = argc == 2 ? argv[1] : "hello";
        printf("writing to segment: \"%s\"\n", text);
        strncpy(data, text, SHM_SIZE - 1);
        printf("segment contains: \"%s\"\n", data);

        /* Detach it. */
        if (shmdt(data) == -1) {
                perror("shmdt");
                exit(1);
        }

        /* Remove it. */
        if (shmctl(shmid, IPC_RMID, NULL) == -1) {
                perror("shmctl");
                exit(1);
        }
        return 0;
}
