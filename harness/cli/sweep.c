/* shmcheck sweep: tries each failure that each shm call of a command can have, and tells which ones it survives. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "baseline.h"
#include "cli.h"
#include "reach.h"
#include "supervision.h"
#include "sweep_files.h"
#include "sweep_log.h"
#include "sweep_text.h"
#include "verdict_output.h"

#define WHY 5000
/* Nanoseconds that --delay holds a call up. */
#define DELAY 100000000
#define OUTPUT_LINES 10

static struct {
        const char *profile;
        const char *jobs;
        const char *timeout;
        const char *per_site;
        const char *pairs;
        const char *baseline;
        const char *via;
        const char *resume;
        int rare, kill, delay, lie, no_fork_server;
} sweep_options;

static struct poptOption option_table[] = {
        {"profile", 0, POPT_ARG_STRING, &sweep_options.profile, 0,
         "which errors a call can have: linux (default on Linux) or posix", "NAME"},
        {"rare", 0, POPT_ARG_NONE, &sweep_options.rare, 0, "also errors that are met rarely", NULL},
        {"kill", 0, POPT_ARG_NONE, &sweep_options.kill, 0,
         "also SIGKILL before and after each call, and a run without a fault in what that leaves", NULL},
        {"delay", 0, POPT_ARG_NONE, &sweep_options.delay, 0, "also 100 ms before and after each call", NULL},
        {"lie", 0, POPT_ARG_NONE, &sweep_options.lie, 0,
         "also segments shorter than asked, and an nattch that is not true", NULL},
        {"pairs", 0, POPT_ARG_STRING, &sweep_options.pairs, 0,
         "also two errors in one run, the second where the command goes on after the first; at most N such runs", "N"},
        {"per-site", 0, POPT_ARG_STRING, &sweep_options.per_site, 0,
         "only the first N calls from each place in the program (default: all)", "N"},
        {"jobs", 'j', POPT_ARG_STRING, &sweep_options.jobs, 0, "runs side by side (default: one a processor)", "N"},
        {"timeout", 0, POPT_ARG_STRING, &sweep_options.timeout, 0,
         "when a run is taken to hang (default: 10 times what one takes without a fault, at least 2 s)", "SECONDS"},
        {"via", 0, POPT_ARG_STRING, &sweep_options.via, 0,
         "preload (default), or kernel: for static and setuid programs and raw system calls", "WAY"},
        {"no-fork-server", 0, POPT_ARG_NONE, &sweep_options.no_fork_server, 0,
         "start each run anew, and not from a fork of the command before its first call, which shares the time, pid "
         "and "
         "random numbers that it took by then",
         NULL},
        {"baseline", 0, POPT_ARG_STRING, &sweep_options.baseline, 0,
         "findings that are known, a key a line: only others change the exit status", "FILE"},
        {"resume", 0, POPT_ARG_STRING, &sweep_options.resume, 0, "keep each run in FILE, and go on from what is there",
         "FILE"},
        {"color", 0, POPT_ARG_STRING, &verdict_options.color, 0, "auto (default), always or never", "WHEN"},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, sweep_file_table, 0, "Reports, - for standard output:", NULL},
        POPT_AUTOHELP POPT_TABLEEND};

/* ---- the options ---- */

static bool read_count(const char *option, const char *text, size_t most, size_t *count)
{
        char *end = NULL;
        if (!text)
                return true;
        errno = 0;
        unsigned long value = strtoul(text, &end, 10);
        if (*text >= '0' && *text <= '9' && !*end && errno == 0 && value >= 1 && value <= most) {
                *count = value;
                return true;
        }
        complain("%s %s: takes a whole number from 1 to %zu", option, text, most);
        return false;
}

static bool read_timeout(int64_t *timeout)
{
        const char *text = sweep_options.timeout;
        char *end = NULL;
        double seconds = text ? strtod(text, &end) : 0;
        if (!text)
                return true;
        if (end != text && !*end && seconds > 0 && seconds <= 1e6) {
                *timeout = (int64_t)(seconds * 1e9);
                return true;
        }
        complain("--timeout %s: takes a number of seconds above 0", text);
        return false;
}

static bool read_profile(enum sweep_profile *profile)
{
        const char *name = sweep_options.profile;
        *profile = name && strcmp(name, "posix") == 0 ? SWEEP_POSIX : SWEEP_LINUX;
        if (!name || strcmp(name, "posix") == 0 || strcmp(name, "linux") == 0)
                return true;
        complain("--profile %s: takes linux or posix", name);
        return false;
}

static size_t processors(void)
{
        long count = sysconf(_SC_NPROCESSORS_ONLN);
        return count < 1 ? 1 : count > SWEEP_JOBS_MAX ? SWEEP_JOBS_MAX : (size_t)count;
}

static bool read_wishes(struct sweep_wishes *w)
{
        const char *via = sweep_options.via;
        *w = (struct sweep_wishes){.jobs = processors()};
        w->no_fork_server = sweep_options.no_fork_server;
        w->choice.rare = sweep_options.rare;
        w->choice.kills = sweep_options.kill;
        w->choice.lies = sweep_options.lie;
        w->choice.delay = sweep_options.delay ? DELAY : 0;
        if (via && strcmp(via, "kernel") != 0 && strcmp(via, "preload") != 0) {
                complain("--via %s: takes preload or kernel", via);
                return false;
        }
        return read_profile(&w->choice.profile) && read_count("--jobs", sweep_options.jobs, SWEEP_JOBS_MAX, &w->jobs) &&
               read_count("--per-site", sweep_options.per_site, 1000000, &w->per_site) &&
               read_count("--pairs", sweep_options.pairs, 1000000, &w->pairs) && read_timeout(&w->timeout) &&
               verdict_options_check();
}

/* ---- the command ---- */

static bool find_library(char library[PATH_MAX])
{
        static struct locations where;
        char path[sizeof(where.agent) + 32];
        locations_find(&where);
        const char *slash = strrchr(where.agent, '/');
        snprintf(path, sizeof(path), "%.*s/libshmfault.so", (int)(slash ? slash - where.agent : 0), where.agent);
        if (realpath(path, library))
                return true;
        complain("%s: %s", path, strerror(errno));
        return false;
}

/* Standard input as it is if it is a file, or nothing at all; else a file with nothing in it that tells who reads it.
 */
static int choose_input(void)
{
        struct stat st;
        struct stat null;
        bool there = fstat(STDIN_FILENO, &st) == 0;
        if (there && (S_ISREG(st.st_mode) ||
                      (S_ISCHR(st.st_mode) && stat("/dev/null", &null) == 0 && st.st_rdev == null.st_rdev)))
                return fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
        int input = memfd_create("empty", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (input != -1)
                fcntl(input, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
        return input;
}

static bool choose_program(struct sweep_program *p, char **words)
{
        static char path[PATH_MAX];
        static char library[PATH_MAX];
        char why[WHY];
        bool kernel = sweep_options.via && strcmp(sweep_options.via, "kernel") == 0;
        if (!program_find(words[0], path, why, sizeof(why))) {
                complain("%s", why);
                return false;
        }
        if (!kernel && !find_library(library))
                return false;
        if (!kernel && !reach_by_preload(path, library, why, sizeof(why))) {
                complain("%s", why);
                return false;
        }
        *p = (struct sweep_program){
                .path = path, .words = words, .library = kernel ? NULL : library, .input = choose_input()};
        if (p->input == -1)
                complain("standard input: %s", strerror(errno));
        return p->input != -1;
}

/* ---- signals and progress ---- */

static volatile sig_atomic_t stop;

static void note_stop(int signal_number)
{
        stop = signal_number;
}

static void heed_signals(void)
{
        static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
        for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
                struct sigaction action;
                if (sigaction(signals[i], NULL, &action) == -1 || action.sa_handler == SIG_IGN)
                        continue;
                /* The second one is not waited for. */
                action = (struct sigaction){.sa_handler = note_stop, .sa_flags = (int)SA_RESETHAND};
                sigaction(signals[i], &action, NULL);
        }
}

static bool shows_progress;

static size_t findings_so_far(const struct sweep *s)
{
        size_t count = 0;
        for (int o = SWEEP_FIRST_FINDING; o < SWEEP_OUTCOMES; o++)
                count += sweep_count(s, (enum sweep_outcome)o);
        return count;
}

static void show_progress(const struct sweep *s)
{
        static int64_t shown_at;
        int64_t now = sweep_now();
        if (!shows_progress || now - shown_at < 100000000)
                return;
        shown_at = now;
        double spent = (double)(now - s->begun) / 1e9;
        double each = s->done ? spent / (double)s->done : 0;
        fprintf(stderr, "\r\033[K%zu of %zu runs, %zu not survived, %.0f s", s->done, s->try_count, findings_so_far(s),
                spent);
        if (s->finding_count)
                fprintf(stderr, "; looking again: %zu of %zu", s->confirming, s->finding_count);
        else if (s->done > 4)
                fprintf(stderr, ", about %.0f s left", each * (double)(s->try_count - s->done));
}

static void end_progress(void)
{
        if (shows_progress)
                fputs("\r\033[K", stderr);
}

/* ---- what the runs without faults came to ---- */

/* Whether somebody has read the empty file: that is a look at it which the file keeps the time of. */
static bool was_input_read(const struct sweep_program *p, const struct stat *before)
{
        struct stat now;
        return fstat(p->input, &now) == 0 && S_ISREG(now.st_mode) && now.st_size == 0 &&
               (now.st_atim.tv_sec != before->st_atim.tv_sec || now.st_atim.tv_nsec != before->st_atim.tv_nsec);
}

/* Whether it says something that programs say when they have no terminal. */
static bool misses_terminal(const struct sweep_observation *o)
{
        static const char *const words[] = {"tty", "terminal", "ioctl for device"};
        for (size_t i = 0; i < 2 * sizeof(words) / sizeof(words[0]); i++) {
                const char *text = o->outputs[i % 2].text;
                if (text && strcasestr(text, words[i / 2]))
                        return true;
        }
        return false;
}

static int complain_of_failure(const struct sweep *s)
{
        const struct sweep_observation *o = &s->normal.first;
        const char *name = s->program->words[0];
        if (o->timed_out)
                complain("%s does not end in %.1f s without a fault; nothing was tried", name,
                         (double)s->wishes.timeout / 1e9);
        else if (WIFSIGNALED(o->status))
                complain("%s is killed by SIG%s without a fault; nothing was tried", name,
                         sigabbrev_np(WTERMSIG(o->status)));
        else
                complain("%s ends with status %d without a fault; nothing was tried", name, WEXITSTATUS(o->status));
        if (s->reads_input)
                complain("it reads standard input, which is empty here; a file can be given it with <FILE");
        if (misses_terminal(o))
                complain("it has no terminal here: it writes to pipes, and cannot open /dev/tty");
        sweep_text_output(stderr, (struct terminal_style){false, 0}, o);
        return EXIT_HARNESS;
}

static int complain_of_no_call(const struct sweep *s)
{
        const struct sweep_observation *o = &s->normal.first;
        if (o->unreachable)
                complain("%s starts programs that could not be reached, as %s; --via kernel reaches them",
                         s->program->words[0], o->unreachable_path);
        else if (s->program->library)
                complain("no System V shared memory call of %s was seen; --via kernel also sees raw system calls and "
                         "static programs",
                         s->program->words[0]);
        else
                complain("%s made no System V shared memory call", s->program->words[0]);
        return EXIT_HARNESS;
}

static int complain_of_start(const struct sweep *s)
{
        const struct sweep_failure *f = &s->failure;
        if (f->result == COMMAND_NO_NAMESPACE)
                complain("no IPC namespace of its own can be had for a run: %s", f->why);
        else
                complain("%s", f->why);
        return f->result == COMMAND_NO_PROGRAM ? EXIT_USAGE : EXIT_HARNESS;
}

/* Returns 0 if there is something to sweep. */
static int learn(struct sweep *s)
{
        struct stat before;
        if (fstat(s->program->input, &before) == -1)
                memset(&before, 0, sizeof(before));
        enum sweep_learnt learnt = sweep_learn(s);
        s->reads_input = was_input_read(s->program, &before);
        switch (learnt) {
        case SWEEP_LEARNT:
                return 0;
        case SWEEP_FAILS:
                return complain_of_failure(s);
        case SWEEP_NO_CALL:
                return complain_of_no_call(s);
        case SWEEP_UNSTARTED:
                return complain_of_start(s);
        case SWEEP_LEARNING_STOPPED:
                complain("ended by SIG%s before anything was tried", sigabbrev_np(stop));
                return EXIT_HARNESS;
        }
        return EXIT_HARNESS;
}

/* ---- the end ---- */

static void accept_known(struct sweep *s, const struct baseline *baseline)
{
        for (size_t i = 0; i < s->finding_count; i++)
                s->findings[i].known = baseline_accepts(baseline, s->findings[i].key);
}

/* An entry that nothing fits any more is to be taken out, lest it hides a new finding one day. */
static void tell_stale(const struct sweep *s, const struct baseline *baseline)
{
        for (size_t i = 0; baseline && !s->stopped && i < baseline->count; i++) {
                bool fits = false;
                for (size_t k = 0; k < s->finding_count; k++)
                        fits = fits || strcmp(s->findings[k].key, baseline->entries[i].id) == 0;
                if (!fits)
                        complain("%s:%zu: '%s' is not found any more", sweep_options.baseline,
                                 baseline->entries[i].line, baseline->entries[i].id);
        }
}

static int report(struct sweep *s, const struct baseline *baseline, struct sweep_files *files)
{
        FILE *out = report_stream(sweep_paths, SWEEP_FORMATS);
        accept_known(s, baseline);
        sweep_text(out, (struct terminal_style){may_use_color(out), terminal_width(out)}, s);
        tell_stale(s, baseline);
        bool written = end_output(out, "the report");
        written = sweep_files_write(files, s) && written;
        for (size_t i = 0; i < s->finding_count; i++) {
                if (sweep_finding_counts(&s->findings[i]))
                        return written ? EXIT_DIVERGES : EXIT_HARNESS;
        }
        return written && !s->stopped ? EXIT_AS_IT_MUST_BE : EXIT_HARNESS;
}

static int sweep_all(struct sweep *s, const struct baseline *baseline, struct sweep_files *files)
{
        shows_progress = isatty(STDERR_FILENO);
        heed_signals();
        int status = learn(s);
        if (status)
                return status;
        bool whole = sweep_run(s);
        whole = sweep_conclude(s) && whole;
        end_progress();
        status = report(s, baseline, files);
        if (stop)
                complain("ended by SIG%s: %zu of %zu runs were made", sigabbrev_np(stop), s->done, s->try_count);
        return whole ? status : complain_of_start(s);
}

static int sweep(const struct sweep_program *program, struct sweep_wishes *wishes, struct sweep_files *files,
                 const struct baseline *baseline)
{
        wishes->stop = &stop;
        wishes->progress = show_progress;
        struct sweep *s = sweep_new(program, wishes);
        if (!s) {
                complain("out of memory");
                return EXIT_HARNESS;
        }
        int status = sweep_all(s, baseline, files);
        sweep_free(s);
        return status;
}

static bool open_baseline(struct baseline **baseline)
{
        char why[WHY];
        *baseline = NULL;
        if (!sweep_options.baseline)
                return true;
        *baseline = baseline_load(sweep_options.baseline, time(NULL), why, sizeof(why));
        if (!*baseline)
                complain("--baseline %s", why);
        return *baseline;
}

static bool open_log(struct sweep_wishes *wishes, const struct sweep_program *program)
{
        char why[WHY];
        if (!sweep_options.resume)
                return true;
        wishes->log = sweep_log_open(sweep_options.resume, program, wishes, why, sizeof(why));
        if (!wishes->log)
                complain("--resume %s", why);
        return wishes->log;
}

static int sweep_command_words(char **words)
{
        struct sweep_wishes wishes;
        struct sweep_program program;
        struct sweep_files files;
        struct baseline *baseline = NULL;
        int status = EXIT_USAGE;
        if (!read_wishes(&wishes))
                return EXIT_USAGE;
        if (sweep_files_open(&files) && open_baseline(&baseline) && choose_program(&program, words) &&
            open_log(&wishes, &program))
                status = sweep(&program, &wishes, &files, baseline);
        sweep_log_close(wishes.log);
        sweep_files_discard(&files);
        baseline_free(baseline);
        return status;
}

int command_sweep(int argc, char **argv)
{
        char **words = NULL;
        poptContext context = supervision_read("sweep", argc, argv, option_table, &words);
        if (!context)
                return EXIT_USAGE;
        int status = sweep_command_words(words);
        poptFreeContext(context);
        return status;
}
