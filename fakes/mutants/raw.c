/* What is called past the C library, by syscall(2). */
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "segment.h"

static long pass_on(long number, const long *a)
{
        return shmmutant_real.syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* key, size, flags */
static long raw_excl_ignored(long number, long arguments[6])
{
        if (number == SYS_shmget)
                arguments[2] &= ~(long)IPC_EXCL;
        return pass_on(number, arguments);
}

static long raw_key_of_64_bits(long number, long arguments[6])
{
        if (number == SYS_shmget && arguments[0] != (int)arguments[0])
                return failing(EINVAL);
        return pass_on(number, arguments);
}

static long raw_negative_size_is_zero(long number, long arguments[6])
{
        if (number == SYS_shmget && arguments[1] < 0)
                arguments[1] = 0;
        return pass_on(number, arguments);
}

#define IPC_64 0x100

/* shmid, command, buffer */
static long raw_command_flag_obeyed(long number, long arguments[6])
{
        if (number == SYS_shmctl && arguments[1] >= 0)
                arguments[1] &= ~(long)IPC_64;
        return pass_on(number, arguments);
}

static long raw_stat_pads_with_ones(long number, long arguments[6])
{
        long result = pass_on(number, arguments);
        if (number == SYS_shmctl && (int)arguments[1] == IPC_STAT && result == 0) {
                struct shmid_ds *ds = (struct shmid_ds *)arguments[2]; // NOLINT(performance-no-int-to-ptr)
                ds->__glibc_reserved5 = ~0UL;
        }
        return result;
}

static long private_futex_is_shared(long number, long arguments[6])
{
        if (number == SYS_futex)
                arguments[1] &= ~(long)FUTEX_PRIVATE_FLAG;
        return pass_on(number, arguments);
}

const struct mutant shmmutant_raw[] = {
        {.name = "raw_excl_ignored",
         .wrong = "The system call does not know IPC_EXCL.",
         .meant_for = "shmget.raw.same",
         .syscall = raw_excl_ignored},
        {.name = "raw_key_of_64_bits",
         .wrong = "The system call refuses a key that has more than 32 bits.",
         .meant_for = "shmget.raw.key_32_bits",
         .syscall = raw_key_of_64_bits},
        {.name = "raw_negative_size_is_zero",
         .wrong = "The system call takes a negative size for 0.",
         .meant_for = "shmget.raw.negative_size shmget.overflow.size",
         .syscall = raw_negative_size_is_zero},
        {.name = "raw_command_flag_obeyed",
         .wrong = "The system call obeys a command with 0x100 added.",
         .meant_for = "shmctl.cmd.ipc64_flag_raw",
         .syscall = raw_command_flag_obeyed},
        {.name = "raw_stat_pads_with_ones",
         .wrong = "The reserved bytes that IPC_STAT by system call writes are not those of the C library.",
         .meant_for = "shmctl.abi.raw_equals_libc",
         .syscall = raw_stat_pads_with_ones},
        {.name = "private_futex_is_shared",
         .wrong = "A private futex in a segment is one for all processes.",
         .meant_for = "memory.futex.private_apart",
         .syscall = private_futex_is_shared},
        {.name = NULL},
};
