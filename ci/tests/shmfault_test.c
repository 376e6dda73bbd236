/* shmfault.h: faults from inside of a program, and what it is told of its segments. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "fault_programs.h"

TestSuite(shmfault, .init = make_fault_programs, .timeout = 60);

/* Each is a function of ci/tests/fault_programs/api.c, which says what it expects. */
static void expect_well(const char *way)
{
        char command[64];
        snprintf(command, sizeof(command), "$P/api %s", way);
        struct finished f = run_command(command);
        cr_expect_eq(f.status, 0, "%s: %s%s", way, f.out, f.err);
        finished_free(&f);
}

Test(shmfault, says_what_is_wrong_with_a_rule_and_where)
{
        struct finished f = run_command("$P/api wrong");
        cr_expect_eq(f.status, 0, "%s", f.out);
        cr_expect_eq(count_lines(f.out), 9);
        cr_expect(has(f.out, "column 1: unknown call 'shmgot'\n"), "%s", f.out);
        cr_expect(has(f.out, "column 14: shmget cannot fail with EPIPE by any documentation"), "%s", f.out);
        cr_expect(has(f.out, "; shmfault_arm_any accepts it\n"), "%s", f.out);
        cr_expect(has(f.out, "the rule has no call\n"), "%s", f.out);
        cr_expect(has(f.out, "'shmget:error=32', column 14: "), "%s", f.out);
        cr_expect_str_empty(f.err, "%s", f.err);
        finished_free(&f);
}

Test(shmfault, says_so_where_it_sees_no_call)
{
        struct finished f = run_command("$P/behind behind");
        cr_expect_eq(f.status, 0, "%s", f.out);
        cr_expect(has(f.out, "libshmfault stands behind the C library"), "%s", f.out);
        finished_free(&f);
        f = run_command("$L $P/behind disarm");
        cr_expect_eq(f.status, 0, "preloaded it does see them: %s", f.out);
        finished_free(&f);
}

Test(shmfault, arms_counts_and_disarms)
{
        expect_well("disarm");
}

Test(shmfault, arms_as_many_as_there_is_room_for_and_any_number_after_each_other)
{
        expect_well("many");
}

Test(shmfault, takes_a_rule_in_parts)
{
        expect_well("parts");
}

Test(shmfault, arms_and_disarms_while_others_call)
{
        expect_well("threads");
}

Test(shmfault, is_shared_with_forked_children)
{
        expect_well("fork");
}

Test(shmfault, lists_segments_that_are_there_and_its_own)
{
        expect_well("segments");
}

Test(shmfault, lists_attachments)
{
        expect_well("attachments");
}

Test(shmfault, notes_of_segments_do_not_run_full)
{
        expect_well("often");
}

Test(shmfault, a_supervisors_rules_come_first_and_it_hears_of_the_others)
{
        struct faulted r = run_under(RULES("shmctl/SHM_LOCK:error=EPERM"), true, "$P/api disarm");
        cr_expect(has(r.f.out, "errno == EPIPE (EPERM)"), "%s", r.f.out);
        size_t own = 0;
        for (size_t i = 0; i < r.count; i++)
                own += r.events[i].rule == SESSION_OWN_RULE;
        cr_expect_eq(own, 3, "%zu", own);
        faulted_free(&r);
}

/* ---- a wrapper's own tests ---- */

/* As installed: found by pkg-config. edit: what is done to the wrapper beforehand, as sed has it. */
static struct finished run_example(const char *name, const char *edit, const char *libraries, const char *words)
{
        char command[1024];
        snprintf(command, sizeof(command),
                 "set -e; d=$(mktemp -d); trap 'rm -r $d' EXIT; b=$(realpath $B); cp fakes/fault/shmfault.h $d; "
                 "sed \"s|@prefix@|$d|; s|@includedir@|$d|; s|@libdir@|$b|; s|@version@|1|\" "
                 "fakes/fault/shmfault.pc.in >$d/shmfault.pc; export PKG_CONFIG_PATH=$d; "
                 "cp ci/tests/wrapper/* $d; cd $d; sed -i '%s' counter.c; "
                 "cc -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror %s counter.c "
                 "$(pkg-config --cflags --libs shmfault) %s -o example; "
                 /* Nothing of the environment: this test's own runner has left words for its like in it. */
                 "env -i LD_LIBRARY_PATH=$b ./example %s",
                 edit, name, libraries, words);
        return run_command(command);
}

Test(shmfault, the_example_in_plain_assert_passes)
{
        struct finished f = run_example("wrapper_assert_example.c", "", "", "");
        cr_expect_eq(f.status, 0, "%s%s", f.out, f.err);
        cr_expect_str_eq(f.out, "all is well\n");
        finished_free(&f);
}

Test(shmfault, the_example_in_criterion_passes)
{
        struct finished f = run_example("wrapper_criterion_example.c", "", "-lcriterion", "--jobs 1");
        cr_expect_eq(f.status, 0, "%s%s", f.out, f.err);
        cr_expect(has(f.err, "Tested: 8 | Passing: 8"), "%s", f.err);
        finished_free(&f);
}

#define LEAK "s/shmctl(c->shmid, IPC_RMID, NULL);/made = 0;/"

Test(shmfault, the_example_in_plain_assert_sees_a_leak)
{
        struct finished f = run_example("wrapper_assert_example.c", LEAK, "", "");
        cr_expect_neq(f.status, 0);
        cr_expect(has(f.err, "`shmfault_segments(NULL, 0) == 0' failed"), "%s%s", f.out, f.err);
        finished_free(&f);
}

Test(shmfault, the_example_in_criterion_sees_a_leak)
{
        struct finished f = run_example("wrapper_criterion_example.c", LEAK, "-lcriterion", "--jobs 1");
        cr_expect_neq(f.status, 0);
        cr_expect(has(f.err, "[FAIL] counter::tells_why_it_cannot_be_opened"), "%s%s", f.out, f.err);
        finished_free(&f);
}

Test(shmfault, the_header_needs_nothing_and_suits_other_dialects)
{
        struct finished f =
                run_command("w='-pedantic -Wall -Wextra -Werror -Ifakes/fault -fsyntax-only -include "
                            "shmfault.h'; cc -std=c99 $w -x c /dev/null && cc -std=c11 $w -x c /dev/null && "
                            "{ ! command -v c++ >/dev/null || c++ -std=c++17 $w -x c++ /dev/null; }");
        cr_expect_eq(f.status, 0, "%s", f.err);
        finished_free(&f);
}
