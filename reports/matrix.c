#include "matrix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case_text.h"
#include "matrix_story.h"
#include "plain_text.h"
#include "story.h"

#define NAME_LIMIT ((size_t)80)
#define ID_LIMIT ((size_t)160)
#define SENTENCE_LIMIT ((size_t)600)

const char *matrix_level(size_t level)
{
        return level < LEVELS ? level_names[level] : "other";
}

static char *plain(const char *text, size_t limit)
{
        return plain_text(text, limit, ONE_LINE);
}

/* Makes room for one entry more. */
static bool has_room(void **entries, size_t *room, size_t count, size_t size)
{
        if (count < *room)
                return true;
        size_t more = *room ? 2 * *room : 64;
        void *grown = reallocarray(*entries, more, size);
        if (!grown)
                return false;
        *entries = grown;
        *room = more;
        return true;
}

struct platform_matrix *platform_matrix_new(size_t records)
{
        struct platform_matrix *m = calloc(1, sizeof(*m));
        if (!m)
                return NULL;
        m->platform_room = records;
        m->platforms = calloc(records + 1, sizeof(m->platforms[0]));
        m->behaviour_index = json_object();
        m->topic_index = json_object();
        if (m->platforms && m->behaviour_index && m->topic_index)
                return m;
        platform_matrix_free(m);
        return NULL;
}

/* ---- a platform ---- */

static char *name_from_record(const struct record *record)
{
        const json_t *platform = json_object_get(record->start, "platform");
        const char *preload = start_text(platform, "preload");
        const char *slash = strrchr(preload, '/');
        char *name = NULL;
        int made = 0;
        if (!platform)
                return strdup("unknown platform");
        if (*preload)
                made = asprintf(&name, "%s on %s %s", slash ? slash + 1 : preload, start_text(platform, "sysname"),
                                start_text(platform, "release"));
        else
                made = asprintf(&name, "%s %s %s, %s%s", start_text(platform, "sysname"),
                                start_text(platform, "release"), start_text(platform, "machine"),
                                start_text(platform, "libc"),
                                json_integer_value(json_object_get(platform, "pointer_bits")) == 32 ? ", 32-bit" : "");
        return made == -1 ? NULL : name;
}

static bool set_platform(struct matrix_platform *p, const struct judged_record *judged, const char *name)
{
        char *derived = name ? NULL : name_from_record(judged->record);
        char *description = describe_platform(judged->record);
        const char *shown = name ? name : derived;
        bool good = shown && description;
        if (good) {
                p->name = plain(shown, NAME_LIMIT);
                p->description = plain(description, SENTENCE_LIMIT);
                p->profile = plain(judged->main->profile->title, NAME_LIMIT);
                p->label = judged->label ? plain(judged->label, NAME_LIMIT) : NULL;
                p->cut = judged->cut ? plain(judged->cut, SENTENCE_LIMIT) : NULL;
                p->named = name != NULL;
                good = p->name && p->description && p->profile && (p->label || !judged->label) &&
                       (p->cut || !judged->cut);
        }
        free(derived);
        free(description);
        return good;
}

static void count_in(struct matrix_score *score, enum verdict verdict)
{
        if (verdict == VERDICT_SKIP || verdict == VERDICT_RECORD)
                return;
        score->tried++;
        score->passed += verdict == VERDICT_PASS || verdict == VERDICT_FIXED;
}

/* ---- a behaviour ---- */

static bool topic_number(struct platform_matrix *m, const char *topic, size_t *number)
{
        json_t *known = json_object_get(m->topic_index, topic);
        if (known) {
                *number = (size_t)json_integer_value(known);
                return true;
        }
        char **grown = reallocarray(m->topics, m->topic_count + 1, sizeof(m->topics[0]));
        if (!grown)
                return false;
        m->topics = grown;
        grown[m->topic_count] = plain(topic, NAME_LIMIT);
        *number = m->topic_count++;
        return grown[*number] && json_object_set_new(m->topic_index, topic, json_integer((json_int_t)*number)) == 0;
}

static struct matrix_behaviour *add_behaviour(struct platform_matrix *m, const struct judged_case *c)
{
        if (!has_room((void **)&m->behaviours, &m->behaviour_room, m->behaviour_count, sizeof(m->behaviours[0])))
                return NULL;
        struct matrix_behaviour *b = &m->behaviours[m->behaviour_count];
        const struct value *result = shown_result(c);
        *b = (struct matrix_behaviour){.id = plain(c->of->id, ID_LIMIT),
                                       .sentence = plain(member_text(result, "sentence"), SENTENCE_LIMIT),
                                       .clause = plain(member_text(result, "clause"), ID_LIMIT),
                                       .note = plain(member_text(result, "note"), SENTENCE_LIMIT),
                                       .differs = plain(member_text(result, "differs"), SENTENCE_LIMIT),
                                       .level = level_place(member_text(result, "level")),
                                       .place = m->behaviour_count,
                                       .stories = calloc(m->platform_room, sizeof(b->stories[0]))};
        m->behaviour_count++;
        if (!b->id || !b->sentence || !b->clause || !b->note || !b->differs || !b->stories ||
            !topic_number(m, member_text(result, "topic"), &b->topic) ||
            json_object_set_new(m->behaviour_index, c->of->id, json_integer((json_int_t)b->place)) == -1)
                return NULL;
        return b;
}

static struct matrix_behaviour *behaviour_of(struct platform_matrix *m, const struct judged_case *c)
{
        json_t *known = json_object_get(m->behaviour_index, c->of->id);
        return known ? &m->behaviours[json_integer_value(known)] : add_behaviour(m, c);
}

static bool set_story(struct matrix_story *story, const struct judged_record *judged, const struct judged_case *c)
{
        char *why = describe_verdict(c);
        story->verdict = c->verdict;
        story->why = why ? plain(why, SENTENCE_LIMIT) : NULL;
        story->told = matrix_story_told(judged, c);
        free(why);
        return story->why && story->told;
}

/* Gives the platform the story that it shares, or one of its own. */
static bool tell(struct matrix_behaviour *b, size_t platform, const struct judged_record *judged,
                 const struct judged_case *c)
{
        char *key = story_key(judged->main, c);
        if (!key)
                return false;
        for (size_t i = 0; i < b->story_count; i++) {
                if (strcmp(b->story[i].key, key) != 0)
                        continue;
                b->stories[platform] = i + 1;
                free(key);
                return true;
        }
        struct matrix_story *grown = reallocarray(b->story, b->story_count + 1, sizeof(grown[0]));
        if (!grown) {
                free(key);
                return false;
        }
        b->story = grown;
        grown[b->story_count] = (struct matrix_story){.key = key, .first = platform};
        b->stories[platform] = ++b->story_count;
        return set_story(&grown[b->story_count - 1], judged, c);
}

bool platform_matrix_add(struct platform_matrix *m, const struct judged_record *judged, const char *name)
{
        size_t platform = m->platform_count;
        struct matrix_platform *p = &m->platforms[platform];
        if (platform == m->platform_room)
                return false;
        m->platform_count++;
        if (!set_platform(p, judged, name))
                return false;
        for (size_t i = 0; i < judged->main->case_count; i++) {
                const struct judged_case *c = &judged->main->cases[i];
                struct matrix_behaviour *b = behaviour_of(m, c);
                if (!b || !tell(b, platform, judged, c))
                        return false;
                p->by_verdict[c->verdict]++;
                count_in(&p->scores[b->level], c->verdict);
                count_in(&p->all, c->verdict);
        }
        return true;
}

/* ---- the whole ---- */

static size_t platforms_called(const struct platform_matrix *m, const char *name, size_t until)
{
        size_t count = 0;
        for (size_t i = 0; i < until; i++)
                count += strcmp(m->platforms[i].name, name) == 0;
        return count;
}

static bool rename_platform(struct matrix_platform *p, char *name)
{
        if (!name)
                return false;
        free(p->name);
        p->name = name;
        return true;
}

static char *with_number(const struct platform_matrix *m, size_t platform)
{
        char *name = NULL;
        size_t number = 2;
        do {
                free(name);
                if (asprintf(&name, "%s #%zu", m->platforms[platform].name, number++) == -1)
                        return NULL;
        } while (platforms_called(m, name, m->platform_count));
        return name;
}

static bool tell_names_apart(struct platform_matrix *m)
{
        bool *shared = calloc(m->platform_count + 1, sizeof(shared[0]));
        bool good = shared != NULL;
        for (size_t i = 0; good && i < m->platform_count; i++)
                shared[i] = platforms_called(m, m->platforms[i].name, m->platform_count) > 1;
        for (size_t i = 0; good && i < m->platform_count; i++) {
                struct matrix_platform *p = &m->platforms[i];
                if (shared[i] && p->label && !p->named)
                        good = rename_platform(p, strdup(p->label));
        }
        for (size_t i = 0; good && i < m->platform_count; i++) {
                if (platforms_called(m, m->platforms[i].name, i))
                        good = rename_platform(&m->platforms[i], with_number(m, i));
        }
        free(shared);
        return good;
}

static int by_topic(const void *a, const void *b)
{
        const struct matrix_behaviour *x = a;
        const struct matrix_behaviour *y = b;
        if (x->topic != y->topic)
                return x->topic < y->topic ? -1 : 1;
        return x->place < y->place ? -1 : x->place > y->place;
}

static int by_text(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

/* So that the order of the records does not matter. */
static bool sort_topics(struct platform_matrix *m)
{
        size_t *rank = calloc(m->topic_count + 1, sizeof(rank[0]));
        char **sorted = calloc(m->topic_count + 1, sizeof(sorted[0]));
        bool good = rank && sorted;
        if (good) {
                memcpy(sorted, m->topics, m->topic_count * sizeof(sorted[0]));
                qsort(sorted, m->topic_count, sizeof(sorted[0]), by_text);
                for (size_t i = 0; i < m->topic_count; i++) {
                        while (sorted[rank[i]] != m->topics[i])
                                rank[i]++;
                }
                memcpy(m->topics, sorted, m->topic_count * sizeof(sorted[0]));
        }
        for (size_t i = 0; good && i < m->behaviour_count; i++)
                m->behaviours[i].topic = rank[m->behaviours[i].topic];
        free(rank);
        free(sorted);
        return good;
}

bool platform_matrix_finish(struct platform_matrix *m)
{
        if (m->behaviour_count == 0)
                return tell_names_apart(m);
        if (!sort_topics(m))
                return false;
        qsort(m->behaviours, m->behaviour_count, sizeof(m->behaviours[0]), by_topic);
        return tell_names_apart(m);
}

static void free_behaviour(struct matrix_behaviour *b)
{
        for (size_t i = 0; i < b->story_count; i++) {
                free(b->story[i].why);
                free(b->story[i].key);
                json_decref(b->story[i].told);
        }
        free(b->story);
        free(b->stories);
        free(b->id);
        free(b->sentence);
        free(b->clause);
        free(b->note);
        free(b->differs);
}

void platform_matrix_free(struct platform_matrix *m)
{
        if (!m)
                return;
        for (size_t i = 0; i < m->behaviour_count; i++)
                free_behaviour(&m->behaviours[i]);
        for (size_t i = 0; i < m->platform_count; i++) {
                struct matrix_platform *p = &m->platforms[i];
                free(p->name);
                free(p->label);
                free(p->description);
                free(p->profile);
                free(p->cut);
        }
        for (size_t i = 0; i < m->topic_count; i++)
                free(m->topics[i]);
        free(m->topics);
        free(m->behaviours);
        free(m->platforms);
        json_decref(m->behaviour_index);
        json_decref(m->topic_index);
        free(m);
}

const struct matrix_story *matrix_story_of(const struct matrix_behaviour *b, size_t platform)
{
        return b->stories[platform] ? &b->story[b->stories[platform] - 1] : NULL;
}

bool matrix_differs(const struct matrix_behaviour *b)
{
        size_t tried = 0;
        for (size_t i = 0; i < b->story_count; i++)
                tried += b->story[i].verdict != VERDICT_SKIP;
        return tried > 1;
}

bool matrix_diverges(const struct matrix_behaviour *b)
{
        for (size_t i = 0; i < b->story_count; i++) {
                enum verdict v = b->story[i].verdict;
                if (verdict_diverges(v) || v == VERDICT_ERROR || v == VERDICT_KNOWN)
                        return true;
        }
        return false;
}

size_t matrix_topic_end(const struct platform_matrix *m, size_t first)
{
        size_t end = first;
        while (end < m->behaviour_count && m->behaviours[end].topic == m->behaviours[first].topic)
                end++;
        return end;
}

struct matrix_score matrix_score_of(const struct platform_matrix *m, size_t platform, size_t first, size_t end)
{
        struct matrix_score score = {0, 0};
        for (size_t i = first; i < end; i++) {
                const struct matrix_story *story = matrix_story_of(&m->behaviours[i], platform);
                if (story)
                        count_in(&score, story->verdict);
        }
        return score;
}
