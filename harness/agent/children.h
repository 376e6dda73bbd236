/* The part of children.c that the agent itself uses. */
#ifndef SHMC_CHILDREN_H
#define SHMC_CHILDREN_H

/* Runs the program that a case file declared with PROGRAM. Returns its exit status, or 127 if there is none. */
int shmc_run_program(const char *name, int argc, char **argv);

#endif
