/* Records made by hand: of every verdict, and with strings that no agent would write. */
#ifndef MADE_RECORD_H
#define MADE_RECORD_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

/* Writes the object to f as the frame with the number. */
void write_frame(FILE *f, size_t sequence, const char *object);

/* Cases of a record that gets the verdict of its id from the baseline below, by the profile linux. */
extern const char *const made_ids[];
#define MADE_CASES 10

/* One line for each of made.known and made.fixed, the first with a day and a reason. */
#define MADE_BASELINE "made.fixed\nmade.known  until=2999-12-31  # accepted, as # it is\n"

/*
 * Writes a record with a case for each verdict, in two topics. Every text that
 * a case or the platform has is told with decoration behind it.
 */
void make_record(const char *path, const char *decoration);

/* The same, of the cases that pass or are skipped. */
void make_good_record(const char *path, const char *decoration);

/* Writes a record of count cases that all fail, each with the sentence. */
void make_failing_record(const char *path, size_t count, const char *sentence);

#endif
