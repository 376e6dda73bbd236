/*
 * A library that gives the calls in the C library's place, as the shim under
 * test does: it makes them by number, and one of its own while it is at it.
 */
#include <stddef.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

int shmget(key_t key, size_t size, int shmflg)
{
        return (int)syscall(SYS_shmget, key, size, shmflg);
}

void *shmat(int shmid, const void *shmaddr, int shmflg)
{
        struct shmid_ds ds;
        syscall(SYS_shmctl, shmid, IPC_STAT, &ds);
        return (void *)syscall(SYS_shmat, shmid, shmaddr, shmflg);
}

int shmdt(const void *shmaddr)
{
        return (int)syscall(SYS_shmdt, shmaddr);
}

int shmctl(int shmid, int cmd, struct shmid_ds *buf)
{
        int result = (int)syscall(SYS_shmctl, shmid, cmd, buf);
        if (result == 0 && cmd == IPC_STAT)
                buf->shm_segsz = 1234567;
        return result;
}
