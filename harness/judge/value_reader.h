/* Makes values of JSON text. */
#ifndef VALUE_READER_H
#define VALUE_READER_H

#include <jansson.h>

#include "arena.h"
#include "value.h"

/* What is wrong with a text. */
struct value_mistake {
        const char *what; /* NULL: nothing, but memory is short */
        size_t at;        /* the byte, from 0 */
};

/*
 * Reads text, of length bytes, with room for one more. The text is changed, and
 * has to live as long as the value, which is kept in the arena. What is read is
 * RFC 8259 without U+0000, lone surrogates, a name twice in an object, and
 * numbers out of range: what jansson reads with JSON_REJECT_DUPLICATES and
 * JSON_DECODE_ANY. Returns NULL with *mistake (which may be NULL) filled in.
 */
const struct value *value_read(struct arena *arena, char *text, size_t length, struct value_mistake *mistake);

/* The value of the JSON, as far as both know it; NULL when memory is short. */
const struct value *value_of_json(struct arena *arena, const json_t *json);

/* The JSON of a value; the caller owns it. NULL when memory is short, or value is NULL. */
json_t *json_of_value(const struct value *value);

#endif
