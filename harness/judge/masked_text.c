#include "masked_text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* A number of so many digits is an address, an identifier or a time. */
#define LONG_NUMBER 4

static void put_bytes(struct masked_text *to, const char *bytes, size_t length)
{
        if (to->length + length + 1 > to->room) {
                size_t room = 2 * (to->length + length) + 128;
                char *grown = realloc(to->bytes, room);
                if (!grown) {
                        to->failed = true;
                        return;
                }
                to->bytes = grown;
                to->room = room;
        }
        memcpy(to->bytes + to->length, bytes, length);
        to->length += length;
        to->bytes[to->length] = '\0';
}

void put_exactly(struct masked_text *to, const char *text)
{
        put_bytes(to, text, strlen(text));
}

void put_masked(struct masked_text *to, const char *text)
{
        while (*text) {
                size_t digits = isdigit((unsigned char)*text) ? strspn(text, "0123456789abcdefx") : 0;
                if (digits >= LONG_NUMBER)
                        put_bytes(to, "#", 1);
                else
                        put_bytes(to, text, digits ? digits : 1);
                text += digits ? digits : 1;
        }
}
