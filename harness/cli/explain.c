/* shmcheck explain: all that is known of one case. What a profile expects stands in the checks, so the case is run. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "nearest.h"
#include "terminal_report.h"
#include "verdict_output.h"

static struct poptOption option_table[] = {
        {"color", 0, POPT_ARG_STRING, &verdict_options.color, 0, "auto (default), always or never", "WHEN"},
        POPT_AUTOHELP POPT_TABLEEND};

/* Runs the agent with the words and reads what it writes. The caller frees the reader. */
static struct record_reader *ask_agent(const struct locations *where, const char *const *words)
{
        char why[4200];
        struct record_reader *reader = agent_ask(where->agent, words, why, sizeof(why));
        if (!reader)
                complain("%s", why);
        return reader;
}

static const char *text_of(const json_t *object, const char *member)
{
        const char *text = json_string_value(json_object_get(object, member));
        return text ? text : "";
}

static void print_field(struct terminal_style style, const char *name, const char *text)
{
        if (!*text)
                return;
        printf("%-11s", name);
        print_wrapped(stdout, style, 11, text);
}

static void print_needs(struct terminal_style style, const json_t *entry)
{
        char line[512] = "";
        size_t length = 0;
        size_t i = 0;
        json_t *need = NULL;
        json_array_foreach(json_object_get(entry, "needs"), i, need)
        {
                int n = snprintf(line + length, sizeof(line) - length, "%s%s", i ? ", " : "",
                                 json_string_value(need) ? json_string_value(need) : "?");
                length += n > 0 && (size_t)n < sizeof(line) - length ? (size_t)n : 0;
        }
        print_field(style, "needs", *line ? line : "nothing");
}

static void print_expected(const char *title, const struct value *allowed)
{
        printf("      %-6s ", title);
        if (allowed)
                print_allowed(stdout, allowed);
        else
                fputs("any", stdout);
        putchar('\n');
}

static void print_expectations(struct terminal_style style, const struct record *record,
                               const struct profiles *profiles)
{
        if (record->case_count == 0)
                return;
        const struct value *result = record->cases[0].results[0];
        size_t number = 0;
        if (strcmp(member_text(result, "status"), "done") != 0) {
                printf("\nwhat the profiles expect of each observation cannot be shown, since the case did not run to\n"
                       "its end here: %s: %s\n",
                       member_text(result, "status"), member_text(result, "reason"));
                return;
        }
        puts("\nwhat the profiles expect, and what was seen here just now:");
        VALUE_EACH(observation, value_member(result, "observations"))
        {
                printf("  %zu. ", ++number);
                print_wrapped(stdout, style, 6, member_text(observation, "what"));
                for (size_t k = 0; k < profiles->other_count; k++)
                        print_expected(profiles->others[k]->title,
                                       profile_expected(profiles->others[k], record->cases[0].id, observation));
                print_expected(profiles->main->title,
                               profile_expected(profiles->main, record->cases[0].id, observation));
                printf("      %-6s ", "here");
                print_wrapped(stdout, style, 13, member_text(observation, "seen"));
        }
}

/* ---- where platforms are known to do otherwise ---- */

struct known_overrides {
        struct terminal_style style;
        const struct record *record; /* of the case, run here just now */
        json_t *told;                /* what has been printed, as the names of an object */
};

/* Whether the override is about the case's ending, or an observation that it has here, or may have. */
static bool is_about_case(const struct record *record, const char *what)
{
        const struct value *result = record->case_count ? record->cases[0].results[0] : NULL;
        if (!*what || strcmp(what, "ending") == 0 || strcmp(member_text(result, "status"), "done") != 0)
                return true;
        VALUE_EACH(observation, value_member(result, "observations"))
        {
                if (override_names(what, member_text(observation, "what")))
                        return true;
        }
        return false;
}

static char *override_line(const char *profile_title, const json_t *override)
{
        const char *what = text_of(override, "what");
        char *text = NULL;
        size_t size = 0;
        size_t i = 0;
        json_t *result = NULL;
        FILE *out = open_memstream(&text, &size);
        if (!out)
                return NULL;
        fprintf(out, "%s: %s%s", profile_title, what, *what ? ": " : "");
        json_array_foreach(json_object_get(override, "expected"), i, result)
        {
                const char *expected = json_string_value(result);
                fprintf(out, "%s%s", i ? " or " : "", strcmp(expected, "*") == 0 ? "anything" : expected);
        }
        fprintf(out, ", since %s (%s)", text_of(override, "why"), text_of(override, "source"));
        fclose(out);
        return text;
}

static void print_override(const char *profile_title, const json_t *override, void *arg)
{
        struct known_overrides *known = arg;
        if (!is_about_case(known->record, text_of(override, "what")))
                return;
        char *line = override_line(profile_title, override);
        if (line && !json_object_get(known->told, line)) {
                if (json_object_size(known->told) == 0)
                        puts("\nplatforms of which it is known that they differ:");
                fputs("  - ", stdout);
                print_wrapped(stdout, known->style, 4, line);
                json_object_set_new(known->told, line, json_true());
        }
        free(line);
}

static void print_overrides(struct terminal_style style, const struct locations *where, const struct record *record,
                            const char *id)
{
        struct known_overrides known = {style, record, json_object()};
        profile_each_override(where->profiles, id, print_override, &known);
        json_decref(known.told);
}

/* ---- the source ---- */

/* Whether the line begins the code that a table's rows share. */
static bool begins_shared_body(const char *text)
{
        return strncmp(text, "TABLE(", 6) == 0 || strncmp(text, "static void try_", 16) == 0;
}

static bool ends_row(const char *text)
{
        size_t length = strcspn(text, "\n");
        return length >= 2 && (strncmp(text + length - 2, "},", 2) == 0 || strncmp(text + length - 2, "};", 2) == 0);
}

/* Prints a case to its end; of a table's row the row, and the body that all rows share. */
static void print_lines(FILE *f, json_int_t line)
{
        enum { BEFORE, IN_ROW, AFTER_ROW, IN_BLOCK } at = BEFORE;
        char *text = NULL;
        size_t room = 0;
        for (json_int_t n = 1; getline(&text, &room, f) != -1; n++) {
                if (n == line)
                        at = strncmp(text, "CASE(", 5) == 0 || strncmp(text, "LINUX_CASE(", 11) == 0 ? IN_BLOCK
                                                                                                     : IN_ROW;
                if (at == AFTER_ROW && begins_shared_body(text) && !strstr(text, ");")) {
                        puts("        ...");
                        at = IN_BLOCK;
                }
                if (at == IN_ROW || at == IN_BLOCK)
                        printf("%6lld  %s", (long long)n, text);
                if (at == IN_BLOCK && text[0] == '}')
                        break;
                if (at == IN_ROW && ends_row(text))
                        at = AFTER_ROW;
        }
        free(text);
}

static void print_source(const struct locations *where, const char *file, json_int_t line)
{
        char path[8192];
        snprintf(path, sizeof(path), "%s/%s", where->data, file);
        FILE *f = fopen(path, "re");
        printf("\n%s%s:%lld\n", f ? "" : "source: ", file, (long long)line);
        if (!f)
                return;
        print_lines(f, line);
        fclose(f);
}

static int unknown_case(const char *id, const struct record *record)
{
        json_t *ids = json_array();
        size_t i = 0;
        json_t *entry = NULL;
        json_array_foreach(record->listed, i, entry) json_array_append(ids, json_object_get(entry, "id"));
        const char *nearest = nearest_name(id, ids);
        if (nearest)
                complain("unknown case '%s'; the nearest is '%s', and run --list shows all", id, nearest);
        else
                complain("the agent has no cases");
        json_decref(ids);
        return EXIT_USAGE;
}

static void explain(const json_t *entry, const struct locations *where, const struct profiles *profiles)
{
        struct terminal_style style = {may_use_color(stdout), terminal_width(stdout)};
        const char *id = text_of(entry, "id");
        const char *const words[] = {"--filter", id, NULL};
        print_field(style, "case", id);
        print_field(style, "sentence", text_of(entry, "sentence"));
        print_field(style, "clause", text_of(entry, "clause"));
        print_field(style, "level", text_of(entry, "level"));
        print_needs(style, entry);
        print_field(style, "note", text_of(entry, "note"));
        print_field(style, "differs", text_of(entry, "differs"));
        struct record_reader *reader = ask_agent(where, words);
        if (reader) {
                print_expectations(style, record_reader_record(reader), profiles);
                print_overrides(style, where, record_reader_record(reader), id);
        }
        record_reader_free(reader);
        print_source(where, text_of(entry, "file"), json_integer_value(json_object_get(entry, "line")));
}

static int explain_case(const char *id, const struct locations *where)
{
        static const char *const words[] = {"--list", NULL};
        struct profiles profiles;
        if (!load_profiles(&profiles, where->profiles, NULL))
                return EXIT_USAGE;
        struct record_reader *reader = ask_agent(where, words);
        int status = EXIT_HARNESS;
        if (reader) {
                const struct record *record = record_reader_record(reader);
                size_t i = 0;
                json_t *entry = NULL;
                const json_t *found = NULL;
                json_array_foreach(record->listed, i, entry)
                {
                        if (strcmp(text_of(entry, "id"), id) == 0)
                                found = entry;
                }
                status = found ? EXIT_AS_IT_MUST_BE : unknown_case(id, record);
                if (found)
                        explain(found, where, &profiles);
        }
        record_reader_free(reader);
        free_profiles(&profiles);
        if (status == EXIT_AS_IT_MUST_BE && !end_output(stdout, "the text"))
                status = EXIT_HARNESS;
        return status;
}

int command_explain(int argc, char **argv)
{
        static struct locations where;
        const char **rest = NULL;
        poptContext context = options_read("explain", "[OPTION...] CASE", argc, argv, option_table, &rest);
        if (!context)
                return EXIT_USAGE;
        int status = EXIT_USAGE;
        locations_find(&where);
        if (!rest || !rest[0] || rest[1])
                complain("explain: takes the id of one case; run --list shows all");
        else if (verdict_options_check())
                status = explain_case(rest[0], &where);
        poptFreeContext(context);
        return status;
}
