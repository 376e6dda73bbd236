/*
 * shmget as a system call beside the C library's, and what a kernel does with
 * the bits that the library never sets: syscalls(2), ipc(2). Linux only.
 */
#include "case.h"

#ifdef __linux__
#include <sys/syscall.h>
#endif

#define SIZE 3333

LINUX_CASE("shmget.raw.same", "The system call creates and finds as the C library does, and fails as it does",
           .level = LINUX, .clause = "syscalls(2)", .needs = NEED_RAW_SYSCALL)
{
#ifdef __linux__
        struct outcome made = try_raw_shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | 0640);
        check_succeeds(made);
        if (made.failed)
                return;
        int found = id_of(try_shmget(KEY, SIZE, 0));
        check_equal(found, id_of(made));
        struct shmid_ds ds = make_stat(id_of(made));
        check_mode(ds.shm_perm.mode, 0640);
        check_equal(ds.shm_segsz, SIZE);

        int made_by_libc = make_segment(OTHER_KEY, SIZE, 0600);
        int found_raw = id_of(try_raw_shmget(OTHER_KEY, SIZE, 0));
        check_equal(found_raw, made_by_libc);

        check_fails(try_raw_shmget(shmc_key(2), SIZE, 0), ENOENT);
        check_fails(try_raw_shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL), EEXIST);
        check_fails(try_raw_shmget(KEY, SIZE + 1, 0), EINVAL);
#endif
}

LINUX_CASE("shmget.raw.key_32_bits",
           "The system call takes the low 32 bits of key and flags, whatever stands above them",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c ksys_shmget()",
           .needs = NEED_RAW_SYSCALL | NEED_64_BIT | NEED_IPC_NAMESPACE)
{
#ifdef __linux__
        const long above = (long)((uint64_t)0x5a5a << 32);
        int id = make_segment(KEY, SIZE, 0600);
        int found = id_of(try_raw_shmget(KEY | above, SIZE, 0600 | above));
        check_equal(found, id);

        struct outcome private_key = try_raw_shmget((long)((uint64_t)1 << 32), SIZE, 0600);
        check_succeeds(private_key);
        check_that(id_of(private_key) != id, "the low 32 bits 0 are IPC_PRIVATE");

        const key_t negative = -5;
        int id_of_negative = make_segment(negative, SIZE, 0600);
        int sign_extended = id_of(try_raw_shmget((long)negative, SIZE, 0600));
        check_equal(sign_extended, id_of_negative);
        int zero_extended = id_of(try_raw_shmget((long)(uint32_t)negative, SIZE, 0600));
        check_equal(zero_extended, id_of_negative);
#endif
}

LINUX_CASE("shmget.raw.size_64_bits",
           "A size of 2^32+1 bytes is not cut to 32 bits, in a creation or against a segment of 1 byte", .level = LINUX,
           .clause = "shmget(2) DESCRIPTION", .needs = NEED_RAW_SYSCALL | NEED_64_BIT)
{
#ifdef __linux__
        const size_t size = (size_t)(((uint64_t)1 << 32) + 1);
        const int flags = IPC_CREAT | SHM_NORESERVE | 0600;
        struct outcome made[] = {try_shmget(IPC_PRIVATE, size, flags), try_raw_shmget(IPC_PRIVATE, size, flags)};
        for (size_t i = 0; i < 2; i++) {
                check_result(made[i], ON_POSIX(OK, EINVAL, ENOMEM, ENOSPC), ON_LINUX(OK));
                if (made[i].failed)
                        continue;
                struct shmid_ds ds = make_stat(id_of(made[i]));
                check_equal(ds.shm_segsz, size);
        }
        make_segment(KEY, 1, 0600);
        check_fails(try_shmget(KEY, size, 0600), ON_POSIX(EINVAL), ON_LINUX(EINVAL));
        check_fails(try_raw_shmget(KEY, size, 0600), ON_POSIX(EINVAL), ON_LINUX(EINVAL));
#endif
}

LINUX_CASE("shmget.raw.negative_size", "A size of -1 is SIZE_MAX: too big for a new segment and for an existing one",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c newseg()", .needs = NEED_RAW_SYSCALL,
           .note = "a 32-bit program's 4 GiB are below SHMMAX on a 64-bit kernel")
{
#ifdef __linux__
        struct outcome made = try_raw_shmget(KEY, (unsigned long)-1, IPC_CREAT | 0600);
        if (sizeof(size_t) == 8)
                check_fails(made, EINVAL);
        else
                check_result(made, EINVAL, ENOMEM, OK);
        make_segment(OTHER_KEY, SIZE, 0600);
        check_fails(try_raw_shmget(OTHER_KEY, (unsigned long)-1, 0600), EINVAL);
#endif
}

#ifdef SYS_ipc

#define IPC_CALL_SHMGET 23

/* The old system call for all of System V IPC; garbage stands where shmget has no argument. */
static struct outcome try_ipc(const char *text, unsigned call, key_t key, size_t size, int flags)
{
        errno = 0;
        long id = syscall(SYS_ipc, call, key, size, flags, (long)-1, (long)-1);
        return try_other(text, id, id == -1, errno);
}

#endif

LINUX_CASE("shmget.raw.ipc_create", "ipc(23, ...) creates, finds and fails as shmget does", .level = LINUX,
           .clause = "ipc(2)", .needs = NEED_IPC_NAMESPACE)
{
#ifdef __linux__
#ifdef SYS_ipc
        int id = make_segment(KEY, SIZE, 0600);
        int found = id_of(try_ipc("ipc(23, KEY, SIZE, 0)", IPC_CALL_SHMGET, KEY, SIZE, 0));
        check_equal(found, id);
        check_fails(try_ipc("ipc(23, OTHER_KEY, SIZE, 0)", IPC_CALL_SHMGET, OTHER_KEY, SIZE, 0), ENOENT);
        struct outcome made = try_ipc("ipc(23, OTHER_KEY, SIZE, IPC_CREAT|IPC_EXCL|0600)", IPC_CALL_SHMGET, OTHER_KEY,
                                      SIZE, IPC_CREAT | IPC_EXCL | 0600);
        check_succeeds(made);
        int found_by_libc = id_of(try_shmget(OTHER_KEY, SIZE, 0));
        check_equal(found_by_libc, id_of(made));
        means_to_leave(2);
#else
        skip_case("this architecture has no ipc system call");
#endif
#endif
}

LINUX_CASE("shmget.raw.ipc_version", "A version in the upper half of ipc's call number does not matter to shmget",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/syscall.c ksys_ipc()")
{
#ifdef __linux__
#ifdef SYS_ipc
        int id = make_segment(KEY, SIZE, 0600);
        int found = id_of(try_ipc("ipc(1 << 16 | 23, KEY, SIZE, 0)", 1U << 16 | IPC_CALL_SHMGET, KEY, SIZE, 0));
        check_equal(found, id);
        static const unsigned unknown[] = {0, 25, 99};
        for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
                check_fails(try_ipc("ipc of an unknown call", unknown[i], KEY, SIZE, 0), ENOSYS);
#else
        skip_case("this architecture has no ipc system call");
#endif
#endif
}
