#include "registry.h"

#include <stdio.h>

static const struct shmc_case **cases;
static size_t count;
static size_t room;

void shmc_register(const struct shmc_case *c)
{
        if (count == room) {
                room = room ? 2 * room : 256;
                cases = realloc(cases, room * sizeof(cases[0]));
                if (!cases)
                        abort();
        }
        cases[count++] = c;
}

static int by_file_and_line(const void *a, const void *b)
{
        const struct shmc_case *x = *(const struct shmc_case *const *)a;
        const struct shmc_case *y = *(const struct shmc_case *const *)b;
        int files = strcmp(x->file, y->file);
        if (files)
                return files;
        if (x->line != y->line)
                return x->line < y->line ? -1 : 1;
        return strcmp(x->id, y->id);
}

static int by_id(const void *a, const void *b)
{
        return strcmp((*(const struct shmc_case *const *)a)->id, (*(const struct shmc_case *const *)b)->id);
}

#if defined(__dietlibc__)
/* dietlibc's start-up code runs no constructors. */
extern void (*__init_array_start[])(void);
extern void (*__init_array_end[])(void);

void shmc_registry_fill(void)
{
        for (void (**constructor)(void) = __init_array_start; constructor < __init_array_end; constructor++)
                (*constructor)();
}
#else
void shmc_registry_fill(void)
{
}
#endif

void shmc_registry_sort(void)
{
        qsort(cases, count, sizeof(cases[0]), by_id);
        for (size_t i = 1; i < count; i++) {
                if (strcmp(cases[i - 1]->id, cases[i]->id) == 0) {
                        fprintf(stderr, "shmcheck-agent: two cases are called %s: %s:%d and %s:%d\n", cases[i]->id,
                                cases[i - 1]->file, cases[i - 1]->line, cases[i]->file, cases[i]->line);
                        exit(3);
                }
        }
        qsort(cases, count, sizeof(cases[0]), by_file_and_line);
}

size_t shmc_registry_count(void)
{
        return count;
}

const struct shmc_case *shmc_registry_at(size_t i)
{
        return cases[i];
}

void shmc_topic(const struct shmc_case *c, char *topic, size_t size)
{
        const char *slash = strrchr(c->file, '/');
        snprintf(topic, size, "%s", slash ? slash + 1 : c->file);
        char *dot = strrchr(topic, '.');
        if (dot)
                *dot = '\0';
}

const char *shmc_level_name(enum shmc_level level)
{
        static const char *const names[] = {"posix-shall", "posix-may", "posix-impl-defined", "linux",
                                            "linux-undocumented"};
        return names[level];
}

const char *shmc_need_name(unsigned bit)
{
        static const char *const names[SHMC_NEEDS] = {
                "root",          "two-uids",      "unprivileged", "ipc-namespace",     "user-namespace",
                "proc",          "sysctl",        "clock-tick",   "threads",           "rlimit",
                "raw-syscall",   "cap-drop",      "overcommit-0", "no-hugepages",      "64-bit",
                "pid-namespace", "next-id",       "hugepages",    "overcommit-1-or-2", "files-used-up",
                "map-count",     "memory-cgroup", "other-width",
        };
        return names[bit];
}
