/* A trace as a page for a browser: a timeline by process and segment, and the list of calls. */
#ifndef TRACE_PAGE_H
#define TRACE_PAGE_H

#include <stdio.h>

#include "trace.h"

/*
 * Writes the trace as one HTML file that needs nothing else: style, script and
 * data are in it, and its policy forbids every request. Text of the trace may
 * hold anything: it is data in the page, never markup or script; what is no
 * UTF-8 is shown as U+FFFD, and very long text is cut.
 * Returns false, with what has been written left in out, if out cannot be
 * written (errno tells why) or memory runs out.
 */
bool trace_page_write(const struct trace *trace, FILE *out);

#endif
