/*
 * How a case, a table of cases and a program are declared and find their way
 * into the registry. Cases include it by case.h.
 */
#ifndef SHMC_CASE_DECLARATION_H
#define SHMC_CASE_DECLARATION_H

#include "platform.h"

enum shmc_level { POSIX_SHALL, POSIX_MAY, POSIX_IMPL_DEFINED, LINUX, LINUX_UNDOCUMENTED };

/* What a platform has to offer for a case to mean anything; probed one by one. */
enum shmc_need {
        NEED_ROOT = 1 << 0,           /* effective uid 0 of the initial user namespace */
        NEED_TWO_UIDS = 1 << 1,       /* the caller can become any uid, gid and set of groups */
        NEED_UNPRIVILEGED = 1 << 2,   /* the body runs without capabilities, and not as uid 0 if it can */
        NEED_IPC_NAMESPACE = 1 << 3,  /* the case has an IPC namespace of its own, and may make another */
        NEED_USER_NAMESPACE = 1 << 4, /* CLONE_NEWUSER */
        NEED_PROC = 1 << 5,           /* /proc with /proc/self/maps and sysvipc */
        NEED_SYSCTL = 1 << 6,         /* the namespace's own /proc/sys/kernel/shm* can be written */
        NEED_CLOCK_TICK = 1 << 7,     /* the clock of time() advances */
        NEED_THREADS = 1 << 8,        /* POSIX threads */
        NEED_RLIMIT = 1 << 9,         /* RLIMIT_AS binds */
        NEED_RAW_SYSCALL = 1 << 10,   /* the four calls have system call numbers of their own */
        NEED_CAP_DROP = 1 << 11,      /* single capabilities can be given up */
        NEED_OVERCOMMIT_0 = 1 << 12,  /* vm.overcommit_memory reads 0 */
        NEED_NO_HUGEPAGES = 1 << 13,  /* the pool of huge pages is empty and may not grow */
        NEED_64_BIT = 1 << 14,        /* pointers of 64 bits */
        NEED_PID_NAMESPACE = 1 << 15, /* CLONE_NEWPID */
        NEED_NEXT_ID = 1 << 16,       /* kernel.shm_next_id can be written */
        NEED_HUGEPAGES = 1 << 17,     /* two huge pages are free, nobody has any, and no others may be made */
        NEED_COMMIT_MODE = 1 << 18,   /* vm.overcommit_memory reads 1 or 2 */
        NEED_FILES_USED_UP = 1 << 19, /* fs.file-max is reached: who has no privilege can open no file */
        NEED_MAP_COUNT = 1 << 20,     /* vm.max_map_count can be reached in a moment */
        NEED_MEMORY_CGROUP = 1 << 21, /* SHMCHECK_MEMORY_CGROUP names a small one that may be joined and filled */
        NEED_OTHER_WIDTH = 1 << 22    /* SHMCHECK_OTHER_AGENT names an agent whose pointers have another width */
};
#define SHMC_NEEDS 23

struct shmc_case {
        const char *id;       /* the catalogue's, for good */
        const char *sentence; /* the rule that the body can refute */
        const char *clause;   /* where the requirement stands */
        const char *note;     /* what a reader of a divergence should know, or NULL */
        const char *differs;  /* platforms that are known to answer otherwise, or NULL */
        enum shmc_level level;
        bool linux_only;     /* not applicable elsewhere: the body stands under #ifdef __linux__ */
        unsigned long needs; /* of enum shmc_need */
        bool waits;          /* the body waits, or may take long: the run gives it a worker of its own */
        void (*body)(void);
        void (*row_body)(const void *row);
        const void *row; /* what row_body is given */
        const char *file;
        int line;
};

/* Adds a case to the registry. The case must live as long as the program. */
void shmc_register(const struct shmc_case *c);

#define SHMC_JOIN_(a, b) a##b
#define SHMC_JOIN(a, b) SHMC_JOIN_(a, b)

/*
 * CASE("topic.what.which", "The sentence", .level = POSIX_SHALL, .clause = "...", .needs = ...) { body }
 */
#define CASE(id_, sentence_, ...) SHMC_CASE(SHMC_JOIN(shmc_case_, __LINE__), id_, sentence_, __VA_ARGS__)
/* The same for what only Linux has; the body stands under one #ifdef __linux__. */
#define LINUX_CASE(id_, sentence_, ...) CASE(id_, sentence_, .linux_only = true, __VA_ARGS__)
#define SHMC_CASE(name, id_, sentence_, ...)                                                                           \
        static void SHMC_JOIN(name, _body)(void);                                                                      \
        static const struct shmc_case name = {.id = (id_),                                                             \
                                              .sentence = (sentence_),                                                 \
                                              .body = SHMC_JOIN(name, _body),                                          \
                                              .file = __FILE__,                                                        \
                                              .line = __LINE__,                                                        \
                                              __VA_ARGS__};                                                            \
        SHMC_CONSTRUCTOR static void SHMC_JOIN(name, _register)(void)                                                  \
        {                                                                                                              \
                shmc_register(&name);                                                                                  \
        }                                                                                                              \
        static void SHMC_JOIN(name, _body)(void)

/*
 * A product of behaviours: one body and one table. The row's structure begins
 * with ROW_HEAD; each row begins with ROW(id, sentence, .level = ..., ...).
 *
 *     static const struct size_row { ROW_HEAD; size_t size; } sizes[] = {
 *             {ROW("shmget.size.one", "...", .level = ...), 1},
 *     };
 *     TABLE(sizes, struct size_row, row) { ... row->size ... }
 */
#define ROW_HEAD struct shmc_case row_case
#define ROW(id_, sentence_, ...)                                                                                       \
        {                                                                                                              \
                .id = (id_), .sentence = (sentence_), .file = __FILE__, .line = __LINE__, __VA_ARGS__                  \
        }
#define TABLE(rows, type, row)                                                                                         \
        static void SHMC_JOIN(rows, _body)(type const *row);                                                           \
        static void SHMC_JOIN(rows, _row_body)(const void *row)                                                        \
        {                                                                                                              \
                SHMC_JOIN(rows, _body)(row);                                                                           \
        }                                                                                                              \
        SHMC_CONSTRUCTOR static void SHMC_JOIN(rows, _register)(void)                                                  \
        {                                                                                                              \
                static struct shmc_case cases[sizeof(rows) / sizeof((rows)[0])];                                       \
                for (size_t i = 0; i < sizeof(rows) / sizeof((rows)[0]); i++) {                                        \
                        cases[i] = (rows)[i].row_case;                                                                 \
                        cases[i].row_body = SHMC_JOIN(rows, _row_body);                                                \
                        cases[i].row = &(rows)[i];                                                                     \
                        shmc_register(&cases[i]);                                                                      \
                }                                                                                                      \
        }                                                                                                              \
        static void SHMC_JOIN(rows, _body)(type const *row)

/*
 * PROGRAM("name") { body } is what exec_program("name") runs: a fresh process
 * image of the agent itself. argc and argv are the words after the name; the
 * body returns the exit status.
 */
struct shmc_program {
        const char *name;
        int (*main)(int argc, char **argv);
};
void shmc_register_program(const struct shmc_program *p);
#define PROGRAM(name_) SHMC_PROGRAM(SHMC_JOIN(shmc_program_, __LINE__), name_)
#define SHMC_PROGRAM(symbol, name_)                                                                                    \
        static int SHMC_JOIN(symbol, _main)(int argc, char **argv);                                                    \
        static const struct shmc_program symbol = {(name_), SHMC_JOIN(symbol, _main)};                                 \
        SHMC_CONSTRUCTOR static void SHMC_JOIN(symbol, _register)(void)                                                \
        {                                                                                                              \
                shmc_register_program(&symbol);                                                                        \
        }                                                                                                              \
        static int SHMC_JOIN(symbol, _main)(int argc, char **argv)

/* Replaces this process by the program; words end with NULL. Does not return: a failing exec is a failed set-up. */
SHMC_NORETURN void shmc_exec_program(const char *name, ...);
#define exec_program(...) shmc_exec_program(__VA_ARGS__, (char *)NULL)

#endif
