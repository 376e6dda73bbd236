/* What is said at the end of a run that was not as it was asked for. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "supervised_run.h"

#define ORPHANS_NAMED 8

static void tell_orphans(const struct command *c, const char *name, bool ended)
{
        char list[ORPHANS_NAMED * 64] = "";
        size_t count = 0;
        for (size_t i = 0; i < c->orphan_count; i++) {
                const struct command_orphan *o = &c->orphans[i];
                if (o->ended != ended)
                        continue;
                if (count++ < ORPHANS_NAMED)
                        snprintf(list + strlen(list), sizeof(list) - strlen(list), "%spid %d (%s)",
                                 count > 1 ? ", " : "", o->pid, o->name);
        }
        if (count > 0)
                complain("%s left %zu process%s running, %s %s: %s%s", name, count, count == 1 ? "" : "es",
                         ended ? "now" : "which could not be", ended ? "killed" : "ended", list,
                         count > ORPHANS_NAMED ? ", ..." : "");
}

static bool tell_missed_rules(const struct supervised_run *r)
{
        bool missed = false;
        for (unsigned i = 0; i < r->plan.count; i++) {
                const struct rule_state *state = &r->session->states[i];
                unsigned long long matched = atomic_load(&state->matched);
                if (atomic_load(&state->hit) > 0)
                        continue;
                complain("'%s' never fired: it matched %llu call%s", r->plan.rules[i].text, matched,
                         matched == 1 ? "" : "s");
                missed = true;
        }
        return missed;
}

static bool tell_missed_denials(const struct supervised_run *r)
{
        unsigned seen = 0;
        for (unsigned call = 0; call < SHM_CALLS; call++) {
                if (r->deny.errors[call])
                        seen += atomic_load(&r->session->seen[call]);
        }
        if (!r->denies || seen > 0)
                return false;
        if (!r->preloads) {
                complain("--deny: whether %s made a call that is denied was not seen; %s", r->words[0],
                         r->kernel ? "--via preload sees it" : "no library can be preloaded into it");
                return false;
        }
        complain("--deny: no call that is denied was seen");
        return true;
}

/* Without events the kernel's side holds only the calls of the rules, and never those that a plain filter denies. */
static bool sees_all_calls(const struct supervised_run *r)
{
        return r->preloads || (r->notified && r->follows && !r->denies);
}

static bool tell_unseen(const struct supervised_run *r)
{
        unsigned seen = 0;
        unsigned unreachable = atomic_load(&r->session->unreachable);
        for (unsigned call = 0; call < SHM_CALLS; call++)
                seen += atomic_load(&r->session->seen[call]);
        if (unreachable > 0)
                complain("%u program%s started by %s could not be reached, as %.255s; --via kernel reaches %s",
                         unreachable, unreachable == 1 ? "" : "s", r->words[0], r->session->unreachable_path,
                         unreachable == 1 ? "it" : "them");
        if (seen > 0 || !sees_all_calls(r))
                return false;
        if (r->kernel)
                complain("%s made no System V shared memory call", r->words[0]);
        else
                complain("no System V shared memory call of %s was seen; --via kernel also sees raw system calls and "
                         "static programs",
                         r->words[0]);
        return true;
}

void outcome_tell_orphans(const struct supervised_run *r)
{
        tell_orphans(&r->command, r->words[0], true);
        tell_orphans(&r->command, r->words[0], false);
}

bool outcome_tell_misses(const struct supervised_run *r)
{
        bool missed = tell_missed_rules(r);
        missed = tell_missed_denials(r) || missed;
        bool unseen = tell_unseen(r);
        return (missed && !supervision_options.may_miss) || unseen;
}
