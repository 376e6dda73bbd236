#include "verdict.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const char *verdict_name(enum verdict verdict)
{
        static const char *const names[VERDICTS] = {"pass",  "fail",  "crash", "hang", "flaky",
                                                    "error", "known", "fixed", "skip", "record"};
        return names[verdict];
}

bool verdict_diverges(enum verdict verdict)
{
        return verdict == VERDICT_FAIL || verdict == VERDICT_CRASH || verdict == VERDICT_HANG ||
               verdict == VERDICT_FLAKY || verdict == VERDICT_FIXED;
}

static bool read_number(const char *text, const char *end, intmax_t *n)
{
        char *stop = NULL;
        errno = 0;
        *n = strtoimax(text, &stop, 10);
        return errno == 0 && stop != text && stop == end;
}

static bool is_in_range(const char *seen, const char *range)
{
        const char *dots = strstr(range, "..");
        intmax_t low = 0;
        intmax_t high = 0;
        intmax_t n = 0;
        return dots && read_number(range, dots, &low) && read_number(dots + 2, range + strlen(range), &high) &&
               read_number(seen, seen + strlen(seen), &n) && low <= n && n <= high;
}

bool result_is_allowed(const char *seen, const struct value *allowed)
{
        VALUE_EACH(result, allowed)
        {
                const char *text = value_text(result);
                if (text && (strcmp(seen, text) == 0 || is_in_range(seen, text)))
                        return true;
        }
        return false;
}

static bool add_divergence(struct judged_case *c, size_t round, const struct value *observation,
                           const struct value *allowed)
{
        struct divergence *grown = realloc(c->divergences, (c->divergence_count + 1) * sizeof(grown[0]));
        if (!grown)
                return false;
        c->divergences = grown;
        grown[c->divergence_count++] = (struct divergence){round, observation, allowed};
        return true;
}

struct round_verdict {
        enum verdict verdict;
        const char *reason;
        bool no_memory;
};

static bool is_by_agent(const struct value *observation)
{
        return strcmp(member_text(observation, "by"), "agent") == 0;
}

/* What a round's observations say. */
static struct round_verdict judge_observations(struct judged_case *c, size_t round, const struct profile *profile)
{
        struct round_verdict v = {.verdict = VERDICT_RECORD, .reason = ""};
        VALUE_EACH(observation, value_member(c->of->results[round], "observations"))
        {
                const struct value *allowed = profile_expected(profile, c->of->id, observation);
                const char *seen = value_text(value_member(observation, "seen"));
                if (!allowed)
                        continue;
                /* What the agent adds of itself can fail a case, but is not what the case is about. */
                if (v.verdict == VERDICT_RECORD && !is_by_agent(observation))
                        v.verdict = VERDICT_PASS;
                if (seen && result_is_allowed(seen, allowed))
                        continue;
                v.verdict = VERDICT_FAIL;
                if (!add_divergence(c, round, observation, allowed))
                        v.no_memory = true;
        }
        return v;
}

static struct round_verdict judge_round(struct judged_case *c, size_t round, const struct profile *profile)
{
        static const struct {
                const char *status;
                enum verdict verdict;
        } endings[] = {{"skip", VERDICT_SKIP}, {"not-applicable", VERDICT_SKIP}, {"crash", VERDICT_CRASH},
                       {"hang", VERDICT_HANG}, {"setup", VERDICT_ERROR},         {"error", VERDICT_ERROR}};
        const struct value *result = c->of->results[round];
        const char *status = member_text(result, "status");
        if (!profile_judges(profile, value_text(value_member(result, "level"))))
                return (struct round_verdict){.verdict = VERDICT_RECORD, .reason = ""};
        if (strcmp(status, "done") == 0)
                return judge_observations(c, round, profile);
        for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
                if (strcmp(status, endings[i].status) != 0)
                        continue;
                const struct value *allowed = profile_endings(profile, c->of->id);
                bool may_end_so = allowed && result_is_allowed(status, allowed);
                struct round_verdict v = {.verdict = may_end_so ? VERDICT_PASS : endings[i].verdict};
                /* What was seen to be wrong before the end is wrong, and often why a set-up failed. */
                if (may_end_so || strcmp(status, "setup") == 0) {
                        struct round_verdict seen = judge_observations(c, round, profile);
                        if (seen.verdict == VERDICT_FAIL)
                                v = seen;
                }
                v.reason = may_end_so ? "" : member_text(result, "reason");
                return v;
        }
        return (struct round_verdict){.verdict = VERDICT_ERROR, .reason = "the record has an unknown status"};
}

static bool judge_case(struct judged_case *c, const struct profile *profile)
{
        c->reason = "";
        for (size_t round = 0; round < c->of->count; round++) {
                size_t before = c->divergence_count;
                struct round_verdict v = judge_round(c, round, profile);
                if (v.no_memory)
                        return false;
                c->by_verdict[v.verdict]++;
                bool first = round == 0;
                /* Of rounds that differ, the first that diverges tells the story. */
                if (first || (!verdict_diverges(c->verdict) && verdict_diverges(v.verdict))) {
                        c->verdict = v.verdict;
                        c->reason = v.reason;
                        c->shown = round;
                } else {
                        c->divergence_count = before;
                }
        }
        size_t kinds = 0;
        for (size_t v = 0; v < VERDICTS; v++)
                kinds += c->by_verdict[v] != 0;
        if (kinds > 1)
                c->verdict = VERDICT_FLAKY;
        return true;
}

static void hold_against_baseline(struct judged_case *c, const struct baseline *baseline)
{
        const struct baseline_entry *entry = baseline_entry_of(baseline, c->of->id);
        if (!entry || entry->expired || (c->verdict != VERDICT_PASS && !verdict_diverges(c->verdict)))
                return;
        c->verdict = c->verdict == VERDICT_PASS ? VERDICT_FIXED : VERDICT_KNOWN;
        c->accepted = entry;
}

struct judgement *judge_record(const struct record *record, const struct profile *profile,
                               const struct baseline *baseline)
{
        struct judgement *j = calloc(1, sizeof(*j));
        if (!j)
                return NULL;
        j->profile = profile;
        j->cases = calloc(record->case_count ? record->case_count : 1, sizeof(j->cases[0]));
        if (!j->cases) {
                free(j);
                return NULL;
        }
        for (size_t i = 0; i < record->case_count; i++) {
                j->cases[i].of = &record->cases[i];
                j->case_count++;
                if (!judge_case(&j->cases[i], profile)) {
                        judgement_free(j);
                        return NULL;
                }
                hold_against_baseline(&j->cases[i], baseline);
                j->by_verdict[j->cases[i].verdict]++;
        }
        return j;
}

void judgement_free(struct judgement *j)
{
        if (!j)
                return;
        for (size_t i = 0; i < j->case_count; i++)
                free(j->cases[i].divergences);
        free(j->cases);
        free(j);
}

size_t judgement_tried(const struct judgement *j)
{
        return j->case_count - j->by_verdict[VERDICT_SKIP] - j->by_verdict[VERDICT_RECORD];
}

size_t judgement_passed(const struct judgement *j)
{
        return j->by_verdict[VERDICT_PASS] + j->by_verdict[VERDICT_FIXED];
}

int judgement_exit_status(const struct judgement *j, const struct record *record)
{
        if (!record_is_complete(record))
                return 3;
        for (enum verdict v = VERDICT_PASS; v < VERDICTS; v++) {
                if (verdict_diverges(v) && j->by_verdict[v])
                        return 1;
        }
        return j->by_verdict[VERDICT_ERROR] ? 3 : 0;
}
