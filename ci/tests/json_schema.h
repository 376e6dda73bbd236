/* JSON that is held against a schema of reports/. */
#ifndef JSON_SCHEMA_H
#define JSON_SCHEMA_H

/*
 * Expects each of the files (words of a shell command) to be as the schema has it, or, if told is not "", that these
 * words are in what is said against one. Skips the test with a line where Python's jsonschema is not installed.
 */
void expect_by_schema(const char *schema, const char *files, const char *told);

#endif
