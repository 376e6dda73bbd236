#include "call.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "call_sites.h"
#include "fault_decision.h"
#include "inventory.h"
#include "joined.h"
#include "own_rules.h"
#include "process.h"
#include "real_calls.h"
#include "recording.h"

/* The kernel's name for "the structure with 64-bit members", in a raw shmctl's command; C libraries hide it. */
#define IPC_64_FLAG 0x100

#define NANOSECONDS UINT64_C(1000000000)

/*
 * After a system call the processor has forgotten where the functions that it is in return to, and each return costs
 * as much as all the rest. So what spans the call is one function, and what a rule needs is kept apart.
 */
#define IN_ONE static inline __attribute__((always_inline))

int call_command(const struct call *c)
{
        if (c->call != SHM_CALL_SHMCTL)
                return FAULT_ANY_COMMAND;
        return c->raw ? (int)c->args[1] & ~IPC_64_FLAG : (int)c->args[1];
}

/* ---- the call itself ---- */

static long raw_number(enum shm_call call)
{
        switch (call) {
        case SHM_CALL_SHMGET:
                return SYS_shmget;
        case SHM_CALL_SHMAT:
                return SYS_shmat;
        case SHM_CALL_SHMDT:
                return SYS_shmdt;
        default:
                return SYS_shmctl;
        }
}

static void *pointer(int64_t value)
{
        return (void *)(intptr_t)value;
}

IN_ONE int64_t hand_over(const struct call *c)
{
        const int64_t *a = c->args;
        if (c->raw)
                return real.syscall(raw_number(c->call), (long)a[0], (long)a[1], (long)a[2], 0, 0, 0);
        switch (c->call) {
        case SHM_CALL_SHMGET:
                return real.shmget((key_t)a[0], (size_t)a[1], (int)a[2]);
        case SHM_CALL_SHMAT:
                return (intptr_t)real.shmat((int)a[0], pointer(a[1]), (int)a[2]);
        case SHM_CALL_SHMDT:
                return real.shmdt(pointer(a[0]));
        case SHM_CALL_SHMCTL:
                return real.shmctl((int)a[0], (int)a[1], pointer(a[2]));
        default:
                return real.ftok(c->path, (int)a[0]);
        }
}

/* Makes the call, and notes what came of it for shmfault_segments and shmfault_attachments. */
IN_ONE int64_t make(const struct call *c)
{
        int64_t result = hand_over(c);
        if (result != -1)
                inventory_note(c, result);
        return result;
}

/* ---- what a rule may ask ---- */

static struct site_cache joined_sites;
static struct site_cache own_sites;

static uint32_t ask_uid(void *arg)
{
        (void)arg;
        return geteuid();
}

static unsigned ask_thread(void *arg)
{
        (void)arg;
        return caller_identity()->thread;
}

static bool ask_thread_name(void *arg, char name[16])
{
        (void)arg;
        return prctl(PR_GET_NAME, name, 0, 0, 0) == 0;
}

static uint32_t ask_joined_site(void *arg)
{
        return call_site(joined_session(), &joined_sites, ((const struct call *)arg)->caller);
}

static uint32_t ask_own_site(void *arg)
{
        return call_site(&own_rules()->session, &own_sites, ((const struct call *)arg)->caller);
}

IN_ONE int decide(struct session *s, uint32_t (*ask_site)(void *arg), const struct call *c)
{
        const struct fault_caller caller = {
                .uid = ask_uid,
                .thread = ask_thread,
                .thread_name = ask_thread_name,
                .site = ask_site,
                .arg = (void *)(uintptr_t)c,
        };
        struct fault_subject subject = {.call = c->call, .command = call_command(c)};
        if (c->call == SHM_CALL_SHMGET) {
                subject.key = (uint32_t)c->args[0];
                subject.size = (uint64_t)c->args[1];
        }
        return fault_decide(s, &subject, &caller);
}

/* A rule of the program's own may be disarmed while it takes effect: a copy is used. */
static bool decide_by_own(const struct call *c, struct fault_rule *rule)
{
        struct own_rules *own = own_rules();
        pid_t pid = caller_identity()->pid;
        if (!own)
                return false;
        own_rules_enter(own);
        int index = decide(&own->session, ask_own_site, c);
        if (index != -1)
                *rule = own->session.plan.rules[index];
        own_rules_leave(own, pid);
        return index != -1;
}

/* ---- what a rule does ---- */

static void delay(uint64_t nanoseconds)
{
        struct timespec until;
        int cancellation = cancellation_off();
        clock_gettime(CLOCK_MONOTONIC, &until);
        nanoseconds += (uint64_t)until.tv_nsec;
        until.tv_sec += (time_t)(nanoseconds / NANOSECONDS);
        until.tv_nsec = (long)(nanoseconds % NANOSECONDS);
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
                ;
        cancellation_back(cancellation);
}

static void signal_this_thread(int number)
{
        /* Asked anew: a vforked child's answers are its own, and what is remembered is its parent's. */
        real.syscall(SYS_tgkill, getpid(), real.syscall(SYS_gettid, 0, 0, 0, 0, 0, 0), number, 0, 0, 0);
}

static void act_before(const struct fault_rule *rule)
{
        if (rule->actions & FAULT_DELAY_ENTER)
                delay(rule->delay_enter);
        if (rule->actions & FAULT_SIGNAL_ENTER)
                signal_this_thread(rule->signal_enter);
}

static void act_after(const struct fault_rule *rule)
{
        if (rule->actions & FAULT_DELAY_EXIT)
                delay(rule->delay_exit);
        if (rule->actions & FAULT_SIGNAL_EXIT)
                signal_this_thread(rule->signal_exit);
}

static int64_t make_shorter(const struct call *c, const struct fault_rule *rule)
{
        struct call shorter = *c;
        uint64_t asked = (uint64_t)c->args[1];
        uint64_t size = rule->short_size ? rule->short_size : asked / 2;
        /* Half of one byte would be no segment at all, which is another fault. */
        if (size == 0)
                size = 1;
        shorter.args[1] = (int64_t)(size < asked ? size : asked);
        return make(&shorter);
}

static pid_t nearest_pid(int64_t value)
{
        return value > INT_MAX ? INT_MAX : value < INT_MIN ? INT_MIN : (pid_t)value;
}

/* The conversions are meant: fault_rule.value. */
static void corrupt(struct shmid_ds *ds, enum fault_member member, int64_t value)
{
        switch (member) {
        case FAULT_MEMBER_NATTCH:
                ds->shm_nattch = (shmatt_t)value;
                break;
        case FAULT_MEMBER_SEGSZ:
                ds->shm_segsz = (size_t)value;
                break;
        case FAULT_MEMBER_MODE:
                ds->shm_perm.mode = (__typeof__(ds->shm_perm.mode))value;
                break;
        case FAULT_MEMBER_UID:
                ds->shm_perm.uid = (uid_t)value;
                break;
        case FAULT_MEMBER_GID:
                ds->shm_perm.gid = (gid_t)value;
                break;
        case FAULT_MEMBER_CUID:
                ds->shm_perm.cuid = (uid_t)value;
                break;
        case FAULT_MEMBER_CGID:
                ds->shm_perm.cgid = (gid_t)value;
                break;
        case FAULT_MEMBER_CPID:
                ds->shm_cpid = nearest_pid(value);
                break;
        case FAULT_MEMBER_LPID:
                ds->shm_lpid = nearest_pid(value);
                break;
        case FAULT_MEMBER_ATIME:
                ds->shm_atime = (time_t)value;
                break;
        case FAULT_MEMBER_DTIME:
                ds->shm_dtime = (time_t)value;
                break;
        case FAULT_MEMBER_CTIME:
                ds->shm_ctime = (time_t)value;
                break;
        case FAULT_MEMBERS:
                break;
        }
}

/* The structure that a raw call fills in is the C library's one only where both have 64-bit members. */
static bool fills_in_shmid_ds(const struct call *c)
{
        return c->call == SHM_CALL_SHMCTL && fault_command_stats(call_command(c)) &&
               (!c->raw || sizeof(long) == sizeof(int64_t));
}

static void falsify(const struct call *c, const struct fault_rule *rule)
{
        if (rule->actions & FAULT_CORRUPT && fills_in_shmid_ds(c))
                corrupt(pointer(c->args[2]), rule->member, rule->value);
}

/* What the caller will find. */
IN_ONE struct outcome outcome_of(const struct call *c, int64_t result)
{
        struct outcome outcome = {.result = result, .error = result == -1 ? errno : 0};
        if (result != -1 && fills_in_shmid_ds(c)) {
                const struct shmid_ds *ds = pointer(c->args[2]);
                outcome.segsz = ds->shm_segsz;
                outcome.nattch = (uint32_t)ds->shm_nattch;
        }
        return outcome;
}

static struct outcome make_by_rule(const struct call *c, const struct fault_rule *rule)
{
        unsigned actions = rule->actions;
        int64_t result = -1;
        if (actions & FAULT_RETVAL)
                return (struct outcome){.result = rule->retval};
        if (actions & FAULT_ERROR)
                errno = rule->error;
        else if (actions & FAULT_SHORT && c->call == SHM_CALL_SHMGET)
                result = make_shorter(c, rule);
        else
                result = make(c);
        if (result != -1)
                falsify(c, rule);
        return outcome_of(c, result);
}

/* ---- the course ---- */

static __attribute__((cold)) struct answer run_hit(const struct call *c, const struct fault_rule *rule, int index)
{
        struct recording recording;
        int error = errno;
        record_entry(&recording, c, index);
        act_before(rule);
        errno = error;
        struct outcome outcome = make_by_rule(c, rule);
        error = errno;
        if (rule->actions & (FAULT_DELAY_EXIT | FAULT_SIGNAL_EXIT)) {
                record_outcome(&recording, c, &outcome);
                act_after(rule);
        }
        record_return(&recording, c, &outcome);
        errno = error;
        return (struct answer){.made = true, .result = outcome.result};
}

static __attribute__((noinline)) struct answer run_if_hit_by_own(const struct call *c)
{
        struct fault_rule rule;
        if (!decide_by_own(c, &rule))
                return (struct answer){.made = false};
        return run_hit(c, &rule, SESSION_OWN_RULE);
}

/* Makes the call if a rule hits it. */
IN_ONE struct answer run_if_hit(const struct call *c)
{
        if (is_unfamiliar(c->call))
                joined_gets_to_know(c->call);
        if (real_calls_have_shims && real_calls_come_from(c->caller))
                return (struct answer){.made = false};
        if (watch.threads)
                (void)caller_identity();
        struct session *s = joined_session();
        int index = s && s->plan_calls & CALL_BIT(c->call) ? decide(s, ask_joined_site, c) : -1;
        if (index != -1)
                return run_hit(c, &s->plan.rules[index], index);
        if (is_watched_by_own(c->call)) {
                struct answer a = run_if_hit_by_own(c);
                if (a.made)
                        return a;
        }
        return (struct answer){.made = false, .to_record = watch.events};
}

IN_ONE int64_t run_recorded(const struct call *c)
{
        struct recording recording;
        record_entry(&recording, c, -1);
        struct outcome outcome = outcome_of(c, make(c));
        record_return(&recording, c, &outcome);
        return outcome.result;
}

int64_t call_run(const struct call *c)
{
        if (is_watched(c->call)) {
                struct answer a = run_if_hit(c);
                if (a.made)
                        return a.result;
                if (a.to_record)
                        return run_recorded(c);
        }
        return make(c);
}

static inline struct call shmctl_call(int shmid, int command, const struct shmid_ds *buffer, const void *caller)
{
        return (struct call){.call = SHM_CALL_SHMCTL, .caller = caller, .args = {shmid, command, (intptr_t)buffer}};
}

struct answer call_run_shmctl_if_hit(int shmid, int command, struct shmid_ds *buffer, const void *caller)
{
        const struct call c = shmctl_call(shmid, command, buffer, caller);
        return run_if_hit(&c);
}

int call_record_shmctl(int shmid, int command, struct shmid_ds *buffer, const void *caller)
{
        const struct call c = shmctl_call(shmid, command, buffer, caller);
        return (int)run_recorded(&c);
}
