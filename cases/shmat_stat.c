/*
 * What an attach does to shmid_ds: shm_nattch, shm_atime and shm_lpid change, and
 * nothing else; and what reading and writing the memory does to it: nothing.
 *
 * Times are compared with time(), from which the stamps are taken, and only after
 * the clock has advanced.
 */
#include "case.h"

#if !defined(__dietlibc__)
#include <pthread.h>
#endif

#define SIZE 3333
#define SEED 13
#define PROCESSES 10
#define WORKERS 4
#define CYCLES 100

/* An attach changed just what it has to; start and end are the time before and after it. */
static void check_attach_stat(const struct shmid_ds *before, int id, time_t start, time_t end)
{
        struct shmid_ds now = make_stat(id);
        check_equal(now.shm_nattch, before->shm_nattch + 1);
        check_between(now.shm_atime, start, end);
        check_equal(now.shm_lpid, getpid());
        check_only_changed(before, &now, M_NATTCH | M_ATIME | M_LPID);
}

CASE("shmat.stat.exact",
     "An attach adds 1 to shm_nattch, sets shm_atime to the time and shm_lpid to the caller, and changes no other "
     "member",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmat RETURN VALUE", .needs = NEED_CLOCK_TICK)
{
        int writable = make_segment(KEY, SIZE, 0640);
        int read_only = make_segment(OTHER_KEY, SIZE, 0640);
        make_touched_by_another(writable, SIZE, SEED);
        make_touched_by_another(read_only, SIZE, SEED);
        struct shmid_ds writable_before = make_stat(writable);
        struct shmid_ds read_only_before = make_stat(read_only);
        wait_for_tick();

        time_t start = stamp_time();
        struct outcome first = try_shmat(writable, NULL, 0);
        struct outcome second = try_shmat(read_only, NULL, SHM_RDONLY);
        time_t end = stamp_time();
        check_succeeds(first);
        check_succeeds(second);
        if (!first.failed)
                check_attach_stat(&writable_before, writable, start, end);
        if (!second.failed)
                check_attach_stat(&read_only_before, read_only, start, end);
}

CASE("shmat.stat.ctime_kept", "Attaching, writing and detaching leave shm_ctime", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmctl DESCRIPTION", .needs = NEED_CLOCK_TICK)
{
        int id = make_segment(KEY, SIZE, 0600);
        time_t before = make_stat(id).shm_ctime;
        wait_for_tick();
        void *at = make_attached(id, 0);
        fill_pattern(at, SIZE, SEED);
        check_equal(make_stat(id).shm_ctime, before);
        make_detached(at);
        check_equal(make_stat(id).shm_ctime, before);
}

CASE("shmat.stat.dtime_kept", "The first attach of a new segment leaves shm_dtime 0", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmget DESCRIPTION")
{
        int id = make_segment(KEY, SIZE, 0600);
        struct outcome attached = try_shmat(id, NULL, 0);
        check_succeeds(attached);
        check_equal(make_stat(id).shm_dtime, 0);
}

CASE("shmat.stat.second", "A second attach in the process makes shm_nattch 2 and sets shm_atime anew; shm_dtime stays",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmat RETURN VALUE", .needs = NEED_CLOCK_TICK)
{
        int id = make_segment(KEY, SIZE, 0600);
        make_detached(make_attached(id, 0));
        make_attached(id, 0);
        struct shmid_ds before = make_stat(id);
        wait_for_tick();
        time_t start = stamp_time();
        struct outcome second = try_shmat(id, NULL, 0);
        time_t end = stamp_time();
        check_succeeds(second);
        struct shmid_ds now = make_stat(id);
        check_equal(now.shm_nattch, 2);
        check_between(now.shm_atime, start, end);
        check_equal(now.shm_dtime, before.shm_dtime);
}

CASE("shmat.stat.lpid_other_process",
     "Attached here, then by a child, shm_lpid is the child's process id, after its exit too; shm_cpid is the "
     "creator's",
     .level = POSIX_SHALL, .clause = "POSIX XBD <sys/shm.h>")
{
        int id = make_segment(KEY, SIZE, 0600);
        make_attached(id, 0);
        check_equal(make_stat(id).shm_lpid, getpid());
        struct child other;
        start_holder(&other, id);
        struct shmid_ds beside = make_stat(id);
        check_equal(beside.shm_lpid, other.pid);
        check_equal(beside.shm_cpid, getpid());
        check_equal(beside.shm_nattch, 3);
        end_holder(&other);
        struct shmid_ds after = make_stat(id);
        check_equal(after.shm_lpid, other.pid);
        check_equal(after.shm_cpid, getpid());
        check_equal(after.shm_nattch, 1);
}

#if !defined(__dietlibc__)

static void *attach_in_thread(void *argument)
{
        const int *id = argument;
        make_attached(*id, 0);
        return NULL;
}

#endif

CASE("shmat.stat.lpid_thread", "An attach by another thread sets shm_lpid to the process id", .level = POSIX_SHALL,
     .clause = "POSIX XBD <sys/shm.h>", .needs = NEED_THREADS)
{
#if !defined(__dietlibc__)
        int id = make_segment(KEY, SIZE, 0600);
        make_touched_by_another(id, SIZE, SEED);
        pthread_t thread;
        make_sure(pthread_create(&thread, NULL, attach_in_thread, &id) == 0, "pthread_create fails");
        pthread_join(thread, NULL);
        check_equal(make_stat(id).shm_lpid, getpid());
        check_equal(attachments(id), 1);
#endif
}

LINUX_CASE("shmat.stat.lpid_pid_namespace",
           "In a child PID namespace shm_lpid and shm_cpid of outer processes read 0; an attach by its first process "
           "reads "
           "1 inside, and that process's outer id outside",
           .level = LINUX_UNDOCUMENTED, .clause = "pid_namespaces(7)", .needs = NEED_IPC_NAMESPACE | NEED_PID_NAMESPACE)
{
#ifdef __linux__
        int id = make_filled_segment(KEY, SIZE, 0600, SEED);
        make_pid_namespace();
        struct child inner;
        CHILD(&inner, "inner")
        {
                struct shmid_ds before = make_stat(id);
                check_equal(before.shm_lpid, 0);
                check_equal(before.shm_cpid, 0);
                make_attached(id, 0);
                check_equal(make_stat(id).shm_lpid, 1);
                tell_parent(&inner);
                await_parent(&inner);
        }
        await_child(&inner);
        check_equal(make_stat(id).shm_lpid, inner.pid);
        tell_child(&inner);
        join_child(&inner);
#endif
}

CASE("shmat.stat.other_segment_kept", "An attach of one segment changes nothing of another", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmat RETURN VALUE")
{
        int id = make_segment(KEY, SIZE, 0600);
        int other = make_segment(OTHER_KEY, SIZE, 0600);
        make_touched_by_another(other, SIZE, SEED);
        struct snapshot before = take_snapshot(other);
        struct outcome attached = try_shmat(id, NULL, 0);
        check_succeeds(attached);
        if (!attached.failed)
                memset(address_of(attached), 0xff, SIZE);
        check_unchanged(&before);
        check_pattern("it has its contents", make_attached(other, SHM_RDONLY), SIZE, SEED);
}

CASE("shmat.stat.access_kept", "Reading and writing the memory changes no member of shmid_ds", .level = POSIX_SHALL,
     .clause = "POSIX XBD <sys/shm.h>", .needs = NEED_CLOCK_TICK)
{
        const size_t size = 3 * PAGE;
        int id = make_segment(KEY, size, 0600);
        char *at = make_attached(id, 0);
        make_touched_by_another(id, PAGE, SEED);
        struct snapshot before = take_snapshot(id);
        wait_for_tick();
        check_pattern("the memory is readable", at, PAGE, SEED);
        memset(at, 1, size);
        check_unchanged(&before);
}

CASE("shmat.stat.ten_processes", "Ten processes that attach make shm_nattch 10; when all have exited it is 0",
     .level = POSIX_SHALL, .clause = "POSIX XBD <sys/shm.h>")
{
        int id = make_segment(KEY, SIZE, 0600);
        struct child children[PROCESSES];
        for (unsigned i = 0; i < PROCESSES; i++) {
                CHILD(&children[i], "attacher")
                {
                        make_attached(id, 0);
                        tell_parent(&children[i]);
                        await_parent(&children[i]);
                }
                await_child(&children[i]);
        }
        check_equal(attachments(id), PROCESSES);
        for (unsigned i = 0; i < PROCESSES; i++) {
                tell_child(&children[i]);
                join_child(&children[i]);
        }
        check_equal(attachments(id), 0);
}

/* Cycles of attach and detach; how many calls failed. */
static unsigned cycle(int id)
{
        unsigned failures = 0;
        for (unsigned i = 0; i < CYCLES; i++) {
                void *at = shmat(id, NULL, 0);
                if ((intptr_t)at == -1 || shmdt(at) == -1)
                        failures++;
        }
        return failures;
}

#if !defined(__dietlibc__)

struct cycler {
        pthread_t thread;
        int id;
        unsigned failures;
};

static void *cycle_in_thread(void *argument)
{
        struct cycler *c = argument;
        c->failures = cycle(c->id);
        return NULL;
}

#endif

CASE("shmat.stat.concurrent_cycles",
     "Four processes, then four threads, that attach and detach 100 times each all succeed, and shm_nattch ends as it "
     "began",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmat RETURN VALUE", .needs = NEED_THREADS)
{
#if !defined(__dietlibc__)
        int id = make_segment(KEY, SIZE, 0600);
        struct barrier *start = make_barrier(WORKERS);
        struct child children[WORKERS];
        for (unsigned i = 0; i < WORKERS; i++) {
                CHILD(&children[i], "cycler")
                {
                        meet(start);
                        unsigned failures_in_process = cycle(id);
                        check_equal(failures_in_process, 0);
                }
        }
        for (unsigned i = 0; i < WORKERS; i++)
                join_child(&children[i]);
        check_equal(attachments(id), 0);

        struct cycler cyclers[WORKERS];
        for (unsigned i = 0; i < WORKERS; i++) {
                cyclers[i] = (struct cycler){.id = id};
                make_sure(pthread_create(&cyclers[i].thread, NULL, cycle_in_thread, &cyclers[i]) == 0,
                          "pthread_create fails");
        }
        unsigned failures_in_threads = 0;
        for (unsigned i = 0; i < WORKERS; i++) {
                pthread_join(cyclers[i].thread, NULL);
                failures_in_threads += cyclers[i].failures;
        }
        check_equal(failures_in_threads, 0);
        check_equal(attachments(id), 0);
#endif
}

LINUX_CASE("shmat.stat.rss_on_touch",
           "SHM_INFO counts resident pages: an attach adds none, two pages written add 2, a detach keeps them; shm_tot "
           "stays",
           .level = LINUX, .clause = "shmctl(2) SHM_INFO", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        int id = make_segment(KEY, 8 * PAGE, 0600);
        struct totals made = make_totals();
        char *at = make_attached(id, 0);
        struct totals attached = make_totals();
        check_equal(attached.resident, made.resident);
        at[0] = 1;
        at[PAGE] = 1;
        struct totals written = make_totals();
        check_equal(written.resident, made.resident + 2);
        make_detached(at);
        struct totals detached = make_totals();
        check_equal(detached.resident, made.resident + 2);
        check_equal(detached.pages, made.pages);
        check_equal(written.pages, made.pages);
#endif
}
