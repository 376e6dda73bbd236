#include "diff_text.h"

#include <stdlib.h>
#include <string.h>
#include <uniwidth.h>

#include "case_text.h"

#define WIDTH_WITHOUT_TERMINAL 80
/* Of steps that differ, and of those in front of the first. */
#define MOST_STEPS 12
#define STEPS_BEFORE 3
/* What a step returned: an address, or -1 and the name of an error. */
#define RESULT_WIDTH 15
#define NARROWEST_CALL 20
#define INDENT 5
#define MOST_OBSERVATIONS 8
/* Cases of a list that are named. */
#define MOST_NAMED 6

static void print_line(FILE *out, struct terminal_style style, int indent, char *text)
{
        fprintf(out, "%*s", indent, "");
        print_wrapped(out, style, indent + 4, text ? text : "out of memory");
        free(text);
}

static char *joined(const char *a, const char *b)
{
        char *text = NULL;
        return asprintf(&text, "%s%s", a, b) == -1 ? NULL : text;
}

/* ---- the records ---- */

static void print_record(FILE *out, struct terminal_style style, const char *which, const struct judged_record *judged)
{
        char *platform = describe_platform(judged->record);
        char *line = NULL;
        if (asprintf(&line, "%s  %s: %s", which, judged->label, platform ? platform : "?") == -1)
                line = NULL;
        print_line(out, style, 0, line);
        free(platform);
}

static void print_cut(FILE *out, struct terminal_style style, const char *head, const struct judged_record *judged)
{
        if (judged->cut)
                print_line(out, style, INDENT, joined(head, judged->cut));
}

static void print_lacks(FILE *out, struct terminal_style style, const char *head, const struct record *record,
                        const struct record *other)
{
        char *lacks = describe_lacks(record, other);
        if (lacks && *lacks)
                print_line(out, style, INDENT, joined(head, lacks));
        free(lacks);
}

/* A record of a part of the cases says nothing of the others: they are not gone. */
static void print_part(FILE *out, struct terminal_style style, const char *which, const struct judged_record *judged)
{
        long long all = (long long)json_integer_value(json_object_get(judged->record->start, "all_cases"));
        char *line = NULL;
        if (judged->cut || all <= (long long)judged->record->case_count)
                return;
        if (asprintf(&line, "of %s a part was run: %zu of %lld cases", which, judged->record->case_count, all) == -1)
                line = NULL;
        print_line(out, style, INDENT, line);
}

void diff_text_notes(FILE *out, struct terminal_style style, const struct compared *c)
{
        print_cut(out, style, "old: ", c->before);
        print_cut(out, style, "new: ", c->after);
        print_lacks(out, style, "new lacks what old had: ", c->after->record, c->before->record);
        print_lacks(out, style, "new has what old lacked: ", c->before->record, c->after->record);
        print_part(out, style, "old", c->before);
        print_part(out, style, "new", c->after);
}

/* ---- the steps of a case ---- */

/* What follows the text begins in a column of its own, on the next line if the text has no room. */
static void print_cell(FILE *out, const char *text, int indent, int width)
{
        char *harmless = made_harmless(text);
        int used = harmless ? u8_strwidth((const uint8_t *)harmless, "UTF-8") : 0;
        fputs(harmless ? harmless : "?", out);
        if (used > width)
                fprintf(out, "\n%*s", indent + width, "");
        fprintf(out, "%*s", used > width ? 2 : width - used + 2, "");
        free(harmless);
}

static void print_call(FILE *out, const struct value *step, int width)
{
        char *call = describe_call(step);
        const char *by = member_text(step, "by");
        char *whole = NULL;
        bool other = *by && strcmp(by, "case") != 0;
        if (call && asprintf(&whole, "%s%s%s%s", call, other ? "  (" : "", other ? by : "", other ? ")" : "") == -1)
                whole = NULL;
        print_cell(out, whole ? whole : "?", INDENT + 2, width);
        free(whole);
        free(call);
}

/* The caller frees it. */
static char *result_text(const struct value *step)
{
        char *result = step ? describe_result(step) : NULL;
        char *harmless = made_harmless(result ? result : "-");
        free(result);
        return harmless;
}

static void print_step(FILE *out, struct terminal_style style, const struct step_pair *p, int call_width)
{
        char *before = result_text(p->before);
        char *after = result_text(p->after);
        print_ink(out, style, p->differs ? INK_BOLD : INK_PLAIN);
        fprintf(out, "%*s%c ", INDENT, "", p->differs ? '>' : ' ');
        print_call(out, p->after ? p->after : p->before, call_width);
        print_cell(out, before ? before : "?", INDENT + 2 + call_width + 2, RESULT_WIDTH);
        fprintf(out, "%s\n", after ? after : "?");
        print_ink(out, style, INK_PLAIN);
        free(after);
        free(before);
}

/* Which of the pairs are shown: up to the last that differs, if that is not too far. */
struct shown_steps {
        size_t first, end;
        size_t left_out; /* that differ */
};

static struct shown_steps steps_to_show(const struct step_pair *pairs, size_t count)
{
        struct shown_steps shown = {0, 0, 0};
        while (shown.first < count && !pairs[shown.first].differs)
                shown.first++;
        for (size_t i = shown.first; i < count; i++) {
                if (!pairs[i].differs)
                        continue;
                if (i < shown.first + MOST_STEPS)
                        shown.end = i + 1;
                else
                        shown.left_out++;
        }
        shown.first -= shown.first < STEPS_BEFORE ? shown.first : STEPS_BEFORE;
        return shown;
}

static void print_steps(FILE *out, struct terminal_style style, const struct step_pair *pairs, size_t count)
{
        struct shown_steps shown = steps_to_show(pairs, count);
        int width = style.width ? style.width : WIDTH_WITHOUT_TERMINAL;
        int call_width = width - INDENT - 2 - 2 * (RESULT_WIDTH + 2);
        call_width = call_width > NARROWEST_CALL ? call_width : NARROWEST_CALL;
        if (shown.end == 0)
                return;
        fprintf(out, "%*s%-*s  %-*s  new\n", INDENT + 2, "", call_width, "step", RESULT_WIDTH, "old");
        for (size_t i = shown.first; i < shown.end; i++)
                print_step(out, style, &pairs[i], call_width);
        if (shown.left_out)
                fprintf(out, "%*s... and %zu more that differ; --json has them all\n", INDENT + 2, "", shown.left_out);
}

/* ---- a case ---- */

static enum terminal_ink ink_of(enum change change)
{
        if (change == CHANGE_REGRESSION)
                return INK_RED;
        return change == CHANGE_FIX ? INK_GREEN : INK_YELLOW;
}

static void print_head(FILE *out, struct terminal_style style, const struct case_difference *d)
{
        static const char *const heads[CHANGES] = {[CHANGE_REGRESSION] = "REGRESSION",
                                                   [CHANGE_OTHERWISE] = "OTHERWISE",
                                                   [CHANGE_FIX] = "FIX",
                                                   [CHANGE_SEEN] = "SEEN OTHERWISE"};
        char *id = made_harmless(d->after->of->id);
        char *change = describe_change(d);
        print_ink(out, style, ink_of(d->change));
        fputs(heads[d->change] ? heads[d->change] : change_name(d->change), out);
        print_ink(out, style, INK_PLAIN);
        fputc(' ', out);
        print_ink(out, style, INK_BOLD);
        fputs(id ? id : "?", out);
        print_ink(out, style, INK_PLAIN);
        fprintf(out, "   %s\n", change ? change : "?");
        free(change);
        free(id);
}

/* Why a case was skipped, crashed, hung, or could not be tried. */
static void print_reasons(FILE *out, struct terminal_style style, int indent, const struct case_difference *d)
{
        if (*d->before->reason)
                print_line(out, style, indent, joined("was: ", d->before->reason));
        if (*d->after->reason)
                print_line(out, style, indent, joined("is: ", d->after->reason));
}

static void print_pairs(FILE *out, struct terminal_style style, int indent, const struct compared *c,
                        const struct case_difference *d)
{
        size_t count = 0;
        size_t differ = 0;
        struct observation_pair *pairs = pair_observations(c->difference, d, &count);
        for (size_t i = 0; pairs && i < count; i++) {
                if (!pairs[i].differs || ++differ > MOST_OBSERVATIONS)
                        continue;
                print_ink(out, style, INK_BOLD);
                print_line(out, style, indent, describe_pair(d, &pairs[i]));
                print_ink(out, style, INK_PLAIN);
        }
        if (differ > MOST_OBSERVATIONS)
                fprintf(out, "%*s... and %zu more; --json has them all\n", indent, "", differ - MOST_OBSERVATIONS);
        free(pairs);
}

void diff_text_case(FILE *out, struct terminal_style style, const struct compared *c, const struct case_difference *d)
{
        size_t count = 0;
        print_head(out, style, d);
        print_requirement(out, style, shown_result(d->after));
        print_reasons(out, style, INDENT, d);
        print_pairs(out, style, INDENT, c, d);
        struct step_pair *steps = d->change == CHANGE_FIX ? NULL : pair_steps(d, &count);
        if (steps)
                print_steps(out, style, steps, count);
        free(steps);
}

/* ---- lists ---- */

struct listed {
        const struct case_difference *d;
        char *title; /* those with the same title stand together */
        size_t place;
};

/* What cases share that stand together: how they changed, and for what reason. */
static char *title_of(const struct case_difference *d)
{
        const struct judged_case *reasoned = d->after ? d->after : d->before;
        if (d->change == CHANGE_JUDGED)
                reasoned = d->before;
        char *change = describe_change(d);
        char *title = NULL;
        int made = -1;
        if (change)
                made = asprintf(&title, "%s%s%s", change, *reasoned->reason ? ": " : "", reasoned->reason);
        free(change);
        return made == -1 ? NULL : title;
}

static int by_title(const void *a, const void *b)
{
        const struct listed *x = a;
        const struct listed *y = b;
        int titles = strcmp(x->title, y->title);
        return titles ? titles : (x->place > y->place) - (x->place < y->place);
}

static void add_id(json_t *ids, const char *id)
{
        char *harmless = made_harmless(id);
        json_array_append_new(ids, json_string(harmless ? harmless : "?"));
        free(harmless);
}

static void print_bunch(FILE *out, struct terminal_style style, const struct listed *first, size_t count)
{
        json_t *ids = json_array();
        char *line = NULL;
        char *more = NULL;
        for (size_t i = 0; i < count && (i < MOST_NAMED || count == MOST_NAMED + 1); i++)
                add_id(ids, first[i].d->after ? first[i].d->after->of->id : first[i].d->before->of->id);
        if (count > MOST_NAMED + 1 && asprintf(&more, "and %zu more", count - MOST_NAMED) > 0)
                add_id(ids, more);
        if (asprintf(&line, "%zu %s", count, first->title) == -1)
                line = NULL;
        print_line(out, style, 2, line);
        fprintf(out, "%*s", INDENT, "");
        print_ids(out, style, INDENT, ids);
        free(more);
        json_decref(ids);
}

static size_t collect(const struct difference *difference, enum change change, struct listed *all)
{
        size_t count = 0;
        for (size_t i = 0; i < difference->count; i++) {
                const struct case_difference *d = &difference->cases[i];
                char *title = d->change == change ? title_of(d) : NULL;
                if (title)
                        all[count++] = (struct listed){d, title, i};
        }
        return count;
}

static void print_bunches(FILE *out, struct terminal_style style, const struct difference *difference,
                          enum change change)
{
        struct listed *all = calloc(difference->by_change[change] + 1, sizeof(all[0]));
        size_t count = all ? collect(difference, change, all) : 0;
        if (count)
                qsort(all, count, sizeof(all[0]), by_title);
        for (size_t first = 0, end = 0; first < count; first = end) {
                while (end < count && strcmp(all[end].title, all[first].title) == 0)
                        end++;
                print_bunch(out, style, &all[first], end - first);
        }
        for (size_t i = 0; i < count; i++)
                free(all[i].title);
        free(all);
}

static void print_seen(FILE *out, struct terminal_style style, const struct compared *c)
{
        for (size_t i = 0; i < c->difference->count; i++) {
                const struct case_difference *d = &c->difference->cases[i];
                char *change = d->change == CHANGE_SEEN ? describe_change(d) : NULL;
                char *line = NULL;
                if (change && asprintf(&line, "%s   %s", d->after->of->id, change) > 0) {
                        print_line(out, style, 2, line);
                        print_reasons(out, style, INDENT, d);
                        print_pairs(out, style, INDENT, c, d);
                }
                free(change);
        }
}

void diff_text_list(FILE *out, struct terminal_style style, const struct compared *c, enum change change)
{
        if (change == CHANGE_SEEN)
                print_seen(out, style, c);
        else
                print_bunches(out, style, c->difference, change);
}

/* ---- the report ---- */

static void print_list(FILE *out, struct terminal_style style, const struct compared *c, enum change change)
{
        static const char *const heads[CHANGES] = {[CHANGE_UNJUDGED] = "no longer judged",
                                                   [CHANGE_JUDGED] = "newly judged",
                                                   [CHANGE_SEEN] = "as before, but seen otherwise",
                                                   [CHANGE_NEW] = "only in new",
                                                   [CHANGE_GONE] = "only in old"};
        size_t count = c->difference->by_change[change];
        if (!heads[change] || count == 0)
                return;
        fputc('\n', out);
        print_ink(out, style, INK_YELLOW);
        fprintf(out, "%s: %zu\n", heads[change], count);
        print_ink(out, style, INK_PLAIN);
        diff_text_list(out, style, c, change);
}

static void print_cases(FILE *out, struct terminal_style style, const struct compared *c, enum change change)
{
        for (size_t i = 0; i < c->difference->count; i++) {
                const struct case_difference *d = &c->difference->cases[i];
                if (d->change != change)
                        continue;
                fputc('\n', out);
                diff_text_case(out, style, c, d);
        }
}

static void print_closing(FILE *out, struct terminal_style style, const struct compared *c)
{
        char *changes = describe_changes(c->difference);
        char *scores = describe_scores(c);
        char *line = NULL;
        if (asprintf(&line, "%s \u00b7 %s", changes ? changes : "?", scores ? scores : "?") == -1)
                line = NULL;
        fputc('\n', out);
        print_ink(out, style, c->difference->by_change[CHANGE_REGRESSION] ? INK_RED : INK_GREEN);
        print_line(out, style, 0, line);
        print_ink(out, style, INK_PLAIN);
        free(scores);
        free(changes);
}

void diff_text(FILE *out, struct terminal_style style, const struct compared *c)
{
        print_record(out, style, "old", c->before);
        print_record(out, style, "new", c->after);
        diff_text_notes(out, style, c);
        for (enum change change = CHANGE_REGRESSION; change < CHANGE_NONE; change++) {
                if (is_told_whole(change))
                        print_cases(out, style, c, change);
                else
                        print_list(out, style, c, change);
        }
        print_closing(out, style, c);
}
