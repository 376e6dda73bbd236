#include "output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool complain(const char *path, char *why, size_t size)
{
        snprintf(why, size, "%s: %s", path, strerror(errno));
        return false;
}

/* The folder of the path; the caller frees it. */
static char *folder_of(const char *path)
{
        const char *slash = strrchr(path, '/');
        if (!slash)
                return strdup(".");
        return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

static int open_beside(struct output_file *out)
{
        char *folder = folder_of(out->path);
        if (!folder)
                return -1;
        /* Without a name nothing can be left behind, whatever kills the process. */
        int fd = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
        free(folder);
        if (fd != -1 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
                return fd;
        if (asprintf(&out->beside, "%s.XXXXXX", out->path) == -1)
                return -1;
        fd = mkostemp(out->beside, O_CLOEXEC);
        mode_t mask = umask(0);
        umask(mask);
        if (fd != -1)
                fchmod(fd, 0666 & ~mask);
        return fd;
}

bool output_open(struct output_file *out, const char *path, char *why, size_t size)
{
        memset(out, 0, sizeof(*out));
        out->path = path;
        if (strcmp(path, "-") == 0) {
                out->stream = stdout;
                out->direct = true;
                return true;
        }
        struct stat st;
        bool there = stat(path, &st) == 0;
        if (there && S_ISDIR(st.st_mode)) {
                errno = EISDIR;
                return complain(path, why, size);
        }
        out->direct = there && !S_ISREG(st.st_mode);
        if (there && access(path, W_OK) == -1)
                return complain(path, why, size);
        int fd = out->direct ? open(path, O_WRONLY | O_CLOEXEC) : open_beside(out);
        if (fd == -1)
                return complain(path, why, size);
        out->stream = fdopen(fd, "w");
        if (!out->stream) {
                close(fd);
                return complain(path, why, size);
        }
        return true;
}

/* Gives a file without a name the one that rename needs. */
static bool name_beside(struct output_file *out)
{
        if (out->beside)
                return true;
        char link[64];
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fileno(out->stream));
        if (asprintf(&out->beside, "%s.%ld", out->path, (long)getpid()) == -1) {
                out->beside = NULL;
                return false;
        }
        return linkat(AT_FDCWD, link, AT_FDCWD, out->beside, AT_SYMLINK_FOLLOW) == 0;
}

int stream_error(FILE *stream)
{
        if (fflush(stream) != 0)
                return errno;
        if (!ferror(stream))
                return 0;
        /* An earlier write failed, and its reason is forgotten: a byte more meets it again. */
        return write(fileno(stream), "\n", 1) == -1 ? errno : EIO;
}

bool output_commit(struct output_file *out, char *why, size_t size)
{
        if (!out->stream)
                return true;
        errno = stream_error(out->stream);
        bool written = errno == 0;
        if (written && !out->direct) {
                written = fsync(fileno(out->stream)) == 0 && name_beside(out) && rename(out->beside, out->path) == 0;
                if (written) {
                        free(out->beside);
                        out->beside = NULL;
                }
        }
        if (!written)
                complain(out->path, why, size);
        output_discard(out);
        return written;
}

void output_discard(struct output_file *out)
{
        if (out->beside) {
                unlink(out->beside);
                free(out->beside);
                out->beside = NULL;
        }
        if (out->stream && out->stream != stdout)
                fclose(out->stream);
        out->stream = NULL;
}
