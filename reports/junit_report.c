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
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "case_text.h"
#include "report_format.h"
#include "xml_writer.h"

#define MESSAGE_LIMIT ((size_t)1000)
#define NAME_LIMIT ((size_t)1000)
/* No agent writes a longer record of a case. */
#define TEXT_LIMIT ((size_t)256 * 1024)

struct junit {
        struct xml_writer *xml;
        bool failed;
};

static void *begin_junit(FILE *out, size_t records)
{
        (void)records;
        struct junit *junit = calloc(1, sizeof(*junit));
        if (junit)
                junit->xml = xml_writer_begin(out);
        if (!junit || !junit->xml) {
                free(junit);
                return NULL;
        }
        xml_start(junit->xml, "testsuites");
        xml_attribute(junit->xml, "name", "shmcheck", NAME_LIMIT);
        return junit;
}

/* What a round took, and 0 where a record tells what no clock could. */
static double case_time(const struct judged_case *c)
{
        double sum = 0;
        for (size_t i = 0; i < c->of->count; i++) {
                long long us = member_integer(c->of->results[i], "us");
                sum += us > 0 && us < INT32_MAX ? (double)us : 0;
        }
        return sum;
}

/* ---- the properties of a platform ---- */

/* The scalar in words, which stand in digits if they need room; NULL for anything else. */
static const char *scalar_text(const json_t *value, char *digits, size_t size)
{
        if (json_is_boolean(value))
                return json_is_true(value) ? "true" : "false";
        if (json_is_integer(value))
                snprintf(digits, size, "%lld", (long long)json_integer_value(value));
        else if (json_is_real(value))
                snprintf(digits, size, "%.17g", json_real_value(value));
        return json_is_number(value) ? digits : json_string_value(value);
}

static void property(struct junit *junit, const char *prefix, const char *name, const json_t *value)
{
        char digits[32];
        char *whole = NULL;
        const char *text = scalar_text(value, digits, sizeof(digits));
        if (!text)
                return;
        junit->failed |= asprintf(&whole, "%s%s", prefix, name) == -1;
        if (!junit->failed) {
                xml_start(junit->xml, "property");
                xml_attribute(junit->xml, "name", whole, NAME_LIMIT);
                xml_attribute(junit->xml, "value", text, NAME_LIMIT);
                xml_finish(junit->xml);
        }
        free(whole);
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
        xml_start(junit->xml, "properties");
        property(junit, "", "profile", profile);
        property(junit, "", "agent", json_object_get(record, "agent"));
        property_each(junit, "platform.", platform);
        property_each(junit, "limit.", json_object_get(platform, "limits"));
        property_each(junit, "isolation.", json_object_get(record, "isolation"));
        xml_finish(junit->xml);
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
        xml_start(junit->xml, element);
        xml_attribute(junit->xml, "type", verdict_name(c->verdict), NAME_LIMIT);
        xml_attribute(junit->xml, "message", message ? message : "", MESSAGE_LIMIT);
        xml_content(junit->xml, is_short && message ? message : text ? text : "", TEXT_LIMIT);
        xml_finish(junit->xml);
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
        xml_attribute(junit->xml, "classname", whole, NAME_LIMIT);
        free(whole);
}

static void test_case(struct junit *junit, const struct judged_record *judged, size_t i, const char *platform)
{
        const struct judged_case *c = &judged->main->cases[i];
        xml_start(junit->xml, "testcase");
        class_name(junit, judged, topic_at(judged, i));
        xml_attribute(junit->xml, "name", *c->of->id ? c->of->id : "?", NAME_LIMIT);
        xml_seconds(junit->xml, "time", case_time(c) / 1e6);
        outcome(junit, c, platform);
        xml_finish(junit->xml);
}

/* ---- suites ---- */

static void suite_name(struct junit *junit, const struct judged_record *judged, const char *topic)
{
        char *whole = NULL;
        if (asprintf(&whole, "%s%s%s", judged->label ? judged->label : "", judged->label ? ": " : "", topic) == -1) {
                junit->failed = true;
                return;
        }
        xml_attribute(junit->xml, "name", whole, NAME_LIMIT);
        free(whole);
}

static void timestamp(struct junit *junit, const struct judged_record *judged)
{
        time_t when = (time_t)json_integer_value(json_object_get(judged->record->start, "time"));
        struct tm utc;
        char text[64];
        if (gmtime_r(&when, &utc) && utc.tm_year + 1900 <= 9999 && when > 0 &&
            strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc))
                xml_attribute(junit->xml, "timestamp", text, sizeof(text));
}

static void suite(struct junit *junit, const struct judged_record *judged, size_t first, size_t end,
                  const char *platform)
{
        size_t by_verdict[VERDICTS];
        double time = 0;
        count_verdicts(judged, first, end, by_verdict);
        for (size_t i = first; i < end; i++)
                time += case_time(&judged->main->cases[i]);
        xml_start(junit->xml, "testsuite");
        suite_name(junit, judged, topic_at(judged, first));
        xml_count(junit->xml, "tests", end - first);
        xml_count(junit->xml, "failures", diverging(by_verdict));
        xml_count(junit->xml, "errors", by_verdict[VERDICT_ERROR]);
        xml_count(junit->xml, "skipped",
                  by_verdict[VERDICT_SKIP] + by_verdict[VERDICT_KNOWN] + by_verdict[VERDICT_RECORD]);
        xml_seconds(junit->xml, "time", time / 1e6);
        timestamp(junit, judged);
        xml_attribute(junit->xml, "file", member_text(judged->main->cases[first].of->results[0], "file"), NAME_LIMIT);
        /* Once a record: of tens of properties and tens of suites, the repetitions would be half of the file. */
        if (first == 0)
                properties(junit, judged);
        for (size_t i = first; i < end; i++)
                test_case(junit, judged, i, platform);
        xml_finish(junit->xml);
}

/* A record that is not whole is an error of its own: no reader may take what is left of it for the whole. */
static void cut_suite(struct junit *junit, const struct judged_record *judged)
{
        xml_start(junit->xml, "testsuite");
        suite_name(junit, judged, "record");
        xml_count(junit->xml, "tests", 1);
        xml_count(junit->xml, "failures", 0);
        xml_count(junit->xml, "errors", 1);
        xml_start(junit->xml, "testcase");
        class_name(junit, judged, "record");
        xml_attribute(junit->xml, "name", "record.is_whole", NAME_LIMIT);
        xml_start(junit->xml, "error");
        xml_attribute(junit->xml, "type", "cut", NAME_LIMIT);
        xml_attribute(junit->xml, "message", judged->cut, MESSAGE_LIMIT);
        xml_content(junit->xml, judged->cut, TEXT_LIMIT);
        xml_finish(junit->xml);
        xml_finish(junit->xml);
        xml_finish(junit->xml);
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
        bool good = xml_writer_end(junit->xml) && !junit->failed;
        free(junit);
        return good;
}

const struct report_format junit_format = {"junit", begin_junit, add_junit, end_junit};
