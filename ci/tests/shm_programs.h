/* Programs that use shared memory, compiled for the tests of inject and trace. */
#ifndef SHM_PROGRAMS_H
#define SHM_PROGRAMS_H

#include <stdbool.h>

/*
 * Makes a folder for a test's files, $D in commands, and the program of
 * ci/tests/programs/shm_queue.c, $Q in commands, with debug information.
 */
void make_shm_programs(void);

/* Removes the folder. */
void remove_shm_programs(void);

/* Compiles the program with this compiler and options to $D/name. Returns whether that can be done here. */
bool compile_shm_queue(const char *compiler, const char *name);

/* The number of the line of shm_queue.c that holds the text. */
int line_of_shm_queue(const char *text);

/* Skips the test with a line if the shell does not find the program. */
void need_program(const char *name);

/* The subcommand of shmcheck with these words says just this line, ends with status 2, and has started nothing. */
void expect_usage_error(const char *subcommand, const char *words, const char *line);

#endif
