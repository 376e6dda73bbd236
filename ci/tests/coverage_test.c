/* The list of clauses, the cases held against it, and cases/COVERAGE.md. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clauses.h"
#include "command.h"
#include "coverage.h"
#include "coverage_report.h"

static char list_path[64];

static void make_list(void)
{
        snprintf(list_path, sizeof(list_path), "/tmp/shmcheck-clauses-XXXXXX");
        int fd = mkstemp(list_path);
        cr_assert(fd != -1);
        close(fd);
}

static void remove_list(void)
{
        unlink(list_path);
}

static struct clauses *load(const char *text, char *why, size_t size)
{
        FILE *f = fopen(list_path, "we");
        cr_assert_not_null(f);
        fputs(text, f);
        fclose(f);
        return clauses_load(list_path, why, size);
}

static struct clauses *load_well(const char *text)
{
        char why[4300] = "";
        struct clauses *clauses = load(text, why, sizeof(why));
        cr_assert_not_null(clauses, "%s", why);
        return clauses;
}

/* ---- the list ---- */

Test(clauses, says_what_is_wrong_and_where, .init = make_list, .fini = remove_list)
{
        static const struct {
                const char *text, *why;
        } rows[] = {
                {"# c\n\nXSH shmget DESCRIPTION\n", ":3: a clause begins with POSIX XSH,"},
                {"shmget (2) NOTES\n", ":1: a clause begins with POSIX XSH,"},
                {"shmget(2)NOTES\n", ":1: a clause begins with POSIX XSH,"},
                {"POSIX XSH\n", ":1: a clause begins with POSIX XSH,"},
                {"shmget(2) A; shmget(2) B\n", ":1: a line holds one clause"},
                {"shmget(2) |  \n", ":1: no reason stands behind '|'"},
                {" | why\n", ":1: no clause stands before '|'"},
                {"shmget(2)\nshmop(2)\n shmget(2) | why\n", ":3: the clause stands in line 1 already"},
        };
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                char why[4300] = "";
                char expected[256];
                cr_expect_null(load(rows[i].text, why, sizeof(why)), "row %zu", i);
                snprintf(expected, sizeof(expected), "%s%s", list_path, rows[i].why);
                cr_expect(strncmp(why, expected, strlen(expected)) == 0, "row %zu: %s", i, why);
                cr_expect_null(strchr(why, '\n'), "row %zu: %s", i, why);
        }
}

Test(clauses, a_list_that_cannot_be_read_is_told)
{
        char why[4300] = "";
        cr_expect_null(clauses_load("/no/such/list", why, sizeof(why)));
        cr_expect_str_eq(why, "/no/such/list: No such file or directory");
        cr_expect_null(clauses_load("/tmp", why, sizeof(why)));
        cr_expect_str_eq(why, "/tmp: Is a directory");
}

Test(clauses, are_sorted_posix_first_then_manual_pages_then_sources, .init = make_list, .fini = remove_list)
{
        struct clauses *clauses = load_well("# comment\n"
                                            "x86 ABI\n"
                                            "Linux ipc/shm.c newseg()\r\n"
                                            "shmop(2) | it is | never tried \n"
                                            "\n"
                                            "  POSIX XSH shmget DESCRIPTION  \n"
                                            "ipc_namespaces(7)\n"
                                            "POSIX XBD <sys/shm.h>");
        static const struct {
                const char *text, *reason;
                size_t line;
                enum clause_kind kind;
        } expected[] = {
                {"POSIX XBD <sys/shm.h>", NULL, 8, CLAUSE_POSIX},
                {"POSIX XSH shmget DESCRIPTION", NULL, 6, CLAUSE_POSIX},
                {"ipc_namespaces(7)", NULL, 7, CLAUSE_MANUAL},
                {"shmop(2)", "it is | never tried", 4, CLAUSE_MANUAL},
                {"Linux ipc/shm.c newseg()", NULL, 3, CLAUSE_SOURCE},
                {"x86 ABI", NULL, 2, CLAUSE_SOURCE},
        };
        cr_assert_eq(clauses->count, sizeof(expected) / sizeof(expected[0]));
        for (size_t i = 0; i < clauses->count; i++) {
                const struct clause *c = &clauses->all[i];
                cr_expect_str_eq(c->text, expected[i].text);
                cr_expect_str_eq(c->reason ? c->reason : "", expected[i].reason ? expected[i].reason : "");
                cr_expect_eq(c->line, expected[i].line, "%s", c->text);
                cr_expect_eq(c->kind, expected[i].kind, "%s", c->text);
        }
        clauses_free(clauses);
}

/* ---- cases against it ---- */

static void add_listed(json_t *listed, const char *id, const char *clause)
{
        json_array_append_new(listed, json_pack("{s:s,s:s,s:s,s:s}", "id", id, "clause", clause, "topic", "made_up",
                                                "level", "posix-may"));
}

Test(coverage, tells_what_is_missing_unknown_left_out_and_outdated, .init = make_list, .fini = remove_list)
{
        struct clauses *clauses = load_well("POSIX XSH shmget ERRORS EEXIST\n"
                                            "POSIX XSH shmget ERRORS ENOENT\n"
                                            "shmget(2) ERRORS ENFILE | a setting of the machine\n"
                                            "shmget(2) NOTES | outdated\n");
        json_t *listed = json_array();
        add_listed(listed, "b.b.b", "shmget(2) NOTES; POSIX XSH shmget ERRORS EEXIST");
        add_listed(listed, "a.a.a", "POSIX XSH shmget ERRORS EEXIST; POSIX XSH shmget ERRORS EEXIST");
        add_listed(listed, "c.c.c", "XSH shmget ERRORS ENOENT");
        add_listed(listed, "d.d.d", "");
        struct coverage *c = coverage_find(clauses, listed);
        cr_assert_not_null(c);
        json_t *both = json_pack("[s,s]", "a.a.a", "b.b.b");
        cr_expect(json_equal(c->clauses[0].ids, both), "sorted, and none twice");
        cr_expect_eq(json_array_size(c->clauses[1].ids), 0);
        cr_expect_eq(c->missing, 1);
        cr_expect_eq(c->explained, 1);
        cr_expect_eq(c->outdated, 1);
        cr_assert_eq(c->unknown_count, 2);
        cr_expect_str_eq(c->unknown[0].text, "XSH shmget ERRORS ENOENT");
        cr_expect_str_eq(c->unknown[0].nearest, "POSIX XSH shmget ERRORS ENOENT");
        cr_expect_str_eq(json_string_value(json_object_get(c->unknown[0].of, "id")), "c.c.c");
        cr_expect_str_eq(c->unknown[1].text, "");
        cr_expect(!coverage_is_whole(c));
        cr_assert_eq(c->topic_count, 1);
        cr_expect_eq(c->topics[0].levels[1], 4);
        json_decref(both);
        coverage_free(c);
        json_decref(listed);
        clauses_free(clauses);
}

Test(coverage, a_family_has_one_name_only_where_all_of_it_checks_the_clause, .init = make_list, .fini = remove_list)
{
        static const char *const ids[] = {"t.all.a", "t.all.b",    "t.all.c",    "t.all.d",    "t.few.a",   "t.few.b",
                                          "t.few.c", "t.part.a.a", "t.part.a.b", "t.part.a.c", "t.part.a.d"};
        struct clauses *clauses = load_well("shmop(2)\nshmget(2)\n");
        json_t *listed = json_array();
        for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
                add_listed(listed, ids[i], "shmop(2)");
        add_listed(listed, "t.part.b.a", "shmget(2)");
        struct coverage *c = coverage_find(clauses, listed);
        cr_assert_not_null(c);
        json_t *expected = json_pack("[s,s,s,s,s]", "t.all.*", "t.few.a", "t.few.b", "t.few.c", "t.part.a.*");
        cr_expect(json_equal(c->clauses[1].names, expected));
        cr_expect_eq(json_array_size(c->clauses[1].ids), 11);
        cr_expect(coverage_is_whole(c));
        json_decref(expected);
        coverage_free(c);
        json_decref(listed);
        clauses_free(clauses);
}

Test(coverage, is_wrapped_between_ids, .init = make_list, .fini = remove_list)
{
        struct clauses *clauses = load_well("shmop(2) ERRORS\nshmget(2) | it is a reason of some length\nstat(2)\n");
        json_t *listed = json_array();
        add_listed(listed, "first.case.here", "shmop(2) ERRORS");
        add_listed(listed, "second.case.here", "shmop(2) ERRORS");
        struct coverage *c = coverage_find(clauses, listed);
        cr_assert_not_null(c);
        char *text = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&text, &size);
        coverage_report(f, (struct terminal_style){.color = false, .width = 30}, c);
        fclose(f);
        cr_expect_str_eq(text, "shmget(2)\n"
                               "    no case: it is a reason\n"
                               "             of some length\n"
                               "shmop(2) ERRORS\n"
                               "    first.case.here,\n"
                               "    second.case.here\n"
                               "stat(2)\n"
                               "    NO CASE\n"
                               "\n"
                               "3 clauses: 1 checked by 2 cases, 1 left out for a reason, 1 without a case\n");
        free(text);
        coverage_free(c);
        json_decref(listed);
        clauses_free(clauses);
}

/* ---- the command ---- */

static void install_here(void)
{
        make_installation();
}

Test(coverage, no_clause_is_without_a_case_or_a_reason)
{
        struct finished f = run_command("$B/shmcheck coverage");
        cr_expect_eq(f.status, 0, "%s", f.err);
        cr_expect_str_eq(f.err, "");
        cr_expect(has(f.out, "POSIX XSH shmget ERRORS EEXIST\n    race.excl.as_lock,"));
        cr_expect(has(f.out, ", 0 without a case\n"));
        finished_free(&f);
}

Test(coverage, the_page_in_the_project_is_what_the_command_prints_now)
{
        struct finished f = run_command("$B/shmcheck coverage --markdown | diff -u cases/COVERAGE.md -");
        cr_expect_eq(f.status, 0, "make coverage writes it anew:\n%s", f.out);
        finished_free(&f);
}

Test(coverage, tells_what_is_to_be_mended_and_where, .init = install_here, .fini = remove_installation)
{
        struct finished f = run_command("ln -f $I/shmcheck-test-agent $I/shmcheck-agent && "
                                        "echo 'shmop(2)' >$I/../cases/clauses.txt && $I/shmcheck coverage --markdown");
        cr_expect_eq(f.status, 1, "%s", f.err);
        cr_expect(has(f.err, ": misbehaving.passes: unknown clause 'none'; the nearest is 'shmop(2)'\n"), "%s", f.err);
        cr_expect(has(f.err, "/cases/clauses.txt:1: no case checks 'shmop(2)', and no reason is given\n"), "%s", f.err);
        cr_expect(has(f.out, "\n| `shmop(2)` | 0 | **no case** |\n"), "%s", f.out);
        finished_free(&f);
}

Test(coverage, does_not_begin_without_a_list_or_an_agent, .init = install_here, .fini = remove_installation)
{
        static const struct {
                const char *command, *said;
                int status;
        } rows[] = {
                {"rm $I/../cases/clauses.txt && $I/shmcheck coverage",
                 "/cases/clauses.txt: No such file or directory\n", 2},
                {"echo shmop >$I/../cases/clauses.txt && $I/shmcheck coverage", "/clauses.txt:1: a clause begins", 2},
                {"echo 'shmop(2)' >$I/../cases/clauses.txt && ln -sf /bin/false $I/shmcheck-agent && $I/shmcheck "
                 "coverage",
                 "/shmcheck-agent ended with status 1\n", 3},
                {"$I/shmcheck coverage x", "shmcheck: coverage: takes no words, only options\n", 2},
                {"$I/shmcheck coverage --markdwn", "unknown option '--markdwn'; the nearest is '--markdown'\n", 2},
        };
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct finished f = run_command(rows[i].command);
                cr_expect_eq(f.status, rows[i].status, "row %zu: %s", i, f.err);
                cr_expect(has(f.err, rows[i].said), "row %zu: %s", i, f.err);
                cr_expect_str_eq(f.out, "", "row %zu", i);
                finished_free(&f);
        }
}
