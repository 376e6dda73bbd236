/* What comes before the supervising: whether the plan can be carried out, the filter, and its listener's way out. */
#include "kernel_backend.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fault_decision.h"
#include "shm_filter.h"

#define LARGEST_ERROR 4095 /* what the kernel takes for an errno when a call returns it, negated */

static const struct {
        unsigned actions, selection;
        const char *word, *why;
} refusals[] = {
        {FAULT_SIGNAL_EXIT, 0,
         "signal_exit=", "a call's return is not seen there: use signal_enter=, or --via preload"},
        {FAULT_DELAY_EXIT, 0, "delay_exit=", "a call's return is not seen there: use delay_enter=, or --via preload"},
        {FAULT_CORRUPT, 0, "corrupt=", "what a call returns is not seen there: use --via preload"},
        {FAULT_SHORT, 0, "short", "a call's arguments cannot be changed there: use --via preload"},
        {0, FAULT_BY_CALLER, "caller=", "the calling function is not seen there: use thread=, or --via preload"},
};

static void refuse(const struct fault_rule *rule, const char *word, const char *reason, char *why, size_t size)
{
        snprintf(why, size, "'%s': --via kernel cannot do %s, because %s", rule->text, word, reason);
}

static bool refuses_rule(const struct fault_rule *rule, char *why, size_t size)
{
        if (!(rule->calls & SHM_FILTER_CALLS)) {
                refuse(rule, "ftok", "it is no system call: use --via preload", why, size);
                return true;
        }
        if (rule->actions & FAULT_RETVAL && rule->retval < 0 && rule->retval >= -LARGEST_ERROR) {
                refuse(rule, "this retval=", "a caller takes a return of -4095 to -1 for an errno: use error=", why,
                       size);
                return true;
        }
        return false;
}

bool kernel_backend_refuses(const struct fault_plan *plan, char *why, size_t size)
{
        for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
                int rule = fault_plan_uses(plan, refusals[i].actions, refusals[i].selection);
                if (rule != -1) {
                        refuse(&plan->rules[rule], refusals[i].word, refusals[i].why, why, size);
                        return true;
                }
        }
        for (unsigned i = 0; i < plan->count; i++) {
                if (refuses_rule(&plan->rules[i], why, size))
                        return true;
        }
        return false;
}

int kernel_backend_install(const struct fault_plan *plan, bool all, char *why, size_t size)
{
        uint32_t actions[SHM_CALLS];
        unsigned wanted = all ? SHM_FILTER_CALLS : 0;
        for (unsigned i = 0; i < plan->count; i++)
                wanted |= plan->rules[i].calls;
        for (unsigned call = 0; call < SHM_CALLS; call++)
                actions[call] = wanted >> call & 1 ? SCMP_ACT_NOTIFY : SCMP_ACT_ALLOW;
        scmp_filter_ctx filter = shm_filter_new(actions, why, size);
        if (!filter)
                return -1;
        int listener = shm_filter_load(filter, true, why, size);
        int error = errno;
        seccomp_release(filter);
        errno = error;
        return listener;
}

/* What goes over the socket beside the descriptor. */
struct handover {
        int32_t no_new_privileges;
        char why[500]; /* only without a descriptor */
};

union control {
        struct cmsghdr header; /* for its alignment */
        char bytes[CMSG_SPACE(sizeof(int))];
};

bool kernel_backend_send(int socket, int listener, const char *why)
{
        struct handover handover = {.no_new_privileges = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)};
        struct iovec part = {.iov_base = &handover, .iov_len = sizeof(handover)};
        union control control;
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
        if (listener == -1) {
                snprintf(handover.why, sizeof(handover.why), "%s", why);
        } else {
                memset(&control, 0, sizeof(control));
                message.msg_control = control.bytes;
                message.msg_controllen = sizeof(control.bytes);
                struct cmsghdr *header = CMSG_FIRSTHDR(&message);
                header->cmsg_level = SOL_SOCKET;
                header->cmsg_type = SCM_RIGHTS;
                header->cmsg_len = CMSG_LEN(sizeof(int));
                memcpy(CMSG_DATA(header), &listener, sizeof(listener));
        }
        ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL);
        int error = errno;
        if (listener != -1)
                close(listener);
        errno = error;
        return sent == (ssize_t)sizeof(handover);
}

static int descriptor_of(struct msghdr *message)
{
        int fd = -1;
        struct cmsghdr *header = CMSG_FIRSTHDR(message);
        if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
                memcpy(&fd, CMSG_DATA(header), sizeof(fd));
        return fd;
}

int kernel_backend_receive(int socket, bool *no_new_privileges, char *why, size_t size)
{
        struct handover handover = {0};
        struct iovec part = {.iov_base = &handover, .iov_len = sizeof(handover)};
        union control control;
        struct msghdr message = {.msg_iov = &part,
                                 .msg_iovlen = 1,
                                 .msg_control = control.bytes,
                                 .msg_controllen = sizeof(control.bytes)};
        ssize_t n = 0;
        do {
                n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_WAITALL);
        } while (n == -1 && errno == EINTR);
        int listener = n == (ssize_t)sizeof(handover) ? descriptor_of(&message) : -1;
        *no_new_privileges = handover.no_new_privileges == 1;
        if (listener != -1)
                return listener;
        if (n == (ssize_t)sizeof(handover) && handover.why[0])
                snprintf(why, size, "%s", handover.why);
        else if (n == -1)
                snprintf(why, size, "the filter's listener was not received: %s", strerror(errno));
        else
                snprintf(why, size, "the command's process ended before its filter was there");
        return -1;
}
