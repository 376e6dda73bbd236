#include "judged_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case_text.h"

const char *topic_at(const struct judged_record *judged, size_t i)
{
        const char *topic = member_text(judged->main->cases[i].of->results[0], "topic");
        return *topic ? topic : "?";
}

size_t topic_end(const struct judged_record *judged, size_t first)
{
        size_t end = first + 1;
        while (end < judged->main->case_count && strcmp(topic_at(judged, end), topic_at(judged, first)) == 0)
                end++;
        return end;
}

void count_verdicts(const struct judged_record *judged, size_t first, size_t end, size_t by_verdict[VERDICTS])
{
        memset(by_verdict, 0, VERDICTS * sizeof(by_verdict[0]));
        for (size_t i = first; i < end; i++)
                by_verdict[judged->main->cases[i].verdict]++;
}

size_t diverging(const size_t by_verdict[VERDICTS])
{
        size_t count = 0;
        for (enum verdict v = VERDICT_PASS; v < VERDICTS; v++)
                count += verdict_diverges(v) ? by_verdict[v] : 0;
        return count;
}

static int by_reason(const void *a, const void *b)
{
        const struct judged_case *x = *(const struct judged_case *const *)a;
        const struct judged_case *y = *(const struct judged_case *const *)b;
        if (x->verdict != y->verdict)
                return x->verdict < y->verdict ? -1 : 1;
        int reasons = strcmp(x->reason, y->reason);
        return reasons ? reasons : (x > y) - (x < y);
}

static bool share_reason(const struct judged_case *a, const struct judged_case *b)
{
        return a->verdict == b->verdict && strcmp(a->reason, b->reason) == 0;
}

size_t *count_reasons(const struct judged_record *judged)
{
        const struct judged_case *cases = judged->main->cases;
        size_t count = judged->main->case_count;
        size_t *counts = calloc(count + 1, sizeof(counts[0]));
        const struct judged_case **sorted = calloc(count + 1, sizeof(const struct judged_case *));
        for (size_t i = 0; sorted && i < count; i++)
                sorted[i] = &cases[i];
        if (counts && sorted) {
                qsort(sorted, count, sizeof(const struct judged_case *), by_reason);
                for (size_t first = 0, i = 0; i < count; i++) {
                        first = share_reason(sorted[first], sorted[i]) ? first : i;
                        counts[sorted[first] - cases]++;
                }
        }
        free(sorted);
        if (sorted)
                return counts;
        free(counts);
        return NULL;
}

static void print_score(FILE *out, const struct judgement *j)
{
        fprintf(out, "%s %zu/%zu", j->profile->title, judgement_passed(j), judgement_tried(j));
}

char *describe_score(const struct judged_record *judged)
{
        static const struct {
                enum verdict verdict;
                const char *word;
        } counts[] = {{VERDICT_KNOWN, "known"}, {VERDICT_SKIP, "skipped"}, {VERDICT_RECORD, "recorded only"}};
        char *text = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&text, &size);
        if (!f)
                return NULL;
        for (size_t i = 0; i < judged->other_count; i++) {
                print_score(f, judged->others[i]);
                fputs(", ", f);
        }
        print_score(f, judged->main);
        for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
                if (judged->main->by_verdict[counts[i].verdict])
                        fprintf(f, ", %zu %s", judged->main->by_verdict[counts[i].verdict], counts[i].word);
        }
        fclose(f);
        return text;
}
