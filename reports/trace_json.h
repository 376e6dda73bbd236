/* A trace as JSON, whole or an event at a time. */
#ifndef TRACE_JSON_H
#define TRACE_JSON_H

#include <jansson.h>
#include <stdio.h>

#include "trace.h"

/*
 * One event: "event" is call, start (of a program), fork or exit. Times are in
 * nanoseconds since the origin, which is one of CLOCK_MONOTONIC. A call whose
 * return was not seen has the result null. Returns NULL if out of memory; the
 * caller releases it.
 */
json_t *trace_json_event(const struct shm_event *e, int64_t origin, const struct fault_plan *plan,
                         const struct trace_place *place);

/*
 * Writes the whole trace as one object. Returns false, with a part of it
 * written, if out cannot be written or memory runs out; errno tells which.
 */
bool trace_json_write(const struct trace *trace, FILE *out);

#endif
