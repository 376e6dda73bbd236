/* Text from anywhere, as Markdown outside of code. */
#ifndef MARKDOWN_TEXT_H
#define MARKDOWN_TEXT_H

#include <stddef.h>
#include <stdio.h>

/* Puts at most limit bytes of the text, of which no character means anything, and no @ calls anybody. */
void put_markdown(FILE *out, const char *text, size_t limit);

/* The same as code, which it cannot end. */
void put_markdown_code(FILE *out, const char *text, size_t limit);

/* The same as lines of text in a fence, with a newline behind it. */
void put_markdown_fenced(FILE *out, const char *text, size_t limit);

/* The same on a line of HTML. */
void put_markdown_html(FILE *out, const char *text, size_t limit);

#endif
