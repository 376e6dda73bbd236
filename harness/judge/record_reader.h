/*
 * Reads the record that an agent wrote (harness/agent/record.h has the format).
 * What stands around the frames does not matter: other lines, text in front of
 * a frame on its line, CR before LF. Damaged and missing frames are counted,
 * and a record that was cut short is seen to be so.
 */
#ifndef RECORD_READER_H
#define RECORD_READER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "told_steps.h"
#include "value.h"

/* All results of one case, a round each: objects of type "case". */
struct record_case {
        const char *id;
        const struct value **results;
        struct told_steps *steps; /* of each result; NULL if the record tells none in frames of their own */
        size_t count;
};

/* The steps of a result; NULL if it has none. They hold as long as the record. */
const struct value *record_case_steps(const struct record_case *c, size_t round);

struct record {
        json_t *start;             /* the start object; NULL while none was read */
        struct record_case *cases; /* in the order of their topics and places */
        size_t case_count;
        json_t *listed;        /* array of list objects */
        json_t *running;       /* object: ids that have begun and not ended */
        size_t results;        /* case objects read */
        size_t damaged_frames; /* checksum or JSON did not fit */
        char damage[128];      /* where the first of them stands, and what is wrong with it */
        size_t missing_frames; /* gaps in the sequence */
        bool ended;            /* the end object came, and nothing is missing */
};

enum record_status {
        RECORD_OK,
        RECORD_EMPTY, /* not one frame */
        RECORD_NEWER, /* a format that this program does not know */
        RECORD_TWICE, /* a second record begins in it */
        RECORD_NO_MEMORY
};

struct record_reader;

/* Returns NULL when memory is short. */
struct record_reader *record_reader_new(void);

/* Takes the next bytes of the stream, in pieces of any size. Returns false once the record cannot be read any further.
 */
bool record_reader_feed(struct record_reader *reader, const char *bytes, size_t length);

/* The record as far as it was read; belongs to the reader. */
const struct record *record_reader_record(const struct record_reader *reader);

/*
 * Ends the stream: takes a last line without newline, puts the cases in order.
 * Returns what can be said of the record; line receives the number of the line
 * (from 1) that a status other than RECORD_OK and RECORD_EMPTY is about.
 */
enum record_status record_reader_finish(struct record_reader *reader, size_t *line);

void record_reader_free(struct record_reader *reader);

/* Whether nothing of the record is missing. */
bool record_is_complete(const struct record *record);

/* Whether the case of this result has the need, in the record's word for it. */
bool result_needs(const struct value *result, const char *need);

/* What to tell of an incomplete record: how much is there, and which case was running. The caller frees it. */
char *record_describe_cut(const struct record *record);

#endif
