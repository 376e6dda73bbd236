#include "caller_facts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OVERFLOW_UID                                                                                                   \
        65534 /* what geteuid tells of a user that the namespace has no number for (user_namespaces(7))                \
               */

/* Returns how much of the thread's file fits into text, NUL behind it, or -1. */
static ssize_t read_file(pid_t thread, const char *name, char *text, size_t size)
{
        char path[64];
        snprintf(path, sizeof(path), "/proc/%d/%s", (int)thread, name);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd == -1)
                return -1;
        ssize_t n = read(fd, text, size - 1);
        close(fd);
        if (n >= 0)
                text[n] = '\0';
        return n;
}

/* What stands behind the name of a line of /proc/THREAD/status, or NULL. */
static const char *find_line(const char *text, const char *name)
{
        const char *line = strstr(text, name);
        return line ? line + strlen(name) : NULL;
}

static uint64_t signal_set(const char *text, const char *name)
{
        const char *line = find_line(text, name);
        return line ? strtoull(line, NULL, 16) : 0;
}

/* The last number of the line is the one in the innermost PID namespace. */
static bool is_first(const char *line)
{
        const char *end = strchrnul(line, '\n');
        const char *last = end;
        while (last > line && last[-1] != '\t' && last[-1] != ' ')
                last--;
        return end - last == 1 && *last == '1';
}

bool caller_status_read(pid_t thread, struct caller_status *status)
{
        char text[4096];
        if (read_file(thread, "status", text, sizeof(text)) <= 0)
                return false;
        const char *group = find_line(text, "\nTgid:");
        const char *users = find_line(text, "\nUid:");
        const char *inner = find_line(text, "\nNSpid:");
        unsigned effective = 0;
        if (!group || !users || sscanf(users, "%*u %u", &effective) != 1)
                return false;
        *status = (struct caller_status){.process = (pid_t)strtol(group, NULL, 10),
                                         .uid = effective,
                                         .blocked = signal_set(text, "\nSigBlk:"),
                                         .ignored = signal_set(text, "\nSigIgn:"),
                                         .caught = signal_set(text, "\nSigCgt:"),
                                         .first = inner && is_first(inner)};
        return true;
}

static bool in_our_user_namespace(pid_t thread)
{
        char path[64];
        struct stat ours;
        struct stat its;
        snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)thread);
        return stat("/proc/self/ns/user", &ours) == -1 || stat(path, &its) == -1 ||
               (ours.st_dev == its.st_dev && ours.st_ino == its.st_ino);
}

uint32_t caller_uid_inside(pid_t thread, uint32_t uid)
{
        char text[4096];
        /* A map that is read from within its own namespace tells of the parent, not of this process. */
        if (in_our_user_namespace(thread) || read_file(thread, "uid_map", text, sizeof(text)) <= 0)
                return uid;
        for (const char *line = text; line && *line; line = strchr(line, '\n'), line += line != NULL) {
                uint32_t inside = 0;
                uint32_t outside = 0;
                uint32_t length = 0;
                if (sscanf(line, "%" SCNu32 " %" SCNu32 " %" SCNu32, &inside, &outside, &length) == 3 &&
                    uid - outside < length)
                        return inside + (uid - outside);
        }
        return OVERFLOW_UID;
}

bool caller_name(pid_t thread, char name[16])
{
        char text[64];
        ssize_t n = read_file(thread, "comm", text, sizeof(text));
        if (n <= 0)
                return false;
        text[strcspn(text, "\n")] = '\0';
        snprintf(name, 16, "%.15s", text);
        return true;
}

static bool ignored_by_default(int signal_number)
{
        return signal_number == SIGCHLD || signal_number == SIGCONT || signal_number == SIGURG ||
               signal_number == SIGWINCH;
}

bool caller_will_heed(const struct caller_status *status, int signal_number)
{
        uint64_t bit = UINT64_C(1) << (signal_number - 1);
        if (signal_number == SIGKILL || signal_number == SIGSTOP)
                return true;
        if ((status->blocked | status->ignored) & bit)
                return false;
        return status->caught & bit || !(status->first || ignored_by_default(signal_number));
}

struct caller {
        pid_t process, thread;
        uint64_t process_start, thread_start; /* in ticks since the machine's start; 0: not asked for */
        unsigned number;                      /* 0: not asked for */
};

static bool belongs(pid_t process, pid_t thread)
{
        return tgkill(process, thread, 0) == 0 || errno == EPERM;
}

static struct caller *find_thread(const struct callers *callers, pid_t thread)
{
        for (size_t i = callers->count; i-- > 0;) {
                if (callers->known[i].thread == thread)
                        return &callers->known[i];
        }
        return NULL;
}

/* Forgets nothing that was numbered: the next thread's number hangs on it. */
static void remember(struct callers *callers, struct caller *known, struct caller caller)
{
        if (known && !known->number) {
                *known = caller;
                return;
        }
        if (callers->count == callers->room) {
                size_t room = callers->room ? 2 * callers->room : 32;
                struct caller *grown = realloc(callers->known, room * sizeof(grown[0]));
                if (!grown)
                        return;
                callers->known = grown;
                callers->room = room;
        }
        callers->known[callers->count++] = caller;
}

pid_t callers_process(struct callers *callers, pid_t thread)
{
        struct caller_status status;
        if (belongs(thread, thread))
                return thread;
        struct caller *known = find_thread(callers, thread);
        if (known && belongs(known->process, thread))
                return known->process;
        if (!caller_status_read(thread, &status))
                return 0;
        remember(callers, known, (struct caller){.process = status.process, .thread = thread});
        return status.process;
}

/* Field 22 of /proc/THREAD/stat; 0 if it is gone. */
static uint64_t start_of(pid_t thread)
{
        char text[1024];
        if (read_file(thread, "stat", text, sizeof(text)) <= 0)
                return 0;
        const char *field = strrchr(text, ')');
        for (int number = 2; field && number < 22; number++) {
                field = strchr(field, ' ');
                field += field != NULL;
        }
        return field ? strtoull(field, NULL, 10) : 0;
}

static unsigned next_number(const struct callers *callers, const struct caller *caller)
{
        unsigned number = 1;
        for (size_t i = 0; i < callers->count; i++) {
                const struct caller *other = &callers->known[i];
                if (other->process == caller->process && other->process_start == caller->process_start &&
                    other->number > number)
                        number = other->number;
        }
        return number + 1;
}

unsigned callers_number(struct callers *callers, pid_t thread)
{
        struct caller caller = {.process = callers_process(callers, thread), .thread = thread};
        if (caller.process == 0 || caller.process == thread)
                return caller.process ? 1 : 0;
        caller.thread_start = start_of(thread);
        caller.process_start = start_of(caller.process);
        struct caller *known = find_thread(callers, thread);
        if (known && known->number && known->thread_start == caller.thread_start &&
            known->process_start == caller.process_start)
                return known->number;
        caller.number = next_number(callers, &caller);
        remember(callers, known, caller);
        return caller.number;
}

void callers_free(struct callers *callers)
{
        free(callers->known);
        *callers = (struct callers){0};
}
