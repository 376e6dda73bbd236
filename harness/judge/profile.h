/* Profiles: named sets of expectations, as files in cases/profiles. */
#ifndef PROFILE_H
#define PROFILE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "value.h"

#define PROFILE_DEPTH 8

struct profile_override;

/* The overrides of one file. */
struct profile_overrides {
        struct profile_override *named; /* of one case each, by its id, and of one id in the order of the file */
        size_t named_count;
        struct profile_override *globs; /* of the cases that a pattern names, in the order of the file */
        size_t glob_count;
};

struct profile {
        char *name;
        char *title;
        /* Names whose expectations hold, the most special first: "linux", "posix". */
        const char *chain[PROFILE_DEPTH];
        size_t chain_length;
        json_t *files[PROFILE_DEPTH]; /* the file of each name of the chain */
        struct profile_overrides overrides[PROFILE_DEPTH];
        struct arena values; /* what the overrides expect */
};

/*
 * Reads the profile called name, or in the file name if it holds a slash, and
 * those that it refines, from directory. Returns NULL after it has put one
 * line (no newline) in why: what is wrong, in which file, line and column; for
 * an unknown name the nearest known one.
 */
struct profile *profile_load(const char *directory, const char *name, char *why, size_t size);
void profile_free(struct profile *profile);

/* Whether cases of the level ("posix-shall", ...) are judged by this profile. */
bool profile_judges(const struct profile *profile, const char *level);

/* The results that the profile allows for an observation of the case: a list of texts, or NULL for any.
 * An override that expects "*" allows any. */
const struct value *profile_expected(const struct profile *profile, const char *id, const struct value *observation);

/*
 * How a case may end here beside "done": the "expected" of the override whose
 * "what" is "ending", a list of the record's words ("hang", "crash", "setup",
 * "error"), or NULL.
 */
const struct value *profile_endings(const struct profile *profile, const char *id);

/*
 * Calls visit for each id or pattern of ids that an override of the profile, or
 * of one that it refines, is about; for an id once a file. number is the place
 * of the first such override in that file, from 1.
 */
typedef void profile_visit_case(const char *profile_name, size_t number, const char *cases, bool is_pattern, void *arg);
void profile_each_case(const struct profile *profile, profile_visit_case *visit, void *arg);

/* Whether the "what" of an override, a word or a pattern, is that of an observation. */
bool override_names(const char *what, const char *observed);

/* Calls visit for each override of the directory's profiles that names the case. */
void profile_each_override(const char *directory, const char *id,
                           void (*visit)(const char *profile_title, const json_t *override, void *arg), void *arg);

#endif
