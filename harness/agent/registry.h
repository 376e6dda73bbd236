/* The cases of this program, in the order of their ids' topics and places. */
#ifndef SHMC_REGISTRY_H
#define SHMC_REGISTRY_H

#include "case.h"

/* Lets cases and programs register, where the C library did not do so before main. To be called first. */
void shmc_registry_fill(void);

/* Puts the registered cases in order; to be called once, before the others. Ends the program if two share an id. */
void shmc_registry_sort(void);

size_t shmc_registry_count(void);
const struct shmc_case *shmc_registry_at(size_t i);

/* The topic: the name of the file that holds the case, without folder and ending. At most size - 1 characters. */
void shmc_topic(const struct shmc_case *c, char *topic, size_t size);

/* "posix-shall", ... */
const char *shmc_level_name(enum shmc_level level);

/* The name of bit number bit of a set of needs: "two-uids". */
const char *shmc_need_name(unsigned bit);

#endif
