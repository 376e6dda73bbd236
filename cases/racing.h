/*
 * What the cases about races share: rounds in which several processes or
 * threads call at the same moment, each judged by what some order of the calls
 * explains. No sleeps: barriers start and end each round, and one side's start
 * is swept over the others'. The calls of a round are not steps of the record,
 * which they would drown. How often each legal outcome came is recorded; one
 * that never came is no failure.
 */
#ifndef SHMC_RACING_H
#define SHMC_RACING_H

#include "case.h"

#include <stdatomic.h>

#define SIZE 3333
#define N 8
#define OUTCOMES 8
/* A race ends after this long, however few rounds it has had: what they show is recorded. --stress gives it longer. */
#define PATIENCE_MS 15
#define FEWEST_ROUNDS 30

struct seen {
        intptr_t value;
        int error;
};

struct arena {
        struct barrier *start, *end;
        unsigned round;
        bool over;
        int id; /* what the round is about, set by prepare */
        void *at;
        struct seen seen[N], then[N]; /* each racer's call, and what it did after it */
        _Atomic int current[N];       /* the segment that a racer has, plus 1 */
        _Atomic int inside, overlaps;
        unsigned came[OUTCOMES]; /* rounds, or calls, that ended in each legal outcome */
        char broken[256];        /* the first round that no order explains */
};

struct race {
        unsigned racers, rounds;
        bool by_threads;
        unsigned guests; /* processes that prepare starts in each round, and that meet the start only */
        void (*prepare)(struct arena *a);
        void (*enter)(struct arena *a, unsigned who); /* what each racer does before the start, or NULL */
        void (*entered)(struct arena *a);             /* what the judge does when all have */
        void (*run)(struct arena *a, unsigned who);
        void (*judge)(struct arena *a);
        const char *const *outcomes; /* names of came[], NULL at the end */
};

/*
 * Whether a race that began at start_us and has had so many rounds has another: the first, and until it has had enough
 * or its time is over (but not before the fewest rounds that say anything); under --stress until that is over.
 */
bool shmc_race_goes_on(long long start_us, unsigned rounds, unsigned enough);
#define race_goes_on shmc_race_goes_on

/* Runs the race and checks its rule; what is a sentence about every round. */
void shmc_run_race(const char *what, const struct race *r);
#define run_race shmc_run_race

/* Notes, printf style, what no order explains; the first note stays. */
void shmc_race_wrong(struct arena *a, const char *format, ...) SHMC_PRINTF(2, 3);
#define wrong shmc_race_wrong

/* A call's value with the errno it left. */
struct seen shmc_race_kept(intptr_t value);
#define kept shmc_race_kept
/* For a reader: the errno of a racer's call, or "ok". */
const char *shmc_race_text(struct seen s);
#define text_of shmc_race_text

/* Steps that several races have in common. */
void shmc_race_prepare_nothing(struct arena *a);
void shmc_race_make_private(struct arena *a);
void shmc_race_make_keyed(struct arena *a);
void shmc_race_make_attached_once(struct arena *a);
void shmc_race_remove(struct arena *a, unsigned who);
void shmc_race_detach(struct arena *a, unsigned who);
#define prepare_nothing shmc_race_prepare_nothing
#define make_private shmc_race_make_private
#define make_keyed shmc_race_make_keyed
#define make_attached_once shmc_race_make_attached_once
#define remove_it shmc_race_remove
#define detach_it shmc_race_detach
/* The segment of the round must be destroyed: removed, and nobody attached. */
void shmc_race_expect_gone(struct arena *a);
#define expect_gone shmc_race_expect_gone

static inline bool is_gone(int error)
{
        return error == EINVAL || error == EIDRM;
}

/* What is stored in the segment of the round; never 0. */
static inline unsigned char stamp_of(const struct arena *a)
{
        return (unsigned char)(a->round | 1U);
}

/* A size of each racer's own. */
static inline size_t size_of(unsigned who)
{
        return (who + 1) * PAGE;
}

long long shmc_race_now_us(void);
#define now_us shmc_race_now_us

#endif
