/* Which rule fires on which call: in one thread, and counted over many threads and processes. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault_decision.h"
#include "shm_commands.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* A session that other processes of this test can share; never written pages of its ring cost nothing. */
static struct session *make_session(const char *const *texts)
{
        struct session *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        cr_assert_neq(s, MAP_FAILED);
        for (; *texts; texts++) {
                struct fault_rule *rule = &s->plan.rules[s->plan.count++];
                struct fault_mistake mistake;
                cr_assert(fault_rule_parse(rule, *texts, false, &mistake), "'%s': %s", *texts, mistake.why);
                s->plan_calls |= rule->calls;
        }
        return s;
}

#define SESSION(...) make_session((const char *const[]){__VA_ARGS__, NULL})

/* A caller that counts how often it is asked what. */
struct fake_caller {
        uint32_t uid;
        unsigned thread;
        const char *thread_name; /* NULL: not to be had */
        uint32_t site;
        unsigned uid_asked, thread_asked, name_asked, site_asked;
};

static uint32_t tell_uid(void *arg)
{
        struct fake_caller *c = arg;
        c->uid_asked++;
        return c->uid;
}

static unsigned tell_thread(void *arg)
{
        struct fake_caller *c = arg;
        c->thread_asked++;
        return c->thread;
}

static bool tell_thread_name(void *arg, char name[16])
{
        struct fake_caller *c = arg;
        c->name_asked++;
        if (!c->thread_name)
                return false;
        snprintf(name, 16, "%s", c->thread_name);
        return true;
}

static uint32_t tell_site(void *arg)
{
        struct fake_caller *c = arg;
        c->site_asked++;
        return c->site;
}

static int decide_on(struct session *s, struct fault_subject subject, struct fake_caller *c)
{
        const struct fault_caller caller = {
                .uid = tell_uid, .thread = tell_thread, .thread_name = tell_thread_name, .site = tell_site, .arg = c};
        return fault_decide(s, &subject, &caller);
}

static int decide(struct session *s, enum shm_call call)
{
        struct fake_caller c = {0};
        return decide_on(s, (struct fault_subject){.call = call}, &c);
}

static uint64_t matched(struct session *s, unsigned rule)
{
        return atomic_load(&s->states[rule].matched);
}

static uint64_t hit(struct session *s, unsigned rule)
{
        return atomic_load(&s->states[rule].hit);
}

Test(fault_decision, a_call_that_no_rule_is_about_is_left_alone)
{
        struct session *s = SESSION("shmget:error=EINVAL", "shmctl/IPC_STAT:error=EINVAL");
        cr_expect_eq(decide(s, SHM_CALL_SHMAT), -1);
        cr_expect_eq(decide(s, SHM_CALL_SHMDT), -1);
        cr_expect_eq(decide(s, SHM_CALL_FTOK), -1);
        cr_expect_eq(decide(s, SHM_CALL_SHMCTL), -1); /* IPC_RMID */
        cr_expect_eq(matched(s, 0) + matched(s, 1), 0);
        cr_expect_eq(decide(s, SHM_CALL_SHMGET), 0);
        cr_expect_eq(hit(s, 0), 1);
}

Test(fault_decision, a_plan_without_rules_hits_nothing)
{
        struct session *s = make_session((const char *const[]){NULL});
        for (unsigned call = 0; call < SHM_CALLS; call++)
                cr_expect_eq(decide(s, (enum shm_call)call), -1);
}

Test(fault_decision, a_rule_that_was_switched_off_hits_nothing)
{
        struct session *s = SESSION("shmget:error=EINVAL");
        s->plan.rules[0].calls = 0;
        cr_expect_eq(decide(s, SHM_CALL_SHMGET), -1);
        cr_expect_eq(matched(s, 0), 0);
}

Test(fault_decision, commands_of_shmctl)
{
        struct session *s = SESSION("shmctl:error=EACCES", "shmctl/IPC_RMID:error=EPERM", "shmctl:retval=0");
        struct fake_caller c = {0};
        static const struct {
                int command, rule;
        } rows[] = {{IPC_STAT, 0}, {SHM_STAT, 0}, {IPC_RMID, 1}, {IPC_SET, 2}, {SHM_INFO, 2}, {1000, 2}, {-7, 2}};
        for (size_t i = 0; i < COUNT(rows); i++) {
                struct fault_subject subject = {.call = SHM_CALL_SHMCTL, .command = rows[i].command};
                cr_expect_eq(decide_on(s, subject, &c), rows[i].rule, "%d", rows[i].command);
        }
        cr_expect_eq(matched(s, 0), 2);
        cr_expect_eq(matched(s, 1), 1);
        cr_expect_eq(matched(s, 2), 7);
}

Test(fault_decision, a_falsified_answer_is_one_that_there_is)
{
        struct session *s = SESSION("shm:corrupt=nattch:0");
        struct fake_caller c = {0};
        cr_expect_eq(decide(s, SHM_CALL_SHMGET), -1);
        cr_expect_eq(decide_on(s, (struct fault_subject){.call = SHM_CALL_SHMCTL, .command = IPC_RMID}, &c), -1);
        cr_expect_eq(decide_on(s, (struct fault_subject){.call = SHM_CALL_SHMCTL, .command = SHM_STAT_ANY}, &c), 0);
        cr_expect_eq(matched(s, 0), 1);
}

Test(fault_decision, keys_and_sizes)
{
        static const struct {
                const char *rule;
                uint64_t size;
                uint32_t key;
                bool fires;
        } rows[] = {
                {"shmget:error=EINVAL:key=5", 1, 5, true},
                {"shmget:error=EINVAL:key=5", 1, 6, false},
                {"shmget:error=EINVAL:key=-1", 1, UINT32_MAX, true},
                {"shmget:error=EINVAL:key=IPC_PRIVATE", 1, 0, true},
                {"shmget:error=EINVAL:key=IPC_PRIVATE", 1, 1, false},
                {"shmget:error=EINVAL:size=4k", 4096, 0, true},
                {"shmget:error=EINVAL:size=4k", 4097, 0, false},
                {"shmget:error=EINVAL:size=<4k", 4095, 0, true},
                {"shmget:error=EINVAL:size=<4k", 4096, 0, false},
                {"shmget:error=EINVAL:size=>4k", 4096, 0, false},
                {"shmget:error=EINVAL:size=>4k", 4097, 0, true},
                {"shmget:error=EINVAL:size=>=4k", UINT64_MAX, 0, true},
                {"shmget:error=EINVAL:size=<=4k:key=7", 4096, 7, true},
                {"shmget:error=EINVAL:size=<=4k:key=7", 4097, 7, false},
                {"shmget:error=EINVAL:size=<=4k:key=7", 4096, 8, false},
        };
        for (size_t i = 0; i < COUNT(rows); i++) {
                struct session *s = SESSION(rows[i].rule);
                struct fault_subject subject = {.call = SHM_CALL_SHMGET, .key = rows[i].key, .size = rows[i].size};
                struct fake_caller c = {0};
                cr_expect_eq(decide_on(s, subject, &c), rows[i].fires ? 0 : -1, "row %zu", i);
                cr_expect_eq(matched(s, 0), rows[i].fires, "row %zu", i);
        }
}

/* A rule can also be filled in by hand, and then be about calls that have no key. */
Test(fault_decision, a_key_is_never_that_of_another_call)
{
        struct session *s = SESSION("shm:signal=HUP");
        s->plan.rules[0].selection = FAULT_BY_KEY;
        cr_expect_eq(decide(s, SHM_CALL_SHMAT), -1);
        cr_expect_eq(decide(s, SHM_CALL_FTOK), -1);
        cr_expect_eq(decide(s, SHM_CALL_SHMGET), 0);
}

Test(fault_decision, users_and_threads)
{
        static const struct {
                const char *rule;
                uint32_t uid;
                unsigned thread;
                const char *name;
                bool fires;
        } rows[] = {
                {"shmat:error=EINVAL:uid=1000", 1000, 1, "", true},
                {"shmat:error=EINVAL:uid=1000", 0, 1, "", false},
                {"shmat:error=EINVAL:uid=0", 0, 1, "", true},
                {"shmat:error=EINVAL:thread=2", 0, 2, "", true},
                {"shmat:error=EINVAL:thread=2", 0, 1, "", false},
                {"shmat:error=EINVAL:thread=work*", 0, 2, "worker", true},
                {"shmat:error=EINVAL:thread=work*", 0, 2, "main", false},
                {"shmat:error=EINVAL:thread=*", 0, 2, NULL, false},
                {"shmat:error=EINVAL:thread=main:uid=5", 5, 1, "main", true},
                {"shmat:error=EINVAL:thread=main:uid=5", 6, 1, "main", false},
        };
        for (size_t i = 0; i < COUNT(rows); i++) {
                struct session *s = SESSION(rows[i].rule);
                struct fake_caller c = {.uid = rows[i].uid, .thread = rows[i].thread, .thread_name = rows[i].name};
                struct fault_subject subject = {.call = SHM_CALL_SHMAT};
                cr_expect_eq(decide_on(s, subject, &c), rows[i].fires ? 0 : -1, "row %zu", i);
                cr_expect_eq(matched(s, 0), rows[i].fires, "row %zu", i);
        }
}

Test(fault_decision, callers)
{
        static const struct {
                const char *glob;
                bool matches;
        } rows[] = {
                {"make_pool", true},  {"make_*", true},         {"libpool.so.1", true}, {"/opt/lib/libpool.so.1", true},
                {"*", true},          {"*/libpool.so.*", true}, {"libpool", false},     {"opt/lib/libpool.so.1", false},
                {"MAKE_POOL", false}, {"/opt/lib", false},
        };
        for (size_t i = 0; i < COUNT(rows); i++) {
                char text[128];
                snprintf(text, sizeof(text), "shmat:error=EINVAL:caller=%s", rows[i].glob);
                struct session *s = SESSION(text);
                snprintf(s->sites[3].module, sizeof(s->sites[3].module), "/opt/lib/libpool.so.1");
                snprintf(s->sites[3].function, sizeof(s->sites[3].function), "make_pool");
                struct fake_caller c = {.site = 3};
                for (unsigned n = 1; n <= 3; n++) {
                        cr_expect_eq(decide_on(s, (struct fault_subject){.call = SHM_CALL_SHMAT}, &c),
                                     rows[i].matches ? 0 : -1, "'%s', call %u", rows[i].glob, n);
                        cr_expect_eq(matched(s, 0), rows[i].matches ? n : 0);
                }
        }
}

Test(fault_decision, a_caller_s_name_is_looked_at_once_for_each_rule)
{
        const char *texts[FAULT_RULES + 1] = {0};
        for (unsigned i = 0; i < FAULT_RULES; i++)
                texts[i] = i == FAULT_RULES - 1 ? "shmat:error=EINVAL:caller=last" : "shmat:error=EINVAL:caller=none";
        struct session *s = make_session(texts);
        const struct fault_subject subject = {.call = SHM_CALL_SHMAT};
        struct fake_caller c = {.site = SESSION_SITES - 1};
        struct shm_site *site = &s->sites[c.site];
        snprintf(site->function, sizeof(site->function), "last");
        cr_expect_eq(decide_on(s, subject, &c), FAULT_RULES - 1);
        cr_expect_eq(c.site_asked, 1);
        cr_expect_eq(atomic_load(&site->asked), UINT64_MAX);
        cr_expect_eq(atomic_load(&site->matched), UINT64_C(1) << 63);
        snprintf(site->function, sizeof(site->function), "none");
        cr_expect_eq(decide_on(s, subject, &c), FAULT_RULES - 1);
        fault_forget(s, 0);
        cr_expect_eq(decide_on(s, subject, &c), 0);
        cr_expect_eq(matched(s, 0), 1);
        cr_expect_eq(matched(s, FAULT_RULES - 1), 3);
        fault_forget(s, FAULT_RULES - 1);
        cr_expect_eq(decide_on(s, subject, &c), 0);
        cr_expect_eq(decide_on(s, subject, &c), 0);
        cr_expect_eq(matched(s, FAULT_RULES - 1), 0);
        cr_expect_eq(hit(s, FAULT_RULES - 1), 0);
}

Test(fault_decision, what_a_back_end_cannot_tell_matches_nothing)
{
        struct session *s = SESSION("shmat:error=EINVAL:uid=0", "shmat:error=EINVAL:thread=1",
                                    "shmat:error=EINVAL:thread=*", "shmat:error=EINVAL:caller=*");
        const struct fault_subject subject = {.call = SHM_CALL_SHMAT};
        const struct fault_caller mute = {0};
        cr_expect_eq(fault_decide(s, &subject, &mute), -1);
        for (unsigned i = 0; i < 4; i++)
                cr_expect_eq(matched(s, i), 0);
        struct session *unknown = SESSION("shmat:error=EINVAL:caller=*");
        struct fake_caller c = {.site = SESSION_NO_SITE};
        cr_expect_eq(decide_on(unknown, subject, &c), -1);
        c.site = SESSION_SITES;
        cr_expect_eq(decide_on(unknown, subject, &c), -1);
}

Test(fault_decision, nothing_is_asked_that_no_rule_needs_and_nothing_twice)
{
        struct session *s = SESSION("shmget:error=EINVAL:key=5:uid=0:thread=1:caller=*",
                                    "shmat:error=EINVAL:uid=1:when=9", "shmat:error=EINVAL:uid=0:thread=7:when=9",
                                    "shmat:error=EINVAL:uid=0:caller=x", "shmat:error=EINVAL:caller=*:when=9");
        struct fake_caller c = {.thread = 1, .thread_name = "main", .site = 1};
        decide_on(s, (struct fault_subject){.call = SHM_CALL_SHMDT}, &c);
        decide_on(s, (struct fault_subject){.call = SHM_CALL_SHMGET, .key = 6}, &c);
        cr_expect_eq(c.uid_asked + c.thread_asked + c.name_asked + c.site_asked, 0);
        decide_on(s, (struct fault_subject){.call = SHM_CALL_SHMAT}, &c);
        cr_expect_eq(c.uid_asked, 1);
        cr_expect_eq(c.thread_asked, 1);
        cr_expect_eq(c.site_asked, 1);
        cr_expect_eq(c.name_asked, 0);
}

Test(fault_decision, when_picks_by_the_count_of_matching_calls)
{
        static const struct {
                const char *when;
                const char *calls; /* which of twelve fire */
        } rows[] = {
                {"when=1", "x..........."},   {"when=3", "..x........."},    {"when=12", "...........x"},
                {"when=13", "............"},  {"when=10+", ".........xxx"},  {"when=2+3", ".x..x..x..x."},
                {"when=1+2", "x.x.x.x.x.x."}, {"when=4..6", "...xxx......"}, {"when=4..10+3", "...x..x..x.."},
                {"prob=1", "xxxxxxxxxxxx"},   {"prob=0", "............"},    {"prob=1:when=2", ".x.........."},
        };
        for (size_t i = 0; i < COUNT(rows); i++) {
                char text[64];
                char fired[13] = "";
                uint64_t hits = 0;
                snprintf(text, sizeof(text), "shmdt:error=EINVAL:%s", rows[i].when);
                struct session *s = SESSION(text);
                for (unsigned n = 0; n < 12; n++) {
                        fired[n] = decide(s, SHM_CALL_SHMDT) == 0 ? 'x' : '.';
                        hits += fired[n] == 'x';
                        decide(s, SHM_CALL_SHMAT);
                }
                cr_expect_str_eq(fired, rows[i].calls, "%s: %s", text, fired);
                cr_expect_eq(matched(s, 0), 12);
                cr_expect_eq(hit(s, 0), hits);
        }
}

Test(fault_decision, the_first_rule_that_fires_is_the_only_one_and_all_count)
{
        struct session *s = SESSION("shmget:error=EINVAL:when=2", "shm:retval=0:when=2+", "shmget:error=ENOSPC");
        static const int fired[] = {2, 0, 1, 1};
        for (size_t i = 0; i < COUNT(fired); i++)
                cr_expect_eq(decide(s, SHM_CALL_SHMGET), fired[i], "call %zu", i + 1);
        for (unsigned i = 0; i < 3; i++)
                cr_expect_eq(matched(s, i), 4);
        cr_expect_eq(hit(s, 0), 1);
        cr_expect_eq(hit(s, 1), 2);
        cr_expect_eq(hit(s, 2), 1);
}

#define THROWS 20000

static unsigned throw_dice(const char *rule, char fired[THROWS])
{
        struct session *s = SESSION(rule);
        unsigned hits = 0;
        for (unsigned i = 0; i < THROWS; i++) {
                fired[i] = decide(s, SHM_CALL_SHMGET) == 0;
                hits += (unsigned)fired[i];
        }
        cr_expect_eq(hit(s, 0), hits);
        munmap(s, sizeof(*s));
        return hits;
}

Test(fault_decision, the_same_seed_gives_the_same_faults)
{
        static char first[THROWS];
        static char again[THROWS];
        unsigned hits = throw_dice("shmget:short:prob=0.25:seed=7", first);
        cr_expect(hits > THROWS / 4 - 400 && hits < THROWS / 4 + 400, "%u of %u", hits, THROWS);
        cr_expect_eq(throw_dice("shmget:error=EINVAL:prob=25%:seed=7", again), hits);
        cr_expect_eq(memcmp(first, again, sizeof(first)), 0);
        throw_dice("shmget:short:prob=0.25:seed=8", again);
        cr_expect_neq(memcmp(first, again, sizeof(first)), 0);
        throw_dice("shmget:short:prob=0.25", again);
        cr_expect_neq(memcmp(first, again, sizeof(first)), 0);
        hits = throw_dice("shmget:short:prob=0.001", again);
        cr_expect(hits > 5 && hits < 50, "%u of %u", hits, THROWS);
}

Test(fault_decision, a_higher_chance_adds_faults_and_takes_none_away)
{
        static char rare[THROWS];
        static char often[THROWS];
        throw_dice("shmget:short:prob=0.1:seed=3", rare);
        throw_dice("shmget:short:prob=0.6:seed=3", often);
        for (unsigned i = 0; i < THROWS; i++)
                cr_assert(!rare[i] || often[i], "call %u", i + 1);
}

#define PROCESSES 4
#define THREADS 8
#define ROUNDS 100000
#define CALLS_MADE (PROCESSES * THREADS * (uint64_t)ROUNDS)

struct crowd {
        struct session *session;
        _Atomic unsigned ready;
        _Atomic uint64_t fired[FAULT_RULES];
};

static void *make_calls(void *arg)
{
        struct crowd *crowd = arg;
        atomic_fetch_add(&crowd->ready, 1);
        while (atomic_load(&crowd->ready) < PROCESSES * THREADS)
                sched_yield();
        for (unsigned n = 0; n < ROUNDS; n++) {
                for (unsigned call = 0; call < SHM_CALLS; call++) {
                        int rule = decide(crowd->session, (enum shm_call)call);
                        if (rule >= 0)
                                atomic_fetch_add(&crowd->fired[rule], 1);
                }
        }
        return NULL;
}

static void run_process(struct crowd *crowd)
{
        pthread_t threads[THREADS];
        for (unsigned i = 0; i < THREADS; i++) {
                if (pthread_create(&threads[i], NULL, make_calls, crowd) != 0)
                        _exit(1);
        }
        for (unsigned i = 0; i < THREADS; i++)
                pthread_join(threads[i], NULL);
        _exit(0);
}

static void run_crowd(struct crowd *crowd)
{
        pid_t children[PROCESSES];
        for (unsigned i = 0; i < PROCESSES; i++) {
                children[i] = fork();
                cr_assert_neq(children[i], -1);
                if (children[i] == 0)
                        run_process(crowd);
        }
        for (unsigned i = 0; i < PROCESSES; i++) {
                int status = 0;
                cr_assert_eq(waitpid(children[i], &status, 0), children[i]);
                cr_assert_eq(status, 0);
        }
}

Test(fault_decision, each_n_hits_exactly_once_over_all_threads_and_processes, .timeout = 60)
{
        struct crowd *crowd = mmap(NULL, sizeof(*crowd), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        cr_assert_neq(crowd, MAP_FAILED);
        cr_assert_eq(CALLS_MADE, 3200000, "the last call that a rule waits for");
        crowd->session = SESSION("shmget:error=EINVAL:when=77777", "shmat:error=EINVAL:when=3+7",
                                 "shmdt:error=EINVAL:when=3200000", "shmctl:retval=0:when=5..12004+3",
                                 "ftok:error=ENOENT:prob=0.1:seed=2", "shm:retval=1:when=16000001+");
        run_crowd(crowd);

        /* The same dice as one thread throws. */
        struct session *alone = SESSION("ftok:error=ENOENT:prob=0.1:seed=2");
        for (uint64_t n = 0; n < CALLS_MADE; n++)
                decide(alone, SHM_CALL_FTOK);

        const uint64_t hits[] = {1, (CALLS_MADE - 3) / 7 + 1, 1, 4000, hit(alone, 0), 0};
        for (unsigned i = 0; i < COUNT(hits); i++) {
                cr_expect_eq(matched(crowd->session, i), i == 5 ? 5 * CALLS_MADE : CALLS_MADE, "rule %u", i);
                cr_expect_eq(hit(crowd->session, i), hits[i], "rule %u", i);
                cr_expect_eq(atomic_load(&crowd->fired[i]), hits[i], "rule %u", i);
        }
}

Test(fault_decision, a_plan_tells_which_rule_uses_what)
{
        struct session *s =
                SESSION("shmget:error=EINVAL:key=5", "shmctl:corrupt=nattch:0:uid=0", "shmget:short:caller=*");
        const struct fault_plan *plan = &s->plan;
        cr_expect_eq(fault_plan_uses(plan, FAULT_CORRUPT | FAULT_SHORT, 0), 1);
        cr_expect_eq(fault_plan_uses(plan, FAULT_SHORT, 0), 2);
        cr_expect_eq(fault_plan_uses(plan, 0, FAULT_BY_CALLER), 2);
        cr_expect_eq(fault_plan_uses(plan, FAULT_SHORT, FAULT_BY_KEY), 0);
        cr_expect_eq(fault_plan_uses(plan, FAULT_RETVAL, FAULT_BY_THREAD | FAULT_BY_CHANCE), -1);
        cr_expect_eq(fault_plan_uses(plan, 0, 0), -1);
}
