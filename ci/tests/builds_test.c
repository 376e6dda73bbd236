/*
 * The agent from its sources with one compiler command, by each compiler and C
 * library that is installed, and what the result says of this kernel.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

#define SOURCES "-Iharness/agent harness/agent/*.c cases/*.c"

/* Compiles with the command and looks at what the agent does with a few cases. */
static void build_and_run(const char *name, const char *compile, bool same_verdicts)
{
        char command[1024];
        struct finished f;
        snprintf(command, sizeof(command), "command -v %s >/dev/null", name);
        f = run_command(command);
        if (f.status != 0)
                cr_skip_test("%s is not installed", name);
        finished_free(&f);
        snprintf(command, sizeof(command),
                 "d=$(mktemp -d) && chmod 755 $d && %s -o $d/agent 2>$d/err; echo $?; "
                 "grep -E 'warning|error' $d/err | grep -v 'printf functions add' | head -n 5; "
                 "$B/shmcheck run --agent $d/agent --json $d/json >$d/out 2>&1; echo $?; "
                 "tail -n 1 $d/out; grep -E '^(FAIL|CRASH|HANG|ERROR)' $d/out; rm -r $d",
                 compile);
        f = run_command(command);
        cr_expect(has(f.out, "0\n"), "%s", f.out);
        if (same_verdicts)
                cr_expect_eq(strncmp(f.out, "0\n0\n", 4), 0, "%s", f.out);
        else
                cr_expect(has(f.out, "POSIX "), "%s", f.out);
        finished_free(&f);
}

Test(builds, gcc_with_one_command, .timeout = 200)
{
        build_and_run("gcc", "gcc -Wall -Wextra " SOURCES, true);
}

Test(builds, clang_with_one_command, .timeout = 200)
{
        build_and_run("clang", "clang -Wall -Wextra " SOURCES, true);
}

/* Where the machine's own kernel runs no 32-bit programs, as those of some hypervisors do not. */
static void run_32_bits_in_a_guest(void)
{
        struct finished f = run_command("$B/shmcheck run --target qemu-system-i386");
        if (f.status == 2 || has(f.err, "is not here") || has(f.err, "no kernel in /boot"))
                cr_skip_test("this machine runs no 32-bit programs, and has no guest for them: %s", f.err);
        cr_expect_eq(f.status, 0, "%d: %s%s", f.status, f.out, f.err);
        cr_expect(has(f.out, "32-bit"), "%s", f.out);
        finished_free(&f);
}

Test(builds, gcc_for_32_bits, .timeout = 200)
{
        struct finished f = run_command(
                "d=$(mktemp -d); echo 'int main(void){return 0;}' | "
                "gcc-12 -m32 -isystem /usr/include/x86_64-linux-gnu -x c - -o $d/a && $d/a; s=$?; rm -r $d; exit $s");
        bool runs = f.status == 0;
        finished_free(&f);
        if (!runs) {
                run_32_bits_in_a_guest();
                return;
        }
        /* So that the cases that compare the widths have both. */
        char *other = realpath(BUILD "/shmcheck-agent-static", NULL);
        cr_assert_not_null(other);
        setenv("SHMCHECK_OTHER_AGENT", other, 1);
        free(other);
        build_and_run("gcc-12", "gcc-12 -m32 -isystem /usr/include/x86_64-linux-gnu -Wall -Wextra -Wno-psabi " SOURCES,
                      true);
}

Test(builds, musl_static, .timeout = 200)
{
        build_and_run("musl-gcc", "musl-gcc -static -Wall -Wextra " SOURCES, true);
}

/* dietlibc's struct shmid_ds is its own; that the agent builds and tells is what counts. */
Test(builds, dietlibc, .timeout = 200)
{
        build_and_run("diet", "diet gcc -Os " SOURCES " -lcompat", false);
}

Test(builds, needs_nothing_of_linux_outside_its_ifdefs, .timeout = 200)
{
        struct finished f = run_command(
                "for f in harness/agent/*.c cases/*.c; do gcc -U__linux__ -Ulinux -D_GNU_SOURCE -DSHMC_NO_LINUX "
                "-fsyntax-only -Iharness/agent $f 2>&1 || exit 1; done");
        cr_expect_eq(f.status, 0, "%s", f.out);
        finished_free(&f);
}
