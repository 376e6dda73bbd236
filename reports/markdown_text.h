/* Text from anywhere, as Markdown outside of code. */
#ifndef MARKDOWN_TEXT_H
#define MARKDOWN_TEXT_H

#include <stddef.h>
#include <stdio.h>

/* Puts at most limit bytes of the text, of which no character means anything, and no @ calls anybody. */
void put_markdown(FILE *out, const char *text, size_t limit);

#endif
