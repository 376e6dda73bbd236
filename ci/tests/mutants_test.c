/* shmcheck mutants, with a handful of them; that all are seen is what `make check` asks of it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "reasons.h"
#include "tries.h"

static struct finished run(const char *words)
{
        char command[512];
        snprintf(command, sizeof(command), "$B/shmcheck mutants %s", words);
        return run_command(command);
}

/* The object of the only mutant in the JSON output. */
static const json_t *only_mutant(const json_t *matrix)
{
        const json_t *mutants = json_object_get(matrix, "mutants");
        cr_assert_eq(json_array_size(mutants), 1);
        return json_array_get(mutants, 0);
}

static bool names(const json_t *mutant, const char *member, const char *id)
{
        size_t i = 0;
        json_t *entry = NULL;
        json_array_foreach(json_object_get(mutant, member), i, entry)
        {
                if (strcmp(json_string_value(entry), id) == 0)
                        return true;
        }
        return false;
}

/* ---- the command ---- */

Test(mutants, says_what_each_breaks_and_who_saw_it, .timeout = 60)
{
        struct finished f = run("--json - excl_ignored -f 'shmget.eexist.*' -f shmctl.stat.new_segsz");
        cr_assert_eq(f.status, 0, "%s", f.err);
        json_t *matrix = json_output(&f);
        const json_t *mutant = only_mutant(matrix);
        cr_expect_str_eq(json_string_value(json_object_get(mutant, "result")), "seen");
        cr_expect_str_eq(json_string_value(json_object_get(mutant, "wrong")),
                         "IPC_CREAT|IPC_EXCL on a taken key returns the segment.");
        cr_expect(names(mutant, "seen_by", "shmget.eexist.creat_excl"));
        cr_expect(names(mutant, "tried", "shmctl.stat.new_segsz"));
        cr_expect_not(names(mutant, "seen_by", "shmctl.stat.new_segsz"));
        json_decref(matrix);
        finished_free(&f);
}

Test(mutants, has_a_line_for_each_that_the_filtered_cases_are_to_see, .timeout = 60)
{
        struct finished f = run("--filter shmctl.stat.new_nattch");
        cr_assert_eq(f.status, 0, "%s", f.err);
        cr_expect(has(f.out, "nattch_one_more "));
        cr_expect(has(f.out, " shm_nattch is one too many.  shmctl.stat.new_nattch\n"), "%s", f.out);
        cr_expect_not(has(f.out, "excl_ignored"));
        cr_expect(has(f.out, " mutants seen; of 1 cases 1 pass without a mutant, and 1 of these saw one"), "%s", f.out);
        cr_expect_str_empty(f.err);
        finished_free(&f);
}

Test(mutants, an_unknown_name_is_told_with_the_nearest_and_nothing_is_run)
{
        struct finished f = run("excl_ignored excl_ingored");
        cr_expect_eq(f.status, 2);
        cr_expect_str_empty(f.out);
        cr_expect_str_eq(f.err, "shmcheck: mutants: no mutant is called 'excl_ingored'; the nearest is 'excl_ignored', "
                                "and --list shows all\n");
        finished_free(&f);
}

Test(mutants, wrong_usage_is_told)
{
        static const struct {
                const char *words, *said;
        } rows[] = {
                {"--jobs 0", "--jobs 0: takes a whole number from 1 to 64"},
                {"--jobs 9x", "--jobs 9x: takes a whole number from 1 to 64"},
                {"--color red", "--color red: takes auto, always or never"},
                {"--filtre x", "the nearest is '--filter'"},
                {"--filter no.such.case", "no case matches 'no.such.case'"},
        };
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct finished f = run(rows[i].words);
                cr_expect_eq(f.status, 2, "%s: exit %d", rows[i].words, f.status);
                cr_expect(has(f.err, rows[i].said), "%s: %s", rows[i].words, f.err);
                cr_expect_eq(count_lines(f.err), 1, "%s: %s", rows[i].words, f.err);
                cr_expect_str_empty(f.out);
                finished_free(&f);
        }
}

Test(mutants, one_that_no_case_sees_is_a_finding, .timeout = 60)
{
        struct finished f = run("segsz_one_more --filter 'ftok.enoent.*'");
        cr_expect_eq(f.status, 1);
        cr_expect(has(f.out, "\nmutants that no case meant for them has seen:\n  segsz_one_more\n"), "%s", f.out);
        cr_expect(has(f.out, "0 of 1 mutants seen"), "%s", f.out);
        finished_free(&f);
}

/* Nobody cannot become another user, so that the case is skipped. */
Test(mutants, one_whose_cases_are_skipped_is_left_open, .timeout = 60)
{
        struct finished f = run_as_nobody(BUILD "/shmcheck mutants real_gid_counts --filter shmctl.stat.real_group");
        cr_expect_eq(f.status, 0, "%s", f.err);
        cr_expect(has(f.out, "undecided: a case meant for it is skipped"), "%s", f.out);
        cr_expect(has(f.out, "0 of 1 mutants seen"), "%s", f.out);
        finished_free(&f);
}

Test(mutants, the_list_has_one_a_line)
{
        struct finished f = run("--list 'excl_*'");
        cr_expect_eq(f.status, 0);
        cr_expect_eq(count_lines(f.out), 3, "%s", f.out);
        cr_expect(has(f.out,
                      "excl_ignored                     IPC_CREAT|IPC_EXCL on a taken key returns the segment.\n"));
        finished_free(&f);
}

Test(mutants, works_where_it_is_installed, .timeout = 60)
{
        make_installation();
        struct finished f =
                run_command("cp $B/libshmmutant.so $I && cd / && $I/shmcheck mutants segsz_one_more --filter "
                            "shmctl.stat.new_segsz");
        cr_expect_eq(f.status, 0, "%s", f.err);
        cr_expect(has(f.out, "1 of 1 mutants seen"), "%s", f.out);
        finished_free(&f);
        f = run_command("rm $I/libshmmutant.so && cd / && $I/shmcheck mutants");
        cr_expect_eq(f.status, 3);
        cr_expect(has(f.err, "libshmmutant.so: cannot open shared object file"), "%s", f.err);
        finished_free(&f);
        remove_installation();
}

Test(mutants, a_signal_ends_the_agents_and_is_told, .timeout = 60)
{
        struct finished f = run_command("$B/shmcheck mutants --jobs 4 >/dev/null & sleep 1; kill -TERM $!; wait $!");
        cr_expect_eq(f.status, 3);
        cr_expect(has(f.err, "ended by SIGTERM before all were tried"), "%s", f.err);
        finished_free(&f);
}

/* ---- the reasons ---- */

static char list_path[64];

static void make_list(void)
{
        snprintf(list_path, sizeof(list_path), "/tmp/shmcheck-reasons-XXXXXX");
        int fd = mkstemp(list_path);
        cr_assert(fd != -1);
        close(fd);
}

static void remove_list(void)
{
        unlink(list_path);
}

static bool load(struct reasons *reasons, const char *text, char *why, size_t size)
{
        FILE *f = fopen(list_path, "we");
        cr_assert_not_null(f);
        fputs(text, f);
        fclose(f);
        return reasons_load(reasons, list_path, why, size);
}

Test(reasons, a_line_is_a_glob_and_a_text, .init = make_list, .fini = remove_list)
{
        struct reasons reasons;
        char why[256] = "";
        cr_assert(load(&reasons, "# a comment\n\nabi.*  It is compiled.\n\tabi.x It is not.\n", why, sizeof(why)), "%s",
                  why);
        cr_assert_eq(reasons.count, 2);
        cr_expect_str_eq(reasons_find(&reasons, "abi.x")->text, "It is compiled.");
        cr_expect_eq(reasons_find(&reasons, "abi.x")->line, 3);
        cr_expect_null(reasons_find(&reasons, "xabi.x"));
        reasons_free(&reasons);
}

Test(reasons, what_is_wrong_is_told_with_its_place, .init = make_list, .fini = remove_list)
{
        struct reasons reasons;
        char why[256] = "";
        char expected[128];
        snprintf(expected, sizeof(expected), "%s:2: a line holds a glob and a reason", list_path);
        cr_expect_not(load(&reasons, "abi.* It is compiled.\nabi.x  \n", why, sizeof(why)));
        cr_expect_str_eq(why, expected);
        cr_expect_not(reasons_load(&reasons, "/no/such/list", why, sizeof(why)));
        cr_expect_str_eq(why, "/no/such/list: No such file or directory");
}

/* A reason is for a case that passes and sees nothing; of a case that is skipped nothing is known. */
Test(reasons, one_that_fits_no_idle_case_is_stale)
{
        static struct tried_case cases[] = {{.id = "idle.known", .passes = true},
                                            {.id = "idle.unknown", .passes = true},
                                            {.id = "seeing", .passes = true, .saw = 1},
                                            {.id = "skipped", .skipped = true}};
        static char globs[][16] = {"idle.k*", "seeing", "skipped", "gone"};
        static char text[] = "Why.";
        struct reason all[4] = {{.text = text}, {.text = text}, {.text = text}, {.text = text}};
        struct reasons reasons = {all, 4};
        struct matrix matrix = {.cases = cases, .case_count = 4};
        for (size_t i = 0; i < 4; i++)
                all[i].glob = globs[i];
        matrix_take_reasons(&matrix, &reasons);
        cr_expect_str_eq(cases[0].reason, "Why.");
        cr_expect_null(cases[1].reason);
        cr_expect_null(cases[2].reason);
        cr_expect(all[0].fits);
        cr_expect_not(all[1].fits);
        cr_expect(all[2].fits);
        cr_expect_not(all[3].fits);
}
