#include "profile.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "level.h"
#include "nearest.h"
#include "value_reader.h"

#define SUFFIX ".json"
#define GLOB_SIGNS "*?[\\"

struct profile_override {
        const char *cases; /* an id, or a pattern */
        const char *what;  /* of the observations: a word, or a pattern; NULL: any */
        const struct value *expected;
        size_t place;   /* in the file */
        size_t literal; /* bytes of cases before the first sign of a pattern */
};

/* Whether every member of an override is what the format says. */
static const char *override_fault(const json_t *override)
{
        if (!json_is_object(override))
                return "an override is an object";
        if (!json_is_string(json_object_get(override, "case")))
                return "an override names its \"case\"";
        if (!json_is_array(json_object_get(override, "expected")))
                return "an override has an array \"expected\"";
        size_t i = 0;
        json_t *allowed = NULL;
        json_array_foreach(json_object_get(override, "expected"), i, allowed)
        {
                if (!json_is_string(allowed))
                        return "\"expected\" holds strings";
        }
        if (!json_is_string(json_object_get(override, "why")) || !json_is_string(json_object_get(override, "source")))
                return "an override says \"why\", and its \"source\"";
        const json_t *basis = json_object_get(override, "basis");
        if (basis && !json_is_string(basis))
                return "\"basis\" is a string: \"run\", \"documentation\" or \"source\"";
        return NULL;
}

/* Whether each is a level that a case can have. */
static bool are_levels(const json_t *judges)
{
        size_t i = 0;
        json_t *judged = NULL;
        json_array_foreach(judges, i, judged)
        {
                if (level_place(json_string_value(judged)) == LEVELS)
                        return false;
        }
        return true;
}

static const char *file_fault(const json_t *file)
{
        if (!json_is_string(json_object_get(file, "profile")) || !json_is_string(json_object_get(file, "title")))
                return "a profile has a \"profile\" (its name) and a \"title\"";
        const json_t *refines = json_object_get(file, "refines");
        if (refines && !json_is_string(refines))
                return "\"refines\" is the name of a profile";
        const json_t *judges = json_object_get(file, "judges");
        if (judges && !json_is_array(judges))
                return "\"judges\" is an array of levels";
        if (!are_levels(judges))
                return "\"judges\" holds levels: \"posix-shall\", \"posix-may\", \"posix-impl-defined\", \"linux\", "
                       "\"linux-undocumented\"";
        const json_t *overrides = json_object_get(file, "overrides");
        if (overrides && !json_is_array(overrides))
                return "\"overrides\" is an array";
        size_t i = 0;
        json_t *override = NULL;
        json_array_foreach(overrides, i, override)
        {
                const char *fault = override_fault(override);
                if (fault)
                        return fault;
        }
        return NULL;
}

static json_t *load_file(const char *path, char *why, size_t size)
{
        json_error_t error;
        json_t *file = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
        if (!file) {
                if (error.line > 0)
                        snprintf(why, size, "%s:%d:%d: %s", path, error.line, error.column, error.text);
                else
                        snprintf(why, size, "%s: %s", path, strerror(errno));
                return NULL;
        }
        const char *fault = file_fault(file);
        if (fault) {
                snprintf(why, size, "%s: %s", path, fault);
                json_decref(file);
                return NULL;
        }
        return file;
}

/* The names of the profiles in the directory, as a JSON array; never NULL unless memory is short. */
static json_t *known_names(const char *directory)
{
        json_t *names = json_array();
        DIR *d = opendir(directory);
        if (!d)
                return names;
        for (struct dirent *e; (e = readdir(d)) != NULL;) {
                size_t length = strlen(e->d_name);
                if (length > sizeof(SUFFIX) - 1 && strcmp(e->d_name + length - (sizeof(SUFFIX) - 1), SUFFIX) == 0)
                        json_array_append_new(names, json_stringn(e->d_name, length - (sizeof(SUFFIX) - 1)));
        }
        closedir(d);
        return names;
}

static void explain_unknown(const char *directory, const char *name, char *why, size_t size)
{
        json_t *names = known_names(directory);
        const char *nearest = nearest_name(name, names);
        if (nearest)
                snprintf(why, size, "unknown profile '%s'; the nearest is '%s'", name, nearest);
        else
                snprintf(why, size, "unknown profile '%s': there are none in %s", name, directory);
        json_decref(names);
}

static int by_case(const void *a, const void *b)
{
        const struct profile_override *x = a;
        const struct profile_override *y = b;
        int cases = strcmp(x->cases, y->cases);
        return cases ? cases : (x->place > y->place) - (x->place < y->place);
}

static bool take_overrides(struct profile_overrides *all, struct arena *values, const json_t *file)
{
        const json_t *overrides = json_object_get(file, "overrides");
        size_t count = json_array_size(overrides);
        all->named = calloc(count + 1, sizeof(all->named[0]));
        all->globs = calloc(count + 1, sizeof(all->globs[0]));
        if (!all->named || !all->globs)
                return false;
        for (size_t i = 0; i < count; i++) {
                const json_t *override = json_array_get(overrides, i);
                struct profile_override o = {.cases = json_string_value(json_object_get(override, "case")),
                                             .what = json_string_value(json_object_get(override, "what")),
                                             .expected = value_of_json(values, json_object_get(override, "expected")),
                                             .place = i};
                o.literal = strcspn(o.cases, GLOB_SIGNS);
                if (!o.expected)
                        return false;
                if (o.cases[o.literal])
                        all->globs[all->glob_count++] = o;
                else
                        all->named[all->named_count++] = o;
        }
        qsort(all->named, all->named_count, sizeof(all->named[0]), by_case);
        return true;
}

static bool push(struct profile *p, const char *directory, const char *name, char *why, size_t size)
{
        char path[4096];
        if (p->chain_length == PROFILE_DEPTH) {
                snprintf(why, size, "profile '%s': refined too often, or in a circle", p->chain[0]);
                return false;
        }
        if (strchr(name, '/'))
                snprintf(path, sizeof(path), "%s", name);
        else
                snprintf(path, sizeof(path), "%s/%s" SUFFIX, directory, name);
        json_t *file = load_file(path, why, size);
        if (!file) {
                FILE *there = fopen(path, "r");
                if (there)
                        fclose(there);
                else if (!strchr(name, '/'))
                        explain_unknown(directory, name, why, size);
                return false;
        }
        size_t place = p->chain_length++;
        p->files[place] = file;
        p->chain[place] = json_string_value(json_object_get(file, "profile"));
        if (!take_overrides(&p->overrides[place], &p->values, file)) {
                snprintf(why, size, "out of memory");
                return false;
        }
        const char *refines = json_string_value(json_object_get(file, "refines"));
        return !refines || push(p, directory, refines, why, size);
}

struct profile *profile_load(const char *directory, const char *name, char *why, size_t size)
{
        struct profile *p = calloc(1, sizeof(*p));
        if (!p) {
                snprintf(why, size, "out of memory");
                return NULL;
        }
        if (!push(p, directory, name, why, size)) {
                profile_free(p);
                return NULL;
        }
        p->name = strdup(p->chain[0]);
        p->title = strdup(json_string_value(json_object_get(p->files[0], "title")));
        if (!p->name || !p->title) {
                snprintf(why, size, "out of memory");
                profile_free(p);
                return NULL;
        }
        return p;
}

void profile_free(struct profile *p)
{
        if (!p)
                return;
        for (size_t i = 0; i < p->chain_length; i++) {
                free(p->overrides[i].named);
                free(p->overrides[i].globs);
                json_decref(p->files[i]);
        }
        arena_free(&p->values);
        free(p->name);
        free(p->title);
        free(p);
}

bool profile_judges(const struct profile *p, const char *level)
{
        for (size_t i = 0; i < p->chain_length; i++) {
                size_t j = 0;
                json_t *judged = NULL;
                json_array_foreach(json_object_get(p->files[i], "judges"), j, judged)
                {
                        if (level && json_is_string(judged) && strcmp(json_string_value(judged), level) == 0)
                                return true;
                }
        }
        return false;
}

bool override_names(const char *what, const char *observed)
{
        return strcmp(what, observed) == 0 || fnmatch(what, observed, 0) == 0;
}

/* Whether the override is about this observation: it names it or a pattern of it, or none. */
static bool is_about(const struct profile_override *o, const char *what)
{
        return !o->what || (what && override_names(o->what, what));
}

static bool is_about_ending(const struct profile_override *o, const char *what)
{
        return o->what && strcmp(o->what, what) == 0;
}

static bool names_case(const struct profile_override *glob, const char *id)
{
        return strncmp(glob->cases, id, glob->literal) == 0 && fnmatch(glob->cases, id, 0) == 0;
}

typedef bool override_fits(const struct profile_override *o, const char *what);

/* The first of those that name the case, and fit. */
static const struct profile_override *first_named(const struct profile_overrides *all, const char *id,
                                                  override_fits *fits, const char *what)
{
        size_t low = 0;
        size_t high = all->named_count;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                if (strcmp(all->named[middle].cases, id) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        for (; low < all->named_count && strcmp(all->named[low].cases, id) == 0; low++) {
                if (fits(&all->named[low], what))
                        return &all->named[low];
        }
        return NULL;
}

/* The first in the file that names the case or a pattern of it, and fits. */
static const struct value *first_override(const struct profile_overrides *all, const char *id, override_fits *fits,
                                          const char *what)
{
        const struct profile_override *first = first_named(all, id, fits, what);
        for (size_t i = 0; i < all->glob_count; i++) {
                const struct profile_override *o = &all->globs[i];
                if (first && first->place < o->place)
                        break;
                if (names_case(o, id) && fits(o, what))
                        return o->expected;
        }
        return first ? first->expected : NULL;
}

/* "*" stands for any result. */
static bool allows_any(const struct value *allowed)
{
        const char *first = value_text(value_entry(allowed, 0));
        return first && strcmp(first, "*") == 0;
}

const struct value *profile_endings(const struct profile *p, const char *id)
{
        for (size_t i = 0; i < p->chain_length; i++) {
                const struct value *expected = first_override(&p->overrides[i], id, is_about_ending, "ending");
                if (expected)
                        return expected;
        }
        return NULL;
}

const struct value *profile_expected(const struct profile *p, const char *id, const struct value *observation)
{
        const struct value *expected = value_member(observation, "expected");
        for (size_t i = 0; i < p->chain_length; i++) {
                const struct profile_overrides *overrides = &p->overrides[i];
                const struct value *allowed = NULL;
                if (overrides->named_count + overrides->glob_count > 0)
                        allowed =
                                first_override(overrides, id, is_about, value_text(value_member(observation, "what")));
                if (!allowed)
                        allowed = value_member(expected, p->chain[i]);
                if (allowed && allowed->kind == VALUE_LIST)
                        return allows_any(allowed) ? NULL : allowed;
        }
        return NULL;
}

void profile_each_case(const struct profile *p, profile_visit_case *visit, void *arg)
{
        for (size_t i = 0; i < p->chain_length; i++) {
                const struct profile_overrides *all = &p->overrides[i];
                for (size_t k = 0; k < all->named_count; k++) {
                        const struct profile_override *o = &all->named[k];
                        if (k == 0 || strcmp(o->cases, o[-1].cases) != 0)
                                visit(p->chain[i], o->place + 1, o->cases, false, arg);
                }
                for (size_t k = 0; k < all->glob_count; k++)
                        visit(p->chain[i], all->globs[k].place + 1, all->globs[k].cases, true, arg);
        }
}

void profile_each_override(const char *directory, const char *id,
                           void (*visit)(const char *profile_title, const json_t *override, void *arg), void *arg)
{
        json_t *names = known_names(directory);
        size_t i = 0;
        json_t *name = NULL;
        json_array_foreach(names, i, name)
        {
                char path[4096];
                char why[512];
                snprintf(path, sizeof(path), "%s/%s" SUFFIX, directory, json_string_value(name));
                json_t *file = load_file(path, why, sizeof(why));
                size_t j = 0;
                json_t *override = NULL;
                json_array_foreach(json_object_get(file, "overrides"), j, override)
                {
                        if (fnmatch(json_string_value(json_object_get(override, "case")), id, 0) == 0)
                                visit(json_string_value(json_object_get(file, "title")), override, arg);
                }
                json_decref(file);
        }
        json_decref(names);
}
