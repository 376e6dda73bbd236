/* Files and file systems to have keys of; see keyed_files.h. No cases of its own. */
#include "keyed_files.h"

#include <fcntl.h>
#ifdef __linux__
#include <sched.h>
#include <sys/file.h>
#include <sys/mount.h>
#endif

void shmc_make_directory(const char *path)
{
        make_sure(mkdir(path, 0777) == 0, "mkdir %s: %s", path, strerror(errno));
}

void shmc_make_symlink(const char *target, const char *path)
{
        make_sure(symlink(target, path) == 0, "symlink %s: %s", path, strerror(errno));
}

void shmc_make_unlinked(const char *path)
{
        make_sure(unlink(path) == 0, "unlink %s: %s", path, strerror(errno));
}

struct stat shmc_make_file_stat(const char *path)
{
        struct stat s;
        make_sure(stat(path, &s) == 0, "stat %s: %s", path, strerror(errno));
        return s;
}

key_t shmc_make_scratch_key(const char *path)
{
        make_scratch_directory();
        make_file(path, 0644);
        return make_ftok(path, PROJECT);
}

void shmc_check_names_file(const char *path, key_t file_key)
{
        key_t key_of_path = (key_t)try_ftok(path, PROJECT).value;
        check_key(key_of_path, file_key);
}

#ifdef __linux__

void shmc_make_mount_namespace(void)
{
        if (unshare(CLONE_NEWNS) == -1 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
                skip_case("no mount namespace can be made: %s", strerror(errno));
}

dev_t shmc_make_tmpfs(const char *path)
{
        make_sure(mount("shmcheck", path, "tmpfs", 0, NULL) == 0, "mount of a tmpfs: %s", strerror(errno));
        return make_file_stat(path).st_dev;
}

void shmc_make_mounts_alone(void)
{
        int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        if (fd != -1)
                flock(fd, LOCK_EX);
}

/* More mounts than a byte has values, even if other processes mount too. */
#define MOUNTS_MAX 800

void shmc_make_tmpfs_with_low_byte(const char *path, unsigned low_byte)
{
        for (unsigned n = 0; n < MOUNTS_MAX; n++) {
                if ((make_tmpfs(path) & UCHAR_MAX) == low_byte)
                        return;
        }
        skip_case("%d mounts, and no device number has the low byte %u", MOUNTS_MAX, low_byte);
}

#endif
