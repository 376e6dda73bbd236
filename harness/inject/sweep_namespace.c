#include "sweep_namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

union control {
        char bytes[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr aligned;
};

static void close_both(const int fds[2])
{
        for (int i = 0; i < 2; i++) {
                if (fds[i] != -1)
                        close(fds[i]);
        }
}

bool sweep_namespace_send(int socket, char *why, size_t size)
{
        int fds[2] = {open("/proc/self/ns/ipc", O_RDONLY | O_CLOEXEC),
                      open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC)};
        union control control = {{0}};
        struct iovec io = {"", 1};
        struct msghdr message = {
                .msg_iov = &io, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(fds));
        memcpy(CMSG_DATA(header), fds, sizeof(fds));
        bool sent = fds[0] != -1 && fds[1] != -1 && sendmsg(socket, &message, MSG_NOSIGNAL) == 1;
        if (!sent)
                snprintf(why, size, "the IPC namespace could not be handed over: %s", strerror(errno));
        close_both(fds);
        return sent;
}

static bool is_own_user_namespace(int fd)
{
        struct stat own;
        struct stat other;
        return stat("/proc/self/ns/user", &own) == 0 && fstat(fd, &other) == 0 && own.st_ino == other.st_ino;
}

bool sweep_namespace_receive(int socket, struct sweep_namespace *n)
{
        int fds[2];
        char byte = 0;
        union control control;
        struct iovec io = {&byte, 1};
        struct msghdr message = {
                .msg_iov = &io, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
        *n = SWEEP_NO_NAMESPACE;
        if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1)
                return false;
        const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        if (!header || header->cmsg_len != CMSG_LEN(sizeof(fds)))
                return false;
        memcpy(fds, CMSG_DATA(header), sizeof(fds));
        *n = (struct sweep_namespace){.user = fds[1], .ipc = fds[0]};
        if (is_own_user_namespace(n->user)) {
                close(n->user);
                n->user = -1;
        }
        return true;
}

bool sweep_namespace_enter(const struct sweep_namespace *n, char *why, size_t size)
{
        if ((n->user == -1 || setns(n->user, CLONE_NEWUSER) == 0) && setns(n->ipc, CLONE_NEWIPC) == 0)
                return true;
        snprintf(why, size, "the IPC namespace of the run before cannot be entered: %s", strerror(errno));
        return false;
}

void sweep_namespace_close(struct sweep_namespace *n)
{
        const int fds[2] = {n->ipc, n->user};
        close_both(fds);
        *n = SWEEP_NO_NAMESPACE;
}
