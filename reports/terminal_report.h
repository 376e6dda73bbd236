/* The verdicts as text for a person: divergences, a table by topic, one closing line. */
#ifndef TERMINAL_REPORT_H
#define TERMINAL_REPORT_H

#include <stdio.h>

#include "verdict.h"

struct terminal_style {
        bool color; /* escape sequences may be used */
        int width;  /* columns to wrap at; 0: do not wrap */
};

/*
 * Prints the whole report to out. main is the judgement that decides; others
 * are profiles whose counts the closing line shows too.
 */
void terminal_report(FILE *out, struct terminal_style style, const struct record *record, const struct judgement *main,
                     const struct judgement *const *others, size_t other_count);

/* "Linux 6.18 x86_64, glibc 2.36, 64-bit, as uid 0, isolation ipcns"; the caller frees it. */
char *describe_platform(const struct record *record);

/* One step as a person writes the call: "shmdt(0x7f..) = -1 EINVAL"; the caller frees it. */
char *describe_step(const json_t *step);

/* Prints text wrapped to the style's width, each line after the first indented; control characters become '?'. */
void print_wrapped(FILE *out, struct terminal_style style, int indent, const char *text);

#endif
