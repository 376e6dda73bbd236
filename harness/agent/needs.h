/* What this platform offers, each need probed one by one. */
#ifndef SHMC_NEEDS_H
#define SHMC_NEEDS_H

#include "case.h"

/* Why a need is missing; "" where it is there. */
struct shmc_needs {
        char missing[SHMC_NEEDS][96];
        bool private_scratch; /* each worker has a file system of its own for temporary files */
        bool counts_segments; /* SHM_INFO tells how many segments the worker's IPC namespace has */
};

/*
 * Probes all needs inside a worker as cases will have it.
 * Returns false if the probing process itself died.
 */
bool shmc_needs_probe(struct shmc_needs *needs);

#endif
