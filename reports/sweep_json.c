#include "sweep_json.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "sweep_words.h"
#include "trace_text.h"

#define SWEEP_FORMAT 1

/* Bytes that are no UTF-8 are told as Latin-1: what a command writes may be anything. */
static json_t *text_of(const char *text)
{
        json_t *string = json_string(text);
        if (string)
                return string;
        size_t length = strlen(text);
        char *wide = malloc(2 * length + 1);
        size_t n = 0;
        for (size_t i = 0; wide && i < length; i++) {
                unsigned char c = (unsigned char)text[i];
                if (c >= 0x80)
                        wide[n++] = (char)(0xc0 | c >> 6);
                wide[n++] = (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c);
        }
        string = wide ? json_stringn(wide, n) : NULL;
        free(wide);
        return string;
}

static json_t *index_of(size_t i)
{
        return i == SWEEP_NO_SITE ? json_null() : json_integer((json_int_t)i);
}

static json_t *status_of(int status)
{
        if (!WIFSIGNALED(status))
                return json_pack("{s:i}", "exit", WEXITSTATUS(status));
        const char *name = fault_signal_name(WTERMSIG(status));
        return name ? json_pack("{s:s}", "signal", name) : json_pack("{s:i}", "signal", WTERMSIG(status));
}

static json_t *site_entry(const struct sweep_site *site)
{
        char call[64];
        char name[1024];
        json_t *object = json_object();
        sweep_site_call_text(site, call, sizeof(call));
        sweep_site_name(site, name, sizeof(name));
        json_object_set_new(object, "name", text_of(name));
        json_object_set_new(object, "call", json_string(call));
        if (site->place.function[0])
                json_object_set_new(object, "function", text_of(site->place.function));
        if (site->place.line) {
                json_object_set_new(object, "file", text_of(site->place.file));
                json_object_set_new(object, "line", json_integer(site->place.line));
        }
        json_object_set_new(object, "module", text_of(site->place.module));
        json_object_set_new(object, "offset", json_sprintf("0x%llx", (unsigned long long)site->place.offset));
        return object;
}

static json_t *fault_entry(const struct sweep_fault *fault)
{
        char text[128];
        json_t *object = json_object();
        sweep_fault_text(fault, text, sizeof(text));
        json_object_set_new(object, "rule", json_string(fault->rule));
        json_object_set_new(object, "fault", json_string(text));
        if (fault->error)
                json_object_set_new(object, "errno", json_string(fault_error_name(fault->error)));
        json_object_set_new(object, "call_number", json_integer((json_int_t)fault->ordinal));
        json_object_set_new(object, "from_then_on", json_boolean(fault->from_then_on));
        json_object_set_new(object, "planned_site", index_of(fault->site));
        json_object_set_new(object, "when", json_string(fault->when));
        return object;
}

static json_t *left_entry(const struct sweep_left *left)
{
        return json_pack("{s:i, s:o, s:I, s:I, s:b, s:o}", "shmid", left->segment.shmid, "key",
                         json_sprintf("0x%08x", left->segment.key), "size", (json_int_t)left->segment.size,
                         "attachments", (json_int_t)left->segment.nattch, "marked", left->segment.marked, "made_at",
                         index_of(left->site));
}

static json_t *left_list(const struct sweep_left *left, size_t count)
{
        json_t *list = json_array();
        for (size_t i = 0; i < count; i++)
                json_array_append_new(list, left_entry(&left[i]));
        return list;
}

static json_t *fault_list(const struct sweep_fault *faults, unsigned count)
{
        json_t *list = json_array();
        for (unsigned i = 0; i < count; i++)
                json_array_append_new(list, fault_entry(&faults[i]));
        return list;
}

static json_t *try_entry(const struct sweep_try *t)
{
        static const char *const streams[] = {"stdout", "stderr"};
        json_t *object = json_object();
        json_object_set_new(object, "faults", fault_list(t->faults, t->fault_count));
        if (!t->done) {
                json_object_set_new(object, "outcome", json_null());
                return object;
        }
        json_object_set_new(object, "outcome", json_string(sweep_outcome_names[t->outcome]));
        if (t->beside != t->outcome)
                json_object_set_new(object, "beside", json_string(sweep_outcome_names[t->beside]));
        json_object_set_new(object, "status", status_of(t->status));
        json_object_set_new(object, "timed_out", json_boolean(t->timed_out));
        json_object_set_new(object, "time_ns", json_integer(t->time));
        json_object_set_new(object, "site", index_of(t->site));
        json_object_set_new(object, "last_site", index_of(t->last_site));
        json_object_set_new(object, "left", left_list(t->left, t->left_count));
        if (t->message[0])
                json_object_set_new(object, "message", text_of(t->message));
        for (int i = 0; i < 2; i++) {
                if (t->written[i])
                        json_object_set_new(object, streams[i], text_of(t->written[i]));
        }
        return object;
}

static json_t *lines_of(const char *text)
{
        json_t *list = json_array();
        while (*text) {
                size_t length = strcspn(text, "\n");
                char *line = strndup(text, length);
                json_array_append_new(list, line ? text_of(line) : NULL);
                free(line);
                text += length + (text[length] == '\n');
        }
        return list;
}

static json_t *finding_entry(const struct sweep *s, const struct sweep_finding *f)
{
        char site[700];
        json_t *object = json_object();
        json_t *tries = json_array();
        char *command = sweep_reproduce(s, f);
        for (size_t i = 0; i < f->try_count; i++)
                json_array_append_new(tries, json_integer((json_int_t)f->tries[i]));
        sweep_site_text(s, f->site, site, sizeof(site));
        json_object_set_new(object, "key", text_of(f->key));
        json_object_set_new(object, "outcome", json_string(sweep_outcome_names[f->outcome]));
        json_object_set_new(object, "site", index_of(f->site));
        json_object_set_new(object, "where", text_of(site));
        json_object_set_new(object, "confirmed", json_boolean(f->confirmed));
        json_object_set_new(object, "known", json_boolean(f->known));
        json_object_set_new(object, "faults", fault_list(f->shown, f->shown_count));
        json_object_set_new(object, "reproduce", command ? text_of(command) : json_null());
        json_object_set_new(object, "runs", tries);
        if (f->stack)
                json_object_set_new(object, "stack", lines_of(f->stack));
        free(command);
        return object;
}

static json_t *normal_of(const struct sweep *s)
{
        static const char *const likeness[] = {"same", "same but numbers", "same but numbers and order", "differs"};
        const struct sweep_observation *o = &s->normal.first;
        return json_pack("{s:o, s:I, s:I, s:o, s:s, s:s, s:b}", "status", status_of(o->status), "time_ns",
                         (json_int_t)o->time, "calls", (json_int_t)o->call_count, "left",
                         left_list(o->left, o->left_count), "stdout", likeness[s->normal.likeness[0]], "stderr",
                         likeness[s->normal.likeness[1]], "same_calls", s->normal.steady_calls);
}

static void add_note(const char *note, void *arg)
{
        json_array_append_new(arg, text_of(note));
}

static json_t *counts_of(const struct sweep *s)
{
        json_t *counts = json_object();
        for (int o = 0; o < SWEEP_OUTCOMES; o++)
                json_object_set_new(counts, sweep_outcome_names[o],
                                    json_integer((json_int_t)sweep_count(s, (enum sweep_outcome)o)));
        return counts;
}

json_t *sweep_as_json(const struct sweep *s)
{
        json_t *object = json_object();
        json_t *words = json_array();
        json_t *notes = json_array();
        json_t *sites = json_array();
        json_t *runs = json_array();
        json_t *findings = json_array();
        for (size_t i = 0; s->program->words[i]; i++)
                json_array_append_new(words, text_of(s->program->words[i]));
        for (size_t i = 0; i < s->sites.count; i++)
                json_array_append_new(sites, site_entry(&s->sites.items[i]));
        for (size_t i = 0; i < s->try_count; i++)
                json_array_append_new(runs, try_entry(&s->tries[i]));
        for (size_t i = 0; i < s->finding_count; i++)
                json_array_append_new(findings, finding_entry(s, &s->findings[i]));
        sweep_tell_notes(s, add_note, notes);
        json_object_set_new(object, "shmcheck_sweep", json_integer(SWEEP_FORMAT));
        json_object_set_new(object, "command", words);
        json_object_set_new(object, "via", json_string(s->program->library ? "preload" : "kernel"));
        json_object_set_new(object, "complete", json_boolean(!s->stopped && s->done == s->try_count));
        json_object_set_new(object, "time_ns", json_integer(s->time));
        json_object_set_new(object, "notes", notes);
        json_object_set_new(object, "without_fault", normal_of(s));
        json_object_set_new(object, "outcomes", counts_of(s));
        json_object_set_new(object, "sites", sites);
        json_object_set_new(object, "findings", findings);
        json_object_set_new(object, "runs", runs);
        return object;
}

bool sweep_json_write(const struct sweep *s, FILE *out)
{
        json_t *object = sweep_as_json(s);
        errno = ENOMEM;
        bool written = json_dumpf(object, out, JSON_INDENT(1) | JSON_ENSURE_ASCII) == 0 && fputc('\n', out) != EOF;
        json_decref(object);
        return written;
}
