/* Platforms side by side: what is told of them, what records that no agent would write do, and the page in a browser.
 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "json_schema.h"
#include "made_record.h"
#include "page_browser.h"
#include "test_folder.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define DATA(of) "<script type=\"application/json\" id=\"matrix-" of "\">"
#define MEGABYTE ((size_t)1 << 20)

/* Ends what it could stand in, turns text round, rings the bell, is a formula. */
#define HOSTILE                                                                                                        \
        "</script><script>console.error(1)</script><img src=x onerror=console.error(2)>\",\"\r\n=1+1\t\001\033[31m"    \
        "\xe2\x80\xae\xe2\x81\xa6{{nonce}}| `x` @nobody [l](http://x.example)"

static void make_records(void)
{
        make_folder();
        make_record(path_of("made.rec"), "");
        make_good_record(path_of("good.rec"), "");
        write_file("noise.rec", "login: \r\n");
}

TestSuite(matrix, .init = make_records, .fini = remove_folder);

static char *text_of(const char *name)
{
        FILE *f = fopen(path_of(name), "re");
        char *text = NULL;
        size_t room = 0;
        cr_assert_not_null(f, "%s", name);
        ssize_t length = getdelim(&text, &room, '\0', f);
        fclose(f);
        cr_assert(length > 0 && strlen(text) == (size_t)length, "%s holds text", name);
        return text;
}

static size_t count_of(const char *text, const char *part)
{
        size_t count = 0;
        for (; (text = strstr(text, part)) != NULL; text++)
                count++;
        return count;
}

/* Records of the kernel and of two platforms that are each broken in one way. */
static void run_platforms(void)
{
        static const char *const commands[] = {
                "$B/shmcheck run 'shmdt.error.*' 'ftok.same.*' --record $D/linux.rec >/dev/null",
                "! SHMCHECK_MUTANT=detach_twice_succeeds $B/shmcheck run --preload $B/libshmmutant.so 'shmdt.error.*' "
                "'ftok.same.*' --record $D/twice.rec >/dev/null",
                "! SHMCHECK_MUTANT=ftok_constant $B/shmcheck run --preload $B/libshmmutant.so 'shmdt.error.*' "
                "'ftok.*' --record $D/ftok.rec >/dev/null"};
        for (size_t i = 0; i < COUNT(commands); i++)
                expect_parts(commands[i], 0, "", "");
}

/* ---- what is refused ---- */

Test(matrix, refuses_what_it_cannot_read_and_writes_nothing)
{
        static const struct {
                const char *words, *err;
        } rows[] = {
                {"", "matrix: takes records: files, or - for standard input\n"},
                {"$D/nowhere.rec", "nowhere.rec: No such file or directory\n"},
                {"$D/good.rec $D/noise.rec", "noise.rec: no record in it"},
                {"- - </dev/null", "matrix: standard input is one record, and - was given 2 times\n"},
                {"--name a $D/good.rec $D/made.rec", "matrix: 1 names for 2 records; --name is given once a record"},
                {"--profile limux $D/good.rec", "unknown profile 'limux'; the nearest is 'linux'\n"},
                {"--csv - --json - $D/good.rec", "matrix: --csv and --json cannot both go to standard output\n"},
                {"--cvs x $D/good.rec", "--csv"},
        };
        for (size_t i = 0; i < COUNT(rows); i++) {
                char *command = NULL;
                cr_assert(asprintf(&command, "$B/shmcheck matrix --html $D/out.html %s", rows[i].words) > 0);
                expect_parts(command, 2, "", rows[i].err);
                cr_expect_neq(access(path_of("out.html"), F_OK), 0, "%s", rows[i].words);
                free(command);
        }
}

Test(matrix, says_which_file_it_cannot_write)
{
        expect_parts("$B/shmcheck matrix $D/good.rec --csv $D/no/folder", 3, "", "--csv");
        if (access("/dev/full", W_OK) == 0)
                expect_parts("$B/shmcheck matrix $D/good.rec --html /dev/full", 3, "", "No space left on device");
}

Test(matrix, takes_what_is_there_of_a_cut_record)
{
        expect_parts("head -n 4 $D/made.rec >$D/cut.rec; "
                     "$B/shmcheck matrix $D/good.rec $D/cut.rec --json $D/json --markdown $D/md --html $D/html",
                     3, "", "cut.rec: the record is cut short: 3 of 11 results");
        json_t *json = json_load_file(path_of("json"), 0, NULL);
        json_t *cut = json_array_get(json_object_get(json, "platforms"), 1);
        cr_expect(json_is_false(json_object_get(cut, "complete")));
        cr_expect_str_eq(json_string_value(json_object_get(cut, "name")), "cut", "of the same platform: its file's");
        json_decref(json);
        char *markdown = text_of("md");
        char *page = text_of("html");
        cr_expect(has(markdown, "The record of platform 2 is not whole"));
        cr_expect(has(page, "the record is cut short: 3 of 11 results"));
        free(page);
        free(markdown);
}

/* ---- what is told ---- */

static const char *verdict_on(const json_t *behaviour, const char *platform)
{
        const char *verdict = json_string_value(json_object_get(json_object_get(behaviour, "verdicts"), platform));
        return verdict ? verdict : "";
}

static const json_t *behaviour_called(const json_t *json, const char *id)
{
        size_t i = 0;
        json_t *behaviour = NULL;
        json_array_foreach(json_object_get(json, "behaviours"), i, behaviour)
        {
                if (strcmp(json_string_value(json_object_get(behaviour, "id")), id) == 0)
                        return behaviour;
        }
        cr_assert_fail("no %s", id);
        return NULL;
}

Test(matrix, tells_each_verdict_of_each_platform, .timeout = 60)
{
        static const struct {
                const char *id, *plain, *twice, *constant;
                bool differs;
        } rows[] = {
                {"shmdt.error.second", "pass", "fail", "pass", true},
                {"shmdt.error.interior", "pass", "pass", "pass", false},
                {"ftok.same.twice", "pass", "pass", "pass", false},
                {"ftok.distinct.files", "", "", "fail", false},
        };
        run_platforms();
        expect_parts("$B/shmcheck matrix $D/linux.rec $D/twice.rec $D/ftok.rec --name a --name b --name c "
                     "--json $D/json --csv $D/csv --markdown $D/md",
                     1, "", "");
        json_t *json = json_load_file(path_of("json"), 0, NULL);
        for (size_t i = 0; i < COUNT(rows); i++) {
                const json_t *behaviour = behaviour_called(json, rows[i].id);
                cr_expect_str_eq(verdict_on(behaviour, "a"), rows[i].plain, "%s", rows[i].id);
                cr_expect_str_eq(verdict_on(behaviour, "b"), rows[i].twice, "%s", rows[i].id);
                cr_expect_str_eq(verdict_on(behaviour, "c"), rows[i].constant, "%s", rows[i].id);
                cr_expect_eq(json_is_true(json_object_get(behaviour, "differs")), rows[i].differs, "%s", rows[i].id);
        }
        json_decref(json);
        char *markdown = text_of("md");
        cr_expect(has(markdown, "| **shmdt\\.error\\.second** A second shmdt of an address"), "%s", markdown);
        cr_expect(has(markdown, "(posix-shall) | \xe2\x9c\x93 | **\xe2\x9c\x97 fail** | \xe2\x9c\x93 |\n"));
        cr_expect_not(has(markdown, "shmdt\\.error\\.interior"), "platforms do not differ in it");
        free(markdown);
        expect_parts("python3 -c 'import csv,sys; r=list(csv.DictReader(open(sys.argv[1], newline=\"\"))); "
                     "print([(x[\"a\"], x[\"b\"], x[\"differs\"]) for x in r if x[\"id\"] == \"shmdt.error.second\"], "
                     "len(set(map(len, r))))' $D/csv",
                     0, "[('pass', 'fail', 'yes')] 1\n", "");
}

#define SCHEMA "reports/matrix_schema.json"

Test(matrix, json_keeps_to_its_schema)
{
        make_record(path_of("hostile.rec"), HOSTILE);
        expect_parts("head -n 4 $D/made.rec >$D/cut.rec; "
                     "$B/shmcheck matrix $D/good.rec $D/cut.rec $D/hostile.rec $D/hostile.rec --json $D/json",
                     3, "", "cut.rec");
        expect_by_schema(SCHEMA, "$D/json", "");
        json_t *json = json_load_file(path_of("json"), 0, NULL);
        cr_expect_eq(json_array_size(json_object_get(json, "platforms")), 4);
        json_decref(json);
}

Test(matrix, json_that_is_not_as_its_schema_says_is_refused)
{
        /* Without this the test above would say nothing. */
        static const struct {
                const char *edit, *told;
        } rows[] = {
                {"s/\"topic\"/\"topik\"/", "'topik' was unexpected"},
                {"s/: \"pass\"/: \"passt\"/", "'passt' is not one of"},
                {"s/\"complete\": true/\"complete\": false/", "'cut' is a required property"},
        };
        expect_parts("$B/shmcheck matrix $D/good.rec --json $D/json", 0, "", "");
        for (size_t i = 0; i < COUNT(rows); i++) {
                char command[256];
                snprintf(command, sizeof(command), "sed '%s' $D/json >$D/x.json", rows[i].edit);
                expect_parts(command, 0, "", "");
                expect_by_schema(SCHEMA, "$D/x.json", rows[i].told);
        }
}

Test(matrix, counts_passed_of_tried_by_level)
{
        expect_parts("$B/shmcheck matrix $D/made.rec", 1, "| Linux | 2/8 | 2/8 |\n", "");
        expect_parts("$B/shmcheck matrix $D/made.rec --profile posix", 1, "| POSIX | 2/8 | 2/8 |\n", "");
        expect_parts("$B/shmcheck matrix $D/made.rec --json - | python3 -c 'import json,sys; "
                     "p = json.load(sys.stdin)[\"platforms\"][0]; print(p[\"score\"], p[\"levels\"])'",
                     0, "{'passed': 2, 'tried': 8} {'posix-shall': {'passed': 2, 'tried': 8}}\n", "");
}

Test(matrix, names_platforms_apart)
{
        static const struct {
                const char *words, *names;
        } rows[] = {
                {"$D/good.rec", "['Linux 6.1 x86_64, glibc']"},
                {"$D/good.rec $D/made.rec", "['good', 'made']"},
                {"$D/good.rec $D/good.rec", "['good', 'good #2']"},
                {"--name x --name x $D/good.rec $D/made.rec", "['x', 'x #2']"},
                {"--name made --name '' $D/good.rec $D/made.rec", "['made', '']"},
        };
        for (size_t i = 0; i < COUNT(rows); i++) {
                char *command = NULL;
                cr_assert(asprintf(&command,
                                   "$B/shmcheck matrix %s --json - | python3 -c 'import json,sys; "
                                   "print([p[\"name\"] for p in json.load(sys.stdin)[\"platforms\"]])'",
                                   rows[i].words) > 0);
                expect_parts(command, 0, rows[i].names, "");
                free(command);
        }
}

Test(matrix, is_the_same_each_time)
{
        expect_parts("for i in 1 2; do $B/shmcheck matrix $D/good.rec $D/made.rec --html $D/h$i --csv $D/c$i "
                     "--json $D/j$i --markdown $D/m$i; done; cd $D; cmp h1 h2 && cmp c1 c2 && cmp j1 j2 && cmp m1 m2",
                     0, "", "");
}

Test(matrix, one_platform_has_the_same_page)
{
        expect_parts("$B/shmcheck judge $D/made.rec --html $D/judge.html", 1, "", "");
        expect_parts("$B/shmcheck report $D/made.rec --html $D/report.html", 1, "", "");
        expect_parts("$B/shmcheck matrix $D/made.rec --html $D/matrix.html", 1, "", "");
        expect_parts("$B/shmcheck run shmdt.error.null --html $D/run.html", 0, "", "");
        expect_parts("cmp $D/judge.html $D/matrix.html && cmp $D/report.html $D/matrix.html", 0, "", "");
        char *page = text_of("run.html");
        cr_expect(has(page, "[[\"Linux "));
        free(page);
}

/* ---- what does no harm ---- */

Test(matrix, makes_text_of_a_record_harmless)
{
        make_record(path_of("hostile.rec"), HOSTILE);
        expect_parts("$B/shmcheck matrix $D/made.rec $D/hostile.rec --html $D/plain.html --name a --name b", 1, "", "");
        expect_parts("$B/shmcheck matrix $D/made.rec $D/hostile.rec --html $D/html --csv $D/csv --markdown $D/md", 1,
                     "", "");
        char *page = text_of("html");
        char *plain = text_of("plain.html");
        char *data[] = {strstr(page, DATA("data")), strstr(page, DATA("stories"))};
        cr_expect_eq(count_of(page, "<script"), count_of(plain, "<script"));
        cr_expect_eq(count_of(page, "</script"), count_of(plain, "</script"));
        cr_expect_null(strstr(page, "<img"));
        cr_expect(has(page, "\\u003c/script\\u003e"), "it is there, as data");
        for (size_t i = 0; i < COUNT(data); i++) {
                cr_assert_not_null(data[i]);
                for (const char *c = strchr(data[i], '>') + 1; strncmp(c, "</script>", 9) != 0; c++)
                        cr_assert(*c >= ' ' && *c < 127 && !strchr("<>&", *c), "character %d", *c);
        }
        free(plain);
        free(page);
        char *csv = text_of("csv");
        char *markdown = text_of("md");
        cr_expect_null(strpbrk(csv, "\001\033"));
        cr_expect_null(strpbrk(markdown, "\001\033"));
        cr_expect_eq(count_of(markdown, "<"), count_of(markdown, "\\<"), "no HTML");
        cr_expect_null(strstr(markdown, "@nobody"), "nobody is called");
        free(markdown);
        free(csv);
}

Test(matrix, a_formula_is_text)
{
        expect_parts("$B/shmcheck matrix $D/good.rec --name '=1+1' --csv -", 0, "differs,'=1+1\r\n", "");
        expect_parts("$B/shmcheck matrix $D/good.rec --name 'a,\"b' --csv -", 0, "differs,\"a,\"\"b\"\r\n", "");
}

/* A record of one case, in which the platform's name, the case's and the topic's are of a megabyte each. */
static void make_huge_record(void)
{
        char *huge = calloc(1, MEGABYTE + 1);
        FILE *f = fopen(path_of("huge.rec"), "we");
        cr_assert(huge && f);
        memset(huge, '<', MEGABYTE);
        json_t *objects[] = {json_pack("{s:s,s:i,s:{s:s},s:i,s:i}", "type", "start", "format", 1, "platform", "sysname",
                                       huge, "all_cases", 1, "results", 1),
                             json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:i}", "type", "case", "id", huge, "topic", huge,
                                       "level", "posix-shall", "status", "done", "file", "f", "line", 1),
                             json_pack("{s:s,s:i}", "type", "end", "results", 1)};
        for (size_t i = 0; i < COUNT(objects); i++) {
                char *text = json_dumps(objects[i], JSON_COMPACT);
                write_frame(f, i, text);
                free(text);
                json_decref(objects[i]);
        }
        fclose(f);
        free(huge);
}

Test(matrix, cuts_a_name_of_a_megabyte)
{
        make_huge_record();
        expect_parts("$B/shmcheck matrix $D/huge.rec --profile linux --html $D/html --markdown $D/md --csv $D/csv", 0,
                     "", "");
        expect_parts("cd $D; wc -c <html | (read n; [ $n -lt 100000 ]) && wc -c <md | (read n; [ $n -lt 5000 ]) && "
                     "wc -c <csv | (read n; [ $n -lt 2000 ])",
                     0, "", "");
        char *page = text_of("html");
        cr_expect(has(page, "bytes more)"), "it is seen to be cut");
        free(page);
}

/* ---- the page ---- */

Test(matrix, page_asks_for_nothing)
{
        static const char *const unwanted[] = {"http:",          "https:",         "src=",    "@import",   "url(",
                                               "fetch(",         "XMLHttp",        "import(", "innerHTML", "outerHTML",
                                               "insertAdjacent", "document.write", "eval(",   "style=\"",  "onclick="};
        expect_parts("$B/shmcheck matrix $D/made.rec --html $D/html", 1, "", "");
        char *page = text_of("html");
        const char *policy = strstr(page, "http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; ");
        cr_assert_not_null(policy);
        cr_expect_lt((void *)policy, (void *)strstr(page, "<style"), "it holds for all that comes after it");
        for (size_t i = 0; i < COUNT(unwanted); i++)
                cr_expect_null(strstr(page, unwanted[i]), "%s", unwanted[i]);
        cr_expect_null(strstr(page, "{{"));
        free(page);
}

Test(matrix, page_is_small_for_many_platforms)
{
        make_failing_record(path_of("many.rec"), 400, "A sentence of the usual length, which says what has to be");
        expect_parts("$B/shmcheck matrix $(for i in $(seq 30); do echo $D/many.rec; done) --html $D/html", 1, "", "");
        char *page = text_of("html");
        cr_expect_lt(strlen(page), 500000UL);
        free(page);
}

Test(matrix, page_is_used_by_mouse_and_keyboard, .timeout = 120)
{
        run_platforms();
        expect_parts("$B/shmcheck matrix $D/linux.rec $D/twice.rec --html $D/page.html", 1, "", "");
        use_page("matrix_page.js", "$D/page.html");
}

Test(matrix, page_shows_hostile_text_as_text, .timeout = 120)
{
        make_record(path_of("hostile.rec"), HOSTILE);
        write_file("base", MADE_BASELINE);
        expect_parts("$B/shmcheck judge $D/hostile.rec --baseline $D/base --html $D/page.html >/dev/null", 1, "", "");
        use_page("matrix_page.js", "--load $D/page.html");
}

Test(matrix, page_shows_a_name_of_a_megabyte_cut, .timeout = 120)
{
        make_huge_record();
        expect_parts("$B/shmcheck matrix $D/huge.rec --profile linux --html $D/page.html", 0, "", "");
        use_page("matrix_page.js", "--load $D/page.html");
}
