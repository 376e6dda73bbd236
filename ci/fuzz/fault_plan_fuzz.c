/* libFuzzer's target: any bytes are a rule or a mistake, and what is read of a rule stays within its bounds. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fault_errors.h"
#include "fault_plan.h"
#include "name_glob.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds)
{
        if (!holds)
                abort();
}

static bool is_string(const char *bytes, size_t size)
{
        return memchr(bytes, '\0', size) != NULL;
}

static void expect_mistake(const struct fault_mistake *m, const char *text)
{
        expect(m->column >= 1 && m->column <= strlen(text) + 1);
        expect(is_string(m->word, sizeof(m->word)) && is_string(m->why, sizeof(m->why)));
        expect(*m->why && !strchr(m->why, '\n') && strlen(m->why) < sizeof(m->why) - 1);
        expect(!m->nearest_of || (*m->word && *m->nearest_of));
}

static void expect_action(const struct fault_rule *rule)
{
        const unsigned result = FAULT_ERROR | FAULT_RETVAL;
        expect(rule->actions && !(rule->actions & ~(FAULT_SHORT * 2U - 1)));
        expect((rule->actions & result) != result);
        expect(!(rule->actions & result) || !(rule->actions & (FAULT_SHORT | FAULT_CORRUPT)));
        expect(!(rule->actions & FAULT_ERROR) == (rule->error == 0));
        expect(rule->error >= 0 && rule->error <= 4095);
        expect(!(rule->actions & FAULT_SIGNAL_ENTER) == (rule->signal_enter == 0));
        expect(!(rule->actions & FAULT_SIGNAL_EXIT) == (rule->signal_exit == 0));
        expect(rule->signal_enter >= 0 && rule->signal_enter <= 64);
        expect(rule->signal_exit >= 0 && rule->signal_exit <= 64);
        expect(rule->member < FAULT_MEMBERS);
}

static void expect_selection(const struct fault_rule *rule)
{
        expect(!(rule->selection & ~(FAULT_BY_CHANCE * 2U - 1)));
        expect(rule->first >= 1 && rule->last >= rule->first && rule->step >= 1);
        expect(rule->size_low <= rule->size_high);
        expect(rule->chance <= UINT64_C(1) << 32);
        expect(is_string(rule->caller, sizeof(rule->caller)) && !name_glob_flaw(rule->caller));
        expect(is_string(rule->thread_name, sizeof(rule->thread_name)) && !name_glob_flaw(rule->thread_name));
        expect(!(rule->selection & FAULT_BY_CALLER) == !*rule->caller);
        expect(!(rule->selection & FAULT_BY_THREAD) == !(rule->thread || *rule->thread_name));
        name_glob_matches(rule->caller, rule->text);
        name_glob_matches(rule->thread_name, rule->text);
}

static void expect_rule(const struct fault_rule *rule, const char *text, bool any_error)
{
        expect(strcmp(rule->text, text) == 0);
        expect(rule->calls && rule->calls < 1U << SHM_CALLS);
        expect(rule->command >= FAULT_ANY_COMMAND);
        expect_action(rule);
        expect_selection(rule);
        if (rule->actions & FAULT_ERROR && !any_error)
                expect(fault_error_is_known(rule->calls, rule->command, rule->error));
        if (rule->calls & 1U << SHM_CALL_SHMCTL && rule->command != FAULT_ANY_COMMAND)
                expect(!(rule->spared & FAULT_COMMAND_BIT(rule->command)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        bool any_error = size > 0 && data[0] & 1;
        char *text = calloc(1, size + 1);
        struct fault_rule rule;
        struct fault_mistake mistake;
        if (!text)
                return 0;
        if (size > 1)
                memcpy(text, data + 1, size - 1);
        if (fault_rule_parse(&rule, text, any_error, &mistake))
                expect_rule(&rule, text, any_error);
        else
                expect_mistake(&mistake, text);
        free(text);
        return 0;
}
