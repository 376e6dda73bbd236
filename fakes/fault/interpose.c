/* What the program calls in the C library's place. */
#define EXPORTED __attribute__((visibility("default")))

#include <dlfcn.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#include "call.h"
#include "call_sites.h"
#include "joined.h"
#include "real_calls.h"

/* Not every C library knows it. */
#ifndef RTLD_DEEPBIND
#define RTLD_DEEPBIND 0
#endif

#define RETURN_ADDRESS __builtin_return_address(0)

EXPORTED int shmget(key_t key, size_t size, int shmflg)
{
        const struct call c = {.call = SHM_CALL_SHMGET, .caller = RETURN_ADDRESS, .args = {key, (int64_t)size, shmflg}};
        return (int)call_run(&c);
}

EXPORTED void *shmat(int shmid, const void *shmaddr, int shmflg)
{
        const struct call c = {
                .call = SHM_CALL_SHMAT, .caller = RETURN_ADDRESS, .args = {shmid, (intptr_t)shmaddr, shmflg}};
        return (void *)(intptr_t)call_run(&c);
}

EXPORTED int shmdt(const void *shmaddr)
{
        const struct call c = {.call = SHM_CALL_SHMDT, .caller = RETURN_ADDRESS, .args = {(intptr_t)shmaddr}};
        return (int)call_run(&c);
}

/* IPC_RMID is never a mere jump: what it removes is noted. */
static __attribute__((noinline)) int remove_segment(int shmid, struct shmid_ds *buf, const void *caller)
{
        const struct call c = {.call = SHM_CALL_SHMCTL, .caller = caller, .args = {shmid, IPC_RMID, (intptr_t)buf}};
        return (int)call_run(&c);
}

EXPORTED int shmctl(int shmid, int cmd, struct shmid_ds *buf)
{
        if (cmd == IPC_RMID)
                return remove_segment(shmid, buf, RETURN_ADDRESS);
        if (is_watched_shmctl(cmd)) {
                struct answer a = call_run_shmctl_if_hit(shmid, cmd, buf, RETURN_ADDRESS);
                if (a.made)
                        return (int)a.result;
                if (a.to_record)
                        return call_record_shmctl(shmid, cmd, buf, RETURN_ADDRESS);
        }
        JUMP_TO(real.shmctl(shmid, cmd, buf));
}

EXPORTED key_t ftok(const char *pathname, int proj_id)
{
        const struct call c = {.call = SHM_CALL_FTOK, .caller = RETURN_ADDRESS, .args = {proj_id}, .path = pathname};
        return (key_t)call_run(&c);
}

/*
 * RTLD_DEEPBIND would hide this library from what is loaded. The C library
 * looks at its caller's address for the namespace and the RUNPATH that the file
 * is looked for in: the call is the last thing done here, so that the compiler
 * makes it a jump, and it sees the program's address. Built without
 * optimization it sees this library's, whose namespace is the program's own.
 */
EXPORTED void *dlopen(const char *file, int mode)
{
        call_sites_forget();
        JUMP_TO(real.dlopen(file, mode & ~RTLD_DEEPBIND));
}
