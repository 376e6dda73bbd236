#include "sweep_files.h"

#include <errno.h>
#include <string.h>

#include "cli.h"
#include "sweep_json.h"
#include "sweep_junit.h"
#include "sweep_markdown.h"
#include "sweep_page.h"

#define WHY 4200

const char *sweep_paths[SWEEP_FORMATS];

static const struct {
        const char *option;
        bool (*write)(const struct sweep *s, FILE *out);
} formats[SWEEP_FORMATS] = {{"--json", sweep_json_write},
                            {"--junit", sweep_junit_write},
                            {"--markdown", sweep_markdown_write},
                            {"--html", sweep_page_write}};

struct poptOption sweep_file_table[] = {
        {"json", 0, POPT_ARG_STRING, &sweep_paths[SWEEP_AS_JSON], 0, "all runs and findings, for programs", "FILE"},
        {"junit", 0, POPT_ARG_STRING, &sweep_paths[SWEEP_AS_JUNIT], 0, "the runs as JUnit's XML", "FILE"},
        {"markdown", 0, POPT_ARG_STRING, &sweep_paths[SWEEP_AS_MARKDOWN], 0, "the findings for a comment on a change",
         "FILE"},
        {"html", 0, POPT_ARG_STRING, &sweep_paths[SWEEP_AS_HTML], 0,
         "a table of places and errors for a browser, each cell of which opens its run", "FILE"},
        POPT_TABLEEND};

bool sweep_files_open(struct sweep_files *f)
{
        char why[WHY];
        unsigned standard = 0;
        memset(f, 0, sizeof(*f));
        for (size_t i = 0; i < SWEEP_FORMATS; i++)
                standard += sweep_paths[i] && strcmp(sweep_paths[i], "-") == 0;
        if (standard > 1) {
                complain("sweep: only one report can go to standard output");
                return false;
        }
        for (size_t i = 0; i < SWEEP_FORMATS; i++) {
                if (!sweep_paths[i] || output_open(&f->files[i], sweep_paths[i], why, sizeof(why)))
                        continue;
                complain("%s %s", formats[i].option, why);
                return false;
        }
        return true;
}

static bool write_one(struct output_file *out, size_t i, const struct sweep *s)
{
        char why[WHY];
        if (!formats[i].write(s, out->stream))
                snprintf(why, sizeof(why), "%s: %s", out->path, strerror(errno));
        else if (output_commit(out, why, sizeof(why)))
                return true;
        complain("%s %s", formats[i].option, why);
        return false;
}

bool sweep_files_write(struct sweep_files *f, const struct sweep *s)
{
        bool written = true;
        for (size_t i = 0; i < SWEEP_FORMATS; i++)
                written = (!f->files[i].stream || write_one(&f->files[i], i, s)) && written;
        return written;
}

void sweep_files_discard(struct sweep_files *f)
{
        for (size_t i = 0; i < SWEEP_FORMATS; i++)
                output_discard(&f->files[i]);
}
