#include "trace_page_data.h"

#include <inttypes.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/wait.h>
#include <unistr.h>

#include "trace_text.h"

#define LONGEST_TEXT 4096            /* bytes of one text that the page still shows */
#define MOST_WORDS 256               /* of the command */
#define JSON_SAFE (INT64_C(1) << 53) /* a script's numbers are doubles: whole numbers are exact up to here */

/* ---- values ---- */

/* Valid UTF-8 up to a limit, whatever the bytes are. */
static json_t *text_of(const char *bytes, size_t size)
{
        char valid[LONGEST_TEXT + 8];
        size_t length = 0;
        const uint8_t *at = (const uint8_t *)bytes;
        const uint8_t *end = at + size;
        while (at < end && length < LONGEST_TEXT) {
                ucs4_t character = 0;
                at += u8_mbtouc(&character, at, (size_t)(end - at));
                length += (size_t)u8_uctomb((uint8_t *)valid + length, character, (ptrdiff_t)(sizeof(valid) - length));
        }
        return json_pack("s#+", valid, (int)length, at < end ? "\u2026" : "");
}

#define TEXT(array) text_of(array, strnlen(array, sizeof(array)))

static json_t *number(int64_t value)
{
        char digits[24];
        if (value > -JSON_SAFE && value < JSON_SAFE)
                return json_integer(value);
        snprintf(digits, sizeof(digits), "%" PRId64, value);
        return json_string(digits);
}

static json_t *moment(int64_t nanoseconds)
{
        return nanoseconds == INT64_MAX ? json_null() : number(nanoseconds);
}

static json_t *index_of(size_t index)
{
        return index == TRACE_NONE ? json_null() : json_integer((json_int_t)index);
}

/* ---- the trace's lists: each entry is an array, in the order that trace_model.js reads ---- */

typedef json_t *entry_function(const struct trace *trace, size_t i);

/* In the order of SHAPES in trace_drawing.js. */
enum mark { MARK_CREATE, MARK_FIND, MARK_ATTACH, MARK_DETACH, MARK_REMOVE, MARK_OTHER };

static enum mark mark_of(const struct shm_event *e)
{
        switch (e->call) {
        case SHM_CALL_SHMGET:
                return (e->args[2] & IPC_CREAT) || (uint32_t)e->args[0] == IPC_PRIVATE ? MARK_CREATE : MARK_FIND;
        case SHM_CALL_SHMAT:
                return MARK_ATTACH;
        case SHM_CALL_SHMDT:
                return MARK_DETACH;
        case SHM_CALL_SHMCTL:
                return e->args[1] == IPC_RMID ? MARK_REMOVE : MARK_OTHER;
        default:
                return MARK_OTHER;
        }
}

static json_t *call_text(const struct shm_event *e)
{
        char text[512];
        char arguments[TRACE_ARGUMENTS][128] = {"", "", ""};
        if (e->call >= SHM_CALLS)
                return json_string("?()");
        const struct trace_signature *signature = &trace_signatures[e->call];
        for (unsigned i = 0; i < signature->count; i++)
                trace_argument_text(e, i, arguments[i], sizeof(arguments[i]));
        /* The path that ftok is given is not in the event. */
        snprintf(text, sizeof(text), "%s(%s%s%s%s%s%s)", shm_call_name((enum shm_call)e->call),
                 e->call == SHM_CALL_FTOK ? "..., " : "", arguments[0], signature->count > 1 ? ", " : "", arguments[1],
                 signature->count > 2 ? ", " : "", arguments[2]);
        return json_string(text);
}

static json_t *result_text(const struct shm_event *e)
{
        char text[32];
        if (!e->has_result)
                return json_null();
        trace_result_text(e, text, sizeof(text));
        return json_string(text);
}

static json_t *call_entry(const struct trace *trace, size_t i)
{
        const struct shm_event *e = &trace->calls[i];
        json_t *site = e->site < trace->place_count ? json_integer(e->site) : json_null();
        return json_pack("[o,o,i,i,i,o,o,o,i,o,i,i,s?]", number((int64_t)((uint64_t)e->start - (uint64_t)trace->start)),
                         number(e->duration), e->pid, e->tid, mark_of(e), number(e->args[0]), call_text(e),
                         result_text(e), e->error, site, e->raw, e->rule, trace_mark(trace->plan, e));
}

static json_t *place_entry(const struct trace *trace, size_t i)
{
        const struct trace_place *p = &trace->places[i];
        char text[512];
        trace_place_text(p, text, sizeof(text));
        return json_pack("[o,o,o,I,o,o]", TEXT(text), TEXT(p->function), TEXT(p->file), (json_int_t)p->line,
                         TEXT(p->module), json_sprintf("0x%" PRIx64, p->offset));
}

static json_t *process_entry(const struct trace *trace, size_t i)
{
        const struct trace_process *p = &trace->processes[i];
        return json_pack("[i,i,o,o,o,b]", p->pid, p->parent, TEXT(p->name), number(p->from), moment(p->to), p->killed);
}

static json_t *segment_entry(const struct trace *trace, size_t i)
{
        const struct trace_segment *s = &trace->segments[i];
        return json_pack("[i,I,o,I,o,o,o,o,b,o,b,i]", s->shmid, (json_int_t)s->key, number((int64_t)s->size),
                         (json_int_t)s->mode, index_of(s->made_by), index_of(s->removed_by), number(s->made_at),
                         moment(s->removed_at), s->left, number((int64_t)s->left_nattch), s->left_marked, s->creator);
}

static json_t *attachment_entry(const struct trace *trace, size_t i)
{
        const struct trace_attachment *a = &trace->attachments[i];
        return json_pack("[o,o,o,b,b,o,o]", index_of(a->segment), index_of(a->process), number((int64_t)a->address),
                         a->read_only, a->inherited, number(a->from), moment(a->to));
}

static json_t *word_entry(const struct trace *trace, size_t i)
{
        const char *word = trace->command[i];
        return i == MOST_WORDS ? json_string("\u2026") : text_of(word, strlen(word));
}

static json_t *rule_entry(const struct trace *trace, size_t i)
{
        if (!trace->rule_states)
                return json_pack("[o,n,n]", TEXT(trace->plan->rules[i].text));
        const struct rule_state *state = &trace->rule_states[i];
        return json_pack("[o,o,o]", TEXT(trace->plan->rules[i].text), number((int64_t)atomic_load(&state->matched)),
                         number((int64_t)atomic_load(&state->hit)));
}

static json_t *list_of(const struct trace *trace, size_t count, entry_function *entry)
{
        json_t *list = json_array();
        for (size_t i = 0; list && i < count; i++) {
                if (json_array_append_new(list, entry(trace, i)) == -1) {
                        json_decref(list);
                        return NULL;
                }
        }
        return list;
}

static size_t count_words(const struct trace *trace)
{
        size_t count = 0;
        while (trace->command && trace->command[count] && count <= MOST_WORDS)
                count++;
        return count;
}

/* ---- names for the numbers in the lists ---- */

static void add_error_name(json_t *names, int error)
{
        const char *text = strerror(error);
        char key[16];
        snprintf(key, sizeof(key), "%d", error);
        if (!json_object_get(names, key))
                json_object_set_new(names, key,
                                    json_pack("[s?,o]", fault_error_name(error), text_of(text, strlen(text))));
}

static json_t *errors_of(const struct trace *trace)
{
        json_t *names = json_object();
        for (size_t i = 0; i < trace->call_count; i++) {
                if (trace->calls[i].error)
                        add_error_name(names, trace->calls[i].error);
        }
        return names;
}

static json_t *status_of(int status)
{
        if (WIFEXITED(status))
                return json_pack("{s:i}", "exit", WEXITSTATUS(status));
        return json_pack("{s:i,s:s?}", "signal", WTERMSIG(status), "name", fault_signal_name(WTERMSIG(status)));
}

json_t *trace_page_data(const struct trace *trace)
{
        size_t rules = trace->plan ? trace->plan->count : 0;
        return json_pack("{s:o,s:o,s:o,s:b,s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:o}",                      //
                         "command", list_of(trace, count_words(trace), word_entry),                //
                         "status", status_of(trace->status),                                       //
                         "end", number(trace->end),                                                //
                         "leaksKnown", trace->leaks_known,                                         //
                         "foreign", (json_int_t)trace->foreign,                                    //
                         "errors", errors_of(trace),                                               //
                         "rules", list_of(trace, rules, rule_entry),                               //
                         "places", list_of(trace, trace->place_count, place_entry),                //
                         "processes", list_of(trace, trace->process_count, process_entry),         //
                         "segments", list_of(trace, trace->segment_count, segment_entry),          //
                         "attachments", list_of(trace, trace->attachment_count, attachment_entry), //
                         "calls", list_of(trace, trace->call_count, call_entry));
}
