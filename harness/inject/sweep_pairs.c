#include "sweep_pairs.h"

#include <stdlib.h>

#include "sweep_try.h"

struct pair {
        size_t first;  /* index of the try with the first fault */
        bool recovery; /* the second fault is at a call that is not made without the first */
        struct sweep_fault second;
};

struct pairs {
        struct pair *items;
        size_t count, room;
};

static bool add_pair(struct pairs *pairs, const struct pair *pair)
{
        if (pairs->count == pairs->room) {
                size_t room = pairs->room ? 2 * pairs->room : 64;
                struct pair *grown = reallocarray(pairs->items, room, sizeof(grown[0]));
                if (!grown)
                        return false;
                pairs->items = grown;
                pairs->room = room;
        }
        pairs->items[pairs->count++] = *pair;
        return true;
}

/* Calls that the first fault makes fail as well cannot meet a second one. */
static bool is_hit_by_first(const struct sweep_try *t, const struct sweep_call *call)
{
        const struct sweep_fault *f = &t->faults[0];
        return f->from_then_on && f->call == call->call && f->command == call->command;
}

/* Whether the program is still to be tried: it went on, and nothing is wrong with it yet. */
static bool is_survived(const struct sweep_try *t)
{
        return t->done && t->fault_count == 1 && t->faults[0].kind == SWEEP_ERROR &&
               (t->outcome == SWEEP_ABSORBED || t->outcome == SWEEP_REPORTED) && t->after_count > 0;
}

static bool is_made_without_fault(const struct sweep *s, const struct sweep_call *call)
{
        const struct sweep_observation *o = &s->normal.first;
        for (size_t i = 0; i < o->kept; i++) {
                if (o->calls[i].site == call->site)
                        return true;
        }
        return false;
}

/* One error stands for all that the call can have: the first that was tried alone shows how each is met. */
static bool add_second(struct sweep *s, struct pairs *pairs, size_t first, const struct sweep_call *call)
{
        struct sweep_fault_list list = {NULL, 0, 0};
        const struct sweep_choice errors = {.profile = s->wishes.choice.profile};
        bool added = sweep_faults_add(&list, &errors, call);
        if (added && list.count > 0)
                added = add_pair(pairs, &(struct pair){.first = first,
                                                       .recovery = !is_made_without_fault(s, call),
                                                       .second = list.items[0]});
        free(list.items);
        return added;
}

static bool find_pairs(struct sweep *s, struct pairs *pairs)
{
        bool whole = true;
        for (size_t i = 0; whole && i < s->try_count; i++) {
                const struct sweep_try *t = &s->tries[i];
                for (size_t k = 0; whole && is_survived(t) && k < t->after_count; k++)
                        whole = is_hit_by_first(t, &t->after[k]) || add_second(s, pairs, i, &t->after[k]);
        }
        return whole;
}

static bool add_chosen(struct sweep *s, const struct pairs *pairs, bool recovery)
{
        for (size_t i = 0; i < pairs->count && s->pairs_tried < s->wishes.pairs; i++) {
                const struct pair *pair = &pairs->items[i];
                if (pair->recovery != recovery)
                        continue;
                const struct sweep_fault faults[] = {s->tries[pair->first].faults[0], pair->second};
                if (!sweep_try_add(s, faults, 2))
                        return false;
                s->pairs_tried++;
        }
        return true;
}

bool sweep_pairs_add(struct sweep *s)
{
        struct pairs pairs = {NULL, 0, 0};
        bool added = find_pairs(s, &pairs);
        s->pairs_possible = pairs.count;
        added = added && add_chosen(s, &pairs, true) && add_chosen(s, &pairs, false);
        free(pairs.items);
        return added;
}
