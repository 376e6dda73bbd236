/* The verdicts as text for a person: divergences, a table by topic, one closing line. */
#ifndef TERMINAL_REPORT_H
#define TERMINAL_REPORT_H

#include "case_text.h"
#include "judged_record.h"
#include "terminal_text.h"

/* Prints the whole report to out. */
void terminal_report(FILE *out, struct terminal_style style, const struct judged_record *judged);

/* Prints the closing line alone: the scores and the platform, the record's label in front. */
void terminal_closing(FILE *out, struct terminal_style style, const struct judged_record *judged);

#endif
