#include "terminal_text.h"

#include <stdlib.h>
#include <string.h>
#include <unilbrk.h>

void print_ink(FILE *out, struct terminal_style style, enum terminal_ink ink)
{
        static const char *const escapes[] = {"\033[0m", "\033[1m", "\033[2m", "\033[1;31m", "\033[32m", "\033[33m"};
        if (style.color)
                fputs(escapes[ink], out);
}

char *made_harmless(const char *text)
{
        char *copy = strdup(text);
        for (char *p = copy; p && *p; p++) {
                unsigned char c = (unsigned char)*p;
                if (c < 0x20 || c == 0x7f)
                        *p = '?';
                /* U+0080 to U+009F: the terminal controls of 8 bits. */
                if (c == 0xc2 && (unsigned char)p[1] >= 0x80 && (unsigned char)p[1] < 0xa0)
                        p[0] = p[1] = '?';
        }
        return copy;
}

void print_wrapped(FILE *out, struct terminal_style style, int indent, const char *text)
{
        char *s = made_harmless(text);
        if (!s)
                return;
        size_t length = strlen(s);
        char *breaks = calloc(length + 1, 1);
        if (breaks && style.width > indent + 10)
                ulc_width_linebreaks(s, length, style.width - indent, 0, 0, NULL, "UTF-8", breaks);
        else if (breaks)
                memset(breaks, UC_BREAK_UNDEFINED, length);
        for (size_t i = 0; breaks && i < length; i++) {
                if (breaks[i] == UC_BREAK_POSSIBLE)
                        fprintf(out, "\n%*s", indent, "");
                if (s[i] != ' ' || breaks[i + 1] != UC_BREAK_POSSIBLE)
                        fputc(s[i], out);
        }
        fputc('\n', out);
        free(breaks);
        free(s);
}

/* print_wrapped would break ids at their dots. */
void print_ids(FILE *out, struct terminal_style style, int indent, const json_t *ids)
{
        int column = indent;
        size_t i = 0;
        json_t *id = NULL;
        json_array_foreach(ids, i, id)
        {
                bool last = i + 1 == json_array_size(ids);
                int length = (int)json_string_length(id) + !last;
                if (i && style.width && column + 1 + length > style.width) {
                        fprintf(out, "\n%*s", indent, "");
                        column = indent;
                } else if (i) {
                        fputc(' ', out);
                        column++;
                }
                fprintf(out, "%s%s", json_string_value(id), last ? "" : ",");
                column += length;
        }
        fputc('\n', out);
}
