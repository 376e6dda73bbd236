/* What the agent's parts know about the run they are in; set before the first case, never changed by one. */
#ifndef SHMC_CONTEXT_H
#define SHMC_CONTEXT_H

#include "platform.h"

enum shmc_isolation {
        SHMC_ISOLATION_AUTO,
        SHMC_ISOLATION_IPCNS,  /* a private IPC namespace a case, made by root */
        SHMC_ISOLATION_USERNS, /* the same inside a user namespace */
        SHMC_ISOLATION_HOST    /* the host's own namespace, with the ledger */
};

struct shmc_context {
        enum shmc_isolation isolation;
        bool pid_namespace;     /* each worker is the first process of a PID namespace */
        char host_ipc[64];      /* what /proc/self/ns/ipc links to for the agent itself, or "" */
        char program[PATH_MAX]; /* the agent's own file */
        const char *exec_path;  /* how exec_program reaches it */
        char scratch[512];      /* where a case may make a directory: a tmpfs of its own where that can be had */
        double timeout;         /* seconds a case may take */
        double stress;          /* seconds a race goes on for; 0: as long as it needs */
        bool floor;             /* after each case, measure what none can cost less than */
        bool bare_root;         /* uid 0 of the initial user namespace */
};

extern struct shmc_context shmc_context;

/* Whether this process is still in the IPC namespace that the worker looks after. */
extern bool shmc_in_case_namespace;

/* "case" or the name of the child this process is; the record says it beside each step. */
extern char shmc_process_name[32];

#endif
