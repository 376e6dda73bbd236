#include "sweep_faults.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>

#include "fault_errors.h"
#include "shm_commands.h"

/* More than any system lets be attached by chance, and less than fits no counter. */
#define MANY_ATTACHED 1000

static bool add(struct sweep_fault_list *list, const struct sweep_fault *fault)
{
        if (list->count == list->room) {
                size_t room = list->room ? 2 * list->room : 64;
                struct sweep_fault *grown = reallocarray(list->items, room, sizeof(grown[0]));
                if (!grown)
                        return false;
                list->items = grown;
                list->room = room;
        }
        list->items[list->count++] = *fault;
        return true;
}

/* ---- rules ---- */

static void write_call(const struct sweep_fault *f, char *text, size_t size)
{
        if (f->command == FAULT_ANY_COMMAND)
                snprintf(text, size, "%s", shm_call_name(f->call));
        else
                snprintf(text, size, "%s/%s", shm_call_name(f->call), shm_command_name(f->command));
}

/* action: what stands behind the call and before when=. */
static void write_rule(struct sweep_fault *f, const char *action)
{
        char call[64];
        write_call(f, call, sizeof(call));
        snprintf(f->rule, sizeof(f->rule), "%s:%s:when=%llu%s", call, action, (unsigned long long)f->ordinal,
                 f->from_then_on ? "+" : "");
}

static void write_error_rule(struct sweep_fault *f)
{
        char action[64];
        snprintf(action, sizeof(action), "error=%s", fault_error_name(f->error));
        write_rule(f, action);
}

static struct sweep_fault fault_at(const struct sweep_call *call, enum sweep_fault_kind kind)
{
        return (struct sweep_fault){.kind = kind,
                                    .call = call->call,
                                    .command = call->command,
                                    .ordinal = call->ordinal,
                                    .site = call->site};
}

struct sweep_fault sweep_fault_from_then_on(const struct sweep_fault *fault)
{
        struct sweep_fault f = *fault;
        f.from_then_on = true;
        write_error_rule(&f);
        return f;
}

bool sweep_fault_shorten(struct sweep_fault *fault)
{
        char *when = strstr(fault->rule, ":when=");
        if (fault->ordinal != 1 || fault->kind != SWEEP_ERROR || !when)
                return false;
        *when = '\0';
        fault->from_then_on = true;
        return true;
}

/* ---- errors ---- */

/* Whether a call of shmget with these arguments can come to fail so. */
static bool get_can_fail(const struct sweep_call *call, int error)
{
        bool named = (uint32_t)call->args[0] != IPC_PRIVATE;
        bool creates = !named || call->args[2] & IPC_CREAT;
        bool exclusive = named && (call->args[2] & (IPC_CREAT | IPC_EXCL)) == (IPC_CREAT | IPC_EXCL);
        switch (error) {
        case EEXIST:
                return exclusive;
        case ENOENT:
                return !creates;
        case EACCES:
                return named && !exclusive;
        case ENOSPC:
        case ENOMEM:
        case ENFILE:
                return creates;
        default:
                return true;
        }
}

static bool is_chosen(const struct sweep_choice *choice, const struct fault_error *row)
{
        enum fault_source source = choice->profile == SWEEP_POSIX ? row->posix : row->linux_;
        return source == FAULT_YES || (source == FAULT_RARE && choice->rare);
}

static bool is_about(const struct fault_error *row, const struct sweep_call *call)
{
        return row->call == call->call && (row->command == FAULT_ANY_COMMAND || row->command == call->command);
}

/* Where a row for all commands says what one for this command says better. */
static bool is_said_better(const struct fault_error *row, const struct sweep_call *call)
{
        for (size_t i = 0; row->command == FAULT_ANY_COMMAND && i < fault_error_count; i++) {
                const struct fault_error *other = &fault_errors[i];
                if (other->call == call->call && other->error == row->error && other->command == call->command &&
                    other != row)
                        return true;
        }
        return false;
}

static bool add_errors(struct sweep_fault_list *list, const struct sweep_choice *choice, const struct sweep_call *call)
{
        for (size_t i = 0; i < fault_error_count; i++) {
                const struct fault_error *row = &fault_errors[i];
                if (!is_about(row, call) || !is_chosen(choice, row) || is_said_better(row, call) ||
                    row->error == call->error || (call->call == SHM_CALL_SHMGET && !get_can_fail(call, row->error)))
                        continue;
                struct sweep_fault f = fault_at(call, SWEEP_ERROR);
                f.error = row->error;
                f.when = row->when;
                write_error_rule(&f);
                if (!add(list, &f))
                        return false;
        }
        return true;
}

/* ---- what is no errno ---- */

static bool add_other(struct sweep_fault_list *list, const struct sweep_call *call, enum sweep_fault_kind kind,
                      const char *action, const char *when)
{
        struct sweep_fault f = fault_at(call, kind);
        f.when = when;
        write_rule(&f, action);
        return add(list, &f);
}

static bool add_kills(struct sweep_fault_list *list, const struct sweep_call *call)
{
        return add_other(list, call, SWEEP_KILL, "signal_enter=KILL", "out of memory, or an impatient administrator") &&
               add_other(list, call, SWEEP_KILL, "signal_exit=KILL", "out of memory, or an impatient administrator");
}

static bool add_delays(struct sweep_fault_list *list, const struct sweep_call *call, int64_t delay)
{
        static const char when[] = "another process gets in between: create and initialise, stat and attach, stat and "
                                   "remove";
        char before[64];
        char after[64];
        snprintf(before, sizeof(before), "delay_enter=%lldus", (long long)delay / 1000);
        snprintf(after, sizeof(after), "delay_exit=%lldus", (long long)delay / 1000);
        return add_other(list, call, SWEEP_DELAY, before, when) && add_other(list, call, SWEEP_DELAY, after, when);
}

/* Only a segment that may have been there before can be another's idea of one. */
static bool can_be_short(const struct sweep_call *call)
{
        return call->call == SHM_CALL_SHMGET && (uint32_t)call->args[0] != IPC_PRIVATE && !(call->args[2] & IPC_EXCL) &&
               call->args[1] > 1 && !call->error;
}

static bool add_lies(struct sweep_fault_list *list, const struct sweep_call *call)
{
        static const char stale[] = "the answer was true when it was given";
        char many[64];
        snprintf(many, sizeof(many), "corrupt=nattch:%d", MANY_ATTACHED);
        if (can_be_short(call) &&
            !add_other(list, call, SWEEP_LIE, "short",
                       "a platform that lets a segment smaller than asked for pass, as Linux does not"))
                return false;
        if (call->call != SHM_CALL_SHMCTL || !fault_command_stats(call->command) || call->error)
                return true;
        return add_other(list, call, SWEEP_LIE, "corrupt=nattch:0", stale) &&
               add_other(list, call, SWEEP_LIE, many, stale);
}

bool sweep_faults_add(struct sweep_fault_list *list, const struct sweep_choice *choice, const struct sweep_call *call)
{
        /* No rule can be about a command that has no name. */
        if (call->command != FAULT_ANY_COMMAND && !shm_command_name(call->command))
                return true;
        return add_errors(list, choice, call) && (!choice->kills || add_kills(list, call)) &&
               (!choice->delay || add_delays(list, call, choice->delay)) && (!choice->lies || add_lies(list, call));
}

void sweep_fault_text(const struct sweep_fault *fault, char *text, size_t size)
{
        const char *action = strchr(fault->rule, ':') + 1;
        const char *when = strstr(action, ":when=");
        if (fault->kind == SWEEP_ERROR)
                snprintf(text, size, "%s%s", fault_error_name(fault->error),
                         fault->from_then_on && when ? " from then on" : "");
        else if (strstr(fault->rule, "signal_enter"))
                snprintf(text, size, "SIGKILL before");
        else if (strstr(fault->rule, "signal_exit"))
                snprintf(text, size, "SIGKILL after");
        else
                snprintf(text, size, "%.*s", when ? (int)(when - action) : (int)strlen(action), action);
}
