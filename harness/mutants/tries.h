/*
 * What is tried with what. A case is tried with each mutant that is meant for
 * it, and with some of the others whose call it uses (with all of them, if that
 * is asked for), if it is quick and does not wait for the clock. What was not
 * tried counts as nothing: every number comes with the number of tries.
 */
#ifndef TRIES_H
#define TRIES_H

#include <stdbool.h>
#include <stddef.h>

#include "../../fakes/mutants/mutant.h"
#include "reasons.h"
#include "suite.h"

/* Seconds that a case may take under a mutant. */
#define MUTANT_TIMEOUT 1

struct tried_case {
        const char *id;
        bool passes;  /* without a mutant */
        bool skipped; /* for want of something that this machine has not */
        bool quick;
        bool far_from_hanging;        /* a hang is the mutant's, and not for want of time */
        const struct record_case *of; /* of its run without a mutant */
        size_t tried;                 /* mutants */
        size_t saw;                   /* of those that are meant for it */
        const char *reason;           /* why it sees none, or NULL */
};

struct tried_mutant {
        const struct mutant *mutant;
        bool *tried, *saw; /* by the case of that index */
        size_t tried_count, saw_count;
        size_t meant_count; /* cases that saw it and were meant to */
        char why[256];      /* its run went wrong */
        bool done;
};

struct matrix {
        struct tried_case *cases; /* in the order of their ids */
        size_t case_count;
        struct tried_mutant *mutants;
        size_t mutant_count;
        bool judges_cases;   /* all mutants that are meant for them were tried: one that sees none is a finding */
        bool judges_mutants; /* with all cases that are meant for them, or by name: one that none sees is a finding */
        double seconds;
};

/* Takes the cases from the judgement of a run without a mutant, to which they go on belonging. */
bool matrix_take_cases(struct matrix *matrix, const struct judgement *plain);
/* Frees the cases and mutants. */
void matrix_free(struct matrix *matrix);

bool is_meant_for(const struct mutant *mutant, const char *id);

/* Leaves out the mutants that are meant for none of the cases. */
void keep_mutants_that_are_meant(struct matrix *matrix);

/* Chooses the cases for the mutant. Returns false when memory is short. */
bool choose_tries(struct matrix *matrix, struct tried_mutant *t, bool all);

/*
 * Whether the case is worth another look at the mutant, which it has not seen: it is meant to, and otherwise it would
 * see none, or the mutant be seen by none. A race does not meet its rare outcome every time.
 */
bool is_worth_another_look(const struct matrix *matrix, const struct tried_mutant *t, const struct tried_case *c);

/* Takes what the judgement of a run under the mutant says of its tries. */
void take_verdicts(struct matrix *matrix, struct tried_mutant *t, const struct judgement *judgement);

/* What can be said of a mutant: where a case meant for it is skipped here, that none saw it says nothing. */
enum mutant_fate { MUTANT_SEEN, MUTANT_MISSED, MUTANT_UNDECIDED, MUTANT_FATES };
enum mutant_fate fate_of(const struct matrix *matrix, const struct tried_mutant *t);

/* Mutants with the fate. */
size_t count_fate(const struct matrix *matrix, enum mutant_fate fate);

/* Whether the case passes, and saw none of the mutants that are meant for it. */
bool is_idle(const struct tried_case *c);

/* Gives each idle case its reason, and finds the reasons for which there is no case. */
void matrix_take_reasons(struct matrix *matrix, struct reasons *reasons);

#endif
