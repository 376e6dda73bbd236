/* A sweep as JUnit's XML. */
#ifndef SWEEP_JUNIT_H
#define SWEEP_JUNIT_H

#include <stdio.h>

#include "sweep.h"

/*
 * Writes a suite for each place in the program and a case for each run. Returns
 * false with errno if that could not be done, or memory was short.
 */
bool sweep_junit_write(const struct sweep *s, FILE *out);

#endif
