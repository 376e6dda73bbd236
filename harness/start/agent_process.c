#include "agent_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
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

/* Looks in a folder of programs, and for the data there or above it. */
static bool find_from(struct locations *l, const char *folder)
{
        static const char *const above[] = {"", "/..", "/../.."};
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
        if (find_from(l, program))
                return true;
        /* An installation may have been moved, or made for another folder than it was built for. */
        char folder[4096];
        int n = snprintf(folder, sizeof(folder), "%s/../lib/shmcheck", program);
        return n > 0 && (size_t)n < sizeof(folder) && find_from(l, folder);
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

struct start {
        const char *path;
        const char *const *words; /* behind the path */
        const char *preload;      /* or NULL */
        bool behind;              /* a command that leads to the agent */
};

/*
 * A command that makes its standard error non-blocking would make the user's
 * terminal so, and this program's output with it: it gets the terminal opened
 * anew. Where that is not allowed it has to share it.
 */
static void open_terminal_anew(void)
{
        int terminal = isatty(STDERR_FILENO) ? open("/proc/self/fd/2", O_WRONLY | O_NOCTTY) : -1;
        if (terminal == -1)
                return;
        dup2(terminal, STDERR_FILENO);
        close(terminal);
}

/* In the child: becomes the agent. Returns only if that fails. */
static void become_agent(const struct start *start, int fd)
{
        prctl(PR_SET_PDEATHSIG, start->behind ? SIGTERM : SIGKILL);
        dup2(fd, STDOUT_FILENO);
        if (start->preload)
                setenv("LD_PRELOAD", start->preload, 1);
        if (start->behind) {
                setpgid(0, 0);
                int null = open("/dev/null", O_RDONLY);
                dup2(null, STDIN_FILENO);
                close(null);
                open_terminal_anew();
        }
        size_t count = 0;
        while (start->words[count])
                count++;
        char **argv = calloc(count + 2, sizeof(argv[0]));
        if (!argv)
                return;
        argv[0] = strdup(start->path);
        for (size_t i = 0; i < count; i++)
                argv[i + 1] = strdup(start->words[i]);
        signal(SIGPIPE, SIG_DFL);
        if (start->behind)
                execvp(start->path, argv);
        else
                execv(start->path, argv);
}

/* What kill takes: of a group, all of it. */
static pid_t to_kill(const struct agent_process *agent)
{
        return agent->group ? -agent->pid : agent->pid;
}

static volatile pid_t running_agents[AGENTS_MAX];
static volatile sig_atomic_t passed_on;

/*
 * The agents end their cases and clean up after them; their records are then
 * cut short, and told as such. A command that leads to one and does not care is
 * killed with all that it started when it is asked again.
 */
static void pass_on(int signal_number)
{
        for (size_t i = 0; i < AGENTS_MAX; i++) {
                if (running_agents[i] != 0)
                        kill(running_agents[i], passed_on && running_agents[i] < 0 ? SIGKILL : SIGTERM);
        }
        passed_on = signal_number;
}

int agent_signal(void)
{
        return passed_on;
}

/* Puts one process where another, or none, stands in the list. */
static void list_agent(pid_t old, pid_t new)
{
        for (size_t i = 0; i < AGENTS_MAX; i++) {
                if (running_agents[i] == old) {
                        running_agents[i] = new;
                        return;
                }
        }
}

static void pass_signals_on(void)
{
        static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
        struct sigaction action = {.sa_handler = pass_on};
        for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
                sigaction(signals[i], &action, NULL);
}

static bool start_process(struct agent_process *agent, const struct start *start, char *why, size_t size)
{
        int fds[2];
        int failed[2];
        memset(agent, 0, sizeof(*agent));
        agent->group = start->behind;
        if (pipe2(fds, O_CLOEXEC) == -1 || pipe2(failed, O_CLOEXEC) == -1) {
                snprintf(why, size, "pipe: %s", strerror(errno));
                return false;
        }
        fflush(NULL);
        agent->pid = fork();
        if (agent->group && agent->pid != -1)
                setpgid(agent->pid, 0);
        if (agent->pid == 0) {
                become_agent(start, fds[1]);
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
                snprintf(why, size, "%s cannot be started: %s%s", start->path, strerror(told ? error : errno),
                         told && error == ENOEXEC ? " (is it built for this machine?)" : "");
                close(fds[0]);
                if (agent->pid != -1)
                        waitpid(agent->pid, NULL, 0);
                return false;
        }
        agent->fd = fds[0];
        list_agent(0, to_kill(agent));
        pass_signals_on();
        return true;
}

bool agent_start(struct agent_process *agent, const char *path, const char *const *words, const char *preload,
                 char *why, size_t size)
{
        return start_process(agent, &(struct start){.path = path, .words = words, .preload = preload}, why, size);
}

bool agent_start_behind(struct agent_process *agent, const char *const *words, char *why, size_t size)
{
        return start_process(agent, &(struct start){.path = words[0], .words = words + 1, .behind = true}, why, size);
}

static double seconds_now(void)
{
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Grows with each line of the record that says something. */
static size_t record_growth(const struct record *record)
{
        return (record->start != NULL) + 2 * record->results + json_object_size(record->running) +
               json_array_size(record->listed) + record->damaged_frames + record->ended;
}

struct watch {
        double started, grown; /* seconds_now() */
        size_t growth;
};

/* After the record's last line a machine may still have to be shut down; nothing is to be waited for. */
#define LINGER_SECONDS 3

/* Waits for bytes. Returns false, with the reason in the agent, when a limit is reached. */
static bool await_bytes(struct agent_process *agent, struct watch *watch, const struct record *record)
{
        if (agent->limits.silence == 0 && agent->limits.whole == 0)
                return true;
        if (record_growth(record) != watch->growth) {
                watch->growth = record_growth(record);
                watch->grown = seconds_now();
        }
        for (;;) {
                double now = seconds_now();
                if (record->ended && now - watch->grown >= LINGER_SECONDS)
                        agent->stopped = AGENT_LINGERS;
                else if (agent->limits.silence > 0 && now - watch->grown >= agent->limits.silence)
                        agent->stopped = AGENT_SILENT;
                else if (agent->limits.whole > 0 && now - watch->started >= agent->limits.whole)
                        agent->stopped = AGENT_TOO_LONG;
                if (agent->stopped)
                        return false;
                struct pollfd polled = {.fd = agent->fd, .events = POLLIN};
                if (poll(&polled, 1, 100) > 0)
                        return true;
        }
}

bool agent_read(struct agent_process *agent, struct record_reader *reader, FILE *copy,
                void (*progress)(const struct record *record, void *arg), void *arg)
{
        static char bytes[64 * 1024];
        bool taken = true;
        struct watch watch = {.started = seconds_now(), .grown = seconds_now()};
        while (await_bytes(agent, &watch, record_reader_record(reader))) {
                ssize_t n = read(agent->fd, bytes, sizeof(bytes));
                if (n == -1 && errno == EINTR)
                        continue;
                if (n <= 0)
                        break;
                /* A copy that is refused shows in the stream's error flag; the verdicts need not suffer. */
                if (copy && !ferror(copy))
                        fwrite(bytes, 1, (size_t)n, copy);
                foreign_line_feed(&agent->foreign, bytes, (size_t)n);
                taken = record_reader_feed(reader, bytes, (size_t)n);
                if (!taken)
                        break;
                if (progress)
                        progress(record_reader_record(reader), arg);
        }
        if (!taken || agent->stopped)
                kill(to_kill(agent), SIGTERM);
        close(agent->fd);
        return taken;
}

/* A group whose output is at its end has this long to end, and then no choice. */
#define GRACE_SECONDS 5

static void end_group(const struct agent_process *agent, int *status)
{
        double deadline = seconds_now() + GRACE_SECONDS;
        pid_t ended = 0;
        while (seconds_now() < deadline && (ended = waitpid(agent->pid, status, WNOHANG)) == 0)
                nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        kill(to_kill(agent), SIGKILL);
        if (ended == 0)
                waitpid(agent->pid, status, 0);
}

int agent_finish(struct agent_process *agent)
{
        int status = 0;
        if (agent->group)
                end_group(agent, &status);
        else
                while (waitpid(agent->pid, &status, 0) == -1 && errno == EINTR) {
                }
        list_agent(to_kill(agent), 0);
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
