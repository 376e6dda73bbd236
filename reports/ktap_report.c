/*
 * The Kernel Test Anything Protocol 1, as Documentation/dev-tools/ktap.rst of
 * the kernel has it: topics hold cases, and records, where there are several,
 * hold topics. What is to be told of a case stands in lines of comment in
 * front of its result.
 */
#include <stdlib.h>
#include <string.h>

#include "case_text.h"
#include "plain_text.h"
#include "report_format.h"

#define LINE_LIMIT ((size_t)1000)
#define TEXT_LIMIT ((size_t)64 * 1024)
#define STEP 2

struct ktap {
        FILE *out;
        int indent;
        size_t records;
        size_t done;
        bool failed;
};

static void begin_level(struct ktap *ktap, size_t tests)
{
        fprintf(ktap->out, "%*sKTAP version 1\n%*s1..%zu\n", ktap->indent, "", ktap->indent, "", tests);
}

static void *begin_ktap(FILE *out, size_t records)
{
        struct ktap *ktap = calloc(1, sizeof(*ktap));
        if (!ktap)
                return NULL;
        ktap->out = out;
        ktap->records = records;
        if (records != 1) {
                begin_level(ktap, records);
                ktap->indent = STEP;
        }
        return ktap;
}

/* A name cannot hold the sign that ends it; there is no way to escape it. */
static void put_text(struct ktap *ktap, const char *text, bool is_name)
{
        char *plain = plain_text(text, LINE_LIMIT, ONE_LINE);
        ktap->failed |= !plain;
        for (char *p = plain; p && *p; p++)
                fputc(is_name && *p == '#' ? '_' : *p, ktap->out);
        free(plain);
}

static void put_result(struct ktap *ktap, bool good, size_t number, const char *name, const char *directive,
                       const char *why)
{
        fprintf(ktap->out, "%*s%s %zu ", ktap->indent, "", good ? "ok" : "not ok", number);
        put_text(ktap, name, true);
        if (directive || (why && *why))
                fputs(" #", ktap->out);
        if (directive)
                fprintf(ktap->out, " %s", directive);
        if (why && *why) {
                fputc(' ', ktap->out);
                put_text(ktap, why, false);
        }
        fputc('\n', ktap->out);
}

static void put_diagnostics(struct ktap *ktap, const char *text)
{
        char *plain = plain_text(text, TEXT_LIMIT, KEEP_NEWLINES);
        ktap->failed |= !plain;
        char *rest = NULL;
        for (char *line = plain ? strtok_r(plain, "\n", &rest) : NULL; line; line = strtok_r(NULL, "\n", &rest))
                fprintf(ktap->out, "%*s# %s\n", ktap->indent, "", line);
        free(plain);
}

static const char *directive_of(enum verdict verdict)
{
        static const char *const directives[VERDICTS] = {[VERDICT_SKIP] = "SKIP",
                                                         [VERDICT_RECORD] = "SKIP",
                                                         [VERDICT_KNOWN] = "XFAIL",
                                                         [VERDICT_HANG] = "TIMEOUT",
                                                         [VERDICT_ERROR] = "ERROR"};
        return directives[verdict];
}

static bool is_good(enum verdict verdict)
{
        return !verdict_diverges(verdict) && verdict != VERDICT_ERROR;
}

static void put_case(struct ktap *ktap, size_t number, const struct judged_case *c, const char *platform)
{
        char *message = describe_verdict(c);
        ktap->failed |= !message;
        if (!is_good(c->verdict) || c->verdict == VERDICT_KNOWN) {
                char *text = describe_case(c, platform);
                ktap->failed |= !text;
                put_diagnostics(ktap, text ? text : "");
                free(text);
        }
        put_result(ktap, is_good(c->verdict), number, c->of->id, directive_of(c->verdict), message);
        free(message);
}

/* Returns whether nothing failed. A topic of which all was skipped is skipped. */
static bool put_topic(struct ktap *ktap, const struct judged_record *judged, size_t number, size_t first, size_t end,
                      const char *platform)
{
        size_t count[VERDICTS];
        count_verdicts(judged, first, end, count);
        bool good = diverging(count) + count[VERDICT_ERROR] == 0;
        bool skipped = count[VERDICT_SKIP] + count[VERDICT_RECORD] == end - first;
        ktap->indent += STEP;
        begin_level(ktap, end - first);
        for (size_t i = first; i < end; i++)
                put_case(ktap, i - first + 1, &judged->main->cases[i], platform);
        ktap->indent -= STEP;
        put_result(ktap, good, number, topic_at(judged, first), skipped ? "SKIP" : NULL, NULL);
        return good;
}

static size_t count_topics(const struct judged_record *judged)
{
        size_t topics = 0;
        for (size_t first = 0; first < judged->main->case_count; first = topic_end(judged, first))
                topics++;
        return topics;
}

static void add_ktap(void *state, const struct judged_record *judged)
{
        struct ktap *ktap = state;
        char *platform = describe_platform(judged->record);
        size_t number = 0;
        size_t end = 0;
        bool good = !judged->cut;
        begin_level(ktap, count_topics(judged) + (judged->cut ? 1 : 0));
        put_diagnostics(ktap, platform ? platform : "");
        for (size_t first = 0; first < judged->main->case_count; first = end) {
                end = topic_end(judged, first);
                good &= put_topic(ktap, judged, ++number, first, end, platform ? platform : "");
        }
        if (judged->cut)
                put_result(ktap, false, ++number, "record.is_whole", "ERROR", judged->cut);
        if (ktap->records != 1) {
                ktap->indent -= STEP;
                put_result(ktap, good, ++ktap->done, judged->label ? judged->label : "record", NULL, NULL);
                ktap->indent += STEP;
        }
        free(platform);
}

static bool end_ktap(void *state)
{
        struct ktap *ktap = state;
        bool good = !ktap->failed;
        free(ktap);
        return good;
}

const struct report_format ktap_format = {"ktap", begin_ktap, add_ktap, end_ktap};
