#include "value_reader.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

#define DEPTH_MAX 2048
#define NONE SIZE_MAX
/* Members of an object up to which each is held against each. */
#define FEW_MEMBERS 32

struct reader {
        char *at; /* what is read next; a NUL ends the text */
        const char *end;
        struct value *values;
        size_t count;
        size_t open; /* the innermost list or object that has not ended; while open, its span is the one around it */
        size_t depth;
        const char *wrong;
};

static bool fail(struct reader *r, const char *what)
{
        r->wrong = what;
        return false;
}

static void skip_blanks(struct reader *r)
{
        while (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r')
                r->at++;
}

static struct value *add_value(struct reader *r, enum value_kind kind)
{
        struct value *value = &r->values[r->count++];
        value->kind = (uint8_t)kind;
        value->size = 0;
        return value;
}

/* ---- texts ---- */

static bool is_hex(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* The number behind \u; 0 for one that is none, or stands for no character. */
static unsigned read_unit(struct reader *r)
{
        char digits[5] = "";
        for (int i = 0; i < 4; i++) {
                if (!is_hex(r->at[i]))
                        return 0;
                digits[i] = r->at[i];
        }
        r->at += 4;
        return (unsigned)strtoul(digits, NULL, 16);
}

static bool read_unicode_escape(struct reader *r, char **to)
{
        ucs4_t c = read_unit(r);
        if (c >= 0xd800 && c < 0xdc00 && r->at[0] == '\\' && r->at[1] == 'u') {
                r->at += 2;
                ucs4_t low = read_unit(r);
                c = low >= 0xdc00 && low < 0xe000 ? 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00) : 0;
        }
        int n = c ? u8_uctomb((uint8_t *)*to, c, 6) : -1;
        if (n < 0)
                return fail(r, "\\u stands for no character");
        *to += n;
        return true;
}

static bool read_escape(struct reader *r, char **to)
{
        static const char names[] = "\"\\/bfnrt";
        static const char meant[] = "\"\\/\b\f\n\r\t";
        char c = r->at[1];
        const char *name = c ? strchr(names, c) : NULL;
        if (c == 'u') {
                r->at += 2;
                return read_unicode_escape(r, to);
        }
        if (!name)
                return fail(r, "an unknown escape in a text");
        *(*to)++ = meant[name - names];
        r->at += 2;
        return true;
}

static bool read_character(struct reader *r, char **to)
{
        ucs4_t c = 0;
        int n = u8_mbtoucr(&c, (const uint8_t *)r->at, (size_t)(r->end - r->at));
        if (n <= 0)
                return fail(r, "no UTF-8");
        memmove(*to, r->at, (size_t)n);
        *to += n;
        r->at += n;
        return true;
}

/* ASCII that stands for itself in a text. A table, since most bytes of a record are asked for it. */
static const bool plain[UCHAR_MAX + 1] = {[' ' ... '!'] = true, ['#' ... '['] = true, [']' ... 0x7f] = true};

static bool is_plain(char c)
{
        return plain[(unsigned char)c];
}

/* Texts are the better part of a record, and most of them are plain to their end. */
static void skip_plain(struct reader *r)
{
        char *at = r->at;
        while (is_plain(*at))
                at++;
        r->at = at;
}

static bool read_text(struct reader *r)
{
        struct value *value = add_value(r, VALUE_TEXT);
        char *begin = ++r->at;
        skip_plain(r);
        char *to = r->at;
        while (*r->at != '"') {
                if (is_plain(*r->at))
                        *to++ = *r->at++;
                else if ((unsigned char)*r->at < 0x20)
                        return fail(r, r->at == r->end ? "a text that does not end" : "a control character in a text");
                else if (!(*r->at == '\\' ? read_escape(r, &to) : read_character(r, &to)))
                        return false;
        }
        r->at++;
        *to = '\0';
        value->text = begin;
        value->first = *begin;
        value->size = (uint32_t)(to - begin);
        return true;
}

/* ---- numbers and words ---- */

/* Returns whether there was at least one. */
static bool skip_digits(struct reader *r)
{
        const char *begin = r->at;
        while (*r->at >= '0' && *r->at <= '9')
                r->at++;
        return r->at != begin;
}

static bool skip_fraction_and_exponent(struct reader *r)
{
        if (*r->at == '.') {
                r->at++;
                if (!skip_digits(r))
                        return false;
        }
        if (*r->at == 'e' || *r->at == 'E') {
                r->at++;
                r->at += *r->at == '+' || *r->at == '-';
                return skip_digits(r);
        }
        return true;
}

static bool read_number(struct reader *r)
{
        const char *begin = r->at;
        r->at += *r->at == '-';
        bool good = true;
        if (*r->at == '0')
                r->at++;
        else
                good = skip_digits(r);
        const char *end_of_integer = r->at;
        if (!good || !skip_fraction_and_exponent(r))
                return fail(r, "no number");
        errno = 0;
        if (r->at == end_of_integer) {
                add_value(r, VALUE_INTEGER)->integer = strtoll(begin, NULL, 10);
                return errno == 0 || fail(r, "a number out of range");
        }
        double real = strtod(begin, NULL);
        add_value(r, VALUE_REAL)->real = real;
        return !isinf(real) || fail(r, "a number out of range");
}

static bool read_word(struct reader *r, const char *word, enum value_kind kind)
{
        size_t length = strlen(word);
        if (strncmp(r->at, word, length) != 0)
                return fail(r, "no value");
        r->at += length;
        add_value(r, kind)->integer = 0;
        return true;
}

static bool read_scalar(struct reader *r)
{
        switch (*r->at) {
        case '"':
                return read_text(r);
        case 't':
                return read_word(r, "true", VALUE_TRUE);
        case 'f':
                return read_word(r, "false", VALUE_FALSE);
        case 'n':
                return read_word(r, "null", VALUE_NULL);
        default:
                return read_number(r);
        }
}

/* ---- lists and objects ---- */

static int by_name(const void *a, const void *b)
{
        const struct value *x = *(const struct value *const *)a;
        const struct value *y = *(const struct value *const *)b;
        if (x->size != y->size)
                return x->size < y->size ? -1 : 1;
        return memcmp(x->text, y->text, x->size);
}

static bool has_twice(const struct value **names, size_t count)
{
        if (count > FEW_MEMBERS) {
                qsort(names, count, sizeof(names[0]), by_name);
                for (size_t i = 1; i < count; i++) {
                        if (by_name(&names[i - 1], &names[i]) == 0)
                                return true;
                }
                return false;
        }
        for (size_t i = 1; i < count; i++) {
                const struct value *b = names[i];
                for (size_t k = 0; k < i; k++) {
                        const struct value *a = names[k];
                        if (a->size == b->size && a->first == b->first && memcmp(a->text, b->text, a->size) == 0)
                                return true;
                }
        }
        return false;
}

static bool names_differ(struct reader *r, const struct value *object)
{
        const struct value *few[FEW_MEMBERS];
        const struct value **names = few;
        if (object->size > FEW_MEMBERS)
                names = calloc(object->size, sizeof(const struct value *));
        if (!names)
                return fail(r, NULL);
        size_t count = 0;
        for (const struct value *name = object + 1; name < value_behind(object); name = value_behind(name + 1))
                names[count++] = name;
        bool twice = has_twice(names, count);
        if (names != few)
                free(names);
        return !twice || fail(r, "a name twice in an object");
}

/* Reads up to where the value of a new entry or member begins. */
static bool begin_entry(struct reader *r)
{
        struct value *around = &r->values[r->open];
        around->size++;
        if (around->kind == VALUE_LIST)
                return true;
        skip_blanks(r);
        if (*r->at != '"')
                return fail(r, "no name of a member");
        if (!read_text(r))
                return false;
        skip_blanks(r);
        if (*r->at != ':')
                return fail(r, "no : behind a name");
        r->at++;
        return true;
}

static char closing_sign(const struct value *value)
{
        return value->kind == VALUE_LIST ? ']' : '}';
}

static bool open_value(struct reader *r)
{
        struct value *value = add_value(r, *r->at == '[' ? VALUE_LIST : VALUE_OBJECT);
        if (++r->depth > DEPTH_MAX)
                return fail(r, "too many lists and objects in each other");
        r->at++;
        value->span = r->open;
        r->open = (size_t)(value - r->values);
        skip_blanks(r);
        return *r->at == closing_sign(value) || begin_entry(r);
}

static bool close_value(struct reader *r)
{
        struct value *value = &r->values[r->open];
        size_t around = value->span;
        value->span = r->count - r->open;
        r->open = around;
        r->depth--;
        r->at++;
        return value->kind == VALUE_LIST || names_differ(r, value);
}

/* Closes what ends behind a value, and reads up to where the next value begins, if there is one. */
static bool go_on(struct reader *r)
{
        while (r->open != NONE) {
                skip_blanks(r);
                if (*r->at == closing_sign(&r->values[r->open])) {
                        if (!close_value(r))
                                return false;
                } else if (*r->at == ',') {
                        r->at++;
                        return begin_entry(r);
                } else {
                        return fail(r, "neither , nor the end of what was begun");
                }
        }
        return true;
}

static bool read_values(struct reader *r)
{
        do {
                skip_blanks(r);
                bool opens = *r->at == '[' || *r->at == '{';
                if (!(opens ? open_value(r) : read_scalar(r)))
                        return false;
                if (opens && r->values[r->open].size > 0)
                        continue;
                if (!go_on(r))
                        return false;
        } while (r->open != NONE);
        skip_blanks(r);
        return r->at == r->end || fail(r, "something behind the value");
}

const struct value *value_read(struct arena *arena, char *text, size_t length, struct value_mistake *mistake)
{
        struct reader r = {.at = text, .end = text + length, .open = NONE};
        /* Each value has a sign of its own, and something between it and the next. */
        if (length < UINT32_MAX)
                r.values = arena_take(arena, (length / 2 + 1) * sizeof(r.values[0]));
        bool good = false;
        if (r.values) {
                text[length] = '\0';
                good = read_values(&r);
                arena_keep(arena, r.values, good ? r.count * sizeof(r.values[0]) : 0);
        }
        if (!good && mistake)
                *mistake = (struct value_mistake){r.wrong, (size_t)(r.at - text)};
        return good ? r.values : NULL;
}

/* ---- to and from jansson ---- */

const struct value *value_of_json(struct arena *arena, const json_t *json)
{
        size_t length = json_dumpb(json, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY);
        char *text = arena_take(arena, length + 1);
        if (length == 0 || !text)
                return NULL;
        json_dumpb(json, text, length, JSON_COMPACT | JSON_ENCODE_ANY);
        return value_read(arena, text, length, NULL);
}

static json_t *json_of_list(const struct value *list)
{
        json_t *json = json_array();
        VALUE_EACH(entry, list)
        {
                json_array_append_new(json, json_of_value(entry));
        }
        return json;
}

static json_t *json_of_object(const struct value *object)
{
        json_t *json = json_object();
        for (const struct value *name = object + 1; name < value_behind(object); name = value_behind(name + 1))
                json_object_setn_new(json, name->text, name->size, json_of_value(name + 1));
        return json;
}

json_t *json_of_value(const struct value *value)
{
        if (!value)
                return NULL;
        switch ((enum value_kind)value->kind) {
        case VALUE_NULL:
                return json_null();
        case VALUE_FALSE:
                return json_false();
        case VALUE_TRUE:
                return json_true();
        case VALUE_INTEGER:
                return json_integer(value->integer);
        case VALUE_REAL:
                return json_real(value->real);
        case VALUE_TEXT:
                return json_stringn(value->text, value->size);
        case VALUE_LIST:
                return json_of_list(value);
        case VALUE_OBJECT:
                return json_of_object(value);
        }
        return NULL;
}
