#include "trace_json.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <uniconv.h>

#include "trace_text.h"

#define TRACE_FORMAT 1

/* Names of files and programs may be bytes of any kind: what is no UTF-8 is told as Latin-1. */
static json_t *text_of(const char *text)
{
        json_t *string = json_string(text);
        if (string)
                return string;
        uint8_t *latin = u8_strconv_from_encoding(text, "ISO-8859-1", iconveh_question_mark);
        string = json_string(latin ? (const char *)latin : "?");
        free(latin);
        return string;
}

/* A number, or its digits where it is beyond those that JSON readers agree on in C. */
static json_t *size_of(uint64_t value)
{
        char digits[24];
        if (value <= INT64_MAX)
                return json_integer((json_int_t)value);
        snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
        return json_string(digits);
}

static json_t *name_or_number(const char *name, int number)
{
        return name ? json_string(name) : json_integer(number);
}

static json_t *moment(int64_t nanoseconds)
{
        return nanoseconds == INT64_MAX ? json_null() : json_integer(nanoseconds);
}

static json_t *key_of(uint32_t key)
{
        return key == 0 ? json_string("IPC_PRIVATE") : json_sprintf("0x%08x", key);
}

/* ---- events ---- */

static json_t *argument_of(const struct shm_event *e, unsigned i)
{
        char text[128];
        switch (trace_signatures[e->call].arguments[i].kind) {
        case TRACE_SIZE:
                return size_of((uint64_t)e->args[i]);
        case TRACE_SHMID:
        case TRACE_PROJECT:
                return json_integer(e->args[i]);
        case TRACE_BUFFER:
                return e->args[i] ? json_sprintf("0x%llx", (unsigned long long)e->args[i]) : json_string("NULL");
        default:
                trace_argument_text(e, i, text, sizeof(text));
                return json_string(text);
        }
}

static json_t *result_of(const struct shm_event *e)
{
        char text[32];
        if (!e->has_result)
                return json_null();
        if (e->error || (e->call != SHM_CALL_SHMAT && e->call != SHM_CALL_FTOK))
                return json_integer(e->result);
        trace_result_text(e, text, sizeof(text));
        return json_string(text);
}

static json_t *place_of(const struct trace_place *place)
{
        json_t *object = json_object();
        if (place->function[0])
                json_object_set_new(object, "function", text_of(place->function));
        if (place->line) {
                json_object_set_new(object, "file", text_of(place->file));
                json_object_set_new(object, "line", json_integer(place->line));
        }
        json_object_set_new(object, "module", text_of(place->module));
        json_object_set_new(object, "offset", json_sprintf("0x%llx", (unsigned long long)place->offset));
        return object;
}

static void add_call(json_t *object, const struct shm_event *e, const struct fault_plan *plan,
                     const struct trace_place *place)
{
        const struct trace_signature *signature = &trace_signatures[e->call];
        json_t *arguments = json_object();
        for (unsigned i = 0; i < signature->count; i++)
                json_object_set_new(arguments, signature->arguments[i].name, argument_of(e, i));
        json_object_set_new(object, "call", json_string(shm_call_name((enum shm_call)e->call)));
        json_object_set_new(object, "arguments", arguments);
        json_object_set_new(object, "result", result_of(e));
        if (e->has_result && e->error)
                json_object_set_new(object, "errno", name_or_number(fault_error_name(e->error), e->error));
        if (trace_tells_segment(e)) {
                json_object_set_new(object, "segsz", size_of(e->segsz));
                json_object_set_new(object, "nattch", json_integer(e->nattch));
        }
        if (e->has_result)
                json_object_set_new(object, "duration_ns", json_integer(e->duration));
        const char *mark = trace_mark(plan, e);
        if (mark) {
                json_object_set_new(object, "mark", json_string(mark));
                if (e->rule >= 0)
                        json_object_set_new(object, "rule", text_of(plan->rules[e->rule].text));
        }
        if (place)
                json_object_set_new(object, "caller", place_of(place));
}

json_t *trace_json_event(const struct shm_event *e, int64_t origin, const struct fault_plan *plan,
                         const struct trace_place *place)
{
        static const char *const kinds[] = {[SHM_EVENT_CALL] = "call",
                                            [SHM_EVENT_START] = "start",
                                            [SHM_EVENT_FORK] = "fork",
                                            [SHM_EVENT_EXIT] = "exit"};
        json_t *object = json_object();
        json_object_set_new(object, "event", json_string(kinds[e->kind]));
        json_object_set_new(object, "time_ns", json_integer(e->start - origin));
        json_object_set_new(object, "pid", json_integer(e->pid));
        if (e->kind == SHM_EVENT_CALL) {
                json_object_set_new(object, "tid", json_integer(e->tid));
                add_call(object, e, plan, place);
        } else if (e->kind != SHM_EVENT_EXIT) {
                json_object_set_new(object, "parent", json_integer(e->args[0]));
        }
        if (e->kind == SHM_EVENT_START && place)
                json_object_set_new(object, "program", text_of(place->module));
        return object;
}

/* ---- the whole ---- */

typedef json_t *entry_function(const struct trace *trace, size_t i);

static json_t *call_entry(const struct trace *trace, size_t i)
{
        const struct shm_event *e = &trace->calls[i];
        return trace_json_event(e, trace->start, trace->plan,
                                e->site < trace->place_count ? &trace->places[e->site] : NULL);
}

static json_t *count_entry(const struct trace *trace, size_t i)
{
        const struct trace_count *c = &trace->counts[i];
        json_t *object = json_object();
        json_object_set_new(object, "call", json_string(shm_call_name(c->call)));
        if (c->command != FAULT_ANY_COMMAND)
                json_object_set_new(object, "command", name_or_number(shm_command_name(c->command), c->command));
        if (c->error > 0)
                json_object_set_new(object, "errno", name_or_number(fault_error_name(c->error), c->error));
        if (c->error == TRACE_UNFINISHED)
                json_object_set_new(object, "unfinished", json_true());
        json_object_set_new(object, "calls", size_of(c->count));
        json_object_set_new(object, "time_ns", json_integer(c->time));
        return object;
}

static json_t *process_entry(const struct trace *trace, size_t i)
{
        const struct trace_process *p = &trace->processes[i];
        json_t *object = json_object();
        json_object_set_new(object, "pid", json_integer(p->pid));
        json_object_set_new(object, "parent", p->parent ? json_integer(p->parent) : json_null());
        json_object_set_new(object, "name", text_of(p->name));
        json_object_set_new(object, "from_ns", json_integer(p->from));
        json_object_set_new(object, "to_ns", moment(p->to));
        json_object_set_new(object, "exited", json_boolean(p->to != INT64_MAX && !p->killed));
        return object;
}

static json_t *index_of(size_t i)
{
        return i == TRACE_NONE ? json_null() : json_integer((json_int_t)i);
}

static json_t *left_of(const struct trace_segment *s)
{
        if (!s->left)
                return json_null();
        json_t *object = json_object();
        json_object_set_new(object, "attachments", size_of(s->left_nattch));
        json_object_set_new(object, "marked", json_boolean(s->left_marked));
        return object;
}

static json_t *segment_entry(const struct trace *trace, size_t i)
{
        const struct trace_segment *s = &trace->segments[i];
        json_t *object = json_object();
        json_object_set_new(object, "shmid", json_integer(s->shmid));
        json_object_set_new(object, "key", key_of(s->key));
        json_object_set_new(object, "size", size_of(s->size));
        json_object_set_new(object, "mode", json_sprintf("%04o", s->mode));
        json_object_set_new(object, "creator", s->creator ? json_integer(s->creator) : json_null());
        json_object_set_new(object, "made_by", index_of(s->made_by));
        json_object_set_new(object, "removed_by", index_of(s->removed_by));
        json_object_set_new(object, "made_at_ns", s->made_by == TRACE_NONE ? json_null() : json_integer(s->made_at));
        json_object_set_new(object, "removed_at_ns", moment(s->removed_at));
        json_object_set_new(object, "left", left_of(s));
        return object;
}

static json_t *attachment_entry(const struct trace *trace, size_t i)
{
        const struct trace_attachment *a = &trace->attachments[i];
        json_t *object = json_object();
        json_object_set_new(object, "segment", index_of(a->segment));
        json_object_set_new(object, "process", index_of(a->process));
        json_object_set_new(object, "address", json_sprintf("0x%llx", (unsigned long long)a->address));
        json_object_set_new(object, "read_only", json_boolean(a->read_only));
        json_object_set_new(object, "inherited", json_boolean(a->inherited));
        json_object_set_new(object, "from_ns", json_integer(a->from));
        json_object_set_new(object, "to_ns", moment(a->to));
        return object;
}

static json_t *rule_entry(const struct trace *trace, size_t i)
{
        json_t *object = json_object();
        json_object_set_new(object, "rule", text_of(trace->plan->rules[i].text));
        if (trace->rule_states) {
                json_object_set_new(object, "matched", size_of(atomic_load(&trace->rule_states[i].matched)));
                json_object_set_new(object, "fired", size_of(atomic_load(&trace->rule_states[i].hit)));
        }
        return object;
}

static json_t *word_entry(const struct trace *trace, size_t i)
{
        return text_of(trace->command[i]);
}

static json_t *list_of(const struct trace *trace, size_t count, entry_function *entry)
{
        json_t *list = json_array();
        for (size_t i = 0; i < count; i++)
                json_array_append_new(list, entry(trace, i));
        return list;
}

static size_t words_in(char *const *command)
{
        size_t count = 0;
        while (command[count])
                count++;
        return count;
}

static json_t *status_of(int status)
{
        if (!WIFSIGNALED(status))
                return json_pack("{s:i}", "exit", WEXITSTATUS(status));
        int signal_number = WTERMSIG(status);
        return json_pack("{s:o}", "signal", name_or_number(fault_signal_name(signal_number), signal_number));
}

/* All but the calls, of which there can be more than memory takes as JSON. */
static json_t *frame_of(const struct trace *trace)
{
        json_t *frame = json_object();
        size_t rules = trace->plan ? trace->plan->count : 0;
        json_object_set_new(frame, "shmcheck_trace", json_integer(TRACE_FORMAT));
        json_object_set_new(frame, "command", list_of(trace, words_in(trace->command), word_entry));
        json_object_set_new(frame, "status", status_of(trace->status));
        json_object_set_new(frame, "end_ns", json_integer(trace->end));
        json_object_set_new(frame, "leaks_known", json_boolean(trace->leaks_known));
        json_object_set_new(frame, "rules", list_of(trace, rules, rule_entry));
        json_object_set_new(frame, "summary", list_of(trace, trace->count_count, count_entry));
        json_object_set_new(frame, "processes", list_of(trace, trace->process_count, process_entry));
        json_object_set_new(frame, "segments", list_of(trace, trace->segment_count, segment_entry));
        json_object_set_new(frame, "attachments", list_of(trace, trace->attachment_count, attachment_entry));
        return frame;
}

/* Writes a value and forgets it. */
static bool write_value(json_t *value, FILE *out)
{
        bool written = value && json_dumpf(value, out, JSON_COMPACT | JSON_ENSURE_ASCII) == 0;
        json_decref(value);
        return written;
}

bool trace_json_write(const struct trace *trace, FILE *out)
{
        json_t *frame = frame_of(trace);
        const char *name = NULL;
        json_t *value = NULL;
        bool written = frame && fputc('{', out) != EOF;
        json_object_foreach(frame, name, value)
        {
                fprintf(out, "\n \"%s\": ", name);
                written = written && json_dumpf(value, out, JSON_ENCODE_ANY | JSON_INDENT(1) | JSON_ENSURE_ASCII) == 0;
                fputc(',', out);
        }
        json_decref(frame);
        fputs("\n \"calls\": [", out);
        for (size_t i = 0; written && i < trace->call_count; i++) {
                fputs(i ? ",\n  " : "\n  ", out);
                written = write_value(call_entry(trace, i), out);
        }
        return written && fputs("\n ]\n}\n", out) != EOF;
}
