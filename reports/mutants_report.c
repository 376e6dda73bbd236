#include "mutants_report.h"

#include <stdlib.h>
#include <string.h>

#define NAME_WIDTH 32
#define INDENT 10
/* Ids that a line shows where nothing limits it. */
#define SHOWN 4

/* Text, of which the end gives way to dots where it does not fit; no matter how wide without a width. */
static void print_cut(FILE *out, const char *text, int width)
{
        if (width <= 0 || (int)strlen(text) <= width)
                fputs(text, out);
        else
                fprintf(out, "%.*s...", width - 3, text);
}

/* The cases that saw it, those meant for it first. */
static json_t *cases_that_saw(const struct matrix *matrix, const struct tried_mutant *t)
{
        json_t *ids = json_array();
        for (int meant = 1; meant >= 0; meant--) {
                for (size_t i = 0; t->saw && i < matrix->case_count; i++) {
                        const char *id = matrix->cases[i].id;
                        if (t->saw[i] && is_meant_for(t->mutant, id) == meant)
                                json_array_append_new(ids, json_string(id));
                }
        }
        return ids;
}

static const char *id_at(const json_t *ids, size_t i)
{
        return json_string_value(json_array_get(ids, i));
}

/* ---- one line ---- */

static void print_seen_by(FILE *out, int width, const struct tried_mutant *t, const json_t *ids)
{
        char more[32] = "";
        size_t count = json_array_size(ids);
        size_t shown = width ? 1 : SHOWN;
        if (count == 0) {
                fputs(t->tried_count ? "seen by none" : "no case is there for it", out);
                return;
        }
        if (count > shown)
                snprintf(more, sizeof(more), " +%zu", count - shown);
        for (size_t i = 0; i < shown && i < count; i++) {
                fputs(i ? ", " : "", out);
                print_cut(out, id_at(ids, i), width ? width - (int)strlen(more) : 0);
        }
        fputs(more, out);
}

void print_mutant(FILE *out, struct terminal_style style, const struct matrix *matrix, const struct tried_mutant *t)
{
        json_t *ids = cases_that_saw(matrix, t);
        int left = style.width * 3 / 5;
        int right = style.width ? style.width - left - 2 : 0;
        if (!style.width)
                fprintf(out, "%-*s ", NAME_WIDTH, t->mutant->name);
        print_cut(out, t->mutant->wrong, left);
        int pad = left - (int)strlen(t->mutant->wrong);
        fprintf(out, "%*s", (pad > 0 ? pad : 0) + 2, "");
        print_seen_by(out, right, t, ids);
        if (t->why[0] && !style.width)
                fprintf(out, " (%s)", t->why);
        fputc('\n', out);
        fflush(out);
        json_decref(ids);
}

/* ---- all of one ---- */

void print_mutant_whole(FILE *out, struct terminal_style style, const struct matrix *matrix,
                        const struct tried_mutant *t)
{
        static const char *const fates[MUTANT_FATES] = {"seen", "missed", "undecided: a case meant for it is skipped"};
        json_t *ids = cases_that_saw(matrix, t);
        fprintf(out, "%-*s%s\n%-*s", INDENT, "mutant", t->mutant->name, INDENT, "wrong");
        print_wrapped(out, style, INDENT, t->mutant->wrong);
        fprintf(out, "%-*s%s, by %zu of the %zu cases that were tried\n", INDENT, "result", fates[fate_of(matrix, t)],
                t->saw_count, t->tried_count);
        if (json_array_size(ids)) {
                fprintf(out, "%-*s", INDENT, "seen by");
                print_ids(out, style, INDENT, ids);
        }
        if (t->why[0])
                fprintf(out, "%-*s%s\n", INDENT, "but", t->why);
        fputc('\n', out);
        fflush(out);
        json_decref(ids);
}

/* ---- the end ---- */

static void print_fate(FILE *out, struct terminal_style style, const struct matrix *matrix, enum mutant_fate fate,
                       const char *head)
{
        if (count_fate(matrix, fate) == 0)
                return;
        fprintf(out, "\n%s\n", head);
        for (size_t i = 0; i < matrix->mutant_count; i++) {
                const struct tried_mutant *t = &matrix->mutants[i];
                if (fate_of(matrix, t) != fate)
                        continue;
                fprintf(out, "  %s\n    ", t->mutant->name);
                print_wrapped(out, style, 4, t->mutant->wrong);
                fputs("    meant for: ", out);
                print_wrapped(out, style, 15, t->mutant->meant_for);
                if (t->why[0])
                        fprintf(out, "    %s\n", t->why);
        }
}

/* Cases in a row that have one reason stand before it together. */
static void print_idle_cases(FILE *out, struct terminal_style style, const struct matrix *matrix)
{
        const struct tried_case *before = NULL;
        bool any = false;
        for (size_t i = 0; i < matrix->case_count; i++) {
                const struct tried_case *c = &matrix->cases[i];
                if (!is_idle(c))
                        continue;
                if (!any)
                        fputs("\ncases that see no mutant:\n", out);
                any = true;
                if (before && before->reason && before->reason != c->reason) {
                        fputs("      ", out);
                        print_wrapped(out, style, 6, before->reason);
                }
                fprintf(out, "  %s%s\n", c->id, c->reason ? "" : ": no reason is given");
                before = c;
        }
        if (before && before->reason) {
                fputs("      ", out);
                print_wrapped(out, style, 6, before->reason);
        }
}

void print_matrix_end(FILE *out, struct terminal_style style, const struct matrix *matrix)
{
        size_t passing = 0;
        size_t seeing = 0;
        for (size_t i = 0; i < matrix->case_count; i++) {
                passing += matrix->cases[i].passes;
                seeing += matrix->cases[i].saw > 0;
        }
        print_fate(out, style, matrix, MUTANT_UNDECIDED,
                   "mutants whose cases are skipped here, so that none can see them:");
        if (matrix->judges_mutants)
                print_fate(out, style, matrix, MUTANT_MISSED, "mutants that no case meant for them has seen:");
        if (matrix->judges_cases)
                print_idle_cases(out, style, matrix);
        fprintf(out,
                "\n%zu of %zu mutants seen; of %zu cases %zu pass without a mutant, and %zu of these saw one meant for "
                "them; %.0f s\n",
                count_fate(matrix, MUTANT_SEEN), matrix->mutant_count, matrix->case_count, passing, seeing,
                matrix->seconds);
}

/* ---- JSON ---- */

static json_t *tried_cases(const struct matrix *matrix, const struct tried_mutant *t)
{
        json_t *ids = json_array();
        for (size_t i = 0; t->tried && i < matrix->case_count; i++) {
                if (t->tried[i])
                        json_array_append_new(ids, json_string(matrix->cases[i].id));
        }
        return ids;
}

static json_t *mutant_object(const struct matrix *matrix, const struct tried_mutant *t)
{
        static const char *const fates[MUTANT_FATES] = {"seen", "missed", "undecided"};
        json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "name", t->mutant->name, "wrong", t->mutant->wrong,
                                   "meant_for", t->mutant->meant_for, "result", fates[fate_of(matrix, t)], "seen_by",
                                   cases_that_saw(matrix, t), "tried", tried_cases(matrix, t));
        if (t->why[0])
                json_object_set_new(object, "reason", json_string(t->why));
        return object;
}

static json_t *idle_cases(const struct matrix *matrix)
{
        json_t *cases = json_array();
        for (size_t i = 0; i < matrix->case_count; i++) {
                const struct tried_case *c = &matrix->cases[i];
                if (is_idle(c))
                        json_array_append_new(cases, json_pack("{s:s, s:I, s:s?}", "id", c->id, "tried",
                                                               (json_int_t)c->tried, "reason", c->reason));
        }
        return cases;
}

json_t *matrix_as_json(const struct matrix *matrix, const struct reasons *reasons)
{
        json_t *mutants = json_array();
        json_t *stale = json_array();
        for (size_t i = 0; i < matrix->mutant_count; i++)
                json_array_append_new(mutants, mutant_object(matrix, &matrix->mutants[i]));
        for (size_t i = 0; matrix->judges_cases && matrix->judges_mutants && i < reasons->count; i++) {
                if (!reasons->all[i].fits)
                        json_array_append_new(stale, json_string(reasons->all[i].glob));
        }
        json_t *object = json_pack("{s:i, s:o, s:o, s:f}", "shmcheck_mutants", 1, "mutants", mutants, "stale_reasons",
                                   stale, "seconds", matrix->seconds);
        if (object && matrix->judges_cases)
                json_object_set_new(object, "idle_cases", idle_cases(matrix));
        return object;
}
