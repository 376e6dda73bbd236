#include "diff_markdown.h"

#include <stdlib.h>

#include "bounded_report.h"
#include "case_text.h"
#include "diff_text.h"
#include "markdown_text.h"

#define REPORT_LIMIT ((size_t)65000)
/* Kept free for the line that says what was left out. */
#define LAST_LINE ((size_t)300)
/* Of the room, what the cases that are told whole may take; the lists have the rest. */
#define ROOM_OF_CASES ((size_t)50000)
#define WORD_LIMIT ((size_t)300)
#define SENTENCE_LIMIT ((size_t)400)
#define TEXT_LIMIT ((size_t)6000)
#define LIST_LIMIT ((size_t)6000)

static const struct terminal_style plain = {.color = false, .width = 0};

static void put_record(FILE *out, const char *which, const struct judged_record *judged)
{
        char *platform = describe_platform(judged->record);
        fprintf(out, "| %s | ", which);
        put_markdown(out, judged->label, WORD_LIMIT);
        fputs(" | ", out);
        put_markdown(out, platform ? platform : "?", SENTENCE_LIMIT);
        fprintf(out, " | %zu/%zu |\n", judgement_passed(judged->main), judgement_tried(judged->main));
        free(platform);
}

static void put_head(struct bounded_report *report, const struct compared *c)
{
        struct piece p;
        char *changes = describe_changes(c->difference);
        if (begin_piece(report, &p)) {
                fputs("### shmcheck diff: ", p.stream);
                put_markdown(p.stream, changes ? changes : "?", SENTENCE_LIMIT);
                fputs("\n\n|  | record | platform | ", p.stream);
                put_markdown(p.stream, c->after->main->profile->title, WORD_LIMIT);
                fputs(" |\n|:--|:--|:--|--:|\n", p.stream);
                put_record(p.stream, "old", c->before);
                put_record(p.stream, "new", c->after);
                fputc('\n', p.stream);
                put_piece(report, &p, REPORT_LIMIT);
        }
        free(changes);
}

/* The text that print makes, with nothing behind its last line; the caller frees it. */
static char *text_of(struct bounded_report *report, const struct compared *c,
                     void (*print)(FILE *out, const struct compared *c, const void *arg), const void *arg)
{
        struct piece text;
        if (!begin_piece(report, &text))
                return NULL;
        print(text.stream, c, arg);
        fclose(text.stream);
        if (text.bytes && text.size > 0)
                text.bytes[text.size - 1] = '\0';
        return text.bytes;
}

static void notes_of(FILE *out, const struct compared *c, const void *arg)
{
        (void)arg;
        diff_text_notes(out, plain, c);
}

static void case_of(FILE *out, const struct compared *c, const void *arg)
{
        diff_text_case(out, plain, c, arg);
}

static void list_of(FILE *out, const struct compared *c, const void *arg)
{
        diff_text_list(out, plain, c, *(const enum change *)arg);
}

/* What is not seen from the table: what a record has no more, or is missing of it. */
static void put_notes(struct bounded_report *report, const struct compared *c)
{
        struct piece p;
        char *text = text_of(report, c, notes_of, NULL);
        if (text && *text && begin_piece(report, &p)) {
                put_markdown_fenced(p.stream, text, TEXT_LIMIT);
                fputc('\n', p.stream);
                put_piece(report, &p, REPORT_LIMIT);
        }
        free(text);
}

/* Returns whether there was room for it. */
static bool put_case(struct bounded_report *report, const struct compared *c, const struct case_difference *d)
{
        struct piece p;
        char *text = text_of(report, c, case_of, d);
        char *change = describe_change(d);
        bool fits = false;
        if (text && begin_piece(report, &p)) {
                const struct value *result = shown_result(d->after);
                fprintf(p.stream, "<details><summary><b>%s</b> <code>", change_name(d->change));
                put_markdown_html(p.stream, d->after->of->id, WORD_LIMIT);
                fprintf(p.stream, "</code> %s: ", change ? change : "?");
                put_markdown_html(p.stream, member_text(result, "sentence"), SENTENCE_LIMIT);
                fputs("</summary>\n\n", p.stream);
                put_markdown_fenced(p.stream, text, TEXT_LIMIT);
                fputs("\n</details>\n\n", p.stream);
                fits = put_piece(report, &p, ROOM_OF_CASES);
        }
        free(change);
        free(text);
        return fits;
}

static bool put_list(struct bounded_report *report, const struct compared *c, enum change change)
{
        struct piece p;
        char *text = text_of(report, c, list_of, &change);
        bool fits = false;
        if (text && begin_piece(report, &p)) {
                fprintf(p.stream, "<details><summary>%s: %zu</summary>\n\n", change_name(change),
                        c->difference->by_change[change]);
                put_markdown_fenced(p.stream, text, LIST_LIMIT);
                fputs("\n</details>\n\n", p.stream);
                fits = put_piece(report, &p, REPORT_LIMIT - LAST_LINE);
        }
        free(text);
        return fits;
}

static size_t put_cases(struct bounded_report *report, const struct compared *c, enum change change)
{
        size_t left_out = 0;
        for (size_t i = 0; i < c->difference->count; i++) {
                const struct case_difference *d = &c->difference->cases[i];
                if (d->change == change && !put_case(report, c, d))
                        left_out++;
        }
        return left_out;
}

bool diff_markdown(FILE *out, const struct compared *c)
{
        struct bounded_report report = {.out = out};
        size_t left_out = 0;
        put_head(&report, c);
        put_notes(&report, c);
        for (enum change change = CHANGE_REGRESSION; change < CHANGE_NONE; change++) {
                if (is_told_whole(change))
                        left_out += put_cases(&report, c, change);
                else if (c->difference->by_change[change] && !put_list(&report, c, change))
                        left_out += c->difference->by_change[change];
        }
        if (left_out)
                fprintf(out, "Left out for want of room: %zu cases. The JSON report has all of them.\n", left_out);
        return !report.failed && !ferror(out);
}
