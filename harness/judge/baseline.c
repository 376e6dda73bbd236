#include "baseline.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\r\n"
#define UNTIL "until="

static bool mistake(const char *path, size_t line, size_t column, const char *what, char *why, size_t size)
{
        snprintf(why, size, "%s:%zu:%zu: %s", path, line, column + 1, what);
        return false;
}

bool baseline_day(const char *text, time_t *end)
{
        struct tm day = {.tm_isdst = -1};
        const char *rest = strptime(text, "%Y-%m-%d", &day);
        if (!rest || *rest || strlen(text) != 10)
                return false;
        struct tm asked = day;
        day.tm_hour = 23;
        day.tm_min = 59;
        day.tm_sec = 59;
        time_t last = mktime(&day);
        if (end)
                *end = last;
        /* mktime makes the 3rd of March of the 31st of February. */
        return last != (time_t)-1 && day.tm_mday == asked.tm_mday && day.tm_mon == asked.tm_mon;
}

/* Takes the comment off the line. Returns false when memory is short. */
static bool take_comment(struct baseline_entry *e, char *text)
{
        char *comment = strchr(text, '#');
        if (!comment)
                return true;
        *comment++ = '\0';
        comment += strspn(comment, BLANKS);
        size_t length = strlen(comment);
        while (length > 0 && strchr(BLANKS, comment[length - 1]))
                length--;
        e->comment = length ? strndup(comment, length) : NULL;
        return length == 0 || e->comment;
}

static bool read_entry(struct baseline_entry *e, const char *path, char *text, time_t now, char *why, size_t size)
{
        if (!take_comment(e, text))
                return mistake(path, e->line, 0, "out of memory", why, size);
        char *rest = text + strspn(text, BLANKS);
        size_t length = strcspn(rest, BLANKS);
        e->id = strndup(rest, length);
        if (!e->id)
                return mistake(path, e->line, 0, "out of memory", why, size);
        rest += length;
        rest += strspn(rest, BLANKS);
        if (!*rest)
                return true;
        size_t column = (size_t)(rest - text);
        if (strncmp(rest, UNTIL, sizeof(UNTIL) - 1) != 0)
                return mistake(path, e->line, column, "after the case there may be until=YYYY-MM-DD and a # comment",
                               why, size);
        rest += sizeof(UNTIL) - 1;
        rest[strcspn(rest, BLANKS)] = '\0';
        time_t end = 0;
        if (!baseline_day(rest, &end))
                return mistake(path, e->line, column, "until= takes a day of the calendar, YYYY-MM-DD", why, size);
        snprintf(e->until, sizeof(e->until), "%s", rest);
        e->expired = end < now;
        return true;
}

static bool is_blank(const char *text)
{
        const char *first = text + strspn(text, BLANKS);
        return *first == '\0' || *first == '#';
}

/* Adds the line to what *lines holds. Returns false when memory is short. */
static bool keep_line(char **lines, const char *line)
{
        char *longer = NULL;
        if (asprintf(&longer, "%s%.*s\n", *lines ? *lines : "", (int)strcspn(line, "\r\n"), line) == -1)
                return false;
        free(*lines);
        *lines = longer;
        return true;
}

static struct baseline_entry *add_entry(struct baseline *b, size_t line)
{
        struct baseline_entry *entries = realloc(b->entries, (b->count + 1) * sizeof(entries[0]));
        if (!entries)
                return NULL;
        b->entries = entries;
        struct baseline_entry *e = &entries[b->count++];
        memset(e, 0, sizeof(*e));
        e->line = line;
        return e;
}

static bool read_line(struct baseline *b, char *text, size_t line, const char *path, time_t now, char *why, size_t size)
{
        if (is_blank(text))
                return keep_line(&b->tail, text) || mistake(path, line, 0, "out of memory", why, size);
        struct baseline_entry *e = add_entry(b, line);
        if (!e)
                return mistake(path, line, 0, "out of memory", why, size);
        *(b->count == 1 ? &b->head : &e->above) = b->tail;
        b->tail = NULL;
        return read_entry(e, path, text, now, why, size);
}

static int by_id(const void *a, const void *b)
{
        const struct baseline_entry *x = *(const struct baseline_entry *const *)a;
        const struct baseline_entry *y = *(const struct baseline_entry *const *)b;
        int ids = strcmp(x->id, y->id);
        return ids ? ids : (x->line > y->line) - (x->line < y->line);
}

/* Puts the entries in order, and finds a case that stands there twice: the one that does so first in the file. */
static bool sort_entries(struct baseline *b, const char *path, char *why, size_t size)
{
        size_t again = 0;
        b->sorted = calloc(b->count + 1, sizeof(const struct baseline_entry *));
        if (!b->sorted)
                return mistake(path, 1, 0, "out of memory", why, size);
        for (size_t i = 0; i < b->count; i++)
                b->sorted[i] = &b->entries[i];
        qsort(b->sorted, b->count, sizeof(const struct baseline_entry *), by_id);
        for (size_t i = 1; i < b->count; i++) {
                size_t line = b->sorted[i]->line;
                if (strcmp(b->sorted[i - 1]->id, b->sorted[i]->id) == 0 && (again == 0 || line < again))
                        again = line;
        }
        return again == 0 || mistake(path, again, 0, "the case stands in the baseline already", why, size);
}

static bool read_lines(struct baseline *b, FILE *f, const char *path, time_t now, char *why, size_t size)
{
        char *text = NULL;
        size_t room = 0;
        bool good = true;
        for (size_t line = 1; good && getline(&text, &room, f) != -1; line++)
                good = read_line(b, text, line, path, now, why, size);
        if (good && ferror(f)) {
                snprintf(why, size, "%s: %s", path, strerror(errno));
                good = false;
        }
        free(text);
        return good;
}

struct baseline *baseline_load(const char *path, time_t now, char *why, size_t size)
{
        FILE *f = fopen(path, "re");
        struct baseline *b = f ? calloc(1, sizeof(*b)) : NULL;
        if (!b) {
                snprintf(why, size, "%s: %s", path, strerror(errno));
                if (f)
                        fclose(f);
                return NULL;
        }
        bool good = read_lines(b, f, path, now, why, size) && sort_entries(b, path, why, size);
        fclose(f);
        if (good)
                return b;
        baseline_free(b);
        return NULL;
}

void baseline_free(struct baseline *b)
{
        if (!b)
                return;
        for (size_t i = 0; i < b->count; i++) {
                free(b->entries[i].id);
                free(b->entries[i].comment);
                free(b->entries[i].above);
        }
        free(b->entries);
        free(b->sorted);
        free(b->head);
        free(b->tail);
        free(b);
}

static int is_of(const void *id, const void *entry)
{
        return strcmp(id, (*(const struct baseline_entry *const *)entry)->id);
}

const struct baseline_entry *baseline_entry_of(const struct baseline *b, const char *id)
{
        if (b && b->sorted) {
                const struct baseline_entry **found =
                        bsearch(id, b->sorted, b->count, sizeof(const struct baseline_entry *), is_of);
                return found ? *found : NULL;
        }
        for (size_t i = 0; b && i < b->count; i++) {
                if (strcmp(b->entries[i].id, id) == 0)
                        return &b->entries[i];
        }
        return NULL;
}

bool baseline_accepts(const struct baseline *b, const char *id)
{
        const struct baseline_entry *e = baseline_entry_of(b, id);
        return e && !e->expired;
}
