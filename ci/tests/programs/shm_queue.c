/*
 * A small program that uses shared memory in the way that its argument names:
 * tests trace it, and look for the lines that the calls stand in.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEY 0x5e3a0001

static int open_segment(void)
{
        return shmget(KEY, 4096, IPC_CREAT | IPC_EXCL | 0600); /* opens */
}

/* Leaves a segment behind. */
static int leak(void)
{
        struct shmid_ds ds;
        int id = open_segment();
        void *address = shmat(id, NULL, SHM_RDONLY);
        open_segment();
        shmctl(id, IPC_STAT, &ds);
        return address == (void *)-1;
}

static int clean(void)
{
        int id = open_segment();
        void *address = shmat(id, NULL, 0);
        shmctl(id, IPC_RMID, NULL);
        return shmdt(address) == 0 ? 0 : 1;
}

static void *call_in_thread(void *arg)
{
        int id = open_segment();
        shmctl(id, IPC_RMID, NULL);
        return arg;
}

static int in_a_thread(void)
{
        pthread_t thread;
        pthread_create(&thread, NULL, call_in_thread, NULL);
        pthread_join(thread, NULL);
        return 0;
}

/* The child that inherits an attachment is killed. */
static int kill_child(void)
{
        int id = open_segment();
        void *address = shmat(id, NULL, 0);
        pid_t child = fork();
        if (child == 0) {
                shmctl(id, IPC_RMID, NULL);
                raise(SIGKILL);
        }
        waitpid(child, NULL, 0);
        return shmdt(address) == 0 ? 0 : 1;
}

/* A process that is attached outlives this one. */
static int leave_attached(void)
{
        int id = open_segment();
        int ready[2];
        char byte = 0;
        if (pipe(ready) == -1)
                return 1;
        if (fork() == 0) {
                shmat(id, NULL, 0);
                shmctl(id, IPC_RMID, NULL);
                if (write(ready[1], "", 1) == 1)
                        pause();
                _exit(0);
        }
        return read(ready[0], &byte, 1) == 1 ? 0 : 1;
}

/* Each of some processes makes a call that may fail; prints how many did. */
static int call_in_processes(void)
{
        int failed = 0;
        for (int i = 0; i < 8; i++) {
                int status = 0;
                pid_t child = fork();
                if (child == 0)
                        _exit(shmget(IPC_PRIVATE, 1, 0600) == -1);
                waitpid(child, &status, 0);
                failed += WEXITSTATUS(status);
        }
        printf("%d failed\n", failed);
        return 0;
}

static int open_once(void)
{
        int id = open_segment();
        printf("%s\n", id == -1 ? strerror(errno) : "made");
        return id == -1 ? 5 : 0;
}

int main(int argc, char **argv)
{
        static const struct {
                const char *name;
                int (*run)(void);
        } ways[] = {{"leak", leak},
                    {"clean", clean},
                    {"thread", in_a_thread},
                    {"killed", kill_child},
                    {"attached", leave_attached},
                    {"processes", call_in_processes},
                    {"once", open_once}};
        for (size_t i = 0; argc > 1 && i < sizeof(ways) / sizeof(ways[0]); i++) {
                if (strcmp(argv[1], ways[i].name) == 0)
                        return ways[i].run();
        }
        return 2;
}
