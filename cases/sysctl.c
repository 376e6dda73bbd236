/*
 * /proc/sys/kernel/shmmni, shmmax, shmall, shm_rmid_forced and shm_next_id: who
 * may write them, and what they take. They are written in the case's own IPC
 * namespace only, after proof that it is not the host's. All of this is Linux',
 * so that only the linux profile judges here. What the limits do is tried with
 * shmget. Not covered: kernels that run with ipcmni_extend.
 */
#include "case.h"

#if defined(__linux__)
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/prctl.h>
#endif

#define NEEDS (NEED_SYSCTL | NEED_IPC_NAMESPACE)

#ifdef __linux__

/* Capabilities by their numbers in the kernel's ABI, for C libraries without the header. */

static const char *const names[] = {"shmmni", "shmmax", "shmall", "shm_rmid_forced", "shm_next_id"};
#define NAMES (sizeof(names) / sizeof(names[0]))
#define SHM_NEXT_ID 4

static const char *path_of(const char *name)
{
        static char path[64];
        snprintf(path, sizeof(path), "/proc/sys/kernel/%s", name);
        return path;
}

/* Older kernels and those without checkpointing have no shm_next_id. */
static bool exists(const char *name)
{
        return access(path_of(name), F_OK) == 0;
}

/* What the open file reads, without the newline, in a buffer that the next call overwrites. */
static const char *read_value(int fd)
{
        static char text[64];
        ssize_t n = lseek(fd, 0, SEEK_SET) == 0 ? read(fd, text, sizeof(text) - 1) : -1;
        make_sure(n > 0, "reading a limit: %s", strerror(errno));
        text[n] = '\0';
        text[strcspn(text, "\n")] = '\0';
        return text;
}

static const char *value_of(const char *name)
{
        int fd = open(path_of(name), O_RDONLY | O_CLOEXEC);
        make_sure(fd != -1, "%s: %s", path_of(name), strerror(errno));
        const char *value = read_value(fd);
        close(fd);
        return value;
}

static void check_value(const char *name, const char *expected)
{
        char what[64];
        snprintf(what, sizeof(what), "%s reads %s", name, expected);
        const char *value = value_of(name);
        check_explained(strcmp(value, expected) == 0, what, "it reads %s", value);
}

/* The case's namespace is not the host's: proved before the first write by a setting that changes nothing. */
static void prove_namespace(void)
{
        make_sysctl("shm_rmid_forced", "0");
}

/* Which IPC namespace this process is in. */
static void name_namespace(char *name, size_t size)
{
        ssize_t n = readlink("/proc/self/ns/ipc", name, size - 1);
        make_sure(n > 0, "/proc/self/ns/ipc: %s", strerror(errno));
        name[n] = '\0';
}

static void check_taken(const char *name, const char *text, const char *reads)
{
        check_succeeds(try_write_sysctl(name, text));
        check_value(name, reads);
}

static void check_refused(const char *name, const char *text, int error)
{
        char before[64];
        snprintf(before, sizeof(before), "%s", value_of(name));
        check_fails(try_write_sysctl(name, text), error);
        check_value(name, before);
}

#endif

/* ---- who ---- */

LINUX_CASE("sysctl.read.anyone", "A stranger reads all five settings", .level = LINUX,
           .clause = "proc(5) /proc/sys/kernel/shmmni", .needs = NEED_PROC | NEED_TWO_UIDS){
#ifdef __linux__
        AS_USER(USER_C, GROUP_C){for (size_t i = 0; i < NAMES; i++){if (!exists(names[i])) continue;
int fd = open(path_of(names[i]), O_RDONLY | O_CLOEXEC);
check_succeeds(try_other(path_of(names[i]), fd, fd == -1, errno));
if (fd == -1)
        continue;
const char *value = read_value(fd);
bool is_number = value[strspn(value, "-0123456789")] == '\0';
check_explained(is_number, "it is a number", "it is %s", value);
close(fd);
}
}
#endif
}

LINUX_CASE("sysctl.write.stranger", "A stranger's writes fail with EACCES, with CAP_SYS_ADMIN or CAP_DAC_OVERRIDE too",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/ipc_sysctl.c ipc_permissions()",
           .needs = NEEDS | NEED_CAP_DROP | NEED_TWO_UIDS, .note = "but CAP_SYS_ADMIN may write shm_next_id")
{
#ifdef __linux__
        static const unsigned long long sets[] = {0, CAP_SYS_ADMIN_BIT, CAP_DAC_OVERRIDE_BIT};
        prove_namespace();
        for (size_t set = 0; set < sizeof(sets) / sizeof(sets[0]); set++) {
                IN_CHILD
                {
                        become_user_with_capabilities(USER_C, GROUP_C, sets[set]);
                        for (size_t i = 0; i < SHM_NEXT_ID; i++)
                                check_refused(names[i], "1", EACCES);
                        if (exists("shm_next_id") && sets[set] != CAP_SYS_ADMIN_BIT)
                                check_refused("shm_next_id", "1", EACCES);
                        else if (exists("shm_next_id"))
                                check_taken("shm_next_id", "327690", "327690");
                }
        }
#endif
}

LINUX_CASE("sysctl.write.uid_zero", "Uid 0 without capabilities may write shmmni, but not shm_next_id",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/ipc_sysctl.c ipc_permissions()",
           .needs = NEEDS | NEED_CAP_DROP)
{
#ifdef __linux__
        prove_namespace();
        IN_CHILD
        {
                make_only_capabilities(0);
                check_taken("shmmni", "17", "17");
                if (exists("shm_next_id"))
                        check_refused("shm_next_id", "1", EACCES);
        }
#endif
}

LINUX_CASE("sysctl.write.userns_root",
           "Root of an unprivileged user namespace writes all five of its own IPC namespace, and the outer ones stay",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/ipc_sysctl.c ipc_permissions()",
           .needs = NEED_USER_NAMESPACE | NEED_UNPRIVILEGED | NEED_IPC_NAMESPACE | NEED_PROC,
           .note = "refused before Linux 6.1")
{
#ifdef __linux__
        static const char *const values[NAMES] = {"17", "100000", "101", "1", "327690"};
        char outer[SHM_NEXT_ID][64];
        for (size_t i = 0; i < SHM_NEXT_ID; i++)
                snprintf(outer[i], sizeof(outer[i]), "%s", value_of(names[i]));
        IN_CHILD
        {
                char map[48];
                unsigned long uid = geteuid();
                /* Who lacks CAP_SETFCAP may not map its parent's uid 0 (Linux 5.12). */
                if (uid == 0)
                        skip_case("needs an ordinary uid: the run's only one is 0");
                prctl(PR_SET_DUMPABLE, 1);
                make_sure(unshare(CLONE_NEWUSER) == 0, "unshare(CLONE_NEWUSER): %s", strerror(errno));
                char outside[64];
                char inside[64];
                name_namespace(outside, sizeof(outside));
                make_ipc_namespace();
                name_namespace(inside, sizeof(inside));
                make_sure(strcmp(outside, inside) != 0, "unshare(CLONE_NEWIPC) has no effect");
                snprintf(map, sizeof(map), "0 %lu 1", uid);
                int fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
                make_sure(fd != -1 && write(fd, map, strlen(map)) > 0, "uid_map: %s", strerror(errno));
                close(fd);
                struct outcome first = try_write_sysctl(names[0], values[0]);
                if (first.failed && first.error == EACCES)
                        skip_case("needs a kernel that gives the settings to root of the user namespace");
                for (size_t i = 0; i < NAMES; i++) {
                        if (exists(names[i]))
                                check_taken(names[i], values[i], values[i]);
                }
        }
        for (size_t i = 0; i < SHM_NEXT_ID; i++)
                check_value(names[i], outer[i]);
#endif
}

LINUX_CASE("sysctl.write.old_fd", "A descriptor opened before unshare reads and writes the old namespace's value",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/ipc_sysctl.c", .needs = NEEDS)
{
#ifdef __linux__
        make_sysctl("shmmni", "17");
        IN_CHILD
        {
                int fd = open(path_of("shmmni"), O_RDWR | O_CLOEXEC);
                make_sure(fd != -1, "%s: %s", path_of("shmmni"), strerror(errno));
                make_ipc_namespace();
                make_sysctl("shmmni", "19");
                check_equal(atoi(read_value(fd)), 17);
                ssize_t n = pwrite(fd, "23", 2, 0);
                check_succeeds(try_other("write(the old shmmni, \"23\")", n, n == -1, errno));
                check_value("shmmni", "19");
        }
        check_value("shmmni", "23");
#endif
}

/* ---- what they take ---- */

LINUX_CASE("sysctl.shmmni.bounds", "shmmni takes 0, 1 and 32768, and refuses 32769, -1, INT_MAX and 2^32+1",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/ipc_sysctl.c", .needs = NEEDS,
           .note = "a kernel that runs with ipcmni_extend takes more")
{
#ifdef __linux__
        prove_namespace();
        check_taken("shmmni", "0", "0");
        check_taken("shmmni", "1", "1");
        check_taken("shmmni", "32768", "32768");
        check_refused("shmmni", "32769", EINVAL);
        check_refused("shmmni", "-1", EINVAL);
        check_refused("shmmni", "2147483647", EINVAL);
        check_refused("shmmni", "4294967297", EINVAL);
#endif
}

#ifdef __linux__
/* 0, 1 and the kernel's ULONG_MAX, which a 32-bit program cannot know: one of the two is it. */
static void check_unsigned_long(const char *name)
{
        prove_namespace();
        check_taken(name, "0", "0");
        check_taken(name, "1", "1");
        static const char *const top[] = {"18446744073709551615", "4294967295"};
        static const char *const beyond[] = {"18446744073709551616", "4294967296"};
        bool is_64_bit = sizeof(long) == 8 || !try_write_sysctl(name, "4294967296").failed;
        check_taken(name, top[is_64_bit ? 0 : 1], top[is_64_bit ? 0 : 1]);
        check_refused(name, beyond[is_64_bit ? 0 : 1], EINVAL);
        check_refused(name, "-1", EINVAL);
}
#endif

LINUX_CASE("sysctl.shmmax.bounds", "shmmax takes 0, 1 and ULONG_MAX, and refuses -1 and ULONG_MAX+1",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/ipc_sysctl.c", .needs = NEEDS,
           .note = "the ULONG_MAX is the kernel's")
{
#ifdef __linux__
        check_unsigned_long("shmmax");
#endif
}

LINUX_CASE("sysctl.shmall.bounds", "shmall takes 0, 1 and ULONG_MAX, and refuses -1 and ULONG_MAX+1",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/ipc_sysctl.c", .needs = NEEDS,
           .note = "the ULONG_MAX is the kernel's")
{
#ifdef __linux__
        check_unsigned_long("shmall");
#endif
}

LINUX_CASE("sysctl.shm_rmid_forced.bounds", "shm_rmid_forced takes 0 and 1, and refuses 2 and -1", .level = LINUX,
           .clause = "proc(5) /proc/sys/kernel/shm_rmid_forced", .needs = NEEDS)
{
#ifdef __linux__
        prove_namespace();
        check_taken("shm_rmid_forced", "1", "1");
        check_taken("shm_rmid_forced", "0", "0");
        check_refused("shm_rmid_forced", "2", EINVAL);
        check_refused("shm_rmid_forced", "-1", EINVAL);
#endif
}

LINUX_CASE("sysctl.text.refused", "Text, and a number with a letter behind it, are refused by each setting",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux kernel/sysctl.c", .needs = NEEDS)
{
#ifdef __linux__
        prove_namespace();
        for (size_t i = 0; i < NAMES; i++) {
                if (!exists(names[i]))
                        continue;
                check_refused(names[i], "abc", EINVAL);
                check_refused(names[i], "5x", EINVAL);
        }
#endif
}

LINUX_CASE("sysctl.text.taken", "\"5 6\" is 5, \"0x10\" is 16, a newline is fine, and an empty write changes nothing",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux kernel/sysctl.c", .needs = NEEDS)
{
#ifdef __linux__
        prove_namespace();
        check_taken("shmmni", "5 6", "5");
        check_taken("shmmni", "0x10", "16");
        check_taken("shmmni", "17\n", "17");
        check_taken("shmmni", "", "17");
        check_taken("shmmax", "5 6", "5");
        check_taken("shmmax", "0x10", "16");
        check_taken("shmmax", "17\n", "17");
#endif
}
