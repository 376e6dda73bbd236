/*
 * ftok: POSIX XSH ftok, and what ftok(3) adds for Linux: one file one key,
 * different files, proj_id, kinds of file, errors.
 *
 * Left out: the same key in a 32-bit and a 64-bit program, as one agent has one
 * width; ftok.formula holds each of them to the same key.
 */
#include "case.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <utime.h>
#ifdef __linux__
#include <sched.h>
#include <sys/file.h>
#include <sys/mount.h>
#endif
#if !defined(__dietlibc__)
#include <pthread.h>
#endif

#define PROJECT 'R'
#define SIZE 3333
#define LOW_INODE_BITS 0xffffU
#define SENTINEL_ERRNO 77

static void make_directory(const char *path)
{
        make_sure(mkdir(path, 0777) == 0, "mkdir %s: %s", path, strerror(errno));
}

static void make_symlink(const char *target, const char *path)
{
        make_sure(symlink(target, path) == 0, "symlink %s: %s", path, strerror(errno));
}

static void make_link(const char *existing, const char *path)
{
        if (link(existing, path) == -1)
                skip_case("the file system makes no hard link: %s", strerror(errno));
}

static void make_renamed(const char *from, const char *to)
{
        make_sure(rename(from, to) == 0, "rename %s to %s: %s", from, to, strerror(errno));
}

static void make_unlinked(const char *path)
{
        make_sure(unlink(path) == 0, "unlink %s: %s", path, strerror(errno));
}

static struct stat make_file_stat(const char *path)
{
        struct stat s;
        make_sure(stat(path, &s) == 0, "stat %s: %s", path, strerror(errno));
        return s;
}

/* The scratch directory with one file in it; returns the file's key. */
static key_t make_scratch_key(const char *path)
{
        make_scratch_directory();
        make_file(path, 0644);
        return make_ftok(path, PROJECT);
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

static void check_names_file(const char *path, key_t file_key)
{
        key_t key_of_path = (key_t)try_ftok(path, PROJECT).value;
        check_key(key_of_path, file_key);
}

#ifdef __linux__

static void make_mount_namespace(void)
{
        if (unshare(CLONE_NEWNS) == -1 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
                skip_case("no mount namespace can be made: %s", strerror(errno));
}

/* Mounts a tmpfs over path, over what is mounted there already; returns its device number. */
static dev_t make_tmpfs(const char *path)
{
        make_sure(mount("shmcheck", path, "tmpfs", 0, NULL) == 0, "mount of a tmpfs: %s", strerror(errno));
        return make_file_stat(path).st_dev;
}

/*
 * Cases that fill device numbers with mounts take turns: two that mount in step
 * can each get every other number for ever. The lock ends with the case.
 */
static void make_mounts_alone(void)
{
        int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        if (fd != -1)
                flock(fd, LOCK_EX);
}

/* More mounts than a byte has values, even if other processes mount too. */
#define MOUNTS_MAX 800

/* Mounts until a device number's low byte is the one wanted. */
static void make_tmpfs_with_low_byte(const char *path, unsigned low_byte)
{
        for (unsigned n = 0; n < MOUNTS_MAX; n++) {
                if ((make_tmpfs(path) & UCHAR_MAX) == low_byte)
                        return;
        }
        skip_case("%d mounts, and no device number has the low byte %u", MOUNTS_MAX, low_byte);
}

#endif

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
#define FTOK_CALLS 2000

static key_t expected_by_threads;

/* Counts the calls whose key is another. */
static void *call_ftok_often(void *count)
{
        unsigned *wrong = count;
        for (unsigned i = 0; i < FTOK_CALLS; i++)
                *wrong += ftok("f", PROJECT) != expected_by_threads;
        return NULL;
}

#endif

CASE("ftok.same.threads", "Four threads that call ftok 2000 times each get the same key every time", .level = LINUX,
     .clause = "ftok(3) ATTRIBUTES", .needs = NEED_THREADS)
{
#if !defined(__dietlibc__)
        expected_by_threads = make_scratch_key("f");
        pthread_t threads[FTOK_THREADS];
        unsigned wrong[FTOK_THREADS] = {0};
        for (size_t i = 0; i < FTOK_THREADS; i++)
                make_sure(pthread_create(&threads[i], NULL, call_ftok_often, &wrong[i]) == 0, "pthread_create");
        unsigned wrong_keys = 0;
        for (size_t i = 0; i < FTOK_THREADS; i++) {
                pthread_join(threads[i], NULL);
                wrong_keys += wrong[i];
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
        make_sure(mount("f", "other", NULL, MS_BIND, NULL) == 0, "bind mount: %s", strerror(errno));
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

CASE("ftok.distinct.recreated", "A file that is removed and made again under its name has a key, the old or another",
     .level = POSIX_MAY, .clause = "POSIX XSH ftok DESCRIPTION",
     .note = "ext4 gives the inode again, and with it the key; tmpfs does not")
{
        key_t old_key = make_scratch_key("f");
        make_unlinked("f");
        make_file("f", 0644);
        struct outcome again = try_ftok("f", PROJECT);
        check_succeeds(again);
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

/* ---- errors ---- */

/* Paths that each fail in their own way, and "file", which does not. */
static void make_broken_paths(void)
{
        make_scratch_directory();
        make_file("file", 0644);
        make_symlink("file", "link");
        make_symlink("missing", "dangling");
        make_symlink("self", "self");
        make_symlink("there", "here");
        make_symlink("here", "there");
}

struct error_row {
        ROW_HEAD;
        int error;
        const char *paths[4];
};

static const struct error_row path_errors[] = {
        {ROW("ftok.enoent.missing", "A path whose last component does not exist fails with ENOENT",
             .level = POSIX_SHALL, .clause = "POSIX XSH ftok ERRORS ENOENT"),
         ENOENT,
         {"missing", "./missing"}},
        {ROW("ftok.enoent.prefix", "A path whose directory does not exist fails with ENOENT", .level = POSIX_SHALL,
             .clause = "POSIX XSH ftok ERRORS ENOENT"),
         ENOENT,
         {"missing/file", "/missing/by/shmcheck"}},
        {ROW("ftok.enoent.empty", "The empty path fails with ENOENT", .level = POSIX_SHALL,
             .clause = "POSIX XSH ftok ERRORS ENOENT"),
         ENOENT,
         {""}},
        {ROW("ftok.enoent.dangling", "A symbolic link to a missing file fails with ENOENT", .level = POSIX_SHALL,
             .clause = "POSIX XSH ftok ERRORS ENOENT"),
         ENOENT,
         {"dangling"}},
        {ROW("ftok.enotdir.prefix", "A path that goes on below a file fails with ENOTDIR", .level = POSIX_SHALL,
             .clause = "POSIX XSH ftok ERRORS ENOTDIR"),
         ENOTDIR,
         {"file/x", "file/../file", "file/x/y"}},
        {ROW("ftok.enotdir.slash", "A file's path, or that of a link to it, with a slash behind fails with ENOTDIR",
             .level = POSIX_SHALL, .clause = "POSIX XSH ftok ERRORS ENOTDIR"),
         ENOTDIR,
         {"file/", "link/"}},
        {ROW("ftok.eloop.circle", "A symbolic link to itself, and two to each other, fail with ELOOP",
             .level = POSIX_SHALL, .clause = "POSIX XSH ftok ERRORS ELOOP"),
         ELOOP,
         {"self", "here", "there"}},
};

TABLE(path_errors, struct error_row, row)
{
        make_broken_paths();
        make_ftok("file", PROJECT);
        for (size_t i = 0; row->paths[i]; i++)
                check_fails(try_ftok(row->paths[i], PROJECT), row->error);
}

CASE("ftok.enoent.unlinked", "A path whose file was removed since the last call fails with ENOENT",
     .level = POSIX_SHALL, .clause = "POSIX XSH ftok ERRORS ENOENT")
{
        make_scratch_key("f");
        make_unlinked("f");
        check_fails(try_ftok("f", PROJECT), ENOENT);
}

CASE("ftok.enoent.removed_cwd",
     "In a removed directory a relative name fails with ENOENT; on Linux . still has its key", .level = POSIX_SHALL,
     .clause = "POSIX XSH ftok ERRORS ENOENT")
{
        make_scratch_directory();
        make_directory("d");
        make_sure(chdir("d") == 0, "chdir: %s", strerror(errno));
        key_t key = make_ftok(".", PROJECT);
        if (rmdir("../d") == -1)
                skip_case("a working directory cannot be removed: %s", strerror(errno));
        check_fails(try_ftok("f", PROJECT), ENOENT);
        struct outcome dot = try_ftok(".", PROJECT);
        LINUX_ONLY
        {
                check_key((key_t)dot.value, key);
        }
}

static void make_closed_directory(mode_t mode)
{
        make_scratch_directory();
        make_directory("closed");
        make_file("closed/f", 0);
        make_sure(chmod("closed", mode) == 0, "chmod: %s", strerror(errno));
}

CASE("ftok.eacces.search",
     "A file below a directory that may not be searched fails with EACCES; the directory has a key",
     .level = POSIX_SHALL, .clause = "POSIX XSH ftok ERRORS EACCES", .needs = NEED_UNPRIVILEGED)
{
        make_closed_directory(0600);
        check_fails(try_ftok("closed/f", PROJECT), EACCES);
        check_succeeds(try_ftok("closed", PROJECT));
}

CASE("ftok.eacces.read_not_needed", "A file of mode 0 below a directory that may only be searched has a key",
     .level = POSIX_SHALL, .clause = "POSIX XSH ftok DESCRIPTION", .needs = NEED_UNPRIVILEGED)
{
        make_closed_directory(0111);
        check_succeeds(try_ftok("closed/f", PROJECT));
}

LINUX_CASE("ftok.eacces.privileged",
           "CAP_DAC_READ_SEARCH gives the key of a file below a directory that may not be searched", .level = LINUX,
           .clause = "capabilities(7) CAP_DAC_READ_SEARCH", .needs = NEED_CAP_DROP)
{
#ifdef __linux__
        const unsigned long long dac_read_search = 1ULL << 2;
        make_closed_directory(0600);
        IN_CHILD
        {
                make_only_capabilities(0);
                check_fails(try_ftok("closed/f", PROJECT), EACCES);
        }
        make_only_capabilities(dac_read_search);
        check_succeeds(try_ftok("closed/f", PROJECT));
#endif
}

/* "l1" leads to the file through one link, "l2" through two, ... */
static void make_link_chain(unsigned length)
{
        char target[16] = "f";
        for (unsigned i = 1; i <= length; i++) {
                char name[16];
                snprintf(name, sizeof(name), "l%u", i);
                make_symlink(target, name);
                memcpy(target, name, sizeof(name));
        }
}

#define SYMLINKS_MAX 40

/*
 * A walk that a mount or rename elsewhere disturbs is begun again by Linux
 * without forgetting the links it has counted: only an undisturbed one counts.
 */
static struct outcome try_ftok_undisturbed(const char *path)
{
        struct outcome o = try_ftok(path, PROJECT);
        for (unsigned tries = 0; o.failed && tries < 20; tries++)
                o = try_ftok(path, PROJECT);
        return o;
}

CASE("ftok.eloop.depth", "A chain of 40 symbolic links leads to the file's key, one of 41 fails with ELOOP",
     .level = POSIX_MAY, .clause = "POSIX XSH ftok ERRORS ELOOP",
     .note = "path_resolution(7): Linux follows 40; POSIX asks for SYMLOOP_MAX, at least 8")
{
        key_t key = make_scratch_key("f");
        make_link_chain(SYMLINKS_MAX + 1);
        check_names_file("l8", key);
        struct outcome end_of_40 = try_ftok_undisturbed("l40");
        LINUX_ONLY
        {
                check_key((key_t)end_of_40.value, key);
        }
        check_fails(try_ftok("l41", PROJECT), ON_LINUX(ELOOP));
}

/* A name of length bytes; prefix is what it begins with. */
static char *make_long_name(const char *prefix, size_t length)
{
        char *name = make_mapping(NULL, length + 1, PROT_READ | PROT_WRITE);
        memset(name, 'n', length);
        memcpy(name, prefix, strlen(prefix));
        name[length] = '\0';
        return name;
}

/* dietlibc has the limits as macros only. */
#if defined(_PC_NAME_MAX) && defined(_PC_PATH_MAX)
#define LONGEST_NAME pathconf(".", _PC_NAME_MAX)
#define LONGEST_PATH pathconf(".", _PC_PATH_MAX)
#else
#define LONGEST_NAME NAME_MAX
#define LONGEST_PATH PATH_MAX
#endif

static size_t make_name_max(void)
{
        long longest = LONGEST_NAME;
        make_sure(longest > 0, "pathconf(_PC_NAME_MAX): %s", strerror(errno));
        return (size_t)longest;
}

CASE("ftok.enametoolong.component", "A component of NAME_MAX bytes has a key, one byte more fails with ENAMETOOLONG",
     .level = POSIX_SHALL, .clause = "POSIX XSH ftok ERRORS ENAMETOOLONG")
{
        make_scratch_directory();
        size_t longest = make_name_max();
        char *fits = make_long_name("", longest);
        make_file(fits, 0644);
        check_succeeds(try_ftok(fits, PROJECT));
        check_fails(try_ftok(make_long_name("", longest + 1), PROJECT), ENAMETOOLONG);
}

/* "." behind "./" or "//" over and over: length bytes that all name one directory. */
static char *make_long_path(const char *step, size_t length)
{
        char *path = make_mapping(NULL, length + 1, PROT_READ | PROT_WRITE);
        for (size_t i = 0; i < length; i++)
                path[i] = step[i % 2];
        path[length] = '\0';
        return path;
}

CASE("ftok.enametoolong.path", "A path of PATH_MAX - 1 bytes has a key, one byte more fails with ENAMETOOLONG",
     .level = POSIX_MAY, .clause = "POSIX XSH ftok ERRORS ENAMETOOLONG", .note = "slashes alone count too")
{
        make_scratch_directory();
        long longest = LONGEST_PATH;
        make_sure(longest > 0, "pathconf(_PC_PATH_MAX): %s", strerror(errno));
        static const char *const steps[] = {"./", "//"};
        for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
                check_succeeds(try_ftok(make_long_path(steps[i], (size_t)longest - 1), PROJECT));
                check_fails(try_ftok(make_long_path(steps[i], (size_t)longest), PROJECT), ON_POSIX(ENAMETOOLONG, OK),
                            ON_LINUX(ENAMETOOLONG));
        }
}

LINUX_CASE("ftok.efault.bad_pointer",
           "A path at NULL, 8, a kernel address or in a page without access fails with EFAULT", .level = LINUX,
           .clause = "stat(2) ERRORS EFAULT", .note = "a C library that reads the path itself dies of SIGSEGV")
{
#ifdef __linux__
        const uintptr_t addresses[] = {0, 8, ~(uintptr_t)0 - PAGE + 1, (uintptr_t)make_mapping(NULL, PAGE, PROT_NONE)};
        for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
                const char *path = (const char *)addresses[i]; // NOLINT(performance-no-int-to-ptr): bad on purpose
                struct death d;
                DOOMED(&d)
                {
                        check_fails(try_ftok(path, PROJECT), EFAULT);
                }
                check_death("the caller lives", &d, OK);
        }
#endif
}

LINUX_CASE("ftok.efault.unterminated",
           "A path that runs into an unmapped page fails with EFAULT; one that ends before it does not", .level = LINUX,
           .clause = "stat(2) ERRORS EFAULT")
{
#ifdef __linux__
        make_scratch_directory();
        char *pages = make_mapping(NULL, 2 * PAGE, PROT_READ | PROT_WRITE);
        make_sure(munmap(pages + PAGE, PAGE) == 0, "munmap: %s", strerror(errno));
        char *path = pages + PAGE - sizeof("missing");
        struct death d;
        DOOMED(&d)
        {
                memcpy(path, "missing", sizeof("missing"));
                check_fails(try_ftok(path, PROJECT), ENOENT);
                path[sizeof("missing") - 1] = 'x';
                check_fails(try_ftok(path, PROJECT), EFAULT);
        }
        check_death("the caller lives", &d, OK);
#endif
}

CASE("ftok.order.prefix_or_length", "Of two faults in one path, the component that fails first gives the error",
     .level = POSIX_MAY, .clause = "POSIX XSH ftok ERRORS")
{
        make_broken_paths();
        size_t too_long = make_name_max() + 1;
        check_fails(try_ftok(make_long_name("file/", strlen("file/") + too_long), PROJECT), ON_LINUX(ENOTDIR));
        check_fails(try_ftok(make_long_name("missing/", strlen("missing/") + too_long), PROJECT), ON_LINUX(ENOENT));
        check_fails(try_ftok("self/x", PROJECT), ON_LINUX(ELOOP));
}

CASE("ftok.minus_one.is_a_key", "Two failed ftok calls whose results are used as keys unchecked meet in one segment",
     .level = LINUX_UNDOCUMENTED, .clause = "shmget(2) DESCRIPTION", .needs = NEED_IPC_NAMESPACE,
     .note = "-1 is an ordinary key: ftok's result is to be checked")
{
        make_scratch_directory();
        key_t one = (key_t)try_ftok("missing", PROJECT).value;
        key_t another = (key_t)try_ftok("missing/too", PROJECT).value;
        struct outcome made = try_shmget(one, SIZE, IPC_CREAT | 0600);
        check_succeeds(made);
        struct outcome met = try_shmget(another, SIZE, IPC_CREAT | 0600);
        check_succeeds(met);
        check_equal(id_of(met), id_of(made));
}

/* ---- any inode number, by a file system of our own ---- */

#ifdef __linux__

/*
 * The few words of the FUSE protocol that a stat() needs. C libraries' include
 * paths do not all have linux/fuse.h.
 */
enum { LOOKUP = 1, FORGET = 2, GETATTR = 3, INIT = 26, INTERRUPT = 36, BATCH_FORGET = 42 };
#define ROOT_NODE 1
#define PROTOCOL_MAJOR 7
#define PROTOCOL_MINOR 31
#define REQUEST_MAX (16 * 1024)
#define REQUEST_HEAD 40

struct request {
        uint32_t length, opcode;
        uint64_t unique, node;
        uint32_t uid, gid, pid, padding;
        char name[REQUEST_MAX - REQUEST_HEAD];
};

struct attributes {
        uint64_t inode, size, blocks, times[3];
        uint32_t nanoseconds[3], mode, links, uid, gid, device, block_size, flags;
};

struct reply {
        uint32_t length;
        int32_t error;
        uint64_t unique;
        union {
                struct {
                        uint32_t major, minor, read_ahead, flags;
                        uint16_t background, congestion;
                        uint32_t write_max, rest[9];
                } init;
                struct {
                        uint64_t node, generation, entry_valid, attributes_valid;
                        uint32_t nanoseconds[2];
                        struct attributes a;
                } entry;
                struct {
                        uint64_t valid;
                        uint32_t nanoseconds, padding;
                        struct attributes a;
                } attributes;
        } is;
};
#define REPLY_HEAD (offsetof(struct reply, is))

static struct attributes attributes_of(uint64_t node)
{
        struct attributes a = {.inode = node, .links = 1, .block_size = 512};
        a.mode = node == ROOT_NODE ? S_IFDIR | 0755 : S_IFREG | 0644;
        return a;
}

/* The reply's length; 0 for a request that wants none. */
static size_t answer(const struct request *request, struct reply *reply)
{
        memset(reply, 0, sizeof(*reply));
        reply->unique = request->unique;
        switch (request->opcode) {
        case FORGET:
        case BATCH_FORGET:
        case INTERRUPT:
                return 0;
        case INIT:
                reply->is.init.major = PROTOCOL_MAJOR;
                reply->is.init.minor = PROTOCOL_MINOR;
                reply->is.init.write_max = (uint32_t)PAGE;
                return REPLY_HEAD + sizeof(reply->is.init);
        case LOOKUP:
                reply->is.entry.node = strtoull(request->name, NULL, 10);
                if (reply->is.entry.node == 0) {
                        reply->error = -EIO;
                        return REPLY_HEAD;
                }
                reply->is.entry.a = attributes_of(reply->is.entry.node);
                return REPLY_HEAD + sizeof(reply->is.entry);
        case GETATTR:
                reply->is.attributes.a = attributes_of(request->node);
                return REPLY_HEAD + sizeof(reply->is.attributes);
        default:
                reply->error = -ENOSYS;
                return REPLY_HEAD;
        }
}

/* Until the file system is unmounted. */
static void serve_numbered_files(int fd)
{
        static struct request request;
        struct reply reply;
        for (;;) {
                ssize_t n = read(fd, &request, sizeof(request));
                if (n == -1 && (errno == EINTR || errno == ENOENT))
                        continue;
                if (n <= 0)
                        return;
                size_t length = answer(&request, &reply);
                reply.length = (uint32_t)length;
                if (length && write(fd, &reply, length) != (ssize_t)length && errno != ENOENT)
                        return;
        }
}

/*
 * Mounts, at "numbered", a file system in which the file called N has the inode
 * number N, and any other name is an input/output error; returns its device.
 */
static dev_t make_numbered_files(void)
{
        int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
        if (fd == -1)
                skip_case("/dev/fuse: %s", strerror(errno));
        char options[64];
        snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
        if (mount("shmcheck", "numbered", "fuse", MS_NOSUID | MS_NODEV, options) == -1)
                skip_case("mount of a fuse file system: %s", strerror(errno));
        struct child server;
        CHILD(&server, "file system")
        {
                serve_numbered_files(fd);
        }
        /* With the server's the last descriptor, its death fails a pending stat() instead of leaving it to wait. */
        close(fd);
        return make_file_stat("numbered").st_dev;
}

static void make_place_for_numbered_files(void)
{
        make_scratch_directory();
        make_directory("numbered");
        make_mount_namespace();
}

/* The same, with a device number whose low byte is the one wanted: new devices take the lowest free number. */
static void make_numbered_files_with_low_byte(unsigned low_byte)
{
        const unsigned patience = 4;
        make_place_for_numbered_files();
        make_mounts_alone();
        make_directory("filler");
        for (unsigned tries = 0; tries < patience; tries++) {
                make_tmpfs_with_low_byte("filler", (low_byte + UCHAR_MAX) & UCHAR_MAX);
                if ((make_numbered_files() & UCHAR_MAX) == low_byte)
                        return;
        }
        skip_case("other processes mount at the same time: no device number has the low byte %u", low_byte);
}

/* The path of the file with the inode number, good until the next call. */
static const char *numbered(uint64_t inode)
{
        static char path[48];
        snprintf(path, sizeof(path), "numbered/%" PRIu64, inode);
        return path;
}

#endif

LINUX_CASE("ftok.collision.inode",
           "Inode numbers that differ by 65536 give one key, those that differ in one of the low 16 bits another",
           .level = LINUX_UNDOCUMENTED, .clause = "ftok(3) NOTES")
{
#ifdef __linux__
        const uint64_t inode = 4711;
        make_place_for_numbered_files();
        make_numbered_files();
        key_t key = make_ftok(numbered(inode), PROJECT);
        check_names_file(numbered(inode + LOW_INODE_BITS + 1), key);
        for (uint64_t distance = 1; distance <= LOW_INODE_BITS; distance *= 2) {
                struct outcome other = try_ftok(numbered(inode ^ distance), PROJECT);
                check_succeeds(other);
                check_that((key_t)other.value != key,
                           "a file whose inode number differs in one low bit has another key");
        }
#endif
}

LINUX_CASE("ftok.file.large_inode", "A file whose inode number needs 64 bits has a key, in a 32-bit program too",
           .level = LINUX_UNDOCUMENTED, .clause = "ftok(3) RETURN VALUE",
           .differs = "older 32-bit C libraries: EOVERFLOW")
{
#ifdef __linux__
        const uint64_t inode = ((uint64_t)1 << 32) + 4711;
        make_place_for_numbered_files();
        make_numbered_files();
        key_t key_of_low_bits = make_ftok(numbered(inode & UINT32_MAX), PROJECT);
        check_names_file(numbered(inode), key_of_low_bits);
#endif
}

LINUX_CASE("ftok.eio", "An input/output error of the file system fails with EIO", .level = POSIX_SHALL,
           .clause = "POSIX XSH ftok ERRORS EIO")
{
#ifdef __linux__
        make_place_for_numbered_files();
        make_numbered_files();
        make_ftok(numbered(ROOT_NODE + 1), PROJECT);
        check_fails(try_ftok("numbered/broken", PROJECT), EIO);
#endif
}

LINUX_CASE("ftok.minus_one.success", "A file can have the key (key_t)-1: it is returned, and errno is left alone",
           .level = LINUX_UNDOCUMENTED, .clause = "ftok(3) NOTES")
{
#ifdef __linux__
        make_numbered_files_with_low_byte(UCHAR_MAX);
        errno = SENTINEL_ERRNO;
        key_t key = ftok(numbered(LOW_INODE_BITS), UCHAR_MAX);
        int errno_after = errno;
        try_other("errno = 77, then ftok(a file of inode 65535, 255)", key, false, 0);
        check_equal(key, -1);
        check_equal(errno_after, SENTINEL_ERRNO);
#endif
}

LINUX_CASE("ftok.zero.is_private",
           "With proj_id 0 a file can have the key 0, IPC_PRIVATE: two calls with it make two segments",
           .level = LINUX_UNDOCUMENTED, .clause = "ftok(3) NOTES")
{
#ifdef __linux__
        make_numbered_files_with_low_byte(0);
        struct outcome key = try_ftok(numbered(LOW_INODE_BITS + 1), 0);
        check_succeeds(key);
        check_key((key_t)key.value, IPC_PRIVATE);
        int one = id_of(try_shmget((key_t)key.value, SIZE, IPC_CREAT | 0600));
        int other = id_of(try_shmget((key_t)key.value, SIZE, IPC_CREAT | 0600));
        check_that(one != other, "the segments are two");
#endif
}
