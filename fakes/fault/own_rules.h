/*
 * Rules that the program armed itself, and the segments that it made: in memory
 * that a process shares with all that it forks, from its very start.
 *
 * A rule is never changed while a call looks at it: calls count themselves in
 * and out, and who disarms a rule waits for those that may still see it. A call
 * waits for nobody.
 */
#ifndef OWN_RULES_H
#define OWN_RULES_H

#include <pthread.h>
#include <stdatomic.h>

#include "inventory.h"
#include "session.h"

struct own_rules {
        pthread_mutex_t lock;     /* of those who change rules */
        _Atomic int deciding;     /* calls that look at the rules just now */
        int handles[FAULT_RULES]; /* of the rule that has the place, or had it last; 0: none */
        bool armed[FAULT_RULES];
        struct segment_notes segments;
        struct session session; /* of it the plan, its counters and the sites; what is behind them is not there */
};

/* NULL if memory could not be had. */
struct own_rules *own_rules(void);

/* May be called by several threads, and more than once. */
void own_rules_set_up(void);

/* Counts the calling process in; the rules stay as they are until own_rules_leave. */
void own_rules_enter(struct own_rules *own);

/* pid: what caller_identity said before own_rules_enter. A child that was forked in between was not counted in. */
void own_rules_leave(struct own_rules *own, pid_t pid);

/*
 * The rule is tried behind all that are armed, or, when more than FAULT_RULES
 * were armed while some stayed so, in the place of one that was disarmed.
 * Returns its handle, or -1: as many rules as can be are armed.
 */
int own_rules_arm(struct own_rules *own, const struct fault_rule *rule);

/* Return false if the handle is of no rule; a disarmed rule's counters are there until its place is used again. */
bool own_rules_disarm(struct own_rules *own, int handle);
bool own_rules_counters(struct own_rules *own, int handle, uint64_t *matched, uint64_t *hit);

void own_rules_disarm_all(struct own_rules *own);

#endif
