/* What was skipped and why, each reason once. */
#ifndef SKIP_TEXT_H
#define SKIP_TEXT_H

#include "judged_record.h"
#include "terminal_text.h"

/* Prints a line for each need that is missing, and for each other reason, with the number of cases it takes away. */
void print_skips(FILE *out, struct terminal_style style, const struct judged_record *judged);

#endif
