#include "shmfault.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "inventory.h"
#include "joined.h"
#include "own_rules.h"
#include "real_calls.h"

#define EXPORTED __attribute__((visibility("default")))

/* More than a rule may have, so that one that is too long is told as such. */
#define LONGEST_RULE (2 * FAULT_TEXT)

static int fail(int error)
{
        errno = error;
        return -1;
}

static int fail_with(int error, char *why, size_t size, const char *text)
{
        if (why)
                snprintf(why, size, "%s", text);
        return fail(error);
}

static struct own_rules *ready_rules(void)
{
        join_if_not_joined();
        return own_rules();
}

/* The message names the tool's option where there is a function here. */
static void name_function(char why[sizeof(((struct fault_mistake *)NULL)->why)])
{
        static const char option[] = "--any-error";
        static const char function[] = "shmfault_arm_any";
        char rest[sizeof(((struct fault_mistake *)NULL)->why)];
        char *at = strstr(why, option);
        if (!at)
                return;
        snprintf(rest, sizeof(rest), "%s", at + sizeof(option) - 1);
        snprintf(at, sizeof(rest) - (size_t)(at - why), "%s%s", function, rest);
}

/* Reads the rule; if it is not understood, shown is it as the message is to repeat it, or NULL. */
static bool read_rule(struct fault_rule *rule, const char *text, bool any_error, const char *shown, char *why,
                      size_t size)
{
        struct fault_mistake mistake;
        if (fault_rule_parse(rule, text, any_error, &mistake))
                return true;
        name_function(mistake.why);
        if (why && shown)
                snprintf(why, size, "'%s', column %u: %s", shown, mistake.column, mistake.why);
        else if (why)
                snprintf(why, size, "column %u: %s", mistake.column, mistake.why);
        return false;
}

static int arm(const char *text, bool any_error, const char *shown, char *why, size_t size)
{
        struct fault_rule rule;
        struct own_rules *own = ready_rules();
        if (!read_rule(&rule, text, any_error, shown, why, size))
                return fail(EINVAL);
        if (!own)
                return fail_with(ENOMEM, why, size, "there is no memory for rules");
        if (!real_calls_are_interposed())
                return fail_with(ENOSYS, why, size,
                                 "libshmfault stands behind the C library, where it sees no call: link with "
                                 "-lshmfault before -lc, or preload it");
        int handle = own_rules_arm(own, &rule);
        if (handle == -1)
                return fail_with(ENOSPC, why, size, "as many rules are armed as can be");
        return handle;
}

EXPORTED int shmfault_arm(const char *rule, char *why, size_t size)
{
        return arm(rule, false, NULL, why, size);
}

EXPORTED int shmfault_arm_any(const char *rule, char *why, size_t size)
{
        return arm(rule, true, NULL, why, size);
}

/* Appends to the text, or, once it is full, nothing. */
__attribute__((format(printf, 2, 3))) static void append(char text[LONGEST_RULE], const char *format, ...)
{
        size_t length = strlen(text);
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(text + length, LONGEST_RULE - length, format, arguments);
        va_end(arguments);
}

static void write_when(char text[LONGEST_RULE], const struct shmfault_rule *rule)
{
        if (!rule->first && !rule->last && !rule->step)
                return;
        append(text, ":when=%" PRIu64, rule->first ? rule->first : 1);
        if (rule->last)
                append(text, "..%" PRIu64, rule->last);
        if (rule->step || !rule->last)
                append(text, "+%" PRIu64, rule->step ? rule->step : 1);
}

EXPORTED int shmfault_arm_rule(const struct shmfault_rule *rule, char *why, size_t size)
{
        char text[LONGEST_RULE] = "";
        if (!rule->call)
                return fail_with(EINVAL, why, size, "the rule has no call");
        append(text, "%s", rule->call);
        if (rule->error)
                append(text, ":error=%d", rule->error);
        if (rule->signal_enter)
                append(text, ":signal_enter=%d", rule->signal_enter);
        if (rule->signal_exit)
                append(text, ":signal_exit=%d", rule->signal_exit);
        if (rule->delay_enter)
                append(text, ":delay_enter=%" PRIu64 "ns", rule->delay_enter);
        if (rule->delay_exit)
                append(text, ":delay_exit=%" PRIu64 "ns", rule->delay_exit);
        write_when(text, rule);
        if (rule->also)
                append(text, ":%s", rule->also);
        return arm(text, rule->any_error, text, why, size);
}

EXPORTED int shmfault_counts(int handle, struct shmfault_counts *counts)
{
        struct own_rules *own = ready_rules();
        if (!own || !own_rules_counters(own, handle, &counts->matched, &counts->hit))
                return fail(EINVAL);
        return 0;
}

EXPORTED int shmfault_disarm(int handle)
{
        struct own_rules *own = ready_rules();
        return own && own_rules_disarm(own, handle) ? 0 : fail(EINVAL);
}

EXPORTED int shmfault_reset(void)
{
        struct own_rules *own = ready_rules();
        if (!own)
                return fail(ENOMEM);
        own_rules_disarm_all(own);
        return 0;
}

EXPORTED ssize_t shmfault_segments(struct shmfault_segment *list, size_t room)
{
        struct own_rules *own = ready_rules();
        return own ? inventory_segments(&own->segments, list, room) : fail(ENOMEM);
}

EXPORTED ssize_t shmfault_attachments(struct shmfault_attachment *list, size_t room)
{
        return inventory_attachments(list, room);
}
