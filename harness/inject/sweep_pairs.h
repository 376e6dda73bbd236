/* Two faults in one run. */
#ifndef SWEEP_PAIRS_H
#define SWEEP_PAIRS_H

#include "sweep.h"

/*
 * Adds tries with a second fault where a run went on after a first one that
 * it survived: at its calls after that, those first that it does not make
 * without a fault; at most wishes.pairs. Returns false if out of memory.
 */
bool sweep_pairs_add(struct sweep *s);

#endif
