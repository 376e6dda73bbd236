/* How a process of a case ends early; case.h has the endings that a case may ask for itself. */
#ifndef SHMC_ENDINGS_H
#define SHMC_ENDINGS_H

#include "platform.h"

/* Exit status of a process of a case after it has noted in the journal why the case ends here. */
#define SHMC_EXIT_ENDED 99

/* Ends the case: the agent itself could not do its work. printf style. */
SHMC_NORETURN void shmc_harness_failed(const char *why, ...) SHMC_PRINTF(1, 2);

#endif
