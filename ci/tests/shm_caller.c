#include "shm_caller.h"

#include <criterion/criterion.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "command.h"

#define CLOSE_AT_EXEC 4U /* CLOSE_RANGE_CLOEXEC (close_range(2)) */
#define CALLER "ci/tests/programs/shm_caller.c -std=c11 -D_GNU_SOURCE -pthread"
#define FOR_32_BITS "gcc-12 -m32 -isystem /usr/include/x86_64-linux-gnu "

/* The folder of the programs that this test compiles. */
static char folder[64];

void caller_set_up(void)
{
        enter_own_ipc_namespace();
        snprintf(folder, sizeof(folder), "/tmp/shmcheck-test-XXXXXX");
        cr_assert_not_null(mkdtemp(folder));
        cr_assert_eq(chmod(folder, 0777), 0);
        setenv("D", folder, 1);
}

void caller_tear_down(void)
{
        struct finished f = run_command("rm -r \"$D\"");
        finished_free(&f);
}

bool compile_caller(const char *compiler)
{
        char command[512];
        snprintf(command, sizeof(command), "%s " CALLER " -o $D/caller && $D/caller", compiler);
        struct finished f = run_command(command);
        bool runs = f.status == 0;
        finished_free(&f);
        return runs;
}

void compile_static(void)
{
        cr_assert(compile_caller("gcc -static -no-pie"));
}

void compile_for_32_bits(void)
{
        if (!compile_caller(FOR_32_BITS))
                cr_skip_test("this machine builds or runs no 32-bit programs");
}

void become_user(uid_t uid)
{
        if (uid && (setgroups(0, NULL) == -1 || setgid(uid) == -1 || setuid(uid) == -1))
                _exit(126);
}

void become_caller(const char *words, int output)
{
        char copy[1024];
        char *argv[64];
        char path[128];
        size_t count = 0;
        char *rest = NULL;
        dup2(output, STDOUT_FILENO);
        syscall(SYS_close_range, 3U, ~0U, CLOSE_AT_EXEC);
        snprintf(path, sizeof(path), "%s/caller", folder);
        snprintf(copy, sizeof(copy), "caller %s", words);
        for (char *word = strtok_r(copy, " ", &rest); word && count < 63; word = strtok_r(NULL, " ", &rest))
                argv[count++] = word;
        argv[count] = NULL;
        execv(path, argv);
        _exit(127);
}

bool read_output(struct caller_output *output)
{
        ssize_t n = read(output->fd, output->text + output->length, sizeof(output->text) - 1 - output->length);
        if (n <= 0)
                return false;
        output->length += (size_t)n;
        output->text[output->length] = '\0';
        return true;
}
