/*
 * Cases that do to the agent what a case never should: the tests' own agent is
 * built with them instead of the catalogue's.
 */
#include "case.h"

#include <fcntl.h>
#include <stdio.h>

CASE("misbehaving.passes", "A case that is as it must be", .level = POSIX_SHALL, .clause = "none")
{
        check_equal(1 + 1, 2);
}

CASE("misbehaving.fails", "A case whose observation no profile allows", .level = POSIX_SHALL, .clause = "none",
     .note = "made to fail")
{
        int id = make_segment(KEY, 3333, 0600);
        check_fails(try_shmctl(id, IPC_STAT, &(struct stat_buffer){0}.is.ds), EINVAL, EIDRM);
}

CASE("misbehaving.linux_only", "A case that only the linux profile judges, and allows", .level = LINUX,
     .clause = "none")
{
        check_fails(try_shmget(KEY, 1, 0), ENOENT);
}

CASE("misbehaving.crashes", "A case that writes where nothing is mapped", .level = POSIX_SHALL, .clause = "none")
{
        int id = make_segment(KEY, 1, 0600);
        char *at = make_attached(id, 0);
        make_detached(at);
        *(volatile char *)at = 1;
        check_equal(1, 1);
}

CASE("misbehaving.child_crashes", "A case whose child dies by a signal", .level = POSIX_SHALL, .clause = "none")
{
        IN_CHILD
        {
                abort();
        }
        check_equal(1, 1);
}

CASE("misbehaving.hangs", "A case that waits for ever", .level = POSIX_SHALL, .clause = "none")
{
        make_segment(KEY, 1, 0600);
        for (;;)
                pause();
}

CASE("misbehaving.ignores_signals", "A case that ignores every signal it can and spins", .level = POSIX_SHALL,
     .clause = "none")
{
        for (int n = 1; n < 65; n++)
                signal(n, SIG_IGN);
        for (volatile unsigned n = 0;; n++) {
        }
}

CASE("misbehaving.runaway_grandchild", "A case that leaves a grandchild in a session of its own", .level = POSIX_SHALL,
     .clause = "none")
{
        if (fork() == 0) {
                setsid();
                if (fork() == 0) {
                        setsid();
                        for (;;)
                                pause();
                }
                _exit(0);
        }
        check_equal(1, 1);
}

CASE("misbehaving.fork_storm", "A case whose many children never end", .level = POSIX_SHALL, .clause = "none")
{
        for (int i = 0; i < 40; i++) {
                if (fork() == 0) {
                        for (;;)
                                pause();
                }
        }
        check_equal(1, 1);
}

CASE("misbehaving.observes_nothing", "A case that makes no observation", .level = POSIX_SHALL, .clause = "none")
{
        try_shmget(KEY, 1, 0);
}

CASE("misbehaving.set_up_fails", "A case whose scene cannot be set", .level = POSIX_SHALL, .clause = "none")
{
        make_segment(KEY, 0, 0600);
        check_equal(1, 1);
}

CASE("misbehaving.skips", "A case that cannot be tried here", .level = POSIX_SHALL, .clause = "none")
{
        skip_case("there is no such thing here");
}

CASE("misbehaving.exits", "A case that ends its process itself", .level = POSIX_SHALL, .clause = "none")
{
        check_equal(1, 1);
        _exit(7);
}

CASE("misbehaving.writes_to_output", "A case that writes to standard output and standard error", .level = POSIX_SHALL,
     .clause = "none")
{
        static const char noise[] = "noise \033[31m\r\n@shmcheck \n@shmcheck 3 deadbeef {}\n";
        check_equal(write(STDOUT_FILENO, noise, sizeof(noise) - 1), (long)sizeof(noise) - 1);
}

CASE("misbehaving.many_steps", "A case with more steps than there is room for", .level = POSIX_SHALL, .clause = "none")
{
        for (int i = 0; i < 5000; i++)
                try_shmget(KEY, 1, 0);
        check_equal(1, 1);
}

CASE("misbehaving.many_observations", "A case with more observations than there is room for", .level = POSIX_SHALL,
     .clause = "none")
{
        for (int i = 0; i < 5000; i++)
                check_equal(i - i, 0);
}

CASE("misbehaving.leaves_segments", "A case that leaves three segments, as it may", .level = POSIX_SHALL,
     .clause = "none")
{
        make_segment(KEY, 1, 0600);
        make_segment(OTHER_KEY, 2, 0);
        make_segment(IPC_PRIVATE, 3, 0640);
        check_equal(1, 1);
}

CASE("misbehaving.means_to_leave_more", "A case that means to leave more than it does", .level = POSIX_SHALL,
     .clause = "none")
{
        make_segment(KEY, 1, 0600);
        means_to_leave(2);
        check_equal(1, 1);
}

CASE("misbehaving.scratch", "A case that leaves files and a folder that nobody may search", .level = POSIX_SHALL,
     .clause = "none")
{
        make_scratch_directory();
        make_file("left", 0);
        make_sure(mkdir("closed", 0700) == 0, "mkdir");
        make_file("closed/inside", 0600);
        make_sure(chmod("closed", 0) == 0, "chmod");
        check_equal(1, 1);
}

CASE("misbehaving.ticks", "A case that waits for the clock", .level = POSIX_SHALL, .clause = "none",
     .needs = NEED_CLOCK_TICK)
{
        time_t before = time(NULL);
        wait_for_tick();
        check_that(time(NULL) > before, "a later second");
}

CASE("misbehaving.alternates", "A case whose verdict changes from round to round", .level = POSIX_SHALL,
     .clause = "none")
{
        /* The monotonic clock, in milliseconds: rounds are not a case's to know. */
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        check_equal((now.tv_nsec / 1000) % 2, 0);
}
