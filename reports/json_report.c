/*
 * The verdicts as JSON, for programs; schema.json beside this file says what is
 * in it. What is copied from a record is copied only if it is of the kind that
 * the schema promises: a record may come from anywhere.
 */
#include <stdlib.h>
#include <string.h>

#include "json_writer.h"
#include "level.h"
#include "plain_text.h"
#include "report_format.h"
#include "value_reader.h"

#define RESULTS_FORMAT 1
#define LABEL_LIMIT ((size_t)1000)

struct member {
        const char *name;
        bool (*fits)(const struct value *value);
        const char *otherwise; /* the text that stands for a missing one; NULL: it stays missing */
};

static bool is_text(const struct value *value)
{
        return value->kind == VALUE_TEXT;
}

static bool is_number(const struct value *value)
{
        return value->kind == VALUE_INTEGER;
}

static bool is_count(const struct value *value)
{
        return value->kind == VALUE_INTEGER && value->integer >= 0;
}

static bool is_flag(const struct value *value)
{
        return value->kind == VALUE_TRUE || value->kind == VALUE_FALSE;
}

static bool is_texts(const struct value *value)
{
        VALUE_EACH(entry, value)
        {
                if (!is_text(entry))
                        return false;
        }
        return value->kind == VALUE_LIST;
}

static bool is_text_map(const struct value *value)
{
        if (value->kind != VALUE_OBJECT)
                return false;
        for (const struct value *name = value + 1; name < value_behind(value); name = value_behind(name + 1)) {
                if (!is_text(name + 1))
                        return false;
        }
        return true;
}

static bool is_level(const struct value *value)
{
        return level_place(value_text(value)) < LEVELS;
}

/* Of the kinds that a member can have: all that the functions above let through. */
static void put_value(struct json_writer *w, const char *name, const struct value *value)
{
        switch ((enum value_kind)value->kind) {
        case VALUE_TEXT:
                json_write_text(w, name, value->text);
                break;
        case VALUE_INTEGER:
                json_write_number(w, name, value->integer);
                break;
        case VALUE_TRUE:
        case VALUE_FALSE:
                json_write_flag(w, name, value->kind == VALUE_TRUE);
                break;
        case VALUE_LIST:
                json_begin_list(w, name);
                VALUE_EACH(entry, value)
                {
                        json_write_text(w, NULL, entry->text);
                }
                json_end_list(w);
                break;
        case VALUE_OBJECT:
                json_begin_object(w, name);
                for (const struct value *key = value + 1; key < value_behind(value); key = value_behind(key + 1))
                        json_write_text(w, key->text, key[1].text);
                json_end_object(w);
                break;
        case VALUE_NULL:
        case VALUE_REAL:
                break;
        }
}

static void put_members(struct json_writer *w, const struct value *from, const struct member *members)
{
        for (; members->name; members++) {
                const struct value *value = value_member(from, members->name);
                if (value && members->fits(value))
                        put_value(w, members->name, value);
                else if (members->otherwise)
                        json_write_text(w, members->name, members->otherwise);
        }
}

static void put_object(struct json_writer *w, const char *name, const struct value *from, const struct member *members)
{
        json_begin_object(w, name);
        put_members(w, from, members);
        json_end_object(w);
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

static bool is_object(const struct value *value)
{
        return value && value->kind == VALUE_OBJECT;
}

static void put_run(struct json_writer *w, const json_t *start)
{
        struct arena arena = {NULL, 0};
        const struct value *run = start ? value_of_json(&arena, start) : NULL;
        const struct value *platform = value_member(run, "platform");
        const struct value *isolation = value_member(run, "isolation");
        if (is_object(platform))
                put_object(w, "platform", platform, platform_members);
        if (is_object(isolation))
                put_object(w, "isolation", isolation, isolation_members);
        put_members(w, run, run_members);
        arena_free(&arena);
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

static void put_steps(struct json_writer *w, const struct value *steps)
{
        json_begin_list(w, "steps");
        VALUE_EACH(step, steps)
        {
                const struct value *stat = value_member(step, "shmid_ds");
                json_begin_object(w, NULL);
                put_members(w, step, step_members);
                if (is_object(stat))
                        put_object(w, "shmid_ds", stat, stat_members);
                json_end_object(w);
        }
        json_end_list(w);
}

static void put_left(struct json_writer *w, const struct value *left)
{
        json_begin_object(w, "left");
        put_members(w, left, left_members);
        json_begin_list(w, "segments");
        VALUE_EACH(segment, value_member(left, "segments"))
        {
                put_object(w, NULL, segment, segment_members);
        }
        json_end_list(w);
        json_end_object(w);
}

static void put_divergence(struct json_writer *w, const struct divergence *d)
{
        json_begin_object(w, NULL);
        put_members(w, d->observation, observation_members);
        json_begin_list(w, "expected");
        VALUE_EACH(result, d->allowed)
        {
                if (is_text(result))
                        json_write_text(w, NULL, result->text);
        }
        json_end_list(w);
        json_end_object(w);
}

static void put_divergences(struct json_writer *w, const struct judged_case *c)
{
        json_begin_list(w, "divergences");
        for (size_t i = 0; i < c->divergence_count; i++)
                put_divergence(w, &c->divergences[i]);
        json_end_list(w);
}

static void put_rounds(struct json_writer *w, const struct judged_case *c)
{
        json_begin_object(w, "rounds");
        for (enum verdict v = VERDICT_PASS; v < VERDICTS; v++) {
                if (c->by_verdict[v])
                        json_write_number(w, verdict_name(v), (long long)c->by_verdict[v]);
        }
        json_end_object(w);
}

/* Text that came from anywhere, and need not be in UTF-8. */
static void put_plain(struct json_writer *w, const char *name, const char *text)
{
        char *plain = plain_text(text, LABEL_LIMIT, ONE_LINE);
        json_write_text(w, name, plain ? plain : "");
        free(plain);
}

static void put_accepted(struct json_writer *w, const struct baseline_entry *accepted)
{
        json_begin_object(w, "accepted");
        json_write_number(w, "line", (long long)accepted->line);
        if (*accepted->until)
                json_write_text(w, "until", accepted->until);
        if (accepted->comment)
                put_plain(w, "why", accepted->comment);
        json_end_object(w);
}

static void put_verdict(struct json_writer *w, const struct judgement *j, size_t i)
{
        json_write_text(w, j->profile->name, verdict_name(j->cases[i].verdict));
}

static void put_verdicts(struct json_writer *w, const struct judged_record *judged, size_t i)
{
        json_begin_object(w, "verdicts");
        put_verdict(w, judged->main, i);
        for (size_t k = 0; k < judged->other_count; k++)
                put_verdict(w, judged->others[k], i);
        json_end_object(w);
}

static void put_case(struct json_writer *w, const struct judged_record *judged, size_t i)
{
        const struct judged_case *c = &judged->main->cases[i];
        const struct value *result = shown_result(c);
        const struct value *left = value_member(result, "left");
        json_begin_object(w, NULL);
        json_write_text(w, "id", c->of->id);
        json_write_text(w, "verdict", verdict_name(c->verdict));
        put_verdicts(w, judged, i);
        put_members(w, result, case_members);
        if (is_object(left))
                put_left(w, left);
        if (*c->reason)
                json_write_text(w, "reason", c->reason);
        if (c->accepted)
                put_accepted(w, c->accepted);
        if (c->of->count > 1)
                put_rounds(w, c);
        if (c->divergence_count)
                put_divergences(w, c);
        /* The story matters where something is to be understood; a pass has none. */
        const struct value *steps = c->verdict != VERDICT_PASS && c->verdict != VERDICT_SKIP ? shown_steps(c) : NULL;
        if (steps)
                put_steps(w, steps);
        json_end_object(w);
}

/* ---- the report ---- */

static void put_counts(struct json_writer *w, const struct judgement *j)
{
        json_begin_object(w, j->profile->name);
        for (enum verdict v = VERDICT_PASS; v < VERDICTS; v++)
                json_write_number(w, verdict_name(v), (long long)j->by_verdict[v]);
        json_write_number(w, "tried", (long long)judgement_tried(j));
        json_write_number(w, "passed", (long long)judgement_passed(j));
        json_end_object(w);
}

static void put_summary(struct json_writer *w, const struct judged_record *judged)
{
        json_begin_object(w, "summary");
        put_counts(w, judged->main);
        for (size_t k = 0; k < judged->other_count; k++)
                put_counts(w, judged->others[k]);
        json_end_object(w);
}

static void put_report(struct json_writer *w, const struct judged_record *judged)
{
        json_begin_object(w, NULL);
        json_write_number(w, "shmcheck_results", RESULTS_FORMAT);
        if (judged->label)
                put_plain(w, "label", judged->label);
        json_write_text(w, "profile", judged->main->profile->name);
        json_write_flag(w, "complete", !judged->cut);
        if (judged->cut)
                json_write_text(w, "cut", judged->cut);
        put_run(w, judged->record->start);
        put_summary(w, judged);
        json_begin_list(w, "cases");
        for (size_t i = 0; i < judged->main->case_count; i++)
                put_case(w, judged, i);
        json_end_list(w);
        json_end_object(w);
}

struct json_state {
        FILE *out;
        size_t records;
        size_t done;
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
        struct json_writer w = {.out = state->out};
        if (state->done++)
                fputs(",\n", state->out);
        put_report(&w, judged);
}

static bool end_json(void *opaque)
{
        struct json_state *state = opaque;
        fputs(state->records == 1 ? "\n" : "\n]\n", state->out);
        free(state);
        return true;
}

const struct report_format json_format = {"json", begin_json, add_json, end_json};
