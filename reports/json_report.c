#include "json_report.h"

#define RESULTS_FORMAT 1

static json_t *summary_of(const struct judgement *j)
{
        json_t *summary = json_object();
        for (enum verdict v = VERDICT_PASS; v < VERDICTS; v++)
                json_object_set_new(summary, verdict_name(v), json_integer((json_int_t)j->by_verdict[v]));
        json_object_set_new(summary, "tried", json_integer((json_int_t)judgement_tried(j)));
        json_object_set_new(summary, "passed", json_integer((json_int_t)judgement_passed(j)));
        return summary;
}

static json_t *divergences_of(const struct judged_case *c)
{
        static const char *const members[] = {"by", "what", "step", "seen"};
        json_t *list = json_array();
        for (size_t i = 0; i < c->divergence_count; i++) {
                const struct divergence *d = &c->divergences[i];
                json_t *entry = json_object();
                for (size_t m = 0; m < sizeof(members) / sizeof(members[0]); m++) {
                        json_t *value = json_object_get(d->observation, members[m]);
                        if (value)
                                json_object_set(entry, members[m], value);
                }
                json_object_set_new(entry, "expected", json_deep_copy(d->allowed));
                json_array_append_new(list, entry);
        }
        return list;
}

static json_t *case_of(const struct judgement *main, const struct judgement *const *others, size_t other_count,
                       size_t i)
{
        static const char *const members[] = {"topic", "sentence", "level",   "clause", "file", "line",
                                              "needs", "note",     "differs", "status", "left", "us"};
        const struct judged_case *c = &main->cases[i];
        const json_t *result = c->of->results[c->shown];
        json_t *object = json_object();
        json_object_set_new(object, "id", json_string(c->of->id));
        json_object_set_new(object, "verdict", json_string(verdict_name(c->verdict)));
        json_t *verdicts = json_object();
        json_object_set_new(verdicts, main->profile->name, json_string(verdict_name(c->verdict)));
        for (size_t k = 0; k < other_count; k++)
                json_object_set_new(verdicts, others[k]->profile->name,
                                    json_string(verdict_name(others[k]->cases[i].verdict)));
        json_object_set_new(object, "verdicts", verdicts);
        for (size_t m = 0; m < sizeof(members) / sizeof(members[0]); m++) {
                json_t *value = json_object_get(result, members[m]);
                if (value)
                        json_object_set(object, members[m], value);
        }
        if (*c->reason)
                json_object_set_new(object, "reason", json_string(c->reason));
        if (c->of->count > 1) {
                json_t *rounds = json_object();
                for (enum verdict v = VERDICT_PASS; v < VERDICTS; v++) {
                        if (c->by_verdict[v])
                                json_object_set_new(rounds, verdict_name(v),
                                                    json_integer((json_int_t)c->by_verdict[v]));
                }
                json_object_set_new(object, "rounds", rounds);
        }
        if (c->divergence_count)
                json_object_set_new(object, "divergences", divergences_of(c));
        /* The story matters where something is to be understood; a pass has none. */
        if (c->verdict != VERDICT_PASS && c->verdict != VERDICT_SKIP && json_object_get(result, "steps"))
                json_object_set(object, "steps", json_object_get(result, "steps"));
        return object;
}

json_t *json_report(const struct record *record, const struct judgement *main, const struct judgement *const *others,
                    size_t other_count)
{
        static const char *const members[] = {"platform", "isolation", "missing", "time", "agent", "rounds"};
        json_t *report = json_object();
        json_object_set_new(report, "shmcheck_results", json_integer(RESULTS_FORMAT));
        json_object_set_new(report, "profile", json_string(main->profile->name));
        json_object_set_new(report, "complete", json_boolean(record_is_complete(record)));
        for (size_t m = 0; m < sizeof(members) / sizeof(members[0]); m++) {
                json_t *value = json_object_get(record->start, members[m]);
                if (value)
                        json_object_set(report, members[m], value);
        }
        json_t *summary = json_object();
        json_object_set_new(summary, main->profile->name, summary_of(main));
        for (size_t k = 0; k < other_count; k++)
                json_object_set_new(summary, others[k]->profile->name, summary_of(others[k]));
        json_object_set_new(report, "summary", summary);
        json_t *cases = json_array();
        for (size_t i = 0; i < main->case_count; i++)
                json_array_append_new(cases, case_of(main, others, other_count, i));
        if (json_object_set_new(report, "cases", cases) == -1) {
                json_decref(report);
                return NULL;
        }
        return report;
}
