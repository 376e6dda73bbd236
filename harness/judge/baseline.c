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

/* Whether text is a day of the calendar; its last second is in *end. */
static bool read_day(const char *text, time_t *end)
{
        struct tm day = {.tm_isdst = -1};
        const char *rest = strptime(text, "%Y-%m-%d", &day);
        if (!rest || *rest || strlen(text) != 10)
                return false;
        day.tm_hour = 23;
        day.tm_min = 59;
        day.tm_sec = 59;
        *end = mktime(&day);
        return *end != (time_t)-1;
}

static bool read_entry(struct baseline_entry *e, const char *path, char *text, time_t now, char *why, size_t size)
{
        text[strcspn(text, "#")] = '\0';
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
        if (!read_day(rest, &end))
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

static bool read_entries(struct baseline *b, FILE *f, const char *path, time_t now, char *why, size_t size)
{
        char *text = NULL;
        size_t room = 0;
        bool good = true;
        for (size_t line = 1; good && getline(&text, &room, f) != -1; line++) {
                if (is_blank(text))
                        continue;
                struct baseline_entry *entries = realloc(b->entries, (b->count + 1) * sizeof(entries[0]));
                if (!entries) {
                        good = mistake(path, line, 0, "out of memory", why, size);
                        break;
                }
                b->entries = entries;
                struct baseline_entry *e = &entries[b->count++];
                memset(e, 0, sizeof(*e));
                e->line = line;
                good = read_entry(e, path, text, now, why, size);
                for (size_t i = 0; good && i + 1 < b->count; i++) {
                        if (strcmp(entries[i].id, e->id) == 0)
                                good = mistake(path, line, 0, "the case stands in the baseline already", why, size);
                }
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
        bool good = read_entries(b, f, path, now, why, size);
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
        for (size_t i = 0; i < b->count; i++)
                free(b->entries[i].id);
        free(b->entries);
        free(b);
}

bool baseline_accepts(const struct baseline *b, const char *id)
{
        for (size_t i = 0; b && i < b->count; i++) {
                if (strcmp(b->entries[i].id, id) == 0)
                        return !b->entries[i].expired;
        }
        return false;
}
