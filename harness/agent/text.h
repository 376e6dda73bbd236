/*
 * Text put together in a buffer of fixed size, JSON among it. Nothing here
 * allocates, so that it works in any child in any state.
 */
#ifndef SHMC_TEXT_H
#define SHMC_TEXT_H

#include "platform.h"

struct shmc_text {
        char *bytes;
        size_t size;   /* of bytes, the final NUL included */
        size_t length; /* without the final NUL */
        bool cut;      /* something did not fit */
};

#define SHMC_TEXT(buffer)                                                                                              \
        {                                                                                                              \
                .bytes = (buffer), .size = sizeof(buffer)                                                              \
        }

/* Appends as printf does. */
void shmc_add(struct shmc_text *t, const char *format, ...) SHMC_PRINTF(2, 3);

/*
 * Append without printf, whose code and stack cost the process of a case, which
 * has to page them in first, some 20 microseconds: for what most cases write.
 */
void shmc_add_bytes(struct shmc_text *t, const char *bytes, size_t length);
void shmc_add_string(struct shmc_text *t, const char *s);
void shmc_add_decimal(struct shmc_text *t, intmax_t n);

/* Appends 0x and at least width hexadecimal digits. */
void shmc_add_hex(struct shmc_text *t, uintmax_t n, unsigned width);

/* Appends n in base 2 to 16 without a prefix, with zeros in front up to width digits (at most 64). */
void shmc_add_digits(struct shmc_text *t, uintmax_t n, unsigned base, unsigned width);

/* Appends a JSON string, quotes included: plain ASCII whatever s holds. */
void shmc_add_json_string(struct shmc_text *t, const char *s);

/* CRC-32 (ISO-HDLC, as of zip and PNG) of the bytes. */
uint32_t shmc_crc32(const void *bytes, size_t length);

#endif
