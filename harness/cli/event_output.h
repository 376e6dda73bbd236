/* Events that are followed while they happen: one JSON object a line, each line written whole. */
#ifndef EVENT_OUTPUT_H
#define EVENT_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>

struct event_output {
        int fd;           /* -1: none */
        const char *name; /* as the user wrote it */
        bool lost;        /* something could not be written; told */
};

/*
 * Opens where the events go: a file, which is emptied, or fd:N, a descriptor
 * that is open for writing; CMD does not inherit it. NULL: nowhere. Returns
 * false after one line on standard error.
 */
bool event_output_open(struct event_output *out, const char *where);

/* Writes the event and forgets it. Complains once, and then no more, when it cannot be written. */
void event_output_write(struct event_output *out, json_t *event);

void event_output_close(struct event_output *out);

#endif
