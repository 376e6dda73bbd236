/* The matrix as people and programs read it. */
#ifndef MATRIX_OUTPUT_H
#define MATRIX_OUTPUT_H

#include "tries.h"

/* One line: how many cases caught it of how many tries, and the first of them, with * those meant for it. */
void print_mutant(const struct matrix *matrix, const struct tried_mutant *t);
/* The cases that caught nothing. */
void print_idle_cases(const struct matrix *matrix);
void print_closing(const struct matrix *matrix);

/* Returns false after one line on standard error. */
bool write_json(const struct matrix *matrix, const char *path);

#endif
