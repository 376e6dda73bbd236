#include "sweep_page.h"

#include "page.h"
#include "sweep_json.h"

/* The files of reports/web that sweep.html names, and the symbols under which they are in the program. */
#define WEB_FILES(FILE)                                                                                                \
        FILE(sweep_page_style, "sweep.css")                                                                            \
        FILE(sweep_page_model, "sweep_model.js")                                                                       \
        FILE(sweep_page_parts, "sweep_parts.js")                                                                       \
        FILE(sweep_page_main, "sweep.js")

PAGE_EMBED(sweep_page_html, "sweep.html")
WEB_FILES(PAGE_EMBED)

bool sweep_page_write(const struct sweep *s, FILE *out)
{
        static const struct page_part parts[] = {PAGE_SHARED_PARTS WEB_FILES(PAGE_PART)};
        json_t *data = sweep_as_json(s);
        bool written = page_write(sweep_page_html, parts, sizeof(parts) / sizeof(parts[0]), data, PAGE_WORD_FRESH, out);
        json_decref(data);
        return written;
}
