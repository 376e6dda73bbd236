#include "supervised_run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "agent_process.h"
#include "cli.h"
#include "plan_read.h"
#include "reach.h"
#include "trace_json.h"

#define WHY 5000
/* Milliseconds until events that are few are read. */
#define LATENCY 10
/* Events are formatted so many at a time between two looks for new ones. */
#define PORTION 256

struct supervision_options supervision_options;

struct poptOption supervision_option_table[] = {
        {"inject", 0, POPT_ARG_ARGV, &supervision_options.inject, 0,
         "a fault, as shmget:error=ENOSPC:when=2+; may be given again", "RULE"},
        {"plan", 0, POPT_ARG_STRING, &supervision_options.plan, 0, "more of them, one a line", "FILE"},
        {"deny", 0, POPT_ARG_ARGV, &supervision_options.deny, 0,
         "calls fail in the kernel, as a container's profile makes them: shm=EPERM, shmat=ENOSYS", "CALL=ERR"},
        {"via", 0, POPT_ARG_STRING, &supervision_options.via, 0,
         "preload (default), or kernel: for static and setuid programs and raw system calls", "WAY"},
        {"any-error", 0, POPT_ARG_NONE, &supervision_options.any_error, 0,
         "also errors that the call never has by any documentation", NULL},
        {"may-miss", 0, POPT_ARG_NONE, &supervision_options.may_miss, 0,
         "a rule that does not fire is told, and does not change the exit status", NULL},
        {"host", 0, POPT_ARG_NONE, &supervision_options.host, 0,
         "in this IPC namespace, not in a fresh one; what is there is never removed", NULL},
        {"events", 0, POPT_ARG_STRING, &supervision_options.events, 0,
         "write each event as one line of JSON while the command runs", "FILE|fd:N"},
        POPT_TABLEEND};

/* CMD's words behind --, which ends the options, or NULL; *count is then what remains in front of it. */
static char **split_command(int *count, char **argv)
{
        for (int i = 1; i < *count; i++) {
                if (strcmp(argv[i], "--") != 0)
                        continue;
                char **words = i + 1 < *count ? argv + i + 1 : NULL;
                *count = i;
                argv[i] = NULL;
                return words;
        }
        return NULL;
}

poptContext supervision_read(const char *subcommand, int argc, char **argv, const struct poptOption *options,
                             char ***words)
{
        const char **rest = NULL;
        *words = split_command(&argc, argv);
        poptContext context = options_read(subcommand, "[OPTION...] -- CMD [ARG...]", argc, argv, options, &rest);
        if (!context)
                return NULL;
        if (rest && *rest)
                complain("%s: '%s' is no option; the command stands behind --", subcommand, *rest);
        else if (!*words)
                complain("%s: no command; it stands behind --: shmcheck %s [OPTION...] -- CMD [ARG...]", subcommand,
                         subcommand);
        else
                return context;
        poptFreeContext(context);
        return NULL;
}

/* ---- before the run ---- */

static bool choose_way(struct supervised_run *r)
{
        const char *via = supervision_options.via;
        r->kernel = via && strcmp(via, "kernel") == 0;
        if (r->kernel || !via || strcmp(via, "preload") == 0)
                return true;
        complain("--via %s: takes preload or kernel", via);
        return false;
}

static bool find_library(struct supervised_run *r)
{
        static struct locations where;
        locations_find(&where);
        const char *slash = strrchr(where.agent, '/');
        int n = snprintf(r->library, sizeof(r->library), "%.*s/libshmfault.so", (int)(slash ? slash - where.agent : 0),
                         where.agent);
        return n > 0 && (size_t)n < sizeof(r->library);
}

/* A plain filter reaches every program; that its calls are not seen then is told in the end. */
static bool only_denies(const struct supervised_run *r)
{
        return r->denies && r->plan.count == 0 && !r->follows;
}

static bool reach(struct supervised_run *r)
{
        char why[WHY];
        char path[PATH_MAX];
        if (r->kernel) {
                if (!kernel_backend_refuses(&r->plan, why, sizeof(why)))
                        return true;
                complain("%s", why);
                return false;
        }
        if (!find_library(r) || !realpath(r->library, path)) {
                complain("%s: %s", r->library, strerror(errno));
                return false;
        }
        snprintf(r->library, sizeof(r->library), "%s", path);
        r->preloads = reach_by_preload(r->program, r->library, why, sizeof(why));
        if (r->preloads || only_denies(r))
                return true;
        complain("%s", why);
        return false;
}

static bool read_options(struct supervised_run *r)
{
        const struct supervision_options *o = &supervision_options;
        char why[WHY];
        r->denies = o->deny != NULL;
        r->follows = r->wishes->traced || o->events;
        if (!choose_way(r) || !plan_read(&r->plan, o->inject, o->plan, o->any_error) ||
            !denials_read(&r->deny, o->deny))
                return false;
        if (!program_find(r->words[0], r->program, why, sizeof(why))) {
                complain("%s", why);
                return false;
        }
        r->notified = r->kernel && (r->plan.count > 0 || r->follows);
        return reach(r) && (!r->wishes->begin || r->wishes->begin(r->wishes->arg)) &&
               event_output_open(&r->events, o->events);
}

/* ---- the start ---- */

/* In the command's process, before it is the program. */
static bool prepare(void *arg, char *why, size_t size)
{
        const struct supervised_run *r = arg;
        if (r->denies && deny_install(&r->deny, why, size) == -1)
                return false;
        if (r->preloads && !session_hand_on(r->session_fd)) {
                snprintf(why, size, "fcntl: %s", strerror(errno));
                return false;
        }
        if (!r->notified)
                return true;
        int listener = kernel_backend_install(&r->plan, r->follows, why, size);
        if (listener == -1)
                return false;
        if (kernel_backend_send(r->handover[1], listener, NULL))
                return true;
        snprintf(why, size, "the filter's listener could not be handed over: %s", strerror(errno));
        return false;
}

static int complain_of_start(enum command_start result, const char *why)
{
        if (result == COMMAND_NO_NAMESPACE)
                complain("no IPC namespace of its own can be had for the command (%s); --host runs it in this one",
                         why);
        else
                complain("%s", why);
        return result == COMMAND_NO_PROGRAM ? EXIT_USAGE : EXIT_HARNESS;
}

static bool open_session(struct supervised_run *r)
{
        r->session = session_new(&r->plan, r->follows, &r->session_fd);
        if (!r->session)
                complain("no memory to share with the command: %s", strerror(errno));
        else if (r->notified && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, r->handover) == -1)
                complain("socketpair: %s", strerror(errno));
        else if (supervision_options.host && !segments_list(&r->before))
                complain("the segments that are there cannot be listed: %s", strerror(errno));
        else
                return true;
        return false;
}

static bool open_trace(struct supervised_run *r)
{
        if (!r->follows)
                return true;
        r->trace = trace_begin(r->session, r->words, supervision_options.host ? &r->before : NULL, r->wishes->history);
        if (!r->trace)
                complain("out of memory");
        return r->trace != NULL;
}

static bool open_backend(struct supervised_run *r)
{
        char why[WHY];
        bool weak = false;
        if (!r->notified)
                return true;
        close(r->handover[1]);
        r->handover[1] = -1;
        int listener = kernel_backend_receive(r->handover[0], &weak, why, sizeof(why));
        r->backend = listener == -1 ? NULL : kernel_backend_new(listener, r->session);
        if (listener != -1 && !r->backend)
                snprintf(why, sizeof(why), "the kernel's notifications cannot be read: %s", strerror(errno));
        if (!r->backend)
                complain("%s", why);
        else if (weak)
                complain("%s runs with no_new_privs, which the kernel asks for here: set-user-ID programs gain nothing",
                         r->words[0]);
        return r->backend != NULL;
}

/* Returns 0, or the exit status after one line on standard error. */
static int start(struct supervised_run *r)
{
        char why[WHY];
        char name[64];
        struct command_setup setup = {.path = r->program,
                                      .words = r->words,
                                      .environment = environ,
                                      .host = supervision_options.host,
                                      .output = -1,
                                      .error = -1,
                                      .grace = COMMAND_GRACE,
                                      .prepare = prepare,
                                      .arg = r};
        char **environment = NULL;
        if (r->preloads) {
                session_name(r->session, r->session_fd, name, sizeof(name));
                environment = environment_with(r->library, SESSION_VARIABLE, name, why, sizeof(why));
                if (!environment) {
                        complain("%s", why);
                        return EXIT_HARNESS;
                }
                setup.environment = environment;
        }
        enum command_start result = command_start(&r->command, &setup, why, sizeof(why));
        environment_free(environment);
        if (result != COMMAND_STARTED)
                return complain_of_start(result, why);
        return open_backend(r) ? 0 : EXIT_HARNESS;
}

/* ---- signals ---- */

static const struct command *volatile signalled;
/* One that came before there was a command to pass it on to. */
static volatile sig_atomic_t early_signal;

static void pass_on(int signal_number)
{
        if (signalled)
                command_pass_signal(signalled, signal_number);
        else
                early_signal = signal_number;
}

/* Those that are ignored go on being ignored, by the command as well. */
static void set_handlers(void (*handler)(int signal_number))
{
        static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
        for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
                struct sigaction action;
                if (sigaction(signals[i], NULL, &action) == -1 || action.sa_handler == SIG_IGN)
                        continue;
                action = (struct sigaction){.sa_handler = handler, .sa_flags = SA_RESTART};
                sigaction(signals[i], &action, NULL);
        }
}

static void pass_signals_on(const struct command *c)
{
        signalled = c;
        if (early_signal)
                command_pass_signal(c, early_signal);
}

static void pass_signals_on_no_more(void)
{
        set_handlers(SIG_DFL);
        signalled = NULL;
}

/* ---- events ---- */

static void take_up(const struct shm_event *e, void *arg)
{
        struct supervised_run *r = arg;
        if (!trace_add(r->trace, e) && !r->trace_cut) {
                complain("out of memory; the trace is not whole from here on");
                r->trace_cut = true;
        }
        if (r->events.fd != -1)
                event_output_write(&r->events, trace_json_event(e, trace_origin(r->trace), &r->plan,
                                                                trace_place_of(r->trace, e->site)));
        if (e->kind == SHM_EVENT_CALL && r->wishes->call)
                r->wishes->call(r->trace, e, r->wishes->arg);
}

static void work(struct supervised_run *r, size_t most)
{
        event_backlog_work(&r->backlog, most);
        if (event_backlog_is_empty(&r->backlog) && r->wishes->pause)
                r->wishes->pause(r->wishes->arg);
}

/* ---- the run ---- */

/* The time to wait at most: none if there is something to do. */
static int patience(const struct supervised_run *r)
{
        return !event_backlog_is_empty(&r->backlog) ? 0 : r->follows ? LATENCY : -1;
}

static void serve_kernel(struct supervised_run *r)
{
        struct pollfd polled[2] = {{.fd = r->backend ? kernel_backend_fd(r->backend) : -1, .events = POLLIN},
                                   {.fd = r->command.control, .events = POLLIN}};
        int64_t wait = patience(r) == -1 ? -1 : (int64_t)patience(r) * 1000000;
        int64_t due = r->backend ? kernel_backend_due(r->backend) : -1;
        if (due != -1 && (wait == -1 || due < wait))
                wait = due;
        struct timespec limit = {wait / 1000000000, wait % 1000000000};
        if (ppoll(polled, 2, wait == -1 ? NULL : &limit, NULL) == -1)
                polled[0].revents = 0;
        if (r->backend && !kernel_backend_serve(r->backend, polled[0].revents)) {
                kernel_backend_free(r->backend);
                r->backend = NULL;
        }
}

static void wait_for_news(struct supervised_run *r)
{
        if (r->notified)
                serve_kernel(r);
        else if (r->follows && event_backlog_is_empty(&r->backlog))
                session_wait(r->session, LATENCY);
        else if (!r->follows)
                command_wait(&r->command, -1);
}

static void follow(struct supervised_run *r)
{
        while (!command_wait(&r->command, 0)) {
                wait_for_news(r);
                if (!r->follows)
                        continue;
                session_drain(r->session, false, event_backlog_put, &r->backlog);
                work(r, PORTION);
                trace_watch(r->trace);
        }
        session_close(r->session);
        if (!r->follows)
                return;
        session_drain(r->session, true, event_backlog_put, &r->backlog);
        work(r, SIZE_MAX);
}

/* ---- the words at the end ---- */

static int end_trace(struct supervised_run *r)
{
        const struct command *c = &r->command;
        if (!r->trace)
                return 0;
        pid_t *alive = calloc(c->orphan_count + 1, sizeof(alive[0]));
        if (!alive) {
                complain("out of memory");
                return EXIT_HARNESS;
        }
        for (size_t i = 0; i < c->orphan_count; i++)
                alive[i] = c->orphans[i].pid;
        const struct trace *trace = trace_end(r->trace, c->status, c->left_known ? &c->left : NULL, alive);
        free(alive);
        int status = r->wishes->end ? r->wishes->end(trace, r->wishes->arg) : 0;
        return r->events.lost || r->trace_cut ? EXIT_HARNESS : status;
}

static int end(struct supervised_run *r)
{
        int status = end_trace(r);
        outcome_tell_orphans(r);
        bool missed = outcome_tell_misses(r);
        if (r->command.keeper_lost) {
                complain("the process that kept %s was killed, and %s with it", r->words[0], r->words[0]);
                return EXIT_HARNESS;
        }
        if (status)
                return status;
        status = command_exit_status(&r->command);
        return status == 0 && missed ? EXIT_HARNESS : status;
}

static void close_run(struct supervised_run *r)
{
        kernel_backend_free(r->backend);
        trace_free(r->trace);
        session_free(r->session);
        event_output_close(&r->events);
        for (int i = 0; i < 2; i++) {
                if (r->handover[i] != -1)
                        close(r->handover[i]);
        }
        if (r->session_fd != -1)
                close(r->session_fd);
        event_backlog_free(&r->backlog);
        free(r->before.items);
}

/* From the start to the last word. */
static int run(struct supervised_run *r)
{
        int status = EXIT_HARNESS;
        set_handlers(pass_on);
        if (open_session(r) && open_trace(r))
                status = start(r);
        if (r->command.pid && status == 0) {
                pass_signals_on(&r->command);
                follow(r);
                pass_signals_on_no_more();
                status = end(r);
        }
        if (r->command.pid)
                command_free(&r->command);
        return status;
}

int supervise(char *const *words, const struct supervision *wishes)
{
        struct supervised_run *r = calloc(1, sizeof(*r));
        if (!r) {
                complain("out of memory");
                return EXIT_HARNESS;
        }
        r->wishes = wishes;
        r->words = words;
        r->backlog.work = take_up;
        r->backlog.arg = r;
        r->session_fd = r->handover[0] = r->handover[1] = r->events.fd = -1;
        int status = read_options(r) ? run(r) : EXIT_USAGE;
        close_run(r);
        free(r);
        return status;
}
