/* shmcheck trace: tells each shm call of a command, counts them, and tells what the command left behind. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "output_file.h"
#include "supervision.h"
#include "trace_json.h"
#include "trace_page.h"
#include "trace_text.h"
#include "verdict_output.h"

/* Where it is not on a terminal. */
#define SUMMARY_WIDTH 80

static struct {
        const char *json;
        const char *html;
        const char *output;
        const char *leaks;
        int summary_only;
} trace_options;

static struct poptOption option_table[] = {
        {"json", 0, POPT_ARG_STRING, &trace_options.json, 0, "the whole trace for programs; - is standard output",
         "FILE"},
        {"html", 0, POPT_ARG_STRING, &trace_options.html, 0,
         "a timeline of processes and segments for a browser; - is standard output", "FILE"},
        {"output", 'o', POPT_ARG_STRING, &trace_options.output, 0,
         "calls and summary go there, not to standard error; - is standard output", "FILE"},
        {"summary-only", 0, POPT_ARG_NONE, &trace_options.summary_only, 0, "calls are counted and not told one by one",
         NULL},
        {"leaks", 0, POPT_ARG_STRING, &trace_options.leaks, 0,
         "report (default), or error: exit status 1 when a segment is left", "WHAT"},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, supervision_option_table, 0, "Faults, and how the command is run:", NULL},
        POPT_AUTOHELP POPT_TABLEEND};

struct outputs {
        FILE *text;
        struct output_file json, html;
        bool lost; /* some of the text; told */
};

static bool check_values(void)
{
        const char *const paths[] = {trace_options.json, trace_options.html, trace_options.output};
        unsigned standard = 0;
        for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
                standard += paths[i] && strcmp(paths[i], "-") == 0;
        const char *leaks = trace_options.leaks;
        if (standard > 1)
                complain("trace: only one of --json, --html and --output can go to standard output");
        else if (leaks && strcmp(leaks, "error") != 0 && strcmp(leaks, "report") != 0)
                complain("--leaks %s: takes error or report", leaks);
        else
                return true;
        return false;
}

/* A stream of its own, so that each line goes out whole and is not cut by what the command writes. */
static FILE *open_text(const char *path)
{
        int fd = -1;
        if (!path)
                fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
        else if (strcmp(path, "-") == 0)
                fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
        else
                fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
        FILE *text = fd == -1 ? NULL : fdopen(fd, "w");
        if (!text) {
                complain("--output %s: %s", path ? path : "(standard error)", strerror(errno));
                if (fd != -1)
                        close(fd);
                return NULL;
        }
        setvbuf(text, NULL, _IOFBF, 256 * 1024);
        return text;
}

static bool open_result(struct output_file *out, const char *path, const char *option)
{
        char why[4200];
        if (!path || output_open(out, path, why, sizeof(why)))
                return true;
        complain("%s %s", option, why);
        return false;
}

static void close_outputs(struct outputs *o)
{
        output_discard(&o->json);
        output_discard(&o->html);
        if (o->text)
                fclose(o->text);
}

static bool open_outputs(void *arg)
{
        struct outputs *o = arg;
        o->text = open_text(trace_options.output);
        return o->text && open_result(&o->json, trace_options.json, "--json") &&
               open_result(&o->html, trace_options.html, "--html");
}

/* ---- while the command runs ---- */

static void tell_call(struct trace_builder *trace, const struct shm_event *call, void *arg)
{
        struct outputs *o = arg;
        const struct trace_place *place = trace_place_of(trace, call->site);
        if (!trace_options.summary_only && !o->lost)
                trace_text_call(o->text, call, trace_plan(trace), place, trace_has_processes(trace));
}

/* Sends what was told so far; complains once when nobody takes it. */
static void send_text(void *arg)
{
        struct outputs *o = arg;
        if (!o->lost)
                o->lost = !end_output(o->text, "the trace");
}

/* ---- at the end ---- */

static bool commit(struct output_file *out, const char *option, bool written)
{
        char why[4200];
        if (!written) {
                complain("%s %s: %s", option, out->path, strerror(errno));
                output_discard(out);
                return false;
        }
        if (output_commit(out, why, sizeof(why)))
                return true;
        complain("%s %s", option, why);
        return false;
}

static bool write_json(const struct trace *trace, struct output_file *out)
{
        return !out->stream || commit(out, "--json", trace_json_write(trace, out->stream));
}

static bool write_html(const struct trace *trace, struct output_file *out)
{
        return !out->stream || commit(out, "--html", trace_page_write(trace, out->stream));
}

static bool is_left(const struct trace *trace)
{
        for (size_t i = 0; i < trace->segment_count; i++) {
                if (trace->segments[i].left)
                        return true;
        }
        return false;
}

static int finish(const struct trace *trace, void *arg)
{
        struct outputs *o = arg;
        int width = terminal_width(o->text);
        struct terminal_style style = {false, width ? width : SUMMARY_WIDTH};
        if (!trace_options.summary_only && trace->count_count)
                fputc('\n', o->text);
        trace_text_summary(o->text, style, trace);
        trace_text_left(o->text, style, trace);
        send_text(o);
        bool written = write_json(trace, &o->json);
        written = write_html(trace, &o->html) && written;
        if (!written || o->lost)
                return EXIT_HARNESS;
        bool fails = trace_options.leaks && strcmp(trace_options.leaks, "error") == 0;
        if (fails && !trace->leaks_known)
                return EXIT_HARNESS;
        return fails && is_left(trace) ? EXIT_DIVERGES : 0;
}

int command_trace(int argc, char **argv)
{
        char **words = NULL;
        poptContext context = supervision_read("trace", argc, argv, option_table, &words);
        if (!context)
                return EXIT_USAGE;
        struct outputs outputs = {.text = NULL};
        const struct supervision wishes = {.traced = true,
                                           .history = trace_options.json || trace_options.html,
                                           .begin = open_outputs,
                                           .call = tell_call,
                                           .pause = send_text,
                                           .end = finish,
                                           .arg = &outputs};
        int status = check_values() ? supervise(words, &wishes) : EXIT_USAGE;
        close_outputs(&outputs);
        poptFreeContext(context);
        return status;
}
