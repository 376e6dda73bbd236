/*
 * A page for a browser in one file that needs nothing else: the parts of
 * reports/web are in the program, and go into the page where its HTML has their
 * names in double braces. {{data}} is the page's data as JSON, {{data.NAME}} a
 * member of it, {{nonce}} the word without which no script and no style runs.
 */
#ifndef PAGE_H
#define PAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct page_part {
        const char *name; /* of the file in reports/web */
        const char *text;
};

/*
 * Puts a file of reports/web into the program, under the symbol. The assembler
 * does it, which looks from the folder that the compiler runs in.
 */
#define PAGE_EMBED(symbol, name)                                                                                       \
        extern const char symbol[] __attribute__((visibility("hidden")));                                              \
        __asm__(".pushsection .rodata\n"                                                                               \
                ".global " #symbol "\n"                                                                                \
                ".hidden " #symbol "\n" #symbol ":\n"                                                                  \
                ".incbin \"reports/web/" name "\"\n"                                                                   \
                ".byte 0\n"                                                                                            \
                ".popsection\n");

/* An entry of an array of parts. */
#define PAGE_PART(symbol, name) {name, symbol},

/* Parts that every page has. */
extern const char page_style[];
extern const char page_text_script[];
#define PAGE_SHARED_PARTS PAGE_PART(page_style, "page.css") PAGE_PART(page_text_script, "page_text.js")

/* Where the word comes from that lets scripts run. */
enum page_word {
        PAGE_WORD_FRESH,  /* drawn anew for each page: no data can know it */
        PAGE_WORD_OF_DATA /* made from the data: the same data makes the same page, and to tell the word changes it */
};

/*
 * Writes the page that html describes. data is told in ASCII, and nothing of
 * it can end or open an element; NULL stands for what memory was too short for.
 * Returns false, with what has been written left in out, if out cannot be
 * written (errno tells why) or memory runs out.
 */
bool page_write(const char *html, const struct page_part *parts, size_t count, const json_t *data, enum page_word word,
                FILE *out);

#endif
