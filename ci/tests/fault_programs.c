#include "fault_programs.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Tests run side by side: one of them compiles, the others wait for it. */
static const char compile[] =
        "mkdir -p $P/lib && exec 9>$P/lock && flock 9 && s=ci/tests/fault_programs && "
        "c='cc -std=c11 -D_GNU_SOURCE -O1 -g -pthread' && newer() { [ $P/$1 -nt $s/$2 ]; } && "
        "{ newer caller caller.c || $c $s/caller.c -o $P/caller -Wl,-rpath,'$ORIGIN/lib' -Wl,--enable-new-dtags; } && "
        "{ newer plugin.so plugin.c || $c -fPIC -shared $s/plugin.c -o $P/plugin.so; } && "
        "{ newer lib/found_by_runpath.so plugin.c || "
        "$c -fPIC -shared $s/plugin.c -o $P/lib/found_by_runpath.so; } && "
        "{ newer early.so plugin.c || $c -fPIC -shared -DEARLY $s/plugin.c -o $P/early.so; } && "
        "{ newer shim.so shim.c || $c -fPIC -shared $s/shim.c -o $P/shim.so; } && "
        "{ newer api api.c || { a=\"$s/api.c -Ifakes/fault -L$B -Wl,-rpath,$(realpath $B)\" && "
        "$c $a -o $P/behind -Wl,--no-as-needed -lc -lshmfault && $c $a -o $P/api -lshmfault; }; }";

void make_fault_programs(void)
{
        enter_own_ipc_namespace();
        setenv("P", BUILD "/fault_programs", 1);
        setenv("L", "env LD_PRELOAD=" BUILD "/libshmfault.so", 1);
        struct finished f = run_command(compile);
        cr_assert_eq(f.status, 0, "%s", f.err);
        finished_free(&f);
}

static void keep_event(const struct shm_event *e, void *arg)
{
        struct faulted *r = arg;
        if (r->count % 1024 == 0) {
                r->events = realloc(r->events, (r->count + 1024) * sizeof(r->events[0]));
                cr_assert_not_null(r->events);
        }
        memcpy(&r->events[r->count++], e, sizeof(*e));
}

static void *read_events(void *arg)
{
        struct faulted *r = arg;
        while (!atomic_load(&r->session->closed)) {
                session_drain(r->session, false, keep_event, r);
                session_wait(r->session, 5);
        }
        session_drain(r->session, true, keep_event, r);
        return NULL;
}

static void make_plan(struct fault_plan *plan, const char *const *rules)
{
        struct fault_mistake mistake;
        memset(plan, 0, sizeof(*plan));
        for (; *rules; rules++)
                cr_assert(fault_rule_parse(&plan->rules[plan->count++], *rules, true, &mistake), "%s: %s", *rules,
                          mistake.why);
}

struct faulted run_under(const char *const *rules, bool events, const char *command)
{
        static struct fault_plan plan;
        struct faulted r = {0};
        char name[64];
        int fd = -1;
        pthread_t reader;
        make_plan(&plan, rules);
        r.session = session_new(&plan, events, &fd);
        cr_assert_not_null(r.session);
        session_name(r.session, fd, name, sizeof(name));
        setenv(SESSION_VARIABLE, name, 1);
        cr_assert(session_hand_on(fd));
        cr_assert_eq(pthread_create(&reader, NULL, read_events, &r), 0);
        r.f = run_command(command);
        session_close(r.session);
        pthread_join(reader, NULL);
        unsetenv(SESSION_VARIABLE);
        close(fd);
        return r;
}

void faulted_free(struct faulted *r)
{
        finished_free(&r->f);
        session_free(r->session);
        free(r->events);
}

static bool is_of(const struct shm_event *e, enum shm_event_kind kind, enum shm_call call)
{
        return e->kind == kind && (kind != SHM_EVENT_CALL || e->call == call);
}

const struct shm_event *next_event(const struct faulted *r, size_t *from, enum shm_event_kind kind, enum shm_call call)
{
        while (*from < r->count) {
                const struct shm_event *e = &r->events[(*from)++];
                if (is_of(e, kind, call))
                        return e;
        }
        cr_assert(false, "no event of kind %d, call %d among %zu", kind, call, r->count);
        return NULL;
}

size_t count_events(const struct faulted *r, enum shm_event_kind kind, enum shm_call call)
{
        size_t count = 0;
        for (size_t i = 0; i < r->count; i++)
                count += is_of(&r->events[i], kind, call);
        return count;
}
