/* What changed between two records, for a comment on a pull request or GitHub's summary of a job. */
#ifndef DIFF_MARKDOWN_H
#define DIFF_MARKDOWN_H

#include "diff_words.h"

/* Writes at most 65,000 bytes; what is left out is counted. Returns false if memory was short, or out took not all. */
bool diff_markdown(FILE *out, const struct compared *c);

#endif
