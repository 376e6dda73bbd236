/* Writing XML: elements with attributes and text, laid out, whatever the text holds. */
#ifndef XML_WRITER_H
#define XML_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct xml_writer;

/* Begins a document in UTF-8. Returns NULL if out of memory, or if libxml2 cannot be loaded, with errno. */
struct xml_writer *xml_writer_begin(FILE *out);

/* What fails in these is told at the end. Of a text at most limit bytes are written; an attribute's is made one line.
 */
void xml_start(struct xml_writer *x, const char *element);
void xml_finish(struct xml_writer *x);
void xml_attribute(struct xml_writer *x, const char *name, const char *text, size_t limit);
void xml_count(struct xml_writer *x, const char *name, size_t n);
void xml_seconds(struct xml_writer *x, const char *name, double seconds);
void xml_content(struct xml_writer *x, const char *text, size_t limit);

/* Ends the document and frees x. Returns false if any of it could not be written. */
bool xml_writer_end(struct xml_writer *x);

#endif
