/* The runs of a sweep that are without faults. */
#ifndef SWEEP_LEARN_H
#define SWEEP_LEARN_H

#include "sweep.h"

/* Fills in the slot for a run without faults, which is killed after so many nanoseconds. */
void sweep_slot_without_fault(struct sweep *s, struct sweep_slot *slot, int64_t limit);

/*
 * Makes one more run without faults, and sets s->changed if it is not as the
 * first ones were. Returns false with s->failure filled in if it cannot be made.
 */
bool sweep_look_for_changes(struct sweep *s);

#endif
