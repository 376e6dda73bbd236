#include "foreign_line.h"

#include <string.h>

static void end_line(struct foreign_line *line)
{
        line->now[line->length] = '\0';
        if (line->now[strspn(line->now, " \t\r")] && !strstr(line->now, "@shmcheck "))
                memcpy(line->last, line->now, line->length + 1);
        line->length = 0;
}

void foreign_line_feed(struct foreign_line *line, const char *bytes, size_t length)
{
        for (size_t i = 0; i < length; i++) {
                if (bytes[i] == '\n')
                        end_line(line);
                else if (bytes[i] != '\r' && bytes[i] != '\0' && line->length < FOREIGN_LINE_MAX)
                        line->now[line->length++] = bytes[i];
        }
}

const char *foreign_line_last(struct foreign_line *line)
{
        end_line(line);
        return line->last;
}
