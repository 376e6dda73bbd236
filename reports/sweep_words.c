#include "sweep_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trace_text.h"

/* ---- words for a shell ---- */

static bool is_plain(const char *word)
{
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:=,+@%^-";
        return *word && word[strspn(word, plain)] == '\0';
}

static void write_word(FILE *out, const char *word)
{
        if (is_plain(word)) {
                fputs(word, out);
                return;
        }
        fputc('\'', out);
        for (; *word; word++) {
                if (*word == '\'')
                        fputs("'\\''", out);
                else
                        fputc(*word, out);
        }
        fputc('\'', out);
}

static void write_words(FILE *out, char *const *words)
{
        for (size_t i = 0; words[i]; i++) {
                fputs(i ? " " : "", out);
                write_word(out, words[i]);
        }
}

char *sweep_command(const struct sweep *s)
{
        char *text = NULL;
        size_t length = 0;
        FILE *out = open_memstream(&text, &length);
        if (!out)
                return NULL;
        write_words(out, s->program->words);
        return fclose(out) == 0 ? text : NULL;
}

static void write_rules(FILE *out, const struct sweep *s, const struct sweep_finding *f)
{
        for (unsigned i = 0; i < f->shown_count; i++) {
                fputs(" --inject ", out);
                write_word(out, f->shown[i].rule);
        }
        fprintf(out, "%s -- ", s->program->library ? "" : " --via kernel");
        write_words(out, s->program->words);
}

/* The killed run and the one after it, which are to meet in one namespace. */
static void write_two_runs(FILE *out, const struct sweep *s, const struct sweep_finding *f)
{
        char *text = NULL;
        size_t length = 0;
        FILE *both = open_memstream(&text, &length);
        if (!both)
                return;
        fputs("shmcheck inject --host", both);
        write_rules(both, s, f);
        fputs("; ", both);
        write_words(both, s->program->words);
        if (fclose(both) == 0) {
                fprintf(out, "unshare %s sh -c ", geteuid() == 0 ? "--ipc" : "--ipc --map-current-user");
                write_word(out, text);
        }
        free(text);
}

char *sweep_reproduce(const struct sweep *s, const struct sweep_finding *f)
{
        char *text = NULL;
        size_t length = 0;
        FILE *out = open_memstream(&text, &length);
        if (!out)
                return NULL;
        if (f->outcome == SWEEP_UNRECOVERED) {
                write_two_runs(out, s, f);
        } else {
                /* What is left behind is told by trace alone. */
                fputs(f->outcome == SWEEP_LEAKED ? "shmcheck trace --leaks=error" : "shmcheck inject", out);
                write_rules(out, s, f);
        }
        return fclose(out) == 0 ? text : NULL;
}

/* ---- places and ends ---- */

const struct sweep_try *sweep_shown_try(const struct sweep *s, const struct sweep_finding *f)
{
        for (size_t i = 0; i < f->try_count; i++) {
                const struct sweep_try *t = &s->tries[f->tries[i]];
                if (t->fault_count == f->shown_count && t->faults[0].error == f->shown[0].error &&
                    t->faults[0].ordinal == f->shown[0].ordinal)
                        return t;
        }
        return &s->tries[f->tries[0]];
}

void sweep_site_text(const struct sweep *s, size_t site, char *text, size_t size)
{
        char call[64];
        char place[600];
        char number[16] = "";
        if (site >= s->sites.count) {
                snprintf(text, size, "a call that was not seen");
                return;
        }
        const struct sweep_site *of = &s->sites.items[site];
        sweep_site_call_text(of, call, sizeof(call));
        trace_place_text(&of->place, place, sizeof(place));
        /* As in its key: without a line nothing else tells two places of one function apart. */
        if (of->ordinal > 1 && !of->place.line)
                snprintf(number, sizeof(number), " ~%u", of->ordinal);
        if (of->place.module[0])
                snprintf(text, size, "%s in %s%s", call, place, number);
        else
                snprintf(text, size, "%s", call);
}

void sweep_end_text(const struct sweep_try *t, char *text, size_t size)
{
        const char *name = WIFSIGNALED(t->status) ? fault_signal_name(WTERMSIG(t->status)) : NULL;
        if (t->timed_out)
                snprintf(text, size, "not ended after %.1f s", (double)t->time / 1e9);
        else if (name)
                snprintf(text, size, "killed by %s", name);
        else if (WIFSIGNALED(t->status))
                snprintf(text, size, "killed by signal %d", WTERMSIG(t->status));
        else
                snprintf(text, size, "exit status %d", WEXITSTATUS(t->status));
}

void sweep_left_text(const struct sweep *s, const struct sweep_left *left, char *text, size_t size)
{
        char key[32] = "IPC_PRIVATE";
        char site[700] = "a call that was not seen";
        if (left->segment.key)
                snprintf(key, sizeof(key), "0x%08" PRIx32, left->segment.key);
        sweep_site_text(s, left->site, site, sizeof(site));
        snprintf(text, size, "key %s, %" PRIu64 " byte%s, made by %s", key, left->segment.size,
                 left->segment.size == 1 ? "" : "s", site);
}

static void write_faults(const struct sweep_try *t, char *text, size_t size)
{
        char last[128];
        char first[128];
        sweep_fault_text(&t->faults[t->fault_count - 1], last, sizeof(last));
        if (t->fault_count == 1) {
                snprintf(text, size, "%s", last);
                return;
        }
        sweep_fault_text(&t->faults[0], first, sizeof(first));
        snprintf(text, size, "%s after %s", last, first);
}

/* Whether the list, with ", " between its words, has the word. */
static bool has_word(const char *list, const char *word)
{
        size_t length = strlen(word);
        for (const char *at = list; (at = strstr(at, word)) != NULL; at += length) {
                bool begins = at == list || (at >= list + 2 && strncmp(at - 2, ", ", 2) == 0);
                if (begins && (at[length] == '\0' || at[length] == ','))
                        return true;
        }
        return false;
}

void sweep_others_text(const struct sweep *s, const struct sweep_finding *f, char *text, size_t size)
{
        char shown[300];
        struct sweep_try as_shown = *sweep_shown_try(s, f);
        write_faults(&as_shown, shown, sizeof(shown));
        size_t pairs = 0;
        *text = '\0';
        for (size_t i = 0; i < f->try_count; i++) {
                const struct sweep_try *t = &s->tries[f->tries[i]];
                char fault[300];
                size_t length = strlen(text);
                if (t->fault_count > f->shown_count) {
                        pairs++;
                        continue;
                }
                write_faults(t, fault, sizeof(fault));
                if (strcmp(fault, shown) != 0 && !has_word(text, fault) && length + strlen(fault) + 3 < size)
                        snprintf(text + length, size - length, "%s%s", length ? ", " : "", fault);
        }
        size_t length = strlen(text);
        if (pairs)
                snprintf(text + length, size - length, "%s%zu pair%s of faults", length ? ", " : "", pairs,
                         pairs == 1 ? "" : "s");
}

bool sweep_finding_counts(const struct sweep_finding *f)
{
        return f->confirmed && !f->known;
}

/* ---- notes ---- */

static void tell_likeness(const struct sweep *s, void (*tell)(const char *note, void *arg), void *arg)
{
        static const char *const streams[] = {"standard output", "standard error"};
        static const char *const how[] = {
                "", "in words with digits in them, as pids and times: such words are not compared",
                "in its numbers and the order of its lines: neither is compared",
                "from run to run: it is not compared, and only a line that reads like a message is looked for"};
        for (int i = 0; i < 2; i++) {
                char note[256];
                enum sweep_likeness likeness = s->normal.likeness[i];
                snprintf(note, sizeof(note), "its %s differs %s", streams[i], how[likeness]);
                if (likeness != SWEEP_LIKE_EXACTLY)
                        tell(note, arg);
        }
}

static void tell_surroundings(const struct sweep *s, void (*tell)(const char *note, void *arg), void *arg)
{
        const struct sweep_observation *o = &s->normal.first;
        char note[1024];
        if (s->reads_input)
                tell("it reads standard input, which is empty here; a file can be given it with <FILE", arg);
        if (s->server.directory[0]) {
                snprintf(note, sizeof(note), "before its first call it changes its directory to %s",
                         s->server.directory);
                tell(note, arg);
        }
        if (o->orphan_count) {
                snprintf(note, sizeof(note), "it leaves %zu process%s running (%s): these are killed after each run",
                         o->orphan_count, o->orphan_count == 1 ? "" : "es", o->orphan);
                tell(note, arg);
        }
        if (o->unreachable) {
                snprintf(note, sizeof(note), "%u program%s it starts could not be reached, as %s; --via kernel does",
                         o->unreachable, o->unreachable == 1 ? " that" : "s that", o->unreachable_path);
                tell(note, arg);
        }
        if (s->server.why_not[0]) {
                snprintf(note, sizeof(note), "each run is started anew, and not forked before its first call: %s",
                         s->server.why_not);
                tell(note, arg);
        }
        if (s->side_by_side_differs) {
                snprintf(note, sizeof(note), "runs side by side disturb each other (%s): they are made one at a time",
                         s->side_by_side);
                tell(note, arg);
        }
}

void sweep_tell_notes(const struct sweep *s, void (*tell)(const char *note, void *arg), void *arg)
{
        char note[1024];
        tell_likeness(s, tell, arg);
        if (!s->normal.steady_calls)
                tell("its calls are not the same in each run: a fault can be met by another call than planned, or by "
                     "none",
                     arg);
        tell_surroundings(s, tell, arg);
        if (s->kills_skipped)
                tell("--kill is left out: without any fault a second run in the same IPC namespace fails", arg);
        if (s->left_out) {
                snprintf(note, sizeof(note), "%zu calls are not tried, as --per-site %zu asks", s->left_out,
                         s->wishes.per_site);
                tell(note, arg);
        }
        if (s->wishes.pairs) {
                snprintf(note, sizeof(note), "pairs of faults: %zu of %zu possible ones (--pairs %zu)", s->pairs_tried,
                         s->pairs_possible, s->wishes.pairs);
                tell(note, arg);
        }
        if (s->changed) {
                snprintf(
                        note, sizeof(note),
                        "without a fault it is not what it was before (%s): it keeps something elsewhere, and what was "
                        "found may come from that",
                        s->changed_how);
                tell(note, arg);
        }
}
