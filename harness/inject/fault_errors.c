#include "fault_errors.h"

#include <errno.h>

#include "shm_commands.h"

/* EFAULT stands nowhere: it comes from a bad pointer in the caller, and on some 32-bit libraries as SIGSEGV instead. */
const struct fault_error fault_errors[] = {
        {SHM_CALL_FTOK, FAULT_ANY_COMMAND, ENOENT, FAULT_YES, FAULT_YES,
         "the key file was never made, or a cleaner of temporary files removed it"},
        {SHM_CALL_FTOK, FAULT_ANY_COMMAND, EACCES, FAULT_YES, FAULT_YES,
         "a directory on the way is not searchable for this user"},
        {SHM_CALL_FTOK, FAULT_ANY_COMMAND, ENOTDIR, FAULT_YES, FAULT_YES, "a component of the path is not a directory"},
        {SHM_CALL_FTOK, FAULT_ANY_COMMAND, ELOOP, FAULT_YES, FAULT_YES, "symbolic links in a circle"},
        {SHM_CALL_FTOK, FAULT_ANY_COMMAND, ENAMETOOLONG, FAULT_YES, FAULT_YES,
         "a path made from user input is too long"},
        {SHM_CALL_FTOK, FAULT_ANY_COMMAND, EOVERFLOW, FAULT_NEVER, FAULT_RARE,
         "32-bit program without large-file support on a file system with large inode numbers"},
        {SHM_CALL_FTOK, FAULT_ANY_COMMAND, EIO, FAULT_NEVER, FAULT_RARE, "the file system below fails"},
        {SHM_CALL_SHMGET, FAULT_ANY_COMMAND, EACCES, FAULT_YES, FAULT_YES,
         "the segment exists and belongs to someone else"},
        {SHM_CALL_SHMGET, FAULT_ANY_COMMAND, EEXIST, FAULT_YES, FAULT_YES,
         "IPC_CREAT with IPC_EXCL and the key is taken: a second instance, or what a crash left"},
        {SHM_CALL_SHMGET, FAULT_ANY_COMMAND, EINVAL, FAULT_YES, FAULT_YES,
         "new: size 0 or beyond SHMMAX; existing: it is smaller than asked, as after an upgrade that enlarged the "
         "segment"},
        {SHM_CALL_SHMGET, FAULT_ANY_COMMAND, ENOENT, FAULT_YES, FAULT_YES,
         "no segment has the key and IPC_CREAT was not given: the creator has not started, or removed it"},
        {SHM_CALL_SHMGET, FAULT_ANY_COMMAND, ENOSPC, FAULT_YES, FAULT_YES,
         "SHMMNI segments exist, or SHMALL pages are taken: leaks of others, small defaults in containers and on macOS "
         "or the BSDs"},
        {SHM_CALL_SHMGET, FAULT_ANY_COMMAND, ENOMEM, FAULT_YES, FAULT_YES,
         "no memory, overcommit refused, memory cgroup"},
        {SHM_CALL_SHMGET, FAULT_ANY_COMMAND, ENFILE, FAULT_NEVER, FAULT_YES,
         "the system-wide limit of open files: each segment is one"},
        {SHM_CALL_SHMGET, FAULT_ANY_COMMAND, EPERM, FAULT_NEVER, FAULT_YES,
         "SHM_HUGETLB without the right to; a container's seccomp profile that forbids the call"},
        {SHM_CALL_SHMGET, FAULT_ANY_COMMAND, ENOSYS, FAULT_NEVER, FAULT_YES, "kernel or sandbox without SysV IPC"},
        {SHM_CALL_SHMAT, FAULT_ANY_COMMAND, EACCES, FAULT_YES, FAULT_YES,
         "mode does not allow read, or write for a read-write attach"},
        {SHM_CALL_SHMAT, FAULT_ANY_COMMAND, EINVAL, FAULT_YES, FAULT_YES,
         "the identifier was removed between shmget and shmat; a bad address"},
        {SHM_CALL_SHMAT, FAULT_ANY_COMMAND, EMFILE, FAULT_YES, FAULT_NEVER,
         "the process has SHMSEG segments attached (BSD, illumos)"},
        {SHM_CALL_SHMAT, FAULT_ANY_COMMAND, ENOMEM, FAULT_YES, FAULT_YES,
         "RLIMIT_AS, vm.max_map_count, no room in a 32-bit address space"},
        {SHM_CALL_SHMAT, FAULT_ANY_COMMAND, EIDRM, FAULT_NEVER, FAULT_YES,
         "the segment is marked to be destroyed and its kind does not allow a new attach; older kernels and other "
         "systems answer so for a removed identifier"},
        {SHM_CALL_SHMAT, FAULT_ANY_COMMAND, EAGAIN, FAULT_NEVER, FAULT_RARE,
         "after mlockall(MCL_FUTURE) with RLIMIT_MEMLOCK used up"},
        {SHM_CALL_SHMAT, FAULT_ANY_COMMAND, EPERM, FAULT_NEVER, FAULT_RARE,
         "an address below vm.mmap_min_addr; a seccomp profile"},
        {SHM_CALL_SHMAT, FAULT_ANY_COMMAND, ENFILE, FAULT_NEVER, FAULT_RARE,
         "the attachment's own open file cannot be made"},
        {SHM_CALL_SHMAT, FAULT_ANY_COMMAND, ENOSYS, FAULT_NEVER, FAULT_YES, "sandbox without SysV IPC"},
        {SHM_CALL_SHMDT, FAULT_ANY_COMMAND, EINVAL, FAULT_YES, FAULT_YES,
         "not the address of an attachment: detached before by another part of the program, or unmapped with munmap"},
        {SHM_CALL_SHMDT, FAULT_ANY_COMMAND, ENOSYS, FAULT_NEVER, FAULT_RARE, "sandbox without SysV IPC"},
        {SHM_CALL_SHMCTL, IPC_STAT, EACCES, FAULT_YES, FAULT_YES, "no read permission on the segment"},
        {SHM_CALL_SHMCTL, IPC_STAT, EINVAL, FAULT_YES, FAULT_YES, "the identifier does not exist (any more)"},
        {SHM_CALL_SHMCTL, IPC_STAT, EIDRM, FAULT_NEVER, FAULT_YES, "removed while the caller held the identifier"},
        {SHM_CALL_SHMCTL, IPC_STAT, EOVERFLOW, FAULT_YES, FAULT_RARE,
         "ids or sizes do not fit the structure of an old or 32-bit ABI"},
        {SHM_CALL_SHMCTL, IPC_SET, EPERM, FAULT_YES, FAULT_YES, "neither owner, nor creator, nor privileged"},
        {SHM_CALL_SHMCTL, IPC_SET, EINVAL, FAULT_YES, FAULT_YES,
         "the identifier does not exist; an owner or group that this user namespace does not know"},
        {SHM_CALL_SHMCTL, IPC_SET, EIDRM, FAULT_NEVER, FAULT_YES, "removed while the caller held the identifier"},
        {SHM_CALL_SHMCTL, IPC_RMID, EPERM, FAULT_YES, FAULT_YES, "neither owner, nor creator, nor privileged"},
        {SHM_CALL_SHMCTL, IPC_RMID, EINVAL, FAULT_YES, FAULT_YES, "somebody else removed it first"},
        {SHM_CALL_SHMCTL, IPC_RMID, EIDRM, FAULT_NEVER, FAULT_YES, "likewise, at the same moment"},
        {SHM_CALL_SHMCTL, SHM_LOCK, EPERM, FAULT_NEVER, FAULT_YES,
         "RLIMIT_MEMLOCK is 0 without CAP_IPC_LOCK, or not the owner"},
        {SHM_CALL_SHMCTL, SHM_LOCK, ENOMEM, FAULT_NEVER, FAULT_YES, "RLIMIT_MEMLOCK exceeded"},
        {SHM_CALL_SHMCTL, SHM_LOCK, EINVAL, FAULT_NEVER, FAULT_YES, "the identifier does not exist"},
        {SHM_CALL_SHMCTL, SHM_UNLOCK, EPERM, FAULT_NEVER, FAULT_YES, "not the owner and no CAP_IPC_LOCK"},
        {SHM_CALL_SHMCTL, SHM_UNLOCK, EINVAL, FAULT_NEVER, FAULT_YES, "the identifier does not exist"},
        {SHM_CALL_SHMCTL, SHM_STAT, EACCES, FAULT_NEVER, FAULT_YES, "no read permission on the segment at this index"},
        {SHM_CALL_SHMCTL, SHM_STAT, EINVAL, FAULT_NEVER, FAULT_YES, "nothing at this index"},
        {SHM_CALL_SHMCTL, SHM_STAT_ANY, EINVAL, FAULT_NEVER, FAULT_YES,
         "nothing at this index; kernels before 4.17 and some emulators do not know the command"},
        {SHM_CALL_SHMCTL, FAULT_ANY_COMMAND, ENOSYS, FAULT_NEVER, FAULT_YES, "kernel or sandbox without SysV IPC"},
        {SHM_CALL_SHMCTL, FAULT_ANY_COMMAND, EPERM, FAULT_NEVER, FAULT_YES,
         "a container's seccomp profile that forbids the call"},
};
const size_t fault_error_count = sizeof(fault_errors) / sizeof(fault_errors[0]);

bool fault_error_is_known(unsigned calls, int command, int error)
{
        for (size_t i = 0; i < fault_error_count; i++) {
                const struct fault_error *row = &fault_errors[i];
                if (row->error == error && fault_error_is_of(row, calls, command))
                        return true;
        }
        return false;
}

bool fault_error_is_of(const struct fault_error *row, unsigned calls, int command)
{
        if (!(calls & 1U << row->call))
                return false;
        return command == FAULT_ANY_COMMAND || row->command == FAULT_ANY_COMMAND || row->command == command;
}
