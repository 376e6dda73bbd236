/*
 * The kernel's side of inject and trace: the command's shm calls are held by a
 * seccomp filter and this process, the supervisor, says for each whether it is
 * made, fails, or returns a lie (seccomp_unotify(2)). It reaches what a
 * preloaded library does not: static programs, raw system calls, setuid
 * programs, 32-bit ones, across fork and exec. It does not see a call's return.
 *
 * In the child, just before execve:
 *
 *     int listener = kernel_backend_install(&plan, calls, why, sizeof(why));
 *     kernel_backend_send(socket, listener, why);
 *
 * and in the supervisor:
 *
 *     int listener = kernel_backend_receive(socket, &weak, why, sizeof(why));
 *     struct kernel_backend *b = kernel_backend_new(listener, session);
 *     for (;;) {
 *             polled[0] = (struct pollfd){.fd = kernel_backend_fd(b), .events = POLLIN};
 *             ppoll(polled, count, <kernel_backend_due(b) as a timespec>, NULL);
 *             if (!kernel_backend_serve(b, polled[0].revents))
 *                     <no process has the filter any more>
 *     }
 *
 * Limits that come from the kernel:
 * - When the supervisor is gone, the calls of processes that are still under
 *   the filter fail with ENOSYS.
 * - A command that has no CAP_SYS_ADMIN in its user namespace gets
 *   no_new_privs: setuid programs that it starts then gain nothing.
 * - A command that itself sets up a filter with a listener is refused (EBUSY).
 * - A signal that arrives before the supervisor has read of a call interrupts
 *   it; its handler without SA_RESTART then makes the call fail with EINTR,
 *   which shm calls otherwise never do. Before Linux 5.19 this goes on until the
 *   supervisor has answered, and a call that is restarted counts twice.
 */
#ifndef KERNEL_BACKEND_H
#define KERNEL_BACKEND_H

#include "session.h"

struct kernel_backend;

/*
 * Looks for a rule that needs what the kernel's side cannot see or do. Returns
 * whether there is one, and writes to why (of size bytes) which, and what to
 * use instead: one line without a final dot.
 */
bool kernel_backend_refuses(const struct fault_plan *plan, char *why, size_t size);

/*
 * In the child: loads a filter that holds the calls that some rule is about,
 * or, with all, each of the four. Returns its listener (close-on-exec), or -1
 * with errno and why (of size bytes) filled in; errors are those of
 * shm_filter_load (shm_filter.h).
 */
int kernel_backend_install(const struct fault_plan *plan, bool all, char *why, size_t size);

/*
 * In the child: hands the listener over, and closes it, whatever comes of that.
 * With listener -1 it hands over why instead. Returns false with errno as
 * sendmsg(2) has it.
 */
bool kernel_backend_send(int socket, int listener, const char *why);

/*
 * In the supervisor, which has closed its copy of the child's end: waits for
 * the listener. *no_new_privileges tells whether setuid programs gain nothing
 * under this filter. Returns the listener (close-on-exec), or -1 with why (of
 * size bytes) filled in: by the child, or because it ended without a word.
 */
int kernel_backend_receive(int socket, bool *no_new_privileges, char *why, size_t size);

/*
 * Takes the listener over, and supervises by the session's plan; the session
 * stays the caller's. Returns NULL with errno if out of memory or if this
 * kernel does not tell the size of a notification; the listener is then closed.
 */
struct kernel_backend *kernel_backend_new(int listener, struct session *s);
void kernel_backend_free(struct kernel_backend *b);

/* The descriptor to poll for POLLIN. */
int kernel_backend_fd(const struct kernel_backend *b);

/* Nanoseconds until a delayed call is due, 0 if one is, -1 if none waits: how long to poll at most. */
int64_t kernel_backend_due(const struct kernel_backend *b);

/*
 * Answers what is due, and one call if revents, as poll gave it for the
 * descriptor, tells of one. To be called after each poll. While the session's
 * ring of events is nearly full it takes no call: drain it between the calls.
 * Returns false if no process is under the filter any more, or, with errno, if
 * the kernel gives no more notifications; then there is nothing more to poll.
 */
bool kernel_backend_serve(struct kernel_backend *b, short revents);

#endif
