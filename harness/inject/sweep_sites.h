/* The places that a sweep's runs call from: one for each call (and shmctl command) at each place in the program. */
#ifndef SWEEP_SITES_H
#define SWEEP_SITES_H

#include "trace.h"

#define SWEEP_NO_SITE SIZE_MAX

struct sweep_site {
        enum shm_call call;
        int command;              /* of shmctl, else FAULT_ANY_COMMAND */
        struct trace_place place; /* module "": not known, as on the kernel's side */
        unsigned ordinal;         /* 1, or 2 and more if such a call stands in the same function (or, where none has a
                                     name, in the same module) before it */
};

struct sweep_sites {
        struct sweep_site *items;
        size_t count, room;
        struct call_sites *files;
};

/* Returns false if out of memory. */
bool sweep_sites_open(struct sweep_sites *sites);
void sweep_sites_close(struct sweep_sites *sites);

/* Its index, by the session in which the call was made; it is added if it is new. SWEEP_NO_SITE if out of memory. */
size_t sweep_site_of(struct sweep_sites *sites, const struct session *s, const struct shm_event *call);

/* The same for a place that was found out about before. */
size_t sweep_site_add(struct sweep_sites *sites, const struct sweep_site *site);

/* Numbers those of one call in one function by their lines; to be called when no more are added. */
void sweep_sites_number(struct sweep_sites *sites);

/* Writes "shmat" or "shmctl IPC_STAT". */
void sweep_site_call_text(const struct sweep_site *site, char *text, size_t size);

/*
 * Writes what names the site also in the next version of the program:
 * "shmat:open_queue@queue.c", "shmctl/IPC_STAT:main@t.c~2", and without debug
 * information "shmat:open_queue@libqueue.so" or "shmat:libqueue.so~2".
 */
void sweep_site_name(const struct sweep_site *site, char *text, size_t size);

#endif
