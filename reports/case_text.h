/* What a record and its verdicts say, in words: the same in every report. */
#ifndef CASE_TEXT_H
#define CASE_TEXT_H

#include <stdio.h>

#include "terminal_text.h"
#include "verdict.h"

/* The member's string in an object of the record's start; "" if there is none. */
const char *start_text(const json_t *object, const char *member);

/* "Linux 6.18 x86_64, glibc 2.36, 64-bit, as uid 0, isolation ipcns"; the caller frees it. */
char *describe_platform(const struct record *record);

/* One step as a person writes the call: "shmdt(0x7f..) = -1 EINVAL"; the caller frees it. */
char *describe_step(const struct value *step);

/* Its two parts, "shmdt(0x7f..)" and "-1 EINVAL"; the caller frees them. */
char *describe_call(const struct value *step);
char *describe_result(const struct value *step);

/* What an observation of the case is of: the call of its step, or what it calls itself; the caller frees it. */
char *describe_observed(const struct judged_case *c, const struct value *observation);

/* What it saw; of a call that was to succeed, what that returned. */
const char *observed_text(const struct judged_case *c, const struct value *observation);

/* Prints what is allowed: "EINVAL or EIDRM". */
void print_allowed(FILE *out, const struct value *allowed);

/*
 * Why the case has its verdict, on one line: what diverged first and how, the
 * reason of a skip, crash, hang or error, why a baseline accepts it, how many
 * rounds went which way. "" for a pass. The caller frees it; NULL when memory
 * is short.
 */
char *describe_verdict(const struct judged_case *c);

/* Prints the sentence that a case checks, and where the requirement and the case stand. */
void print_requirement(FILE *out, struct terminal_style style, const struct value *result);

/*
 * Prints all that is to be told of a case that did not pass: its verdict, id
 * and sentence, where the requirement stands, what was expected and came, the
 * steps that led there, and the platform.
 */
void print_case(FILE *out, struct terminal_style style, const struct judged_case *c, const char *platform);

/* The same as lines of text, without a newline at the end; the caller frees it. NULL when memory is short. */
char *describe_case(const struct judged_case *c, const char *platform);

#endif
