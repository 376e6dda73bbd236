/* A sweep as Markdown, for a comment on a change. */
#ifndef SWEEP_MARKDOWN_H
#define SWEEP_MARKDOWN_H

#include <stdio.h>

#include "sweep.h"

/* Writes the closing line, the findings and the places. Returns false with errno if that could not be done. */
bool sweep_markdown_write(const struct sweep *s, FILE *out);

#endif
