#include "fork_order.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static void take_descriptors(const struct cmsghdr *header, struct fork_order_received *received)
{
        if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
                return;
        size_t size = header->cmsg_len - CMSG_LEN(0);
        memcpy(received->descriptors, CMSG_DATA(header), size);
        received->count = (unsigned)(size / sizeof(int));
}

bool fork_order_receive(int socket, struct fork_order_received *received)
{
        struct iovec io = {&received->order, sizeof(received->order)};
        union {
                char bytes[CMSG_SPACE(FORK_DESCRIPTORS * sizeof(int))];
                struct cmsghdr aligned;
        } control;
        struct msghdr message = {
                .msg_iov = &io, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
        ssize_t n = 0;
        do {
                n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_WAITALL);
        } while (n == -1 && errno == EINTR);
        received->count = 0;
        if (n != (ssize_t)sizeof(received->order))
                return false;
        take_descriptors(CMSG_FIRSTHDR(&message), received);
        return true;
}
