#include "trace_page.h"

#include "page.h"
#include "trace_page_data.h"

/* The files of reports/web that trace.html names, and the symbols under which they are in the program. */
#define WEB_FILES(FILE)                                                                                                \
        FILE(trace_page_style, "trace.css")                                                                            \
        FILE(trace_page_words, "trace_words.js")                                                                       \
        FILE(trace_page_drawing, "trace_drawing.js")                                                                   \
        FILE(trace_page_model, "trace_model.js")                                                                       \
        FILE(trace_page_details, "trace_details.js")                                                                   \
        FILE(trace_page_view, "trace_view.js")                                                                         \
        FILE(trace_page_overview, "trace_overview.js")                                                                 \
        FILE(trace_page_labels, "trace_labels.js")                                                                     \
        FILE(trace_page_lanes, "trace_lanes.js")                                                                       \
        FILE(trace_page_timeline, "trace_timeline.js")                                                                 \
        FILE(trace_page_controls, "trace_controls.js")                                                                 \
        FILE(trace_page_calls, "trace_calls.js")                                                                       \
        FILE(trace_page_main, "trace.js")

PAGE_EMBED(trace_page_html, "trace.html")
WEB_FILES(PAGE_EMBED)

bool trace_page_write(const struct trace *trace, FILE *out)
{
        static const struct page_part parts[] = {PAGE_SHARED_PARTS WEB_FILES(PAGE_PART)};
        json_t *data = trace_page_data(trace);
        bool written = page_write(trace_page_html, parts, sizeof(parts) / sizeof(parts[0]), data, PAGE_WORD_FRESH, out);
        json_decref(data);
        return written;
}
