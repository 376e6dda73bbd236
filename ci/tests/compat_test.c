/* ci/compat/compat: the platforms of one machine side by side. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "command.h"
#include "made_record.h"
#include "test_folder.h"

#define COMPAT "ci/compat/compat --build $B --reports $D/reports "

TestSuite(compat, .init = make_folder, .fini = remove_folder);

/* The command's status and a part of what it says on standard error. */
static void expect_refusal(const char *words, int status, const char *line)
{
        char command[256];
        snprintf(command, sizeof(command), COMPAT "%s", words);
        struct finished f = run_command(command);
        cr_expect_eq(f.status, status, "%s: status %d, %s", words, f.status, f.err);
        cr_expect(has(f.err, line), "%s: %s", words, f.err);
        cr_expect_eq(count_lines(f.err), 1, "%s: %s", words, f.err);
        cr_expect_str_empty(f.out, "%s: %s", words, f.out);
        finished_free(&f);
}

Test(compat, wrong_usage_gets_one_line_and_runs_nothing)
{
        expect_refusal("--form x", 2, "unknown option '--form'");
        expect_refusal("--from", 2, "--from takes a folder");
        expect_refusal("--from $D/nowhere", 2, "nowhere: there is no such folder");
        expect_refusal("--from $D native", 2, "--from runs nothing, and takes no targets");
        expect_refusal("--from $D --records $D", 2, "does not go with --records");
        expect_refusal("natif", 2, "unknown target 'natif'");
        expect_refusal("--build $D", 3, "/shmcheck is not built");
        expect_refusal("--from $D", 3, "no record in it");
}

Test(compat, makes_the_reports_anew_in_the_order_and_by_the_names_given)
{
        make_good_record(path_of("b.rec"), "");
        make_record(path_of("a.rec"), "");
        make_record(path_of("added.rec"), "");
        write_file("names", "b Second of the alphabet\ngone Not there\na A | b\n");
        expect_command(COMPAT "--from $D >/dev/null && grep -c 'Second of the alphabet' $D/compat.html", 0, "1\n", "");
        expect_command("sed -n 's/^| \\([0-9]\\) | \\(.*\\) | Linux .*/\\1 \\2/p' $D/reports/compat.md", 0,
                       "1 Second of the alphabet\n2 A \\| b\n3 added\n", "");
        expect_command("mv $D/reports/compat.md $D/first && " COMPAT "--from $D >/dev/null && "
                       "cmp $D/first $D/reports/compat.md",
                       0, "", "");
}

Test(compat, runs_a_target_and_keeps_the_records_of_others, .timeout = 60)
{
        make_good_record(path_of("added.rec"), "");
        write_file("names", "seccomp-enosys an old name\nadded Another machine\n");
        struct finished f = run_command(COMPAT "--records $D seccomp-enosys");
        cr_expect_leq(f.status, 1, "%s", f.err);
        cr_expect(has(f.out, "2 platforms: "), "%s%s", f.out, f.err);
        finished_free(&f);
        f = run_command("cat $D/names");
        cr_expect(has(f.out, "added Another machine\nseccomp-enosys Linux "), "%s", f.out);
        cr_expect(has(f.out, ", calls denied by ENOSYS\n"), "%s", f.out);
        cr_expect_eq(count_lines(f.out), 2, "%s", f.out);
        finished_free(&f);
}
