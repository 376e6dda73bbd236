/* `shmcheck trace` on a small program, on real ones, and where its outputs cannot be written. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "shm_programs.h"

static void set_up(void)
{
        enter_own_ipc_namespace();
        make_shm_programs();
}

/* Standard error of the command, which has to end with this status; the caller frees it. */
static char *traced(const char *command, int status)
{
        struct finished f = run_command(command);
        cr_expect_eq(f.status, status, "%s: exit %d\n%s", command, f.status, f.err);
        free(f.out);
        return f.err;
}

/* Checks that the text holds printf-like what, made of a format and a number. */
static void expect_line(const char *text, const char *format, int number)
{
        char line[256];
        snprintf(line, sizeof(line), format, number);
        cr_expect(has(text, line), "'%s' is not in\n%s", line, text);
}

/* ---- nothing is run ---- */

Test(trace, wrong_usage_gets_one_line_and_runs_nothing, .init = set_up, .fini = remove_shm_programs)
{
        static const struct {
                const char *options, *line;
        } rows[] = {
                {"--leaks=eror -- echo started", "--leaks eror: takes error or report"},
                {"--json - --html - -- echo started",
                 "trace: only one of --json, --html and --output can go to standard output"},
                {"--json /no/such -- echo started", "--json /no/such: No such file or directory"},
                {"--html /tmp -- echo started", "--html /tmp: Is a directory"},
                {"--output /no/such -- echo started", "--output /no/such: No such file or directory"},
                {"--events /no/such -- echo started", "--events /no/such: No such file or directory"},
                {"--sumary-only -- echo started",
                 "trace: unknown option '--sumary-only'; the nearest is '--summary-only'"},
                {"-- no-such-program", "no-such-program: no such program in PATH"},
                {"", "trace: no command; it stands behind --: shmcheck trace [OPTION...] -- CMD [ARG...]"},
        };
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                expect_usage_error("trace", rows[i].options, rows[i].line);
}

Test(trace, wrong_usage_leaves_old_results_alone, .init = set_up, .fini = remove_shm_programs)
{
        struct finished f =
                run_command("for f in text json page events; do echo old >$D/$f; done; "
                            "$B/shmcheck trace --output $D/text --json $D/json --html $D/page --events $D/events "
                            "--inject shmget:eror=ENOSPC -- echo started; cat $D/*");
        cr_expect_str_eq(f.out, "old\nold\nold\nold\n");
        finished_free(&f);
}

/* ---- what is told of a program ---- */

Test(trace, each_call_is_told_with_its_place, .init = set_up, .fini = remove_shm_programs)
{
        char *err = traced("$B/shmcheck trace -- $Q leak", 0);
        cr_expect(has(err, "shmget(0x5e3a0001, 4096, IPC_CREAT|IPC_EXCL|0600) = 0 <0.0"), "%s", err);
        cr_expect(has(err, "shmget(0x5e3a0001, 4096, IPC_CREAT|IPC_EXCL|0600) = -1 EEXIST (File exists) <0.0"), "%s",
                  err);
        cr_expect(has(err, "shmat(0, NULL, SHM_RDONLY) = 0x"), "%s", err);
        cr_expect(has(err, "shmctl(0, IPC_STAT, {segsz=4096, nattch=1}) = 0 <"), "%s", err);
        expect_line(err, ">  open_segment (shm_queue.c:%d)\n", line_of_shm_queue("/* opens */"));
        expect_line(err, ">  leak (shm_queue.c:%d)\n", line_of_shm_queue("IPC_STAT"));
        cr_expect(!has(err, "[pid"), "one process, and its first thread: %s", err);
        free(err);
}

Test(trace, threads_and_processes_are_told_apart, .init = set_up, .fini = remove_shm_programs)
{
        char *err = traced("$B/shmcheck trace -- $Q thread", 0);
        int pid = 0;
        int tid = 0;
        cr_expect_eq(sscanf(err, "[pid %d tid %d] shmget(", &pid, &tid), 2, "%s", err);
        cr_expect(tid > 0 && tid != pid);
        free(err);
        err = traced("$B/shmcheck trace -- $Q killed", 0);
        cr_expect_eq(strncmp(err, "shmget(", 7), 0, "only one process is there yet: %s", err);
        cr_expect(has(err, "\n[pid ") && has(err, "] shmctl(0, IPC_RMID, NULL) = 0 <"), "%s", err);
        free(err);
}

Test(trace, the_summary_counts_by_call_and_error, .init = set_up, .fini = remove_shm_programs)
{
        char *err = traced("$B/shmcheck trace --summary-only -- $Q leak", 0);
        cr_expect_eq(strncmp(err, "call ", 5), 0, "%s", err);
        char *line = strstr(err, "\nshmget ");
        char error[32] = "";
        int calls = 0;
        cr_assert(line && (line = strstr(line + 1, "\nshmget ")) != NULL, "%s", err);
        cr_expect(sscanf(line, "\nshmget %31s %d", error, &calls) == 2 && calls == 1, "%s", line);
        cr_expect_str_eq(error, "EEXIST");
        cr_expect(has(err, "\n4 calls, 1 failed\n"), "%s", err);
        free(err);
}

Test(trace, the_end_fits_eighty_columns_and_has_no_escapes, .init = set_up, .fini = remove_shm_programs)
{
        static const char *const ways[] = {"leak", "attached", "processes", "killed"};
        for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
                char command[128];
                snprintf(command, sizeof(command), "TERM=xterm $B/shmcheck trace -o $D/out -- $Q %s; cat $D/out",
                         ways[i]);
                struct finished f = run_command(command);
                cr_expect(!has(f.out, "\033"), "%s", f.out);
                const char *end = strstr(f.out, "\n\ncall ");
                cr_assert_not_null(end, "%s", f.out);
                for (const char *line = end + 2; *line; line += strcspn(line, "\n") + 1)
                        cr_expect(strcspn(line, "\n") <= 80, "%s", line);
                finished_free(&f);
        }
}

Test(trace, a_name_with_control_characters_does_nothing_to_the_terminal, .init = set_up, .fini = remove_shm_programs)
{
        char *err = traced("cp $Q \"$D/$(printf 'q\\033[31m')\" && $B/shmcheck trace -- $D/q* leak", 0);
        cr_expect(!has(err, "\033"), "%s", err);
        cr_expect(has(err, " (q?[31m) in open_segment"), "%s", err);
        free(err);
}

/* ---- what is left ---- */

Test(trace, what_is_left_behind_is_told_with_its_maker, .init = set_up, .fini = remove_shm_programs)
{
        char *err = traced("$B/shmcheck trace -- $Q leak", 0);
        cr_expect(has(err,
                      "\nleft behind: 1 segment\n  shmid 0, key 0x5e3a0001, 4096 bytes, mode 0600\n    made by pid "),
                  "%s", err);
        expect_line(err, " (test-shm-queue) in open_segment (shm_queue.c:%d)\n    not attached\n",
                    line_of_shm_queue("/* opens */"));
        free(err);
        err = traced("$B/shmcheck trace --leaks=error -- $Q leak", 1);
        free(err);
        err = traced("$B/shmcheck trace --leaks=error -- $Q clean", 0);
        cr_expect(has(err, "\nleft behind: nothing\n"), "%s", err);
        free(err);
        err = traced("$B/shmcheck trace --leaks=error -- sh -c '$Q leak; exit 6'", 1);
        free(err);
        err = traced("$B/shmcheck trace -- sh -c '$Q leak; exit 6'", 6);
        free(err);
}

Test(trace, a_process_that_is_still_attached_is_told, .init = set_up, .fini = remove_shm_programs)
{
        char *err = traced("$B/shmcheck trace --leaks=error -- $Q attached", 1);
        cr_expect(has(err, "    attached 1 time by pid "), "%s", err);
        cr_expect(has(err, " (test-shm-queue), marked to be destroyed\n"), "%s", err);
        cr_expect(has(err, "left 1 process running, now killed: pid "), "%s", err);
        free(err);
}

Test(trace, under_host_only_what_the_command_made_counts, .init = set_up, .fini = remove_shm_programs)
{
        char *err = traced("ipcmk -M 100 >/dev/null; $B/shmcheck trace --host --leaks=error -- $Q clean", 0);
        cr_expect(has(err, "left behind: nothing\n"), "%s", err);
        free(err);
        cr_expect_eq(segments_here(), 1);
        err = traced("$B/shmcheck trace --host --leaks=error -- $Q leak", 1);
        cr_expect(has(err, "left behind: 1 segment\n"), "%s", err);
        free(err);
        cr_expect_eq(segments_here(), 2, "it is told, and not removed");
        err = traced("$B/shmcheck trace --host --leaks=error -- sh -c '$Q once; env -u LD_PRELOAD ipcmk -M 50; :'", 1);
        cr_expect(has(err, "EEXIST"), "%s", err);
        free(err);
}

Test(trace, what_others_make_in_the_host_s_namespace_is_not_the_command_s, .init = set_up, .fini = remove_shm_programs)
{
        char *err = traced("($B/shmcheck trace --host --leaks=error -- sh -c '$Q clean; : >$D/up; "
                           "while [ ! -e $D/made ]; do sleep 0.02; done' & t=$!; "
                           "while [ ! -e $D/up ]; do sleep 0.02; done; ipcmk -M 100; : >$D/made; wait $t)",
                           0);
        cr_expect(has(err, "left behind: nothing\n1 other segment appeared meanwhile"), "%s", err);
        free(err);
}

/* ---- ends that come early ---- */

Test(trace, a_call_that_a_process_died_in_is_told, .init = set_up, .fini = remove_shm_programs)
{
        char *err = traced("$B/shmcheck trace --inject shmat:signal=KILL -- $Q leak", 128 + SIGKILL);
        cr_expect(has(err, "shmat(0, NULL, SHM_RDONLY) = ? (INJECTED)  leak ("), "%s", err);
        cr_expect(has(err, "\nended by SIGKILL\n"), "%s", err);
        cr_expect(has(err, "\nleft behind: 1 segment\n"), "%s", err);
        free(err);
}

Test(trace, injected_calls_are_marked, .init = set_up, .fini = remove_shm_programs)
{
        char *err = traced(
                "$B/shmcheck trace --inject shmget:error=ENOSPC --inject shmget:error=ENOSPC:when=9 -- $Q once", 5);
        cr_expect(has(err, " = -1 ENOSPC (No space left on device) (INJECTED) <0.0"), "%s", err);
        cr_expect(has(err, "'shmget:error=ENOSPC:when=9' never fired: it matched 1 call\n"), "%s", err);
        cr_expect(has(err, "left behind: nothing\n"), "%s", err);
        free(err);
        err = traced("$B/shmcheck trace --inject shmget:delay_enter=20ms -- $Q clean", 0);
        const char *delayed = strstr(err, " = 0 (DELAYED) <");
        cr_expect(delayed && strtod(strchr(delayed, '<') + 1, NULL) >= 0.02, "%s", err);
        free(err);
        err = traced("$B/shmcheck trace --inject shmget:retval=77 --leaks=error -- $Q clean", 1);
        cr_expect(has(err, " = 77 (INJECTED) <"), "%s", err);
        cr_expect(has(err, "left behind: nothing\n"), "a lie makes no segment: %s", err);
        free(err);
}

Test(trace, a_run_without_any_call_is_never_fine, .init = set_up, .fini = remove_shm_programs)
{
        char *err = traced("$B/shmcheck trace -- true", 3);
        cr_expect(has(err, "no System V shared memory call of true was seen; --via kernel"), "%s", err);
        free(err);
        err = traced("$B/shmcheck trace --via kernel -- true", 3);
        cr_expect(has(err, "true made no System V shared memory call\n"), "%s", err);
        free(err);
}

Test(trace, the_kernel_s_side_sees_a_static_program, .init = set_up, .fini = remove_shm_programs)
{
        cr_assert(compile_shm_queue("cc -static", "static"));
        char *err = traced("$B/shmcheck trace --via kernel --leaks=error -- $D/static leak", 1);
        cr_expect(has(err, "shmget(0x5e3a0001, 4096, IPC_CREAT|IPC_EXCL|0600) = ?\n"), "%s", err);
        cr_expect(has(err, "4 calls, 0 failed; ?: the call's return was not seen\n"), "%s", err);
        cr_expect(has(err, "made by pid ") && has(err, " (static)\n    not attached\n"), "%s", err);
        free(err);
}

/* ---- results for programs ---- */

static long long number_in(const json_t *object, const char *member)
{
        return json_integer_value(json_object_get(object, member));
}

Test(trace, the_json_tells_what_was_done, .init = set_up, .fini = remove_shm_programs)
{
        struct finished f = run_command("$B/shmcheck trace --json - --output $D/text -- $Q killed");
        cr_expect_eq(f.status, 0, "%s", f.err);
        json_t *whole = json_output(&f);
        const json_t *processes = json_object_get(whole, "processes");
        const json_t *attachments = json_object_get(whole, "attachments");
        const json_t *segment = json_array_get(json_object_get(whole, "segments"), 0);
        cr_expect_eq(json_array_size(json_object_get(whole, "calls")), 4, "%s", f.out);
        cr_assert_eq(json_array_size(processes), 2, "%s", f.out);
        cr_expect(json_is_true(json_object_get(json_array_get(processes, 0), "exited")), "%s", f.out);
        cr_expect(json_is_false(json_object_get(json_array_get(processes, 1), "exited")), "%s", f.out);
        cr_expect_eq(number_in(json_array_get(processes, 1), "parent"), number_in(json_array_get(processes, 0), "pid"));
        cr_assert_eq(json_array_size(attachments), 2, "%s", f.out);
        cr_expect(json_is_true(json_object_get(json_array_get(attachments, 1), "inherited")), "%s", f.out);
        cr_expect(json_is_integer(json_object_get(json_array_get(attachments, 1), "to_ns")),
                  "a killed process is attached no more: %s", f.out);
        cr_expect_eq(number_in(segment, "made_by"), 0);
        cr_expect_eq(number_in(segment, "removed_by"), 2);
        cr_expect(json_is_null(json_object_get(segment, "left")), "%s", f.out);
        json_decref(whole);
        finished_free(&f);
}

Test(trace, the_json_tells_what_is_left_and_which_rules_fired, .init = set_up, .fini = remove_shm_programs)
{
        struct finished f =
                run_command("$B/shmcheck trace --json - --inject shmget:error=ENOSPC:when=2 -- $Q leak 2>/dev/null");
        json_t *whole = json_output(&f);
        const json_t *segment = json_array_get(json_object_get(whole, "segments"), 0);
        const json_t *rule = json_array_get(json_object_get(whole, "rules"), 0);
        const json_t *call = json_array_get(json_object_get(whole, "calls"), 2);
        cr_expect_eq(number_in(json_object_get(segment, "left"), "attachments"), 0, "%s", f.out);
        cr_expect_eq(number_in(rule, "matched"), 2);
        cr_expect_eq(number_in(rule, "fired"), 1);
        cr_expect_str_eq(json_string_value(json_object_get(call, "errno")), "ENOSPC");
        cr_expect_eq(number_in(json_object_get(call, "caller"), "line"), line_of_shm_queue("/* opens */"));
        json_decref(whole);
        finished_free(&f);
}

Test(trace, the_page_is_written, .init = set_up, .fini = remove_shm_programs)
{
        struct finished f =
                run_command("$B/shmcheck trace --html $D/page.html -- $Q killed && head -c 15 $D/page.html && "
                            "grep -c IPC_RMID $D/page.html && ls $D");
        cr_expect_eq(f.status, 0, "%s", f.err);
        cr_expect_eq(strncasecmp(f.out, "<!doctype html>", 15), 0, "%s", f.out);
        cr_expect(has(f.out, "\npage.html\n"), "nothing else is beside it: %s", f.out);
        finished_free(&f);
}

Test(trace, results_that_cannot_be_written_are_told, .init = set_up, .fini = remove_shm_programs)
{
        static const char *const options[] = {"--json", "--html"};
        for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
                char command[128];
                char line[128];
                snprintf(command, sizeof(command), "$B/shmcheck trace %s /dev/full -- $Q clean", options[i]);
                snprintf(line, sizeof(line), "shmcheck: %s /dev/full: No space left on device\n", options[i]);
                char *err = traced(command, 3);
                cr_expect(has(err, line), "%s", err);
                cr_expect(has(err, "left behind: nothing\n"), "the text is told all the same: %s", err);
                free(err);
        }
        char *err = traced("$B/shmcheck trace --output /dev/full -- $Q clean", 3);
        cr_expect_str_eq(err, "shmcheck: the trace could not be written: No space left on device\n");
        free(err);
}

Test(trace, a_reader_that_goes_away_does_not_disturb_the_command, .init = set_up, .fini = remove_shm_programs)
{
        char *err = traced(
                "($B/shmcheck trace --output - -- sh -c '$Q clean; while [ ! -e $D/gone ]; do sleep 0.02; done; "
                "$Q clean; : >$D/done'; echo $? >&2) | (head -c 1 >$D/read; exec <&-; : >$D/gone); ls $D/done >&2",
                0);
        cr_expect(has(err, "the trace could not be written: Broken pipe\n3\n"), "%s", err);
        cr_expect(has(err, "/done\n"), "%s", err);
        free(err);
}

/* ---- real programs ---- */

Test(trace, util_linux, .init = set_up, .fini = remove_shm_programs)
{
        need_program("ipcmk");
        need_program("ipcrm");
        char *err = traced("$B/shmcheck trace --leaks=error -- sh -c 'ipcmk -M 3333 && ipcs -m && ipcrm -m 0'", 0);
        cr_expect(has(err, ", 3333, IPC_CREAT|0644) = 0 <"), "%s", err);
        cr_expect(has(err, "shmctl(0, IPC_RMID, NULL) = 0 <"), "%s", err);
        free(err);
}

Test(trace, perl, .init = set_up, .fini = remove_shm_programs)
{
        need_program("perl");
        char *err = traced(
                "$B/shmcheck trace -- perl -e '$i = shmget(0x1234, 1000, 01600); shmwrite($i, \"abc\", 0, 3)'", 0);
        cr_expect(has(err, "shmget(0x00001234, 1000, IPC_CREAT|0600) = 0 <"), "%s", err);
        cr_expect(has(err, "shmat(0, NULL, 0) = 0x") && has(err, "shmdt(0x"), "%s", err);
        cr_expect(has(err, " (perl) in "), "%s", err);
        free(err);
}

Test(trace, python_with_ctypes, .init = set_up, .fini = remove_shm_programs)
{
        need_program("/usr/bin/python3");
        char *err = traced("$B/shmcheck trace -- /usr/bin/python3 -c 'import ctypes; c = ctypes.CDLL(None); "
                           "c.shmget(0x1234, 1000, 0o1600); c.shmctl(0, 0, None)'",
                           0);
        cr_expect(has(err, "shmget(0x00001234, 1000, IPC_CREAT|0600) = 0 <"), "%s", err);
        cr_expect(has(err, "left behind: nothing\n"), "%s", err);
        free(err);
}

Test(trace, python3_sysv_ipc, .init = set_up, .fini = remove_shm_programs)
{
        struct finished f = run_command("/usr/bin/python3 -c 'import sysv_ipc'");
        bool there = f.status == 0;
        finished_free(&f);
        if (!there)
                cr_skip_test("python3-sysv-ipc is not installed");
        char *err = traced("$B/shmcheck trace -- /usr/bin/python3 -c 'import sysv_ipc; "
                           "sysv_ipc.SharedMemory(0x77, sysv_ipc.IPC_CREX, size=100)'",
                           0);
        cr_expect(has(err, "shmget(0x00000077, 100, IPC_CREAT|IPC_EXCL|0600) = 0 <"), "%s", err);
        cr_expect(has(err, "left behind: 1 segment\n"), "%s", err);
        cr_expect(has(err, "sysv_ipc"), "made by that module: %s", err);
        free(err);
        f = run_command("$B/shmcheck inject --inject shmget:error=EEXIST -- /usr/bin/python3 -c 'import sysv_ipc; "
                        "sysv_ipc.SharedMemory(0x77, sysv_ipc.IPC_CREX, size=100)'");
        cr_expect_eq(f.status, 1);
        cr_expect(has(f.err, "ExistentialError"), "%s", f.err);
        finished_free(&f);
}

Test(trace, php_shmop, .init = set_up, .fini = remove_shm_programs)
{
        struct finished f = run_command("php -m | grep -x shmop");
        bool there = f.status == 0;
        finished_free(&f);
        if (!there)
                cr_skip_test("php with shmop is not installed");
        char *err = traced("$B/shmcheck trace --leaks=error -- php -r '$s = shmop_open(0xff3, \"c\", 0644, 100); "
                           "shmop_delete($s);'",
                           0);
        cr_expect(has(err, "shmget(0x00000ff3, 100, IPC_CREAT|0644) = 0 <"), "RTLD_DEEPBIND hides no call: %s", err);
        cr_expect(has(err, "shmctl(0, IPC_RMID, NULL) = 0 <"), "%s", err);
        free(err);
}
