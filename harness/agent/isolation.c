#include "isolation.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#if defined(__linux__)
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

#include "case.h"
#include "ledger.h"

static const char *const names[] = {"auto", "ipcns", "userns", "host"};

bool shmc_isolation_parse(const char *word, enum shmc_isolation *isolation)
{
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                if (strcmp(word, names[i]) == 0) {
                        *isolation = (enum shmc_isolation)i;
                        return true;
                }
        }
        return false;
}

const char *shmc_isolation_name(enum shmc_isolation isolation)
{
        return names[isolation];
}

#ifdef __linux__

#define PROBE_KEY ((key_t)0x5e3affff)

static bool write_file(const char *path, const char *text)
{
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd == -1)
                return false;
        bool written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
        close(fd);
        return written;
}

/* Maps the one id that an ordinary user may map: its own, as root of the new user namespace. */
static bool map_to_root(uid_t uid, gid_t gid)
{
        char text[64];
        /* Absent before Linux 3.19, when no leave to write gid_map depended on it. */
        write_file("/proc/self/setgroups", "deny");
        snprintf(text, sizeof(text), "0 %lu 1", (unsigned long)uid);
        if (!write_file("/proc/self/uid_map", text))
                return false;
        snprintf(text, sizeof(text), "0 %lu 1", (unsigned long)gid);
        return write_file("/proc/self/gid_map", text);
}

static pid_t clone_with(unsigned long flags)
{
#if defined(__s390__) || defined(__CRIS__)
        return (pid_t)syscall(SYS_clone, NULL, flags | SIGCHLD, NULL, NULL, 0L);
#else
        return (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, 0L);
#endif
}

static pid_t fork_into(bool user_namespace, bool pid_namespace)
{
        unsigned long flags = 0;
        if (user_namespace)
                flags |= CLONE_NEWUSER;
        if (pid_namespace)
                flags |= CLONE_NEWPID;
        /* The ids as the parent sees them: inside they are not mapped yet. */
        uid_t uid = geteuid();
        gid_t gid = getegid();
        pid_t pid = flags ? clone_with(flags) : fork();
        if (pid == 0 && user_namespace && !map_to_root(uid, gid))
                _exit(100);
        return pid;
}

/*
 * In a process that may go wrong: two IPC namespaces in a row, and a key made
 * in the first must be unknown in the second. Where /proc cannot witness that
 * a namespace is new, the probe's segment might be the host's: it is removed.
 */
static int prove_namespaces(void)
{
        char outside[64] = "";
        char inside[64] = "";
        ssize_t had_link = readlink("/proc/self/ns/ipc", outside, sizeof(outside) - 1);
        if (unshare(CLONE_NEWIPC) == -1)
                return errno == EPERM ? 101 : 102;
        if (had_link > 0) {
                if (readlink("/proc/self/ns/ipc", inside, sizeof(inside) - 1) <= 0 || strcmp(outside, inside) == 0)
                        return 103;
        }
        int id = shmget(PROBE_KEY, 1, IPC_CREAT | IPC_EXCL | 0600);
        if (id == -1 && errno == EEXIST)
                return 103;
        /* A platform that can make no segment has nothing to isolate; its cases will say so. */
        if (id == -1)
                return 0;
        if (unshare(CLONE_NEWIPC) == -1)
                return 102;
        bool leaks = shmget(PROBE_KEY, 0, 0) != -1;
        if (leaks)
                shmctl(id, IPC_RMID, NULL);
        return leaks ? 103 : 0;
}

static int probe(bool user_namespace, bool pid_namespace)
{
        pid_t pid = fork_into(user_namespace, pid_namespace);
        if (pid == -1)
                return 104;
        if (pid == 0)
                _exit(prove_namespaces());
        int status = 0;
        if (waitpid(pid, &status, 0) == -1 || !WIFEXITED(status))
                return 105;
        return WEXITSTATUS(status);
}

static const char *probe_sentence(int result)
{
        switch (result) {
        case 100:
                return "the user namespace's uid_map cannot be written";
        case 101:
                return "unshare(CLONE_NEWIPC) is not permitted";
        case 102:
                return "unshare(CLONE_NEWIPC) fails";
        case 103:
                return "unshare(CLONE_NEWIPC) succeeds and isolates nothing: the segments of one namespace show in the "
                       "next";
        case 104:
                return "the namespaces cannot be made";
        default:
                return "the probe process died";
        }
}

static bool try_isolation(enum shmc_isolation isolation, int *result)
{
        bool user = isolation == SHMC_ISOLATION_USERNS;
        for (int with_pid = 1; with_pid >= 0; with_pid--) {
                *result = probe(user, with_pid);
                if (*result == 0) {
                        shmc_context.isolation = isolation;
                        shmc_context.pid_namespace = with_pid;
                        return true;
                }
        }
        return false;
}

static bool can_have_pid_namespace(void)
{
        pid_t pid = clone_with(CLONE_NEWPID);
        if (pid == 0)
                _exit(getpid() == 1 ? 0 : 1);
        int status = 0;
        return pid != -1 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool in_initial_user_namespace(void)
{
        int fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
        if (fd == -1)
                return true;
        char map[128] = "";
        ssize_t n = read(fd, map, sizeof(map) - 1);
        close(fd);
        unsigned long inside = 1;
        unsigned long outside = 1;
        unsigned long count = 0;
        return n > 0 && sscanf(map, "%lu %lu %lu", &inside, &outside, &count) == 3 && inside == 0 && outside == 0 &&
               count == 4294967295UL;
}

bool shmc_isolation_choose(enum shmc_isolation wanted, char *why, size_t size)
{
        ssize_t n = readlink("/proc/self/ns/ipc", shmc_context.host_ipc, sizeof(shmc_context.host_ipc) - 1);
        if (n < 0)
                shmc_context.host_ipc[0] = '\0';
        shmc_context.bare_root = geteuid() == 0 && in_initial_user_namespace();
        int result = 0;
        if (wanted == SHMC_ISOLATION_IPCNS || wanted == SHMC_ISOLATION_AUTO) {
                if (try_isolation(SHMC_ISOLATION_IPCNS, &result))
                        return true;
        }
        if (wanted == SHMC_ISOLATION_USERNS || wanted == SHMC_ISOLATION_AUTO) {
                if (try_isolation(SHMC_ISOLATION_USERNS, &result))
                        return true;
        }
        if (wanted != SHMC_ISOLATION_HOST && wanted != SHMC_ISOLATION_AUTO) {
                snprintf(why, size, "isolation %s cannot be had here: %s", names[wanted], probe_sentence(result));
                return false;
        }
        shmc_context.isolation = SHMC_ISOLATION_HOST;
        shmc_context.pid_namespace = can_have_pid_namespace();
        return true;
}

pid_t shmc_fork_worker(void)
{
        pid_t pid = fork_into(shmc_context.isolation == SHMC_ISOLATION_USERNS, shmc_context.pid_namespace);
        if (pid != 0)
                return pid;
        shmc_die_with_parent();
        if (!shmc_context.pid_namespace)
                prctl(PR_SET_CHILD_SUBREAPER, 1);
        return 0;
}

void shmc_die_with_parent(void)
{
        prctl(PR_SET_PDEATHSIG, SIGKILL);
}

bool shmc_isolation_renew(void)
{
        return shmc_context.isolation == SHMC_ISOLATION_HOST || unshare(CLONE_NEWIPC) == 0;
}

#else

bool shmc_isolation_choose(enum shmc_isolation wanted, char *why, size_t size)
{
        shmc_context.bare_root = geteuid() == 0;
        shmc_context.isolation = SHMC_ISOLATION_HOST;
        if (wanted == SHMC_ISOLATION_HOST || wanted == SHMC_ISOLATION_AUTO)
                return true;
        snprintf(why, size, "isolation %s cannot be had here: IPC namespaces are Linux'", names[wanted]);
        return false;
}

pid_t shmc_fork_worker(void)
{
        return fork();
}

void shmc_die_with_parent(void)
{
}

bool shmc_isolation_renew(void)
{
        return true;
}

#endif

static bool scratch_on_shared_file_system(void)
{
        const char *parent = getenv("TMPDIR");
        int n = snprintf(shmc_context.scratch, sizeof(shmc_context.scratch), "%s", parent ? parent : "/tmp");
        if (n < 0 || (size_t)n >= sizeof(shmc_context.scratch) || shmc_context.scratch[0] != '/')
                snprintf(shmc_context.scratch, sizeof(shmc_context.scratch), "/tmp");
        return false;
}

#ifdef __linux__
/* A tracer that looks paths up for the agent may not see what is mounted in the agent's own mount namespace. */
static bool can_be_entered(const char *place)
{
        char folder[32];
        snprintf(folder, sizeof(folder), "%s/entered", place);
        bool made = mkdir(folder, 0700) == 0;
        pid_t pid = fork();
        if (pid == 0)
                _exit(made && chdir(folder) == 0 ? 0 : 1);
        int status = 0;
        bool entered = pid != -1 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
        rmdir(folder);
        return entered;
}
#endif

bool shmc_scratch_enter(void)
{
#ifdef __linux__
        static const char *const places[] = {"/mnt", "/media", "/srv", "/opt"};
        const char *preload = getenv("LD_PRELOAD");
        if (shmc_context.isolation == SHMC_ISOLATION_HOST || unshare(CLONE_NEWNS) == -1 ||
            mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
                return scratch_on_shared_file_system();
        for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
                /* A mount over the agent's own folder would hide what exec_program and a preload need. */
                if (strncmp(shmc_context.program, places[i], strlen(places[i])) == 0 ||
                    (preload && strstr(preload, places[i])))
                        continue;
                if (mount("shmcheck", places[i], "tmpfs", MS_NOSUID, "mode=0777") == 0 && can_be_entered(places[i])) {
                        snprintf(shmc_context.scratch, sizeof(shmc_context.scratch), "%s", places[i]);
                        return true;
                }
        }
#endif
        return scratch_on_shared_file_system();
}

/* The parent of the process, or -1. */
static long parent_of(long pid)
{
        char path[64];
        char line[512] = "";
        snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
        FILE *f = fopen(path, "r");
        if (!f)
                return -1;
        const char *name_end = fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
        fclose(f);
        long parent = -1;
        return name_end && sscanf(name_end, ") %*c %ld", &parent) == 1 ? parent : -1;
}

/* For a kernel that does not list a task's children. */
static void kill_children_in_proc(void)
{
        DIR *d = opendir("/proc");
        if (!d)
                return;
        for (struct dirent *e; (e = readdir(d)) != NULL;) {
                long pid = strtol(e->d_name, NULL, 10);
                if (pid > 1 && parent_of(pid) == (long)getpid())
                        kill((pid_t)pid, SIGKILL);
        }
        closedir(d);
}

/* Outside a PID namespace a process may have left its group; as subreaper the worker is then its parent. */
static void kill_adopted(void)
{
        char path[64];
        snprintf(path, sizeof(path), "/proc/self/task/%ld/children", (long)getpid());
        FILE *f = fopen(path, "r");
        if (!f) {
                kill_children_in_proc();
                return;
        }
        for (long pid; fscanf(f, "%ld", &pid) == 1;)
                kill((pid_t)pid, SIGKILL);
        fclose(f);
}

void shmc_adopt_strays(void)
{
#ifdef __linux__
        if (!shmc_context.pid_namespace)
                prctl(PR_SET_CHILD_SUBREAPER, 1);
#endif
}

void shmc_end_strays(void)
{
        if (shmc_context.pid_namespace)
                return;
        kill_adopted();
        while (waitpid(-1, NULL, WNOHANG) > 0) {
        }
}

void shmc_reap_all(pid_t group)
{
        pid_t pid = waitpid(-1, NULL, WNOHANG);
        if (pid == -1 && errno == ECHILD)
                return;
        do {
                if (shmc_context.pid_namespace) {
                        kill(-1, SIGKILL);
                } else {
                        kill(-group, SIGKILL);
                        kill_adopted();
                }
                pid = waitpid(-1, NULL, 0);
        } while (pid > 0 || errno == EINTR);
}
