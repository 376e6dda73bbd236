/* How the platforms of a matrix are written down: a file a format. The same matrix makes the same bytes. */
#ifndef MATRIX_FORMAT_H
#define MATRIX_FORMAT_H

#include "matrix.h"

struct matrix_format {
        const char *name; /* of the option, too: "csv" */
        /* Returns false when memory is short or out cannot be written. */
        bool (*write)(const struct platform_matrix *matrix, FILE *out);
};

/* One page for a browser. */
extern const struct matrix_format matrix_html;
/* Scores, topics, and each behaviour in which platforms differ. */
extern const struct matrix_format matrix_markdown;
/* As RFC 4180 has it, with a head line; a behaviour a line, its verdicts in a column a platform. */
extern const struct matrix_format matrix_csv;
/*
 * {"shmcheck_matrix": 1, "platforms": [{"name", "platform", "profile", "complete", "cut", "score", "levels",
 * "verdicts"}], "behaviours": [{"id", "topic", "level", "clause", "sentence", "note", "known_to_differ", "differs",
 * "verdicts": {NAME: VERDICT}, "why": {NAME: TEXT}}]}
 */
extern const struct matrix_format matrix_json;

#endif
