#include "terminal_report.h"

#include <stdlib.h>
#include <string.h>

#include "skip_text.h"

#define ERRORS_SHOWN 6

/* A set-up that fails for one reason in many cases is one thing to tell, not many. */
static void print_errors(FILE *out, struct terminal_style style, const struct judged_record *judged,
                         const char *platform)
{
        const struct judgement *j = judged->main;
        size_t *same = count_reasons(judged);
        size_t shown = 0;
        for (size_t i = 0; same && i < j->case_count; i++) {
                if (j->cases[i].verdict != VERDICT_ERROR || same[i] == 0 || ++shown > ERRORS_SHOWN)
                        continue;
                fputc('\n', out);
                print_case(out, style, &j->cases[i], platform);
                if (same[i] > 1)
                        fprintf(out, "     and %zu more cases for the same reason\n", same[i] - 1);
        }
        if (shown > ERRORS_SHOWN)
                fprintf(out, "\n... and errors for %zu more reasons; --json has them all\n", shown - ERRORS_SHOWN);
        free(same);
}

static void print_count(FILE *out, struct terminal_style style, size_t n, enum terminal_ink color)
{
        if (n) {
                print_ink(out, style, color);
                fprintf(out, "%8zu", n);
                print_ink(out, style, INK_PLAIN);
        } else {
                fprintf(out, "%8s", "-");
        }
}

static void print_row(FILE *out, struct terminal_style style, const char *name, const size_t *count, bool errors)
{
        fprintf(out, "%-22s", name);
        print_count(out, style, count[VERDICT_PASS], INK_GREEN);
        print_count(out, style, diverging(count), INK_RED);
        print_count(out, style, count[VERDICT_KNOWN], INK_YELLOW);
        print_count(out, style, count[VERDICT_SKIP], INK_YELLOW);
        if (errors)
                print_count(out, style, count[VERDICT_ERROR], INK_YELLOW);
        fputc('\n', out);
}

static void print_table(FILE *out, struct terminal_style style, const struct judged_record *judged)
{
        bool errors = judged->main->by_verdict[VERDICT_ERROR] != 0;
        fputc('\n', out);
        print_ink(out, style, INK_BOLD);
        fprintf(out, "%-22s%8s%8s%8s%8s%s\n", "topic", "pass", "fail", "known", "skip", errors ? "   error" : "");
        print_ink(out, style, INK_PLAIN);
        size_t end = 0;
        for (size_t first = 0; first < judged->main->case_count; first = end) {
                size_t count[VERDICTS];
                char *name = made_harmless(topic_at(judged, first));
                end = topic_end(judged, first);
                count_verdicts(judged, first, end, count);
                print_row(out, style, name ? name : "?", count, errors);
                free(name);
        }
}

static void print_closing(FILE *out, struct terminal_style style, const struct judged_record *judged,
                          const char *platform)
{
        char *score = describe_score(judged);
        char *line = NULL;
        if (asprintf(&line, "%s%s%s · %s", judged->label ? judged->label : "", judged->label ? ": " : "",
                     score ? score : "", platform) > 0) {
                print_ink(out, style, judgement_exit_status(judged->main, judged->record) ? INK_RED : INK_GREEN);
                print_wrapped(out, style, 0, line);
                print_ink(out, style, INK_PLAIN);
                free(line);
        }
        free(score);
}

void terminal_closing(FILE *out, struct terminal_style style, const struct judged_record *judged)
{
        char *platform = describe_platform(judged->record);
        print_closing(out, style, judged, platform ? platform : "");
        free(platform);
}

void terminal_report(FILE *out, struct terminal_style style, const struct judged_record *judged)
{
        char *platform = describe_platform(judged->record);
        const struct judgement *j = judged->main;
        for (size_t i = 0; i < j->case_count; i++) {
                if (!verdict_diverges(j->cases[i].verdict))
                        continue;
                fputc('\n', out);
                print_case(out, style, &j->cases[i], platform ? platform : "");
        }
        print_errors(out, style, judged, platform ? platform : "");
        print_table(out, style, judged);
        print_skips(out, style, judged);
        fputc('\n', out);
        print_closing(out, style, judged, platform ? platform : "");
        free(platform);
}
