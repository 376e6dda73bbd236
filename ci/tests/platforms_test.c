/* Platforms that are not this kernel: one that forbids the calls, and libraries that implement them wrongly. */
#include <criterion/criterion.h>
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"

/* Runs the command where the four calls fail with the errno, as a container's profile has it. */
static struct finished run_forbidden(const char *command, int error)
{
        static const char *const calls[] = {"shmget", "shmat", "shmdt", "shmctl"};
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
        cr_assert_not_null(filter);
        for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
                int number = seccomp_syscall_resolve_name(calls[i]);
                cr_assert_eq(seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)error), number, 0), 0);
        }
        /* It stays with this process, which is the test's own. */
        cr_assert_eq(seccomp_load(filter), 0);
        seccomp_release(filter);
        return run_command(command);
}

static void expect_forbidden(int error, const char *name)
{
        struct finished f = run_forbidden("$B/shmcheck run --json -", error);
        json_t *results = json_output(&f);
        char reason[64];
        cr_expect_eq(f.status, 1, "a platform without the calls does not pass: exit %d", f.status);
        cr_expect(json_is_true(json_object_get(results, "complete")));
        cr_expect_str_eq(verdict_in(results, "walkthrough.tutorial"), "fail");
        snprintf(reason, sizeof(reason), "shmget of a new segment of 1 bytes: %s", name);
        cr_expect(has(f.out, reason), "%s", reason);
        json_decref(results);
        finished_free(&f);
}

Test(platforms, one_that_knows_no_shm)
{
        expect_forbidden(ENOSYS, "ENOSYS");
}

Test(platforms, one_that_forbids_shm)
{
        expect_forbidden(EPERM, "EPERM");
}

Test(platforms, a_preloaded_library_that_changes_nothing_changes_no_verdict)
{
        struct finished f = run_command("$B/shmcheck run --preload $B/libshmmutant.so --json -");
        cr_expect_eq(f.status, 0, "%s", f.err);
        finished_free(&f);
}

/* What the matrix of all mutants says of each, for ten that stand for the rest. */
Test(platforms, a_broken_one_is_told_by_name, .timeout = 200)
{
        static const struct {
                const char *mutant, *caught_by;
        } rows[] = {
                {"excl_ignored", "shmget.eexist.creat_excl"},
                {"detach_twice_succeeds", "shmdt.error.second"},
                {"marked_refuses_strangers", "shmat.error.id_marked"},
                {"new_memory_dirty", "shmget.zero.all_bytes"},
                {"detach_not_counted", "shmctl.stat.detach_nattch"},
                {"mode_not_checked", "shmat.access.other.rdonly"},
                {"segment_vanishes_with_creator", "persist.orphan.found"},
                {"get_failure_errno_zero", "shmget.eexist.creat_excl"},
                {"segsz_rounded_up", "shmctl.stat.new_segsz"},
                {"too_big_size_succeeds", "shmget.einval.size_max"},
        };
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                char command[256];
                snprintf(command, sizeof(command),
                         "SHMCHECK_MUTANT=%s $B/shmcheck run --timeout 1 --preload $B/libshmmutant.so --json - '%s' "
                         "2>/dev/null",
                         rows[i].mutant, rows[i].caught_by);
                struct finished f = run_command(command);
                json_t *results = json_output(&f);
                cr_expect_eq(f.status, 1, "%s: exit %d", rows[i].mutant, f.status);
                cr_expect_str_eq(verdict_in(results, rows[i].caught_by), "fail", "%s", rows[i].mutant);
                json_decref(results);
                finished_free(&f);
        }
}
