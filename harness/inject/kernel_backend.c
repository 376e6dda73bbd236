#include "kernel_backend.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "caller_facts.h"
#include "fault_decision.h"
#include "raw_call.h"
#include "shm_filter.h"

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

/* The kernel's own error for "make this call anew once signals are dealt with"; no program ever sees it. */
#define RESTART_AFTER_SIGNALS 513

/* How many events may be written before the caller's loop gets to read some. */
#define EVENTS_IN_RESERVE 64

#define NANOSECONDS INT64_C(1000000000)

/* A call that is held. */
struct held {
        int64_t due; /* CLOCK_MONOTONIC, nanoseconds */
        uint64_t id;
        pid_t thread;
        struct seccomp_data data;
        struct raw_call call;
        const struct fault_rule *rule; /* or NULL */
};

struct held_list {
        struct held *held;
        size_t count, room;
};

struct kernel_backend {
        int listener;
        struct session *session;
        struct seccomp_notif *notification;
        struct seccomp_notif_resp *answer;
        size_t notification_size;
        struct callers callers;
        struct held_list delayed;
        struct held_list restarted; /* answered, and to be let through when they come again after a signal */
};

static int64_t now(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return t.tv_sec * NANOSECONDS + t.tv_nsec;
}

static bool add(struct held_list *list, const struct held *held)
{
        if (list->count == list->room) {
                size_t room = list->room ? 2 * list->room : 16;
                struct held *grown = realloc(list->held, room * sizeof(grown[0]));
                if (!grown)
                        return false;
                list->held = grown;
                list->room = room;
        }
        list->held[list->count++] = *held;
        return true;
}

static struct held take(struct held_list *list, size_t i)
{
        struct held held = list->held[i];
        list->held[i] = list->held[--list->count];
        return held;
}

/* Whether the caller still waits for an answer: then what was read of it in /proc was read of it. */
static bool still_waits(const struct kernel_backend *b, uint64_t id)
{
        return seccomp_notify_id_valid(b->listener, id) == 0;
}

static void answer(struct kernel_backend *b, uint64_t id, int error, int64_t value, uint32_t flags)
{
        *b->answer = (struct seccomp_notif_resp){.id = id, .val = value, .error = -error, .flags = flags};
        /* It fails if the caller is gone, which is nobody's loss. */
        (void)seccomp_notify_respond(b->listener, b->answer);
}

static void let_through(struct kernel_backend *b, uint64_t id)
{
        answer(b, id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
}

/* The descriptor is opened before the check, so that it is the waiting caller's memory and no other's. */
static bool write_result(const struct kernel_backend *b, const struct held *h, int64_t value)
{
        char path[64];
        uint32_t narrow = (uint32_t)value;
        const void *bytes = h->call.result_bytes == sizeof(narrow) ? (const void *)&narrow : (const void *)&value;
        snprintf(path, sizeof(path), "/proc/%d/mem", (int)h->thread);
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        bool written = fd != -1 && still_waits(b, h->id) &&
                       pwrite(fd, bytes, h->call.result_bytes, (off_t)h->call.result_at) == h->call.result_bytes;
        if (fd != -1)
                close(fd);
        return written;
}

static void answer_with_lie(struct kernel_backend *b, const struct held *h)
{
        if (h->call.result_bytes == 0)
                answer(b, h->id, 0, h->rule->retval, 0);
        else if (write_result(b, h, h->rule->retval))
                answer(b, h->id, 0, 0, 0);
        else
                answer(b, h->id, EFAULT, 0, 0);
}

/*
 * Sends the rule's signal. Returns whether the thread will heed it as soon as
 * it is let go.
 */
static bool send_signal(struct kernel_backend *b, const struct held *h)
{
        struct caller_status status;
        int signal_number = h->rule->signal_enter;
        if (!caller_status_read(h->thread, &status) || !still_waits(b, h->id))
                return false;
        return tgkill(status.process, h->thread, signal_number) == 0 && caller_will_heed(&status, signal_number);
}

/*
 * The call is to be made after the signal has had its effect, which it has only
 * when the thread is let go: the thread is sent back to make it again. Without
 * that a program that the signal ends would have made the call.
 */
static void restart_after_signal(struct kernel_backend *b, const struct held *h)
{
        if (add(&b->restarted, h))
                answer(b, h->id, RESTART_AFTER_SIGNALS, 0, 0);
        else
                let_through(b, h->id);
}

static void carry_out(struct kernel_backend *b, const struct held *h)
{
        unsigned actions = h->rule ? h->rule->actions : 0;
        bool heeded = actions & FAULT_SIGNAL_ENTER && send_signal(b, h);
        if (actions & FAULT_ERROR)
                answer(b, h->id, h->rule->error, 0, 0);
        else if (actions & FAULT_RETVAL)
                answer_with_lie(b, h);
        else if (heeded)
                restart_after_signal(b, h);
        else
                let_through(b, h->id);
}

/* Whether the call is one that was sent back, and comes again. */
static bool comes_again(struct kernel_backend *b, const struct seccomp_notif *n)
{
        for (size_t i = 0; i < b->restarted.count; i++) {
                const struct held *h = &b->restarted.held[i];
                if (h->thread == (pid_t)n->pid && memcmp(&h->data, &n->data, sizeof(n->data)) == 0) {
                        take(&b->restarted, i);
                        return true;
                }
        }
        return false;
}

/* The caller that fault_decide asks about. */
struct asked {
        struct kernel_backend *b;
        uint64_t id;
        pid_t thread;
};

static uint32_t asked_uid(void *arg)
{
        const struct asked *a = arg;
        struct caller_status status;
        if (!caller_status_read(a->thread, &status))
                return UINT32_MAX;
        uint32_t uid = caller_uid_inside(a->thread, status.uid);
        return still_waits(a->b, a->id) ? uid : UINT32_MAX;
}

static unsigned asked_thread(void *arg)
{
        const struct asked *a = arg;
        unsigned number = callers_number(&a->b->callers, a->thread);
        return still_waits(a->b, a->id) ? number : 0;
}

static bool asked_thread_name(void *arg, char name[16])
{
        const struct asked *a = arg;
        return caller_name(a->thread, name) && still_waits(a->b, a->id);
}

static uint32_t asked_site(void *arg)
{
        (void)arg;
        return SESSION_NO_SITE;
}

static int decide(struct kernel_backend *b, const struct held *h)
{
        struct asked asked = {.b = b, .id = h->id, .thread = h->thread};
        const struct fault_caller caller = {.uid = asked_uid,
                                            .thread = asked_thread,
                                            .thread_name = asked_thread_name,
                                            .site = asked_site,
                                            .arg = &asked};
        struct fault_subject subject = {.call = h->call.call, .command = FAULT_ANY_COMMAND};
        if (h->call.call == SHM_CALL_SHMCTL)
                subject.command = (int)h->call.args[1];
        if (h->call.call == SHM_CALL_SHMGET) {
                subject.key = (uint32_t)h->call.args[0];
                subject.size = (uint64_t)h->call.args[1];
        }
        return fault_decide(b->session, &subject, &caller);
}

static void write_event(struct kernel_backend *b, const struct held *h, int rule, int64_t start)
{
        uint64_t sequence = 0;
        struct shm_event *e = session_take(b->session, &sequence);
        if (!e)
                return;
        e->start = start;
        e->duration = 0;
        e->tid = h->thread;
        e->pid = callers_process(&b->callers, h->thread);
        e->kind = SHM_EVENT_CALL;
        e->call = (uint8_t)h->call.call;
        e->raw = 1;
        e->error = h->rule && h->rule->actions & FAULT_ERROR ? h->rule->error : 0;
        e->has_result = h->rule && h->rule->actions & (FAULT_ERROR | FAULT_RETVAL);
        memcpy(e->args, h->call.args, sizeof(e->args));
        e->result = e->error ? -1 : e->has_result ? h->rule->retval : 0;
        e->site = SESSION_NO_SITE;
        e->rule = rule;
        e->segsz = 0;
        e->nattch = 0;
        session_set_state(e, sequence, SHM_EVENT_COMPLETE);
}

static void serve_call(struct kernel_backend *b, const struct seccomp_notif *n, struct held *h)
{
        struct session *s = b->session;
        int64_t start = now();
        /* A fault is not to be spent on a caller that was killed while it waited. */
        if (!still_waits(b, h->id))
                return;
        atomic_store_explicit(&s->seen[h->call.call], 1, memory_order_relaxed);
        int rule = decide(b, h);
        h->rule = rule == -1 ? NULL : &s->plan.rules[rule];
        if (s->events_on)
                write_event(b, h, rule, start);
        if (h->rule && h->rule->actions & FAULT_DELAY_ENTER) {
                h->data = n->data;
                h->due = start + (int64_t)h->rule->delay_enter;
                if (add(&b->delayed, h))
                        return;
        }
        carry_out(b, h);
}

static void serve_notification(struct kernel_backend *b, const struct seccomp_notif *n)
{
        struct held h = {.id = n->id, .thread = (pid_t)n->pid, .data = n->data};
        if ((b->restarted.count && comes_again(b, n)) || !raw_call_decode(&n->data, &h.call))
                let_through(b, n->id);
        else
                serve_call(b, n, &h);
}

static void serve_delayed(struct kernel_backend *b)
{
        if (b->delayed.count == 0)
                return;
        int64_t time = now();
        for (size_t i = b->delayed.count; i-- > 0;) {
                if (b->delayed.held[i].due > time)
                        continue;
                struct held held = take(&b->delayed, i);
                carry_out(b, &held);
        }
}

static bool room_for_events(const struct session *s)
{
        if (!s->events_on)
                return true;
        uint64_t waiting = atomic_load(&s->head) - atomic_load(&s->tail);
        return waiting < SESSION_EVENTS - EVENTS_IN_RESERVE || atomic_load(&s->closed);
}

static bool receive_one(struct kernel_backend *b)
{
        /* The kernel wants it zeroed. */
        memset(b->notification, 0, b->notification_size);
        if (seccomp_notify_receive(b->listener, b->notification) != 0)
                /* The caller was killed, or interrupted by a signal, or this process was. */
                return errno == ENOENT || errno == EINTR;
        serve_notification(b, b->notification);
        return true;
}

bool kernel_backend_serve(struct kernel_backend *b, short revents)
{
        serve_delayed(b);
        if (revents & POLLIN)
                return !room_for_events(b->session) || receive_one(b);
        errno = 0;
        return !(revents & (POLLHUP | POLLERR | POLLNVAL));
}

int64_t kernel_backend_due(const struct kernel_backend *b)
{
        int64_t first = INT64_MAX;
        if (b->delayed.count == 0)
                return -1;
        for (size_t i = 0; i < b->delayed.count; i++)
                first = b->delayed.held[i].due < first ? b->delayed.held[i].due : first;
        int64_t wait = first - now();
        return wait > 0 ? wait : 0;
}

int kernel_backend_fd(const struct kernel_backend *b)
{
        return b->listener;
}

/* Caller and supervisor then share a processor while one waits for the other; only newer kernels (6.6) can. */
static void ask_for_fast_wake_up(int listener)
{
        (void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
}

static bool allocate(struct kernel_backend *b)
{
        struct seccomp_notif_sizes sizes;
        /* libseccomp learns from this what the kernel can, which its notify functions rely on. */
        (void)seccomp_api_get();
        if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) == -1)
                return false;
        b->notification_size = sizes.seccomp_notif;
        return seccomp_notify_alloc(&b->notification, &b->answer) == 0;
}

struct kernel_backend *kernel_backend_new(int listener, struct session *s)
{
        struct kernel_backend *b = calloc(1, sizeof(*b));
        if (!b) {
                close(listener);
                return NULL;
        }
        b->listener = listener;
        b->session = s;
        if (!allocate(b)) {
                int error = errno;
                kernel_backend_free(b);
                errno = error;
                return NULL;
        }
        ask_for_fast_wake_up(listener);
        return b;
}

void kernel_backend_free(struct kernel_backend *b)
{
        if (!b)
                return;
        seccomp_notify_free(b->notification, b->answer);
        callers_free(&b->callers);
        free(b->delayed.held);
        free(b->restarted.held);
        close(b->listener);
        free(b);
}
