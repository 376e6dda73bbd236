/* Reads a line of its standard input before its first call, and one after it; what it shares with children is its own.
 */
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

int main(void)
{
        char line[8] = "";
        int *count = mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (count == MAP_FAILED || read(STDIN_FILENO, line, 4) != 4)
                return 1;
        printf("first %s", line);
        fflush(stdout);
        int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
        if (id == -1 || shmctl(id, IPC_RMID, NULL) == -1) {
                perror("reader");
                return 1;
        }
        if (read(STDIN_FILENO, line, 4) != 4)
                return 1;
        printf("then %s%d\n", line, ++*count);
        return 0;
}
