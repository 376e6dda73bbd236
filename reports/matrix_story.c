#include "matrix_story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case_text.h"
#include "plain_text.h"

#define MOST_STEPS ((size_t)40)
#define MOST_OBSERVATIONS ((size_t)60)
#define TEXT_LIMIT ((size_t)400)

enum mark { MARK_DIVERGES, MARK_ALLOWED, MARK_OPEN };

static json_t *text_of(const char *text)
{
        char *plain = plain_text(text, TEXT_LIMIT, ONE_LINE);
        json_t *string = json_string(plain);
        free(plain);
        return string;
}

static const struct value *allowed_by(const struct judged_record *judged, const struct judged_case *c,
                                      const struct value *observation)
{
        return profile_expected(judged->main->profile, c->of->id, observation);
}

static enum mark mark_of(const struct value *observation, const struct value *allowed)
{
        const char *seen = value_text(value_member(observation, "seen"));
        if (!allowed)
                return MARK_OPEN;
        return seen && result_is_allowed(seen, allowed) ? MARK_ALLOWED : MARK_DIVERGES;
}

static json_t *text_of_allowed(const struct value *allowed)
{
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        if (!out)
                return NULL;
        print_allowed(out, allowed);
        fclose(out);
        json_t *string = text ? text_of(text) : NULL;
        free(text);
        return string;
}

static json_t *told_observation(const struct value *observation, const struct value *allowed)
{
        return json_pack("[i,o,o,o,I,o]", (int)mark_of(observation, allowed), //
                         text_of(member_text(observation, "what")),           //
                         text_of(member_text(observation, "seen")),           //
                         text_of_allowed(allowed),                            //
                         (json_int_t)member_integer(observation, "step"),     //
                         text_of(member_text(observation, "by")));
}

static json_t *told_observations(const struct judged_record *judged, const struct judged_case *c)
{
        json_t *list = json_array();
        VALUE_EACH(observation, value_member(shown_result(c), "observations"))
        {
                const struct value *allowed = allowed_by(judged, c, observation);
                bool matters = mark_of(observation, allowed) == MARK_DIVERGES;
                if (matters || json_array_size(list) < MOST_OBSERVATIONS)
                        json_array_append_new(list, told_observation(observation, allowed));
        }
        return list;
}

static json_t *told_step(const struct value *step)
{
        char *line = describe_step(step);
        char *result = line ? strrchr(line, '=') : NULL;
        /* "call = result": the call may hold the sign, the result does not. */
        if (result && result > line && result[-1] == ' ')
                result[-1] = '\0';
        json_t *told = json_pack("[I,o,o,o]", (json_int_t)member_integer(step, "n"), text_of(member_text(step, "by")),
                                 text_of(line ? line : "?"), text_of(result && result[1] ? result + 2 : ""));
        free(line);
        return told;
}

/* How many steps come up to the one that diverges first; all of them if none does. */
static size_t steps_that_matter(const struct judged_case *c, const struct value *steps)
{
        long long until = c->divergence_count ? member_integer(c->divergences[0].observation, "step") : 0;
        size_t count = 0;
        VALUE_EACH(step, steps)
        {
                count++;
                if (until && member_integer(step, "n") == until)
                        break;
        }
        return count;
}

json_t *matrix_story_told(const struct judged_record *judged, const struct judged_case *c)
{
        const struct value *steps = shown_steps(c);
        size_t count = value_entries(steps);
        size_t matter = steps_that_matter(c, steps);
        size_t first = matter > MOST_STEPS ? matter - MOST_STEPS : 0;
        size_t end = first + MOST_STEPS < count ? first + MOST_STEPS : count;
        json_t *list = json_array();
        size_t i = 0;
        VALUE_EACH(step, steps)
        {
                if (i >= first && i < end)
                        json_array_append_new(list, told_step(step));
                i++;
        }
        return json_pack("{s:o,s:o,s:I,s:I}", "observations", told_observations(judged, c), "steps", list, "before",
                         (json_int_t)first, "after", (json_int_t)(count - end));
}
