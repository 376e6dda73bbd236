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
