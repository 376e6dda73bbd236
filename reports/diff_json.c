#include "diff_json.h"

#include <stdlib.h>
#include <string.h>

#include "case_text.h"
#include "json_writer.h"
#include "plain_text.h"

#define DIFF_FORMAT 1
#define TEXT_LIMIT ((size_t)1000)

struct diff_writer {
        struct json_writer json;
        const struct compared *compared;
        bool failed;
};

/* Text that need not be in UTF-8. */
static void put_plain(struct diff_writer *w, const char *name, const char *text)
{
        char *fit = text ? plain_text(text, TEXT_LIMIT, ONE_LINE) : NULL;
        w->failed |= !fit;
        json_write_text(&w->json, name, fit ? fit : "");
        free(fit);
}

/* Writes the text, and frees it. */
static void put_made(struct diff_writer *w, const char *name, char *text)
{
        w->failed |= !text;
        json_write_text(&w->json, name, text ? text : "");
        free(text);
}

/* ---- the records ---- */

static void put_missing(struct diff_writer *w, const struct record *record)
{
        const char *need = NULL;
        json_t *why = NULL;
        json_begin_object(&w->json, "missing");
        json_object_foreach(json_object_get(record->start, "missing"), need, why)
        {
                json_write_text(&w->json, need, json_string_value(why) ? json_string_value(why) : "");
        }
        json_end_object(&w->json);
}

static void put_record(struct diff_writer *w, const char *name, const struct judged_record *judged)
{
        json_begin_object(&w->json, name);
        put_plain(w, "record", judged->label);
        put_made(w, "platform", describe_platform(judged->record));
        json_write_flag(&w->json, "complete", !judged->cut);
        if (judged->cut)
                json_write_text(&w->json, "cut", judged->cut);
        json_write_number(&w->json, "cases", (long long)judged->main->case_count);
        json_write_number(&w->json, "tried", (long long)judgement_tried(judged->main));
        json_write_number(&w->json, "passed", (long long)judgement_passed(judged->main));
        put_missing(w, judged->record);
        json_end_object(&w->json);
}

static void put_summary(struct diff_writer *w)
{
        json_begin_object(&w->json, "summary");
        for (enum change change = CHANGE_REGRESSION; change < CHANGES; change++)
                json_write_number(&w->json, change_name(change), (long long)w->compared->difference->by_change[change]);
        json_end_object(&w->json);
}

/* ---- a case ---- */

static void put_verdict(struct diff_writer *w, const char *name, const struct judged_case *c)
{
        if (!c)
                return;
        json_begin_object(&w->json, name);
        json_write_text(&w->json, "verdict", verdict_name(c->verdict));
        if (*c->reason)
                json_write_text(&w->json, "reason", c->reason);
        json_end_object(&w->json);
}

static void put_seen(struct diff_writer *w, const char *name, const struct value *observation,
                     const struct value *allowed)
{
        if (!observation)
                return;
        json_begin_object(&w->json, name);
        json_write_text(&w->json, "seen", member_text(observation, "seen"));
        if (member_integer(observation, "step") > 0)
                json_write_number(&w->json, "step", member_integer(observation, "step"));
        if (allowed) {
                json_begin_list(&w->json, "expected");
                VALUE_EACH(result, allowed)
                {
                        if (value_text(result))
                                json_write_text(&w->json, NULL, value_text(result));
                }
                json_end_list(&w->json);
        }
        json_end_object(&w->json);
}

static void put_observations(struct diff_writer *w, const struct case_difference *d)
{
        size_t count = 0;
        struct observation_pair *pairs = pair_observations(w->compared->difference, d, &count);
        w->failed |= !pairs;
        json_begin_list(&w->json, "observations");
        for (size_t i = 0; pairs && i < count; i++) {
                const struct observation_pair *p = &pairs[i];
                const struct value *any = p->after ? p->after : p->before;
                if (!p->differs)
                        continue;
                json_begin_object(&w->json, NULL);
                json_write_text(&w->json, "what", member_text(any, "what"));
                json_write_text(&w->json, "by", member_text(any, "by"));
                put_seen(w, "old", p->before, p->allowed_before);
                put_seen(w, "new", p->after, p->allowed_after);
                json_end_object(&w->json);
        }
        json_end_list(&w->json);
        free(pairs);
}

static void put_step(struct diff_writer *w, const char *name, const struct value *step)
{
        if (!step)
                return;
        json_begin_object(&w->json, name);
        json_write_number(&w->json, "n", member_integer(step, "n"));
        json_write_text(&w->json, "by", member_text(step, "by"));
        put_made(w, "call", describe_call(step));
        put_made(w, "result", describe_result(step));
        json_end_object(&w->json);
}

static void put_steps(struct diff_writer *w, const struct case_difference *d)
{
        size_t count = 0;
        struct step_pair *pairs = pair_steps(d, &count);
        w->failed |= !pairs;
        json_begin_list(&w->json, "steps");
        for (size_t i = 0; pairs && i < count; i++) {
                json_begin_object(&w->json, NULL);
                json_write_flag(&w->json, "differs", pairs[i].differs);
                put_step(w, "old", pairs[i].before);
                put_step(w, "new", pairs[i].after);
                json_end_object(&w->json);
        }
        json_end_list(&w->json);
        free(pairs);
}

static void put_case(struct diff_writer *w, const struct case_difference *d)
{
        static const char *const members[] = {"topic", "sentence", "level", "clause", "file"};
        const struct judged_case *c = d->after ? d->after : d->before;
        const struct value *result = shown_result(c);
        json_begin_object(&w->json, NULL);
        json_write_text(&w->json, "id", c->of->id);
        json_write_text(&w->json, "change", change_name(d->change));
        for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
                json_write_text(&w->json, members[i], member_text(result, members[i]));
        json_write_number(&w->json, "line", member_integer(result, "line"));
        put_verdict(w, "old", d->before);
        put_verdict(w, "new", d->after);
        if (is_told_whole(d->change) || d->change == CHANGE_SEEN) {
                put_observations(w, d);
                put_steps(w, d);
        }
        json_end_object(&w->json);
}

/* ---- the report ---- */

bool diff_json(FILE *out, const struct compared *c)
{
        struct diff_writer w = {.json = {.out = out}, .compared = c};
        const struct difference *difference = c->difference;
        json_begin_object(&w.json, NULL);
        json_write_number(&w.json, "shmcheck_diff", DIFF_FORMAT);
        json_write_text(&w.json, "profile", c->after->main->profile->name);
        json_write_flag(&w.json, "whole", difference_is_whole(difference, c->before->record, c->after->record));
        put_record(&w, "old", c->before);
        put_record(&w, "new", c->after);
        put_summary(&w);
        json_begin_list(&w.json, "cases");
        for (size_t i = 0; i < difference->count; i++) {
                if (difference->cases[i].change != CHANGE_NONE)
                        put_case(&w, &difference->cases[i]);
        }
        json_end_list(&w.json);
        json_end_object(&w.json);
        fputc('\n', out);
        return !w.failed && !ferror(out);
}
