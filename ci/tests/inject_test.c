/* `shmcheck inject` as a user meets it: wrong usage, programs that are not reached, faults, signals, and what is left.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "shm_programs.h"

#define FULL "$B/shmcheck inject --inject shmget:error=ENOSPC "

static void set_up(void)
{
        enter_own_ipc_namespace();
        make_shm_programs();
}

static void set_up_installation(void)
{
        set_up();
        make_installation();
        struct finished f = run_command("cp $B/libshmfault.so $Q $I && chmod -R a+rX $I");
        cr_assert_eq(f.status, 0, "%s", f.err);
        finished_free(&f);
}

static void remove_all(void)
{
        remove_installation();
        remove_shm_programs();
}

/* The command ends with this status, and says just this on standard error. */
static void expect(const char *command, int status, const char *err)
{
        struct finished f = run_command(command);
        cr_expect_eq(f.status, status, "%s: exit %d", command, f.status);
        cr_expect_str_eq(f.err, err, "%s", command);
        finished_free(&f);
}

/* ---- nothing is run ---- */

#define COMMAND " -- echo started"

Test(inject, wrong_usage_gets_one_line_and_runs_nothing, .init = set_up, .fini = remove_shm_programs)
{
        static const struct {
                const char *options, *line;
        } rows[] = {
                {"", "inject: no command; it stands behind --: shmcheck inject [OPTION...] -- CMD [ARG...]"},
                {"--inject shmget:error=ENOSPC --",
                 "inject: no command; it stands behind --: shmcheck inject [OPTION...] -- CMD [ARG...]"},
                {"echo" COMMAND, "inject: 'echo' is no option; the command stands behind --"},
                {"--injct x" COMMAND, "inject: unknown option '--injct'; the nearest is '--inject'"},
                {"--inject", "inject: --inject: missing argument"},
                {COMMAND, "inject: no fault; --inject RULE, --plan FILE or --deny CALL=ERR names one"},
                {"--inject shmget:error=ENOSPC --via krnel" COMMAND, "--via krnel: takes preload or kernel"},
                {"--inject shmget:error=ENOSPC --events /no/such" COMMAND,
                 "--events /no/such: No such file or directory"},
                {"--inject shmget:error=ENOSPC --events fd:42" COMMAND,
                 "--events fd:42: not a descriptor that is open for writing"},
                {"--inject shmget:error=ENOSPC --events fd:one" COMMAND,
                 "--events fd:one: not a descriptor that is open for writing"},
                {"--inject shmget:error=ENOSPC --events fd:0" COMMAND " </dev/null",
                 "--events fd:0: not a descriptor that is open for writing"},
                {"--plan /no/such" COMMAND, "--plan /no/such: No such file or directory"},
                {"--plan /tmp" COMMAND, "/tmp: Is a directory"},
                {"--inject shmget:error=ENOSPC -- no-such-program", "no-such-program: no such program in PATH"},
                {"--inject shmget:error=ENOSPC -- ''", "'': no such program in PATH"},
                {"--inject shmget:error=ENOSPC -- /no/such", "/no/such: No such file or directory"},
                {"--inject shmget:error=ENOSPC -- /tmp", "/tmp: Is a directory"},
                {"--inject shmget:error=ENOSPC -- ./Makefile", "./Makefile: may not be executed: Permission denied"},
        };
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                expect_usage_error("inject", rows[i].options, rows[i].line);
}

/* A mistake is told by its column and the nearest right word, and the command is not started. */
static void expect_mistake(const char *options, const char *where, const char *nearest)
{
        char command[512];
        snprintf(command, sizeof(command), "$B/shmcheck inject %s" COMMAND, options);
        struct finished f = run_command(command);
        cr_expect_eq(f.status, 2, "%s: exit %d", options, f.status);
        cr_expect_str_empty(f.out, "%s", options);
        cr_expect_eq(count_lines(f.err), 1, "%s", f.err);
        cr_expect(has(f.err, where), "%s: %s", options, f.err);
        cr_expect(has(f.err, nearest), "%s: %s", options, f.err);
        finished_free(&f);
}

Test(inject, a_mistake_in_a_rule_is_told_by_its_column, .init = set_up, .fini = remove_shm_programs)
{
        expect_mistake("--inject shmget:eror=ENOSPC",
                       "--inject 'shmget:eror=ENOSPC': column 8: ", "; the nearest is 'error'\n");
        expect_mistake("--inject shmgt:error=ENOSPC", "column 1: ", "'shmget'");
        expect_mistake("--inject shmget:error=ENOSPCE", "column 14: ", "'ENOSPC'");
        expect_mistake("--inject shmget:error=EBADF", "column 14: ", "--any-error");
        expect_mistake("--inject shmat:error=EINVAL --inject shmctl/IPC_STATT:error=EINVAL",
                       "column 8: ", "'IPC_STAT'");
        expect_mistake("--deny shm=EPRM", "--deny 'shm=EPRM': column 5: ", "'EPERM'");
        expect_mistake("--via kernel --inject shmget:error=ENOSPC:caller=main", "caller=", "--via preload");
}

Test(inject, a_mistake_in_a_plan_is_told_by_its_line, .init = set_up, .fini = remove_shm_programs)
{
        struct finished f =
                run_command("printf '# all is full\\n\\nshmget:error=ENOSPC  # always\\n  shmat:eror=EINVAL\\n'"
                            " >$D/plan && printf 'shmget:error=ENOSPC\\n\\0\\n' >$D/nul");
        finished_free(&f);
        expect_mistake("--plan $D/plan", "/plan:4:9: ", "'error'");
        expect_mistake("--plan $D/nul", "/nul:2:1: a NUL character", "");
        f = run_command("i=0; while [ $i -lt 65 ]; do echo shmget:error=ENOSPC; i=$((i + 1)); done >$D/long");
        finished_free(&f);
        expect_mistake("--plan $D/long", "a plan has at most 64 rules", "");
}

/* ---- programs that a preloaded library does not reach ---- */

static void expect_refusal(const char *program, const char *reason)
{
        char command[512];
        snprintf(command, sizeof(command), FULL "-- %s once", program);
        struct finished f = run_command(command);
        cr_expect_eq(f.status, 2, "%s: exit %d", program, f.status);
        cr_expect_str_empty(f.out, "%s", program);
        cr_expect_eq(count_lines(f.err), 1, "%s", f.err);
        cr_expect(has(f.err, reason), "%s: %s", program, f.err);
        finished_free(&f);
}

Test(inject, a_static_program_is_refused_by_name, .init = set_up, .fini = remove_shm_programs)
{
        cr_assert(compile_shm_queue("cc -static", "static"));
        expect_refusal("$D/static",
                       "/static: a static program, into which nothing can be preloaded; --via kernel reaches "
                       "it\n");
        if (compile_shm_queue("cc -static-pie", "static-pie"))
                expect_refusal("$D/static-pie", "/static-pie: a static program");
        struct finished f =
                run_command("printf '#!%s\\n' $D/static >$D/script && printf '#! %s/script x\\n' $D >$D/outer"
                            " && printf 'echo started\\n' >$D/plain && chmod 755 $D/*");
        finished_free(&f);
        expect_refusal("$D/script", "/static: a static program");
        expect_refusal("$D/outer", "/static: a static program");
        expect_refusal("$D/plain", "/plain: neither an ELF program nor a script that begins with #!\n");
}

Test(inject, a_program_for_32_bits_is_refused_by_name, .init = set_up, .fini = remove_shm_programs)
{
        if (!compile_shm_queue("gcc-12 -m32 -isystem /usr/include/x86_64-linux-gnu", "narrow"))
                cr_skip_test("this machine builds or runs no 32-bit programs");
        expect_refusal("$D/narrow", "/narrow: a program of 32 bits, into which the 64-bit libshmfault.so cannot be "
                                    "preloaded; --via kernel reaches it\n");
}

Test(inject, a_program_of_another_c_library_is_refused_by_name, .init = set_up, .fini = remove_shm_programs)
{
        if (!compile_shm_queue("musl-gcc", "musl"))
                cr_skip_test("musl-gcc is not installed");
        expect_refusal("$D/musl",
                       "/musl: a program of musl's, whose loader does not take libshmfault.so; --via kernel");
}

Test(inject, a_program_that_gains_privileges_is_refused_by_name, .init = set_up_installation, .fini = remove_all)
{
        if (geteuid() != 0)
                cr_skip_test("only root can make a set-user-ID program of root's");
        struct finished f = run_command("cp $Q $I/setuid && chmod 4755 $I/setuid && cp $Q $I/setgid && "
                                        "chmod 2755 $I/setgid && " FULL "-- $I/setuid once");
        cr_expect_eq(f.status, 5, "root gains nothing by it: %s", f.err);
        finished_free(&f);
        f = run_as_nobody("$I/shmcheck inject --inject shmget:error=ENOSPC -- $I/setuid once");
        cr_expect_eq(f.status, 2, "%s", f.out);
        cr_expect(has(f.err, "/setuid: a set-user-ID program, for which the dynamic linker heeds no LD_PRELOAD; --via "
                             "kernel reaches it\n"),
                  "%s", f.err);
        finished_free(&f);
        f = run_as_nobody("$I/shmcheck inject --inject shmget:error=ENOSPC -- $I/setgid once");
        cr_expect_eq(f.status, 2, "%s", f.out);
        cr_expect(has(f.err, "/setgid: a set-group-ID program"), "%s", f.err);
        finished_free(&f);
}

Test(inject, a_library_that_cannot_be_named_is_told, .init = set_up_installation, .fini = remove_all)
{
        struct finished f =
                run_command("mkdir \"$I/a b\" && cp $I/shmcheck $I/shmcheck-agent $I/libshmfault.so \"$I/a b\" && "
                            "\"$I/a b/shmcheck\" inject --inject shmget:error=ENOSPC -- $Q once");
        cr_expect_eq(f.status, 3);
        cr_expect_str_empty(f.out);
        cr_expect(has(f.err, "/a b/libshmfault.so: LD_PRELOAD cannot name a path with a space or colon"), "%s", f.err);
        finished_free(&f);
}

Test(inject, no_namespace_is_told_and_host_is_named, .init = set_up, .fini = remove_shm_programs)
{
        struct finished f = run_command("unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_ipc_namespaces'");
        if (f.status != 0)
                cr_skip_test("namespaces cannot be forbidden here: %s", f.err);
        finished_free(&f);
        f = run_command("unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_ipc_namespaces; " FULL "-- $Q once'");
        cr_expect_eq(f.status, 3);
        cr_expect_str_empty(f.out);
        cr_expect(has(f.err, "no IPC namespace of its own can be had for the command"), "%s", f.err);
        cr_expect(has(f.err, "; --host runs it in this one\n"), "%s", f.err);
        finished_free(&f);
        f = run_command("unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_ipc_namespaces; " FULL "--host -- $Q once'");
        cr_expect_eq(f.status, 5);
        cr_expect_str_eq(f.out, "No space left on device\n");
        finished_free(&f);
}

/* ---- faults ---- */

Test(inject, the_fault_happens_and_the_status_is_the_command_s, .init = set_up, .fini = remove_shm_programs)
{
        struct finished f = run_command(FULL "-- $Q once");
        cr_expect_eq(f.status, 5);
        cr_expect_str_eq(f.out, "No space left on device\n");
        cr_expect_str_empty(f.err, "nothing is said when all went as asked: %s", f.err);
        finished_free(&f);
        f = run_command("$B/shmcheck inject --inject shmget:signal=KILL -- $Q once");
        cr_expect_eq(f.status, 128 + SIGKILL, "%s", f.err);
        finished_free(&f);
        f = run_command("printf '# full\\nshmget:error=ENOSPC:key=0x5e3a0001 # always\\n' >$D/plan; "
                        "$B/shmcheck inject --plan $D/plan -- $Q once");
        cr_expect_str_eq(f.out, "No space left on device\n", "%s", f.err);
        finished_free(&f);
}

Test(inject, a_rule_that_never_fires_is_told, .init = set_up, .fini = remove_shm_programs)
{
        static const char told[] = "shmcheck: 'shmget:error=ENOSPC:when=2' never fired: it matched 1 call\n";
        expect("$B/shmcheck inject --inject shmget:error=ENOSPC:when=2 -- $Q once", 3, told);
        expect("$B/shmcheck inject --inject shmget:error=ENOSPC:when=2 --may-miss -- $Q once", 0, told);
        expect("$B/shmcheck inject --inject shmget:error=ENOSPC:when=2 -- sh -c '$Q once; exit 9'", 9, told);
        expect("$B/shmcheck inject --inject shmat:error=EINVAL --inject shmget:error=ENOSPC -- $Q once", 5,
               "shmcheck: 'shmat:error=EINVAL' never fired: it matched 0 calls\n");
}

Test(inject, a_run_without_any_call_is_never_fine, .init = set_up, .fini = remove_shm_programs)
{
        static const char told[] =
                "shmcheck: 'shmget:error=ENOSPC' never fired: it matched 0 calls\n"
                "shmcheck: no System V shared memory call of true was seen; --via kernel also sees raw "
                "system calls and static programs\n";
        expect(FULL "-- true", 3, told);
        expect(FULL "--may-miss -- true", 3, told);
        struct finished f = run_command(FULL "-- sh -c 'exit 4'");
        cr_expect_eq(f.status, 4);
        cr_expect(has(f.err, "no System V shared memory call of sh was seen"), "%s", f.err);
        finished_free(&f);
}

Test(inject, a_run_whose_calls_are_all_out_of_reach_is_never_fine, .init = set_up, .fini = remove_shm_programs)
{
        cr_assert(compile_shm_queue("cc -static", "static"));
        struct finished f = run_command(FULL "-- sh -c '$D/static once'");
        cr_expect_eq(f.status, 3);
        cr_expect_str_eq(f.out, "made\n");
        cr_expect(has(f.err,
                      "no System V shared memory call of sh was seen; --via kernel also sees raw system calls and "
                      "static programs\n"),
                  "%s", f.err);
        finished_free(&f);
}

Test(inject, when_counts_over_all_processes, .init = set_up, .fini = remove_shm_programs)
{
        struct finished f = run_command("$B/shmcheck inject --inject shmget:error=ENOSPC:when=3 -- $Q processes");
        cr_expect_eq(f.status, 0, "%s", f.err);
        cr_expect_str_eq(f.out, "1 failed\n");
        finished_free(&f);
        f = run_command("$B/shmcheck inject --inject shmget:error=ENOSPC:when=2+3 -- $Q processes");
        cr_expect_str_eq(f.out, "3 failed\n");
        finished_free(&f);
}

Test(inject, the_kernel_s_side_reaches_a_static_program, .init = set_up, .fini = remove_shm_programs)
{
        cr_assert(compile_shm_queue("cc -static", "static"));
        struct finished f = run_command(FULL "--via kernel -- $D/static once");
        cr_expect_eq(f.status, 5, "%s", f.err);
        cr_expect_str_eq(f.out, "No space left on device\n");
        cr_expect_str_empty(f.err);
        finished_free(&f);
        f = run_command("$B/shmcheck inject --inject shmget:error=ENOSPC:when=3 --via kernel -- $D/static processes");
        cr_expect_eq(f.status, 0, "%s", f.err);
        cr_expect_str_eq(f.out, "1 failed\n");
        finished_free(&f);
        expect("$B/shmcheck inject --inject shmat:error=EINVAL --via kernel -- $D/static once", 3,
               "shmcheck: 'shmat:error=EINVAL' never fired: it matched 0 calls\n");
}

Test(inject, calls_are_denied_in_the_kernel, .init = set_up, .fini = remove_shm_programs)
{
        struct finished f = run_command("$B/shmcheck inject --deny shm=ENOSYS -- $Q once");
        cr_expect_eq(f.status, 5);
        cr_expect_str_eq(f.out, "Function not implemented\n");
        cr_expect_str_empty(f.err);
        finished_free(&f);
        expect("$B/shmcheck inject --deny shmat=EPERM -- $Q once", 3,
               "shmcheck: --deny: no call that is denied was seen\n");
        cr_assert(compile_shm_queue("cc -static", "static"));
        f = run_command("$B/shmcheck inject --deny shm=EPERM -- $D/static once");
        cr_expect_eq(f.status, 5);
        cr_expect_str_eq(f.out, "Operation not permitted\n");
        cr_expect(has(f.err, "was not seen; no library can be preloaded into it\n"), "%s", f.err);
        finished_free(&f);
}

Test(inject, a_library_that_is_preloaded_already_comes_after_ours, .init = set_up, .fini = remove_shm_programs)
{
        struct finished f = run_command("LD_PRELOAD=/no/such.so " FULL "-- sh -c 'echo $LD_PRELOAD'");
        const char *ours = strstr(f.out, "/libshmfault.so:");
        cr_expect(ours && has(ours, ":/no/such.so\n"), "%s", f.out);
        finished_free(&f);
}

/* ---- where it runs ---- */

Test(inject, the_host_s_segments_are_neither_seen_nor_touched, .init = set_up, .fini = remove_shm_programs)
{
        struct finished f =
                run_command("ipcmk -M 100 >/dev/null; $B/shmcheck inject --inject shmat:error=EINVAL --may-miss "
                            "-- sh -c '$Q once && ipcs -m' | grep -c '^0x'");
        cr_expect_str_eq(f.out, "1\n", "only its own: %s", f.err);
        cr_expect_eq(segments_here(), 1);
        finished_free(&f);
        f = run_command(
                "$B/shmcheck inject --inject shmat:error=EINVAL --may-miss --host -- $Q once; ipcs -m | grep -c ^0x");
        cr_expect_str_eq(f.out, "made\n2\n", "%s", f.err);
        finished_free(&f);
}

Test(inject, an_ordinary_user_keeps_its_ids, .init = set_up_installation, .fini = remove_all)
{
        need_namespaces_of_nobody();
        struct finished f = run_as_nobody("$I/shmcheck inject --inject shmget:error=ENOSPC -- "
                                          "sh -c \"$I/test-shm-queue once; id -u; id -g\"; id -u; id -g");
        unsigned inside[2];
        unsigned outside[2];
        cr_assert_eq(
                sscanf(f.out, "No space left on device %u %u %u %u", &inside[0], &inside[1], &outside[0], &outside[1]),
                4, "%s%s", f.out, f.err);
        cr_expect(inside[0] == outside[0] && inside[1] == outside[1], "%s", f.out);
        cr_expect_str_empty(f.err);
        finished_free(&f);
}

/* ---- signals and ends ---- */

Test(inject, a_signal_to_the_tool_reaches_the_command, .init = set_up, .fini = remove_shm_programs)
{
        struct finished f =
                run_command("$B/shmcheck inject --inject shm:error=ENOSYS --may-miss -- sh -c '"
                            "trap \"echo told; exit 9\" TERM; : >$D/up; while :; do sleep 0.02; done' & t=$!; "
                            "while [ ! -e $D/up ]; do sleep 0.02; done; kill -TERM $t; wait $t; echo $?");
        cr_expect_str_eq(f.out, "told\n9\n", "%s", f.err);
        finished_free(&f);
}

Test(inject, a_signal_to_the_group_reaches_the_command_once, .init = set_up, .fini = remove_shm_programs)
{
        need_program("perl");
        struct finished f = run_command("setsid $B/shmcheck inject --inject shm:error=ENOSYS --may-miss -- perl -e '"
                                        "$SIG{USR1} = sub { $n++ }; open(F, \">\", \"$ENV{D}/up\"); close(F); "
                                        "select(undef, undef, undef, 0.02) for 1..30; print \"$n\\n\"; exit 7' & t=$!; "
                                        "while [ ! -e $D/up ]; do sleep 0.02; done; kill -USR1 -$t; wait $t; echo $?");
        cr_expect_str_eq(f.out, "1\n7\n", "%s", f.err);
        finished_free(&f);
}

Test(inject, what_the_command_leaves_running_is_ended_and_told, .init = set_up, .fini = remove_shm_programs)
{
        struct finished f = run_command(FULL "-- sh -c '$Q once; setsid sleep 987 & (sleep 987; :) & exit 0'");
        cr_expect_eq(f.status, 0);
        cr_expect(has(f.err, "sh left 3 processes running, now killed: pid "), "%s", f.err);
        cr_expect(has(f.err, " (sleep)"), "%s", f.err);
        finished_free(&f);
        f = run_command("pgrep -f '^sleep 987'");
        cr_expect_str_empty(f.out);
        finished_free(&f);
}

/* Starts a command with children of all kinds in the back. All of it, the tool as well, has MARK in its environment. */
#define START                                                                                                          \
        "MARK=$D setsid $B/shmcheck inject --inject shm:error=ENOSYS --events $D/events -- sh -c '"                    \
        "(sleep 986 & sleep 986) & setsid sleep 986 & : >$D/up; sleep 986' & t=$!; "                                   \
        "while [ ! -e $D/up ]; do sleep 0.02; done; "
#define MARKED "grep -slF \"MARK=$D\" /proc/[0-9]*/environ | wc -l"
#define LOOK "i=0; while [ $(" MARKED ") -gt 0 ] && [ $i -lt 100 ]; do sleep 0.02; i=$((i + 1)); done; " MARKED

static void expect_nothing_left(const char *command)
{
        struct finished f = run_command(command);
        cr_expect_str_eq(f.out, "0\n", "processes are left: %s", f.out);
        finished_free(&f);
}

Test(inject, all_processes_are_found_by_their_mark, .init = set_up, .fini = remove_shm_programs)
{
        struct finished f = run_command(START MARKED "; kill $t");
        cr_expect(strtol(f.out, NULL, 10) >= 7, "the tool, its keeper, two shells, four sleepers at least: %s", f.out);
        finished_free(&f);
}

Test(inject, nothing_is_left_when_the_tool_is_killed, .init = set_up, .fini = remove_shm_programs)
{
        expect_nothing_left(START "kill -KILL $t; " LOOK);
}

Test(inject, nothing_is_left_when_the_tool_s_group_is_killed, .init = set_up, .fini = remove_shm_programs)
{
        expect_nothing_left(START "kill -KILL -$t; " LOOK);
}

Test(inject, nothing_is_left_when_the_group_is_stopped_and_the_tool_killed, .init = set_up, .fini = remove_shm_programs)
{
        expect_nothing_left(START "kill -STOP -$t; kill -KILL $t; " LOOK);
}

Test(inject, nothing_is_left_when_all_of_the_tool_s_name_are_killed, .init = set_up, .fini = remove_shm_programs)
{
        expect_nothing_left(START "kill -KILL $(pgrep -f \"^$B/shmcheck inject .*$D\"); " LOOK);
}

Test(inject, nothing_is_left_when_the_keeper_is_killed, .init = set_up, .fini = remove_shm_programs)
{
        struct finished f = run_command(START "kill -KILL $(pgrep -P $t); wait $t; echo $?; " LOOK);
        cr_expect_str_eq(f.out, "3\n0\n");
        cr_expect(has(f.err, "the process that kept sh was killed, and sh with it\n"), "%s", f.err);
        finished_free(&f);
}

Test(inject, closed_descriptors_are_no_harm, .init = set_up, .fini = remove_shm_programs)
{
        struct finished f = run_command("$B/shmcheck inject --inject shmget:error=ENOSPC -- $Q once <&- 2>&-");
        cr_expect_eq(f.status, 5);
        cr_expect_str_eq(f.out, "No space left on device\n");
        finished_free(&f);
        f = run_command("$B/shmcheck inject --inject shmget:error=ENOSPC -- "
                        "sh -c '$Q once; [ -e /proc/$$/fd/0 ] || echo closed' <&-");
        cr_expect_str_eq(f.out, "No space left on device\nclosed\n");
        finished_free(&f);
}

/* ---- events ---- */

/* Each line is a whole JSON object; returns how many tell of this event. */
static size_t count_events(const char *text, const char *event)
{
        size_t count = 0;
        while (*text) {
                size_t length = strcspn(text, "\n");
                json_error_t error;
                json_t *object = json_loadb(text, length, 0, &error);
                cr_assert(object && text[length] == '\n', "%s: %.200s", error.text, text);
                count += strcmp(json_string_value(json_object_get(object, "event")), event) == 0;
                json_decref(object);
                text += length + 1;
        }
        return count;
}

Test(inject, events_are_whole_lines, .init = set_up, .fini = remove_shm_programs)
{
        struct finished f = run_command("$B/shmcheck inject --inject shmget:error=ENOSPC:when=3 --events fd:3 -- "
                                        "$Q processes 3>&1 >/dev/null");
        cr_expect_eq(f.status, 0, "%s", f.err);
        cr_expect_eq(count_events(f.out, "call"), 8);
        cr_expect_eq(count_events(f.out, "fork"), 8);
        cr_expect(has(f.out, "\"result\":-1,\"errno\":\"ENOSPC\""), "%s", f.out);
        cr_expect(has(f.out, "\"mark\":\"INJECTED\",\"rule\":\"shmget:error=ENOSPC:when=3\""), "%s", f.out);
        finished_free(&f);
}

Test(inject, no_event_of_a_killed_process_is_lost, .init = set_up, .fini = remove_shm_programs)
{
        struct finished f = run_command("$B/shmcheck inject --inject shmat:signal=KILL --events $D/events -- $Q leak; "
                                        "cat $D/events");
        cr_expect_eq(count_events(f.out, "call"), 2, "%s", f.out);
        cr_expect(has(f.out, "\"result\":null"), "%s", f.out);
        finished_free(&f);
}

Test(inject, events_are_there_while_the_command_runs, .init = set_up, .fini = remove_shm_programs)
{
        struct finished f = run_command("$B/shmcheck inject --events $D/events -- sh -c '$Q once >/dev/null; "
                                        "for i in 1 2 3 4 5 6 7 8 9; do grep -m 1 -o IPC_EXCL $D/events && exit 0; "
                                        "sleep 0.1; done; exit 1'");
        cr_expect_eq(f.status, 0, "%s", f.err);
        cr_expect_str_eq(f.out, "IPC_EXCL\n");
        finished_free(&f);
}

Test(inject, events_that_nobody_takes_are_told, .init = set_up, .fini = remove_shm_programs)
{
        struct finished f =
                run_command("($B/shmcheck inject --events fd:3 -- sh -c 'while [ ! -e $D/gone ]; do sleep 0.02; "
                            "done; $Q processes'; echo $? >&2) 3>&1 >/dev/null | (exec <&-; : >$D/gone)");
        cr_expect(has(f.err, "--events fd:3: Broken pipe; the events from here on are lost\n3\n"), "%s", f.err);
        finished_free(&f);
        f = run_command("$B/shmcheck inject --events /dev/full -- $Q processes");
        cr_expect_eq(f.status, 3);
        cr_expect_str_eq(f.out, "0 failed\n", "the command is not disturbed");
        cr_expect(has(f.err, "--events /dev/full: No space left on device"), "%s", f.err);
        finished_free(&f);
}
