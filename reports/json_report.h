/* The verdicts as one JSON object: what `--json` writes. */
#ifndef JSON_REPORT_H
#define JSON_REPORT_H

#include "verdict.h"

/*
 * Returns the object, which the caller releases, or NULL when memory is short.
 * main is the judgement that decides; others are shown beside it.
 */
json_t *json_report(const struct record *record, const struct judgement *main, const struct judgement *const *others,
                    size_t other_count);

#endif
