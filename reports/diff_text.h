/* What changed between two records, as text for a person. */
#ifndef DIFF_TEXT_H
#define DIFF_TEXT_H

#include "diff_words.h"
#include "terminal_text.h"

/* Prints the whole report to out. */
void diff_text(FILE *out, struct terminal_style style, const struct compared *c);

/* ---- parts of it, for reports that hold text ---- */

/* What is missing of a record, and which needs are met by only one of the platforms; nothing where there is nothing. */
void diff_text_notes(FILE *out, struct terminal_style style, const struct compared *c);

/* A case of both records: what it checks, what each saw, and the steps side by side. */
void diff_text_case(FILE *out, struct terminal_style style, const struct compared *c, const struct case_difference *d);

/* The cases of a change in few lines, those with the same reason together. */
void diff_text_list(FILE *out, struct terminal_style style, const struct compared *c, enum change change);

#endif
