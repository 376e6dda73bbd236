#include "baseline_report.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "case_text.h"
#include "plain_text.h"

#define COMMENT_LIMIT ((size_t)160)
/* Keys have 8 digits of hex at most and stay the same; addresses have more and change from run to run. */
#define KEY_DIGITS 8

struct line {
        const char *id;
        const struct baseline_entry *old; /* NULL: the line is new */
        const struct judged_case *seen;   /* of a new line */
};

static int by_id(const void *a, const void *b)
{
        return strcmp(((const struct line *)a)->id, ((const struct line *)b)->id);
}

/* A baseline says no more of a flaky case than of one that always fails. */
static bool is_to_accept(enum verdict verdict)
{
        return verdict_diverges(verdict) && verdict != VERDICT_FIXED;
}

static bool can_stand_in_a_line(const char *id)
{
        return *id && !id[strcspn(id, " \t\r\n\v\f#")];
}

/* ---- what the lines are ---- */

struct lines {
        struct line *all;
        size_t count;
};

static bool add_line(struct lines *lines, struct line line)
{
        struct line *grown = realloc(lines->all, (lines->count + 1) * sizeof(grown[0]));
        if (!grown)
                return false;
        lines->all = grown;
        grown[lines->count++] = line;
        return true;
}

static bool add_new(struct lines *lines, const struct judgement *j, const struct baseline *old,
                    struct baseline_changes *changes)
{
        for (size_t i = 0; i < j->case_count; i++) {
                const struct judged_case *c = &j->cases[i];
                if (!is_to_accept(c->verdict) || baseline_entry_of(old, c->of->id))
                        continue;
                if (!can_stand_in_a_line(c->of->id)) {
                        changes->unfit = c->of->id;
                        continue;
                }
                changes->added++;
                if (!add_line(lines, (struct line){.id = c->of->id, .seen = c}))
                        return false;
        }
        return true;
}

static bool passes_now(const struct judgement *j, const char *id)
{
        for (size_t i = 0; i < j->case_count; i++) {
                if (strcmp(j->cases[i].of->id, id) == 0)
                        return j->cases[i].verdict == VERDICT_PASS;
        }
        return false;
}

static bool add_old(struct lines *lines, const struct judgement *j, const struct baseline *old,
                    struct baseline_changes *changes)
{
        for (size_t i = 0; old && i < old->count; i++) {
                if (passes_now(j, old->entries[i].id)) {
                        changes->dropped++;
                        continue;
                }
                changes->kept++;
                if (!add_line(lines, (struct line){.id = old->entries[i].id, .old = &old->entries[i]}))
                        return false;
        }
        return true;
}

/* ---- how they are written ---- */

/* Puts 0x... in the place of addresses, and one blank in that of several. */
static void make_steady(char *text)
{
        char *to = text;
        for (const char *from = text; *from;) {
                size_t digits = strncmp(from, "0x", 2) == 0 ? strspn(from + 2, "0123456789abcdefABCDEF") : 0;
                if (digits > KEY_DIGITS) {
                        memcpy(to, "0x...", 5);
                        to += 5;
                        from += 2 + digits;
                } else if (*from == ' ' && from[1] == ' ') {
                        from++;
                } else {
                        *to++ = *from++;
                }
        }
        *to = '\0';
}

static bool put_seen(FILE *out, const struct judged_case *c)
{
        char *why = describe_verdict(c);
        char *plain = why ? plain_text(why, COMMENT_LIMIT, ONE_LINE) : NULL;
        if (plain) {
                make_steady(plain);
                fprintf(out, "  # %s: %s\n", verdict_name(c->verdict), plain);
        }
        free(plain);
        free(why);
        return plain != NULL;
}

static bool put_line(FILE *out, const struct line *line, const char *until)
{
        const char *day = line->old ? line->old->until : until;
        if (line->old && line->old->above)
                fputs(line->old->above, out);
        fputs(line->id, out);
        if (day && *day)
                fprintf(out, "  until=%s", day);
        if (!line->old)
                return put_seen(out, line->seen);
        if (line->old->comment)
                fprintf(out, "  # %s", line->old->comment);
        fputc('\n', out);
        return true;
}

static bool put_head(FILE *out, const struct judged_record *judged)
{
        char *platform = describe_platform(judged->record);
        char *plain = platform ? plain_text(platform, COMMENT_LIMIT, ONE_LINE) : NULL;
        fprintf(out,
                "# Divergences from the profile %s that are accepted, first seen on\n"
                "# %s.\n"
                "# A case a line, until=YYYY-MM-DD if it is not for ever, and behind the # why.\n\n",
                judged->main->profile->name, plain ? plain : "?");
        free(plain);
        free(platform);
        return plain != NULL;
}

bool baseline_report(FILE *out, const struct judged_record *judged, const struct baseline *old, const char *until,
                     struct baseline_changes *changes)
{
        struct lines lines = {NULL, 0};
        memset(changes, 0, sizeof(*changes));
        bool good = add_new(&lines, judged->main, old, changes) && add_old(&lines, judged->main, old, changes);
        if (lines.count)
                qsort(lines.all, lines.count, sizeof(lines.all[0]), by_id);
        if (!old)
                good = put_head(out, judged) && good;
        else if (old->head)
                fputs(old->head, out);
        for (size_t i = 0; i < lines.count; i++)
                good = put_line(out, &lines.all[i], until) && good;
        if (old && old->tail)
                fputs(old->tail, out);
        free(lines.all);
        return good;
}
