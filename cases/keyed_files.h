/*
 * What the cases about ftok share: files and file systems to have keys of. make_*
 * end the case as a failed set-up where the system refuses.
 */
#ifndef SHMC_KEYED_FILES_H
#define SHMC_KEYED_FILES_H

#include "case.h"

#define PROJECT 'R'
#define SIZE 3333
#define LOW_INODE_BITS 0xffffU
#define SENTINEL_ERRNO 77

void shmc_make_directory(const char *path);
void shmc_make_symlink(const char *target, const char *path);
void shmc_make_unlinked(const char *path);
struct stat shmc_make_file_stat(const char *path);
#define make_directory shmc_make_directory
#define make_symlink shmc_make_symlink
#define make_unlinked shmc_make_unlinked
#define make_file_stat shmc_make_file_stat
/* The scratch directory with one file in it; returns the file's key. */
key_t shmc_make_scratch_key(const char *path);
#define make_scratch_key shmc_make_scratch_key
/* ftok of the path, with PROJECT, gives the key. */
void shmc_check_names_file(const char *path, key_t file_key);
#define check_names_file shmc_check_names_file

#ifdef __linux__
/* Moves this process into a mount namespace that passes nothing on; skips the case where it may not. */
void shmc_make_mount_namespace(void);
#define make_mount_namespace shmc_make_mount_namespace
/* Mounts a tmpfs over path, over what is mounted there already; returns its device number. */
dev_t shmc_make_tmpfs(const char *path);
#define make_tmpfs shmc_make_tmpfs
/* Mounts until a device number's low byte is the one wanted; skips the case where none is. */
void shmc_make_tmpfs_with_low_byte(const char *path, unsigned low_byte);
#define make_tmpfs_with_low_byte shmc_make_tmpfs_with_low_byte
/*
 * Cases that fill device numbers with mounts take turns: two that mount in step
 * can each get every other number for ever. The lock ends with the case.
 */
void shmc_make_mounts_alone(void);
#define make_mounts_alone shmc_make_mounts_alone
#endif

#endif
