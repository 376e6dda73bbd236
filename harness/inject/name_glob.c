#include "name_glob.h"

#include <stddef.h>

/* The byte of the set that stands here, behind a \ if there is one. */
static unsigned char member(const char **place)
{
        if (**place == '\\' && (*place)[1])
                ++*place;
        return (unsigned char)*(*place)++;
}

/* Past the ] of the set that begins here with its [, or NULL if it has none; tells whether the set has the byte. */
static const char *match_set(const char *set, unsigned char byte, bool *matches)
{
        const char *p = set + 1;
        bool negated = *p == '!' || *p == '^';
        bool found = false;
        p += negated;
        const char *const first = p;
        while (*p && (*p != ']' || p == first)) {
                unsigned char low = member(&p);
                unsigned char high = low;
                if (*p == '-' && p[1] && p[1] != ']') {
                        p++;
                        high = member(&p);
                }
                found = found || (low <= byte && byte <= high);
        }
        *matches = found != negated;
        return *p ? p + 1 : NULL;
}

/* Past the one thing in the glob that matches the byte, or NULL. */
static const char *match_one(const char *glob, unsigned char byte)
{
        bool matches = false;
        switch (*glob) {
        case '?':
                return glob + 1;
        case '[':
                glob = match_set(glob, byte, &matches);
                return matches ? glob : NULL;
        default:
                return member(&glob) == byte ? glob : NULL;
        }
}

bool name_glob_matches(const char *glob, const char *text)
{
        const char *behind_star = NULL;
        const char *retry = NULL;
        while (*text) {
                const char *next = NULL;
                if (*glob == '*') {
                        behind_star = ++glob;
                        retry = text;
                } else if (*glob && (next = match_one(glob, (unsigned char)*text))) {
                        glob = next;
                        text++;
                } else if (behind_star) {
                        glob = behind_star;
                        text = ++retry;
                } else {
                        return false;
                }
        }
        while (*glob == '*')
                glob++;
        return !*glob;
}

const char *name_glob_flaw(const char *glob)
{
        while (*glob) {
                bool ignored = false;
                const char *next = *glob == '[' ? match_set(glob, 0, &ignored) : glob + 1;
                if (*glob == '\\')
                        next = glob[1] ? glob + 2 : NULL;
                if (!next)
                        return glob;
                glob = next;
        }
        return NULL;
}
