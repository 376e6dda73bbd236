/*
 * What judging and reporting many records costs: processor time (user and
 * system) and the largest resident size, for 100 records of 400 cases. They are
 * made of a real run's, of which each keeps every so many cases, another choice
 * each time. The floor is measured beside it: jansson reading each frame's JSON
 * once, in a process that does nothing else.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "timing.h"

#define RECORDS 100
#define CASES 400
#define ROUNDS 5
#define TIME_WANTED 1.0
#define MEMORY_WANTED 100.0
#define MARK "@shmcheck "

/* The frames of a run: the JSON of each, and what it is. */
struct frame {
        char *json;
        json_t *object;
        size_t number; /* of the case that it is about, from 0 */
};

struct run {
        struct frame *frames;
        size_t count;
        json_t *numbers; /* of the cases, by id */
};

struct cost {
        double seconds; /* of processors */
        double mib;     /* the largest resident size */
};

static char folder[4096];
static char paths[RECORDS][sizeof(folder) + 16];

/* ---- a run ---- */

/* Starts the words; what they print goes to the file of the name. */
static pid_t start(const char *const *words, const char *output)
{
        posix_spawn_file_actions_t actions;
        pid_t pid = -1;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
        int error = posix_spawn(&pid, words[0], &actions, NULL, (char *const *)words, environ);
        posix_spawn_file_actions_destroy(&actions);
        if (error)
                fprintf(stderr, "bench: %s: %s\n", words[0], strerror(error));
        return error ? -1 : pid;
}

static bool has_type(const struct frame *frame, const char *type)
{
        const char *is = json_string_value(json_object_get(frame->object, "type"));
        return is && strcmp(is, type) == 0;
}

/* The number of the case; another for one that was not there before. */
static size_t number_of(struct run *run, const char *id)
{
        json_t *known = json_object_get(run->numbers, id);
        if (!known)
                json_object_set_new(run->numbers, id, json_integer((json_int_t)json_object_size(run->numbers)));
        return known ? (size_t)json_integer_value(known) : json_object_size(run->numbers) - 1;
}

static bool take_frame(struct run *run, const char *line)
{
        const char *json = strchr(line, '{');
        struct frame *grown = reallocarray(run->frames, run->count + 1, sizeof(grown[0]));
        if (!grown)
                return false;
        run->frames = grown;
        struct frame *frame = &grown[run->count];
        *frame = (struct frame){json ? strdup(json) : NULL, json ? json_loads(json, 0, NULL) : NULL, 0};
        if (!frame->json || !frame->object)
                return false;
        frame->json[strcspn(frame->json, "\r\n")] = '\0';
        run->count++;
        const char *id = json_string_value(json_object_get(frame->object, "id"));
        if (id)
                frame->number = number_of(run, id);
        return true;
}

/* A run of this machine, in run. Returns false after a line on standard error. */
static bool read_run(const char *tool, struct run *run)
{
        char path[sizeof(folder) + 16];
        char *line = NULL;
        size_t room = 0;
        bool good = true;
        snprintf(path, sizeof(path), "%s/run.rec", folder);
        pid_t pid = start((const char *const[]){tool, "run", "--record", path, NULL}, "/dev/null");
        if (pid == -1 || waitpid(pid, NULL, 0) != pid)
                return false;
        FILE *f = fopen(path, "re");
        while (f && good && getline(&line, &room, f) > 0)
                good = strncmp(line, MARK, strlen(MARK)) != 0 || take_frame(run, line);
        free(line);
        if (f)
                fclose(f);
        unlink(path);
        if (good && json_object_size(run->numbers) > CASES)
                return true;
        fprintf(stderr, "bench: %s run: no record of more than %d cases\n", tool, CASES);
        return false;
}

static void free_run(struct run *run)
{
        for (size_t i = 0; i < run->count; i++) {
                free(run->frames[i].json);
                json_decref(run->frames[i].object);
        }
        free(run->frames);
        json_decref(run->numbers);
}

/* ---- the records ---- */

static void put_frame(FILE *f, size_t *sequence, const char *json)
{
        unsigned long crc = crc32(0, (const Bytef *)json, (uInt)strlen(json));
        fprintf(f, MARK "%zu %08lx %s\n", (*sequence)++, crc, json);
}

static void put_counted(FILE *f, size_t *sequence, const json_t *object)
{
        json_t *copy = json_copy((json_t *)object);
        json_object_set_new(copy, "results", json_integer(CASES));
        char *json = json_dumps(copy, JSON_COMPACT);
        put_frame(f, sequence, json);
        free(json);
        json_decref(copy);
}

/* Whether the case of the number is one of those that are kept: evenly chosen, from another one on in each record. */
static bool is_kept(const struct run *run, size_t number, size_t record)
{
        size_t cases = json_object_size(run->numbers);
        size_t turned = (number + record) % cases;
        return turned * CASES / cases != (turned + 1) * CASES / cases;
}

static void write_frames(FILE *f, const struct run *run, size_t record)
{
        size_t sequence = 0;
        for (size_t i = 0; i < run->count; i++) {
                const struct frame *frame = &run->frames[i];
                if (has_type(frame, "start") || has_type(frame, "end"))
                        put_counted(f, &sequence, frame->object);
                else if (is_kept(run, frame->number, record))
                        put_frame(f, &sequence, frame->json);
        }
}

/* Returns false after a line on standard error. */
static bool write_records(const struct run *run)
{
        for (size_t i = 0; i < RECORDS; i++) {
                FILE *f = fopen(paths[i], "we");
                if (f)
                        write_frames(f, run, i);
                if (!f || fclose(f) != 0) {
                        fprintf(stderr, "bench: %s: %s\n", paths[i], strerror(errno));
                        return false;
                }
        }
        return true;
}

/*
 * Makes the records, in a process of its own: the largest size of a process counts for those that it starts, too.
 * Returns their bytes, or 0 after a line on standard error.
 */
static off_t make_records(const char *tool)
{
        struct stat st;
        off_t size = 0;
        int status = -1;
        for (size_t i = 0; i < RECORDS; i++)
                snprintf(paths[i], sizeof(paths[i]), "%s/%03zu.rec", folder, i);
        pid_t pid = fork();
        if (pid == 0) {
                struct run run = {NULL, 0, json_object()};
                bool made = read_run(tool, &run) && write_records(&run);
                free_run(&run);
                _exit(made ? 0 : 3);
        }
        if (pid == -1 || waitpid(pid, &status, 0) != pid || status != 0)
                return 0;
        for (size_t i = 0; i < RECORDS; i++)
                size += stat(paths[i], &st) == 0 ? st.st_size : 0;
        return size;
}

static void remove_records(void)
{
        DIR *d = opendir(folder);
        for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
                if (*e->d_name != '.')
                        unlinkat(dirfd(d), e->d_name, 0);
        }
        if (d)
                closedir(d);
        rmdir(folder);
}

/* ---- the costs ---- */

/* Waits for the process, and adds what it cost. Returns false if it did not end as one that could do its work. */
static bool add_cost(struct cost *cost, pid_t pid)
{
        struct rusage usage;
        int status = 0;
        if (pid == -1 || wait4(pid, &status, 0, &usage) != pid)
                return false;
        cost->seconds += (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6 +
                         (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6;
        double mib = (double)usage.ru_maxrss / 1024;
        cost->mib = mib > cost->mib ? mib : cost->mib;
        return WIFEXITED(status) && WEXITSTATUS(status) <= 1;
}

/* One process for all records, its words before them. */
static bool cost_of_all(struct cost *cost, const char *const *before)
{
        const char *words[RECORDS + 16];
        size_t count = 0;
        for (; *before; before++)
                words[count++] = *before;
        for (size_t i = 0; i < RECORDS; i++)
                words[count++] = paths[i];
        words[count] = NULL;
        return add_cost(cost, start(words, "/dev/null"));
}

static bool cost_of_judge(const char *tool, struct cost *cost)
{
        for (size_t i = 0; i < RECORDS; i++) {
                if (!add_cost(cost, start((const char *const[]){tool, "judge", paths[i], NULL}, "/dev/null")))
                        return false;
        }
        return true;
}

/* What starting a process for each record costs, of which nothing is judging. */
static bool cost_of_starts(const char *tool, struct cost *cost)
{
        for (size_t i = 0; i < RECORDS; i++) {
                if (!add_cost(cost, start((const char *const[]){tool, "--version", NULL}, "/dev/null")))
                        return false;
        }
        return true;
}

static bool cost_of_report(const char *tool, struct cost *cost)
{
        static const char *const kinds[] = {"json", "junit", "markdown", "html"};
        char outputs[4][sizeof(folder) + 16];
        for (size_t i = 0; i < 4; i++)
                snprintf(outputs[i], sizeof(outputs[i]), "%s/%s", folder, kinds[i]);
        return cost_of_all(cost, (const char *const[]){tool, "report", "--json", outputs[0], "--junit", outputs[1],
                                                       "--markdown", outputs[2], "--html", outputs[3], NULL});
}

static bool cost_of_matrix(const char *tool, struct cost *cost)
{
        char page[sizeof(folder) + 16];
        snprintf(page, sizeof(page), "%s/page", folder);
        return cost_of_all(cost, (const char *const[]){tool, "matrix", "--html", page, NULL});
}

static void read_frames(const char *path)
{
        char *line = NULL;
        size_t room = 0;
        FILE *f = fopen(path, "re");
        while (f && getline(&line, &room, f) > 0) {
                const char *json = strchr(line, '{');
                json_t *object = json ? json_loads(json, 0, NULL) : NULL;
                if (!object)
                        _exit(2);
                json_decref(object);
        }
        if (!f)
                _exit(2);
        fclose(f);
        free(line);
}

static bool cost_of_floor(const char *tool, struct cost *cost)
{
        (void)tool;
        pid_t pid = fork();
        if (pid == 0) {
                for (size_t i = 0; i < RECORDS; i++)
                        read_frames(paths[i]);
                _exit(0);
        }
        return add_cost(cost, pid);
}

/* ---- what is told ---- */

static const struct measured {
        const char *name, *what;
        bool (*cost)(const char *tool, struct cost *cost);
        bool wanted; /* has to be below what is wanted */
} all[] = {
        {"floor", "jansson reads each frame's JSON", cost_of_floor, false},
        {"starts", "100 processes that judge nothing", cost_of_starts, false},
        {"judge", "a process a record", cost_of_judge, true},
        {"report", "JSON, JUnit, Markdown and HTML in one go", cost_of_report, true},
        {"matrix", "its page", cost_of_matrix, true},
};
#define ALL (sizeof(all) / sizeof(all[0]))

/* Each in turn, so that what disturbs one disturbs the others. Returns false after a line on standard error. */
static bool measure(const char *tool, double (*seconds)[ROUNDS], double *mib)
{
        for (size_t round = 0; round < ROUNDS; round++) {
                for (size_t i = 0; i < ALL; i++) {
                        struct cost cost = {0, 0};
                        if (!all[i].cost(tool, &cost)) {
                                fprintf(stderr, "bench: %s did not do its work\n", all[i].name);
                                return false;
                        }
                        seconds[i][round] = cost.seconds;
                        mib[i] = cost.mib > mib[i] ? cost.mib : mib[i];
                }
        }
        return true;
}

static void tell(double (*seconds)[ROUNDS], const double *mib, off_t size)
{
        double floor = median(seconds[0], ROUNDS);
        bool met = true;
        printf("judging           %d records of %d cases, %.1f MiB; processor time, median of %d\n", RECORDS, CASES,
               (double)size / 1024 / 1024, ROUNDS);
        for (size_t i = 0; i < ALL; i++) {
                double time = median(seconds[i], ROUNDS);
                printf("  %-8s        %.2f s, %5.1f MiB, ratio to the floor %.2f (%s)\n", all[i].name, time, mib[i],
                       time / floor, all[i].what);
                met = met && (!all[i].wanted || (time < TIME_WANTED && mib[i] < MEMORY_WANTED));
        }
        printf("                  wanted: each under %.1f s and %.0f MiB: %s\n", TIME_WANTED, MEMORY_WANTED,
               met ? "met" : "not met");
}

static int bench(const char *tool)
{
        double seconds[ALL][ROUNDS];
        double mib[ALL] = {0};
        off_t size = make_records(tool);
        if (size == 0 || !measure(tool, seconds, mib))
                return 3;
        tell(seconds, mib, size);
        return 0;
}

int main(int argc, char **argv)
{
        if (argc != 2) {
                fprintf(stderr, "usage: judge_cost SHMCHECK\n");
                return 2;
        }
        /* Beside the program: what a killed run leaves is where the build is removed. */
        snprintf(folder, sizeof(folder), "%s-records-XXXXXX", argv[1]);
        if (!mkdtemp(folder)) {
                fprintf(stderr, "bench: %s: %s\n", folder, strerror(errno));
                return 3;
        }
        int status = bench(argv[1]);
        remove_records();
        return status;
}
