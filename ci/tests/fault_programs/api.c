/* Uses shmfault.h as its first argument says; what is not as it should be ends it. */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shmfault.h"

#define CHECK(condition)                                                                                               \
        do {                                                                                                           \
                if (!(condition)) {                                                                                    \
                        printf("line %d: %s (%s)\n", __LINE__, #condition, strerrorname_np(errno));                    \
                        fflush(stdout);                                                                                \
                        _exit(1);                                                                                      \
                }                                                                                                      \
        } while (0)

#define FAILED_ATTACH ((void *)-1)

static int arm(const char *rule)
{
        char why[SHMFAULT_WHY] = "";
        int handle = shmfault_arm(rule, why, sizeof(why));
        if (handle == -1)
                printf("%s: %s\n", rule, why);
        CHECK(handle > 0);
        return handle;
}

static struct shmfault_counts counts_of(int handle)
{
        struct shmfault_counts counts;
        CHECK(shmfault_counts(handle, &counts) == 0);
        return counts;
}

static int make_segment(void)
{
        int id = shmget(IPC_PRIVATE, 4096, 0600);
        CHECK(id != -1);
        return id;
}

static bool can_stat(int id)
{
        struct shmid_ds ds;
        return shmctl(id, IPC_STAT, &ds) == 0;
}

/* Whether IPC_STAT fails, call after call: "-E-" is once, the second time. */
static bool stats_go(int id, const char *course)
{
        bool as_told = true;
        for (; *course; course++)
                as_told = can_stat(id) == (*course == '-') && as_told;
        return as_told;
}

static int arm_wrongly(void)
{
        char why[SHMFAULT_WHY] = "";
        char small[8] = "";
        static const char *const rules[] = {"",
                                            "shmgot:error=ENOSPC",
                                            "shmget",
                                            "shmget:error=ENOSPACE",
                                            "shmget:error=EPIPE",
                                            "shmget:when=2",
                                            "shmat:short",
                                            NULL};
        for (size_t i = 0; rules[i]; i++) {
                errno = 0;
                CHECK(shmfault_arm(rules[i], why, sizeof(why)) == -1 && errno == EINVAL);
                printf("%s\n", why);
        }
        CHECK(shmfault_arm("shmgot", NULL, 0) == -1 && errno == EINVAL);
        CHECK(shmfault_arm("shmgot", small, sizeof(small)) == -1 && strlen(small) == sizeof(small) - 1);
        CHECK(shmfault_arm_rule(&(struct shmfault_rule){.error = ENOSPC}, why, sizeof(why)) == -1 && errno == EINVAL);
        printf("%s\n", why);
        CHECK(shmfault_arm_rule(&(struct shmfault_rule){.call = "shmget", .error = EPIPE}, why, sizeof(why)) == -1);
        printf("%s\n", why);
        CHECK(shmfault_disarm(0) == -1 && errno == EINVAL && shmfault_disarm(-1) == -1 && shmfault_disarm(64) == -1);
        CHECK(shmfault_counts(12345, &(struct shmfault_counts){0}) == -1 && errno == EINVAL);
        return 0;
}

static int arm_and_disarm(void)
{
        int id = make_segment();
        int first = arm("shmctl/IPC_STAT:error=EACCES:when=2..3");
        CHECK(stats_go(id, "-EE") && errno == EACCES && stats_go(id, "-"));
        CHECK(counts_of(first).matched == 4 && counts_of(first).hit == 2);
        int second = arm("shmctl/IPC_STAT:error=EIDRM");
        CHECK(!can_stat(id) && errno == EIDRM);
        CHECK(shmfault_disarm(second) == 0);
        CHECK(shmfault_disarm(second) == -1);
        CHECK(can_stat(id) && counts_of(first).matched == 6 && counts_of(second).hit == 1);
        CHECK(shmfault_reset() == 0 && can_stat(id) && shmfault_disarm(first) == -1);
        CHECK(counts_of(first).matched == 6);
        /* A place is used again, and its old handle is not. */
        int third = arm("shmctl/IPC_STAT:error=EIDRM");
        CHECK(third != first && counts_of(third).matched == 0);
        CHECK(shmfault_counts(first, &(struct shmfault_counts){0}) == -1);
        CHECK(shmfault_arm_any("shmctl:error=EPIPE", NULL, 0) > 0);
        CHECK(shmctl(id, SHM_LOCK, NULL) == -1 && errno == EPIPE);
        CHECK(shmfault_reset() == 0 && shmctl(id, IPC_RMID, NULL) == 0);
        return 0;
}

static int arm_many(void)
{
        int id = make_segment();
        int handles[SHMFAULT_RULES];
        char why[SHMFAULT_WHY];
        for (int i = 0; i < SHMFAULT_RULES; i++)
                handles[i] = arm("shmctl/IPC_STAT:error=EACCES:when=5000+");
        CHECK(shmfault_arm("shmget:error=ENOSPC", why, sizeof(why)) == -1 && errno == ENOSPC);
        CHECK(can_stat(id) && counts_of(handles[63]).matched == 1);
        for (int i = 1; i < SHMFAULT_RULES; i++)
                CHECK(shmfault_disarm(handles[i]) == 0);
        for (int i = 0; i < 1000; i++) {
                int handle = arm("shmctl/IPC_STAT:error=EIDRM");
                CHECK(!can_stat(id) && errno == EIDRM && shmfault_disarm(handle) == 0);
        }
        CHECK(counts_of(handles[0]).matched == 1001);
        CHECK(shmfault_reset() == 0 && shmctl(id, IPC_RMID, NULL) == 0);
        return 0;
}

static int arm_in_parts(void)
{
        int id = make_segment();
        struct shmfault_rule rule = {.call = "shmctl/IPC_STAT", .error = EACCES, .first = 2, .step = 2};
        int handle = shmfault_arm_rule(&rule, NULL, 0);
        CHECK(handle > 0 && stats_go(id, "-E-E"));
        CHECK(shmfault_reset() == 0);
        rule = (struct shmfault_rule){.call = "shmctl", .last = 1, .also = "corrupt=nattch:9"};
        struct shmid_ds ds;
        CHECK(shmfault_arm_rule(&rule, NULL, 0) > 0 && shmctl(id, IPC_STAT, &ds) == 0 && ds.shm_nattch == 9);
        CHECK(shmctl(id, IPC_STAT, &ds) == 0 && ds.shm_nattch == 0);
        CHECK(shmfault_reset() == 0 && shmctl(id, IPC_RMID, NULL) == 0);
        return 0;
}

/* ---- threads and processes ---- */

static int shared_id;
static volatile bool stop;

static void *stat_until_stopped(void *arg)
{
        long *calls = arg;
        while (!stop) {
                if (can_stat(shared_id) || errno == EACCES)
                        ++*calls;
                else
                        _exit(1);
        }
        return NULL;
}

/* Rules come and go while four threads and a child call: none is hit by what is not armed, or by half of two rules. */
static int arm_among_threads(void)
{
        pthread_t threads[4];
        long calls[4] = {0};
        int status = 0;
        shared_id = make_segment();
        pid_t pid = fork();
        if (pid == 0) {
                long ignored = 0;
                stat_until_stopped(&ignored);
        }
        for (int i = 0; i < 4; i++)
                pthread_create(&threads[i], NULL, stat_until_stopped, &calls[i]);
        for (int i = 0; i < 300; i++) {
                int decoy = arm("shmctl/IPC_RMID:error=EPERM");
                int handle = arm("shmctl/IPC_STAT:error=EACCES:when=2..5");
                struct shmfault_counts counts = {0};
                while (counts.matched < 20)
                        counts = counts_of(handle);
                CHECK(shmfault_disarm(handle) == 0 && counts_of(handle).hit == 4);
                CHECK(counts_of(decoy).matched == 0 && shmfault_disarm(decoy) == 0);
        }
        kill(pid, SIGKILL);
        CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
        stop = true;
        for (int i = 0; i < 4; i++)
                pthread_join(threads[i], NULL);
        CHECK(shmctl(shared_id, IPC_RMID, NULL) == 0);
        return 0;
}

static void end_well(pid_t pid)
{
        int status = -1;
        CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static int arm_across_fork(void)
{
        int id = make_segment();
        int handle = arm("shmctl/IPC_STAT:error=EACCES:when=2");
        CHECK(can_stat(id));
        pid_t pid = fork();
        if (pid == 0) {
                CHECK(!can_stat(id));
                CHECK(arm("shmdt:error=EINVAL") > 0);
                CHECK(shmget(IPC_PRIVATE, 100, 0600) != -1);
                _exit(0);
        }
        end_well(pid);
        CHECK(counts_of(handle).matched == 2 && counts_of(handle).hit == 1);
        CHECK(shmdt(FAILED_ATTACH) == -1 && errno == EINVAL);
        struct shmfault_segment list[3];
        CHECK(shmfault_segments(list, 3) == 2);
        CHECK((list[0].maker == pid) != (list[1].maker == pid));
        for (int i = 0; i < 2; i++)
                CHECK(shmctl(list[i].shmid, IPC_RMID, NULL) == 0);
        CHECK(shmfault_segments(NULL, 0) == 0);
        return 0;
}

/* ---- what is there ---- */

static int list_segments(void)
{
        struct shmfault_segment list[4];
        CHECK(shmfault_segments(NULL, 0) == 0);
        int id = shmget(0x5e3a0007, 5000, IPC_CREAT | 0600);
        CHECK(shmfault_segments(list, 4) == 1);
        CHECK(list[0].shmid == id && list[0].key == 0x5e3a0007 && list[0].size == 5000 && list[0].maker == getpid());
        CHECK(list[0].attached == 0 && !list[0].marked && list[0].made_at != NULL);
        CHECK(shmget(0x5e3a0007, 1, IPC_CREAT) == id && shmfault_segments(list, 4) == 1);
        void *at = shmat(id, NULL, 0);
        CHECK(shmctl(id, IPC_RMID, NULL) == 0);
        CHECK(shmfault_segments(list, 4) == 1 && list[0].marked && list[0].attached == 1);
        CHECK(shmdt(at) == 0 && shmfault_segments(list, 4) == 0);
        /* One that was there before is not this program's. */
        pid_t pid = fork();
        if (pid == 0) {
                execlp("ipcmk", "ipcmk", "-M", "100", (char *)NULL);
                _exit(1);
        }
        end_well(pid);
        CHECK(shmfault_segments(NULL, 0) == 0);
        /* Made and removed by number. */
        id = (int)syscall(SYS_shmget, IPC_PRIVATE, (size_t)10, 0600);
        CHECK(shmfault_segments(NULL, 0) == 1);
        CHECK(syscall(SYS_shmctl, id, IPC_RMID, NULL) == 0 && shmfault_segments(NULL, 0) == 0);
        /* One that its own maker may not look at. */
        CHECK(geteuid() != 0 || setuid(65534) == 0);
        id = shmget(IPC_PRIVATE, 77, 0200);
        CHECK(shmfault_segments(list, 4) == 1 && list[0].shmid == id && list[0].size == 77);
        CHECK(shmctl(id, IPC_RMID, NULL) == 0 && shmfault_segments(NULL, 0) == 0);
        return 0;
}

static int list_attachments(void)
{
        struct shmfault_attachment list[4];
        int id = make_segment();
        void *first = shmat(id, NULL, 0);
        void *second = shmat(id, NULL, SHM_RDONLY);
        CHECK(shmfault_attachments(list, 4) == 2);
        int reader = list[0].address == second ? 0 : 1;
        CHECK(list[reader].address == second && list[reader].flags == SHM_RDONLY && list[reader].shmid == id);
        CHECK(list[1 - reader].address == first && list[1 - reader].flags == 0);
        CHECK(shmat(id, second, SHM_REMAP) == second && shmfault_attachments(NULL, 0) == 2);
        pid_t pid = fork();
        if (pid == 0) {
                CHECK(shmfault_attachments(NULL, 0) == 2 && shmdt(first) == 0 && shmfault_attachments(NULL, 0) == 1);
                _exit(0);
        }
        end_well(pid);
        CHECK(shmfault_attachments(NULL, 0) == 2);
        CHECK(shmdt(first) == 0 && shmdt(second) == 0 && shmfault_attachments(list, 4) == 0);
        for (int i = 0; i < 20000; i++)
                CHECK(shmdt(shmat(id, NULL, 0)) == 0);
        CHECK(shmfault_attachments(NULL, 0) == 0 && shmctl(id, IPC_RMID, NULL) == 0);
        return 0;
}

static int make_often(void)
{
        for (int i = 0; i < 10000; i++)
                CHECK(shmctl(make_segment(), IPC_RMID, NULL) == 0);
        CHECK(shmfault_segments(NULL, 0) == 0);
        int id = make_segment();
        CHECK(shmfault_segments(NULL, 0) == 1 && shmctl(id, IPC_RMID, NULL) == 0);
        return 0;
}

static int arm_behind(void)
{
        char why[SHMFAULT_WHY];
        CHECK(shmfault_arm("shmget:error=ENOSPC", why, sizeof(why)) == -1 && errno == ENOSYS);
        printf("%s\n", why);
        CHECK(shmfault_segments(NULL, 0) == 0 && shmfault_attachments(NULL, 0) == 0);
        return 0;
}

int main(int argc, char **argv)
{
        static const struct {
                const char *name;
                int (*run)(void);
        } ways[] = {
                {"wrong", arm_wrongly},      {"disarm", arm_and_disarm},        {"many", arm_many},
                {"parts", arm_in_parts},     {"threads", arm_among_threads},    {"fork", arm_across_fork},
                {"segments", list_segments}, {"attachments", list_attachments}, {"often", make_often},
                {"behind", arm_behind},
        };
        for (size_t i = 0; argc == 2 && i < sizeof(ways) / sizeof(ways[0]); i++) {
                if (strcmp(argv[1], ways[i].name) == 0)
                        return ways[i].run();
        }
        return 2;
}
