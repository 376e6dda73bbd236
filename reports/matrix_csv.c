#include <string.h>

#include "matrix_format.h"

static void put_field(FILE *out, const char *text)
{
        /* A spreadsheet would take it for a formula. */
        const char *before = *text && strchr("=+-@", *text) ? "'" : "";
        if (!strpbrk(text, "\",\r\n")) {
                fprintf(out, "%s%s", before, text);
                return;
        }
        fprintf(out, "\"%s", before);
        for (; *text; text++) {
                if (*text == '"')
                        fputc('"', out);
                fputc(*text, out);
        }
        fputc('"', out);
}

static void put_behaviour(const struct platform_matrix *m, const struct matrix_behaviour *b, FILE *out)
{
        const char *const fields[] = {m->topics[b->topic], b->id, matrix_level(b->level), b->clause, b->sentence};
        for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
                put_field(out, fields[i]);
                fputc(',', out);
        }
        fputs(matrix_differs(b) ? "yes" : "no", out);
        for (size_t i = 0; i < m->platform_count; i++) {
                const struct matrix_story *story = matrix_story_of(b, i);
                fprintf(out, ",%s", story ? verdict_name(story->verdict) : "");
        }
        fputs("\r\n", out);
}

static bool write_csv(const struct platform_matrix *m, FILE *out)
{
        fputs("topic,id,level,clause,sentence,differs", out);
        for (size_t i = 0; i < m->platform_count; i++) {
                fputc(',', out);
                put_field(out, m->platforms[i].name);
        }
        fputs("\r\n", out);
        for (size_t i = 0; i < m->behaviour_count; i++)
                put_behaviour(m, &m->behaviours[i], out);
        return !ferror(out);
}

const struct matrix_format matrix_csv = {"csv", write_csv};
