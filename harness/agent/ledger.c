#include "ledger.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

#include "context.h"
#include "text.h"

#define MAGIC "shmcheck-ledger 1\n"

static int ledger_fd = -1;
static char ledger_path[PATH_MAX];

/*
 * The number by which a reader in the host's PID namespace knows this process:
 * it is what IPC_STAT will show there as the creator.
 */
static long host_pid(void)
{
#ifdef __linux__
        char number[32];
        ssize_t n = readlink("/proc/self", number, sizeof(number) - 1);
        if (n > 0) {
                number[n] = '\0';
                return strtol(number, NULL, 10);
        }
#endif
        return (long)getpid();
}

const char *shmc_ledger_directory(void)
{
        static char path[PATH_MAX];
        const char *given = getenv("SHMCHECK_LEDGER_DIR");
        if (given && *given)
                return given;
        const char *parent = getenv("TMPDIR");
        if (!parent || *parent != '/')
                parent = "/tmp";
        snprintf(path, sizeof(path), "%s/shmcheck-ledger-%lu", parent, (unsigned long)geteuid());
        return path;
}

/* Another user must not be able to make us remove segments by writing our ledger. */
static bool directory_is_ours(const char *directory, char *why, size_t size)
{
        struct stat st;
        if (lstat(directory, &st) == -1) {
                snprintf(why, size, "%s: %s", directory, strerror(errno));
                return false;
        }
        if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 022)) {
                snprintf(why, size, "%s is not a directory that only this user can write", directory);
                return false;
        }
        return true;
}

static bool lock_file(int fd)
{
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        return fcntl(fd, F_SETLK, &lock) == 0;
}

bool shmc_ledger_open(const char *directory, char *why, size_t size)
{
        if (!directory)
                directory = shmc_ledger_directory();
        if (mkdir(directory, 0700) == -1 && errno != EEXIST) {
                snprintf(why, size, "%s: %s", directory, strerror(errno));
                return false;
        }
        if (!directory_is_ours(directory, why, size))
                return false;
        int n = snprintf(ledger_path, sizeof(ledger_path), "%s/run-%ld", directory, host_pid());
        if (n < 0 || (size_t)n >= sizeof(ledger_path)) {
                snprintf(why, size, "%s: the path is too long", directory);
                return false;
        }
        ledger_fd = open(ledger_path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (ledger_fd == -1 || !lock_file(ledger_fd) ||
            write(ledger_fd, MAGIC, sizeof(MAGIC) - 1) != (ssize_t)sizeof(MAGIC) - 1) {
                snprintf(why, size, "%s: %s", ledger_path, strerror(errno));
                if (ledger_fd != -1)
                        close(ledger_fd);
                ledger_fd = -1;
                return false;
        }
        return true;
}

static void write_line(const char *line, size_t length)
{
        /* A run whose ledger cannot be written must not go on making segments. */
        if (write(ledger_fd, line, length) != (ssize_t)length || fsync(ledger_fd) == -1)
                abort();
}

static void note(const char *word, int shmid, key_t key)
{
        /* Elsewhere a segment ends with its namespace, and the ledger is there for directories only. */
        if (ledger_fd == -1 || shmc_context.isolation != SHMC_ISOLATION_HOST)
                return;
        char line[160];
        struct shmc_text t = SHMC_TEXT(line);
        shmc_add(&t, "%s id=%d key=0x%08x pid=%ld uid=%lu time=%" PRIdMAX "\n", word, shmid, (unsigned)key, host_pid(),
                 (unsigned long)geteuid(), (intmax_t)time(NULL));
        write_line(line, t.length);
}

void shmc_ledger_intend(key_t key)
{
        note("intend", -1, key);
}

void shmc_ledger_made(int shmid, key_t key)
{
        note("made", shmid, key);
}

void shmc_ledger_removed(int shmid)
{
        note("removed", shmid, 0);
}

void shmc_ledger_scratch(const char *path)
{
        if (ledger_fd == -1)
                return;
        char line[PATH_MAX + 16];
        struct shmc_text t = SHMC_TEXT(line);
        shmc_add(&t, "scratch %s\n", path);
        write_line(line, t.length);
}

int shmc_remove_tree(const char *path)
{
        if (unlink(path) == 0 || errno == ENOENT)
                return 0;
        /* Cases make directories that nobody may search. */
        chmod(path, 0700);
        DIR *d = opendir(path);
        if (!d)
                return -1;
        int result = 0;
        for (struct dirent *e; (e = readdir(d)) != NULL;) {
                if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
                        continue;
                char inside[PATH_MAX];
                int n = snprintf(inside, sizeof(inside), "%s/%s", path, e->d_name);
                if (n < 0 || (size_t)n >= sizeof(inside) || shmc_remove_tree(inside) == -1)
                        result = -1;
        }
        closedir(d);
        return rmdir(path) == -1 ? -1 : result;
}

/* An entry as it stands in a ledger. */
struct entry {
        char word[16];
        int shmid;
        unsigned key;
        long pid;
        unsigned long uid;
        intmax_t time;
};

static bool is_ours(const struct entry *e, int shmid)
{
        union {
                struct shmid_ds ds;
                unsigned char room[512];
        } u;
        if (shmctl(shmid, IPC_STAT, &u.ds) == -1)
                return false;
        bool same_key = (unsigned)u.ds.shm_perm.SHMC_PERM_KEY == e->key || u.ds.shm_perm.SHMC_PERM_KEY == 0;
        return same_key && (long)u.ds.shm_cpid == e->pid && (unsigned long)u.ds.shm_perm.cuid == e->uid &&
               (intmax_t)u.ds.shm_ctime >= e->time;
}

static int remove_segment(const struct entry *e, int shmid, FILE *report)
{
        if (!is_ours(e, shmid))
                return 0;
        if (shmctl(shmid, IPC_RMID, NULL) == -1) {
                fprintf(stderr, "shmcheck: clean: segment %d (key 0x%08x) is ours and cannot be removed: %s\n", shmid,
                        e->key, strerror(errno));
                return -1;
        }
        if (report)
                fprintf(report, "removed segment %d (key 0x%08x)\n", shmid, e->key);
        return 1;
}

/* A segment that was about to be made when the run was killed: by its key, or by looking at all. */
static int remove_intended(const struct entry *e, FILE *report)
{
        if (e->key != (unsigned)IPC_PRIVATE) {
                int id = shmget((key_t)e->key, 0, 0);
                return id == -1 ? 0 : remove_segment(e, id, report);
        }
        int removed = 0;
#ifdef __linux__
        union {
                struct shmid_ds ds;
                unsigned char room[512];
        } u;
        int last = shmctl(0, SHM_INFO, &u.ds);
        for (int index = 0; index <= last; index++) {
                int id = shmctl(index, SHM_STAT, &u.ds);
                int r = id == -1 ? 0 : remove_segment(e, id, report);
                if (r < 0)
                        return r;
                removed += r;
        }
#endif
        return removed;
}

static int clean_entry(const char *line, FILE *report)
{
        if (strncmp(line, "scratch ", 8) == 0) {
                const char *path = line + 8;
                if (access(path, F_OK) == -1)
                        return 0;
                if (shmc_remove_tree(path) == -1) {
                        fprintf(stderr, "shmcheck: clean: %s: %s\n", path, strerror(errno));
                        return -1;
                }
                if (report)
                        fprintf(report, "removed directory %s\n", path);
                return 1;
        }
        struct entry e;
        if (sscanf(line, "%15s id=%d key=%x pid=%ld uid=%lu time=%" SCNdMAX, e.word, &e.shmid, &e.key, &e.pid, &e.uid,
                   &e.time) != 6)
                return 0;
        if (strcmp(e.word, "made") == 0)
                return remove_segment(&e, e.shmid, report);
        if (strcmp(e.word, "intend") == 0)
                return remove_intended(&e, report);
        return 0;
}

static int clean_ledger(const char *path, FILE *report)
{
        int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
        if (fd == -1)
                return 0;
        if (!lock_file(fd)) {
                if (report)
                        fprintf(report, "left alone: the run of %s is still going on\n", path);
                close(fd);
                return 0;
        }
        FILE *f = fdopen(fd, "r");
        if (!f) {
                close(fd);
                return -1;
        }
        int removed = 0;
        bool all = true;
        char line[PATH_MAX + 32];
        if (fgets(line, sizeof(line), f) && strcmp(line, MAGIC) == 0) {
                while (fgets(line, sizeof(line), f)) {
                        size_t length = strlen(line);
                        if (length == 0 || line[length - 1] != '\n')
                                break; /* cut while it was written: what it was to name was not made */
                        line[length - 1] = '\0';
                        int r = clean_entry(line, report);
                        if (r < 0)
                                all = false;
                        else
                                removed += r;
                }
                if (all)
                        unlink(path);
        }
        fclose(f);
        return all ? removed : -1;
}

int shmc_ledger_clean(const char *directory)
{
        if (!directory)
                directory = shmc_ledger_directory();
        DIR *d = opendir(directory);
        if (!d)
                return 0;
        char why[PATH_MAX + 128];
        if (!directory_is_ours(directory, why, sizeof(why))) {
                fprintf(stderr, "shmcheck: clean: %s\n", why);
                closedir(d);
                return -1;
        }
        int removed = 0;
        bool all = true;
        for (struct dirent *e; (e = readdir(d)) != NULL;) {
                if (strncmp(e->d_name, "run-", 4) != 0)
                        continue;
                char path[PATH_MAX];
                int n = snprintf(path, sizeof(path), "%s/%s", directory, e->d_name);
                int r = n < 0 || (size_t)n >= sizeof(path) ? -1 : clean_ledger(path, stdout);
                if (r < 0)
                        all = false;
                else
                        removed += r;
        }
        closedir(d);
        rmdir(directory);
        return all ? removed : -1;
}

void shmc_ledger_close(void)
{
        if (ledger_fd == -1)
                return;
        close(ledger_fd);
        ledger_fd = -1;
        clean_ledger(ledger_path, NULL);
        char *slash = strrchr(ledger_path, '/');
        if (slash) {
                *slash = '\0';
                rmdir(ledger_path);
        }
}
