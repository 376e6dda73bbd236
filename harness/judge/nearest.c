#include "nearest.h"

#include <stdlib.h>
#include <string.h>

static size_t least(size_t a, size_t b, size_t c)
{
        size_t m = a < b ? a : b;
        return m < c ? m : c;
}

/* Levenshtein's distance; a row of the table is kept. SIZE_MAX when memory is short. */
static size_t edit_distance(const char *a, const char *b)
{
        size_t columns = strlen(b);
        size_t *row = malloc((columns + 1) * sizeof(row[0]));
        if (!row)
                return (size_t)-1;
        for (size_t j = 0; j <= columns; j++)
                row[j] = j;
        for (size_t i = 0; a[i]; i++) {
                size_t diagonal = row[0];
                row[0] = i + 1;
                for (size_t j = 0; j < columns; j++) {
                        size_t above = row[j + 1];
                        row[j + 1] = least(above + 1, row[j] + 1, diagonal + (a[i] != b[j]));
                        diagonal = above;
                }
        }
        size_t distance = row[columns];
        free(row);
        return distance;
}

const char *nearest_name(const char *word, const json_t *names)
{
        const char *nearest = NULL;
        size_t best = 0;
        size_t i = 0;
        json_t *name = NULL;
        json_array_foreach(names, i, name)
        {
                size_t distance = edit_distance(word, json_string_value(name));
                if (!nearest || distance < best) {
                        nearest = json_string_value(name);
                        best = distance;
                }
        }
        return nearest;
}
