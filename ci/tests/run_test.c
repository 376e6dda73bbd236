/* `shmcheck run` on the real kernel, as root and as nobody, and what it does when it is used wrongly. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"

#define MISBEHAVING "$B/shmcheck run --agent $B/shmcheck-test-agent --timeout 0.4 "

static void expect_all_pass(const struct finished *f)
{
        json_t *results = json_output(f);
        size_t i = 0;
        json_t *entry = NULL;
        size_t passed = 0;
        json_array_foreach(json_object_get(results, "cases"), i, entry)
        {
                const char *verdict = json_string_value(json_object_get(entry, "verdict"));
                passed += strcmp(verdict, "pass") == 0;
                cr_expect(strcmp(verdict, "pass") == 0 || strcmp(verdict, "skip") == 0 ||
                                  strcmp(verdict, "record") == 0,
                          "%s: %s", json_string_value(json_object_get(entry, "id")), verdict);
        }
        cr_expect_gt(passed, 80);
        cr_expect(json_is_true(json_object_get(results, "complete")));
        json_decref(results);
}

static void make_installation_only(void)
{
        make_installation();
}

Test(run, this_kernel_passes_as_it_is, .init = enter_own_ipc_namespace)
{
        size_t before = segments_here();
        struct finished f = run_command("$B/shmcheck run --json -");
        cr_expect_eq(f.status, 0, "%s", f.err);
        expect_all_pass(&f);
        cr_expect_eq(segments_here(), before);
        finished_free(&f);
}

Test(run, this_kernel_passes_for_an_ordinary_user, .init = make_installation_only, .fini = remove_installation)
{
        struct finished f = run_as_nobody("$I/shmcheck run --json -");
        cr_expect_eq(f.status, 0, "%s", f.err);
        expect_all_pass(&f);
        finished_free(&f);
}

Test(run, this_kernel_passes_in_the_host_s_namespace_too, .init = enter_own_ipc_namespace)
{
        size_t before = segments_here();
        struct finished f =
                run_command("d=$(mktemp -d) && SHMCHECK_LEDGER_DIR=$d/ledger $B/shmcheck run --isolation host "
                            "--json - && rmdir $d");
        cr_expect_eq(f.status, 0, "a ledger that names nothing any more is removed: %s", f.err);
        expect_all_pass(&f);
        cr_expect_eq(segments_here(), before);
        finished_free(&f);
}

Test(run, the_static_agent_agrees)
{
        struct finished f = run_command("$B/shmcheck run --agent $B/shmcheck-agent-static --json -");
        cr_expect_eq(f.status, 0, "%s", f.err);
        expect_all_pass(&f);
        finished_free(&f);
}

/* {"id": "verdict", ...} */
static json_t *verdicts_of(const char *command)
{
        struct finished f = run_command(command);
        json_t *results = json_output(&f);
        json_t *verdicts = json_object();
        size_t i = 0;
        json_t *entry = NULL;
        json_array_foreach(json_object_get(results, "cases"), i, entry) json_object_set(
                verdicts, json_string_value(json_object_get(entry, "id")), json_object_get(entry, "verdict"));
        json_decref(results);
        finished_free(&f);
        return verdicts;
}

Test(run, verdicts_do_not_depend_on_how_many_run_side_by_side)
{
        json_t *one = verdicts_of("$B/shmcheck run --jobs 1 --json -");
        json_t *nine = verdicts_of("$B/shmcheck run --jobs 9 --json -");
        cr_expect_gt(json_object_size(one), 80);
        const char *id = NULL;
        json_t *verdict = NULL;
        json_object_foreach(one, id, verdict) cr_expect(json_equal(verdict, json_object_get(nine, id)), "%s", id);
        cr_expect(json_equal(one, nine));
        json_decref(one);
        json_decref(nine);
}

/* ---- wrong usage ---- */

Test(run, wrong_usage_gets_one_line_and_runs_nothing)
{
        static const struct {
                const char *command, *line;
        } rows[] = {
                {"run --jsno x", "shmcheck: run: unknown option '--jsno'; the nearest is '--json'\n"},
                {"run --profile lnux", "shmcheck: unknown profile 'lnux'; the nearest is 'linux'\n"},
                {"run --profile ./no/such.json", "shmcheck: ./no/such.json: No such file or directory\n"},
                {"run --isolation none", "shmcheck: --isolation none: takes auto, ipcns, userns or host\n"},
                {"run --timeout soon", "shmcheck: --timeout soon: takes seconds from 0.01 to 86400\n"},
                {"run --timeout 0", "shmcheck: --timeout 0: takes seconds from 0.01 to 86400\n"},
                {"run --jobs 0", "shmcheck: --jobs 0: takes a whole number from 1 to 1024\n"},
                {"run --repeat 1.5", "shmcheck: --repeat 1.5: takes a whole number from 1 to 100000\n"},
                {"run --color maybe", "shmcheck: --color maybe: takes auto, always or never\n"},
                {"run --json", "shmcheck: run: --json: missing argument\n"},
                {"run --json - --record -", "shmcheck: --json and --record cannot both go to standard output\n"},
                {"run no.such.case", "shmcheck: no case matches 'no.such.case'; run --list shows all\n"},
                {"run walkthrough.tutorial no.such.case",
                 "shmcheck: no case matches 'no.such.case'; run --list shows all\n"},
                {"run --list no.such.case", "shmcheck: no case matches 'no.such.case'; run --list shows all\n"},
                {"run --preload /tmp", "shmcheck: --preload /tmp: not a file\n"},
                {"run --preload /no/such.so", "shmcheck: --preload /no/such.so: No such file or directory\n"},
                {"run --baseline /no/such", "shmcheck: --baseline /no/such: No such file or directory\n"},
                {"rum", "shmcheck: unknown command 'rum'; the nearest is 'run'\n"},
                {"judge", "shmcheck: judge: takes one record: a file, or - for standard input\n"},
                {"judge /no/such", "shmcheck: /no/such: No such file or directory\n"},
                {"judge Makefile",
                 "shmcheck: Makefile: no record in it: no line has the mark '@shmcheck' of a record\n"},
                {"judge /dev/null",
                 "shmcheck: /dev/null: no record in it: no line has the mark '@shmcheck' of a record\n"},
                {"judge cases", "shmcheck: cases: Is a directory\n"},
                {"explain", "shmcheck: explain: takes the id of one case; run --list shows all\n"},
                {"explain walkthrough.tutoral",
                 "shmcheck: unknown case 'walkthrough.tutoral'; the nearest is 'walkthrough.tutorial', and run --list "
                 "shows all\n"},
                {"clean up", "shmcheck: clean: takes no word such as 'up'\n"},
        };
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                char command[256];
                snprintf(command, sizeof(command), "$B/shmcheck %s", rows[i].command);
                struct finished f = run_command(command);
                cr_expect_eq(f.status, 2, "%s: exit %d", rows[i].command, f.status);
                cr_expect_str_eq(f.err, rows[i].line, "%s", rows[i].command);
                cr_expect_str_empty(f.out, "%s", rows[i].command);
                finished_free(&f);
        }
}

Test(run, a_file_that_is_no_library_is_not_taken_for_the_platform)
{
        struct finished f = run_command("$B/shmcheck run --preload README.md walkthrough.tutorial");
        cr_expect_eq(f.status, 2, "%d", f.status);
        cr_expect(has(f.err, "the dynamic linker did not load it"), "%s", f.err);
        cr_expect_str_empty(f.out);
        finished_free(&f);
}

Test(run, an_installation_finds_its_parts_wherever_it_is, .timeout = 60)
{
        struct finished f = run_command("d=$(mktemp -d) && make -s BUILD=$B install prefix=$d >/dev/null && cd / && "
                                        "$d/bin/shmcheck run 'shmdt.*' >$d/out && "
                                        "$d/bin/shmcheck inject --inject shmget:error=ENOSPC -- ipcmk -M 100 2>$d/err; "
                                        "echo $?; tail -n 1 $d/out; cat $d/err; rm -r $d");
        cr_expect_eq(strncmp(f.out, "1\nPOSIX ", 8), 0, "%s%s", f.out, f.err);
        cr_expect(has(f.out, "No space left on device"), "%s%s", f.out, f.err);
        finished_free(&f);
}

Test(run, isolation_that_cannot_be_had_is_refused_not_replaced, .init = make_installation_only,
     .fini = remove_installation)
{
        struct finished f = run_as_nobody("$I/shmcheck run --isolation ipcns walkthrough.tutorial");
        if (geteuid() != 0)
                cr_skip_test("needs root, to become a user without namespaces");
        cr_expect_eq(f.status, 3, "%d", f.status);
        cr_expect(has(f.err, "isolation ipcns cannot be had here: unshare(CLONE_NEWIPC) is not permitted"), "%s",
                  f.err);
        finished_free(&f);
}

/* ---- outputs ---- */

Test(run, an_output_that_cannot_be_opened_is_told_first_and_nothing_is_lost)
{
        struct finished f = run_command("$B/shmcheck run --json /no/such/folder/x walkthrough.tutorial");
        cr_expect_eq(f.status, 3, "%d", f.status);
        cr_expect_eq(
                strncmp(f.err,
                        "shmcheck: --json /no/such/folder/x: No such file or directory; it goes to standard output "
                        "instead\n",
                        50),
                0, "%s", f.err);
        json_t *results = json_output(&f);
        cr_expect_str_eq(verdict_in(results, "walkthrough.tutorial"), "pass");
        json_decref(results);
        finished_free(&f);
}

Test(run, a_full_disk_leaves_the_old_file_and_loses_nothing)
{
        struct finished f = run_command("$B/shmcheck run --json /dev/full 'shmget.*' 2>&1 >/dev/null; echo $?");
        cr_expect(
                has(f.out, "shmcheck: --json /dev/full: No space left on device; it goes to standard output instead\n"),
                "%s", f.out);
        cr_expect(has(f.out, "\n3\n"), "%s", f.out);
        finished_free(&f);
        if (geteuid() != 0)
                cr_skip_test("needs root, to mount a small file system");
        f = run_command("unshare -m mount -t tmpfs none /mnt");
        bool can_mount = f.status == 0;
        finished_free(&f);
        if (!can_mount)
                cr_skip_test("no small file system can be mounted here");
        f = run_command(
                "unshare -m sh -c 'mount -t tmpfs -o size=16k none /mnt && echo old >/mnt/f && "
                "$B/shmcheck run --json /mnt/f --record /mnt/r shmget.\\* >/dev/null; echo $?; ls /mnt; cat /mnt/f'");
        cr_expect_str_eq(f.out, "3\nf\nold\n", "%s", f.out);
        finished_free(&f);
}

Test(run, a_file_is_replaced_whole)
{
        struct finished f = run_command("d=$(mktemp -d) && echo old >$d/f && chmod 640 $d/f && "
                                        "$B/shmcheck run --json $d/f walkthrough.tutorial >/dev/null && "
                                        "ls $d && head -c 2 $d/f && rm -r $d");
        cr_expect_eq(f.status, 0, "%s", f.err);
        cr_expect_str_eq(f.out, "f\n{\n", "%s", f.out);
        finished_free(&f);
}

/* Descriptor 5 is a pipe whose only reader has gone, whatever the machine's load. */
#define NO_READER "d=$(mktemp -d) && mkfifo $d/f && exec 4<>$d/f && exec 5>$d/f && exec 4<&- && rm -r $d && "

Test(run, a_reader_that_goes_away_ends_it_with_one_line)
{
        struct finished f = run_command("{ $B/shmcheck run --list; echo $? >&2; } | head -n 1 | cut -c 1-5");
        cr_expect_str_eq(f.err, "shmcheck: the list could not be written: Broken pipe\n3\n", "%s", f.err);
        finished_free(&f);
        f = run_command(NO_READER "$B/shmcheck run walkthrough.tutorial >&5; echo $? >&2");
        cr_expect_str_eq(f.err, "shmcheck: the report could not be written: Broken pipe\n3\n", "%s", f.err);
        finished_free(&f);
        f = run_command(NO_READER "$B/shmcheck-agent >&5; echo $? >&2");
        cr_expect(has(f.err, "nobody reads it any more\n3\n") || has(f.err, "Broken pipe\n3\n"), "%s", f.err);
        finished_free(&f);
}

Test(run, a_pipe_gets_no_escapes_and_no_progress)
{
        struct finished f = run_command("TERM=xterm $B/shmcheck run 'shmdt.*'");
        cr_expect(!has(f.out, "\033") && !has(f.out, "\r"), "%s", f.out);
        cr_expect_str_empty(f.err);
        finished_free(&f);
        f = run_command("NO_COLOR=1 TERM=xterm $B/shmcheck run --color always walkthrough.tutorial");
        cr_expect(has(f.out, "\033["), "--color always is stronger than NO_COLOR");
        finished_free(&f);
}

Test(run, a_terminal_gets_progress_and_colors_within_its_width)
{
        struct finished f = run_command("TERM=xterm script -qec 'stty cols 80; " MISBEHAVING "' /dev/null </dev/null");
        cr_expect(has(f.out, "\033[K") && has(f.out, "\033[1;31mFAIL"), "%s", f.out);
        finished_free(&f);
        f = run_command("NO_COLOR=1 TERM=xterm script -qec 'stty cols 80; " MISBEHAVING "' /dev/null </dev/null | "
                        "tr -d '\\r' | sed 's/.*\033\\[K//' | awk 'length($0) > 82'");
        cr_expect_str_empty(f.out, "lines wider than the terminal: %s", f.out);
        finished_free(&f);
        f = run_command("NO_COLOR=1 TERM=xterm script -qec 'stty cols 80; " MISBEHAVING "' /dev/null </dev/null");
        cr_expect(!has(f.out, "\033[1;31m"), "NO_COLOR is honoured");
        finished_free(&f);
        f = run_command("TERM=dumb script -qec '$B/shmcheck run walkthrough.tutorial' /dev/null </dev/null");
        cr_expect(!has(f.out, "\033"), "%s", f.out);
        finished_free(&f);
}

Test(run, the_list_has_a_line_for_each_case)
{
        struct finished list = run_command("$B/shmcheck run --list");
        struct finished results = run_command("$B/shmcheck run --json -");
        json_t *json = json_output(&results);
        cr_expect_eq(list.status, 0);
        cr_expect_eq(count_lines(list.out), json_array_size(json_object_get(json, "cases")));
        cr_expect(has(list.out, "walkthrough.tutorial"));
        json_decref(json);
        finished_free(&list);
        finished_free(&results);
        list = run_command("$B/shmcheck run --list --filter 'walk*' 'shmget.create.u?d'");
        cr_expect_eq(count_lines(list.out), 2, "%s", list.out);
        finished_free(&list);
}

/* ---- cases that misbehave ---- */

static void isolate_test(void)
{
        enter_own_ipc_namespace();
        make_installation();
}

Test(misbehaving, each_gets_the_verdict_of_its_own, .init = isolate_test, .fini = remove_installation)
{
        static const struct {
                const char *id, *verdict, *reason;
        } rows[] = {
                {"misbehaving.passes", "pass", ""},
                {"misbehaving.fails", "fail", ""},
                {"misbehaving.linux_only", "pass", ""},
                {"misbehaving.crashes", "crash", "killed by SIGSEGV"},
                {"misbehaving.child_crashes", "crash", "killed by SIGABRT"},
                {"misbehaving.hangs", "hang", "no end after 0.4 s"},
                {"misbehaving.ignores_signals", "hang", "no end after 0.4 s"},
                {"misbehaving.runaway_grandchild", "pass", ""},
                {"misbehaving.fork_storm", "pass", ""},
                {"misbehaving.observes_nothing", "error", "the case made no observation"},
                {"misbehaving.set_up_fails", "error", "shmget of a new segment of 0 bytes: EINVAL"},
                {"misbehaving.skips", "skip", "there is no such thing here"},
                {"misbehaving.exits", "error", "the case's process exited with status 7"},
                {"misbehaving.writes_to_output", "pass", ""},
                {"misbehaving.many_steps", "pass", ""},
                {"misbehaving.many_observations", "error", "observations found no room"},
                {"misbehaving.leaves_segments", "pass", ""},
                {"misbehaving.means_to_leave_more", "fail", ""},
                {"misbehaving.scratch", "pass", ""},
                {"misbehaving.ticks", "pass", ""},
        };
        static const char *const isolations[] = {"auto", "userns", "host"};
        for (size_t k = 0; k < sizeof(isolations) / sizeof(isolations[0]); k++) {
                char command[256];
                size_t before = segments_here();
                snprintf(command, sizeof(command),
                         "TMPDIR=\"$I\" \"$I\"/shmcheck run --agent \"$I\"/shmcheck-test-agent --timeout 0.4 --json - "
                         "--isolation %s 2>/dev/null",
                         isolations[k]);
                struct finished f = run_command(command);
                if (f.status == 3 && f.out_length == 0 && strcmp(isolations[k], "userns") == 0) {
                        finished_free(&f);
                        continue;
                }
                json_t *results = json_output(&f);
                cr_expect_eq(f.status, 1, "%s: exit %d", isolations[k], f.status);
                cr_expect(json_is_true(json_object_get(results, "complete")), "%s", isolations[k]);
                for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                        cr_expect_str_eq(verdict_in(results, rows[i].id), rows[i].verdict, "%s: %s", isolations[k],
                                         rows[i].id);
                        cr_expect(has(f.out, rows[i].reason), "%s: %s", isolations[k], rows[i].reason);
                }
                cr_expect_eq(processes_named(getenv("I")), 0, "%s", isolations[k]);
                cr_expect_eq(segments_here(), before, "%s", isolations[k]);
                json_decref(results);
                finished_free(&f);
        }
        struct finished left = run_command("ls $I | grep -vx -e shmcheck -e shmcheck-agent -e shmcheck-test-agent");
        cr_expect_str_empty(left.out, "%s", left.out);
        finished_free(&left);
}

Test(misbehaving, a_divergence_is_told_with_what_led_to_it)
{
        struct finished f = run_command(MISBEHAVING "misbehaving.fails");
        cr_expect_eq(f.status, 1);
        cr_expect(has(f.out, "FAIL misbehaving.fails\n     A case whose observation no profile allows\n"), "%s", f.out);
        cr_expect(has(f.out, "     none · posix-shall · ci/tests/cases/misbehaving.c:"), "%s", f.out);
        cr_expect(has(f.out, "     shmctl(0, IPC_STAT, 0x"), "%s", f.out);
        cr_expect(has(f.out, "   expected EINVAL or EIDRM   got 0\n"), "%s", f.out);
        cr_expect(has(f.out, "     before it: shmget(0x5e3a0001, 3333, IPC_CREAT|IPC_EXCL|0600) = 0\n"), "%s", f.out);
        cr_expect(has(f.out, "     note: made to fail\n"), "%s", f.out);
        cr_expect(has(f.out, "POSIX 0/1, Linux 0/1 · "), "%s", f.out);
        finished_free(&f);
}

Test(misbehaving, rounds_that_differ_are_flaky)
{
        struct finished f = run_command(MISBEHAVING "--repeat 40 misbehaving.alternates misbehaving.passes");
        cr_expect_eq(f.status, 1, "%s", f.err);
        cr_expect(has(f.out, "FLAKY misbehaving.alternates\n") && has(f.out, "     rounds: "), "%s", f.out);
        cr_expect(has(f.out, "Linux 1/2"), "%s", f.out);
        finished_free(&f);
}

Test(run, what_did_not_run_replaces_no_record)
{
        struct finished f = run_command("r=$(mktemp) && echo before >$r; "
                                        "$B/shmcheck run 'nope*' --record $r; echo $?; cat $r; "
                                        "$B/shmcheck run --agent /bin/echo --record $r; echo $?; cat $r; "
                                        "$B/shmcheck run --on 'true' --record $r; echo $?; cat $r; rm $r");
        cr_expect_str_eq(f.out, "2\nbefore\n3\nbefore\n3\nbefore\n", "%s%s", f.out, f.err);
        finished_free(&f);
}

Test(run, a_command_that_starts_the_agent_twice_is_told_so)
{
        struct finished f = run_command("$B/shmcheck run --on 'sh -c \"$B/shmcheck-agent --filter walk*; "
                                        "$B/shmcheck-agent --filter walk*\"'");
        cr_expect_eq(f.status, 3, "%s%s", f.out, f.err);
        cr_expect(has(f.err, "a second one begins in it"), "%s", f.err);
        finished_free(&f);
}

Test(run, a_command_that_ignores_a_signal_is_killed_by_the_next, .timeout = 40)
{
        struct finished f =
                run_command("$B/shmcheck run --on 'sh -c \"trap : TERM INT HUP; while :; do sleep 0.1; "
                            "done\"' & sleep 0.5; kill -TERM $!; sleep 0.5; kill -TERM $!; wait $!; echo $?");
        cr_expect_str_eq(f.out, "3\n", "%s%s", f.out, f.err);
        finished_free(&f);
}

/* runsc does this to the descriptors that it gets. */
Test(run, a_command_that_does_not_block_leaves_the_terminal_blocking)
{
        struct finished f = run_command("o=$(mktemp) && printf '#!/bin/sh\\nperl -MFcntl -e \"fcntl(STDERR, F_SETFL, "
                                        "O_NONBLOCK | fcntl(STDERR, F_GETFL, 0))\"\\nexec \"\\$@\"\\n' >$o.sh; "
                                        "chmod +x $o.sh; script -qec \"$B/shmcheck run --on $o.sh 'shmdt.error.*'; "
                                        "grep flags /proc/self/fdinfo/2\" /dev/null; rm $o $o.sh");
        const char *flags = strstr(f.out, "flags:");
        cr_assert_not_null(flags, "%s%s", f.out, f.err);
        cr_expect_eq(strtol(flags + strlen("flags:"), NULL, 8) & O_NONBLOCK, 0, "%s", f.out);
        finished_free(&f);
}

Test(run, a_baseline_for_a_case_that_is_none_is_told_by_its_line)
{
        struct finished f = run_command("b=$(mktemp) && printf '# known\nshmdt.error.secnd # slip\n' >$b && "
                                        "$B/shmcheck run --baseline $b >/dev/null; echo $?; rm $b");
        cr_expect_str_eq(f.out, "2\n", "%s", f.out);
        cr_expect(has(f.err, ":2: no case is called 'shmdt.error.secnd'; the nearest is 'shmdt.error.second'\n"), "%s",
                  f.err);
        finished_free(&f);
}

Test(run, stress_keeps_a_race_going_for_its_time)
{
        struct finished f =
                run_command("s=$(date +%s%N); $B/shmcheck run --stress 1.2 --timeout 1 race.excl.one_winner | "
                            "tail -n 1; e=$(date +%s%N); echo $(((e - s) / 100000000))");
        const char *tenths = strchr(f.out, '\n');
        cr_assert_not_null(tenths);
        cr_expect(has(f.out, "Linux 1/1"), "%s", f.out);
        cr_expect_geq(strtol(tenths, NULL, 10), 12, "%s", f.out);
        finished_free(&f);
}

/* Addresses, line numbers and the platform differ from day to day and machine to machine; nothing else may. */
#define NORMALIZED "sed -E 's/0x[0-9a-f]+/ADDRESS/g; s/(\\.c):[0-9]+/\\1/; s/ on Linux .*//'"

Test(readme, shows_a_divergence_as_it_is)
{
        struct finished shown = run_command("sed -n '/^    FAIL/,/^         here:/s/^    //p' README.md | " NORMALIZED);
        struct finished real = run_command("SHMCHECK_MUTANT=detach_twice_succeeds $B/shmcheck run "
                                           "--preload $B/libshmmutant.so shmdt.error.second | "
                                           "sed -n '/^FAIL/,/^     here:/p' | " NORMALIZED);
        cr_expect(has(real.out, "FAIL shmdt.error.second\n"));
        cr_expect_str_eq(shown.out, real.out);
        finished_free(&shown);
        finished_free(&real);
}

/* ---- judge and explain ---- */

Test(judge, a_record_gets_the_verdicts_of_its_run)
{
        struct finished f = run_command(
                "d=$(mktemp -d) && r=$(realpath $B) && cd $d && "
                "$r/shmcheck run --agent $r/shmcheck-test-agent --timeout 0.4 --record rec >run 2>/dev/null; "
                "$r/shmcheck judge rec >judged 2>/dev/null; echo $?; diff run judged && echo same; "
                "sed 's/^/[ 1.5] kernel: x\\n/; s/$/\\r/' rec | $r/shmcheck judge - >noisy 2>/dev/null; "
                "diff run noisy && echo same; rm -r $d");
        cr_expect(has(f.out, "1\nsame\nsame\n"), "%s%s", f.out, f.err);
        finished_free(&f);
}

Test(judge, a_cut_record_names_the_case_that_was_running)
{
        struct finished f = run_command("$B/shmcheck-agent --jobs 1 --filter 'shmdt.ok.*' | grep -v clock-tick | "
                                        "awk '/\"begin\"/ && ++n == 4 {print; exit} {print}' >/tmp/shmcheck-test-cut; "
                                        "$B/shmcheck judge /tmp/shmcheck-test-cut >/dev/null; echo $?; "
                                        "rm /tmp/shmcheck-test-cut");
        cr_expect_str_eq(f.out, "3\n", "%s", f.out);
        cr_expect(has(f.err, "shmcheck: the record is cut short: ") && has(f.err, "running when it ended: shmdt.ok."),
                  "%s", f.err);
        finished_free(&f);
}

Test(judge, a_profile_of_one_s_own_overrides)
{
        struct finished f = run_command(
                "d=$(mktemp -d); echo '{\"profile\":\"mine\",\"title\":\"Mine\",\"refines\":\"linux\",\"overrides\":["
                "{\"case\":\"misbehaving.fails\",\"expected\":[\"success\"],\"why\":\"so\",\"source\":\"here\"}]}' "
                ">$d/mine.json; " MISBEHAVING
                "--profile $d/mine.json misbehaving.fails misbehaving.passes | tail -n 1; "
                "rm -r $d");
        cr_expect(has(f.out, "POSIX 1/2, Linux 1/2, Mine 1/2"), "the override is of every observation: %s", f.out);
        finished_free(&f);
}

Test(explain, tells_all_that_is_known_of_a_case)
{
        struct finished f = run_command("$B/shmcheck explain walkthrough.tutorial");
        static const char *const parts[] = {
                "case       walkthrough.tutorial\n",
                "sentence   ftok, shmget, shmat,",
                "clause     POSIX XSH",
                "level      posix-shall\n",
                "needs      nothing\n",
                "  1. result of ftok\n",
                "      POSIX  success\n",
                "      here   success\n",
                "\ncases/walkthrough.c:",
                "CASE(\"walkthrough.tutorial\",",
                "        make_scratch_directory();\n",
        };
        cr_expect_eq(f.status, 0, "%s", f.err);
        for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
                cr_expect(has(f.out, parts[i]), "%s\n%s", parts[i], f.out);
        finished_free(&f);
}

/* dietlibc's profile has overrides for what any case may read of a shmid_ds, which this one does not. */
Test(explain, tells_which_platforms_differ_in_what_the_case_observes)
{
        struct finished f = run_command("$B/shmcheck explain shmdt.error.second");
        const char *head = strstr(f.out, "\nplatforms of which it is known that they differ:\n  - ");
        cr_assert_not_null(head, "%s", f.out);
        cr_expect(has(head, "  - Cygwin without cygserver: result of shm*: ENOSYS, since "), "%s", head);
        cr_expect(has(head, ": ending: setup, since "), "%s", head);
        cr_expect_null(strstr(head, "shm_segsz"), "%s", head);
        finished_free(&f);
}
