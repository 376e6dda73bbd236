/*
 * JSON as it was read, and never to be changed. jansson, which writes all JSON
 * of this project and reads what people write, makes a hash table of every
 * object; a record holds some hundred thousand values, of which most are asked
 * for once or never. Here a value stands in one array with what it holds, and
 * its texts stay where they were read.
 */
#ifndef VALUE_H
#define VALUE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum value_kind {
        VALUE_NULL,
        VALUE_FALSE,
        VALUE_TRUE,
        VALUE_INTEGER,
        VALUE_REAL,
        VALUE_TEXT,
        VALUE_LIST,  /* its entries follow it */
        VALUE_OBJECT /* its members follow it: each a text, and the value behind it */
};

struct value {
        uint8_t kind;
        char first;    /* byte of a text, by which most names are told apart without going to them */
        uint32_t size; /* bytes of a text, entries of a list, members of an object */
        union {
                long long integer;
                double real;
                const char *text; /* UTF-8; a NUL behind it, and none in it */
                size_t span;      /* of a list or an object: values from itself to the last that it holds */
        };
};

/* Where the value that follows this one in a list or an object stands. */
static inline const struct value *value_behind(const struct value *value)
{
        return value + (value->kind >= VALUE_LIST ? value->span : 1);
}

/*
 * The value of the member; NULL if there is none, or object is NULL or no
 * object. Here, since the compiler makes one comparison of a name in the source.
 */
static inline const struct value *value_member(const struct value *object, const char *name)
{
        const size_t size = strlen(name);
        if (!object || object->kind != VALUE_OBJECT)
                return NULL;
        const struct value *end = value_behind(object);
        for (const struct value *key = object + 1; key < end; key = value_behind(key + 1)) {
                if (key->first == *name && key->size == size && memcmp(key->text, name, size) == 0)
                        return key + 1;
        }
        return NULL;
}

/* The text; NULL if value is NULL or no text. */
static inline const char *value_text(const struct value *value)
{
        return value && value->kind == VALUE_TEXT ? value->text : NULL;
}

/* The member's text; "" if there is none. */
static inline const char *member_text(const struct value *object, const char *name)
{
        const char *text = value_text(value_member(object, name));
        return text ? text : "";
}

/* The number; 0 if value is NULL or no integer. */
static inline long long value_integer(const struct value *value)
{
        return value && value->kind == VALUE_INTEGER ? value->integer : 0;
}

static inline long long member_integer(const struct value *object, const char *name)
{
        return value_integer(value_member(object, name));
}

/* How many entries the list has; 0 if value is NULL or no list. */
size_t value_entries(const struct value *value);

/* The entry, from 0; NULL if there is none, or list is NULL or no list. */
const struct value *value_entry(const struct value *list, size_t i);

/* Each entry of a list; none if list is NULL or no list. */
#define VALUE_EACH(entry, list)                                                                                        \
        for (const struct value *entry = value_entries(list) ? (list) + 1 : NULL; entry && entry < value_behind(list); \
             entry = value_behind(entry))

#endif
