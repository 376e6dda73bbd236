/*
 * Makes the shm calls that its arguments name, one after the other, and writes
 * for each its name and the errno it failed with, or 0. It is compiled by tests
 * in several ways: dynamic and static, for 64 and 32 bits.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEY 0x5e3a0001
#define SIZE 4096
#define X32_BIT 0x40000000L

enum { IPC_SHMAT = 21, IPC_SHMDT, IPC_SHMGET, IPC_SHMCTL };
#define IPC_64_FLAG 0x100

static int id = -1;
static void *address = (void *)-1;

/* What a raw system call returns, as a library function returns it. */
static long as_library(long result)
{
        if (result >= 0 || result < -4095)
                return result;
        errno = (int)-result;
        return -1;
}

#ifdef __x86_64__
/* ipc(2) as a 32-bit program calls it. Only what lies in the lower 4 GiB can be pointed to. */
static long multiplexed(long call, long first, long second, long third, void *pointer)
{
        long result = 117;
        register long fifth __asm__("rdi") = (long)pointer;
        __asm__ volatile("int $0x80"
                         : "+a"(result)
                         : "b"(call), "c"(first), "d"(second), "S"(third), "r"(fifth)
                         : "memory", "r8", "r9", "r10", "r11");
        return as_library((int)result);
}
#elif defined(SYS_ipc)
static long multiplexed(long call, long first, long second, long third, void *pointer)
{
        return syscall(SYS_ipc, call, first, second, third, pointer);
}
#else
static long multiplexed(long call, long first, long second, long third, void *pointer)
{
        (void)call, (void)first, (void)second, (void)third, (void)pointer;
        return as_library(-ENOSYS);
}
#endif

static long keep(long result)
{
        if (result != -1)
                id = (int)result;
        return result;
}

static long get(void)
{
        return keep(shmget(KEY, SIZE, IPC_CREAT | 0600));
}

static long get_by_syscall(void)
{
        return keep(syscall(SYS_shmget, KEY, SIZE, IPC_CREAT | 0600));
}

static long get_multiplexed(void)
{
        return keep(multiplexed(IPC_SHMGET, KEY, SIZE, IPC_CREAT | 0600, NULL));
}

/* The upper half of the call's number is a version, which the kernel cuts off. */
static long get_multiplexed_with_version(void)
{
        return keep(multiplexed(IPC_SHMGET | 2 << 16, KEY, SIZE, IPC_CREAT | 0600, NULL));
}

static long get_as_x32(void)
{
#ifdef __x86_64__
        return keep(syscall(X32_BIT | SYS_shmget, KEY, SIZE, IPC_CREAT | 0600));
#else
        return as_library(-ENOSYS);
#endif
}

static long attach(void)
{
        address = shmat(id, NULL, 0);
        return address == (void *)-1 ? -1 : (long)address;
}

static long attach_multiplexed(void)
{
        /* A static program's data lies low enough. */
        static uint32_t result;
        result = 0;
        if (multiplexed(IPC_SHMAT, id, 0, (long)(intptr_t)&result, NULL) == -1)
                return -1;
        address = (void *)(uintptr_t)result;
        return (long)result;
}

static long detach(void)
{
        return shmdt(address);
}

static long detach_multiplexed(void)
{
        return multiplexed(IPC_SHMDT, 0, 0, 0, address);
}

static long status(void)
{
        struct shmid_ds ds;
        return shmctl(id, IPC_STAT, &ds);
}

static long status_multiplexed(void)
{
        static char buffer[256];
        return multiplexed(IPC_SHMCTL, id, IPC_STAT | IPC_64_FLAG, 0, buffer);
}

static long removal(void)
{
        return shmctl(id, IPC_RMID, NULL);
}

static long removal_multiplexed(void)
{
        return multiplexed(IPC_SHMCTL, id, IPC_RMID | IPC_64_FLAG, 0, NULL);
}

static const struct {
        const char *name;
        long (*make)(void);
} calls[] = {
        {"get", get},
        {"get-raw", get_by_syscall},
        {"get-ipc", get_multiplexed},
        {"get-ipc-v2", get_multiplexed_with_version},
        {"get-x32", get_as_x32},
        {"at", attach},
        {"at-ipc", attach_multiplexed},
        {"dt", detach},
        {"dt-ipc", detach_multiplexed},
        {"stat", status},
        {"stat-ipc", status_multiplexed},
        {"rmid", removal},
        {"rmid-ipc", removal_multiplexed},
};

static int make_call(const char *name)
{
        for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
                if (strcmp(name, calls[i].name) != 0)
                        continue;
                errno = 0;
                long result = calls[i].make();
                dprintf(STDOUT_FILENO, "%s %d\n", name, result == -1 ? errno : 0);
                return 1;
        }
        return 0;
}

/* A crowd: processes of threads that all ask for the segment's state, and tell how often that failed. */
struct crowd {
        unsigned processes, threads, times;
};

static void *ask_often(void *arg)
{
        const struct crowd *c = arg;
        uintptr_t failed = 0;
        for (unsigned i = 0; i < c->times; i++)
                failed += status() == -1;
        return (void *)failed;
}

static void often(const char *times)
{
        const struct crowd alone = {1, 1, (unsigned)strtoul(times, NULL, 10)};
        dprintf(STDOUT_FILENO, "often %u\n", (unsigned)(uintptr_t)ask_often((void *)&alone));
}

static uintptr_t be_one_of(const struct crowd *c)
{
        pthread_t threads[64];
        uintptr_t failed = 0;
        for (unsigned i = 0; i < c->threads; i++)
                pthread_create(&threads[i], NULL, ask_often, (void *)c);
        for (unsigned i = 0; i < c->threads; i++) {
                void *told = NULL;
                pthread_join(threads[i], &told);
                failed += (uintptr_t)told;
        }
        return failed;
}

static void crowd(const char *text)
{
        struct crowd c;
        int pipes[2];
        uintptr_t failed = 0;
        uintptr_t all = 0;
        if (sscanf(text, "%u,%u,%u", &c.processes, &c.threads, &c.times) != 3 || c.threads > 64 || pipe(pipes) == -1)
                exit(2);
        for (unsigned i = 0; i < c.processes; i++) {
                if (fork() == 0) {
                        failed = be_one_of(&c);
                        _exit(write(pipes[1], &failed, sizeof(failed)) != (ssize_t)sizeof(failed));
                }
        }
        close(pipes[1]);
        while (read(pipes[0], &failed, sizeof(failed)) == (ssize_t)sizeof(failed))
                all += failed;
        while (wait(NULL) != -1)
                ;
        dprintf(STDOUT_FILENO, "crowd %u\n", (unsigned)all);
}

static void go_on_in_child(void)
{
        pid_t pid = fork();
        int ended = 0;
        if (pid <= 0)
                return;
        waitpid(pid, &ended, 0);
        exit(WIFSIGNALED(ended) ? 128 + WTERMSIG(ended) : WEXITSTATUS(ended));
}

static void become_anew(char **rest)
{
        execv("/proc/self/exe", rest - 1);
        _exit(127);
}

/* As shells and posix_spawn start programs. */
static void start_anew(char **rest)
{
        pid_t pid = vfork();
        if (pid == 0) {
                execv("/proc/self/exe", rest - 1);
                _exit(127);
        }
        waitpid(pid, NULL, 0);
        exit(0);
}

static void list_descriptors(void)
{
        unsigned open_ones = 0;
        for (int fd = 3; fd < 1024; fd++)
                open_ones += fcntl(fd, F_GETFD) != -1;
        dprintf(STDOUT_FILENO, "descriptors %u\n", open_ones);
}

static volatile sig_atomic_t handled;

static void handle(int number)
{
        static const char told[] = "handled\n";
        (void)number;
        if (handled++ == 0 && write(STDOUT_FILENO, told, sizeof(told) - 1) == -1)
                _exit(3);
}

static void catch (int number)
{
        struct sigaction action;
        memset(&action, 0, sizeof(action));
        action.sa_handler = handle;
        action.sa_flags = SA_RESTART;
        sigaction(number, &action, NULL);
}

static void block(int number)
{
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, number);
        sigprocmask(SIG_BLOCK, &set, NULL);
}

/* Signals without end, so that many calls meet one. */
static void storm(void)
{
        struct itimerval every = {{0, 50}, {0, 50}};
        catch (SIGALRM);
        handled = 1;
        setitimer(ITIMER_REAL, &every, NULL);
}

static void run(char **words);

static void *go_on(void *words)
{
        run(words);
        exit(0);
}

static void go_on_in_thread(char **rest)
{
        pthread_t thread;
        pthread_create(&thread, NULL, go_on, rest);
        pthread_join(thread, NULL);
}

static void do_other(char **words)
{
        const char *word = *words;
        if (strcmp(word, "fork") == 0)
                go_on_in_child();
        else if (strcmp(word, "exec") == 0)
                become_anew(words + 1);
        else if (strcmp(word, "vfork") == 0)
                start_anew(words + 1);
        else if (strcmp(word, "thread") == 0)
                go_on_in_thread(words + 1);
        else if (strcmp(word, "descriptors") == 0)
                list_descriptors();
        else if (strcmp(word, "privileges") == 0)
                dprintf(STDOUT_FILENO, "no_new_privs %d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
        else if (strcmp(word, "address") == 0)
                dprintf(STDOUT_FILENO, "address %lx\n", (unsigned long)address);
        else if (strcmp(word, "id") == 0)
                dprintf(STDOUT_FILENO, "id %d\n", id);
        else if (strncmp(word, "crowd=", 6) == 0)
                crowd(word + 6);
        else if (strncmp(word, "often=", 6) == 0)
                often(word + 6);
        else if (strncmp(word, "catch=", 6) == 0)
                catch ((int)strtol(word + 6, NULL, 10));
        else if (strncmp(word, "block=", 6) == 0)
                block((int)strtol(word + 6, NULL, 10));
        else if (strncmp(word, "name=", 5) == 0)
                prctl(PR_SET_NAME, word + 5, 0, 0, 0);
        else if (strcmp(word, "storm") == 0)
                storm();
        else
                exit(2);
}

static void run(char **words)
{
        for (; *words; words++) {
                if (!make_call(*words))
                        do_other(words);
        }
}

int main(int argc, char **argv)
{
        (void)argc;
        run(argv + 1);
        return 0;
}
