/* The cases held against the list of clauses: which clause is checked by which cases, and which by none. */
#ifndef COVERAGE_H
#define COVERAGE_H

#include <jansson.h>

#include "clauses.h"
#include "level.h"

struct covered_clause {
        const struct clause *clause;
        json_t *ids;   /* array of the cases' ids, sorted */
        json_t *names; /* the same, short: "shmget.enoent.*" where each case of a large family checks the clause */
};

struct unknown_clause {
        const json_t *of; /* the list object of the case */
        char *text;
        const char *nearest; /* in the list of clauses; NULL if that is empty */
};

struct topic_count {
        const char *topic;
        size_t levels[LEVELS];
        size_t all;
};

struct coverage {
        struct covered_clause *clauses; /* in the order of the list */
        size_t clause_count;
        struct unknown_clause *unknown; /* what cases name that is not in the list */
        size_t unknown_count;
        struct topic_count *topics; /* in the order of the cases */
        size_t topic_count;
        size_t case_count;
        size_t explained; /* clauses without a case, for a reason */
        size_t missing;   /* clauses without a case or a reason */
        size_t outdated;  /* clauses with a case and a reason why there is none */
};

/*
 * Finds out what covers what. listed is the array of list objects in a record
 * of `shmcheck-agent --list`; it and clauses must live as long as the result.
 * Returns NULL when memory is short.
 */
struct coverage *coverage_find(const struct clauses *clauses, const json_t *listed);
void coverage_free(struct coverage *coverage);

/* Whether nothing is missing, unknown or outdated. */
bool coverage_is_whole(const struct coverage *coverage);

#endif
