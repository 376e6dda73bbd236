/*
 * What a case costs over the floor (a bare fork, new IPC namespace, exit and
 * wait), both measured by the agent in one run; the wall time of a whole run;
 * and how much memory the static agent's process takes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent_process.h"
#include "timing.h"

#define RATIO_WANTED 2.0
#define WALL_WANTED 1.5
#define MEMORY_WANTED 4096

/* The largest resident size that the process has had, in KiB; 0 if it is gone. */
static long peak_of(long pid)
{
        char path[64];
        char line[256];
        long kib = 0;
        snprintf(path, sizeof(path), "/proc/%ld/status", pid);
        FILE *f = fopen(path, "re");
        while (f && fgets(line, sizeof(line), f)) {
                if (strncmp(line, "VmHWM:", 6) == 0)
                        kib = strtol(line + 6, NULL, 10);
        }
        if (f)
                fclose(f);
        return kib;
}

struct peaks {
        long agent;
        long main, worker; /* KiB */
};

/* The agent's main process and its workers; what a case's own process maps is the case's doing. */
static void watch_memory(const struct record *record, void *arg)
{
        struct peaks *p = arg;
        char path[64];
        (void)record;
        long main = peak_of(p->agent);
        p->main = main > p->main ? main : p->main;
        snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", p->agent, p->agent);
        FILE *f = fopen(path, "re");
        for (long pid = 0; f && fscanf(f, "%ld", &pid) == 1;) {
                long worker = peak_of(pid);
                p->worker = worker > p->worker ? worker : p->worker;
        }
        if (f)
                fclose(f);
}

/* A whole run of the agent; NULL after a line on standard error. */
static struct record_reader *run_agent(const char *path, const char *const *words, struct peaks *peaks)
{
        struct agent_process agent;
        char why[4200];
        struct record_reader *reader = record_reader_new();
        if (!reader || !agent_start(&agent, path, words, NULL, why, sizeof(why))) {
                fprintf(stderr, "bench: %s\n", reader ? why : "out of memory");
                record_reader_free(reader);
                return NULL;
        }
        if (peaks)
                peaks->agent = (long)agent.pid;
        agent_read(&agent, reader, NULL, peaks ? watch_memory : NULL, peaks);
        int status = agent_finish(&agent);
        if (status != 0 || record_reader_finish(reader, NULL) != RECORD_OK ||
            !record_is_complete(record_reader_record(reader))) {
                fprintf(stderr, "bench: %s: exit status %d, or a record that is not whole\n", path, status);
                record_reader_free(reader);
                return NULL;
        }
        return reader;
}

static bool was_run(const struct value *result)
{
        return strcmp(member_text(result, "status"), "done") == 0;
}

static bool report_cost(const char *agent)
{
        static const char *const words[] = {"--jobs", "1", "--floor", NULL};
        struct record_reader *reader = run_agent(agent, words, NULL);
        if (!reader)
                return false;
        const struct record *record = record_reader_record(reader);
        double *costs = calloc(record->case_count + 1, sizeof(costs[0]));
        double *floors = calloc(record->case_count + 1, sizeof(floors[0]));
        size_t count = 0;
        for (size_t i = 0; costs && i < record->case_count; i++) {
                const struct value *result = record->cases[i].results[0];
                if (!floors || !was_run(result) || result_needs(result, "clock-tick"))
                        continue;
                costs[count] = (double)member_integer(result, "us");
                floors[count++] = (double)member_integer(result, "floor_us");
        }
        double floor = median(floors, count);
        double cost = median(costs, count);
        printf("cost of a case    median %.0f us over %zu cases, floor %.0f us, ratio %.2f (wanted: at most %.1f)\n",
               cost, count, floor, cost / floor, RATIO_WANTED);
        if (count)
                printf("                  nine in ten below %.0f us, the dearest %.0f us\n", costs[count * 9 / 10],
                       costs[count - 1]);
        free(costs);
        free(floors);
        record_reader_free(reader);
        return true;
}

static bool report_wall(const char *agent)
{
        static const char *const words[] = {NULL};
        double walls[3];
        size_t cases = 0;
        for (size_t i = 0; i < 3; i++) {
                double start = now_ns() / 1e9;
                struct record_reader *reader = run_agent(agent, words, NULL);
                if (!reader)
                        return false;
                walls[i] = now_ns() / 1e9 - start;
                cases = record_reader_record(reader)->case_count;
                record_reader_free(reader);
        }
        printf("whole run         median %.2f s for %zu cases (wanted: under %.1f s)\n", median(walls, 3), cases,
               WALL_WANTED);
        return true;
}

static bool report_memory(const char *agent)
{
        static const char *const words[] = {NULL};
        struct peaks peaks = {0};
        struct record_reader *reader = run_agent(agent, words, &peaks);
        if (!reader)
                return false;
        record_reader_free(reader);
        printf("memory            agent %ld KiB, its largest worker %ld KiB (wanted: under %d KiB)\n", peaks.main,
               peaks.worker, MEMORY_WANTED);
        return true;
}

int main(int argc, char **argv)
{
        if (argc != 2) {
                fprintf(stderr, "usage: cost_per_case AGENT\n");
                return 2;
        }
        return report_cost(argv[1]) && report_wall(argv[1]) && report_memory(argv[1]) ? 0 : 3;
}
