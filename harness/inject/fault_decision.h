/* Which rule, if any, fires on a call: the same for the preloaded library and the kernel's side. */
#ifndef FAULT_DECISION_H
#define FAULT_DECISION_H

#include "session.h"

/*
 * What a rule may have to know; each asked for only if a rule needs it, and
 * then once. NULL: this back end cannot tell, and such a rule never matches.
 */
struct fault_caller {
        uint32_t (*uid)(void *arg);    /* effective user id of the caller */
        unsigned (*thread)(void *arg); /* as fault_rule.thread counts */
        bool (*thread_name)(void *arg, char name[16]);
        uint32_t (*site)(void *arg); /* index into the session's sites, or SESSION_NO_SITE */
        void *arg;
};

struct fault_subject {
        enum shm_call call;
        int command;   /* of shmctl, without the IPC_64 flag of raw calls */
        uint32_t key;  /* of shmget */
        uint64_t size; /* of shmget */
};

/*
 * Counts the call for each rule that it matches, and returns the index of the
 * first rule that fires, or -1. Safe in any thread, process and signal handler
 * of the command: neither locks nor memory, counters are the session's.
 *
 * A rule counts a call also when an earlier rule fires on it; its own turn in
 * when= is then used up without a hit, so that what the counters say depends on
 * the rule alone and not on its place in the plan.
 */
int fault_decide(struct session *s, const struct fault_subject *subject, const struct fault_caller *caller);

/*
 * Forgets what was counted and found out for the rule at this index, for one
 * whose slot is used anew. No call may be underway that the old rule is about.
 */
void fault_forget(struct session *s, unsigned index);

/*
 * Fields that the plan's rules need and the back end cannot see; used to refuse a plan by name.
 * Returns the index of the first rule that uses an action or selection in the masks, or -1.
 */
int fault_plan_uses(const struct fault_plan *plan, unsigned actions, unsigned selection);

#endif
