/* libshmfault.so: what programs meet under it, and what their supervisor hears of it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <unistd.h>

#include "fault_programs.h"

TestSuite(fault_library, .init = make_fault_programs, .timeout = 60);

#define UNHARMED "ftok ok\nshmget ok\nshmat ok\nshmctl ok\n"
#define MILLISECOND INT64_C(1000000)

/* Runs `caller all` under one rule, and expects the lines in what it writes. */
static struct faulted expect_output(const char *rule, const char *lines)
{
        struct faulted r = run_under(RULES(rule), false, "$L $P/caller all");
        cr_expect(has(r.f.out, lines), "%s: %s%s", rule, r.f.out, r.f.err);
        return r;
}

static void expect_counts(const struct faulted *r, unsigned rule, uint64_t matched, uint64_t hit)
{
        const struct rule_state *state = &r->session->states[rule];
        cr_expect_eq(atomic_load(&state->matched), matched, "rule %u matched %lu", rule, (unsigned long)state->matched);
        cr_expect_eq(atomic_load(&state->hit), hit, "rule %u hit %lu", rule, (unsigned long)state->hit);
}

/* ---- what a rule does ---- */

Test(fault_library, nothing_happens_without_a_session)
{
        struct finished f = run_command("$L $P/caller all");
        cr_expect(strncmp(f.out, UNHARMED, strlen(UNHARMED)) == 0, "%s%s", f.out, f.err);
        cr_expect_str_empty(f.err);
        finished_free(&f);
}

Test(fault_library, a_session_that_cannot_be_joined_is_none)
{
        struct finished f =
                run_command("for s in '' x 1: :1 1:2:3 999999999:3 1:99999999999999999999 $$:0 \"$$:1\"; do "
                            "SHMFAULT_SESSION=\"$s\" $L $P/caller all </dev/null | head -n 1; done");
        cr_expect_str_eq(f.out, "ftok ok\nftok ok\nftok ok\nftok ok\nftok ok\nftok ok\nftok ok\nftok ok\nftok ok\n");
        cr_expect_str_empty(f.err);
        finished_free(&f);
}

Test(fault_library, each_call_can_fail)
{
        static const char *const rows[][2] = {
                {"ftok:error=ELOOP", "ftok ELOOP\n"},
                {"shmget:error=ENOSPC", "shmget ENOSPC\n"},
                {"shmat:error=ENOMEM", "shmat ENOMEM\n"},
                {"shmdt:error=EINVAL", "shmdt EINVAL\n"},
                {"shmctl/IPC_STAT:error=EIDRM", "shmctl EIDRM\n"},
                {"shmctl/IPC_RMID:error=EPERM", "shmdt ok\nshmctl EPERM\n"},
        };
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct faulted r = expect_output(rows[i][0], rows[i][1]);
                expect_counts(&r, 0, 1, 1);
                faulted_free(&r);
        }
}

Test(fault_library, a_call_that_fails_is_not_made)
{
        struct faulted r = expect_output("shmctl/IPC_RMID:error=EPERM", "shmctl EPERM\n");
        cr_expect_eq(segments_here(), 1);
        faulted_free(&r);
}

Test(fault_library, a_lie_is_told_and_the_call_not_made)
{
        struct faulted r = run_under(RULES("shmget:retval=77", "shmat:retval=0x7fff0000", "shmdt:retval=-1"), false,
                                     "$L $P/caller all");
        cr_expect_eq(segments_here(), 0);
        cr_expect(has(r.f.out, "shmget ok\nshmat ok\n"), "%s", r.f.out);
        cr_expect(has(r.f.out, "shmctl EINVAL\n"), "there is no segment 77: %s", r.f.out);
        faulted_free(&r);
}

Test(fault_library, a_segment_can_be_short)
{
        struct faulted r = expect_output("shmget:short", "segsz 4096 ");
        faulted_free(&r);
        r = expect_output("shmget:short=17", "segsz 17 ");
        faulted_free(&r);
        r = expect_output("shmget:short=1M", "segsz 8192 ");
        faulted_free(&r);
}

Test(fault_library, what_a_segment_says_of_itself_can_be_falsified)
{
        static const char *const rows[][2] = {
                {"shmctl:corrupt=nattch:12", "nattch 12 "},
                {"shmctl:corrupt=nattch:max", "nattch 18446744073709551615 "},
                {"shmctl/IPC_STAT:corrupt=segsz:1", "segsz 1 "},
                {"shm:corrupt=mode:0777", "mode 777 "},
                {"shmctl:corrupt=cpid:-5", "cpid -5 "},
        };
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct faulted r = expect_output(rows[i][0], rows[i][1]);
                faulted_free(&r);
        }
}

Test(fault_library, signals_come_before_and_after_the_call)
{
        struct faulted r =
                run_under(RULES("shmat:signal=USR1", "shmdt:signal_exit=USR1"), false, "$L $P/caller handler");
        cr_expect(has(r.f.out, "shmget ok\nsignal\nshmat ok\n"), "%s", r.f.out);
        cr_expect(has(r.f.out, "signal\nshmdt ok\n"), "%s", r.f.out);
        faulted_free(&r);
}

Test(fault_library, a_kill_before_or_after_the_call_leaves_the_event)
{
        size_t i = 0;
        struct faulted r = run_under(RULES("shmget:signal=KILL"), true, "$L $P/caller all");
        const struct shm_event *e = next_event(&r, &i, SHM_EVENT_CALL, SHM_CALL_SHMGET);
        cr_expect_eq(r.f.status, 128 + SIGKILL);
        cr_expect_eq(segments_here(), 0);
        cr_expect(session_event_state(e) == SHM_EVENT_ENTERED && !e->has_result && e->rule == 0 && e->result == 0);
        faulted_free(&r);

        i = 0;
        r = run_under(RULES("shmget:signal_exit=KILL"), true, "$L $P/caller all");
        e = next_event(&r, &i, SHM_EVENT_CALL, SHM_CALL_SHMGET);
        cr_expect_eq(r.f.status, 128 + SIGKILL);
        cr_expect_eq(segments_here(), 1, "the segment exists and nobody knows");
        cr_expect(session_event_state(e) == SHM_EVENT_ENTERED && e->has_result && e->result >= 0 && e->error == 0);
        faulted_free(&r);
}

Test(fault_library, delays_last_and_are_no_cancellation_point)
{
        size_t i = 0;
        struct faulted r = run_under(RULES("shmat:delay_enter=30ms:delay_exit=20ms"), true, "$L $P/caller all");
        const struct shm_event *e = next_event(&r, &i, SHM_EVENT_CALL, SHM_CALL_SHMAT);
        cr_expect_geq(e->duration, 50 * MILLISECOND);
        cr_expect(e->has_result && e->error == 0);
        faulted_free(&r);
        r = run_under(RULES("shmctl:delay_enter=100ms"), false, "$L $P/caller cancel");
        cr_expect_str_eq(r.f.out, "shmctl ok\ncancelled 1\n");
        faulted_free(&r);
}

Test(fault_library, the_first_rule_that_fires_is_the_only_one)
{
        struct faulted r = run_under(RULES("shmget:error=ENOSPC:when=2", "shmget:error=ENOMEM", "shmget:error=EEXIST"),
                                     false, "$L $P/caller all");
        cr_expect(has(r.f.out, "shmget ENOMEM\n"), "%s", r.f.out);
        expect_counts(&r, 0, 1, 0);
        expect_counts(&r, 1, 1, 1);
        expect_counts(&r, 2, 1, 0);
        faulted_free(&r);
}

/* ---- who makes the call ---- */

Test(fault_library, raw_calls_are_calls_and_other_numbers_pass)
{
        struct faulted r = run_under(RULES("shmat:error=EACCES", "shmctl/IPC_RMID:error=EPERM"), true,
                                     "$L $P/caller raw; $L $P/caller other");
        cr_expect(has(r.f.out, "shmget ok\nshmat EACCES\nshmctl ok\nshmdt EINVAL\nshmctl EPERM\n"), "%s", r.f.out);
        cr_expect(has(r.f.out, "splice 4 3456, close -1 EBADF, getpid 1\n"), "%s", r.f.out);
        cr_expect_eq(count_events(&r, SHM_EVENT_CALL, SHM_CALL_SHMCTL), 2);
        for (size_t i = 0; i < r.count; i++)
                cr_expect(r.events[i].kind != SHM_EVENT_CALL || r.events[i].raw);
        faulted_free(&r);
}

Test(fault_library, a_shim_behind_it_gives_the_calls_and_its_own_are_not_the_programs)
{
        struct faulted r =
                run_under(RULES("shmdt:error=EINVAL"), true, "LD_PRELOAD=$B/libshmfault.so:$P/shim.so $P/caller all");
        cr_expect(has(r.f.out, "segsz 1234567 "), "the shim's answer: %s", r.f.out);
        cr_expect(has(r.f.out, "shmdt EINVAL\n"), "%s", r.f.out);
        cr_expect_eq(count_events(&r, SHM_EVENT_CALL, SHM_CALL_SHMCTL), 2);
        cr_expect_eq(count_events(&r, SHM_EVENT_CALL, SHM_CALL_SHMGET), 1);
        faulted_free(&r);
}

Test(fault_library, plugins_are_reached_even_if_they_are_bound_deeply)
{
        struct faulted r = run_under(RULES("shmctl:error=ENOSYS"), false,
                                     "$L $P/caller plugin $P/plugin.so; $L $P/caller plugin $P/plugin.so deepbind");
        cr_expect_str_eq(r.f.out, "plugin ENOSYS\nplugin ENOSYS\n");
        faulted_free(&r);
}

Test(fault_library, a_plugin_is_looked_for_where_its_caller_says)
{
        struct finished without = run_command("$P/caller plugin found_by_runpath.so");
        cr_assert_str_eq(without.out, "plugin ok\n", "%s", without.out);
        struct finished with = run_command("$L $P/caller plugin found_by_runpath.so");
        cr_expect_str_eq(with.out, "plugin ok\n", "%s", with.out);
        finished_free(&with);
        finished_free(&without);
}

Test(fault_library, a_constructor_that_runs_first_is_reached)
{
        struct faulted r = run_under(RULES("shmctl/SHM_INFO:retval=4242"), true,
                                     "LD_PRELOAD=$B/libshmfault.so:$P/early.so $P/caller all");
        cr_expect(has(r.f.out, "early 4242\nftok ok\n"), "%s%s", r.f.out, r.f.err);
        cr_expect_eq(r.events[0].kind, SHM_EVENT_START, "it is the first event all the same");
        cr_expect_eq(count_events(&r, SHM_EVENT_START, 0), 1);
        faulted_free(&r);
}

Test(fault_library, a_caller_is_known_by_function_and_by_module)
{
        struct faulted r = run_under(RULES("shmget:error=ENOSPC:caller=make_one", "shmat:error=ENOMEM:caller=make_one",
                                           "shmdt:error=EINVAL:caller=call_*", "ftok:error=ELOOP:caller=*/caller",
                                           "shmctl:error=EACCES:caller=caller.c"),
                                     true, "$L $P/caller all");
        cr_expect(has(r.f.out, "ftok ELOOP\nshmget ENOSPC\nshmat EINVAL\nshmctl EINVAL\n"), "%s", r.f.out);
        cr_expect(has(r.f.out, "shmdt EINVAL\n"), "%s", r.f.out);
        expect_counts(&r, 0, 1, 1);
        expect_counts(&r, 1, 0, 0);
        expect_counts(&r, 2, 1, 1);
        expect_counts(&r, 3, 1, 1);
        expect_counts(&r, 4, 0, 0);
        faulted_free(&r);
        r = run_under(RULES("shmctl:error=ENOSYS:caller=hidden_call"), false, "$L $P/caller plugin $P/plugin.so");
        cr_expect_str_eq(r.f.out, "plugin ENOSYS\n");
        faulted_free(&r);
        r = run_under(RULES("shmctl:error=ENOSYS:caller=plugin.so"), false, "$L $P/caller plugin $P/plugin.so");
        cr_expect_str_eq(r.f.out, "plugin ENOSYS\n");
        faulted_free(&r);
}

Test(fault_library, a_site_is_noted_once)
{
        size_t i = 0;
        struct faulted r =
                run_under(NO_RULES, true, "for i in 1 2 3; do $L $P/caller all; done; $L $P/caller crowd 2 2 5");
        unsigned makers = 0;
        for (uint32_t site = 0; site < r.session->site_count; site++) {
                makers += strcmp(r.session->sites[site].function, "make_one") == 0;
                cr_expect_str_not_empty(r.session->sites[site].module);
        }
        cr_expect_eq(makers, 1);
        const struct shm_event *e = next_event(&r, &i, SHM_EVENT_CALL, SHM_CALL_SHMGET);
        cr_assert(e->site < r.session->site_count);
        const char *module = r.session->sites[e->site].module;
        cr_expect(*module == '/' && has(module, "/fault_programs/caller"), "%s", module);
        i = 0;
        e = next_event(&r, &i, SHM_EVENT_START, 0);
        cr_assert(e->site < r.session->site_count);
        cr_expect_str_eq(r.session->sites[e->site].module, module, "the program's file");
        faulted_free(&r);
}

Test(fault_library, threads_are_told_apart)
{
        struct faulted r =
                run_under(RULES("shmctl/IPC_STAT:error=EACCES:thread=2", "shmctl/IPC_STAT:error=EIDRM:thread=t*d"),
                          false, "$L $P/caller threads");
        cr_expect_str_eq(r.f.out, "main ok\nsecond EACCES\nthird EIDRM\n");
        faulted_free(&r);
        r = run_under(RULES("shmctl/IPC_STAT:error=EACCES:thread=1"), false, "$L $P/caller threads");
        cr_expect_str_eq(r.f.out, "main EACCES\nsecond ok\nthird ok\n");
        faulted_free(&r);
}

/* ---- many at once, and other processes ---- */

Test(fault_library, each_hit_is_had_once_by_32_threads_of_four_processes)
{
        struct faulted r =
                run_under(RULES("shmctl/IPC_STAT:error=EACCES:when=777", "shmctl/IPC_STAT:error=EIDRM:when=5..14",
                                "shmctl/IPC_STAT:error=EINVAL:when=1000+1000"),
                          false, "$L $P/caller crowd 4 8 1000");
        cr_expect_str_eq(r.f.out, "failed 43\n", "%s%s", r.f.out, r.f.err);
        expect_counts(&r, 0, 32000, 1);
        expect_counts(&r, 1, 32000, 10);
        expect_counts(&r, 2, 32000, 32);
        faulted_free(&r);
}

Test(fault_library, no_event_of_32_threads_is_lost)
{
        struct faulted r =
                run_under(RULES("shmctl/IPC_STAT:error=EACCES:when=1+2"), true, "$L $P/caller crowd 4 8 4000");
        cr_expect_str_eq(r.f.out, "failed 64000\n", "%s%s", r.f.out, r.f.err);
        size_t stats = 0;
        size_t failed = 0;
        for (size_t i = 0; i < r.count; i++) {
                const struct shm_event *e = &r.events[i];
                if (e->kind != SHM_EVENT_CALL || e->call != SHM_CALL_SHMCTL || e->args[1] != IPC_STAT)
                        continue;
                stats++;
                failed += e->error == EACCES;
                cr_assert(e->has_result && (e->result == -1) == (e->rule == 0) && e->pid > 0 && e->tid > 0);
                cr_assert(e->rule == 0 || e->segsz == 8192);
        }
        cr_expect_eq(stats, 128000);
        cr_expect_eq(failed, 64000);
        cr_expect_eq(count_events(&r, SHM_EVENT_FORK, 0), 4);
        cr_expect_eq(count_events(&r, SHM_EVENT_EXIT, 0), 5);
        cr_expect_eq(count_events(&r, SHM_EVENT_START, 0), 1);
        faulted_free(&r);
}

Test(fault_library, a_fork_in_a_signal_handler_harms_nothing)
{
        struct faulted r =
                run_under(RULES("shmctl/IPC_STAT:error=EACCES:when=100000000"), true, "$L $P/caller forking 20000");
        cr_expect_str_eq(r.f.out, "failed 0, forked often\n", "%s%s", r.f.out, r.f.err);
        size_t i = 0;
        pid_t parent = next_event(&r, &i, SHM_EVENT_START, 0)->pid;
        size_t calls = 0;
        for (i = 0; i < r.count; i++) {
                const struct shm_event *e = &r.events[i];
                if (e->kind == SHM_EVENT_CALL && e->pid == parent && e->args[1] == IPC_STAT) {
                        calls++;
                        cr_assert(session_event_state(e) == SHM_EVENT_COMPLETE && e->has_result);
                }
        }
        cr_expect_eq(calls, 20000, "%zu", calls);
        cr_expect_gt(count_events(&r, SHM_EVENT_FORK, 0), 3);
        faulted_free(&r);
}

Test(fault_library, a_vforked_child_that_execs_is_a_process_of_its_own)
{
        struct faulted r = run_under(RULES("shmctl/IPC_STAT:error=EIDRM:when=1"), true, "$L $P/caller vfork");
        cr_expect(has(r.f.out, "shmat ok\nshmctl EIDRM\n"), "%s", r.f.out);
        cr_expect(has(r.f.out, "child 0, parent 0\n"), "%s", r.f.out);
        size_t i = 0;
        const struct shm_event *first = next_event(&r, &i, SHM_EVENT_START, 0);
        const struct shm_event *second = next_event(&r, &i, SHM_EVENT_START, 0);
        cr_expect_eq(second->args[0], first->pid);
        cr_expect_eq(count_events(&r, SHM_EVENT_CALL, SHM_CALL_SHMGET), 2);
        faulted_free(&r);
}

Test(fault_library, a_child_made_by_number_is_seen)
{
        struct faulted r = run_under(NO_RULES, true, "$L $P/caller rawfork");
        int parent = 0;
        int child = 0;
        cr_assert_eq(sscanf(r.f.out, "parent %d child %d status 0", &parent, &child), 2, "%s", r.f.out);
        size_t i = 0;
        const struct shm_event *fork_event = next_event(&r, &i, SHM_EVENT_FORK, 0);
        cr_expect(fork_event->pid == child && fork_event->args[0] == parent);
        cr_expect_eq(next_event(&r, &i, SHM_EVENT_CALL, SHM_CALL_SHMCTL)->pid, child);
        faulted_free(&r);
}

Test(fault_library, a_program_that_closes_all_descriptors_stays_in_the_session)
{
        struct faulted r = run_under(RULES("shmat:error=ENOMEM"), true, "$L $P/caller close");
        cr_expect(has(r.f.out, "shmat ENOMEM\n"), "%s", r.f.out);
        cr_expect_eq(count_events(&r, SHM_EVENT_START, 0), 2);
        faulted_free(&r);
}

Test(fault_library, another_pid_namespace_is_no_matter)
{
        struct finished f = run_command("unshare --fork --pid true");
        if (f.status != 0)
                cr_skip_test("no PID namespace can be had here");
        finished_free(&f);
        struct faulted r = run_under(RULES("shmget:signal_exit=KILL"), true, "unshare --fork --pid $L $P/caller all");
        size_t i = 0;
        const struct shm_event *e = next_event(&r, &i, SHM_EVENT_CALL, SHM_CALL_SHMGET);
        cr_expect(e->pid == 1 && e->has_result, "%d", e->pid);
        faulted_free(&r);
}

Test(fault_library, what_was_called_is_marked_as_seen)
{
        struct faulted r = run_under(NO_RULES, false, "$L $P/caller threads");
        cr_expect(atomic_load(&r.session->seen[SHM_CALL_SHMGET]) && atomic_load(&r.session->seen[SHM_CALL_SHMCTL]));
        cr_expect(!atomic_load(&r.session->seen[SHM_CALL_SHMAT]) && !atomic_load(&r.session->seen[SHM_CALL_FTOK]));
        faulted_free(&r);
}

/* ---- what else the library is ---- */

Test(fault_library, exports_what_it_must_and_nothing_else)
{
        struct finished f =
                run_command("nm -D --defined-only $B/libshmfault.so | awk '{print $3}' | grep -v '^shmfault_'");
        cr_expect_str_eq(f.out, "dlopen\nftok\nshmat\nshmctl\nshmdt\nshmget\nsyscall\n");
        finished_free(&f);
}

Test(fault_library, real_programs_meet_faults)
{
        struct faulted r =
                run_under(RULES("shmget:error=ENOSPC:when=2"), true,
                          "$L ipcmk -M 4096; $L ipcmk -M 4096; $L perl -e 'print defined shmget(5, 10, 01666) ? "
                          "\"made\\n\" : \"$!\\n\"'; $L ipcs -m >/dev/null; ipcrm --all=shm");
        cr_expect(has(r.f.out, "Shared memory id: "), "%s", r.f.out);
        cr_expect(has(r.f.err, "No space left on device"), "%s", r.f.err);
        cr_expect(has(r.f.out, "made\n"), "%s", r.f.out);
        cr_expect_eq(count_events(&r, SHM_EVENT_CALL, SHM_CALL_SHMGET), 3);
        faulted_free(&r);
}
