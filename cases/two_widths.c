/*
 * What a 32-bit and a 64-bit program of one machine see of the same thing: a
 * segment that is larger than the one's size_t, and the key of a file.
 */
#include "keyed_files.h"

#include <stdio.h>

#define LARGE_SIZE ((UINT64_C(5) << 30) + 1)
#define LARGE_SIZE_FLAGS (SHM_NORESERVE | 0600)

/*
 * A program of one width may make the other's system calls, if the kernel runs such programs at all; if not, the
 * attempt faults, or is taken for a call of the program's own width. Each returns its result or minus errno.
 */
#if defined(__linux__) && defined(__x86_64__)

#define HAS_OTHER_WIDTH 1
#define OTHERS_GETPID 20
#define OTHERS_IPC 117
#define CALL_SHMCTL 24
#define IPC_64_FLAG 0x100
#ifndef MAP_32BIT
#define MAP_32BIT 0x40 /* dietlibc does not name it */
#endif
#define SEGSZ_32 36 /* where a 32-bit struct shmid_ds has shm_segsz, of 4 bytes */

static intptr_t call_other(long number, long a, long b, long c, long d, long e)
{
        long result = 0;
        __asm__ volatile("int $0x80"
                         : "=a"(result)
                         : "0"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
                         : "memory", "r8", "r9", "r10", "r11");
        return (int)result;
}

static intptr_t ask_others_getpid(void)
{
        return call_other(OTHERS_GETPID, 0, 0, 0, 0, 0);
}

static int make_large_segment(void)
{
        return make_segment(IPC_PRIVATE, LARGE_SIZE, LARGE_SIZE_FLAGS);
}

static void check_size_32(int id)
{
        /* A 32-bit program's pointer reaches no further. */
        unsigned char *buffer =
                mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
        make_sure(buffer != MAP_FAILED, "mmap below 4 GiB: %s", strerror(errno));
        memset(buffer, 0x5a, PAGE);
        intptr_t result = call_other(OTHERS_IPC, CALL_SHMCTL, id, IPC_STAT | IPC_64_FLAG, 0, (long)buffer);
        check_succeeds(try_other("32-bit shmctl(id, IPC_STAT, buffer)", result, result < 0, (int)-result));
        uint32_t size = 0;
        memcpy(&size, buffer + SEGSZ_32, sizeof(size));
        check_equal(size, (uint32_t)LARGE_SIZE);
        check_equal(make_stat(id).shm_segsz, LARGE_SIZE);
}

#elif defined(__linux__) && defined(__i386__)

#define HAS_OTHER_WIDTH 1
#define OTHERS_GETPID 39
#define OTHERS_SHMGET 29
#define CODE_64_SEGMENT "0x33"

/* Into the 64-bit code segment, and back. */
static intptr_t call_other(uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
        const uint64_t registers[] = {number, a, b, c};
        const void *at = registers;
        intptr_t result = 0;
        __asm__ volatile("call 1f\n"
                         "1: popl %%eax\n\t"
                         "addl $(2f - 1b), %%eax\n\t"
                         "pushl $" CODE_64_SEGMENT "\n\t"
                         "pushl %%eax\n\t"
                         "lcall *(%%esp)\n\t"
                         "addl $8, %%esp\n\t"
                         "jmp 3f\n\t"
                         ".code64\n"
                         "2: movq (%%rsi), %%rax\n\t"
                         "movq 8(%%rsi), %%rdi\n\t"
                         "movq 24(%%rsi), %%rdx\n\t"
                         "movq 16(%%rsi), %%rsi\n\t"
                         "syscall\n\t"
                         "lretl\n\t"
                         ".code32\n"
                         "3:"
                         : "=a"(result), "+S"(at)
                         :
                         : "ecx", "edx", "edi", "memory", "cc");
        return result;
}

static intptr_t ask_others_getpid(void)
{
        return call_other(OTHERS_GETPID, 0, 0, 0);
}

static int make_large_segment(void)
{
        intptr_t id = call_other(OTHERS_SHMGET, IPC_PRIVATE, LARGE_SIZE, LARGE_SIZE_FLAGS);
        make_sure(id >= 0, "64-bit shmget of %" PRIu64 " bytes: %s", LARGE_SIZE, strerror((int)-id));
        try_other("64-bit shmget(IPC_PRIVATE, 5 GiB + 1, SHM_NORESERVE | 0600)", id, false, 0);
        return (int)id;
}

static void check_size_32(int id)
{
        struct stat_buffer b;
        memset(&b, 0x5a, sizeof(b));
        check_succeeds(try_shmctl(id, IPC_STAT, &b.is.ds));
        check_equal(b.is.ds.shm_segsz, (uint32_t)LARGE_SIZE);
}

#endif

#ifdef HAS_OTHER_WIDTH

static bool runs_both_widths(void)
{
        bool *both = make_shared(sizeof(*both));
        struct death d;
        DOOMED(&d)
        {
                *both = ask_others_getpid() == getpid();
        }
        return d.signal_number == 0 && *both;
}

#endif

LINUX_CASE("shmctl.abi.large_segsz_32",
           "A 32-bit program sees the size of a segment of 5 GiB modulo 4 GiB, and IPC_STAT succeeds",
           .level = LINUX_UNDOCUMENTED, .clause = "Linux ipc/shm.c copy_compat_shmid_to_user()",
           .needs = NEED_IPC_NAMESPACE, .note = "a program of the one width does the other's part by its system call")
{
#ifdef __linux__
#ifdef HAS_OTHER_WIDTH
        if (!runs_both_widths())
                skip_case("this kernel runs programs of one width only");
        check_size_32(make_large_segment());
        means_to_leave(1);
#else
        skip_case("this is no program for x86");
#endif
#endif
}

CASE("ftok.same.width", "A 32-bit and a 64-bit program get the same key for one file", .level = LINUX_UNDOCUMENTED,
     .clause = "ftok(3) DESCRIPTION", .needs = NEED_OTHER_WIDTH,
     .note = "SHMCHECK_OTHER_AGENT names a build of the agent with pointers of the other width")
{
        const char *other = getenv("SHMCHECK_OTHER_AGENT");
        make_sure(other != NULL, "SHMCHECK_OTHER_AGENT is not set any more");
        key_t key = make_scratch_key("f");
        int ends[2];
        make_sure(pipe(ends) == 0, "pipe: %s", strerror(errno));
        IN_CHILD
        {
                char descriptor[16];
                snprintf(descriptor, sizeof(descriptor), "%d", ends[1]);
                execl(other, other, "--program", "ftok_of", "f", descriptor, (char *)NULL);
                make_sure(false, "exec of %s: %s", other, strerror(errno));
        }
        key_t others = 0;
        make_sure(read(ends[0], &others, sizeof(others)) == (ssize_t)sizeof(others), "the program wrote no key");
        check_key(others, key);
}
