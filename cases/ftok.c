/*
 * ftok: POSIX XSH ftok, and what ftok(3) adds for Linux: one file one key,
 * different files, proj_id, kinds of file. Errors and the inode numbers that a
 * key is made of have files of their own.
 *
 * The same key in a 32-bit and a 64-bit program takes an agent of each, and is
 * in two_widths.c; ftok.formula holds each of them to the same key.
 */
#include "keyed_files.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <utime.h>
#ifdef __linux__
#include <sys/mount.h>
#endif
#if !defined(__dietlibc__)
#include <pthread.h>
#endif

static void make_link(const char *existing, const char *path)
{
        if (link(existing, path) == -1)
                skip_case("the file system makes no hard link: %s", strerror(errno));
}

static void make_renamed(const char *from, const char *to)
{
        make_sure(rename(from, to) == 0, "rename %s to %s: %s", from, to, strerror(errno));
}

/* A file whose inode number differs from that of other in the bits that a key holds. */
static void make_distinct_file(const char *path, const char *other)
{
        unsigned taken = (unsigned)make_file_stat(other).st_ino & LOW_INODE_BITS;
        for (unsigned tries = 0; tries < 8; tries++) {
                char spare[32];
                snprintf(spare, sizeof(spare), "spare%u", tries);
                make_file(spare, 0644);
                if (((unsigned)make_file_stat(spare).st_ino & LOW_INODE_BITS) != taken) {
                        make_renamed(spare, path);
                        return;
                }
        }
        make_sure(false, "eight files in a row have the same low inode bits");
}

/* ---- one file, one key ---- */

CASE("ftok.same.twice", "The same path and proj_id asked twice give the same key, which is not (key_t)-1",
     .level = POSIX_SHALL, .clause = "POSIX XSH ftok DESCRIPTION")
{
        make_scratch_directory();
        make_file("f", 0644);
        struct outcome first = try_ftok("f", PROJECT);
        check_succeeds(first);
        check_names_file("f", (key_t)first.value);
}

CASE("ftok.same.hard_link", "A hard link to the file gives the file's key", .level = POSIX_SHALL,
     .clause = "POSIX XSH ftok DESCRIPTION")
{
        key_t key = make_scratch_key("f");
        make_link("f", "g");
        check_names_file("g", key);
}

CASE("ftok.same.symlink", "A symbolic link, and a link to that link, give the target's key", .level = POSIX_SHALL,
     .clause = "POSIX XSH ftok DESCRIPTION")
{
        key_t key = make_scratch_key("f");
        make_symlink("f", "link");
        make_symlink("link", "link_to_link");
        check_names_file("link", key);
        check_names_file("link_to_link", key);
}

CASE("ftok.same.spelling", "Every spelling of a path, absolute, relative, with dots and double slashes, gives one key",
     .level = POSIX_SHALL, .clause = "POSIX XSH ftok DESCRIPTION")
{
        make_scratch_directory();
        make_directory("d");
        make_file("d/f", 0644);
        key_t key = make_ftok("d/f", PROJECT);
        char here[PATH_MAX - sizeof("/d/f")];
        make_sure(getcwd(here, sizeof(here)) != NULL, "getcwd: %s", strerror(errno));
        char absolute[PATH_MAX];
        snprintf(absolute, sizeof(absolute), "%s/d/f", here);

        check_names_file("d/./f", key);
        check_names_file("d//f", key);
        check_names_file("d/../d/f", key);
        check_names_file(absolute, key);
        make_sure(chdir("d") == 0, "chdir: %s", strerror(errno));
        check_names_file("f", key);
}

CASE("ftok.same.after_rename", "A renamed file, and a file below a renamed directory, keep their key",
     .level = POSIX_SHALL, .clause = "POSIX XSH ftok DESCRIPTION")
{
        key_t key = make_scratch_key("f");
        make_directory("d");
        make_renamed("f", "d/g");
        check_names_file("d/g", key);
        make_renamed("d", "e");
        check_names_file("e/g", key);
}

CASE("ftok.same.after_write", "Writing, growing and truncating the file leave its key", .level = POSIX_SHALL,
     .clause = "POSIX XSH ftok DESCRIPTION")
{
        key_t key = make_scratch_key("f");
        int fd = open("f", O_RDWR | O_CLOEXEC);
        make_sure(fd != -1 && write(fd, "words", 5) == 5, "write: %s", strerror(errno));
        check_names_file("f", key);
        make_sure(ftruncate(fd, (off_t)PAGE + 1) == 0, "ftruncate: %s", strerror(errno));
        check_names_file("f", key);
        make_sure(ftruncate(fd, 0) == 0, "ftruncate: %s", strerror(errno));
        check_names_file("f", key);
}

CASE("ftok.same.after_metadata", "A new mode, new time stamps and, as root, a new owner leave the file's key",
     .level = POSIX_SHALL, .clause = "POSIX XSH ftok DESCRIPTION")
{
        key_t key = make_scratch_key("f");
        struct utimbuf long_ago = {1, 2};
        make_sure(utime("f", &long_ago) == 0, "utime: %s", strerror(errno));
        check_names_file("f", key);
        make_sure(chmod("f", 0) == 0, "chmod: %s", strerror(errno));
        check_names_file("f", key);
        /* Root of a user namespace may have no other uid to give the file to. */
        if (chown("f", USER_A, GROUP_A) == 0)
                check_names_file("f", key);
}

CASE("ftok.same.first_name_removed",
     "When the file's first name is removed its second gives the key that the first gave", .level = POSIX_SHALL,
     .clause = "POSIX XSH ftok DESCRIPTION")
{
        key_t key = make_scratch_key("f");
        make_link("f", "g");
        make_unlinked("f");
        check_names_file("g", key);
}

CASE("ftok.same.child", "A forked child gets its parent's key", .level = POSIX_SHALL,
     .clause = "POSIX XSH ftok DESCRIPTION")
{
        key_t key = make_scratch_key("f");
        IN_CHILD
        {
                check_names_file("f", key);
        }
}

/* Writes the key of argv[0] to the file descriptor argv[1]. */
PROGRAM("ftok_of")
{
        if (argc != 2)
                return 2;
        key_t key = ftok(argv[0], PROJECT);
        return write(atoi(argv[1]), &key, sizeof(key)) == (ssize_t)sizeof(key) ? 0 : 1;
}

CASE("ftok.same.exec", "A program started by exec gets the key that its starter got", .level = POSIX_SHALL,
     .clause = "POSIX XSH ftok DESCRIPTION")
{
        key_t key = make_scratch_key("f");
        int ends[2];
        make_sure(pipe(ends) == 0, "pipe: %s", strerror(errno));
        IN_CHILD
        {
                char descriptor[16];
                snprintf(descriptor, sizeof(descriptor), "%d", ends[1]);
                exec_program("ftok_of", "f", descriptor);
        }
        key_t key_in_program = 0;
        make_sure(read(ends[0], &key_in_program, sizeof(key_in_program)) == (ssize_t)sizeof(key_in_program),
                  "the program wrote no key");
        check_key(key_in_program, key);
}

CASE("ftok.same.other_uid", "A process of another uid that may search the path gets the same key", .level = POSIX_SHALL,
     .clause = "POSIX XSH ftok DESCRIPTION", .needs = NEED_TWO_UIDS)
{
        make_scratch_directory();
        make_file("f", 0600);
        key_t key = make_ftok("f", PROJECT);
        AS_USER(USER_A, GROUP_A)
        {
                check_names_file("f", key);
        }
}

#if !defined(__dietlibc__)

#define FTOK_THREADS 4
#define FTOK_CALLS 500

/* Each thread asks for a file of its own: a mixture of two threads' answers shows. */
struct asker {
        char path[8];
        key_t key;
        unsigned wrong;
};

static void *call_ftok_often(void *argument)
{
        struct asker *asker = argument;
        for (unsigned i = 0; i < FTOK_CALLS; i++)
                asker->wrong += ftok(asker->path, PROJECT) != asker->key;
        return NULL;
}

#endif

CASE("ftok.same.threads", "Four threads that call ftok 500 times each, for a file each, get its key every time",
     .level = LINUX, .clause = "ftok(3) ATTRIBUTES", .needs = NEED_THREADS)
{
#if !defined(__dietlibc__)
        struct asker askers[FTOK_THREADS];
        pthread_t threads[FTOK_THREADS];
        make_scratch_directory();
        for (size_t i = 0; i < FTOK_THREADS; i++) {
                snprintf(askers[i].path, sizeof(askers[i].path), "f%zu", i);
                make_file(askers[i].path, 0644);
                askers[i].key = make_ftok(askers[i].path, PROJECT);
                askers[i].wrong = 0;
        }
        for (size_t i = 0; i < FTOK_THREADS; i++)
                make_sure(pthread_create(&threads[i], NULL, call_ftok_often, &askers[i]) == 0, "pthread_create");
        unsigned wrong_keys = 0;
        for (size_t i = 0; i < FTOK_THREADS; i++) {
                pthread_join(threads[i], NULL);
                wrong_keys += askers[i].wrong;
        }
        check_equal(wrong_keys, 0);
#endif
}

CASE("ftok.same.chroot", "Inside a chroot the new path of the file gives the old key", .level = POSIX_SHALL,
     .clause = "POSIX XSH ftok DESCRIPTION")
{
        make_scratch_directory();
        make_directory("root");
        make_file("root/f", 0644);
        key_t key = make_ftok("root/f", PROJECT);
        IN_CHILD
        {
                if (chroot("root") == -1)
                        skip_case("chroot: %s", strerror(errno));
                check_names_file("/f", key);
        }
}

LINUX_CASE("ftok.same.bind_mount", "A bind mount of the file gives the file's key", .level = LINUX_UNDOCUMENTED,
           .clause = "ftok(3) DESCRIPTION")
{
#ifdef __linux__
        make_scratch_directory();
        make_file("f", 0644);
        make_file("other", 0644);
        key_t key = make_ftok("f", PROJECT);
        make_mount_namespace();
        /* proot takes a source without a slash for no path. */
        make_sure(mount("./f", "other", NULL, MS_BIND, NULL) == 0, "bind mount: %s", strerror(errno));
        check_names_file("other", key);
#endif
}

LINUX_CASE("ftok.same.proc_fd", "/proc/self/fd/N of an open file gives the file's key, also when its name is gone",
           .level = LINUX_UNDOCUMENTED, .clause = "proc(5) /proc/pid/fd", .needs = NEED_PROC)
{
#ifdef __linux__
        key_t key = make_scratch_key("f");
        int fd = open("f", O_RDONLY | O_CLOEXEC);
        make_sure(fd != -1, "open: %s", strerror(errno));
        char path[64];
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        check_names_file(path, key);
        make_unlinked("f");
        check_names_file(path, key);
#endif
}

CASE("ftok.roundtrip", "A segment made with a file's key is found by a child through a hard link of the file",
     .level = POSIX_SHALL, .clause = "POSIX XSH ftok DESCRIPTION")
{
        key_t key = make_scratch_key("f");
        make_link("f", "g");
        int id = make_segment(key, SIZE, 0600);
        IN_CHILD
        {
                key_t key_of_link = make_ftok("g", PROJECT);
                int found = id_of(try_shmget(key_of_link, SIZE, 0600));
                check_equal(found, id);
        }
}

/* ---- different files ---- */

CASE("ftok.distinct.files", "Two files in one directory have different keys", .level = POSIX_MAY,
     .clause = "POSIX XSH ftok DESCRIPTION")
{
        key_t one = make_scratch_key("one");
        make_distinct_file("two", "one");
        struct outcome two = try_ftok("two", PROJECT);
        LINUX_ONLY
        {
                check_succeeds(two);
                check_that((key_t)two.value != one, "the two files have different keys");
        }
}

CASE("ftok.distinct.replaced", "When a new file is renamed over the path, the path gives the new file's key",
     .level = POSIX_MAY, .clause = "POSIX XSH ftok DESCRIPTION", .note = "editors and packages replace key files so")
{
        key_t old_key = make_scratch_key("f");
        /* The old file must live on, or the new one may be given its inode. */
        make_link("f", "old");
        make_distinct_file("new", "f");
        key_t new_key = make_ftok("new", PROJECT);
        make_renamed("new", "f");
        struct outcome replaced = try_ftok("f", PROJECT);
        LINUX_ONLY
        {
                check_key((key_t)replaced.value, new_key);
                check_that((key_t)replaced.value != old_key, "the path no longer gives the old file's key");
        }
}

CASE("ftok.distinct.recreated",
     "A file that is removed has no key, and made again under its name the key of its new names, the old or another",
     .level = POSIX_MAY, .clause = "POSIX XSH ftok DESCRIPTION",
     .note = "ext4 gives the inode again, and with it the key; tmpfs does not")
{
        key_t old_key = make_scratch_key("f");
        make_unlinked("f");
        check_fails(try_ftok("f", PROJECT), ENOENT);
        make_file("f", 0644);
        make_link("f", "g");
        struct outcome again = try_ftok("f", PROJECT);
        check_succeeds(again);
        check_names_file("g", (key_t)again.value);
        record_fact("key of the file made again", "%s", (key_t)again.value == old_key ? "the old one" : "another");
}

CASE("ftok.distinct.recreated_held", "A file that is held open, removed and made again under its name has another key",
     .level = LINUX_UNDOCUMENTED, .clause = "ftok(3) DESCRIPTION")
{
        key_t old_key = make_scratch_key("f");
        make_sure(open("f", O_RDONLY | O_CLOEXEC) != -1, "open: %s", strerror(errno));
        make_link("f", "held");
        make_distinct_file("new", "f");
        make_unlinked("f");
        make_unlinked("held");
        make_renamed("new", "f");
        struct outcome again = try_ftok("f", PROJECT);
        check_succeeds(again);
        check_that((key_t)again.value != old_key, "the key is another");
}

LINUX_CASE("ftok.collision.device",
           "The roots of two file systems whose minor numbers are equal modulo 256 have one key",
           .level = LINUX_UNDOCUMENTED, .clause = "ftok(3) NOTES")
{
#ifdef __linux__
        make_scratch_directory();
        make_directory("one");
        make_directory("other");
        make_mount_namespace();
        make_mounts_alone();
        dev_t one = make_tmpfs("one");
        make_tmpfs_with_low_byte("other", (unsigned)(one & UCHAR_MAX));
        struct stat root_of_one = make_file_stat("one");
        struct stat root_of_other = make_file_stat("other");
        make_sure(root_of_one.st_ino == root_of_other.st_ino, "the roots of two tmpfs have different inode numbers");
        make_sure(root_of_one.st_dev != root_of_other.st_dev, "two tmpfs have one device number");
        check_names_file("other", make_ftok("one", PROJECT));
#endif
}

CASE("ftok.creates_nothing", "ftok makes no segment, whether it succeeds or fails: its key is not found, totals stay",
     .level = LINUX, .clause = "ftok(3) DESCRIPTION", .needs = NEED_IPC_NAMESPACE)
{
        struct totals before = make_totals();
        key_t key = make_scratch_key("f");
        try_ftok("missing", PROJECT);
        check_fails(try_shmget(key, 0, 0), ON_POSIX(ENOENT), ON_LINUX(ENOENT));
        struct totals after = make_totals();
        check_equal(after.used_ids, before.used_ids);
        check_equal(after.pages, before.pages);
}

/* ---- proj_id ---- */

CASE("ftok.proj_id.differs", "Two values of proj_id give one file two keys", .level = POSIX_MAY,
     .clause = "POSIX XSH ftok DESCRIPTION")
{
        make_scratch_directory();
        make_file("f", 0644);
        struct outcome a = try_ftok("f", 'a');
        struct outcome b = try_ftok("f", 'b');
        check_succeeds(a);
        check_succeeds(b);
        LINUX_ONLY
        {
                check_that(a.value != b.value, "the two keys differ");
        }
}

CASE("ftok.proj_id.all_255", "The 255 values of proj_id from 1 up give 255 keys, none of them IPC_PRIVATE",
     .level = LINUX, .clause = "ftok(3) NOTES")
{
        key_t keys[UCHAR_MAX + 1];
        unsigned equal_pairs = 0;
        unsigned private_keys = 0;
        make_scratch_directory();
        make_file("f", 0644);
        for (int id = 1; id <= UCHAR_MAX; id++) {
                keys[id] = ftok("f", id);
                private_keys += keys[id] == IPC_PRIVATE;
                for (int earlier = 1; earlier < id; earlier++)
                        equal_pairs += keys[earlier] == keys[id];
        }
        check_equal(equal_pairs, 0);
        check_equal(private_keys, 0);
}

struct proj_id_row {
        ROW_HEAD;
        int low_bits; /* the proj_id that has nothing but its low 8 bits */
        int alike[3];
        int count;
};

static const struct proj_id_row proj_ids[] = {
        {ROW("ftok.proj_id.high_bits_ignored",
             "Only the low 8 bits of proj_id count: 0x61 with other high bits gives one key", .level = POSIX_SHALL,
             .clause = "POSIX XSH ftok DESCRIPTION"),
         0x61,
         {0x161, 0x7fffff61, (int)0xffffff61},
         3},
        {ROW("ftok.proj_id.negative",
             "A negative proj_id counts by its low 8 bits: -1 gives the key of 255, as INT_MAX does",
             .level = POSIX_SHALL, .clause = "POSIX XSH ftok DESCRIPTION",
             .note = "a plain char argument is signed on some machines"),
         UCHAR_MAX,
         {-1, INT_MAX},
         2},
        {ROW("ftok.proj_id.negative_128", "proj_id -128 gives the key of 128", .level = POSIX_SHALL,
             .clause = "POSIX XSH ftok DESCRIPTION"),
         128,
         {-128},
         1},
};

TABLE(proj_ids, struct proj_id_row, row)
{
        make_scratch_directory();
        make_file("f", 0644);
        key_t key = make_ftok("f", row->low_bits);
        for (int i = 0; i < row->count; i++) {
                key_t key_of_like_id = (key_t)try_ftok("f", row->alike[i]).value;
                check_key(key_of_like_id, key);
        }
}

CASE("ftok.proj_id.zero", "proj_id 0 gives a key whose top byte is 0, and so do 256 and INT_MIN", .level = POSIX_MAY,
     .clause = "POSIX XSH ftok DESCRIPTION", .note = "ftok(3): proj_id must be non-zero")
{
        make_scratch_directory();
        make_file("f", 0644);
        struct outcome zero = try_ftok("f", 0);
        LINUX_ONLY
        {
                check_succeeds(zero);
                check_equal((uint32_t)zero.value >> 24, 0);
                check_key((key_t)try_ftok("f", UCHAR_MAX + 1).value, (key_t)zero.value);
                check_key((key_t)try_ftok("f", INT_MIN).value, (key_t)zero.value);
        }
}

CASE("ftok.proj_id.top_bit", "proj_id 0x80 gives a key, on Linux a negative one, that makes and finds a segment",
     .level = POSIX_SHALL, .clause = "POSIX XSH ftok DESCRIPTION")
{
        make_scratch_directory();
        make_file("f", 0644);
        struct outcome key = try_ftok("f", 0x80);
        check_succeeds(key);
        LINUX_ONLY
        {
                check_that((key_t)key.value < 0, "the key is negative");
        }
        struct outcome made = try_shmget((key_t)key.value, SIZE, IPC_CREAT | IPC_EXCL | 0600);
        check_succeeds(made);
        int found = id_of(try_shmget((key_t)key.value, SIZE, 0600));
        check_equal(found, id_of(made));
}

/* ---- kinds of file, side effects ---- */

CASE("ftok.file.directory",
     "A directory has a key, the same for d, d/, and a symbolic link to d with and without slash", .level = POSIX_SHALL,
     .clause = "POSIX XSH ftok DESCRIPTION")
{
        make_scratch_directory();
        make_directory("d");
        make_symlink("d", "link");
        check_succeeds(try_ftok("/", PROJECT));
        check_succeeds(try_ftok(".", PROJECT));
        struct outcome directory = try_ftok("d", PROJECT);
        check_succeeds(directory);
        check_names_file("d/", (key_t)directory.value);
        check_names_file("link", (key_t)directory.value);
        check_names_file("link/", (key_t)directory.value);
}

static void make_bound_socket(const char *path)
{
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        struct sockaddr_un name;
        memset(&name, 0, sizeof(name));
        name.sun_family = AF_UNIX;
        snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
        make_sure(fd != -1 && bind(fd, (const struct sockaddr *)&name, sizeof(name)) == 0, "bind: %s", strerror(errno));
}

CASE("ftok.file.special", "A FIFO that nobody reads, a bound socket and /dev/null have keys, given at once",
     .level = POSIX_SHALL, .clause = "POSIX XSH ftok DESCRIPTION",
     .note = "a C library that opens the file hangs on the FIFO")
{
        make_scratch_directory();
        make_sure(mkfifo("fifo", 0600) == 0, "mkfifo: %s", strerror(errno));
        make_bound_socket("socket");
        check_succeeds(try_ftok("fifo", PROJECT));
        check_succeeds(try_ftok("socket", PROJECT));
        check_succeeds(try_ftok("/dev/null", PROJECT));
}

CASE("ftok.file.no_permission", "A file that its owner may neither read nor write has a key", .level = POSIX_SHALL,
     .clause = "POSIX XSH ftok DESCRIPTION", .needs = NEED_UNPRIVILEGED)
{
        make_scratch_directory();
        make_file("f", 0);
        check_succeeds(try_ftok("f", PROJECT));
}

/* glibc's 32-bit off_t ends at 2 GiB unless a program asks for more, and such a program is what is tested. */
static void make_large_file(const char *path)
{
#if defined(__GLIBC__)
        int fd = open64(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
        make_sure(fd != -1 && ftruncate64(fd, (off64_t)3 << 30) == 0, "a sparse file of 3 GiB: %s", strerror(errno));
#else
        if (sizeof(off_t) < 8)
                skip_case("off_t has %zu bytes", sizeof(off_t));
        int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
        make_sure(fd != -1 && ftruncate(fd, (off_t)((int64_t)3 << 30)) == 0, "a sparse file of 3 GiB: %s",
                  strerror(errno));
#endif
}

CASE("ftok.file.large", "A file of 3 GiB has a key, in a program without large-file macros too", .level = POSIX_SHALL,
     .clause = "POSIX XSH ftok DESCRIPTION")
{
        make_scratch_directory();
        make_large_file("f");
        check_succeeds(try_ftok("f", PROJECT));
}

CASE("ftok.file.not_opened", "ftok opens no file: it works without a free descriptor and leaves the file's atime",
     .level = LINUX_UNDOCUMENTED, .clause = "ftok(3) DESCRIPTION")
{
        key_t key = make_scratch_key("f");
        /* An access time before the modification time is what even relatime brings up to date. */
        struct utimbuf long_ago = {1, 2};
        make_sure(utime("f", &long_ago) == 0, "utime: %s", strerror(errno));
        make_rlimit(RLIMIT_NOFILE, 0);
        check_names_file("f", key);
        check_equal(make_file_stat("f").st_atime, long_ago.actime);
}

CASE("ftok.errno.success", "A successful ftok leaves errno alone", .level = LINUX_UNDOCUMENTED, .clause = "errno(3)")
{
        make_scratch_key("f");
        errno = SENTINEL_ERRNO;
        key_t key = ftok("f", PROJECT);
        int errno_after = errno;
        try_other("errno = 77, then ftok(\"f\", 'R')", key, key == (key_t)-1, errno_after);
        check_equal(errno_after, SENTINEL_ERRNO);
}

CASE("ftok.formula", "A key is 16 bits of the inode number, 8 bits of the device number and 8 bits of proj_id",
     .level = LINUX_UNDOCUMENTED, .clause = "ftok(3) NOTES")
{
        /* New files of a fresh file system have small inode numbers; others are great, and on other devices. */
        static const char *const paths[] = {"f", ".", "/", "/dev/null", "/tmp", "/proc/self/exe"};
        static const int proj_ids_tried[] = {PROJECT, 200};
        make_scratch_directory();
        make_file("f", 0644);
        for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
                struct stat s;
                if (stat(paths[i], &s) == -1)
                        continue;
                uint32_t file = (uint32_t)(s.st_ino & LOW_INODE_BITS) | (uint32_t)(s.st_dev & UCHAR_MAX) << 16;
                for (size_t j = 0; j < 2; j++) {
                        key_t key = (key_t)try_ftok(paths[i], proj_ids_tried[j]).value;
                        check_key(key, (key_t)(file | (uint32_t)proj_ids_tried[j] << 24));
                }
        }
}
