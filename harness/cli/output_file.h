/*
 * A file of results: written beside its place and moved there when it is
 * whole, so that a run that is killed or meets a full disk leaves the old file
 * as it was and no other behind.
 */
#ifndef OUTPUT_FILE_H
#define OUTPUT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct output_file {
        const char *path; /* "-" is standard output */
        FILE *stream;
        char *beside; /* the name it has until it is whole; NULL while it has none */
        bool direct;  /* a device or pipe: written in place */
};

/* Opens it. Returns false with one line (no newline) in why. path must live as long as the file. */
bool output_open(struct output_file *out, const char *path, char *why, size_t size);

/* Sends what is buffered. Returns 0, or the errno for which some of what was written to the stream is lost. */
int stream_error(FILE *stream);

/* Makes what was written the file. Returns false with one line in why; the old file is then untouched. */
bool output_commit(struct output_file *out, char *why, size_t size);

/* Forgets what was written. */
void output_discard(struct output_file *out);

#endif
