/* A folder of a test's own, $D in commands. */
#ifndef TEST_FOLDER_H
#define TEST_FOLDER_H

/* Makes it and removes it: for a test's .init and .fini. */
void make_folder(void);
void remove_folder(void);

/* The path of the name in it, until the next call. */
const char *path_of(const char *name);

/* Writes the text to the file of the name in it. */
void write_file(const char *name, const char *text);

#endif
