#include "sweep_text.h"

#include <stdlib.h>
#include <string.h>

#define INDENT 5
#define LEAST_PLACE_WIDTH 44
#define LINES_SHOWN 6

static void print_line(FILE *out, struct terminal_style style, const char *head, const char *text)
{
        fprintf(out, "%*s%s", INDENT, "", head);
        print_wrapped(out, style, INDENT + (int)strlen(head), text);
}

/* ---- a finding ---- */

static void print_head(FILE *out, struct terminal_style style, const struct sweep *s, const struct sweep_finding *f)
{
        static const char *const heads[SWEEP_OUTCOMES] = {[SWEEP_CRASHED] = "CRASHED",
                                                          [SWEEP_HUNG] = "HUNG",
                                                          [SWEEP_WRONG] = "WRONG",
                                                          [SWEEP_LEAKED] = "LEAKED",
                                                          [SWEEP_UNRECOVERED] = "UNRECOVERED"};
        char site[700];
        sweep_site_text(s, f->site, site, sizeof(site));
        print_ink(out, style, sweep_finding_counts(f) ? INK_RED : INK_YELLOW);
        fprintf(out, "%s", heads[f->outcome]);
        print_ink(out, style, INK_PLAIN);
        fputs(" ", out);
        print_wrapped(out, style, INDENT, site);
        if (f->known)
                print_line(out, style, "", "known: it stands in the baseline");
        if (!f->confirmed)
                print_line(out, style, "",
                           s->stopped ? "not looked at again: the sweep was ended before"
                                      : "seen once, and not again when it was tried alone: does not count");
}

static void print_faults(FILE *out, struct terminal_style style, const struct sweep *s, const struct sweep_finding *f)
{
        char others[512];
        for (unsigned i = 0; i < f->shown_count; i++) {
                char line[512];
                char fault[128];
                char site[700];
                sweep_fault_text(&f->shown[i], fault, sizeof(fault));
                snprintf(line, sizeof(line), "%s: %s", fault, f->shown[i].when);
                print_line(out, style, "", line);
                sweep_site_text(s, f->shown[i].site, site, sizeof(site));
                if (f->shown_count > 1 || f->shown[i].site != f->site)
                        print_line(out, style, "  at ", site);
        }
        sweep_others_text(s, f, others, sizeof(others));
        if (*others)
                print_line(out, style, "also with ", others);
}

static void print_left(FILE *out, struct terminal_style style, const struct sweep *s, const struct sweep_try *t)
{
        for (size_t i = 0; i < t->left_count && i < LINES_SHOWN; i++) {
                char text[1024];
                sweep_left_text(s, &t->left[i], text, sizeof(text));
                print_line(out, style, "left behind: ", text);
        }
        if (t->left_count > LINES_SHOWN)
                fprintf(out, "%*sand %zu more\n", INDENT, "", t->left_count - LINES_SHOWN);
}

/* The first lines of what it wrote; all of it would hide the rest. */
static void print_written(FILE *out, struct terminal_style style, const char *head, const char *text)
{
        char line[256];
        for (int shown = 0; text && *text && shown < LINES_SHOWN; shown++) {
                size_t length = strcspn(text, "\n");
                snprintf(line, sizeof(line), "%.*s", (int)(length < sizeof(line) ? length : sizeof(line) - 1), text);
                print_line(out, style, head, line);
                text += length + (text[length] == '\n');
        }
}

void sweep_text_output(FILE *out, struct terminal_style style, const struct sweep_observation *o)
{
        print_written(out, style, "stdout| ", o->outputs[0].text);
        print_written(out, style, "stderr| ", o->outputs[1].text);
}

static void print_run(FILE *out, struct terminal_style style, const struct sweep *s, const struct sweep_finding *f)
{
        const struct sweep_try *t = sweep_shown_try(s, f);
        char end[128];
        char line[1024];
        char site[700];
        sweep_end_text(t, end, sizeof(end));
        sweep_site_text(s, t->last_site, site, sizeof(site));
        if (f->outcome == SWEEP_UNRECOVERED)
                snprintf(line, sizeof(line), "the next run, without a fault: %s", end);
        else if (f->outcome == SWEEP_CRASHED || f->outcome == SWEEP_HUNG)
                snprintf(line, sizeof(line), "%s; its last call was %s", end, site);
        else if (t->message[0])
                snprintf(line, sizeof(line), "%s, and says: %s", end, t->message);
        else
                snprintf(line, sizeof(line), "%s, and no message", end);
        print_line(out, style, "", line);
        print_left(out, style, s, t);
        print_written(out, style, "stdout| ", t->written[0]);
        print_written(out, style, "stderr| ", t->written[1]);
}

static void print_stack(FILE *out, struct terminal_style style, const char *stack)
{
        const char *head = "in ";
        for (size_t length = 0; stack && *stack; stack += length + (stack[length] == '\n')) {
                char line[512];
                length = strcspn(stack, "\n");
                snprintf(line, sizeof(line), "%.*s", (int)(length < sizeof(line) ? length : sizeof(line) - 1), stack);
                print_line(out, style, head, line);
                head = "called by ";
        }
}

static void print_finding(FILE *out, struct terminal_style style, const struct sweep *s, const struct sweep_finding *f)
{
        char *command = sweep_reproduce(s, f);
        fputc('\n', out);
        print_head(out, style, s, f);
        print_faults(out, style, s, f);
        print_run(out, style, s, f);
        print_stack(out, style, f->stack);
        if (command) {
                char *harmless = made_harmless(command);
                /* In one piece, to be pasted. */
                fprintf(out, "%*s$ %s\n", INDENT, "", harmless ? harmless : "");
                free(harmless);
        }
        print_ink(out, style, INK_DIM);
        print_line(out, style, "key: ", f->key);
        print_ink(out, style, INK_PLAIN);
        free(command);
}

/* ---- the table ---- */

/* A row: a compiler may make several calls of the one that is written in a line. */
struct row {
        char place[700];
        size_t count[SWEEP_OUTCOMES];
        size_t all;
};

struct table {
        struct row *rows;
        size_t *row_of; /* of each site */
        size_t count;
        int width; /* of the places */
        bool columns[SWEEP_OUTCOMES];
};

static void add_site(struct table *t, const struct sweep *s, size_t site)
{
        struct row *row = &t->rows[t->count];
        size_t i = 0;
        sweep_site_text(s, site, row->place, sizeof(row->place));
        while (strcmp(t->rows[i].place, row->place) != 0)
                i++;
        t->row_of[site] = i;
        t->count += i == t->count;
        int length = (int)strlen(row->place);
        t->width = length > t->width ? length : t->width;
}

static void count_tries(struct table *t, const struct sweep *s)
{
        for (size_t i = 0; i < s->try_count; i++) {
                const struct sweep_try *tried = &s->tries[i];
                size_t site = tried->faults[tried->fault_count - 1].site;
                if (!tried->done || site >= s->sites.count)
                        continue;
                t->rows[t->row_of[site]].count[tried->outcome]++;
                t->rows[t->row_of[site]].all++;
                t->columns[tried->outcome] = true;
        }
}

static void print_row(FILE *out, const struct table *t, const struct row *row)
{
        char *harmless = made_harmless(row->place);
        fprintf(out, "%-*s", t->width, harmless ? harmless : "?");
        for (int o = 0; o < SWEEP_OUTCOMES; o++) {
                if (t->columns[o] && row->count[o])
                        fprintf(out, " %*zu", (int)strlen(sweep_outcome_names[o]), row->count[o]);
                else if (t->columns[o])
                        fprintf(out, " %*s", (int)strlen(sweep_outcome_names[o]), "-");
        }
        fputc('\n', out);
        free(harmless);
}

static void print_rows(FILE *out, struct terminal_style style, const struct table *t)
{
        fputc('\n', out);
        print_ink(out, style, INK_BOLD);
        fprintf(out, "%-*s", t->width, "fault at");
        for (int o = 0; o < SWEEP_OUTCOMES; o++) {
                if (t->columns[o])
                        fprintf(out, " %s", sweep_outcome_names[o]);
        }
        fputc('\n', out);
        print_ink(out, style, INK_PLAIN);
        for (size_t i = 0; i < t->count; i++) {
                if (t->rows[i].all)
                        print_row(out, t, &t->rows[i]);
        }
}

static void print_table(FILE *out, struct terminal_style style, const struct sweep *s)
{
        /* One more row than there can be, where the next is tried. */
        struct table t = {.rows = calloc(s->sites.count + 1, sizeof(t.rows[0])),
                          .row_of = calloc(s->sites.count + 1, sizeof(t.row_of[0])),
                          .width = LEAST_PLACE_WIDTH};
        for (size_t i = 0; t.rows && t.row_of && i < s->sites.count; i++)
                add_site(&t, s, i);
        if (t.rows && t.row_of) {
                count_tries(&t, s);
                print_rows(out, style, &t);
        }
        free(t.rows);
        free(t.row_of);
}

/* ---- all of it ---- */

struct telling {
        FILE *out;
        struct terminal_style style;
};

static void print_note(const char *note, void *arg)
{
        const struct telling *t = arg;
        fputs("  note: ", t->out);
        print_wrapped(t->out, t->style, 8, note);
}

static void print_closing(FILE *out, struct terminal_style style, const struct sweep *s)
{
        size_t known = 0;
        size_t unsure = 0;
        char line[512];
        for (size_t i = 0; i < s->finding_count; i++) {
                known += s->findings[i].known;
                unsure += !s->findings[i].confirmed && !s->findings[i].known;
        }
        size_t count = s->finding_count - known - unsure;
        int n = snprintf(line, sizeof(line), "%zu finding%s", count, count == 1 ? "" : "s");
        if (known)
                n += snprintf(line + n, sizeof(line) - (size_t)n, ", %zu more known", known);
        if (unsure)
                n += snprintf(line + n, sizeof(line) - (size_t)n, ", %zu more not seen again", unsure);
        n += snprintf(line + n, sizeof(line) - (size_t)n, "; %zu", s->done);
        if (s->done < s->try_count)
                n += snprintf(line + n, sizeof(line) - (size_t)n, " of %zu", s->try_count);
        snprintf(line + n, sizeof(line) - (size_t)n, " runs with faults, %zu side by side, in %.1f s%s", s->wishes.jobs,
                 (double)s->time / 1e9, s->stopped ? "; ended before all were made" : "");
        print_ink(out, style, count ? INK_RED : INK_GREEN);
        print_wrapped(out, style, 0, line);
        print_ink(out, style, INK_PLAIN);
}

void sweep_text(FILE *out, struct terminal_style style, const struct sweep *s)
{
        struct telling telling = {out, style};
        char *command = sweep_command(s);
        const struct sweep_observation *o = &s->normal.first;
        char line[256];
        print_wrapped(out, style, 2, command ? command : "");
        snprintf(line, sizeof(line), "without a fault: %zu call%s, %.2f s, %zu segment%s left", o->call_count,
                 o->call_count == 1 ? "" : "s", (double)o->time / 1e9, o->left_count, o->left_count == 1 ? "" : "s");
        fputs("  ", out);
        print_wrapped(out, style, 2, line);
        sweep_tell_notes(s, print_note, &telling);
        for (size_t i = 0; i < s->finding_count; i++)
                print_finding(out, style, s, &s->findings[i]);
        print_table(out, style, s);
        fputc('\n', out);
        print_closing(out, style, s);
        free(command);
}
