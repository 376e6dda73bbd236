/*
 * The list of clauses that cases may name (cases/clauses.txt):
 *
 *     # a comment
 *     POSIX XSH shmget ERRORS EEXIST
 *     shmget(2) ERRORS ENFILE | why no case checks it
 *
 * One clause a line, each once. What is not understood is an error, so that a
 * slip makes no clause of its own.
 */
#ifndef CLAUSES_H
#define CLAUSES_H

#include <stdbool.h>
#include <stddef.h>

/* Where a requirement can stand, in the order in which they are told. */
enum clause_kind { CLAUSE_POSIX, CLAUSE_MANUAL, CLAUSE_SOURCE };
#define CLAUSE_KINDS 3

struct clause {
        char *text;
        char *reason; /* why no case checks it; NULL: one has to */
        size_t line;
        enum clause_kind kind;
};

struct clauses {
        struct clause *all; /* sorted by kind, then by text */
        size_t count;
};

/* Reads the list. Returns NULL after one line (no newline) in why, with file and line of the mistake. */
struct clauses *clauses_load(const char *path, char *why, size_t size);
void clauses_free(struct clauses *clauses);

#endif
