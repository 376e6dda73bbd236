/*
 * syscall(2), for those who make the shm calls by number. This file must not
 * include unistd.h, where the function has other parameters: here it has all
 * that a system call can have, each of which is handed on as it came. For any
 * other call it is a jump and nothing else, so that what returns twice or never,
 * or is a cancellation point in the caller's hands, does so as it always did.
 */
#include <stdint.h>
#include <sys/syscall.h>

#include "call.h"
#include "real_calls.h"

__attribute__((visibility("default"))) long fault_syscall(long number, long a, long b, long c, long d, long e,
                                                          long f) __asm__("syscall");

static __attribute__((noinline)) long run_raw(enum shm_call call, long a, long b, long c, const void *caller)
{
        const struct call raw = {.call = call, .raw = true, .caller = caller, .args = {a, b, c}};
        return (long)call_run(&raw);
}

long fault_syscall(long number, long a, long b, long c, long d, long e, long f)
{
        const void *caller = __builtin_return_address(0);
        switch (number) {
        case SYS_shmget:
                return run_raw(SHM_CALL_SHMGET, a, b, c, caller);
        case SYS_shmat:
                return run_raw(SHM_CALL_SHMAT, a, b, c, caller);
        case SYS_shmdt:
                return run_raw(SHM_CALL_SHMDT, a, 0, 0, caller);
        case SYS_shmctl:
                return run_raw(SHM_CALL_SHMCTL, a, b, c, caller);
        default:
                JUMP_TO(real.syscall(number, a, b, c, d, e, f));
        }
}
