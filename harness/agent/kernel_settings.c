/* The settings of this IPC namespace in /proc/sys/kernel. */
#include "case.h"
#include "context.h"
#include "endings.h"

#include <fcntl.h>
#include <stdio.h>

void shmc_make_sysctl(const char *name, const char *value)
{
#ifdef __linux__
        char ours[64] = "";
        ssize_t n = readlink("/proc/self/ns/ipc", ours, sizeof(ours) - 1);
        if (n <= 0 || strcmp(ours, shmc_context.host_ipc) == 0)
                shmc_harness_failed("kernel.%s is not to be written: this is the host's own IPC namespace", name);
        char path[96];
        snprintf(path, sizeof(path), "/proc/sys/kernel/%s", name);
        int fd = open(path, O_RDWR | O_CLOEXEC);
        make_sure(fd != -1, "%s: %s", path, strerror(errno));
        bool written = write(fd, value, strlen(value)) == (ssize_t)strlen(value);
        make_sure(written, "%s: writing %s: %s", path, value, strerror(errno));
        char now[64] = "";
        make_sure(lseek(fd, 0, SEEK_SET) == 0 && read(fd, now, sizeof(now) - 1) > 0, "%s: %s", path, strerror(errno));
        now[strcspn(now, "\n")] = '\0';
        make_sure(strcmp(now, value) == 0, "%s: wrote %s, reads %s", path, value, now);
        close(fd);
        char text[160];
        snprintf(text, sizeof(text), "kernel.%s = %s", name, value);
        try_other(text, 0, false, 0);
#else
        (void)value;
        shmc_skip("kernel.%s is Linux'", name);
#endif
}

unsigned long long shmc_read_sysctl(const char *name)
{
        char path[96];
        char text[64] = "";
        snprintf(path, sizeof(path), "/proc/sys/kernel/%s", name);
        FILE *f = fopen(path, "r");
        make_sure(f && fgets(text, sizeof(text), f), "%s cannot be read: %s", path, strerror(errno));
        fclose(f);
        return strtoull(text, NULL, 10);
}

struct outcome shmc_try_write_sysctl(const char *name, const char *text)
{
        char path[96];
        snprintf(path, sizeof(path), "/proc/sys/kernel/%s", name);
        errno = 0;
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        ssize_t n = fd == -1 ? -1 : write(fd, text, strlen(text));
        int error = errno;
        if (fd != -1)
                close(fd);
        char call[160];
        snprintf(call, sizeof(call), "write(\"%s\", \"%.*s\")", path, (int)strcspn(text, "\n"), text);
        return try_other(call, n, n == -1, error);
}
