#include "call_sites.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "modules.h"
#include "process.h"

static _Atomic uint32_t age = 1;

void call_sites_forget(void)
{
        atomic_fetch_add(&age, 1);
}

static uint32_t look_up(struct session *s, const void *return_address)
{
        int error = errno;
        int cancellation = cancellation_off();
        struct module module;
        char path[PATH_MAX] = "";
        char function[sizeof(((struct shm_site *)NULL)->function)] = "";
        uintptr_t offset = (uintptr_t)return_address;
        /* The call is what stands before it, which may be the function's last instruction. */
        if (module_at((const char *)return_address - 1, &module)) {
                offset -= module.bias;
                module_path(&module, path, sizeof(path));
        }
        uint32_t site = session_known_site(s, path, offset);
        if (site == SESSION_NO_SITE) {
                if (*path)
                        module_function(path, offset - 1, function, sizeof(function));
                site = session_site(s, path, offset, function);
        }
        cancellation_back(cancellation);
        errno = error;
        return site;
}

uint32_t call_site(struct session *s, struct site_cache *cache, const void *return_address)
{
        uintptr_t address = (uintptr_t)return_address;
        uint32_t current = atomic_load_explicit(&age, memory_order_relaxed);
        size_t start = (size_t)((address * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
        for (size_t i = 0; i < 16; i++) {
                size_t at = (start + i) % SITES_CACHED;
                uintptr_t there = atomic_load_explicit(&cache->entries[at].address, memory_order_relaxed);
                if (there == 0 && atomic_compare_exchange_strong(&cache->entries[at].address, &there, address))
                        there = address;
                if (there != address)
                        continue;
                uint64_t found = atomic_load_explicit(&cache->entries[at].found, memory_order_relaxed);
                if (found >> 32 == current)
                        return (uint32_t)found;
                uint32_t site = look_up(s, return_address);
                atomic_store_explicit(&cache->entries[at].found, (uint64_t)current << 32 | site, memory_order_relaxed);
                return site;
        }
        return look_up(s, return_address);
}

uint32_t call_site_of_program(struct session *s)
{
        char path[PATH_MAX];
        module_path(&(struct module){.name = ""}, path, sizeof(path));
        return *path ? session_site(s, path, 0, "") : SESSION_NO_SITE;
}
