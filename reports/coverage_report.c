#include "coverage_report.h"

#include <string.h>

#define INDENT 4

static void print_summary(FILE *out, const struct coverage *c)
{
        fprintf(out, "%zu clauses: %zu checked by %zu cases, %zu left out for a reason, %zu without a case",
                c->clause_count, c->clause_count - c->explained - c->missing, c->case_count, c->explained, c->missing);
        if (c->unknown_count)
                fprintf(out, ", %zu unknown", c->unknown_count);
        fputc('\n', out);
}

/* ---- on the terminal ---- */

static void print_colored(FILE *out, struct terminal_style style, const char *escape, const char *text)
{
        fputs(style.color ? escape : "", out);
        print_wrapped(out, style, INDENT, text);
        fputs(style.color ? "\033[0m" : "", out);
}

static void print_clause(FILE *out, struct terminal_style style, const struct covered_clause *covered)
{
        print_colored(out, style, "\033[1m", covered->clause->text);
        fprintf(out, "%*s", INDENT, "");
        if (json_array_size(covered->ids)) {
                print_ids(out, style, INDENT, covered->names);
        } else if (covered->clause->reason) {
                fputs("no case: ", out);
                print_wrapped(out, style, INDENT + 9, covered->clause->reason);
        } else {
                print_colored(out, style, "\033[1;31m", "NO CASE");
        }
}

void coverage_report(FILE *out, struct terminal_style style, const struct coverage *c)
{
        for (size_t i = 0; i < c->clause_count; i++)
                print_clause(out, style, &c->clauses[i]);
        fputc('\n', out);
        print_summary(out, c);
}

/* ---- in Markdown ---- */

/* Text from the list is no markup. */
static void print_literally(FILE *out, const char *text)
{
        for (; *text; text++) {
                if (strchr("\\`*_<|[", *text))
                        fputc('\\', out);
                fputc(*text, out);
        }
}

static void print_topics(FILE *out, const struct coverage *c)
{
        size_t sums[LEVELS] = {0};
        fputs("\n## Cases by topic and level\n\n| topic |", out);
        for (size_t k = 0; k < LEVELS; k++)
                fprintf(out, " %s |", level_names[k]);
        fputs(" all |\n|---|", out);
        for (size_t k = 0; k <= LEVELS; k++)
                fputs("---:|", out);
        fputc('\n', out);
        for (size_t i = 0; i < c->topic_count; i++) {
                const struct topic_count *topic = &c->topics[i];
                fprintf(out, "| %s |", topic->topic);
                for (size_t k = 0; k < LEVELS; k++) {
                        fprintf(out, topic->levels[k] ? " %zu |" : " |", topic->levels[k]);
                        sums[k] += topic->levels[k];
                }
                fprintf(out, " %zu |\n", topic->all);
        }
        fputs("| **all** |", out);
        for (size_t k = 0; k < LEVELS; k++)
                fprintf(out, " %zu |", sums[k]);
        fprintf(out, " %zu |\n", c->case_count);
}

static void print_clause_row(FILE *out, const struct covered_clause *covered)
{
        size_t count = json_array_size(covered->ids);
        fprintf(out, "| `%s` | %zu | ", covered->clause->text, count);
        if (count) {
                size_t i = 0;
                json_t *name = NULL;
                json_array_foreach(covered->names, i, name)
                        fprintf(out, "%s`%s`", i ? ", " : "", json_string_value(name));
        } else if (covered->clause->reason) {
                fputs("no case: ", out);
                print_literally(out, covered->clause->reason);
        } else {
                fputs("**no case**", out);
        }
        fputs(" |\n", out);
}

void coverage_markdown(FILE *out, const struct coverage *c)
{
        static const char *const heads[CLAUSE_KINDS] = {
                [CLAUSE_POSIX] = "POSIX", [CLAUSE_MANUAL] = "Manual pages", [CLAUSE_SOURCE] = "Sources"};
        fputs("# Which case checks which clause\n\n"
              "Written by `make coverage`. `shmcheck run --list` tells what each case checks, `topic.what.*` stands "
              "for\n"
              "all of a family.\n\n",
              out);
        print_summary(out, c);
        print_topics(out, c);
        for (size_t i = 0; i < c->clause_count; i++) {
                enum clause_kind kind = c->clauses[i].clause->kind;
                if (i == 0 || kind != c->clauses[i - 1].clause->kind)
                        fprintf(out, "\n## %s\n\n| clause | cases | which |\n|---|---:|---|\n", heads[kind]);
                print_clause_row(out, &c->clauses[i]);
        }
}
