#include "plan_read.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "nearest.h"

static void complain_of_mistake(const char *where, const struct fault_mistake *mistake)
{
        json_t *names = json_array();
        for (const char *const *name = mistake->nearest_of; name && *name; name++)
                json_array_append_new(names, json_string(*name));
        const char *nearest = nearest_name(mistake->word, names);
        if (nearest)
                complain("%s%s; the nearest is '%s'", where, mistake->why, nearest);
        else
                complain("%s%s", where, mistake->why);
        json_decref(names);
}

static void complain_of_option(const char *option, const char *text, const struct fault_mistake *mistake)
{
        char where[FAULT_TEXT + 64];
        snprintf(where, sizeof(where), "%s '%.*s': column %u: ", option, FAULT_TEXT, text, mistake->column);
        complain_of_mistake(where, mistake);
}

/* Room for one more rule, or NULL after one line on standard error. */
static struct fault_rule *next_rule(struct fault_plan *plan)
{
        if (plan->count < FAULT_RULES)
                return &plan->rules[plan->count];
        complain("a plan has at most %d rules", FAULT_RULES);
        return NULL;
}

static bool read_options(struct fault_plan *plan, char *const *rules, bool any_error)
{
        for (; rules && *rules; rules++) {
                struct fault_mistake mistake;
                struct fault_rule *rule = next_rule(plan);
                if (!rule)
                        return false;
                if (!fault_rule_parse(rule, *rules, any_error, &mistake)) {
                        complain_of_option("--inject", *rules, &mistake);
                        return false;
                }
                plan->count++;
        }
        return true;
}

/* ---- a file ---- */

/* Takes comment and white space off the end. */
static void trim(char *line)
{
        for (char *p = line; *p; p++) {
                if (*p == '#' && (p == line || isspace((unsigned char)p[-1])))
                        *p-- = '\0';
        }
        size_t length = strlen(line);
        while (length > 0 && isspace((unsigned char)line[length - 1]))
                line[--length] = '\0';
}

static bool read_line(struct fault_plan *plan, const char *file, unsigned number, char *line, bool any_error)
{
        struct fault_mistake mistake;
        trim(line);
        const char *text = line + strspn(line, " \t");
        if (!*text)
                return true;
        struct fault_rule *rule = next_rule(plan);
        if (!rule)
                return false;
        if (fault_rule_parse(rule, text, any_error, &mistake)) {
                plan->count++;
                return true;
        }
        char where[512];
        snprintf(where, sizeof(where), "%s:%u:%u: ", file, number, mistake.column + (unsigned)(text - line));
        complain_of_mistake(where, &mistake);
        return false;
}

static bool read_lines(struct fault_plan *plan, FILE *f, const char *file, bool any_error)
{
        char *line = NULL;
        size_t room = 0;
        bool good = true;
        ssize_t length = 0;
        for (unsigned number = 1; good && (length = getline(&line, &room, f)) != -1; number++) {
                good = strlen(line) == (size_t)length;
                if (!good)
                        complain("%s:%u:%zu: a NUL character", file, number, strlen(line) + 1);
                good = good && read_line(plan, file, number, line, any_error);
        }
        if (good && ferror(f)) {
                complain("%s: %s", file, strerror(errno));
                good = false;
        }
        free(line);
        return good;
}

bool plan_read(struct fault_plan *plan, char *const *rules, const char *file, bool any_error)
{
        plan->count = 0;
        if (!read_options(plan, rules, any_error))
                return false;
        if (!file)
                return true;
        FILE *f = fopen(file, "re");
        if (!f) {
                complain("--plan %s: %s", file, strerror(errno));
                return false;
        }
        bool good = read_lines(plan, f, file, any_error);
        fclose(f);
        return good;
}

bool denials_read(struct deny *deny, char *const *denials)
{
        memset(deny, 0, sizeof(*deny));
        for (; denials && *denials; denials++) {
                struct fault_mistake mistake;
                if (!deny_parse(deny, *denials, &mistake)) {
                        complain_of_option("--deny", *denials, &mistake);
                        return false;
                }
        }
        return true;
}
