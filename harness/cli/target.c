#include "target.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "nearest.h"
#include "plain_text.h"

/* A case may be silent for its own time; this is for starting a machine, and for a slow one. */
#define SILENCE_DEFAULT 60.0
/* What ci/target prepare says of a need that is missing. */
#define TARGET_LACKS 4

static struct {
        const char *on, *target, *silence, *time_limit;
} target_options;

struct poptOption target_option_table[] = {
        {"on", 0, POPT_ARG_STRING, &target_options.on, 0,
         "start the agent behind this command: the agent's words are appended to it", "COMMAND"},
        {"target", 0, POPT_ARG_STRING, &target_options.target, 0,
         "start the agent on a target of ci/targets; some take an argument, the next word", "NAME"},
        {"silence", 0, POPT_ARG_STRING, &target_options.silence, 0,
         "end a target whose record does not grow for so long (default 60, and what a case may take)", "SECONDS"},
        {"time-limit", 0, POPT_ARG_STRING, &target_options.time_limit, 0, "end a target that takes longer in all",
         "SECONDS"},
        POPT_TABLEEND};

/* What belongs to the target that was chosen. */
static const char *target_argument;
static const char *chosen_agent;

bool target_wanted(void)
{
        return target_options.on || target_options.target;
}

static bool is_seconds(const char *option, const char *text)
{
        char *end = NULL;
        double n = text ? strtod(text, &end) : 1;
        if (!text || (end != text && !*end && n >= 0.01 && n <= 864000))
                return true;
        complain("%s %s: takes seconds from 0.01 to 864000", option, text);
        return false;
}

static json_t *target_names(const char *folder)
{
        json_t *names = json_array();
        DIR *d = opendir(folder);
        for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
                if (e->d_name[0] != '.')
                        json_array_append_new(names, json_string(e->d_name));
        }
        if (d)
                closedir(d);
        return names;
}

/* The path of something below the data's ci folder, valid until the next call. */
static const char *ci_path(const struct locations *where, const char *name)
{
        static char path[sizeof(where->data) + 300];
        snprintf(path, sizeof(path), "%s/ci/%s", where->data, name);
        return path;
}

static bool target_exists(const struct locations *where)
{
        char name[256];
        int n = snprintf(name, sizeof(name), "targets/%s", target_options.target);
        bool plain = n > 0 && (size_t)n < sizeof(name) && !strchr(target_options.target, '/') &&
                     target_options.target[0] != '.' && target_options.target[0];
        if (plain && access(ci_path(where, name), R_OK) == 0)
                return true;
        json_t *names = target_names(ci_path(where, "targets"));
        const char *nearest = nearest_name(target_options.target, names);
        if (nearest)
                complain("unknown target '%s'; the nearest is '%s'", target_options.target, nearest);
        else
                complain("unknown target '%s': there are none in %s", target_options.target, ci_path(where, "targets"));
        json_decref(names);
        return false;
}

/* Runs ci/target with the action. Returns its exit status; what it prints goes to text (or to where ours goes). */
static int run_script(const struct locations *where, const char *action, char *text, size_t size)
{
        int fds[2];
        fflush(NULL);
        if (pipe(fds) == -1)
                return EXIT_HARNESS;
        pid_t pid = fork();
        if (pid == 0) {
                dup2(text ? fds[1] : STDERR_FILENO, STDOUT_FILENO);
                close(fds[0]);
                close(fds[1]);
                const char *script = ci_path(where, "target");
                execl(script, script, action, target_options.target, target_argument ? target_argument : "",
                      (char *)NULL);
                _exit(127);
        }
        close(fds[1]);
        size_t length = 0;
        for (ssize_t n; text && length + 1 < size && (n = read(fds[0], text + length, size - 1 - length)) > 0;)
                length += (size_t)n;
        if (text)
                text[length] = '\0';
        close(fds[0]);
        int status = 0;
        if (pid == -1 || waitpid(pid, &status, 0) == -1)
                return EXIT_HARNESS;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* What the script has to know of this installation. */
static void tell_script(const struct locations *where)
{
        char programs[sizeof(where->agent)];
        snprintf(programs, sizeof(programs), "%s", where->agent);
        char *slash = strrchr(programs, '/');
        if (slash)
                *slash = '\0';
        char self[4096];
        ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
        self[n > 0 ? n : 0] = '\0';
        setenv("SHMCHECK_PROGRAMS", programs, 1);
        setenv("SHMCHECK_TOOL", self, 1);
        if (chosen_agent)
                setenv("SHMCHECK_AGENT", chosen_agent, 1);
        else
                unsetenv("SHMCHECK_AGENT");
}

/* Takes the target's argument from the words after the options, if it wants one. */
static bool take_argument(const struct locations *where, const char ***rest)
{
        char name[128] = "";
        tell_script(where);
        if (run_script(where, "argument", name, sizeof(name)) != 0) {
                complain("--target %s: %s cannot be run", target_options.target, ci_path(where, "target"));
                return false;
        }
        name[strcspn(name, "\n")] = '\0';
        if (!*name)
                return true;
        if (!*rest || !**rest) {
                complain("--target %s: needs an argument behind the options: %s", target_options.target, name);
                return false;
        }
        target_argument = *(*rest)++;
        return true;
}

bool target_check(const struct locations *where, const char *agent, const char ***rest)
{
        chosen_agent = agent;
        if (!is_seconds("--silence", target_options.silence) || !is_seconds("--time-limit", target_options.time_limit))
                return false;
        if (!target_wanted())
                return true;
        if (target_options.on && target_options.target) {
                complain("--on and --target: one of them can be given");
                return false;
        }
        if (target_options.target && agent && access(agent, R_OK) == -1) {
                complain("--agent %s: %s", agent, strerror(errno));
                return false;
        }
        return target_options.on || (target_exists(where) && take_argument(where, rest));
}

int target_prepare(const struct locations *where)
{
        char text[1024] = "";
        if (!target_options.target)
                return EXIT_AS_IT_MUST_BE;
        int status = run_script(where, "prepare", text, sizeof(text));
        text[strcspn(text, "\n")] = '\0';
        if (status == TARGET_LACKS)
                complain("--target %s: skipped: %s", target_options.target, text);
        else if (status != 0)
                complain("--target %s: %s", target_options.target, *text ? text : "its agent could not be built");
        return status == EXIT_USAGE || status == 0 ? status : EXIT_HARNESS;
}

static bool put(struct target_words *words, const char *word)
{
        if (words->count + 1 >= sizeof(words->word) / sizeof(words->word[0])) {
                complain("too many words for a command");
                return false;
        }
        words->word[words->count++] = word;
        return true;
}

/* The agent that runs anywhere, if it is there. */
static const char *static_agent(const struct locations *where)
{
        static char path[sizeof(where->agent) + sizeof("-static")];
        snprintf(path, sizeof(path), "%s-static", where->agent);
        if (access(path, X_OK) == -1)
                snprintf(path, sizeof(path), "%s", where->agent);
        /* The command may go elsewhere before it starts the agent. */
        char *whole = realpath(path, NULL);
        if (whole)
                snprintf(path, sizeof(path), "%s", whole);
        free(whole);
        return path;
}

static bool put_command(struct target_words *words, const char *command)
{
        int count = 0;
        const char **parts = NULL;
        if (poptParseArgvString(command, &count, &parts) != 0 || count == 0) {
                complain("--on '%s': is no command (an open quote, or nothing)", command);
                return false;
        }
        /* The words live as long as the program. */
        for (int i = 0; i < count; i++) {
                if (!put(words, parts[i]))
                        return false;
        }
        return true;
}

bool target_words(struct target_words *words, const struct locations *where, const char *const *agent_words)
{
        words->count = 0;
        bool good = true;
        if (target_options.on) {
                good = put_command(words, target_options.on) &&
                       put(words, chosen_agent ? chosen_agent : static_agent(where));
        } else {
                static char script[sizeof(where->data) + 300];
                snprintf(script, sizeof(script), "%s", ci_path(where, "target"));
                good = put(words, script) && put(words, "start") && put(words, target_options.target) &&
                       put(words, target_argument ? target_argument : "");
        }
        for (; good && *agent_words; agent_words++)
                good = put(words, *agent_words);
        words->word[words->count] = NULL;
        return good;
}

static double seconds_or(const char *text, double otherwise)
{
        return text ? strtod(text, NULL) : otherwise;
}

struct agent_limits target_limits(const char *timeout, const char *stress)
{
        struct agent_limits limits = {.whole = seconds_or(target_options.time_limit, 0)};
        double a_case = seconds_or(timeout, 5) + seconds_or(stress, 0);
        limits.silence = seconds_or(target_options.silence, target_wanted() ? SILENCE_DEFAULT + a_case : 0);
        return limits;
}

void target_tell_end(struct agent_process *agent, const struct record *record, int status)
{
        if (agent->stopped == AGENT_SILENT)
                complain("the record did not grow for %g seconds: the agent was ended", agent->limits.silence);
        else if (agent->stopped == AGENT_TOO_LONG)
                complain("the run took longer than %g seconds: the agent was ended", agent->limits.whole);
        if (!target_wanted() || record->ended || json_array_size(record->listed) > 0)
                return;
        char *line = plain_text(foreign_line_last(&agent->foreign), FOREIGN_LINE_MAX, ONE_LINE);
        if (line && *line)
                complain("the last line that was no part of the record: %s", line);
        free(line);
        if (record->start)
                return;
        if (status == 126)
                complain("exit status 126 most often says that the agent is built for another machine");
        else if (status == 127)
                complain("exit status 127 most often says that there is no such program on the target");
}
