/*
 * run --on and run --target: agents behind commands that hang, die, print
 * noise, or are for another machine, and the targets of ci/targets that are
 * installed here, with the cases of one file each.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

/* Runs it and expects the status and a part of what it says on either stream. */
static void expect(const char *command, int status, const char *said)
{
        struct finished f = run_command(command);
        cr_expect_eq(f.status, status, "%s: exit %d\n%s%s", command, f.status, f.out, f.err);
        cr_expect(has(f.out, said) || has(f.err, said), "%s: not said: %s\n%s%s", command, said, f.out, f.err);
        finished_free(&f);
}

Test(on, a_command_that_changes_nothing_changes_no_verdict)
{
        expect("$B/shmcheck run --on 'env WORD=\"two words\"' 'shmget.eexist.*'", 0, "POSIX ");
}

Test(on, one_that_hangs_is_ended_and_told)
{
        expect("$B/shmcheck run --on 'sh -c \"exec sleep 71001\"' --silence 0.5 shmdt.error.second", 3,
               "the record did not grow for 0.5 seconds");
        cr_expect_eq(processes_named("71001"), 0, "the target goes on");
}

Test(on, one_that_ignores_the_signal_to_end_is_killed)
{
        expect("$B/shmcheck run --on \"sh -c 'trap \\\"\\\" TERM; sleep 71002; sleep 71002'\" --silence 0.2 ftok.flag",
               3, "did not grow");
        cr_expect_eq(processes_named("71002"), 0, "the target goes on");
}

Test(on, one_that_hangs_half_way_leaves_what_was_recorded)
{
        expect("$B/shmcheck run --on \"sh -c '\\\"\\$@\\\" --jobs 1 | head -n 40; exec sleep 71003' sh\" --silence 1 "
               "'shmget.*'",
               3, "running when it ended: shmget");
        cr_expect_eq(processes_named("71003"), 0, "the target goes on");
}

Test(on, one_that_dies_half_way_names_the_case_that_was_running)
{
        expect("$B/shmcheck run --on \"sh -c '\\\"\\$@\\\" --jobs 1 | head -n 40' sh\" 'shmget.*'", 3,
               "running when it ended: shmget");
}

Test(on, a_run_that_takes_too_long_is_ended)
{
        expect("$B/shmcheck run --on env --time-limit 0.3 --stress 5 'race.*'", 3, "took longer than 0.3 seconds");
}

Test(on, noise_for_ever_is_silence)
{
        expect("$B/shmcheck run --on \"sh -c 'while :; do echo kernel: 3; sleep 0.01; done'\" --silence 0.5 ftok.flag",
               3, "the last line that was no part of the record: kernel: 3");
}

Test(on, noise_around_the_record_does_no_harm)
{
        expect("f=$(mktemp); printf '%s\n' 'printf \"boot\\r\\n\\0\\377 [0.1] ok \"' '\"$@\" | sed \"s/$/\\r/\"' "
               "'echo bye' >$f; "
               "$B/shmcheck run --on \"sh $f\" 'shmget.eexist.*'; s=$?; rm $f; exit $s",
               0, "POSIX ");
}

Test(on, one_that_does_not_end_after_its_record_is_ended)
{
        expect("$B/shmcheck run --on \"sh -c '\\\"\\$@\\\"; exec sleep 71004' sh\" 'shmget.eexist.*'", 0, "POSIX ");
        cr_expect_eq(processes_named("71004"), 0, "the target goes on");
}

Test(on, noise_that_would_change_the_terminal_is_made_plain)
{
        struct finished f = run_command("$B/shmcheck run --on \"printf '\\033[31mred\\\\n%.0s'\" ftok.flag");
        cr_expect_eq(f.status, 3);
        cr_expect(has(f.err, "red") && !strchr(f.err, '\033'), "%s", f.err);
        finished_free(&f);
}

Test(on, an_agent_for_another_machine)
{
        expect("f=$(mktemp); printf '\\177ELF\\002\\001\\001' >$f; head -c 100 /dev/zero >>$f; chmod +x $f; "
               "$B/shmcheck run --agent $f ftok.flag; s=$?; $B/shmcheck run --on env --agent $f ftok.flag; "
               "[ $s = $? ]; t=$?; rm $f; [ $t = 0 ] && exit $s",
               3, "Exec format error");
}

Test(on, a_command_that_is_not_there)
{
        expect("$B/shmcheck run --on no-such-program ftok.flag", 3, "no-such-program cannot be started");
        expect("$B/shmcheck run --on 'env no-such-program' ftok.flag", 3, "no such program on the target");
}

Test(on, wrong_words_run_nothing)
{
        expect("$B/shmcheck run --on '' ftok.flag", 3, "is no command");
        expect("$B/shmcheck run --on env --target native", 2, "one of them");
        expect("$B/shmcheck run --on env --preload $B/libshmmutant.so", 2, "--preload");
        expect("$B/shmcheck run --on env --silence soon", 2, "--silence soon");
        expect("$B/shmcheck run --target musk ftok.flag", 2, "the nearest is 'musl'");
        expect("$B/shmcheck run --target ../target ftok.flag", 2, "unknown target");
        expect("$B/shmcheck run --target preload", 2, "needs an argument behind the options: LIBRARY");
        expect("$B/shmcheck run --target preload Makefile", 3, "the dynamic linker does not load Makefile: ");
        expect("$B/shmcheck run --target native --agent /no/file", 2, "No such file");
}

Test(on, no_proc_is_a_missing_need)
{
        struct finished f = run_command("unshare -m true");
        bool may = f.status == 0;
        finished_free(&f);
        if (!may)
                cr_skip_test("no mount namespace can be had");
        expect("$B/shmcheck run --on \"unshare -m sh -c 'umount -l /proc && exec \\\"\\$@\\\"' sh\" 'proc.*' "
               "shmdt.error.second",
               0, "skipped for want of proc");
}

Test(on, no_second_uid_is_a_missing_need)
{
        expect("$B/shmcheck run --on 'setpriv --bounding-set=-setuid,-setgid --inh-caps=-all' "
               "shmat.access.other.rdonly shmdt.error.second",
               0, "skipped for want of two-uids");
}

Test(on, a_clock_that_stands_still_is_a_missing_need, .timeout = 60)
{
        struct finished f = run_command(
                "d=$(mktemp -d) && chmod 755 $d && printf '%s\n' '#include <time.h>' "
                "'time_t time(time_t *t) { if (t) *t = 1000000000; return 1000000000; }' "
                "'int clock_gettime(clockid_t c, struct timespec *t) "
                "{ extern int __clock_gettime64(void); (void)c; t->tv_sec = 1000000000; t->tv_nsec = 999000000; return "
                "0; }' "
                ">$d/still.c && cc -shared -fPIC -o $d/still.so $d/still.c && "
                "$B/shmcheck run --timeout 20 --preload $d/still.so shmctl.stat.attach_atime; s=$?; rm -r $d; exit $s");
        cr_expect_eq(f.status, 0, "%s%s", f.out, f.err);
        cr_expect(has(f.out, "skipped for want of clock-tick") || has(f.out, "clock"), "%s%s", f.out, f.err);
        finished_free(&f);
}

/* ---- ci/targets ---- */

Test(targets, one_whose_need_is_missing_is_skipped_with_a_line)
{
        expect("PATH=/usr/bin/nowhere:$PWD/ci:/nowhere; export PATH; b=$B; "
               "mkdir=/bin/mkdir; d=$(/bin/mktemp -d) && for p in sh ls dirname head find mkdir; do /bin/ln -s "
               "$(/bin/sh -c "
               "\"PATH=/bin:/usr/bin command -v $p\") $d/$p; done; "
               "PATH=$d $b/shmcheck run --target valgrind ftok.flag; s=$?; /bin/rm -r $d; exit $s",
               3, "skipped: valgrind is not here (Debian: valgrind)");
}

Test(targets, each_file_says_what_it_is)
{
        expect("for t in $(ci/target list); do head -n 1 ci/targets/$t | grep -q '^# .*[.,]' || echo \"bad $t\"; "
               "ci/target argument $t >/dev/null || echo \"bad $t\"; done; echo end",
               0, "end");
}

Test(targets, the_folder_of_a_killed_run_is_removed_by_the_next)
{
        expect("d=$(mktemp -d /tmp/shmcheck-target.99999999.XXXXXX); $B/shmcheck run --target native "
               "shmdt.error.second "
               ">/dev/null; s=$?; [ ! -e $d ] && exit $s; echo left",
               0, "");
}

/*
 * Runs a few cases on the target, with an agent of one file of cases, and
 * judges them by the profile. Skipped where the target's parts are not there.
 */
static void run_target(const char *target, const char *profile)
{
        char command[1024];
        snprintf(command, sizeof(command),
                 "d=$(mktemp -d) && chmod 755 $d && export SHMCHECK_TARGETS_BUILT=$d "
                 "SHMCHECK_CASE_FILES=cases/shmdt.c SHMCHECK_OPTIMIZE=-O0; "
                 "$B/shmcheck run --profile %s --target %s 'shmdt.error.*' 2>&1; s=$?; "
                 "ls -d /tmp/shmcheck-target.$$.* 2>/dev/null; rm -rf $d; exit $s",
                 profile, target);
        struct finished f = run_command(command);
        if (has(f.out, ": skipped: "))
                cr_skip_test("%s", f.out);
        cr_expect_eq(f.status, 0, "%s: exit %d\n%s", target, f.status, f.out);
        cr_expect(has(f.out, "POSIX "), "%s\n%s", target, f.out);
        finished_free(&f);
}

#define TARGET(name, target, profile)                                                                                  \
        Test(targets, name, .timeout = 120)                                                                            \
        {                                                                                                              \
                run_target(target, profile);                                                                           \
        }

TARGET(native, "native", "linux")
TARGET(i386, "i386", "linux")
TARGET(musl, "musl", "linux")
TARGET(dietlibc, "dietlibc", "dietlibc")
TARGET(qemu_aarch64, "qemu-aarch64", "qemu-user-half-mode")
TARGET(qemu_s390x_big_endian, "qemu-s390x", "qemu-user-s390x")
TARGET(qemu_mips_whose_shmlba_is_not_the_page_size, "qemu-mips", "qemu-user-32")
TARGET(valgrind, "valgrind", "valgrind")
TARGET(gvisor, "gvisor", "gvisor")
TARGET(uml, "uml", "uml")
TARGET(proot, "proot", "proot")
TARGET(seccomp_eperm, "seccomp-eperm", "seccomp-eperm")
TARGET(seccomp_enosys, "seccomp-enosys", "seccomp-enosys")

/* A server of the user's own, on a port that no other has, with keys that end with the test. */
Test(targets, ssh_to_a_real_server, .timeout = 60)
{
        struct finished f =
                run_command("[ -x /usr/sbin/sshd ] && command -v ssh ssh-keygen >/dev/null && [ $(id -u) = 0 ]");
        bool there = f.status == 0;
        finished_free(&f);
        if (!there)
                cr_skip_test("sshd is not installed, or cannot be started by this user");
        f = run_command(
                "d=$(mktemp -d) && mkdir -p /run/sshd && ssh-keygen -q -t ed25519 -N '' -f $d/host && "
                "ssh-keygen -q -t ed25519 -N '' -f $d/user && p=$((20000 + $$ % 20000)) && "
                "printf '%s\n' \"Port $p\" 'ListenAddress 127.0.0.1' \"HostKey $d/host\" "
                "\"AuthorizedKeysFile $d/user.pub\" \"PidFile $d/pid\" 'StrictModes no' 'UsePAM no' >$d/conf && "
                "/usr/sbin/sshd -f $d/conf; "
                "o=\"-F none -p $p -i $d/user -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o "
                "LogLevel=ERROR\"; "
                "i=0; while [ ! -s $d/pid ] && [ $i -lt 50 ]; do sleep 0.1; i=$((i + 1)); done; "
                "SHMCHECK_SSH=\"ssh $o\" $B/shmcheck run --target ssh root@127.0.0.1 'shmdt.error.*'; s=$?; "
                "$B/shmcheck run --on \"ssh $o root@127.0.0.1\" shmdt.error.second || s=9; "
                "kill $(cat $d/pid); rm -r $d; exit $s");
        cr_expect_eq(f.status, 0, "exit %d\n%s%s", f.status, f.out, f.err);
        finished_free(&f);
}
