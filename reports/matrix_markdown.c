/*
 * The matrix as Markdown. Platforms are numbered: the first table says which is
 * which, so that the others stay narrow.
 */
#include <stdlib.h>

#include "markdown_text.h"
#include "matrix_format.h"

#define TEXT_LIMIT ((size_t)600)

static const char *const signs[VERDICTS] = {
        [VERDICT_PASS] = "\u2713",          [VERDICT_FAIL] = "**\u2717 fail**",   [VERDICT_CRASH] = "**\u2717 crash**",
        [VERDICT_HANG] = "**\u2717 hang**", [VERDICT_FLAKY] = "**\u2717 flaky**", [VERDICT_ERROR] = "? error",
        [VERDICT_KNOWN] = "\u2248 known",   [VERDICT_FIXED] = "**+ fixed**",      [VERDICT_SKIP] = "skip",
        [VERDICT_RECORD] = "\u00b7",
};

static void put_score(FILE *out, struct matrix_score score)
{
        if (score.tried)
                fprintf(out, " %zu/%zu |", score.passed, score.tried);
        else
                fputs(" - |", out);
}

static bool level_is_tried(const struct platform_matrix *m, size_t level)
{
        for (size_t i = 0; i < m->platform_count; i++) {
                if (m->platforms[i].scores[level].tried)
                        return true;
        }
        return false;
}

static void put_repeated(FILE *out, const char *text, size_t times)
{
        while (times--)
                fputs(text, out);
}

static void put_platform_row(const struct platform_matrix *m, size_t i, FILE *out)
{
        const struct matrix_platform *p = &m->platforms[i];
        fprintf(out, "| %zu | ", i + 1);
        put_markdown(out, p->name, TEXT_LIMIT);
        fputs(" | ", out);
        put_markdown(out, p->profile, TEXT_LIMIT);
        fputs(" |", out);
        put_score(out, p->all);
        for (size_t level = 0; level < MATRIX_LEVELS; level++) {
                if (level_is_tried(m, level))
                        put_score(out, p->scores[level]);
        }
        fputc('\n', out);
}

static void put_platforms(const struct platform_matrix *m, FILE *out)
{
        size_t columns = 1;
        fputs("|  | platform | judged by | all |", out);
        for (size_t level = 0; level < MATRIX_LEVELS; level++) {
                if (!level_is_tried(m, level))
                        continue;
                fprintf(out, " %s |", matrix_level(level));
                columns++;
        }
        fputs("\n|--:|:--|:--|", out);
        put_repeated(out, "--:|", columns);
        fputc('\n', out);
        for (size_t i = 0; i < m->platform_count; i++)
                put_platform_row(m, i, out);
        for (size_t i = 0; i < m->platform_count; i++) {
                if (!m->platforms[i].cut)
                        continue;
                fprintf(out, "\nThe record of platform %zu is not whole: ", i + 1);
                put_markdown(out, m->platforms[i].cut, TEXT_LIMIT);
                fputc('\n', out);
        }
}

static void put_numbered_head(const struct platform_matrix *m, const char *first, const char *align, FILE *out)
{
        fprintf(out, "\n| %s |", first);
        for (size_t i = 0; i < m->platform_count; i++)
                fprintf(out, " %zu |", i + 1);
        fputs("\n|:--|", out);
        put_repeated(out, align, m->platform_count);
        fputc('\n', out);
}

static void put_topics(const struct platform_matrix *m, FILE *out)
{
        size_t end = 0;
        put_numbered_head(m, "topic", "--:|", out);
        for (size_t first = 0; first < m->behaviour_count; first = end) {
                end = matrix_topic_end(m, first);
                fputs("| ", out);
                put_markdown(out, m->topics[m->behaviours[first].topic], TEXT_LIMIT);
                fputs(" |", out);
                for (size_t i = 0; i < m->platform_count; i++)
                        put_score(out, matrix_score_of(m, i, first, end));
                fputc('\n', out);
        }
}

static bool is_worth_telling(const struct matrix_behaviour *b)
{
        return matrix_differs(b) || matrix_diverges(b);
}

static void put_behaviour(const struct platform_matrix *m, const struct matrix_behaviour *b, FILE *out)
{
        fputs("| **", out);
        put_markdown(out, b->id, TEXT_LIMIT);
        fputs("** ", out);
        put_markdown(out, b->sentence, TEXT_LIMIT);
        fprintf(out, " (%s) |", matrix_level(b->level));
        for (size_t i = 0; i < m->platform_count; i++) {
                const struct matrix_story *story = matrix_story_of(b, i);
                fprintf(out, " %s |", story ? signs[story->verdict] : "");
        }
        fputc('\n', out);
}

static void put_differences(const struct platform_matrix *m, FILE *out)
{
        size_t count = 0;
        for (size_t i = 0; i < m->behaviour_count; i++)
                count += is_worth_telling(&m->behaviours[i]);
        fprintf(out, "\n## Where platforms differ or diverge: %zu of %zu behaviours\n", count, m->behaviour_count);
        size_t topic = m->topic_count;
        for (size_t i = 0; i < m->behaviour_count; i++) {
                const struct matrix_behaviour *b = &m->behaviours[i];
                if (!is_worth_telling(b))
                        continue;
                if (topic != b->topic)
                        put_numbered_head(m, "behaviour", ":-:|", out);
                topic = b->topic;
                put_behaviour(m, b, out);
        }
}

static bool write_markdown(const struct platform_matrix *m, FILE *out)
{
        fputs("# System V shared memory: platforms and behaviours\n\n", out);
        put_platforms(m, out);
        put_topics(m, out);
        put_differences(m, out);
        fputs("\n\u2713 pass, \u2717 diverges, \u2248 diverges as accepted, ? could not be tried, \u00b7 recorded and "
              "not judged; empty: not in the record. Scores are passed/tried.\n",
              out);
        return !ferror(out);
}

const struct matrix_format matrix_markdown = {"markdown", write_markdown};
