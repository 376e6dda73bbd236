/*
 * As Jenkins' xunit plug-in (junit-10.xsd) and GitLab read it. A run with a
 * finding is a failure, unless the finding is known or was not seen again;
 * these, and faults that did not fire, are skipped.
 */
#include "sweep_junit.h"

#include <errno.h>
#include <libxml/xmlwriter.h>
#include <stdlib.h>

#include "plain_text.h"
#include "sweep_words.h"

#define NAME_LIMIT ((size_t)1000)
#define TEXT_LIMIT ((size_t)64 * 1024)

struct xml {
        xmlTextWriterPtr writer;
        const struct sweep *sweep;
        const struct sweep_finding **finding_of; /* by try; NULL: it is in none */
        bool failed;
};

static void start(struct xml *x, const char *element)
{
        x->failed |= xmlTextWriterStartElement(x->writer, BAD_CAST element) < 0;
}

static void finish(struct xml *x)
{
        x->failed |= xmlTextWriterEndElement(x->writer) < 0;
}

static void attribute(struct xml *x, const char *name, const char *text)
{
        char *plain = plain_text(text, NAME_LIMIT, ONE_LINE);
        x->failed |= !plain || xmlTextWriterWriteAttribute(x->writer, BAD_CAST name, BAD_CAST plain) < 0;
        free(plain);
}

static void number(struct xml *x, const char *name, size_t n)
{
        char text[32];
        snprintf(text, sizeof(text), "%zu", n);
        attribute(x, name, text);
}

static void seconds(struct xml *x, int64_t nanoseconds)
{
        char text[64];
        snprintf(text, sizeof(text), "%.6f", (double)nanoseconds / 1e9);
        attribute(x, "time", text);
}

static void content(struct xml *x, const char *text)
{
        char *plain = plain_text(text, TEXT_LIMIT, KEEP_NEWLINES);
        x->failed |= !plain || xmlTextWriterWriteString(x->writer, BAD_CAST plain) < 0;
        free(plain);
}

/* ---- what becomes of a run ---- */

enum fate { FATE_PASS, FATE_FAILURE, FATE_SKIPPED };

static enum fate fate_of(const struct xml *x, size_t i)
{
        const struct sweep_try *t = &x->sweep->tries[i];
        if (!t->done || t->outcome == SWEEP_MISSED)
                return FATE_SKIPPED;
        if (t->outcome < SWEEP_FIRST_FINDING)
                return FATE_PASS;
        return x->finding_of[i] && !sweep_finding_counts(x->finding_of[i]) ? FATE_SKIPPED : FATE_FAILURE;
}

static size_t suite_of(const struct sweep_try *t)
{
        return t->faults[t->fault_count - 1].site;
}

/* All that a person needs to go on. */
static void write_details(const struct xml *x, size_t i, FILE *out)
{
        const struct sweep_try *t = &x->sweep->tries[i];
        const struct sweep_finding *f = x->finding_of[i];
        char text[1024];
        for (unsigned k = 0; k < t->fault_count; k++)
                fprintf(out, "%s: %s\n", t->faults[k].rule, t->faults[k].when);
        sweep_end_text(t, text, sizeof(text));
        fprintf(out, "%s\n", text);
        for (size_t k = 0; k < t->left_count; k++) {
                sweep_left_text(x->sweep, &t->left[k], text, sizeof(text));
                fprintf(out, "left behind: %s\n", text);
        }
        if (t->written[0])
                fprintf(out, "standard output:\n%s\n", t->written[0]);
        if (t->written[1])
                fprintf(out, "standard error:\n%s\n", t->written[1]);
        char *command = f ? sweep_reproduce(x->sweep, f) : NULL;
        if (command)
                fprintf(out, "to see it again: %s\nkey: %s\n", command, f->key);
        free(command);
}

static void details(struct xml *x, size_t i)
{
        char *text = NULL;
        size_t length = 0;
        FILE *out = open_memstream(&text, &length);
        if (out) {
                write_details(x, i, out);
                x->failed |= fclose(out) != 0;
        }
        x->failed |= !text;
        content(x, text ? text : "");
        free(text);
}

static void failure(struct xml *x, size_t i)
{
        const struct sweep_try *t = &x->sweep->tries[i];
        char site[700];
        char message[1024];
        sweep_site_text(x->sweep, t->site, site, sizeof(site));
        snprintf(message, sizeof(message), "%s: %s at %s", sweep_outcome_names[t->outcome], t->faults[0].rule, site);
        start(x, "failure");
        attribute(x, "type", sweep_outcome_names[t->outcome]);
        attribute(x, "message", message);
        details(x, i);
        finish(x);
}

static void skipped(struct xml *x, size_t i)
{
        const struct sweep_try *t = &x->sweep->tries[i];
        const struct sweep_finding *f = x->finding_of[i];
        start(x, "skipped");
        attribute(x, "message",
                  !t->done                     ? "the sweep was ended before"
                  : t->outcome == SWEEP_MISSED ? "the fault did not fire"
                  : f->known                   ? "known, by the baseline"
                                               : "seen once, and not again");
        finish(x);
}

/* ---- suites ---- */

static void test_case(struct xml *x, size_t i, const char *suite)
{
        const struct sweep_try *t = &x->sweep->tries[i];
        char name[2 * SWEEP_RULE + 2];
        snprintf(name, sizeof(name), "%s%s%s", t->faults[0].rule, t->fault_count > 1 ? " " : "",
                 t->fault_count > 1 ? t->faults[1].rule : "");
        start(x, "testcase");
        attribute(x, "classname", suite);
        attribute(x, "name", name);
        seconds(x, t->time);
        enum fate fate = fate_of(x, i);
        if (fate == FATE_FAILURE)
                failure(x, i);
        else if (fate == FATE_SKIPPED)
                skipped(x, i);
        finish(x);
}

static void suite(struct xml *x, size_t site)
{
        const struct sweep *s = x->sweep;
        size_t fates[3] = {0, 0, 0};
        int64_t time = 0;
        char name[1024];
        for (size_t i = 0; i < s->try_count; i++) {
                if (suite_of(&s->tries[i]) != site)
                        continue;
                fates[fate_of(x, i)]++;
                time += s->tries[i].time;
        }
        size_t all = fates[FATE_PASS] + fates[FATE_FAILURE] + fates[FATE_SKIPPED];
        if (all == 0)
                return;
        sweep_site_name(&s->sites.items[site], name, sizeof(name));
        start(x, "testsuite");
        attribute(x, "name", name);
        number(x, "tests", all);
        number(x, "failures", fates[FATE_FAILURE]);
        number(x, "errors", 0);
        number(x, "skipped", fates[FATE_SKIPPED]);
        seconds(x, time);
        for (size_t i = 0; i < s->try_count; i++) {
                if (suite_of(&s->tries[i]) == site)
                        test_case(x, i, name);
        }
        finish(x);
}

static void write_suites(struct xml *x)
{
        x->failed |= xmlTextWriterStartDocument(x->writer, NULL, "UTF-8", NULL) < 0;
        start(x, "testsuites");
        attribute(x, "name", "shmcheck sweep");
        for (size_t i = 0; i < x->sweep->sites.count; i++)
                suite(x, i);
        x->failed |= xmlTextWriterEndDocument(x->writer) < 0;
}

/* The library would tell the user of a full disk in its own way, beside the line that says so. */
static void say_nothing(void *state, xmlErrorPtr error)
{
        (void)state, (void)error;
}

static bool open_writer(struct xml *x, FILE *out)
{
        xmlSetStructuredErrorFunc(NULL, say_nothing);
        xmlOutputBufferPtr buffer = xmlOutputBufferCreateFile(out, NULL);
        x->writer = buffer ? xmlNewTextWriter(buffer) : NULL;
        if (!x->writer) {
                xmlOutputBufferClose(buffer);
                return false;
        }
        xmlTextWriterSetIndent(x->writer, 1);
        xmlTextWriterSetIndentString(x->writer, BAD_CAST " ");
        return true;
}

static void note_findings(struct xml *x)
{
        for (size_t i = 0; i < x->sweep->finding_count; i++) {
                const struct sweep_finding *f = &x->sweep->findings[i];
                for (size_t k = 0; k < f->try_count; k++)
                        x->finding_of[f->tries[k]] = f;
        }
}

bool sweep_junit_write(const struct sweep *s, FILE *out)
{
        struct xml x = {.sweep = s, .finding_of = calloc(s->try_count + 1, sizeof(x.finding_of[0]))};
        bool written = x.finding_of && open_writer(&x, out);
        errno = ENOMEM;
        if (written) {
                note_findings(&x);
                write_suites(&x);
                xmlFreeTextWriter(x.writer);
                written = !x.failed && fflush(out) == 0;
        }
        free((void *)x.finding_of);
        return written;
}
