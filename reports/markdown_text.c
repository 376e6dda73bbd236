#include "markdown_text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "plain_text.h"

void put_markdown(FILE *out, const char *text, size_t limit)
{
        char *plain = plain_text(text, limit, ONE_LINE);
        for (const char *p = plain; p && *p; p++) {
                if (*p == '@') {
                        fputs("\xef\xbc\xa0", out);
                        continue;
                }
                if (ispunct((unsigned char)*p) && !strchr(",/", *p))
                        fputc('\\', out);
                fputc(*p, out);
        }
        free(plain);
}

static size_t longest_run_of_ticks(const char *text)
{
        size_t longest = 0;
        while (*(text += strcspn(text, "`"))) {
                size_t run = strspn(text, "`");
                longest = run > longest ? run : longest;
                text += run;
        }
        return longest;
}

static void put_ticks(FILE *out, size_t n)
{
        while (n--)
                fputc('`', out);
}

void put_markdown_code(FILE *out, const char *text, size_t limit)
{
        char *plain = plain_text(text, limit, ONE_LINE);
        size_t ticks = plain ? longest_run_of_ticks(plain) + 1 : 0;
        bool padded = plain && (*plain == '`' || *plain == ' ' || !*plain || plain[strlen(plain) - 1] == '`');
        put_ticks(out, ticks);
        fprintf(out, "%s%s%s", padded ? " " : "", plain ? plain : "", padded ? " " : "");
        put_ticks(out, ticks);
        free(plain);
}

void put_markdown_fenced(FILE *out, const char *text, size_t limit)
{
        char *plain = plain_text(text, limit, KEEP_NEWLINES);
        size_t ticks = plain ? longest_run_of_ticks(plain) + 1 : 3;
        ticks = ticks < 3 ? 3 : ticks;
        put_ticks(out, ticks);
        fprintf(out, "text\n%s\n", plain ? plain : "");
        put_ticks(out, ticks);
        fputc('\n', out);
        free(plain);
}

/* How the character is spelt on a line of HTML; NULL: as it is. */
static const char *html_spelling(char c)
{
        static const struct {
                char c;
                const char *spelling;
        } all[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'@', "\xef\xbc\xa0"}};
        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
                if (all[i].c == c)
                        return all[i].spelling;
        }
        return NULL;
}

void put_markdown_html(FILE *out, const char *text, size_t limit)
{
        char *plain = plain_text(text, limit, ONE_LINE);
        for (const char *p = plain; p && *p; p++) {
                const char *spelling = html_spelling(*p);
                if (spelling)
                        fputs(spelling, out);
                else
                        fputc(*p, out);
        }
        free(plain);
}
