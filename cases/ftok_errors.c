/*
 * ftok: POSIX XSH ftok ERRORS, those of stat(2) that Linux adds, and what a
 * failing call leaves alone.
 */
#include "keyed_files.h"

#include <stdio.h>

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
             .level = POSIX_SHALL, .clause = "POSIX XSH ftok ERRORS ENOENT; POSIX XSH ftok RETURN VALUE"),
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
