#include "fork_server.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fork_keeper.h"
#include "fork_protocol.h"
#include "fork_state.h"

static long read_field(const char **text)
{
        char *end = NULL;
        long value = strtol(*text, &end, 10);
        *text = *end == ':' ? end + 1 : end;
        return value;
}

/* Returns what there is to do; a tool that is gone has nothing to say, and nobody waits for this process. */
static enum fork_order_kind take_order(int socket, struct fork_run *run)
{
        struct fork_order order = {.kind = FORK_ASIDE};
        struct iovec io = {&order, sizeof(order)};
        union {
                char bytes[CMSG_SPACE(FORK_DESCRIPTORS * sizeof(int))];
                struct cmsghdr aligned;
        } control;
        struct msghdr message = {
                .msg_iov = &io, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
        ssize_t n = 0;
        do {
                n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
        } while (n == -1 && errno == EINTR);
        if (n != (ssize_t)sizeof(order))
                _exit(127);
        const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        if (order.kind != FORK_RUN || !header || header->cmsg_len != CMSG_LEN(sizeof(run->descriptors)))
                return FORK_ASIDE;
        memcpy(run->descriptors, CMSG_DATA(header), sizeof(run->descriptors));
        run->session_number = order.session_number;
        return FORK_RUN;
}

/* Returns true in a run, and false when the offer is turned down. */
static bool serve(int socket, struct fork_state *state)
{
        for (;;) {
                struct fork_run run = {.state = state, .server = socket};
                if (take_order(socket, &run) == FORK_ASIDE)
                        return false;
                pid_t keeper = fork();
                if (keeper == 0 && fork_keep(&run))
                        return true;
                for (int i = 0; i < FORK_DESCRIPTORS; i++)
                        close(run.descriptors[i]);
                while (waitpid(-1, NULL, WNOHANG) > 0) {
                }
        }
}

static void offer(const char *value)
{
        static struct fork_state state;
        struct fork_hello hello = {.pid = getpid()};
        int socket = (int)read_field(&value);
        uint64_t output = (uint64_t)read_field(&value);
        uint64_t error = (uint64_t)read_field(&value);
        state.streams[0] = output;
        state.streams[1] = error;
        fork_state_read(&state, socket, hello.why_not, sizeof(hello.why_not));
        /* Signals wait: their handlers are the program's, which is not to go on here. */
        sigset_t all;
        sigfillset(&all);
        sigprocmask(SIG_BLOCK, &all, &state.mask);
        bool is_run =
                send(socket, &hello, sizeof(hello), MSG_NOSIGNAL) == (ssize_t)sizeof(hello) && serve(socket, &state);
        /* In a run its keeper has closed it, and the number may be another's. */
        if (!is_run)
                close(socket);
        sigprocmask(SIG_SETMASK, &state.mask, NULL);
}

__attribute__((constructor)) static void note_start(void)
{
        if (getenv(FORK_VARIABLE))
                fork_state_begin();
}

void fork_server_offer(void)
{
        static _Atomic bool offered;
        const char *value = getenv(FORK_VARIABLE);
        if (!value || atomic_exchange(&offered, true))
                return;
        int error = errno;
        offer(value);
        unsetenv(FORK_VARIABLE);
        errno = error;
}
