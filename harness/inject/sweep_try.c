#include "sweep_try.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "sweep_learn.h"

/* Calls after the fault that a second one can be at. */
#define AFTER_MAX 16

static void note_failure(struct sweep *s, const char *why)
{
        if (!s->failure.why[0])
                snprintf(s->failure.why, sizeof(s->failure.why), "%s", why);
}

bool sweep_try_add(struct sweep *s, const struct sweep_fault *faults, unsigned count)
{
        if (s->try_count == s->try_room) {
                size_t room = s->try_room ? 2 * s->try_room : 64;
                struct sweep_try *grown = reallocarray(s->tries, room, sizeof(grown[0]));
                if (!grown) {
                        note_failure(s, "out of memory");
                        return false;
                }
                s->tries = grown;
                s->try_room = room;
        }
        struct sweep_try *t = &s->tries[s->try_count++];
        *t = (struct sweep_try){.fault_count = count, .site = faults[count - 1].site, .last_site = SWEEP_NO_SITE};
        memcpy(t->faults, faults, count * sizeof(faults[0]));
        return true;
}

/* ---- the run ---- */

static bool is_kill(const struct sweep_try *t)
{
        return t->faults[0].kind == SWEEP_KILL;
}

static int64_t limit_of(const struct sweep *s, const struct sweep_try *t)
{
        /* Each process that waits for a delayed one may be delayed as well. */
        return t->faults[0].kind == SWEEP_DELAY ? s->limit + 4 * s->wishes.choice.delay : s->limit;
}

void sweep_try_begin(struct sweep *s, const struct sweep_try *t, struct sweep_slot *slot)
{
        sweep_slot_without_fault(s, slot, limit_of(s, t));
        slot->setup.where = is_kill(t) ? SWEEP_OWN_NAMESPACE_KEPT : SWEEP_OWN_NAMESPACE;
        if (s->wishes.pairs && t->fault_count == 1) {
                slot->setup.keep = SWEEP_KEEP_AFTER_FAULT;
                slot->setup.most = AFTER_MAX;
        }
        for (unsigned i = 0; i < t->fault_count; i++) {
                struct fault_mistake mistake;
                if (fault_rule_parse(&slot->plan.rules[slot->plan.count], t->faults[i].rule, false, &mistake))
                        slot->plan.count++;
                else
                        note_failure(s, mistake.why);
        }
}

/* ---- what it showed ---- */

static void keep_written(struct sweep_try *t, const struct sweep_observation *o)
{
        for (int i = 0; i < 2; i++) {
                free(t->written[i]);
                t->written[i] = o->outputs[i].kept ? strndup(o->outputs[i].text, SWEEP_EXCERPT) : NULL;
        }
}

/* Keeps those segments at the indices; all if there are none. */
static bool keep_left(struct sweep_try *t, const struct sweep_observation *o, const size_t *indices, size_t count)
{
        free(t->left);
        t->left = calloc(count + 1, sizeof(t->left[0]));
        t->left_count = t->left ? count : 0;
        for (size_t i = 0; i < t->left_count; i++)
                t->left[i] = o->left[indices ? indices[i] : i];
        return t->left != NULL;
}

/* Where the last of its faults was met, or was meant to be. */
static bool was_hit(struct sweep_try *t, const struct sweep_observation *o)
{
        bool hit = true;
        for (unsigned i = 0; i < t->fault_count; i++)
                hit = hit && o->hit[i] > 0;
        if (hit && o->fired_known[t->fault_count - 1])
                t->site = o->fired[t->fault_count - 1].site;
        return hit;
}

static void keep_end(struct sweep_try *t, const struct sweep_observation *o)
{
        t->status = o->status;
        t->timed_out = o->timed_out;
        t->time += o->time;
        t->last_site = o->last_site;
        t->orphan_count = o->orphan_count;
}

static bool keep_after(struct sweep_try *t, struct sweep_observation *o)
{
        t->after = o->calls;
        t->after_count = o->kept;
        o->calls = NULL;
        o->kept = 0;
        return true;
}

static bool judge(struct sweep *s, struct sweep_try *t, struct sweep_observation *o)
{
        struct sweep_verdict v;
        if (!sweep_judge(&s->normal, o, t->faults[t->fault_count - 1].error, &v))
                return false;
        t->outcome = v.outcome;
        t->beside = v.beside;
        memcpy(t->message, v.message, sizeof(t->message));
        bool kept = keep_left(t, o, v.leaked, v.leaked_count);
        free(v.leaked);
        if (t->outcome != SWEEP_ABSORBED)
                keep_written(t, o);
        return kept && keep_after(t, o);
}

/* ---- after a kill ---- */

/* The first call of the run that fails as none does without a fault; else where it was killed. */
static size_t site_of_refusal(const struct sweep *s, const struct sweep_try *t, const struct sweep_observation *o)
{
        for (size_t i = 0; i < o->failure_count; i++) {
                if (!sweep_observed_failure(&s->again.first, o->failures[i].site, o->failures[i].error))
                        return o->failures[i].site;
        }
        return t->site;
}

/* A message alone is welcome: the command says what it found. */
static bool has_recovered(const struct sweep_verdict *v, const struct sweep_observation *o)
{
        bool fine = v->outcome == SWEEP_ABSORBED || v->beside == SWEEP_ABSORBED || v->beside == SWEEP_REPORTED;
        return fine && !o->timed_out && WIFEXITED(o->status) && WEXITSTATUS(o->status) == 0;
}

static bool judge_next(struct sweep *s, struct sweep_try *t, struct sweep_observation *o)
{
        struct sweep_verdict v;
        if (!sweep_judge(&s->again, o, 0, &v))
                return false;
        free(v.leaked);
        t->outcome = t->beside = has_recovered(&v, o) ? SWEEP_RECOVERED : SWEEP_UNRECOVERED;
        memcpy(t->message, v.message, sizeof(t->message));
        keep_end(t, o);
        if (t->outcome == SWEEP_UNRECOVERED) {
                t->site = site_of_refusal(s, t, o);
                keep_written(t, o);
        }
        return true;
}

/* The run that was killed; returns whether it is time for the next one. */
static bool take_killed(struct sweep *s, struct sweep_try *t, struct sweep_slot *slot)
{
        struct sweep_observation *o = &slot->observation;
        if (!keep_left(t, o, NULL, o->left_count))
                note_failure(s, "out of memory");
        /* Who waits for ever for a process that was killed does so without a next run. */
        if (o->timed_out) {
                t->outcome = t->beside = SWEEP_HUNG;
                keep_written(t, o);
                t->done = true;
                return false;
        }
        sweep_slot_without_fault(s, slot, s->limit);
        slot->setup.where = SWEEP_NAMESPACE_OF_BEFORE;
        slot->stage = 1;
        return true;
}

bool sweep_try_take(struct sweep *s, struct sweep_try *t, struct sweep_slot *slot)
{
        struct sweep_observation *o = &slot->observation;
        if (slot->stage == 1) {
                if (!judge_next(s, t, o))
                        note_failure(s, "out of memory");
                t->done = true;
                return false;
        }
        bool hit = was_hit(t, o);
        keep_end(t, o);
        if (hit && is_kill(t))
                return take_killed(s, t, slot);
        if (!hit)
                t->outcome = t->beside = SWEEP_MISSED;
        else if (!judge(s, t, o))
                note_failure(s, "out of memory");
        t->done = true;
        return false;
}

void sweep_try_free(struct sweep_try *t)
{
        free(t->left);
        free(t->after);
        for (int i = 0; i < 2; i++)
                free(t->written[i]);
        *t = (struct sweep_try){.done = false};
}
