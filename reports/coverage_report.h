/* Which case checks which clause, for a person at a terminal and as a page in Markdown. */
#ifndef COVERAGE_REPORT_H
#define COVERAGE_REPORT_H

#include <stdio.h>

#include "coverage.h"
#include "terminal_report.h"

/* Prints each clause with its cases below it, wrapped to the style's width, and a closing line. */
void coverage_report(FILE *out, struct terminal_style style, const struct coverage *coverage);

/* Prints the same as tables, with the number of cases of each topic and level before them. */
void coverage_markdown(FILE *out, const struct coverage *coverage);

#endif
