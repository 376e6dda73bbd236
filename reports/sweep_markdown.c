/*
 * As GitHub and GitLab draw it in a comment, which has room for 65,536
 * characters: what does not fit is counted.
 */
#include "sweep_markdown.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "markdown_text.h"
#include "plain_text.h"
#include "sweep_words.h"

#define REPORT_LIMIT 60000L
#define WORD_LIMIT ((size_t)700)
#define TEXT_LIMIT ((size_t)1500)

/* A fence has to be longer than what looks like one inside. */
static void put_fenced(FILE *out, const char *head, const char *text)
{
        char *plain = plain_text(text, TEXT_LIMIT, KEEP_NEWLINES);
        int longest = 2;
        int ticks = 0;
        for (const char *p = plain ? plain : ""; *p; p++) {
                ticks = *p == '`' ? ticks + 1 : 0;
                longest = ticks > longest ? ticks : longest;
        }
        fprintf(out, "%s\n\n", head);
        for (int end = 0; end < 2; end++) {
                for (int i = 0; i <= longest; i++)
                        fputc('`', out);
                fprintf(out, "\n%s%s", end ? "\n" : plain ? plain : "", end ? "" : "\n");
        }
        free(plain);
}

static void put_finding(FILE *out, const struct sweep *s, const struct sweep_finding *f)
{
        const struct sweep_try *t = sweep_shown_try(s, f);
        char text[1100];
        char *command = sweep_reproduce(s, f);
        fprintf(out, "\n<details><summary><b>%s</b> ", sweep_outcome_names[f->outcome]);
        sweep_site_text(s, f->site, text, sizeof(text));
        put_markdown(out, text, WORD_LIMIT);
        fputs(f->known ? " (known)" : f->confirmed ? "" : " (seen once, and not again)", out);
        fputs("</summary>\n\n", out);
        for (unsigned i = 0; i < f->shown_count; i++) {
                sweep_fault_text(&f->shown[i], text, sizeof(text));
                fprintf(out, "- %s: %s\n", text, f->shown[i].when);
        }
        sweep_others_text(s, f, text, sizeof(text));
        if (*text)
                fprintf(out, "- also with %s\n", text);
        sweep_end_text(t, text, sizeof(text));
        fprintf(out, "- %s%s\n", f->outcome == SWEEP_UNRECOVERED ? "the next run, without a fault: " : "", text);
        for (size_t i = 0; i < t->left_count && i < 5; i++) {
                fputs("- left behind: ", out);
                sweep_left_text(s, &t->left[i], text, sizeof(text));
                put_markdown(out, text, WORD_LIMIT);
                fputc('\n', out);
        }
        /* In one piece, to be copied into a baseline. */
        if (!strchr(f->key, '`'))
                fprintf(out, "- key `%s`\n", f->key);
        put_fenced(out, "\nTo see it again:", command ? command : "");
        if (t->written[1])
                put_fenced(out, "Standard error:", t->written[1]);
        fputs("</details>\n", out);
        free(command);
}

static void put_findings(FILE *out, const struct sweep *s)
{
        long begun = ftell(out);
        for (size_t i = 0; i < s->finding_count; i++) {
                char *text = NULL;
                size_t length = 0;
                FILE *one = open_memstream(&text, &length);
                if (!one)
                        return;
                put_finding(one, s, &s->findings[i]);
                bool whole = fclose(one) == 0;
                begun += (long)length;
                if (whole && begun < REPORT_LIMIT)
                        fputs(text, out);
                free(text);
                if (begun >= REPORT_LIMIT) {
                        fprintf(out, "\nand %zu more findings, for which there is no room here\n",
                                s->finding_count - i);
                        return;
                }
        }
}

static void put_outcomes(FILE *out, const struct sweep *s)
{
        fputs("\n| runs came to | |\n|---|---:|\n", out);
        for (int o = 0; o < SWEEP_OUTCOMES; o++) {
                size_t count = sweep_count(s, (enum sweep_outcome)o);
                if (count)
                        fprintf(out, "| %s | %zu |\n", sweep_outcome_names[o], count);
        }
}

static void put_note(const char *note, void *out)
{
        fputs("- note: ", out);
        put_markdown(out, note, WORD_LIMIT);
        fputc('\n', out);
}

bool sweep_markdown_write(const struct sweep *s, FILE *out)
{
        size_t count = 0;
        char *command = sweep_command(s);
        for (size_t i = 0; i < s->finding_count; i++)
                count += sweep_finding_counts(&s->findings[i]);
        fprintf(out, "## shmcheck sweep: %zu finding%s\n\n", count, count == 1 ? "" : "s");
        put_markdown(out, command ? command : "", WORD_LIMIT);
        fprintf(out, "\n\n- %zu of %zu runs with faults, in %.1f s\n", s->done, s->try_count, (double)s->time / 1e9);
        sweep_tell_notes(s, put_note, out);
        put_outcomes(out, s);
        put_findings(out, s);
        free(command);
        return fflush(out) == 0 && !ferror(out);
}
