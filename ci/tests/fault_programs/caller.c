/*
 * Calls shm functions in the way that its first argument names, and writes what
 * came of it. The calls are made by static functions, so that their names are
 * in no dynamic symbol table.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
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
#define SIZE 8192
#define UNTOUCHED 4711 /* errno before each call */

static const char *self;

static void tell(const char *call, bool failed)
{
        printf("%s %s\n", call, failed ? strerrorname_np(errno) : errno == UNTOUCHED ? "ok" : "touched errno");
        errno = UNTOUCHED;
}

static __attribute__((noinline)) int make_one(void)
{
        int id = shmget(KEY, SIZE, IPC_CREAT | 0600);
        tell("shmget", id == -1);
        return id;
}

/* One of each call. */
static int call_all(void)
{
        struct shmid_ds ds = {0};
        errno = UNTOUCHED;
        key_t key = ftok("/", 'x');
        tell("ftok", key == -1);
        int id = make_one();
        void *at = shmat(id, NULL, 0);
        tell("shmat", at == (void *)-1);
        int result = shmctl(id, IPC_STAT, &ds);
        tell("shmctl", result == -1);
        printf("segsz %zu nattch %lu mode %o cpid %d result %d\n", ds.shm_segsz, (unsigned long)ds.shm_nattch,
               (unsigned)ds.shm_perm.mode, ds.shm_cpid, result);
        errno = UNTOUCHED;
        tell("shmdt", shmdt(at) == -1);
        tell("shmctl", shmctl(id, IPC_RMID, NULL) == -1);
        return 0;
}

static int call_all_raw(void)
{
        struct shmid_ds ds;
        errno = UNTOUCHED;
        long id = syscall(SYS_shmget, KEY, (size_t)SIZE, IPC_CREAT | 0600);
        tell("shmget", id == -1);
        long at = syscall(SYS_shmat, id, NULL, 0);
        tell("shmat", at == -1);
        tell("shmctl", syscall(SYS_shmctl, id, IPC_STAT, &ds) == -1);
        tell("shmdt", syscall(SYS_shmdt, at) == -1);
        tell("shmctl", syscall(SYS_shmctl, id, IPC_RMID, NULL) == -1);
        return 0;
}

/* Other numbers, with all six arguments, failing and not. */
static int call_others_raw(void)
{
        const char text[] = "0123456789";
        int ends[2];
        off_t from = 3;
        char name[] = "/tmp/shmcheck-raw-XXXXXX";
        int file = mkstemp(name);
        unlink(name);
        if (file == -1 || write(file, text, 10) != 10 || pipe(ends) == -1)
                return 1;
        /* splice takes six. */
        long moved = syscall(SYS_splice, file, &from, ends[1], NULL, (size_t)4, 0U);
        char read_back[8] = "";
        if (moved > 0 && read(ends[0], read_back, 7) < 0)
                return 1;
        errno = 0;
        long failed = syscall(SYS_close, -1);
        printf("splice %ld %s, close %ld %s, getpid %d\n", moved, read_back, failed, strerrorname_np(errno),
               syscall(SYS_getpid) == getpid());
        return 0;
}

/* ---- many at once ---- */

static long calls_each;
static int shared_id;

static void *stat_often(void *arg)
{
        struct shmid_ds ds;
        long *failed = arg;
        for (long i = 0; i < calls_each; i++)
                *failed += shmctl(shared_id, IPC_STAT, &ds) == -1;
        return NULL;
}

static long failures_of_threads(int threads)
{
        pthread_t thread[64];
        long failed[64] = {0};
        long sum = 0;
        for (int i = 0; i < threads; i++)
                pthread_create(&thread[i], NULL, stat_often, &failed[i]);
        for (int i = 0; i < threads; i++) {
                pthread_join(thread[i], NULL);
                sum += failed[i];
        }
        return sum;
}

/* PROCESSES THREADS CALLS: writes how many calls failed. */
static int call_crowded(char **words)
{
        int processes = atoi(words[0]);
        int ends[2];
        calls_each = atol(words[2]);
        shared_id = shmget(IPC_PRIVATE, SIZE, 0600);
        if (shared_id == -1 || pipe(ends) == -1)
                return 1;
        for (int i = 0; i < processes; i++) {
                if (fork() == 0) {
                        long failed = failures_of_threads(atoi(words[1]));
                        exit(write(ends[1], &failed, sizeof(failed)) != sizeof(failed));
                }
        }
        long sum = 0;
        long failed = 0;
        close(ends[1]);
        while (read(ends[0], &failed, sizeof(failed)) == sizeof(failed))
                sum += failed;
        while (wait(NULL) != -1)
                ;
        shmctl(shared_id, IPC_RMID, NULL);
        printf("failed %ld\n", sum);
        return 0;
}

/* ---- in a signal handler ---- */

static volatile sig_atomic_t forked;

/* The next one only when this one is done, or nothing else would be on a slow machine. */
static void expect_alarm(long microseconds)
{
        setitimer(ITIMER_REAL, &(struct itimerval){.it_value = {0, microseconds}}, NULL);
}

/* Every other child returns into what was interrupted, and ends from there. */
static void fork_here(int number)
{
        int error = errno;
        struct shmid_ds ds;
        (void)number;
        pid_t pid = fork();
        if (pid == 0) {
                if (shmctl(shared_id, IPC_STAT, &ds) == -1)
                        _exit(1);
                if (forked % 2)
                        exit(0);
                calls_each = 0;
        }
        forked++;
        if (pid > 0) {
                waitpid(pid, NULL, 0);
                expect_alarm(forked < 200 ? 200 + forked % 7 : 0);
        }
        errno = error;
}

/* CALLS */
static int fork_in_handler(char **words)
{
        struct shmid_ds ds;
        long failed = 0;
        pid_t me = getpid();
        calls_each = atol(words[0]);
        shared_id = shmget(IPC_PRIVATE, SIZE, 0600);
        sigaction(SIGALRM, &(struct sigaction){.sa_handler = fork_here, .sa_flags = SA_RESTART}, NULL);
        expect_alarm(200);
        for (long i = 0; i < calls_each; i++)
                failed += shmctl(shared_id, IPC_STAT, &ds) == -1;
        expect_alarm(0);
        if (getpid() != me)
                _exit(0);
        shmctl(shared_id, IPC_RMID, NULL);
        printf("failed %ld, forked %s\n", failed, forked > 3 ? "often" : "hardly");
        return 0;
}

/* ---- other processes ---- */

static int vfork_and_exec(void)
{
        struct shmid_ds ds;
        int status = 0;
        char *const words[] = {(char *)(uintptr_t)self, "all", NULL};
        int id = shmget(IPC_PRIVATE, SIZE, 0600);
        fflush(stdout);
        pid_t pid = vfork();
        if (pid == 0) {
                execv(self, words);
                _exit(127);
        }
        waitpid(pid, &status, 0);
        printf("child %d, parent %d\n", WEXITSTATUS(status), shmctl(id, IPC_STAT, &ds));
        return shmctl(id, IPC_RMID, NULL);
}

/* A child that no handler of pthread_atfork sees. */
static int fork_raw(void)
{
        int id = shmget(IPC_PRIVATE, SIZE, 0600);
        pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0L);
        if (pid == 0) {
                struct shmid_ds ds;
                _exit(shmctl(id, IPC_STAT, &ds) != 0);
        }
        int status = 0;
        waitpid(pid, &status, 0);
        printf("parent %d child %d status %d\n", getpid(), pid, WEXITSTATUS(status));
        return shmctl(id, IPC_RMID, NULL);
}

/* As shells and Python's subprocess do. */
static int close_and_exec(void)
{
        for (int fd = 3; fd < 1024; fd++)
                close(fd);
        execl(self, self, "all", (char *)NULL);
        return 1;
}

/* ---- threads ---- */

static void *call_as_thread(void *arg)
{
        struct shmid_ds ds;
        prctl(PR_SET_NAME, arg);
        errno = UNTOUCHED;
        tell(arg, shmctl(shared_id, IPC_STAT, &ds) == -1);
        return NULL;
}

/* One after the other, so that their numbers are known. */
static int call_in_threads(void)
{
        static char name[3][8] = {"main", "second", "third"};
        shared_id = shmget(IPC_PRIVATE, SIZE, 0600);
        call_as_thread(name[0]);
        for (int i = 1; i < 3; i++) {
                pthread_t thread;
                pthread_create(&thread, NULL, call_as_thread, name[i]);
                pthread_join(thread, NULL);
        }
        return shmctl(shared_id, IPC_RMID, NULL);
}

static volatile int entered;

static void *call_once(void *arg)
{
        (void)arg;
        entered = 1;
        struct shmid_ds ds;
        errno = UNTOUCHED;
        tell("shmctl", shmctl(shared_id, IPC_STAT, &ds) == -1);
        pthread_testcancel();
        printf("not cancelled\n");
        return NULL;
}

/* Is cancelled while its call is delayed, which is no cancellation point. */
static int cancel_in_call(void)
{
        pthread_t thread;
        shared_id = shmget(IPC_PRIVATE, SIZE, 0600);
        pthread_create(&thread, NULL, call_once, NULL);
        while (!entered)
                usleep(100);
        usleep(20000);
        pthread_cancel(thread);
        void *result = NULL;
        pthread_join(thread, &result);
        printf("cancelled %d\n", result == PTHREAD_CANCELED);
        return shmctl(shared_id, IPC_RMID, NULL);
}

/* ---- loaded code ---- */

/* FILE [deepbind] */
static int call_plugin(char **words)
{
        bool deep = words[1] && strcmp(words[1], "deepbind") == 0;
        void *plugin = dlopen(words[0], RTLD_NOW | (deep ? RTLD_DEEPBIND : 0));
        int (*run)(void) = NULL;
        if (!plugin) {
                printf("%s\n", dlerror());
                return 1;
        }
        *(void **)&run = dlsym(plugin, "plugin_run");
        errno = UNTOUCHED;
        tell("plugin", run() == -1);
        return 0;
}

static void ignore(int number)
{
        const char text[] = "signal\n";
        (void)number;
        if (write(STDOUT_FILENO, text, sizeof(text) - 1) == -1)
                _exit(1);
}

static int call_with_handler(void)
{
        setvbuf(stdout, NULL, _IONBF, 0);
        signal(SIGUSR1, ignore);
        return call_all();
}

int main(int argc, char **argv)
{
        self = argv[0];
        char **words = argv + 2;
        const char *way = argc > 1 ? argv[1] : "";
        if (strcmp(way, "all") == 0)
                return call_all();
        if (strcmp(way, "raw") == 0)
                return call_all_raw();
        if (strcmp(way, "other") == 0)
                return call_others_raw();
        if (strcmp(way, "handler") == 0)
                return call_with_handler();
        if (strcmp(way, "vfork") == 0)
                return vfork_and_exec();
        if (strcmp(way, "rawfork") == 0)
                return fork_raw();
        if (strcmp(way, "close") == 0)
                return close_and_exec();
        if (strcmp(way, "threads") == 0)
                return call_in_threads();
        if (strcmp(way, "cancel") == 0)
                return cancel_in_call();
        if (strcmp(way, "crowd") == 0 && argc == 5)
                return call_crowded(words);
        if (strcmp(way, "forking") == 0 && argc == 3)
                return fork_in_handler(words);
        if (strcmp(way, "plugin") == 0 && argc > 2)
                return call_plugin(words);
        return 2;
}
