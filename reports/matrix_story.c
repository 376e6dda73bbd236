#include "matrix_story.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case_text.h"
#include "plain_text.h"

#define MOST_STEPS ((size_t)40)
#define MOST_OBSERVATIONS ((size_t)60)
#define TEXT_LIMIT ((size_t)400)
/* A number of so many digits is an address, an identifier or a time. */
#define LONG_NUMBER 4

enum mark { MARK_DIVERGES, MARK_ALLOWED, MARK_OPEN };

static json_t *text_of(const char *text)
{
        char *plain = plain_text(text, TEXT_LIMIT, ONE_LINE);
        json_t *string = json_string(plain);
        free(plain);
        return string;
}

static const json_t *result_of(const struct judged_case *c)
{
        return c->of->results[c->shown];
}

static const json_t *allowed_by(const struct judged_record *judged, const struct judged_case *c,
                                const json_t *observation)
{
        return profile_expected(judged->main->profile, c->of->id, observation);
}

static enum mark mark_of(const json_t *observation, const json_t *allowed)
{
        const char *seen = json_string_value(json_object_get(observation, "seen"));
        if (!allowed)
                return MARK_OPEN;
        return seen && result_is_allowed(seen, allowed) ? MARK_ALLOWED : MARK_DIVERGES;
}

/* ---- the same ---- */

/* Keys are made for each case of each record: a buffer that grows once costs less than a stream for each. */
struct key {
        char *bytes;
        size_t length, room;
        bool failed;
};

static void put_bytes(struct key *k, const char *bytes, size_t length)
{
        if (k->length + length + 1 > k->room) {
                size_t room = 2 * (k->length + length) + 128;
                char *grown = realloc(k->bytes, room);
                if (!grown) {
                        k->failed = true;
                        return;
                }
                k->bytes = grown;
                k->room = room;
        }
        memcpy(k->bytes + k->length, bytes, length);
        k->length += length;
        k->bytes[k->length] = '\0';
}

static void put_text(struct key *k, const char *text)
{
        put_bytes(k, text, strlen(text));
}

/* The text, with # for each long number. */
static void put_masked(struct key *k, const char *text)
{
        while (*text) {
                size_t digits = isdigit((unsigned char)*text) ? strspn(text, "0123456789abcdefx") : 0;
                if (digits >= LONG_NUMBER)
                        put_text(k, "#");
                else
                        put_bytes(k, text, digits ? digits : 1);
                text += digits ? digits : 1;
        }
}

static bool is_number(const char *text)
{
        return *text && text[strspn(text, "-0123456789")] == '\0';
}

/*
 * Whether another platform could rightly have seen something else. What is
 * expected nowhere counts only where nothing is judged, and only as a word: how
 * many rounds a race had says nothing of the platform.
 */
static bool tells_apart(const struct judged_case *c, const json_t *observation, const json_t *allowed)
{
        switch (mark_of(observation, allowed)) {
        case MARK_DIVERGES:
                return true;
        case MARK_ALLOWED:
                return json_array_size(allowed) > 1;
        case MARK_OPEN:
                break;
        }
        return c->verdict == VERDICT_RECORD && !is_number(member_text(observation, "seen"));
}

static char *line_of(const json_t *observation)
{
        struct key line = {NULL, 0, 0, false};
        put_text(&line, member_text(observation, "what"));
        put_text(&line, ": ");
        put_masked(&line, member_text(observation, "seen"));
        if (!line.failed)
                return line.bytes;
        free(line.bytes);
        return NULL;
}

static int by_text(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Each of the lines once, in an order that does not depend on which process came first. */
static void put_lines(struct key *k, char **lines, size_t count)
{
        qsort(lines, count, sizeof(lines[0]), by_text);
        for (size_t i = 0; i < count; i++) {
                if (i > 0 && strcmp(lines[i], lines[i - 1]) == 0)
                        continue;
                put_text(k, "\n");
                put_text(k, lines[i]);
        }
}

static bool put_observations(struct key *k, const struct judged_record *judged, const struct judged_case *c)
{
        const json_t *observations = json_object_get(result_of(c), "observations");
        char **lines = calloc(json_array_size(observations) + 1, sizeof(lines[0]));
        size_t count = 0;
        size_t i = 0;
        json_t *observation = NULL;
        bool good = lines != NULL;
        json_array_foreach(observations, i, observation)
        {
                if (!good || !tells_apart(c, observation, allowed_by(judged, c, observation)))
                        continue;
                lines[count] = line_of(observation);
                good = lines[count] != NULL;
                count += good;
        }
        if (good && count)
                put_lines(k, lines, count);
        while (count)
                free(lines[--count]);
        free(lines);
        return good;
}

char *matrix_story_key(const struct judged_record *judged, const struct judged_case *c)
{
        struct key k = {NULL, 0, 0, false};
        put_text(&k, verdict_name(c->verdict));
        put_text(&k, "\n");
        put_masked(&k, c->reason);
        /* Of what was not tried, the reason says all; rounds that differ are another thing each time. */
        bool good = c->verdict == VERDICT_SKIP || c->verdict == VERDICT_FLAKY || put_observations(&k, judged, c);
        if (good && !k.failed)
                return k.bytes;
        free(k.bytes);
        return NULL;
}

/* ---- told ---- */

static json_t *text_of_allowed(const json_t *allowed)
{
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        size_t i = 0;
        json_t *result = NULL;
        if (!out)
                return NULL;
        json_array_foreach(allowed, i, result)
        {
                fprintf(out, "%s%s", i ? " or " : "", json_string_value(result) ? json_string_value(result) : "?");
        }
        fclose(out);
        json_t *string = text ? text_of(text) : NULL;
        free(text);
        return string;
}

static json_t *told_observation(const json_t *observation, const json_t *allowed)
{
        return json_pack("[i,o,o,o,I,o]", (int)mark_of(observation, allowed),      //
                         text_of(member_text(observation, "what")),                //
                         text_of(member_text(observation, "seen")),                //
                         text_of_allowed(allowed),                                 //
                         json_integer_value(json_object_get(observation, "step")), //
                         text_of(member_text(observation, "by")));
}

static json_t *told_observations(const struct judged_record *judged, const struct judged_case *c)
{
        json_t *list = json_array();
        size_t i = 0;
        json_t *observation = NULL;
        json_array_foreach(json_object_get(result_of(c), "observations"), i, observation)
        {
                const json_t *allowed = allowed_by(judged, c, observation);
                bool matters = mark_of(observation, allowed) == MARK_DIVERGES;
                if (matters || json_array_size(list) < MOST_OBSERVATIONS)
                        json_array_append_new(list, told_observation(observation, allowed));
        }
        return list;
}

static json_t *told_step(const json_t *step)
{
        char *line = describe_step(step);
        char *result = line ? strrchr(line, '=') : NULL;
        /* "call = result": the call may hold the sign, the result does not. */
        if (result && result > line && result[-1] == ' ')
                result[-1] = '\0';
        json_t *told =
                json_pack("[I,o,o,o]", json_integer_value(json_object_get(step, "n")), text_of(member_text(step, "by")),
                          text_of(line ? line : "?"), text_of(result && result[1] ? result + 2 : ""));
        free(line);
        return told;
}

/* How many steps come up to the one that diverges first; all of them if none does. */
static size_t steps_that_matter(const struct judged_case *c, const json_t *steps)
{
        json_int_t until =
                c->divergence_count ? json_integer_value(json_object_get(c->divergences[0].observation, "step")) : 0;
        size_t i = 0;
        json_t *step = NULL;
        json_array_foreach(steps, i, step)
        {
                if (until && json_integer_value(json_object_get(step, "n")) == until)
                        return i + 1;
        }
        return json_array_size(steps);
}

json_t *matrix_story_told(const struct judged_record *judged, const struct judged_case *c)
{
        const json_t *steps = json_object_get(result_of(c), "steps");
        size_t count = json_array_size(steps);
        size_t matter = steps_that_matter(c, steps);
        size_t first = matter > MOST_STEPS ? matter - MOST_STEPS : 0;
        size_t end = first + MOST_STEPS < count ? first + MOST_STEPS : count;
        json_t *list = json_array();
        for (size_t i = first; i < end; i++)
                json_array_append_new(list, told_step(json_array_get(steps, i)));
        return json_pack("{s:o,s:o,s:I,s:I}", "observations", told_observations(judged, c), "steps", list, "before",
                         (json_int_t)first, "after", (json_int_t)(count - end));
}
