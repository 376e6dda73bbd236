/* libFuzzer's target: the reader of values takes what jansson takes, makes the same of it, and nothing else. */
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "value_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct arena arena = {NULL, 0};
        struct value_mistake mistake = {NULL, 0};
        char *text = malloc(size + 1);
        if (!text)
                return 0;
        memcpy(text, data, size);
        const struct value *value = value_read(&arena, text, size, &mistake);
        /* jansson holds a NUL behind the value for its end; a line of a record holds none. */
        bool has_nul = memchr(data, '\0', size) != NULL;
        json_t *json =
                has_nul ? NULL : json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
        json_t *same = json_of_value(value);
        if ((value != NULL) != (json != NULL) || (json && !json_equal(json, same)))
                abort();
        if (!value && (!mistake.what || mistake.at > size))
                abort();
        json_decref(same);
        json_decref(json);
        arena_free(&arena);
        free(text);
        return 0;
}
