#include "fork_server.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fork_keeper.h"
#include "fork_order.h"
#include "fork_protocol.h"
#include "fork_state.h"

static long read_field(const char **text)
{
        char *end = NULL;
        long value = strtol(*text, &end, 10);
        *text = *end == ':' ? end + 1 : end;
        return value;
}

/* Returns true in a run, and false when the offer is turned down. */
static bool serve(int socket, const struct fork_state *state)
{
        struct fork_order_received received;
        while (fork_order_receive(socket, &received)) {
                if (received.order.kind != FORK_KEEPER || received.count != FORK_DESCRIPTORS)
                        return false;
                if (fork() == 0) {
                        fork_keep(state, socket, &received);
                        return true;
                }
                for (unsigned i = 0; i < received.count; i++)
                        close(received.descriptors[i]);
                while (waitpid(-1, NULL, WNOHANG) > 0) {
                }
        }
        /* A tool that is gone has nothing to say, and nobody waits for this process. */
        _exit(127);
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
