/*
 * The Test Anything Protocol 14: a test point a case, with the whole of what is
 * to be told as YAML behind it. A known divergence is a TODO, which no harness
 * counts as a failure; one that is gone is a failure, as it is in the exit
 * status.
 *
 * The diagnostics keep to the YAML that Perl's TAP::Parser reads, too: plain
 * keys, strings in double quotes, and blocks of lines none of which is empty.
 */
#include <stdlib.h>
#include <string.h>

#include "case_text.h"
#include "plain_text.h"
#include "report_format.h"

#define LINE_LIMIT ((size_t)1000)
#define TEXT_LIMIT ((size_t)64 * 1024)

struct tap {
        FILE *out;
        size_t records;
        size_t points;
        bool failed;
};

/* A harness that runs this program says in the environment which version it reads. */
static int version_wanted(void)
{
        const char *wanted = getenv("TAP_VERSION");
        return wanted && strcmp(wanted, "13") == 0 ? 13 : 14;
}

static void *begin_tap(FILE *out, size_t records)
{
        struct tap *tap = calloc(1, sizeof(*tap));
        if (!tap)
                return NULL;
        tap->out = out;
        tap->records = records;
        fprintf(out, "TAP version %d\n", version_wanted());
        return tap;
}

/* One line in which # begins no directive. */
static void put_line(struct tap *tap, const char *text)
{
        char *plain = plain_text(text, LINE_LIMIT, ONE_LINE);
        tap->failed |= !plain;
        for (const char *p = plain; p && *p; p++) {
                if (*p == '#' || *p == '\\')
                        fputc('\\', tap->out);
                fputc(*p, tap->out);
        }
        free(plain);
}

static void put_point(struct tap *tap, bool good, const struct judged_record *judged, const char *name)
{
        fprintf(tap->out, "%s %zu - ", good ? "ok" : "not ok", ++tap->points);
        if (judged->label) {
                put_line(tap, judged->label);
                fputs(": ", tap->out);
        }
        put_line(tap, name);
}

static void put_directive(struct tap *tap, const char *directive, const char *reason)
{
        fprintf(tap->out, " # %s", directive);
        if (reason && *reason) {
                fputc(' ', tap->out);
                put_line(tap, reason);
        }
}

/* ---- diagnostics ---- */

static void put_string(struct tap *tap, const char *key, const char *text)
{
        char *plain = plain_text(text, LINE_LIMIT, ONE_LINE);
        tap->failed |= !plain;
        fprintf(tap->out, "  %s: \"", key);
        for (const char *p = plain; p && *p; p++) {
                if (*p == '"' || *p == '\\')
                        fputc('\\', tap->out);
                fputc(*p, tap->out);
        }
        fputs("\"\n", tap->out);
        free(plain);
}

/* The first line of text has no blank in front, so a reader sees from it how far the block is indented. */
static void put_block(struct tap *tap, const char *key, const char *text)
{
        char *plain = plain_text(text, TEXT_LIMIT, KEEP_NEWLINES);
        tap->failed |= !plain;
        fprintf(tap->out, "  %s: |\n", key);
        char *rest = NULL;
        for (char *line = plain ? strtok_r(plain, "\n", &rest) : NULL; line; line = strtok_r(NULL, "\n", &rest))
                fprintf(tap->out, "    %s\n", line);
        free(plain);
}

static void put_diagnostics(struct tap *tap, const struct judged_case *c, const char *message, const char *platform)
{
        const struct value *result = shown_result(c);
        char *text = describe_case(c, platform);
        tap->failed |= !text;
        fputs("  ---\n", tap->out);
        put_string(tap, "message", message);
        put_string(tap, "severity", c->verdict == VERDICT_KNOWN ? "todo" : "fail");
        put_string(tap, "verdict", verdict_name(c->verdict));
        put_string(tap, "sentence", member_text(result, "sentence"));
        put_string(tap, "clause", member_text(result, "clause"));
        put_string(tap, "level", member_text(result, "level"));
        fputs("  at:\n  ", tap->out);
        put_string(tap, "file", member_text(result, "file"));
        fprintf(tap->out, "    line: %lld\n", member_integer(result, "line"));
        put_block(tap, "text", text ? text : "?");
        fputs("  ...\n", tap->out);
        free(text);
}

/* ---- points ---- */

static void put_case(struct tap *tap, const struct judged_record *judged, const struct judged_case *c,
                     const char *platform)
{
        bool good = c->verdict == VERDICT_PASS || c->verdict == VERDICT_SKIP || c->verdict == VERDICT_RECORD;
        char *message = describe_verdict(c);
        tap->failed |= !message;
        put_point(tap, good, judged, c->of->id);
        if (c->verdict == VERDICT_SKIP || c->verdict == VERDICT_RECORD)
                put_directive(tap, "SKIP", message);
        if (c->verdict == VERDICT_KNOWN)
                put_directive(tap, "TODO", message);
        fputc('\n', tap->out);
        if (!good)
                put_diagnostics(tap, c, message ? message : "", platform);
        free(message);
}

static void add_tap(void *state, const struct judged_record *judged)
{
        struct tap *tap = state;
        char *platform = describe_platform(judged->record);
        if (tap->records == 1)
                fprintf(tap->out, "1..%zu\n", judged->main->case_count + (judged->cut ? 1 : 0));
        fputs("# ", tap->out);
        put_line(tap, platform ? platform : "");
        fputc('\n', tap->out);
        for (size_t i = 0; i < judged->main->case_count; i++)
                put_case(tap, judged, &judged->main->cases[i], platform ? platform : "");
        if (judged->cut) {
                put_point(tap, false, judged, "record.is_whole");
                fputs("\n  ---\n", tap->out);
                put_string(tap, "message", judged->cut);
                put_string(tap, "severity", "fail");
                fputs("  ...\n", tap->out);
        }
        free(platform);
}

static bool end_tap(void *state)
{
        struct tap *tap = state;
        bool good = !tap->failed;
        if (tap->records != 1)
                fprintf(tap->out, "1..%zu\n", tap->points);
        free(tap);
        return good;
}

const struct report_format tap_format = {"tap", begin_tap, add_tap, end_tap};
