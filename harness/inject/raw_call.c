#include "raw_call.h"

#include <linux/audit.h>
#include <sys/syscall.h>

#include "shm_filter.h"

#define X32_BIT 0x40000000
#define IPC_64_FLAG 0x100 /* in a command: the caller means struct shmid64_ds (linux/ipc.h) */

/* How the arguments lie. */
enum layout { DIRECT, MULTIPLEXED };

static const struct number {
        uint32_t arch; /* 0: the one that this is compiled for */
        int number;
        enum layout layout;
        enum shm_call call; /* if it is direct */
} numbers[] = {
#if defined(__x86_64__) || defined(__i386__)
        {AUDIT_ARCH_X86_64, 29, DIRECT, SHM_CALL_SHMGET},
        {AUDIT_ARCH_X86_64, 30, DIRECT, SHM_CALL_SHMAT},
        {AUDIT_ARCH_X86_64, 31, DIRECT, SHM_CALL_SHMCTL},
        {AUDIT_ARCH_X86_64, 67, DIRECT, SHM_CALL_SHMDT},
        {AUDIT_ARCH_X86_64, X32_BIT | 29, DIRECT, SHM_CALL_SHMGET},
        {AUDIT_ARCH_X86_64, X32_BIT | 30, DIRECT, SHM_CALL_SHMAT},
        {AUDIT_ARCH_X86_64, X32_BIT | 31, DIRECT, SHM_CALL_SHMCTL},
        {AUDIT_ARCH_X86_64, X32_BIT | 67, DIRECT, SHM_CALL_SHMDT},
        {AUDIT_ARCH_I386, 395, DIRECT, SHM_CALL_SHMGET},
        {AUDIT_ARCH_I386, 396, DIRECT, SHM_CALL_SHMCTL},
        {AUDIT_ARCH_I386, 397, DIRECT, SHM_CALL_SHMAT},
        {AUDIT_ARCH_I386, 398, DIRECT, SHM_CALL_SHMDT},
        {AUDIT_ARCH_I386, 117, MULTIPLEXED, 0},
#else
#ifdef SYS_shmget
        {0, SYS_shmget, DIRECT, SHM_CALL_SHMGET},
        {0, SYS_shmat, DIRECT, SHM_CALL_SHMAT},
        {0, SYS_shmctl, DIRECT, SHM_CALL_SHMCTL},
        {0, SYS_shmdt, DIRECT, SHM_CALL_SHMDT},
#endif
#ifdef SYS_ipc
        {0, SYS_ipc, MULTIPLEXED, 0},
#endif
#endif
};

static const struct number *find_number(const struct seccomp_data *data)
{
        for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
                if (numbers[i].number == data->nr && (!numbers[i].arch || numbers[i].arch == data->arch))
                        return &numbers[i];
        }
        return NULL;
}

/* Whether whole registers are looked at: for an x32 caller, too. */
static bool is_64_bit(const struct seccomp_data *data)
{
        return (data->arch & __AUDIT_ARCH_64BIT) != 0;
}

/*
 * ipc(call, first, second, third, ptr): man 2 ipc tells no more than that; the
 * order is the kernel's (ipc/syscall.c). Puts the call's own arguments in their
 * own order.
 */
static bool unpack(const struct seccomp_data *data, struct raw_call *call, uint64_t args[3])
{
        uint64_t first = data->args[1];
        uint64_t second = data->args[2];
        uint64_t third = data->args[3];
        uint64_t pointer = data->args[4];
        args[0] = first;
        args[1] = second;
        switch (data->args[0] & SHM_MULTIPLEXED_CALL) {
        case SHM_MULTIPLEXED_GET:
                call->call = SHM_CALL_SHMGET;
                args[2] = third;
                return true;
        case SHM_MULTIPLEXED_AT:
                call->call = SHM_CALL_SHMAT;
                args[1] = pointer;
                args[2] = second;
                call->result_at = is_64_bit(data) ? third : (uint32_t)third;
                call->result_bytes = is_64_bit(data) ? 8 : 4;
                return true;
        case SHM_MULTIPLEXED_DT:
                call->call = SHM_CALL_SHMDT;
                args[0] = pointer;
                args[1] = 0;
                return true;
        case SHM_MULTIPLEXED_CTL:
                call->call = SHM_CALL_SHMCTL;
                args[2] = pointer;
                return true;
        default:
                return false;
        }
}

/*
 * The kernel looks at the lower half of an int, and of everything that is
 * passed by a 32-bit call, whose registers can be full if a 64-bit program
 * makes it.
 */
static void narrow(const struct seccomp_data *data, const uint64_t args[3], struct raw_call *call)
{
        static const uint8_t ints[SHM_CALLS] = {
                [SHM_CALL_SHMGET] = 1 << 0 | 1 << 2,
                [SHM_CALL_SHMAT] = 1 << 0 | 1 << 2,
                [SHM_CALL_SHMCTL] = 1 << 0 | 1 << 1,
        };
        bool wide = is_64_bit(data);
        for (unsigned i = 0; i < 3; i++) {
                bool is_int = (ints[call->call] >> i & 1) != 0;
                call->args[i] = (int64_t)(wide ? args[i] : (uint32_t)args[i]);
                if (is_int)
                        call->args[i] = (int32_t)args[i];
        }
        if (!wide && call->call == SHM_CALL_SHMCTL)
                call->args[1] &= ~IPC_64_FLAG;
}

bool raw_call_decode(const struct seccomp_data *data, struct raw_call *call)
{
        const struct number *number = find_number(data);
        uint64_t args[3];
        if (!number)
                return false;
        *call = (struct raw_call){.call = number->call};
        for (unsigned i = 0; i < 3; i++)
                args[i] = data->args[i];
        if (number->layout == MULTIPLEXED && !unpack(data, call, args))
                return false;
        if (call->call == SHM_CALL_SHMDT)
                args[1] = args[2] = 0;
        narrow(data, args, call);
        return true;
}
