#include "fault_plan.h"

#include <limits.h>
#include <string.h>

#include "fault_errors.h"
#include "fault_names.h"
#include "fault_reading.h"
#include "shm_commands.h"

#define BIT(call) (1U << (call))
#define EVERY_CALL (BIT(SHM_CALLS) - 1)

bool fault_command_stats(int command)
{
        return command == IPC_STAT || command == SHM_STAT || command == SHM_STAT_ANY;
}

/* What stands behind the / of a call. */
static bool read_command(struct fault_reading *r, unsigned calls, struct fault_span word, int *command)
{
        if (calls != BIT(SHM_CALL_SHMCTL))
                return fault_mistaken(r, word.from - 1, NULL, "only shmctl has commands, as shmctl/IPC_STAT");
        uint64_t number = 0;
        if (fault_name_find(&fault_command_names, word.from, (size_t)(word.to - word.from), command))
                return true;
        if (fault_read_number(word, INT_MAX, &number))
                return fault_mistaken(r, word.from, fault_command_names.names, "unknown command of shmctl '%s'",
                                      fault_word(r, word));
        *command = (int)number;
        return true;
}

/* One of the calls that CALL lists. */
static bool read_call(struct fault_reading *r, struct fault_span word)
{
        const char *slash = memchr(word.from, '/', (size_t)(word.to - word.from));
        struct fault_span name = {word.from, slash ? slash : word.to};
        int call = 0;
        int command = FAULT_ANY_COMMAND;
        if (!fault_name_find(&fault_call_names, name.from, (size_t)(name.to - name.from), &call))
                return fault_mistaken(r, name.from, fault_call_names.names, "unknown call '%s'", fault_word(r, name));
        unsigned calls = call == SHM_CALLS ? EVERY_CALL : BIT(call);
        if (slash && !read_command(r, calls, (struct fault_span){slash + 1, word.to}, &command))
                return false;
        if (calls & r->rule->calls & BIT(SHM_CALL_SHMCTL) && command != r->rule->command)
                return fault_mistaken(
                        r, word.from, NULL,
                        "a rule is about one command of shmctl, or about all; '%s' takes a rule of its own",
                        fault_word(r, word));
        r->rule->calls |= calls;
        if (calls & BIT(SHM_CALL_SHMCTL))
                r->rule->command = command;
        return true;
}

static bool read_calls(struct fault_reading *r)
{
        struct fault_span word = {r->text, NULL};
        fault_take_part(r, &r->calls);
        if (r->calls.from == r->calls.to)
                return fault_mistaken(
                        r, r->text, NULL,
                        "a rule is CALL:ACTION[:ACTION...][:SELECTION...], as shmget:error=ENOSPC:when=2+");
        do {
                const char *comma = memchr(word.from, ',', (size_t)(r->calls.to - word.from));
                word.to = comma ? comma : r->calls.to;
                if (!read_call(r, word))
                        return false;
                word.from = word.to + 1;
        } while (word.to < r->calls.to);
        return true;
}

static bool read_parts(struct fault_reading *r)
{
        struct fault_span part;
        while (fault_take_part(r, &part)) {
                if (!fault_part_read(r, part))
                        return false;
        }
        if (r->given[PART_SEED] && !r->given[PART_PROB])
                return fault_mistaken(r, r->given[PART_SEED], NULL, "seed is of prob, which the rule has not");
        return r->rule->actions || fault_mistaken(r, r->text + strlen(r->text), NULL,
                                                  "the rule has no action: error=, retval=, signal=, signal_exit=, "
                                                  "delay_enter=, delay_exit=, corrupt= or short");
}

/* The calls and shmctl commands that can have the rule's error. */
static void leave_what_can_fail(struct fault_rule *rule)
{
        for (unsigned call = 0; call < SHM_CALLS; call++) {
                if (!fault_error_is_known(rule->calls & BIT(call), rule->command, rule->error))
                        rule->calls &= ~BIT(call);
        }
        for (int command = 0; command < 32; command++) {
                if (!fault_error_is_known(BIT(SHM_CALL_SHMCTL), command, rule->error))
                        rule->spared |= FAULT_COMMAND_BIT(command);
        }
}

/* The calls and shmctl commands that tell of a segment's size or hold its shmid_ds. */
static void leave_what_can_be_falsified(struct fault_rule *rule)
{
        unsigned shmget = rule->actions & FAULT_SHORT ? BIT(SHM_CALL_SHMGET) : 0;
        unsigned shmctl = rule->actions & FAULT_CORRUPT ? BIT(SHM_CALL_SHMCTL) : 0;
        rule->calls &= shmget | shmctl;
        for (int command = 0; command < 32; command++) {
                if (!fault_command_stats(command))
                        rule->spared |= FAULT_COMMAND_BIT(command);
        }
}

static const char *later(const char *a, const char *b)
{
        return a && (!b || a > b) ? a : b;
}

/* Leaves the calls that the rule can do something to; false if there are none. */
static bool narrow(struct fault_reading *r)
{
        struct fault_rule *rule = r->rule;
        if (rule->actions & FAULT_ERROR && !r->any_error)
                leave_what_can_fail(rule);
        if (!(rule->actions & ~(unsigned)(FAULT_SHORT | FAULT_CORRUPT)))
                leave_what_can_be_falsified(rule);
        if (rule->selection & (FAULT_BY_KEY | FAULT_BY_SIZE))
                rule->calls &= BIT(SHM_CALL_SHMGET);
        if (!(rule->calls & BIT(SHM_CALL_SHMCTL)))
                rule->spared = 0;
        if (rule->calls)
                return true;
        const char *selection = later(r->given[PART_KEY], r->given[PART_SIZE]);
        const char *action = later(r->given[PART_ERROR], r->given[PART_CORRUPT]);
        return fault_mistaken(r, later(selection, action), NULL,
                              "key and size are of shmget, to which the rule's action cannot be done");
}

bool fault_rule_parse(struct fault_rule *rule, const char *text, bool any_error, struct fault_mistake *mistake)
{
        struct fault_reading r = {.rule = rule, .mistake = mistake, .text = text, .next = text, .any_error = any_error};
        memset(mistake, 0, sizeof(*mistake));
        memset(rule, 0, sizeof(*rule));
        rule->command = FAULT_ANY_COMMAND;
        rule->first = rule->step = 1;
        rule->last = rule->size_high = UINT64_MAX;
        if (fault_text_is_sound(&r) && read_calls(&r) && read_parts(&r) && narrow(&r)) {
                memcpy(rule->text, text, strlen(text) + 1);
                return true;
        }
        rule->calls = 0;
        return false;
}
