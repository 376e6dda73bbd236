/* A sweep as a page for a browser: a table of places and faults, each cell of which opens its runs. */
#ifndef SWEEP_PAGE_H
#define SWEEP_PAGE_H

#include <stdio.h>

#include "sweep.h"

/* Writes the page. Returns false with errno if that could not be done, or memory was short. */
bool sweep_page_write(const struct sweep *s, FILE *out);

#endif
