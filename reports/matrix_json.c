#include "matrix_format.h"

static json_t *score_of(struct matrix_score score)
{
        return json_pack("{s:I,s:I}", "passed", (json_int_t)score.passed, "tried", (json_int_t)score.tried);
}

static json_t *levels_of(const struct matrix_platform *p)
{
        json_t *levels = json_object();
        for (size_t i = 0; i < MATRIX_LEVELS; i++) {
                if (p->scores[i].tried)
                        json_object_set_new(levels, matrix_level(i), score_of(p->scores[i]));
        }
        return levels;
}

static json_t *counts_of(const struct matrix_platform *p)
{
        json_t *counts = json_object();
        for (enum verdict v = VERDICT_PASS; v < VERDICTS; v++)
                json_object_set_new(counts, verdict_name(v), json_integer((json_int_t)p->by_verdict[v]));
        return counts;
}

static json_t *platform_of(const struct matrix_platform *p)
{
        json_t *platform = json_pack("{s:s,s:s,s:s,s:b,s:o,s:o,s:o}", "name", p->name, "platform", p->description,
                                     "profile", p->profile, "complete", !p->cut, "score", score_of(p->all), "levels",
                                     levels_of(p), "verdicts", counts_of(p));
        if (p->cut)
                json_object_set_new(platform, "cut", json_string(p->cut));
        return platform;
}

static json_t *behaviour_of(const struct platform_matrix *m, const struct matrix_behaviour *b)
{
        json_t *verdicts = json_object();
        json_t *why = json_object();
        for (size_t i = 0; i < m->platform_count; i++) {
                const struct matrix_story *story = matrix_story_of(b, i);
                if (!story)
                        continue;
                json_object_set_new(verdicts, m->platforms[i].name, json_string(verdict_name(story->verdict)));
                if (*story->why)
                        json_object_set_new(why, m->platforms[i].name, json_string(story->why));
        }
        json_t *behaviour = json_pack("{s:s,s:s,s:s,s:s,s:s,s:b,s:o,s:o}", "id", b->id, "topic", m->topics[b->topic],
                                      "level", matrix_level(b->level), "clause", b->clause, "sentence", b->sentence,
                                      "differs", matrix_differs(b), "verdicts", verdicts, "why", why);
        if (*b->note)
                json_object_set_new(behaviour, "note", json_string(b->note));
        if (*b->differs)
                json_object_set_new(behaviour, "known_to_differ", json_string(b->differs));
        return behaviour;
}

static bool write_json(const struct platform_matrix *m, FILE *out)
{
        json_t *platforms = json_array();
        json_t *behaviours = json_array();
        bool good = true;
        for (size_t i = 0; i < m->platform_count; i++)
                good &= json_array_append_new(platforms, platform_of(&m->platforms[i])) == 0;
        for (size_t i = 0; i < m->behaviour_count; i++)
                good &= json_array_append_new(behaviours, behaviour_of(m, &m->behaviours[i])) == 0;
        json_t *whole =
                json_pack("{s:i,s:o,s:o}", "shmcheck_matrix", 1, "platforms", platforms, "behaviours", behaviours);
        good = good && whole && json_dumpf(whole, out, JSON_INDENT(1)) == 0 && fputc('\n', out) != EOF;
        json_decref(whole);
        return good;
}

const struct matrix_format matrix_json = {"json", write_json};
