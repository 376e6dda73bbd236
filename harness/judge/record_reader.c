#include "record_reader.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

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
        json_t *index; /* id -> position in cases */
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
                struct record_case *c = &r->record.cases[i];
                for (size_t j = 0; j < c->count; j++)
                        json_decref(c->results[j]);
                free(c->results);
                free(c->id);
        }
        free(r->record.cases);
        json_decref(r->record.start);
        json_decref(r->record.listed);
        json_decref(r->record.running);
        json_decref(r->index);
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
        struct record_case *c = &r->record.cases[r->record.case_count];
        memset(c, 0, sizeof(*c));
        c->id = strdup(id);
        if (!c->id || json_object_set_new(r->index, id, json_integer((json_int_t)r->record.case_count)) == -1) {
                free(c->id);
                return NULL;
        }
        r->record.case_count++;
        return c;
}

static bool take_case(struct record_reader *r, json_t *object)
{
        const char *id = json_string_value(json_object_get(object, "id"));
        const char *status = json_string_value(json_object_get(object, "status"));
        if (!id || !status) {
                r->record.damaged_frames++;
                return true;
        }
        struct record_case *c = case_named(r, id);
        if (!c)
                return fail(r, RECORD_NO_MEMORY);
        json_t **results = realloc(c->results, (c->count + 1) * sizeof(results[0]));
        if (!results)
                return fail(r, RECORD_NO_MEMORY);
        c->results = results;
        c->results[c->count++] = json_incref(object);
        r->record.results++;
        json_object_del(r->record.running, id);
        return true;
}

static bool take_start(struct record_reader *r, json_t *object)
{
        if (r->record.start)
                return fail(r, RECORD_TWICE);
        json_t *format = json_object_get(object, "format");
        if (!json_is_integer(format)) {
                r->record.damaged_frames++;
                return true;
        }
        if (json_integer_value(format) > FORMAT_KNOWN)
                return fail(r, RECORD_NEWER);
        r->record.start = json_incref(object);
        return true;
}

static bool take_object(struct record_reader *r, json_t *object)
{
        const char *type = json_string_value(json_object_get(object, "type"));
        const char *id = json_string_value(json_object_get(object, "id"));
        if (!type) {
                r->record.damaged_frames++;
                return true;
        }
        if (strcmp(type, "start") == 0)
                return take_start(r, object);
        if (strcmp(type, "case") == 0)
                return take_case(r, object);
        if (strcmp(type, "begin") == 0 && id)
                json_object_set_new(r->record.running, id, json_true());
        else if (strcmp(type, "list") == 0)
                json_array_append(r->record.listed, object);
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

/* "SEQUENCE CRC {...}" */
static bool take_frame(struct record_reader *r, const char *frame, size_t length)
{
        char head[48];
        size_t head_length = length < sizeof(head) - 1 ? length : sizeof(head) - 1;
        memcpy(head, frame, head_length);
        head[head_length] = '\0';
        unsigned long sequence = 0;
        unsigned long crc = 0;
        int consumed = 0;
        if (sscanf(head, "%9lu %8lx %n", &sequence, &crc, &consumed) != 2 || consumed == 0) {
                r->record.damaged_frames++;
                return true;
        }
        r->any_frame = true;
        const char *json = frame + consumed;
        size_t json_length = length - (size_t)consumed;
        json_t *object = NULL;
        if (checksum_fits(json, json_length, crc))
                object = json_loadb(json, json_length, JSON_REJECT_DUPLICATES, NULL);
        if (!json_is_object(object)) {
                json_decref(object);
                r->record.damaged_frames++;
                return true;
        }
        count_sequence(r, sequence);
        bool go_on = take_object(r, object);
        json_decref(object);
        return go_on;
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
        return take_frame(r, frame, length - (size_t)(frame - line));
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

static bool end_line(struct record_reader *r)
{
        bool go_on = r->overlong || take_line(r, r->pending, r->pending_length);
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
                if (!keep_pending(r, bytes, (size_t)((newline ? newline : end) - bytes)))
                        return false;
                if (!newline)
                        return true;
                if (!end_line(r))
                        return false;
                bytes = newline + 1;
        }
        return true;
}

static int by_place(const void *a, const void *b)
{
        const json_t *x = ((const struct record_case *)a)->results[0];
        const json_t *y = ((const struct record_case *)b)->results[0];
        const char *file_x = json_string_value(json_object_get(x, "file"));
        const char *file_y = json_string_value(json_object_get(y, "file"));
        int files = strcmp(file_x ? file_x : "", file_y ? file_y : "");
        if (files)
                return files;
        json_int_t line_x = json_integer_value(json_object_get(x, "line"));
        json_int_t line_y = json_integer_value(json_object_get(y, "line"));
        if (line_x != line_y)
                return line_x < line_y ? -1 : 1;
        return strcmp(((const struct record_case *)a)->id, ((const struct record_case *)b)->id);
}

enum record_status record_reader_finish(struct record_reader *r, size_t *line)
{
        if (r->status == RECORD_OK && r->pending_length)
                end_line(r);
        if (r->record.case_count)
                qsort(r->record.cases, r->record.case_count, sizeof(r->record.cases[0]), by_place);
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
                fprintf(f, ", %zu damaged", record->damaged_frames);
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

bool result_needs(const json_t *result, const char *need)
{
        size_t i = 0;
        json_t *named = NULL;
        json_array_foreach(json_object_get(result, "needs"), i, named)
        {
                if (json_is_string(named) && strcmp(json_string_value(named), need) == 0)
                        return true;
        }
        return false;
}
