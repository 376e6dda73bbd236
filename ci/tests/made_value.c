#include "made_value.h"

#include <criterion/criterion.h>
#include <string.h>

const struct value *made_value(struct arena *arena, const char *text)
{
        size_t length = strlen(text);
        char *copy = arena_take(arena, length + 1);
        cr_assert_not_null(copy);
        memcpy(copy, text, length + 1);
        struct value_mistake mistake = {NULL, 0};
        const struct value *value = value_read(arena, copy, length, &mistake);
        cr_assert_not_null(value, "%s: byte %zu: %s", text, mistake.at, mistake.what ? mistake.what : "no memory");
        return value;
}
