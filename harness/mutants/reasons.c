#include "reasons.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Cuts the line into glob and text, both in place. Returns false where one of them is missing. */
static bool cut(char *line, char **glob, char **text)
{
        line[strcspn(line, "\n")] = '\0';
        *glob = line + strspn(line, " \t");
        char *end = *glob + strcspn(*glob, " \t");
        *text = end + strspn(end, " \t");
        *end = '\0';
        return **glob && **text;
}

static bool add(struct reasons *reasons, const char *glob, const char *text, size_t line)
{
        struct reason *all = realloc(reasons->all, (reasons->count + 1) * sizeof(all[0]));
        if (!all)
                return false;
        reasons->all = all;
        struct reason *r = &all[reasons->count];
        *r = (struct reason){.glob = strdup(glob), .text = strdup(text), .line = line};
        reasons->count++;
        return r->glob && r->text;
}

bool reasons_load(struct reasons *reasons, const char *path, char *why, size_t size)
{
        *reasons = (struct reasons){.all = NULL};
        FILE *f = fopen(path, "re");
        if (!f) {
                snprintf(why, size, "%s: %s", path, strerror(errno));
                return false;
        }
        char *line = NULL;
        size_t room = 0;
        bool well = true;
        for (size_t n = 1; well && getline(&line, &room, f) != -1; n++) {
                char *glob = NULL;
                char *text = NULL;
                if (line[0] == '#' || !line[strspn(line, " \t\n")])
                        continue;
                well = cut(line, &glob, &text);
                if (!well)
                        snprintf(why, size, "%s:%zu: a line holds a glob and a reason", path, n);
                else if (!add(reasons, glob, text, n)) {
                        well = false;
                        snprintf(why, size, "out of memory");
                }
        }
        free(line);
        fclose(f);
        if (!well)
                reasons_free(reasons);
        return well;
}

void reasons_free(struct reasons *reasons)
{
        for (size_t i = 0; i < reasons->count; i++) {
                free(reasons->all[i].glob);
                free(reasons->all[i].text);
        }
        free(reasons->all);
        *reasons = (struct reasons){.all = NULL};
}

struct reason *reasons_find(const struct reasons *reasons, const char *id)
{
        for (size_t i = 0; i < reasons->count; i++) {
                if (fnmatch(reasons->all[i].glob, id, 0) == 0)
                        return &reasons->all[i];
        }
        return NULL;
}
