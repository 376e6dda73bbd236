/* What a platform did in one case, as the pages that compare platforms tell it. */
#ifndef MATRIX_STORY_H
#define MATRIX_STORY_H

#include <jansson.h>

#include "judged_record.h"

/*
 * {"observations": [[mark, what, seen, expected, step, by], ...],
 *  "steps": [[number, by, call, result], ...], "before": steps left out in front, "after": and behind}
 * mark is 1 where what was seen is allowed, 0 where not, 2 where nothing is expected.
 * All text is fit to be shown. Returns NULL when memory is short.
 */
json_t *matrix_story_told(const struct judged_record *judged, const struct judged_case *c);

#endif
