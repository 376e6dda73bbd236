#include "difference.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "masked_text.h"
#include "story.h"

/* What is longer is not searched to its end, so that no record can make the work grow with the square of its size. */
#define MOST_SEARCHED ((size_t)1000)

const char *change_name(enum change change)
{
        static const char *const names[CHANGES] = {[CHANGE_REGRESSION] = "regression",
                                                   [CHANGE_OTHERWISE] = "diverges-otherwise",
                                                   [CHANGE_FIX] = "fix",
                                                   [CHANGE_UNJUDGED] = "no-longer-judged",
                                                   [CHANGE_JUDGED] = "newly-judged",
                                                   [CHANGE_SEEN] = "seen-otherwise",
                                                   [CHANGE_NEW] = "new",
                                                   [CHANGE_GONE] = "gone",
                                                   [CHANGE_NONE] = "none"};
        return names[change];
}

/* ---- what became of a case ---- */

enum standing { PASSES, DIVERGES, UNJUDGED, STANDINGS };

static enum standing standing_of(const struct judged_case *c)
{
        if (c->verdict == VERDICT_PASS || c->verdict == VERDICT_FIXED)
                return PASSES;
        return verdict_diverges(c->verdict) || c->verdict == VERDICT_KNOWN ? DIVERGES : UNJUDGED;
}

/* Returns false when memory is short. */
static bool is_same_story(const struct difference *diff, const struct case_difference *d, bool *same)
{
        char *before = story_key(diff->before, d->before);
        char *after = story_key(diff->after, d->after);
        bool good = before && after;
        *same = good && strcmp(before, after) == 0 &&
                strcmp(member_text(shown_result(d->before), "status"), member_text(shown_result(d->after), "status")) ==
                        0;
        free(before);
        free(after);
        return good;
}

static bool classify(const struct difference *diff, struct case_difference *d)
{
        static const enum change changes[STANDINGS][STANDINGS] = {
                [PASSES] = {[PASSES] = CHANGE_SEEN, [DIVERGES] = CHANGE_REGRESSION, [UNJUDGED] = CHANGE_UNJUDGED},
                [DIVERGES] = {[PASSES] = CHANGE_FIX, [DIVERGES] = CHANGE_OTHERWISE, [UNJUDGED] = CHANGE_UNJUDGED},
                [UNJUDGED] = {[PASSES] = CHANGE_JUDGED, [DIVERGES] = CHANGE_JUDGED, [UNJUDGED] = CHANGE_SEEN},
        };
        bool same = false;
        if (!d->before || !d->after) {
                d->change = d->after ? CHANGE_NEW : CHANGE_GONE;
                return true;
        }
        enum standing before = standing_of(d->before);
        enum standing after = standing_of(d->after);
        d->change = changes[before][after];
        if (before != after)
                return true;
        bool good = is_same_story(diff, d, &same);
        d->change = same ? CHANGE_NONE : d->change;
        return good;
}

/* ---- the cases of both records ---- */

static int by_id(const void *a, const void *b)
{
        const struct case_difference *x = a;
        const struct case_difference *y = b;
        return strcmp(x->before->of->id, y->before->of->id);
}

static int is_of(const void *id, const void *d)
{
        return strcmp(id, ((const struct case_difference *)d)->before->of->id);
}

/* The cases of the first record by their ids; the caller frees it. */
static struct case_difference *index_of(const struct judgement *j)
{
        struct case_difference *index = calloc(j->case_count + 1, sizeof(index[0]));
        if (!index)
                return NULL;
        for (size_t i = 0; i < j->case_count; i++)
                index[i].before = &j->cases[i];
        qsort(index, j->case_count, sizeof(index[0]), by_id);
        return index;
}

static bool add_case(struct difference *diff, const struct judged_case *before, const struct judged_case *after)
{
        struct case_difference *d = &diff->cases[diff->count++];
        *d = (struct case_difference){.before = before, .after = after};
        if (!classify(diff, d))
                return false;
        diff->by_change[d->change]++;
        return true;
}

/* The index is searched, and what is found is marked in it. */
static bool add_cases(struct difference *diff, struct case_difference *index)
{
        const struct judgement *before = diff->before;
        const struct judgement *after = diff->after;
        for (size_t i = 0; i < after->case_count; i++) {
                const struct judged_case *c = &after->cases[i];
                struct case_difference *found = bsearch(c->of->id, index, before->case_count, sizeof(index[0]), is_of);
                if (found)
                        found->after = c;
                if (!add_case(diff, found ? found->before : NULL, c))
                        return false;
        }
        for (size_t i = 0; i < before->case_count; i++) {
                const struct judged_case *c = &before->cases[i];
                const struct case_difference *found =
                        bsearch(c->of->id, index, before->case_count, sizeof(index[0]), is_of);
                if (!found->after && !add_case(diff, c, NULL))
                        return false;
        }
        return true;
}

struct difference *difference_of(const struct judgement *before, const struct judgement *after)
{
        struct difference *diff = calloc(1, sizeof(*diff));
        struct case_difference *index = index_of(before);
        bool good = diff && index;
        if (good) {
                *diff = (struct difference){.before = before, .after = after};
                diff->cases = calloc(before->case_count + after->case_count + 1, sizeof(diff->cases[0]));
                good = diff->cases && add_cases(diff, index);
        }
        free(index);
        if (good)
                return diff;
        difference_free(diff);
        return NULL;
}

void difference_free(struct difference *diff)
{
        if (!diff)
                return;
        free(diff->cases);
        free(diff);
}

bool difference_is_whole(const struct difference *diff, const struct record *before, const struct record *after)
{
        for (size_t i = 0; i < diff->count; i++) {
                const struct case_difference *d = &diff->cases[i];
                if (d->change == CHANGE_UNJUDGED && d->after->verdict == VERDICT_ERROR)
                        return false;
        }
        return record_is_complete(before) && record_is_complete(after);
}

/* ---- observations ---- */

static bool is_like(const struct value *a, const struct value *b)
{
        return strcmp(member_text(a, "what"), member_text(b, "what")) == 0 &&
               strcmp(member_text(a, "by"), member_text(b, "by")) == 0;
}

static void put_texts(struct masked_text *to, const struct value *list)
{
        VALUE_EACH(entry, list)
        {
                put_masked(to, value_text(entry) ? value_text(entry) : "?");
                put_exactly(to, "\n");
        }
}

static bool are_same(const struct masked_text *a, const struct masked_text *b)
{
        return strcmp(a->bytes ? a->bytes : "", b->bytes ? b->bytes : "") == 0;
}

/* Compares what was seen, and what is expected. Returns false when memory is short. */
static bool compare_observations(struct observation_pair *p)
{
        struct masked_text before = {NULL, 0, 0, false};
        struct masked_text after = {NULL, 0, 0, false};
        put_masked(&before, member_text(p->before, "seen"));
        put_masked(&after, member_text(p->after, "seen"));
        put_exactly(&before, "\n");
        put_exactly(&after, "\n");
        put_texts(&before, p->allowed_before);
        put_texts(&after, p->allowed_after);
        p->differs = !are_same(&before, &after);
        bool good = !before.failed && !after.failed;
        free(before.bytes);
        free(after.bytes);
        return good;
}

static bool complete_pair(const struct difference *diff, const struct case_difference *d, struct observation_pair *p)
{
        const char *id = d->after->of->id;
        bool tells = false;
        if (p->before) {
                p->allowed_before = profile_expected(diff->before->profile, id, p->before);
                tells = observation_tells_apart(d->before, p->before, p->allowed_before);
        }
        if (p->after) {
                p->allowed_after = profile_expected(diff->after->profile, id, p->after);
                tells = observation_tells_apart(d->after, p->after, p->allowed_after) || tells;
        }
        p->differs = tells && !(p->before && p->after);
        return !tells || p->differs || compare_observations(p);
}

struct loose_observation {
        const struct value *of;
        bool taken;
};

/* Observations come in much the same order, so the search begins behind the last that was found. */
static const struct value *take_like(struct loose_observation *all, size_t count, size_t *from,
                                     const struct value *like)
{
        for (size_t k = 0; k < count && k < MOST_SEARCHED; k++) {
                struct loose_observation *o = &all[(*from + k) % count];
                if (o->taken || !is_like(o->of, like))
                        continue;
                o->taken = true;
                *from = (*from + k + 1) % count;
                return o->of;
        }
        return NULL;
}

static size_t put_pairs(struct observation_pair *pairs, struct loose_observation *before, size_t before_count,
                        const struct value *after)
{
        size_t count = 0;
        size_t from = 0;
        VALUE_EACH(observation, after)
        {
                pairs[count++] = (struct observation_pair){
                        .before = take_like(before, before_count, &from, observation), .after = observation};
        }
        for (size_t i = 0; i < before_count; i++) {
                if (!before[i].taken)
                        pairs[count++] = (struct observation_pair){.before = before[i].of};
        }
        return count;
}

struct observation_pair *pair_observations(const struct difference *diff, const struct case_difference *d,
                                           size_t *count)
{
        const struct value *before = value_member(shown_result(d->before), "observations");
        const struct value *after = value_member(shown_result(d->after), "observations");
        size_t before_count = 0;
        struct loose_observation *loose = calloc(value_entries(before) + 1, sizeof(loose[0]));
        struct observation_pair *pairs = calloc(value_entries(before) + value_entries(after) + 1, sizeof(pairs[0]));
        bool good = loose && pairs;
        if (good) {
                VALUE_EACH(observation, before)
                {
                        loose[before_count++].of = observation;
                }
                *count = put_pairs(pairs, loose, before_count, after);
        }
        for (size_t i = 0; good && i < *count; i++)
                good = complete_pair(diff, d, &pairs[i]);
        free(loose);
        if (good)
                return pairs;
        free(pairs);
        return NULL;
}

/* ---- steps ---- */

struct step {
        const struct value *of;
        char *call; /* what was called by whom, to be compared */
};

struct steps {
        struct step *all;
        size_t count;
};

static char *call_key(const struct value *step)
{
        static const char *const members[] = {"by", "via", "call", "text"};
        struct masked_text key = {NULL, 0, 0, false};
        for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
                put_masked(&key, member_text(step, members[i]));
                put_exactly(&key, "\n");
        }
        put_texts(&key, value_member(step, "args"));
        if (!key.failed)
                return key.bytes;
        free(key.bytes);
        return NULL;
}

static void free_steps(struct steps *steps)
{
        for (size_t i = 0; i < steps->count; i++)
                free(steps->all[i].call);
        free(steps->all);
}

static bool take_steps(struct steps *steps, const struct judged_case *c)
{
        const struct value *list = shown_steps(c);
        *steps = (struct steps){calloc(value_entries(list) + 1, sizeof(steps->all[0])), 0};
        bool good = steps->all != NULL;
        VALUE_EACH(step, list)
        {
                if (!good)
                        break;
                steps->all[steps->count] = (struct step){step, call_key(step)};
                good = steps->all[steps->count++].call != NULL;
        }
        return good;
}

/* Returns false when memory is short. */
static bool compare_results(struct step_pair *p)
{
        struct masked_text before = {NULL, 0, 0, false};
        struct masked_text after = {NULL, 0, 0, false};
        put_masked(&before, member_text(p->before, "ret"));
        put_exactly(&before, " ");
        put_exactly(&before, member_text(p->before, "errno"));
        put_masked(&after, member_text(p->after, "ret"));
        put_exactly(&after, " ");
        put_exactly(&after, member_text(p->after, "errno"));
        p->differs = !are_same(&before, &after);
        bool good = !before.failed && !after.failed;
        free(before.bytes);
        free(after.bytes);
        return good;
}

/*
 * How many steps from the i-th and the j-th on can be paired at most: the length of the longest common subsequence,
 * in a table with a column more than there are steps.
 */
static uint16_t *common_lengths(const struct steps *before, const struct steps *after)
{
        size_t columns = after->count + 1;
        uint16_t *lengths = calloc((before->count + 1) * columns, sizeof(lengths[0]));
        for (size_t i = before->count; lengths && i-- > 0;) {
                for (size_t j = after->count; j-- > 0;) {
                        uint16_t *here = &lengths[i * columns + j];
                        uint16_t below = here[columns];
                        uint16_t right = here[1];
                        if (strcmp(before->all[i].call, after->all[j].call) == 0)
                                *here = (uint16_t)(here[columns + 1] + 1);
                        else
                                *here = below > right ? below : right;
                }
        }
        return lengths;
}

struct step_row {
        bool before, after;
};

/* Which of the two lists the next pair takes a step of. Without lengths both go on side by side. */
static struct step_row next_row(const struct steps *before, const struct steps *after, size_t i, size_t j,
                                const uint16_t *lengths)
{
        if (i == before->count || j == after->count)
                return (struct step_row){i < before->count, j < after->count};
        if (!lengths || strcmp(before->all[i].call, after->all[j].call) == 0)
                return (struct step_row){true, true};
        size_t columns = after->count + 1;
        const uint16_t *here = &lengths[i * columns + j];
        bool take_before = here[columns] >= here[1];
        return (struct step_row){take_before, !take_before};
}

static bool put_steps(struct step_pair *pairs, size_t *count, const struct steps *before, const struct steps *after,
                      const uint16_t *lengths)
{
        size_t i = 0;
        size_t j = 0;
        while (i < before->count || j < after->count) {
                struct step_row row = next_row(before, after, i, j, lengths);
                struct step_pair *p = &pairs[(*count)++];
                *p = (struct step_pair){row.before ? before->all[i++].of : NULL, row.after ? after->all[j++].of : NULL,
                                        true};
                bool same_call =
                        row.before && row.after && strcmp(before->all[i - 1].call, after->all[j - 1].call) == 0;
                if (same_call && !compare_results(p))
                        return false;
        }
        return true;
}

struct step_pair *pair_steps(const struct case_difference *d, size_t *count)
{
        struct steps before = {NULL, 0};
        struct steps after = {NULL, 0};
        struct step_pair *pairs = NULL;
        uint16_t *lengths = NULL;
        *count = 0;
        bool good = take_steps(&before, d->before) && take_steps(&after, d->after);
        bool align = before.count <= MOST_SEARCHED && after.count <= MOST_SEARCHED;
        if (good) {
                pairs = calloc(before.count + after.count + 1, sizeof(pairs[0]));
                lengths = align ? common_lengths(&before, &after) : NULL;
                good = pairs && (lengths || !align) && put_steps(pairs, count, &before, &after, lengths);
        }
        free(lengths);
        free_steps(&before);
        free_steps(&after);
        if (good)
                return pairs;
        free(pairs);
        return NULL;
}
