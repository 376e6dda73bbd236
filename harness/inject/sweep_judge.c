#include "sweep_judge.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

const char *const sweep_outcome_names[SWEEP_OUTCOMES] = {"absorbed", "reported", "recovered", "missed",     "crashed",
                                                         "hung",     "wrong",    "leaked",    "unrecovered"};

int sweep_fatal_signal(int status)
{
        static const int of_mistakes[] = {SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS};
        if (WIFSIGNALED(status))
                return WTERMSIG(status);
        for (size_t i = 0; i < sizeof(of_mistakes) / sizeof(of_mistakes[0]); i++) {
                if (WEXITSTATUS(status) == 128 + of_mistakes[i])
                        return of_mistakes[i];
        }
        return 0;
}

/* ---- lines ---- */

struct line {
        const char *text;
        size_t length;
};

/* Takes the next line off the text; false at its end. */
static bool next_line(const char **text, struct line *line)
{
        if (!*text || !**text)
                return false;
        line->text = *text;
        line->length = strcspn(*text, "\n");
        *text += line->length + ((*text)[line->length] == '\n');
        return true;
}

static int order_of_sums(const void *a, const void *b)
{
        const uint64_t *left = a;
        const uint64_t *right = b;
        return (*left > *right) - (*left < *right);
}

/* Returns how many lines the text has; their sums are stored if there is where. */
static size_t sums_of(const char *text, bool masked, uint64_t *sums)
{
        struct line line;
        size_t count = 0;
        for (; next_line(&text, &line); count++) {
                if (sums)
                        sums[count] = sweep_line_sum(line.text, line.length, masked);
        }
        return count;
}

/* Sorts the lines of both streams of both runs. */
static bool note_lines(struct sweep_normal *n, bool masked)
{
        const struct sweep_observation *const runs[] = {&n->first, &n->second};
        struct sweep_lines *lines = &n->lines[masked];
        for (int i = 0; i < 4; i++)
                lines->count += sums_of(runs[i / 2]->outputs[i % 2].text, masked, NULL);
        lines->sums = calloc(lines->count + 1, sizeof(lines->sums[0]));
        if (!lines->sums)
                return false;
        uint64_t *at = lines->sums;
        for (int i = 0; i < 4; i++)
                at += sums_of(runs[i / 2]->outputs[i % 2].text, masked, at);
        qsort(lines->sums, lines->count, sizeof(lines->sums[0]), order_of_sums);
        return true;
}

/* Whether the line is in neither stream of either run without a fault. */
static bool is_new(const struct sweep_normal *n, const struct line *line, bool masked)
{
        const struct sweep_lines *lines = &n->lines[masked];
        uint64_t sum = sweep_line_sum(line->text, line->length, masked);
        return line->length > 0 && !bsearch(&sum, lines->sums, lines->count, sizeof(sum), order_of_sums);
}

/* ---- messages ---- */

static bool has_word(const struct line *line, const char *word)
{
        size_t length = strlen(word);
        for (size_t i = 0; length > 0 && i + length <= line->length; i++) {
                if (strncasecmp(line->text + i, word, length) == 0)
                        return true;
        }
        return false;
}

/* Standard output is for results: there a message is what reads like one. */
static bool reads_like_message(const struct line *line, int error)
{
        static const char *const words[] = {"error",     "fail",     "cannot",        "can't",    "can not",
                                            "could not", "couldn't", "unable",        "warn",     "denied",
                                            "invalid",   "refused",  "not permitted", "no such",  "exception",
                                            "errno",     "abort",    "retry",         "giving up"};
        const char *name = error ? fault_error_name(error) : NULL;
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
                if (has_word(line, words[i]))
                        return true;
        }
        return error && (has_word(line, strerror(error)) || (name && has_word(line, name)));
}

static void quote(const struct line *line, char *text, size_t size)
{
        size_t length = line->length < size - 1 ? line->length : size - 1;
        memcpy(text, line->text, length);
        text[length] = '\0';
}

/* The next line that is not the inside of a traceback of Python's, which tells where first and what last. */
static bool next_telling_line(const char **text, struct line *line)
{
        static const char head[] = "Traceback (most recent call last):";
        bool inside = false;
        while (next_line(text, line)) {
                bool begins = line->length == sizeof(head) - 1 && memcmp(line->text, head, line->length) == 0;
                inside = begins || (inside && line->length > 0 && line->text[0] == ' ');
                if (!inside)
                        return true;
        }
        return false;
}

static bool find_message(const struct sweep_normal *n, const struct sweep_observation *o, int error, char *text,
                         size_t size)
{
        for (int i = 1; i >= 0; i--) {
                bool masked = n->likeness[i] != SWEEP_LIKE_EXACTLY;
                struct line line;
                for (const char *at = o->outputs[i].text; next_telling_line(&at, &line);) {
                        bool any = i == 1 && n->likeness[1] != SWEEP_UNLIKE;
                        if (!(any || reads_like_message(&line, error)) || !is_new(n, &line, masked))
                                continue;
                        quote(&line, text, size);
                        return true;
                }
        }
        return false;
}

/* ---- what is left ---- */

static size_t normally_left(const struct sweep_observation *o, size_t site)
{
        size_t count = 0;
        for (size_t i = 0; i < o->left_count; i++)
                count += o->left[i].site == site;
        return count;
}

/* What a site leaves may be left so often; what is beyond that is a leak. */
static bool find_leaks(const struct sweep_normal *n, const struct sweep_observation *o, struct sweep_verdict *v)
{
        v->leaked = calloc(o->left_count + 1, sizeof(v->leaked[0]));
        for (size_t i = 0; v->leaked && i < o->left_count; i++) {
                size_t site = o->left[i].site;
                size_t first = normally_left(&n->first, site);
                size_t second = normally_left(&n->second, site);
                size_t before = 0;
                for (size_t other = 0; other < i; other++)
                        before += o->left[other].site == site;
                if (before >= (first > second ? first : second) && !o->left[i].by_fault)
                        v->leaked[v->leaked_count++] = i;
        }
        return v->leaked != NULL;
}

/* ---- the verdict ---- */

static bool has_same_output(const struct sweep_normal *n, const struct sweep_observation *o)
{
        for (int i = 0; i < 2; i++) {
                if (sweep_output_likeness(&n->first.outputs[i], &o->outputs[i]) > n->likeness[i])
                        return false;
        }
        return true;
}

static enum sweep_outcome judge_end(const struct sweep_normal *n, const struct sweep_observation *o, int error,
                                    struct sweep_verdict *v)
{
        bool same = has_same_output(n, o);
        bool told = !same && find_message(n, o, error, v->message, sizeof(v->message));
        if (o->timed_out)
                return SWEEP_HUNG;
        if (sweep_fatal_signal(o->status))
                return SWEEP_CRASHED;
        if (o->status != n->first.status)
                return SWEEP_REPORTED;
        if (same)
                return SWEEP_ABSORBED;
        return told ? SWEEP_REPORTED : SWEEP_WRONG;
}

bool sweep_judge(const struct sweep_normal *n, const struct sweep_observation *o, int error,
                 struct sweep_verdict *verdict)
{
        memset(verdict, 0, sizeof(*verdict));
        verdict->outcome = verdict->beside = judge_end(n, o, error, verdict);
        if (!find_leaks(n, o, verdict))
                return false;
        bool is_else_fine = verdict->outcome == SWEEP_ABSORBED || verdict->outcome == SWEEP_REPORTED;
        if (verdict->leaked_count && is_else_fine)
                verdict->outcome = SWEEP_LEAKED;
        return true;
}

bool sweep_normal_compare(struct sweep_normal *n)
{
        for (int i = 0; i < 2; i++)
                n->likeness[i] = sweep_output_likeness(&n->first.outputs[i], &n->second.outputs[i]);
        n->steady_calls = n->first.kept == n->second.kept;
        for (size_t i = 0; n->steady_calls && i < n->first.kept; i++) {
                const struct sweep_call *a = &n->first.calls[i];
                const struct sweep_call *b = &n->second.calls[i];
                n->steady_calls = a->site == b->site && a->error == b->error;
        }
        return note_lines(n, false) && note_lines(n, true);
}

void sweep_normal_forget_lines(struct sweep_normal *n)
{
        for (int i = 0; i < 2; i++) {
                free(n->lines[i].sums);
                n->lines[i] = (struct sweep_lines){.sums = NULL};
        }
}

void sweep_normal_free(struct sweep_normal *n)
{
        sweep_observation_free(&n->first);
        sweep_observation_free(&n->second);
        sweep_normal_forget_lines(n);
}
