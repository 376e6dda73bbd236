/* What changed between two records, for programs; reports/diff_schema.json describes it. */
#ifndef DIFF_JSON_H
#define DIFF_JSON_H

#include "diff_words.h"

/* Returns false if memory was short, or out took not all. */
bool diff_json(FILE *out, const struct compared *c);

#endif
