/*
 * JSON that is written as it comes, for reports of thousands of cases, of which
 * a tree in memory costs more than all the rest. It is laid out as jansson's
 * JSON_INDENT(1) does it.
 */
#ifndef JSON_WRITER_H
#define JSON_WRITER_H

#include <stdbool.h>
#include <stdio.h>

/* Begins as {.out = stream}. Whether the stream took it, ferror says. */
struct json_writer {
        FILE *out;
        int depth;
        bool filled; /* the innermost object or list holds something */
};

/* In all of these, name is that of a member of an object, or NULL for what stands in a list or alone. */
void json_begin_object(struct json_writer *w, const char *name);
void json_begin_list(struct json_writer *w, const char *name);
void json_end_object(struct json_writer *w);
void json_end_list(struct json_writer *w);

/* text is UTF-8. */
void json_write_text(struct json_writer *w, const char *name, const char *text);
void json_write_number(struct json_writer *w, const char *name, long long number);
void json_write_flag(struct json_writer *w, const char *name, bool flag);

#endif
