/*
 * The memory itself: shared and coherent between processes, zero when new, as
 * long as its size, and there until the segment is removed.
 */
#include "case.h"

#include <stdatomic.h>
/* dietlibc has no threads; macOS has no robust mutexes, and no unnamed semaphores. */
#if !defined(__dietlibc__) && !defined(__APPLE__)
#define HAS_SHARED_SYNC 1
#include <pthread.h>
#include <semaphore.h>
#endif
#if defined(__linux__)
#include <sys/syscall.h>
/* The kernel's own header is not in every C library's path. */
#define FUTEX_WAIT 0
#define FUTEX_WAKE 1
#define FUTEX_PRIVATE_FLAG 128
#endif

#define SIZE 3333
#define SEED 19
#define WORKERS 4
#define ADDITIONS 5000
#define ROUNDS 500

static void *attach_elsewhere(int id, void *inherited)
{
        /* Attached before the inherited one is gone, so that the address is another. */
        void *at = make_attached(id, 0);
        make_detached(inherited);
        return at;
}

/* ---- sharing ---- */

CASE("memory.share.both_ways",
     "What a process that attached by id at another address writes is seen here, and what is written here is seen "
     "there",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmat DESCRIPTION")
{
        int id = make_segment(KEY, SIZE, 0600);
        char *at = make_attached(id, 0);
        fill_pattern(at, SIZE, SEED);
        struct child other;
        CHILD(&other, "other")
        {
                char *there = attach_elsewhere(id, at);
                check_pattern("the other process sees what is written here", there, SIZE, SEED);
                fill_pattern(there, SIZE, SEED + 1);
                tell_parent(&other);
                await_parent(&other);
                check_pattern("the other process sees what is written here later", there, SIZE, SEED + 2);
        }
        await_child(&other);
        check_pattern("what the other process writes is seen here", at, SIZE, SEED + 1);
        fill_pattern(at, SIZE, SEED + 2);
        tell_child(&other);
        join_child(&other);
}

CASE("memory.share.by_key", "A process in another session finds the segment by its key, reads it and answers in it",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget DESCRIPTION")
{
        int id = make_segment(KEY, SIZE, 0600);
        char *at = make_attached(id, 0);
        fill_pattern(at, SIZE, SEED);
        IN_CHILD
        {
                make_detached(at);
                make_sure(setsid() != -1, "setsid fails");
                struct outcome found = try_shmget(KEY, SIZE, 0600);
                check_succeeds(found);
                check_equal(found.value, id);
                struct outcome attached = try_shmat(id_of(found), NULL, 0);
                check_succeeds(attached);
                if (!attached.failed) {
                        check_pattern("it reads the contents", address_of(attached), SIZE, SEED);
                        fill_pattern(address_of(attached), SIZE, SEED + 1);
                }
        }
        check_pattern("its answer is here", at, SIZE, SEED + 1);
}

CASE("memory.share.alias",
     "Two attachments in one process show each other's writes, in the first and the last byte, both ways",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmat DESCRIPTION")
{
        int id = make_segment(KEY, SIZE, 0600);
        volatile char *first = make_attached(id, 0);
        struct outcome second = try_shmat(id, NULL, 0);
        check_succeeds(second);
        if (second.failed)
                return;
        volatile char *other = address_of(second);
        first[0] = 'a';
        first[SIZE - 1] = 'z';
        check_equal(other[0], 'a');
        check_equal(other[SIZE - 1], 'z');
        other[0] = 'A';
        other[SIZE - 1] = 'Z';
        check_equal(first[0], 'A');
        check_equal(first[SIZE - 1], 'Z');
}

/* ---- coherence ---- */

struct message {
        unsigned datum;
        _Atomic unsigned turn; /* even: the writer's */
};

#define PATIENCE_SECONDS 2

#define SPINS 2000

/*
 * False if the turn does not come: the other side may have died. Sleeps after a while, as there may be one processor
 * only: who yields to busy others waits for a whole slice of theirs, who sleeps is let in when it wakes.
 */
static bool await_turn(struct message *m, unsigned turn)
{
        const struct timespec moment = {0, 20 * 1000};
        time_t start = time(NULL);
        for (unsigned spins = 0; atomic_load_explicit(&m->turn, memory_order_acquire) != turn; spins++) {
                if (spins > SPINS)
                        nanosleep(&moment, NULL);
                if (spins % 1000 == 999 && time(NULL) > start + PATIENCE_SECONDS)
                        return false;
        }
        return true;
}

CASE("memory.coherent.handshake",
     "A datum written before a flag is there when another process sees the flag, in each of 500 rounds",
     .level = POSIX_SHALL, .clause = "POSIX XBD 4.12 Memory Synchronization")
{
        int id = make_segment(KEY, sizeof(struct message), 0600);
        struct message *here = make_attached(id, 0);
        struct child reader;
        CHILD(&reader, "reader")
        {
                struct message *there = attach_elsewhere(id, here);
                unsigned data_seen = 0;
                for (unsigned i = 0; i < ROUNDS && await_turn(there, 2 * i + 1); i++) {
                        data_seen += there->datum == i + 1;
                        there->datum = 0;
                        atomic_store_explicit(&there->turn, 2 * i + 2, memory_order_release);
                }
                check_equal(data_seen, ROUNDS);
        }
        unsigned answers_seen = 0;
        for (unsigned i = 0; i < ROUNDS && await_turn(here, 2 * i); i++) {
                answers_seen += here->datum == 0;
                here->datum = i + 1;
                atomic_store_explicit(&here->turn, 2 * i + 1, memory_order_release);
        }
        check_equal(answers_seen, ROUNDS);
        join_child(&reader);
}

struct counters {
        _Atomic unsigned added, exchanged;
};

CASE("memory.coherent.atomic_add",
     "Four processes that add 5000 each atomically, and again by compare and exchange, lose nothing",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmat DESCRIPTION")
{
        int id = make_segment(KEY, sizeof(struct counters), 0600);
        struct counters *here = make_attached(id, 0);
        struct barrier *start = make_barrier(WORKERS);
        struct child workers[WORKERS];
        for (unsigned w = 0; w < WORKERS; w++) {
                CHILD(&workers[w], "adder")
                {
                        struct counters *there = attach_elsewhere(id, here);
                        meet(start);
                        for (unsigned i = 0; i < ADDITIONS; i++) {
                                atomic_fetch_add(&there->added, 1);
                                unsigned seen = atomic_load(&there->exchanged);
                                while (!atomic_compare_exchange_weak(&there->exchanged, &seen, seen + 1)) {
                                }
                        }
                }
        }
        for (unsigned w = 0; w < WORKERS; w++)
                join_child(&workers[w]);
        check_equal(atomic_load(&here->added), WORKERS * ADDITIONS);
        check_equal(atomic_load(&here->exchanged), WORKERS * ADDITIONS);
}

/* ---- what is built on it ---- */

#ifdef HAS_SHARED_SYNC

struct guarded {
        pthread_mutex_t mutex;
        pthread_cond_t condition;
        sem_t semaphore;
        bool ready;
        unsigned count;
};

/* A segment with a process-shared mutex in it, of the given robustness. */
static struct guarded *make_guarded(int *id, int robust)
{
        *id = make_segment(KEY, sizeof(struct guarded), 0600);
        struct guarded *g = make_attached(*id, 0);
        pthread_mutexattr_t attributes;
        pthread_mutexattr_init(&attributes);
        if (pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) != 0)
                skip_case("no process-shared mutexes");
        if (pthread_mutexattr_setrobust(&attributes, robust) != 0)
                skip_case("no robust mutexes");
        int error = pthread_mutex_init(&g->mutex, &attributes);
        if (error == ENOTSUP)
                skip_case("no mutexes that are process-shared and, if asked for, robust");
        make_sure(error == 0, "pthread_mutex_init: %s", strerror(error));
        return g;
}

/* When a wait for what ought to have happened is given up. */
static struct timespec end_of_patience(void)
{
        struct timespec t;
        clock_gettime(CLOCK_REALTIME, &t);
        t.tv_sec += 3;
        return t;
}

#endif

CASE("memory.sync.mutex",
     "A process-shared mutex in a segment guards a plain counter of four processes, 5000 additions each",
     .level = POSIX_SHALL, .clause = "POSIX XSH pthread_mutexattr_setpshared", .needs = NEED_THREADS)
{
#ifdef HAS_SHARED_SYNC
        int id;
        struct guarded *here = make_guarded(&id, PTHREAD_MUTEX_STALLED);
        struct child workers[WORKERS];
        for (unsigned w = 0; w < WORKERS; w++) {
                CHILD(&workers[w], "counter")
                {
                        struct guarded *there = attach_elsewhere(id, here);
                        unsigned failures = 0;
                        for (unsigned i = 0; i < ADDITIONS; i++) {
                                failures += pthread_mutex_lock(&there->mutex) != 0;
                                there->count = there->count + 1;
                                failures += pthread_mutex_unlock(&there->mutex) != 0;
                        }
                        check_equal(failures, 0);
                }
        }
        for (unsigned w = 0; w < WORKERS; w++)
                join_child(&workers[w]);
        check_equal(here->count, WORKERS * ADDITIONS);
#else
        skip_case("this C library has no synchronization between processes");
#endif
}

CASE("memory.sync.mutex_robust",
     "When the owner of a robust process-shared mutex in a segment exits, the next lock returns EOWNERDEAD",
     .level = POSIX_SHALL, .clause = "POSIX XSH pthread_mutex_lock", .needs = NEED_THREADS)
{
#ifdef HAS_SHARED_SYNC
        int id;
        struct guarded *here = make_guarded(&id, PTHREAD_MUTEX_ROBUST);
        IN_CHILD
        {
                struct guarded *there = attach_elsewhere(id, here);
                make_sure(pthread_mutex_lock(&there->mutex) == 0, "the first lock fails");
        }
        struct timespec patience = end_of_patience();
        int error = pthread_mutex_timedlock(&here->mutex, &patience);
        check_fails(try_other("pthread_mutex_timedlock after the owner's end", error, error != 0, error), EOWNERDEAD);
        if (error == EOWNERDEAD)
                check_equal(pthread_mutex_consistent(&here->mutex), 0);
#else
        skip_case("this C library has no synchronization between processes");
#endif
}

CASE("memory.sync.condition", "A process-shared condition variable in a segment wakes a waiter in another process",
     .level = POSIX_SHALL, .clause = "POSIX XSH pthread_condattr_setpshared", .needs = NEED_THREADS)
{
#ifdef HAS_SHARED_SYNC
        int id;
        struct guarded *here = make_guarded(&id, PTHREAD_MUTEX_STALLED);
        pthread_condattr_t attributes;
        pthread_condattr_init(&attributes);
        if (pthread_condattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) != 0)
                skip_case("no process-shared condition variables");
        make_sure(pthread_cond_init(&here->condition, &attributes) == 0, "pthread_cond_init fails");
        struct child waiter;
        CHILD(&waiter, "waiter")
        {
                struct guarded *there = attach_elsewhere(id, here);
                struct timespec patience = end_of_patience();
                pthread_mutex_lock(&there->mutex);
                /* Told with the mutex held: the parent can only signal once this process waits. */
                tell_parent(&waiter);
                int error = 0;
                while (!there->ready && error == 0)
                        error = pthread_cond_timedwait(&there->condition, &there->mutex, &patience);
                pthread_mutex_unlock(&there->mutex);
                check_equal(error, 0);
        }
        await_child(&waiter);
        pthread_mutex_lock(&here->mutex);
        here->ready = true;
        pthread_cond_signal(&here->condition);
        pthread_mutex_unlock(&here->mutex);
        join_child(&waiter);
#else
        skip_case("this C library has no synchronization between processes");
#endif
}

CASE("memory.sync.semaphore",
     "An unnamed semaphore in a segment, posted by another process at another address, wakes the waiter",
     .level = POSIX_SHALL, .clause = "POSIX XSH sem_init", .needs = NEED_THREADS)
{
#ifdef HAS_SHARED_SYNC
        int id = make_segment(KEY, sizeof(sem_t), 0600);
        sem_t *here = make_attached(id, 0);
        if (sem_init(here, 1, 0) == -1)
                skip_case("no process-shared semaphores");
        struct child waiter;
        CHILD(&waiter, "waiter")
        {
                sem_t *there = attach_elsewhere(id, here);
                struct timespec patience = end_of_patience();
                tell_parent(&waiter);
                int waited = sem_timedwait(there, &patience);
                check_equal(waited, 0);
        }
        await_child(&waiter);
        check_equal(sem_post(here), 0);
        join_child(&waiter);
#else
        skip_case("this C library has no synchronization between processes");
#endif
}

#if defined(__linux__) && defined(SYS_futex)

#define PATIENCE_MS 3000
#define SHORT_WAIT_MS 30

static long futex(void *word, int operation, unsigned value, const struct timespec *timeout)
{
        return syscall(SYS_futex, word, operation, value, timeout, NULL, 0);
}

/* Wakes until somebody was woken; how many were. The waiter may not have gone to sleep yet. */
static long wake_one(void *word, int operation)
{
        for (int tries = 0; tries < PATIENCE_MS; tries++) {
                long woken = futex(word, operation, 1, NULL);
                if (woken != 0)
                        return woken;
                struct timespec moment = {0, 1000000L};
                nanosleep(&moment, NULL);
        }
        return 0;
}

#endif

LINUX_CASE("memory.futex.processes",
           "A FUTEX_WAIT on a word of a segment, through a read-only attachment too, is woken by another process at "
           "another "
           "address, and by this process through another attachment",
           .level = LINUX, .clause = "futex(2)")
{
#if defined(__linux__) && defined(SYS_futex)
        int id = make_segment(KEY, SIZE, 0600);
        void *here = make_attached(id, 0);
        void *alias = make_attached(id, 0);
        for (int round = 0; round < 3; round++) {
                struct child waiter;
                CHILD(&waiter, "waiter")
                {
                        void *there = make_attached(id, round == 1 ? SHM_RDONLY : 0);
                        struct timespec patience = {PATIENCE_MS / 1000, 0};
                        long slept = futex(there, FUTEX_WAIT, 0, &patience);
                        check_equal(slept, 0);
                }
                check_equal(wake_one(round == 2 ? alias : here, FUTEX_WAKE), 1);
                join_child(&waiter);
        }
#else
        skip_case("no futex system call of that name");
#endif
}

LINUX_CASE("memory.futex.private_apart",
           "With FUTEX_PRIVATE_FLAG another process wakes nobody, and the waiter times out", .level = LINUX,
           .clause = "futex(2)", .waits = true)
{
#if defined(__linux__) && defined(SYS_futex)
        int id = make_segment(KEY, SIZE, 0600);
        void *here = make_attached(id, 0);
        struct child waiter;
        CHILD(&waiter, "waiter")
        {
                struct timespec patience = {0, SHORT_WAIT_MS * 1000000L};
                tell_parent(&waiter);
                errno = 0;
                long slept = futex(here, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, &patience);
                int error = errno;
                check_fails(try_other("FUTEX_WAIT_PRIVATE", slept, slept == -1, error), ETIMEDOUT);
        }
        await_child(&waiter);
        long woken = 0;
        for (int tries = 0; tries < SHORT_WAIT_MS / 2; tries++) {
                woken += futex(here, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL);
                struct timespec moment = {0, 1000000L};
                nanosleep(&moment, NULL);
        }
        check_equal(woken, 0);
        join_child(&waiter);
#else
        skip_case("no futex system call of that name");
#endif
}

/* ---- zeros ---- */

CASE("memory.zero.new",
     "Every byte of a new segment is 0, for sizes from 1 byte to 1 MiB, through a first attachment that is read-only "
     "too",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget DESCRIPTION")
{
        const size_t sizes[] = {1, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE - 7, 40000, 1 << 20};
        for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
                int id = make_segment(shmc_key(i), sizes[i], 0600);
                check_bytes("a new segment is zero", make_attached(id, i % 2 ? SHM_RDONLY : 0), sizes[i], 0);
        }
}

CASE("memory.zero.tail", "The bytes from the size to the end of the page are 0", .level = LINUX_UNDOCUMENTED,
     .clause = "Linux ipc/shm.c newseg()")
{
        int id = make_segment(KEY, SIZE, 0600);
        char *at = make_attached(id, 0);
        memset(at, 0xff, SIZE);
        check_bytes("the rest of the page is zero", at + SIZE, PAGE - SIZE % PAGE, 0);
}

CASE("memory.zero.recycled",
     "A segment made after one that was filled and removed has none of its bytes, four times over",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget DESCRIPTION")
{
        const size_t size = 16 * PAGE;
        for (unsigned round = 0; round < 4; round++) {
                int id = make_segment(KEY, size, 0600);
                void *at = make_attached(id, 0);
                check_bytes("a new segment is zero", at, size, 0);
                memset(at, 0xff, size);
                make_detached(at);
                make_removed(id);
        }
}

CASE("memory.zero.same_key",
     "A key whose segment is removed while attached, and made anew, has zeros; the old attachment keeps its bytes",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget DESCRIPTION")
{
        int old = make_filled_segment(KEY, SIZE, 0600, SEED);
        void *old_at = make_attached(old, 0);
        make_removed(old);
        struct outcome made = try_shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | 0600);
        check_succeeds(made);
        if (made.failed)
                return;
        void *at = make_attached(id_of(made), 0);
        check_bytes("the new segment is zero", at, SIZE, 0);
        memset(at, 0xff, SIZE);
        check_pattern("the old attachment has its bytes", old_at, SIZE, SEED);
}

/* ---- size ---- */

CASE("memory.size.tail_usable",
     "Bytes from the size to the end of the page can be written, show in another attachment, and survive a full detach",
     .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c newseg()")
{
        const size_t whole = (SIZE + PAGE - 1) / PAGE * PAGE;
        int id = make_segment(KEY, SIZE, 0600);
        char *at = make_attached(id, 0);
        char *alias = make_attached(id, 0);
        fill_pattern(at, whole, SEED);
        check_pattern("the other attachment shows them", alias, whole, SEED);
        make_detached(at);
        make_detached(alias);
        check_pattern("they are there after a full detach", make_attached(id, SHM_RDONLY), whole, SEED);
}

CASE("memory.size.past_end", "The byte after the last page and the one before the first raise a signal",
     .level = POSIX_IMPL_DEFINED, .clause = "POSIX XSH mmap")
{
        char *at = make_free_range(PAGE);
        int id = make_segment(KEY, PAGE, 0600);
        struct outcome attached = try_shmat(id, at, 0);
        make_sure(!attached.failed, "shmat at a free address fails");
        const volatile char *outside[] = {at + PAGE, at - 1};
        for (unsigned i = 0; i < 2; i++) {
                struct death reader;
                DOOMED(&reader)
                {
                        (void)*outside[i];
                }
                LINUX_ONLY
                {
                        check_death("a read outside the segment", &reader, SIGSEGV);
                        if (reader.signal_number)
                                check_equal(reader.code, SEGV_MAPERR);
                }
        }
}

CASE("memory.size.large", "Of a segment of 64 MiB the first and the last byte hold, and the middle is 0",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmat DESCRIPTION")
{
        const size_t size = (size_t)64 << 20;
        struct outcome made = try_shmget(KEY, size, IPC_CREAT | IPC_EXCL | 0600);
        if (made.failed)
                skip_case("no segment of 64 MiB can be made");
        volatile char *at = make_attached(id_of(made), 0);
        at[0] = 'a';
        at[size - 1] = 'z';
        check_equal(at[0], 'a');
        check_equal(at[size - 1], 'z');
        check_equal(at[size / 2], 0);
        volatile char *again = make_attached(id_of(made), SHM_RDONLY);
        check_equal(again[0], 'a');
        check_equal(again[size - 1], 'z');
}

LINUX_CASE("memory.size.sparse",
           "A segment of 1 TiB made with SHM_NORESERVE can be attached; its first and last byte hold, in two resident "
           "pages",
           .level = LINUX_UNDOCUMENTED, .clause = "shmget(2) SHM_NORESERVE", .needs = NEED_IPC_NAMESPACE | NEED_64_BIT)
{
#ifdef __linux__
        const size_t size = (size_t)(1ULL << 40);
        struct outcome made = try_shmget(KEY, size, IPC_CREAT | IPC_EXCL | SHM_NORESERVE | 0600);
        if (made.failed && made.error == ENOMEM)
                skip_case("the memory policy of this system allows no segment of 1 TiB");
        check_succeeds(made);
        if (made.failed)
                return;
        struct totals before = make_totals();
        struct outcome attached = try_shmat(id_of(made), NULL, 0);
        check_succeeds(attached);
        if (attached.failed)
                return;
        volatile char *at = address_of(attached);
        at[0] = 'a';
        at[size - 1] = 'z';
        struct totals after = make_totals();
        check_equal(after.resident, before.resident + 2);
        volatile char *again = make_attached(id_of(made), SHM_RDONLY);
        check_equal(again[0], 'a');
        check_equal(again[size - 1], 'z');
#endif
}

/* ---- how long it lasts ---- */

static void check_persists(const char *what, int id, unsigned seed)
{
        struct outcome attached = try_shmat(id, NULL, SHM_RDONLY);
        check_succeeds(attached);
        if (attached.failed)
                return;
        check_pattern(what, address_of(attached), SIZE, seed);
        check_equal(make_stat(id).shm_nattch, 1);
        make_detached(address_of(attached));
}

CASE("memory.persist.process_end",
     "What a process wrote before it exited, or was killed, without shmdt is there at the next attach",
     .level = POSIX_SHALL, .clause = "POSIX XSH shmget DESCRIPTION")
{
        int exited = make_segment(KEY, SIZE, 0600);
        int killed = make_segment(OTHER_KEY, SIZE, 0600);
        IN_CHILD
        {
                fill_pattern(make_attached(exited, 0), SIZE, SEED);
        }
        struct child victim;
        CHILD(&victim, "victim")
        {
                fill_pattern(make_attached(killed, 0), SIZE, SEED + 1);
                tell_parent(&victim);
                await_parent(&victim);
        }
        await_child(&victim);
        kill_child(&victim, SIGKILL);
        check_persists("what the process wrote before it exited", exited, SEED);
        check_persists("what the process wrote before it was killed", killed, SEED + 1);
}

CASE("memory.persist.marked", "After IPC_RMID attached memory stays readable, writable and shared", .level = LINUX,
     .clause = "shmctl(2) IPC_RMID")
{
        int id = make_filled_segment(KEY, SIZE, 0600, SEED);
        char *at = make_attached(id, 0);
        char *alias = make_attached(id, 0);
        make_removed(id);
        check_pattern("the contents are as before", at, SIZE, SEED);
        fill_pattern(at, SIZE, SEED + 1);
        check_pattern("what is written shows in the other attachment", alias, SIZE, SEED + 1);
}
