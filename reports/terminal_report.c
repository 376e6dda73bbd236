#include "terminal_report.h"

#include <stdlib.h>
#include <string.h>
#include <unilbrk.h>
#include <unistr.h>
#include <uniwidth.h>

#define STEPS_BEFORE 6
#define ERRORS_SHOWN 6

enum ink { PLAIN, BOLD, DIM, RED, GREEN, YELLOW };

static void ink(FILE *out, struct terminal_style style, enum ink i)
{
        static const char *const escapes[] = {"\033[0m", "\033[1m", "\033[2m", "\033[1;31m", "\033[32m", "\033[33m"};
        if (style.color)
                fputs(escapes[i], out);
}

/* What a record says may come from anywhere: no control character of it reaches the terminal. */
static char *made_harmless(const char *text)
{
        char *copy = strdup(text);
        for (char *p = copy; p && *p; p++) {
                unsigned char c = (unsigned char)*p;
                if (c < 0x20 || c == 0x7f)
                        *p = '?';
                /* U+0080 to U+009F: the terminal controls of 8 bits. */
                if (c == 0xc2 && (unsigned char)p[1] >= 0x80 && (unsigned char)p[1] < 0xa0)
                        p[0] = p[1] = '?';
        }
        return copy;
}

void print_wrapped(FILE *out, struct terminal_style style, int indent, const char *text)
{
        char *s = made_harmless(text);
        if (!s)
                return;
        size_t length = strlen(s);
        char *breaks = malloc(length + 1);
        if (breaks && style.width > indent + 10)
                ulc_width_linebreaks(s, length, style.width, indent, 0, NULL, "UTF-8", breaks);
        else if (breaks)
                memset(breaks, UC_BREAK_UNDEFINED, length);
        for (size_t i = 0; breaks && i < length; i++) {
                if (breaks[i] == UC_BREAK_POSSIBLE)
                        fprintf(out, "\n%*s", indent, "");
                fputc(s[i], out);
        }
        fputc('\n', out);
        free(breaks);
        free(s);
}

static const char *text_of(const json_t *object, const char *member)
{
        const char *text = json_string_value(json_object_get(object, member));
        return text ? text : "";
}

/* A stream into memory; NULL when memory is short. */
struct memory_text {
        char *bytes;
        size_t size;
        FILE *stream;
};

static bool text_begin(struct memory_text *t)
{
        t->bytes = NULL;
        t->size = 0;
        t->stream = open_memstream(&t->bytes, &t->size);
        return t->stream != NULL;
}

static char *text_end(struct memory_text *t)
{
        fclose(t->stream);
        return t->bytes;
}

static void print_call(FILE *out, const json_t *step)
{
        const char *text = text_of(step, "text");
        if (*text) {
                fputs(text, out);
                return;
        }
        fprintf(out, "%s%s(", *text_of(step, "via") ? "syscall " : "", text_of(step, "call"));
        size_t i = 0;
        json_t *argument = NULL;
        json_array_foreach(json_object_get(step, "args"), i, argument)
                fprintf(out, "%s%s", i ? ", " : "", json_string_value(argument) ? json_string_value(argument) : "?");
        fputc(')', out);
}

char *describe_step(const json_t *step)
{
        struct memory_text t;
        if (!text_begin(&t))
                return NULL;
        print_call(t.stream, step);
        fprintf(t.stream, " = %s", text_of(step, "ret"));
        const char *error = text_of(step, "errno");
        if (*error)
                fprintf(t.stream, " %s", error);
        return text_end(&t);
}

char *describe_platform(const struct record *record)
{
        struct memory_text t;
        if (!text_begin(&t))
                return NULL;
        const json_t *platform = json_object_get(record->start, "platform");
        const json_t *isolation = json_object_get(record->start, "isolation");
        if (!platform) {
                fputs("a platform that the record does not tell", t.stream);
                return text_end(&t);
        }
        const char *preload = text_of(platform, "preload");
        if (*preload)
                fprintf(t.stream, "preload:%s on ", strrchr(preload, '/') ? strrchr(preload, '/') + 1 : preload);
        fprintf(t.stream, "%s %s %s, %s, %lld-bit, uid %lld, isolation %s", text_of(platform, "sysname"),
                text_of(platform, "release"), text_of(platform, "machine"), text_of(platform, "libc"),
                (long long)json_integer_value(json_object_get(platform, "pointer_bits")),
                (long long)json_integer_value(json_object_get(platform, "uid")), text_of(isolation, "mode"));
        return text_end(&t);
}

static char *describe_allowed(const json_t *allowed)
{
        struct memory_text t;
        if (!text_begin(&t))
                return NULL;
        size_t i = 0;
        json_t *result = NULL;
        json_array_foreach(allowed, i, result)
                fprintf(t.stream, "%s%s", i ? " or " : "", json_string_value(result) ? json_string_value(result) : "?");
        return text_end(&t);
}

static const json_t *step_number(const json_t *result, json_int_t n)
{
        size_t i = 0;
        json_t *step = NULL;
        json_array_foreach(json_object_get(result, "steps"), i, step)
        {
                if (json_integer_value(json_object_get(step, "n")) == n)
                        return step;
        }
        return NULL;
}

static void print_divergence(FILE *out, struct terminal_style style, const json_t *result, const struct divergence *d)
{
        struct memory_text t;
        if (!text_begin(&t))
                return;
        const json_t *step = step_number(result, json_integer_value(json_object_get(d->observation, "step")));
        const char *seen = text_of(d->observation, "seen");
        char *allowed = describe_allowed(d->allowed);
        if (step) {
                print_call(t.stream, step);
                if (strcmp(seen, "success") == 0)
                        seen = text_of(step, "ret");
        } else {
                fputs(text_of(d->observation, "what"), t.stream);
        }
        fprintf(t.stream, "   expected %s   got %s", allowed ? allowed : "?", *seen ? seen : "nothing");
        const char *by = text_of(d->observation, "by");
        if (*by && strcmp(by, "case") != 0)
                fprintf(t.stream, "   (%s)", by);
        char *line = text_end(&t);
        ink(out, style, BOLD);
        fputs("     ", out);
        print_wrapped(out, style, 9, line);
        ink(out, style, PLAIN);
        free(line);
        free(allowed);
}

/* The steps that led to the first divergence: all that came before it, at most STEPS_BEFORE. */
static void print_story(FILE *out, struct terminal_style style, const json_t *result, json_int_t until)
{
        const json_t *steps = json_object_get(result, "steps");
        size_t count = json_array_size(steps);
        size_t end = 0;
        while (end < count &&
               (until == 0 || json_integer_value(json_object_get(json_array_get(steps, end), "n")) < until))
                end++;
        size_t first = end > STEPS_BEFORE ? end - STEPS_BEFORE : 0;
        const char *head = "before it: ";
        for (size_t i = first; i < end; i++) {
                const json_t *step = json_array_get(steps, i);
                char *line = describe_step(step);
                const char *by = text_of(step, "by");
                bool other = *by && strcmp(by, "case") != 0;
                char *whole = NULL;
                if (asprintf(&whole, "%s%s%s%s%s", head, line ? line : "", other ? "   (" : "", other ? by : "",
                             other ? ")" : "") > 0) {
                        fputs("     ", out);
                        print_wrapped(out, style, 16, whole);
                        free(whole);
                }
                free(line);
                head = "           ";
        }
}

static void print_head(FILE *out, struct terminal_style style, const char *verdict, enum ink color,
                       const struct judged_case *c)
{
        const json_t *result = c->of->results[c->shown];
        char *line = NULL;
        fputc('\n', out);
        ink(out, style, color);
        fputs(verdict, out);
        ink(out, style, PLAIN);
        fputc(' ', out);
        ink(out, style, BOLD);
        fputs(c->of->id, out);
        ink(out, style, PLAIN);
        fputs("\n     ", out);
        print_wrapped(out, style, 5, text_of(result, "sentence"));
        if (asprintf(&line, "%s · %s · %s:%lld", text_of(result, "clause"), text_of(result, "level"),
                     text_of(result, "file"), (long long)json_integer_value(json_object_get(result, "line"))) > 0) {
                fputs("     ", out);
                ink(out, style, DIM);
                print_wrapped(out, style, 5, line);
                ink(out, style, PLAIN);
                free(line);
        }
}

static void print_rounds(FILE *out, const struct judged_case *c)
{
        fputs("     rounds:", out);
        for (enum verdict v = VERDICT_PASS; v < VERDICTS; v++) {
                if (c->by_verdict[v])
                        fprintf(out, " %zu %s", c->by_verdict[v], verdict_name(v));
        }
        fputc('\n', out);
}

static void print_notes(FILE *out, struct terminal_style style, const json_t *result)
{
        static const struct {
                const char *member, *head;
        } notes[] = {{"note", "note: "}, {"differs", "known to differ: "}};
        for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
                const char *text = text_of(result, notes[i].member);
                char *line = NULL;
                if (*text && asprintf(&line, "%s%s", notes[i].head, text) > 0) {
                        fputs("     ", out);
                        print_wrapped(out, style, 11, line);
                        free(line);
                }
        }
}

static void print_diverging_case(FILE *out, struct terminal_style style, const struct judged_case *c,
                                 const char *platform)
{
        static const char *const heads[VERDICTS] = {[VERDICT_FAIL] = "FAIL",
                                                    [VERDICT_CRASH] = "CRASH",
                                                    [VERDICT_HANG] = "HANG",
                                                    [VERDICT_FLAKY] = "FLAKY",
                                                    [VERDICT_FIXED] = "FIXED"};
        const json_t *result = c->of->results[c->shown];
        print_head(out, style, heads[c->verdict], RED, c);
        if (c->verdict == VERDICT_FLAKY)
                print_rounds(out, c);
        if (c->verdict == VERDICT_FIXED)
                fputs("     the baseline says that it diverges, and it no longer does: take it out there\n", out);
        if (*c->reason) {
                fputs("     ", out);
                print_wrapped(out, style, 5, c->reason);
        }
        for (size_t i = 0; i < c->divergence_count; i++)
                print_divergence(out, style, result, &c->divergences[i]);
        json_int_t until =
                c->divergence_count ? json_integer_value(json_object_get(c->divergences[0].observation, "step")) : 0;
        if (c->verdict != VERDICT_FIXED)
                print_story(out, style, result, until);
        print_notes(out, style, result);
        fputs("     here: ", out);
        print_wrapped(out, style, 11, platform);
}

/* A set-up that fails for one reason in many cases is one thing to tell, not many. */
static void print_errors(FILE *out, struct terminal_style style, const struct judgement *j)
{
        size_t errors = j->by_verdict[VERDICT_ERROR];
        if (errors == 0)
                return;
        bool *told = calloc(j->case_count + 1, sizeof(told[0]));
        size_t shown = 0;
        for (size_t i = 0; told && i < j->case_count; i++) {
                const struct judged_case *c = &j->cases[i];
                if (c->verdict != VERDICT_ERROR || told[i])
                        continue;
                size_t same = 0;
                for (size_t k = i; k < j->case_count; k++) {
                        if (j->cases[k].verdict == VERDICT_ERROR && strcmp(j->cases[k].reason, c->reason) == 0) {
                                told[k] = true;
                                same++;
                        }
                }
                if (++shown > ERRORS_SHOWN)
                        continue;
                const json_t *result = c->of->results[c->shown];
                print_head(out, style, "ERROR", YELLOW, c);
                bool setup = strcmp(text_of(result, "status"), "setup") == 0;
                char *line = NULL;
                if (asprintf(&line, "%s%s", setup ? "the set-up failed: " : "", c->reason) > 0) {
                        fputs("     ", out);
                        print_wrapped(out, style, 5, line);
                        free(line);
                }
                if (same > 1)
                        fprintf(out, "     and %zu more cases for the same reason\n", same - 1);
                print_story(out, style, result, 0);
        }
        if (shown > ERRORS_SHOWN)
                fprintf(out, "\n... and errors for %zu more reasons; --json has them all\n", shown - ERRORS_SHOWN);
        free(told);
}

struct topic_row {
        const char *topic;
        size_t count[VERDICTS];
};

static void print_count(FILE *out, struct terminal_style style, size_t n, enum ink color)
{
        if (n) {
                ink(out, style, color);
                fprintf(out, "%8zu", n);
                ink(out, style, PLAIN);
        } else {
                fprintf(out, "%8s", "-");
        }
}

static void print_row(FILE *out, struct terminal_style style, const char *name, const size_t *count, bool errors)
{
        size_t failed = count[VERDICT_FAIL] + count[VERDICT_CRASH] + count[VERDICT_HANG] + count[VERDICT_FLAKY] +
                        count[VERDICT_FIXED];
        fprintf(out, "%-22s", name);
        print_count(out, style, count[VERDICT_PASS], GREEN);
        print_count(out, style, failed, RED);
        print_count(out, style, count[VERDICT_KNOWN], YELLOW);
        print_count(out, style, count[VERDICT_SKIP], YELLOW);
        if (errors)
                print_count(out, style, count[VERDICT_ERROR], YELLOW);
        fputc('\n', out);
}

static void print_table(FILE *out, struct terminal_style style, const struct judgement *j)
{
        struct topic_row *rows = calloc(j->case_count + 1, sizeof(rows[0]));
        size_t count = 0;
        for (size_t i = 0; rows && i < j->case_count; i++) {
                const char *topic = text_of(j->cases[i].of->results[0], "topic");
                /* The cases come sorted by file, so a topic's cases stand together. */
                if (count == 0 || strcmp(rows[count - 1].topic, topic) != 0)
                        rows[count++].topic = topic;
                rows[count - 1].count[j->cases[i].verdict]++;
        }
        bool errors = j->by_verdict[VERDICT_ERROR] != 0;
        fputc('\n', out);
        ink(out, style, BOLD);
        fprintf(out, "%-22s%8s%8s%8s%8s%s\n", "topic", "pass", "fail", "known", "skip", errors ? "   error" : "");
        ink(out, style, PLAIN);
        for (size_t i = 0; i < count; i++) {
                char *name = made_harmless(rows[i].topic);
                print_row(out, style, name ? name : "?", rows[i].count, errors);
                free(name);
        }
        free(rows);
}

/* Each need that is missing once, with the number of cases that it takes away. */
static void print_missing_needs(FILE *out, struct terminal_style style, const struct record *record,
                                const struct judgement *j)
{
        const char *need = NULL;
        json_t *why = NULL;
        json_object_foreach(json_object_get(record->start, "missing"), need, why)
        {
                size_t count = 0;
                for (size_t i = 0; i < j->case_count; i++) {
                        size_t k = 0;
                        json_t *needed = NULL;
                        if (j->cases[i].verdict != VERDICT_SKIP)
                                continue;
                        json_array_foreach(json_object_get(j->cases[i].of->results[0], "needs"), k, needed) count +=
                                json_is_string(needed) && strcmp(json_string_value(needed), need) == 0;
                }
                char *line = NULL;
                if (count && asprintf(&line, "skipped for want of %s: %zu (%s)", need, count,
                                      json_string_value(why) ? json_string_value(why) : "") > 0) {
                        print_wrapped(out, style, 2, line);
                        free(line);
                }
        }
}

/* Cases that found out for themselves that they cannot be tried here: each reason once. */
static void print_other_skips(FILE *out, struct terminal_style style, const struct judgement *j)
{
        bool *told = calloc(j->case_count + 1, sizeof(told[0]));
        for (size_t i = 0; told && i < j->case_count; i++) {
                const char *reason = j->cases[i].reason;
                if (j->cases[i].verdict != VERDICT_SKIP || told[i] || strncmp(reason, "needs ", 6) == 0)
                        continue;
                size_t same = 0;
                for (size_t k = i; k < j->case_count; k++) {
                        if (j->cases[k].verdict == VERDICT_SKIP && strcmp(j->cases[k].reason, reason) == 0) {
                                told[k] = true;
                                same++;
                        }
                }
                char *line = NULL;
                if (asprintf(&line, "skipped: %zu (%s)", same, reason) > 0) {
                        print_wrapped(out, style, 2, line);
                        free(line);
                }
        }
        free(told);
}

static void print_closing(FILE *out, struct terminal_style style, const struct record *record,
                          const struct judgement *main, const struct judgement *const *others, size_t other_count,
                          const char *platform)
{
        struct memory_text t;
        if (!text_begin(&t))
                return;
        bool clean = judgement_exit_status(main, record) == 0;
        for (size_t i = 0; i < other_count; i++)
                fprintf(t.stream, "%s %zu/%zu, ", others[i]->profile->title, judgement_passed(others[i]),
                        judgement_tried(others[i]));
        fprintf(t.stream, "%s %zu/%zu", main->profile->title, judgement_passed(main), judgement_tried(main));
        if (main->by_verdict[VERDICT_KNOWN])
                fprintf(t.stream, ", %zu known", main->by_verdict[VERDICT_KNOWN]);
        if (main->by_verdict[VERDICT_SKIP])
                fprintf(t.stream, ", %zu skipped", main->by_verdict[VERDICT_SKIP]);
        if (main->by_verdict[VERDICT_RECORD])
                fprintf(t.stream, ", %zu recorded only", main->by_verdict[VERDICT_RECORD]);
        fprintf(t.stream, " · %s", platform);
        char *line = text_end(&t);
        fputc('\n', out);
        ink(out, style, clean ? GREEN : RED);
        print_wrapped(out, style, 0, line);
        ink(out, style, PLAIN);
        free(line);
}

void terminal_report(FILE *out, struct terminal_style style, const struct record *record, const struct judgement *main,
                     const struct judgement *const *others, size_t other_count)
{
        char *platform = describe_platform(record);
        for (size_t i = 0; i < main->case_count; i++) {
                if (verdict_diverges(main->cases[i].verdict))
                        print_diverging_case(out, style, &main->cases[i], platform ? platform : "");
        }
        print_errors(out, style, main);
        print_table(out, style, main);
        print_missing_needs(out, style, record, main);
        print_other_skips(out, style, main);
        print_closing(out, style, record, main, others, other_count, platform ? platform : "");
        free(platform);
}
