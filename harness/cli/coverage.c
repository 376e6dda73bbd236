/* shmcheck coverage: which case checks which clause, and which clause none. */
#include "coverage.h"

#include <errno.h>
#include <string.h>

#include "cli.h"
#include "coverage_report.h"
#include "verdict_output.h"

static int markdown;

static struct poptOption option_table[] = {
        {"markdown", 0, POPT_ARG_NONE, &markdown, 0, "print tables in Markdown, as cases/COVERAGE.md has them", NULL},
        {"color", 0, POPT_ARG_STRING, &verdict_options.color, 0, "auto (default), always or never", "WHEN"},
        POPT_AUTOHELP POPT_TABLEEND};

static const char *text_of(const json_t *object, const char *member)
{
        const char *text = json_string_value(json_object_get(object, member));
        return text ? text : "";
}

static void tell_unknown(const struct unknown_clause *u)
{
        const char *file = text_of(u->of, "file");
        const char *id = text_of(u->of, "id");
        json_int_t line = json_integer_value(json_object_get(u->of, "line"));
        if (!*u->text)
                complain("%s:%lld: %s names no clause", file, (long long)line, id);
        else if (u->nearest)
                complain("%s:%lld: %s: unknown clause '%s'; the nearest is '%s'", file, (long long)line, id, u->text,
                         u->nearest);
        else
                complain("%s:%lld: %s: unknown clause '%s'", file, (long long)line, id, u->text);
}

/* One line on standard error for each thing to mend, with the place to do it at. */
static void tell_findings(const struct coverage *c, const char *path)
{
        for (size_t i = 0; i < c->unknown_count; i++)
                tell_unknown(&c->unknown[i]);
        for (size_t i = 0; i < c->clause_count; i++) {
                const struct clause *clause = c->clauses[i].clause;
                bool checked = json_array_size(c->clauses[i].ids) != 0;
                if (!checked && !clause->reason)
                        complain("%s:%zu: no case checks '%s', and no reason is given", path, clause->line,
                                 clause->text);
                if (checked && clause->reason)
                        complain("%s:%zu: cases check '%s' by now: take the reason away", path, clause->line,
                                 clause->text);
        }
}

static int report_coverage(const struct clauses *clauses, const char *path, const json_t *listed)
{
        struct coverage *c = coverage_find(clauses, listed);
        if (!c) {
                complain("out of memory");
                return EXIT_HARNESS;
        }
        if (markdown)
                coverage_markdown(stdout, c);
        else
                coverage_report(stdout, (struct terminal_style){may_use_color(stdout), terminal_width(stdout)}, c);
        bool written = end_output(stdout, "the coverage");
        tell_findings(c, path);
        int status = coverage_is_whole(c) ? EXIT_AS_IT_MUST_BE : EXIT_DIVERGES;
        coverage_free(c);
        return written ? status : EXIT_HARNESS;
}

static int cover(const struct locations *where)
{
        static const char *const words[] = {"--list", NULL};
        char path[4200];
        char why[4300];
        snprintf(path, sizeof(path), "%s/cases/clauses.txt", where->data);
        struct clauses *clauses = clauses_load(path, why, sizeof(why));
        if (!clauses) {
                complain("%s", why);
                return EXIT_USAGE;
        }
        int status = EXIT_HARNESS;
        struct record_reader *reader = agent_ask(where->agent, words, why, sizeof(why));
        if (reader)
                status = report_coverage(clauses, path, record_reader_record(reader)->listed);
        else
                complain("%s", why);
        record_reader_free(reader);
        clauses_free(clauses);
        return status;
}

int command_coverage(int argc, char **argv)
{
        static struct locations where;
        const char **rest = NULL;
        poptContext context = options_read("coverage", "[OPTION...]", argc, argv, option_table, &rest);
        if (!context)
                return EXIT_USAGE;
        int status = EXIT_USAGE;
        locations_find(&where);
        if (rest && rest[0])
                complain("coverage: takes no words, only options");
        else if (verdict_options_check())
                status = cover(&where);
        poptFreeContext(context);
        return status;
}
