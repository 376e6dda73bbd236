#include "record_reader.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "value_reader.h"

#define MARK "@shmcheck "
#define MARK_LENGTH (sizeof(MARK) - 1)
#define FORMAT_KNOWN 1
/* A line longer than any that an agent writes is not a frame. */
#define LINE_MAX_BYTES ((size_t)4 * 1024 * 1024)

struct record_reader {
        struct record record;
        enum record_status status;
        size_t line;     /* number of the line that is being read, from 1 */
        size_t bad_line; /* the line that status is about */
        bool any_frame;
        bool has_sequence;
        unsigned long next_sequence;
        size_t case_room;
        json_t *index;       /* id -> position in cases */
        struct arena values; /* of the results, with their texts */
        struct told_steps *steps;
        size_t step_count, step_room;
        char *pending; /* an unfinished line */
        size_t pending_length, pending_room;
        bool overlong; /* the line exceeds LINE_MAX_BYTES: skip to its end */
};

struct record_reader *record_reader_new(void)
{
        struct record_reader *r = calloc(1, sizeof(*r));
        if (!r)
                return NULL;
        r->line = 1;
        r->index = json_object();
        r->record.listed = json_array();
        r->record.running = json_object();
        if (!r->index || !r->record.listed || !r->record.running) {
                record_reader_free(r);
                return NULL;
        }
        return r;
}

void record_reader_free(struct record_reader *r)
{
        if (!r)
                return;
        for (size_t i = 0; i < r->record.case_count; i++) {
                free(r->record.cases[i].results);
                free(r->record.cases[i].steps);
        }
        free(r->record.cases);
        free(r->steps);
        json_decref(r->record.start);
        json_decref(r->record.listed);
        json_decref(r->record.running);
        json_decref(r->index);
        arena_free(&r->values);
        free(r->pending);
        free(r);
}

const struct record *record_reader_record(const struct record_reader *r)
{
        return &r->record;
}

static bool fail(struct record_reader *r, enum record_status status)
{
        r->status = status;
        r->bad_line = r->line;
        return false;
}

/* column, from 1, is 0 where there is none to tell. */
static bool note_damage(struct record_reader *r, const char *what, size_t column)
{
        char *damage = r->record.damage;
        size_t size = sizeof(r->record.damage);
        if (r->record.damaged_frames++ > 0)
                return true;
        if (column)
                snprintf(damage, size, "line %zu, column %zu: %s", r->line, column, what);
        else
                snprintf(damage, size, "line %zu: %s", r->line, what);
        return true;
}

/* id has to live as long as the record. */
static struct record_case *case_named(struct record_reader *r, const char *id)
{
        json_t *at = json_object_get(r->index, id);
        if (at)
                return &r->record.cases[json_integer_value(at)];
        if (r->record.case_count == r->case_room) {
                size_t room = r->case_room ? 2 * r->case_room : 256;
                struct record_case *cases = realloc(r->record.cases, room * sizeof(cases[0]));
                if (!cases)
                        return NULL;
                r->record.cases = cases;
                r->case_room = room;
        }
        if (json_object_set_new(r->index, id, json_integer((json_int_t)r->record.case_count)) == -1)
                return NULL;
        struct record_case *c = &r->record.cases[r->record.case_count++];
        *c = (struct record_case){.id = id};
        return c;
}

static bool take_case(struct record_reader *r, const struct value *object, const char *id)
{
        if (!id || !value_text(value_member(object, "status")))
                return note_damage(r, "a case without \"id\" or \"status\"", 0);
        struct record_case *c = case_named(r, id);
        if (!c)
                return fail(r, RECORD_NO_MEMORY);
        const struct value **results = reallocarray(c->results, c->count + 1, sizeof(results[0]));
        if (!results)
                return fail(r, RECORD_NO_MEMORY);
        c->results = results;
        c->results[c->count++] = object;
        r->record.results++;
        json_object_del(r->record.running, id);
        return true;
}

static bool take_start(struct record_reader *r, const struct value *object)
{
        const struct value *format = value_member(object, "format");
        if (r->record.start)
                return fail(r, RECORD_TWICE);
        if (!format || format->kind != VALUE_INTEGER)
                return note_damage(r, "\"format\" is no number", 0);
        if (value_integer(format) > FORMAT_KNOWN)
                return fail(r, RECORD_NEWER);
        r->record.start = json_of_value(object);
        return r->record.start || fail(r, RECORD_NO_MEMORY);
}

/* Room for the steps of one result more; NULL when memory is short. */
static struct told_steps *next_steps(struct record_reader *r)
{
        if (r->step_count == r->step_room) {
                size_t room = r->step_room ? 2 * r->step_room : 256;
                struct told_steps *grown = reallocarray(r->steps, room, sizeof(grown[0]));
                if (!grown)
                        return NULL;
                r->steps = grown;
                r->step_room = room;
        }
        return &r->steps[r->step_count];
}

static bool take_steps(struct record_reader *r, const struct value *object)
{
        struct told_steps *steps = next_steps(r);
        if (!steps)
                return fail(r, RECORD_NO_MEMORY);
        if (!told_steps_take(steps, object))
                return note_damage(r, "steps without \"id\" or \"steps\"", 0);
        r->step_count++;
        return true;
}

static bool take_object(struct record_reader *r, const struct value *object)
{
        const char *type = value_text(value_member(object, "type"));
        const char *id = value_text(value_member(object, "id"));
        if (!type)
                return note_damage(r, "an object without \"type\"", 0);
        if (strcmp(type, "start") == 0)
                return take_start(r, object);
        if (strcmp(type, "case") == 0)
                return take_case(r, object, id);
        if (strcmp(type, "steps") == 0)
                return take_steps(r, object);
        if (strcmp(type, "begin") == 0 && id)
                json_object_set_new(r->record.running, id, json_true());
        else if (strcmp(type, "list") == 0)
                json_array_append_new(r->record.listed, json_of_value(object));
        else if (strcmp(type, "end") == 0)
                r->record.ended = true;
        /* Any other type is a later agent's, and says nothing that is needed here. */
        return true;
}

static void count_sequence(struct record_reader *r, unsigned long sequence)
{
        if (r->has_sequence && sequence > r->next_sequence)
                r->record.missing_frames += sequence - r->next_sequence;
        else if (!r->has_sequence)
                r->record.missing_frames += sequence;
        r->has_sequence = true;
        r->next_sequence = sequence + 1;
}

static bool checksum_fits(const char *json, size_t length, unsigned long crc)
{
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
        /* A fuzzer would spend its life on guessing checksums. */
        (void)json, (void)length, (void)crc;
        return true;
#else
        return crc32(0, (const Bytef *)json, (uInt)length) == crc;
#endif
}

/* The value of a frame, which begins at the column; NULL if it is damaged, or memory is short. */
static const struct value *read_object(struct record_reader *r, char *text, size_t length, size_t column)
{
        struct value_mistake mistake = {NULL, 0};
        const struct value *object = value_read(&r->values, text, length, &mistake);
        if (object && object->kind == VALUE_OBJECT)
                return object;
        if (object)
                note_damage(r, "no object", column);
        else if (mistake.what)
                note_damage(r, mistake.what, column + mistake.at);
        else
                fail(r, RECORD_NO_MEMORY);
        return NULL;
}

/* The JSON of the frame with the sequence number, which begins at the column. */
static bool take_json(struct record_reader *r, const char *json, size_t length, unsigned long sequence, size_t column)
{
        struct told_steps *steps = next_steps(r);
        char *text = arena_take(&r->values, length + 1);
        if (!steps || !text)
                return fail(r, RECORD_NO_MEMORY);
        memcpy(text, json, length);
        bool kept = told_steps_keep(steps, &r->values, text, length);
        const struct value *object = kept ? NULL : read_object(r, text, length, column);
        if (!kept && !object)
                return r->status == RECORD_OK;
        count_sequence(r, sequence);
        r->step_count += kept;
        return kept || take_object(r, object);
}

/* Reads a number of at most so many digits, and the blanks behind it. Returns where they end; NULL if there is none. */
static const char *read_number(const char *text, int base, ptrdiff_t digits, unsigned long *number)
{
        char *end = NULL;
        if (!isxdigit((unsigned char)*text))
                return NULL;
        *number = strtoul(text, &end, base);
        return end > text && end - text <= digits && *end == ' ' ? end + strspn(end, " ") : NULL;
}

/* "SEQUENCE CRC {...}", which begins so many bytes behind the line's begin. */
static bool take_frame(struct record_reader *r, const char *frame, size_t length, size_t before)
{
        char head[48];
        size_t head_length = length < sizeof(head) - 1 ? length : sizeof(head) - 1;
        memcpy(head, frame, head_length);
        head[head_length] = '\0';
        unsigned long sequence = 0;
        unsigned long crc = 0;
        const char *rest = read_number(head, 10, 9, &sequence);
        rest = rest ? read_number(rest, 16, 8, &crc) : NULL;
        if (!rest)
                return note_damage(r, "no number and checksum behind the mark", before + 1);
        r->any_frame = true;
        size_t consumed = (size_t)(rest - head);
        const char *json = frame + consumed;
        size_t json_length = length - consumed;
        if (!checksum_fits(json, json_length, crc))
                return note_damage(r, "the checksum does not fit", 0);
        return take_json(r, json, json_length, sequence, before + consumed + 1);
}

static const char *find_mark(const char *line, size_t length)
{
        for (const char *p = line; length - (size_t)(p - line) >= MARK_LENGTH; p++) {
                p = memchr(p, MARK[0], length - (size_t)(p - line));
                if (!p || length - (size_t)(p - line) < MARK_LENGTH)
                        return NULL;
                if (memcmp(p, MARK, MARK_LENGTH) == 0)
                        return p;
        }
        return NULL;
}

static bool take_line(struct record_reader *r, const char *line, size_t length)
{
        if (length > 0 && line[length - 1] == '\r')
                length--;
        const char *mark = find_mark(line, length);
        if (!mark)
                return true;
        const char *frame = mark + MARK_LENGTH;
        return take_frame(r, frame, length - (size_t)(frame - line), (size_t)(frame - line));
}

static bool keep_pending(struct record_reader *r, const char *bytes, size_t length)
{
        if (r->overlong || r->pending_length + length > LINE_MAX_BYTES) {
                r->overlong = true;
                r->pending_length = 0;
                return true;
        }
        if (r->pending_length + length > r->pending_room) {
                size_t room = 2 * (r->pending_length + length);
                char *pending = realloc(r->pending, room);
                if (!pending)
                        return fail(r, RECORD_NO_MEMORY);
                r->pending = pending;
                r->pending_room = room;
        }
        if (length)
                memcpy(r->pending + r->pending_length, bytes, length);
        r->pending_length += length;
        return true;
}

/* Ends the line that is pending with bytes, which need not be kept if they are all of it. */
static bool end_line(struct record_reader *r, const char *bytes, size_t length)
{
        bool is_whole = r->pending_length == 0 && !r->overlong && length <= LINE_MAX_BYTES;
        if (!is_whole && !keep_pending(r, bytes, length))
                return false;
        bool go_on =
                r->overlong || (is_whole ? take_line(r, bytes, length) : take_line(r, r->pending, r->pending_length));
        r->overlong = false;
        r->pending_length = 0;
        r->line++;
        return go_on;
}

bool record_reader_feed(struct record_reader *r, const char *bytes, size_t length)
{
        if (r->status != RECORD_OK)
                return false;
        const char *end = bytes + length;
        while (bytes < end) {
                const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
                if (!newline)
                        return keep_pending(r, bytes, (size_t)(end - bytes));
                if (!end_line(r, bytes, (size_t)(newline - bytes)))
                        return false;
                bytes = newline + 1;
        }
        return true;
}

/* The result of the round; NULL if the case has none. */
static struct told_steps *steps_of(struct record_case *c, long long round)
{
        for (size_t i = 0; i < c->count; i++) {
                /* Rounds mostly come in their order. */
                size_t at = (i + (size_t)round - 1) % c->count;
                if (member_integer(c->results[at], "round") == round)
                        return &c->steps[at];
        }
        return NULL;
}

/* Gives the steps to the results that they are of. What belongs to none was of a case whose result is missing. */
static bool hand_out_steps(struct record_reader *r)
{
        for (size_t i = 0; i < r->step_count; i++) {
                const json_t *at = json_object_getn(r->index, r->steps[i].id, r->steps[i].id_length);
                struct record_case *c = at ? &r->record.cases[json_integer_value(at)] : NULL;
                if (!c)
                        continue;
                if (!c->steps)
                        c->steps = calloc(c->count, sizeof(c->steps[0]));
                if (!c->steps)
                        return false;
                struct told_steps *steps = steps_of(c, r->steps[i].round);
                if (steps)
                        *steps = r->steps[i];
        }
        return true;
}

const struct value *record_case_steps(const struct record_case *c, size_t round)
{
        const struct value *list = c->steps ? told_steps_list(&c->steps[round]) : NULL;
        return list ? list : value_member(c->results[round], "steps");
}

struct place {
        const char *file;
        long long line;
        struct record_case of;
};

static int by_place(const void *a, const void *b)
{
        const struct place *x = a;
        const struct place *y = b;
        int files = strcmp(x->file, y->file);
        if (files)
                return files;
        if (x->line != y->line)
                return x->line < y->line ? -1 : 1;
        return strcmp(x->of.id, y->of.id);
}

static bool put_in_order(struct record *record)
{
        struct place *places = calloc(record->case_count + 1, sizeof(places[0]));
        if (!places)
                return false;
        for (size_t i = 0; i < record->case_count; i++) {
                const struct value *result = record->cases[i].results[0];
                places[i] = (struct place){.file = member_text(result, "file"),
                                           .line = member_integer(result, "line"),
                                           .of = record->cases[i]};
        }
        qsort(places, record->case_count, sizeof(places[0]), by_place);
        for (size_t i = 0; i < record->case_count; i++)
                record->cases[i] = places[i].of;
        free(places);
        return true;
}

enum record_status record_reader_finish(struct record_reader *r, size_t *line)
{
        if (r->status == RECORD_OK && r->pending_length)
                end_line(r, "", 0);
        if (!hand_out_steps(r) || !put_in_order(&r->record))
                fail(r, RECORD_NO_MEMORY);
        json_object_clear(r->index);
        if (r->status == RECORD_OK && !r->any_frame)
                r->status = RECORD_EMPTY;
        if (line)
                *line = r->bad_line;
        return r->status;
}

bool record_is_complete(const struct record *record)
{
        return record->start && record->ended && record->missing_frames == 0 && record->damaged_frames == 0 &&
               (json_int_t)record->results == json_integer_value(json_object_get(record->start, "results"));
}

char *record_describe_cut(const struct record *record)
{
        char *text = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&text, &size);
        if (!f)
                return NULL;
        if (record->start)
                fprintf(f, "the record is %s: %zu of %lld results", record->ended ? "not whole" : "cut short",
                        record->results, (long long)json_integer_value(json_object_get(record->start, "results")));
        else
                fprintf(f, "the record's first line is missing: %zu results", record->results);
        if (record->damaged_frames)
                fprintf(f, ", %zu damaged (%s%s)", record->damaged_frames,
                        record->damaged_frames > 1 ? "the first: " : "", record->damage);
        if (record->missing_frames)
                fprintf(f, ", %zu missing lines", record->missing_frames);
        const char *separator = record->ended ? "; no result of: " : "; running when it ended: ";
        const char *id = NULL;
        json_t *value = NULL;
        json_object_foreach(record->running, id, value)
        {
                fprintf(f, "%s%s", separator, id);
                separator = ", ";
        }
        if (!record->ended && json_object_size(record->running) == 0)
                fprintf(f, "; no case was running when it ended");
        fclose(f);
        return text;
}

bool result_needs(const struct value *result, const char *need)
{
        VALUE_EACH(named, value_member(result, "needs"))
        {
                const char *text = value_text(named);
                if (text && strcmp(text, need) == 0)
                        return true;
        }
        return false;
}
