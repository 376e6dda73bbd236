#include "case_text.h"

#include <stdlib.h>
#include <string.h>

#define STEPS_BEFORE 6

const char *start_text(const json_t *object, const char *member)
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

static void print_call(FILE *out, const struct value *step)
{
        const char *text = member_text(step, "text");
        if (*text) {
                fputs(text, out);
                return;
        }
        fprintf(out, "%s%s(", *member_text(step, "via") ? "syscall " : "", member_text(step, "call"));
        const char *separator = "";
        VALUE_EACH(argument, value_member(step, "args"))
        {
                fprintf(out, "%s%s", separator, value_text(argument) ? value_text(argument) : "?");
                separator = ", ";
        }
        fputc(')', out);
}

static void print_result(FILE *out, const struct value *step)
{
        const char *error = member_text(step, "errno");
        fprintf(out, "%s%s%s", member_text(step, "ret"), *error ? " " : "", error);
}

static char *described(const struct value *step, void (*print)(FILE *out, const struct value *step))
{
        struct memory_text t;
        if (!text_begin(&t))
                return NULL;
        print(t.stream, step);
        return text_end(&t);
}

char *describe_call(const struct value *step)
{
        return described(step, print_call);
}

char *describe_result(const struct value *step)
{
        return described(step, print_result);
}

static void print_step(FILE *out, const struct value *step)
{
        print_call(out, step);
        fputs(" = ", out);
        print_result(out, step);
}

char *describe_step(const struct value *step)
{
        return described(step, print_step);
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
        const char *preload = start_text(platform, "preload");
        if (*preload)
                fprintf(t.stream, "preload:%s on ", strrchr(preload, '/') ? strrchr(preload, '/') + 1 : preload);
        fprintf(t.stream, "%s %s %s, %s, %lld-bit, uid %lld, isolation %s", start_text(platform, "sysname"),
                start_text(platform, "release"), start_text(platform, "machine"), start_text(platform, "libc"),
                (long long)json_integer_value(json_object_get(platform, "pointer_bits")),
                (long long)json_integer_value(json_object_get(platform, "uid")), start_text(isolation, "mode"));
        return text_end(&t);
}

void print_allowed(FILE *out, const struct value *allowed)
{
        const char *separator = "";
        VALUE_EACH(result, allowed)
        {
                fprintf(out, "%s%s", separator, value_text(result) ? value_text(result) : "?");
                separator = " or ";
        }
}

/* The step that the observation is of; NULL if it is of none. */
static const struct value *observed_step(const struct judged_case *c, const struct value *observation)
{
        long long n = member_integer(observation, "step");
        if (n == 0)
                return NULL;
        VALUE_EACH(step, shown_steps(c))
        {
                if (member_integer(step, "n") == n)
                        return step;
        }
        return NULL;
}

static void print_observed(FILE *out, const struct judged_case *c, const struct value *observation)
{
        const struct value *step = observed_step(c, observation);
        if (step)
                print_call(out, step);
        else
                fputs(member_text(observation, "what"), out);
}

char *describe_observed(const struct judged_case *c, const struct value *observation)
{
        struct memory_text t;
        if (!text_begin(&t))
                return NULL;
        print_observed(t.stream, c, observation);
        return text_end(&t);
}

const char *observed_text(const struct judged_case *c, const struct value *observation)
{
        const struct value *step = observed_step(c, observation);
        const char *seen = member_text(observation, "seen");
        if (step && strcmp(seen, "success") == 0)
                seen = member_text(step, "ret");
        return *seen ? seen : "nothing";
}

/* "shmdt(0x7f..)   expected EINVAL   got 0", the columns being apart by gap. */
static void print_difference(FILE *out, const char *gap, const struct judged_case *c, const struct divergence *d)
{
        print_observed(out, c, d->observation);
        fprintf(out, "%sexpected ", gap);
        print_allowed(out, d->allowed);
        fprintf(out, "%sgot %s", gap, observed_text(c, d->observation));
        const char *by = member_text(d->observation, "by");
        if (*by && strcmp(by, "case") != 0)
                fprintf(out, "%s(%s)", gap, by);
}

static void print_rounds(FILE *out, const struct judged_case *c)
{
        fputs("rounds:", out);
        for (enum verdict v = VERDICT_PASS; v < VERDICTS; v++) {
                if (c->by_verdict[v])
                        fprintf(out, " %zu %s", c->by_verdict[v], verdict_name(v));
        }
}

static void print_accepted(FILE *out, const struct judged_case *c)
{
        fputs("accepted by the baseline", out);
        if (c->accepted && *c->accepted->until)
                fprintf(out, " until %s", c->accepted->until);
        if (c->accepted && c->accepted->comment)
                fprintf(out, ": %s", c->accepted->comment);
}

#define FIXED_TEXT "the baseline says that it diverges, and it no longer does: take it out there"

static bool set_up_failed(const struct judged_case *c)
{
        return c->verdict == VERDICT_ERROR && strcmp(member_text(shown_result(c), "status"), "setup") == 0;
}

/* What was seen, whatever a baseline says of it. */
static void print_first_difference(FILE *out, const struct judged_case *c)
{
        if (c->divergence_count)
                print_difference(out, " ", c, &c->divergences[0]);
        else
                fputs(c->reason, out);
        if (c->divergence_count > 1)
                fprintf(out, " (and %zu more)", c->divergence_count - 1);
}

char *describe_verdict(const struct judged_case *c)
{
        struct memory_text t;
        if (!text_begin(&t))
                return NULL;
        switch (c->verdict) {
        case VERDICT_PASS:
        case VERDICTS:
                break;
        case VERDICT_FLAKY:
                print_rounds(t.stream, c);
                break;
        case VERDICT_KNOWN:
                print_accepted(t.stream, c);
                break;
        case VERDICT_FIXED:
                fputs(FIXED_TEXT, t.stream);
                break;
        case VERDICT_RECORD:
                fputs("recorded, not judged: the profile leaves it open", t.stream);
                break;
        case VERDICT_FAIL:
        case VERDICT_CRASH:
        case VERDICT_HANG:
        case VERDICT_ERROR:
        case VERDICT_SKIP:
                fputs(set_up_failed(c) ? "the set-up failed: " : "", t.stream);
                print_first_difference(t.stream, c);
                break;
        }
        return text_end(&t);
}

/* ---- the whole of a case ---- */

void print_requirement(FILE *out, struct terminal_style style, const struct value *result)
{
        char *line = NULL;
        fputs("     ", out);
        print_wrapped(out, style, 5, member_text(result, "sentence"));
        if (asprintf(&line, "%s · %s · %s:%lld", member_text(result, "clause"), member_text(result, "level"),
                     member_text(result, "file"), member_integer(result, "line")) == -1)
                return;
        fputs("     ", out);
        print_ink(out, style, INK_DIM);
        print_wrapped(out, style, 5, line);
        print_ink(out, style, INK_PLAIN);
        free(line);
}

static void print_head(FILE *out, struct terminal_style style, const struct judged_case *c)
{
        static const char *const heads[VERDICTS] = {"PASS",  "FAIL",  "CRASH", "HANG", "FLAKY",
                                                    "ERROR", "KNOWN", "FIXED", "SKIP", "RECORD"};
        const struct value *result = shown_result(c);
        char *line = NULL;
        print_ink(out, style, verdict_diverges(c->verdict) ? INK_RED : INK_YELLOW);
        fputs(heads[c->verdict], out);
        print_ink(out, style, INK_PLAIN);
        fputc(' ', out);
        print_ink(out, style, INK_BOLD);
        line = made_harmless(c->of->id);
        fputs(line ? line : "?", out);
        free(line);
        print_ink(out, style, INK_PLAIN);
        fputc('\n', out);
        print_requirement(out, style, result);
}

/* One line about the verdict as a whole: a reason, the rounds, the baseline. */
static void print_reason(FILE *out, struct terminal_style style, const struct judged_case *c)
{
        struct memory_text t;
        bool of_baseline = c->verdict == VERDICT_KNOWN || c->verdict == VERDICT_FIXED || c->verdict == VERDICT_FLAKY ||
                           c->verdict == VERDICT_RECORD;
        char *about = of_baseline ? describe_verdict(c) : NULL;
        if (about) {
                fputs("     ", out);
                print_wrapped(out, style, 5, about);
                free(about);
        }
        if (!*c->reason || !text_begin(&t))
                return;
        fprintf(t.stream, "%s%s", set_up_failed(c) ? "the set-up failed: " : "", c->reason);
        char *line = text_end(&t);
        fputs("     ", out);
        print_wrapped(out, style, 5, line ? line : c->reason);
        free(line);
}

static void print_divergence(FILE *out, struct terminal_style style, const struct judged_case *c,
                             const struct divergence *d)
{
        struct memory_text t;
        if (!text_begin(&t))
                return;
        print_difference(t.stream, "   ", c, d);
        char *line = text_end(&t);
        print_ink(out, style, INK_BOLD);
        fputs("     ", out);
        print_wrapped(out, style, 9, line ? line : "");
        print_ink(out, style, INK_PLAIN);
        free(line);
}

/* The steps that led to the first divergence: all that came before it, at most STEPS_BEFORE. */
static void print_story(FILE *out, struct terminal_style style, const struct judged_case *c, long long until)
{
        const struct value *steps = shown_steps(c);
        size_t end = 0;
        VALUE_EACH(step, steps)
        {
                if (until != 0 && member_integer(step, "n") >= until)
                        break;
                end++;
        }
        const char *head = "before it: ";
        size_t i = 0;
        VALUE_EACH(step, steps)
        {
                if (i == end)
                        break;
                if (i++ + STEPS_BEFORE < end)
                        continue;
                char *line = describe_step(step);
                const char *by = member_text(step, "by");
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

static void print_notes(FILE *out, struct terminal_style style, const struct value *result)
{
        static const struct {
                const char *member, *head;
        } notes[] = {{"note", "note: "}, {"differs", "known to differ: "}};
        for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
                const char *text = member_text(result, notes[i].member);
                char *line = NULL;
                if (*text && asprintf(&line, "%s%s", notes[i].head, text) > 0) {
                        fputs("     ", out);
                        print_wrapped(out, style, 11, line);
                        free(line);
                }
        }
}

void print_case(FILE *out, struct terminal_style style, const struct judged_case *c, const char *platform)
{
        const struct value *result = shown_result(c);
        print_head(out, style, c);
        print_reason(out, style, c);
        for (size_t i = 0; i < c->divergence_count; i++)
                print_divergence(out, style, c, &c->divergences[i]);
        long long until = c->divergence_count ? member_integer(c->divergences[0].observation, "step") : 0;
        if (c->verdict != VERDICT_FIXED && c->verdict != VERDICT_RECORD)
                print_story(out, style, c, until);
        print_notes(out, style, result);
        fputs("     here: ", out);
        print_wrapped(out, style, 11, platform);
}

char *describe_case(const struct judged_case *c, const char *platform)
{
        struct memory_text t;
        if (!text_begin(&t))
                return NULL;
        print_case(t.stream, (struct terminal_style){.color = false}, c, platform);
        char *text = text_end(&t);
        if (text && t.size > 0 && text[t.size - 1] == '\n')
                text[t.size - 1] = '\0';
        return text;
}
