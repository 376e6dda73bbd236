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
void shmc_add_bytes(struct shmc_text *t, const char *bytes, size_t length);

/* Appends a JSON string, quotes included: plain ASCII whatever s holds. */
void shmc_add_json_string(struct shmc_text *t, const char *s);

/* CRC-32 (ISO-HDLC, as of zip and PNG) of the bytes. */
uint32_t shmc_crc32(const void *bytes, size_t length);

#endif
