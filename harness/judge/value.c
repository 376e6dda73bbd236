#include "value.h"

#include <string.h>

const struct value *value_member_sized(const struct value *object, const char *name, size_t size)
{
        if (!object || object->kind != VALUE_OBJECT)
                return NULL;
        const struct value *end = value_behind(object);
        for (const struct value *key = object + 1; key < end; key = value_behind(key + 1)) {
                if (key->first == *name && key->size == size && memcmp(key->text, name, size) == 0)
                        return key + 1;
        }
        return NULL;
}

const char *value_text(const struct value *value)
{
        return value && value->kind == VALUE_TEXT ? value->text : NULL;
}

const char *member_text(const struct value *object, const char *name)
{
        const char *text = value_text(value_member(object, name));
        return text ? text : "";
}

long long value_integer(const struct value *value)
{
        return value && value->kind == VALUE_INTEGER ? value->integer : 0;
}

long long member_integer(const struct value *object, const char *name)
{
        return value_integer(value_member(object, name));
}

size_t value_entries(const struct value *value)
{
        return value && value->kind == VALUE_LIST ? value->size : 0;
}

const struct value *value_entry(const struct value *list, size_t i)
{
        VALUE_EACH(entry, list)
        {
                if (i-- == 0)
                        return entry;
        }
        return NULL;
}
