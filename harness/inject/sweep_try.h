/* Tries of a sweep: a run under faults, what is kept of it, and what it asks to be tried next. */
#ifndef SWEEP_TRY_H
#define SWEEP_TRY_H

#include "sweep.h"

/* Adds one with these faults. Returns false with s->failure filled in if out of memory. */
bool sweep_try_add(struct sweep *s, const struct sweep_fault *faults, unsigned count);

/* Fills in the slot for a run under the faults of the try. */
void sweep_try_begin(struct sweep *s, const struct sweep_try *t, struct sweep_slot *slot);

/*
 * Takes what the slot's run showed into the try. Returns whether the slot is to
 * run again, for the run after a kill; else the try is done.
 */
bool sweep_try_take(struct sweep *s, struct sweep_try *t, struct sweep_slot *slot);

void sweep_try_free(struct sweep_try *t);

#endif
