/* The word that someone who mistyped most likely meant. */
#ifndef NEAREST_H
#define NEAREST_H

#include <jansson.h>

/* The string of the array with the smallest edit distance to word; NULL if the array is empty. */
const char *nearest_name(const char *word, const json_t *names);

#endif
