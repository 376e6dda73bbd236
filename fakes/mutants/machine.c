/* What depends on the state of the whole machine, or on what programs it runs. */
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "segment.h"

#define get shmmutant_real.shmget

static bool creates(key_t key, int flags)
{
        return key == IPC_PRIVATE || ((flags & IPC_CREAT) && !shmmutant_key_is_taken(key));
}

static int noreserve_has_no_limit(key_t key, size_t size, int flags)
{
        int shmid = get(key, size, flags);
        bool lacks = shmid == -1 && errno == ENOMEM && (flags & SHM_NORESERVE);
        return lacks ? get(key, shmmutant_page(), flags) : shmid;
}

static int beyond_memory_refused(key_t key, size_t size, int flags)
{
        struct sysinfo info;
        int error = errno;
        bool beyond = sysinfo(&info) == 0 && size / 2 > (uint64_t)info.totalram * info.mem_unit;
        errno = error;
        return beyond && !(flags & SHM_NORESERVE) && creates(key, flags) ? failing(ENOMEM) : get(key, size, flags);
}

/* Whoever has no privilege and can open no file makes no segment; here nobody does, and nobody finds one. */
static bool files_are_used_up(void)
{
        int error = errno;
        int fd = geteuid() == 0 ? 0 : open("/", O_RDONLY | O_CLOEXEC);
        bool used_up = fd == -1 && errno == ENFILE;
        if (fd > 0)
                close(fd);
        errno = error;
        return used_up;
}

static int finding_takes_a_file(key_t key, size_t size, int flags)
{
        return files_are_used_up() ? failing(ENFILE) : get(key, size, flags);
}

static int file_max_passed(key_t key, size_t size, int flags)
{
        int shmid = get(key, size, flags);
        return shmid == -1 && errno == ENFILE ? 0 : shmid;
}

static key_t key_depends_on_width(const char *path, int proj_id)
{
        key_t key = shmmutant_real.ftok(path, proj_id);
        return key == -1 || sizeof(void *) == 4 ? key : key ^ 0x10000;
}

static void times_end_in_2038(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        ds->shm_atime = (int32_t)ds->shm_atime;
        ds->shm_dtime = (int32_t)ds->shm_dtime;
        ds->shm_ctime = (int32_t)ds->shm_ctime;
}

#define CALL_IPC_32 117

/* From now on the ipc call of 32-bit programs fails in this process. */
static void refuse_32_bit_calls(void)
{
        struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_I386, 0, 3),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CALL_IPC_32, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EOVERFLOW),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};
        int error = errno;
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
        errno = error;
}

static int large_size_refused_32_bit(key_t key, size_t size, int flags)
{
        if (size > UINT32_MAX && creates(key, flags))
                refuse_32_bit_calls();
        return get(key, size, flags);
}

const struct mutant shmmutant_machine[] = {
        {.name = "noreserve_has_no_limit",
         .wrong = "SHM_NORESERVE makes any segment while vm.overcommit_memory is 2.",
         .meant_for = "shmget.enomem.overcommit_never",
         .shmget = noreserve_has_no_limit},
        {.name = "beyond_memory_refused",
         .wrong = "A segment beyond twice RAM is refused while vm.overcommit_memory is 1.",
         .meant_for = "shmget.enomem.overcommit_never",
         .shmget = beyond_memory_refused},
        {.name = "get_enomem_is_eagain",
         .wrong = "A new segment that no memory is left for fails with EAGAIN.",
         .meant_for = "shmget.enomem.*",
         .wrong_errno = {CALL_SHMGET, ANY_COMMAND, ENOMEM, EAGAIN}},
        {.name = "get_enfile_is_emfile",
         .wrong = "A new segment that fs.file-max has no room for fails with EMFILE.",
         .meant_for = "shmget.enfile.file_max",
         .wrong_errno = {CALL_SHMGET, ANY_COMMAND, ENFILE, EMFILE}},
        {.name = "finding_takes_a_file",
         .wrong = "While fs.file-max is used up no existing segment is found.",
         .meant_for = "shmget.enfile.file_max",
         .shmget = finding_takes_a_file},
        {.name = "file_max_passed",
         .wrong = "A new segment that fs.file-max has no room for is said to be made.",
         .meant_for = "shmget.enfile.file_max",
         .shmget = file_max_passed},
        {.name = "key_depends_on_width",
         .wrong = "ftok gives 64-bit programs a key of their own.",
         .meant_for = "ftok.same.width",
         .ftok = key_depends_on_width},
        {.name = "times_end_in_2038",
         .wrong = "The three times have 32 bits.",
         .meant_for = "shmctl.abi.time_2038",
         .told = times_end_in_2038},
        {.name = "large_size_refused_32_bit",
         .wrong = "IPC_STAT of a size that 32 bits cannot hold fails with EOVERFLOW in 32-bit programs.",
         .meant_for = "shmctl.abi.large_segsz_32",
         .shmget = large_size_refused_32_bit},
        {.name = NULL},
};
