#include "sweep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep_findings.h"
#include "sweep_learn.h"
#include "sweep_log.h"
#include "sweep_pairs.h"
#include "sweep_try.h"

struct sweep *sweep_new(const struct sweep_program *program, const struct sweep_wishes *wishes)
{
        struct sweep *s = calloc(1, sizeof(*s));
        if (!s || !sweep_sites_open(&s->sites)) {
                free(s);
                return NULL;
        }
        s->program = program;
        s->wishes = *wishes;
        s->begun = sweep_now();
        return s;
}

void sweep_free(struct sweep *s)
{
        if (!s)
                return;
        for (size_t i = 0; i < s->try_count; i++)
                sweep_try_free(&s->tries[i]);
        free(s->tries);
        sweep_server_end(&s->server);
        sweep_findings_free(s);
        sweep_normal_free(&s->normal);
        sweep_normal_free(&s->again);
        sweep_sites_close(&s->sites);
        free(s);
}

size_t sweep_count(const struct sweep *s, enum sweep_outcome outcome)
{
        size_t count = 0;
        for (size_t i = 0; i < s->try_count; i++)
                count += s->tries[i].done && s->tries[i].outcome == outcome;
        return count;
}

/* ---- what is to be tried ---- */

/* How many calls of this site there were before this one. */
static size_t earlier_at_site(const struct sweep_observation *o, size_t call)
{
        size_t count = 0;
        for (size_t i = 0; i < call; i++)
                count += o->calls[i].site == o->calls[call].site;
        return count;
}

static bool add_singles(struct sweep *s)
{
        struct sweep_fault_list list = {NULL, 0, 0};
        const struct sweep_observation *o = &s->normal.first;
        bool added = true;
        for (size_t i = 0; added && i < o->kept; i++) {
                if (s->wishes.per_site && earlier_at_site(o, i) >= s->wishes.per_site)
                        s->left_out++;
                else
                        added = sweep_faults_add(&list, &s->wishes.choice, &o->calls[i]);
        }
        for (size_t i = 0; added && i < list.count; i++)
                added = sweep_try_add(s, &list.items[i], 1);
        free(list.items);
        if (!added)
                snprintf(s->failure.why, sizeof(s->failure.why), "out of memory");
        return added;
}

/* ---- what a try asks for ---- */

static uint64_t calls_of_kind(const struct sweep_observation *o, const struct sweep_fault *f)
{
        uint64_t count = 0;
        for (size_t i = 0; i < o->kept; i++)
                count += o->calls[i].call == f->call && o->calls[i].command == f->command;
        return count;
}

static bool is_first_at_site(const struct sweep_observation *o, const struct sweep_fault *f)
{
        for (size_t i = 0; i < o->kept; i++) {
                if (o->calls[i].site == f->site)
                        return o->calls[i].call == f->call && o->calls[i].ordinal == f->ordinal;
        }
        return false;
}

/*
 * Whether it makes a difference that the error lasts: there were such calls
 * after it, and they are those of a retry, or nobody has tried it at this site.
 */
static bool is_worth_lasting(const struct sweep *s, const struct sweep_try *t, const struct sweep_observation *o)
{
        const struct sweep_fault *f = &t->faults[0];
        if (t->fault_count != 1 || f->kind != SWEEP_ERROR || f->from_then_on || o->hit[0] == 0 ||
            o->matched[0] <= f->ordinal)
                return false;
        /* No system is one where each key that is drawn is taken. */
        if (f->error == EEXIST && o->other_key)
                return false;
        /* Nor one where each identifier is gone that was just found. */
        if ((f->error == EINVAL || f->error == EIDRM) && f->call != SHM_CALL_SHMDT && o->looked_again)
                return false;
        return o->matched[0] > calls_of_kind(&s->normal.first, f) || is_first_at_site(&s->normal.first, f);
}

/* ---- the runs ---- */

static bool next_try(struct sweep_slot *slot, void *arg)
{
        struct sweep *s = arg;
        while (s->next < s->try_count && s->tries[s->next].done)
                s->next++;
        if (s->next == s->try_count || s->failure.why[0])
                return false;
        slot->job = s->next++;
        sweep_try_begin(s, &s->tries[slot->job], slot);
        slot->setup.server = &s->server;
        return true;
}

static void keep(struct sweep *s, const struct sweep_try *t, bool lasts)
{
        struct sweep_log *log = s->wishes.log;
        if (log && !sweep_log_write(log, s, t, lasts))
                snprintf(s->failure.why, sizeof(s->failure.why), "the log could not be written: %s", strerror(errno));
}

static bool try_done(struct sweep_slot *slot, void *arg)
{
        struct sweep *s = arg;
        struct sweep_try *t = &s->tries[slot->job];
        bool lasts = slot->stage == 0 && is_worth_lasting(s, t, &slot->observation);
        if (sweep_try_take(s, t, slot))
                return true;
        s->done++;
        keep(s, t, lasts);
        if (lasts) {
                struct sweep_fault lasting = sweep_fault_from_then_on(&t->faults[0]);
                sweep_try_add(s, &lasting, 1);
        }
        return false;
}

static void pause_tries(void *arg)
{
        struct sweep *s = arg;
        if (s->wishes.progress)
                s->wishes.progress(s);
}

static bool run_tries(struct sweep *s)
{
        const struct sweep_pool pool = {.count = s->wishes.jobs,
                                        .next = next_try,
                                        .done = try_done,
                                        .pause = pause_tries,
                                        .stop = s->wishes.stop,
                                        .arg = s};
        bool whole = sweep_pool_run(&pool, &s->failure) && !s->failure.why[0];
        s->stopped = s->wishes.stop && *s->wishes.stop;
        return whole;
}

static bool take_up_log(struct sweep *s)
{
        return !s->wishes.log || sweep_log_apply(s->wishes.log, s);
}

static bool run_all(struct sweep *s)
{
        if (!add_singles(s) || !take_up_log(s) || !run_tries(s))
                return false;
        if (s->stopped || !s->wishes.pairs)
                return true;
        return sweep_pairs_add(s) && take_up_log(s) && run_tries(s);
}

bool sweep_run(struct sweep *s)
{
        bool whole = run_all(s);
        sweep_server_end(&s->server);
        return whole;
}
