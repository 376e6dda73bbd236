/*
 * Markdown as GitHub and GitLab draw it in a comment: a heading, the scores, a
 * table by topic, and what diverges, folded. A comment has room for 65,536
 * characters, so there is a bound, and what is left out is counted.
 *
 * Nothing of a record can end what it stands in: it is inside a fence longer
 * than any in it, inside a code span made alike, or spelt with HTML's entities
 * on a line of HTML. No @ of it calls anybody.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "bounded_report.h"
#include "case_text.h"
#include "markdown_text.h"
#include "plain_text.h"
#include "report_format.h"
#include "skip_text.h"

#define REPORT_LIMIT ((size_t)65000)
/* Kept free for the line that says what was left out. */
#define LAST_LINE ((size_t)300)
#define WORD_LIMIT ((size_t)200)
#define SENTENCE_LIMIT ((size_t)400)
#define TEXT_LIMIT ((size_t)6000)
#define LIST_LIMIT ((size_t)8000)

enum omission { TOPICS, DIVERGENCES, ERRORS, LISTS, RECORDS, OMISSIONS };

struct markdown {
        struct bounded_report report;
        size_t records;
        size_t done;
        size_t bound; /* where the record that is drawn has to end */
        size_t omitted[OMISSIONS];
};

static void *begin_markdown(FILE *out, size_t records)
{
        struct markdown *md = calloc(1, sizeof(*md));
        if (!md)
                return NULL;
        md->report.out = out;
        md->records = records;
        return md;
}

/* A cell ends at a bar, whatever stands around it, so only the letters of names are let into one. */
static void put_cell(FILE *out, const char *text)
{
        char *plain = plain_text(text, WORD_LIMIT, ONE_LINE);
        fputc('`', out);
        for (const char *p = plain; p && *p; p++)
                fputc(isalnum((unsigned char)*p) || strchr("_-.+:/", *p) ? *p : '?', out);
        fputs(!plain || !*plain ? "?`" : "`", out);
        free(plain);
}

/* ---- the head ---- */

static void put_heading(FILE *out, const struct judged_record *judged)
{
        const struct judgement *j = judged->main;
        size_t bad = diverging(j->by_verdict);
        size_t errors = j->by_verdict[VERDICT_ERROR];
        fputs("### ", out);
        if (judged->label) {
                put_markdown_code(out, judged->label, WORD_LIMIT);
                fputs(": ", out);
        } else {
                fputs("shmcheck: ", out);
        }
        if (bad)
                fprintf(out, "%zu of %zu cases diverge", bad, judgement_tried(j));
        else
                fprintf(out, "none of %zu cases diverges", judgement_tried(j));
        if (errors)
                fprintf(out, ", %zu could not be tried", errors);
        fputs(judged->cut ? ", and the record is not whole\n\n" : "\n\n", out);
}

static bool put_head(struct markdown *md, const struct judged_record *judged, const char *platform)
{
        struct piece p;
        char *score = describe_score(judged);
        if (!begin_piece(&md->report, &p)) {
                free(score);
                return false;
        }
        put_heading(p.stream, judged);
        fputs("**", p.stream);
        put_markdown(p.stream, score ? score : "?", WORD_LIMIT);
        fputs("** on ", p.stream);
        put_markdown_code(p.stream, platform, SENTENCE_LIMIT);
        fputs("\n\n", p.stream);
        if (judged->cut) {
                put_markdown_code(p.stream, judged->cut, SENTENCE_LIMIT);
                fputs("\n\n", p.stream);
        }
        free(score);
        return put_piece(&md->report, &p, md->bound);
}

/* ---- the table ---- */

static void put_row(FILE *out, const size_t *count, bool errors)
{
        const size_t columns[] = {count[VERDICT_PASS], diverging(count), count[VERDICT_KNOWN], count[VERDICT_SKIP],
                                  count[VERDICT_ERROR]};
        for (size_t i = 0; i < (errors ? 5U : 4U); i++) {
                if (columns[i])
                        fprintf(out, " %zu |", columns[i]);
                else
                        fputs(" - |", out);
        }
        fputc('\n', out);
}

static void put_table_head(FILE *out, const struct judgement *j, bool errors)
{
        fprintf(out, "| topic | pass | fail | known | skip |%s\n|:--|--:|--:|--:|--:|%s\n| all |",
                errors ? " error |" : "", errors ? "--:|" : "");
        put_row(out, j->by_verdict, errors);
}

static void put_table(struct markdown *md, const struct judged_record *judged)
{
        /* Half of the room is for what diverges. */
        size_t bound = md->report.used + (md->bound - md->report.used) / 2;
        bool errors = judged->main->by_verdict[VERDICT_ERROR] != 0;
        struct piece p;
        size_t end = 0;
        if (!begin_piece(&md->report, &p))
                return;
        put_table_head(p.stream, judged->main, errors);
        bool fits = put_piece(&md->report, &p, bound);
        for (size_t first = 0; first < judged->main->case_count; first = end) {
                size_t count[VERDICTS];
                end = topic_end(judged, first);
                count_verdicts(judged, first, end, count);
                if (!fits || !begin_piece(&md->report, &p)) {
                        md->omitted[TOPICS]++;
                        continue;
                }
                fputs("| ", p.stream);
                put_cell(p.stream, topic_at(judged, first));
                fputs(" |", p.stream);
                put_row(p.stream, count, errors);
                fits = put_piece(&md->report, &p, bound);
                md->omitted[TOPICS] += !fits;
        }
        fputc('\n', md->report.out);
        md->report.used++;
}

/* ---- what is folded ---- */

static void put_folded_case(struct markdown *md, const struct judged_case *c, const char *platform, size_t same)
{
        struct piece p;
        enum omission kind = c->verdict == VERDICT_ERROR ? ERRORS : DIVERGENCES;
        char *text = describe_case(c, platform);
        if (!begin_piece(&md->report, &p)) {
                free(text);
                return;
        }
        fprintf(p.stream, "<details><summary><b>%s</b> <code>", verdict_name(c->verdict));
        put_markdown_html(p.stream, c->of->id, WORD_LIMIT);
        fputs("</code> ", p.stream);
        put_markdown_html(p.stream, member_text(shown_result(c), "sentence"), SENTENCE_LIMIT);
        if (same > 1)
                fprintf(p.stream, ", and %zu more for the same reason", same - 1);
        fputs("</summary>\n\n", p.stream);
        put_markdown_fenced(p.stream, text ? text : "?", TEXT_LIMIT);
        fputs("\n</details>\n\n", p.stream);
        free(text);
        md->omitted[kind] += put_piece(&md->report, &p, md->bound) ? 0 : same;
}

/* A list of lines under the summary, the lines being those that print makes. */
static void put_folded_list(struct markdown *md, const struct judged_record *judged, size_t count, const char *what,
                            void (*print)(FILE *out, const struct judged_record *judged))
{
        struct piece lines;
        struct piece p;
        if (count == 0 || !begin_piece(&md->report, &lines))
                return;
        print(lines.stream, judged);
        fclose(lines.stream);
        if (lines.bytes && lines.size > 0)
                lines.bytes[lines.size - 1] = '\0';
        if (begin_piece(&md->report, &p)) {
                fprintf(p.stream, "<details><summary>%zu %s</summary>\n\n", count, what);
                put_markdown_fenced(p.stream, lines.bytes ? lines.bytes : "", LIST_LIMIT);
                fputs("\n</details>\n\n", p.stream);
                md->omitted[LISTS] += !put_piece(&md->report, &p, md->bound);
        }
        free(lines.bytes);
}

static void print_known(FILE *out, const struct judged_record *judged)
{
        for (size_t i = 0; i < judged->main->case_count; i++) {
                const struct judged_case *c = &judged->main->cases[i];
                char *line = NULL;
                char *why = c->verdict == VERDICT_KNOWN ? describe_verdict(c) : NULL;
                if (why && asprintf(&line, "%s: %s", c->of->id, why) > 0) {
                        print_wrapped(out, (struct terminal_style){.color = false}, 0, line);
                        free(line);
                }
                free(why);
        }
}

static void print_skipped(FILE *out, const struct judged_record *judged)
{
        print_skips(out, (struct terminal_style){.color = false}, judged);
}

static void put_folded(struct markdown *md, const struct judged_record *judged, const char *platform)
{
        const struct judgement *j = judged->main;
        size_t *same = count_reasons(judged);
        md->report.failed |= !same;
        for (size_t i = 0; i < j->case_count; i++) {
                if (verdict_diverges(j->cases[i].verdict))
                        put_folded_case(md, &j->cases[i], platform, 1);
        }
        for (size_t i = 0; same && i < j->case_count; i++) {
                if (j->cases[i].verdict == VERDICT_ERROR && same[i])
                        put_folded_case(md, &j->cases[i], platform, same[i]);
        }
        put_folded_list(md, judged, j->by_verdict[VERDICT_KNOWN], "known", print_known);
        put_folded_list(md, judged, j->by_verdict[VERDICT_SKIP], "skipped", print_skipped);
        free(same);
}

/* ---- the report ---- */

static void add_markdown(void *state, const struct judged_record *judged)
{
        struct markdown *md = state;
        char *platform = describe_platform(judged->record);
        size_t left = REPORT_LIMIT - LAST_LINE - md->report.used;
        /* What a record does not use is left to those behind it. */
        md->bound = md->report.used + left / (md->records - md->done);
        md->done++;
        if (put_head(md, judged, platform ? platform : "?")) {
                put_table(md, judged);
                put_folded(md, judged, platform ? platform : "?");
        } else {
                md->omitted[RECORDS]++;
        }
        free(platform);
}

static void put_omissions(struct markdown *md)
{
        static const char *const words[OMISSIONS] = {"topics of tables", "divergences", "errors", "lists", "records"};
        const char *before = "Left out for want of room: ";
        for (int i = 0; i < OMISSIONS; i++) {
                if (md->omitted[i] == 0)
                        continue;
                fprintf(md->report.out, "%s%zu %s", before, md->omitted[i], words[i]);
                before = ", ";
        }
        if (*before == ',')
                fputs(". The JSON report has all of it.\n", md->report.out);
}

static bool end_markdown(void *state)
{
        struct markdown *md = state;
        put_omissions(md);
        bool good = !md->report.failed;
        free(md);
        return good;
}

const struct report_format markdown_format = {"markdown", begin_markdown, add_markdown, end_markdown};
