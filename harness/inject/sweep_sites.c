#include "sweep_sites.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call_site.h"

bool sweep_sites_open(struct sweep_sites *sites)
{
        *sites = (struct sweep_sites){.files = call_sites_new()};
        return sites->files != NULL;
}

void sweep_sites_close(struct sweep_sites *sites)
{
        call_sites_free(sites->files);
        free(sites->items);
        *sites = (struct sweep_sites){.items = NULL};
}

static size_t find(const struct sweep_sites *sites, const char *module, uint64_t offset, enum shm_call call,
                   int command)
{
        for (size_t i = 0; i < sites->count; i++) {
                const struct sweep_site *s = &sites->items[i];
                if (s->place.offset == offset && s->call == call && s->command == command &&
                    strcmp(s->place.module, module) == 0)
                        return i;
        }
        return SWEEP_NO_SITE;
}

static struct sweep_site *add(struct sweep_sites *sites)
{
        if (sites->count == sites->room) {
                size_t room = sites->room ? 2 * sites->room : 16;
                struct sweep_site *grown = reallocarray(sites->items, room, sizeof(grown[0]));
                if (!grown)
                        return NULL;
                sites->items = grown;
                sites->room = room;
        }
        return &sites->items[sites->count++];
}

size_t sweep_site_of(struct sweep_sites *sites, const struct session *s, const struct shm_event *call)
{
        static const struct shm_site unknown;
        bool known = call->site < SESSION_SITES && atomic_load(&s->sites[call->site].ready);
        const struct shm_site *from = known ? &s->sites[call->site] : &unknown;
        int command = call->call == SHM_CALL_SHMCTL ? (int)call->args[1] : FAULT_ANY_COMMAND;
        size_t i = find(sites, from->module, from->offset, (enum shm_call)call->call, command);
        if (i != SWEEP_NO_SITE)
                return i;
        struct sweep_site *site = add(sites);
        if (!site)
                return SWEEP_NO_SITE;
        *site = (struct sweep_site){.call = (enum shm_call)call->call, .command = command, .ordinal = 1};
        call_sites_find(sites->files, from->module, from->offset, from->function, &site->place);
        return sites->count - 1;
}

size_t sweep_site_add(struct sweep_sites *sites, const struct sweep_site *site)
{
        size_t i = find(sites, site->place.module, site->place.offset, site->call, site->command);
        if (i != SWEEP_NO_SITE)
                return i;
        struct sweep_site *added = add(sites);
        if (!added)
                return SWEEP_NO_SITE;
        *added = *site;
        return sites->count - 1;
}

static const char *last_part(const char *path)
{
        const char *slash = strrchr(path, '/');
        return slash ? slash + 1 : path;
}

static const char *file_of(const struct trace_place *place)
{
        return last_part(place->function[0] && place->line ? place->file : place->module);
}

/* A compiler may make several calls of the one that is written in a line: these are the same. */
static bool stands_before(const struct sweep_site *a, const struct sweep_site *b)
{
        return a->place.line || b->place.line ? a->place.line < b->place.line : a->place.offset < b->place.offset;
}

static bool is_of_one_name(const struct sweep_site *a, const struct sweep_site *b)
{
        return a->call == b->call && a->command == b->command && strcmp(a->place.function, b->place.function) == 0 &&
               strcmp(file_of(&a->place), file_of(&b->place)) == 0;
}

void sweep_sites_number(struct sweep_sites *sites)
{
        for (size_t i = 0; i < sites->count; i++) {
                struct sweep_site *site = &sites->items[i];
                site->ordinal = 1;
                for (size_t other = 0; other < sites->count; other++) {
                        const struct sweep_site *o = &sites->items[other];
                        site->ordinal += o != site && is_of_one_name(o, site) && stands_before(o, site);
                }
        }
}

static void write_call(const struct sweep_site *site, char between, char *text, size_t size)
{
        const char *command = site->command == FAULT_ANY_COMMAND ? NULL : shm_command_name(site->command);
        if (command)
                snprintf(text, size, "%s%c%s", shm_call_name(site->call), between, command);
        else if (site->command == FAULT_ANY_COMMAND)
                snprintf(text, size, "%s", shm_call_name(site->call));
        else
                snprintf(text, size, "%s%c%d", shm_call_name(site->call), between, site->command);
}

void sweep_site_call_text(const struct sweep_site *site, char *text, size_t size)
{
        write_call(site, ' ', text, size);
}

void sweep_site_name(const struct sweep_site *site, char *text, size_t size)
{
        const struct trace_place *place = &site->place;
        char call[64];
        char number[16] = "";
        write_call(site, '/', call, sizeof(call));
        if (site->ordinal > 1)
                snprintf(number, sizeof(number), "~%u", site->ordinal);
        if (place->function[0])
                snprintf(text, size, "%s:%s@%s%s", call, place->function, file_of(place), number);
        else if (place->module[0])
                /* Not the offset: each build of the module has another. */
                snprintf(text, size, "%s:%s%s", call, last_part(place->module), number);
        else
                snprintf(text, size, "%s", call);
        /* It is to be one word, also in a file with comments. */
        for (char *p = text; *p; p++) {
                if (isspace((unsigned char)*p) || *p == '#')
                        *p = '_';
        }
}
