/*
 * Values as people write them in a rule: numbers, sizes, times, chances.
 * Each function reads the whole span and returns NULL, or the place in the
 * span from which it is not what it should be. None depends on the locale.
 */
#ifndef FAULT_VALUES_H
#define FAULT_VALUES_H

#include <stdint.h>

struct fault_span {
        const char *from, *to; /* to: one past the last */
};

/* Decimal, or hexadecimal after 0x, at most max. */
const char *fault_read_number(struct fault_span text, uint64_t max, uint64_t *number);

/* The same, where a 0 in front means octal: modes. */
const char *fault_read_octal_number(struct fault_span text, uint64_t max, uint64_t *number);

/* Decimal with a sign if need be, or hexadecimal: then the bits of a 64-bit number. */
const char *fault_read_signed(struct fault_span text, int64_t *number);

/* Bytes, with k, M or G for powers of 1024 (also K, KiB, MiB, GiB). */
const char *fault_read_size(struct fault_span text, uint64_t *bytes);

/* A size, or <SIZE, <=SIZE, >SIZE, >=SIZE: from *low to *high, both included. */
const char *fault_read_sizes(struct fault_span text, uint64_t *low, uint64_t *high);

/* A time in ns, us, ms or s, microseconds without a unit, at most 10^9 s: in nanoseconds. */
const char *fault_read_time(struct fault_span text, uint64_t *nanoseconds);

/* A probability from 0 to 1, or in percent: of 2^32. */
const char *fault_read_chance(struct fault_span text, uint64_t *chance);

/* N, N+, N+STEP, N..M or N..M+STEP, all from 1. */
const char *fault_read_when(struct fault_span text, uint64_t *first, uint64_t *last, uint64_t *step);

#endif
