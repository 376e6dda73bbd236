/* The actions and selections of a rule: their names, their values, and which of them contradict each other. */
#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "fault_errors.h"
#include "fault_names.h"
#include "fault_reading.h"
#include "name_glob.h"
#include "shm_commands.h"

#define HIGHEST_ERROR 4095 /* the kernel's MAX_ERRNO: a result beyond it is no error */
#define LONGEST_LIST 256
#define HIGHEST_MODE 0177777

#ifdef NSIG
#define HIGHEST_SIGNAL (NSIG - 1)
#else
#define HIGHEST_SIGNAL (_NSIG - 1)
#endif

#define RESULT (FAULT_ERROR | FAULT_RETVAL)
#define NEEDS_THE_CALL (FAULT_SHORT | FAULT_CORRUPT)

static const char *const part_names[] = {
        [PART_ERROR] = "error",
        [PART_RETVAL] = "retval",
        [PART_SIGNAL] = "signal",
        [PART_SIGNAL_ENTER] = "signal_enter",
        [PART_SIGNAL_EXIT] = "signal_exit",
        [PART_DELAY] = "delay",
        [PART_DELAY_ENTER] = "delay_enter",
        [PART_DELAY_EXIT] = "delay_exit",
        [PART_CORRUPT] = "corrupt",
        [PART_SHORT] = "short",
        [PART_WHEN] = "when",
        [PART_KEY] = "key",
        [PART_SIZE] = "size",
        [PART_UID] = "uid",
        [PART_CALLER] = "caller",
        [PART_THREAD] = "thread",
        [PART_PROB] = "prob",
        [PART_SEED] = "seed",
        [PARTS] = NULL,
};
static const struct fault_names part_list = {part_names, NULL};

/* What stands behind the =. */
static const char *const part_values[PARTS] = {
        [PART_ERROR] = "the name of an error, as ENOSPC, or its number",
        [PART_RETVAL] = "a number, as -1 or 0x10, that the call's type can hold",
        [PART_SIGNAL] = "the name of a signal, as KILL, or its number",
        [PART_SIGNAL_ENTER] = "the name of a signal, as KILL, or its number",
        [PART_SIGNAL_EXIT] = "the name of a signal, as KILL, or its number",
        [PART_DELAY] = "a time, as 300us, 2ms, 1s or 50ns",
        [PART_DELAY_ENTER] = "a time, as 300us, 2ms, 1s or 50ns",
        [PART_DELAY_EXIT] = "a time, as 300us, 2ms, 1s or 50ns",
        [PART_CORRUPT] = "a member of shmid_ds and a value, as nattch:0",
        [PART_SHORT] = "a size from 1 byte on, as 512 or 4k",
        [PART_WHEN] = "N, N+, N+STEP, N..M or N..M+STEP, counted from 1",
        [PART_KEY] = "a key, as 5, 0x5e3a0001 or IPC_PRIVATE",
        [PART_SIZE] = "a size, as 4096, <4k, <=1M, >2G or >=1",
        [PART_UID] = "the number of a user",
        [PART_CALLER] = "a glob on a function's or a module's name, of at most 127 bytes",
        [PART_THREAD] = "a number from 1 on, or a glob on a thread's name, of at most 31 bytes",
        [PART_PROB] = "a probability from 0 to 1, as 0.01 or 1%",
        [PART_SEED] = "a number, as 1 or 0x10",
};

static const unsigned part_actions[PARTS] = {
        [PART_ERROR] = FAULT_ERROR,
        [PART_RETVAL] = FAULT_RETVAL,
        [PART_SIGNAL] = FAULT_SIGNAL_ENTER,
        [PART_SIGNAL_ENTER] = FAULT_SIGNAL_ENTER,
        [PART_SIGNAL_EXIT] = FAULT_SIGNAL_EXIT,
        [PART_DELAY] = FAULT_DELAY_ENTER,
        [PART_DELAY_ENTER] = FAULT_DELAY_ENTER,
        [PART_DELAY_EXIT] = FAULT_DELAY_EXIT,
        [PART_CORRUPT] = FAULT_CORRUPT,
        [PART_SHORT] = FAULT_SHORT,
};

static const unsigned part_selections[PARTS] = {
        [PART_KEY] = FAULT_BY_KEY,       [PART_SIZE] = FAULT_BY_SIZE,     [PART_UID] = FAULT_BY_UID,
        [PART_CALLER] = FAULT_BY_CALLER, [PART_THREAD] = FAULT_BY_THREAD, [PART_PROB] = FAULT_BY_CHANCE,
};

/* The values that each member can be told to have; "max" stands for the last. */
static const struct member_values {
        int64_t lowest;
        uint64_t highest;
        int64_t max;
        const char *text;
} member_values[FAULT_MEMBERS] = {
#define COUNT                                                                                                          \
        {                                                                                                              \
                0, UINT64_MAX, -1, "a number of 64 bits, or max"                                                       \
        }
#define ID                                                                                                             \
        {                                                                                                              \
                0, UINT32_MAX, -1, "a number of 32 bits, or max"                                                       \
        }
#define PID                                                                                                            \
        {                                                                                                              \
                INT32_MIN, INT32_MAX, INT32_MAX, "a number of 32 bits with a sign, or max"                             \
        }
#define TIME                                                                                                           \
        {                                                                                                              \
                INT64_MIN, INT64_MAX, INT64_MAX, "seconds since 1970, or max"                                          \
        }
        [FAULT_MEMBER_NATTCH] = COUNT,
        [FAULT_MEMBER_SEGSZ] = COUNT,
        [FAULT_MEMBER_MODE] = {0, HIGHEST_MODE, -1, "bits, as 0600, or max"},
        [FAULT_MEMBER_UID] = ID,
        [FAULT_MEMBER_GID] = ID,
        [FAULT_MEMBER_CUID] = ID,
        [FAULT_MEMBER_CGID] = ID,
        [FAULT_MEMBER_CPID] = PID,
        [FAULT_MEMBER_LPID] = PID,
        [FAULT_MEMBER_ATIME] = TIME,
        [FAULT_MEMBER_DTIME] = TIME,
        [FAULT_MEMBER_CTIME] = TIME,
#undef COUNT
#undef ID
#undef PID
#undef TIME
};

static size_t length_of(struct fault_span word)
{
        return (size_t)(word.to - word.from);
}

static bool begins(struct fault_span word, const char *with)
{
        return length_of(word) >= strlen(with) && strncasecmp(word.from, with, strlen(with)) == 0;
}

static bool is_word(struct fault_span text, const char *word)
{
        return length_of(text) == strlen(word) && begins(text, word);
}

/* Notes that the value is not understood from this place on; true if wrong is NULL. */
static bool understood(struct fault_reading *r, enum fault_part part, struct fault_span value, const char *wrong)
{
        if (!wrong)
                return true;
        return fault_mistaken(r, wrong, NULL, "%s= takes %s, not '%s'", part_names[part], part_values[part],
                              fault_word(r, value));
}

/* The same for a word that is none of the names. */
static bool unknown(struct fault_reading *r, enum fault_part part, struct fault_span value, const char *const *names)
{
        understood(r, part, value, value.from);
        r->mistake->nearest_of = names;
        return false;
}

static bool is_numeric(struct fault_span word)
{
        return isdigit((unsigned char)*word.from) || *word.from == '-' || *word.from == '+';
}

/* Whether an earlier row of the table tells of the same error for one of the rule's calls. */
static bool is_told_before(const struct fault_rule *rule, size_t index)
{
        for (size_t i = 0; i < index; i++) {
                const struct fault_error *row = &fault_errors[i];
                if (row->error == fault_errors[index].error && fault_error_is_of(row, rule->calls, rule->command))
                        return true;
        }
        return false;
}

/* The errors that the rule's calls can have, with commas between them. */
static void list_errors(const struct fault_rule *rule, char list[LONGEST_LIST])
{
        size_t length = 0;
        list[0] = '\0';
        for (size_t i = 0; i < fault_error_count && length < LONGEST_LIST; i++) {
                const struct fault_error *row = &fault_errors[i];
                if (fault_error_is_of(row, rule->calls, rule->command) && !is_told_before(rule, i))
                        length += (size_t)snprintf(list + length, LONGEST_LIST - length, "%s%s", length ? ", " : "",
                                                   fault_error_name(row->error));
        }
}

static bool read_error(struct fault_reading *r, enum fault_part part, struct fault_span value)
{
        struct fault_rule *rule = r->rule;
        if (is_numeric(value)) {
                uint64_t number = 0;
                const char *wrong = fault_read_number(value, HIGHEST_ERROR, &number);
                if (wrong || number == 0)
                        return understood(r, part, value, wrong ? wrong : value.from);
                rule->error = (int)number;
        } else if (!fault_name_find(&fault_error_names, value.from, length_of(value), &rule->error)) {
                return unknown(r, part, value, fault_error_names.names);
        }
        if (r->any_error || fault_error_is_known(rule->calls, rule->command, rule->error))
                return true;
        char list[LONGEST_LIST];
        list_errors(rule, list);
        const char *name = fault_error_name(rule->error);
        const char *word = fault_word(r, value);
        return fault_mistaken(r, value.from, NULL,
                              "%.*s cannot fail with %s by any documentation (it can: %s); --any-error accepts it",
                              (int)(length_of(r->calls) < 64 ? length_of(r->calls) : 64), r->calls.from,
                              name ? name : word, list);
}

static bool read_retval(struct fault_reading *r, enum fault_part part, struct fault_span value)
{
        int64_t *retval = &r->rule->retval;
        bool is_int = !(r->rule->calls & 1U << SHM_CALL_SHMAT);
        const char *wrong = fault_read_signed(value, retval);
        if (!wrong && is_int && (*retval < INT32_MIN || *retval > UINT32_MAX))
                wrong = value.from;
        return understood(r, part, value, wrong);
}

/* RTMIN, RTMIN+N, RTMAX or RTMAX-N; returns the place that is something else, or NULL. */
static const char *read_real_time_signal(struct fault_span word, int *number)
{
        bool lowest = begins(word, "RTMIN");
        struct fault_span distance = {word.from + strlen("RTMIN"), word.to};
        uint64_t n = 0;
        if (distance.from < distance.to) {
                if (*distance.from != (lowest ? '+' : '-'))
                        return distance.from;
                distance.from++;
                const char *wrong = fault_read_number(distance, (uint64_t)(SIGRTMAX - SIGRTMIN), &n);
                if (wrong)
                        return wrong;
        }
        *number = lowest ? SIGRTMIN + (int)n : SIGRTMAX - (int)n;
        return NULL;
}

static bool read_signal(struct fault_reading *r, enum fault_part part, struct fault_span value)
{
        int *number = part == PART_SIGNAL_EXIT ? &r->rule->signal_exit : &r->rule->signal_enter;
        if (is_numeric(value)) {
                uint64_t n = 0;
                const char *wrong = fault_read_number(value, HIGHEST_SIGNAL, &n);
                *number = (int)n;
                return understood(r, part, value, wrong || n > 0 ? wrong : value.from);
        }
        bool is_long = begins(value, "SIG");
        const struct fault_names *names = is_long ? &fault_signal_names : &fault_short_signal_names;
        struct fault_span name = {value.from + (is_long ? strlen("SIG") : 0), value.to};
        if (begins(name, "RTMIN") || begins(name, "RTMAX"))
                return understood(r, part, value, read_real_time_signal(name, number));
        return fault_name_find(names, value.from, length_of(value), number) || unknown(r, part, value, names->names);
}

static bool read_delay(struct fault_reading *r, enum fault_part part, struct fault_span value)
{
        uint64_t *delay = part == PART_DELAY_EXIT ? &r->rule->delay_exit : &r->rule->delay_enter;
        return understood(r, part, value, fault_read_time(value, delay));
}

/* A number within what the member can be told to have. */
static const char *read_member_value(struct fault_span text, const struct member_values *kind, int64_t *value)
{
        if (is_word(text, "max")) {
                *value = kind->max;
                return NULL;
        }
        const char *wrong = NULL;
        if (kind->lowest < 0) {
                wrong = fault_read_signed(text, value);
                bool fits = *value >= kind->lowest && *value <= (int64_t)kind->highest;
                return wrong || fits ? wrong : text.from;
        }
        uint64_t number = 0;
        wrong = kind->highest == HIGHEST_MODE ? fault_read_octal_number(text, kind->highest, &number)
                                              : fault_read_number(text, kind->highest, &number);
        *value = (int64_t)number;
        return wrong;
}

static bool read_corrupt(struct fault_reading *r, enum fault_part part, struct fault_span value)
{
        int member = 0;
        struct fault_span name = value;
        struct fault_span text;
        if (begins(name, "shm_") && !is_word(name, "shm_"))
                name.from += strlen("shm_");
        if (!fault_name_find(&fault_member_names, name.from, length_of(name), &member))
                return unknown(r, part, name, fault_member_names.names);
        r->rule->member = (enum fault_member)member;
        const struct member_values *kind = &member_values[member];
        if (!fault_take_part(r, &text) || text.from == text.to)
                return fault_mistaken(r, value.to, NULL, "corrupt=%s is followed by :VALUE, %s",
                                      fault_member_name(r->rule->member), kind->text);
        const char *wrong = read_member_value(text, kind, &r->rule->value);
        return !wrong || fault_mistaken(r, wrong, NULL, "%s takes %s, not '%s'", fault_member_name(r->rule->member),
                                        kind->text, fault_word(r, text));
}

static bool read_short(struct fault_reading *r, enum fault_part part, struct fault_span value)
{
        const char *wrong = fault_read_size(value, &r->rule->short_size);
        return understood(r, part, value, wrong || r->rule->short_size > 0 ? wrong : value.from);
}

static bool read_when(struct fault_reading *r, enum fault_part part, struct fault_span value)
{
        struct fault_rule *rule = r->rule;
        return understood(r, part, value, fault_read_when(value, &rule->first, &rule->last, &rule->step));
}

static bool read_key(struct fault_reading *r, enum fault_part part, struct fault_span value)
{
        int64_t key = IPC_PRIVATE;
        const char *wrong = NULL;
        if (!is_word(value, "IPC_PRIVATE"))
                wrong = fault_read_signed(value, &key);
        if (!wrong && (key < INT32_MIN || key > UINT32_MAX))
                wrong = value.from;
        r->rule->key = (uint32_t)key;
        return understood(r, part, value, wrong);
}

static bool read_size(struct fault_reading *r, enum fault_part part, struct fault_span value)
{
        return understood(r, part, value, fault_read_sizes(value, &r->rule->size_low, &r->rule->size_high));
}

static bool read_uid(struct fault_reading *r, enum fault_part part, struct fault_span value)
{
        uint64_t uid = 0;
        const char *wrong = fault_read_number(value, UINT32_MAX - 1, &uid); /* (uid_t)-1 is nobody's */
        r->rule->uid = (uint32_t)uid;
        return understood(r, part, value, wrong);
}

/* Copies the glob, if it is whole and fits. */
static bool read_glob(struct fault_reading *r, enum fault_part part, struct fault_span value, char *glob, size_t size)
{
        size_t length = length_of(value);
        if (length >= size)
                return understood(r, part, value, value.from);
        memcpy(glob, value.from, length);
        glob[length] = '\0';
        const char *flaw = name_glob_flaw(glob);
        return !flaw ||
               fault_mistaken(r, value.from + (flaw - glob), NULL, "in the glob '%s', %s", fault_word(r, value),
                              *flaw == '[' ? "a [ has no ]" : "nothing stands behind the \\");
}

static bool read_caller(struct fault_reading *r, enum fault_part part, struct fault_span value)
{
        return read_glob(r, part, value, r->rule->caller, sizeof(r->rule->caller));
}

static bool read_thread(struct fault_reading *r, enum fault_part part, struct fault_span value)
{
        if (strspn(value.from, "0123456789") < length_of(value))
                return read_glob(r, part, value, r->rule->thread_name, sizeof(r->rule->thread_name));
        uint64_t number = 0;
        const char *wrong = fault_read_number(value, UINT32_MAX, &number);
        r->rule->thread = (unsigned)number;
        return understood(r, part, value, wrong || number > 0 ? wrong : value.from);
}

static bool read_prob(struct fault_reading *r, enum fault_part part, struct fault_span value)
{
        return understood(r, part, value, fault_read_chance(value, &r->rule->chance));
}

static bool read_seed(struct fault_reading *r, enum fault_part part, struct fault_span value)
{
        return understood(r, part, value, fault_read_number(value, UINT64_MAX, &r->rule->seed));
}

static bool (*const part_readers[PARTS])(struct fault_reading *r, enum fault_part part, struct fault_span value) = {
        [PART_ERROR] = read_error,        [PART_RETVAL] = read_retval,
        [PART_SIGNAL] = read_signal,      [PART_SIGNAL_ENTER] = read_signal,
        [PART_SIGNAL_EXIT] = read_signal, [PART_DELAY] = read_delay,
        [PART_DELAY_ENTER] = read_delay,  [PART_DELAY_EXIT] = read_delay,
        [PART_CORRUPT] = read_corrupt,    [PART_SHORT] = read_short,
        [PART_WHEN] = read_when,          [PART_KEY] = read_key,
        [PART_SIZE] = read_size,          [PART_UID] = read_uid,
        [PART_CALLER] = read_caller,      [PART_THREAD] = read_thread,
        [PART_PROB] = read_prob,          [PART_SEED] = read_seed,
};

/* The action of the rule that this part repeats or contradicts, or PARTS. */
static enum fault_part find_clash(const struct fault_reading *r, enum fault_part part)
{
        unsigned action = part_actions[part];
        unsigned clashing = action;
        if (action & RESULT)
                clashing |= RESULT | NEEDS_THE_CALL;
        if (action & NEEDS_THE_CALL)
                clashing |= RESULT;
        for (unsigned i = 0; i < PARTS; i++) {
                if (r->given[i] && (i == (unsigned)part || part_actions[i] & clashing))
                        return (enum fault_part)i;
        }
        return PARTS;
}

static bool agrees_with_others(struct fault_reading *r, enum fault_part part, const char *at)
{
        enum fault_part other = find_clash(r, part);
        if (other == PARTS)
                return true;
        if (other == part || part_actions[other] == part_actions[part])
                return fault_mistaken(r, at, NULL, "the rule has %s already", part_names[other]);
        return fault_mistaken(r, at, NULL, "%s contradicts %s: a call whose result is given is not made",
                              part_names[part], part_names[other]);
}

/* Whether the rule is about a call that the part is of. */
static bool agrees_with_calls(struct fault_reading *r, enum fault_part part, const char *at)
{
        const struct fault_rule *rule = r->rule;
        bool of_shmget = part == PART_SHORT || part == PART_KEY || part == PART_SIZE;
        if (of_shmget && !(rule->calls & 1U << SHM_CALL_SHMGET))
                return fault_mistaken(r, at, NULL, "%s is of shmget, which the rule is not about", part_names[part]);
        bool stat = rule->calls & 1U << SHM_CALL_SHMCTL &&
                    (rule->command == FAULT_ANY_COMMAND || fault_command_stats(rule->command));
        if (part == PART_CORRUPT && !stat)
                return fault_mistaken(r, at, NULL,
                                      "corrupt is of shmctl with IPC_STAT, SHM_STAT or SHM_STAT_ANY, which the rule is "
                                      "not about");
        return true;
}

bool fault_part_read(struct fault_reading *r, struct fault_span whole)
{
        const char *equals = memchr(whole.from, '=', length_of(whole));
        struct fault_span name = {whole.from, equals ? equals : whole.to};
        struct fault_span value = {equals ? equals + 1 : whole.to, whole.to};
        int number = 0;
        if (whole.from == whole.to)
                return fault_mistaken(r, whole.from, NULL, "nothing stands behind the colon");
        if (!fault_name_find(&part_list, name.from, length_of(name), &number))
                return fault_mistaken(r, name.from, part_names, "unknown action or selection '%s'",
                                      fault_word(r, name));
        enum fault_part part = (enum fault_part)number;
        if (!agrees_with_calls(r, part, name.from) || !agrees_with_others(r, part, name.from))
                return false;
        r->given[part] = name.from;
        r->rule->actions |= part_actions[part];
        r->rule->selection |= part_selections[part];
        if (part == PART_SHORT && !equals)
                return true;
        if (value.from == value.to)
                return fault_mistaken(r, whole.to, NULL, "%s= takes %s", part_names[part], part_values[part]);
        return part_readers[part](r, part, value);
}
