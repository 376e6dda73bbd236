#include "sweep_log.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sweep_try.h"

#define LOG_FORMAT 1

struct sweep_log {
        int fd;
        json_t *lines; /* what was there, without the head; those that were taken up are null */
};

/* Bytes that are not UTF-8 are told as ?: what a command writes may be anything. */
static json_t *text_of(const char *text)
{
        if (!text)
                return json_null();
        json_t *value = json_string(text);
        char *copy = value ? NULL : strdup(text);
        for (char *p = copy; p && *p; p++) {
                if ((unsigned char)*p >= 0x80)
                        *p = '?';
        }
        if (copy)
                value = json_string(copy);
        free(copy);
        return value;
}

/* ---- the head ---- */

static json_t *head_of(const struct sweep_program *program, const struct sweep_wishes *w)
{
        struct stat st = {.st_size = 0};
        json_t *words = json_array();
        for (size_t i = 0; program->words[i]; i++)
                json_array_append_new(words, text_of(program->words[i]));
        if (stat(program->path, &st) == -1)
                st.st_size = -1;
        return json_pack("{s:i, s:o, s:s, s:s, s:I, s:I, s:i, s:b, s:b, s:b, s:I, s:I}", "shmcheck_sweep_log",
                         LOG_FORMAT, "command", words, "program", program->path, "via",
                         program->library ? "preload" : "kernel", "size", (json_int_t)st.st_size, "changed",
                         (json_int_t)st.st_mtim.tv_sec, "profile", (int)w->choice.profile, "rare", w->choice.rare,
                         "kill", w->choice.kills, "lie", w->choice.lies, "delay", (json_int_t)w->choice.delay,
                         "per_site", (json_int_t)w->per_site);
}

/* What differs, in a user's words; NULL if nothing does. */
static const char *difference(const json_t *head, const json_t *wanted)
{
        static const struct {
                const char *member, *words;
        } members[] = {{"command", "another command"},
                       {"program", "another program"},
                       {"size", "the program before it was changed"},
                       {"changed", "the program before it was changed"},
                       {"via", "another --via"},
                       {"profile", "another --profile"},
                       {"rare", "another --rare"},
                       {"kill", "another --kill"},
                       {"lie", "another --lie"},
                       {"delay", "another --delay"},
                       {"per_site", "another --per-site"}};
        for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
                if (!json_equal(json_object_get(head, members[i].member), json_object_get(wanted, members[i].member)))
                        return members[i].words;
        }
        return NULL;
}

/* ---- reading ---- */

static bool fail(char *why, size_t size, const char *path, const char *what)
{
        snprintf(why, size, "%s: %s", path, what);
        return false;
}

static bool read_line(struct sweep_log *log, const json_t *wanted, const char *path, const char *line, size_t number,
                      char *why, size_t size)
{
        json_error_t error;
        json_t *value = json_loads(line, 0, &error);
        char what[256];
        const char *differs = NULL;
        if (!value) {
                snprintf(what, sizeof(what), "line %zu: %.200s", number, error.text);
                return fail(why, size, path, what);
        }
        if (number > 1) {
                json_array_append_new(log->lines, value);
                return true;
        }
        bool is_log = json_integer_value(json_object_get(value, "shmcheck_sweep_log")) == LOG_FORMAT;
        if (is_log)
                differs = difference(value, wanted);
        json_decref(value);
        snprintf(what, sizeof(what), "is of %s", differs ? differs : "");
        if (!is_log)
                return fail(why, size, path, "is no log of a sweep");
        return !differs || fail(why, size, path, what);
}

/* Returns where the whole lines end, or -1 with why filled in. */
static off_t read_lines(struct sweep_log *log, const json_t *wanted, FILE *f, const char *path, char *why, size_t size)
{
        char *line = NULL;
        size_t room = 0;
        off_t end = 0;
        ssize_t length = 0;
        for (size_t number = 1; end != -1 && (length = getline(&line, &room, f)) > 0; number++) {
                if (line[length - 1] != '\n')
                        break;
                end = read_line(log, wanted, path, line, number, why, size) ? end + length : -1;
        }
        free(line);
        if (end != -1 && ferror(f)) {
                fail(why, size, path, strerror(errno));
                return -1;
        }
        return end;
}

static bool write_line(const struct sweep_log *log, json_t *value)
{
        char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
        json_decref(value);
        char *line = NULL;
        errno = ENOMEM;
        int length = text ? asprintf(&line, "%s\n", text) : -1;
        bool written = length > 0 && write(log->fd, line, (size_t)length) == length;
        if (length > 0)
                free(line);
        free(text);
        return written;
}

static bool read_log(struct sweep_log *log, const json_t *wanted, const char *path, char *why, size_t size)
{
        FILE *f = fopen(path, "re");
        if (!f)
                return fail(why, size, path, strerror(errno));
        off_t end = read_lines(log, wanted, f, path, why, size);
        fclose(f);
        if (end == -1)
                return false;
        if (ftruncate(log->fd, end) == -1)
                return fail(why, size, path, strerror(errno));
        return end > 0 || write_line(log, json_deep_copy(wanted)) || fail(why, size, path, strerror(errno));
}

struct sweep_log *sweep_log_open(const char *path, const struct sweep_program *program,
                                 const struct sweep_wishes *wishes, char *why, size_t size)
{
        struct sweep_log *log = calloc(1, sizeof(*log));
        json_t *wanted = head_of(program, wishes);
        bool opened = log && wanted && (log->lines = json_array());
        snprintf(why, size, "out of memory");
        if (opened) {
                log->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
                opened =
                        log->fd != -1 ? read_log(log, wanted, path, why, size) : fail(why, size, path, strerror(errno));
        }
        json_decref(wanted);
        if (opened)
                return log;
        sweep_log_close(log);
        return NULL;
}

void sweep_log_close(struct sweep_log *log)
{
        if (!log)
                return;
        if (log->fd > 0)
                close(log->fd);
        json_decref(log->lines);
        free(log);
}

/* ---- a try as JSON ---- */

static json_t *site_value(const struct sweep *s, size_t index)
{
        if (index >= s->sites.count)
                return json_null();
        const struct sweep_site *site = &s->sites.items[index];
        return json_pack("{s:i, s:i, s:o, s:I, s:o, s:o, s:i}", "call", (int)site->call, "command", site->command,
                         "module", text_of(site->place.module), "offset", (json_int_t)site->place.offset, "function",
                         text_of(site->place.function), "file", text_of(site->place.file), "line",
                         (int)site->place.line);
}

static json_t *left_value(const struct sweep *s, const struct sweep_left *left)
{
        const struct segment_there *there = &left->segment;
        return json_pack("{s:i, s:I, s:I, s:I, s:b, s:o}", "shmid", there->shmid, "key", (json_int_t)there->key, "size",
                         (json_int_t)there->size, "nattch", (json_int_t)there->nattch, "marked", there->marked, "site",
                         site_value(s, left->site));
}

static json_t *call_value(const struct sweep *s, const struct sweep_call *c)
{
        return json_pack("{s:I, s:o, s:i, s:[I, I, I]}", "ordinal", (json_int_t)c->ordinal, "site",
                         site_value(s, c->site), "error", c->error, "args", (json_int_t)c->args[0],
                         (json_int_t)c->args[1], (json_int_t)c->args[2]);
}

static json_t *try_value(const struct sweep *s, const struct sweep_try *t, bool lasts)
{
        json_t *rules = json_array();
        json_t *left = json_array();
        json_t *after = json_array();
        for (unsigned i = 0; i < t->fault_count; i++)
                json_array_append_new(rules, json_string(t->faults[i].rule));
        for (size_t i = 0; i < t->left_count; i++)
                json_array_append_new(left, left_value(s, &t->left[i]));
        for (size_t i = 0; i < t->after_count; i++)
                json_array_append_new(after, call_value(s, &t->after[i]));
        return json_pack("{s:o, s:s, s:s, s:i, s:b, s:I, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "rules", rules,
                         "outcome", sweep_outcome_names[t->outcome], "beside", sweep_outcome_names[t->beside], "status",
                         t->status, "timed_out", t->timed_out, "time", (json_int_t)t->time, "lasts", lasts, "site",
                         site_value(s, t->site), "last_site", site_value(s, t->last_site), "left", left, "after", after,
                         "message", text_of(t->message), "stdout", text_of(t->written[0]), "stderr",
                         text_of(t->written[1]));
}

bool sweep_log_write(struct sweep_log *log, const struct sweep *s, const struct sweep_try *t, bool lasts)
{
        return write_line(log, try_value(s, t, lasts));
}

/* ---- a try from JSON ---- */

static int64_t number_in(const json_t *object, const char *member)
{
        return json_integer_value(json_object_get(object, member));
}

static const char *text_in(const json_t *object, const char *member)
{
        const char *text = json_string_value(json_object_get(object, member));
        return text ? text : "";
}

static enum sweep_outcome outcome_in(const json_t *object, const char *member)
{
        int outcome = 0;
        while (outcome + 1 < SWEEP_OUTCOMES && strcmp(sweep_outcome_names[outcome], text_in(object, member)) != 0)
                outcome++;
        return (enum sweep_outcome)outcome;
}

static size_t site_in(struct sweep *s, const json_t *object, const char *member)
{
        const json_t *value = json_object_get(object, member);
        struct sweep_site site = {.call = (enum shm_call)number_in(value, "call"),
                                  .command = (int)number_in(value, "command"),
                                  .ordinal = 1};
        if (!json_is_object(value) || (unsigned)site.call >= SHM_CALLS)
                return SWEEP_NO_SITE;
        site.place.offset = (uint64_t)number_in(value, "offset");
        site.place.line = (unsigned)number_in(value, "line");
        snprintf(site.place.module, sizeof(site.place.module), "%s", text_in(value, "module"));
        snprintf(site.place.function, sizeof(site.place.function), "%s", text_in(value, "function"));
        snprintf(site.place.file, sizeof(site.place.file), "%s", text_in(value, "file"));
        return sweep_site_add(&s->sites, &site);
}

static bool take_left(struct sweep *s, struct sweep_try *t, const json_t *list)
{
        size_t i = 0;
        const json_t *value = NULL;
        t->left = calloc(json_array_size(list) + 1, sizeof(t->left[0]));
        if (!t->left)
                return false;
        json_array_foreach(list, i, value)
        {
                const struct segment_there there = {.shmid = (int32_t)number_in(value, "shmid"),
                                                    .key = (uint32_t)number_in(value, "key"),
                                                    .size = (uint64_t)number_in(value, "size"),
                                                    .nattch = (uint64_t)number_in(value, "nattch"),
                                                    .marked = json_is_true(json_object_get(value, "marked"))};
                t->left[t->left_count++] = (struct sweep_left){.segment = there, .site = site_in(s, value, "site")};
        }
        return true;
}

static bool take_after(struct sweep *s, struct sweep_try *t, const json_t *list)
{
        size_t i = 0;
        const json_t *value = NULL;
        t->after = calloc(json_array_size(list) + 1, sizeof(t->after[0]));
        if (!t->after)
                return false;
        json_array_foreach(list, i, value)
        {
                struct sweep_call *c = &t->after[t->after_count];
                const json_t *args = json_object_get(value, "args");
                c->site = site_in(s, value, "site");
                if (c->site == SWEEP_NO_SITE)
                        continue;
                c->call = s->sites.items[c->site].call;
                c->command = s->sites.items[c->site].command;
                c->ordinal = (uint64_t)number_in(value, "ordinal");
                c->error = (int)number_in(value, "error");
                for (size_t a = 0; a < 3; a++)
                        c->args[a] = json_integer_value(json_array_get(args, a));
                t->after_count++;
        }
        return true;
}

static bool take_try(struct sweep *s, struct sweep_try *t, const json_t *value)
{
        t->outcome = outcome_in(value, "outcome");
        t->beside = outcome_in(value, "beside");
        t->status = (int)number_in(value, "status");
        t->timed_out = json_is_true(json_object_get(value, "timed_out"));
        t->time = number_in(value, "time");
        t->site = site_in(s, value, "site");
        t->last_site = site_in(s, value, "last_site");
        snprintf(t->message, sizeof(t->message), "%s", text_in(value, "message"));
        const char *const written[2] = {text_in(value, "stdout"), text_in(value, "stderr")};
        for (int i = 0; i < 2; i++)
                t->written[i] = *written[i] ? strdup(written[i]) : NULL;
        t->done = true;
        s->done++;
        return take_left(s, t, json_object_get(value, "left")) && take_after(s, t, json_object_get(value, "after"));
}

/* ---- taking up ---- */

static bool has_rules(const struct sweep_try *t, const json_t *rules)
{
        if (json_array_size(rules) != t->fault_count)
                return false;
        for (unsigned i = 0; i < t->fault_count; i++) {
                const char *rule = json_string_value(json_array_get(rules, i));
                if (!rule || strcmp(rule, t->faults[i].rule) != 0)
                        return false;
        }
        return true;
}

/* Lines stand in much the order of the tries: the search goes on where it ended. */
static struct sweep_try *find_try(const struct sweep *s, const json_t *rules, size_t *from)
{
        for (size_t i = 0; i < s->try_count; i++) {
                size_t at = (*from + i) % s->try_count;
                if (s->tries[at].done || !has_rules(&s->tries[at], rules))
                        continue;
                *from = at + 1;
                return &s->tries[at];
        }
        return NULL;
}

bool sweep_log_apply(struct sweep_log *log, struct sweep *s)
{
        size_t from = 0;
        for (size_t i = 0; i < json_array_size(log->lines); i++) {
                const json_t *value = json_array_get(log->lines, i);
                struct sweep_try *t = find_try(s, json_object_get(value, "rules"), &from);
                if (!t)
                        continue;
                bool lasts = json_is_true(json_object_get(value, "lasts"));
                if (!take_try(s, t, value))
                        return false;
                struct sweep_fault lasting = sweep_fault_from_then_on(&t->faults[0]);
                if (lasts && !sweep_try_add(s, &lasting, 1))
                        return false;
                json_array_set_new(log->lines, i, json_null());
        }
        return true;
}
