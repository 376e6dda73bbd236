#include "descendants.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* How long a process may take to die of SIGKILL, milliseconds. */
#define DYING 2000
/* So many lists without a child to kill, one after the other, are believed. */
#define LISTS 5

static int64_t now(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void descendants_each_child(pid_t parent, void (*visit)(pid_t pid, void *arg), void *arg)
{
        char path[64];
        snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", (long)parent, (long)parent);
        FILE *f = fopen(path, "re");
        if (!f)
                return;
        for (long pid = 0; fscanf(f, "%ld", &pid) == 1;)
                visit((pid_t)pid, arg);
        fclose(f);
}

struct killing {
        const struct command *spared; /* commands whose keepers are let live */
        size_t killed;
};

static void kill_child(pid_t pid, void *arg)
{
        struct killing *killing = arg;
        const struct command *c = killing->spared;
        while (c && c->keeper != pid)
                c = c->next;
        if (c)
                return;
        kill(pid, SIGKILL);
        killing->killed++;
}

/* Returns whether there are children still. */
static bool reap(void)
{
        pid_t pid = 0;
        do {
                pid = waitpid(-1, NULL, WNOHANG);
        } while (pid > 0);
        return pid == 0;
}

void descendants_kill(const struct command *spared)
{
        int64_t until = now() + DYING;
        /* Children that end while the list is read make it leave out others: one empty list is no proof. */
        for (int empty = 0; reap() && empty < LISTS && now() < until;) {
                struct killing killing = {.spared = spared};
                descendants_each_child(getpid(), kill_child, &killing);
                empty = killing.killed == 0 ? empty + 1 : 0;
                nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        }
}
