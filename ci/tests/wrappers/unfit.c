/*
 * A program that copes, and does before its first call what its argument names:
 * all but a change of directory is in the way of a fork.
 */
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t child;

static void *wait_for_ever(void *arg)
{
        pause();
        return arg;
}

static void make_sure(bool done)
{
        if (!done)
                exit(2);
}

static void keep_in_file(void)
{
        char name[] = "/tmp/unfit-XXXXXX";
        int fd = mkstemp(name);
        unlink(name);
        make_sure(fd != -1 && write(fd, "kept", 4) == 4);
}

static void prepare(const char *reason)
{
        static int ends[2];
        pthread_t thread;
        const struct itimerval hour = {.it_value = {3600, 0}};
        if (strcmp(reason, "thread") == 0)
                pthread_create(&thread, NULL, wait_for_ever, NULL);
        else if (strcmp(reason, "pipe") == 0)
                make_sure(pipe(ends) == 0);
        else if (strcmp(reason, "timer") == 0)
                setitimer(ITIMER_REAL, &hour, NULL);
        else if (strcmp(reason, "directory") == 0)
                make_sure(chdir("/proc") == 0);
        else if (strcmp(reason, "temporary") == 0)
                keep_in_file();
        else if (strcmp(reason, "child") == 0 && (child = fork()) == 0)
                _exit(pause());
}

static int use_segment(void)
{
        int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
        if (id == -1) {
                perror("unfit: shmget");
                return 1;
        }
        if (shmctl(id, IPC_RMID, NULL) == -1) {
                perror("unfit: shmctl");
                return 1;
        }
        return 0;
}

int main(int argc, char **argv)
{
        int status = 0;
        if (argc < 2)
                return 2;
        prepare(argv[1]);
        if (strcmp(argv[1], "process") == 0) {
                if (fork() == 0)
                        return use_segment();
                wait(&status);
                return WEXITSTATUS(status);
        }
        fflush(NULL);
        status = use_segment();
        if (child)
                kill(child, SIGKILL);
        return status;
}
