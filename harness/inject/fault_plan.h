/*
 * The fault plan: rules that say which calls are to fail, how and when, in the
 * grammar of strace's --inject with what strace cannot do added to it:
 *
 *     CALL:ACTION[:ACTION...][:SELECTION...]
 *
 * CALL is shmget, shmat, shmdt, shmctl, ftok, shm (all five), shmctl/COMMAND,
 * or several of these with commas between them. The parts stand in any order.
 *
 * A rule is about those of its calls that it can do something to: short,
 * key= and size= are of shmget, corrupt= of the shmctl commands that fill in a
 * shmid_ds, and error= of the calls that can fail so by some document. The
 * others are neither counted nor hit, so that when= counts what can be hit.
 *
 * libshmfault and the tool read the same rules, so nothing here needs more than
 * a libc, and a plan is plain memory that processes can share.
 */
#ifndef FAULT_PLAN_H
#define FAULT_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum shm_call { SHM_CALL_SHMGET, SHM_CALL_SHMAT, SHM_CALL_SHMDT, SHM_CALL_SHMCTL, SHM_CALL_FTOK, SHM_CALLS };

#define FAULT_ANY_COMMAND (-1)
/* A shmctl command in a mask; those without a name of their own share the last bit. */
#define FAULT_COMMAND_BIT(command) (UINT32_C(1) << ((command) >= 0 && (command) < 31 ? (command) : 31))
#define FAULT_RULES 64
#define FAULT_TEXT 256
#define FAULT_GLOB 128

enum fault_action {
        FAULT_ERROR = 1 << 0,        /* error=NAME|NUMBER: the call is not made, and fails so */
        FAULT_RETVAL = 1 << 1,       /* retval=N: the call is not made, and returns N (errno is left alone): a lie */
        FAULT_SIGNAL_ENTER = 1 << 2, /* signal=NAME or signal_enter=NAME: sent to the thread before the call */
        FAULT_SIGNAL_EXIT = 1 << 3,  /* signal_exit=NAME: after it */
        FAULT_DELAY_ENTER = 1 << 4,  /* delay=TIME or delay_enter=TIME: before it; 300us, 2ms, 1s, 50ns (no unit: us) */
        FAULT_DELAY_EXIT = 1 << 5,   /* delay_exit=TIME: after it */
        FAULT_CORRUPT = 1 << 6,      /* corrupt=MEMBER:VALUE: what IPC_STAT and its kin tell */
        FAULT_SHORT = 1 << 7         /* short or short=SIZE: the segment is made smaller than asked */
};

enum fault_selection {
        FAULT_BY_KEY = 1 << 0,
        FAULT_BY_SIZE = 1 << 1,
        FAULT_BY_UID = 1 << 2,
        FAULT_BY_CALLER = 1 << 3,
        FAULT_BY_THREAD = 1 << 4,
        FAULT_BY_CHANCE = 1 << 5 /* prob=P, and seed=S, which is 0 if it is not given */
};

/* Members of shmid_ds that corrupt= can falsify. */
enum fault_member {
        FAULT_MEMBER_NATTCH,
        FAULT_MEMBER_SEGSZ,
        FAULT_MEMBER_MODE,
        FAULT_MEMBER_UID,
        FAULT_MEMBER_GID,
        FAULT_MEMBER_CUID,
        FAULT_MEMBER_CGID,
        FAULT_MEMBER_CPID,
        FAULT_MEMBER_LPID,
        FAULT_MEMBER_ATIME,
        FAULT_MEMBER_DTIME,
        FAULT_MEMBER_CTIME,
        FAULT_MEMBERS
};

struct fault_rule {
        unsigned calls;     /* bit 1 << enum shm_call for each call it is about */
        int command;        /* of shmctl, or FAULT_ANY_COMMAND */
        uint32_t spared;    /* bits FAULT_COMMAND_BIT of the shmctl commands that it is not about after all */
        unsigned actions;   /* enum fault_action */
        unsigned selection; /* enum fault_selection */

        int error; /* errno value */
        int64_t retval;
        int signal_enter, signal_exit;
        uint64_t delay_enter, delay_exit; /* nanoseconds */
        enum fault_member member;
        int64_t value;       /* taken modulo the member's width if it is unsigned, else the nearest that fits */
        uint64_t short_size; /* bytes; 0: half of what was asked */

        /* when=: the calls, counted from 1 over the whole command, that match everything else. */
        uint64_t first, last, step; /* default 1, UINT64_MAX, 1 */

        uint32_t key;                 /* a key_t's bits */
        uint64_t size_low, size_high; /* bytes, both included */
        uint32_t uid;                 /* effective */
        char caller[FAULT_GLOB]; /* glob on the calling function's name, its module's path or that path's last part */
        unsigned thread;         /* 1: the process's first thread, 2: the second one to make a call; 0: by name */
        char thread_name[32];    /* glob on the thread's name */
        uint64_t chance;         /* of 2^32: 0 is never, 2^32 always */
        uint64_t seed;
        char text[FAULT_TEXT]; /* the rule as it was written */
};

struct fault_plan {
        unsigned count;
        struct fault_rule rules[FAULT_RULES]; /* tried in order; the first that fires is the only one */
};

/*
 * A mistake in a rule. why reads alone, and before "; the nearest is 'X'" when
 * nearest_of is there to find X in.
 */
struct fault_mistake {
        unsigned column; /* in the text, characters from 1; one past its end if something is missing there */
        char word[64];   /* the word that is not understood, or "" */
        char why[384];   /* what is wrong and what would be right, one line without a final dot */
        const char *const *nearest_of; /* names that would do there, ending with NULL, or NULL */
};

/*
 * Reads one rule. any_error: accept an errno that the call can never have by
 * any documentation (fault_errors.h), and give it to every call of the rule.
 * Names of errors, signals and commands are taken in any case, as strace does.
 * Returns false with *mistake filled in and *rule about no call.
 */
bool fault_rule_parse(struct fault_rule *rule, const char *text, bool any_error, struct fault_mistake *mistake);

/* Whether the shmctl command fills in a shmid_ds, which is what corrupt= falsifies. */
bool fault_command_stats(int command);

/* Names for what people write and read. */
const char *shm_call_name(enum shm_call call);
/* "IPC_STAT", or NULL for a command that has no name. */
const char *shm_command_name(int command);
/* "ENOSPC", or NULL for an error that has no name. */
const char *fault_error_name(int error);
/* "SIGKILL", or NULL for a number that has no name, as the real-time signals have none. */
const char *fault_signal_name(int signal_number);
const char *fault_member_name(enum fault_member member);

#endif
