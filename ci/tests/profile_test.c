/* Profiles and baselines as files that people write, and get wrong. */
#include <criterion/criterion.h>
#include <fnmatch.h>
#include <glob.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "baseline.h"
#include "command.h"
#include "made_value.h"
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
                {HEAD ",\"judges\":[\"posix-shal\"]}", "\"judges\" holds levels: \"posix-shall\", "},
                {HEAD ",\"judges\":[7]}", "\"judges\" holds levels: \"posix-shall\", "},
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
        struct arena values = {NULL, 0};
        const struct value *w = made_value(&values, "{\"what\":\"w\",\"expected\":{\"posix\":[\"EINVAL\"]}}");
        const struct value *other = made_value(&values, "{\"what\":\"v\",\"expected\":{\"posix\":[\"EINVAL\"]}}");
        cr_expect_str_eq(value_text(value_entry(profile_expected(p, "a.b", w), 0)), "EIDRM");
        cr_expect_str_eq(value_text(value_entry(profile_expected(p, "a.b", other), 0)), "EINVAL");
        cr_expect_str_eq(value_text(value_entry(profile_expected(p, "b.b", w), 0)), "EINVAL");
        cr_expect(profile_judges(p, "posix-shall"));
        cr_expect(!profile_judges(p, "linux"));
        cr_expect(!profile_judges(p, NULL));
        arena_free(&values);
        profile_free(p);
}

/* A profile of these overrides, in their order. */
struct made_override {
        const char *cases, *what, *expected; /* what: "" for any */
};

static void write_overrides(const struct made_override *overrides, size_t count)
{
        char *text = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&text, &size);
        cr_assert_not_null(f);
        fputs(HEAD ",\"overrides\":[", f);
        for (size_t i = 0; i < count; i++) {
                const struct made_override *o = &overrides[i];
                fprintf(f, "%s{\"case\":\"%s\",\"expected\":[\"%s\"],\"why\":\"x\",\"source\":\"y\"", i ? "," : "",
                        o->cases, o->expected);
                if (*o->what)
                        fprintf(f, ",\"what\":\"%s\"", o->what);
                fputs("}", f);
        }
        fputs("]}", f);
        fclose(f);
        write_file("p.json", text);
        free(text);
}

Test(profile, the_first_override_in_the_file_counts, .init = make_folder, .fini = remove_folder)
{
        static const struct made_override overrides[] = {
                {"a.one", "", "1"}, {"a.*", "", "2"}, {"a.two", "", "3"},      {"a.three", "v", "3"}, {"[ab]", "", "4"},
                {"b", "", "5"},     {"c", "v", "5"},  {"c", "ending", "hang"}, {"c", "?", "6"},       {"c", "", "7"},
        };
        static const struct {
                const char *id, *expected;
        } rows[] = {
                {"a.one", "1"}, {"a.two", "2"}, {"a.three", "2"}, {"a.*", "2"},
                {"a", "4"},     {"b", "4"},     {"c", "6"},       {"d", "EINVAL"},
        };
        char why[4200] = "";
        struct arena values = {NULL, 0};
        const struct value *w = made_value(&values, "{\"what\":\"w\",\"expected\":{\"p\":[\"EINVAL\"]}}");
        write_overrides(overrides, sizeof(overrides) / sizeof(overrides[0]));
        struct profile *p = profile_load(folder, "p", why, sizeof(why));
        cr_assert_not_null(p, "%s", why);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                cr_expect_str_eq(value_text(value_entry(profile_expected(p, rows[i].id, w), 0)), rows[i].expected, "%s",
                                 rows[i].id);
        cr_expect_str_eq(value_text(value_entry(profile_endings(p, "c"), 0)), "hang");
        cr_expect_null(profile_endings(p, "a.one"));
        arena_free(&values);
        profile_free(p);
}

/* ---- those of the project ---- */

/* The id of each case, a line each. */
static char *list_cases(void)
{
        struct finished f = run_command("$B/shmcheck run --list | cut -d ' ' -f 1");
        cr_assert_eq(f.status, 0, "%s", f.err);
        cr_assert_gt(count_lines(f.out), 1000);
        free(f.err);
        return f.out;
}

static bool names_a_case(const char *pattern, const char *list)
{
        char *ids = strdup(list);
        char *rest = NULL;
        bool found = false;
        for (char *id = strtok_r(ids, "\n", &rest); id && !found; id = strtok_r(NULL, "\n", &rest))
                found = fnmatch(pattern, id, 0) == 0;
        free(ids);
        return found;
}

static const char *text_in(const json_t *object, const char *name)
{
        const char *text = json_string_value(json_object_get(object, name));
        return text ? text : "";
}

static bool is_basis(const char *word)
{
        static const char *const words[] = {"run", "documentation", "source"};
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
                if (strcmp(word, words[i]) == 0)
                        return true;
        }
        return false;
}

static void expect_sound(const char *path, const char *cases)
{
        char why[4200] = "";
        struct profile *p = profile_load("cases/profiles", path, why, sizeof(why));
        cr_assert_not_null(p, "%s", why);
        char *copy = strdup(path);
        char *name = basename(copy);
        name[strlen(name) - strlen(".json")] = '\0';
        cr_expect_str_eq(p->name, name);
        free(copy);
        size_t i = 0;
        json_t *override = NULL;
        json_array_foreach(json_object_get(p->files[0], "overrides"), i, override)
        {
                const char *id = text_in(override, "case");
                cr_expect(names_a_case(id, cases), "%s: %s is no case", path, id);
                cr_expect_str_not_empty(text_in(override, "why"), "%s: %s", path, id);
                cr_expect_str_not_empty(text_in(override, "source"), "%s: %s", path, id);
                cr_expect_gt(json_array_size(json_object_get(override, "expected")), 0, "%s: %s", path, id);
                cr_expect(is_basis(text_in(override, "basis")), "%s: %s: its basis is '%s'", path, id,
                          text_in(override, "basis"));
        }
        profile_free(p);
}

Test(profile, each_of_the_project_names_cases_that_there_are_and_says_why)
{
        glob_t found;
        char *cases = list_cases();
        cr_assert_eq(glob("cases/profiles/*.json", 0, NULL, &found), 0);
        cr_expect_geq(found.gl_pathc, 17);
        for (size_t i = 0; i < found.gl_pathc; i++)
                expect_sound(found.gl_pathv[i], cases);
        globfree(&found);
        free(cases);
}

/* What nobody has run says where it was read. */
Test(profile, of_platforms_that_nobody_runs_no_line_claims_a_run)
{
        static const char *const names[] = {"freebsd", "netbsd",  "openbsd",
                                            "macos",   "illumos", "cygwin-without-cygserver"};
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                char why[4200] = "";
                struct profile *p = profile_load("cases/profiles", names[i], why, sizeof(why));
                cr_assert_not_null(p, "%s", why);
                size_t j = 0;
                json_t *override = NULL;
                json_array_foreach(json_object_get(p->files[0], "overrides"), j, override)
                {
                        cr_expect_str_neq(text_in(override, "basis"), "run", "%s: %s", names[i],
                                          text_in(override, "case"));
                }
                cr_expect_gt(j, 0, "%s", names[i]);
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
