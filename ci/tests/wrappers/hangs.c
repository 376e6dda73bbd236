/* The mistake: a segment that is not there yet is waited for, without an end. */
#include <errno.h>
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <unistd.h>

#define KEY 0x5e3a0002

static int open_existing(void)
{
        for (;;) {
                int id = shmget(KEY, 4096, 0600); /* bug */
                if (id != -1 || errno != ENOENT)
                        return id;
                usleep(1000);
        }
}

int main(void)
{
        int made = shmget(KEY, 4096, IPC_CREAT | IPC_EXCL | 0600);
        if (made == -1) {
                perror("hangs: shmget");
                return 1;
        }
        int found = open_existing();
        if (found == -1)
                perror("hangs: shmget");
        else
                puts(found == made ? "found" : "another");
        if (shmctl(made, IPC_RMID, NULL) == -1)
                perror("hangs: shmctl");
        return found == made ? 0 : 1;
}
