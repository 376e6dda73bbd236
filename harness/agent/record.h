/*
 * The record as the agent writes it: one JSON object a line, each in a frame
 *
 *     @shmcheck SEQUENCE CRC32 {...}
 *
 * with the sequence number in decimal, from 0, and the CRC-32 of the object's
 * bytes in 8 hex digits. A reader can tell foreign, damaged and missing lines.
 *
 * Objects, by their member "type":
 *   start   format (1), agent, platform, needs that are missing, isolation, all cases that the
 *           agent has, number of results to come
 *   begin   id, round: a case starts
 *   steps   id, round, steps: what the case did, in front of its "case"; apart from it, since most
 *           readers want to know only of few cases how they came to their end
 *   case    what a case is, and how it ended: status, microseconds (us),
 *           observations, segments left; with --floor also floor_us
 *   end     number of results: nothing is missing
 *   list    what a case is (only from --list)
 */
#ifndef SHMC_RECORD_H
#define SHMC_RECORD_H

#include "journal.h"
#include "needs.h"
#include "registry.h"
#include "text.h"

#define SHMC_RECORD_FORMAT 1
#define SHMC_AGENT_VERSION "0.1.0"
#define SHMC_LINE_SIZE (256 * 1024)

/* How a case ended, in the record's words: "done", "skip", "setup", "error", "crash", "hang", "not-applicable". */
struct shmc_result {
        const char *status;
        const char *reason; /* or "" */
        long microseconds;
        long floor;                         /* microseconds; 0 if not measured */
        const struct shmc_journal *journal; /* NULL if the case never ran */
        const char *left;                   /* JSON of the segments left, or NULL */
};

/* Each appends one object, without frame and newline. */
void shmc_record_start(struct shmc_text *t, const struct shmc_needs *needs, size_t results, unsigned rounds,
                       unsigned jobs);
void shmc_record_begin(struct shmc_text *t, const struct shmc_case *c, unsigned round);
void shmc_record_steps(struct shmc_text *t, const struct shmc_case *c, unsigned round, const struct shmc_journal *j);
void shmc_record_case(struct shmc_text *t, const struct shmc_case *c, unsigned round, const struct shmc_result *r);
void shmc_record_list(struct shmc_text *t, const struct shmc_case *c);
void shmc_record_end(struct shmc_text *t, size_t results);

/* Writes the object to fd in the next frame. Returns false with errno when fd does not take it. */
bool shmc_write_frame(int fd, const char *object, size_t length);

/* Writes all bytes. Returns false with errno. */
bool shmc_write_all(int fd, const char *bytes, size_t length);

#endif
