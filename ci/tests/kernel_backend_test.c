/* The kernel back end, on programs that a preloaded library does not reach: static ones, raw system calls, 32-bit ones.
 */
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "fault_plan.h"
#include "kernel_backend.h"
#include "raw_call.h"
#include "session.h"
#include "shm_caller.h"

/* A call that is never answered hangs. */
TestSuite(kernel_backend, .timeout = 30);

#define MILLISECOND INT64_C(1000000)

/* A command under the back end. */
struct run {
        struct fault_plan plan;
        struct session *session;
        struct kernel_backend *backend;
        bool no_new_privileges;
        const char *uid_map; /* of a user namespace that the command is to be in, or NULL */
        bool hung_up;        /* no process is under the filter any more */
        pid_t pid;
        struct caller_output output;
        int status; /* exit status, or 128 + signal */
};

static void add_rule(struct fault_plan *plan, const char *text)
{
        struct fault_mistake mistake;
        cr_assert(fault_rule_parse(&plan->rules[plan->count], text, false, &mistake), "%s: %s", text, mistake.why);
        plan->count++;
}

static void enter_user_namespace(const char *map)
{
        int fd = unshare(CLONE_NEWUSER) == -1 ? -1 : open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
        if (fd == -1 || write(fd, map, strlen(map)) == -1)
                _exit(126);
        close(fd);
}

static void start(struct run *r, const char *words, bool events, uid_t uid)
{
        char why[512] = "";
        int sockets[2];
        int output[2];
        int shared = -1;
        r->session = session_new(&r->plan, events, &shared);
        cr_assert(r->session && shared != -1);
        close(shared);
        cr_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0 && pipe2(output, O_CLOEXEC) == 0);
        r->pid = fork();
        cr_assert(r->pid != -1);
        if (r->pid == 0) {
                become_user(uid);
                if (r->uid_map)
                        enter_user_namespace(r->uid_map);
                int listener = kernel_backend_install(&r->plan, events, why, sizeof(why));
                if (kernel_backend_send(sockets[1], listener, why) && listener != -1)
                        become_caller(words, output[1]);
                _exit(125);
        }
        close(sockets[1]);
        close(output[1]);
        r->output.fd = output[0];
        int listener = kernel_backend_receive(sockets[0], &r->no_new_privileges, why, sizeof(why));
        cr_assert(listener != -1, "%s", why);
        close(sockets[0]);
        r->backend = kernel_backend_new(listener, r->session);
        cr_assert_not_null(r->backend);
}

/* Supervises until there is no more output, or, with until, until the output holds it. */
static void supervise(struct run *r, const char *until)
{
        while (!until || !strstr(r->output.text, until)) {
                struct pollfd polled[] = {{.fd = r->hung_up ? -1 : kernel_backend_fd(r->backend), .events = POLLIN},
                                          {.fd = r->output.fd, .events = POLLIN}};
                int64_t due = kernel_backend_due(r->backend);
                struct timespec wait = {due / 1000000000, due % 1000000000};
                cr_assert(ppoll(polled, 2, due < 0 ? NULL : &wait, NULL) != -1);
                r->hung_up |= !kernel_backend_serve(r->backend, polled[0].revents);
                if (polled[1].revents && !read_output(&r->output))
                        return;
        }
}

static void finish(struct run *r)
{
        int status = 0;
        supervise(r, NULL);
        cr_assert(waitpid(r->pid, &status, 0) == r->pid);
        r->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
        kernel_backend_free(r->backend);
        close(r->output.fd);
}

static struct run run_as(uid_t uid, const char *rule, const char *words)
{
        struct run r = {0};
        add_rule(&r.plan, rule);
        start(&r, words, false, uid);
        finish(&r);
        return r;
}

/* Runs the compiled caller with the words under one rule. */
static struct run run_caller(const char *rule, const char *words)
{
        return run_as(0, rule, words);
}

static void expect_output(const char *rule, const char *words, const char *output)
{
        struct run r = run_caller(rule, words);
        cr_expect_str_eq(r.output.text, output, "%s on '%s': %s", rule, words, r.output.text);
        cr_expect_eq(r.status, 0);
}

/* Rules that need what the kernel's side cannot see or do. */
static void expect_refused(const char *rule, const char *what)
{
        struct fault_plan plan = {0};
        char why[512] = "";
        char named[300];
        add_rule(&plan, "shmget:error=ENOSPC");
        add_rule(&plan, rule);
        snprintf(named, sizeof(named), "'%s': --via kernel cannot do %s, because ", rule, what);
        cr_expect(kernel_backend_refuses(&plan, why, sizeof(why)), "%s", rule);
        cr_expect(has(why, named) && has(why, ": use "), "%s", why);
}

Test(kernel_backend, refuses_rules_by_name)
{
        expect_refused("shmget:delay_exit=2ms", "delay_exit=");
        expect_refused("shmget:signal_exit=SIGKILL", "signal_exit=");
        expect_refused("shmctl/IPC_STAT:corrupt=nattch:0", "corrupt=");
        expect_refused("shmget:short", "short");
        expect_refused("shmat:error=EINVAL:caller=main", "caller=");
        expect_refused("ftok:error=ENOENT", "ftok");
        expect_refused("shmget:retval=-1", "this retval=");
        expect_refused("shmget:retval=-4095", "this retval=");
}

Test(kernel_backend, refuses_no_rule_that_it_can_do)
{
        static const char *const rules[] = {
                "shm:error=ENOSYS", "shmget:retval=-4096", "shmget:retval=77:uid=3:key=0x5e3a0001:size=>1",
                "shmat:delay_enter=1ms:signal=SIGUSR1:thread=2", "shmctl/IPC_RMID:error=EPERM:prob=0.5:seed=1"};
        struct fault_plan plan = {0};
        char why[512] = "";
        for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
                add_rule(&plan, rules[i]);
        cr_expect(!kernel_backend_refuses(&plan, why, sizeof(why)), "%s", why);
}

Test(kernel_backend, tells_of_a_child_that_ended_without_a_word)
{
        char why[256] = "";
        bool weak = false;
        int sockets[2];
        cr_assert(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
        close(sockets[1]);
        cr_expect_eq(kernel_backend_receive(sockets[0], &weak, why, sizeof(why)), -1);
        cr_expect_str_eq(why, "the command's process ended before its filter was there");
        close(sockets[0]);
}

/* A filter with a listener is in the way of a second one. */
Test(kernel_backend, tells_why_the_filter_was_refused)
{
        struct fault_plan plan = {0};
        char why[256] = "";
        char told[256] = "";
        bool weak = true;
        int sockets[2];
        add_rule(&plan, "shmget:error=ENOSPC");
        int first = kernel_backend_install(&plan, false, why, sizeof(why));
        cr_assert(first != -1, "%s", why);
        cr_expect_eq(kernel_backend_install(&plan, false, why, sizeof(why)), -1);
        cr_assert(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
        cr_expect(kernel_backend_send(sockets[1], -1, why));
        cr_expect_eq(kernel_backend_receive(sockets[0], &weak, told, sizeof(told)), -1);
        cr_expect_str_eq(told, "the seccomp filter is refused: it already runs under a filter with a supervisor, and "
                               "there can be only one");
        cr_expect(!weak || geteuid() != 0);
        close(sockets[0]);
        close(sockets[1]);
        close(first);
}

Test(kernel_backend, reaches_a_static_program, .init = caller_set_up, .fini = caller_tear_down)
{
        compile_static();
        expect_output("shmget:error=ENOSPC:when=2", "get get get rmid", "get 0\nget 28\nget 0\nrmid 0\n");
        expect_output("shmctl/IPC_RMID:error=EPERM:when=1", "get stat rmid rmid", "get 0\nstat 0\nrmid 1\nrmid 0\n");
        expect_output("shmdt:error=EINVAL:when=1", "get at dt dt rmid", "get 0\nat 0\ndt 22\ndt 0\nrmid 0\n");
        expect_output("shm:error=ENOSYS", "get at dt stat", "get 38\nat 38\ndt 38\nstat 38\n");
        cr_expect_eq(segments_here(), 0);
}

Test(kernel_backend, reaches_raw_system_calls, .init = caller_set_up, .fini = caller_tear_down)
{
        compile_static();
        expect_output("shmget:error=ENOSPC:when=1", "get-raw get-raw rmid", "get-raw 28\nget-raw 0\nrmid 0\n");
        /* The answer comes before the kernel would look whether it knows x32. */
        expect_output("shmget:error=ENOSPC", "get-x32", "get-x32 28\n");
}

Test(kernel_backend, selects_by_key_and_size, .init = caller_set_up, .fini = caller_tear_down)
{
        compile_static();
        expect_output("shmget:error=ENOSPC:key=0x5e3a0001:size=<4097", "get", "get 28\n");
        expect_output("shmget:error=ENOSPC:key=0x5e3a0002", "get rmid", "get 0\nrmid 0\n");
        expect_output("shmget:error=ENOSPC:size=>4096", "get rmid", "get 0\nrmid 0\n");
}

static void expect_multiplexer_reached(void)
{
        expect_output("shmget:error=ENOSPC:key=0x5e3a0001:size=4096:when=1..2", "get-ipc get-ipc-v2 get-ipc rmid-ipc",
                      "get-ipc 28\nget-ipc-v2 28\nget-ipc 0\nrmid-ipc 0\n");
        expect_output("shmat:error=ENOMEM:when=1", "get at-ipc at-ipc dt-ipc rmid-ipc",
                      "get 0\nat-ipc 12\nat-ipc 0\ndt-ipc 0\nrmid-ipc 0\n");
        expect_output("shmdt:error=EINVAL:when=1", "get at-ipc dt-ipc dt-ipc rmid-ipc",
                      "get 0\nat-ipc 0\ndt-ipc 22\ndt-ipc 0\nrmid-ipc 0\n");
        expect_output("shmctl/IPC_STAT:error=EACCES:when=1", "get rmid-ipc get stat-ipc stat-ipc rmid-ipc",
                      "get 0\nrmid-ipc 0\nget 0\nstat-ipc 13\nstat-ipc 0\nrmid-ipc 0\n");
        expect_output("shmctl/IPC_RMID:error=EPERM:when=1", "get stat-ipc rmid-ipc rmid-ipc",
                      "get 0\nstat-ipc 0\nrmid-ipc 1\nrmid-ipc 0\n");
        /* The address is returned in memory, and so is the lie. */
        expect_output("shmat:retval=0x12345000", "get at-ipc address rmid-ipc",
                      "get 0\nat-ipc 0\naddress 12345000\nrmid-ipc 0\n");
        cr_expect_eq(segments_here(), 0);
}

Test(kernel_backend, reaches_the_multiplexer_from_32_bits, .init = caller_set_up, .fini = caller_tear_down)
{
        compile_for_32_bits();
        expect_multiplexer_reached();
}

Test(kernel_backend, reaches_the_multiplexer_by_int_0x80, .init = caller_set_up, .fini = caller_tear_down)
{
        compile_for_32_bits();
        compile_static();
        expect_multiplexer_reached();
}

Test(kernel_backend, reaches_32_bit_programs, .init = caller_set_up, .fini = caller_tear_down)
{
        compile_for_32_bits();
        expect_output("shmget:error=ENOSPC:when=1", "get get-raw rmid", "get 28\nget-raw 0\nrmid 0\n");
        expect_output("shmget:error=ENOSPC:when=2:key=0x5e3a0001:size=4096", "get get-raw rmid",
                      "get 0\nget-raw 28\nrmid 0\n");
        expect_output("shmctl/IPC_STAT:error=EACCES:when=1", "get stat stat rmid", "get 0\nstat 13\nstat 0\nrmid 0\n");
        expect_output("shmat:error=ENOMEM:when=1", "get at at dt rmid", "get 0\nat 12\nat 0\ndt 0\nrmid 0\n");
}

Test(kernel_backend, lies_with_retval, .init = caller_set_up, .fini = caller_tear_down)
{
        compile_static();
        expect_output("shmget:retval=4242:when=1", "get id get", "get 0\nid 4242\nget 0\n");
        expect_output("shmat:retval=0x7f0012345000", "at address", "at 0\naddress 7f0012345000\n");
        cr_expect_eq(segments_here(), 1, "the second shmget was made");
}

Test(kernel_backend, a_lie_that_cannot_be_written_is_EFAULT, .init = caller_set_up, .fini = caller_tear_down)
{
        /* In a program at a high address the multiplexer is given a pointer that is cut off. */
        compile_for_32_bits();
        cr_assert(compile_caller("gcc -pie -fPIE"));
        expect_output("shmat:retval=0x12345000", "at-ipc", "at-ipc 14\n");
}

Test(kernel_backend, goes_on_across_fork_and_exec, .init = caller_set_up, .fini = caller_tear_down)
{
        cr_assert(compile_caller("gcc"));
        expect_output("shmget:error=ENOSPC:when=3", "get fork get exec get vfork get rmid",
                      "get 0\nget 0\nget 28\nget 0\nrmid 0\n");
}

Test(kernel_backend, each_ordinal_is_hit_once_by_a_crowd, .init = caller_set_up, .fini = caller_tear_down,
     .timeout = 60)
{
        struct run r = {0};
        compile_static();
        add_rule(&r.plan, "shmctl/IPC_STAT:error=EACCES:when=1");
        add_rule(&r.plan, "shmctl/IPC_STAT:error=EACCES:when=777");
        add_rule(&r.plan, "shmctl/IPC_STAT:error=EACCES:when=6400");
        add_rule(&r.plan, "shmctl/IPC_STAT:error=EACCES:when=6401");
        start(&r, "get crowd=4,8,200 rmid", false, 0);
        finish(&r);
        cr_expect_str_eq(r.output.text, "get 0\ncrowd 3\nrmid 0\n");
        for (unsigned i = 0; i < r.plan.count; i++) {
                cr_expect_eq(atomic_load(&r.session->states[i].hit), i < 3, "rule %u", i);
                cr_expect_eq(atomic_load(&r.session->states[i].matched), 6400, "rule %u", i);
        }
        cr_expect(r.hung_up);
}

/* A call that a signal interrupts and the kernel restarts is one call. */
Test(kernel_backend, a_storm_of_signals_changes_no_count, .init = caller_set_up, .fini = caller_tear_down,
     .timeout = 60)
{
        compile_static();
        struct run r = run_caller("shmctl/IPC_STAT:error=EACCES:when=3000", "get storm often=5000 rmid");
        cr_expect_str_eq(r.output.text, "get 0\noften 1\nrmid 0\n");
        cr_expect_eq(atomic_load(&r.session->states[0].matched), 5000);
}

static int64_t now(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return t.tv_sec * 1000 * MILLISECOND + t.tv_nsec;
}

Test(kernel_backend, a_caller_that_is_killed_holds_nobody_up, .init = caller_set_up, .fini = caller_tear_down)
{
        struct run r = {0};
        compile_static();
        add_rule(&r.plan, "shmget:delay_enter=300ms:error=ENOSPC");
        start(&r, "privileges get", false, 0);
        supervise(&r, "no_new_privs");
        /* Until it waits for an answer. */
        while (kernel_backend_due(r.backend) == -1) {
                struct pollfd polled = {.fd = kernel_backend_fd(r.backend), .events = POLLIN};
                poll(&polled, 1, 1000);
                kernel_backend_serve(r.backend, polled.revents);
        }
        kill(r.pid, SIGKILL);
        finish(&r);
        cr_expect_eq(r.status, 128 + SIGKILL);
        cr_expect_eq(segments_here(), 0);
}

/* Whom to kill just after the supervisor has read of a call; 0: nobody. */
static pid_t victim;

/* In front of libseccomp's own, so that a caller can be killed at the worst moment. */
int seccomp_notify_receive(int fd, struct seccomp_notif *req)
{
        int (*receive)(int, struct seccomp_notif *) = NULL;
        *(void **)&receive = dlsym(RTLD_NEXT, "seccomp_notify_receive");
        int received = receive(fd, req);
        if (victim) {
                kill(victim, SIGKILL);
                waitpid(victim, NULL, 0);
        }
        return received;
}

/* A fault is spent on a caller that is there to see it. */
static void kill_before_decision(bool after_receiving)
{
        struct run r = {0};
        add_rule(&r.plan, "shmget:error=ENOSPC:when=1");
        start(&r, "get", true, 0);
        struct pollfd polled = {.fd = kernel_backend_fd(r.backend), .events = POLLIN};
        cr_assert_eq(poll(&polled, 1, 5000), 1);
        victim = after_receiving ? r.pid : 0;
        if (!after_receiving) {
                kill(r.pid, SIGKILL);
                waitpid(r.pid, NULL, 0);
        }
        cr_expect(kernel_backend_serve(r.backend, polled.revents));
        victim = 0;
        cr_expect_eq(atomic_load(&r.session->states[0].matched), 0);
        cr_expect_eq(atomic_load(&r.session->head), 0, "there is no event of it");
        cr_expect_eq(poll(&polled, 1, 5000), 1);
        cr_expect(!kernel_backend_serve(r.backend, polled.revents), "nobody is left");
        kernel_backend_free(r.backend);
        close(r.output.fd);
}

Test(kernel_backend, a_fault_is_not_spent_on_the_dead, .init = caller_set_up, .fini = caller_tear_down)
{
        compile_static();
        kill_before_decision(false);
        kill_before_decision(true);
}

Test(kernel_backend, a_delay_holds_up_no_other_process, .init = caller_set_up, .fini = caller_tear_down)
{
        compile_static();
        /* Each of 32 callers is delayed once; one after the other that would take more than 6 s. */
        int64_t before = now();
        struct run r = run_caller("shmctl:delay_enter=200ms", "crowd=4,8,1");
        int64_t took = now() - before;
        cr_expect(took >= 200 * MILLISECOND && took < 2000 * MILLISECOND, "%lld ns", (long long)took);
        cr_expect_eq(atomic_load(&r.session->states[0].hit), 32);
        /* Those that are not delayed do not wait for one that is. */
        before = now();
        r = run_caller("shmctl:delay_enter=10s:when=5000", "crowd=1,1,4999");
        cr_expect(now() - before < 5000 * MILLISECOND);
        cr_expect_str_eq(r.output.text, "crowd 4999\n");
}

Test(kernel_backend, a_signal_that_kills_comes_before_the_call, .init = caller_set_up, .fini = caller_tear_down)
{
        static const int signals[] = {SIGKILL, SIGTERM, SIGSEGV};
        static const char *const names[] = {"SIGKILL", "SIGTERM", "SIGSEGV"};
        compile_static();
        for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
                char rule[64];
                snprintf(rule, sizeof(rule), "shmget:signal=%s", names[i]);
                struct run r = run_caller(rule, "get rmid");
                cr_expect_eq(r.status, 128 + signals[i], "%s", rule);
                cr_expect_str_empty(r.output.text);
                cr_expect_eq(segments_here(), 0, "%s: the call was made", rule);
        }
}

Test(kernel_backend, a_handler_runs_and_then_the_call_is_made_once, .init = caller_set_up, .fini = caller_tear_down)
{
        compile_static();
        struct run r = run_caller("shmget:signal=SIGUSR1:when=1", "catch=10 get rmid");
        cr_expect_str_eq(r.output.text, "handled\nget 0\nrmid 0\n");
        cr_expect_eq(atomic_load(&r.session->states[0].matched), 1, "the call that comes again is the same one");
        expect_output("shmget:signal=SIGUSR1:error=ENOSPC", "catch=10 get", "handled\nget 28\n");
        expect_output("shmget:signal=SIGUSR1", "block=10 get rmid", "get 0\nrmid 0\n");
        expect_output("shmget:signal=SIGCHLD", "get rmid", "get 0\nrmid 0\n");
}

Test(kernel_backend, a_handler_of_32_bits_runs_too, .init = caller_set_up, .fini = caller_tear_down)
{
        compile_for_32_bits();
        expect_output("shmget:signal=SIGUSR1:delay_enter=1ms", "catch=10 get get-ipc rmid",
                      "handled\nget 0\nget-ipc 0\nrmid 0\n");
}

Test(kernel_backend, knows_threads_by_number_and_name, .init = caller_set_up, .fini = caller_tear_down)
{
        compile_static();
        expect_output("shmget:error=ENOSPC:thread=1", "get thread get rmid", "get 28\nget 0\nrmid 0\n");
        expect_output("shmget:error=ENOSPC:thread=2", "get thread get thread get rmid",
                      "get 0\nget 28\nget 0\nrmid 0\n");
        expect_output("shmget:error=ENOSPC:thread=work*", "get name=worker get name=other get rmid",
                      "get 0\nget 28\nget 0\nrmid 0\n");
}

Test(kernel_backend, knows_users, .init = caller_set_up, .fini = caller_tear_down)
{
        compile_static();
        struct run r = run_as(NOBODY, "shmget:error=ENOSPC:uid=65534", "get");
        cr_expect_str_eq(r.output.text, "get 28\n");
        r = run_as(NOBODY, "shmget:error=ENOSPC:uid=0", "get rmid");
        cr_expect_str_eq(r.output.text, "get 0\nrmid 0\n");
}

/* What geteuid tells the command is what uid= means. */
Test(kernel_backend, knows_users_as_their_user_namespace_does, .init = caller_set_up, .fini = caller_tear_down)
{
        char map[32];
        compile_static();
        struct finished f = run_command("unshare -U true");
        bool possible = f.status == 0;
        finished_free(&f);
        if (!possible)
                cr_skip_test("there are no user namespaces for this user");
        snprintf(map, sizeof(map), "77 %u 1", (unsigned)geteuid());
        struct run r = {.uid_map = map};
        add_rule(&r.plan, "shmget:error=ENOSPC:uid=77");
        start(&r, "get", false, 0);
        finish(&r);
        cr_expect_str_eq(r.output.text, "get 28\n");
}

Test(kernel_backend, takes_privileges_only_from_those_without, .init = caller_set_up, .fini = caller_tear_down)
{
        compile_static();
        struct run r = run_as(NOBODY, "shmget:error=ENOSPC", "privileges get");
        cr_expect(r.no_new_privileges);
        cr_expect_str_eq(r.output.text, "no_new_privs 1\nget 28\n");
        if (geteuid() != 0)
                return;
        r = run_caller("shmget:error=ENOSPC", "privileges get");
        cr_expect(!r.no_new_privileges);
        cr_expect_str_eq(r.output.text, "no_new_privs 0\nget 28\n");
}

/* Supervisor and command of a user who has no rights at all. */
Test(kernel_backend, works_as_nobody, .init = caller_set_up, .fini = caller_tear_down)
{
        compile_static();
        if (geteuid() == 0) {
                struct finished f = run_command("chown nobody $D");
                finished_free(&f);
                become_user(NOBODY);
        }
        expect_output("shmget:error=ENOSPC:when=2:uid=65534:thread=1", "get get get rmid",
                      "get 0\nget 28\nget 0\nrmid 0\n");
        expect_output("shmget:signal=SIGUSR1", "catch=10 get rmid", "handled\nget 0\nrmid 0\n");
        expect_output("shmat:retval=0x12345000", "at address", "at 0\naddress 12345000\n");
}

Test(kernel_backend, leaves_no_descriptor_open_in_the_command, .init = caller_set_up, .fini = caller_tear_down)
{
        compile_static();
        expect_output("shmget:error=ENOSPC", "descriptors get exec descriptors",
                      "descriptors 0\nget 28\ndescriptors 0\n");
}

Test(kernel_backend, calls_fail_with_ENOSYS_when_the_supervisor_is_gone, .init = caller_set_up,
     .fini = caller_tear_down)
{
        struct run r = {0};
        compile_static();
        add_rule(&r.plan, "shmget:error=ENOSPC");
        start(&r, "get get", false, 0);
        kernel_backend_free(r.backend);
        while (read_output(&r.output))
                ;
        waitpid(r.pid, NULL, 0);
        cr_expect_str_eq(r.output.text, "get 38\nget 38\n");
}

/* What the trace is made of. */
struct seen {
        struct shm_event events[16];
        size_t count;
};

static void keep_event(const struct shm_event *e, void *arg)
{
        struct seen *seen = arg;
        if (seen->count < 16)
                seen->events[seen->count++] = *e;
}

static void expect_event(const struct seen *seen, size_t i, enum shm_call call, const int64_t args[2], int rule)
{
        const struct shm_event *e = &seen->events[i];
        cr_assert(i < seen->count, "event %zu of %zu", i, seen->count);
        cr_expect_eq(e->call, call, "event %zu: %s", i, shm_call_name((enum shm_call)e->call));
        cr_expect(e->args[0] == args[0] || args[0] == INT64_MIN, "event %zu: %lld", i, (long long)e->args[0]);
        cr_expect(e->args[1] == args[1] || args[1] == INT64_MIN, "event %zu: %lld", i, (long long)e->args[1]);
        cr_expect_eq(e->rule, rule);
        cr_expect_eq(e->has_result, rule != -1, "event %zu", i);
        cr_expect_eq(e->error, rule == -1 ? 0 : ENOSPC);
        cr_expect(e->raw && e->site == SESSION_NO_SITE && e->kind == SHM_EVENT_CALL && e->duration == 0);
}

static void expect_trace(const char *words)
{
        struct seen seen = {.count = 0};
        struct run r = {0};
        add_rule(&r.plan, "shmget:error=ENOSPC:when=2");
        start(&r, words, true, 0);
        finish(&r);
        session_drain(r.session, true, keep_event, &seen);
        cr_expect_eq(seen.count, 6, "%s", r.output.text);
        expect_event(&seen, 0, SHM_CALL_SHMGET, (const int64_t[]){0x5e3a0001, 4096}, -1);
        expect_event(&seen, 1, SHM_CALL_SHMGET, (const int64_t[]){0x5e3a0001, 4096}, 0);
        expect_event(&seen, 2, SHM_CALL_SHMAT, (const int64_t[]){INT64_MIN, 0}, -1);
        expect_event(&seen, 3, SHM_CALL_SHMCTL, (const int64_t[]){INT64_MIN, 2 /* IPC_STAT */}, -1);
        expect_event(&seen, 4, SHM_CALL_SHMDT, (const int64_t[]){INT64_MIN, 0}, -1);
        expect_event(&seen, 5, SHM_CALL_SHMCTL, (const int64_t[]){INT64_MIN, 0 /* IPC_RMID */}, -1);
        cr_expect_eq(seen.events[0].args[2], 01600, "IPC_CREAT|0600");
        cr_expect_eq(seen.events[1].result, -1);
        cr_expect_eq(seen.events[0].pid, r.pid);
        cr_expect_eq(seen.events[0].tid, r.pid);
        cr_expect_eq(seen.events[4].pid, r.pid);
        cr_expect_neq(seen.events[4].tid, r.pid);
        cr_expect(seen.events[0].start > 0 && seen.events[5].start > seen.events[0].start);
}

Test(kernel_backend, tells_of_every_call, .init = caller_set_up, .fini = caller_tear_down)
{
        compile_static();
        expect_trace("get get-raw at thread stat dt rmid");
}

Test(kernel_backend, tells_of_multiplexed_calls_alike, .init = caller_set_up, .fini = caller_tear_down)
{
        compile_for_32_bits();
        expect_trace("get-ipc get-raw at-ipc thread stat-ipc dt-ipc rmid-ipc");
}

static void fill_ring(struct session *s)
{
        for (size_t i = 0; i < SESSION_EVENTS; i++) {
                uint64_t sequence = 0;
                struct shm_event *e = session_take(s, &sequence);
                cr_assert_not_null(e);
                session_set_state(e, sequence, SHM_EVENT_COMPLETE);
        }
}

/* To wait for room would be to wait for itself. */
Test(kernel_backend, takes_no_call_while_the_ring_is_full, .init = caller_set_up, .fini = caller_tear_down)
{
        struct run r = {0};
        struct seen seen = {.count = 0};
        compile_static();
        add_rule(&r.plan, "shmget:error=ENOSPC");
        start(&r, "get", true, 0);
        fill_ring(r.session);
        struct pollfd polled = {.fd = kernel_backend_fd(r.backend), .events = POLLIN};
        cr_assert_eq(poll(&polled, 1, 5000), 1);
        cr_expect(kernel_backend_serve(r.backend, polled.revents));
        cr_expect_eq(atomic_load(&r.session->states[0].matched), 0, "the call still waits");
        session_drain(r.session, true, keep_event, &seen);
        finish(&r);
        cr_expect_str_eq(r.output.text, "get 28\n");
}

/* Numbers and arguments that a program here does not come to make. */
Test(kernel_backend, decodes_what_is_no_shm_call_as_none)
{
        struct raw_call call;
        const struct seccomp_data other_ipc = {.nr = 117, .arch = 0x40000003, .args = {1 /* SEMOP */}};
        const struct seccomp_data other_number = {.nr = 39, .arch = 0xc000003e};
        const struct seccomp_data other_arch = {.nr = 29, .arch = 0xc00000b7};
        cr_expect(!raw_call_decode(&other_ipc, &call));
        cr_expect(!raw_call_decode(&other_number, &call));
        cr_expect(!raw_call_decode(&other_arch, &call));
}

Test(kernel_backend, extends_the_signs_of_32_bit_arguments)
{
        struct raw_call call;
        const struct seccomp_data get = {.nr = 395, .arch = 0x40000003, .args = {0xffffffff, 0xffffffff, 0600}};
        const struct seccomp_data control = {
                .nr = 117, .arch = 0x40000003, .args = {24, 0xffffffff, 0x102, 9, 0xbffff000}};
        cr_assert(raw_call_decode(&get, &call));
        cr_expect_eq(call.args[0], -1, "a key is an int");
        cr_expect_eq(call.args[1], 0xffffffff, "a size is not");
        cr_assert(raw_call_decode(&control, &call));
        cr_expect_eq(call.call, SHM_CALL_SHMCTL);
        cr_expect_eq(call.args[0], -1);
        cr_expect_eq(call.args[1], 2);
        cr_expect_eq(call.args[2], 0xbffff000);
}
