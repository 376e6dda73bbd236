/* Profiles and baselines as files that people write, and get wrong. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "baseline.h"
#include "nearest.h"
#include "profile.h"

static char folder[64];

static void make_folder(void)
{
        snprintf(folder, sizeof(folder), "/tmp/shmcheck-test-XXXXXX");
        cr_assert_not_null(mkdtemp(folder));
}

static void remove_folder(void)
{
        char command[128];
        snprintf(command, sizeof(command), "rm -r %s", folder);
        cr_assert_eq(system(command), 0); // NOLINT(cert-env33-c)
}

static const char *write_file(const char *name, const char *text)
{
        static char path[128];
        snprintf(path, sizeof(path), "%s/%s", folder, name);
        FILE *f = fopen(path, "we");
        cr_assert_not_null(f);
        fputs(text, f);
        fclose(f);
        return path;
}

#define HEAD "{\"profile\":\"p\",\"title\":\"P\""

Test(profile, says_what_is_wrong_and_where, .init = make_folder, .fini = remove_folder)
{
        static const struct {
                const char *text, *why;
        } rows[] = {
                {"{\n \"profile\": ,\n}", "p.json:2:13: unexpected token near ','"},
                {HEAD ",\"title\":\"Q\"}", ": duplicate object key near '\"title\"'"},
                {"", "p.json:1:0: '[' or '{' expected near end of file"},
                {"{\"profile\":\"p\"}", "a profile has a \"profile\" (its name) and a \"title\""},
                {HEAD ",\"refines\":7}", "\"refines\" is the name of a profile"},
                {HEAD ",\"refines\":\"q\"}", "unknown profile 'q'; the nearest is 'p'"},
                {HEAD ",\"refines\":\"p\"}", "refined too often, or in a circle"},
                {HEAD ",\"judges\":7}", "\"judges\" is an array of levels"},
                {HEAD ",\"overrides\":7}", "\"overrides\" is an array"},
                {HEAD ",\"overrides\":[7]}", "an override is an object"},
                {HEAD ",\"overrides\":[{}]}", "an override names its \"case\""},
                {HEAD ",\"overrides\":[{\"case\":\"a\"}]}", "an override has an array \"expected\""},
                {HEAD ",\"overrides\":[{\"case\":\"a\",\"expected\":[7]}]}", "\"expected\" holds strings"},
                {HEAD ",\"overrides\":[{\"case\":\"a\",\"expected\":[]}]}",
                 "an override says \"why\", and its \"source\""},
        };
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                char why[4200] = "";
                write_file("p.json", rows[i].text);
                cr_expect_null(profile_load(folder, "p", why, sizeof(why)));
                cr_expect_not_null(strstr(why, rows[i].why), "row %zu: %s", i, why);
                cr_expect_null(strchr(why, '\n'), "row %zu: %s", i, why);
        }
}

Test(profile, an_override_comes_before_what_the_check_says, .init = make_folder, .fini = remove_folder)
{
        char why[4200] = "";
        write_file("posix.json", "{\"profile\":\"posix\",\"title\":\"POSIX\",\"judges\":[\"posix-shall\"]}");
        write_file("p.json",
                   HEAD ",\"refines\":\"posix\",\"overrides\":["
                        "{\"case\":\"a.*\",\"what\":\"w\",\"expected\":[\"EIDRM\"],\"why\":\"x\",\"source\":\"y\"}]}");
        struct profile *p = profile_load(folder, "p", why, sizeof(why));
        cr_assert_not_null(p, "%s", why);
        json_t *w = json_pack("{s:s,s:{s:[s]}}", "what", "w", "expected", "posix", "EINVAL");
        json_t *other = json_pack("{s:s,s:{s:[s]}}", "what", "v", "expected", "posix", "EINVAL");
        cr_expect_str_eq(json_string_value(json_array_get(profile_expected(p, "a.b", w), 0)), "EIDRM");
        cr_expect_str_eq(json_string_value(json_array_get(profile_expected(p, "a.b", other), 0)), "EINVAL");
        cr_expect_str_eq(json_string_value(json_array_get(profile_expected(p, "b.b", w), 0)), "EINVAL");
        cr_expect(profile_judges(p, "posix-shall"));
        cr_expect(!profile_judges(p, "linux"));
        cr_expect(!profile_judges(p, NULL));
        json_decref(w);
        json_decref(other);
        profile_free(p);
}

Test(profile, the_project_s_own_are_sound)
{
        char why[4200] = "";
        static const char *const names[] = {"posix", "linux"};
        for (size_t i = 0; i < 2; i++) {
                struct profile *p = profile_load("cases/profiles", names[i], why, sizeof(why));
                cr_assert_not_null(p, "%s", why);
                cr_expect_str_eq(p->name, names[i]);
                profile_free(p);
        }
}

#define NOW 1800000000 /* 2027-01-15 */

Test(baseline, says_what_is_wrong_and_where, .init = make_folder, .fini = remove_folder)
{
        static const struct {
                const char *text, *why;
        } rows[] = {
                {"a.b unil=2027-01-01\n", "b:1:5: after the case there may be until=YYYY-MM-DD"},
                {"# c\n\na.b  until=soon\n", "b:3:6: until= takes a day of the calendar"},
                {"a.b until=2027-13-01\n", "b:1:5: until= takes a day of the calendar"},
                {"a.b until=2027-1-01\n", "b:1:5: until= takes a day of the calendar"},
                {"a.b\nc.d\na.b # again\n", "b:3:1: the case stands in the baseline already"},
        };
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                char why[4200] = "";
                cr_expect_null(baseline_load(write_file("b", rows[i].text), NOW, why, sizeof(why)));
                cr_expect_not_null(strstr(why, rows[i].why), "row %zu: %s", i, why);
        }
}

Test(baseline, accepts_until_its_day_has_ended, .init = make_folder, .fini = remove_folder)
{
        char why[4200] = "";
        const char *path = write_file("b", "# comment\r\na.old until=2027-01-10\r\n a.today until=2027-01-15 # why\n"
                                           "a.ever# why\n\n");
        struct baseline *b = baseline_load(path, NOW, why, sizeof(why));
        cr_assert_not_null(b, "%s", why);
        cr_expect_eq(b->count, 3);
        cr_expect(!baseline_accepts(b, "a.old"));
        cr_expect(baseline_accepts(b, "a.today"));
        cr_expect(baseline_accepts(b, "a.ever"));
        cr_expect(!baseline_accepts(b, "a"));
        cr_expect(!baseline_accepts(NULL, "a.ever"));
        baseline_free(b);
        cr_expect_null(baseline_load("/nowhere/at/all", NOW, why, sizeof(why)));
        cr_expect_str_eq(why, "/nowhere/at/all: No such file or directory");
}

Test(nearest, is_the_word_with_the_fewest_edits)
{
        json_t *names = json_pack("[sss]", "--json", "--jobs", "--profile");
        cr_expect_str_eq(nearest_name("--jsno", names), "--json");
        cr_expect_str_eq(nearest_name("--job", names), "--jobs");
        cr_expect_str_eq(nearest_name("profil", names), "--profile");
        cr_expect_str_eq(nearest_name("", names), "--json");
        json_decref(names);
        names = json_array();
        cr_expect_null(nearest_name("x", names));
        json_decref(names);
}
