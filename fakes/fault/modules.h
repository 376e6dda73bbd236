/* Which loaded object the code at an address belongs to. */
#ifndef MODULES_H
#define MODULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct module {
        uintptr_t bias;      /* what its own addresses are to be shifted by */
        uintptr_t low, high; /* where it is mapped; high is outside */
        const char *name;    /* as it was loaded by; "" is the program itself */
};

/*
 * Returns false if there is none, as for code made at run time. Lock-free and
 * safe in a signal handler with glibc from 2.35 on; before that, and with other
 * C libraries, it takes the dynamic linker's lock.
 */
bool module_at(const void *address, struct module *module);

/* The path of its file, as far as it can be told; "" if it has none. */
void module_path(const struct module *module, char *path, size_t size);

/*
 * The name of the function that the offset (from the module's bias) is in, by
 * the file's own symbol table, static functions included, or else by its
 * dynamic one; "" if neither has it, as for a static function of a stripped
 * file. The name is as the linker has it: not demangled, and never that of an
 * inlined function. Safe in a signal handler.
 */
void module_function(const char *path, uintptr_t offset, char *name, size_t size);

#endif
