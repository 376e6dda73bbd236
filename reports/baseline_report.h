/* A baseline as a file that people review: what diverges, a case a line. */
#ifndef BASELINE_REPORT_H
#define BASELINE_REPORT_H

#include <stdio.h>

#include "judged_record.h"

struct baseline_changes {
        size_t kept, added, dropped;
        const char *unfit; /* a case whose id a baseline cannot hold; NULL: there is none */
};

/*
 * Writes the divergences of judged, whose verdicts are those without a
 * baseline, sorted by case, each with what was seen as its comment; until (or
 * NULL) is the day up to which new ones are accepted.
 * Lines of old (or NULL) keep their dates and comments, and those above them;
 * they go only where the record shows that the case passes now.
 * Returns false when memory is short.
 */
bool baseline_report(FILE *out, const struct judged_record *judged, const struct baseline *old, const char *until,
                     struct baseline_changes *changes);

#endif
