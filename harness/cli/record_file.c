#include "record_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

static bool read_file(const char *path, struct record_reader *reader)
{
        FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
        static char bytes[64 * 1024];
        size_t n = 0;
        if (!f) {
                complain("%s: %s", path, strerror(errno));
                return false;
        }
        while ((n = fread(bytes, 1, sizeof(bytes), f)) > 0 && record_reader_feed(reader, bytes, n)) {
        }
        bool readable = !ferror(f);
        if (!readable)
                complain("%s: %s", path, strerror(errno));
        if (f != stdin)
                fclose(f);
        return readable;
}

static bool check_status(const char *path, enum record_status status, size_t line)
{
        switch (status) {
        case RECORD_OK:
                return true;
        case RECORD_EMPTY:
                complain("%s: no record in it: no line has the mark '@shmcheck' of a record", path);
                return false;
        case RECORD_NEWER:
                complain("%s:%zu: the record has a newer format than this shmcheck reads (1)", path, line);
                return false;
        case RECORD_TWICE:
                complain("%s:%zu: a second record begins here; a file holds one", path, line);
                return false;
        case RECORD_NO_MEMORY:
                complain("%s:%zu: out of memory", path, line);
                return false;
        }
        return false;
}

struct record_reader *record_file_read(const char *path)
{
        struct record_reader *reader = record_reader_new();
        size_t line = 0;
        if (!reader) {
                complain("out of memory");
                return NULL;
        }
        if (read_file(path, reader)) {
                enum record_status status = record_reader_finish(reader, &line);
                if (check_status(path, status, line))
                        return reader;
        }
        record_reader_free(reader);
        return NULL;
}
