/* Linux's shmctl commands: a C library may hide them, or not know the youngest, but their numbers are the kernel's. */
#ifndef SHM_COMMANDS_H
#define SHM_COMMANDS_H

#include <sys/shm.h>

#ifndef SHM_LOCK
#define SHM_LOCK 11
#define SHM_UNLOCK 12
#endif
#ifndef SHM_STAT
#define SHM_STAT 13
#define SHM_INFO 14
#endif
#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#endif
#ifndef IPC_INFO
#define IPC_INFO 3
#endif

#endif
