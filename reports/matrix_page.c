/*
 * The matrix as a page. Texts that come again and again are told once, in a
 * list, and referred to by their number in it; what a platform did is told only
 * where platforms differ or one of them diverges, and apart from the rest, so
 * that the page is seen before it is read.
 */
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

#include "matrix_format.h"
#include "page.h"
#include "report_format.h"

#define WEB_FILES(FILE)                                                                                                \
        FILE(matrix_page_style, "matrix.css")                                                                          \
        FILE(matrix_page_model, "matrix_model.js")                                                                     \
        FILE(matrix_page_parts, "matrix_parts.js")                                                                     \
        FILE(matrix_page_table, "matrix_table.js")                                                                     \
        FILE(matrix_page_detail, "matrix_detail.js")                                                                   \
        FILE(matrix_page_main, "matrix.js")

PAGE_EMBED(matrix_page_html, "matrix.html")
WEB_FILES(PAGE_EMBED)

/* ---- texts by number ---- */

struct dictionary {
        json_t *index; /* of each text */
        json_t *texts;
};

static json_t *number_of(struct dictionary *d, const char *text)
{
        json_t *known = json_object_get(d->index, text);
        if (known)
                return json_incref(known);
        json_t *number = json_integer((json_int_t)json_array_size(d->texts));
        json_object_set(d->index, text, number);
        json_array_append_new(d->texts, json_string(text));
        return number;
}

/* The same arrays, with numbers for texts. */
static json_t *coded(struct dictionary *d, json_t *value)
{
        if (json_is_string(value))
                return number_of(d, json_string_value(value));
        if (!json_is_array(value))
                return json_incref(value);
        json_t *list = json_array();
        size_t i = 0;
        json_t *item = NULL;
        json_array_foreach(value, i, item)
        {
                json_array_append_new(list, coded(d, item));
        }
        return list;
}

static json_t *coded_story(struct dictionary *d, json_t *told)
{
        return json_pack("[o,o,O,O]", coded(d, json_object_get(told, "observations")),
                         coded(d, json_object_get(told, "steps")), json_object_get(told, "before"),
                         json_object_get(told, "after"));
}

/* ---- in the order that matrix_model.js reads ---- */

/* A character for the story of each platform: the space for none. */
static json_t *cells_of(const struct platform_matrix *m, const struct matrix_behaviour *b)
{
        char *cells = malloc(4 * m->platform_count + 1);
        size_t length = 0;
        if (!cells)
                return NULL;
        for (size_t i = 0; i < m->platform_count; i++)
                length += (size_t)u8_uctomb((uint8_t *)cells + length, (ucs4_t)(' ' + b->stories[i]), 4);
        json_t *text = json_stringn(cells, length);
        free(cells);
        return text;
}

static bool is_told(const struct matrix_behaviour *b, const struct matrix_story *story)
{
        return story->verdict != VERDICT_SKIP && (matrix_differs(b) || matrix_diverges(b));
}

/* 1 behind those of which more is told. */
static json_t *stories_of(struct dictionary *d, const struct matrix_behaviour *b)
{
        json_t *list = json_array();
        for (size_t i = 0; i < b->story_count; i++) {
                const struct matrix_story *story = &b->story[i];
                json_t *entry = json_pack("[i,o]", (int)story->verdict, number_of(d, story->why));
                if (is_told(b, story))
                        json_array_append_new(entry, json_integer(1));
                json_array_append_new(list, entry);
        }
        return list;
}

/* What is told of each story, 0 for nothing. */
static json_t *told_stories_of(struct dictionary *d, const struct matrix_behaviour *b)
{
        json_t *list = json_array();
        for (size_t i = 0; i < b->story_count; i++)
                json_array_append_new(list,
                                      is_told(b, &b->story[i]) ? coded_story(d, b->story[i].told) : json_integer(0));
        return list;
}

static json_t *behaviour_of(struct dictionary *d, const struct platform_matrix *m, const struct matrix_behaviour *b)
{
        return json_pack("[s,i,i,s,o,o,o,b,o,o]", b->id, (int)b->topic, (int)b->level, b->sentence,
                         number_of(d, b->clause), number_of(d, b->note), number_of(d, b->differs), matrix_differs(b),
                         cells_of(m, b), stories_of(d, b));
}

static json_t *platform_of(const struct matrix_platform *p)
{
        return json_pack("[s,s,s,s?]", p->name, p->description, p->profile, p->cut);
}

static json_t *topic_words(const struct platform_matrix *m)
{
        json_t *list = json_array();
        for (size_t i = 0; i < m->topic_count; i++)
                json_array_append_new(list, json_string(m->topics[i]));
        return list;
}

static json_t *level_words(void)
{
        json_t *list = json_array();
        for (size_t i = 0; i < MATRIX_LEVELS; i++)
                json_array_append_new(list, json_string(matrix_level(i)));
        return list;
}

static json_t *verdict_words(void)
{
        json_t *list = json_array();
        for (enum verdict v = VERDICT_PASS; v < VERDICTS; v++)
                json_array_append_new(list, json_string(verdict_name(v)));
        return list;
}

static json_t *matrix_data(const struct platform_matrix *m)
{
        struct dictionary d = {json_object(), json_array()};
        json_t *platforms = json_array();
        json_t *behaviours = json_array();
        for (size_t i = 0; i < m->platform_count; i++)
                json_array_append_new(platforms, platform_of(&m->platforms[i]));
        for (size_t i = 0; i < m->behaviour_count; i++)
                json_array_append_new(behaviours, behaviour_of(&d, m, &m->behaviours[i]));
        json_t *data =
                json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "verdicts", verdict_words(), "levels", level_words(), "topics",
                          topic_words(m), "texts", d.texts, "platforms", platforms, "behaviours", behaviours);
        json_decref(d.index);
        return data;
}

static json_t *stories_data(const struct platform_matrix *m)
{
        struct dictionary d = {json_object(), json_array()};
        json_t *told = json_array();
        for (size_t i = 0; i < m->behaviour_count; i++)
                json_array_append_new(told, told_stories_of(&d, &m->behaviours[i]));
        json_t *data = json_pack("{s:o,s:o}", "texts", d.texts, "told", told);
        json_decref(d.index);
        return data;
}

static bool write_page(const struct platform_matrix *m, FILE *out)
{
        static const struct page_part parts[] = {PAGE_SHARED_PARTS WEB_FILES(PAGE_PART)};
        json_t *data = json_pack("{s:o,s:o}", "matrix", matrix_data(m), "stories", stories_data(m));
        bool written =
                page_write(matrix_page_html, parts, sizeof(parts) / sizeof(parts[0]), data, PAGE_WORD_OF_DATA, out);
        json_decref(data);
        return written;
}

const struct matrix_format matrix_html = {"html", write_page};

/* ---- as the report of one record or several ---- */

struct page_state {
        FILE *out;
        struct platform_matrix *matrix;
        bool failed;
};

static void *begin_html(FILE *out, size_t records)
{
        struct page_state *state = calloc(1, sizeof(*state));
        if (!state)
                return NULL;
        state->out = out;
        state->matrix = platform_matrix_new(records);
        if (state->matrix)
                return state;
        free(state);
        return NULL;
}

static void add_html(void *opaque, const struct judged_record *judged)
{
        struct page_state *state = opaque;
        if (!state->failed)
                state->failed = !platform_matrix_add(state->matrix, judged, NULL);
}

static bool end_html(void *opaque)
{
        struct page_state *state = opaque;
        bool good = !state->failed && platform_matrix_finish(state->matrix) && write_page(state->matrix, state->out);
        platform_matrix_free(state->matrix);
        free(state);
        return good;
}

const struct report_format html_format = {"html", begin_html, add_html, end_html};
