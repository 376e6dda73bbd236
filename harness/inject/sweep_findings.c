#include "sweep_findings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep_learn.h"
#include "sweep_try.h"

#define KEY 1024

/* ---- groups ---- */

static void write_key(const struct sweep *s, const struct sweep_try *t, char *key, size_t size)
{
        char site[KEY - 64] = "?";
        if (t->site != SWEEP_NO_SITE)
                sweep_site_name(&s->sites.items[t->site], site, sizeof(site));
        snprintf(key, size, "%s:%s", sweep_outcome_names[t->outcome], site);
}

static struct sweep_finding *find(const struct sweep *s, const char *key)
{
        for (size_t i = 0; i < s->finding_count; i++) {
                if (strcmp(s->findings[i].key, key) == 0)
                        return &s->findings[i];
        }
        return NULL;
}

static struct sweep_finding *add_finding(struct sweep *s, const struct sweep_try *t, const char *key)
{
        struct sweep_finding *grown = reallocarray(s->findings, s->finding_count + 1, sizeof(grown[0]));
        if (!grown)
                return NULL;
        s->findings = grown;
        struct sweep_finding *f = &grown[s->finding_count];
        *f = (struct sweep_finding){.outcome = t->outcome, .site = t->site, .key = strdup(key)};
        if (!f->key)
                return NULL;
        s->finding_count++;
        return f;
}

static bool add_try(struct sweep *s, size_t index)
{
        const struct sweep_try *t = &s->tries[index];
        char key[KEY];
        write_key(s, t, key, sizeof(key));
        struct sweep_finding *f = find(s, key);
        if (!f)
                f = add_finding(s, t, key);
        size_t *grown = f ? reallocarray(f->tries, f->try_count + 1, sizeof(grown[0])) : NULL;
        if (!grown)
                return false;
        f->tries = grown;
        f->tries[f->try_count++] = index;
        return true;
}

/* What is told best stands first: one fault before two, once before from then on, an early call before a late one. */
static int order_of_tries(const void *a, const void *b, void *arg)
{
        const struct sweep *s = arg;
        const struct sweep_try *left = &s->tries[*(const size_t *)a];
        const struct sweep_try *right = &s->tries[*(const size_t *)b];
        if (left->fault_count != right->fault_count)
                return left->fault_count < right->fault_count ? -1 : 1;
        if (left->faults[0].kind != right->faults[0].kind)
                return left->faults[0].kind < right->faults[0].kind ? -1 : 1;
        if (left->faults[0].from_then_on != right->faults[0].from_then_on)
                return left->faults[0].from_then_on ? 1 : -1;
        if (left->faults[0].ordinal != right->faults[0].ordinal)
                return left->faults[0].ordinal < right->faults[0].ordinal ? -1 : 1;
        /* Those that last were added in the order in which runs ended. */
        if (left->faults[0].from_then_on && left->faults[0].error != right->faults[0].error)
                return left->faults[0].error < right->faults[0].error ? -1 : 1;
        return left < right ? -1 : 1;
}

static int order_of_findings(const void *a, const void *b)
{
        const struct sweep_finding *left = a;
        const struct sweep_finding *right = b;
        if (left->outcome != right->outcome)
                return left->outcome < right->outcome ? -1 : 1;
        if (left->site != right->site)
                return left->site < right->site ? -1 : 1;
        return strcmp(left->key, right->key);
}

static bool group(struct sweep *s)
{
        bool grouped = true;
        sweep_sites_number(&s->sites);
        for (size_t i = 0; grouped && i < s->try_count; i++) {
                if (s->tries[i].done && s->tries[i].outcome >= SWEEP_FIRST_FINDING)
                        grouped = add_try(s, i);
        }
        for (size_t i = 0; grouped && i < s->finding_count; i++)
                qsort_r(s->findings[i].tries, s->findings[i].try_count, sizeof(size_t), order_of_tries, s);
        if (grouped && s->finding_count)
                qsort(s->findings, s->finding_count, sizeof(s->findings[0]), order_of_findings);
        if (!grouped)
                snprintf(s->failure.why, sizeof(s->failure.why), "out of memory");
        return grouped;
}

/* ---- another look ---- */

/* A run that is made once more, alone, to see whether it comes to the same. */
struct look {
        struct sweep *sweep;
        struct sweep_try again;
        bool begun;
        bool stack; /* is wanted */
        char *stack_seen;
};

static bool next_look(struct sweep_slot *slot, void *arg)
{
        struct look *look = arg;
        if (look->begun)
                return false;
        look->begun = true;
        sweep_try_begin(look->sweep, &look->again, slot);
        slot->setup.stack = look->stack;
        return true;
}

static bool look_done(struct sweep_slot *slot, void *arg)
{
        struct look *look = arg;
        look->stack_seen = slot->observation.stack;
        slot->observation.stack = NULL;
        return sweep_try_take(look->sweep, &look->again, slot);
}

/* Whether the faults come to the finding again; *whole becomes false if that could not be tried. */
static bool is_seen_again(struct sweep *s, struct sweep_finding *f, const struct sweep_fault *faults, unsigned count,
                          bool *whole)
{
        struct look look = {.sweep = s,
                            .again = {.fault_count = count, .site = faults[count - 1].site},
                            .stack = f->outcome == SWEEP_CRASHED && !f->stack};
        const struct sweep_pool pool = {
                .count = 1, .next = next_look, .done = look_done, .stop = s->wishes.stop, .arg = &look};
        char key[KEY] = "";
        memcpy(look.again.faults, faults, count * sizeof(faults[0]));
        *whole = sweep_pool_run(&pool, &s->failure) && !s->failure.why[0];
        if (*whole && look.again.done)
                write_key(s, &look.again, key, sizeof(key));
        sweep_try_free(&look.again);
        if (look.stack)
                f->stack = look.stack_seen;
        return strcmp(key, f->key) == 0;
}

static void show(struct sweep_finding *f, const struct sweep_fault *faults, unsigned count)
{
        memcpy(f->shown, faults, count * sizeof(faults[0]));
        f->shown_count = count;
}

/* Whether it is seen again without when=, which is then what is shown. */
static bool is_seen_shortened(struct sweep *s, struct sweep_finding *f, bool *whole)
{
        struct sweep_fault shorter = f->shown[0];
        if (f->shown_count != 1 || !sweep_fault_shorten(&shorter) || !is_seen_again(s, f, &shorter, 1, whole))
                return false;
        show(f, &shorter, 1);
        return true;
}

static bool look_again(struct sweep *s, struct sweep_finding *f)
{
        bool whole = true;
        const struct sweep_try *first = &s->tries[f->tries[0]];
        show(f, first->faults, first->fault_count);
        f->confirmed = is_seen_shortened(s, f, &whole);
        for (size_t look = 0; whole && !f->confirmed && !s->stopped && look < SWEEP_LOOKS; look++) {
                const struct sweep_try *t = &s->tries[f->tries[look % f->try_count]];
                f->confirmed = is_seen_again(s, f, t->faults, t->fault_count, &whole);
                if (f->confirmed)
                        show(f, t->faults, t->fault_count);
                s->stopped = s->wishes.stop && *s->wishes.stop;
        }
        return whole;
}

bool sweep_conclude(struct sweep *s)
{
        bool whole = group(s);
        for (size_t i = 0; whole && !s->stopped && i < s->finding_count; i++) {
                whole = look_again(s, &s->findings[i]);
                s->confirming = i + 1;
                if (s->wishes.progress)
                        s->wishes.progress(s);
        }
        if (whole && !s->stopped)
                whole = sweep_look_for_changes(s);
        s->time = sweep_now() - s->begun;
        return whole;
}

void sweep_findings_free(struct sweep *s)
{
        for (size_t i = 0; i < s->finding_count; i++) {
                free(s->findings[i].key);
                free(s->findings[i].tries);
                free(s->findings[i].stack);
        }
        free(s->findings);
        s->findings = NULL;
        s->finding_count = 0;
}
