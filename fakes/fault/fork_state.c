#include "fork_state.h"

#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <unistd.h>

#include "joined.h"

#define INHERITED 4096

static uint64_t inherited[INHERITED]; /* inode by descriptor; 0: it was not open */

/* Calls visit for each open descriptor but that of the listing; false as soon as it does. */
static bool each_descriptor(bool (*visit)(int fd, const struct stat *st, void *arg), void *arg)
{
        DIR *list = opendir("/proc/self/fd");
        bool good = list;
        for (struct dirent *e = NULL; good && (e = readdir(list)) != NULL;) {
                struct stat st;
                int fd = (int)strtol(e->d_name, NULL, 10);
                if (e->d_name[0] == '.' || fd == dirfd(list) || fstat(fd, &st) == -1)
                        continue;
                good = visit(fd, &st, arg);
        }
        if (list)
                closedir(list);
        return good;
}

static bool note_inherited(int fd, const struct stat *st, void *arg)
{
        (void)arg;
        if (fd < INHERITED)
                inherited[fd] = st->st_ino;
        return true;
}

void fork_state_begin(void)
{
        each_descriptor(note_inherited, NULL);
}

/* ---- descriptors ---- */

struct reading {
        struct fork_state *state;
        int server;
        char *why_not;
        size_t size;
};

/* Says why there are no forks; returns false, always. */
static bool refuse(struct reading *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool refuse(struct reading *r, const char *format, ...)
{
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(r->why_not, r->size, format, arguments);
        va_end(arguments);
        return false;
}

static bool is_stateless_device(const struct stat *st)
{
        /* null, zero, full, random, urandom */
        static const unsigned numbers[] = {3, 5, 7, 8, 9};
        for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
                if (S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, numbers[i]))
                        return true;
        }
        return false;
}

static bool is_session(int fd)
{
        const struct session *s = joined_session();
        char head[sizeof(s->magic)];
        return s && pread(fd, head, sizeof(head), 0) == (ssize_t)sizeof(head) &&
               memcmp(head, s->magic, sizeof(head)) == 0;
}

static bool add_file(struct reading *r, int fd, int stream)
{
        struct fork_state *state = r->state;
        int flags = fcntl(fd, F_GETFL);
        if (state->file_count == FORK_FILES)
                return refuse(r, "it has more than %d files open", FORK_FILES);
        state->files[state->file_count++] = (struct fork_file){.fd = fd,
                                                               .stream = stream,
                                                               .flags = flags & ~(O_CREAT | O_EXCL | O_TRUNC),
                                                               .closes = fcntl(fd, F_GETFD) & FD_CLOEXEC,
                                                               .offset = lseek(fd, 0, SEEK_CUR)};
        return true;
}

static int open_anew(int fd, int flags)
{
        char path[64];
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        return open(path, flags | O_CLOEXEC);
}

/* A file that can be opened again, and is the same for each who opens it. */
static bool add_reopened(struct reading *r, int fd, const struct stat *st)
{
        if (st->st_nlink == 0 && st->st_size > 0)
                return refuse(r, "descriptor %d is a file without a name", fd);
        int again = open_anew(fd, fcntl(fd, F_GETFL) & ~(O_CREAT | O_EXCL | O_TRUNC));
        if (again == -1)
                return refuse(r, "descriptor %d cannot be opened again", fd);
        close(again);
        return add_file(r, fd, -1);
}

/* Calls visit for each line of the file; false as soon as it does. */
static bool each_line(const char *path, bool (*visit)(struct reading *r, const char *line), struct reading *r)
{
        FILE *f = fopen(path, "re");
        char line[1024];
        bool good = true;
        while (f && good && fgets(line, sizeof(line), f))
                good = visit(r, line);
        if (f)
                fclose(f);
        return good;
}

/* A line of fdinfo as proc(5) has it, which costs less than /proc/locks: that one stops all processors. */
static bool read_lock(struct reading *r, const char *line)
{
        int pid = 0;
        if (sscanf(line, "lock: %*s %*s %*s %*s %d", &pid) != 1 || pid != getpid())
                return true;
        return refuse(r, "it has locked a file, which forks have not");
}

static bool is_unlocked(struct reading *r, int fd)
{
        char path[64];
        snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
        return each_line(path, read_lock, r);
}

static bool read_descriptor(int fd, const struct stat *st, void *arg)
{
        struct reading *r = arg;
        if (fd == r->server || is_stateless_device(st))
                return true;
        for (int i = 0; i < 2; i++) {
                if (S_ISFIFO(st->st_mode) && st->st_ino == r->state->streams[i])
                        return add_file(r, fd, i);
        }
        bool is_file = S_ISREG(st->st_mode) || S_ISDIR(st->st_mode);
        if (is_file && is_session(fd))
                return true;
        if (is_file && !is_unlocked(r, fd))
                return false;
        /* Standard input is opened for each run, also for those that are no forks. */
        if (fd != STDIN_FILENO && fd < INHERITED && inherited[fd] == st->st_ino)
                return true;
        if (is_file)
                return add_reopened(r, fd, st);
        return refuse(r, "descriptor %d is a pipe, a socket or the like, which forks would share", fd);
}

/* ---- memory, threads, children, timers ---- */

/*
 * Calls visit for each page that somebody has written to: the others are all
 * zero, and would be made by being read. Returns false as soon as it does, or
 * with errno.
 */
static bool each_page(char *from, size_t size, bool (*visit)(char *page, size_t size, void *arg), void *arg)
{
        static unsigned char present[4096];
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        size_t batch = page * sizeof(present);
        bool good = true;
        for (size_t at = 0; good && at < size; at += batch) {
                size_t length = size - at < batch ? size - at : batch;
                /* A single one is known to be there. */
                present[0] = 1;
                good = size == page || mincore(from + at, length, present) == 0;
                for (size_t i = 0; good && i * page < length; i++)
                        good = !(present[i] & 1) || visit(from + at + i * page, page, arg);
        }
        return good;
}

static bool note_page(char *page, size_t size, void *arg)
{
        struct fork_area *area = arg;
        area->used = (size_t)(page - area->from) + size;
        return true;
}

static bool add_area(struct reading *r, unsigned long from, unsigned long to)
{
        struct fork_state *state = r->state;
        if (state->area_count == FORK_AREAS)
                return refuse(r, "it has more than %d pieces of shared memory", FORK_AREAS);
        /* The kernel's listing of addresses is where they come from. */
        struct fork_area area = {.from = (char *)from, .size = to - from}; /* NOLINT(performance-*) */
        if (!each_page(area.from, area.size, note_page, &area))
                return refuse(r, "what is in its shared memory cannot be told");
        state->areas[state->area_count++] = area;
        return true;
}

static bool read_mapping(struct reading *r, const char *line)
{
        unsigned long from = 0;
        unsigned long to = 0;
        char mode[8] = "";
        if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) != 3 || strcmp(mode, "rw-s") != 0)
                return true;
        if (strstr(line, "/dev/zero (deleted)"))
                return add_area(r, from, to);
        if (!strstr(line, "(deleted)") || strstr(line, "memfd:shmcheck-session"))
                return true;
        return refuse(r, "it has memory that forks would share");
}

static bool read_status(struct reading *r, const char *line)
{
        long value = 0;
        if (sscanf(line, "Threads: %ld", &value) == 1 && value != 1)
                return refuse(r, "it has %d threads at its first call", (int)value);
        if (sscanf(line, "VmLck: %ld", &value) == 1 && value != 0)
                return refuse(r, "it has locked memory, which forks have not");
        return true;
}

static bool read_children(struct reading *r, const char *line)
{
        return *line == '\0' || *line == '\n' || refuse(r, "it has started other processes");
}

static bool read_timers(struct reading *r, const char *line)
{
        (void)line;
        return refuse(r, "it has a timer running, which forks have not");
}

static bool has_interval_timer(void)
{
        static const __itimer_which_t timers[] = {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF};
        for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++) {
                struct itimerval value;
                if (getitimer(timers[i], &value) == 0 && (value.it_value.tv_sec || value.it_value.tv_usec))
                        return true;
        }
        return false;
}

void fork_state_read(struct fork_state *state, int server, char *why_not, size_t size)
{
        struct reading r = {state, server, why_not, size};
        char children[64];
        *why_not = '\0';
        state->file_count = state->area_count = 0;
        snprintf(children, sizeof(children), "/proc/self/task/%d/children", getpid());
        if (has_interval_timer() && !read_timers(&r, ""))
                return;
        (void)(each_line("/proc/self/status", read_status, &r) && each_line(children, read_children, &r) &&
               each_line("/proc/self/timers", read_timers, &r) && each_line("/proc/self/maps", read_mapping, &r) &&
               each_descriptor(read_descriptor, &r));
}

/* ---- in a fork ---- */

struct copying {
        char *to;
        const struct fork_area *area;
};

static bool copy_page(char *page, size_t size, void *arg)
{
        const struct copying *c = arg;
        memcpy(c->to + (page - c->area->from), page, size);
        return true;
}

static bool own_area(const struct fork_area *area)
{
        char *copy = mmap(NULL, area->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        struct copying copying = {copy, area};
        if (copy == MAP_FAILED || !each_page(area->from, area->used, copy_page, &copying))
                return false;
        return mremap(copy, area->size, area->size, MREMAP_MAYMOVE | MREMAP_FIXED, area->from) == area->from;
}

static bool own_file(const struct fork_file *file, const int *streams)
{
        int fd = file->stream == -1 ? open_anew(file->fd, file->flags) : streams[file->stream];
        if (fd == -1)
                return false;
        if (file->stream == -1 && file->offset != -1)
                lseek(fd, file->offset, SEEK_SET);
        bool owned = dup3(fd, file->fd, file->closes ? O_CLOEXEC : 0) == file->fd;
        if (file->stream == -1)
                close(fd);
        return owned;
}

bool fork_state_own(const struct fork_state *state, int output, int error)
{
        const int streams[2] = {output, error};
        for (size_t i = 0; i < state->file_count; i++) {
                if (!own_file(&state->files[i], streams))
                        return false;
        }
        for (size_t i = 0; i < state->area_count; i++) {
                if (!own_area(&state->areas[i]))
                        return false;
        }
        return true;
}
