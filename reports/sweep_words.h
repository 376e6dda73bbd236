/* What all reports of a sweep say in the same words. */
#ifndef SWEEP_WORDS_H
#define SWEEP_WORDS_H

#include "sweep.h"

/* The try that stands for the finding: the one that is told best. */
const struct sweep_try *sweep_shown_try(const struct sweep *s, const struct sweep_finding *f);

/* The command line, to be pasted into a shell, that shows the finding again. The caller frees it; NULL: no memory. */
char *sweep_reproduce(const struct sweep *s, const struct sweep_finding *f);

/* The command's words as a shell takes them. The caller frees it; NULL: no memory. */
char *sweep_command(const struct sweep *s);

/* Writes "shmat in open_queue (queue.c:41)". */
void sweep_site_text(const struct sweep *s, size_t site, char *text, size_t size);

/* Writes "killed by SIGSEGV", "exit status 3", "not ended after 2.0 s". */
void sweep_end_text(const struct sweep_try *t, char *text, size_t size);

/* Writes "key 0x5e3a0001, 4096 bytes, made by shmget in main (queue.c:12)". */
void sweep_left_text(const struct sweep *s, const struct sweep_left *left, char *text, size_t size);

/* The faults of the finding's other tries as "EINVAL, ENOMEM from then on", each once; "" if there is no other. */
void sweep_others_text(const struct sweep *s, const struct sweep_finding *f, char *text, size_t size);

/* Whether it counts: it was seen again, and is not in the baseline. */
bool sweep_finding_counts(const struct sweep_finding *f);

/*
 * What there is to know about the sweep itself, one sentence each, as that
 * output is not the same from run to run. Calls tell with each.
 */
void sweep_tell_notes(const struct sweep *s, void (*tell)(const char *note, void *arg), void *arg);

#endif
