/* The record reader against what consoles, kernels and power cuts do to a record. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "record_reader.h"

#define START "{\"type\":\"start\",\"format\":1,\"results\":2}"
#define BEGIN(id) "{\"type\":\"begin\",\"id\":\"" id "\",\"round\":1}"
#define RESULT(id) "{\"type\":\"case\",\"id\":\"" id "\",\"status\":\"done\",\"file\":\"f\",\"line\":1}"
#define END "{\"type\":\"end\",\"results\":2}"

static const char *const whole[] = {START, BEGIN("b"), BEGIN("a"), RESULT("b"), RESULT("a"), END};
#define WHOLE (sizeof(whole) / sizeof(whole[0]))

/* The objects in frames, each between before and after; the caller frees it. */
static char *framed(const char *const *objects, size_t count, const char *before, const char *after)
{
        size_t room = 1;
        for (size_t i = 0; i < count; i++)
                room += strlen(before) + strlen(objects[i]) + strlen(after) + 64;
        char *text = malloc(room);
        size_t length = 0;
        cr_assert_not_null(text);
        for (size_t i = 0; i < count; i++) {
                unsigned long crc = crc32(0, (const Bytef *)objects[i], (uInt)strlen(objects[i]));
                length += (size_t)snprintf(text + length, room - length, "%s@shmcheck %zu %08lx %s%s", before, i, crc,
                                           objects[i], after);
        }
        return text;
}

static struct record_reader *read_text(const char *text, size_t length, size_t piece, enum record_status *status)
{
        struct record_reader *r = record_reader_new();
        cr_assert_not_null(r);
        for (size_t at = 0; at < length; at += piece) {
                if (!record_reader_feed(r, text + at, at + piece < length ? piece : length - at))
                        break;
        }
        *status = record_reader_finish(r, NULL);
        return r;
}

static void expect_whole(const char *text, size_t piece)
{
        enum record_status status;
        struct record_reader *r = read_text(text, strlen(text), piece, &status);
        const struct record *record = record_reader_record(r);
        cr_expect_eq(status, RECORD_OK);
        cr_expect(record_is_complete(record));
        cr_assert_eq(record->case_count, 2);
        cr_expect_str_eq(record->cases[0].id, "a", "the cases are put in order");
        cr_expect_eq(json_object_size(record->running), 0);
        record_reader_free(r);
}

Test(record_reader, reads_a_record_in_pieces_of_any_size)
{
        char *text = framed(whole, WHOLE, "", "\n");
        for (size_t piece = 1; piece <= strlen(text); piece += piece < 16 ? 1 : 37)
                expect_whole(text, piece);
        free(text);
}

Test(record_reader, survives_what_stands_around_the_frames)
{
        static const struct {
                const char *before, *after;
        } around[] = {
                {"[    1.234567] usb 1-1: new device\n", "\n"},
                {"[    1.234567] text in front on the same line ", "\n"},
                {"", "\r\n"},
                {"\n\n\r\n", "\n\n"},
                {"@shmcheck\n@shmchec @shmcheck", "\n"},
                {"\033[0m\001\002 \xff\xfe ", "\n"},
        };
        for (size_t i = 0; i < sizeof(around) / sizeof(around[0]); i++) {
                char *text = framed(whole, WHOLE, around[i].before, around[i].after);
                bool misleading = strstr(around[i].before, "@shmcheck\n@") != NULL;
                if (!misleading)
                        expect_whole(text, 7);
                free(text);
        }
}

Test(record_reader, takes_the_last_line_without_its_newline)
{
        char *text = framed(whole, WHOLE, "", "\n");
        text[strlen(text) - 1] = '\0';
        expect_whole(text, 5);
        free(text);
}

Test(record_reader, tells_a_cut_record_at_every_byte)
{
        char *text = framed(whole, WHOLE, "", "\n");
        size_t last = strlen(text) - 1;
        for (size_t length = 1; length < last; length++) {
                enum record_status status;
                struct record_reader *r = read_text(text, length, 64, &status);
                cr_expect(!record_is_complete(record_reader_record(r)), "cut after %zu bytes", length);
                record_reader_free(r);
        }
        free(text);
}

Test(record_reader, names_the_case_that_was_running)
{
        char *text = framed(whole, 4, "", "\n");
        enum record_status status;
        struct record_reader *r = read_text(text, strlen(text), 64, &status);
        char *cut = record_describe_cut(record_reader_record(r));
        cr_expect_eq(status, RECORD_OK);
        cr_expect_str_eq(cut, "the record is cut short: 1 of 2 results; running when it ended: a");
        free(cut);
        record_reader_free(r);
        free(text);
}

Test(record_reader, counts_damaged_and_missing_frames)
{
        static const struct {
                const char *find, *put; /* of equal length */
                size_t damaged, missing;
        } harms[] = {
                {"\"id\":\"a\",\"status\"", "\"id\":\"x\",\"status\"", 1, 1},
                {"@shmcheck 3 ", "#shmcheck 3 ", 0, 1},
                {"@shmcheck 5 ", "@shmcheck 9 ", 0, 4},
                {"@shmcheck 2 ", "@shmcheck z ", 1, 1},
        };
        for (size_t i = 0; i < sizeof(harms) / sizeof(harms[0]); i++) {
                char *text = framed(whole, WHOLE, "", "\n");
                char *at = strstr(text, harms[i].find);
                cr_assert_not_null(at);
                memcpy(at, harms[i].put, strlen(harms[i].put));
                enum record_status status;
                struct record_reader *r = read_text(text, strlen(text), 64, &status);
                const struct record *record = record_reader_record(r);
                cr_expect_eq(record->damaged_frames, harms[i].damaged, "harm %zu: %zu", i, record->damaged_frames);
                cr_expect_eq(record->missing_frames, harms[i].missing, "harm %zu: %zu", i, record->missing_frames);
                cr_expect(!record_is_complete(record));
                record_reader_free(r);
                free(text);
        }
}

Test(record_reader, refuses_what_it_cannot_read_and_says_why)
{
        static const char *const newer[] = {"{\"type\":\"start\",\"format\":2,\"results\":0}"};
        static const char *const twice[] = {START, START};
        enum record_status status;
        char *text = framed(newer, 1, "", "\n");
        record_reader_free(read_text(text, strlen(text), 64, &status));
        cr_expect_eq(status, RECORD_NEWER);
        free(text);
        text = framed(twice, 2, "noise\n", "\n");
        struct record_reader *r = record_reader_new();
        size_t line = 0;
        record_reader_feed(r, text, strlen(text));
        cr_expect_eq(record_reader_finish(r, &line), RECORD_TWICE);
        cr_expect_eq(line, 4);
        record_reader_free(r);
        free(text);
        record_reader_free(read_text("", 0, 64, &status));
        cr_expect_eq(status, RECORD_EMPTY);
        record_reader_free(read_text("a\nb\n", 4, 64, &status));
        cr_expect_eq(status, RECORD_EMPTY);
}

Test(record_reader, passes_over_types_of_a_later_agent)
{
        static const char *const later[] = {START, "{\"type\":\"weather\",\"id\":7}", RESULT("a"), RESULT("b"), END};
        char *text = framed(later, 5, "", "\n");
        expect_whole(text, 64);
        free(text);
}

Test(record_reader, holds_objects_without_their_members_for_damage)
{
        static const char *const broken[] = {START, "{\"type\":\"case\"}", "{}", "{\"type\":7}"};
        char *text = framed(broken, 4, "", "\n");
        enum record_status status;
        struct record_reader *r = read_text(text, strlen(text), 64, &status);
        cr_expect_eq(record_reader_record(r)->damaged_frames, 3);
        record_reader_free(r);
        free(text);
}

Test(record_reader, says_where_the_first_damage_is)
{
        static const struct {
                const char *object, *at, *what; /* the mistake begins where at does, if it has a place in the line */
        } rows[] = {
                {"{\"type\":\"case\",\"id\":tru}", "tru", "no value"},
                {"{\"type\":\"case\",\"steps\":[{\"n\":1,\"n\":2}]}", "]}", "a name twice in an object"},
                {"{\"type\":\"case\",\"steps\":[\"\xff\"]}", "\xff", "no UTF-8"},
                {"[]", "[", "no object"},
                {"{\"type\":\"case\"}", NULL, "a case without \"id\" or \"status\""},
                {"{}", NULL, "an object without \"type\""},
        };
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                const char *const objects[] = {START, rows[i].object, rows[i].object};
                char *text = framed(objects, 3, "noise\n", "\n");
                char expected[256];
                enum record_status status;
                struct record_reader *r = read_text(text, strlen(text), 64, &status);
                char *cut = record_describe_cut(record_reader_record(r));
                const char *line = strstr(text, "@shmcheck 1 ");
                if (rows[i].at)
                        snprintf(expected, sizeof(expected), ", 2 damaged (the first: line 4, column %td: %s)",
                                 strstr(line + strlen("@shmcheck 1 01234567 "), rows[i].at) - line + 1, rows[i].what);
                else
                        snprintf(expected, sizeof(expected), ", 2 damaged (the first: line 4: %s)", rows[i].what);
                cr_expect_not_null(strstr(cut, expected), "%s: not %s", cut, expected);
                free(cut);
                record_reader_free(r);
                free(text);
        }
}

/* The call of the first step of the case's round; "" if it has none. */
static const char *first_call(const struct record *record, size_t at, size_t round)
{
        const struct value *steps = record_case_steps(&record->cases[at], round);
        return member_text(value_entry(steps, 0), "call");
}

#define STEPS(id, round, call)                                                                                         \
        "{\"type\":\"steps\",\"id\":\"" id "\",\"round\":" round ",\"steps\":[{\"n\":1,\"call\":\"" call "\"}]}"
#define ROUND(id, round)                                                                                               \
        "{\"type\":\"case\",\"id\":\"" id "\",\"round\":" round ",\"status\":\"done\",\"file\":\"f.c\"}"

Test(record_reader, gives_each_result_its_steps_wherever_they_stand)
{
        static const char *const objects[] = {
                START,
                STEPS("b", "2", "shmdt"),
                STEPS("a", "1", "shmat"),
                ROUND("b", "1"),
                ROUND("a", "1"),
                ROUND("b", "2"),
                /* Behind its result, and with its members in another order. */
                "{\"steps\":[{\"n\":1,\"call\":\"shmget\"}],\"round\":1,\"id\":\"b\",\"type\":\"steps\"}",
                "{\"type\":\"case\",\"id\":\"c\",\"status\":\"done\",\"file\":\"f.c\",\"steps\":[{\"n\":1,\"call\":"
                "\"ftok\"}]}",
                STEPS("lost", "1", "shmctl"),
                END,
        };
        enum record_status status;
        char *text = framed(objects, sizeof(objects) / sizeof(objects[0]), "", "\n");
        struct record_reader *r = read_text(text, strlen(text), 64, &status);
        const struct record *record = record_reader_record(r);
        cr_assert_eq(record->case_count, 3);
        cr_expect_eq(record->damaged_frames + record->missing_frames, 0);
        cr_expect_str_eq(first_call(record, 0, 0), "shmat");
        cr_expect_str_eq(first_call(record, 1, 0), "shmget");
        cr_expect_str_eq(first_call(record, 1, 1), "shmdt");
        cr_expect_str_eq(first_call(record, 1, 1), "shmdt", "and again");
        cr_expect_str_eq(first_call(record, 2, 0), "ftok");
        record_reader_free(r);
        free(text);
}

Test(record_reader, says_of_steps_that_they_cannot_be_read)
{
        static const char *const objects[] = {START,
                                              "{\"type\":\"steps\",\"id\":\"a\",\"round\":1,\"steps\":[{]}",
                                              ROUND("a", "1"),
                                              "{\"type\":\"steps\",\"id\":\"b\",\"round\":1,\"steps\":7}",
                                              ROUND("b", "1"),
                                              "{\"type\":\"steps\",\"round\":1,\"steps\":[]}",
                                              END};
        enum record_status status;
        char *text = framed(objects, sizeof(objects) / sizeof(objects[0]), "", "\n");
        struct record_reader *r = read_text(text, strlen(text), 64, &status);
        const struct record *record = record_reader_record(r);
        cr_assert_eq(record->case_count, 2);
        for (size_t i = 0; i < 2; i++) {
                const struct value *steps = record_case_steps(&record->cases[i], 0);
                cr_expect_eq(value_entries(steps), 1);
                cr_expect_not_null(strstr(member_text(value_entry(steps, 0), "text"), "cannot be read"));
        }
        cr_expect_eq(record->damaged_frames, 1);
        cr_expect_not_null(strstr(record->damage, "steps without \"id\" or \"steps\""));
        record_reader_free(r);
        free(text);
}

Test(record_reader, does_not_keep_an_endless_line)
{
        size_t length = 6 * 1024 * 1024;
        char *noise = malloc(length);
        char *text = framed(whole, WHOLE, "", "\n");
        enum record_status status = RECORD_OK;
        cr_assert_not_null(noise);
        memset(noise, 'x', length);
        struct record_reader *r = record_reader_new();
        cr_expect(record_reader_feed(r, noise, length));
        cr_expect(record_reader_feed(r, "\n", 1));
        cr_expect(record_reader_feed(r, text, strlen(text)));
        status = record_reader_finish(r, NULL);
        cr_expect_eq(status, RECORD_OK);
        cr_expect(record_is_complete(record_reader_record(r)));
        record_reader_free(r);
        free(noise);
        free(text);
}
