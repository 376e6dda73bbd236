#include "trace_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/wait.h>

#define LINE 2048

const struct trace_signature trace_signatures[SHM_CALLS] = {
        [SHM_CALL_SHMGET] = {3, {{"key", TRACE_KEY}, {"size", TRACE_SIZE}, {"flags", TRACE_GET_FLAGS}}},
        [SHM_CALL_SHMAT] = {3, {{"shmid", TRACE_SHMID}, {"address", TRACE_ADDRESS}, {"flags", TRACE_ATTACH_FLAGS}}},
        [SHM_CALL_SHMDT] = {1, {{"address", TRACE_ADDRESS}}},
        [SHM_CALL_SHMCTL] = {3, {{"shmid", TRACE_SHMID}, {"command", TRACE_COMMAND}, {"buffer", TRACE_BUFFER}}},
        [SHM_CALL_FTOK] = {1, {{"project", TRACE_PROJECT}}},
};

/* ---- text that is put together ---- */

struct line {
        char *text;
        size_t size, length;
};

static void add(struct line *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct line *l, const char *format, ...)
{
        va_list arguments;
        va_start(arguments, format);
        int n = vsnprintf(l->text + l->length, l->size - l->length, format, arguments);
        va_end(arguments);
        if (n > 0)
                l->length += (size_t)n < l->size - l->length ? (size_t)n : l->size - l->length - 1;
}

/* ---- arguments and results ---- */

struct flag {
        int64_t bit;
        const char *name;
};

static const struct flag get_flags[] = {{IPC_CREAT, "IPC_CREAT"},
                                        {IPC_EXCL, "IPC_EXCL"},
                                        {SHM_HUGETLB, "SHM_HUGETLB"},
                                        {SHM_NORESERVE, "SHM_NORESERVE"},
                                        {0, NULL}};
static const struct flag attach_flags[] = {
        {SHM_RDONLY, "SHM_RDONLY"}, {SHM_RND, "SHM_RND"}, {SHM_REMAP, "SHM_REMAP"}, {SHM_EXEC, "SHM_EXEC"}, {0, NULL}};

static void add_flags(struct line *l, int64_t value, const struct flag *flags, int64_t permissions)
{
        int64_t rest = value & UINT32_MAX & ~permissions;
        int64_t mode = value & permissions;
        const char *bar = "";
        for (const struct flag *f = flags; f->name; f++) {
                if (!(rest & f->bit))
                        continue;
                add(l, "%s%s", bar, f->name);
                rest &= ~f->bit;
                bar = "|";
        }
        if (rest) {
                add(l, "%s0x%" PRIx64, bar, rest);
                bar = "|";
        }
        if (mode)
                add(l, "%s%04" PRIo64, bar, mode);
        else if (!*bar)
                add(l, "0");
}

static void add_address(struct line *l, int64_t value)
{
        if (value == 0)
                add(l, "NULL");
        else if (value == -1)
                add(l, "(void *)-1");
        else
                add(l, "0x%" PRIx64, value);
}

static void add_key(struct line *l, uint32_t key)
{
        if (key == IPC_PRIVATE)
                add(l, "IPC_PRIVATE");
        else
                add(l, "0x%08" PRIx32, key);
}

bool trace_tells_segment(const struct shm_event *call)
{
        int64_t command = call->args[1];
        return call->has_result && !call->error &&
               (command == IPC_STAT || command == SHM_STAT || command == SHM_STAT_ANY);
}

static void add_buffer(struct line *l, const struct shm_event *call)
{
        if (trace_tells_segment(call))
                add(l, "{segsz=%" PRIu64 ", nattch=%" PRIu32 "}", call->segsz, call->nattch);
        else
                add_address(l, call->args[2]);
}

static void add_command(struct line *l, int command)
{
        const char *name = shm_command_name(command);
        if (name)
                add(l, "%s", name);
        else
                add(l, "%d", command);
}

static void add_project(struct line *l, int64_t project)
{
        if (project > ' ' && project < 0x7f && project != '\'' && project != '\\')
                add(l, "'%c'", (char)project);
        else
                add(l, "%" PRId64, project);
}

static void add_argument(struct line *l, const struct shm_event *call, unsigned i)
{
        int64_t value = call->args[i];
        switch (trace_signatures[call->call].arguments[i].kind) {
        case TRACE_KEY:
                add_key(l, (uint32_t)value);
                break;
        case TRACE_SIZE:
                add(l, "%" PRIu64, (uint64_t)value);
                break;
        case TRACE_GET_FLAGS:
                add_flags(l, value, get_flags, 0777);
                break;
        case TRACE_SHMID:
                add(l, "%" PRId64, value);
                break;
        case TRACE_ADDRESS:
                add_address(l, value);
                break;
        case TRACE_ATTACH_FLAGS:
                add_flags(l, value, attach_flags, 0);
                break;
        case TRACE_COMMAND:
                add_command(l, (int)value);
                break;
        case TRACE_BUFFER:
                add_buffer(l, call);
                break;
        case TRACE_PROJECT:
                add_project(l, value);
                break;
        }
}

void trace_argument_text(const struct shm_event *call, unsigned i, char *text, size_t size)
{
        struct line l = {text, size, 0};
        *text = '\0';
        add_argument(&l, call, i);
}

static void add_result(struct line *l, const struct shm_event *call)
{
        if (!call->has_result)
                add(l, "?");
        else if (call->error || (call->call != SHM_CALL_SHMAT && call->call != SHM_CALL_FTOK))
                add(l, "%" PRId64, call->result);
        else if (call->call == SHM_CALL_FTOK)
                add(l, "0x%08" PRIx32, (uint32_t)call->result);
        else
                add_address(l, call->result);
}

void trace_result_text(const struct shm_event *call, char *text, size_t size)
{
        struct line l = {text, size, 0};
        *text = '\0';
        add_result(&l, call);
}

/* ---- places ---- */

static const char *last_part(const char *path)
{
        const char *slash = strrchr(path, '/');
        return slash ? slash + 1 : path;
}

static void add_place(struct line *l, const struct trace_place *place)
{
        if (place->function[0] && place->line)
                add(l, "%s (%s:%u)", place->function, last_part(place->file), place->line);
        else if (place->line)
                add(l, "%s:%u", last_part(place->file), place->line);
        else if (place->function[0])
                add(l, "%s (%s)", place->function, last_part(place->module));
        else if (place->module[0])
                add(l, "%s+0x%" PRIx64, last_part(place->module), place->offset);
        else
                add(l, "0x%" PRIx64, place->offset);
}

void trace_place_text(const struct trace_place *place, char *text, size_t size)
{
        struct line l = {text, size, 0};
        *text = '\0';
        add_place(&l, place);
}

/* ---- one call ---- */

const char *trace_mark(const struct fault_plan *plan, const struct shm_event *call)
{
        const unsigned delays = FAULT_DELAY_ENTER | FAULT_DELAY_EXIT;
        if (call->rule == SESSION_OWN_RULE)
                return "INJECTED";
        if (call->rule < 0 || !plan || (unsigned)call->rule >= plan->count)
                return NULL;
        return plan->rules[call->rule].actions & ~delays ? "INJECTED" : "DELAYED";
}

static void add_who(struct line *l, const struct shm_event *call, bool with_pid)
{
        if (call->tid != call->pid)
                add(l, "[pid %d tid %d] ", call->pid, call->tid);
        else if (with_pid)
                add(l, "[pid %d] ", call->pid);
}

static void add_call(struct line *l, const struct shm_event *call)
{
        /* The path that ftok is given is not in the event. */
        add(l, "%s(%s", shm_call_name((enum shm_call)call->call), call->call == SHM_CALL_FTOK ? "..., " : "");
        for (unsigned i = 0; i < trace_signatures[call->call].count; i++) {
                add(l, "%s", i ? ", " : "");
                add_argument(l, call, i);
        }
        add(l, ") = ");
        add_result(l, call);
}

static void add_error(struct line *l, int error)
{
        const char *name = fault_error_name(error);
        if (name)
                add(l, " %s (%s)", name, strerror(error));
        else
                add(l, " errno %d", error);
}

void trace_text_call(FILE *out, const struct shm_event *call, const struct fault_plan *plan,
                     const struct trace_place *place, bool with_pid)
{
        char text[LINE] = "";
        struct line l = {text, sizeof(text), 0};
        const char *mark = trace_mark(plan, call);
        add_who(&l, call, with_pid);
        add_call(&l, call);
        if (call->has_result && call->error)
                add_error(&l, call->error);
        if (mark)
                add(&l, " (%s)", mark);
        if (call->has_result)
                add(&l, " <%" PRId64 ".%06" PRId64 ">", call->duration / 1000000000,
                    call->duration % 1000000000 / 1000);
        if (place) {
                add(&l, "  ");
                add_place(&l, place);
        }
        print_wrapped(out, (struct terminal_style){.color = false, .width = 0}, 0, text);
}

/* ---- the summary ---- */

/* Three figures and a unit; - for what is negative, and so not known. */
static void time_text(int64_t nanoseconds, char *text, size_t size)
{
        static const struct {
                double of;
                const char *name;
        } units[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}, {1, "ns"}};
        size_t i = 0;
        if (nanoseconds < 0) {
                snprintf(text, size, "-");
                return;
        }
        while (i + 1 < sizeof(units) / sizeof(units[0]) && (double)nanoseconds < units[i].of)
                i++;
        double value = (double)nanoseconds / units[i].of;
        snprintf(text, size, "%.*f %s", i == 3 || value >= 100 ? 0 : value >= 10 ? 1 : 2, value, units[i].name);
}

static void count_text(const struct trace_count *c, char *call, char *outcome, size_t size)
{
        struct line l = {call, size, 0};
        add(&l, "%s", shm_call_name(c->call));
        if (c->command != FAULT_ANY_COMMAND) {
                add(&l, " ");
                add_command(&l, c->command);
        }
        const char *name = fault_error_name(c->error);
        if (c->error == 0)
                snprintf(outcome, size, "ok");
        else if (c->error == TRACE_UNFINISHED)
                snprintf(outcome, size, "?");
        else if (name)
                snprintf(outcome, size, "%s", name);
        else
                snprintf(outcome, size, "errno %d", c->error);
}

void trace_text_summary(FILE *out, struct terminal_style style, const struct trace *trace)
{
        uint64_t count = 0;
        uint64_t errors = 0;
        uint64_t unseen = 0;
        fprintf(out, "%-22s %-16s %12s %12s %12s\n", "call", "result", "calls", "time", "each");
        for (size_t i = 0; i < trace->count_count; i++) {
                const struct trace_count *c = &trace->counts[i];
                char call[32] = "";
                char outcome[32] = "";
                char time[32];
                char each[32];
                count_text(c, call, outcome, sizeof(call));
                bool timed = c->error != TRACE_UNFINISHED;
                time_text(timed ? c->time : -1, time, sizeof(time));
                time_text(timed ? c->time / (int64_t)c->count : -1, each, sizeof(each));
                fprintf(out, "%-22s %-16s %12" PRIu64 " %12s %12s\n", call, outcome, c->count, time, each);
                count += c->count;
                errors += c->error > 0 ? c->count : 0;
                unseen += c->error == TRACE_UNFINISHED ? c->count : 0;
        }
        char line[128];
        snprintf(line, sizeof(line), "%" PRIu64 " call%s, %" PRIu64 " failed%s", count, count == 1 ? "" : "s", errors,
                 unseen ? "; ?: the call's return was not seen" : "");
        print_wrapped(out, style, 0, line);
        if (WIFSIGNALED(trace->status)) {
                const char *name = fault_signal_name(WTERMSIG(trace->status));
                fprintf(out, "ended by %s\n", name ? name : "a signal");
        }
}

/* ---- what is left ---- */

static const char *name_of(const struct trace *trace, pid_t pid)
{
        for (size_t i = trace->process_count; i-- > 0;) {
                if (trace->processes[i].pid == pid)
                        return trace->processes[i].name;
        }
        return "";
}

static void add_process(struct line *l, const struct trace *trace, pid_t pid)
{
        const char *name = name_of(trace, pid);
        add(l, "pid %d", pid);
        if (*name)
                add(l, " (%s)", name);
}

static void add_attachers(struct line *l, const struct trace *trace, const struct trace_segment *s)
{
        const char *by = " by ";
        for (size_t i = 0; i < trace->attachment_count; i++) {
                const struct trace_attachment *a = &trace->attachments[i];
                if (&trace->segments[a->segment] != s || a->to != INT64_MAX)
                        continue;
                add(l, "%s", by);
                add_process(l, trace, trace->processes[a->process].pid);
                by = ", ";
        }
}

static void add_maker(struct line *l, const struct trace *trace, const struct trace_segment *s)
{
        if (s->creator == 0 && s->made_by == TRACE_NONE) {
                add(l, "made by a process that was not seen");
                return;
        }
        const struct shm_event *call = s->made_by == TRACE_NONE ? NULL : &trace->calls[s->made_by];
        add(l, "made by ");
        add_process(l, trace, call ? call->pid : s->creator);
        if (!call)
                add(l, ", in a call that was not seen");
        else if (call->site < trace->place_count) {
                add(l, " in ");
                add_place(l, &trace->places[call->site]);
        }
}

static void add_attached(struct line *l, const struct trace *trace, const struct trace_segment *s)
{
        if (s->left_nattch == 0) {
                add(l, "not attached");
        } else {
                add(l, "attached %" PRIu64 " time%s", s->left_nattch, s->left_nattch == 1 ? "" : "s");
                add_attachers(l, trace, s);
        }
        if (s->left_marked)
                add(l, ", marked to be destroyed");
}

static void print_segment(FILE *out, struct terminal_style style, const struct trace *trace,
                          const struct trace_segment *s)
{
        char text[LINE] = "";
        struct line l = {text, sizeof(text), 0};
        add(&l, "  shmid %d, key ", s->shmid);
        add_key(&l, s->key);
        add(&l, ", %" PRIu64 " byte%s, mode %04o", s->size, s->size == 1 ? "" : "s", s->mode);
        print_wrapped(out, style, 4, text);
        l = (struct line){text, sizeof(text), 0};
        add(&l, "    ");
        add_maker(&l, trace, s);
        print_wrapped(out, style, 6, text);
        l = (struct line){text, sizeof(text), 0};
        add(&l, "    ");
        add_attached(&l, trace, s);
        print_wrapped(out, style, 6, text);
}

void trace_text_left(FILE *out, struct terminal_style style, const struct trace *trace)
{
        size_t count = 0;
        for (size_t i = 0; i < trace->segment_count; i++)
                count += trace->segments[i].left;
        if (!trace->leaks_known)
                fputs("left behind: not known, the segments could not be listed\n", out);
        else if (count == 0)
                fputs("left behind: nothing\n", out);
        else
                fprintf(out, "left behind: %zu segment%s\n", count, count == 1 ? "" : "s");
        for (size_t i = 0; i < trace->segment_count; i++) {
                if (trace->segments[i].left)
                        print_segment(out, style, trace, &trace->segments[i]);
        }
        if (trace->foreign)
                fprintf(out, "%zu other segment%s appeared meanwhile, made by processes that are not the command's\n",
                        trace->foreign, trace->foreign == 1 ? "" : "s");
}
