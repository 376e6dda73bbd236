/* What the judge makes of results, profile and baseline. */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "made_value.h"
#include "test_folder.h"
#include "verdict.h"

#define PROFILES "cases/profiles"

static struct profile *load(const char *name)
{
        char why[4200] = "";
        struct profile *p = profile_load(PROFILES, name, why, sizeof(why));
        cr_assert_not_null(p, "%s", why);
        return p;
}

/* A record of one case with these results; all of it belongs to the caller. */
struct one_case {
        struct record record;
        struct record_case c;
        const struct value *results[4];
        struct arena values;
};

static void make_case(struct one_case *one, const char *const *results, size_t count)
{
        memset(one, 0, sizeof(*one));
        for (size_t i = 0; i < count; i++)
                one->results[i] = made_value(&one->values, results[i]);
        one->c = (struct record_case){.id = "some.case", .results = one->results, .count = count};
        one->record = (struct record){.cases = &one->c, .case_count = 1, .results = count, .ended = true};
        one->record.start = json_pack("{s:i}", "results", (int)count);
}

static void free_case(struct one_case *one)
{
        arena_free(&one->values);
        json_decref(one->record.start);
}

static enum verdict judge_with(const char *const *results, size_t count, const char *profile, const char *baseline,
                               int *exit_status)
{
        struct one_case one;
        struct profile *p = load(profile);
        struct baseline_entry entry = {.id = (char *)(uintptr_t)baseline};
        struct baseline b = {.entries = &entry, .count = 1};
        make_case(&one, results, count);
        struct judgement *j = judge_record(&one.record, p, baseline ? &b : NULL);
        cr_assert_not_null(j);
        enum verdict v = j->cases[0].verdict;
        if (exit_status)
                *exit_status = judgement_exit_status(j, &one.record);
        judgement_free(j);
        free_case(&one);
        profile_free(p);
        return v;
}

#define RESULT(level, status, observations)                                                                            \
        "{\"level\":\"" level "\",\"status\":\"" status "\",\"observations\":[" observations "]}"
#define SEEN(seen, expected) "{\"what\":\"w\",\"seen\":\"" seen "\",\"expected\":" expected "}"
#define AGENT(seen) "{\"by\":\"agent\",\"what\":\"w\",\"seen\":\"" seen "\",\"expected\":{\"posix\":[\"1\"]}}"
#define BOTH "{\"posix\":[\"EINVAL\",\"EIDRM\"],\"linux\":[\"EINVAL\"]}"

Test(verdict, follows_the_profile_and_what_it_refines)
{
        static const struct {
                const char *result, *profile;
                enum verdict verdict;
                int exit_status;
        } rows[] = {
                {RESULT("posix-shall", "done", SEEN("EINVAL", BOTH)), "linux", VERDICT_PASS, 0},
                {RESULT("posix-shall", "done", SEEN("EIDRM", BOTH)), "posix", VERDICT_PASS, 0},
                {RESULT("posix-shall", "done", SEEN("EIDRM", BOTH)), "linux", VERDICT_FAIL, 1},
                {RESULT("posix-shall", "done", SEEN("success", BOTH)), "posix", VERDICT_FAIL, 1},
                {RESULT("posix-shall", "done", SEEN("7", "{\"posix\":[\"7\"]}")), "linux", VERDICT_PASS, 0},
                {RESULT("posix-shall", "done", SEEN("8", "{\"posix\":[\"7\"]}")), "linux", VERDICT_FAIL, 1},
                {RESULT("posix-may", "done", SEEN("8", "{}")), "posix", VERDICT_RECORD, 0},
                {RESULT("posix-may", "done", SEEN("8", "{\"linux\":[\"8\"]}")), "posix", VERDICT_RECORD, 0},
                {RESULT("linux", "done", SEEN("8", "{\"linux\":[\"9\"]}")), "posix", VERDICT_RECORD, 0},
                {RESULT("linux", "done", SEEN("8", "{\"linux\":[\"9\"]}")), "linux", VERDICT_FAIL, 1},
                {RESULT("linux-undocumented", "done", SEEN("9", "{\"linux\":[\"9\"]}")), "linux", VERDICT_PASS, 0},
                {RESULT("linux", "crash", ""), "posix", VERDICT_RECORD, 0},
                {RESULT("linux", "crash", ""), "linux", VERDICT_CRASH, 1},
                {RESULT("posix-shall", "hang", ""), "posix", VERDICT_HANG, 1},
                {RESULT("posix-shall", "skip", ""), "posix", VERDICT_SKIP, 0},
                {RESULT("posix-shall", "not-applicable", ""), "posix", VERDICT_SKIP, 0},
                {RESULT("posix-shall", "setup", ""), "posix", VERDICT_ERROR, 3},
                {RESULT("posix-shall", "setup", SEEN("EINVAL", BOTH)), "posix", VERDICT_ERROR, 3},
                {RESULT("posix-shall", "setup", SEEN("ENOENT", BOTH)), "posix", VERDICT_FAIL, 1},
                {RESULT("posix-may", "done", AGENT("1")), "posix", VERDICT_RECORD, 0},
                {RESULT("posix-may", "done", AGENT("0")), "posix", VERDICT_FAIL, 1},
                {RESULT("posix-shall", "error", ""), "posix", VERDICT_ERROR, 3},
                {RESULT("posix-shall", "melted", ""), "posix", VERDICT_ERROR, 3},
        };
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                int exit_status = -1;
                enum verdict v = judge_with(&rows[i].result, 1, rows[i].profile, NULL, &exit_status);
                cr_expect_eq(v, rows[i].verdict, "row %zu: %s", i, verdict_name(v));
                cr_expect_eq(exit_status, rows[i].exit_status, "row %zu: exit %d", i, exit_status);
        }
}

/* What was seen before the end counts, also where a case may end so. */
Test(verdict, an_ending_that_is_allowed_hides_nothing, .init = make_folder, .fini = remove_folder)
{
        static const struct {
                const char *result;
                enum verdict verdict;
        } rows[] = {
                {RESULT("posix-shall", "hang", ""), VERDICT_PASS},
                {RESULT("posix-shall", "hang", SEEN("EINVAL", BOTH)), VERDICT_PASS},
                {RESULT("posix-shall", "hang", SEEN("success", BOTH)), VERDICT_FAIL},
                {RESULT("posix-shall", "crash", ""), VERDICT_CRASH},
                {RESULT("posix-shall", "done", SEEN("EINVAL", BOTH)), VERDICT_PASS},
        };
        write_file("may_hang.json", "{\"profile\":\"may_hang\",\"title\":\"t\",\"judges\":[\"posix-shall\"],"
                                    "\"overrides\":[{\"case\":\"some.case\",\"what\":\"ending\",\"expected\":"
                                    "[\"hang\"],\"why\":\"x\",\"source\":\"y\"},{\"case\":\"some.case\",\"what\":"
                                    "\"w\",\"expected\":[\"EINVAL\"],\"why\":\"x\",\"source\":\"y\"}]}");
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                enum verdict v = judge_with(&rows[i].result, 1, path_of("may_hang.json"), NULL, NULL);
                cr_expect_eq(v, rows[i].verdict, "row %zu: %s", i, verdict_name(v));
        }
}

Test(verdict, one_bad_observation_among_good_ones_fails)
{
        static const char *const result =
                RESULT("posix-shall", "done", SEEN("EINVAL", BOTH) "," SEEN("ENOENT", BOTH) "," SEEN("EINVAL", BOTH));
        cr_expect_eq(judge_with(&result, 1, "linux", NULL, NULL), VERDICT_FAIL);
}

Test(verdict, rounds_that_differ_are_flaky_and_never_averaged)
{
        static const char *const rounds[] = {RESULT("posix-shall", "done", SEEN("EINVAL", BOTH)),
                                             RESULT("posix-shall", "done", SEEN("EINVAL", BOTH)),
                                             RESULT("posix-shall", "done", SEEN("ENOENT", BOTH))};
        static const char *const skips[] = {RESULT("posix-shall", "done", SEEN("EINVAL", BOTH)),
                                            RESULT("posix-shall", "skip", "")};
        int exit_status = -1;
        cr_expect_eq(judge_with(rounds, 3, "linux", NULL, &exit_status), VERDICT_FLAKY);
        cr_expect_eq(exit_status, 1);
        cr_expect_eq(judge_with(rounds, 2, "linux", NULL, &exit_status), VERDICT_PASS);
        cr_expect_eq(judge_with(skips, 2, "linux", NULL, &exit_status), VERDICT_FLAKY);
}

Test(verdict, a_baseline_accepts_a_divergence_and_tells_when_it_is_gone)
{
        static const char *const pass = RESULT("posix-shall", "done", SEEN("EINVAL", BOTH));
        static const char *const fail = RESULT("posix-shall", "done", SEEN("ENOENT", BOTH));
        static const char *const crash = RESULT("posix-shall", "crash", "");
        static const char *const skip = RESULT("posix-shall", "skip", "");
        int exit_status = -1;
        cr_expect_eq(judge_with(&fail, 1, "linux", "some.case", &exit_status), VERDICT_KNOWN);
        cr_expect_eq(exit_status, 0);
        cr_expect_eq(judge_with(&crash, 1, "linux", "some.case", &exit_status), VERDICT_KNOWN);
        cr_expect_eq(judge_with(&pass, 1, "linux", "some.case", &exit_status), VERDICT_FIXED);
        cr_expect_eq(exit_status, 1);
        cr_expect_eq(judge_with(&skip, 1, "linux", "some.case", NULL), VERDICT_SKIP);
        cr_expect_eq(judge_with(&fail, 1, "linux", "other.case", NULL), VERDICT_FAIL);
}

Test(verdict, an_incomplete_record_is_never_a_success)
{
        static const char *const pass = RESULT("posix-shall", "done", SEEN("EINVAL", BOTH));
        struct one_case one;
        struct profile *p = load("linux");
        make_case(&one, &pass, 1);
        one.record.ended = false;
        struct judgement *j = judge_record(&one.record, p, NULL);
        cr_expect_eq(judgement_exit_status(j, &one.record), 3);
        judgement_free(j);
        free_case(&one);
        profile_free(p);
}

Test(verdict, allowed_results_are_texts_and_ranges_of_numbers)
{
        static const struct {
                const char *seen, *allowed;
                bool is;
        } rows[] = {
                {"5", "5", true},
                {"5", "4..6", true},
                {"4", "4..6", true},
                {"6", "4..6", true},
                {"7", "4..6", false},
                {"-1", "-2..0", true},
                {"x", "4..6", false},
                {"", "4..6", false},
                {"5x", "4..6", false},
                {"4..6", "4..6", true},
                {"05", "5", false},
                {"5", "..", false},
                {"5", "4..", false},
                {"yes", "yes", true},
                {"no", "yes", false},
                {"EINVAL", "EINVA", false},
                {"99999999999999999999", "0..5", false},
        };
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                char list[64];
                struct arena values = {NULL, 0};
                snprintf(list, sizeof(list), "[\"%s\"]", rows[i].allowed);
                cr_expect_eq(result_is_allowed(rows[i].seen, made_value(&values, list)), rows[i].is, "%s in %s",
                             rows[i].seen, rows[i].allowed);
                arena_free(&values);
        }
}
