#include "tries.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A case that takes more times the median is not quick. */
#define QUICK_MEDIANS 4
/* Of the pairs that nobody means one in so many is tried. */
#define ONE_OF 4

/* ---- the cases ---- */

static long long microseconds(const json_t *result)
{
        return (long long)json_integer_value(json_object_get(result, "us"));
}

static bool waits_for_clock(const json_t *result)
{
        size_t i = 0;
        json_t *need = NULL;
        json_array_foreach(json_object_get(result, "needs"), i, need)
        {
                if (strcmp(json_string_value(need), "clock-tick") == 0)
                        return true;
        }
        return false;
}

static int by_time(const void *a, const void *b)
{
        long long x = microseconds(((const struct tried_case *)a)->result);
        long long y = microseconds(((const struct tried_case *)b)->result);
        return x < y ? -1 : x > y;
}

static int by_id(const void *a, const void *b)
{
        return strcmp(((const struct tried_case *)a)->id, ((const struct tried_case *)b)->id);
}

static void classify(struct tried_case *c, long long median)
{
        long long us = microseconds(c->result);
        bool waits = waits_for_clock(c->result);
        c->quick = us <= QUICK_MEDIANS * median && !waits;
        c->far_from_hanging = us < (MUTANT_TIMEOUT + (waits ? 1 : 0)) * 1000000LL / 2;
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
                cases[i].result = j->of->results[0];
        }
        qsort(cases, count, sizeof(cases[0]), by_time);
        long long median = count ? microseconds(cases[count / 2].result) : 0;
        for (size_t i = 0; i < count; i++)
                classify(&cases[i], median);
        qsort(cases, count, sizeof(cases[0]), by_id);
        matrix->cases = cases;
        matrix->case_count = count;
        return true;
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

/* Whether the case made the call, and it failed with the errno if one is named. */
static bool has_step(const struct tried_case *c, const char *call, const char *error)
{
        size_t i = 0;
        json_t *step = NULL;
        json_array_foreach(json_object_get(c->result, "steps"), i, step)
        {
                const char *made = json_string_value(json_object_get(step, "call"));
                const char *failed = json_string_value(json_object_get(step, "errno"));
                if (made && strcmp(made, call) == 0 && (!error || (failed && strcmp(failed, error) == 0)))
                        return true;
        }
        return false;
}

/* Checks and the agent itself call shmget and shmctl without a step, so that every case uses these. */
static bool uses_what_breaks(const struct mutant *m, const struct tried_case *c)
{
        static const char *const calls[] = {"", "shmget", "shmat", "shmdt", "shmctl", "ftok"};
        const struct wrong_errno *w = &m->wrong_errno;
        bool lives = m->in_child || m->before_exec || m->after_failed_exec || m->before_exit || m->after_unshare;
        if (lives || m->told || m->shmget || m->shmctl)
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

static bool is_tried(const struct tried_mutant *t, const struct tried_case *c, size_t i, bool all)
{
        if (!c->passes)
                return false;
        if (is_meant_for(t->mutant, c->id))
                return true;
        bool chosen = all || (!is_cell(c->id) && (t->number + i) % ONE_OF == 0);
        return chosen && c->quick && uses_what_breaks(t->mutant, c);
}

bool choose_tries(struct matrix *matrix, struct tried_mutant *t, bool all)
{
        t->tried = calloc(matrix->case_count + 1, sizeof(t->tried[0]));
        t->caught = calloc(matrix->case_count + 1, sizeof(t->caught[0]));
        if (!t->tried || !t->caught)
                return false;
        for (size_t i = 0; i < matrix->case_count; i++) {
                t->tried[i] = is_tried(t, &matrix->cases[i], i, all);
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
                struct tried_case key = {.id = j->of->id};
                struct tried_case *c =
                        bsearch(&key, matrix->cases, matrix->case_count, sizeof(matrix->cases[0]), by_id);
                if (!c || !verdict_diverges(j->verdict) || (j->verdict == VERDICT_HANG && !c->far_from_hanging))
                        continue;
                t->caught[c - matrix->cases] = true;
                t->caught_count++;
                t->meant_count += is_meant_for(t->mutant, c->id);
                c->caught++;
        }
}

enum mutant_fate fate_of(const struct matrix *matrix, const struct tried_mutant *t)
{
        if (t->meant_count > 0)
                return MUTANT_CAUGHT;
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
