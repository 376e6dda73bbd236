/*
 * A sweep's log: what each try came to, a line of JSON each, written when it
 * has ended. A sweep that was stopped, by whatever, goes on from it.
 */
#ifndef SWEEP_LOG_H
#define SWEEP_LOG_H

#include "sweep.h"

struct sweep_log;

/*
 * Opens the file, which may not be there yet, for a sweep of the program with
 * these wishes. Returns NULL with one line in why: it cannot be read or
 * written, is no log, or is of another command, another state of the program's
 * file, or other wishes. A last line that was cut is dropped.
 */
struct sweep_log *sweep_log_open(const char *path, const struct sweep_program *program,
                                 const struct sweep_wishes *wishes, char *why, size_t size);
void sweep_log_close(struct sweep_log *log);

/*
 * Makes those tries done that are in the log, and adds what they ask to be
 * tried next; to be called when tries have been added. Returns false if out of
 * memory.
 */
bool sweep_log_apply(struct sweep_log *log, struct sweep *s);

/* Writes what the try came to, and whether it asks for its error to last. Returns false with errno if it cannot. */
bool sweep_log_write(struct sweep_log *log, const struct sweep *s, const struct sweep_try *t, bool lasts);

#endif
