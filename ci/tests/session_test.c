/* The session's ring: nothing is lost, torn or held up for ever, whoever is killed, stopped or gone. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "session.h"

#define WRITERS 8

TestSuite(session, .timeout = 60);

static struct session *s;
static int shared = -1;

static void make_session(void)
{
        static struct fault_plan plan;
        s = session_new(&plan, true, &shared);
        cr_assert_not_null(s);
}

static void forget_session(void)
{
        session_free(s);
        close(shared);
}

static int64_t now(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void sleep_ms(long ms)
{
        struct timespec t = {ms / 1000, ms % 1000 * 1000000};
        nanosleep(&t, NULL);
}

/* An event whose parts tell of each other, so that a torn one is seen. */
static void fill_in(struct shm_event *e, int64_t value)
{
        e->start = now();
        e->duration = 0;
        e->pid = e->tid = getpid();
        e->kind = SHM_EVENT_CALL;
        e->call = SHM_CALL_SHMAT;
        e->raw = 0;
        e->has_result = 0;
        e->site = SESSION_NO_SITE;
        e->rule = -1;
        e->error = 0;
        e->args[0] = value;
        e->args[1] = value ^ e->pid;
        e->args[2] = -value;
}

static struct shm_event *enter(int64_t value, uint64_t *sequence)
{
        struct shm_event *e = session_take_by(s, getpid(), sequence);
        if (e) {
                fill_in(e, value);
                cr_assert(session_set_state(e, *sequence, SHM_EVENT_ENTERED));
        }
        return e;
}

static bool finish(struct shm_event *e, uint64_t sequence, int64_t result)
{
        if (!session_set_state(e, sequence, SHM_EVENT_RETURNING))
                return false;
        e->result = result;
        e->has_result = 1;
        return session_set_state(e, sequence, SHM_EVENT_COMPLETE);
}

static bool write_one(int64_t value)
{
        uint64_t sequence = 0;
        struct shm_event *e = enter(value, &sequence);
        return e && finish(e, sequence, ~value);
}

struct list {
        struct shm_event events[64];
        size_t count;
};

static void keep(const struct shm_event *e, void *arg)
{
        struct list *list = arg;
        cr_assert(e->args[1] == (e->args[0] ^ e->pid) && e->args[2] == -e->args[0], "torn: %ld", (long)e->args[0]);
        cr_assert(!e->has_result || e->result == ~e->args[0], "torn result");
        if (list->count < 64)
                memcpy(&list->events[list->count], e, sizeof(*e));
        list->count++;
}

/* Reads until so many are there, or the time is over. */
static void read_some(struct list *list, size_t wanted, int milliseconds)
{
        int64_t end = now() + milliseconds * INT64_C(1000000);
        while (list->count < wanted && now() < end) {
                session_drain(s, false, keep, list);
                session_wait(s, 2);
        }
}

static void expect_value(const struct list *list, size_t i, int64_t value, enum shm_event_state state)
{
        cr_assert_lt(i, list->count, "only %zu events", list->count);
        cr_expect_eq(list->events[i].args[0], value, "%zu: %ld", i, (long)list->events[i].args[0]);
        cr_expect_eq(session_event_state(&list->events[i]), state);
}

/* A child that does something with the session and then waits to be killed, or has been. */
static pid_t start(void (*act)(void))
{
        int ends[2];
        char ready = 0;
        cr_assert(pipe(ends) == 0);
        pid_t pid = fork();
        cr_assert(pid != -1);
        if (pid == 0) {
                act();
                if (write(ends[1], &ready, 1) != 1)
                        _exit(1);
                for (;;)
                        pause();
        }
        cr_assert(read(ends[0], &ready, 1) == 1);
        close(ends[0]);
        close(ends[1]);
        return pid;
}

static void end(pid_t pid)
{
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
}

static void take_only(void)
{
        uint64_t sequence = 0;
        (void)session_take_by(s, getpid(), &sequence);
}

static void take_unseen(void)
{
        uint64_t sequence = 0;
        (void)session_take(s, &sequence);
}

static void enter_only(void)
{
        uint64_t sequence = 0;
        (void)enter(7, &sequence);
}

static void return_halfway(void)
{
        uint64_t sequence = 0;
        struct shm_event *e = enter(7, &sequence);
        (void)session_set_state(e, sequence, SHM_EVENT_RETURNING);
        e->result = 1234;
}

/* ---- who dies ---- */

Test(session, a_slot_of_a_dead_process_holds_nobody_up, .init = make_session, .fini = forget_session)
{
        struct list list = {.count = 0};
        end(start(take_only));
        write_one(1);
        read_some(&list, 1, 500);
        expect_value(&list, 0, 1, SHM_EVENT_COMPLETE);
        cr_expect_eq(list.count, 1);
}

Test(session, a_call_that_its_process_died_in_is_told, .init = make_session, .fini = forget_session)
{
        struct list list = {.count = 0};
        /* Also while nobody has waited for the dead. */
        pid_t pid = start(enter_only);
        kill(pid, SIGKILL);
        write_one(1);
        read_some(&list, 2, 2000);
        expect_value(&list, 0, 1, SHM_EVENT_COMPLETE);
        expect_value(&list, 1, 7, SHM_EVENT_ENTERED);
        cr_expect(!list.events[1].has_result);
        end(pid);
}

Test(session, a_result_that_was_half_written_is_not_told, .init = make_session, .fini = forget_session)
{
        struct list list = {.count = 0};
        end(start(return_halfway));
        read_some(&list, 1, 500);
        expect_value(&list, 0, 7, SHM_EVENT_ENTERED);
        cr_expect(!list.events[0].has_result && list.events[0].result == 0);
}

Test(session, a_slot_that_nobody_can_tell_of_is_given_up_after_a_second, .init = make_session, .fini = forget_session)
{
        struct list list = {.count = 0};
        end(start(take_unseen));
        write_one(1);
        read_some(&list, 1, 500);
        cr_expect_eq(list.count, 0, "too early");
        read_some(&list, 1, 2000);
        expect_value(&list, 0, 1, SHM_EVENT_COMPLETE);
}

static void take_and_stop(void)
{
        uint64_t sequence = 0;
        struct shm_event *e = session_take_by(s, getpid(), &sequence);
        fill_in(e, 7);
        raise(SIGSTOP);
        if (!session_set_state(e, sequence, SHM_EVENT_ENTERED))
                write_one(7);
        raise(SIGKILL);
}

Test(session, a_writer_that_was_stopped_loses_nothing_and_spoils_nothing, .init = make_session, .fini = forget_session)
{
        struct list list = {.count = 0};
        int status = 0;
        pid_t pid = fork();
        if (pid == 0)
                take_and_stop();
        cr_assert(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
        write_one(1);
        read_some(&list, 1, 3000);
        expect_value(&list, 0, 1, SHM_EVENT_COMPLETE);
        /* The slot that was given up is passed over in later rounds. */
        for (int64_t i = 0; i < 3 * SESSION_EVENTS; i++) {
                cr_assert(write_one(i));
                if (i % 1000 == 0)
                        session_drain(s, false, keep, &list);
        }
        kill(pid, SIGCONT);
        cr_assert(waitpid(pid, &status, 0) == pid);
        session_drain(s, false, keep, &list);
        cr_expect_eq(list.count, 2 + 3 * SESSION_EVENTS, "%zu", list.count);
}

/* ---- who takes long ---- */

/* What a writer does whose event was given up. */
static void write_anew(int64_t value, int64_t start, int64_t result)
{
        uint64_t sequence = 0;
        struct shm_event *e = session_take_by(s, getpid(), &sequence);
        fill_in(e, value);
        e->start = start;
        e->anew = 1;
        e->result = result;
        e->has_result = 1;
        cr_assert(session_set_state(e, sequence, SHM_EVENT_COMPLETE));
}

Test(session, a_call_that_takes_long_holds_nobody_up_and_is_told_once, .init = make_session, .fini = forget_session)
{
        struct list list = {.count = 0};
        uint64_t sequence = 0;
        struct shm_event *e = enter(7, &sequence);
        int64_t start = e->start;
        write_one(1);
        session_drain(s, false, keep, &list);
        cr_expect_eq(list.count, 0, "in order, for a moment");
        sleep_ms(80);
        read_some(&list, 1, 500);
        expect_value(&list, 0, 1, SHM_EVENT_COMPLETE);
        cr_expect(!finish(e, sequence, ~7), "the slot is another's now");
        write_anew(7, start, ~7);
        read_some(&list, 2, 500);
        expect_value(&list, 1, 7, SHM_EVENT_COMPLETE);
        write_anew(7, start, ~7);
        cr_expect_eq(session_drain(s, true, keep, &list), 0, "nothing is left of it");
}

static void complete_late(void)
{
        uint64_t sequence = 0;
        struct shm_event *e = enter(7, &sequence);
        int64_t start = e->start;
        raise(SIGSTOP);
        write_anew(7, start, ~7);
        _exit(0);
}

Test(session, a_call_that_was_completed_last_of_all_is_not_told_unfinished, .init = make_session,
     .fini = forget_session)
{
        struct list list = {.count = 0};
        uint64_t sequence = 0;
        int status = 0;
        pid_t pid = fork();
        if (pid == 0)
                complete_late();
        cr_assert(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
        sleep_ms(80);
        session_drain(s, false, keep, &list);
        cr_assert_eq(list.count, 0);
        struct shm_event *e = enter(8, &sequence);
        kill(pid, SIGCONT);
        cr_assert(waitpid(pid, &status, 0) == pid && status == 0);
        session_drain(s, false, keep, &list);
        sleep_ms(15);
        session_drain(s, false, keep, &list);
        /* Unless this machine was so slow that it was put aside. */
        (void)finish(e, sequence, ~8);
        sleep_ms(80);
        session_drain(s, false, keep, &list);
        cr_assert_geq(list.count, 1);
        cr_expect_eq(list.events[list.count - 1].args[0], 7);
        cr_expect_eq(session_event_state(&list.events[list.count - 1]), SHM_EVENT_COMPLETE);
        cr_expect_leq(list.count, 2);
}

Test(session, calls_that_never_return_fill_nothing_up, .init = make_session, .fini = forget_session)
{
        struct list list = {.count = 0};
        uint64_t sequence = 0;
        for (int64_t i = 0; i < SESSION_PARKED + 10; i++)
                enter(i, &sequence);
        sleep_ms(80);
        for (int64_t i = 0; i < 2 * SESSION_EVENTS; i++) {
                cr_assert(write_one(i));
                if (i % 5000 == 0)
                        session_drain(s, false, keep, &list);
        }
        session_drain(s, false, keep, &list);
        cr_expect_eq(list.count, 2 * SESSION_EVENTS + 10, "what is not noted any more is told");
        session_drain(s, true, keep, &list);
        cr_expect_eq(list.count, 2 * SESSION_EVENTS + SESSION_PARKED + 10);
}

Test(session, the_end_tells_everything_as_it_is, .init = make_session, .fini = forget_session)
{
        struct list list = {.count = 0};
        uint64_t sequence = 0;
        write_one(1);
        enter(2, &sequence);
        take_only();
        return_halfway();
        write_one(3);
        session_close(s);
        cr_expect_eq(session_drain(s, true, keep, &list), 4);
        expect_value(&list, 0, 1, SHM_EVENT_COMPLETE);
        expect_value(&list, 1, 2, SHM_EVENT_ENTERED);
        expect_value(&list, 2, 7, SHM_EVENT_ENTERED);
        expect_value(&list, 3, 3, SHM_EVENT_COMPLETE);
        cr_expect_null(session_take(s, &sequence));
}

/* ---- a full ring ---- */

static void fill_ring(void)
{
        for (int64_t i = 0; i < SESSION_EVENTS; i++)
                cr_assert(write_one(i));
}

static void write_one_more(void)
{
        _exit(write_one(-1) ? 0 : 3);
}

static bool ends_within(pid_t pid, int milliseconds, int *status)
{
        for (int waited = 0; waited < milliseconds; waited += 10) {
                if (waitpid(pid, status, WNOHANG) == pid)
                        return true;
                sleep_ms(10);
        }
        return false;
}

static pid_t write_aside(void)
{
        pid_t pid = fork();
        cr_assert(pid != -1);
        if (pid == 0)
                write_one_more();
        return pid;
}

Test(session, a_full_ring_makes_writers_wait_for_the_reader, .init = make_session, .fini = forget_session)
{
        struct list list = {.count = 0};
        int status = 0;
        fill_ring();
        pid_t pid = write_aside();
        cr_expect(!ends_within(pid, 300, &status));
        session_drain(s, false, keep, &list);
        cr_assert(ends_within(pid, 1000, &status));
        cr_expect_eq(status, 0);
        session_drain(s, false, keep, &list);
        cr_expect_eq(list.count, SESSION_EVENTS + 1);
}

Test(session, closing_frees_writers_that_wait, .init = make_session, .fini = forget_session)
{
        int status = 0;
        fill_ring();
        pid_t pid = write_aside();
        cr_expect(!ends_within(pid, 100, &status));
        session_close(s);
        cr_assert(ends_within(pid, 1000, &status));
        cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 3);
}

/* The supervisor is a child here, which is killed, and another child writes. */
Test(session, writers_do_not_wait_for_a_supervisor_that_was_killed)
{
        int ends[2];
        char ready = 0;
        int status = 0;
        cr_assert(pipe(ends) == 0);
        pid_t supervisor = fork();
        if (supervisor == 0) {
                make_session();
                pid_t writer = fork();
                if (writer == 0) {
                        fill_ring();
                        (void)!write(ends[1], &ready, 1);
                        (void)write_one(1);
                        (void)!write(ends[1], &ready, 1);
                        _exit(0);
                }
                for (;;)
                        pause();
        }
        close(ends[1]);
        cr_assert(read(ends[0], &ready, 1) == 1);
        sleep_ms(150);
        fcntl(ends[0], F_SETFL, O_NONBLOCK);
        cr_expect(read(ends[0], &ready, 1) == -1, "it waits");
        kill(supervisor, SIGKILL);
        waitpid(supervisor, &status, 0);
        sleep_ms(500);
        cr_expect(read(ends[0], &ready, 1) == 1, "it does not wait any more");
}

/* ---- a storm ---- */

struct progress {
        _Atomic int64_t begun, done;
        _Atomic pid_t pid;
};

static void write_for_ever(struct progress *p)
{
        for (int64_t i = 0;; i++) {
                atomic_store(&p->begun, i + 1);
                if (!write_one(i))
                        _exit(1);
                atomic_store(&p->done, i + 1);
        }
}

struct storm {
        struct progress *progress;
        int64_t next[WRITERS];
};

static void check_order(const struct shm_event *e, void *arg)
{
        struct storm *storm = arg;
        static struct list unkept;
        keep(e, &unkept);
        for (size_t i = 0; i < WRITERS; i++) {
                if (storm->progress[i].pid != e->pid)
                        continue;
                cr_assert_eq(e->args[0], storm->next[i], "writer %zu: %ld after %ld", i, (long)e->args[0],
                             (long)storm->next[i] - 1);
                storm->next[i]++;
        }
}

Test(session, no_event_is_lost_whoever_is_killed, .init = make_session, .fini = forget_session)
{
        struct storm storm = {.progress = mmap(NULL, sizeof(struct progress) * WRITERS, PROT_READ | PROT_WRITE,
                                               MAP_SHARED | MAP_ANONYMOUS, -1, 0)};
        pid_t pids[WRITERS];
        for (size_t i = 0; i < WRITERS; i++) {
                pids[i] = fork();
                if (pids[i] == 0) {
                        storm.progress[i].pid = getpid();
                        write_for_ever(&storm.progress[i]);
                }
        }
        for (size_t i = 0; i < WRITERS; i++) {
                int64_t until = now() + 100 * INT64_C(1000000);
                while (now() < until) {
                        session_drain(s, false, check_order, &storm);
                        session_wait(s, 1);
                }
                kill(pids[i], SIGKILL);
        }
        for (size_t i = 0; i < WRITERS; i++)
                waitpid(pids[i], NULL, 0);
        sleep_ms(80);
        for (int i = 0; i < 30; i++) {
                session_drain(s, false, check_order, &storm);
                sleep_ms(5);
        }
        for (size_t i = 0; i < WRITERS; i++) {
                const struct progress *p = &storm.progress[i];
                cr_expect(storm.next[i] == p->done || storm.next[i] == p->begun, "writer %zu: %ld read, %ld written", i,
                          (long)storm.next[i], (long)p->done);
                cr_expect_gt(p->done, 100);
        }
        cr_expect_eq(session_drain(s, true, check_order, &storm), 0, "nothing was left");
}

/* ---- joining ---- */

Test(session, the_descriptor_is_high_inherited_and_of_fixed_size, .init = make_session, .fini = forget_session)
{
        cr_expect_geq(shared, 200);
        cr_expect_eq(fcntl(shared, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        cr_expect(session_hand_on(shared));
        cr_expect_eq(fcntl(shared, F_GETFD) & FD_CLOEXEC, 0);
        cr_expect(ftruncate(shared, 4096) == -1 && errno == EPERM);
}

Test(session, is_joined_by_descriptor_and_by_process, .init = make_session, .fini = forget_session)
{
        char name[64];
        session_name(s, shared, name, sizeof(name));
        struct session *joined = session_join(name);
        cr_assert_not_null(joined);
        atomic_store(&joined->seen[0], 1);
        cr_expect_eq(atomic_load(&s->seen[0]), 1);
        session_free(joined);
        pid_t pid = fork();
        if (pid == 0) {
                close(shared);
                _exit(session_join(name) ? 0 : 1);
        }
        int status = 0;
        waitpid(pid, &status, 0);
        cr_expect_eq(status, 0, "through /proc");
}

Test(session, what_is_no_session_is_not_joined)
{
        char name[64];
        int fd = memfd_create("other", 0);
        snprintf(name, sizeof(name), "%d:%d", getpid(), fd);
        cr_expect_null(session_join(name), "too short");
        cr_assert_eq(ftruncate(fd, sizeof(struct session)), 0);
        cr_expect_null(session_join(name), "zeroes");
        cr_assert_eq(pwrite(fd, SESSION_MAGIC, 8, 0), 8);
        cr_expect_null(session_join(name), "of another build");
        close(fd);
        cr_expect_null(session_join(name), "closed");
        cr_expect(session_join("") == NULL && session_join(":") == NULL && session_join("1:2x") == NULL);
}

/* ---- sites ---- */

Test(session, a_site_is_found_again_and_the_table_ends, .init = make_session, .fini = forget_session)
{
        cr_expect_eq(session_site(s, "/a", 1, "f"), 0);
        cr_expect_eq(session_site(s, "/a", 2, "g"), 1);
        cr_expect_eq(session_site(s, "/b", 1, ""), 2);
        cr_expect_eq(session_site(s, "/a", 1, "other"), 0);
        cr_expect_str_eq(s->sites[0].function, "f");
        for (uint64_t i = 3; i < SESSION_SITES; i++)
                cr_assert_eq(session_site(s, "/c", i, ""), i);
        cr_expect_eq(session_site(s, "/d", 1, ""), SESSION_NO_SITE);
        cr_expect_eq(session_site(s, "/b", 1, ""), 2);
        cr_expect_eq(s->site_count, SESSION_SITES);
}

Test(session, a_site_that_many_find_at_once_is_one, .init = make_session, .fini = forget_session)
{
        for (int i = 0; i < 4; i++) {
                if (fork() == 0) {
                        for (uint64_t offset = 0; offset < 500; offset++)
                                session_site(s, "/a", offset, "f");
                        _exit(0);
                }
        }
        while (wait(NULL) != -1)
                ;
        cr_expect_eq(s->site_count, 500);
}
