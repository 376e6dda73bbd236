/* The reader of values against jansson, which says what is JSON. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "value_reader.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define DEEP 3000

/* The value of so many bytes; NULL with the mistake if they are no JSON. Each is where a look beyond its end is seen.
 */
static const struct value *read_bytes(struct arena *arena, char **copy, const char *bytes, size_t length,
                                      struct value_mistake *mistake)
{
        *copy = malloc(length + 1);
        cr_assert_not_null(*copy);
        memcpy(*copy, bytes, length);
        return value_read(arena, *copy, length, mistake);
}

static void expect_what_jansson_says(const char *text)
{
        struct arena arena = {NULL, 0};
        struct value_mistake mistake = {NULL, 0};
        char *copy = NULL;
        const struct value *value = read_bytes(&arena, &copy, text, strlen(text), &mistake);
        json_t *json = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
        json_t *again = json_of_value(value);
        cr_expect_eq(value != NULL, json != NULL, "%s: %s", text, mistake.what ? mistake.what : "is read");
        cr_expect(!json || json_equal(json, again), "%s", text);
        cr_expect(value || (mistake.what && mistake.at <= strlen(text)), "%s", text);
        json_decref(again);
        json_decref(json);
        arena_free(&arena);
        free(copy);
}

/* Each of the texts that stand between signs. */
static void expect_of_each(const char *texts, char sign)
{
        while (texts) {
                const char *end = strchr(texts, sign);
                char *text = strndup(texts, end ? (size_t)(end - texts) : strlen(texts));
                cr_assert_not_null(text);
                expect_what_jansson_says(text);
                free(text);
                texts = end ? end + 1 : NULL;
        }
}

Test(value, is_what_jansson_reads_and_nothing_else)
{
        static const char *const texts[] = {
                "~ ~1~-1~0~-0~01~-~+1~1.~.5~1.5~1e5~1E+5~1e-5~1e~1e+~-1.25e2~0x10~1a~NaN~Infinity",
                "1e308~1e309~-1e309~1e-400",
                "9223372036854775807~9223372036854775808~-9223372036854775808~-9223372036854775809",
                "true~false~null~tru~truth~True~nul~'a'~//~\v1~1 2~{} {}~[]x~[1]//~ \t\r\n[ 1 , 2 ]\r\n",
                "[]~[ ]~[1]~[1,2]~[1,]~[,1]~[1 2]~[~]~[1~[[]~[]]~[}~{}~{ }~{]",
                "{\"a\":1}~{\"a\" : 1 , \"b\":[{}]}~{\"a\"}~{\"a\":}~{\"a\":1,}~{,\"a\":1}~{a:1}~{1:1}",
                "{\"a\":1 \"b\":2}",
                "{\"a\":1,\"a\":2}~{\"a\":1,\"\\u0061\":2}~{\"a\":{\"a\":1}}~{\"\":1,\"\":2}~{\"\":1}~{\"\xff\":1}",
                "\"\"~\"a~\"a\\~\"\\\"\"~\"\\\\\\/\\b\\f\\n\\r\\t\"~\"\\x\"~\"\\\"~\"\t\"~\"\n\"~\"\x7f\"",
                "\"\\u00e9\\u20ac\"~\"\\ud83d\\ude00\"~\"\\ud83d\"~\"\\ud83dx\"~\"\\ud83d\\n\"~\"\\ud83d\\u0041\"",
                "\"\\ude00\"~\"\\u0000\"~\"\\u12\"~\"\\u12g4\"~\"\\u\"",
                "\"\xc3\xa9\"~\"\xe2\x82\xac\"~\"\xf0\x9f\x98\x80\"~\"\xc3\"~\"\xc0\x80\"~\"\xed\xa0\x80\"",
                "\"\xf4\x90\x80\x80\"~\"\xff\"~\"\xe2\x82\"~\xef\xbb\xbf{}~\xc2\xa0[]",
        };
        for (size_t i = 0; i < COUNT(texts); i++)
                expect_of_each(texts[i], '~');
}

Test(value, of_all_cuts_of_a_text_is_what_jansson_reads)
{
        static const char text[] =
                "{\"a\":[1,-2.5e3,\"\\u00e9\\ud83d\\ude00 \xe2\x82\xac\\n\",{\"b\":null}],\"c\":[true,false]}";
        for (size_t length = 0; length < sizeof(text); length++) {
                char cut[sizeof(text)];
                snprintf(cut, sizeof(cut), "%.*s", (int)length, text);
                expect_what_jansson_says(cut);
        }
}

Test(value, names_that_differ_late_in_large_objects)
{
        for (int twice = 0; twice < 2; twice++) {
                char *text = NULL;
                size_t size = 0;
                FILE *f = open_memstream(&text, &size);
                cr_assert_not_null(f);
                for (int i = 0; i < 100; i++)
                        fprintf(f, "%s\"a name that is like the others: %d\":%d", i ? "," : "{",
                                twice && i == 99 ? 3 : i, i);
                fputs("}", f);
                fclose(f);
                expect_what_jansson_says(text);
                free(text);
        }
}

Test(value, a_nul_ends_no_text)
{
        static const struct {
                const char *bytes;
                size_t length, at;
        } rows[] = {{"[1]\0", 4, 3}, {"\"a\0b\"", 5, 2}, {"\0", 1, 0}, {"[1\0]", 4, 2}};
        for (size_t i = 0; i < COUNT(rows); i++) {
                struct arena arena = {NULL, 0};
                struct value_mistake mistake = {NULL, 0};
                char *copy = NULL;
                cr_expect_null(read_bytes(&arena, &copy, rows[i].bytes, rows[i].length, &mistake));
                cr_expect_eq(mistake.at, rows[i].at, "row %zu: %zu", i, mistake.at);
                arena_free(&arena);
                free(copy);
        }
}

Test(value, says_where_the_mistake_is)
{
        static const struct {
                const char *text, *what;
                size_t at;
        } rows[] = {{"{\"a\":tru}", "no value", 5},
                    {"{\"a\":\"b", "a text that does not end", 7},
                    {"[1 2]", "neither , nor the end of what was begun", 3},
                    {"{\"a\":1,\"a\":2}", "a name twice in an object", 13},
                    {"[\"a\x01\"]", "a control character in a text", 3}};
        for (size_t i = 0; i < COUNT(rows); i++) {
                struct arena arena = {NULL, 0};
                struct value_mistake mistake = {NULL, 0};
                char *copy = NULL;
                cr_expect_null(read_bytes(&arena, &copy, rows[i].text, strlen(rows[i].text), &mistake));
                cr_expect_str_eq(mistake.what, rows[i].what);
                cr_expect_eq(mistake.at, rows[i].at, "%s: %zu", rows[i].text, mistake.at);
                arena_free(&arena);
                free(copy);
        }
}

Test(value, is_no_deeper_than_a_stack_can_be)
{
        char text[2 * DEEP + 1];
        memset(text, '[', DEEP);
        memset(text + DEEP, ']', DEEP);
        text[2 * DEEP] = '\0';
        expect_what_jansson_says(text);
        text[DEEP + 2000] = '\0';
        expect_what_jansson_says(text + DEEP - 2000);
        memset(text, '{', DEEP);
        expect_what_jansson_says(text);
}

Test(value, tells_what_is_asked_for_and_nothing_of_what_is_not_there)
{
        struct arena arena = {NULL, 0};
        char *copy = NULL;
        static const char text[] = "{\"list\":[[1,2],{\"x\":3},\"t\"],\"text\":\"t\",\"number\":-7,\"te\":\"short\"}";
        const struct value *value = read_bytes(&arena, &copy, text, strlen(text), NULL);
        const struct value *list = value_member(value, "list");
        size_t entries = 0;
        VALUE_EACH(entry, list)
        {
                entries++;
        }
        cr_expect_eq(entries, 3);
        cr_expect_eq(value_entries(list), 3);
        cr_expect_eq(member_integer(value_entry(list, 1), "x"), 3);
        cr_expect_str_eq(value_text(value_entry(list, 2)), "t");
        cr_expect_null(value_entry(list, 3));
        cr_expect_str_eq(member_text(value, "te"), "short");
        cr_expect_str_eq(member_text(value, "number"), "", "it is no text");
        cr_expect_str_eq(member_text(value, "tex"), "");
        cr_expect_str_eq(member_text(NULL, "text"), "");
        cr_expect_eq(member_integer(value, "text"), 0);
        cr_expect_eq(member_integer(value, "number"), -7);
        cr_expect_null(value_member(list, "x"), "a list has no members");
        cr_expect_null(value_entry(value, 0), "an object has no entries");
        VALUE_EACH(entry, value_member(value, "text"))
        {
                cr_assert_fail("a text has no entries");
        }
        arena_free(&arena);
        free(copy);
}
