#include "skip_text.h"

#include <stdlib.h>
#include <string.h>

/* Each need that is missing once, with the number of cases that it takes away. */
static void print_missing_needs(FILE *out, struct terminal_style style, const struct record *record,
                                const struct judgement *j)
{
        const char *need = NULL;
        json_t *why = NULL;
        json_object_foreach(json_object_get(record->start, "missing"), need, why)
        {
                size_t count = 0;
                for (size_t i = 0; i < j->case_count; i++) {
                        if (j->cases[i].verdict == VERDICT_SKIP && result_needs(j->cases[i].of->results[0], need))
                                count++;
                }
                char *line = NULL;
                if (count && asprintf(&line, "skipped for want of %s: %zu (%s)", need, count,
                                      json_string_value(why) ? json_string_value(why) : "") > 0) {
                        print_wrapped(out, style, 2, line);
                        free(line);
                }
        }
}

/* Cases that found out for themselves that they cannot be tried here: each reason once. */
static void print_other_skips(FILE *out, struct terminal_style style, const struct judged_record *judged)
{
        const struct judgement *j = judged->main;
        size_t *same = count_reasons(judged);
        for (size_t i = 0; same && i < j->case_count; i++) {
                const char *reason = j->cases[i].reason;
                char *line = NULL;
                if (j->cases[i].verdict != VERDICT_SKIP || strncmp(reason, "needs ", 6) == 0)
                        continue;
                if (same[i] && asprintf(&line, "skipped: %zu (%s)", same[i], reason) > 0) {
                        print_wrapped(out, style, 2, line);
                        free(line);
                }
        }
        free(same);
}

void print_skips(FILE *out, struct terminal_style style, const struct judged_record *judged)
{
        print_missing_needs(out, style, judged->record, judged->main);
        print_other_skips(out, style, judged);
}
