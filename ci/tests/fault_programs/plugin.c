/* A shared object that calls an shm function, and, with EARLY, does so before anything else of its program. */
#include <stddef.h>
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/shm.h>

int plugin_run(void);

static __attribute__((noinline)) int hidden_call(void)
{
        struct shmid_ds ds;
        int result = shmctl(0, SHM_INFO, &ds);
        /* Not the last thing done here, or it would be made as a jump from this function's caller. */
        __asm__ volatile("" : "+r"(result));
        return result;
}

int plugin_run(void)
{
        return hidden_call();
}

#ifdef EARLY
__attribute__((constructor(101))) static void call_early(void)
{
        printf("early %d\n", hidden_call());
        fflush(stdout);
}
#endif
