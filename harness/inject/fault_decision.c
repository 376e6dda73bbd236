#include "fault_decision.h"

#include <string.h>

#include "name_glob.h"

enum fact { FACT_UID = 1 << 0, FACT_THREAD = 1 << 1, FACT_THREAD_NAME = 1 << 2, FACT_SITE = 1 << 3 };

/* What was asked about the caller so far, during one call. */
struct knowledge {
        const struct fault_caller *caller;
        unsigned asked; /* enum fact */
        unsigned told;  /* enum fact */
        uint32_t uid;
        unsigned thread;
        char thread_name[16];
        uint32_t site;
};

/* Asks if it was not asked yet; false if there is no telling. */
static bool ask(struct knowledge *k, enum fact fact)
{
        const struct fault_caller *c = k->caller;
        bool told = false;
        if (k->asked & (unsigned)fact)
                return k->told & (unsigned)fact;
        switch (fact) {
        case FACT_UID:
                told = c->uid;
                k->uid = told ? c->uid(c->arg) : 0;
                break;
        case FACT_THREAD:
                told = c->thread;
                k->thread = told ? c->thread(c->arg) : 0;
                break;
        case FACT_THREAD_NAME:
                told = c->thread_name && c->thread_name(c->arg, k->thread_name);
                break;
        case FACT_SITE:
                k->site = c->site ? c->site(c->arg) : SESSION_NO_SITE;
                told = k->site < SESSION_SITES;
                break;
        }
        k->asked |= (unsigned)fact;
        k->told |= told ? (unsigned)fact : 0;
        return told;
}

/* Tests that cost nothing: what the call itself tells. */
static bool is_about(const struct fault_rule *rule, const struct fault_subject *subject)
{
        if (!(__atomic_load_n(&rule->calls, __ATOMIC_RELAXED) & 1U << subject->call))
                return false;
        if (subject->call == SHM_CALL_SHMCTL) {
                if (rule->command != FAULT_ANY_COMMAND && rule->command != subject->command)
                        return false;
                if (rule->spared & FAULT_COMMAND_BIT(subject->command))
                        return false;
        }
        if (!(rule->selection & (FAULT_BY_KEY | FAULT_BY_SIZE)))
                return true;
        if (subject->call != SHM_CALL_SHMGET)
                return false;
        if (rule->selection & FAULT_BY_KEY && rule->key != subject->key)
                return false;
        return !(rule->selection & FAULT_BY_SIZE) ||
               (rule->size_low <= subject->size && subject->size <= rule->size_high);
}

static bool is_glob_of_site(const char *glob, const struct shm_site *site)
{
        const char *slash = strrchr(site->module, '/');
        return name_glob_matches(glob, site->function) || name_glob_matches(glob, site->module) ||
               (slash && name_glob_matches(glob, slash + 1));
}

/* A site's names never change, so the answer is kept with it, for all threads and processes. */
static bool site_matches(struct shm_site *site, const struct fault_rule *rule, unsigned index)
{
        uint64_t bit = UINT64_C(1) << index;
        if (atomic_load_explicit(&site->asked, memory_order_acquire) & bit)
                return atomic_load_explicit(&site->matched, memory_order_relaxed) & bit;
        bool matches = is_glob_of_site(rule->caller, site);
        if (matches)
                atomic_fetch_or_explicit(&site->matched, bit, memory_order_relaxed);
        atomic_fetch_or_explicit(&site->asked, bit, memory_order_release);
        return matches;
}

static bool thread_matches(const struct fault_rule *rule, struct knowledge *k)
{
        if (rule->thread)
                return ask(k, FACT_THREAD) && k->thread == rule->thread;
        return ask(k, FACT_THREAD_NAME) && name_glob_matches(rule->thread_name, k->thread_name);
}

/* Tests that ask about the caller, those that cost least first. */
static bool selects(struct session *s, unsigned index, struct knowledge *k)
{
        const struct fault_rule *rule = &s->plan.rules[index];
        if (rule->selection & FAULT_BY_THREAD && !thread_matches(rule, k))
                return false;
        if (rule->selection & FAULT_BY_UID && !(ask(k, FACT_UID) && k->uid == rule->uid))
                return false;
        return !(rule->selection & FAULT_BY_CALLER) ||
               (ask(k, FACT_SITE) && site_matches(&s->sites[k->site], rule, index));
}

/* Bits that are as good as random, and always the same for the same rule and call (splitmix64). */
static uint32_t dice(uint64_t seed, uint64_t ordinal)
{
        uint64_t z = seed + ordinal * UINT64_C(0x9e3779b97f4a7c15);
        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        return (uint32_t)((z ^ (z >> 31)) >> 32);
}

static bool is_due(const struct fault_rule *rule, uint64_t ordinal)
{
        if (ordinal < rule->first || ordinal > rule->last)
                return false;
        if (rule->step > 1 && (ordinal - rule->first) % rule->step != 0)
                return false;
        return !(rule->selection & FAULT_BY_CHANCE) || dice(rule->seed, ordinal) < rule->chance;
}

int fault_decide(struct session *s, const struct fault_subject *subject, const struct fault_caller *caller)
{
        if (!(__atomic_load_n(&s->plan_calls, __ATOMIC_RELAXED) & 1U << subject->call))
                return -1;
        int fires = -1;
        struct knowledge k;
        k.caller = caller;
        k.asked = k.told = 0;
        unsigned count = __atomic_load_n(&s->plan.count, __ATOMIC_ACQUIRE);
        for (unsigned i = 0; i < count; i++) {
                const struct fault_rule *rule = &s->plan.rules[i];
                if (!is_about(rule, subject) || !selects(s, i, &k))
                        continue;
                uint64_t ordinal = atomic_fetch_add_explicit(&s->states[i].matched, 1, memory_order_relaxed) + 1;
                if (fires < 0 && is_due(rule, ordinal))
                        fires = (int)i;
        }
        if (fires >= 0)
                atomic_fetch_add_explicit(&s->states[fires].hit, 1, memory_order_relaxed);
        return fires;
}

void fault_forget(struct session *s, unsigned index)
{
        uint64_t others = ~(UINT64_C(1) << index);
        for (size_t i = 0; i < SESSION_SITES; i++) {
                atomic_fetch_and_explicit(&s->sites[i].asked, others, memory_order_relaxed);
                atomic_fetch_and_explicit(&s->sites[i].matched, others, memory_order_relaxed);
        }
        atomic_store(&s->states[index].matched, 0);
        atomic_store(&s->states[index].hit, 0);
}

int fault_plan_uses(const struct fault_plan *plan, unsigned actions, unsigned selection)
{
        for (unsigned i = 0; i < plan->count; i++) {
                if (plan->rules[i].actions & actions || plan->rules[i].selection & selection)
                        return (int)i;
        }
        return -1;
}
