#include "event_output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <stdint.h>
#include <unistd.h>

#include "cli.h"

static int open_descriptor(const char *digits)
{
        char *end = NULL;
        errno = 0;
        long number = strtol(digits, &end, 10);
        if (!*digits || strspn(digits, "0123456789") != strlen(digits) || errno || number > INT32_MAX) {
                errno = EINVAL;
                return -1;
        }
        int flags = fcntl((int)number, F_GETFL);
        if (flags == -1)
                return -1;
        if ((flags & O_ACCMODE) == O_RDONLY) {
                errno = EBADF;
                return -1;
        }
        return fcntl((int)number, F_DUPFD_CLOEXEC, 0);
}

bool event_output_open(struct event_output *out, const char *where)
{
        *out = (struct event_output){.fd = -1, .name = where};
        if (!where)
                return true;
        if (strncmp(where, "fd:", 3) == 0) {
                out->fd = open_descriptor(where + 3);
                if (out->fd == -1)
                        complain("--events %s: not a descriptor that is open for writing", where);
                /* The command is not to hold it open when all else is done. */
                else if (strtol(where + 3, NULL, 10) > STDERR_FILENO)
                        fcntl((int)strtol(where + 3, NULL, 10), F_SETFD, FD_CLOEXEC);
                return out->fd != -1;
        }
        out->fd = open(where, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
        if (out->fd == -1)
                complain("--events %s: %s", where, strerror(errno));
        return out->fd != -1;
}

static bool write_whole(int fd, const char *bytes, size_t size)
{
        while (size > 0) {
                ssize_t n = write(fd, bytes, size);
                if (n == -1 && errno == EAGAIN)
                        poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
                else if (n == -1 && errno != EINTR)
                        return false;
                else if (n > 0) {
                        bytes += n;
                        size -= (size_t)n;
                }
        }
        return true;
}

void event_output_write(struct event_output *out, json_t *event)
{
        char *text = out->lost ? NULL : json_dumps(event, JSON_COMPACT | JSON_ENSURE_ASCII);
        json_decref(event);
        if (out->lost)
                return;
        errno = ENOMEM;
        if (text) {
                size_t length = strlen(text);
                text[length] = '\n';
                out->lost = !write_whole(out->fd, text, length + 1);
        } else {
                out->lost = true;
        }
        if (out->lost)
                complain("--events %s: %s; the events from here on are lost", out->name, strerror(errno));
        free(text);
}

void event_output_close(struct event_output *out)
{
        if (out->fd != -1)
                close(out->fd);
        out->fd = -1;
}
