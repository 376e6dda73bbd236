#include "decode.h"

#include <stdio.h>

struct named {
        int value;
        const char *name;
};
#define NAMED(x)                                                                                                       \
        {                                                                                                              \
                x, #x                                                                                                  \
        }

const char *shmc_errno_name(int error)
{
        static const struct named names[] = {
                NAMED(EACCES), NAMED(EAGAIN),       NAMED(EBADF),  NAMED(EBUSY),   NAMED(EEXIST), NAMED(EFAULT),
                NAMED(EIDRM),  NAMED(EINTR),        NAMED(EINVAL), NAMED(EIO),     NAMED(EISDIR), NAMED(ELOOP),
                NAMED(EMFILE), NAMED(ENAMETOOLONG), NAMED(ENFILE), NAMED(ENODEV),  NAMED(ENOENT), NAMED(ENOEXEC),
                NAMED(ENOMEM), NAMED(ENOSPC),       NAMED(ENOSYS), NAMED(ENOTDIR), NAMED(ENXIO),  NAMED(EOVERFLOW),
                NAMED(EPERM),  NAMED(EPIPE),        NAMED(ERANGE), NAMED(EROFS),   NAMED(ESRCH),  NAMED(ETIMEDOUT),
                NAMED(EXDEV),
        };
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                if (names[i].value == error)
                        return names[i].name;
        }
        static char number[32];
        snprintf(number, sizeof(number), "errno %d", error);
        return number;
}

const char *shmc_signal_name(int signal_number)
{
        static const struct named names[] = {
                NAMED(SIGABRT), NAMED(SIGALRM), NAMED(SIGBUS),  NAMED(SIGFPE),  NAMED(SIGHUP),
                NAMED(SIGILL),  NAMED(SIGINT),  NAMED(SIGKILL), NAMED(SIGPIPE), NAMED(SIGQUIT),
                NAMED(SIGSEGV), NAMED(SIGTERM), NAMED(SIGUSR1), NAMED(SIGUSR2), NAMED(SIGTRAP),
#ifdef SIGSYS
                NAMED(SIGSYS),
#endif
        };
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                if (names[i].value == signal_number)
                        return names[i].name;
        }
        static char number[32];
        snprintf(number, sizeof(number), "signal %d", signal_number);
        return number;
}

static void add_flag_names(struct shmc_text *t, const struct named *names, size_t count, unsigned *rest,
                           const char **separator)
{
        for (size_t i = 0; i < count; i++) {
                unsigned bit = (unsigned)names[i].value;
                if ((*rest & bit) == bit) {
                        shmc_add_string(t, *separator);
                        shmc_add_string(t, names[i].name);
                        *rest &= ~bit;
                        *separator = "|";
                }
        }
}

static void add_rest(struct shmc_text *t, const char *separator, unsigned rest)
{
        shmc_add_string(t, separator);
        shmc_add_hex(t, rest, 1);
}

void shmc_add_shmget_flags(struct shmc_text *t, int flags)
{
        static const struct named names[] = {
                NAMED(IPC_CREAT),
                NAMED(IPC_EXCL),
#ifdef SHM_HUGETLB
                NAMED(SHM_HUGETLB),
#endif
#ifdef SHM_NORESERVE
                NAMED(SHM_NORESERVE),
#endif
        };
        unsigned rest = (unsigned)flags;
        const char *separator = "";
        add_flag_names(t, names, sizeof(names) / sizeof(names[0]), &rest, &separator);
        unsigned mode = rest & 0777U;
        rest &= ~0777U;
        if (rest) {
                add_rest(t, separator, rest);
                separator = "|";
        }
        if (mode) {
                shmc_add_string(t, separator);
                shmc_add_digits(t, mode, 8, 4);
        } else if (*separator == '\0') {
                shmc_add_string(t, "0");
        }
}

void shmc_add_shmat_flags(struct shmc_text *t, int flags)
{
        static const struct named names[] = {
                NAMED(SHM_RDONLY),
                NAMED(SHM_RND),
#ifdef SHM_REMAP
                NAMED(SHM_REMAP),
#endif
#ifdef SHM_EXEC
                NAMED(SHM_EXEC),
#endif
        };
        unsigned rest = (unsigned)flags;
        const char *separator = "";
        add_flag_names(t, names, sizeof(names) / sizeof(names[0]), &rest, &separator);
        if (rest)
                add_rest(t, separator, rest);
        else if (*separator == '\0')
                shmc_add_string(t, "0");
}

void shmc_add_command(struct shmc_text *t, int command)
{
        static const struct named names[] = {
                NAMED(IPC_RMID), NAMED(IPC_SET),  NAMED(IPC_STAT),
#ifdef __linux__
                NAMED(IPC_INFO), NAMED(SHM_LOCK), NAMED(SHM_UNLOCK),
                NAMED(SHM_STAT), NAMED(SHM_INFO), NAMED(SHM_STAT_ANY),
#endif
        };
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                if (names[i].value == command) {
                        shmc_add_string(t, names[i].name);
                        return;
                }
        }
        if (command >= 0 && command < 256)
                shmc_add(t, "%d", command);
        else
                shmc_add(t, "%d /* 0x%x */", command, (unsigned)command);
}

void shmc_add_key(struct shmc_text *t, key_t key)
{
        if (key == IPC_PRIVATE)
                shmc_add_string(t, "IPC_PRIVATE");
        else
                shmc_add_hex(t, (unsigned)key, 8);
}

void shmc_add_address(struct shmc_text *t, const void *address)
{
        if (address == NULL)
                shmc_add_string(t, "NULL");
        else if ((intptr_t)address == -1)
                shmc_add_string(t, "(void *)-1");
        else
                shmc_add_hex(t, (uintptr_t)address, 1);
}
