#include "tries.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A case that takes more times the median is not quick. */
#define QUICK_MEDIANS 4
/* Of the pairs that nobody means one in so many is tried. */
#define ONE_OF 8

/* ---- the cases ---- */

static long long microseconds(const struct tried_case *c)
{
        return member_integer(c->of->results[0], "us");
}

static int by_time(const void *a, const void *b)
{
        long long x = microseconds(a);
        long long y = microseconds(b);
        return x < y ? -1 : x > y;
}

static int by_id(const void *a, const void *b)
{
        return strcmp(((const struct tried_case *)a)->id, ((const struct tried_case *)b)->id);
}

static void classify(struct tried_case *c, long long median)
{
        long long us = microseconds(c);
        bool waits = result_needs(c->of->results[0], "clock-tick");
        c->quick = us <= QUICK_MEDIANS * median && !waits;
        c->far_from_hanging = us < (MUTANT_TIMEOUT + (waits ? 1 : 0)) * 1000000LL / 2;
}

static struct tried_case *find_case(const struct matrix *matrix, const char *id)
{
        struct tried_case key = {.id = id};
        return bsearch(&key, matrix->cases, matrix->case_count, sizeof(matrix->cases[0]), by_id);
}

bool matrix_take_cases(struct matrix *matrix, const struct judgement *plain)
{
        size_t count = plain->case_count;
        struct tried_case *cases = calloc(count + 1, sizeof(cases[0]));
        if (!cases)
                return false;
        for (size_t i = 0; i < count; i++) {
                const struct judged_case *j = &plain->cases[i];
                cases[i].id = j->of->id;
                cases[i].passes = j->verdict == VERDICT_PASS;
                cases[i].skipped = j->verdict == VERDICT_SKIP;
                cases[i].of = j->of;
        }
        qsort(cases, count, sizeof(cases[0]), by_time);
        long long median = count ? microseconds(&cases[count / 2]) : 0;
        for (size_t i = 0; i < count; i++)
                classify(&cases[i], median);
        qsort(cases, count, sizeof(cases[0]), by_id);
        matrix->cases = cases;
        matrix->case_count = count;
        return true;
}

void matrix_free(struct matrix *matrix)
{
        for (size_t i = 0; i < matrix->mutant_count; i++) {
                free(matrix->mutants[i].tried);
                free(matrix->mutants[i].saw);
        }
        free(matrix->mutants);
        free(matrix->cases);
}

/* ---- the pairs ---- */

bool is_meant_for(const struct mutant *mutant, const char *id)
{
        char globs[512];
        char *rest = NULL;
        snprintf(globs, sizeof(globs), "%s", mutant->meant_for);
        for (char *glob = strtok_r(globs, " ", &rest); glob; glob = strtok_r(NULL, " ", &rest)) {
                if (fnmatch(glob, id, 0) == 0)
                        return true;
        }
        return false;
}

void keep_mutants_that_are_meant(struct matrix *matrix)
{
        size_t kept = 0;
        for (size_t i = 0; i < matrix->mutant_count; i++) {
                size_t c = 0;
                while (c < matrix->case_count && !is_meant_for(matrix->mutants[i].mutant, matrix->cases[c].id))
                        c++;
                if (c < matrix->case_count)
                        matrix->mutants[kept++] = matrix->mutants[i];
        }
        matrix->mutant_count = kept;
}

/* Whether the case made the call, and it failed with the errno if one is named. */
static bool has_step(const struct tried_case *c, const char *call, const char *error)
{
        VALUE_EACH(step, record_case_steps(c->of, 0))
        {
                if (strcmp(member_text(step, "call"), call) == 0 &&
                    (!error || strcmp(member_text(step, "errno"), error) == 0))
                        return true;
        }
        return false;
}

/*
 * Checks and the agent itself call shmget and shmctl without a step, so that every case uses these. What surrounds the
 * calls, such as fork, is broken for few cases, which are all meant.
 */
static bool uses_what_breaks(const struct mutant *m, const struct tried_case *c)
{
        static const char *const calls[] = {"", "shmget", "shmat", "shmdt", "shmctl", "ftok"};
        const struct wrong_errno *w = &m->wrong_errno;
        if (m->told || m->shmget || m->shmctl)
                return true;
        return (m->shmat && has_step(c, "shmat", NULL)) || (m->shmdt && has_step(c, "shmdt", NULL)) ||
               (m->ftok && has_step(c, "ftok", NULL)) ||
               (w->call != CALL_NONE && has_step(c, calls[w->call], strerrorname_np(w->due)));
}

/* One of the many rows of a product, of which its neighbours say much the same: perm.shmat_rw.owner.r. */
static bool is_cell(const char *id)
{
        size_t dots = 0;
        for (; *id; id++)
                dots += *id == '.';
        return dots > 2;
}

/* Whether the pair is one of those that are tried although nobody means it: the same pairs whatever else there is. */
static bool is_sample(const char *mutant, const char *id)
{
        unsigned hash = 2166136261U;
        const char *const names[] = {mutant, id};
        for (size_t i = 0; i < 2; i++) {
                for (const char *p = names[i]; *p; p++)
                        hash = (hash ^ (unsigned char)*p) * 16777619U;
        }
        return hash % ONE_OF == 0;
}

static bool is_tried(const struct tried_mutant *t, const struct tried_case *c, bool all)
{
        if (!c->passes)
                return false;
        if (is_meant_for(t->mutant, c->id))
                return true;
        bool chosen = all || (!is_cell(c->id) && is_sample(t->mutant->name, c->id));
        return chosen && c->quick && uses_what_breaks(t->mutant, c);
}

bool choose_tries(struct matrix *matrix, struct tried_mutant *t, bool all)
{
        t->tried = calloc(matrix->case_count + 1, sizeof(t->tried[0]));
        t->saw = calloc(matrix->case_count + 1, sizeof(t->saw[0]));
        if (!t->tried || !t->saw)
                return false;
        for (size_t i = 0; i < matrix->case_count; i++) {
                t->tried[i] = is_tried(t, &matrix->cases[i], all);
                t->tried_count += t->tried[i];
                matrix->cases[i].tried += t->tried[i];
        }
        return true;
}

/* ---- the verdicts ---- */

void take_verdicts(struct matrix *matrix, struct tried_mutant *t, const struct judgement *judgement)
{
        for (size_t i = 0; judgement && i < judgement->case_count; i++) {
                const struct judged_case *j = &judgement->cases[i];
                struct tried_case *c = find_case(matrix, j->of->id);
                if (!c || !verdict_diverges(j->verdict) || (j->verdict == VERDICT_HANG && !c->far_from_hanging))
                        continue;
                bool meant = is_meant_for(t->mutant, c->id);
                if (t->saw[c - matrix->cases])
                        continue;
                t->saw[c - matrix->cases] = true;
                t->saw_count++;
                t->meant_count += meant;
                c->saw += meant;
        }
}

enum mutant_fate fate_of(const struct matrix *matrix, const struct tried_mutant *t)
{
        if (t->meant_count > 0)
                return MUTANT_SEEN;
        for (size_t i = 0; i < matrix->case_count; i++) {
                if (matrix->cases[i].skipped && is_meant_for(t->mutant, matrix->cases[i].id))
                        return MUTANT_UNDECIDED;
        }
        return MUTANT_MISSED;
}

size_t count_fate(const struct matrix *matrix, enum mutant_fate fate)
{
        size_t count = 0;
        for (size_t i = 0; i < matrix->mutant_count; i++)
                count += fate_of(matrix, &matrix->mutants[i]) == fate;
        return count;
}

/* ---- the cases that saw nothing ---- */

bool is_idle(const struct tried_case *c)
{
        return c->passes && c->saw == 0;
}

bool is_worth_another_look(const struct matrix *matrix, const struct tried_mutant *t, const struct tried_case *c)
{
        if (!c->passes || !t->saw || t->saw[c - matrix->cases] || !is_meant_for(t->mutant, c->id))
                return false;
        return (is_idle(c) && !c->reason) || fate_of(matrix, t) == MUTANT_MISSED;
}

void matrix_take_reasons(struct matrix *matrix, struct reasons *reasons)
{
        for (size_t i = 0; i < matrix->case_count; i++) {
                struct tried_case *c = &matrix->cases[i];
                struct reason *r = reasons_find(reasons, c->id);
                if (!r)
                        continue;
                /* Of what is skipped, or does not pass, nothing is known. */
                r->fits = r->fits || is_idle(c) || !c->passes;
                if (is_idle(c))
                        c->reason = r->text;
        }
}
