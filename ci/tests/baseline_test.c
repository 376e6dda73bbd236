/* `shmcheck baseline`: what diverges becomes a file for people, and the file's next version. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "baseline.h"
#include "command.h"
#include "made_record.h"
#include "test_folder.h"

static void make_records(void)
{
        make_folder();
        make_record(path_of("rec"), "");
        make_good_record(path_of("good.rec"), "");
}

TestSuite(baseline_command, .init = make_records, .fini = remove_folder);

/* ---- wrong usage ---- */

Test(baseline_command, wrong_usage_gets_one_line_and_writes_nothing)
{
        static const struct {
                const char *words, *line;
        } rows[] = {
                {"", "shmcheck: baseline: takes one record: a file, or - for standard input\n"},
                {"$D/rec $D/rec", "shmcheck: baseline: takes one record: a file, or - for standard input\n"},
                {"/no/such", "shmcheck: /no/such: No such file or directory\n"},
                {"$D/rec --untill 2999-01-01", "shmcheck: baseline: unknown option '--untill'; the nearest is "
                                               "'--until'\n"},
                {"$D/rec --until soon", "shmcheck: --until soon: takes a day of the calendar, YYYY-MM-DD\n"},
                {"$D/rec --until 2999-02-30", "shmcheck: --until 2999-02-30: takes a day of the calendar, "
                                              "YYYY-MM-DD\n"},
                {"$D/rec --until 2001-01-01", "shmcheck: --until 2001-01-01: that day is over\n"},
                {"$D/rec --profile lnux", "shmcheck: unknown profile 'lnux'; the nearest is 'linux'\n"},
                {"$D/rec --baseline /no/such", "shmcheck: --baseline /no/such: No such file or directory\n"},
        };
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                char command[256];
                snprintf(command, sizeof(command), "$B/shmcheck baseline -o $D/out %s", rows[i].words);
                expect_command(command, 2, "", rows[i].line);
                cr_expect(access(path_of("out"), F_OK) == -1, "%s", rows[i].words);
        }
}

Test(baseline_command, an_old_baseline_with_a_mistake_is_told_by_its_line)
{
        static const struct {
                const char *old, *lines;
        } rows[] = {
                {"# c\nmade.fail\nmade.fial # slip\n", ":3: no case is called 'made.fial'; the nearest is 'made.fail'"},
                {"made.fial until=2001-01-01 # slip\n",
                 ":1: the entry for made.fial ended with 2001-01-01 and counts no more\n"},
                {"made.fial until=2001-01-01 # slip\n", ":1: no case is called 'made.fial'; the nearest is "
                                                        "'made.fail'\n"},
                {"made.fail\nmade.fail\n", ":2:1: the case stands in the baseline already\n"},
                {"made.fail until=2999-02-30\n", ":1:11: until= takes a day of the calendar, YYYY-MM-DD\n"},
        };
        static const char *const commands[] = {"$B/shmcheck baseline $D/rec --baseline $D/old -o $D/old",
                                               "$B/shmcheck judge $D/rec --baseline $D/old >/dev/null",
                                               "$B/shmcheck report $D/rec --tap - --baseline $D/old >/dev/null"};
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                for (size_t k = 0; k < sizeof(commands) / sizeof(commands[0]); k++) {
                        write_file("old", rows[i].old);
                        struct finished f = run_command(commands[k]);
                        cr_expect_eq(f.status, 2, "row %zu, %s: %d", i, commands[k], f.status);
                        cr_expect(has(f.err, rows[i].lines), "row %zu, %s: %s", i, commands[k], f.err);
                        finished_free(&f);
                        expect_command("cat $D/old", 0, rows[i].old, "");
                }
        }
}

Test(baseline_command, a_file_that_cannot_be_written_stays_as_it_was)
{
        expect_command("$B/shmcheck baseline $D/rec -o /no/such/x", 3, "",
                       "shmcheck: --output /no/such/x: No such file or directory\n");
        expect_command("$B/shmcheck baseline $D/rec -o /dev/full", 3, "",
                       "shmcheck: --output /dev/full: No space left on device\n");
        expect_command("$B/shmcheck baseline $D/rec >/dev/full", 3, "",
                       "shmcheck: --output -: No space left on device\n");
}

Test(baseline_command, a_record_that_is_not_whole_makes_none)
{
        expect_command("head -n 4 $D/rec >$D/cut; $B/shmcheck baseline $D/cut -o $D/out", 3, "",
                       "shmcheck: the record is cut short: 3 of 11 results; no case was running when it ended; no "
                       "baseline is made of it\n");
        cr_expect(access(path_of("out"), F_OK) == -1);
}

/* Strings that would begin a comment or another line. */
Test(baseline_command, a_hostile_record_makes_one_line_a_divergence)
{
        make_record(path_of("hostile"), " # x\nmade.pass\r\n\001\xe2\x80\xae until=2001-01-01");
        expect_command("$B/shmcheck baseline $D/hostile -o $D/out 2>/dev/null && grep -c . $D/out && "
                       "grep -v '^#' $D/out | cut -d ' ' -f 1",
                       0, "8\n\nmade.crash\nmade.fail\nmade.flaky\nmade.hang\nmade.known\n", "");
        expect_command("$B/shmcheck judge $D/hostile --baseline $D/out >/dev/null 2>&1", 3, NULL, NULL);
        FILE *f = fopen(path_of("odd"), "we");
        cr_assert_not_null(f);
        write_frame(f, 0, "{\"type\":\"start\",\"format\":1,\"results\":1}");
        write_frame(f, 1, "{\"type\":\"case\",\"id\":\"made #1\",\"status\":\"crash\",\"level\":\"posix-shall\"}");
        write_frame(f, 2, "{\"type\":\"end\",\"results\":1}");
        fclose(f);
        expect_command("$B/shmcheck baseline $D/odd -o $D/odd.out", 3, "",
                       "shmcheck: the record has a case 'made #1', which no baseline can name\n");
        cr_expect(access(path_of("odd.out"), F_OK) == -1);
}

/* ---- a new one ---- */

Test(baseline_command, what_diverges_is_written_sorted_with_what_was_seen)
{
        expect_command("$B/shmcheck baseline $D/rec --until 2999-12-31", 0,
                       "# Divergences from the profile linux that are accepted, first seen on\n"
                       "# Linux 6.1 x86_64, glibc, 64-bit, uid 0, isolation ipcns.\n"
                       "# A case a line, until=YYYY-MM-DD if it is not for ever, and behind the # why.\n\n"
                       "made.crash  until=2999-12-31  # crash: crash\n"
                       "made.fail  until=2999-12-31  # fail: shmdt(0x...) expected EINVAL got ENOENT\n"
                       "made.flaky  until=2999-12-31  # flaky: rounds: 1 pass 1 fail\n"
                       "made.hang  until=2999-12-31  # hang: hang\n"
                       "made.known  until=2999-12-31  # fail: shmdt(0x...) expected EINVAL got ENOENT\n",
                       "shmcheck: baseline: 5 new, 0 kept, 0 gone\n");
}

Test(baseline_command, what_it_writes_accepts_what_it_saw)
{
        expect_command("$B/shmcheck run --agent $B/shmcheck-test-agent --timeout 0.3 --record $D/r "
                       "misbehaving.passes misbehaving.fails misbehaving.crashes misbehaving.hangs >/dev/null 2>&1",
                       1, NULL, NULL);
        expect_command("$B/shmcheck baseline - <$D/r >$D/b 2>/dev/null && "
                       "$B/shmcheck judge $D/r --baseline $D/b | grep -o 'Linux 1/4, 3 known'",
                       0, "Linux 1/4, 3 known\n", "");
        expect_command("$B/shmcheck judge $D/r --baseline $D/b >/dev/null", 0, "", "");
        expect_command("$B/shmcheck baseline $D/good.rec 2>/dev/null | grep -vc '^#'", 0, "1\n", "");
}

Test(baseline_command, judges_by_the_profile)
{
        write_file(
                "mine.json",
                "{\"profile\":\"mine\",\"title\":\"Mine\",\"refines\":\"linux\",\"overrides\":[{\"case\":\"made.f*\","
                "\"expected\":[\"ENOENT\"],\"why\":\"so\",\"source\":\"here\"}]}");
        expect_command(
                "$B/shmcheck baseline $D/rec --profile $D/mine.json 2>/dev/null | grep -v '^#' | cut -d ' ' -f 1", 0,
                "\nmade.crash\nmade.fixed\nmade.flaky\nmade.hang\nmade.known\n", "");
}

Test(baseline_command, the_readme_shows_a_line_as_it_is)
{
        struct finished f = run_command("SHMCHECK_MUTANT=detach_twice_succeeds $B/shmcheck run --record $D/mutant "
                                        "--preload $B/libshmmutant.so shmdt.error.second >/dev/null; "
                                        "$B/shmcheck baseline $D/mutant 2>/dev/null | tail -n 1");
        struct finished shown = run_command("sed -n 's/^    \\(shmdt.error.second  # .*\\)/\\1/p' README.md");
        cr_expect(has(f.out, "shmdt.error.second"), "%s%s", f.out, f.err);
        cr_expect_str_eq(shown.out, f.out);
        finished_free(&f);
        finished_free(&shown);
}

/* ---- the next version of one ---- */

#define OLD                                                                                                            \
        "# Ours, made by hand.\n"                                                                                      \
        "\n"                                                                                                           \
        "# Both of these are bug 7.\n"                                                                                 \
        "made.skip   until=2998-01-01   # cannot be tried here\n"                                                      \
        "made.known # known \xff to us # all\n"                                                                        \
        "# Gone with its line.\n"                                                                                      \
        "made.fixed\n"                                                                                                 \
        "\n"                                                                                                           \
        "# Crashes.\r\n"                                                                                               \
        "made.crash until=2001-01-01#expired\r\n"                                                                      \
        "made.record\n"                                                                                                \
        "# The end.\n"

Test(baseline_command, an_old_one_keeps_its_words_and_dates)
{
        write_file("b", OLD);
        struct finished f = run_command("$B/shmcheck baseline $D/rec --baseline $D/b --until 2999-12-31 -o $D/b");
        cr_expect_eq(f.status, 0, "%s", f.err);
        cr_expect(has(f.err, ":10: the entry for made.crash ended with 2001-01-01 and counts no more\n"), "%s", f.err);
        cr_expect(has(f.err, "shmcheck: baseline: 3 new, 4 kept, 1 gone\n"), "%s", f.err);
        finished_free(&f);
        expect_command("cat $D/b; rm $D/b; ls $D", 0,
                       "# Ours, made by hand.\n"
                       "\n"
                       "# Both of these are bug 7.\n"
                       "\n"
                       "# Crashes.\n"
                       "made.crash  until=2001-01-01  # expired\n"
                       "made.fail  until=2999-12-31  # fail: shmdt(0x...) expected EINVAL got ENOENT\n"
                       "made.flaky  until=2999-12-31  # flaky: rounds: 1 pass 1 fail\n"
                       "made.hang  until=2999-12-31  # hang: hang\n"
                       "made.known  # known \xff to us # all\n"
                       "made.record\n"
                       "made.skip  until=2998-01-01  # cannot be tried here\n"
                       "# The end.\n"
                       "good.rec\nrec\n",
                       "");
}

Test(baseline_command, made_again_of_itself_it_stays_the_same)
{
        expect_command("$B/shmcheck baseline $D/rec -o $D/1 2>/dev/null && "
                       "$B/shmcheck baseline $D/rec --baseline $D/1 -o $D/2 && cmp $D/1 $D/2",
                       0, "", "shmcheck: baseline: 0 new, 5 kept, 0 gone\n");
}

/* A record of some cases says nothing of the others. */
Test(baseline_command, what_was_not_tried_stays)
{
        write_file("b", "made.fail # kept\nmade.pass\n");
        FILE *f = fopen(path_of("part"), "we");
        cr_assert_not_null(f);
        write_frame(f, 0, "{\"type\":\"start\",\"format\":1,\"results\":0,\"all_cases\":9}");
        write_frame(f, 1, "{\"type\":\"end\",\"results\":0}");
        fclose(f);
        expect_command("$B/shmcheck baseline $D/part --baseline $D/b", 0, "made.fail  # kept\nmade.pass\n", NULL);
}

/* ---- what the reader keeps of the words ---- */

Test(baseline_command, reads_comments_and_what_stands_above)
{
        char why[4200] = "";
        write_file("b", OLD);
        struct baseline *b = baseline_load(path_of("b"), time(NULL), why, sizeof(why));
        cr_assert_not_null(b, "%s", why);
        cr_assert_eq(b->count, 5);
        cr_expect_str_eq(b->head, "# Ours, made by hand.\n\n# Both of these are bug 7.\n");
        cr_expect_str_eq(b->tail, "# The end.\n");
        cr_expect_str_eq(baseline_entry_of(b, "made.skip")->comment, "cannot be tried here");
        cr_expect_str_eq(baseline_entry_of(b, "made.crash")->above, "\n# Crashes.\n");
        cr_expect_str_eq(baseline_entry_of(b, "made.crash")->comment, "expired");
        cr_expect_null(baseline_entry_of(b, "made.record")->comment);
        cr_expect_null(baseline_entry_of(b, "made"));
        baseline_free(b);
}
