/* Letters in segments of their own, one after the other: what bench holds sweeps of programs in C by. */
#include <stdio.h>
#include <string.h>
#include <sys/shm.h>

#define LETTERS 12
#define WIDTH 4096

/* Returns false after a line that tells what failed; nothing is left then. */
static int send_letter(int number)
{
        int id = shmget(IPC_PRIVATE, WIDTH, IPC_CREAT | 0600);
        if (id == -1) {
                perror("shmget");
                return 0;
        }
        char *letter = shmat(id, NULL, 0);
        if (letter == (void *)-1) {
                perror("shmat");
                shmctl(id, IPC_RMID, NULL);
                return 0;
        }
        snprintf(letter, WIDTH, "letter %d", number);
        puts(letter);
        if (shmctl(id, IPC_RMID, NULL) == -1) {
                perror("shmctl");
                return 0;
        }
        if (shmdt(letter) == -1) {
                perror("shmdt");
                return 0;
        }
        return 1;
}

int main(void)
{
        for (int i = 0; i < LETTERS; i++) {
                if (!send_letter(i))
                        return 1;
        }
        return 0;
}
