/* The findings of a sweep: what was tried, grouped, and looked at again. */
#ifndef SWEEP_FINDINGS_H
#define SWEEP_FINDINGS_H

#include "sweep.h"

/* How often a finding is looked for again before it is said to have been seen only once. */
#define SWEEP_LOOKS 3

void sweep_findings_free(struct sweep *s);

#endif
