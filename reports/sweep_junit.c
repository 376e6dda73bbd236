/*
 * As Jenkins' xunit plug-in (junit-10.xsd) and GitLab read it. A run with a
 * finding is a failure, unless the finding is known or was not seen again;
 * these, and faults that did not fire, are skipped.
 */
#include "sweep_junit.h"

#include <errno.h>
#include <stdlib.h>

#include "sweep_words.h"
#include "xml_writer.h"

#define NAME_LIMIT ((size_t)1000)
#define TEXT_LIMIT ((size_t)64 * 1024)

struct junit {
        struct xml_writer *xml;
        const struct sweep *sweep;
        const struct sweep_finding **finding_of; /* by try; NULL: it is in none */
        bool failed;
};

/* ---- what becomes of a run ---- */

enum fate { FATE_PASS, FATE_FAILURE, FATE_SKIPPED };

static enum fate fate_of(const struct junit *junit, size_t i)
{
        const struct sweep_try *t = &junit->sweep->tries[i];
        if (!t->done || t->outcome == SWEEP_MISSED)
                return FATE_SKIPPED;
        if (t->outcome < SWEEP_FIRST_FINDING)
                return FATE_PASS;
        return junit->finding_of[i] && !sweep_finding_counts(junit->finding_of[i]) ? FATE_SKIPPED : FATE_FAILURE;
}

static size_t suite_of(const struct sweep_try *t)
{
        return t->faults[t->fault_count - 1].site;
}

/* All that a person needs to go on. */
static void write_details(const struct junit *junit, size_t i, FILE *out)
{
        const struct sweep_try *t = &junit->sweep->tries[i];
        const struct sweep_finding *f = junit->finding_of[i];
        char text[1024];
        for (unsigned k = 0; k < t->fault_count; k++)
                fprintf(out, "%s: %s\n", t->faults[k].rule, t->faults[k].when);
        sweep_end_text(t, text, sizeof(text));
        fprintf(out, "%s\n", text);
        for (size_t k = 0; k < t->left_count; k++) {
                sweep_left_text(junit->sweep, &t->left[k], text, sizeof(text));
                fprintf(out, "left behind: %s\n", text);
        }
        if (t->written[0])
                fprintf(out, "standard output:\n%s\n", t->written[0]);
        if (t->written[1])
                fprintf(out, "standard error:\n%s\n", t->written[1]);
        char *command = f ? sweep_reproduce(junit->sweep, f) : NULL;
        if (command)
                fprintf(out, "to see it again: %s\nkey: %s\n", command, f->key);
        free(command);
}

static void details(struct junit *junit, size_t i)
{
        char *text = NULL;
        size_t length = 0;
        FILE *out = open_memstream(&text, &length);
        if (out) {
                write_details(junit, i, out);
                junit->failed |= fclose(out) != 0;
        }
        junit->failed |= !text;
        xml_content(junit->xml, text ? text : "", TEXT_LIMIT);
        free(text);
}

static void failure(struct junit *junit, size_t i)
{
        const struct sweep_try *t = &junit->sweep->tries[i];
        char site[700];
        char message[1024];
        sweep_site_text(junit->sweep, t->site, site, sizeof(site));
        snprintf(message, sizeof(message), "%s: %s at %s", sweep_outcome_names[t->outcome], t->faults[0].rule, site);
        xml_start(junit->xml, "failure");
        xml_attribute(junit->xml, "type", sweep_outcome_names[t->outcome], NAME_LIMIT);
        xml_attribute(junit->xml, "message", message, NAME_LIMIT);
        details(junit, i);
        xml_finish(junit->xml);
}

static void skipped(struct junit *junit, size_t i)
{
        const struct sweep_try *t = &junit->sweep->tries[i];
        const struct sweep_finding *f = junit->finding_of[i];
        xml_start(junit->xml, "skipped");
        xml_attribute(junit->xml, "message",
                      !t->done                     ? "the sweep was ended before"
                      : t->outcome == SWEEP_MISSED ? "the fault did not fire"
                      : f->known                   ? "known, by the baseline"
                                                   : "seen once, and not again",
                      NAME_LIMIT);
        xml_finish(junit->xml);
}

/* ---- suites ---- */

static void test_case(struct junit *junit, size_t i, const char *suite)
{
        const struct sweep_try *t = &junit->sweep->tries[i];
        char name[2 * SWEEP_RULE + 2];
        snprintf(name, sizeof(name), "%s%s%s", t->faults[0].rule, t->fault_count > 1 ? " " : "",
                 t->fault_count > 1 ? t->faults[1].rule : "");
        xml_start(junit->xml, "testcase");
        xml_attribute(junit->xml, "classname", suite, NAME_LIMIT);
        xml_attribute(junit->xml, "name", name, NAME_LIMIT);
        xml_seconds(junit->xml, "time", (double)t->time / 1e9);
        enum fate fate = fate_of(junit, i);
        if (fate == FATE_FAILURE)
                failure(junit, i);
        else if (fate == FATE_SKIPPED)
                skipped(junit, i);
        xml_finish(junit->xml);
}

static void suite(struct junit *junit, size_t site)
{
        const struct sweep *s = junit->sweep;
        size_t fates[3] = {0, 0, 0};
        int64_t time = 0;
        char name[1024];
        for (size_t i = 0; i < s->try_count; i++) {
                if (suite_of(&s->tries[i]) != site)
                        continue;
                fates[fate_of(junit, i)]++;
                time += s->tries[i].time;
        }
        size_t all = fates[FATE_PASS] + fates[FATE_FAILURE] + fates[FATE_SKIPPED];
        if (all == 0)
                return;
        sweep_site_name(&s->sites.items[site], name, sizeof(name));
        xml_start(junit->xml, "testsuite");
        xml_attribute(junit->xml, "name", name, NAME_LIMIT);
        xml_count(junit->xml, "tests", all);
        xml_count(junit->xml, "failures", fates[FATE_FAILURE]);
        xml_count(junit->xml, "errors", 0);
        xml_count(junit->xml, "skipped", fates[FATE_SKIPPED]);
        xml_seconds(junit->xml, "time", (double)time / 1e9);
        for (size_t i = 0; i < s->try_count; i++) {
                if (suite_of(&s->tries[i]) == site)
                        test_case(junit, i, name);
        }
        xml_finish(junit->xml);
}

static void write_suites(struct junit *junit)
{
        xml_start(junit->xml, "testsuites");
        xml_attribute(junit->xml, "name", "shmcheck sweep", NAME_LIMIT);
        for (size_t i = 0; i < junit->sweep->sites.count; i++)
                suite(junit, i);
}

static void note_findings(struct junit *junit)
{
        for (size_t i = 0; i < junit->sweep->finding_count; i++) {
                const struct sweep_finding *f = &junit->sweep->findings[i];
                for (size_t k = 0; k < f->try_count; k++)
                        junit->finding_of[f->tries[k]] = f;
        }
}

bool sweep_junit_write(const struct sweep *s, FILE *out)
{
        struct junit junit = {.sweep = s, .finding_of = calloc(s->try_count + 1, sizeof(junit.finding_of[0]))};
        errno = ENOMEM;
        junit.xml = junit.finding_of ? xml_writer_begin(out) : NULL;
        bool written = junit.xml != NULL;
        if (written) {
                note_findings(&junit);
                write_suites(&junit);
                errno = ENOMEM;
                written = xml_writer_end(junit.xml) && !junit.failed && fflush(out) == 0;
        }
        free((void *)junit.finding_of);
        return written;
}
