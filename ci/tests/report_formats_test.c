/*
 * The reports for programs and for comments: each is read back by what reads it
 * elsewhere (libxml2 and a schema, prove, cmark-gfm, a JSON-schema validator),
 * of records that no agent would write first.
 */
#include <criterion/criterion.h>
#include <libxml/xmlschemas.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "json_schema.h"
#include "made_record.h"
#include "plain_text.h"
#include "test_folder.h"

/* Everything that could end what it stands in, or do something in it. */
#define HOSTILE                                                                                                        \
        "]]></failure></testcase><script>&amp;&#0;\" 'x' \001\033[31m\177\xc2\x9b\r\n1..99\nnot ok 1 - x\n# SKIP no\n" \
        "  ...\n```\n````\n</details>\n| a | b |\n|--|--|\n`` ` @nobody **b** [l](http://x.example) \\# \\| \\ "       \
        "\xe2\x80\xae\xe2\x80\x8f\xe2\x81\xa6\xef\xbb\xbf\xef\xbf\xbe\xef\xbf\xbf\xf0\x9f\x98\x80 #"

static void make_records(void)
{
        make_folder();
        unsetenv("TAP_VERSION");
        make_record(path_of("plain.rec"), "");
        make_record(path_of("hostile.rec"), HOSTILE);
        make_good_record(path_of("good.rec"), "");
        write_file("base", MADE_BASELINE);
}

TestSuite(reports, .init = make_records, .fini = remove_folder);

#define ALL_FORMATS "--json $D/json --junit $D/xml --tap $D/tap --ktap $D/ktap --markdown $D/md "

static char *read_report(const char *name)
{
        FILE *f = fopen(path_of(name), "re");
        char *text = NULL;
        size_t room = 0;
        cr_assert_not_null(f, "%s", name);
        ssize_t length = getdelim(&text, &room, '\0', f);
        fclose(f);
        cr_assert(length >= 0, "%s is empty", name);
        cr_assert_eq(strlen(text), (size_t)length);
        return text;
}

/* The file of the name holds the part. */
static void expect_in(const char *name, const char *part)
{
        char *text = read_report(name);
        cr_expect(has(text, part), "%s: %s\n%s", name, part, text);
        free(text);
}

static void need_tool(const char *command, const char *package)
{
        struct finished f = run_command(command);
        int status = f.status;
        finished_free(&f);
        if (status != 0)
                cr_skip_test("needs Debian's package %s", package);
}

/* ---- wrong usage and files that cannot be written ---- */

Test(reports, wrong_usage_gets_one_line_and_writes_nothing)
{
        static const struct {
                const char *words, *line;
        } rows[] = {
                {"report", "shmcheck: report: takes records: files, or - for standard input\n"},
                {"report $D/plain.rec",
                 "shmcheck: report: takes at least one report to write, such as --junit FILE; --help lists them\n"},
                {"report $D/plain.rec --junti $D/out",
                 "shmcheck: report: unknown option '--junti'; the nearest is '--junit'\n"},
                {"report $D/plain.rec --junit", "shmcheck: report: --junit: missing argument\n"},
                {"report $D/plain.rec --tap - --junit -",
                 "shmcheck: --junit and --tap cannot both go to standard output\n"},
                {"judge $D/plain.rec --ktap - --json -",
                 "shmcheck: --json and --ktap cannot both go to standard output\n"},
                {"run --markdown - --record - walkthrough.tutorial",
                 "shmcheck: --markdown and --record cannot both go to standard output\n"},
                {"report - - --tap $D/out", "shmcheck: report: standard input is one record, and - was given twice\n"},
                {"report $D/plain.rec /no/such --tap $D/out", "shmcheck: /no/such: No such file or directory\n"},
                {"report $D/plain.rec --tap $D/out --profile lnux",
                 "shmcheck: unknown profile 'lnux'; the nearest is 'linux'\n"},
        };
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                char command[256];
                snprintf(command, sizeof(command), "$B/shmcheck %s", rows[i].words);
                expect_command(command, 2, "", rows[i].line);
                cr_expect(access(path_of("out"), F_OK) == -1, "%s", rows[i].words);
        }
}

Test(reports, one_record_of_several_that_is_none_leaves_all_files_as_they_were)
{
        write_file("xml", "old\n");
        write_file("bad.rec", "nothing\n");
        struct finished f = run_command("$B/shmcheck report $D/plain.rec $D/bad.rec --junit $D/xml --tap $D/tap");
        cr_expect_eq(f.status, 2, "%d", f.status);
        cr_expect(has(f.err, "bad.rec: no record in it"), "%s", f.err);
        expect_in("xml", "old\n");
        cr_expect(access(path_of("tap"), F_OK) == -1);
        finished_free(&f);
}

Test(reports, a_file_that_cannot_be_written_is_told_before_the_run_and_nothing_is_lost)
{
        struct finished f = run_command("$B/shmcheck run --junit /no/such/x --ktap /no/such/y --tap $D/tap "
                                        "walkthrough.tutorial");
        cr_expect_eq(f.status, 3, "%d", f.status);
        cr_expect_eq(strncmp(f.err,
                             "shmcheck: --junit /no/such/x: No such file or directory; it goes to standard output "
                             "instead\nshmcheck: --ktap /no/such/y: No such file or directory; it is left out, as "
                             "standard output has something else\n",
                             190),
                     0, "%s", f.err);
        cr_expect_eq(strncmp(f.out, "<?xml ", 6), 0, "%s", f.out);
        cr_expect(has(f.out, "walkthrough.tutorial") && !has(f.out, "KTAP"), "%s", f.out);
        expect_in("tap", "\nok 1 - walkthrough.tutorial\n");
        finished_free(&f);
}

Test(reports, a_full_disk_loses_none_of_them)
{
        static const struct {
                const char *option, *part;
        } rows[] = {{"json", "\"made.fail\""},
                    {"junit", "name=\"made.fail\""},
                    {"tap", "not ok 3 - made.fail\n"},
                    {"ktap", "  not ok 3 made.fail # "},
                    {"markdown", "<code>made.fail</code>"}};
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                char command[128];
                char line[128];
                snprintf(command, sizeof(command), "$B/shmcheck judge $D/plain.rec --%s /dev/full", rows[i].option);
                snprintf(line, sizeof(line),
                         "shmcheck: --%s /dev/full: No space left on device; it goes to standard output instead\n",
                         rows[i].option);
                struct finished f = run_command(command);
                cr_expect_eq(f.status, 3, "%s: %d", rows[i].option, f.status);
                cr_expect_str_eq(f.err, line);
                cr_expect(has(f.out, rows[i].part), "%s: %s", rows[i].option, f.out);
                finished_free(&f);
        }
        struct finished f = run_command("$B/shmcheck report $D/plain.rec --tap /dev/full --junit $D/xml");
        cr_expect_eq(f.status, 3, "%d", f.status);
        cr_expect_str_eq(f.err, "shmcheck: --tap /dev/full: No space left on device\n");
        expect_in("xml", "</testsuites>\n");
        finished_free(&f);
}

Test(reports, the_same_record_makes_the_same_bytes)
{
        expect_command("for i in 1 2; do mkdir $D/$i && $B/shmcheck report $D/hostile.rec $D/plain.rec --baseline "
                       "$D/base --json $D/$i/json --junit $D/$i/xml --tap $D/$i/tap --ktap $D/$i/ktap "
                       "--markdown $D/$i/md --html $D/$i/html >/dev/null; sleep $((2 - i)); done; "
                       "diff -r $D/1 $D/2 && ls $D/1 | wc -l",
                       0, "6\n", "");
}

/* ---- JUnit ---- */

static xmlDocPtr read_xml(const char *name)
{
        xmlDocPtr doc = xmlReadFile(path_of(name), NULL, XML_PARSE_NONET | XML_PARSE_NOWARNING);
        cr_assert_not_null(doc, "%s is no XML", name);
        return doc;
}

static double xpath_number(xmlDocPtr doc, const char *expression)
{
        xmlXPathContextPtr context = xmlXPathNewContext(doc);
        xmlXPathRegisterNs(context, BAD_CAST "m", BAD_CAST "http://commonmark.org/xml/1.0");
        xmlXPathObjectPtr value = xmlXPathEvalExpression(BAD_CAST expression, context);
        cr_assert_not_null(value, "%s", expression);
        double number = xmlXPathCastToNumber(value);
        xmlXPathFreeObject(value);
        xmlXPathFreeContext(context);
        return number;
}

static void expect_count(xmlDocPtr doc, const char *nodes, double expected)
{
        char expression[512];
        snprintf(expression, sizeof(expression), "count(%s)", nodes);
        double count = xpath_number(doc, expression);
        cr_expect(count == expected, "%s: %g, not %g", nodes, count, expected);
}

static void say_nothing(void *state, xmlErrorPtr error)
{
        (void)state, (void)error;
}

static int validate_junit(xmlDocPtr doc, xmlStructuredErrorFunc told)
{
        xmlSchemaParserCtxtPtr parser = xmlSchemaNewParserCtxt("ci/tests/junit.xsd");
        xmlSchemaPtr schema = xmlSchemaParse(parser);
        cr_assert_not_null(schema);
        xmlSchemaValidCtxtPtr valid = xmlSchemaNewValidCtxt(schema);
        xmlSchemaSetValidStructuredErrors(valid, told, NULL);
        int status = xmlSchemaValidateDoc(valid, doc);
        xmlSchemaFreeValidCtxt(valid);
        xmlSchemaFree(schema);
        xmlSchemaFreeParserCtxt(parser);
        return status;
}

static void expect_valid_junit(xmlDocPtr doc)
{
        cr_expect_eq(validate_junit(doc, NULL), 0);
}

static void expect_no_orders_in(const char *name)
{
        char *text = read_report(name);
        char *plain = plain_text(text, (size_t)-1, KEEP_NEWLINES);
        cr_expect_str_eq(text, plain, "%s has control characters, or such as turn the direction of writing", name);
        free(plain);
        free(text);
}

Test(reports, junit_of_a_hostile_record_is_valid)
{
        expect_command("$B/shmcheck judge $D/hostile.rec --baseline $D/base --junit $D/xml >/dev/null 2>&1", 1, NULL,
                       NULL);
        xmlDocPtr doc = read_xml("xml");
        expect_valid_junit(doc);
        expect_count(doc, "//testcase", MADE_CASES);
        expect_count(doc, "//script", 0);
        expect_count(doc, "//failure[contains(., ']]></failure></testcase><script>')]", 5);
        expect_count(doc, "//failure[@type = 'crash' and contains(@message, '<script>')]", 1);
        expect_no_orders_in("xml");
        xmlFreeDoc(doc);
}

Test(reports, junit_has_each_verdict_where_readers_look_for_it)
{
        static const struct {
                const char *nodes;
                double count;
        } rows[] = {
                {"/testsuites/testsuite", 2},
                {"//testcase[@name = 'made.pass' and @classname = 'shmcheck.second' and not(*) and @time = '0.001500']",
                 1},
                {"//testcase[@name = 'made.fail' and @classname = 'shmcheck.first']/failure[@type = 'fail' and "
                 "@message = 'shmdt(0x7f0000000000) expected EINVAL got ENOENT']",
                 1},
                {"//testcase[@name = 'made.fail']/failure[starts-with(., 'FAIL made.fail') and contains(., 'It works') "
                 "and contains(., 'POSIX') and contains(., 'first:7') and contains(., 'here: Linux 6.1 x86_64')]",
                 1},
                {"//testcase[@name = 'made.crash']/failure[@type = 'crash' and @message = 'crash']", 1},
                {"//testcase[@name = 'made.hang']/failure[@type = 'hang' and @message = 'hang']", 1},
                {"//testcase[@name = 'made.flaky']/failure[@type = 'flaky' and @message = 'rounds: 1 pass 1 fail']", 1},
                {"//testcase[@name = 'made.flaky' and @time = '0.003000']", 1},
                {"//testcase[@name = 'made.error']/error[@type = 'error' and @message = 'the set-up failed: setup']",
                 1},
                {"//testcase[@name = 'made.known']/skipped[@type = 'known' and "
                 "@message = 'accepted by the baseline until 2999-12-31: accepted, as # it is']",
                 1},
                {"//testcase[@name = 'made.known']/skipped[contains(., 'expected EINVAL')]", 1},
                {"//testcase[@name = 'made.fixed']/failure[@type = 'fixed']", 1},
                {"//testcase[@name = 'made.skip']/skipped[@type = 'skip' and @message = 'skip' and . = 'skip']", 1},
                {"//testcase[@name = 'made.record']/skipped[@type = 'record']", 1},
                {"//testsuite[@name = 'first' and @tests = 5 and @failures = 4 and @errors = 1 and @skipped = 0]", 1},
                {"//testsuite[@name = 'second' and @tests = 5 and @failures = 1 and @errors = 0 and @skipped = 3]", 1},
                {"//testsuite[@timestamp = '2027-01-15T08:00:00' and @time = '0.009000']", 1},
                {"//testsuite[1]/properties/property[@name = 'platform.release' and @value = '6.1']", 1},
                {"//testsuite[1]/properties/property[@name = 'platform.proc' and @value = 'true']", 1},
                {"//testsuite[1]/properties/property[@name = 'platform.page' and @value = '4096']", 1},
                {"//testsuite[1]/properties/property[@name = 'limit.shmmni' and @value = '4096']", 1},
                {"//testsuite[1]/properties/property[@name = 'profile' and @value = 'linux']", 1},
                {"//testsuite[2]/properties", 0},
        };
        expect_command("$B/shmcheck judge $D/plain.rec --baseline $D/base --junit $D/xml >/dev/null 2>&1", 1, NULL,
                       NULL);
        xmlDocPtr doc = read_xml("xml");
        expect_valid_junit(doc);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                expect_count(doc, rows[i].nodes, rows[i].count);
        xmlFreeDoc(doc);
}

Test(reports, junit_refuses_what_it_should_not_be)
{
        /* The schema can fail: without this the tests above would say nothing. */
        static const char *const wrong[] = {
                "<testsuites><testsuite name='s' tests='1' failures='0' errors='0'>"
                "<testcase classname='c' name='n' file='f'/></testsuite></testsuites>",
                "<testsuites skipped='1'/>",
                "<testsuites><testsuite name='s' tests='2' failures='0' errors='0'><testcase classname='c' name='n'/>"
                "<testcase classname='c' name='n'/></testsuite></testsuites>",
        };
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                write_file("wrong.xml", wrong[i]);
                xmlDocPtr doc = read_xml("wrong.xml");
                cr_expect_gt(validate_junit(doc, say_nothing), 0, "%s", wrong[i]);
                xmlFreeDoc(doc);
        }
}

Test(reports, junit_of_a_sweep_is_valid)
{
        struct finished f = run_command("$B/shmcheck sweep --kill --junit $D/xml -- ipcs -m");
        if (f.status > 1)
                cr_skip_test("nothing was swept: %s", f.err);
        finished_free(&f);
        xmlDocPtr doc = read_xml("xml");
        expect_valid_junit(doc);
        cr_expect_gt(xpath_number(doc, "count(//testcase)"), 5);
        xmlFreeDoc(doc);
}

/* ---- TAP ---- */

/* What Perl's parser makes of it: a line a point, and of each diagnostic its message and the first line of its text. */
#define READ_TAP                                                                                                       \
        "sed '1s/14/13/' $D/tap | perl -MTAP::Parser -e '"                                                             \
        "binmode STDOUT; my $p = TAP::Parser->new({tap => join \"\", <STDIN>}); while (my $r = $p->next) {"            \
        "if ($r->is_test) { printf \"%s|%s|%s|%s\\n\", $r->ok, $r->description, $r->directive, $r->explanation }"      \
        "elsif ($r->is_yaml) { my $d = $r->data; printf \"  %s|%s|%s\\n\", $d->{verdict}, $d->{message}, "             \
        "(split /\\n/, $d->{text})[0] }"                                                                               \
        "elsif ($r->is_unknown) { print \"unknown: \", $r->as_string, \"\\n\" } }"                                     \
        "print \"planned \", $p->tests_planned, \"\\n\", map { \"error: $_\\n\" } $p->parse_errors'"

Test(reports, tap_has_each_verdict_as_perl_reads_it)
{
        need_tool("perl -MTAP::Parser -e1", "perl");
        expect_command("$B/shmcheck judge $D/plain.rec --baseline $D/base --tap $D/tap >/dev/null 2>&1", 1, NULL, NULL);
        expect_in("tap", "TAP version 14\n1..10\n");
        expect_command(READ_TAP, 0,
                       "not ok|- made.crash||\n"
                       "  crash|crash|CRASH made.crash\n"
                       "not ok|- made.error||\n"
                       "  error|the set-up failed: setup|ERROR made.error\n"
                       "not ok|- made.fail||\n"
                       "  fail|shmdt(0x7f0000000000) expected EINVAL got ENOENT|FAIL made.fail\n"
                       "not ok|- made.fixed||\n"
                       "  fixed|the baseline says that it diverges, and it no longer does: take it out there|FIXED "
                       "made.fixed\n"
                       "not ok|- made.flaky||\n"
                       "  flaky|rounds: 1 pass 1 fail|FLAKY made.flaky\n"
                       "not ok|- made.hang||\n"
                       "  hang|hang|HANG made.hang\n"
                       "not ok|- made.known|TODO|accepted by the baseline until 2999-12-31: accepted, as \\# it is\n"
                       "  known|accepted by the baseline until 2999-12-31: accepted, as # it is|KNOWN made.known\n"
                       "ok|- made.pass||\n"
                       "ok|- made.record|SKIP|recorded, not judged: the profile leaves it open\n"
                       "ok|- made.skip|SKIP|skip\n"
                       "planned 10\n",
                       "");
}

Test(reports, tap_of_a_hostile_record_has_its_points_and_no_others)
{
        need_tool("perl -MTAP::Parser -e1", "perl");
        expect_command("$B/shmcheck judge $D/hostile.rec --baseline $D/base --tap $D/tap >/dev/null 2>&1", 1, NULL,
                       NULL);
        struct finished f = run_command(READ_TAP);
        cr_expect(has(f.out, "\nplanned 10\n"), "%s", f.out);
        cr_expect(!has(f.out, "error: ") && !has(f.out, "unknown: "), "%s", f.out);
        cr_expect_eq(count_lines(f.out), MADE_CASES + 7 + 1, "%s", f.out);
        cr_expect(has(f.out, "ok|- made.skip|SKIP|skip]]>"), "%s", f.out);
        cr_expect_str_empty(f.err);
        expect_no_orders_in("tap");
        finished_free(&f);
}

Test(reports, prove_takes_a_record_as_a_test)
{
        need_tool("prove --version", "perl");
        struct finished f = run_command("prove -e \"$B/shmcheck report --tap -\" $D/good.rec 2>&1");
        cr_expect_eq(f.status, 0, "%s", f.out);
        cr_expect(has(f.out, "Files=1, Tests=2,") && has(f.out, "Result: PASS"), "%s", f.out);
        finished_free(&f);
        f = run_command("TAP_VERSION=13 $B/shmcheck judge $D/plain.rec --baseline $D/base --tap $D/x.tap >/dev/null; "
                        "prove $D/x.tap 2>&1");
        cr_expect_neq(f.status, 0);
        cr_expect(has(f.out, "Failed tests:  1-6\n") && !has(f.out, "Parse errors"), "%s", f.out);
        finished_free(&f);
}

/* ---- KTAP ---- */

struct ktap {
        const char *rest;
        size_t good, bad;
        bool broken; /* what is at rest is not what the format has there */
};

static void end_line(struct ktap *k)
{
        k->rest += strcspn(k->rest, "\n");
        k->rest += *k->rest == '\n';
}

static bool begins(const struct ktap *k, int indent, const char *word)
{
        return strspn(k->rest, " ") == (size_t)indent && strncmp(k->rest + indent, word, strlen(word)) == 0;
}

static bool ktap_fault(struct ktap *k)
{
        k->broken = true;
        return false;
}

/* "ok 3 name # SKIP why"; returns whether it is the number's. */
static bool read_result(struct ktap *k, int indent, size_t number, bool *good)
{
        *good = begins(k, indent, "ok ");
        if (!*good && !begins(k, indent, "not ok "))
                return ktap_fault(k);
        char *end = NULL;
        const char *text = k->rest + indent + (*good ? 3 : 7);
        if (strtoul(text, &end, 10) != number || *end != ' ' || end[1] == '\n' || end[1] == '#')
                return ktap_fault(k);
        end_line(k);
        return true;
}

/* A level: a version, a plan, as many results; each may have a level of its own in front. Returns its sum. */
static bool read_level(struct ktap *k, int indent)
{
        bool all_good = true;
        if (!begins(k, indent, "KTAP version 1\n"))
                return ktap_fault(k);
        end_line(k);
        if (!begins(k, indent, "1.."))
                return ktap_fault(k);
        size_t planned = strtoul(k->rest + indent + 3, NULL, 10);
        end_line(k);
        for (size_t number = 1; number <= planned && !k->broken; number++) {
                bool good = true;
                bool expected = true;
                while (begins(k, indent, "# "))
                        end_line(k);
                bool nested = begins(k, indent + 2, "KTAP version 1\n");
                if (nested)
                        expected = read_level(k, indent + 2);
                if (!read_result(k, indent, number, &good) || (nested && good != expected))
                        return ktap_fault(k);
                if (!nested)
                        *(good ? &k->good : &k->bad) += 1;
                all_good = all_good && good;
        }
        return all_good;
}

static struct ktap read_ktap(const char *text)
{
        struct ktap k = {.rest = text};
        read_level(&k, 0);
        k.broken = k.broken || *k.rest;
        return k;
}

Test(reports, ktap_has_each_verdict_nested_by_topic)
{
        static const char *const lines[] = {
                "KTAP version 1\n1..2\n",
                "\n  KTAP version 1\n  1..5\n",
                "\n  not ok 1 made.crash # crash\n",
                "\n  not ok 2 made.error # ERROR the set-up failed: setup\n",
                "\n  not ok 3 made.fail # shmdt(0x7f0000000000) expected EINVAL got ENOENT\n",
                "\n  not ok 4 made.fixed # the baseline says that it diverges",
                "\n  not ok 5 made.flaky # rounds: 1 pass 1 fail\nnot ok 1 first\n",
                "\n  not ok 1 made.hang # TIMEOUT hang\n",
                "\n  ok 2 made.known # XFAIL accepted by the baseline until 2999-12-31: accepted, as # it is\n",
                "\n  ok 3 made.pass\n  ok 4 made.record # SKIP recorded, not judged",
                "\n  ok 5 made.skip # SKIP skip\nnot ok 2 second\n",
                "\n  # FAIL made.fail\n  #      It works\n",
        };
        expect_command("$B/shmcheck judge $D/plain.rec --baseline $D/base --ktap $D/ktap >/dev/null 2>&1", 1, NULL,
                       NULL);
        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
                expect_in("ktap", lines[i]);
        char *text = read_report("ktap");
        struct ktap k = read_ktap(text);
        cr_expect(!k.broken, "%s", k.rest);
        cr_expect_eq(k.good, 4);
        cr_expect_eq(k.bad, 6);
        free(text);
}

Test(reports, ktap_of_hostile_and_of_several_records_keeps_its_shape)
{
        expect_command("$B/shmcheck report $D/hostile.rec $D/good.rec --ktap $D/ktap >/dev/null 2>&1", 1, NULL, NULL);
        char *text = read_report("ktap");
        struct ktap k = read_ktap(text);
        cr_expect(!k.broken, "%s", k.rest);
        cr_expect_eq(k.good + k.bad, MADE_CASES + 2);
        cr_expect_eq(strncmp(text, "KTAP version 1\n1..2\n  KTAP version 1\n  1..2\n", 44), 0);
        cr_expect(has(text, "\nnot ok 1 hostile\n") && has(text, "\nok 2 good\n"), "%s", text);
        expect_no_orders_in("ktap");
        free(text);
}

/* ---- Markdown ---- */

static xmlDocPtr read_markdown(void)
{
        need_tool("cmark-gfm --version", "cmark-gfm");
        expect_command("cmark-gfm --unsafe -e table -e autolink -e strikethrough -t xml $D/md >$D/md.xml", 0, "", "");
        xmlDocPtr doc = xmlReadFile(path_of("md.xml"), NULL, XML_PARSE_NONET | XML_PARSE_NOWARNING);
        cr_assert_not_null(doc);
        return doc;
}

/* Whatever the record says, nothing is in the page but a heading, scores, tables, and folded texts. */
static void expect_plain_markdown(xmlDocPtr doc, double records)
{
        char *text = read_report("md");
        cr_expect_leq(strlen(text), 65000);
        expect_count(doc, "/m:document/m:heading", records);
        expect_count(doc,
                     "/m:document/*[not(self::m:heading or self::m:paragraph or self::m:table or "
                     "self::m:html_block or self::m:code_block)]",
                     0);
        expect_count(doc, "//m:link | //m:image | //m:html_inline | //m:emph | //m:strikethrough", 0);
        expect_count(doc, "//m:table_row[count(m:table_cell) != count(../m:table_header/m:table_cell)]", 0);
        expect_count(doc, "//m:html_block[not(starts-with(., '<details><summary>') or . = '</details>\n')]", 0);
        expect_count(doc, "//m:html_block[contains(., '<script')]", 0);
        expect_count(doc, "//m:html_block[. != '</details>\n' and not(contains(., '</summary>\n'))]", 0);
        expect_count(doc, "//m:html_block[contains(., '@')] | //m:text[contains(., '@')]", 0);
        cr_expect(xpath_number(doc, "count(//m:html_block)") == 2 * xpath_number(doc, "count(//m:code_block)"));
        free(text);
}

Test(reports, markdown_has_scores_a_table_and_each_divergence_folded)
{
        expect_command("$B/shmcheck judge $D/plain.rec --baseline $D/base --markdown $D/md >/dev/null 2>&1", 1, NULL,
                       NULL);
        xmlDocPtr doc = read_markdown();
        expect_plain_markdown(doc, 1);
        expect_in("md", "### shmcheck: 5 of 8 cases diverge, 1 could not be tried\n\n**POSIX 2/8, Linux 2/8, ");
        expect_count(doc, "//m:table", 1);
        expect_count(doc, "//m:table/m:table_header/m:table_cell", 6);
        expect_in("md", "| all | 1 | 5 | 1 | 1 | 1 |\n| `first` | - | 4 | - | - | 1 |\n"
                        "| `second` | 1 | 1 | 1 | 1 | - |\n\n");
        static const char *const folded[] = {"crash", "fail", "fixed", "flaky", "hang", "error"};
        for (size_t i = 0; i < sizeof(folded) / sizeof(folded[0]); i++) {
                char nodes[256];
                snprintf(nodes, sizeof(nodes),
                         "//m:html_block[starts-with(., '<details><summary><b>%s</b> <code>made.%s</code> It works')]",
                         folded[i], folded[i]);
                expect_count(doc, nodes, 1);
        }
        expect_count(doc, "//m:code_block", 8);
        expect_count(doc, "//m:code_block[contains(., 'made.known: accepted by the baseline until 2999-12-31')]", 1);
        expect_count(doc, "//m:code_block[contains(., 'shmdt(0x7f0000000000)   expected EINVAL   got ENOENT')]", 2);
        xmlFreeDoc(doc);
}

Test(reports, markdown_of_a_hostile_record_holds_it)
{
        expect_command("$B/shmcheck report $D/hostile.rec $D/plain.rec --markdown $D/md >/dev/null 2>&1", 1, NULL,
                       NULL);
        xmlDocPtr doc = read_markdown();
        expect_plain_markdown(doc, 2);
        expect_count(doc, "//m:table", 2);
        expect_count(doc, "//m:heading/m:code[. = 'hostile']", 1);
        expect_count(doc, "//m:code_block[contains(., '</details>')]", 7);
        expect_no_orders_in("md");
        xmlFreeDoc(doc);
}

Test(reports, markdown_is_bounded_and_says_what_it_leaves_out)
{
        char *sentence = malloc(1001);
        memset(sentence, '`', 1000);
        sentence[1000] = '\0';
        make_failing_record(path_of("many.rec"), 900, sentence);
        free(sentence);
        expect_command("$B/shmcheck report $D/many.rec $D/plain.rec --markdown $D/md >/dev/null 2>&1", 1, NULL, NULL);
        xmlDocPtr doc = read_markdown();
        expect_plain_markdown(doc, 2);
        char *text = read_report("md");
        const char *last = strstr(text, "\nLeft out for want of room: ");
        cr_assert_not_null(last, "%s", text);
        unsigned long omitted = strtoul(last + strlen("\nLeft out for want of room: "), NULL, 10);
        double shown = xpath_number(doc, "count(//m:html_block[contains(., '<b>fail</b>')])");
        cr_expect_eq((unsigned long)shown + omitted, 900 + 2, "%g shown, %lu left out", shown, omitted);
        cr_expect_gt(shown, 5);
        cr_expect(has(text, "<code>made.flaky</code>"), "a long record leaves room for the next");
        cr_expect(has(last, " divergences. The JSON report has all of it.\n"), "%s", last);
        free(text);
        xmlFreeDoc(doc);
}

/* ---- JSON ---- */

#define SCHEMA "reports/schema.json"

Test(reports, json_of_a_run_keeps_to_the_schema)
{
        write_file("mis", "misbehaving.fails until=2999-01-01 # why\nmisbehaving.scratch\n");
        expect_command("$B/shmcheck run --agent $B/shmcheck-test-agent --timeout 0.3 --baseline $D/mis "
                       "--json $D/run.json -j 8 misbehaving.passes misbehaving.fails misbehaving.crashes "
                       "misbehaving.scratch misbehaving.skips misbehaving.means_to_leave_more misbehaving.set_up_fails "
                       "misbehaving.hangs >/dev/null 2>&1",
                       1, NULL, NULL);
        static const struct {
                const char *id, *verdict;
        } rows[] = {{"passes", "pass"},
                    {"fails", "known"},
                    {"crashes", "crash"},
                    {"scratch", "fixed"},
                    {"skips", "skip"},
                    {"hangs", "hang"},
                    {"means_to_leave_more", "fail"},
                    {"set_up_fails", "error"}};
        json_t *results = json_load_file(path_of("run.json"), 0, NULL);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                char id[64];
                snprintf(id, sizeof(id), "misbehaving.%s", rows[i].id);
                cr_expect_str_eq(verdict_in(results, id), rows[i].verdict, "%s", id);
        }
        json_decref(results);
        expect_command("$B/shmcheck judge $D/plain.rec --json $D/plain.json --baseline $D/base >/dev/null; "
                       "$B/shmcheck report $D/hostile.rec $D/plain.rec --json $D/two.json >/dev/null; "
                       "head -n 3 $D/good.rec >$D/cut.rec; "
                       "$B/shmcheck report $D/cut.rec --json $D/cut.json >/dev/null 2>&1",
                       3, "", "");
        expect_by_schema(SCHEMA, "$D/run.json $D/plain.json $D/two.json $D/cut.json", "");
}

Test(reports, json_that_has_more_than_the_schema_is_refused)
{
        expect_command("$B/shmcheck judge $D/plain.rec --json $D/json >/dev/null 2>&1", 1, NULL, NULL);
        expect_command("sed 's/\"topic\"/\"topik\"/' $D/json >$D/x.json", 0, "", "");
        expect_by_schema(SCHEMA, "$D/x.json", "'topik' was unexpected");
}

/* Members of the wrong kind, and such as no agent writes. */
Test(reports, json_of_a_record_with_wrong_members_keeps_to_the_schema)
{
        FILE *f = fopen(path_of("odd.rec"), "we");
        cr_assert_not_null(f);
        write_frame(f, 0,
                    "{\"type\":\"start\",\"format\":1,\"results\":2,\"platform\":{\"sysname\":7,\"new\":1},"
                    "\"isolation\":[],\"missing\":{\"a\":1},\"time\":\"now\",\"rounds\":-1}");
        write_frame(f, 1,
                    "{\"type\":\"case\",\"id\":\"\",\"status\":\"done\",\"level\":\"posix-shall\",\"topic\":[],"
                    "\"line\":\"x\",\"needs\":[1],\"left\":{\"segments\":[1,{\"id\":\"x\"}]},\"steps\":[3,{\"n\":{}}],"
                    "\"observations\":[{\"step\":\"a\",\"seen\":1,\"expected\":{\"posix\":[1,\"a\"]}},4,"
                    "{\"seen\":\"x\",\"expected\":{\"posix\":[2]}}]}");
        write_frame(f, 2, "{\"type\":\"case\",\"id\":\"b\",\"status\":\"\",\"level\":9}");
        write_frame(f, 3, "{\"type\":\"end\",\"results\":2}");
        fclose(f);
        expect_command("$B/shmcheck judge $D/odd.rec --profile linux " ALL_FORMATS ">/dev/null", 1, NULL, "");
        expect_by_schema(SCHEMA, "$D/json", "");
        char *ktap = read_report("ktap");
        cr_expect(has(ktap, "not ok "), "%s", ktap);
        free(ktap);
        xmlDocPtr doc = read_xml("xml");
        expect_valid_junit(doc);
        expect_count(doc, "//testcase", 2);
        xmlFreeDoc(doc);
}

/* ---- all formats ---- */

Test(reports, a_sentence_of_a_megabyte_does_no_harm)
{
        size_t length = 1000 * 1000;
        char *sentence = malloc(length + 1);
        memset(sentence, 'x', length);
        sentence[length] = '\0';
        make_failing_record(path_of("long.rec"), 2, sentence);
        free(sentence);
        struct finished f = run_command("$B/shmcheck judge $D/long.rec " ALL_FORMATS ">/dev/null; echo $?; "
                                        "wc -L <$D/tap; cat $D/xml $D/tap $D/ktap $D/md | wc -c");
        long status = 0;
        long widest = 0;
        long bytes = 0;
        cr_assert_eq(sscanf(f.out, "%ld %ld %ld", &status, &widest, &bytes), 3, "%s%s", f.out, f.err);
        cr_expect_eq(status, 1, "%ld", status);
        cr_expect_leq(widest, 66000, "%ld", widest);
        cr_expect_leq(bytes, 1000 * 1000, "%ld", bytes);
        finished_free(&f);
        xmlDocPtr doc = read_xml("xml");
        expect_valid_junit(doc);
        xmlFreeDoc(doc);
        doc = read_markdown();
        expect_plain_markdown(doc, 1);
        expect_count(doc, "//m:html_block[contains(., '<b>fail</b>')]", 2);
        xmlFreeDoc(doc);
}

Test(reports, bytes_that_are_no_utf_8_are_replaced)
{
        expect_command("cp $D/plain.rec \"$D/$(printf 'g\\377\\\\`|').rec\" && "
                       "printf 'made.known # \\377\\303(\\n' >$D/base",
                       0, "", "");
        expect_command("$B/shmcheck report $D/g?*[!d].rec $D/plain.rec --baseline $D/base " ALL_FORMATS
                       ">/dev/null 2>&1",
                       1, NULL, NULL);
        static const char *const names[] = {"json", "xml", "tap", "ktap", "md"};
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                expect_in(names[i], "g\xef\xbf\xbd");
                expect_in(names[i], "\xef\xbf\xbd\xef\xbf\xbd(");
                expect_no_orders_in(names[i]);
        }
        json_t *json = json_load_file(path_of("json"), 0, NULL);
        cr_expect_eq(json_array_size(json), 2);
        json_decref(json);
}

Test(reports, a_record_that_is_not_whole_is_a_failure_in_each)
{
        static const struct {
                const char *name, *part;
        } rows[] = {
                {"json", "\"cut\": \"the record is cut short: 2 of 11 results; no case was running when it ended\""},
                {"xml", "<testcase classname=\"shmcheck.record\" name=\"record.is_whole\">\n   <error type=\"cut\" "
                        "message=\"the record is cut short: "},
                {"tap", "\n1..3\n"},
                {"tap", "\nnot ok 3 - record.is_whole\n  ---\n  message: \"the record is cut short: "},
                {"ktap", "\nnot ok 3 record.is_whole # ERROR the record is cut short: "},
                {"md", " diverge, and the record is not whole\n"},
        };
        expect_command("head -n 3 $D/plain.rec >$D/cut.rec; $B/shmcheck judge $D/cut.rec " ALL_FORMATS
                       ">/dev/null 2>&1",
                       3, NULL, NULL);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                expect_in(rows[i].name, rows[i].part);
        xmlDocPtr doc = read_xml("xml");
        expect_valid_junit(doc);
        xmlFreeDoc(doc);
}

Test(reports, several_records_are_told_apart)
{
        expect_command("mkdir $D/a && cp $D/good.rec $D/a/plain.rec && "
                       "$B/shmcheck report $D/plain.rec $D/good.rec $D/a/plain.rec " ALL_FORMATS ">/dev/null 2>&1",
                       1, NULL, NULL);
        json_t *json = json_load_file(path_of("json"), 0, NULL);
        cr_expect_eq(json_array_size(json), 3);
        cr_expect_str_eq(json_string_value(json_object_get(json_array_get(json, 1), "label")), "good");
        json_decref(json);
        expect_in("tap", "\nok 11 - good: made.pass\n");
        expect_in("tap", "\n1..14\n");
        expect_in("tap", "/a/plain.rec: made.pass\n");
        xmlDocPtr doc = read_xml("xml");
        expect_valid_junit(doc);
        expect_count(doc, "//testcase[@name = 'made.pass' and @classname = 'good.second']", 1);
        expect_count(doc, "//testsuite[@name = 'good: second']", 1);
        expect_count(doc, "//testcase", 14);
        xmlFreeDoc(doc);
        struct finished f = run_command("$B/shmcheck report - $D/good.rec <$D/plain.rec --tap -");
        cr_expect_eq(f.status, 1);
        cr_expect(has(f.out, " - standard input: made.fail\n"), "%s", f.out);
        cr_expect(has(f.err, "good: POSIX 1/1, Linux 1/1, 1 skipped "), "%s", f.err);
        finished_free(&f);
}

/* A slip in a profile would otherwise never be seen: what it is about does not come. */
Test(reports, an_override_for_a_case_that_is_none_is_told)
{
        write_file("p.json", "{\"profile\":\"p\",\"title\":\"t\",\"refines\":\"linux\",\"overrides\":["
                             "{\"case\":\"made.fail\",\"expected\":[\"*\"],\"why\":\"x\",\"source\":\"y\"},"
                             "{\"case\":\"made.c*\",\"expected\":[\"*\"],\"why\":\"x\",\"source\":\"y\"},"
                             "{\"case\":\"made.craash\",\"expected\":[\"*\"],\"why\":\"x\",\"source\":\"y\"},"
                             "{\"case\":\"maid.*\",\"expected\":[\"*\"],\"why\":\"x\",\"source\":\"y\"}]}");
        expect_command("$B/shmcheck judge $D/plain.rec --profile $D/p.json >/dev/null", 1, "",
                       "shmcheck: profile 'p': override 3: no case of the record is called 'made.craash'; the nearest "
                       "is 'made.crash'\n"
                       "shmcheck: profile 'p': override 4: no case of the record fits 'maid.*'\n");
}
