/* Values of JSON text that a test has written. */
#ifndef MADE_VALUE_H
#define MADE_VALUE_H

#include "value_reader.h"

/* The value, in the arena; fails the test if the text is no JSON. */
const struct value *made_value(struct arena *arena, const char *text);

#endif
