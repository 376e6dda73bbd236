/* Text from anywhere, made fit to be put into a report that others read. */
#ifndef PLAIN_TEXT_H
#define PLAIN_TEXT_H

#include <stdbool.h>
#include <stddef.h>

enum plain_newlines { ONE_LINE, KEEP_NEWLINES };

/*
 * A copy in UTF-8 in which U+FFFD stands for each byte that is none, each
 * control character (newline aside, if they are kept), and each character that
 * has no shape of its own: those that turn the direction of writing, join,
 * separate lines, or are not assigned. It has at most limit bytes of the text;
 * behind them it says how many more there are.
 * The caller frees it; NULL when memory is short.
 */
char *plain_text(const char *text, size_t limit, enum plain_newlines newlines);

#endif
