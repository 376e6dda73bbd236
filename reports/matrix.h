/*
 * Platforms and behaviours: what several judged records say of the same cases,
 * gathered for the reports that hold them side by side. All text in it is fit
 * to be shown: what a record says may come from anywhere.
 */
#ifndef MATRIX_H
#define MATRIX_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "judged_record.h"
#include "level.h"

/* Levels that cases have, and one for whatever else a record says. */
#define MATRIX_LEVELS (LEVELS + 1)

struct matrix_score {
        size_t passed, tried;
};

struct matrix_platform {
        char *name;        /* no other platform of the matrix has it */
        char *label;       /* what its record was called, or NULL */
        char *description; /* the platform in full */
        char *profile;     /* title of what judged it */
        char *cut;         /* what is missing of its record, or NULL */
        size_t by_verdict[VERDICTS];
        struct matrix_score scores[MATRIX_LEVELS];
        struct matrix_score all;
        bool named; /* by the user */
};

/*
 * What one or more platforms did. Platforms share a story if they have the same
 * verdict for the same reason, and where several results are allowed the same
 * one; addresses, identifiers and times aside.
 */
struct matrix_story {
        enum verdict verdict;
        char *why;    /* on one line; "" for a pass */
        json_t *told; /* of the first platform of them: see matrix_story.h */
        size_t first; /* that platform */
        char *key;    /* what makes it the same */
};

struct matrix_behaviour {
        char *id, *sentence, *clause, *note, *differs; /* "" where the record has none */
        size_t topic;
        size_t level;
        size_t place;    /* in the order in which the records told them */
        size_t *stories; /* a platform each: an index into story, plus 1; 0: its record does not have the behaviour */
        struct matrix_story *story;
        size_t story_count;
};

struct platform_matrix {
        struct matrix_platform *platforms;
        size_t platform_count, platform_room;
        struct matrix_behaviour *behaviours; /* in the order of topics, after platform_matrix_finish */
        size_t behaviour_count, behaviour_room;
        char **topics;
        size_t topic_count;
        json_t *behaviour_index, *topic_index; /* of the record's own text */
};

/* "posix-shall", ..., "other"; level is less than MATRIX_LEVELS. */
const char *matrix_level(size_t level);

/* For at most so many records. Returns NULL when memory is short. */
struct platform_matrix *platform_matrix_new(size_t records);

/*
 * Adds a record as a platform, of which nothing is needed afterwards. name is
 * what it is called; NULL: the record says it. Returns false when memory is
 * short: the matrix can then only be freed.
 */
bool platform_matrix_add(struct platform_matrix *matrix, const struct judged_record *judged, const char *name);

/*
 * Gives each platform a name of its own (that of its record, where several
 * records are of one platform), and orders the behaviours by topic.
 * Returns false when memory is short.
 */
bool platform_matrix_finish(struct platform_matrix *matrix);

void platform_matrix_free(struct platform_matrix *matrix);

/* The platform's story of the behaviour; NULL if its record does not have it. */
const struct matrix_story *matrix_story_of(const struct matrix_behaviour *behaviour, size_t platform);

/* Whether platforms that tried the behaviour did not all do the same. A platform that skipped it has not tried it. */
bool matrix_differs(const struct matrix_behaviour *behaviour);

/* Whether any platform diverges in it, or does where a baseline accepts that. */
bool matrix_diverges(const struct matrix_behaviour *behaviour);

/* Where the behaviours of one topic end, those of the topic of behaviour first. */
size_t matrix_topic_end(const struct platform_matrix *matrix, size_t first);

/* What the platform scores in the behaviours from first to before end. */
struct matrix_score matrix_score_of(const struct platform_matrix *matrix, size_t platform, size_t first, size_t end);

#endif
