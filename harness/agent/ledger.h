/*
 * The ledger: a file that names each segment before and after it is made, used
 * where cases run in the host's own IPC namespace. After a run that was killed,
 * the clean-up removes exactly the segments it names and that can be seen to be
 * the run's own: same key, creator process, creator uid, and not older than the
 * entry.
 */
#ifndef SHMC_LEDGER_H
#define SHMC_LEDGER_H

#include "platform.h"

/*
 * Opens a ledger of this run in directory (made with mode 0700 if missing; NULL
 * for the default, see shmc_ledger_directory).
 * Returns false with a sentence in why (size bytes) when that cannot be.
 */
bool shmc_ledger_open(const char *directory, char *why, size_t size);

/* Closes the ledger, and removes the file if nothing that it names is left. */
void shmc_ledger_close(void);

/* Notes, synced to the file, that a segment with the key is about to be made, was made, was removed.
 * Does nothing while no ledger is open. */
void shmc_ledger_intend(key_t key);
void shmc_ledger_made(int shmid, key_t key);
void shmc_ledger_removed(int shmid);

/* Notes a directory of scratch files that is about to be made. */
void shmc_ledger_scratch(const char *path);

/* Where ledgers are kept: $SHMCHECK_LEDGER_DIR, or shmcheck-ledger-UID in $TMPDIR or /tmp. */
const char *shmc_ledger_directory(void);

/*
 * Removes what the ledgers in directory name and no live run owns, prints a
 * line for each thing removed, and removes the ledgers.
 * Returns the number of things removed, or -1 if something of ours had to stay,
 * after a line on standard error.
 */
int shmc_ledger_clean(const char *directory);

/* Removes a directory and what is in it, not following links. Returns 0, or -1 with errno. */
int shmc_remove_tree(const char *path);

#endif
