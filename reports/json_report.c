/*
 * The verdicts as JSON, for programs; schema.json beside this file says what is
 * in it. What is copied from a record is copied only if it is of the kind that
 * the schema promises: a record may come from anywhere.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plain_text.h"
#include "report_format.h"

#define RESULTS_FORMAT 1
#define LABEL_LIMIT ((size_t)1000)

struct member {
        const char *name;
        bool (*fits)(const json_t *value);
        const char *otherwise; /* the text that stands for a missing one; NULL: it stays missing */
};

static bool is_text(const json_t *value)
{
        return json_is_string(value);
}

static bool is_number(const json_t *value)
{
        return json_is_integer(value);
}

static bool is_count(const json_t *value)
{
        return json_is_integer(value) && json_integer_value(value) >= 0;
}

static bool is_flag(const json_t *value)
{
        return json_is_boolean(value);
}

static bool is_texts(const json_t *value)
{
        size_t i = 0;
        json_t *item = NULL;
        json_array_foreach(value, i, item)
        {
                if (!json_is_string(item))
                        return false;
        }
        return json_is_array(value);
}

static bool is_text_map(const json_t *value)
{
        const char *name = NULL;
        json_t *item = NULL;
        json_object_foreach((json_t *)(uintptr_t)value, name, item)
        {
                if (!json_is_string(item))
                        return false;
        }
        return json_is_object(value);
}

static bool is_level(const json_t *value)
{
        static const char *const levels[] = {"posix-shall", "posix-may", "posix-impl-defined", "linux",
                                             "linux-undocumented"};
        for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
                if (json_is_string(value) && strcmp(json_string_value(value), levels[i]) == 0)
                        return true;
        }
        return false;
}

static void copy_members(json_t *to, const json_t *from, const struct member *members)
{
        for (; members->name; members++) {
                json_t *value = json_object_get(from, members->name);
                if (value && members->fits(value))
                        json_object_set(to, members->name, value);
                else if (members->otherwise)
                        json_object_set_new(to, members->name, json_string(members->otherwise));
        }
}

static json_t *copy_of(const json_t *from, const struct member *members)
{
        json_t *to = json_object();
        copy_members(to, from, members);
        return to;
}

/* An array of the objects in from, each with these members. */
static json_t *copies_of(const json_t *from, const struct member *members)
{
        json_t *to = json_array();
        size_t i = 0;
        json_t *item = NULL;
        json_array_foreach(from, i, item) json_array_append_new(to, copy_of(item, members));
        return to;
}

/* ---- the platform ---- */

static const struct member platform_members[] = {
        {"pointer_bits", is_count, NULL}, {"page", is_count, NULL},   {"shmlba", is_count, NULL},
        {"uid", is_count, NULL},          {"gid", is_count, NULL},    {"processors", is_number, NULL},
        {"sysname", is_text, ""},         {"release", is_text, ""},   {"version", is_text, ""},
        {"machine", is_text, ""},         {"libc", is_text, ""},      {"capabilities", is_text, NULL},
        {"proc", is_flag, NULL},          {"preload", is_text, NULL}, {"preload_loaded", is_flag, NULL},
        {"limits", is_text_map, NULL},    {NULL, NULL, NULL}};

static const struct member isolation_members[] = {
        {"mode", is_text, ""}, {"pid_namespace", is_flag, NULL}, {NULL, NULL, NULL}};

static const struct member run_members[] = {{"missing", is_text_map, NULL},
                                            {"time", is_number, NULL},
                                            {"agent", is_text, NULL},
                                            {"rounds", is_count, NULL},
                                            {NULL, NULL, NULL}};

static void add_run(json_t *report, const json_t *start)
{
        const json_t *platform = json_object_get(start, "platform");
        const json_t *isolation = json_object_get(start, "isolation");
        if (json_is_object(platform))
                json_object_set_new(report, "platform", copy_of(platform, platform_members));
        if (json_is_object(isolation))
                json_object_set_new(report, "isolation", copy_of(isolation, isolation_members));
        copy_members(report, start, run_members);
}

/* ---- a case ---- */

static const struct member case_members[] = {
        {"topic", is_text, ""},     {"sentence", is_text, ""}, {"level", is_level, NULL}, {"clause", is_text, ""},
        {"file", is_text, ""},      {"line", is_count, NULL},  {"needs", is_texts, NULL}, {"note", is_text, NULL},
        {"differs", is_text, NULL}, {"status", is_text, ""},   {"us", is_count, NULL},    {NULL, NULL, NULL}};

static const struct member segment_members[] = {
        {"id", is_number, NULL}, {"key", is_text, ""}, {"nattch", is_text, ""}, {NULL, NULL, NULL}};

static const struct member left_members[] = {{"count", is_count, NULL}, {"meant", is_number, NULL}, {NULL, NULL, NULL}};

static const struct member step_members[] = {
        {"n", is_count, NULL},   {"by", is_text, NULL},    {"via", is_text, NULL},
        {"call", is_text, NULL}, {"text", is_text, NULL},  {"args", is_texts, NULL},
        {"ret", is_text, ""},    {"errno", is_text, NULL}, {NULL, NULL, NULL}};

static const struct member stat_members[] = {
        {"key", is_text, ""},       {"uid", is_count, NULL},   {"gid", is_count, NULL},    {"cuid", is_count, NULL},
        {"cgid", is_count, NULL},   {"mode", is_text, ""},     {"segsz", is_text, ""},     {"nattch", is_text, ""},
        {"cpid", is_number, NULL},  {"lpid", is_number, NULL}, {"atime", is_number, NULL}, {"dtime", is_number, NULL},
        {"ctime", is_number, NULL}, {NULL, NULL, NULL}};

static const struct member observation_members[] = {{"by", is_text, NULL},
                                                    {"what", is_text, ""},
                                                    {"step", is_count, NULL},
                                                    {"seen", is_text, ""},
                                                    {NULL, NULL, NULL}};

static json_t *steps_of(const json_t *result)
{
        const json_t *steps = json_object_get(result, "steps");
        json_t *list = copies_of(steps, step_members);
        size_t i = 0;
        json_t *step = NULL;
        json_array_foreach(steps, i, step)
        {
                const json_t *stat = json_object_get(step, "shmid_ds");
                if (json_is_object(stat))
                        json_object_set_new(json_array_get(list, i), "shmid_ds", copy_of(stat, stat_members));
        }
        return list;
}

static json_t *left_of(const json_t *left)
{
        json_t *object = copy_of(left, left_members);
        json_object_set_new(object, "segments", copies_of(json_object_get(left, "segments"), segment_members));
        return object;
}

static json_t *divergences_of(const struct judged_case *c)
{
        json_t *list = json_array();
        for (size_t i = 0; i < c->divergence_count; i++) {
                const struct divergence *d = &c->divergences[i];
                json_t *entry = copy_of(d->observation, observation_members);
                json_t *expected = json_array();
                size_t k = 0;
                json_t *result = NULL;
                json_array_foreach(d->allowed, k, result)
                {
                        if (json_is_string(result))
                                json_array_append(expected, result);
                }
                json_object_set_new(entry, "expected", expected);
                json_array_append_new(list, entry);
        }
        return list;
}

static json_t *rounds_of(const struct judged_case *c)
{
        json_t *rounds = json_object();
        for (enum verdict v = VERDICT_PASS; v < VERDICTS; v++) {
                if (c->by_verdict[v])
                        json_object_set_new(rounds, verdict_name(v), json_integer((json_int_t)c->by_verdict[v]));
        }
        return rounds;
}

static json_t *accepted_of(const struct baseline_entry *accepted)
{
        json_t *object = json_object();
        json_object_set_new(object, "line", json_integer((json_int_t)accepted->line));
        if (*accepted->until)
                json_object_set_new(object, "until", json_string(accepted->until));
        if (accepted->comment) {
                /* A baseline is a file like any other, and need not be in UTF-8. */
                char *why = plain_text(accepted->comment, LABEL_LIMIT, ONE_LINE);
                json_object_set_new(object, "why", json_string(why ? why : ""));
                free(why);
        }
        return object;
}

static json_t *verdicts_of(const struct judged_record *judged, size_t i)
{
        json_t *verdicts = json_object();
        json_object_set_new(verdicts, judged->main->profile->name,
                            json_string(verdict_name(judged->main->cases[i].verdict)));
        for (size_t k = 0; k < judged->other_count; k++)
                json_object_set_new(verdicts, judged->others[k]->profile->name,
                                    json_string(verdict_name(judged->others[k]->cases[i].verdict)));
        return verdicts;
}

static json_t *case_of(const struct judged_record *judged, size_t i)
{
        const struct judged_case *c = &judged->main->cases[i];
        const json_t *result = c->of->results[c->shown];
        const json_t *left = json_object_get(result, "left");
        json_t *object = json_object();
        json_object_set_new(object, "id", json_string(c->of->id));
        json_object_set_new(object, "verdict", json_string(verdict_name(c->verdict)));
        json_object_set_new(object, "verdicts", verdicts_of(judged, i));
        copy_members(object, result, case_members);
        if (json_is_object(left))
                json_object_set_new(object, "left", left_of(left));
        if (*c->reason)
                json_object_set_new(object, "reason", json_string(c->reason));
        if (c->accepted)
                json_object_set_new(object, "accepted", accepted_of(c->accepted));
        if (c->of->count > 1)
                json_object_set_new(object, "rounds", rounds_of(c));
        if (c->divergence_count)
                json_object_set_new(object, "divergences", divergences_of(c));
        /* The story matters where something is to be understood; a pass has none. */
        if (c->verdict != VERDICT_PASS && c->verdict != VERDICT_SKIP && json_object_get(result, "steps"))
                json_object_set_new(object, "steps", steps_of(result));
        return object;
}

/* ---- the report ---- */

static json_t *counts_of(const struct judgement *j)
{
        json_t *counts = json_object();
        for (enum verdict v = VERDICT_PASS; v < VERDICTS; v++)
                json_object_set_new(counts, verdict_name(v), json_integer((json_int_t)j->by_verdict[v]));
        json_object_set_new(counts, "tried", json_integer((json_int_t)judgement_tried(j)));
        json_object_set_new(counts, "passed", json_integer((json_int_t)judgement_passed(j)));
        return counts;
}

static json_t *summary_of(const struct judged_record *judged)
{
        json_t *summary = json_object();
        json_object_set_new(summary, judged->main->profile->name, counts_of(judged->main));
        for (size_t k = 0; k < judged->other_count; k++)
                json_object_set_new(summary, judged->others[k]->profile->name, counts_of(judged->others[k]));
        return summary;
}

static json_t *report_of(const struct judged_record *judged)
{
        json_t *report = json_object();
        json_t *cases = json_array();
        json_object_set_new(report, "shmcheck_results", json_integer(RESULTS_FORMAT));
        if (judged->label) {
                char *label = plain_text(judged->label, LABEL_LIMIT, ONE_LINE);
                json_object_set_new(report, "label", json_string(label ? label : ""));
                free(label);
        }
        json_object_set_new(report, "profile", json_string(judged->main->profile->name));
        json_object_set_new(report, "complete", json_boolean(!judged->cut));
        if (judged->cut)
                json_object_set_new(report, "cut", json_string(judged->cut));
        add_run(report, judged->record->start);
        json_object_set_new(report, "summary", summary_of(judged));
        for (size_t i = 0; i < judged->main->case_count; i++)
                json_array_append_new(cases, case_of(judged, i));
        if (json_object_set_new(report, "cases", cases) == -1) {
                json_decref(report);
                return NULL;
        }
        return report;
}

struct json_state {
        FILE *out;
        size_t records;
        size_t done;
        bool failed;
};

static void *begin_json(FILE *out, size_t records)
{
        struct json_state *state = calloc(1, sizeof(*state));
        if (!state)
                return NULL;
        state->out = out;
        state->records = records;
        if (records != 1)
                fputs("[\n", out);
        return state;
}

static void add_json(void *opaque, const struct judged_record *judged)
{
        struct json_state *state = opaque;
        json_t *report = report_of(judged);
        if (state->done++)
                fputs(",\n", state->out);
        state->failed |= !report || json_dumpf(report, state->out, JSON_INDENT(1)) != 0;
        json_decref(report);
}

static bool end_json(void *opaque)
{
        struct json_state *state = opaque;
        bool good = !state->failed;
        fputs(state->records == 1 ? "\n" : "\n]\n", state->out);
        free(state);
        return good;
}

const struct report_format json_format = {"json", begin_json, add_json, end_json};
