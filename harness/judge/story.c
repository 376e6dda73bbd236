#include "story.h"

#include <stdlib.h>
#include <string.h>

#include "masked_text.h"

static bool is_number(const char *text)
{
        return *text && text[strspn(text, "-0123456789")] == '\0';
}

/*
 * What is expected nowhere counts only where nothing is judged, and only as a
 * word: how many rounds a race had says nothing of the platform.
 */
bool observation_tells_apart(const struct judged_case *c, const struct value *observation, const struct value *allowed)
{
        const char *seen = value_text(value_member(observation, "seen"));
        if (!allowed)
                return c->verdict == VERDICT_RECORD && !is_number(seen ? seen : "");
        return value_entries(allowed) > 1 || !seen || !result_is_allowed(seen, allowed);
}

static char *line_of(const struct value *observation)
{
        struct masked_text line = {NULL, 0, 0, false};
        put_exactly(&line, member_text(observation, "what"));
        put_exactly(&line, ": ");
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
static void put_lines(struct masked_text *key, char **lines, size_t count)
{
        qsort(lines, count, sizeof(lines[0]), by_text);
        for (size_t i = 0; i < count; i++) {
                if (i > 0 && strcmp(lines[i], lines[i - 1]) == 0)
                        continue;
                put_exactly(key, "\n");
                put_exactly(key, lines[i]);
        }
}

static bool put_observations(struct masked_text *key, const struct judgement *j, const struct judged_case *c)
{
        const struct value *observations = value_member(shown_result(c), "observations");
        char **lines = calloc(value_entries(observations) + 1, sizeof(lines[0]));
        size_t count = 0;
        bool good = lines != NULL;
        VALUE_EACH(observation, observations)
        {
                const struct value *allowed = profile_expected(j->profile, c->of->id, observation);
                if (!good || !observation_tells_apart(c, observation, allowed))
                        continue;
                lines[count] = line_of(observation);
                good = lines[count] != NULL;
                count += good;
        }
        if (good && count)
                put_lines(key, lines, count);
        while (count)
                free(lines[--count]);
        free(lines);
        return good;
}

char *story_key(const struct judgement *j, const struct judged_case *c)
{
        struct masked_text key = {NULL, 0, 0, false};
        put_exactly(&key, verdict_name(c->verdict));
        put_exactly(&key, "\n");
        put_masked(&key, c->reason);
        /* Of what was not tried, the reason says all; rounds that differ are another thing each time. */
        bool good = c->verdict == VERDICT_SKIP || c->verdict == VERDICT_FLAKY || put_observations(&key, j, c);
        if (good && !key.failed)
                return key.bytes;
        free(key.bytes);
        return NULL;
}
