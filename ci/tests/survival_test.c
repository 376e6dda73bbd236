/* Nothing is left behind, whoever is killed and when; and no segment that is not ours is ever touched. */
#include <criterion/criterion.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "command.h"

#define ROUNDS 12

static void set_up(void)
{
        enter_own_ipc_namespace();
        /* Where ledgers and temporary files go, so that no other test's are among them. */
        setenv("TMPDIR", make_installation(), 1);
}

static void sleep_ms(long ms)
{
        struct timespec t = {ms / 1000, (ms % 1000) * 1000000L};
        nanosleep(&t, NULL);
}

static pid_t start(const char *isolation)
{
        pid_t pid = fork();
        cr_assert(pid != -1);
        if (pid == 0) {
                if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
                        _exit(126);
                char tool[PATH_MAX];
                snprintf(tool, sizeof(tool), "%s/shmcheck", getenv("I"));
                execl(tool, tool, "run", "--isolation", isolation, "--jobs", "3", (char *)NULL);
                _exit(127);
        }
        return pid;
}

/* The agent, a worker, or a process of a case. */
static pid_t pick_process(void)
{
        struct finished f = run_command("pgrep -f \"^$I/shmcheck-agent\" | shuf -n 1");
        pid_t pid = (pid_t)strtol(f.out, NULL, 10);
        finished_free(&f);
        return pid;
}

static bool gone_within(long ms, const char *word)
{
        for (long waited = 0; waited < ms; waited += 20) {
                if (processes_named(word) == 0)
                        return true;
                sleep_ms(20);
        }
        return false;
}

static void kill_at_random_moments(const char *isolation, bool the_tool, int rounds)
{
        srand(42);
        for (int i = 0; i < rounds; i++) {
                pid_t tool = start(isolation);
                sleep_ms(5 + rand() % 400); // NOLINT: any spread of moments will do
                pid_t victim = the_tool ? tool : pick_process();
                if (victim > 0)
                        kill(victim, SIGKILL);
                waitpid(tool, NULL, 0);
                cr_expect(gone_within(3000, getenv("I")), "round %d: processes are left", i);
        }
}

Test(survival, the_tool_is_killed, .init = set_up, .fini = remove_installation, .timeout = 120)
{
        size_t before = segments_here();
        kill_at_random_moments("auto", true, ROUNDS);
        cr_expect_eq(segments_here(), before);
}

Test(survival, the_agent_or_one_of_its_processes_is_killed, .init = set_up, .fini = remove_installation, .timeout = 120)
{
        size_t before = segments_here();
        kill_at_random_moments("auto", false, ROUNDS / 2);
        cr_expect_eq(segments_here(), before);
}

Test(survival, clean_removes_exactly_what_was_ours, .init = set_up, .fini = remove_installation, .timeout = 120)
{
        size_t before = segments_here();
        int foreign = shmget(IPC_PRIVATE, 4321, 0600);
        cr_assert(foreign != -1);
        kill_at_random_moments("host", true, ROUNDS);
        kill_at_random_moments("host", false, ROUNDS / 4);
        struct finished f = run_command("$I/shmcheck clean");
        cr_expect_eq(f.status, 0, "%s", f.err);
        cr_expect_eq(segments_here(), before + 1, "%s%s", f.out, f.err);
        struct shmid_ds ds;
        cr_expect(shmctl(foreign, IPC_STAT, &ds) == 0, "the segment of another is still there");
        finished_free(&f);
        f = run_command("$I/shmcheck clean; ls $I | grep -vx -e shmcheck -e shmcheck-agent -e shmcheck-test-agent");
        cr_expect_str_empty(f.out, "nothing is left to clean, no ledger and no folder: %s", f.out);
        finished_free(&f);
        shmctl(foreign, IPC_RMID, NULL);
}

Test(survival, a_stop_that_is_asked_for_cleans_up_itself, .init = set_up, .fini = remove_installation, .timeout = 60)
{
        size_t before = segments_here();
        struct finished f = run_command("$I/shmcheck-agent --isolation host >/dev/null & "
                                        "sleep 0.3; kill -TERM $!; wait $!; echo $?; ls $I");
        cr_expect(has(f.out, "3\n"), "%s", f.out);
        cr_expect(!has(f.out, "ledger"), "%s", f.out);
        cr_expect_eq(segments_here(), before);
        cr_expect_eq(processes_named(getenv("I")), 0);
        finished_free(&f);
}

Test(survival, the_tool_passes_a_signal_on, .init = set_up, .fini = remove_installation, .timeout = 60)
{
        size_t before = segments_here();
        struct finished f = run_command("$I/shmcheck run --isolation host >/dev/null & "
                                        "sleep 0.3; kill -TERM $!; wait $!; echo $?; ls $I");
        cr_expect(has(f.out, "3\n"), "%s", f.out);
        cr_expect(!has(f.out, "ledger"), "%s", f.out);
        cr_expect(has(f.err, "the record is cut short: "), "%s", f.err);
        cr_expect_eq(segments_here(), before);
        cr_expect_eq(processes_named(getenv("I")), 0);
        finished_free(&f);
}

Test(survival, clean_heeds_no_ledger_that_another_could_have_written, .init = set_up, .fini = remove_installation)
{
        struct finished f = run_command("d=$(mktemp -d) && mkdir -m 777 $d/l && "
                                        "SHMCHECK_LEDGER_DIR=$d/l $I/shmcheck clean; echo $?; rm -r $d");
        cr_expect_str_eq(f.out, "3\n");
        cr_expect(has(f.err, "is not a directory that only this user can write"), "%s", f.err);
        finished_free(&f);
}

Test(survival, clean_leaves_a_segment_that_took_the_place_of_ours, .init = set_up, .fini = remove_installation)
{
        int foreign = shmget(0x51525354, 100, IPC_CREAT | IPC_EXCL | 0600);
        cr_assert(foreign != -1);
        char command[512];
        snprintf(command, sizeof(command),
                 "d=$(mktemp -d) && printf 'shmcheck-ledger 1\\nintend id=-1 key=0x51525354 pid=1 uid=0 time=1\\n"
                 "made id=%d key=0x51525354 pid=1 uid=0 time=1\\nnonsense\\nmade id=' >$d/run-1; "
                 "SHMCHECK_LEDGER_DIR=$d $I/shmcheck clean; echo $?; ls -d $d",
                 foreign);
        struct finished f = run_command(command);
        struct shmid_ds ds;
        cr_expect(shmctl(foreign, IPC_STAT, &ds) == 0, "made by another process than the ledger says");
        cr_expect_str_eq(f.out, "0\n", "%s", f.out);
        shmctl(foreign, IPC_RMID, NULL);
        finished_free(&f);
}

/* strace holds the worker up behind the write of its first result, where it is killed. */
Test(survival, a_result_is_told_once_though_its_worker_dies_behind_it, .init = set_up, .fini = remove_installation)
{
        struct finished f = run_command("command -v strace");
        bool is_there = f.status == 0;
        finished_free(&f);
        if (!is_there)
                cr_skip_test("strace is not installed");
        f = run_command(
                "strace -qq -f -o /dev/null -e trace=write -e inject=write:delay_exit=1500000:when=2 "
                "$I/shmcheck-test-agent --isolation host --jobs 1 --filter misbehaving.passes "
                "--filter misbehaving.fails >$I/record & "
                "until grep -q '\"type\":\"case\"' $I/record; do sleep 0.02; done; "
                "kill -KILL $(pgrep -P $(pgrep -P $!)); wait $!; $I/shmcheck judge $I/record --json $I/verdicts; "
                "grep -o '\"type\":\"case\",\"id\":\"[a-z.]*\"' $I/record; grep '\"complete\"' $I/verdicts");
        cr_expect_not_null(strstr(f.out, "\n\"type\":\"case\",\"id\":\"misbehaving.passes\"\n"
                                         "\"type\":\"case\",\"id\":\"misbehaving.fails\"\n \"complete\": true"),
                           "%s%s", f.out, f.err);
        finished_free(&f);
}
