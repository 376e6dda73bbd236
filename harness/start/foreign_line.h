/* What a target prints beside the record: the last line of it, for the one who asks why the record ends. */
#ifndef FOREIGN_LINE_H
#define FOREIGN_LINE_H

#include <stddef.h>

#define FOREIGN_LINE_MAX 240

/* Zeroed at first. */
struct foreign_line {
        char last[FOREIGN_LINE_MAX + 1]; /* "" while there was none; longer lines are cut */
        char now[FOREIGN_LINE_MAX + 1];  /* the line that is being read */
        size_t length;
};

/* Takes the next bytes of the stream, in pieces of any size. */
void foreign_line_feed(struct foreign_line *line, const char *bytes, size_t length);

/*
 * The last line that was no part of the record, an unfinished one included.
 * Returns "" if there was none. It may hold anything but a newline and NUL.
 */
const char *foreign_line_last(struct foreign_line *line);

#endif
