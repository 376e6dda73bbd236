/* The settings in /proc/sys/kernel: who may read and write them, what they take, and whom they hold for. */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "segment.h"

#define real_open shmmutant_real.open

#define FOLDER "/proc/sys/kernel/"

static bool is_setting(const char *path)
{
        return strncmp(path, FOLDER "shm", strlen(FOLDER "shm")) == 0;
}

static bool is_open_setting(int fd)
{
        char link[32];
        char path[64] = "";
        int error = errno;
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        bool is = readlink(link, path, sizeof(path) - 1) > 0 && is_setting(path);
        errno = error;
        return is;
}

static bool writes(int flags)
{
        return (flags & O_ACCMODE) != O_RDONLY;
}

/* ---- reading and writing ---- */

static int setting_write_lost(const char *path, int flags)
{
        int fd = real_open(path, flags);
        if (fd == -1 || !is_setting(path) || (flags & O_ACCMODE) != O_WRONLY)
                return fd;
        close(fd);
        return real_open("/dev/null", flags);
}

static ssize_t setting_refusal_claimed(int fd, const void *bytes, size_t size)
{
        ssize_t written = shmmutant_real.write(fd, bytes, size);
        return written == -1 && errno == EINVAL && is_open_setting(fd) ? (ssize_t)size : written;
}

static int setting_hidden_from_strangers(const char *path, int flags)
{
        return geteuid() != 0 && is_setting(path) ? failing(EACCES) : real_open(path, flags);
}

static int setting_open_to_strangers(const char *path, int flags)
{
        int fd = real_open(path, flags);
        return fd == -1 && errno == EACCES && is_setting(path) && writes(flags) ? real_open("/dev/null", flags) : fd;
}

/* ---- shm_rmid_forced ---- */

static int rmid_forced_ignored(const char *path, int flags)
{
        bool ignored = strcmp(path, FOLDER "shm_rmid_forced") == 0 && writes(flags);
        return ignored ? memfd_create("shm_rmid_forced", MFD_CLOEXEC) : real_open(path, flags);
}

static bool is_forced(void)
{
        int error = errno;
        char digit = '0';
        int fd = real_open(FOLDER "shm_rmid_forced", O_RDONLY | O_CLOEXEC);
        bool forced = fd != -1 && read(fd, &digit, 1) == 1 && digit == '1';
        if (fd != -1)
                close(fd);
        errno = error;
        return forced;
}

static int rmid_forced_spares_nobody(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds ds;
        if (command == IPC_STAT && shmmutant_look(shmid, &ds) && ds.shm_nattch == 0 && is_forced())
                shmmutant_real.shmctl(shmid, IPC_RMID, NULL);
        return shmmutant_real.shmctl(shmid, command, buffer);
}

/* ---- shm_next_id ---- */

static int next_id_ignored(key_t key, size_t size, int flags)
{
        int error = errno;
        /* What is made first has the identifier that was asked for. */
        int before = shmmutant_key_is_taken(key) ? -1 : shmmutant_real.shmget(IPC_PRIVATE, 1, 0600);
        errno = error;
        int shmid = shmmutant_real.shmget(key, size, flags);
        error = errno;
        if (before != -1)
                shmmutant_real.shmctl(before, IPC_RMID, NULL);
        errno = error;
        return shmid;
}

/* ---- namespaces ---- */

static const char *const settings[] = {FOLDER "shmmni", FOLDER "shmmax", FOLDER "shmall", FOLDER "shm_rmid_forced",
                                       FOLDER "shm_next_id"};
#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

struct value {
        char text[32];
        ssize_t length;
};

static void read_values(struct value *values)
{
        for (size_t i = 0; i < SETTINGS; i++) {
                int fd = real_open(settings[i], O_RDONLY | O_CLOEXEC);
                values[i].length = fd == -1 ? -1 : read(fd, values[i].text, sizeof(values[i].text));
                if (fd != -1)
                        close(fd);
        }
}

static void write_values(const struct value *values)
{
        for (size_t i = 0; i < SETTINGS; i++) {
                int fd = real_open(settings[i], O_WRONLY | O_CLOEXEC);
                /* A value that is refused is none that can be inherited: shm_next_id's -1. */
                if (fd != -1 && values[i].length > 0 && write(fd, values[i].text, (size_t)values[i].length) == -1)
                        errno = 0;
                if (fd != -1)
                        close(fd);
        }
}

static int settings_inherited(int flags)
{
        struct value values[SETTINGS];
        read_values(values);
        int result = shmmutant_real.unshare(flags);
        int error = errno;
        if (result == 0 && (flags & CLONE_NEWIPC))
                write_values(values);
        errno = error;
        return result;
}

const struct mutant shmmutant_settings[] = {
        {.name = "setting_write_lost",
         .wrong = "A write of a setting reports success and changes nothing.",
         .meant_for = "sysctl.*.bounds sysctl.text.taken sysctl.write.*",
         .open = setting_write_lost},
        {.name = "setting_refusal_claimed",
         .wrong = "A write that a setting refuses reports success.",
         .meant_for = "sysctl.*.bounds sysctl.text.refused id.next.rejected",
         .write = setting_refusal_claimed},
        {.name = "setting_hidden_from_strangers",
         .wrong = "Only uid 0 can read the settings.",
         .meant_for = "sysctl.read.anyone",
         .open = setting_hidden_from_strangers},
        {.name = "setting_open_to_strangers",
         .wrong = "Who may not write a setting is told that it is written.",
         .meant_for = "sysctl.write.*",
         .open = setting_open_to_strangers},
        {.name = "rmid_forced_ignored",
         .wrong = "shm_rmid_forced can be written, and does nothing.",
         .meant_for = "forced.*",
         .open = rmid_forced_ignored},
        {.name = "rmid_forced_spares_nobody",
         .wrong = "With shm_rmid_forced 1 what nobody has attached is destroyed although its creator lives.",
         .meant_for = "forced.unattached.creator_lives forced.write.creator_lives",
         .shmctl = rmid_forced_spares_nobody},
        {.name = "next_id_ignored",
         .wrong = "The next new segment has not the identifier of shm_next_id.",
         .meant_for = "id.next.* shmget.next_id.*",
         .shmget = next_id_ignored},
        {.name = "settings_inherited",
         .wrong = "A new IPC namespace starts with the settings of the one that is left.",
         .meant_for = "forced.default shmget.limit.defaults ns.limits.own id.next.others",
         .unshare = settings_inherited},
        {.name = NULL},
};
