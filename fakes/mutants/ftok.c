/* ftok: the key of a path. */
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "segment.h"

#define real_ftok shmmutant_real.ftok

/* A key like the C library's, of other numbers than the file's. */
static key_t key_of(unsigned long inode, unsigned long device, int proj_id)
{
        return (key_t)((inode & 0xffff) | (device & 0xff) << 16 | ((unsigned)proj_id & 0xffU) << 24);
}

static key_t ftok_constant(const char *path, int proj_id)
{
        key_t key = real_ftok(path, proj_id);
        return key == -1 ? -1 : 0x5eed;
}

static key_t proj_id_ignored(const char *path, int proj_id)
{
        (void)proj_id;
        return real_ftok(path, 1);
}

static key_t proj_id_not_cut(const char *path, int proj_id)
{
        key_t key = real_ftok(path, proj_id);
        return key == -1 ? -1 : (key_t)((unsigned)key ^ ((unsigned)proj_id & 0xffffff00U) >> 4);
}

static key_t proj_id_cut_to_7_bits(const char *path, int proj_id)
{
        return real_ftok(path, proj_id & 0x7f);
}

static key_t proj_id_sign_kept(const char *path, int proj_id)
{
        return real_ftok(path, proj_id < 0 ? 1 : proj_id);
}

static key_t proj_id_zero_refused(const char *path, int proj_id)
{
        return (proj_id & 0xff) == 0 ? failing(EINVAL) : real_ftok(path, proj_id);
}

static key_t key_never_negative(const char *path, int proj_id)
{
        key_t key = real_ftok(path, proj_id);
        return key == -1 ? -1 : key & INT_MAX;
}

static key_t device_ignored(const char *path, int proj_id)
{
        struct stat file;
        return stat(path, &file) == -1 ? -1 : key_of(file.st_ino, 0x42, proj_id);
}

static key_t inode_cut_to_one_bit(const char *path, int proj_id)
{
        struct stat file;
        return stat(path, &file) == -1 ? -1 : key_of(file.st_ino & 0x1, file.st_dev, proj_id);
}

static key_t link_not_followed(const char *path, int proj_id)
{
        struct stat file;
        return lstat(path, &file) == -1 ? -1 : key_of(file.st_ino, file.st_dev, proj_id);
}

static key_t path_is_hashed(const char *path, int proj_id)
{
        unsigned hash = 5381;
        key_t key = real_ftok(path, proj_id);
        if (key == -1)
                return -1;
        for (const char *c = path; *c; c++)
                hash = hash * 33 + (unsigned char)*c;
        return (key_t)(((unsigned)key & 0xff000000U) | (hash & 0xffffffU));
}

#define CACHED 32

static key_t path_is_cached(const char *path, int proj_id)
{
        static char paths[CACHED][128];
        static key_t keys[CACHED];
        key_t key = real_ftok(path, proj_id);
        if (key == -1 && errno == EFAULT)
                return -1;
        for (size_t i = 0; i < CACHED; i++) {
                if (paths[i][0] && strcmp(paths[i], path) == 0)
                        return (key_t)(((unsigned)keys[i] & 0xffffffU) | ((unsigned)proj_id & 0xffU) << 24);
                if (!paths[i][0] && key != -1 && strlen(path) < sizeof(paths[i])) {
                        memcpy(paths[i], path, strlen(path) + 1);
                        keys[i] = key;
                        return key;
                }
        }
        return key;
}

static key_t file_opened(const char *path, int proj_id)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd == -1)
                return -1;
        close(fd);
        return real_ftok(path, proj_id);
}

static key_t file_created(const char *path, int proj_id)
{
        key_t key = real_ftok(path, proj_id);
        if (key != -1 || errno != ENOENT)
                return key;
        int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        if (fd == -1)
                return -1;
        close(fd);
        return real_ftok(path, proj_id);
}

static key_t directory_refused(const char *path, int proj_id)
{
        struct stat file;
        bool refused = stat(path, &file) == 0 && S_ISDIR(file.st_mode);
        return refused ? failing(EISDIR) : real_ftok(path, proj_id);
}

static key_t special_file_refused(const char *path, int proj_id)
{
        struct stat file;
        bool refused = stat(path, &file) == 0 && !S_ISDIR(file.st_mode) && !S_ISREG(file.st_mode);
        return refused ? failing(EINVAL) : real_ftok(path, proj_id);
}

static key_t large_file_refused(const char *path, int proj_id)
{
        struct stat file;
        bool refused = stat(path, &file) == 0 && file.st_size > INT_MAX;
        return refused ? failing(EOVERFLOW) : real_ftok(path, proj_id);
}

static key_t key_depends_on_size(const char *path, int proj_id)
{
        struct stat file;
        return stat(path, &file) == -1 ? -1 : key_of(file.st_ino + (unsigned long)file.st_size, file.st_dev, proj_id);
}

static key_t key_depends_on_times(const char *path, int proj_id)
{
        struct stat file;
        return stat(path, &file) == -1 ? -1
                                       : key_of(file.st_ino + (unsigned long)file.st_mtim.tv_sec, file.st_dev, proj_id);
}

static key_t key_depends_on_mode(const char *path, int proj_id)
{
        struct stat file;
        return stat(path, &file) == -1 ? -1 : key_of(file.st_ino ^ (file.st_mode & 0777), file.st_dev, proj_id);
}

static key_t key_depends_on_links(const char *path, int proj_id)
{
        struct stat file;
        return stat(path, &file) == -1 ? -1 : key_of(file.st_ino + file.st_nlink, file.st_dev, proj_id);
}

static key_t key_depends_on_uid(const char *path, int proj_id)
{
        key_t key = real_ftok(path, proj_id);
        return key == -1 ? -1 : key ^ (key_t)(geteuid() & 0xffff);
}

static key_t key_depends_on_process(const char *path, int proj_id)
{
        key_t key = real_ftok(path, proj_id);
        return key == -1 ? -1 : key ^ (key_t)(getpid() & 0xffff);
}

static key_t not_for_threads(const char *path, int proj_id)
{
        static volatile key_t result;
        result = real_ftok(path, proj_id);
        sched_yield();
        return result;
}

static key_t ftok_makes_segment(const char *path, int proj_id)
{
        key_t key = real_ftok(path, proj_id);
        int error = errno;
        if (key != -1)
                shmmutant_real.shmget(key, 1, IPC_CREAT | 0600);
        errno = error;
        return key;
}

static key_t ftok_success_sets_errno(const char *path, int proj_id)
{
        key_t key = real_ftok(path, proj_id);
        if (key != -1)
                errno = ENOENT;
        return key;
}

static key_t ftok_failure_errno_zero(const char *path, int proj_id)
{
        key_t key = real_ftok(path, proj_id);
        return key == -1 ? failing(0) : key;
}

static key_t ftok_failure_returns_zero(const char *path, int proj_id)
{
        key_t key = real_ftok(path, proj_id);
        return key == -1 ? 0 : key;
}

static key_t slash_behind_file_ignored(const char *path, int proj_id)
{
        char cut[PATH_MAX];
        key_t key = real_ftok(path, proj_id);
        if (key != -1 || errno != ENOTDIR || strlen(path) >= sizeof(cut))
                return key;
        memcpy(cut, path, strlen(path) + 1);
        cut[strlen(cut) - 1] = cut[strlen(cut) - 1] == '/' ? '\0' : cut[strlen(cut) - 1];
        return real_ftok(cut, proj_id);
}

static key_t path_read_here(const char *path, int proj_id)
{
        volatile char last = 0;
        for (const char *c = path; *c; c++)
                last = *c;
        (void)last;
        return real_ftok(path, proj_id);
}

static key_t long_path_refused(const char *path, int proj_id)
{
        key_t key = real_ftok(path, proj_id);
        return key != -1 && strlen(path) > 1024 ? failing(ENAMETOOLONG) : key;
}

static key_t empty_path_is_here(const char *path, int proj_id)
{
        key_t key = real_ftok(path, proj_id);
        return key == -1 && errno == ENOENT && !*path ? real_ftok(".", proj_id) : key;
}

static key_t more_inode_bits(const char *path, int proj_id)
{
        struct stat file;
        return stat(path, &file) == -1 ? -1 : key_of(file.st_ino ^ file.st_ino >> 16, file.st_dev, proj_id);
}

static key_t more_device_bits(const char *path, int proj_id)
{
        struct stat file;
        return stat(path, &file) == -1 ? -1 : key_of(file.st_ino, file.st_dev ^ file.st_dev >> 20, proj_id);
}

static key_t key_changes_with_each_call(const char *path, int proj_id)
{
        static unsigned calls;
        key_t key = real_ftok(path, proj_id);
        return key == -1 ? -1 : (key_t)((unsigned)key ^ (calls++ & 0xffff));
}

static key_t large_inode_refused(const char *path, int proj_id)
{
        struct stat file;
        bool refused = stat(path, &file) == 0 && file.st_ino > UINT32_MAX;
        return refused ? failing(EOVERFLOW) : real_ftok(path, proj_id);
}

const struct mutant shmmutant_ftok[] = {
        {.name = "ftok_constant",
         .wrong = "Every path has the same key.",
         .meant_for = "ftok.distinct.* ftok.proj_id.differs ftok.formula",
         .ftok = ftok_constant},
        {.name = "proj_id_ignored",
         .wrong = "proj_id does not count.",
         .meant_for = "ftok.proj_id.differs ftok.proj_id.all_255",
         .ftok = proj_id_ignored},
        {.name = "proj_id_not_cut",
         .wrong = "More than the low 8 bits of proj_id count.",
         .meant_for = "ftok.proj_id.high_bits_ignored ftok.proj_id.negative*",
         .ftok = proj_id_not_cut},
        {.name = "proj_id_cut_to_7_bits",
         .wrong = "The low 7 bits of proj_id count.",
         .meant_for = "ftok.proj_id.all_255 ftok.proj_id.top_bit ftok.formula",
         .ftok = proj_id_cut_to_7_bits},
        {.name = "proj_id_sign_kept",
         .wrong = "Every negative proj_id gives one key.",
         .meant_for = "ftok.proj_id.negative*",
         .ftok = proj_id_sign_kept},
        {.name = "proj_id_zero_refused",
         .wrong = "proj_id 0 is refused.",
         .meant_for = "ftok.proj_id.zero",
         .ftok = proj_id_zero_refused},
        {.name = "key_never_negative",
         .wrong = "A key is never negative.",
         .meant_for = "ftok.proj_id.top_bit ftok.formula",
         .ftok = key_never_negative},
        {.name = "device_ignored",
         .wrong = "The device does not count.",
         .meant_for = "ftok.formula ftok.zero.is_private ftok.minus_one.success",
         .ftok = device_ignored},
        {.name = "inode_cut_to_one_bit",
         .wrong = "Of the inode number one bit counts.",
         .meant_for = "ftok.formula",
         .ftok = inode_cut_to_one_bit},
        {.name = "link_not_followed",
         .wrong = "A symbolic link has a key of its own.",
         .meant_for = "ftok.same.symlink ftok.enoent.dangling ftok.eloop.* ftok.same.proc_fd",
         .ftok = link_not_followed},
        {.name = "path_is_hashed",
         .wrong = "The key is made of the path, not of the file.",
         .meant_for = "ftok.same.hard_link ftok.same.spelling ftok.same.after_rename ftok.roundtrip "
                      "ftok.same.first_name_removed ftok.same.bind_mount ftok.same.chroot ftok.same.proc_fd",
         .ftok = path_is_hashed},
        {.name = "path_is_cached",
         .wrong = "A path's key is remembered.",
         .meant_for = "ftok.enoent.unlinked ftok.distinct.replaced ftok.distinct.recreated",
         .ftok = path_is_cached},
        {.name = "file_opened",
         .wrong = "ftok opens the file.",
         .meant_for = "ftok.file.not_opened ftok.file.no_permission ftok.file.special ftok.eacces.read_not_needed",
         .ftok = file_opened},
        {.name = "file_created",
         .wrong = "ftok creates a file that is missing.",
         .meant_for = "ftok.enoent.missing ftok.enoent.unlinked",
         .ftok = file_created},
        {.name = "directory_refused",
         .wrong = "A directory has no key.",
         .meant_for = "ftok.file.directory",
         .ftok = directory_refused},
        {.name = "special_file_refused",
         .wrong = "A FIFO, a socket and a device have no key.",
         .meant_for = "ftok.file.special",
         .ftok = special_file_refused},
        {.name = "large_file_refused",
         .wrong = "A file beyond 2 GiB fails with EOVERFLOW.",
         .meant_for = "ftok.file.large",
         .ftok = large_file_refused},
        {.name = "key_depends_on_size",
         .wrong = "The key changes with the file's size.",
         .meant_for = "ftok.same.after_write",
         .ftok = key_depends_on_size},
        {.name = "key_depends_on_times",
         .wrong = "The key changes with the file's time stamps.",
         .meant_for = "ftok.same.after_metadata",
         .ftok = key_depends_on_times},
        {.name = "key_depends_on_mode",
         .wrong = "The key changes with the file's mode.",
         .meant_for = "ftok.same.after_metadata",
         .ftok = key_depends_on_mode},
        {.name = "key_depends_on_links",
         .wrong = "The key changes with the number of the file's names.",
         .meant_for = "ftok.same.hard_link",
         .ftok = key_depends_on_links},
        {.name = "key_depends_on_uid",
         .wrong = "The key is another for another user.",
         .meant_for = "ftok.same.other_uid",
         .ftok = key_depends_on_uid},
        {.name = "key_depends_on_process",
         .wrong = "The key is another in another process.",
         .meant_for = "ftok.same.child ftok.same.exec ftok.roundtrip",
         .ftok = key_depends_on_process},
        {.name = "not_for_threads",
         .wrong = "Two threads that call ftok at a time may get each other's key.",
         .meant_for = "ftok.same.threads",
         .ftok = not_for_threads},
        {.name = "ftok_makes_segment",
         .wrong = "ftok makes a segment of the key.",
         .meant_for = "ftok.creates_nothing",
         .ftok = ftok_makes_segment},
        {.name = "ftok_success_sets_errno",
         .wrong = "A successful ftok sets errno.",
         .meant_for = "ftok.errno.success",
         .ftok = ftok_success_sets_errno},
        {.name = "ftok_failure_errno_zero",
         .wrong = "A failing ftok returns (key_t)-1 and sets errno to 0.",
         .meant_for = "ftok.enoent.* ftok.enotdir.* ftok.eio",
         .ftok = ftok_failure_errno_zero},
        {.name = "ftok_failure_returns_zero",
         .wrong = "A failing ftok returns 0, which is IPC_PRIVATE.",
         .meant_for = "ftok.enoent.* ftok.enotdir.*",
         .ftok = ftok_failure_returns_zero},
        {.name = "slash_behind_file_ignored",
         .wrong = "A slash behind a file's name is ignored.",
         .meant_for = "ftok.enotdir.slash",
         .ftok = slash_behind_file_ignored},
        {.name = "path_read_here",
         .wrong = "The path is read by the caller: a bad pointer is a SIGSEGV.",
         .meant_for = "ftok.efault.*",
         .ftok = path_read_here},
        {.name = "long_path_refused",
         .wrong = "A path of more than 1024 bytes fails with ENAMETOOLONG.",
         .meant_for = "ftok.enametoolong.path",
         .ftok = long_path_refused},
        {.name = "empty_path_is_here",
         .wrong = "The empty path means the working directory.",
         .meant_for = "ftok.enoent.empty",
         .ftok = empty_path_is_here},
        {.name = "ftok_enoent_is_einval",
         .wrong = "A path that does not exist fails with EINVAL.",
         .meant_for = "ftok.enoent.*",
         .wrong_errno = {CALL_FTOK, 0, ENOENT, EINVAL}},
        {.name = "ftok_eacces_is_eperm",
         .wrong = "A directory that may not be searched fails with EPERM.",
         .meant_for = "ftok.eacces.search ftok.eacces.privileged",
         .wrong_errno = {CALL_FTOK, 0, EACCES, EPERM}},
        {.name = "ftok_enotdir_is_enoent",
         .wrong = "A path that goes on below a file fails with ENOENT.",
         .meant_for = "ftok.enotdir.* ftok.order.*",
         .wrong_errno = {CALL_FTOK, 0, ENOTDIR, ENOENT}},
        {.name = "ftok_eloop_is_enoent",
         .wrong = "A circle of symbolic links fails with ENOENT.",
         .meant_for = "ftok.eloop.*",
         .wrong_errno = {CALL_FTOK, 0, ELOOP, ENOENT}},
        {.name = "ftok_enametoolong_is_enoent",
         .wrong = "A name that is too long fails with ENOENT.",
         .meant_for = "ftok.enametoolong.*",
         .wrong_errno = {CALL_FTOK, 0, ENAMETOOLONG, ENOENT}},
        {.name = "ftok_efault_is_einval",
         .wrong = "A bad pointer fails with EINVAL.",
         .meant_for = "ftok.efault.*",
         .wrong_errno = {CALL_FTOK, 0, EFAULT, EINVAL}},
        {.name = "more_inode_bits",
         .wrong = "More than the low 16 bits of the inode number count.",
         .meant_for = "ftok.collision.inode",
         .ftok = more_inode_bits},
        {.name = "more_device_bits",
         .wrong = "More than the low 8 bits of the device number count.",
         .meant_for = "ftok.collision.device",
         .ftok = more_device_bits},
        {.name = "key_changes_with_each_call",
         .wrong = "The second call for a path gives another key.",
         .meant_for = "ftok.same.twice ftok.same.spelling",
         .ftok = key_changes_with_each_call},
        {.name = "large_inode_refused",
         .wrong = "A file whose inode number has more than 32 bits fails with EOVERFLOW.",
         .meant_for = "ftok.file.large_inode",
         .ftok = large_inode_refused},
        {.name = "ftok_eio_is_enoent",
         .wrong = "An input/output error fails with ENOENT.",
         .meant_for = "ftok.eio",
         .wrong_errno = {CALL_FTOK, 0, EIO, ENOENT}},
        {.name = NULL},
};
