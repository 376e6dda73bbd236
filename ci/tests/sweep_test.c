/* `shmcheck sweep` as a user meets it: wrong usage, commands it cannot sweep, the known bugs of the wrappers. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "shm_programs.h"

#define SWEEP "$B/shmcheck sweep "
#define WRAPPERS "ci/tests/wrappers/"

static void set_up(void)
{
        enter_own_ipc_namespace();
        make_shm_programs();
}

/* Compiles the wrapper to $D/name. */
static void compile(const char *name)
{
        char command[256];
        snprintf(command, sizeof(command), "cc -std=c11 -D_GNU_SOURCE -g -O0 " WRAPPERS "%s.c -o $D/%s", name, name);
        struct finished f = run_command(command);
        cr_assert_eq(f.status, 0, "%s", f.err);
        finished_free(&f);
}

/* The number of the line of the wrapper that holds the text. */
static int line_of(const char *name, const char *text)
{
        char command[256];
        snprintf(command, sizeof(command), "grep -nF '%s' " WRAPPERS "%s | head -n 1", text, name);
        struct finished f = run_command(command);
        int line = (int)strtol(f.out, NULL, 10);
        cr_assert(line > 0, "%s", text);
        finished_free(&f);
        return line;
}

/* ---- nothing is run ---- */

#define COMMAND " -- echo started"

Test(sweep, wrong_usage_gets_one_line_and_runs_nothing, .init = set_up, .fini = remove_shm_programs)
{
        static const struct {
                const char *options, *line;
        } rows[] = {
                {"", "sweep: no command; it stands behind --: shmcheck sweep [OPTION...] -- CMD [ARG...]"},
                {"echo" COMMAND, "sweep: 'echo' is no option; the command stands behind --"},
                {"--profil posix" COMMAND, "sweep: unknown option '--profil'; the nearest is '--profile'"},
                {"--profile solaris" COMMAND, "--profile solaris: takes linux or posix"},
                {"-j 0" COMMAND, "--jobs 0: takes a whole number from 1 to 256"},
                {"-j two" COMMAND, "--jobs two: takes a whole number from 1 to 256"},
                {"--timeout 0" COMMAND, "--timeout 0: takes a number of seconds above 0"},
                {"--timeout soon" COMMAND, "--timeout soon: takes a number of seconds above 0"},
                {"--pairs 0" COMMAND, "--pairs 0: takes a whole number from 1 to 1000000"},
                {"--via krnel" COMMAND, "--via krnel: takes preload or kernel"},
                {"--baseline /no/such" COMMAND, "--baseline /no/such: No such file or directory"},
                {"--json /no/such" COMMAND, "--json /no/such: No such file or directory"},
                {"--json /tmp" COMMAND, "--json /tmp: Is a directory"},
                {"-- no-such-program", "no-such-program: no such program in PATH"},
                {"-- /no/such", "/no/such: No such file or directory"},
                {"-- ./Makefile", "./Makefile: may not be executed: Permission denied"},
        };
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                char command[256];
                char line[256];
                snprintf(command, sizeof(command), SWEEP "%s", rows[i].options);
                snprintf(line, sizeof(line), "shmcheck: %s\n", rows[i].line);
                struct finished f = run_command(command);
                cr_expect_eq(f.status, 2, "%s: exit %d", command, f.status);
                cr_expect_str_eq(f.err, line, "%s", command);
                cr_expect_str_empty(f.out, "%s", command);
                finished_free(&f);
        }
}

/* ---- nothing is tried ---- */

static void expect_refusal(const char *command, const char *reason)
{
        struct finished f = run_command(command);
        cr_expect_eq(f.status, 3, "%s: exit %d", command, f.status);
        cr_expect(has(f.err, reason), "%s: %s", command, f.err);
        cr_expect_str_empty(f.out, "%s", command);
        finished_free(&f);
}

Test(sweep, a_command_that_cannot_be_swept_is_told, .init = set_up, .fini = remove_shm_programs)
{
        expect_refusal(SWEEP "-- true", "no System V shared memory call of true was seen; --via kernel also sees");
        expect_refusal(SWEEP "--via kernel -- true", "true made no System V shared memory call");
        expect_refusal(SWEEP "-- false", "false ends with status 1 without a fault; nothing was tried\n");
        expect_refusal(SWEEP "-- sh -c 'kill -SEGV $$'", "is killed by SIGSEGV without a fault");
        expect_refusal(SWEEP "-- sh -c 'echo why >&2; exit 7'", "stderr| why\n");
        expect_refusal(SWEEP "--timeout 0.2 -- sleep 9", "sleep does not end in 0.2 s without a fault");
        expect_refusal(SWEEP "-- tty", "it has no terminal here: it writes to pipes, and cannot open /dev/tty\n");
        expect_refusal("sleep 0.3 | " SWEEP "-- sh -c 'cat; exit 1'", "it reads standard input, which is empty here");
}

Test(sweep, a_static_program_is_refused_by_name, .init = set_up, .fini = remove_shm_programs)
{
        if (!compile_shm_queue("cc -static", "static"))
                cr_skip_test("no static C library");
        struct finished f = run_command(SWEEP "-- $D/static clean");
        cr_expect_eq(f.status, 2);
        cr_expect(has(f.err, "a static program") && has(f.err, "--via kernel"), "%s", f.err);
        finished_free(&f);
        f = run_command(SWEEP "--via kernel -- $D/static once");
        cr_expect(has(f.out, "shmget"), "%s", f.out);
        finished_free(&f);
}

/* ---- the known bugs ---- */

/* Sweeps, and returns the report; the sweep ends with this status and has found so much. */
static json_t *sweep(const char *options, const char *command, int status, size_t findings)
{
        char line[512];
        snprintf(line, sizeof(line), SWEEP "%s --json - -- %s", options, command);
        struct finished f = run_command(line);
        cr_assert_eq(f.status, status, "%s: exit %d: %s", line, f.status, f.err);
        json_t *report = json_output(&f);
        cr_assert_eq(json_array_size(json_object_get(report, "findings")), findings, "%s: %s", line, f.err);
        cr_expect_eq(segments_here(), 0);
        finished_free(&f);
        return report;
}

static const char *text_in(const json_t *object, const char *name)
{
        const char *text = json_string_value(json_object_get(object, name));
        return text ? text : "";
}

/* The command line that the report gives shows what it says, by its exit status. */
static void expect_reproduced(const json_t *finding, int status)
{
        char command[2048];
        struct finished f;
        snprintf(command, sizeof(command), "PATH=$B:$PATH; timeout -k 1 3 %s", text_in(finding, "reproduce"));
        f = run_command(command);
        cr_expect_eq(f.status, status, "%s: exit %d", command, f.status);
        finished_free(&f);
}

/* Sweeps the wrapper with one bug, which is where it says so. */
static void expect_bug(const char *name, const char *outcome, const char *key, int status)
{
        char source[64];
        char command[64];
        compile(name);
        snprintf(source, sizeof(source), "%s.c", name);
        snprintf(command, sizeof(command), "$D/%s", name);
        json_t *report = sweep("--timeout 1", command, 1, 1);
        const json_t *finding = json_array_get(json_object_get(report, "findings"), 0);
        size_t index = (size_t)json_integer_value(json_object_get(finding, "site"));
        const json_t *site = json_array_get(json_object_get(report, "sites"), index);
        cr_expect_str_eq(text_in(finding, "outcome"), outcome);
        cr_expect_str_eq(text_in(finding, "key"), key);
        cr_expect(json_is_true(json_object_get(finding, "confirmed")));
        cr_expect(has(text_in(site, "file"), source), "%s", text_in(site, "file"));
        cr_expect_eq(json_integer_value(json_object_get(site, "line")), line_of(source, "/* bug */"));
        expect_reproduced(finding, status);
        json_decref(report);
}

Test(sweep, a_wrapper_that_copes_has_no_finding, .init = set_up, .fini = remove_shm_programs)
{
        compile("copes");
        json_t *report = sweep("--delay", "$D/copes", 0, 0);
        const json_t *outcomes = json_object_get(report, "outcomes");
        cr_expect_eq(json_integer_value(json_object_get(outcomes, "reported")), 21);
        cr_expect_eq(json_integer_value(json_object_get(outcomes, "absorbed")), 10);
        json_decref(report);
}

Test(sweep, an_unchecked_shmat_crashes, .init = set_up, .fini = remove_shm_programs)
{
        expect_bug("crashes", "crashed", "crashed:shmat:attach@crashes.c", 139);
}

Test(sweep, a_crash_is_told_with_its_stack, .init = set_up, .fini = remove_shm_programs)
{
        compile("crashes");
        json_t *report = sweep("-j 1", "sh -c '$D/crashes'", 1, 1);
        const json_t *stack = json_object_get(json_array_get(json_object_get(report, "findings"), 0), "stack");
        const char *innermost = json_string_value(json_array_get(stack, 0));
        const char *outer = json_string_value(json_array_get(stack, 1));
        cr_assert(innermost && outer);
        cr_expect(has(innermost, "attach (crashes.c:"), "%s", innermost);
        cr_expect(has(outer, "main (crashes.c:"), "%s", outer);
        json_decref(report);
}

Test(sweep, the_kernel_side_finds_the_same, .init = set_up, .fini = remove_shm_programs)
{
        compile("leaks");
        json_t *report = sweep("--via kernel", "$D/leaks", 1, 1);
        const json_t *finding = json_array_get(json_object_get(report, "findings"), 0);
        cr_expect_str_eq(text_in(finding, "key"), "leaked:shmat");
        expect_reproduced(finding, 1);
        json_decref(report);
}

Test(sweep, a_forgotten_segment_leaks, .init = set_up, .fini = remove_shm_programs)
{
        expect_bug("leaks", "leaked", "leaked:shmat:open_counter@leaks.c", 1);
}

Test(sweep, an_endless_retry_hangs, .init = set_up, .fini = remove_shm_programs)
{
        expect_bug("hangs", "hung", "hung:shmget:open_existing@hangs.c", 124);
}

Test(sweep, an_unnoticed_error_is_wrong, .init = set_up, .fini = remove_shm_programs)
{
        expect_bug("wrong", "wrong", "wrong:shmctl/IPC_STAT:size_of@wrong.c", 0);
}

/* ---- forks ---- */

static bool has_note(const json_t *report, const char *part)
{
        size_t i = 0;
        json_t *note = NULL;
        json_array_foreach(json_object_get(report, "notes"), i, note)
        {
                if (has(json_string_value(note), part))
                        return true;
        }
        return false;
}

/* All that is told of each run but what is another in each: times and ids. */
static json_t *comparable(json_t *report)
{
        size_t i = 0;
        size_t k = 0;
        json_t *run = NULL;
        json_t *left = NULL;
        json_array_foreach(json_object_get(report, "runs"), i, run)
        {
                json_object_del(run, "time_ns");
                json_array_foreach(json_object_get(run, "left"), k, left)
                {
                        json_object_del(left, "shmid");
                }
        }
        return json_pack("{s:O, s:O, s:O}", "runs", json_object_get(report, "runs"), "findings",
                         json_object_get(report, "findings"), "sites", json_object_get(report, "sites"));
}

static void expect_same_with_forks(const char *command, int status, size_t findings)
{
        json_t *forked = sweep("-j 1 --timeout 1", command, status, findings);
        json_t *anew = sweep("-j 1 --timeout 1 --no-fork-server", command, status, findings);
        json_t *with = comparable(forked);
        json_t *without = comparable(anew);
        cr_expect(!has_note(forked, "started anew"), "%s", command);
        cr_expect(json_equal(with, without), "%s:\n%s\n%s", command, json_dumps(with, JSON_INDENT(1)),
                  json_dumps(without, JSON_INDENT(1)));
        json_decref(with);
        json_decref(without);
        json_decref(forked);
        json_decref(anew);
}

Test(sweep, forks_find_the_same_in_programs, .init = set_up, .fini = remove_shm_programs)
{
        static const struct {
                const char *name;
                int status;
        } rows[] = {{"copes", 0}, {"crashes", 1}, {"leaks", 1}, {"hangs", 1}, {"wrong", 1}};
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                char command[64];
                compile(rows[i].name);
                snprintf(command, sizeof(command), "$D/%s", rows[i].name);
                expect_same_with_forks(command, rows[i].status, (size_t)rows[i].status);
        }
}

Test(sweep, forks_find_the_same_in_scripts, .init = set_up, .fini = remove_shm_programs)
{
        need_program("perl");
        expect_same_with_forks("perl " WRAPPERS "message.pl", 1, 2);
}

Test(sweep, forks_have_files_and_memory_of_their_own, .init = set_up, .fini = remove_shm_programs)
{
        compile("reader");
        struct finished f = run_command("printf 'one\\ntwo\\n' >$D/input");
        finished_free(&f);
        expect_same_with_forks("$D/reader <$D/input", 0, 0);
}

Test(sweep, what_cannot_be_forked_is_started_anew_and_told, .init = set_up, .fini = remove_shm_programs)
{
        static const struct {
                const char *reason, *words;
        } rows[] = {{"thread", "it has 2 threads at its first call"},
                    {"pipe", "is a pipe, a socket or the like"},
                    {"timer", "it has a timer running"},
                    {"temporary", "is a file without a name"},
                    {"child", "it has started other processes"},
                    {"process", "its first call is made by another process"}};
        compile("unfit");
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                char command[64];
                snprintf(command, sizeof(command), "$D/unfit %s", rows[i].reason);
                json_t *report = sweep("", command, 0, 0);
                cr_expect(has_note(report, rows[i].words), "%s", rows[i].reason);
                cr_expect(has_note(report, "each run is started anew"), "%s", rows[i].reason);
                json_decref(report);
        }
}

/* ---- scripts ---- */

Test(sweep, a_python_script_is_swept, .init = set_up, .fini = remove_shm_programs)
{
        need_program("python3");
        json_t *report = sweep("--per-site 1", "python3 " WRAPPERS "ctypes_shm.py", 1, 1);
        const json_t *finding = json_array_get(json_object_get(report, "findings"), 0);
        cr_expect_str_eq(text_in(finding, "outcome"), "crashed");
        cr_expect(has(text_in(finding, "where"), "shmat"), "%s", text_in(finding, "where"));
        expect_reproduced(finding, 139);
        json_decref(report);
}

Test(sweep, a_perl_script_is_swept, .init = set_up, .fini = remove_shm_programs)
{
        need_program("perl");
        json_t *report = sweep("", "perl " WRAPPERS "message.pl", 1, 2);
        for (size_t i = 0; i < 2; i++) {
                const json_t *finding = json_array_get(json_object_get(report, "findings"), i);
                cr_expect_str_eq(text_in(finding, "outcome"), "wrong");
                cr_expect(has(text_in(finding, "where"), "Perl_do_shmio"), "%s", text_in(finding, "where"));
        }
        json_decref(report);
}

/* ---- what is not steady, and what is kept elsewhere ---- */

Test(sweep, output_that_is_never_the_same_is_told_and_not_compared, .init = set_up, .fini = remove_shm_programs)
{
        compile("copes");
        json_t *report = sweep("", "sh -c 'head -c 400 /dev/urandom | tr -c a-z a; echo; $D/copes'", 0, 0);
        cr_expect(has_note(report, "its standard output differs from run to run"));
        json_decref(report);
}

Test(sweep, numbers_that_differ_hide_no_bug, .init = set_up, .fini = remove_shm_programs)
{
        compile("crashes");
        json_t *report = sweep("", "sh -c 'echo pid $$; $D/crashes'", 1, 1);
        cr_expect(has_note(report, "its standard output differs in words with digits"));
        json_decref(report);
}

Test(sweep, runs_that_disturb_each_other_are_made_one_at_a_time, .init = set_up, .fini = remove_shm_programs)
{
        compile("copes");
        json_t *report = sweep(
                "-j 4", "sh -c 'mkdir $D/lock || exit 1; sleep 0.05; $D/copes; s=$?; rmdir $D/lock; exit $s'", 0, 0);
        cr_expect(has_note(report, "runs side by side disturb each other"));
        json_decref(report);
}

Test(sweep, state_that_a_fault_leaves_elsewhere_is_told, .init = set_up, .fini = remove_shm_programs)
{
        compile("leaks");
        json_t *report =
                sweep("-j 1", "sh -c 'test ! -e $D/broken || exit 9; $D/leaks || { touch $D/broken; exit 1; }'", 0, 0);
        cr_expect(has_note(report, "without a fault it is not what it was before (exit status 9"));
        json_decref(report);
}

/* ---- what is not an errno ---- */

Test(sweep, a_kill_that_the_next_start_does_not_survive_is_found, .init = set_up, .fini = remove_shm_programs)
{
        compile("hangs");
        json_t *report = sweep("--kill --timeout 1", "$D/hangs", 1, 2);
        const json_t *finding = json_array_get(json_object_get(report, "findings"), 1);
        cr_expect_str_eq(text_in(finding, "outcome"), "unrecovered");
        cr_expect_str_eq(text_in(finding, "key"), "unrecovered:shmget:main@hangs.c");
        expect_reproduced(finding, 1);
        json_decref(report);
}

Test(sweep, a_command_that_does_not_run_twice_is_not_killed, .init = set_up, .fini = remove_shm_programs)
{
        json_t *report = sweep("--kill", "$Q leak", 0, 0);
        cr_expect(has_note(report, "--kill is left out"));
        json_decref(report);
}

Test(sweep, pairs_are_bounded_and_counted, .init = set_up, .fini = remove_shm_programs)
{
        compile("copes");
        json_t *report = sweep("--pairs 3", "$D/copes", 0, 0);
        cr_expect(has_note(report, "pairs of faults: 3 of "));
        cr_expect_eq(json_array_size(json_object_get(report, "runs")), 24);
        json_decref(report);
}

/* ---- known findings ---- */

Test(sweep, only_findings_that_are_not_known_count, .init = set_up, .fini = remove_shm_programs)
{
        compile("leaks");
        struct finished f =
                run_command("echo 'leaked:shmat:open_counter@leaks.c  # since ever' >$D/known;"
                            "echo 'crashed:shmat:main@gone.c' >>$D/known;" SWEEP "--baseline $D/known -- $D/leaks");
        cr_expect_eq(f.status, 0, "%s", f.err);
        cr_expect(has(f.out, "0 findings, 1 more known"), "%s", f.out);
        cr_expect(has(f.err, "/known:2: 'crashed:shmat:main@gone.c' is not found any more\n"), "%s", f.err);
        finished_free(&f);
        f = run_command("echo 'leaked:shmat:other@leaks.c' >$D/known;" SWEEP "--baseline $D/known -- $D/leaks");
        cr_expect_eq(f.status, 1, "%s", f.err);
        finished_free(&f);
}

/* ---- reports ---- */

Test(sweep, each_report_tells_the_finding, .init = set_up, .fini = remove_shm_programs)
{
        compile("leaks");
        struct finished f = run_command(SWEEP "--junit $D/xml --markdown $D/md --html $D/html -- $D/leaks && exit 9;"
                                              "cat $D/xml $D/md $D/html");
        cr_expect_eq(f.status, 0, "%s", f.err);
        cr_expect(has(f.out, "<testsuite name=\"shmat:open_counter@leaks.c\" tests=\"5\" failures=\"3\""));
        cr_expect(has(f.out, "<failure type=\"leaked\" message=\"leaked: shmat:error=EACCES:when=1 at shmat in "));
        cr_expect(has(f.out, "## shmcheck sweep: 1 finding\n"));
        cr_expect(has(f.out, "shmcheck trace --leaks=error --inject shmat:error=EACCES -- "));
        cr_expect(has(f.out, "<title>shmcheck sweep</title>"));
        cr_expect(has(f.out, "\"key\":\"leaked:shmat:open_counter@leaks.c\""));
        finished_free(&f);
        f = run_command(SWEEP "--json - --html - -- $D/leaks");
        cr_expect_eq(f.status, 2);
        cr_expect_str_eq(f.err, "shmcheck: sweep: only one report can go to standard output\n");
        finished_free(&f);
}

/* ---- ends ---- */

Test(sweep, a_report_that_cannot_be_written_is_told, .init = set_up, .fini = remove_shm_programs)
{
        compile("copes");
        struct finished f = run_command(SWEEP "-- $D/copes >/dev/full");
        cr_expect_eq(f.status, 3);
        cr_expect(has(f.err, "the report could not be written: No space left on device"), "%s", f.err);
        finished_free(&f);
        f = run_command(SWEEP "--json /dev/full -- $D/copes");
        cr_expect_eq(f.status, 3);
        cr_expect(has(f.err, "--json /dev/full: No space left on device"), "%s", f.err);
        finished_free(&f);
}

Test(sweep, an_interrupt_tells_what_is_known_so_far, .init = set_up, .fini = remove_shm_programs)
{
        compile("crashes");
        struct finished f = run_command("timeout -s INT 1.5 $B/shmcheck sweep -j 1 --json $D/json -- "
                                        "sh -c 'sleep 0.1; $D/crashes'");
        cr_expect_eq(f.status, 124, "exit %d", f.status);
        cr_expect(has(f.err, "ended by SIGINT: ") && has(f.err, " of 16 runs were made\n"), "%s", f.err);
        cr_expect(has(f.out, "ended before all were made"), "%s", f.out);
        finished_free(&f);
        f = run_command("cat $D/json");
        json_t *report = json_output(&f);
        cr_expect(json_is_false(json_object_get(report, "complete")));
        json_decref(report);
        finished_free(&f);
}

Test(sweep, a_sweep_that_was_ended_goes_on, .init = set_up, .fini = remove_shm_programs)
{
        compile("hangs");
        struct finished f = run_command("timeout -s KILL 1.5 " SWEEP "-j 1 --timeout 0.7 --pairs 5 --resume $D/log -- "
                                        "sh -c 'sleep 0.1; $D/hangs'; printf '{\"cut' >>$D/log; wc -l <$D/log");
        long lines = strtol(f.out, NULL, 10);
        cr_expect(lines > 2 && lines < 15, "%ld", lines);
        finished_free(&f);
        f = run_command(SWEEP
                        "-j 1 --timeout 0.7 --pairs 5 --resume $D/log --json $D/json -- sh -c 'sleep 0.1; $D/hangs'");
        cr_expect_eq(f.status, 1, "%s", f.err);
        finished_free(&f);
        json_t *whole = sweep("--timeout 0.7 --pairs 5", "sh -c 'sleep 0.1; $D/hangs'", 1, 1);
        f = run_command("cat $D/json");
        json_t *resumed = json_output(&f);
        finished_free(&f);
        cr_expect(json_equal(json_object_get(whole, "outcomes"), json_object_get(resumed, "outcomes")));
        f = run_command("wc -l <$D/log");
        cr_expect_eq((size_t)strtol(f.out, NULL, 10), 1 + json_array_size(json_object_get(whole, "runs")));
        finished_free(&f);
        json_decref(whole);
        json_decref(resumed);
}

Test(sweep, a_log_of_something_else_is_refused, .init = set_up, .fini = remove_shm_programs)
{
        compile("copes");
        struct finished f = run_command(SWEEP "--resume $D/log -- $D/copes; echo '[' >$D/none; echo '{}' >$D/other");
        cr_expect_eq(f.status, 0);
        finished_free(&f);
        static const struct {
                const char *options, *line;
        } rows[] = {{"--resume $D/log --rare -- $D/copes", "/log: is of another --rare\n"},
                    {"--resume $D/log -- $D/copes again", "/log: is of another command\n"},
                    {"--resume $D/none -- $D/copes", "/none: line 1: "},
                    {"--resume $D/other -- $D/copes", "/other: is no log of a sweep\n"},
                    {"--resume /no/such -- $D/copes", "--resume /no/such: No such file or directory\n"}};
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                char command[256];
                snprintf(command, sizeof(command), SWEEP "%s", rows[i].options);
                f = run_command(command);
                cr_expect_eq(f.status, 2, "%s: exit %d", command, f.status);
                cr_expect(has(f.err, rows[i].line), "%s: %s", command, f.err);
                finished_free(&f);
        }
}

Test(sweep, a_killed_sweep_leaves_nothing, .init = set_up, .fini = remove_shm_programs)
{
        compile("leaks");
        struct finished f = run_command("$B/shmcheck sweep -- sh -c '$D/leaks; sleep 7.531' & sleep 0.5; kill -KILL $!;"
                                        "sleep 0.5; wait");
        finished_free(&f);
        cr_expect_eq(segments_here(), 0);
        cr_expect_eq(processes_named("sleep 7.531"), 0);
}

Test(sweep, a_change_of_directory_is_told, .init = set_up, .fini = remove_shm_programs)
{
        compile("unfit");
        struct finished f = run_command(SWEEP "-- $D/unfit directory");
        cr_expect_eq(f.status, 0, "%s", f.err);
        cr_expect(has(f.out, "note: before its first call it changes its directory to /proc\n"), "%s", f.out);
        finished_free(&f);
}

Test(sweep, not_all_keys_are_taken_at_once, .init = set_up, .fini = remove_shm_programs)
{
        compile("draws");
        json_t *report = sweep("", "$D/draws", 0, 0);
        const json_t *outcomes = json_object_get(report, "outcomes");
        cr_expect_eq(json_integer_value(json_object_get(outcomes, "absorbed")), 1, "EEXIST, and the next key is free");
        json_decref(report);
}

Test(sweep, a_killed_sweep_leaves_no_forks, .init = set_up, .fini = remove_shm_programs)
{
        compile("hangs");
        struct finished f = run_command("count() { pgrep -c -f \"^$D/hangs\"; }\n"
                                        "$B/shmcheck sweep -j 3 --timeout 60 -- $D/hangs &\n"
                                        "for i in $(seq 100); do n=$(count); [ $n -gt 2 ] && break; sleep 0.1; done\n"
                                        "kill -KILL $!; echo $n before\n"
                                        "for i in $(seq 100); do n=$(count); [ $n -eq 0 ] && break; sleep 0.1; done\n"
                                        "echo $n after; wait");
        cr_expect(strtol(f.out, NULL, 10) > 2, "the command, a keeper and its run: %s", f.out);
        cr_expect(has(f.out, "0 after"), "%s", f.out);
        finished_free(&f);
        cr_expect_eq(segments_here(), 0);
}

/* Runs that are forks are in a user namespace, which is not to give them what the command has not. */
Test(sweep, forks_have_no_rights_that_the_command_has_not, .init = set_up, .fini = remove_shm_programs)
{
        need_namespaces_of_nobody();
        compile("refused");
        make_installation();
        struct finished f = run_command("cp $B/libshmfault.so $D/refused $I && chmod -R a+rX $I");
        finished_free(&f);
        f = run_as_nobody("$I/shmcheck sweep -- $I/refused");
        cr_expect_eq(f.status, 0, "%s%s", f.out, f.err);
        cr_expect(has(f.out, "runs with faults") && !has(f.out, "started anew"), "%s", f.out);
        finished_free(&f);
        remove_installation();
}

Test(sweep, an_unprivileged_user_sweeps, .init = set_up, .fini = remove_shm_programs)
{
        need_namespaces_of_nobody();
        compile("crashes");
        make_installation();
        struct finished f = run_command("cp $B/libshmfault.so $D/crashes $I && chmod -R a+rX $I");
        finished_free(&f);
        f = run_as_nobody("$I/shmcheck sweep -- $I/crashes");
        cr_expect_eq(f.status, 1, "%s", f.err);
        cr_expect(has(f.out, "crashed:shmat:attach@crashes.c"), "%s%s", f.out, f.err);
        finished_free(&f);
        remove_installation();
}

Test(sweep, jobs_do_not_change_what_is_found, .init = set_up, .fini = remove_shm_programs)
{
        compile("leaks");
        json_t *one = sweep("-j 1", "$D/leaks", 1, 1);
        json_t *many = sweep("-j 8", "$D/leaks", 1, 1);
        cr_expect(json_equal(json_object_get(one, "outcomes"), json_object_get(many, "outcomes")));
        json_decref(one);
        json_decref(many);
}
