#include "real_calls.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <string.h>

#include "modules.h"

static void find_all(void);

/* What each pointer holds until the first of them is called. */
static int first_shmget(key_t key, size_t size, int flags)
{
        find_all();
        return real.shmget(key, size, flags);
}

static void *first_shmat(int shmid, const void *address, int flags)
{
        find_all();
        return real.shmat(shmid, address, flags);
}

static int first_shmdt(const void *address)
{
        find_all();
        return real.shmdt(address);
}

static int first_shmctl(int shmid, int command, struct shmid_ds *buffer)
{
        find_all();
        return real.shmctl(shmid, command, buffer);
}

static key_t first_ftok(const char *path, int project)
{
        find_all();
        return real.ftok(path, project);
}

static void *first_dlopen(const char *file, int mode)
{
        find_all();
        return real.dlopen(file, mode);
}

static long first_syscall(long number, long a, long b, long c, long d, long e, long f)
{
        find_all();
        return real.syscall(number, a, b, c, d, e, f);
}

struct real_calls real = {
        first_shmget, first_shmat, first_shmdt, first_shmctl, first_ftok, first_dlopen, first_syscall,
};

/* The objects, other than the C library, that give one of the calls. */
static struct shim {
        _Atomic uintptr_t low, high;
} shims[7];
_Atomic bool real_calls_have_shims;

static void note_shim(size_t i, const void *code)
{
        struct module module;
        struct module libc;
        if (!module_at(code, &module) || !module_at((const void *)__errno_location, &libc) || module.low == libc.low)
                return;
        shims[i].high = module.high;
        shims[i].low = module.low;
        real_calls_have_shims = true;
}

/*
 * In a program that finds the C library before this one, nothing is behind it,
 * and nobody calls it either, but for the functions of shmfault.h.
 */
static void *find(const char *name)
{
        void *found = dlsym(RTLD_NEXT, name);
        return found ? found : dlsym(RTLD_DEFAULT, name);
}

/* dlsym gives an object pointer; POSIX promises that it can be a function's. */
#define FIND(i, call)                                                                                                  \
        do {                                                                                                           \
                void *found_ = find(#call);                                                                            \
                __typeof__(first_##call) *call_;                                                                       \
                memcpy(&call_, &found_, sizeof(call_));                                                                \
                note_shim(i, found_);                                                                                  \
                real.call = call_;                                                                                     \
        } while (0)

/* Several threads may do this at once: all of them find the same. */
static void find_all(void)
{
        int error = errno;
        FIND(0, shmget);
        FIND(1, shmat);
        FIND(2, shmdt);
        FIND(3, shmctl);
        FIND(4, ftok);
        FIND(5, dlopen);
        FIND(6, syscall);
        errno = error;
}

bool real_calls_come_from(const void *address)
{
        for (size_t i = 0; i < sizeof(shims) / sizeof(shims[0]); i++) {
                uintptr_t low = shims[i].low;
                if (low && (uintptr_t)address >= low && (uintptr_t)address < shims[i].high)
                        return true;
        }
        return false;
}

struct order {
        uintptr_t mine, theirs;
        bool mine_first;
};

/* Objects come in the order in which the program's own names are looked for in them. */
static int meets_either(struct dl_phdr_info *info, size_t size, void *arg)
{
        struct order *order = arg;
        struct module module;
        (void)size;
        if (info->dlpi_phnum == 0 || !module_at(info->dlpi_phdr, &module))
                return 0;
        order->mine_first = module.low == order->mine;
        return order->mine_first || module.low == order->theirs;
}

bool real_calls_are_interposed(void)
{
        struct module mine;
        struct module theirs;
        if (!dlsym(RTLD_NEXT, "shmget") || !module_at((const void *)find_all, &mine) ||
            !module_at(dlsym(RTLD_NEXT, "shmget"), &theirs))
                return false;
        struct order order = {mine.low, theirs.low, false};
        return dl_iterate_phdr(meets_either, &order) == 1 && order.mine_first;
}
