/* Text for a person at a terminal: wrapped to its width, and harmless to it. */
#ifndef TERMINAL_TEXT_H
#define TERMINAL_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

struct terminal_style {
        bool color; /* escape sequences may be used */
        int width;  /* columns to wrap at; 0: do not wrap */
};

enum terminal_ink { INK_PLAIN, INK_BOLD, INK_DIM, INK_RED, INK_GREEN, INK_YELLOW };

/* Changes how what follows looks, if the style has colors. */
void print_ink(FILE *out, struct terminal_style style, enum terminal_ink ink);

/*
 * A copy of what a record says, of which no control character reaches the
 * terminal: each is '?'. The caller frees it; NULL when memory is short.
 */
char *made_harmless(const char *text);

/* Prints text wrapped to the style's width, each line after the first indented; control characters become '?'. */
void print_wrapped(FILE *out, struct terminal_style style, int indent, const char *text);

/* Prints ids behind what stands at the indent, with commas between them; each stays in one piece, to be copied. */
void print_ids(FILE *out, struct terminal_style style, int indent, const json_t *ids);

#endif
