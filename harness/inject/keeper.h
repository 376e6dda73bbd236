/* The process between the tool and a command: see command.h. What it and its starter say to each other. */
#ifndef KEEPER_H
#define KEEPER_H

#include <signal.h>
#include <stdint.h>

#include "command.h"

#define KEEPER_WHY 512

/* To the keeper. */
enum order_kind { ORDER_SIGNAL, ORDER_KILL };
struct order {
        enum order_kind kind;
        int signal_number;
};

/* From the keeper, before the command runs. */
struct start_news {
        int32_t result; /* enum command_start */
        int32_t pid;
        char why[KEEPER_WHY];
};

/* From the keeper, in the end: what follows are the segments and the orphans. */
struct end_news {
        int32_t status;
        int32_t left_known;
        uint64_t left_count, orphan_count;
};

/*
 * Is the keeper, and a guard above it, in a process that was forked for that
 * with all signals blocked, until the command has ended or the starter has.
 * mask: what the command is to have blocked.
 */
_Noreturn void keeper_run(const struct command_setup *setup, int control, pid_t starter, const sigset_t *mask);

#endif
