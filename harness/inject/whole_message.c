#include "whole_message.h"

#include <errno.h>
#include <sys/socket.h>

bool message_send(int socket, const void *bytes, size_t size)
{
        for (const char *at = bytes; size > 0;) {
                ssize_t n = send(socket, at, size, MSG_NOSIGNAL);
                if (n == -1 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return false;
                at += n;
                size -= (size_t)n;
        }
        return true;
}

bool message_receive(int socket, void *bytes, size_t size)
{
        for (char *at = bytes; size > 0;) {
                ssize_t n = recv(socket, at, size, 0);
                if (n == -1 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return false;
                at += n;
                size -= (size_t)n;
        }
        return true;
}
