/* What changed between two records: of records made by hand, and of platforms that are run. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "difference.h"
#include "json_schema.h"
#include "made_record.h"
#include "made_value.h"
#include "test_folder.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SCHEMA "reports/diff_schema.json"

/* Ends what it could stand in, turns text round, rings the bell. */
#define HOSTILE                                                                                                        \
        "</summary></details><script>1</script>\r\n````\n| `x` @nobody [l](http://x.example)\001\033[31m"              \
        "\xe2\x80\xae"

static void make_records(void)
{
        make_folder();
        make_good_record(path_of("good.rec"), "");
        make_record(path_of("made.rec"), "");
}

TestSuite(diff, .init = make_records, .fini = remove_folder);

/* ---- records of cases made by hand ---- */

/*
 * A case: how it ended, what it saw, or why it did not end well, and what it saw in a second round if there was one.
 * Without a status the record does not have it.
 */
struct made {
        const char *status, *seen, *second_seen;
};

static void write_object(FILE *f, size_t *sequence, json_t *object)
{
        char *text = json_dumps(object, JSON_COMPACT);
        cr_assert_not_null(text);
        write_frame(f, (*sequence)++, text);
        free(text);
        json_decref(object);
}

static json_t *made_result(const char *id, const char *status, const char *told)
{
        bool done = strcmp(status, "done") == 0;
        const char *seen = done ? told : "EINVAL";
        json_t *object = json_pack(
                "{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:s,s:[{s:i,s:s,s:s,s:[s],s:s}],s:[{s:s,s:s,s:i,s:s,s:{s:[ss]}}]}",
                "type", "case", "id", id, "topic", "t", "sentence", "It works", "level", "posix-shall", "clause",
                "POSIX", "file", "f.c", "line", 7, "status", status, "steps", "n", 1, "by", "case", "call", "shmdt",
                "args", "0x7f0000000000", "ret", seen, "observations", "by", "case", "what", "result of shmdt", "step",
                1, "seen", seen, "expected", "posix", "EINVAL", "EIDRM");
        cr_assert_not_null(object);
        if (!done)
                json_object_set_new(object, "reason", json_string(told));
        return object;
}

/* Begins a record of so many results on a system of the name. */
static FILE *begin_record(const char *name, size_t *sequence, const char *sysname, size_t results)
{
        FILE *f = fopen(path_of(name), "we");
        cr_assert_not_null(f);
        *sequence = 0;
        write_object(f, sequence,
                     json_pack("{s:s,s:i,s:{s:s},s:i,s:i}", "type", "start", "format", 1, "platform", "sysname",
                               sysname, "all_cases", (int)results, "results", (int)results));
        return f;
}

static void end_record(FILE *f, size_t *sequence)
{
        write_object(f, sequence, json_pack("{s:s}", "type", "end"));
        fclose(f);
}

/* A record of one case. */
static void write_one(const char *name, const char *sysname, const char *status, const char *seen)
{
        size_t sequence = 0;
        FILE *f = begin_record(name, &sequence, sysname, 1);
        write_object(f, &sequence, made_result("a.case", status, seen));
        end_record(f, &sequence);
}

/* ---- what is refused ---- */

Test(diff, refuses_what_it_cannot_read_and_writes_nothing)
{
        static const struct {
                const char *words, *err;
        } rows[] = {
                {"", "shmcheck: diff: takes two records, the old and the new: files, or - for standard input\n"},
                {"$D/good.rec", "diff: takes two records"},
                {"$D/good.rec $D/good.rec $D/good.rec", "diff: takes two records"},
                {"$D/nowhere.rec $D/good.rec", "nowhere.rec: No such file or directory\n"},
                {"$D/good.rec $D/nowhere.rec", "nowhere.rec: No such file or directory\n"},
                {"$D/good.rec $D/noise.rec", "noise.rec: no record in it"},
                {"- - </dev/null", "diff: standard input is one record, and - was given twice\n"},
                {"--profile limux $D/good.rec $D/made.rec", "unknown profile 'limux'; the nearest is 'linux'\n"},
                {"--markdown - --json - $D/good.rec $D/made.rec", "--markdown and --json cannot both go to standard"},
                {"--color blue $D/good.rec $D/made.rec", "--color blue: takes auto, always or never\n"},
                {"--jsno x $D/good.rec $D/made.rec", "unknown option '--jsno'; the nearest is '--json'\n"},
        };
        write_file("noise.rec", "login: \r\n");
        for (size_t i = 0; i < COUNT(rows); i++) {
                char *command = NULL;
                bool has_files = strstr(rows[i].words, "--json") != NULL;
                const char *files = has_files ? "" : "--json $D/out.json --markdown $D/out.md";
                cr_assert(asprintf(&command, "$B/shmcheck diff %s %s", files, rows[i].words) > 0);
                struct finished f = run_command(command);
                cr_expect_eq(f.status, 2, "%s: %d", command, f.status);
                cr_expect(has(f.err, rows[i].err), "%s: %s", command, f.err);
                cr_expect_eq(count_lines(f.err), 1, "%s", f.err);
                cr_expect_str_empty(f.out);
                cr_expect_neq(access(path_of("out.json"), F_OK), 0, "%s", rows[i].words);
                cr_expect_neq(access(path_of("out.md"), F_OK), 0, "%s", rows[i].words);
                finished_free(&f);
                free(command);
        }
}

Test(diff, says_what_it_cannot_write)
{
        expect_parts("$B/shmcheck diff $D/good.rec $D/made.rec --json $D/no/folder", 3, "", "--json");
        cr_expect_neq(access(path_of("no"), F_OK), 0);
        if (access("/dev/full", W_OK) != 0)
                cr_skip_test("there is no /dev/full");
        expect_parts("$B/shmcheck diff $D/good.rec $D/good.rec --markdown /dev/full", 3, "no regression",
                     "--markdown /dev/full: No space left on device\n");
        expect_parts("$B/shmcheck diff $D/good.rec $D/good.rec >/dev/full", 3, "",
                     "the report could not be written: No space left on device\n");
}

Test(diff, of_a_cut_record_says_so_and_is_no_success)
{
        expect_parts("head -n 2 $D/good.rec >$D/cut.rec; $B/shmcheck diff $D/good.rec $D/cut.rec --json $D/json", 3,
                     "new: the record is cut short: 1 of 2 results", "cut.rec: the record is cut short");
        expect_parts("$B/shmcheck diff $D/cut.rec $D/good.rec", 3, "only in new: 1\n",
                     "cut.rec: the record is cut short");
        json_t *json = json_load_file(path_of("json"), 0, NULL);
        cr_expect(json_is_false(json_object_get(json, "whole")));
        json_decref(json);
}

Test(diff, of_a_cut_record_a_regression_is_one)
{
        write_one("old.rec", "Linux", "done", "EINVAL");
        write_one("new.rec", "Linux", "done", "ENOENT");
        expect_parts("head -n 2 $D/new.rec >$D/cut.rec; $B/shmcheck diff $D/old.rec $D/cut.rec", 1, "1 regression",
                     "cut");
}

Test(diff, of_a_damaged_record_says_where)
{
        expect_parts(
                "sed '3s/It works/It walks/' $D/made.rec >$D/harmed.rec; $B/shmcheck diff $D/made.rec $D/harmed.rec", 3,
                "only in old: 1\n", "1 damaged (line 3: the checksum does not fit)");
}

/* ---- what becomes of a case ---- */

#define PASSES                                                                                                         \
        {                                                                                                              \
                "done", "EINVAL", NULL                                                                                 \
        }
#define FAILS                                                                                                          \
        {                                                                                                              \
                "done", "ENOENT", NULL                                                                                 \
        }
#define SKIPPED                                                                                                        \
        {                                                                                                              \
                "skip", "needs root", NULL                                                                             \
        }
#define UNTRIED                                                                                                        \
        {                                                                                                              \
                "setup", "no segment", NULL                                                                            \
        }
#define CRASHES                                                                                                        \
        {                                                                                                              \
                "crash", "SIGSEGV", NULL                                                                               \
        }
#define HANGS                                                                                                          \
        {                                                                                                              \
                "hang", "no end", NULL                                                                                 \
        }
#define WAVERS                                                                                                         \
        {                                                                                                              \
                "done", "EINVAL", "ENOENT"                                                                             \
        }
#define ABSENT                                                                                                         \
        {                                                                                                              \
                NULL, NULL, NULL                                                                                       \
        }

static const struct {
        struct made before, after;
        const char *change;
} changes[] = {
        {PASSES, PASSES, "none"},
        {PASSES, FAILS, "regression"},
        {PASSES, CRASHES, "regression"},
        {PASSES, HANGS, "regression"},
        {PASSES, WAVERS, "regression"},
        {PASSES, SKIPPED, "no-longer-judged"},
        {PASSES, {"done", "EIDRM", NULL}, "seen-otherwise"},
        {PASSES, ABSENT, "gone"},
        {FAILS, PASSES, "fix"},
        {WAVERS, PASSES, "fix"},
        {FAILS, FAILS, "none"},
        {FAILS, {"done", "EPERM", NULL}, "diverges-otherwise"},
        {FAILS, CRASHES, "diverges-otherwise"},
        {WAVERS, FAILS, "diverges-otherwise"},
        {CRASHES, CRASHES, "none"},
        {CRASHES, {"crash", "SIGBUS", NULL}, "diverges-otherwise"},
        {FAILS, SKIPPED, "no-longer-judged"},
        {HANGS, UNTRIED, "no-longer-judged"},
        {FAILS, ABSENT, "gone"},
        {SKIPPED, PASSES, "newly-judged"},
        {SKIPPED, FAILS, "newly-judged"},
        {UNTRIED, PASSES, "newly-judged"},
        {SKIPPED, SKIPPED, "none"},
        {SKIPPED, {"skip", "needs hugepages", NULL}, "seen-otherwise"},
        {SKIPPED, UNTRIED, "seen-otherwise"},
        {ABSENT, PASSES, "new"},
        {ABSENT, FAILS, "new"},
        {{"done", "140320169918464", NULL}, {"done", "140536147738624", NULL}, "none"}, /* an address */
        {{"done", "3", NULL}, {"done", "4", NULL}, "diverges-otherwise"},
};

static void write_changes(const char *name, bool after)
{
        size_t sequence = 0;
        size_t results = 0;
        for (size_t i = 0; i < COUNT(changes); i++) {
                const struct made *m = after ? &changes[i].after : &changes[i].before;
                results += m->status != NULL;
                results += m->second_seen != NULL;
        }
        FILE *f = begin_record(name, &sequence, "Linux", results);
        for (size_t i = 0; i < COUNT(changes); i++) {
                const struct made *m = after ? &changes[i].after : &changes[i].before;
                char id[32];
                snprintf(id, sizeof(id), "case.%02zu", i);
                if (m->status)
                        write_object(f, &sequence, made_result(id, m->status, m->seen));
                if (m->second_seen)
                        write_object(f, &sequence, made_result(id, m->status, m->second_seen));
        }
        end_record(f, &sequence);
}

static const char *change_of(const json_t *json, const char *id)
{
        size_t i = 0;
        json_t *one = NULL;
        json_array_foreach(json_object_get(json, "cases"), i, one)
        {
                if (strcmp(json_string_value(json_object_get(one, "id")), id) == 0)
                        return json_string_value(json_object_get(one, "change"));
        }
        return "none";
}

Test(diff, tells_what_became_of_each_case)
{
        write_changes("old.rec", false);
        write_changes("new.rec", true);
        struct finished f = run_command("$B/shmcheck diff $D/old.rec $D/new.rec --json $D/json --markdown $D/md");
        cr_expect_eq(f.status, 1, "%d", f.status);
        json_t *json = json_load_file(path_of("json"), 0, NULL);
        cr_assert_not_null(json);
        for (size_t i = 0; i < COUNT(changes); i++) {
                char id[32];
                snprintf(id, sizeof(id), "case.%02zu", i);
                cr_expect_str_eq(change_of(json, id), changes[i].change, "%s: %s", id, change_of(json, id));
        }
        cr_expect(has(f.out, "4 regressions, 5 diverge otherwise, 2 fixes, 3 no longer judged, 3 newly judged "
                             "(1 diverges), 3 seen otherwise, 2 new (1 diverges), 2 gone, 5 as before"),
                  "%s", f.out);
        json_decref(json);
        finished_free(&f);
        expect_by_schema(SCHEMA, "$D/json", "");
}

Test(diff, exit_status_is_of_what_became_of_the_cases)
{
        static const struct {
                struct made before, after;
                int status;
        } rows[] = {
                {PASSES, PASSES, 0},  {PASSES, FAILS, 1},  {FAILS, PASSES, 0},    {PASSES, SKIPPED, 0},
                {PASSES, UNTRIED, 3}, {FAILS, UNTRIED, 3}, {SKIPPED, UNTRIED, 0}, {SKIPPED, FAILS, 0},
                {FAILS, CRASHES, 0},  {FAILS, FAILS, 0},   {UNTRIED, UNTRIED, 0},
        };
        for (size_t i = 0; i < COUNT(rows); i++) {
                write_one("old.rec", "Linux", rows[i].before.status, rows[i].before.seen);
                write_one("new.rec", "Linux", rows[i].after.status, rows[i].after.seen);
                struct finished f = run_command("$B/shmcheck diff $D/old.rec $D/new.rec");
                cr_expect_eq(f.status, rows[i].status, "row %zu: %d\n%s", i, f.status, f.out);
                finished_free(&f);
        }
}

Test(diff, platforms_of_two_systems_are_held_to_what_both_promise)
{
        write_one("linux.rec", "Linux", "done", "EINVAL");
        write_one("other.rec", "FreeBSD", "done", "ENOENT");
        expect_parts("$B/shmcheck diff $D/linux.rec $D/other.rec", 1, "POSIX 1/1, now 0/1", "");
        expect_parts("$B/shmcheck diff $D/linux.rec $D/linux.rec", 0, "Linux 1/1, now 1/1", "");
        expect_parts("$B/shmcheck diff $D/linux.rec $D/other.rec --profile linux", 1, "Linux 1/1, now 0/1", "");
}

Test(diff, takes_a_record_from_standard_input)
{
        expect_parts("$B/shmcheck diff $D/good.rec - <$D/good.rec", 0, "new  -: Linux 6.1", "");
        expect_parts("$B/shmcheck diff - $D/good.rec --json - <$D/good.rec", 0, "\"none\": 2\n", "no regression");
}

/* ---- what is told ---- */

Test(diff, tells_what_a_broken_platform_does_otherwise, .timeout = 60)
{
        expect_parts("$B/shmcheck run 'shmdt.error.*' --record $D/linux.rec >/dev/null", 0, "", "");
        expect_parts(
                "SHMCHECK_MUTANT=detach_twice_succeeds $B/shmcheck run --preload $B/libshmmutant.so 'shmdt.error.*' "
                "--record $D/twice.rec >/dev/null",
                1, "", "");
        struct finished f = run_command("$B/shmcheck diff $D/linux.rec $D/twice.rec");
        cr_expect_eq(f.status, 1);
        cr_expect(has(f.out, "\nnew  "), "%s", f.out);
        cr_expect(has(f.out, "twice.rec: preload:libshmmutant.so on Linux"), "%s", f.out);
        cr_expect(has(f.out, "\nREGRESSION shmdt.error.second   pass, now fail\n"
                             "     A second shmdt of an address: EINVAL, and nothing changes\n"),
                  "%s", f.out);
        cr_expect(has(f.out, ": expected EINVAL, was EINVAL, is 0\n"), "%s", f.out);
        cr_expect(has(f.out, "-1 EINVAL        0\n"), "side by side: %s", f.out);
        finished_free(&f);
        expect_parts("$B/shmcheck diff $D/twice.rec $D/linux.rec", 0, "\nFIX shmdt.error.second   fail, now pass\n",
                     "");
        expect_parts("$B/shmcheck diff $D/linux.rec $D/linux.rec", 0, "\nno regression, ", "");
}

Test(diff, two_runs_of_one_platform_do_not_differ, .timeout = 60)
{
        expect_parts("for i in 1 2; do $B/shmcheck run 'shmget.*' 'shmctl.stat.*' 'ftok.*' --record $D/$i.rec "
                     ">/dev/null; done; "
                     "$B/shmcheck diff $D/1.rec $D/2.rec | sed 's/[0-9][0-9]* /N /'",
                     0, "\nno regression, N as before", "");
}

Test(diff, holds_the_same_reasons_together)
{
        size_t sequence = 0;
        for (int after = 0; after < 2; after++) {
                FILE *f = begin_record(after ? "new.rec" : "old.rec", &sequence, "Linux", 20);
                for (int i = 0; i < 20; i++) {
                        char id[32];
                        snprintf(id, sizeof(id), "case.%02d", i);
                        write_object(f, &sequence,
                                     after ? made_result(id, "skip", i < 18 ? "needs root" : "needs luck")
                                           : made_result(id, "done", "EINVAL"));
                }
                end_record(f, &sequence);
        }
        expect_parts("$B/shmcheck diff $D/old.rec $D/new.rec", 0,
                     "no longer judged: 20\n"
                     "  2 pass, now skip: needs luck\n"
                     "     case.18, case.19\n"
                     "  18 pass, now skip: needs root\n"
                     "     case.00, case.01, case.02, case.03, case.04, case.05, and 12 more\n",
                     "");
}

Test(diff, tells_which_needs_are_met_by_one_of_them)
{
        static const char *const missing[] = {
                "{\"type\":\"start\",\"format\":1,\"results\":0,\"missing\":{\"root\":\"a\"}}",
                "{\"type\":\"start\",\"format\":1,\"results\":0,\"all_cases\":3,"
                "\"missing\":{\"two-uids\":\"b\",\"proc\":\"c\"}}"};
        for (size_t i = 0; i < 2; i++) {
                FILE *f = fopen(path_of(i ? "new.rec" : "old.rec"), "we");
                cr_assert_not_null(f);
                write_frame(f, 0, missing[i]);
                write_frame(f, 1, "{\"type\":\"end\"}");
                fclose(f);
        }
        expect_parts("$B/shmcheck diff $D/old.rec $D/new.rec", 0,
                     "     new lacks what old had: two-uids (b), proc (c)\n"
                     "     new has what old lacked: root (a)\n"
                     "     of new a part was run: 0 of 3 cases\n",
                     "");
}

Test(diff, colors_only_where_they_are_wanted)
{
        write_one("old.rec", "Linux", "done", "EINVAL");
        write_one("new.rec", "Linux", "done", "ENOENT");
        expect_parts("$B/shmcheck diff $D/old.rec $D/new.rec --color always", 1, "\033[1;31mREGRESSION\033[0m", "");
        struct finished f = run_command("$B/shmcheck diff $D/old.rec $D/new.rec");
        cr_expect_null(strchr(f.out, '\033'));
        finished_free(&f);
}

/* ---- steps and observations ---- */

struct two_cases {
        struct arena values;
        const struct value *results[2];
        struct record_case of[2];
        struct judged_case judged[2];
        struct case_difference d;
};

static void make_cases(struct two_cases *two, const char *before, const char *after)
{
        const char *const texts[] = {before, after};
        memset(two, 0, sizeof(*two));
        for (size_t i = 0; i < 2; i++) {
                two->results[i] = made_value(&two->values, texts[i]);
                two->of[i] = (struct record_case){.id = "a.case", .results = &two->results[i], .count = 1};
                two->judged[i] = (struct judged_case){.of = &two->of[i], .reason = ""};
        }
        two->d = (struct case_difference){.before = &two->judged[0], .after = &two->judged[1]};
}

#define STEP(call, argument, ret)                                                                                      \
        "{\"by\":\"case\",\"call\":\"" call "\",\"args\":[\"" argument "\"],\"ret\":\"" ret "\"}"
#define STEPS(steps) "{\"steps\":[" steps "]}"

/* A sign a pair: "=" and "!" for the same call with the same result or another, "<" and ">" for what only one has. */
static void expect_pairs(const char *before, const char *after, const char *signs)
{
        struct two_cases two;
        size_t count = 0;
        char seen[64] = "";
        make_cases(&two, before, after);
        struct step_pair *pairs = pair_steps(&two.d, &count);
        cr_assert(pairs && count < sizeof(seen));
        for (size_t i = 0; i < count; i++)
                seen[i] = !pairs[i].after ? '<' : !pairs[i].before ? '>' : pairs[i].differs ? '!' : '=';
        cr_expect_str_eq(seen, signs, "%s and %s", before, after);
        free(pairs);
        arena_free(&two.values);
}

Test(difference, of_steps_puts_the_same_calls_side_by_side)
{
        static const struct {
                const char *before, *after, *signs;
        } rows[] = {
                {"{}", "{}", ""},
                {STEPS(STEP("a", "1", "0")), "{}", "<"},
                {"{}", STEPS(STEP("a", "1", "0")), ">"},
                {STEPS(STEP("a", "1", "0")), STEPS(STEP("a", "1", "0")), "="},
                {STEPS(STEP("a", "1", "0")), STEPS(STEP("a", "1", "1")), "!"},
                {STEPS(STEP("a", "1", "0")), STEPS(STEP("a", "2", "0")), "<>"},
                {STEPS(STEP("a", "0x7f0000000000", "65537")), STEPS(STEP("a", "0x7f1111111111", "98306")), "="},
                {STEPS(STEP("a", "", "0") "," STEP("b", "", "0")),
                 STEPS(STEP("a", "", "0") "," STEP("c", "", "0") "," STEP("b", "", "1")), "=>!"},
                {STEPS(STEP("a", "", "0") "," STEP("b", "", "0") "," STEP("c", "", "0")),
                 STEPS(STEP("c", "", "0") "," STEP("a", "", "0") "," STEP("b", "", "0")), ">==<"},
                {STEPS(STEP("a", "", "0") "," STEP("b", "", "0") "," STEP("c", "", "0") "," STEP("d", "", "0")),
                 STEPS(STEP("d", "", "0") "," STEP("c", "", "0") "," STEP("a", "", "0") "," STEP("b", "", "0")),
                 ">>==<<"},
                {STEPS(STEP("d", "", "0") "," STEP("c", "", "0") "," STEP("a", "", "0") "," STEP("b", "", "0")),
                 STEPS(STEP("a", "", "0") "," STEP("b", "", "0") "," STEP("c", "", "0") "," STEP("d", "", "0")),
                 "<<==>>"},
        };
        for (size_t i = 0; i < COUNT(rows); i++)
                expect_pairs(rows[i].before, rows[i].after, rows[i].signs);
}

/* More steps than are held against each other one by one. */
Test(difference, of_very_many_steps_takes_no_longer_than_it_may)
{
        char *text = NULL;
        size_t size = 0;
        size_t count = 0;
        struct two_cases two;
        FILE *f = open_memstream(&text, &size);
        cr_assert_not_null(f);
        fputs("{\"steps\":[", f);
        for (int i = 0; i < 20000; i++)
                fprintf(f, "%s{\"call\":\"a\",\"args\":[\"%d\"],\"ret\":\"0\"}", i ? "," : "", i % 10);
        fputs("]}", f);
        fclose(f);
        make_cases(&two, text, text);
        struct step_pair *pairs = pair_steps(&two.d, &count);
        cr_assert_not_null(pairs);
        cr_expect_eq(count, 20000);
        cr_expect(!pairs[19999].differs);
        free(pairs);
        arena_free(&two.values);
        free(text);
}

#define SEEN(what, seen, expected)                                                                                     \
        "{\"by\":\"case\",\"what\":\"" what "\",\"seen\":\"" seen "\",\"expected\":{\"linux\":[" expected "]}}"
#define OBSERVATIONS(all) "{\"observations\":[" all "]}"

Test(difference, of_observations_is_what_tells_platforms_apart)
{
        static const struct {
                const char *before, *after, *signs; /* as above */
        } rows[] = {
                {OBSERVATIONS(SEEN("a", "1", "\"1\"")), OBSERVATIONS(SEEN("a", "1", "\"1\"")), "="},
                {OBSERVATIONS(SEEN("a", "1", "\"1\"")), OBSERVATIONS(SEEN("a", "2", "\"1\"")), "!"},
                {OBSERVATIONS(SEEN("a", "1", "\"1\"")), OBSERVATIONS(SEEN("a", "2", "\"2\"")), "="},
                {OBSERVATIONS(SEEN("a", "1", "\"1\",\"2\"")), OBSERVATIONS(SEEN("a", "2", "\"1\",\"2\"")), "!"},
                {OBSERVATIONS(SEEN("a", "2", "\"1\"")), OBSERVATIONS(SEEN("a", "2", "\"3\"")), "!"},
                {OBSERVATIONS(SEEN("a", "12345", "\"1\"")), OBSERVATIONS(SEEN("a", "67890", "\"1\"")), "="},
                {OBSERVATIONS(SEEN("a", "1", "\"1\"") "," SEEN("b", "2", "\"1\"")),
                 OBSERVATIONS(SEEN("b", "2", "\"1\"") "," SEEN("a", "1", "\"1\"")), "=="},
                {OBSERVATIONS(SEEN("a", "1", "\"1\"")), OBSERVATIONS(SEEN("b", "2", "\"1\"")), "!-"},
        };
        char why[4200] = "";
        struct profile *p = profile_load("cases/profiles", "linux", why, sizeof(why));
        cr_assert_not_null(p, "%s", why);
        const struct judgement j = {.profile = p};
        const struct difference diff = {.before = &j, .after = &j};
        for (size_t i = 0; i < COUNT(rows); i++) {
                struct two_cases two;
                size_t count = 0;
                char seen[8] = "";
                make_cases(&two, rows[i].before, rows[i].after);
                struct observation_pair *pairs = pair_observations(&diff, &two.d, &count);
                cr_assert(pairs && count < sizeof(seen));
                for (size_t k = 0; k < count; k++)
                        seen[k] = pairs[k].differs ? '!' : pairs[k].after ? '=' : '-';
                cr_expect_str_eq(seen, rows[i].signs, "row %zu: %s", i, seen);
                free(pairs);
                arena_free(&two.values);
        }
        profile_free(p);
}

/* ---- what does no harm, and what fits ---- */

Test(diff, makes_text_of_a_record_harmless)
{
        make_record(path_of("hostile.rec"), HOSTILE);
        struct finished f =
                run_command("$B/shmcheck diff $D/made.rec $D/hostile.rec --markdown $D/md --json $D/json; "
                            "$B/shmcheck diff $D/hostile.rec $D/good.rec --markdown $D/md2; cat $D/md $D/md2");
        cr_expect_eq(f.status, 0);
        for (const char *p = f.out; *p; p++)
                cr_assert(*p == '\n' || (unsigned char)*p >= ' ', "control character %d", *p);
        finished_free(&f);
        if (system("command -v cmark-gfm >/dev/null") == 0) {
                /* It tells the texts in fences and in folded lines, and no more. */
                expect_parts(
                        "cmark-gfm --unsafe -e table -e autolink $D/md $D/md2 >$D/html; grep -c '<script\\|<a \\|<img' "
                        "$D/html; grep -c '<details>' $D/html; grep -c '</details>' $D/html",
                        0, "0\n7\n7\n", "");
        }
        expect_by_schema(SCHEMA, "$D/json", "");
}

Test(diff, json_that_is_not_as_its_schema_says_is_refused)
{
        /* Without this the tests above would say nothing. */
        static const struct {
                const char *edit, *told;
        } rows[] = {
                {"s/\"topic\"/\"topik\"/", "'topik' was unexpected"},
                {"s/\"regression\",$/\"degression\",/", "'degression' is not one of"},
                {"/\"whole\"/d", "'whole' is a required property"},
        };
        write_one("old.rec", "Linux", "done", "EINVAL");
        write_one("new.rec", "Linux", "done", "ENOENT");
        expect_parts("$B/shmcheck diff $D/old.rec $D/new.rec --json $D/json", 1, "", "");
        for (size_t i = 0; i < COUNT(rows); i++) {
                char *command = NULL;
                cr_assert(asprintf(&command, "sed '%s' $D/json >$D/wrong", rows[i].edit) > 0);
                expect_parts(command, 0, "", "");
                free(command);
                expect_by_schema(SCHEMA, "$D/wrong", rows[i].told);
        }
}

/* A record of so many cases that pass, or that all fail. */
static void write_many(const char *name, size_t count, const char *seen)
{
        size_t sequence = 0;
        FILE *f = begin_record(name, &sequence, "Linux", count);
        for (size_t i = 0; i < count; i++) {
                char id[32];
                snprintf(id, sizeof(id), "case.%05zu", i);
                write_object(f, &sequence, made_result(id, "done", seen));
        }
        end_record(f, &sequence);
}

Test(diff, markdown_fits_a_comment)
{
        write_many("old.rec", 2000, "EINVAL");
        write_many("new.rec", 2000, "ENOENT");
        expect_parts("$B/shmcheck diff $D/old.rec $D/new.rec --markdown $D/md >/dev/null; wc -c <$D/md; cat $D/md", 0,
                     "Left out for want of room: ", "");
        expect_parts("[ $(wc -c <$D/md) -lt 65536 ] && [ $(wc -c <$D/md) -gt 40000 ]", 0, "", "");
        expect_parts("head -n 1 $D/md", 0, "### shmcheck diff: 2000 regressions\n", "");
}

Test(diff, is_the_same_each_time)
{
        make_record(path_of("hostile.rec"), HOSTILE);
        expect_parts("for i in 1 2; do $B/shmcheck diff $D/good.rec $D/hostile.rec --json $D/j$i --markdown $D/m$i "
                     ">$D/t$i; done; cd $D; cmp j1 j2 && cmp m1 m2 && cmp t1 t2",
                     0, "", "");
}
