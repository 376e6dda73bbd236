/* /proc/sysvipc/shm: a list that is altered between the kernel and the reader. */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "segment.h"

#define real_open shmmutant_real.open
#define LIST "/proc/sysvipc/shm"
#define LIST_SIZE (256 * 1024)
#define LINES 1024

static bool is_list(const char *path, int flags)
{
        return strcmp(path, LIST) == 0 && (flags & O_ACCMODE) == O_RDONLY;
}

struct list {
        char text[LIST_SIZE];
        char *lines[LINES]; /* without their newlines; the first is the header */
        size_t count;
};

static bool read_list(struct list *l)
{
        size_t length = 0;
        int fd = real_open(LIST, O_RDONLY | O_CLOEXEC);
        for (ssize_t n = 0; fd != -1 && length + 1 < sizeof(l->text); length += (size_t)n) {
                n = read(fd, l->text + length, sizeof(l->text) - 1 - length);
                if (n <= 0)
                        break;
        }
        if (fd != -1)
                close(fd);
        l->text[length] = '\0';
        char *rest = NULL;
        for (char *line = strtok_r(l->text, "\n", &rest); line && l->count < LINES; line = strtok_r(NULL, "\n", &rest))
                l->lines[l->count++] = line;
        return fd != -1;
}

/* A file of the lines, at its start. */
static int file_of(const struct list *l)
{
        int fd = memfd_create("list", MFD_CLOEXEC);
        for (size_t i = 0; fd != -1 && i < l->count; i++)
                dprintf(fd, "%s\n", l->lines[i]);
        if (fd != -1)
                lseek(fd, 0, SEEK_SET);
        return fd;
}

static int open_altered(const char *path, int flags, void (*alter)(struct list *l))
{
        struct list *l = is_list(path, flags) ? calloc(1, sizeof(*l)) : NULL;
        if (!l)
                return real_open(path, flags);
        bool known = read_list(l);
        if (known)
                alter(l);
        int fd = known ? file_of(l) : -1;
        free(l);
        return fd;
}

/* ---- lines ---- */

static void drop_header(struct list *l)
{
        memmove(l->lines, l->lines + 1, --l->count * sizeof(l->lines[0]));
}

static int list_without_header(const char *path, int flags)
{
        return open_altered(path, flags, drop_header);
}

static void turn_round(struct list *l)
{
        for (size_t i = 1, j = l->count - 1; i < j; i++, j--) {
                char *line = l->lines[i];
                l->lines[i] = l->lines[j];
                l->lines[j] = line;
        }
}

static int list_backwards(const char *path, int flags)
{
        return open_altered(path, flags, turn_round);
}

static void drop_unreadable(struct list *l)
{
        size_t kept = 1;
        for (size_t i = 1; i < l->count; i++) {
                struct shmid_ds ds;
                int shmid = -1;
                bool denied = sscanf(l->lines[i], "%*d %d", &shmid) == 1 &&
                              shmmutant_real.shmctl(shmid, IPC_STAT, &ds) == -1 && errno == EACCES;
                if (!denied)
                        l->lines[kept++] = l->lines[i];
        }
        l->count = kept;
}

static int list_of_readable_only(const char *path, int flags)
{
        return open_altered(path, flags, drop_unreadable);
}

/* ---- columns ---- */

static void show_creators(struct list *l)
{
        for (size_t i = 1; i < l->count; i++) {
                int owner = 0;
                int creator = 0;
                int end = 0;
                sscanf(l->lines[i], "%*d %*d %*o %*u %*u %*u %*u%n %*u %*u%n %*u %*u%n", &owner, &creator, &end);
                if (creator - owner == end - creator)
                        memcpy(l->lines[i] + owner, l->lines[i] + creator, (size_t)(end - creator));
        }
}

static int list_shows_creator_as_owner(const char *path, int flags)
{
        return open_altered(path, flags, show_creators);
}

/* ---- the file ---- */

#define INDEXES 64

static int list_touches(const char *path, int flags)
{
        for (int i = 0; is_list(path, flags) && i < INDEXES; i++) {
                struct shmid_ds ds;
                int shmid = shmmutant_real.shmctl(i, SHM_STAT_ANY, &ds);
                void *at = shmid == -1 ? FAILED_ATTACH : shmmutant_real.shmat(shmid, NULL, SHM_RDONLY);
                if (at != FAILED_ATTACH)
                        shmmutant_real.shmdt(at);
        }
        return real_open(path, flags);
}

static int list_takes_writes(const char *path, int flags)
{
        bool to_write = strcmp(path, LIST) == 0 && (flags & O_ACCMODE) != O_RDONLY;
        return real_open(to_write ? "/dev/null" : path, flags);
}

static int left_behind = -1;

static int keep_list(int flags)
{
        if ((flags & CLONE_NEWIPC) && left_behind == -1)
                left_behind = real_open(LIST, O_RDONLY | O_CLOEXEC);
        return shmmutant_real.unshare(flags);
}

static int list_of_first_namespace(const char *path, int flags)
{
        if (!is_list(path, flags) || left_behind == -1)
                return real_open(path, flags);
        lseek(left_behind, 0, SEEK_SET);
        return dup(left_behind);
}

const struct mutant shmmutant_proc_list[] = {
        {.name = "list_without_header",
         .wrong = "/proc/sysvipc/shm has no line that names the columns.",
         .meant_for = "proc.header",
         .open = list_without_header},
        {.name = "list_backwards",
         .wrong = "/proc/sysvipc/shm shows the segments backwards.",
         .meant_for = "proc.lines",
         .open = list_backwards},
        {.name = "list_of_readable_only",
         .wrong = "/proc/sysvipc/shm shows only what the reader may read.",
         .meant_for = "proc.no_permission shmctl.proc.strangers_see",
         .open = list_of_readable_only},
        {.name = "list_shows_creator_as_owner",
         .wrong = "/proc/sysvipc/shm shows the creator's ids in the owner's columns.",
         .meant_for = "proc.columns proc.ids_of_reader",
         .open = list_shows_creator_as_owner},
        {.name = "list_touches",
         .wrong = "Reading /proc/sysvipc/shm counts as an access to the segments.",
         .meant_for = "proc.no_effect",
         .open = list_touches},
        {.name = "list_takes_writes",
         .wrong = "/proc/sysvipc/shm can be written.",
         .meant_for = "proc.read_only",
         .open = list_takes_writes},
        {.name = "list_of_first_namespace",
         .wrong = "/proc/sysvipc/shm shows the IPC namespace that the process began in.",
         .meant_for = "proc.per_namespace",
         .open = list_of_first_namespace,
         .unshare = keep_list},
        {.name = NULL},
};
