/* Arguments and results of the shm calls, written as people write them. */
#ifndef SHMC_DECODE_H
#define SHMC_DECODE_H

#include "text.h"

/* "EINVAL"; "errno 77" for a number without a name here, "errno 0" for none at all. */
const char *shmc_errno_name(int error);

/* "SIGSEGV"; "signal 77" for a number without a name here. */
const char *shmc_signal_name(int signal_number);

/* "IPC_CREAT|IPC_EXCL|0600"; the result is in t. */
void shmc_add_shmget_flags(struct shmc_text *t, int flags);
void shmc_add_shmat_flags(struct shmc_text *t, int flags);

/* "IPC_STAT"; the number if it is no command of this platform. */
void shmc_add_command(struct shmc_text *t, int command);

/* "IPC_PRIVATE" or the key in hex. */
void shmc_add_key(struct shmc_text *t, key_t key);

/* "NULL", "(void *)-1", or the address in hex. */
void shmc_add_address(struct shmc_text *t, const void *address);

#endif
