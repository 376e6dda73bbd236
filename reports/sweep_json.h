/* A sweep as JSON, for programs. */
#ifndef SWEEP_JSON_H
#define SWEEP_JSON_H

#include <jansson.h>
#include <stdio.h>

#include "sweep.h"

/* All of it. The caller releases it. */
json_t *sweep_as_json(const struct sweep *s);

/* Writes all of it. Returns false with errno if that could not be done, or memory was short. */
bool sweep_json_write(const struct sweep *s, FILE *out);

#endif
