#include "text.h"

#include <stdarg.h>
#include <stdio.h>

void shmc_add(struct shmc_text *t, const char *format, ...)
{
        size_t room = t->size - t->length;
        va_list arguments;
        va_start(arguments, format);
        int n = vsnprintf(t->bytes + t->length, room, format, arguments);
        va_end(arguments);
        if (n < 0)
                return;
        if ((size_t)n >= room) {
                t->length = t->size - 1;
                t->cut = true;
        } else {
                t->length += (size_t)n;
        }
}

void shmc_add_bytes(struct shmc_text *t, const char *bytes, size_t length)
{
        if (length >= t->size - t->length) {
                t->cut = true;
                return;
        }
        memcpy(t->bytes + t->length, bytes, length);
        t->length += length;
        t->bytes[t->length] = '\0';
}

void shmc_add_string(struct shmc_text *t, const char *s)
{
        shmc_add_bytes(t, s, strlen(s));
}

void shmc_add_digits(struct shmc_text *t, uintmax_t n, unsigned base, unsigned width)
{
        char digits[64];
        size_t at = sizeof(digits);
        do {
                digits[--at] = "0123456789abcdef"[n % base];
                n /= base;
        } while (n || sizeof(digits) - at < width);
        shmc_add_bytes(t, digits + at, sizeof(digits) - at);
}

void shmc_add_hex(struct shmc_text *t, uintmax_t n, unsigned width)
{
        shmc_add_bytes(t, "0x", 2);
        shmc_add_digits(t, n, 16, width);
}

void shmc_add_decimal(struct shmc_text *t, intmax_t n)
{
        if (n < 0)
                shmc_add_bytes(t, "-", 1);
        shmc_add_digits(t, n < 0 ? -(uintmax_t)n : (uintmax_t)n, 10, 1);
}

void shmc_add_json_string(struct shmc_text *t, const char *s)
{
        shmc_add_bytes(t, "\"", 1);
        for (; *s; s++) {
                unsigned char c = (unsigned char)*s;
                if (c == '"' || c == '\\') {
                        char escaped[2] = {'\\', *s};
                        shmc_add_bytes(t, escaped, sizeof(escaped));
                } else if (c < 0x20 || c == 0x7f) {
                        shmc_add(t, "\\u%04x", (unsigned)c);
                } else if (c >= 0x80) {
                        /* Which encoding the bytes are in is not known here. */
                        shmc_add_bytes(t, "\\ufffd", 6);
                } else {
                        shmc_add_bytes(t, s, 1);
                }
        }
        shmc_add_bytes(t, "\"", 1);
}

uint32_t shmc_crc32(const void *bytes, size_t length)
{
        static uint32_t table[256];
        if (table[1] == 0) {
                for (uint32_t i = 0; i < 256; i++) {
                        uint32_t c = i;
                        for (int bit = 0; bit < 8; bit++)
                                c = (c & 1) ? 0xedb88320U ^ (c >> 1) : c >> 1;
                        table[i] = c;
                }
        }
        const unsigned char *p = bytes;
        uint32_t crc = 0xffffffffU;
        for (size_t i = 0; i < length; i++)
                crc = table[(crc ^ p[i]) & 0xff] ^ (crc >> 8);
        return crc ^ 0xffffffffU;
}
