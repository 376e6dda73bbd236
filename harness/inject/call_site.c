#include "call_site.h"

#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <libiberty/demangle.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct module {
        char *path;
        Dwfl *session;
        Dwfl_Module *file; /* NULL: it is not there, or no ELF file */
        struct module *next;
};

struct call_sites {
        struct module *modules;
};

struct call_sites *call_sites_new(void)
{
        /* Else libdwfl would ask servers for debug information, and a trace wait for them. */
        unsetenv("DEBUGINFOD_URLS");
        return calloc(1, sizeof(struct call_sites));
}

static void module_free(struct module *m)
{
        if (m->session)
                dwfl_end(m->session);
        free(m->path);
        free(m);
}

void call_sites_free(struct call_sites *sites)
{
        struct module *next = NULL;
        for (struct module *m = sites ? sites->modules : NULL; m; m = next) {
                next = m->next;
                module_free(m);
        }
        free(sites);
}

static void module_open(struct module *m)
{
        static const Dwfl_Callbacks callbacks = {.find_elf = dwfl_build_id_find_elf,
                                                 .find_debuginfo = dwfl_standard_find_debuginfo,
                                                 .section_address = dwfl_offline_section_address};
        m->session = dwfl_begin(&callbacks);
        if (!m->session)
                return;
        dwfl_report_begin(m->session);
        m->file = dwfl_report_offline(m->session, "", m->path, -1);
        dwfl_report_end(m->session, NULL, NULL);
}

static struct module *module_of(struct call_sites *sites, const char *path)
{
        for (struct module *m = sites->modules; m; m = m->next) {
                if (strcmp(m->path, path) == 0)
                        return m;
        }
        struct module *m = calloc(1, sizeof(*m));
        char *copy = strdup(path);
        if (!m || !copy) {
                free(m);
                free(copy);
                return NULL;
        }
        m->path = copy;
        module_open(m);
        m->next = sites->modules;
        sites->modules = m;
        return m;
}

/* The innermost function at the address, inlined ones among them, or NULL. */
static const char *function_by_dwarf(Dwfl_Module *file, Dwarf_Addr address)
{
        Dwarf_Addr bias = 0;
        Dwarf_Die *unit = dwfl_module_addrdie(file, address, &bias);
        Dwarf_Die *scopes = NULL;
        const char *name = NULL;
        int count = unit ? dwarf_getscopes(unit, address - bias, &scopes) : 0;
        for (int i = 0; i < count && !name; i++) {
                int tag = dwarf_tag(&scopes[i]);
                if (tag == DW_TAG_inlined_subroutine || tag == DW_TAG_subprogram)
                        name = dwarf_diename(&scopes[i]);
        }
        free(scopes);
        return name;
}

void call_site_function(const char *name, char *text, size_t size)
{
        char *written = cplus_demangle_v3(name, DMGL_NO_OPTS);
        snprintf(text, size, "%s", written ? written : name);
        free(written);
}

static void set_line(Dwfl_Module *file, Dwarf_Addr address, struct trace_place *place)
{
        int number = 0;
        Dwfl_Line *line = dwfl_module_getsrc(file, address);
        const char *source = line ? dwfl_lineinfo(line, NULL, &number, NULL, NULL, NULL) : NULL;
        if (!source || number <= 0)
                return;
        snprintf(place->file, sizeof(place->file), "%s", source);
        place->line = (unsigned)number;
}

void call_sites_find(struct call_sites *sites, const char *module, uint64_t offset, const char *function,
                     struct trace_place *place)
{
        memset(place, 0, sizeof(*place));
        snprintf(place->module, sizeof(place->module), "%s", module);
        place->offset = offset;
        struct module *m = *module ? module_of(sites, module) : NULL;
        const char *name = NULL;
        if (m && m->file && offset > 0) {
                GElf_Addr bias = 0;
                dwfl_module_getelf(m->file, &bias);
                /* The call is the instruction before the one that it returns to. */
                Dwarf_Addr address = offset + bias - 1;
                set_line(m->file, address, place);
                name = function_by_dwarf(m->file, address);
                if (!name)
                        name = dwfl_module_addrname(m->file, address);
        }
        call_site_function(name ? name : function, place->function, sizeof(place->function));
}
