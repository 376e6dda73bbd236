/* --deny: the plain filter that does what a container's profile does. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "deny.h"
#include "shm_caller.h"

static void expect_mistake(const char *text, unsigned column, const char *word, const char *nearest)
{
        struct deny deny = {0};
        struct fault_mistake mistake;
        bool offered = !nearest;
        cr_expect(!deny_parse(&deny, text, &mistake), "%s", text);
        cr_expect_eq(mistake.column, column, "%s: column %u", text, mistake.column);
        cr_expect_str_eq(mistake.word, word);
        cr_expect_str_not_empty(mistake.why);
        for (const char *const *name = mistake.nearest_of; name && nearest && *name; name++)
                offered |= strcmp(*name, nearest) == 0;
        cr_expect(offered, "%s: %s is not among the names", text, nearest);
}

Test(deny, refuses_what_it_does_not_understand)
{
        expect_mistake("", 1, "", "shm");
        expect_mistake("shm", 4, "", "EPERM");
        expect_mistake("shm=", 5, "", "EPERM");
        expect_mistake("shmgt=EPERM", 1, "shmgt", "shmget");
        expect_mistake("shm=EPREM", 5, "EPREM", "EPERM");
        expect_mistake("shm=ENOSPC", 5, "ENOSPC", "ENOSYS");
        expect_mistake("shmget=EPERM,", 14, "", "shm");
        expect_mistake("shmget=EPERM,shmat:ENOSYS", 14, "shmat:ENOSYS", "shmat");
        expect_mistake("shmget=EPERM=ENOSYS", 8, "EPERM=ENOSYS", "EPERM");
        expect_mistake("ftok=EPERM", 1, "ftok", NULL);
        expect_mistake("shmget=EPERM,shmget=ENOSYS", 14, "shmget", NULL);
        expect_mistake("shm=EPERM,shm=ENOSYS", 11, "shm", NULL);
}

Test(deny, what_is_named_itself_goes_before_shm)
{
        static const char *const texts[] = {"shm=EPERM,shmdt=ENOSYS", "shmdt=ENOSYS,shm=EPERM"};
        for (size_t i = 0; i < 2; i++) {
                struct deny deny = {0};
                struct fault_mistake mistake;
                cr_assert(deny_parse(&deny, texts[i], &mistake), "%s", mistake.why);
                cr_expect_eq(deny.errors[SHM_CALL_SHMGET], EPERM);
                cr_expect_eq(deny.errors[SHM_CALL_SHMAT], EPERM);
                cr_expect_eq(deny.errors[SHM_CALL_SHMDT], ENOSYS);
                cr_expect_eq(deny.errors[SHM_CALL_SHMCTL], EPERM);
                cr_expect_eq(deny.errors[SHM_CALL_FTOK], 0);
        }
}

static void expect_denied(const char *text, uid_t uid, const char *words, const char *expected)
{
        struct deny deny = {0};
        struct fault_mistake mistake;
        struct caller_output written = {0};
        char why[256];
        int output[2];
        cr_assert(deny_parse(&deny, text, &mistake), "%s", mistake.why);
        cr_assert(pipe2(output, O_CLOEXEC) == 0);
        pid_t pid = fork();
        cr_assert(pid != -1);
        if (pid == 0) {
                become_user(uid);
                if (deny_install(&deny, why, sizeof(why)) == 0)
                        become_caller(words, output[1]);
                _exit(125);
        }
        close(output[1]);
        written.fd = output[0];
        while (read_output(&written))
                ;
        waitpid(pid, NULL, 0);
        close(output[0]);
        cr_expect_str_eq(written.text, expected, "%s on '%s': %s", text, words, written.text);
}

Test(deny, denies_64_bit_programs, .init = caller_set_up, .fini = caller_tear_down)
{
        compile_static();
        expect_denied(
                "shm=EPERM", 0, "privileges descriptors get get-raw get-x32 at dt stat rmid",
                geteuid() == 0
                        ? "no_new_privs 0\ndescriptors 0\nget 1\nget-raw 1\nget-x32 1\nat 1\ndt 1\nstat 1\nrmid 1\n"
                        : "no_new_privs 1\ndescriptors 0\nget 1\nget-raw 1\nget-x32 1\nat 1\ndt 1\nstat 1\nrmid 1\n");
        expect_denied("shmget=ENOSYS,shmdt=EPERM", 0, "get dt stat fork exec get", "get 38\ndt 1\nstat 22\nget 38\n");
}

Test(deny, denies_32_bit_programs_and_the_multiplexer, .init = caller_set_up, .fini = caller_tear_down)
{
        compile_for_32_bits();
        expect_denied(
                "shm=ENOSYS", 0, "get get-raw get-ipc get-ipc-v2 at at-ipc dt-ipc stat stat-ipc rmid-ipc",
                "get 38\nget-raw 38\nget-ipc 38\nget-ipc-v2 38\nat 38\nat-ipc 38\ndt-ipc 38\nstat 38\nstat-ipc 38\n"
                "rmid-ipc 38\n");
        expect_denied("shmget=EPERM", 0, "get-ipc stat-ipc", "get-ipc 1\nstat-ipc 22\n");
        compile_static();
        expect_denied("shm=EPERM", 0, "get-ipc at-ipc dt-ipc stat-ipc rmid-ipc",
                      "get-ipc 1\nat-ipc 1\ndt-ipc 1\nstat-ipc 1\nrmid-ipc 1\n");
}

Test(deny, denies_as_nobody, .init = caller_set_up, .fini = caller_tear_down)
{
        compile_static();
        expect_denied("shm=EPERM", geteuid() == 0 ? NOBODY : 0, "privileges get", "no_new_privs 1\nget 1\n");
}
