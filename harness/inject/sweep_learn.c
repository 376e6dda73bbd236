#include "sweep_learn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* Nanoseconds that a run may take at least, and how much longer than without a fault. */
#define LEAST_LIMIT INT64_C(2000000000)
#define LONGER 10
/* Where nothing limits it. */
#define NO_LIMIT (INT64_MAX / 4)

/* Runs without faults that follow each other or are side by side. */
struct plain {
        struct sweep *sweep;
        size_t wanted, begun;
        unsigned stages; /* runs in one namespace, one after the other */
        enum sweep_keep keep;
        int64_t limit;
        struct sweep_server *server;
        void (*take)(struct sweep *s, size_t job, struct sweep_observation *o);
};

void sweep_slot_without_fault(struct sweep *s, struct sweep_slot *slot, int64_t limit)
{
        slot->plan.count = 0;
        slot->setup = (struct sweep_flight_setup){.program = s->program,
                                                  .sites = &s->sites,
                                                  .keep = SWEEP_KEEP_NONE,
                                                  .most = SWEEP_CALLS_MAX,
                                                  .limit = limit,
                                                  .where = SWEEP_OWN_NAMESPACE};
}

static bool next_plain(struct sweep_slot *slot, void *arg)
{
        struct plain *p = arg;
        if (p->begun == p->wanted)
                return false;
        slot->job = p->begun++;
        sweep_slot_without_fault(p->sweep, slot, p->limit);
        slot->setup.keep = p->keep;
        slot->setup.server = p->server;
        slot->setup.where = p->stages > 1 ? SWEEP_OWN_NAMESPACE_KEPT : SWEEP_OWN_NAMESPACE;
        return true;
}

static bool plain_done(struct sweep_slot *slot, void *arg)
{
        struct plain *p = arg;
        if (++slot->stage < p->stages) {
                slot->setup.where = SWEEP_NAMESPACE_OF_BEFORE;
                return true;
        }
        p->take(p->sweep, slot->job, &slot->observation);
        return false;
}

/* Returns false if they could not be made, or were stopped. */
static bool run_plain(struct plain *p, size_t jobs)
{
        struct sweep *s = p->sweep;
        const struct sweep_pool pool = {
                .count = jobs, .next = next_plain, .done = plain_done, .stop = s->wishes.stop, .arg = p};
        if (!sweep_pool_run(&pool, &s->failure))
                return false;
        s->stopped = s->wishes.stop && *s->wishes.stop;
        return !s->stopped;
}

static void move(struct sweep_observation *to, struct sweep_observation *from)
{
        *to = *from;
        memset(from, 0, sizeof(*from));
}

static bool has_ended_well(const struct sweep_observation *o)
{
        return !o->timed_out && WIFEXITED(o->status) && WEXITSTATUS(o->status) == 0;
}

static bool judge_plain(const struct sweep_normal *n, const struct sweep_observation *o, char *how, size_t size)
{
        struct sweep_verdict v;
        bool judged = sweep_judge(n, o, 0, &v);
        free(v.leaked);
        if (!judged || v.outcome == SWEEP_ABSORBED)
                return true;
        const char *line = v.message[0] ? v.message : NULL;
        if (o->timed_out)
                snprintf(how, size, "it did not end in time");
        else if (!has_ended_well(o))
                snprintf(how, size, "%s %d%s%s", WIFSIGNALED(o->status) ? "signal" : "exit status",
                         WIFSIGNALED(o->status) ? WTERMSIG(o->status) : WEXITSTATUS(o->status), line ? ": " : "",
                         line ? line : "");
        else if (v.outcome == SWEEP_LEAKED)
                snprintf(how, size, "it leaves other segments");
        else
                snprintf(how, size, "it writes something else%s%s", line ? ": " : "", line ? line : "");
        return false;
}

/* ---- one after the other ---- */

static void take_first(struct sweep *s, size_t job, struct sweep_observation *o)
{
        (void)job;
        move(&s->normal.first, o);
}

static void take_second(struct sweep *s, size_t job, struct sweep_observation *o)
{
        (void)job;
        move(&s->normal.second, o);
}

static enum sweep_learnt learn_one(struct sweep *s, struct plain *p)
{
        p->sweep = s;
        p->wanted = p->stages = 1;
        p->keep = SWEEP_KEEP_ALL;
        if (run_plain(p, 1))
                return SWEEP_LEARNT;
        return s->stopped ? SWEEP_LEARNING_STOPPED : SWEEP_UNSTARTED;
}

static void set_limit(struct sweep *s)
{
        int64_t longer = s->normal.first.time > s->normal.second.time ? s->normal.first.time : s->normal.second.time;
        s->limit = s->wishes.timeout ? s->wishes.timeout : longer * LONGER;
        if (!s->wishes.timeout && s->limit < LEAST_LIMIT)
                s->limit = LEAST_LIMIT;
}

/* Alone it tells whether there is anything to sweep. */
static enum sweep_learnt learn_first(struct sweep *s)
{
        struct plain p = {.limit = s->wishes.timeout ? s->wishes.timeout : NO_LIMIT, .take = take_first};
        enum sweep_learnt learnt = learn_one(s, &p);
        if (learnt != SWEEP_LEARNT)
                return learnt;
        if (!has_ended_well(&s->normal.first))
                return SWEEP_FAILS;
        if (s->normal.first.call_count == 0)
                return SWEEP_NO_CALL;
        set_limit(s);
        return SWEEP_LEARNT;
}

static bool compare(struct sweep *s, struct sweep_normal *n)
{
        if (sweep_normal_compare(n))
                return true;
        snprintf(s->failure.why, sizeof(s->failure.why), "out of memory");
        return false;
}

static enum sweep_learnt learn_second(struct sweep *s)
{
        struct plain p = {.limit = s->wishes.timeout ? s->wishes.timeout : NO_LIMIT, .take = take_second};
        enum sweep_learnt learnt = learn_one(s, &p);
        if (learnt != SWEEP_LEARNT)
                return learnt;
        if (!has_ended_well(&s->normal.second)) {
                sweep_observation_free(&s->normal.first);
                move(&s->normal.first, &s->normal.second);
                return SWEEP_FAILS;
        }
        set_limit(s);
        return compare(s, &s->normal) ? SWEEP_LEARNT : SWEEP_UNSTARTED;
}

/* ---- forks ---- */

static bool has_normal_calls(const struct sweep *s, const struct sweep_observation *o)
{
        const struct sweep_observation *normal = &s->normal.first;
        bool same = !s->normal.steady_calls || o->kept == normal->kept;
        for (size_t i = 0; same && s->normal.steady_calls && i < o->kept; i++)
                same = o->calls[i].site == normal->calls[i].site && o->calls[i].error == normal->calls[i].error;
        return same;
}

static void judge_fork(struct sweep *s, const struct sweep_observation *o)
{
        char how[400] = "its calls are others";
        if (!judge_plain(&s->normal, o, how, sizeof(how)) || !has_normal_calls(s, o))
                snprintf(s->server.why_not, sizeof(s->server.why_not),
                         "without a fault a fork is not as it must be: %s", how);
}

static void take_fork(struct sweep *s, size_t job, struct sweep_observation *o)
{
        (void)job;
        judge_fork(s, o);
}

/* Whether the second run has shown that nothing varies. */
static bool is_steady(const struct sweep_normal *n)
{
        return has_ended_well(&n->second) && n->likeness[0] == SWEEP_LIKE_EXACTLY &&
               n->likeness[1] == SWEEP_LIKE_EXACTLY && n->steady_calls && n->first.left_count == n->second.left_count;
}

/* A fork of a command that was started anew: if it is as the first run, it is as good as one that is no fork. */
static enum sweep_learnt learn_second_by_fork(struct sweep *s)
{
        struct plain p = {.limit = s->limit, .server = &s->server, .take = take_second};
        struct sweep_observation fork = {0};
        enum sweep_learnt learnt = learn_one(s, &p);
        if (learnt != SWEEP_LEARNT)
                return learnt;
        if (!compare(s, &s->normal))
                return SWEEP_UNSTARTED;
        if (is_steady(&s->normal))
                return SWEEP_LEARNT;
        move(&fork, &s->normal.second);
        sweep_normal_forget_lines(&s->normal);
        learnt = learn_second(s);
        if (learnt == SWEEP_LEARNT)
                judge_fork(s, &fork);
        sweep_observation_free(&fork);
        return learnt;
}

/* A keeper's later runs are to be as its first one. */
static enum sweep_learnt try_keeper_again(struct sweep *s)
{
        struct plain p = {.limit = s->limit, .server = &s->server, .take = take_fork};
        return s->server.why_not[0] ? SWEEP_LEARNT : learn_one(s, &p);
}

static enum sweep_learnt learn_with_forks(struct sweep *s)
{
        if (s->program->library && !s->wishes.no_fork_server)
                sweep_server_start(&s->server, s->program, s->limit);
        if (!s->server.ready)
                return learn_second(s);
        enum sweep_learnt learnt = learn_second_by_fork(s);
        if (learnt == SWEEP_LEARNT)
                learnt = try_keeper_again(s);
        if (learnt != SWEEP_LEARNT || s->server.why_not[0])
                sweep_server_dismiss(&s->server, s->limit);
        return learnt;
}

/* ---- side by side ---- */

static void take_neighbour(struct sweep *s, size_t job, struct sweep_observation *o)
{
        (void)job;
        if (!s->side_by_side_differs)
                s->side_by_side_differs = !judge_plain(&s->normal, o, s->side_by_side, sizeof(s->side_by_side));
}

static bool learn_side_by_side(struct sweep *s)
{
        struct plain p = {.sweep = s,
                          .wanted = s->wishes.jobs,
                          .stages = 1,
                          .limit = s->limit,
                          .server = &s->server,
                          .take = take_neighbour};
        if (s->wishes.jobs == 1)
                return true;
        if (!run_plain(&p, s->wishes.jobs))
                return false;
        if (s->side_by_side_differs)
                s->wishes.jobs = 1;
        return true;
}

/* ---- twice in one namespace ---- */

static void take_again(struct sweep *s, size_t job, struct sweep_observation *o)
{
        move(job == 0 ? &s->again.first : &s->again.second, o);
}

static bool learn_again(struct sweep *s)
{
        struct plain p = {.sweep = s, .wanted = 2, .stages = 2, .limit = s->limit, .take = take_again};
        if (!s->wishes.choice.kills)
                return true;
        if (!run_plain(&p, 1))
                return false;
        s->kills_skipped = !has_ended_well(&s->again.first) || !has_ended_well(&s->again.second);
        if (s->kills_skipped)
                s->wishes.choice.kills = false;
        return true;
}

/* ---- all of it ---- */

enum sweep_learnt sweep_learn(struct sweep *s)
{
        enum sweep_learnt learnt = learn_first(s);
        if (learnt == SWEEP_LEARNT)
                learnt = learn_with_forks(s);
        if (learnt != SWEEP_LEARNT)
                return learnt;
        if (learn_side_by_side(s) && learn_again(s) && compare(s, &s->again))
                return SWEEP_LEARNT;
        return s->stopped ? SWEEP_LEARNING_STOPPED : SWEEP_UNSTARTED;
}

/* ---- afterwards ---- */

static void take_last(struct sweep *s, size_t job, struct sweep_observation *o)
{
        (void)job;
        s->changed = !judge_plain(&s->normal, o, s->changed_how, sizeof(s->changed_how));
}

bool sweep_look_for_changes(struct sweep *s)
{
        struct plain p = {.sweep = s, .wanted = 1, .stages = 1, .limit = s->limit, .take = take_last};
        return run_plain(&p, 1) || s->stopped;
}
