/* The time of events. */
#ifndef EVENT_CLOCK_H
#define EVENT_CLOCK_H

#include <stdint.h>

/* Looks once for what the time can be read from. May be called more than once. */
void event_clock_set_up(void);

/*
 * CLOCK_MONOTONIC, in nanoseconds. Where the kernel itself goes by the
 * processor's time-stamp counter, that is read, at half the price, and held
 * against the kernel's clock every millisecond: the two differ by less than a
 * hundred nanoseconds then, and a thread's time may step back by as much.
 * Lock-free and safe in a signal handler.
 */
int64_t event_clock_now(void);

#endif
