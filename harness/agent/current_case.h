/* Which case this process and its forks run; set by the worker. */
#ifndef SHMC_CURRENT_CASE_H
#define SHMC_CURRENT_CASE_H

#include "case.h"

extern const struct shmc_case *shmc_current_case;

#endif
