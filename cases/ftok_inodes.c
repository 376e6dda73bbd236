/*
 * ftok's key of files with any inode number and device, which a file system of
 * the case's own gives: the formula's edges, collisions, the key -1. Linux only,
 * for want of another way to choose an inode number.
 */
#include "keyed_files.h"

#include <fcntl.h>
#include <stdio.h>
#ifdef __linux__
#include <sys/mount.h>
#endif

#ifdef __linux__

/*
 * The few words of the FUSE protocol that a stat() needs. C libraries' include
 * paths do not all have linux/fuse.h.
 */
enum { LOOKUP = 1, FORGET = 2, GETATTR = 3, INIT = 26, INTERRUPT = 36, BATCH_FORGET = 42 };
#define ROOT_NODE 1
#define PROTOCOL_MAJOR 7
#define PROTOCOL_MINOR 31
#define REQUEST_MAX (16 * 1024)
#define REQUEST_HEAD 40

struct request {
        uint32_t length, opcode;
        uint64_t unique, node;
        uint32_t uid, gid, pid, padding;
        char name[REQUEST_MAX - REQUEST_HEAD];
};

struct attributes {
        uint64_t inode, size, blocks, times[3];
        uint32_t nanoseconds[3], mode, links, uid, gid, device, block_size, flags;
};

struct reply {
        uint32_t length;
        int32_t error;
        uint64_t unique;
        union {
                struct {
                        uint32_t major, minor, read_ahead, flags;
                        uint16_t background, congestion;
                        uint32_t write_max, rest[9];
                } init;
                struct {
                        uint64_t node, generation, entry_valid, attributes_valid;
                        uint32_t nanoseconds[2];
                        struct attributes a;
                } entry;
                struct {
                        uint64_t valid;
                        uint32_t nanoseconds, padding;
                        struct attributes a;
                } attributes;
        } is;
};
#define REPLY_HEAD (offsetof(struct reply, is))

static struct attributes attributes_of(uint64_t node)
{
        struct attributes a = {.inode = node, .links = 1, .block_size = 512};
        a.mode = node == ROOT_NODE ? S_IFDIR | 0755 : S_IFREG | 0644;
        return a;
}

/* The reply's length; 0 for a request that wants none. */
static size_t answer(const struct request *request, struct reply *reply)
{
        memset(reply, 0, sizeof(*reply));
        reply->unique = request->unique;
        switch (request->opcode) {
        case FORGET:
        case BATCH_FORGET:
        case INTERRUPT:
                return 0;
        case INIT:
                reply->is.init.major = PROTOCOL_MAJOR;
                reply->is.init.minor = PROTOCOL_MINOR;
                reply->is.init.write_max = (uint32_t)PAGE;
                return REPLY_HEAD + sizeof(reply->is.init);
        case LOOKUP:
                reply->is.entry.node = strtoull(request->name, NULL, 10);
                if (reply->is.entry.node == 0) {
                        reply->error = -EIO;
                        return REPLY_HEAD;
                }
                reply->is.entry.a = attributes_of(reply->is.entry.node);
                return REPLY_HEAD + sizeof(reply->is.entry);
        case GETATTR:
                reply->is.attributes.a = attributes_of(request->node);
                return REPLY_HEAD + sizeof(reply->is.attributes);
        default:
                reply->error = -ENOSYS;
                return REPLY_HEAD;
        }
}

/* False once the file system is unmounted. */
static bool read_request(int fd, struct request *request)
{
        ssize_t n = 0;
        do {
                n = read(fd, request, sizeof(*request));
        } while (n == -1 && (errno == EINTR || errno == ENOENT));
        return n > 0;
}

static bool write_answer(int fd, const struct request *request)
{
        struct reply reply;
        size_t length = answer(request, &reply);
        reply.length = (uint32_t)length;
        return length == 0 || write(fd, &reply, length) == (ssize_t)length || errno == ENOENT;
}

/*
 * Mounts, at "numbered", a file system in which the file called N has the inode
 * number N, and any other name is an input/output error; returns its device.
 */
static dev_t make_numbered_files(void)
{
        int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
        if (fd == -1)
                skip_case("/dev/fuse: %s", strerror(errno));
        char options[64];
        snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
        if (mount("shmcheck", "numbered", "fuse", MS_NOSUID | MS_NODEV, options) == -1)
                skip_case("mount of a fuse file system: %s", strerror(errno));
        static struct request request;
        /* An emulator passes on what its host's kernel says, in the host's byte order. */
        if (!read_request(fd, &request) || request.opcode != INIT)
                skip_case("/dev/fuse does not begin with what this program reads as FUSE_INIT");
        struct child server;
        CHILD(&server, "file system")
        {
                while (write_answer(fd, &request) && read_request(fd, &request)) {
                }
        }
        /* With the server's the last descriptor, its death fails a pending stat() instead of leaving it to wait. */
        close(fd);
        return make_file_stat("numbered").st_dev;
}

static void make_place_for_numbered_files(void)
{
        make_scratch_directory();
        make_directory("numbered");
        make_mount_namespace();
}

/* The same, with a device number whose low byte is the one wanted: new devices take the lowest free number. */
static void make_numbered_files_with_low_byte(unsigned low_byte)
{
        const unsigned patience = 4;
        make_place_for_numbered_files();
        make_mounts_alone();
        make_directory("filler");
        for (unsigned tries = 0; tries < patience; tries++) {
                make_tmpfs_with_low_byte("filler", (low_byte + UCHAR_MAX) & UCHAR_MAX);
                if ((make_numbered_files() & UCHAR_MAX) == low_byte)
                        return;
        }
        skip_case("other processes mount at the same time: no device number has the low byte %u", low_byte);
}

/* The path of the file with the inode number, good until the next call. */
static const char *numbered(uint64_t inode)
{
        static char path[48];
        snprintf(path, sizeof(path), "numbered/%" PRIu64, inode);
        return path;
}

#endif

LINUX_CASE("ftok.collision.inode",
           "Inode numbers that differ by 65536 give one key, those that differ in one of the low 16 bits another",
           .level = LINUX_UNDOCUMENTED, .clause = "ftok(3) NOTES")
{
#ifdef __linux__
        const uint64_t inode = 4711;
        make_place_for_numbered_files();
        make_numbered_files();
        key_t key = make_ftok(numbered(inode), PROJECT);
        check_names_file(numbered(inode + LOW_INODE_BITS + 1), key);
        for (uint64_t distance = 1; distance <= LOW_INODE_BITS; distance *= 2) {
                struct outcome other = try_ftok(numbered(inode ^ distance), PROJECT);
                check_succeeds(other);
                check_that((key_t)other.value != key,
                           "a file whose inode number differs in one low bit has another key");
        }
#endif
}

LINUX_CASE("ftok.file.large_inode", "A file whose inode number needs 64 bits has a key, in a 32-bit program too",
           .level = LINUX_UNDOCUMENTED, .clause = "ftok(3) RETURN VALUE",
           .differs = "older 32-bit C libraries: EOVERFLOW")
{
#ifdef __linux__
        const uint64_t inode = ((uint64_t)1 << 32) + 4711;
        make_place_for_numbered_files();
        make_numbered_files();
        key_t key_of_low_bits = make_ftok(numbered(inode & UINT32_MAX), PROJECT);
        check_names_file(numbered(inode), key_of_low_bits);
#endif
}

LINUX_CASE("ftok.eio", "An input/output error of the file system fails with EIO", .level = POSIX_SHALL,
           .clause = "POSIX XSH ftok ERRORS EIO")
{
#ifdef __linux__
        make_place_for_numbered_files();
        make_numbered_files();
        make_ftok(numbered(ROOT_NODE + 1), PROJECT);
        check_fails(try_ftok("numbered/broken", PROJECT), EIO);
#endif
}

LINUX_CASE("ftok.minus_one.success", "A file can have the key (key_t)-1: it is returned, and errno is left alone",
           .level = LINUX_UNDOCUMENTED, .clause = "ftok(3) NOTES")
{
#ifdef __linux__
        make_numbered_files_with_low_byte(UCHAR_MAX);
        errno = SENTINEL_ERRNO;
        key_t key = ftok(numbered(LOW_INODE_BITS), UCHAR_MAX);
        int errno_after = errno;
        try_other("errno = 77, then ftok(a file of inode 65535, 255)", key, false, 0);
        check_equal(key, -1);
        check_equal(errno_after, SENTINEL_ERRNO);
#endif
}

LINUX_CASE("ftok.zero.is_private",
           "With proj_id 0 a file can have the key 0, IPC_PRIVATE: two calls with it make two segments",
           .level = LINUX_UNDOCUMENTED, .clause = "ftok(3) NOTES")
{
#ifdef __linux__
        make_numbered_files_with_low_byte(0);
        struct outcome key = try_ftok(numbered(LOW_INODE_BITS + 1), 0);
        check_succeeds(key);
        check_key((key_t)key.value, IPC_PRIVATE);
        int one = id_of(try_shmget((key_t)key.value, SIZE, IPC_CREAT | 0600));
        int other = id_of(try_shmget((key_t)key.value, SIZE, IPC_CREAT | 0600));
        check_that(one != other, "the segments are two");
#endif
}
