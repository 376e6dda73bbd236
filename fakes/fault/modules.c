#include "modules.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __GLIBC__
#if __GLIBC_PREREQ(2, 35)
#define HAS_DL_FIND_OBJECT
#endif
#endif

#ifdef HAS_DL_FIND_OBJECT
bool module_at(const void *address, struct module *module)
{
        struct dl_find_object found;
        if (_dl_find_object((void *)(uintptr_t)address, &found) != 0)
                return false;
        *module = (struct module){.bias = found.dlfo_link_map->l_addr,
                                  .low = (uintptr_t)found.dlfo_map_start,
                                  .high = (uintptr_t)found.dlfo_map_end,
                                  .name = found.dlfo_link_map->l_name};
        return true;
}
#else
struct search {
        uintptr_t address;
        struct module found;
};

static int holds_address(struct dl_phdr_info *info, size_t size, void *arg)
{
        struct search *search = arg;
        struct module m = {.bias = info->dlpi_addr, .low = UINTPTR_MAX, .name = info->dlpi_name};
        (void)size;
        for (size_t i = 0; i < info->dlpi_phnum; i++) {
                const ElfW(Phdr) *header = &info->dlpi_phdr[i];
                if (header->p_type != PT_LOAD)
                        continue;
                uintptr_t low = info->dlpi_addr + header->p_vaddr;
                m.low = low < m.low ? low : m.low;
                m.high = low + header->p_memsz > m.high ? low + header->p_memsz : m.high;
        }
        if (search->address < m.low || search->address >= m.high)
                return 0;
        search->found = m;
        return 1;
}

bool module_at(const void *address, struct module *module)
{
        struct search search = {.address = (uintptr_t)address};
        if (dl_iterate_phdr(holds_address, &search) != 1)
                return false;
        *module = search.found;
        return true;
}
#endif

/* Asked for once: it stays the same, also in those that this process forks. */
static void program_path(char *path, size_t size)
{
        enum { UNKNOWN, BEING_WRITTEN, WRITTEN };
        static _Atomic int state;
        static char known[PATH_MAX];
        int expected = UNKNOWN;
        if (atomic_load_explicit(&state, memory_order_acquire) == WRITTEN) {
                strncpy(path, known, size - 1);
                path[size - 1] = '\0';
                return;
        }
        ssize_t length = readlink("/proc/self/exe", path, size - 1);
        path[length > 0 ? length : 0] = '\0';
        if (length > 0 && (size_t)length < sizeof(known) &&
            atomic_compare_exchange_strong(&state, &expected, BEING_WRITTEN)) {
                memcpy(known, path, (size_t)length + 1);
                atomic_store_explicit(&state, WRITTEN, memory_order_release);
        }
}

void module_path(const struct module *module, char *path, size_t size)
{
        size_t used = 0;
        path[0] = '\0';
        if (!*module->name) {
                program_path(path, size);
                return;
        }
        /* A library that was named by a path that is not from the root; one without any is the kernel's own. */
        if (*module->name != '/' && strchr(module->name, '/') && getcwd(path, size)) {
                used = strlen(path);
                if (used < size - 1)
                        path[used++] = '/';
        }
        const char *name = strncmp(module->name, "./", 2) == 0 ? module->name + 2 : module->name;
        size_t length = strnlen(name, size - 1 - used);
        memcpy(path + used, name, length);
        path[used + length] = '\0';
}

/* ---- the symbol table of a file ---- */

struct image {
        const char *bytes;
        size_t size;
};

/* A part of the file, or NULL if it is not wholly in it. */
static const void *part_of(const struct image *image, uint64_t offset, uint64_t size)
{
        if (offset > image->size || size > image->size - offset)
                return NULL;
        return image->bytes + offset;
}

static bool holds_offset(const ElfW(Sym) * symbol, uintptr_t offset)
{
        unsigned type = symbol->st_info & 0xfU;
        return (type == STT_FUNC || type == STT_GNU_IFUNC) && symbol->st_shndx != SHN_UNDEF &&
               offset >= symbol->st_value && offset - symbol->st_value < symbol->st_size;
}

static bool copy_name(const struct image *image, const ElfW(Shdr) * strings, uint32_t at, char *name, size_t size)
{
        const char *text = at < strings->sh_size ? part_of(image, strings->sh_offset, strings->sh_size) : NULL;
        if (!text)
                return false;
        size_t length = strnlen(text + at, strings->sh_size - at);
        length = length < size ? length : size - 1;
        memcpy(name, text + at, length);
        name[length] = '\0';
        return true;
}

static bool find_in(const struct image *image, const ElfW(Shdr) * table, const ElfW(Shdr) * strings, uintptr_t offset,
                    char *name, size_t size)
{
        const ElfW(Sym) *symbols = part_of(image, table->sh_offset, table->sh_size);
        for (size_t i = 0; symbols && i < table->sh_size / sizeof(symbols[0]); i++) {
                if (holds_offset(&symbols[i], offset))
                        return copy_name(image, strings, symbols[i].st_name, name, size);
        }
        return false;
}

static bool find_by_type(const struct image *image, uint32_t type, uintptr_t offset, char *name, size_t size)
{
        const ElfW(Ehdr) *header = part_of(image, 0, sizeof(*header));
        if (!header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_shentsize != sizeof(ElfW(Shdr)))
                return false;
        uint64_t wanted = (uint64_t)header->e_shnum * sizeof(ElfW(Shdr));
        const ElfW(Shdr) *sections = part_of(image, header->e_shoff, wanted);
        for (size_t i = 0; sections && i < header->e_shnum; i++) {
                if (sections[i].sh_type == type && sections[i].sh_link < header->e_shnum)
                        return find_in(image, &sections[i], &sections[sections[i].sh_link], offset, name, size);
        }
        return false;
}

void module_function(const char *path, uintptr_t offset, char *name, size_t size)
{
        struct stat status;
        name[0] = '\0';
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd == -1)
                return;
        if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
                struct image image = {.size = (size_t)status.st_size};
                void *bytes = mmap(NULL, image.size, PROT_READ, MAP_PRIVATE, fd, 0);
                if (bytes != MAP_FAILED) {
                        image.bytes = bytes;
                        if (!find_by_type(&image, SHT_SYMTAB, offset, name, size))
                                (void)find_by_type(&image, SHT_DYNSYM, offset, name, size);
                        munmap(bytes, image.size);
                }
        }
        close(fd);
}
