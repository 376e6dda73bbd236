#include "page.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>

PAGE_EMBED(page_style, "page.css")
PAGE_EMBED(page_text_script, "page_text.js")

struct page {
        const struct page_part *parts;
        size_t count;
        const json_t *data;
        char nonce[33];
};

/* Characters that could end or open an element can only be in strings of the JSON, where an escape means the same. */
static int write_harmless(const char *bytes, size_t size, void *out)
{
        while (size > 0) {
                size_t plain = 0;
                while (plain < size && !strchr("<>&", bytes[plain]))
                        plain++;
                if (fwrite(bytes, 1, plain, out) != plain)
                        return -1;
                if (plain < size && fprintf(out, "\\u%04x", (unsigned)bytes[plain++]) < 0)
                        return -1;
                bytes += plain;
                size -= plain;
        }
        return 0;
}

static bool write_data(const json_t *data, FILE *out)
{
        if (!data) {
                errno = ENOMEM;
                return false;
        }
        /* In ASCII, so that no character of the data can turn the file's text round. */
        return json_dump_callback(data, write_harmless, out, JSON_COMPACT | JSON_ENSURE_ASCII) == 0;
}

/* FNV-1a, twice, from different beginnings. */
struct digest {
        uint64_t halves[2];
};

static int add_to_digest(const char *bytes, size_t size, void *arg)
{
        struct digest *d = arg;
        for (size_t i = 0; i < size; i++) {
                for (int half = 0; half < 2; half++)
                        d->halves[half] = (d->halves[half] ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
        }
        return 0;
}

static bool make_nonce(struct page *page, enum page_word word)
{
        struct digest d = {{UINT64_C(0xcbf29ce484222325), UINT64_C(0x9ae16a3b2f90404f)}};
        if (word == PAGE_WORD_FRESH && getentropy(&d, sizeof(d)) == -1)
                return false;
        if (word == PAGE_WORD_OF_DATA)
                json_dump_callback(page->data, add_to_digest, &d, JSON_COMPACT);
        snprintf(page->nonce, sizeof(page->nonce), "%016" PRIx64 "%016" PRIx64, d.halves[0], d.halves[1]);
        return true;
}

static const char *part_called(const struct page *page, const char *name, size_t length)
{
        for (size_t i = 0; i < page->count; i++) {
                if (strlen(page->parts[i].name) == length && memcmp(page->parts[i].name, name, length) == 0)
                        return page->parts[i].text;
        }
        return page->nonce;
}

static bool write_part(const struct page *page, const char *name, size_t length, FILE *out)
{
        const size_t data = strlen("data");
        if (length == data && memcmp(name, "data", data) == 0)
                return write_data(page->data, out);
        if (length > data && memcmp(name, "data.", data + 1) == 0)
                return write_data(json_object_getn(page->data, name + data + 1, length - data - 1), out);
        return fputs(part_called(page, name, length), out) != EOF;
}

bool page_write(const char *html, const struct page_part *parts, size_t count, const json_t *data, enum page_word word,
                FILE *out)
{
        struct page page = {.parts = parts, .count = count, .data = data};
        if (!make_nonce(&page, word))
                return false;
        for (const char *open; (open = strstr(html, "{{")) != NULL;) {
                const char *name = open + 2;
                size_t length = strcspn(name, "}");
                if (fwrite(html, 1, (size_t)(open - html), out) != (size_t)(open - html) ||
                    !write_part(&page, name, length, out))
                        return false;
                html = name + length + 2;
        }
        return fputs(html, out) != EOF && fflush(out) == 0;
}
