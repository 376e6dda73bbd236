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

size_t tell_once(const struct judged_record *judged, size_t i, bool *told)
{
        const struct judged_case *cases = judged->main->cases;
        size_t same = 0;
        if (told[i])
                return 0;
        for (size_t k = i; k < judged->main->case_count; k++) {
                if (cases[k].verdict == cases[i].verdict && strcmp(cases[k].reason, cases[i].reason) == 0) {
                        told[k] = true;
                        same++;
                }
        }
        return same;
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
