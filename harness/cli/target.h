/*
 * Where the agent runs, if not here as a child: behind a command (--on), or on
 * a target of ci/targets (--target), which the script ci/target starts.
 */
#ifndef TARGET_H
#define TARGET_H

#include <popt.h>
#include <stdbool.h>
#include <stddef.h>

#include "agent_process.h"

/* The options of popt for these, to be included in the table of run. */
extern struct poptOption target_option_table[];

/* The words that start the agent, ending with NULL. */
struct target_words {
        const char *word[700];
        size_t count;
};

/* Whether one of the options was given. */
bool target_wanted(void);

/*
 * Looks at the options: their values, that they fit each other and, of a
 * target, that there is one of that name. agent is the user's, or NULL. *rest
 * are the words after the options, of which a target may take the first, its
 * argument. Returns false after one line on standard error; nothing was started.
 */
bool target_check(const struct locations *where, const char *agent, const char ***rest);

/*
 * Builds what the target needs. Returns 0, or the exit status to end with after
 * a line on standard error: something is not installed, or the build failed.
 */
int target_prepare(const struct locations *where);

/*
 * Puts the words that start the agent, with its own words behind them.
 * Returns false after one line on standard error.
 */
bool target_words(struct target_words *words, const struct locations *where, const char *const *agent_words);

/* The limits of the run; timeout and stress are the user's for a case, or NULL. */
struct agent_limits target_limits(const char *timeout, const char *stress);

/* Says why the run ended early, or why there is no record, as far as can be told. Nothing of a run that is whole. */
void target_tell_end(struct agent_process *agent, const struct record *record, int status);

#endif
