/* The place in the program that a call came from. */
#ifndef CALL_SITES_H
#define CALL_SITES_H

#include "session.h"

#define SITES_CACHED 1024

/*
 * Return addresses that were met before, for one session. Zeroed memory is an
 * empty one. An address that does not fit any more is looked up each time.
 */
struct site_cache {
        struct {
                _Atomic uintptr_t address;
                _Atomic uint64_t found; /* site | age << 32; 0: not yet */
        } entries[SITES_CACHED];
};

/*
 * The site of the session that the return address is in, or SESSION_NO_SITE.
 * Lock-free and safe in a signal handler as far as module_at is (modules.h).
 */
uint32_t call_site(struct session *s, struct site_cache *cache, const void *return_address);

/*
 * To be called before other code can come to be at addresses that were met: an
 * object that is loaded may take the place of one that was unloaded.
 */
void call_sites_forget(void);

/* A site that stands for the program's file itself. */
uint32_t call_site_of_program(struct session *s);

#endif
