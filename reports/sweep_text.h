/* A sweep for a person at a terminal. */
#ifndef SWEEP_TEXT_H
#define SWEEP_TEXT_H

#include <stdio.h>

#include "sweep_words.h"
#include "terminal_text.h"

/* Prints the findings, a table of places, and a closing line. */
void sweep_text(FILE *out, struct terminal_style style, const struct sweep *s);

/* Prints the first lines of what a run wrote. */
void sweep_text_output(FILE *out, struct terminal_style style, const struct sweep_observation *o);

#endif
