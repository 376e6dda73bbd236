#include "deny.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "shm_filter.h"

static const char *const call_names[] = {"shmget", "shmat", "shmdt", "shmctl", "shm", NULL};
static const unsigned call_bits[] = {1U << SHM_CALL_SHMGET, 1U << SHM_CALL_SHMAT, 1U << SHM_CALL_SHMDT,
                                     1U << SHM_CALL_SHMCTL, SHM_FILTER_CALLS};

static const char *const error_names[] = {"EPERM", "ENOSYS", NULL};
static const int errors[] = {EPERM, ENOSYS};

/* A word of a text that is read. */
struct word {
        const char *text; /* the whole text */
        const char *start;
        size_t length;
};

static bool mistaken(const struct word *word, const char *why, const char *const *names, struct fault_mistake *mistake)
{
        *mistake = (struct fault_mistake){.column = (unsigned)(word->start - word->text) + 1, .nearest_of = names};
        snprintf(mistake->word, sizeof(mistake->word), "%.*s", (int)word->length, word->start);
        snprintf(mistake->why, sizeof(mistake->why), "%s", why);
        return false;
}

/* Returns the index of the word among the names, or -1. */
static int find(const char *const *names, const struct word *word)
{
        for (int i = 0; names[i]; i++) {
                if (strlen(names[i]) == word->length && strncmp(names[i], word->start, word->length) == 0)
                        return i;
        }
        return -1;
}

static bool set(struct deny *deny, unsigned call, bool named, int error)
{
        bool stronger = named && !deny->named[call];
        bool weaker = !named && deny->named[call];
        if (weaker)
                return true;
        if (deny->errors[call] && deny->errors[call] != error && !stronger)
                return false;
        deny->errors[call] = error;
        deny->named[call] = named;
        return true;
}

static bool parse_one(struct deny *deny, struct word call, struct word error, struct fault_mistake *mistake)
{
        int name = find(call_names, &call);
        int value = find(error_names, &error);
        if (name == -1 && call.length == 4 && strncmp(call.start, "ftok", 4) == 0)
                return mistaken(&call, "is no system call, so a filter cannot deny it", NULL, mistake);
        if (name == -1)
                return mistaken(&call, "expected shmget, shmat, shmdt, shmctl or shm", call_names, mistake);
        if (value == -1)
                return mistaken(&error, "expected =EPERM or =ENOSYS", error_names, mistake);
        bool named = call_names[name + 1] != NULL;
        for (unsigned i = 0; i < SHM_CALLS; i++) {
                if (call_bits[name] >> i & 1 && !set(deny, i, named, errors[value]))
                        return mistaken(&call, "is denied with another error already", NULL, mistake);
        }
        return true;
}

bool deny_parse(struct deny *deny, const char *text, struct fault_mistake *mistake)
{
        const char *start = text;
        for (;;) {
                size_t whole = strcspn(start, ",");
                size_t length = strcspn(start, ",=");
                size_t separator = length < whole;
                struct word call = {.text = text, .start = start, .length = length};
                struct word error = {
                        .text = text, .start = start + length + separator, .length = whole - length - separator};
                if (!parse_one(deny, call, error, mistake))
                        return false;
                if (start[whole] == '\0')
                        return true;
                start += whole + 1;
        }
}

int deny_install(const struct deny *deny, char *why, size_t size)
{
        uint32_t actions[SHM_CALLS];
        for (unsigned call = 0; call < SHM_CALLS; call++)
                actions[call] = deny->errors[call] ? SCMP_ACT_ERRNO((uint32_t)deny->errors[call]) : SCMP_ACT_ALLOW;
        scmp_filter_ctx filter = shm_filter_new(actions, why, size);
        if (!filter)
                return -1;
        int loaded = shm_filter_load(filter, false, why, size);
        int error = errno;
        seccomp_release(filter);
        errno = error;
        return loaded;
}
