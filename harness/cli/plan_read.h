/* A fault plan from the command line and from a file. */
#ifndef PLAN_READ_H
#define PLAN_READ_H

#include "deny.h"

/*
 * Reads the rules (ending with NULL; NULL: none) and then those of the file
 * (NULL: none), which has one a line; blank lines and what follows a # that
 * begins a line or has white space before it are skipped. Returns false after
 * one line on standard error that says where the mistake is.
 */
bool plan_read(struct fault_plan *plan, char *const *rules, const char *file, bool any_error);

/* Reads what --deny says (ending with NULL; NULL: nothing). Returns false after one line on standard error. */
bool denials_read(struct deny *deny, char *const *denials);

#endif
