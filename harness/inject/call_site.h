/* From a place in a loaded file to what its debug information says of it. */
#ifndef CALL_SITE_H
#define CALL_SITE_H

#include <stdint.h>

#include "trace.h"

struct call_sites;

/* Keeps files that were opened, so that each is read once. Returns NULL if out of memory. */
struct call_sites *call_sites_new(void);
void call_sites_free(struct call_sites *sites);

/* A function's name as people write it: what C++ compilers make of it is undone, its parameters aside. */
void call_site_function(const char *name, char *text, size_t size);

/*
 * Finds the function, source file and line of the call that returns to this
 * offset from the load address of the module: by DWARF, in the file itself or
 * in separate debug information that is installed for it, the function that was
 * inlined there if one was; without DWARF the function by the symbol table;
 * else by what the caller of this knows (function, or ""). Nothing is fetched
 * from elsewhere. *place is filled in whatever is found.
 */
void call_sites_find(struct call_sites *sites, const char *module, uint64_t offset, const char *function,
                     struct trace_place *place);

#endif
