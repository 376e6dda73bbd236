/* Which case sees which mutant, for a person at a terminal and as JSON. */
#ifndef MUTANTS_REPORT_H
#define MUTANTS_REPORT_H

#include <stdio.h>

#include "terminal_report.h"
#include "tries.h"

/* One line, cut to the style's width: what the mutant breaks, and the first of the cases that saw it. */
void print_mutant(FILE *out, struct terminal_style style, const struct matrix *matrix, const struct tried_mutant *t);
/* All that is known of it, over several lines. */
void print_mutant_whole(FILE *out, struct terminal_style style, const struct matrix *matrix,
                        const struct tried_mutant *t);

/* What is left to say when all have been tried: what nobody saw, who saw nothing, and one line of numbers. */
void print_matrix_end(FILE *out, struct terminal_style style, const struct matrix *matrix);

/* The caller releases the object; NULL when memory is short. */
json_t *matrix_as_json(const struct matrix *matrix, const struct reasons *reasons);

#endif
