/* A command that runs under a fault plan, is followed by its events, and is ended with a word on each: inject, trace.
 */
#ifndef SUPERVISION_H
#define SUPERVISION_H

#include <popt.h>

#include "trace.h"

/* The options of popt that inject and trace share, to be included in their tables. */
extern struct poptOption supervision_option_table[];

struct supervision_options {
        char **inject;
        char **deny;
        const char *plan;
        const char *via;
        const char *events;
        int any_error, may_miss, host;
};
extern struct supervision_options supervision_options;

/* What a subcommand wants of the run. */
struct supervision {
        bool traced;  /* events are wanted, also without --events */
        bool history; /* the trace is to hold every call */
        /* Called when the options are found good, before anything is started, or NULL. Returns false after complaining.
         */
        bool (*begin)(void *arg);
        /* Called for each call that was read, or NULL. */
        void (*call)(struct trace_builder *trace, const struct shm_event *call, void *arg);
        /* Called when the last events that were there have been read, or NULL. */
        void (*pause)(void *arg);
        /* Called after the end if it was traced, or NULL. Returns an exit status that is more telling than CMD's, or 0.
         */
        int (*end)(const struct trace *trace, void *arg);
        void *arg;
};

/*
 * Reads the options of the subcommand, as options_read does, and finds CMD
 * behind the word --, which ends them: *words are its words, ending with NULL.
 * Returns NULL after one line on standard error.
 */
poptContext supervision_read(const char *subcommand, int argc, char **argv, const struct poptOption *options,
                             char ***words);

/*
 * Runs the command as the options say. Returns the exit status: CMD's own, or
 * 128 + the signal that ended it; 2 after one line on standard error if nothing
 * was run; 3 if the work could not be done, or, where CMD ended with 0, if a
 * rule did not fire or no call was seen.
 */
int supervise(char *const *words, const struct supervision *wishes);

#endif
