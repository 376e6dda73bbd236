#include <jansson.h>
#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "nearest.h"

static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
        const char *summary;
} commands[] = {
        {"run", command_run, "judge this machine's System V shared memory, or that of a preloaded library"},
        {"judge", command_judge, "judge a record that was made before, here or elsewhere"},
        {"report", command_report, "make files for programs and pages for people of records that were made before"},
        {"matrix", command_matrix, "hold records of several platforms side by side, behaviour by behaviour"},
        {"diff", command_diff, "tell what changed between two records: regressions, fixes, and what else"},
        {"baseline", command_baseline, "accept what diverges in a record: write it as a baseline, to be reviewed"},
        {"explain", command_explain, "tell what a case checks, what each profile expects, and show its source"},
        {"coverage", command_coverage, "tell which cases check which clause, and which clause has none"},
        {"mutants", command_mutants, "prove that the suite can fail: which case sees which platform broken on purpose"},
        {"inject", command_inject, "run a command whose System V shared memory calls fail as rules say"},
        {"trace", command_trace, "tell the calls of a command, and the segments that it leaves behind"},
        {"sweep", command_sweep, "try each failure of each such call of a command, and tell which ones it survives"},
        {"clean", command_clean, "remove what a killed run left in the host's own IPC namespace"},
};
#define KEPT_MEMORY (32 * 1024 * 1024)
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *out)
{
        fputs("usage: shmcheck COMMAND [OPTION...]\n"
              "Conformance and fault injection for System V shared memory.\n"
              "\n",
              out);
        for (size_t i = 0; i < COMMANDS; i++)
                fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].summary);
        fputs("\n"
              "  shmcheck COMMAND --help tells the options of a command.\n"
              "\n"
              "Exit status: 0 all as it must be, 1 something diverges, 2 wrong usage or unreadable input (nothing was\n"
              "run), 3 the harness itself could not do its work.\n",
              out);
}

static int unknown_command(const char *word)
{
        json_t *names = json_array();
        for (size_t i = 0; i < COMMANDS; i++)
                json_array_append_new(names, json_string(commands[i].name));
        complain("unknown command '%s'; the nearest is '%s'", word, nearest_name(word, names));
        json_decref(names);
        return EXIT_USAGE;
}

int main(int argc, char **argv)
{
        setlocale(LC_CTYPE, "");
        /* What one record of many is read into is there for the next, and need not be asked of the kernel again. */
        mallopt(M_MMAP_THRESHOLD, KEPT_MEMORY);
        mallopt(M_TRIM_THRESHOLD, KEPT_MEMORY);
        /* A reader that goes away is met as an error of the write, and told. */
        signal(SIGPIPE, SIG_IGN);
        if (argc < 2) {
                print_help(stderr);
                return EXIT_USAGE;
        }
        if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
                print_help(stdout);
                return EXIT_AS_IT_MUST_BE;
        }
        if (strcmp(argv[1], "--version") == 0) {
                puts("shmcheck 0.1.0");
                return EXIT_AS_IT_MUST_BE;
        }
        for (size_t i = 0; i < COMMANDS; i++) {
                if (strcmp(argv[1], commands[i].name) == 0)
                        return commands[i].run(argc - 1, argv + 1);
        }
        return unknown_command(argv[1]);
}
