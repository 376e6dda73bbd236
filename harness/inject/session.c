#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MILLISECONDS INT64_C(1000000)
#define MUCH (SESSION_EVENTS / 8)

/* How long a call may hold up the events behind it. */
#define PATIENCE (50 * MILLISECONDS)
/* Writing takes a microsecond: after this its thread is looked for, and after the other it is not waited for. */
#define SUSPICION (10 * MILLISECONDS)
#define SURRENDER (1000 * MILLISECONDS)
/* A writer that waits for room looks this often for the supervisor; so many times without a beat, and it is gone. */
#define LOOK_OUT 100
#define BEATS_MISSED 100

/* Inherited descriptors above this would make each fork copy a larger table. */
#define HIGHEST_DESCRIPTOR 1023

/* ---- the word that tells a slot's state ---- */

#define STATE_BITS 3
#define THREAD_BITS 22 /* the kernel's PID_MAX_LIMIT */
#define STATE_MASK ((UINT64_C(1) << STATE_BITS) - 1)
#define THREAD_MASK ((UINT64_C(1) << THREAD_BITS) - 1)

static uint64_t word_of(uint64_t round, pid_t thread, enum shm_event_state state)
{
        return round << (STATE_BITS + THREAD_BITS) | ((uint64_t)thread & THREAD_MASK) << STATE_BITS | (uint64_t)state;
}

static enum shm_event_state state_in(uint64_t word)
{
        return (enum shm_event_state)(word & STATE_MASK);
}

static uint64_t round_in(uint64_t word)
{
        return word >> (STATE_BITS + THREAD_BITS);
}

static pid_t thread_in(uint64_t word)
{
        return (pid_t)(word >> STATE_BITS & THREAD_MASK);
}

enum shm_event_state session_event_state(const struct shm_event *e)
{
        return state_in(atomic_load_explicit(&e->sequence_state, memory_order_relaxed));
}

static bool swap_word(struct shm_event *e, uint64_t from, uint64_t to)
{
        return atomic_compare_exchange_strong_explicit(&e->sequence_state, &from, to, memory_order_acq_rel,
                                                       memory_order_acquire);
}

bool session_set_state(struct shm_event *e, uint64_t sequence, enum shm_event_state state)
{
        uint64_t word = atomic_load_explicit(&e->sequence_state, memory_order_relaxed);
        while ((word & ~STATE_MASK) == sequence && state_in(word) != SHM_EVENT_RETIRED) {
                /* It fails if a child that a signal handler forked just here has done the same. */
                if (atomic_compare_exchange_strong_explicit(&e->sequence_state, &word, sequence | (uint64_t)state,
                                                            memory_order_acq_rel, memory_order_relaxed))
                        return true;
        }
        return false;
}

/* ---- waiting, and who is there ---- */

static int64_t now(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (int64_t)t.tv_sec * 1000 * MILLISECONDS + t.tv_nsec;
}

/* Returns false if the time has passed. */
static bool futex_wait(_Atomic uint32_t *word, uint32_t value, int milliseconds)
{
        struct timespec t = {milliseconds / 1000, milliseconds % 1000 * MILLISECONDS};
        return syscall(SYS_futex, word, FUTEX_WAIT, value, &t, NULL, 0) == 0 || errno != ETIMEDOUT;
}

static void futex_wake_all(_Atomic uint32_t *word)
{
        atomic_fetch_add(word, 1);
        syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

/* A zombie, too, is gone, which kill(2) would not tell. */
static bool is_gone(pid_t thread)
{
        int fd = (int)syscall(SYS_pidfd_open, thread, 0);
        if (fd == -1)
                /* Not a process's first thread, or an old kernel. */
                return kill(thread, 0) == -1 && errno == ESRCH;
        struct pollfd polled = {.fd = fd, .events = POLLIN};
        struct timespec at_once = {0, 0};
        bool ended = syscall(SYS_ppoll, &polled, 1, &at_once, NULL, 0) == 1;
        close(fd);
        return ended;
}

static uint64_t own_pid_namespace(void)
{
        struct stat status;
        return stat("/proc/self/ns/pid", &status) == 0 ? (uint64_t)status.st_ino : 0;
}

bool session_shares_pids(const struct session *s)
{
        return s->pid_namespace && own_pid_namespace() == s->pid_namespace;
}

/* ---- making and joining ---- */

static void move_up(int *fd)
{
        struct rlimit limit;
        if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
                return;
        int number = limit.rlim_cur > HIGHEST_DESCRIPTOR ? HIGHEST_DESCRIPTOR : (int)limit.rlim_cur - 1;
        for (; number > *fd; number--) {
                int moved = fcntl(*fd, F_DUPFD_CLOEXEC, number);
                if (moved == -1)
                        continue;
                close(*fd);
                *fd = moved;
                return;
        }
}

static struct session *map(int fd)
{
        void *memory = mmap(NULL, sizeof(struct session), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        return memory == MAP_FAILED ? NULL : memory;
}

static void close_quietly(int fd)
{
        int error = errno;
        close(fd);
        errno = error;
}

static struct session *map_new(int fd)
{
        if (ftruncate(fd, sizeof(struct session)) == -1)
                return NULL;
        /* Whoever shortened it would kill the others by SIGBUS. */
        (void)fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
        return map(fd);
}

static void take_plan(struct session *s, const struct fault_plan *plan)
{
        s->plan = *plan;
        s->plan_calls = 0;
        for (unsigned i = 0; i < plan->count; i++)
                s->plan_calls |= plan->rules[i].calls;
}

struct session *session_new(const struct fault_plan *plan, bool events, int *fd)
{
        *fd = memfd_create("shmcheck-session", MFD_ALLOW_SEALING | MFD_CLOEXEC);
        if (*fd == -1)
                return NULL;
        move_up(fd);
        struct session *s = map_new(*fd);
        if (!s) {
                close_quietly(*fd);
                *fd = -1;
                return NULL;
        }
        s->size = sizeof(*s);
        s->supervisor = getpid();
        s->pid_namespace = own_pid_namespace();
        s->events_on = events;
        take_plan(s, plan);
        memcpy(s->magic, SESSION_MAGIC, sizeof(s->magic));
        return s;
}

static void forget_ring(struct session *s)
{
        uint64_t used = atomic_load(&s->head);
        memset(s->ring, 0, (used < SESSION_EVENTS ? used : SESSION_EVENTS) * sizeof(s->ring[0]));
        atomic_store(&s->head, 0);
        atomic_store(&s->tail, 0);
        atomic_store(&s->waiters, 0);
        atomic_store(&s->sleeping, 0);
        s->reader.stuck_at = 0;
        s->reader.stuck_since = s->reader.parked_asked = 0;
        s->reader.parked_lost = false;
        s->reader.parked_count = 0;
}

void session_renew(struct session *s, const struct fault_plan *plan)
{
        forget_ring(s);
        memset(s->states, 0, sizeof(s->states));
        for (size_t i = 0; i < SHM_CALLS; i++)
                atomic_store(&s->seen[i], 0);
        for (uint32_t i = 0; i < atomic_load(&s->site_count); i++) {
                atomic_store(&s->sites[i].asked, 0);
                atomic_store(&s->sites[i].matched, 0);
        }
        atomic_store(&s->unreachable, 0);
        s->unreachable_path[0] = '\0';
        take_plan(s, plan);
        atomic_store(&s->closed, 0);
}

void session_free(struct session *s)
{
        if (s)
                munmap(s, sizeof(*s));
}

bool session_hand_on(int fd)
{
        return fcntl(fd, F_SETFD, 0) == 0;
}

void session_name(const struct session *s, int fd, char *value, size_t size)
{
        snprintf(value, size, "%d:%d", s->supervisor, fd);
}

/* Maps it only if it is a session of this build: a shorter file would kill by SIGBUS. */
static struct session *map_session(int fd)
{
        struct stat status;
        struct {
                char magic[8];
                uint32_t size;
        } head;
        if (fstat(fd, &status) == -1 || status.st_size != (off_t)sizeof(struct session))
                return NULL;
        if (pread(fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head) ||
            memcmp(head.magic, SESSION_MAGIC, sizeof(head.magic)) != 0 || head.size != sizeof(struct session))
                return NULL;
        return map(fd);
}

static struct session *map_of_supervisor(long pid, long number)
{
        char path[64];
        snprintf(path, sizeof(path), "/proc/%ld/fd/%ld", pid, number);
        int fd = open(path, O_RDWR | O_CLOEXEC);
        if (fd == -1)
                return NULL;
        struct session *s = map_session(fd);
        close(fd);
        return s;
}

/* Reads digits up to the character that ends them; -1 if there are none, or too many. */
static long read_number(const char **text, char end)
{
        long number = 0;
        const char *p = *text;
        for (; *p >= '0' && *p <= '9' && p - *text < 9; p++)
                number = 10 * number + (*p - '0');
        if (p == *text || *p != end)
                return -1;
        *text = p + 1;
        return number;
}

struct session *session_join(const char *value)
{
        long pid = read_number(&value, ':');
        long fd = pid == -1 ? -1 : read_number(&value, '\0');
        if (fd == -1)
                return NULL;
        struct session *s = map_session((int)fd);
        return s ? s : map_of_supervisor(pid, fd);
}

/* ---- writing ---- */

static __attribute__((noinline, cold)) void wake_reader(struct session *s)
{
        int error = errno;
        if (atomic_load(&s->sleeping))
                futex_wake_all(&s->wake);
        errno = error;
}

void session_close(struct session *s)
{
        atomic_store(&s->closed, 1);
        futex_wake_all(&s->room);
}

/* Whoever finds the position used moves on, so that nobody waits for a writer that was killed in between. */
static void advance(struct session *s, uint64_t position)
{
        uint64_t expected = position;
        if (atomic_compare_exchange_strong(&s->head, &expected, position + 1) && position % MUCH == 0)
                wake_reader(s);
}

struct lookout {
        uint32_t beat;
        unsigned missed;
};

static bool supervisor_is_gone(const struct session *s, struct lookout *l)
{
        uint32_t beat = atomic_load(&s->beat);
        l->missed = beat == l->beat ? l->missed + 1 : 0;
        l->beat = beat;
        /* In the order of what it costs. */
        if (l->missed == 0)
                return false;
        return session_shares_pids(s) ? is_gone(s->supervisor) : l->missed >= BEATS_MISSED;
}

/* Returns false if nobody makes room any more. Kept apart from what each event goes through. */
static __attribute__((noinline, cold)) bool wait_for_room(struct session *s, const struct shm_event *e, uint64_t word,
                                                          struct lookout *l)
{
        int error = errno;
        wake_reader(s);
        atomic_fetch_add(&s->waiters, 1);
        uint32_t room = atomic_load(&s->room);
        bool in_time = atomic_load(&e->sequence_state) != word || futex_wait(&s->room, room, LOOK_OUT);
        atomic_fetch_sub(&s->waiters, 1);
        if (!in_time && supervisor_is_gone(s, l))
                session_close(s);
        errno = error;
        return !atomic_load(&s->closed);
}

struct shm_event *session_take_by(struct session *s, pid_t thread, uint64_t *sequence)
{
        struct lookout l = {0, 0};
        while (!atomic_load_explicit(&s->closed, memory_order_relaxed)) {
                uint64_t position = atomic_load(&s->head);
                uint64_t round = position / SESSION_EVENTS;
                struct shm_event *e = &s->ring[position % SESSION_EVENTS];
                uint64_t word = atomic_load_explicit(&e->sequence_state, memory_order_acquire);
                if (word == word_of(round, 0, SHM_EVENT_FREE)) {
                        if (!swap_word(e, word, word_of(round, thread, SHM_EVENT_TAKEN)))
                                continue;
                        advance(s, position);
                        /* The reader's processor has it last: fetched while the call is made, it costs nothing. */
                        __builtin_prefetch(e + 1, 1);
                        __builtin_prefetch(e[1].args, 1);
                        *sequence = word_of(round, thread, 0);
                        e->anew = 0;
                        return e;
                }
                if (state_in(word) == SHM_EVENT_RETIRED || round_in(word) >= round)
                        advance(s, position);
                else if (!wait_for_room(s, e, word, &l))
                        break;
        }
        return NULL;
}

struct shm_event *session_take(struct session *s, uint64_t *sequence)
{
        return session_take_by(s, 0, sequence);
}

static bool is_site(const struct shm_site *site, const char *module, uint64_t offset)
{
        return site->offset == offset && strncmp(site->module, module, sizeof(site->module) - 1) == 0;
}

static void write_site(struct shm_site *site, const char *module, uint64_t offset, const char *function)
{
        site->offset = offset;
        strncpy(site->module, module, sizeof(site->module) - 1);
        strncpy(site->function, function, sizeof(site->function) - 1);
        atomic_store_explicit(&site->ready, 1, memory_order_release);
}

/* Another process may be writing this one just now, perhaps the very same; or was killed while it did. */
static bool site_becomes_ready(struct shm_site *site)
{
        for (int i = 0; i < 1000; i++) {
                if (atomic_load_explicit(&site->ready, memory_order_acquire))
                        return true;
                sched_yield();
        }
        return false;
}

uint32_t session_known_site(const struct session *s, const char *module, uint64_t offset)
{
        uint32_t count = atomic_load(&s->site_count);
        for (uint32_t i = 0; i < count; i++) {
                const struct shm_site *site = &s->sites[i];
                if (atomic_load_explicit(&site->ready, memory_order_acquire) && is_site(site, module, offset))
                        return i;
        }
        return SESSION_NO_SITE;
}

uint32_t session_site(struct session *s, const char *module, uint64_t offset, const char *function)
{
        for (uint32_t i = 0; i < SESSION_SITES; i++) {
                struct shm_site *site = &s->sites[i];
                uint32_t unclaimed = 0;
                if (atomic_compare_exchange_strong(&site->claimed, &unclaimed, 1)) {
                        write_site(site, module, offset, function);
                        uint32_t count = i;
                        while (count < i + 1 && !atomic_compare_exchange_weak(&s->site_count, &count, i + 1))
                                ;
                        return i;
                }
                if (site_becomes_ready(site) && is_site(site, module, offset))
                        return i;
        }
        return SESSION_NO_SITE;
}

/* ---- reading ---- */

struct reading {
        struct session *s;
        bool final;
        void (*visit)(const struct shm_event *e, void *arg);
        void *arg;
        size_t visited;
        int64_t time; /* asked for at the first event that holds the others up, else 0 */
};

static int64_t time_of(struct reading *r)
{
        if (r->time == 0)
                r->time = now();
        return r->time;
}

static void copy_event(struct shm_event *copy, const struct shm_event *e, uint64_t word)
{
        size_t head = sizeof(copy->sequence_state);
        atomic_init(&copy->sequence_state, word);
        memcpy((char *)copy + head, (const char *)e + head, sizeof(*copy) - head);
}

static void visit(struct reading *r, const struct shm_event *e)
{
        r->visit(e, r->arg);
        r->visited++;
}

/* What was half written is not told. */
static void visit_unfinished(struct reading *r, struct shm_event *e)
{
        uint64_t word = atomic_load_explicit(&e->sequence_state, memory_order_relaxed);
        atomic_init(&e->sequence_state, (word & ~STATE_MASK) | SHM_EVENT_ENTERED);
        e->duration = 0;
        if (!e->has_result) {
                e->result = 0;
                e->error = 0;
                e->nattch = 0;
                e->segsz = 0;
        }
        visit(r, e);
}

static void unpark(struct session_reader *reader, unsigned i)
{
        reader->parked_count--;
        memmove(&reader->parked[i], &reader->parked[i + 1], (reader->parked_count - i) * sizeof(reader->parked[0]));
}

/* Forgets that the event is parked; false if it is not. */
static bool unpark_event(struct session_reader *reader, const struct shm_event *e)
{
        for (unsigned i = 0; i < reader->parked_count; i++) {
                const struct shm_event *parked = &reader->parked[i].event;
                if (parked->start == e->start && parked->tid == e->tid && parked->pid == e->pid) {
                        unpark(reader, i);
                        return true;
                }
        }
        return false;
}

/* One that is in the ring; it may be there anew. */
static void visit_as_it_is(struct reading *r, struct shm_event *e)
{
        unpark_event(&r->s->reader, e);
        visit_unfinished(r, e);
}

static void park(struct reading *r, const struct shm_event *e)
{
        struct session_reader *reader = &r->s->reader;
        /* It may have been written anew while it is held after the call, as a delay does. */
        unpark_event(reader, e);
        if (reader->parked_count == SESSION_PARKED) {
                reader->parked_lost = true;
                visit_unfinished(r, &reader->parked[0].event);
                unpark(reader, 0);
        }
        struct session_parked *parked = &reader->parked[reader->parked_count++];
        memcpy(&parked->event, e, sizeof(*e));
        parked->gone_before = 0;
}

/* Whether its thread is gone, and everything that it wrote until then was read: it may have completed the event. */
static bool is_left_unfinished(const struct session *s, struct session_parked *parked)
{
        pid_t thread = thread_in(atomic_load_explicit(&parked->event.sequence_state, memory_order_relaxed));
        if (!parked->gone_before && thread && is_gone(thread))
                parked->gone_before = atomic_load(&s->head) + 1;
        return parked->gone_before && atomic_load(&s->tail) + 1 >= parked->gone_before;
}

static void visit_parked(struct reading *r)
{
        struct session_reader *reader = &r->s->reader;
        if (!r->final && (reader->parked_count == 0 || time_of(r) - reader->parked_asked < SUSPICION))
                return;
        reader->parked_asked = r->time;
        for (unsigned i = 0; i < reader->parked_count;) {
                struct session_parked *parked = &reader->parked[i];
                if (r->final || is_left_unfinished(r->s, parked)) {
                        visit_unfinished(r, &parked->event);
                        unpark(reader, i);
                } else {
                        i++;
                }
        }
}

static void give_room(struct session *s)
{
        if (atomic_load(&s->waiters))
                futex_wake_all(&s->room);
}

/* Always true: there may be a next event. */
static bool pass(struct session *s, uint64_t position)
{
        atomic_store_explicit(&s->tail, position + 1, memory_order_release);
        if ((position + 1) % (SESSION_EVENTS / 4) == 0)
                give_room(s);
        return true;
}

/* How long the event at this position has been seen to be half written. */
static int64_t stuck_for(struct reading *r, uint64_t position)
{
        struct session_reader *reader = &r->s->reader;
        if (reader->stuck_at != position + 1) {
                reader->stuck_at = position + 1;
                reader->stuck_since = time_of(r);
        }
        return time_of(r) - reader->stuck_since;
}

static bool read_entered(struct reading *r, struct shm_event *e, uint64_t word, uint64_t position)
{
        struct shm_event copy;
        copy_event(&copy, e, word);
        if (!r->final && time_of(r) - copy.start < PATIENCE)
                return false;
        if (!swap_word(e, word, word_of(round_in(word) + 1, 0, SHM_EVENT_FREE)))
                return true;
        if (r->final)
                visit_as_it_is(r, &copy);
        else
                park(r, &copy);
        return pass(r->s, position);
}

/* A slot goes on being used only if nobody is left who could write to it. */
static bool read_half_written(struct reading *r, struct shm_event *e, uint64_t word, uint64_t position)
{
        int64_t stuck = r->final ? SURRENDER : stuck_for(r, position);
        if (stuck < SUSPICION)
                return false;
        bool gone = thread_in(word) && is_gone(thread_in(word));
        if (!gone && stuck < SURRENDER)
                return false;
        struct shm_event copy;
        copy_event(&copy, e, word);
        uint64_t next = gone ? word_of(round_in(word) + 1, 0, SHM_EVENT_FREE) : word_of(0, 0, SHM_EVENT_RETIRED);
        if (!swap_word(e, word, next))
                return true;
        if (state_in(word) == SHM_EVENT_RETURNING) {
                if (gone || r->final)
                        visit_as_it_is(r, &copy);
                else
                        park(r, &copy);
        }
        return pass(r->s, position);
}

static bool read_complete(struct reading *r, struct shm_event *e, uint64_t word, uint64_t position)
{
        struct shm_event copy;
        copy_event(&copy, e, word);
        /* It fails if a forked child had completed it, and its parent does so once more. */
        if (!swap_word(e, word, word_of(round_in(word) + 1, 0, SHM_EVENT_FREE)))
                return true;
        struct session_reader *reader = &r->s->reader;
        bool was_parked = reader->parked_count && unpark_event(reader, &copy);
        /* Or it was not given up but completed, by a child that a signal handler forked just then. */
        if (!copy.anew || was_parked || reader->parked_lost)
                visit(r, &copy);
        return pass(r->s, position);
}

/* Returns false if there is none, or it holds up those behind it. */
static bool read_next(struct reading *r)
{
        struct session *s = r->s;
        uint64_t position = atomic_load_explicit(&s->tail, memory_order_relaxed);
        struct shm_event *e = &s->ring[position % SESSION_EVENTS];
        uint64_t word = atomic_load_explicit(&e->sequence_state, memory_order_acquire);
        switch (state_in(word)) {
        case SHM_EVENT_COMPLETE:
                return read_complete(r, e, word, position);
        case SHM_EVENT_ENTERED:
                return read_entered(r, e, word, position);
        case SHM_EVENT_TAKEN:
        case SHM_EVENT_RETURNING:
                return read_half_written(r, e, word, position);
        case SHM_EVENT_RETIRED:
                return atomic_load(&s->head) > position && pass(s, position);
        case SHM_EVENT_FREE:
                break;
        }
        return false;
}

size_t session_drain(struct session *s, bool final, void (*visit_event)(const struct shm_event *e, void *arg),
                     void *arg)
{
        struct reading r = {.s = s, .final = final, .visit = visit_event, .arg = arg};
        atomic_fetch_add(&s->beat, 1);
        /* One that writes faster than this reads must not keep it from its other duties. */
        while ((final || r.visited < SESSION_EVENTS) && read_next(&r))
                ;
        visit_parked(&r);
        give_room(s);
        return r.visited;
}

static bool has_much(const struct session *s)
{
        return atomic_load(&s->head) - atomic_load(&s->tail) >= MUCH;
}

void session_wait(struct session *s, int milliseconds)
{
        atomic_fetch_add(&s->beat, 1);
        atomic_store(&s->sleeping, 1);
        uint32_t wake = atomic_load(&s->wake);
        if (!has_much(s))
                (void)futex_wait(&s->wake, wake, milliseconds);
        atomic_store(&s->sleeping, 0);
}
