#include "matrix_output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Ids that a mutant's line shows. */
#define SHOWN 4

static void print_caught(const struct matrix *matrix, const struct tried_mutant *t, bool meant, size_t *shown)
{
        for (size_t i = 0; i < matrix->case_count && *shown < SHOWN; i++) {
                if (t->caught[i] && is_meant_for(t->mutant, matrix->cases[i].id) == meant) {
                        printf(" %s%s", meant ? "*" : "", matrix->cases[i].id);
                        (*shown)++;
                }
        }
}

void print_mutant(const struct matrix *matrix, const struct tried_mutant *t)
{
        size_t shown = 0;
        printf("%-32s %4zu of %-4zu", t->mutant->name, t->caught_count, t->tried_count);
        if (t->caught) {
                print_caught(matrix, t, true, &shown);
                print_caught(matrix, t, false, &shown);
        }
        if (t->caught_count > shown)
                fputs(" ...", stdout);
        if (t->why[0])
                printf(" (%s)", t->why);
        putchar('\n');
        fflush(stdout);
}

void print_idle_cases(const struct matrix *matrix)
{
        bool any = false;
        for (size_t i = 0; i < matrix->case_count; i++) {
                const struct tried_case *c = &matrix->cases[i];
                if (!c->passes || c->caught > 0)
                        continue;
                if (!any)
                        puts("\ncases that caught no mutant, and how many each was tried with:");
                any = true;
                printf("%5zu  %s\n", c->tried, c->id);
        }
}

static void print_fate(const struct matrix *matrix, enum mutant_fate fate, const char *head)
{
        if (count_fate(matrix, fate) == 0)
                return;
        printf("\n%s", head);
        for (size_t i = 0; i < matrix->mutant_count; i++) {
                if (fate_of(matrix, &matrix->mutants[i]) == fate)
                        printf(" %s", matrix->mutants[i].mutant->name);
        }
        putchar('\n');
}

void print_closing(const struct matrix *matrix)
{
        size_t passing = 0;
        size_t catching = 0;
        for (size_t i = 0; i < matrix->case_count; i++) {
                passing += matrix->cases[i].passes;
                catching += matrix->cases[i].caught > 0;
        }
        print_fate(matrix, MUTANT_UNDECIDED, "mutants whose cases are skipped here, so that nothing can be said:");
        print_fate(matrix, MUTANT_MISSED, "mutants that no case meant for them caught:");
        printf("\n%zu of %zu mutants caught; of %zu cases %zu pass without a mutant, and %zu of these caught one; "
               "%.0f s\n",
               count_fate(matrix, MUTANT_CAUGHT), matrix->mutant_count, matrix->case_count, passing, catching,
               matrix->seconds);
}

static json_t *ids_of(const struct matrix *matrix, const bool *chosen)
{
        json_t *ids = json_array();
        for (size_t i = 0; chosen && i < matrix->case_count; i++) {
                if (chosen[i])
                        json_array_append_new(ids, json_string(matrix->cases[i].id));
        }
        return ids;
}

static json_t *mutant_object(const struct matrix *matrix, const struct tried_mutant *t)
{
        return json_pack("{s:s, s:s, s:s, s:b, s:o, s:o}", "name", t->mutant->name, "wrong", t->mutant->wrong,
                         "meant_for", t->mutant->meant_for, "caught", t->meant_count > 0, "caught_by",
                         ids_of(matrix, t->caught), "tried", ids_of(matrix, t->tried));
}

static json_t *idle_cases(const struct matrix *matrix)
{
        json_t *cases = json_array();
        for (size_t i = 0; i < matrix->case_count; i++) {
                const struct tried_case *c = &matrix->cases[i];
                if (c->passes && c->caught == 0)
                        json_array_append_new(cases,
                                              json_pack("{s:s, s:I}", "id", c->id, "tried", (json_int_t)c->tried));
        }
        return cases;
}

bool write_json(const struct matrix *matrix, const char *path)
{
        json_t *mutants = json_array();
        for (size_t i = 0; i < matrix->mutant_count; i++)
                json_array_append_new(mutants, mutant_object(matrix, &matrix->mutants[i]));
        json_t *all = json_pack("{s:o, s:o, s:f}", "mutants", mutants, "idle_cases", idle_cases(matrix), "seconds",
                                matrix->seconds);
        bool written = all && json_dump_file(all, path, JSON_INDENT(1)) == 0;
        if (!written)
                fprintf(stderr, "shmcheck-mutants: --json %s: %s\n", path, strerror(errno));
        json_decref(all);
        return written;
}
