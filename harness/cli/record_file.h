/* A record in a file. */
#ifndef RECORD_FILE_H
#define RECORD_FILE_H

#include "record_reader.h"

/*
 * Reads the record, from standard input if path is "-". The caller frees the
 * reader. Returns NULL after one line on standard error: the file cannot be
 * read, or holds no record that can be.
 */
struct record_reader *record_file_read(const char *path);

#endif
