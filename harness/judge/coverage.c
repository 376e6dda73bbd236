#include "coverage.h"

#include <stdlib.h>
#include <string.h>

#include "nearest.h"

#define SEPARATOR "; "
/* Fewer ids than these are rather read one by one. */
#define FAMILY_LEAST 4

static const char *text_of(const json_t *object, const char *member)
{
        const char *text = json_string_value(json_object_get(object, member));
        return text ? text : "";
}

/* ---- which case names which clause ---- */

static struct covered_clause *find_clause(const struct coverage *c, const char *text)
{
        for (size_t i = 0; i < c->clause_count; i++) {
                if (strcmp(c->clauses[i].clause->text, text) == 0)
                        return &c->clauses[i];
        }
        return NULL;
}

static const char *nearest_clause(const struct coverage *c, const char *text)
{
        json_t *texts = json_array();
        for (size_t i = 0; i < c->clause_count; i++)
                json_array_append_new(texts, json_string(c->clauses[i].clause->text));
        const char *found = nearest_name(text, texts);
        /* The array's own strings end with it. */
        const struct covered_clause *nearest = found ? find_clause(c, found) : NULL;
        json_decref(texts);
        return nearest ? nearest->clause->text : NULL;
}

static bool add_unknown(struct coverage *c, const json_t *entry, const char *text)
{
        struct unknown_clause *unknown = realloc(c->unknown, (c->unknown_count + 1) * sizeof(unknown[0]));
        if (!unknown)
                return false;
        c->unknown = unknown;
        struct unknown_clause *u = &unknown[c->unknown_count];
        *u = (struct unknown_clause){entry, strdup(text), nearest_clause(c, text)};
        c->unknown_count += u->text != NULL;
        return u->text != NULL;
}

static bool add_id(json_t *ids, const char *id)
{
        const char *last = json_string_value(json_array_get(ids, json_array_size(ids) - 1));
        return (last && strcmp(last, id) == 0) || json_array_append_new(ids, json_string(id)) == 0;
}

static bool add_case(struct coverage *c, const json_t *entry)
{
        char *text = strdup(text_of(entry, "clause"));
        bool good = text != NULL;
        for (char *part = text; good && part;) {
                char *end = strstr(part, SEPARATOR);
                if (end)
                        *end = '\0';
                struct covered_clause *known = find_clause(c, part);
                good = known ? add_id(known->ids, text_of(entry, "id")) : add_unknown(c, entry, part);
                part = end ? end + strlen(SEPARATOR) : NULL;
        }
        free(text);
        return good;
}

/* ---- ids, short ---- */

static int by_text(const void *a, const void *b)
{
        return strcmp(json_string_value(*(json_t *const *)a), json_string_value(*(json_t *const *)b));
}

static json_t *sorted(const json_t *ids)
{
        size_t count = json_array_size(ids);
        json_t **order = calloc(count + 1, sizeof(json_t *));
        json_t *result = order ? json_array() : NULL;
        for (size_t i = 0; result && i < count; i++)
                order[i] = json_array_get(ids, i);
        if (result && count)
                qsort(order, count, sizeof(json_t *), by_text);
        for (size_t i = 0; result && i < count; i++)
                json_array_append(result, order[i]);
        free(order);
        return result;
}

static size_t count_with(const json_t *ids, const char *beginning, size_t length)
{
        size_t count = 0;
        size_t i = 0;
        json_t *id = NULL;
        json_array_foreach(ids, i, id) count += strncmp(json_string_value(id), beginning, length) == 0;
        return count;
}

/*
 * The length of the shortest beginning of id, "topic.what." at least, that
 * makes a family: cases enough, and all that there are check the clause. 0 if
 * none does.
 */
static size_t family_length(const char *id, const json_t *ids, const json_t *every_id)
{
        const char *dot = strchr(id, '.');
        while (dot && (dot = strchr(dot + 1, '.')) != NULL) {
                size_t length = (size_t)(dot - id) + 1;
                size_t count = count_with(ids, id, length);
                if (count >= FAMILY_LEAST && count == count_with(every_id, id, length))
                        return length;
        }
        return 0;
}

/* ids are sorted, so that a family stands together. */
static json_t *shortened(const json_t *ids, const json_t *every_id)
{
        json_t *names = json_array();
        for (size_t i = 0; i < json_array_size(ids);) {
                const char *id = json_string_value(json_array_get(ids, i));
                size_t length = family_length(id, ids, every_id);
                json_array_append_new(names, length ? json_sprintf("%.*s*", (int)length, id) : json_string(id));
                i += length ? count_with(ids, id, length) : 1;
        }
        return names;
}

static bool name_cases(struct coverage *c, const json_t *listed)
{
        json_t *every_id = json_array();
        size_t i = 0;
        json_t *entry = NULL;
        bool good = every_id != NULL;
        json_array_foreach(listed, i, entry) json_array_append(every_id, json_object_get(entry, "id"));
        for (i = 0; good && i < c->clause_count; i++) {
                struct covered_clause *covered = &c->clauses[i];
                json_t *ids = sorted(covered->ids);
                json_decref(covered->ids);
                covered->ids = ids;
                covered->names = ids ? shortened(ids, every_id) : NULL;
                good = covered->names != NULL;
        }
        json_decref(every_id);
        return good;
}

/* ---- counts ---- */

static void count_clauses(struct coverage *c)
{
        for (size_t i = 0; i < c->clause_count; i++) {
                bool checked = json_array_size(c->clauses[i].ids) != 0;
                bool reason = c->clauses[i].clause->reason != NULL;
                c->explained += !checked && reason;
                c->missing += !checked && !reason;
                c->outdated += checked && reason;
        }
}

static struct topic_count *topic_named(struct coverage *c, const char *topic)
{
        for (size_t i = 0; i < c->topic_count; i++) {
                if (strcmp(c->topics[i].topic, topic) == 0)
                        return &c->topics[i];
        }
        struct topic_count *topics = realloc(c->topics, (c->topic_count + 1) * sizeof(topics[0]));
        if (!topics)
                return NULL;
        c->topics = topics;
        topics[c->topic_count] = (struct topic_count){.topic = topic};
        return &topics[c->topic_count++];
}

static bool count_case(struct coverage *c, const json_t *entry)
{
        struct topic_count *topic = topic_named(c, text_of(entry, "topic"));
        if (!topic)
                return false;
        size_t level = level_place(text_of(entry, "level"));
        if (level < LEVELS)
                topic->levels[level]++;
        topic->all++;
        c->case_count++;
        return true;
}

static bool begin(struct coverage *c, const struct clauses *clauses)
{
        c->clauses = calloc(clauses->count + 1, sizeof(c->clauses[0]));
        for (; c->clauses && c->clause_count < clauses->count; c->clause_count++) {
                struct covered_clause *covered = &c->clauses[c->clause_count];
                covered->clause = &clauses->all[c->clause_count];
                covered->ids = json_array();
                if (!covered->ids)
                        return false;
        }
        return c->clauses != NULL;
}

struct coverage *coverage_find(const struct clauses *clauses, const json_t *listed)
{
        struct coverage *c = calloc(1, sizeof(*c));
        bool good = c && begin(c, clauses);
        size_t i = 0;
        json_t *entry = NULL;
        json_array_foreach(listed, i, entry) good = good && add_case(c, entry) && count_case(c, entry);
        if (!good || !name_cases(c, listed)) {
                coverage_free(c);
                return NULL;
        }
        count_clauses(c);
        return c;
}

void coverage_free(struct coverage *c)
{
        if (!c)
                return;
        for (size_t i = 0; i < c->clause_count; i++) {
                json_decref(c->clauses[i].ids);
                json_decref(c->clauses[i].names);
        }
        for (size_t i = 0; i < c->unknown_count; i++)
                free(c->unknown[i].text);
        free(c->clauses);
        free(c->unknown);
        free(c->topics);
        free(c);
}

bool coverage_is_whole(const struct coverage *c)
{
        return c->missing == 0 && c->unknown_count == 0 && c->outdated == 0;
}
