#include "needs.h"

#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <sys/resource.h>
#if defined(__linux__)
#include <sched.h>
#include <sys/syscall.h>
#endif

#include "context.h"
#include "isolation.h"

/* Runs the probe in a child, so that what it gives up stays given up there. 0: the need is there. */
static bool in_probe_child(int (*probe)(void))
{
        pid_t pid = fork();
        if (pid == 0)
                _exit(probe());
        int status = 0;
        return pid != -1 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int drop_to_user(void)
{
        if (setgroups(0, NULL) == -1 || setgid(GROUP_A) == -1 || setuid(USER_A) == -1)
                return 1;
        return geteuid() == USER_A && getegid() == GROUP_A && setuid(0) == -1 ? 0 : 1;
}

/* The privileged get past fs.file-max. */
static int use_up_files(void)
{
        if (geteuid() == 0 && drop_to_user() != 0)
                return 1;
        return open("/", O_RDONLY | O_CLOEXEC) == -1 && errno == ENFILE ? 0 : 1;
}

static int limit_address_space(void)
{
        struct rlimit limit = {1 << 20, 1 << 20};
        if (setrlimit(RLIMIT_AS, &limit) == -1)
                return 1;
        return mmap(NULL, 1 << 24, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? 0 : 1;
}

#ifdef __linux__

static int drop_capabilities(void)
{
        struct {
                uint32_t version;
                int pid;
        } header = {0x20080522, 0};
        uint32_t sets[2][3];
        if (syscall(SYS_capget, &header, sets) == -1 || sets[0][0] == 0)
                return 1;
        memset(sets, 0, sizeof(sets));
        return syscall(SYS_capset, &header, sets) == 0 ? 0 : 1;
}

static bool has_no_capabilities(void)
{
        struct {
                uint32_t version;
                int pid;
        } header = {0x20080522, 0};
        uint32_t sets[2][3] = {{0}};
        return syscall(SYS_capget, &header, sets) == 0 && sets[0][0] == 0 && sets[1][0] == 0;
}

static int make_user_namespace(void)
{
        return unshare(CLONE_NEWUSER) == 0 ? 0 : 1;
}

static int unshare_pids(void)
{
        return unshare(CLONE_NEWPID) == 0 ? 0 : 1;
}

static int write_own_sysctl(void)
{
        char link[64] = "";
        if (unshare(CLONE_NEWIPC) == -1 || readlink("/proc/self/ns/ipc", link, sizeof(link) - 1) <= 0 ||
            strcmp(link, shmc_context.host_ipc) == 0)
                return 1;
        int fd = open("/proc/sys/kernel/shmmni", O_RDWR | O_CLOEXEC);
        char text[16] = "";
        if (fd == -1 || write(fd, "17", 2) != 2 || lseek(fd, 0, SEEK_SET) != 0 || read(fd, text, sizeof(text) - 1) <= 0)
                return 1;
        return strcmp(text, "17\n") == 0 ? 0 : 1;
}

/* The number in a file of /proc, or -1. */
static long read_number(const char *path)
{
        FILE *f = fopen(path, "r");
        if (!f)
                return -1;
        long n = -1;
        if (fscanf(f, "%ld", &n) != 1)
                n = -1;
        fclose(f);
        return n;
}

/* The number behind a name in /proc/meminfo, or -1. */
static long read_memory(const char *name)
{
        FILE *f = fopen("/proc/meminfo", "r");
        char line[128];
        long n = -1;
        while (f && fgets(line, sizeof(line), f)) {
                if (strncmp(line, name, strlen(name)) == 0)
                        n = strtol(line + strlen(name), NULL, 10);
        }
        if (f)
                fclose(f);
        return n;
}

static long used_ids(void)
{
        union {
                struct shm_info info;
                struct shmid_ds ds;
                unsigned char room[512];
        } u;
        return shmctl(0, SHM_INFO, &u.ds) == -1 ? -1 : (long)u.info.SHMC_INFO_USED_IDS;
}

/* gVisor tells the last identifier in the place of the number of segments: it does not fall. */
static bool tells_segments(void)
{
        long before = used_ids();
        int id = shmget(IPC_PRIVATE, 1, 0600);
        return id != -1 && shmctl(id, IPC_RMID, NULL) == 0 && before >= 0 && used_ids() == before;
}

static bool has_raw_calls(void)
{
#if defined(SYS_shmget) && defined(SYS_shmat) && defined(SYS_shmdt) && defined(SYS_shmctl)
        return !(syscall(SYS_shmdt, 1) == -1 && errno == ENOSYS);
#else
        return false;
#endif
}

#else

static int drop_capabilities(void)
{
        return 1;
}

static bool has_no_capabilities(void)
{
        return geteuid() != 0;
}

static int make_user_namespace(void)
{
        return 1;
}

static int unshare_pids(void)
{
        return 1;
}

static int write_own_sysctl(void)
{
        return 1;
}

static long read_number(const char *path)
{
        (void)path;
        return -1;
}

static long read_memory(const char *name)
{
        (void)name;
        return -1;
}

static bool has_raw_calls(void)
{
        return false;
}

static bool tells_segments(void)
{
        return false;
}

#endif

/* Others' use of the pool is not to be disturbed, and a page that is made when it is needed is not in it. */
static bool has_idle_huge_pages(void)
{
        long all = read_memory("HugePages_Total:");
        return all >= 2 && read_memory("HugePages_Free:") == all && read_memory("HugePages_Rsvd:") == 0 &&
               read_number("/proc/sys/vm/nr_overcommit_hugepages") == 0;
}

static bool may_join_cgroup(void)
{
        const char *folder = getenv("SHMCHECK_MEMORY_CGROUP");
        char path[PATH_MAX];
        int n = folder ? snprintf(path, sizeof(path), "%s/cgroup.procs", folder) : -1;
        return n > 0 && (size_t)n < sizeof(path) && access(path, W_OK) == 0;
}

PROGRAM("width")
{
        (void)argc, (void)argv;
        return (int)sizeof(void *);
}

static int ask_other_width(void)
{
        const char *agent = getenv("SHMCHECK_OTHER_AGENT");
        if (!agent)
                return 1;
        pid_t pid = fork();
        if (pid == 0) {
                execl(agent, agent, "--program", "width", (char *)NULL);
                _exit(127);
        }
        int status = 0;
        int width = pid != -1 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 0;
        return (width == 4 || width == 8) && width != (int)sizeof(void *) ? 0 : 1;
}

static void set(struct shmc_needs *needs, enum shmc_need need, bool there, const char *why)
{
        unsigned bit = 0;
        while (((unsigned)need >> bit) != 1)
                bit++;
        snprintf(needs->missing[bit], sizeof(needs->missing[bit]), "%s", there ? "" : why);
}

static void probe_all(struct shmc_needs *needs)
{
        bool two_uids = in_probe_child(drop_to_user);
        bool namespace = shmc_context.isolation != SHMC_ISOLATION_HOST;
        set(needs, NEED_ROOT, shmc_context.bare_root && shmc_context.isolation != SHMC_ISOLATION_USERNS,
            "the run is not root's, or in a user namespace");
        set(needs, NEED_TWO_UIDS, two_uids, "the run may not become other users");
        set(needs, NEED_UNPRIVILEGED, has_no_capabilities() || two_uids || in_probe_child(drop_capabilities),
            "privileges cannot be given up");
        set(needs, NEED_IPC_NAMESPACE, namespace, "cases share the host's IPC namespace");
        set(needs, NEED_USER_NAMESPACE, in_probe_child(make_user_namespace), "unshare(CLONE_NEWUSER) fails");
        set(needs, NEED_PROC, access("/proc/self/maps", R_OK) == 0 && access("/proc/sysvipc/shm", R_OK) == 0,
            "/proc/self/maps or /proc/sysvipc/shm is not there");
        set(needs, NEED_SYSCTL, namespace && in_probe_child(write_own_sysctl),
            "the namespace's /proc/sys/kernel/shm* cannot be written");
        set(needs, NEED_CLOCK_TICK, time(NULL) != (time_t)-1, "time() gives no time");
#if defined(__dietlibc__)
        set(needs, NEED_THREADS, false, "this C library has no POSIX threads");
#else
        set(needs, NEED_THREADS, true, "");
#endif
        set(needs, NEED_RLIMIT, in_probe_child(limit_address_space), "RLIMIT_AS does not bind");
        set(needs, NEED_RAW_SYSCALL, has_raw_calls(), "the four calls have no system call numbers here");
        set(needs, NEED_CAP_DROP, in_probe_child(drop_capabilities), "the run has no capabilities to give up");
        set(needs, NEED_OVERCOMMIT_0, read_number("/proc/sys/vm/overcommit_memory") == 0,
            "vm.overcommit_memory does not read 0");
        set(needs, NEED_NO_HUGEPAGES,
            read_number("/proc/sys/vm/nr_hugepages") == 0 && read_number("/proc/sys/vm/nr_overcommit_hugepages") == 0,
            "huge pages are set aside, or cannot be told");
        set(needs, NEED_64_BIT, sizeof(void *) == 8, "pointers do not have 64 bits");
        set(needs, NEED_PID_NAMESPACE, in_probe_child(unshare_pids), "unshare(CLONE_NEWPID) fails");
        set(needs, NEED_NEXT_ID, access("/proc/sys/kernel/shm_next_id", W_OK) == 0,
            "/proc/sys/kernel/shm_next_id cannot be written");
        set(needs, NEED_HUGEPAGES, has_idle_huge_pages(), "there is no pool of huge pages, of a fixed size and idle");
        long overcommit = read_number("/proc/sys/vm/overcommit_memory");
        set(needs, NEED_COMMIT_MODE, overcommit == 1 || overcommit == 2, "vm.overcommit_memory reads neither 1 nor 2");
        set(needs, NEED_FILES_USED_UP, in_probe_child(use_up_files), "fs.file-max is not used up");
        long map_count = read_number("/proc/sys/vm/max_map_count");
        set(needs, NEED_MAP_COUNT, map_count > 0 && map_count <= 100000, "vm.max_map_count reads above 100000");
        set(needs, NEED_MEMORY_CGROUP, may_join_cgroup(), "SHMCHECK_MEMORY_CGROUP names no cgroup that can be joined");
        set(needs, NEED_OTHER_WIDTH, in_probe_child(ask_other_width),
            "SHMCHECK_OTHER_AGENT names no agent with pointers of another width");
}

bool shmc_needs_probe(struct shmc_needs *needs)
{
        struct shmc_needs *shared =
                mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (shared == MAP_FAILED)
                return false;
        pid_t pid = shmc_fork_worker();
        if (pid == 0) {
                if (!shmc_isolation_renew())
                        _exit(1);
                probe_all(shared);
                shared->counts_segments = shmc_context.isolation != SHMC_ISOLATION_HOST && tells_segments();
                shared->private_scratch = shmc_scratch_enter();
                _exit(0);
        }
        int status = 0;
        bool probed = pid != -1 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
        if (probed)
                *needs = *shared;
        munmap(shared, sizeof(*shared));
        return probed;
}
