#include "segment.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define INDEX_BITS 15

bool shmmutant_look(int shmid, struct shmid_ds *ds)
{
        int error = errno;
        bool found = shmid >= 0 && shmmutant_real.shmctl(shmid & ((1 << INDEX_BITS) - 1), SHM_STAT_ANY, ds) == shmid;
        errno = error;
        return found;
}

bool shmmutant_key_is_taken(key_t key)
{
        int error = errno;
        /* A segment that asks for nothing is granted to everybody. */
        bool taken = key != IPC_PRIVATE && shmmutant_real.shmget(key, 0, 0) != -1;
        errno = error;
        return taken;
}

void shmmutant_choose_next_id(int shmid)
{
        int error = errno;
        char number[16];
        int length = snprintf(number, sizeof(number), "%d", shmid);
        int fd = open("/proc/sys/kernel/shm_next_id", O_WRONLY | O_CLOEXEC);
        if (fd != -1) {
                if (write(fd, number, (size_t)length) == -1)
                        errno = 0;
                close(fd);
        }
        errno = error;
}

size_t shmmutant_page(void)
{
        static size_t size;
        if (size == 0)
                size = (size_t)sysconf(_SC_PAGESIZE);
        return size;
}

size_t shmmutant_in_pages(size_t size)
{
        return (size + shmmutant_page() - 1) & ~(shmmutant_page() - 1);
}

/* ---- attachments ---- */

/* A line of /proc/self/maps: start-end rw-s offset major:minor inode /SYSVkkkkkkkk (deleted) */
static bool read_attachment(const char *line, struct attachment *a)
{
        unsigned long start = 0;
        unsigned long end = 0;
        unsigned long offset = 0;
        unsigned long inode = 0;
        char rights[5] = "";
        if (!strstr(line, " /SYSV") ||
            sscanf(line, "%lx-%lx %4s %lx %*x:%*x %lu", &start, &end, rights, &offset, &inode) != 5)
                return false;
        a->address = (char *)start; // NOLINT(performance-no-int-to-ptr): the kernel prints addresses
        a->length = end - start;
        a->shmid = (int)inode;
        a->offset = offset;
        a->writable = rights[1] == 'w';
        return true;
}

/* Without stdio, whose buffers and locks a fork in another thread may leave in any state. */
struct line_reader {
        int fd;
        size_t length, taken;
        char bytes[4096];
};

static bool next_line(struct line_reader *r, char *line, size_t size)
{
        for (size_t n = 0;;) {
                if (r->taken == r->length) {
                        ssize_t got = read(r->fd, r->bytes, sizeof(r->bytes));
                        if (got <= 0)
                                return false;
                        r->length = (size_t)got;
                        r->taken = 0;
                }
                char c = r->bytes[r->taken++];
                if (c == '\n') {
                        line[n] = '\0';
                        return true;
                }
                if (n + 1 < size)
                        line[n++] = c;
        }
}

void shmmutant_each_attachment(bool (*visit)(const struct attachment *a, void *arg), void *arg)
{
        int error = errno;
        struct line_reader r = {.fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC)};
        char line[256];
        struct attachment a;
        bool wanted = r.fd != -1;
        while (wanted && next_line(&r, line, sizeof(line)))
                wanted = !read_attachment(line, &a) || visit(&a, arg);
        if (r.fd != -1)
                close(r.fd);
        errno = error;
}

struct search {
        const char *address;
        int shmid;
        unsigned count;
        bool found;
        struct attachment *result;
};

static bool visit_address(const struct attachment *a, void *arg)
{
        struct search *s = arg;
        s->found = s->address >= a->address && s->address < a->address + a->length;
        if (s->found)
                *s->result = *a;
        return !s->found;
}

bool shmmutant_attachment_at(const void *address, struct attachment *a)
{
        struct search s = {.address = address, .result = a};
        shmmutant_each_attachment(visit_address, &s);
        return s.found;
}

static bool visit_segment(const struct attachment *a, void *arg)
{
        struct search *s = arg;
        s->found = s->shmid == a->shmid;
        if (s->found)
                *s->result = *a;
        return !s->found;
}

bool shmmutant_attachment_of(int shmid, struct attachment *a)
{
        struct search s = {.shmid = shmid, .result = a};
        shmmutant_each_attachment(visit_segment, &s);
        return s.found;
}

static bool visit_count(const struct attachment *a, void *arg)
{
        (void)a;
        ((struct search *)arg)->count++;
        return true;
}

unsigned shmmutant_attachments(void)
{
        struct search s = {.count = 0};
        shmmutant_each_attachment(visit_count, &s);
        return s.count;
}

static bool visit_first(const struct attachment *a, void *arg)
{
        struct search *s = arg;
        *s->result = *a;
        s->found = true;
        return false;
}

void shmmutant_detach_all(void)
{
        int error = errno;
        struct attachment a;
        struct search s = {.found = true, .result = &a};
        while (s.found) {
                s.found = false;
                shmmutant_each_attachment(visit_first, &s);
                if (s.found)
                        munmap(a.address, a.length);
        }
        errno = error;
}

void shmmutant_map_over(void *start, size_t size, int protection)
{
        /* Nothing can be done about a failure: the mutant is then the platform itself. */
        (void)mmap(start, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

bool shmmutant_is_readable(const void *start, size_t size)
{
        int fds[2];
        int error = errno;
        bool readable = false;
        if (pipe2(fds, O_CLOEXEC) == 0) {
                readable = write(fds[1], start, size) == (ssize_t)size;
                close(fds[0]);
                close(fds[1]);
        }
        errno = error;
        return readable;
}

/* ---- notes ---- */

#define NOTES (1U << 16)
#define PROBES 32
#define NOTES_VARIABLE "SHMCHECK_MUTANT_NOTES"

struct note {
        _Atomic uint64_t segment; /* namespace and identifier; 0: free */
        _Atomic long number;
};

static struct shared_state {
        unsigned char bytes[SHARED_BYTES];
        struct note notes[NOTES];
} * state;

/* The descriptor outlives exec; its number is high, out of the way of cases that count descriptors. */
static int new_state(void)
{
        int made = memfd_create("shmmutant", 0);
        int fd = made == -1 ? -1 : fcntl(made, F_DUPFD, 900);
        char number[16];
        if (made != -1)
                close(made);
        if (fd == -1 || ftruncate(fd, sizeof(*state)) == -1)
                return -1;
        snprintf(number, sizeof(number), "%d", fd);
        setenv(NOTES_VARIABLE, number, 1);
        return fd;
}

void shmmutant_notes_open(void)
{
        const char *inherited = getenv(NOTES_VARIABLE);
        int fd = inherited ? atoi(inherited) : new_state();
        void *at = fd == -1 ? MAP_FAILED : mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        state = at == MAP_FAILED ? NULL : at;
}

static uint64_t name_of(int shmid)
{
        struct stat namespace;
        int error = errno;
        uint64_t name = stat("/proc/self/ns/ipc", &namespace) == 0 ? namespace.st_ino : 1;
        errno = error;
        return name << 32 | (uint32_t)shmid;
}

/* The segment's note; one for it, if there is none and it is asked for. An old one is given up when all are taken. */
static struct note *find_note(int shmid, bool wanted)
{
        if (!state)
                return NULL;
        uint64_t name = name_of(shmid);
        size_t home = (size_t)((name ^ name >> 32) * 0x9e3779b97f4a7c15U >> 48);
        for (size_t i = 0; i < PROBES; i++) {
                struct note *n = &state->notes[(home + i) % NOTES];
                uint64_t free_note = 0;
                if (atomic_load(&n->segment) == name ||
                    (wanted && atomic_compare_exchange_strong(&n->segment, &free_note, name)))
                        return n;
        }
        struct note *n = &state->notes[home];
        if (wanted)
                atomic_store(&n->segment, name);
        return wanted ? n : NULL;
}

void shmmutant_note(int shmid, long number)
{
        struct note *n = find_note(shmid, true);
        if (n)
                atomic_store(&n->number, number);
}

bool shmmutant_noted(int shmid, long *number)
{
        const struct note *n = find_note(shmid, false);
        if (n)
                *number = atomic_load(&n->number);
        return n != NULL;
}

unsigned char *shmmutant_shared(void)
{
        static unsigned char nowhere[SHARED_BYTES];
        return state ? state->bytes : nowhere;
}
