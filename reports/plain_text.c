#include "plain_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unictype.h>
#include <unistr.h>

#define STAND_IN "\xef\xbf\xbd"

static bool is_plain(ucs4_t c, enum plain_newlines newlines)
{
        const uint32_t shapeless = UC_CATEGORY_MASK_Cc | UC_CATEGORY_MASK_Cf | UC_CATEGORY_MASK_Cs |
                                   UC_CATEGORY_MASK_Cn | UC_CATEGORY_MASK_Zl | UC_CATEGORY_MASK_Zp;
        if (c == '\n')
                return newlines == KEEP_NEWLINES;
        return !uc_is_general_category_withtable(c, shapeless);
}

/* How many bytes of the text, at most limit, end with a character. */
static size_t whole_characters(const uint8_t *text, size_t length, size_t limit)
{
        size_t at = 0;
        while (at < length) {
                ucs4_t c = 0;
                int n = u8_mbtouc(&c, text + at, length - at);
                if (at + (size_t)n > limit)
                        break;
                at += (size_t)n;
        }
        return at;
}

char *plain_text(const char *text, size_t limit, enum plain_newlines newlines)
{
        const uint8_t *bytes = (const uint8_t *)text;
        size_t length = strlen(text);
        size_t kept = length <= limit ? length : whole_characters(bytes, length, limit);
        /* A byte becomes three at most. */
        char *plain = malloc(3 * kept + 64);
        if (!plain)
                return NULL;
        char *p = plain;
        for (size_t at = 0; at < kept;) {
                if (bytes[at] >= ' ' && bytes[at] <= '~') {
                        *p++ = text[at++];
                        continue;
                }
                ucs4_t c = 0;
                int n = u8_mbtouc(&c, bytes + at, kept - at);
                bool good = u8_check(bytes + at, (size_t)n) == NULL && is_plain(c, newlines);
                size_t put = good ? (size_t)n : sizeof(STAND_IN) - 1;
                memcpy(p, good ? text + at : STAND_IN, put);
                p += put;
                at += (size_t)n;
        }
        if (kept < length)
                snprintf(p, 64, " ... (%zu bytes more)", length - kept);
        else
                *p = '\0';
        return plain;
}
