/* Which faults a call can meet, each as a rule for one run. */
#ifndef SWEEP_FAULTS_H
#define SWEEP_FAULTS_H

#include "sweep_observation.h"

#define SWEEP_RULE 96

enum sweep_profile { SWEEP_POSIX, SWEEP_LINUX };

/* What is tried beside what a profile says that a call can fail with. */
struct sweep_choice {
        enum sweep_profile profile;
        bool rare;     /* also what is met rarely */
        bool kills;    /* before and after each call */
        bool lies;     /* short segments, nattch that is not true */
        int64_t delay; /* nanoseconds before and after each call; 0: none */
};

enum sweep_fault_kind { SWEEP_ERROR, SWEEP_KILL, SWEEP_DELAY, SWEEP_LIE };

struct sweep_fault {
        enum sweep_fault_kind kind;
        enum shm_call call;
        int command;       /* of shmctl, else FAULT_ANY_COMMAND */
        int error;         /* of SWEEP_ERROR */
        uint64_t ordinal;  /* among the calls of this kind */
        bool from_then_on; /* the calls of this kind that come after fail as well */
        size_t site;       /* that the run without a fault makes this call at */
        const char *when;  /* the situation in which a user meets it */
        char rule[SWEEP_RULE];
};

struct sweep_fault_list {
        struct sweep_fault *items;
        size_t count, room;
};

/*
 * Adds what this call of a run without faults can meet. An error that its
 * arguments rule out, as EEXIST without IPC_EXCL, or that it met anyway, is
 * left out. Returns false if out of memory.
 */
bool sweep_faults_add(struct sweep_fault_list *list, const struct sweep_choice *choice, const struct sweep_call *call);

/* The same error at the call and all later ones of its kind. */
struct sweep_fault sweep_fault_from_then_on(const struct sweep_fault *fault);

/* The same fault where it is the first of its kind, without saying so in the rule: for whoever types it. */
bool sweep_fault_shorten(struct sweep_fault *fault);

/* Writes "EACCES", "SIGKILL before", "100 ms later", "nattch 0". */
void sweep_fault_text(const struct sweep_fault *fault, char *text, size_t size);

#endif
