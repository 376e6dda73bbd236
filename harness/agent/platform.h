/*
 * What the agent asks of a C library, and the few names that C libraries spell
 * differently. Included first by every file of the agent and of the cases, so
 * that the feature-test macros are in force before the first system header.
 */
#ifndef SHMC_PLATFORM_H
#define SHMC_PLATFORM_H

#if defined(__linux__)
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#elif defined(__APPLE__)
#define _DARWIN_C_SOURCE 1
#elif defined(__sun)
#define __EXTENSIONS__ 1
#endif

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* glibc gives the resource of a limit an enumeration type of its own, others an int. */
#if defined(__GLIBC__) && defined(_GNU_SOURCE)
typedef __rlimit_resource_t shmc_resource;
#else
typedef int shmc_resource;
#endif

/* dietlibc names no system call but by the kernel's own names. */
#if defined(__dietlibc__)
#include <sys/syscall.h>
#define SYS_capget __NR_capget
#define SYS_capset __NR_capset
#define SYS_clone __NR_clone
#define SYS_futex __NR_futex
#define SYS_shmat __NR_shmat
#define SYS_shmctl __NR_shmctl
#define SYS_shmdt __NR_shmdt
#define SYS_shmget __NR_shmget
#endif

/* The member of struct ipc_perm that holds the key; POSIX names none. */
#if defined(__GLIBC__)
#define SHMC_PERM_KEY __key
#define SHMC_PERM_SEQ __seq
#elif defined(__dietlibc__)
#define SHMC_PERM_KEY key
#define SHMC_PERM_SEQ seq
#elif defined(__linux__)
#define SHMC_PERM_KEY __ipc_perm_key
#define SHMC_PERM_SEQ __ipc_perm_seq
#elif defined(__APPLE__)
#define SHMC_PERM_KEY _key
#define SHMC_PERM_SEQ _seq
#else
#define SHMC_PERM_KEY key
#define SHMC_PERM_SEQ seq
#endif

/* musl spells three members of its own information structures with underscores. */
#if defined(__linux__) && !defined(__GLIBC__) && !defined(__dietlibc__)
#define SHMC_INFO_USED_IDS __used_ids
#define SHMC_INFO_SWAP_ATTEMPTS __swap_attempts
#define SHMC_INFO_SWAP_SUCCESSES __swap_successes
#else
#define SHMC_INFO_USED_IDS used_ids
#define SHMC_INFO_SWAP_ATTEMPTS swap_attempts
#define SHMC_INFO_SWAP_SUCCESSES swap_successes
#endif

/* The kernel's ABI, for C libraries whose headers are older than it. */
#if defined(__linux__)
#ifndef IPC_INFO
#define IPC_INFO 3
#endif
#ifndef SHM_LOCK
#define SHM_LOCK 11
#endif
#ifndef SHM_UNLOCK
#define SHM_UNLOCK 12
#endif
#ifndef SHM_STAT
#define SHM_STAT 13
#endif
#ifndef SHM_INFO
#define SHM_INFO 14
#endif
#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#endif
#ifndef SHM_DEST
#define SHM_DEST 01000
#endif
#ifndef SHM_LOCKED
#define SHM_LOCKED 02000
#endif
#ifndef SHM_HUGETLB
#define SHM_HUGETLB 04000
#endif
#ifndef SHM_NORESERVE
#define SHM_NORESERVE 010000
#endif
#ifndef SHM_REMAP
#define SHM_REMAP 040000
#endif
#ifndef SHM_EXEC
#define SHM_EXEC 0100000
#endif
#endif

#if !defined(MAP_ANONYMOUS) && defined(MAP_ANON)
#define MAP_ANONYMOUS MAP_ANON
#endif

#if defined(__GNUC__)
#define SHMC_PRINTF(text, values) __attribute__((format(printf, text, values)))
#define SHMC_NORETURN __attribute__((noreturn))
#define SHMC_CONSTRUCTOR __attribute__((constructor))
#else
#error "shmcheck's cases register themselves with the constructor attribute of gcc and clang"
#endif

#endif
