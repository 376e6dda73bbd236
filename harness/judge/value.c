#include "value.h"

#include <string.h>

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
