#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "descendants.h"
#include "keeper.h"
#include "whole_message.h"

static struct command *running;

static void forget_running(const struct command *c)
{
        for (struct command **at = &running; *at; at = &(*at)->next) {
                if (*at == c) {
                        *at = c->next;
                        return;
                }
        }
}

static void block_signals(sigset_t *before)
{
        static const int let_through[] = {SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
        sigset_t all;
        sigfillset(&all);
        for (size_t i = 0; i < sizeof(let_through) / sizeof(let_through[0]); i++)
                sigdelset(&all, let_through[i]);
        sigprocmask(SIG_BLOCK, &all, before);
}

/* None of the descriptors to come is to be one of the three that others are put in the place of. */
static void fill_standard_descriptors(void)
{
        int fd = 0;
        while (fd != -1 && fd <= STDERR_FILENO)
                fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (fd != -1)
                close(fd);
}

/* Forks the keeper; returns false with errno. */
static bool start_keeper(struct command *c, const struct command_setup *setup)
{
        int ends[2];
        sigset_t mask;
        pid_t starter = getpid();
        fill_standard_descriptors();
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1)
                return false;
        /* If the keeper is killed, this process is the next to be given the command's orphans. */
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        block_signals(&mask);
        c->keeper = fork();
        if (c->keeper == 0) {
                close(ends[0]);
                keeper_run(setup, ends[1], starter, &mask);
        }
        int error = errno;
        sigprocmask(SIG_SETMASK, &mask, NULL);
        close(ends[1]);
        c->control = ends[0];
        if (c->keeper != -1)
                return true;
        close(c->control);
        errno = error;
        return false;
}

enum command_start command_start(struct command *c, const struct command_setup *setup, char *why, size_t size)
{
        memset(c, 0, sizeof(*c));
        if (!start_keeper(c, setup)) {
                snprintf(why, size, "the command's keeper cannot be started: %s", strerror(errno));
                return COMMAND_NOT_SUPERVISED;
        }
        struct start_news news = {.result = COMMAND_NOT_SUPERVISED, .why = "the command's keeper was killed"};
        message_receive(c->control, &news, sizeof(news));
        if (news.result == COMMAND_STARTED) {
                c->pid = news.pid;
                c->next = running;
                running = c;
                return COMMAND_STARTED;
        }
        snprintf(why, size, "%s", news.why);
        close(c->control);
        waitpid(c->keeper, NULL, 0);
        return (enum command_start)news.result;
}

/* Memory for so many things that come from the keeper; NULL if they do not. */
static void *receive(int control, uint64_t count, size_t size)
{
        void *items = calloc(count + 1, size);
        if (items && message_receive(control, items, count * size))
                return items;
        free(items);
        return NULL;
}

static bool receive_end(struct command *c)
{
        struct end_news news;
        if (!message_receive(c->control, &news, sizeof(news)))
                return false;
        c->left.items = receive(c->control, news.left_count, sizeof(c->left.items[0]));
        if (!c->left.items)
                return false;
        c->orphans = receive(c->control, news.orphan_count, sizeof(c->orphans[0]));
        if (!c->orphans)
                return false;
        c->status = news.status;
        c->left_known = news.left_known;
        c->left.count = news.left_count;
        c->orphan_count = news.orphan_count;
        return true;
}

static void learn_of_end(struct command *c)
{
        bool told = receive_end(c);
        close(c->control);
        waitpid(c->keeper, NULL, 0);
        forget_running(c);
        c->ended = true;
        if (told)
                return;
        c->keeper_lost = true;
        c->status = SIGKILL;
        descendants_kill(running);
}

bool command_wait(struct command *c, int milliseconds)
{
        struct pollfd polled = {.fd = c->control, .events = POLLIN};
        if (!c->ended && poll(&polled, 1, milliseconds) == 1)
                learn_of_end(c);
        return c->ended;
}

static void send_order(const struct command *c, enum order_kind kind, int signal_number)
{
        struct order order = {.kind = kind, .signal_number = signal_number};
        int error = errno;
        send(c->control, &order, sizeof(order), MSG_NOSIGNAL | MSG_DONTWAIT);
        errno = error;
}

void command_pass_signal(const struct command *c, int signal_number)
{
        send_order(c, ORDER_SIGNAL, signal_number);
}

void command_kill(const struct command *c)
{
        send_order(c, ORDER_KILL, 0);
}

int command_exit_status(const struct command *c)
{
        return WIFSIGNALED(c->status) ? 128 + WTERMSIG(c->status) : WEXITSTATUS(c->status);
}

void command_free(struct command *c)
{
        if (!c->ended) {
                command_kill(c);
                while (!command_wait(c, -1)) {
                }
        }
        free(c->left.items);
        free(c->orphans);
        c->left = (struct segments_there){NULL, 0};
        c->orphans = NULL;
}
