/*
 * The structures and numbers of shmctl as the C library's headers give them,
 * how they lie over what the kernel writes, and the older ways into the call
 * that 32-bit x86 has.
 *
 * Left out: the size that a 32-bit process sees of a segment beyond 4 GiB, which
 * is in two_widths.c; and machines whose kernel has a layout of its own (MIPS,
 * PowerPC, SPARC, PA-RISC): their cases are skipped.
 */
#include "case.h"

#include <stdio.h>
#if defined(__linux__)
#include <sys/syscall.h>
#endif

#define SIZE 3333
#define INDEXES 32768 /* an identifier is its slot's index plus a multiple of it */
/* With ipcmni_extend, indexes are handed out in a cycle of this many; otherwise of fewer. */
#define LONGEST_CYCLE 4096

#define HAS_TYPE(member, type) _Generic(((struct shmid_ds *)0)->member, type : true, default : false)
#define HAS_PERM_TYPE(member, type) _Generic(((struct ipc_perm *)0)->member, type : true, default : false)

CASE("shmctl.abi.members", "struct shmid_ds and struct ipc_perm have the members of POSIX with their types",
     .level = POSIX_SHALL, .clause = "POSIX XBD <sys/shm.h>; POSIX XBD <sys/ipc.h>",
     .differs = "glibc before 2.32 gives mode another type than mode_t")
{
        check_that(HAS_TYPE(shm_perm, struct ipc_perm), "shm_perm is a struct ipc_perm");
        check_that(HAS_TYPE(shm_segsz, size_t), "shm_segsz is a size_t");
        check_that(HAS_TYPE(shm_lpid, pid_t), "shm_lpid is a pid_t");
        check_that(HAS_TYPE(shm_cpid, pid_t), "shm_cpid is a pid_t");
#ifndef __dietlibc__
        check_that(HAS_TYPE(shm_nattch, shmatt_t), "shm_nattch is a shmatt_t");
#else
        check_that(false, "there is a shmatt_t");
#endif
        check_that(HAS_TYPE(shm_atime, time_t), "shm_atime is a time_t");
        check_that(HAS_TYPE(shm_dtime, time_t), "shm_dtime is a time_t");
        check_that(HAS_TYPE(shm_ctime, time_t), "shm_ctime is a time_t");
        check_that(HAS_PERM_TYPE(uid, uid_t), "uid is a uid_t");
        check_that(HAS_PERM_TYPE(gid, gid_t), "gid is a gid_t");
        check_that(HAS_PERM_TYPE(cuid, uid_t), "cuid is a uid_t");
        check_that(HAS_PERM_TYPE(cgid, gid_t), "cgid is a gid_t");
        check_that(HAS_PERM_TYPE(mode, mode_t), "mode is a mode_t");
}

CASE("shmctl.abi.nattch_type", "shmatt_t is unsigned and holds at least an unsigned short", .level = POSIX_SHALL,
     .clause = "POSIX XBD <sys/shm.h> shmatt_t")
{
#ifndef __dietlibc__
        check_that((shmatt_t)-1 > 0, "shmatt_t is unsigned");
        check_that(sizeof(shmatt_t) >= sizeof(unsigned short), "shmatt_t is as wide as unsigned short");
        LINUX_ONLY
        {
                check_equal(sizeof(shmatt_t), sizeof(unsigned long));
        }
#else
        check_that(false, "there is a shmatt_t");
#endif
}

CASE("shmctl.abi.commands",
     "IPC_RMID, IPC_SET and IPC_STAT are distinct, and Linux' commands have the kernel's numbers", .level = POSIX_SHALL,
     .clause = "POSIX XBD <sys/ipc.h>")
{
        check_that(IPC_RMID != IPC_SET && IPC_SET != IPC_STAT && IPC_STAT != IPC_RMID, "they are distinct");
#ifdef __linux__
        LINUX_ONLY
        {
                check_equal(IPC_RMID, 0);
                check_equal(IPC_SET, 1);
                check_equal(IPC_STAT, 2);
                check_equal(IPC_INFO, 3);
                check_equal(SHM_LOCK, 11);
                check_equal(SHM_UNLOCK, 12);
                check_equal(SHM_STAT, 13);
                check_equal(SHM_INFO, 14);
                check_equal(SHM_STAT_ANY, 15);
        }
#endif
}

/* ---- layouts ---- */

#define check_member(structure, member, offset, size)                                                                  \
        do {                                                                                                           \
                check_equal(offsetof(structure, member), offset);                                                      \
                check_equal(sizeof(((structure *)0)->member), size);                                                   \
        } while (0)

LINUX_CASE("shmctl.abi.layout_64", "struct shmid_ds of a 64-bit program has the layout of the kernel's shmid64_ds",
           .level = LINUX, .clause = "Linux asm/shmbuf.h struct shmid64_ds", .needs = NEED_64_BIT)
{
#ifdef __linux__
#if defined(__x86_64__) || defined(__aarch64__) || defined(__riscv) || defined(__s390x__) || defined(__loongarch__)
        check_equal(sizeof(struct shmid_ds), 112);
        check_member(struct shmid_ds, shm_segsz, 48, 8);
        check_member(struct shmid_ds, shm_atime, 56, 8);
        check_member(struct shmid_ds, shm_dtime, 64, 8);
        check_member(struct shmid_ds, shm_ctime, 72, 8);
        check_member(struct shmid_ds, shm_cpid, 80, 4);
        check_member(struct shmid_ds, shm_lpid, 84, 4);
        check_member(struct shmid_ds, shm_nattch, 88, 8);
#else
        skip_case("this machine's kernel has a struct shmid64_ds of its own");
#endif
#endif
}

LINUX_CASE("shmctl.abi.layout_32", "struct shmid_ds of 32-bit x86 has the layout of the kernel's shmid64_ds",
           .level = LINUX, .clause = "Linux asm/shmbuf.h struct shmid64_ds",
           .note = "a time is 4 bytes and a high word, or 8 bytes with _TIME_BITS=64")
{
#ifdef __linux__
#if defined(__i386__)
        check_equal(sizeof(struct shmid_ds), 84);
        check_member(struct shmid_ds, shm_segsz, 36, 4);
        check_member(struct shmid_ds, shm_atime, 40, sizeof(time_t));
        check_member(struct shmid_ds, shm_dtime, 48, sizeof(time_t));
        check_member(struct shmid_ds, shm_ctime, 56, sizeof(time_t));
        check_member(struct shmid_ds, shm_cpid, 64, 4);
        check_member(struct shmid_ds, shm_lpid, 68, 4);
        check_member(struct shmid_ds, shm_nattch, 72, 4);
#else
        skip_case("this is no program for 32-bit x86");
#endif
#endif
}

LINUX_CASE("shmctl.abi.perm_layout", "struct ipc_perm has the layout of the kernel's ipc64_perm", .level = LINUX,
           .clause = "Linux asm/ipcbuf.h struct ipc64_perm")
{
#ifdef __linux__
#if defined(__x86_64__) || defined(__i386__) || defined(__aarch64__) || defined(__riscv) || defined(__loongarch__)
        check_equal(sizeof(struct ipc_perm), sizeof(void *) == 8 ? 48 : 36);
        check_member(struct ipc_perm, SHMC_PERM_KEY, 0, 4);
        check_member(struct ipc_perm, uid, 4, 4);
        check_member(struct ipc_perm, gid, 8, 4);
        check_member(struct ipc_perm, cuid, 12, 4);
        check_member(struct ipc_perm, cgid, 16, 4);
        check_equal(offsetof(struct ipc_perm, mode), 20);
        check_equal(offsetof(struct ipc_perm, SHMC_PERM_SEQ), 24);
#else
        skip_case("this machine's kernel has a struct ipc64_perm of its own");
#endif
#endif
}

CASE("shmctl.abi.mode_upper_half", "IPC_STAT writes the whole of mode, its upper half too", .level = POSIX_SHALL,
     .clause = "POSIX XSH shmctl IPC_STAT", .differs = "qemu-user leaves garbage in the upper half")
{
        int id = make_segment(IPC_PRIVATE, 1, 0600);
        struct stat_buffer ones;
        struct stat_buffer zeros;
        memset(&ones, 0xff, sizeof(ones));
        memset(&zeros, 0, sizeof(zeros));
        check_succeeds(try_shmctl(id, IPC_STAT, &ones.is.ds));
        check_succeeds(try_shmctl(id, IPC_STAT, &zeros.is.ds));
        check_mode(ones.is.ds.shm_perm.mode, zeros.is.ds.shm_perm.mode);
        check_mode(ones.is.ds.shm_perm.mode & 0777, 0600);
        LINUX_ONLY
        {
                check_mode(ones.is.ds.shm_perm.mode, 0600);
        }
}

LINUX_CASE("shmctl.abi.info_sizes", "struct shminfo is nine words, struct shm_info six with shm_tot in the second",
           .level = LINUX, .clause = "shmctl(2) IPC_INFO; shmctl(2) SHM_INFO")
{
#ifdef __linux__
        check_equal(sizeof(struct shminfo), 9 * sizeof(long));
        check_equal(offsetof(struct shminfo, shmmax), 0);
        check_equal(offsetof(struct shminfo, shmall), 4 * sizeof(long));
        check_equal(sizeof(struct shm_info), 6 * sizeof(long));
        check_equal(offsetof(struct shm_info, shm_tot), sizeof(long));
        check_equal(offsetof(struct shm_info, shm_rss), 2 * sizeof(long));
#endif
}

LINUX_CASE("shmctl.abi.raw_equals_libc", "IPC_STAT by system call writes the bytes that the C library gives",
           .level = LINUX, .clause = "Linux asm/shmbuf.h struct shmid64_ds", .needs = NEED_RAW_SYSCALL | NEED_64_BIT)
{
#ifdef __linux__
        int id = make_segment(KEY, SIZE, 0640);
        make_touched_by_another(id, SIZE, 1);
        make_attached(id, 0);
        struct stat_buffer library;
        struct stat_buffer raw;
        memset(&library, 0x5a, sizeof(library));
        memset(&raw, 0x5a, sizeof(raw));
        check_succeeds(try_shmctl(id, IPC_STAT, &library.is.ds));
        check_succeeds(try_raw_shmctl(id, IPC_STAT, &raw.is.ds));
        size_t same = 0;
        while (same < sizeof(raw.is.bytes) && raw.is.bytes[same] == library.is.bytes[same])
                same++;
        check_explained(same == sizeof(raw.is.bytes), "both wrote the same bytes", "byte %zu differs", same);
#endif
}

LINUX_CASE("shmctl.abi.seq_matches_id", "The sequence number in struct ipc_perm is the identifier divided by 32768",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/util.h", .needs = NEED_IPC_NAMESPACE,
           .note = "ipcmni_extend on the kernel's command line makes it another divisor")
{
#ifdef __linux__
        int first = make_segment(IPC_PRIVATE, 1, 0600);
        check_equal(make_stat(first).shm_perm.SHMC_PERM_SEQ, first / INDEXES);
        int id = 0;
        for (int patience = LONGEST_CYCLE; patience >= 0 && id < INDEXES; patience--) {
                id = quiet_shmget(IPC_PRIVATE, 1, 0600);
                make_sure(id != -1, "shmget: %s", strerror(errno));
                if (id < INDEXES)
                        quiet_rmid(id);
        }
        if (id < INDEXES)
                skip_case("of %d segments none came to lie in a used slot", LONGEST_CYCLE + 1);
        check_equal(make_stat(id).shm_perm.SHMC_PERM_SEQ, id / INDEXES);
        means_to_leave(2);
#endif
}

LINUX_CASE("shmctl.abi.large_segsz", "A segment of 5 GiB made with SHM_NORESERVE shows its exact size", .level = LINUX,
           .clause = "shmctl(2) shm_segsz", .needs = NEED_64_BIT)
{
#ifdef __linux__
        size_t size = (size_t)(UINT64_C(5) << 30) + 1;
        int id = make_segment(IPC_PRIVATE, size, SHM_NORESERVE | 0600);
        check_equal(make_stat(id).shm_segsz, size);
#endif
}

/* ---- time ---- */

CASE("shmctl.abi.time_2038", "Once the clock is past 2038 the three times of a segment are right all the same",
     .level = POSIX_SHALL, .clause = "POSIX XBD <sys/shm.h>",
     .note = "no case sets the clock: it is judged where that is so")
{
        time_t before = stamp_time();
        if (sizeof(time_t) == 4)
                skip_case("a time_t of this program ends in 2038");
        if (before <= INT32_MAX)
                skip_case("the clock is not past 2038");
        int id = make_segment(IPC_PRIVATE, SIZE, 0600);
        const void *at = make_attached(id, 0);
        struct shmid_ds attached = make_stat(id);
        make_detached(at);
        struct shmid_ds detached = make_stat(id);
        time_t after = stamp_time();
        check_between(attached.shm_ctime, before, after);
        check_between(attached.shm_atime, before, after);
        check_equal(attached.shm_dtime, 0);
        check_between(detached.shm_dtime, before, after);
        check_equal(detached.shm_ctime, attached.shm_ctime);
        check_equal(detached.shm_atime, attached.shm_atime);
}

/* ---- 32-bit x86 ---- */

#if defined(__linux__) && defined(__i386__)

#define CALL_SHMCTL 24
#define IPC_64_FLAG 0x100

/* The call that multiplexes all of System V IPC; without IPC_64_FLAG its structures are those of Linux 2.2. */
static struct outcome try_ipc_call(int shmid, int command, void *buffer)
{
        char text[64];
        snprintf(text, sizeof(text), "ipc(SHMCTL, %d, 0x%x, 0, buffer)", shmid, (unsigned)command);
        errno = 0;
        long r = syscall(SYS_ipc, CALL_SHMCTL, shmid, command, 0, buffer);
        return try_other(text, r, r == -1, errno);
}

struct old_shmid_ds {
        int32_t key;
        uint16_t uid, gid, cuid, cgid, mode, seq;
        int32_t segsz, atime, dtime, ctime;
        uint16_t cpid, lpid, nattch, unused[5];
};
_Static_assert(sizeof(struct old_shmid_ds) == 48, "as include/linux/compat.h has it");

union old_buffer {
        struct old_shmid_ds ds;
        unsigned char bytes[SHMC_GUARD];
};
#else
#define NOT_I386 "this is no program for 32-bit x86"
#endif

LINUX_CASE("shmctl.abi.time_high_words",
           "The words above the 32-bit times of struct shmid_ds are 0, not what was there", .level = LINUX_UNDOCUMENTED,
           .clause = "glibc sysdeps/unix/sysv/linux/shmctl.c shmid64_to_shmid()")
{
#ifdef __linux__
#if defined(__i386__) && defined(__GLIBC__)
        if (sizeof(time_t) != 4)
                skip_case("a time is 64 bits wide");
        int id = make_segment(IPC_PRIVATE, 1, 0600);
        make_touched_by_another(id, 1, 1);
        struct stat_buffer b;
        memset(&b, 0x5a, sizeof(b));
        check_succeeds(try_shmctl(id, IPC_STAT, &b.is.ds));
        check_bytes("above shm_atime", b.is.bytes + offsetof(struct shmid_ds, shm_atime) + 4, 4, 0);
        check_bytes("above shm_dtime", b.is.bytes + offsetof(struct shmid_ds, shm_dtime) + 4, 4, 0);
        check_bytes("above shm_ctime", b.is.bytes + offsetof(struct shmid_ds, shm_ctime) + 4, 4, 0);
#else
        skip_case("this is no program of glibc for 32-bit x86");
#endif
#endif
}

LINUX_CASE("shmctl.abi.ipc_call_64",
           "The ipc(2) call with IPC_64 writes the same 84 bytes as the shmctl call, and no more", .level = LINUX,
           .clause = "ipc(2)", .needs = NEED_RAW_SYSCALL)
{
#ifdef __linux__
#if defined(__i386__)
        int id = make_segment(KEY, SIZE, 0640);
        make_touched_by_another(id, SIZE, 1);
        make_attached(id, 0);
        struct stat_buffer call;
        struct stat_buffer ipc;
        memset(&call, 0x5a, sizeof(call));
        memset(&ipc, 0x5a, sizeof(ipc));
        check_succeeds(try_raw_shmctl(id, IPC_STAT, &call.is.ds));
        check_succeeds(try_ipc_call(id, IPC_STAT | IPC_64_FLAG, &ipc.is.ds));
        check_that(memcmp(&call, &ipc, sizeof(call)) == 0, "both wrote the same bytes");
        check_bytes("bytes from 84 on", ipc.is.bytes + 84, sizeof(ipc.is.bytes) - 84, 0x5a);
#else
        skip_case(NOT_I386);
#endif
#endif
}

LINUX_CASE("shmctl.abi.ipc_call_old", "The ipc(2) call without IPC_64 writes the 48 bytes of the old structure",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c copy_compat_shmid_to_user()")
{
#ifdef __linux__
#if defined(__i386__)
        int id = make_segment(KEY, SIZE, 0640);
        make_touched_by_another(id, SIZE, 1);
        make_attached(id, 0);
        struct shmid_ds ds = make_stat(id);
        union old_buffer b;
        memset(&b, 0x5a, sizeof(b));
        check_succeeds(try_ipc_call(id, IPC_STAT, &b));
        check_key(b.ds.key, KEY);
        check_equal(b.ds.uid, ds.shm_perm.uid);
        check_equal(b.ds.gid, ds.shm_perm.gid);
        check_equal(b.ds.cuid, ds.shm_perm.cuid);
        check_equal(b.ds.cgid, ds.shm_perm.cgid);
        check_mode(b.ds.mode, 0640);
        check_equal(b.ds.segsz, SIZE);
        check_equal(b.ds.atime, ds.shm_atime);
        check_equal(b.ds.dtime, ds.shm_dtime);
        check_equal(b.ds.ctime, ds.shm_ctime);
        check_equal(b.ds.cpid, ds.shm_cpid & 0xffff);
        check_equal(b.ds.lpid, ds.shm_lpid & 0xffff);
        check_equal(b.ds.nattch, 1);
        check_bytes("bytes from 48 on", b.bytes + 48, sizeof(b) - 48, 0x5a);
#else
        skip_case(NOT_I386);
#endif
#endif
}

LINUX_CASE("shmctl.abi.ipc_call_old_set",
           "IPC_SET by the ipc(2) call without IPC_64 takes the mode from the old structure",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c copy_compat_shmid_from_user()")
{
#ifdef __linux__
#if defined(__i386__)
        int id = make_segment(IPC_PRIVATE, SIZE, 0640);
        struct shmid_ds before = make_stat(id);
        union old_buffer b;
        memset(&b, 0x5a, sizeof(b));
        b.ds.uid = (uint16_t)before.shm_perm.uid;
        b.ds.gid = (uint16_t)before.shm_perm.gid;
        b.ds.mode = 0604;
        make_sure(b.ds.uid == before.shm_perm.uid && b.ds.gid == before.shm_perm.gid, "the caller's ids are too large");
        check_succeeds(try_ipc_call(id, IPC_SET, &b));
        struct shmid_ds now = make_stat(id);
        check_mode(now.shm_perm.mode, 0604);
        check_only_changed(&before, &now, M_MODE | M_CTIME);
#else
        skip_case(NOT_I386);
#endif
#endif
}

/* The one call whose buffer is too small for today's ids; it caps them in place of EOVERFLOW. */
LINUX_CASE("shmctl.stat.eoverflow",
           "IPC_STAT succeeds or fails with EOVERFLOW when the buffer cannot hold the uid: Linux shows 65534",
           .level = POSIX_MAY, .clause = "POSIX XSH shmctl ERRORS EOVERFLOW", .needs = NEED_ROOT | NEED_TWO_UIDS)
{
#ifdef __linux__
#if defined(__i386__)
        int id = make_segment(IPC_PRIVATE, SIZE, 0600);
        make_ownership(id, 70000, 70001, 0600);
        union old_buffer b;
        memset(&b, 0x5a, sizeof(b));
        check_result(try_ipc_call(id, IPC_STAT, &b), ON_POSIX(OK, EOVERFLOW), ON_LINUX(OK));
        LINUX_ONLY
        {
                check_equal(b.ds.uid, 65534);
                check_equal(b.ds.gid, 65534);
        }
#else
        skip_case(NOT_I386);
#endif
#endif
}
