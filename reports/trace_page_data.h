/* What the page of a trace knows of it: the data that its script draws. */
#ifndef TRACE_PAGE_DATA_H
#define TRACE_PAGE_DATA_H

#include <jansson.h>

#include "trace.h"

/*
 * The trace as one JSON object of lists whose entries are arrays, so that many
 * calls stay small; trace_model.js reads it. Times are nanoseconds since the
 * start, null for never. Whole numbers that a double cannot hold are their
 * digits. Returns NULL if memory runs out.
 */
json_t *trace_page_data(const struct trace *trace);

#endif
