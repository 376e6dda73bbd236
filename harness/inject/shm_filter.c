#include "shm_filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

static const struct {
        const char *name;
        enum shm_multiplexed multiplexed;
} calls[SHM_CALLS] = {
        [SHM_CALL_SHMGET] = {"shmget", SHM_MULTIPLEXED_GET},
        [SHM_CALL_SHMAT] = {"shmat", SHM_MULTIPLEXED_AT},
        [SHM_CALL_SHMDT] = {"shmdt", SHM_MULTIPLEXED_DT},
        [SHM_CALL_SHMCTL] = {"shmctl", SHM_MULTIPLEXED_CTL},
};

static int add_call(scmp_filter_ctx filter, uint32_t arch, enum shm_call call, uint32_t action)
{
        int error = seccomp_rule_add(filter, action, seccomp_syscall_resolve_name(calls[call].name), 0);
        if (error || seccomp_syscall_resolve_name_arch(arch, "ipc") < 0)
                return error;
        /* A rule is given the native number of a call, which for ipc may be one that only libseccomp knows. */
        return seccomp_rule_add(filter, action, seccomp_syscall_resolve_name("ipc"), 1,
                                SCMP_A0(SCMP_CMP_MASKED_EQ, SHM_MULTIPLEXED_CALL, calls[call].multiplexed));
}

/* A filter of this architecture alone: a rule on ipc(2) would be dead weight in those that have none. */
static scmp_filter_ctx new_for(uint32_t arch, const uint32_t actions[SHM_CALLS], int *error)
{
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
        *error = filter ? seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW) : -ENOMEM;
        if (!*error && arch != seccomp_arch_native()) {
                *error = seccomp_arch_add(filter, arch);
                if (!*error)
                        *error = seccomp_arch_remove(filter, seccomp_arch_native());
        }
        for (enum shm_call call = 0; !*error && call < SHM_CALLS; call++) {
                if (calls[call].name && actions[call] != SCMP_ACT_ALLOW)
                        *error = add_call(filter, arch, call, actions[call]);
        }
        if (*error && filter) {
                seccomp_release(filter);
                filter = NULL;
        }
        return filter;
}

scmp_filter_ctx shm_filter_new(const uint32_t actions[SHM_CALLS], char *why, size_t size)
{
        static const uint32_t others[] = {SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32};
        bool x86 = seccomp_arch_native() == SCMP_ARCH_X86_64 || seccomp_arch_native() == SCMP_ARCH_X86;
        int error = 0;
        scmp_filter_ctx filter = new_for(seccomp_arch_native(), actions, &error);
        for (size_t i = 0; !error && x86 && i < sizeof(others) / sizeof(others[0]); i++) {
                if (others[i] == seccomp_arch_native())
                        continue;
                scmp_filter_ctx other = new_for(others[i], actions, &error);
                if (!error)
                        error = seccomp_merge(filter, other);
                if (error && other)
                        seccomp_release(other);
        }
        if (!error)
                return filter;
        if (filter)
                seccomp_release(filter);
        snprintf(why, size, "no seccomp filter can be made: %s", strerror(-error));
        errno = -error;
        return NULL;
}

static long load_program(struct sock_fprog *program, unsigned long flags)
{
        return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, program);
}

/* The flags that can be had: not each kernel knows each. */
static long load_with_flags(struct sock_fprog *program, bool listener)
{
        /* The filter guards nothing, so the program need not be slowed down as a sandboxed one is before 5.16. */
        unsigned long flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
        long fd = -1;
        if (!listener)
                return load_program(program, flags);
        flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
        fd = load_program(program, flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
        return fd == -1 && errno == EINVAL ? load_program(program, flags) : fd;
}

static void explain(int error, char *why, size_t size)
{
        const char *text = strerror(error);
        if (error == EBUSY)
                text = "it already runs under a filter with a supervisor, and there can be only one";
        else if (error == EINVAL || error == ENOSYS)
                text = "this kernel has no seccomp user notification (Linux 5.0 has)";
        snprintf(why, size, "the seccomp filter is refused: %s", text);
}

/* libseccomp 2.5 does not offer every flag that is needed to load a filter, so only the program is taken from it. */
static int load_exported(int exported, bool listener)
{
        off_t bytes = lseek(exported, 0, SEEK_END);
        if (bytes <= 0)
                return -1;
        void *code = mmap(NULL, (size_t)bytes, PROT_READ, MAP_PRIVATE, exported, 0);
        if (code == MAP_FAILED)
                return -1;
        struct sock_fprog program = {.len = (unsigned short)((size_t)bytes / sizeof(struct sock_filter)),
                                     .filter = code};
        long loaded = load_with_flags(&program, listener);
        if (loaded == -1 && errno == EACCES && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
                loaded = load_with_flags(&program, listener);
        int error = errno;
        munmap(code, (size_t)bytes);
        errno = error;
        return (int)loaded;
}

int shm_filter_load(scmp_filter_ctx filter, bool listener, char *why, size_t size)
{
        int loaded = -1;
        int exported = memfd_create("filter", MFD_CLOEXEC);
        int error = exported == -1 ? errno : -seccomp_export_bpf(filter, exported);
        if (!error) {
                loaded = load_exported(exported, listener);
                error = errno;
        }
        if (exported != -1)
                close(exported);
        if (loaded == -1) {
                explain(error, why, size);
                errno = error;
        }
        return loaded;
}
