#include "fault_reading.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Whether the byte is inside of a character. */
static bool continues(char c)
{
        return ((unsigned char)c & 0xc0) == 0x80;
}

/* The bytes of the character, or 0 if it is a control character or no well-formed UTF-8. */
static size_t character_length(const char *text)
{
        static const uint32_t lowest[] = {0, 0, 0xa0, 0x800, 0x10000};
        unsigned char lead = (unsigned char)*text;
        if (lead < 0x80)
                return lead >= ' ' && lead != 0x7f;
        if (lead < 0xc2 || lead > 0xf4)
                return 0;
        size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
        uint32_t code = lead & (0x7fU >> length);
        for (size_t i = 1; i < length; i++) {
                if (!continues(text[i]))
                        return 0;
                code = code << 6 | ((unsigned char)text[i] & 0x3fU);
        }
        bool surrogate = code >= 0xd800 && code <= 0xdfff;
        return code < lowest[length] || code > 0x10ffff || surrogate ? 0 : length;
}

bool fault_text_is_sound(struct fault_reading *r)
{
        const char *p = r->text;
        while (*p) {
                size_t length = character_length(p);
                if (!length)
                        return fault_mistaken(r, p, NULL, "a control character, or a byte that is no UTF-8");
                if (p + length - r->text >= FAULT_TEXT)
                        return fault_mistaken(r, p, NULL, "a rule has at most %d bytes", FAULT_TEXT - 1);
                p += length;
        }
        return true;
}

bool fault_take_part(struct fault_reading *r, struct fault_span *part)
{
        const char *p = r->next;
        if (!p)
                return false;
        part->from = p;
        while (*p && *p != ':')
                p += *p == '\\' && p[1] ? 2 : 1;
        part->to = p;
        r->next = *p ? p + 1 : NULL;
        return true;
}

const char *fault_word(struct fault_reading *r, struct fault_span word)
{
        char *to = r->mistake->word;
        size_t length = (size_t)(word.to - word.from);
        if (length >= sizeof(r->mistake->word)) {
                length = sizeof(r->mistake->word) - 1;
                while (continues(word.from[length]))
                        length--;
        }
        memcpy(to, word.from, length);
        to[length] = '\0';
        return to;
}

bool fault_mistaken(struct fault_reading *r, const char *at, const char *const *nearest_of, const char *format, ...)
{
        struct fault_mistake *m = r->mistake;
        m->column = 1;
        for (const char *p = r->text; p < at; p++)
                m->column += !continues(*p);
        m->nearest_of = *m->word ? nearest_of : NULL;
        va_list values;
        va_start(values, format);
        vsnprintf(m->why, sizeof(m->why), format, values);
        va_end(values);
        return false;
}
