/* try_*: one recorded call, with what always goes with it. */
#include "case.h"

struct outcome shmc_try_stat(int shmid)
{
        struct stat_buffer b;
        memset(&b, 0x5a, sizeof(b));
        return try_shmctl(shmid, IPC_STAT, &b.is.ds);
}

struct outcome shmc_try_set_mode(int shmid, mode_t mode)
{
        return try_set(shmid, geteuid(), getegid(), mode);
}

struct outcome shmc_try_shmat_in_vain(int shmid, const void *address, int flags)
{
        struct snapshot before = take_snapshot(shmid);
        struct outcome o = try_shmat(shmid, address, flags);
        check_unchanged(&before);
        return o;
}

struct outcome shmc_try_shmdt_in_vain(int shmid, const void *address)
{
        struct snapshot before = take_snapshot(shmid);
        struct outcome o = try_shmdt(address);
        check_unchanged(&before);
        return o;
}
