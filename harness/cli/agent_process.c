#include "agent_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SHMCHECK_LIBDIR
#define SHMCHECK_LIBDIR "/usr/local/lib/shmcheck"
#endif

static bool set_data(struct locations *l, const char *data)
{
        snprintf(l->data, sizeof(l->data), "%s", data);
        int n = snprintf(l->profiles, sizeof(l->profiles), "%s/cases/profiles", data);
        return n > 0 && (size_t)n < sizeof(l->profiles) && access(l->profiles, R_OK) == 0;
}

/* Looks in a folder of programs, and for the data above it. */
static bool find_from(struct locations *l, const char *folder)
{
        static const char *const above[] = {"/..", "/../.."};
        char data[4096];
        int n = snprintf(l->agent, sizeof(l->agent), "%s/shmcheck-agent", folder);
        if (n < 0 || (size_t)n >= sizeof(l->agent) || access(l->agent, X_OK) == -1)
                return false;
        for (size_t i = 0; i < sizeof(above) / sizeof(above[0]); i++) {
                n = snprintf(data, sizeof(data), "%s%s", folder, above[i]);
                if (n > 0 && (size_t)n < sizeof(data) && set_data(l, data))
                        return true;
        }
        return false;
}

static bool find_beside(struct locations *l, char *program)
{
        char *slash = strrchr(program, '/');
        if (!slash)
                return false;
        *slash = '\0';
        return find_from(l, program);
}

void locations_find(struct locations *l)
{
        char self[2048];
        ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
        self[n > 0 ? n : 0] = '\0';
        if (find_beside(l, self))
                return;
        /* The working folder can be used even where this user may not search the path to it. */
        snprintf(self, sizeof(self), "%s", program_invocation_name);
        if (find_beside(l, self))
                return;
        snprintf(l->agent, sizeof(l->agent), "%s/shmcheck-agent", SHMCHECK_LIBDIR);
        set_data(l, SHMCHECK_LIBDIR);
}

/* In the child: becomes the agent. Returns only if that fails. */
static void become_agent(const char *path, const char *const *words, const char *preload, int fd)
{
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(fd, STDOUT_FILENO);
        if (preload)
                setenv("LD_PRELOAD", preload, 1);
        size_t count = 0;
        while (words[count])
                count++;
        char **argv = calloc(count + 2, sizeof(argv[0]));
        if (!argv)
                return;
        argv[0] = strdup(path);
        for (size_t i = 0; i < count; i++)
                argv[i + 1] = strdup(words[i]);
        signal(SIGPIPE, SIG_DFL);
        execv(path, argv);
}

static volatile pid_t running_agent;

/* The agent ends its cases and cleans up after them; its record is then cut short, and told as such. */
static void pass_on(int signal_number)
{
        (void)signal_number;
        if (running_agent > 0)
                kill(running_agent, SIGTERM);
}

static void pass_signals_on(void)
{
        static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
        struct sigaction action = {.sa_handler = pass_on};
        for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
                sigaction(signals[i], &action, NULL);
}

bool agent_start(struct agent_process *agent, const char *path, const char *const *words, const char *preload,
                 char *why, size_t size)
{
        int fds[2];
        int failed[2];
        if (pipe2(fds, O_CLOEXEC) == -1 || pipe2(failed, O_CLOEXEC) == -1) {
                snprintf(why, size, "pipe: %s", strerror(errno));
                return false;
        }
        fflush(NULL);
        agent->pid = fork();
        if (agent->pid == 0) {
                become_agent(path, words, preload, fds[1]);
                int error = errno;
                if (write(failed[1], &error, sizeof(error)) == -1)
                        _exit(126);
                _exit(127);
        }
        close(fds[1]);
        close(failed[1]);
        int error = 0;
        bool told = read(failed[0], &error, sizeof(error)) == (ssize_t)sizeof(error);
        close(failed[0]);
        if (agent->pid == -1 || told) {
                snprintf(why, size, "%s cannot be started: %s", path, strerror(told ? error : errno));
                close(fds[0]);
                if (agent->pid != -1)
                        waitpid(agent->pid, NULL, 0);
                return false;
        }
        agent->fd = fds[0];
        running_agent = agent->pid;
        pass_signals_on();
        return true;
}

bool agent_read(struct agent_process *agent, struct record_reader *reader, FILE *copy,
                void (*progress)(const struct record *record, void *arg), void *arg)
{
        static char bytes[64 * 1024];
        bool taken = true;
        for (;;) {
                ssize_t n = read(agent->fd, bytes, sizeof(bytes));
                if (n == -1 && errno == EINTR)
                        continue;
                if (n <= 0)
                        break;
                /* A copy that is refused shows in the stream's error flag; the verdicts need not suffer. */
                if (copy && !ferror(copy))
                        fwrite(bytes, 1, (size_t)n, copy);
                taken = record_reader_feed(reader, bytes, (size_t)n);
                if (!taken) {
                        kill(agent->pid, SIGTERM);
                        break;
                }
                if (progress)
                        progress(record_reader_record(reader), arg);
        }
        close(agent->fd);
        return taken;
}

int agent_finish(struct agent_process *agent)
{
        int status = 0;
        while (waitpid(agent->pid, &status, 0) == -1 && errno == EINTR) {
        }
        running_agent = 0;
        return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

struct record_reader *agent_ask(const char *path, const char *const *words, char *why, size_t size)
{
        struct agent_process agent;
        struct record_reader *reader = record_reader_new();
        if (!reader) {
                snprintf(why, size, "out of memory");
                return NULL;
        }
        if (agent_start(&agent, path, words, NULL, why, size)) {
                agent_read(&agent, reader, NULL, NULL, NULL);
                int status = agent_finish(&agent);
                record_reader_finish(reader, NULL);
                if (status == 0)
                        return reader;
                snprintf(why, size, "%s ended with status %d", path, status);
        }
        record_reader_free(reader);
        return NULL;
}
