#include "command.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct stream {
        int fd;
        FILE *memory;
        char *text;
        size_t length;
};

static void stream_open(struct stream *s, int fd)
{
        s->fd = fd;
        s->text = NULL;
        s->memory = open_memstream(&s->text, &s->length);
        cr_assert_not_null(s->memory);
}

/* Both streams are read side by side, so that neither fills up. */
static void read_streams(struct stream *streams)
{
        for (;;) {
                struct pollfd polled[2];
                char bytes[65536];
                for (int i = 0; i < 2; i++)
                        polled[i] = (struct pollfd){.fd = streams[i].fd, .events = POLLIN};
                if (streams[0].fd == -1 && streams[1].fd == -1)
                        return;
                cr_assert(poll(polled, 2, -1) != -1);
                for (int i = 0; i < 2; i++) {
                        if (streams[i].fd == -1 || !polled[i].revents)
                                continue;
                        ssize_t n = read(streams[i].fd, bytes, sizeof(bytes));
                        if (n > 0) {
                                fwrite(bytes, 1, (size_t)n, streams[i].memory);
                        } else {
                                close(streams[i].fd);
                                streams[i].fd = -1;
                        }
                }
        }
}

static struct finished run_words(const char *const *words)
{
        int out[2];
        int err[2];
        cr_assert(pipe(out) == 0 && pipe(err) == 0);
        setenv("B", BUILD, 1);
        pid_t pid = fork();
        cr_assert(pid != -1);
        if (pid == 0) {
                dup2(out[1], STDOUT_FILENO);
                dup2(err[1], STDERR_FILENO);
                for (int fd = 3; fd < 64; fd++)
                        close(fd);
                execv("/bin/sh", (char *const *)words);
                _exit(127);
        }
        close(out[1]);
        close(err[1]);
        struct stream streams[2];
        stream_open(&streams[0], out[0]);
        stream_open(&streams[1], err[0]);
        read_streams(streams);
        int status = 0;
        cr_assert(waitpid(pid, &status, 0) == pid);
        fclose(streams[0].memory);
        fclose(streams[1].memory);
        return (struct finished){.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status),
                                 .out = streams[0].text,
                                 .out_length = streams[0].length,
                                 .err = streams[1].text};
}

struct finished run_command(const char *command)
{
        const char *const words[] = {"sh", "-c", command, NULL};
        return run_words(words);
}

struct finished run_as_nobody(const char *command)
{
        char *whole = NULL;
        if (geteuid() != 0)
                return run_command(command);
        cr_assert(asprintf(&whole, "su nobody -s /bin/sh -c '%s'", command) > 0);
        struct finished f = run_command(whole);
        free(whole);
        return f;
}

void finished_free(struct finished *f)
{
        free(f->out);
        free(f->err);
}

void expect_command(const char *command, int status, const char *out, const char *err)
{
        struct finished f = run_command(command);
        cr_expect_eq(f.status, status, "%s: exit %d\n%s%s", command, f.status, f.out, f.err);
        if (out)
                cr_expect_str_eq(f.out, out, "%s", command);
        if (err)
                cr_expect_str_eq(f.err, err, "%s", command);
        finished_free(&f);
}

void expect_parts(const char *command, int status, const char *out, const char *err)
{
        struct finished f = run_command(command);
        cr_expect_eq(f.status, status, "%s: exit %d\n%s", command, f.status, f.err);
        cr_expect(has(f.out, out), "%s: no '%s' in\n%s", command, out, f.out);
        cr_expect(has(f.err, err), "%s: no '%s' in\n%s", command, err, f.err);
        finished_free(&f);
}

bool has(const char *text, const char *part)
{
        return strstr(text, part) != NULL;
}

size_t count_lines(const char *text)
{
        size_t lines = 0;
        for (const char *p = text; (p = strchr(p, '\n')) != NULL; p++)
                lines++;
        return lines;
}

json_t *json_output(const struct finished *f)
{
        json_error_t error;
        json_t *json = json_loadb(f->out, f->out_length, 0, &error);
        cr_assert_not_null(json, "line %d: %s\nstandard error: %s", error.line, error.text, f->err);
        return json;
}

const char *verdict_in(const json_t *results, const char *id)
{
        size_t i = 0;
        json_t *entry = NULL;
        json_array_foreach(json_object_get(results, "cases"), i, entry)
        {
                if (strcmp(json_string_value(json_object_get(entry, "id")), id) == 0)
                        return json_string_value(json_object_get(entry, "verdict"));
        }
        return "";
}

void enter_own_ipc_namespace(void)
{
        if (unshare(CLONE_NEWIPC) == -1)
                cr_skip_test("unshare(CLONE_NEWIPC): %s", strerror(errno));
}

static char installation[64];

const char *make_installation(void)
{
        snprintf(installation, sizeof(installation), "/tmp/shmcheck-test-XXXXXX");
        cr_assert_not_null(mkdtemp(installation));
        setenv("I", installation, 1);
        struct finished f = run_command("chmod 755 $I && mkdir $I/bin && cp -r cases $I && chmod -R a+rX $I && "
                                        "cp $B/shmcheck $B/shmcheck-agent $B/shmcheck-test-agent $I/bin");
        cr_assert_eq(f.status, 0, "%s", f.err);
        finished_free(&f);
        snprintf(installation + strlen(installation), sizeof(installation) - strlen(installation), "/bin");
        setenv("I", installation, 1);
        return installation;
}

void remove_installation(void)
{
        struct finished f = run_command("rm -r \"${I%/bin}\"");
        finished_free(&f);
}

void need_namespaces_of_nobody(void)
{
        struct finished f = run_as_nobody("unshare --user --ipc true");
        int status = f.status;
        finished_free(&f);
        if (status != 0)
                cr_skip_test("an ordinary user gets no user namespace here");
}

size_t segments_here(void)
{
        FILE *f = fopen("/proc/sysvipc/shm", "re");
        size_t lines = 0;
        cr_assert_not_null(f);
        for (int c = 0; (c = getc(f)) != EOF;)
                lines += c == '\n';
        fclose(f);
        return lines - 1;
}

static bool command_line_holds(const char *pid, const char *word)
{
        char path[300];
        char line[4096];
        snprintf(path, sizeof(path), "/proc/%s/cmdline", pid);
        FILE *f = fopen(path, "re");
        if (!f)
                return false;
        size_t n = fread(line, 1, sizeof(line) - 1, f);
        fclose(f);
        for (size_t i = 0; i < n; i++)
                line[i] = line[i] ? line[i] : ' ';
        line[n] = '\0';
        return strstr(line, word) != NULL;
}

size_t processes_named(const char *word)
{
        DIR *d = opendir("/proc");
        size_t count = 0;
        cr_assert_not_null(d);
        for (struct dirent *e; (e = readdir(d)) != NULL;) {
                if (isdigit((unsigned char)e->d_name[0]) && strtol(e->d_name, NULL, 10) != getpid())
                        count += command_line_holds(e->d_name, word);
        }
        closedir(d);
        return count;
}
