/*
 * A format of a report: it is given judged records, one after the other, and
 * draws them. What is drawn depends on them and on nothing else, so that the
 * same records make the same bytes.
 */
#ifndef REPORT_FORMAT_H
#define REPORT_FORMAT_H

#include <stdio.h>

#include "judged_record.h"

struct report_format {
        const char *name; /* of the option, too: "junit" */
        /* Begins a report of so many records. Returns its state, or NULL when memory is short. */
        void *(*begin)(FILE *out, size_t records);
        /* Draws a record, of which nothing is needed afterwards. */
        void (*add)(void *state, const struct judged_record *judged);
        /* Ends the report, and the state. Returns false if memory was short and something is missing of it. */
        bool (*end)(void *state);
};

/* One JSON object, or an array of them for several records; reports/schema.json describes it. */
extern const struct report_format json_format;
/* JUnit's XML, as Jenkins' xunit plug-in (junit-10.xsd) and GitLab take it. */
extern const struct report_format junit_format;
/* The Test Anything Protocol, version 14; 13 where the environment's TAP_VERSION says so, as prove does. */
extern const struct report_format tap_format;
/* The Kernel Test Anything Protocol, version 1. */
extern const struct report_format ktap_format;
/* For a comment on a pull request, or GitHub's summary of a job. */
extern const struct report_format markdown_format;
/* A page for a browser, the platforms of several records side by side. */
extern const struct report_format html_format;

#endif
