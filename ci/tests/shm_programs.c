#include "shm_programs.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

#define SOURCE "ci/tests/programs/shm_queue.c"
#define FLAGS "-std=c11 -D_GNU_SOURCE -pthread -g -O0"

static char folder[64];

void make_shm_programs(void)
{
        snprintf(folder, sizeof(folder), "/tmp/shmcheck-test-XXXXXX");
        cr_assert_not_null(mkdtemp(folder));
        setenv("D", folder, 1);
        setenv("Q", BUILD "/test-shm-queue", 1);
        /* Tests run side by side: the program appears whole, or not at all. */
        struct finished f = run_command("chmod 755 $D && if [ ! $Q -nt " SOURCE " ]; then cc " FLAGS " " SOURCE
                                        " -o $D/q && mv $D/q $Q; fi");
        cr_assert_eq(f.status, 0, "%s", f.err);
        finished_free(&f);
}

void remove_shm_programs(void)
{
        struct finished f = run_command("rm -r \"$D\"");
        finished_free(&f);
}

bool compile_shm_queue(const char *compiler, const char *name)
{
        char command[512];
        snprintf(command, sizeof(command), "%s " FLAGS " " SOURCE " -o $D/%s && $D/%s; [ $? -eq 2 ]", compiler, name,
                 name);
        struct finished f = run_command(command);
        bool runs = f.status == 0;
        finished_free(&f);
        return runs;
}

int line_of_shm_queue(const char *text)
{
        char command[256];
        snprintf(command, sizeof(command), "grep -nF '%s' " SOURCE " | head -n 1", text);
        struct finished f = run_command(command);
        int line = (int)strtol(f.out, NULL, 10);
        cr_assert(line > 0, "%s", text);
        finished_free(&f);
        return line;
}

void need_program(const char *name)
{
        char command[128];
        snprintf(command, sizeof(command), "command -v %s", name);
        struct finished f = run_command(command);
        bool there = f.status == 0;
        finished_free(&f);
        if (!there)
                cr_skip_test("%s is not installed", name);
}

void expect_usage_error(const char *subcommand, const char *words, const char *line)
{
        char command[512];
        char whole[256];
        snprintf(command, sizeof(command), "$B/shmcheck %s %s", subcommand, words);
        snprintf(whole, sizeof(whole), "shmcheck: %s\n", line);
        struct finished f = run_command(command);
        cr_expect_eq(f.status, 2, "%s: exit %d", command, f.status);
        cr_expect_str_eq(f.err, whole, "%s", command);
        cr_expect_str_empty(f.out, "%s", command);
        finished_free(&f);
}
