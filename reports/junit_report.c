/*
 * JUnit's XML has no standard. This is what two strict readers agree upon: the
 * schema junit-10.xsd of Jenkins' xunit plug-in, which refuses a file with an
 * attribute it does not know (a test case has no file there, a suite has), and
 * the elements that GitLab's documentation says it reads.
 *
 * failure: the platform diverges; error: the harness failed; skipped: not
 * tried, not judged, or accepted by a baseline.
 */
#include <inttypes.h>
#include <libxml/xmlwriter.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "case_text.h"
#include "plain_text.h"
#include "report_format.h"

#define MESSAGE_LIMIT ((size_t)1000)
#define NAME_LIMIT ((size_t)1000)
/* No agent writes a longer record of a case. */
#define TEXT_LIMIT ((size_t)256 * 1024)

struct junit {
        xmlTextWriterPtr writer;
        bool failed;
};

/* The library would tell the user of a full disk in its own way, beside the line that says so. */
static void say_nothing(void *state, xmlErrorPtr error)
{
        (void)state, (void)error;
}

static void *begin_junit(FILE *out, size_t records)
{
        (void)records;
        struct junit *junit = calloc(1, sizeof(*junit));
        xmlSetStructuredErrorFunc(NULL, say_nothing);
        xmlOutputBufferPtr buffer = junit ? xmlOutputBufferCreateFile(out, NULL) : NULL;
        if (buffer)
                junit->writer = xmlNewTextWriter(buffer);
        if (!buffer || !junit->writer) {
                xmlOutputBufferClose(buffer);
                free(junit);
                return NULL;
        }
        xmlTextWriterSetIndent(junit->writer, 1);
        xmlTextWriterSetIndentString(junit->writer, BAD_CAST " ");
        xmlTextWriterStartDocument(junit->writer, NULL, "UTF-8", NULL);
        xmlTextWriterStartElement(junit->writer, BAD_CAST "testsuites");
        xmlTextWriterWriteAttribute(junit->writer, BAD_CAST "name", BAD_CAST "shmcheck");
        return junit;
}

static void start(struct junit *junit, const char *element)
{
        junit->failed |= xmlTextWriterStartElement(junit->writer, BAD_CAST element) < 0;
}

static void finish(struct junit *junit)
{
        junit->failed |= xmlTextWriterEndElement(junit->writer) < 0;
}

static void attribute(struct junit *junit, const char *name, const char *text, size_t limit)
{
        char *plain = plain_text(text, limit, ONE_LINE);
        junit->failed |= !plain || xmlTextWriterWriteAttribute(junit->writer, BAD_CAST name, BAD_CAST plain) < 0;
        free(plain);
}

static void count(struct junit *junit, const char *name, size_t n)
{
        char digits[32];
        snprintf(digits, sizeof(digits), "%zu", n);
        attribute(junit, name, digits, sizeof(digits));
}

static void seconds(struct junit *junit, double microseconds)
{
        char text[64];
        snprintf(text, sizeof(text), "%.6f", microseconds / 1e6);
        attribute(junit, "time", text, sizeof(text));
}

static void content(struct junit *junit, const char *text, size_t limit)
{
        char *plain = plain_text(text, limit, KEEP_NEWLINES);
        junit->failed |= !plain || xmlTextWriterWriteString(junit->writer, BAD_CAST plain) < 0;
        free(plain);
}

/* What a round took, and 0 where a record tells what no clock could. */
static double case_time(const struct judged_case *c)
{
        double sum = 0;
        for (size_t i = 0; i < c->of->count; i++) {
                json_int_t us = json_integer_value(json_object_get(c->of->results[i], "us"));
                sum += us > 0 && us < INT32_MAX ? (double)us : 0;
        }
        return sum;
}

/* ---- the properties of a platform ---- */

static void property(struct junit *junit, const char *prefix, const char *name, const json_t *value)
{
        char *text = NULL;
        char *whole = NULL;
        if (!value || json_is_object(value) || json_is_array(value) || json_is_null(value))
                return;
        if (!json_is_string(value))
                text = json_dumps(value, JSON_ENCODE_ANY);
        junit->failed |= asprintf(&whole, "%s%s", prefix, name) == -1;
        if (!junit->failed) {
                start(junit, "property");
                attribute(junit, "name", whole, NAME_LIMIT);
                attribute(junit, "value", text ? text : json_string_value(value), NAME_LIMIT);
                finish(junit);
        }
        free(whole);
        free(text);
}

static void property_each(struct junit *junit, const char *prefix, json_t *object)
{
        const char *name = NULL;
        json_t *value = NULL;
        json_object_foreach(object, name, value) property(junit, prefix, name, value);
}

static void properties(struct junit *junit, const struct judged_record *judged)
{
        const json_t *record = judged->record->start;
        json_t *platform = json_object_get(record, "platform");
        json_t *profile = json_string(judged->main->profile->name);
        start(junit, "properties");
        property(junit, "", "profile", profile);
        property(junit, "", "agent", json_object_get(record, "agent"));
        property_each(junit, "platform.", platform);
        property_each(junit, "limit.", json_object_get(platform, "limits"));
        property_each(junit, "isolation.", json_object_get(record, "isolation"));
        finish(junit);
        json_decref(profile);
}

/* ---- cases ---- */

static const char *outcome_element(enum verdict verdict)
{
        if (verdict_diverges(verdict))
                return "failure";
        if (verdict == VERDICT_ERROR)
                return "error";
        return verdict == VERDICT_PASS ? NULL : "skipped";
}

/* Everything there is to tell goes where GitLab and Jenkins show it: into the element, a summary into the message. */
static void outcome(struct junit *junit, const struct judged_case *c, const char *platform)
{
        const char *element = outcome_element(c->verdict);
        if (!element)
                return;
        char *message = describe_verdict(c);
        bool is_short = c->verdict == VERDICT_SKIP || c->verdict == VERDICT_RECORD;
        char *text = is_short ? NULL : describe_case(c, platform);
        start(junit, element);
        attribute(junit, "type", verdict_name(c->verdict), NAME_LIMIT);
        attribute(junit, "message", message ? message : "", MESSAGE_LIMIT);
        content(junit, is_short && message ? message : text ? text : "", TEXT_LIMIT);
        finish(junit);
        junit->failed |= !message || (!is_short && !text);
        free(text);
        free(message);
}

/*
 * Readers take what is in front of the last dot of a class for its package:
 * the record, where there are several, or the project.
 */
static void class_name(struct junit *junit, const struct judged_record *judged, const char *topic)
{
        char *whole = NULL;
        if (asprintf(&whole, "%s.%s", judged->label ? judged->label : "shmcheck", topic) == -1) {
                junit->failed = true;
                return;
        }
        for (char *p = whole; judged->label && p < whole + strlen(judged->label); p++)
                *p = *p == '.' ? '_' : *p;
        attribute(junit, "classname", whole, NAME_LIMIT);
        free(whole);
}

static void test_case(struct junit *junit, const struct judged_record *judged, size_t i, const char *platform)
{
        const struct judged_case *c = &judged->main->cases[i];
        start(junit, "testcase");
        class_name(junit, judged, topic_at(judged, i));
        attribute(junit, "name", *c->of->id ? c->of->id : "?", NAME_LIMIT);
        seconds(junit, case_time(c));
        outcome(junit, c, platform);
        finish(junit);
}

/* ---- suites ---- */

static void suite_name(struct junit *junit, const struct judged_record *judged, const char *topic)
{
        char *whole = NULL;
        if (asprintf(&whole, "%s%s%s", judged->label ? judged->label : "", judged->label ? ": " : "", topic) == -1) {
                junit->failed = true;
                return;
        }
        attribute(junit, "name", whole, NAME_LIMIT);
        free(whole);
}

static void timestamp(struct junit *junit, const struct judged_record *judged)
{
        time_t when = (time_t)json_integer_value(json_object_get(judged->record->start, "time"));
        struct tm utc;
        char text[64];
        if (gmtime_r(&when, &utc) && utc.tm_year + 1900 <= 9999 && when > 0 &&
            strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc))
                attribute(junit, "timestamp", text, sizeof(text));
}

static void suite(struct junit *junit, const struct judged_record *judged, size_t first, size_t end,
                  const char *platform)
{
        size_t by_verdict[VERDICTS];
        double time = 0;
        count_verdicts(judged, first, end, by_verdict);
        for (size_t i = first; i < end; i++)
                time += case_time(&judged->main->cases[i]);
        start(junit, "testsuite");
        suite_name(junit, judged, topic_at(judged, first));
        count(junit, "tests", end - first);
        count(junit, "failures", diverging(by_verdict));
        count(junit, "errors", by_verdict[VERDICT_ERROR]);
        count(junit, "skipped", by_verdict[VERDICT_SKIP] + by_verdict[VERDICT_KNOWN] + by_verdict[VERDICT_RECORD]);
        seconds(junit, time);
        timestamp(junit, judged);
        attribute(junit, "file", member_text(judged->main->cases[first].of->results[0], "file"), NAME_LIMIT);
        properties(junit, judged);
        for (size_t i = first; i < end; i++)
                test_case(junit, judged, i, platform);
        finish(junit);
}

/* A record that is not whole is an error of its own: no reader may take what is left of it for the whole. */
static void cut_suite(struct junit *junit, const struct judged_record *judged)
{
        start(junit, "testsuite");
        suite_name(junit, judged, "record");
        count(junit, "tests", 1);
        count(junit, "failures", 0);
        count(junit, "errors", 1);
        start(junit, "testcase");
        class_name(junit, judged, "record");
        attribute(junit, "name", "record.is_whole", NAME_LIMIT);
        start(junit, "error");
        attribute(junit, "type", "cut", NAME_LIMIT);
        attribute(junit, "message", judged->cut, MESSAGE_LIMIT);
        content(junit, judged->cut, TEXT_LIMIT);
        finish(junit);
        finish(junit);
        finish(junit);
}

static void add_junit(void *state, const struct judged_record *judged)
{
        struct junit *junit = state;
        char *platform = describe_platform(judged->record);
        size_t end = 0;
        for (size_t first = 0; first < judged->main->case_count; first = end) {
                end = topic_end(judged, first);
                suite(junit, judged, first, end, platform ? platform : "");
        }
        if (judged->cut)
                cut_suite(junit, judged);
        free(platform);
}

static bool end_junit(void *state)
{
        struct junit *junit = state;
        bool good = xmlTextWriterEndDocument(junit->writer) >= 0 && !junit->failed;
        xmlFreeTextWriter(junit->writer);
        free(junit);
        return good;
}

const struct report_format junit_format = {"junit", begin_junit, add_junit, end_junit};
