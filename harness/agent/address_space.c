/* Memory of this process that is no attachment, and what /proc counts of it. */
#include "case.h"
#include "decode.h"

#include <fcntl.h>
#include <stdio.h>

void *shmc_make_free_range(size_t size)
{
        size_t align = shmc_shmlba() > 16 * shmc_page() ? shmc_shmlba() : 16 * shmc_page();
        size_t whole = ((size + align - 1) & ~(align - 1)) + 3 * align;
        char *area = mmap(NULL, whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (area == MAP_FAILED || munmap(area, whole) == -1)
                shmc_setup_failed("mmap of %zu bytes: %s", whole, shmc_errno_name(errno));
        uintptr_t first = ((uintptr_t)area + align + align - 1) & ~(uintptr_t)(align - 1);
        return (void *)first; // NOLINT(performance-no-int-to-ptr): an address was rounded
}

void *shmc_make_mapping(void *address_or_null, size_t size, int protection)
{
        int flags = MAP_PRIVATE | MAP_ANONYMOUS | (address_or_null ? MAP_FIXED : 0);
        void *at = mmap(address_or_null, size, protection, flags, -1, 0);
        if (at == MAP_FAILED)
                shmc_setup_failed("mmap of %zu bytes: %s", size, shmc_errno_name(errno));
        return at;
}

unsigned char *shmc_make_fenced_page(void)
{
        unsigned char *area = shmc_make_mapping(NULL, 3 * PAGE, PROT_NONE);
        return shmc_make_mapping(area + PAGE, PAGE, PROT_READ | PROT_WRITE);
}

void *shmc_make_shared(size_t size)
{
        void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED)
                shmc_setup_failed("mmap of shared memory: %s", shmc_errno_name(errno));
        return at;
}

bool shmc_is_mapped(const void *address)
{
        uintptr_t first = (uintptr_t)address & ~(uintptr_t)(shmc_page() - 1);
        return msync((void *)first, 1, MS_ASYNC) == 0; // NOLINT(performance-no-int-to-ptr)
}

unsigned long shmc_pages_mapped(void)
{
        /* No stream: its buffer would be mapped between this count and the caller's use of it. */
        char text[64] = "";
        int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
        if (fd == -1)
                return 0;
        ssize_t n = read(fd, text, sizeof(text) - 1);
        close(fd);
        return n > 0 ? strtoul(text, NULL, 10) : 0;
}

long shmc_locked_kib(void)
{
        char line[256];
        long kib = -1;
        FILE *f = fopen("/proc/self/status", "r");
        make_sure(f != NULL, "/proc/self/status: %s", strerror(errno));
        while (fgets(line, sizeof(line), f)) {
                if (strncmp(line, "VmLck:", 6) == 0)
                        kib = strtol(line + 6, NULL, 10);
        }
        fclose(f);
        make_sure(kib >= 0, "/proc/self/status has no VmLck");
        return kib;
}
