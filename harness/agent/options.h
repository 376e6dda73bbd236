/* The agent's command line. */
#ifndef SHMC_OPTIONS_H
#define SHMC_OPTIONS_H

#include "context.h"

#define SHMC_FILTERS 4096
#define SHMC_EXCEPTED 64

enum shmc_action { SHMC_RUN, SHMC_LIST, SHMC_CLEAN, SHMC_PROGRAM, SHMC_HELP, SHMC_VERSION };

struct shmc_options {
        enum shmc_action action;
        enum shmc_isolation isolation;
        double timeout;  /* seconds */
        double stress;   /* seconds that each race goes on for; 0: as long as it needs */
        unsigned jobs;   /* workers; 0: as many as there are processors */
        unsigned repeat; /* rounds */
        bool floor;      /* measure the floor of a case's cost */
        bool power_off;  /* this is the first process of a machine of its own */
        const char *filters[SHMC_FILTERS];
        size_t filter_count;
        const char *excepted[SHMC_EXCEPTED];
        size_t excepted_count;
        int rest; /* index of the first word after --program */
};

/* Reads the words. Returns false after one line on standard error. */
bool shmc_options_read(struct shmc_options *o, int argc, char **argv);

void shmc_options_help(void);

#endif
