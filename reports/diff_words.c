#include "diff_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case_text.h"

/* Of what there was nothing to be compared with. */
static size_t diverging_now(const struct difference *difference, enum change change)
{
        size_t count = 0;
        for (size_t i = 0; i < difference->count; i++) {
                const struct case_difference *d = &difference->cases[i];
                count += d->change == change && verdict_diverges(d->after->verdict);
        }
        return count;
}

char *describe_changes(const struct difference *difference)
{
        static const struct {
                const char *one, *many;
        } words[CHANGES] = {[CHANGE_REGRESSION] = {"regression", "regressions"},
                            [CHANGE_OTHERWISE] = {"diverges otherwise", "diverge otherwise"},
                            [CHANGE_FIX] = {"fix", "fixes"},
                            [CHANGE_UNJUDGED] = {"no longer judged", "no longer judged"},
                            [CHANGE_JUDGED] = {"newly judged", "newly judged"},
                            [CHANGE_SEEN] = {"seen otherwise", "seen otherwise"},
                            [CHANGE_NEW] = {"new", "new"},
                            [CHANGE_GONE] = {"gone", "gone"},
                            [CHANGE_NONE] = {"as before", "as before"}};
        char *text = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&text, &size);
        if (!f)
                return NULL;
        if (difference->by_change[CHANGE_REGRESSION] == 0)
                fputs("no regression", f);
        for (enum change change = CHANGE_REGRESSION; change < CHANGES; change++) {
                size_t count = difference->by_change[change];
                size_t bad = change == CHANGE_JUDGED || change == CHANGE_NEW ? diverging_now(difference, change) : 0;
                if (count)
                        fprintf(f, "%s%zu %s", change == CHANGE_REGRESSION ? "" : ", ", count,
                                count == 1 ? words[change].one : words[change].many);
                if (bad)
                        fprintf(f, " (%zu diverge%s)", bad, bad == 1 ? "s" : "");
        }
        fclose(f);
        return text;
}

char *describe_scores(const struct compared *c)
{
        const struct judgement *before = c->before->main;
        const struct judgement *after = c->after->main;
        char *text = NULL;
        int made = asprintf(&text, "%s %zu/%zu, now %zu/%zu", after->profile->title, judgement_passed(before),
                            judgement_tried(before), judgement_passed(after), judgement_tried(after));
        return made == -1 ? NULL : text;
}

char *describe_change(const struct case_difference *d)
{
        char *text = NULL;
        if (!d->before)
                return strdup(verdict_name(d->after->verdict));
        if (!d->after)
                return strdup(verdict_name(d->before->verdict));
        const char *before = verdict_name(d->before->verdict);
        const char *after = verdict_name(d->after->verdict);
        int made = d->before->verdict == d->after->verdict ? asprintf(&text, "%s", after)
                                                           : asprintf(&text, "%s, now %s", before, after);
        return made == -1 ? NULL : text;
}

static void print_expected(FILE *out, const char *word, const struct value *allowed)
{
        fputs(word, out);
        if (allowed)
                print_allowed(out, allowed);
        else
                fputs("anything", out);
}

/* Whether the lists have the same texts. */
static bool allow_the_same(const struct value *a, const struct value *b)
{
        size_t count = value_entries(a);
        if (count != value_entries(b))
                return false;
        for (size_t i = 0; i < count; i++) {
                const char *x = value_text(value_entry(a, i));
                const char *y = value_text(value_entry(b, i));
                if (!x || !y || strcmp(x, y) != 0)
                        return false;
        }
        return true;
}

char *describe_pair(const struct case_difference *d, const struct observation_pair *p)
{
        char *text = NULL;
        size_t size = 0;
        char *of = p->after ? describe_observed(d->after, p->after) : describe_observed(d->before, p->before);
        FILE *f = open_memstream(&text, &size);
        if (f && of) {
                fputs(of, f);
                print_expected(f, ": expected ", p->after ? p->allowed_after : p->allowed_before);
                if (p->before && p->after && !allow_the_same(p->allowed_before, p->allowed_after))
                        print_expected(f, " where it was ", p->allowed_before);
                fprintf(f, ", was %s", p->before ? observed_text(d->before, p->before) : "not observed");
                fprintf(f, ", is %s", p->after ? observed_text(d->after, p->after) : "not observed");
        }
        free(of);
        if (f)
                fclose(f);
        return text;
}

char *describe_lacks(const struct record *record, const struct record *other)
{
        const json_t *had = json_object_get(other->start, "missing");
        const char *separator = "";
        const char *need = NULL;
        json_t *why = NULL;
        char *text = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&text, &size);
        if (!f)
                return NULL;
        json_object_foreach(json_object_get(record->start, "missing"), need, why)
        {
                if (json_object_get(had, need))
                        continue;
                fprintf(f, "%s%s (%s)", separator, need, json_string_value(why) ? json_string_value(why) : "?");
                separator = ", ";
        }
        fclose(f);
        return text;
}

bool is_told_whole(enum change change)
{
        return change == CHANGE_REGRESSION || change == CHANGE_OTHERWISE || change == CHANGE_FIX;
}
