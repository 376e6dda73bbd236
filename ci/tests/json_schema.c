#include "json_schema.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "command.h"

/* Not what a virtual environment has. */
#define PYTHON "/usr/bin/python3 "

void expect_by_schema(const char *schema, const char *files, const char *told)
{
        char *command = NULL;
        if (system(PYTHON "-c 'import jsonschema' >/dev/null 2>&1") != 0)
                cr_skip_test("python3-jsonschema is not installed");
        cr_assert(asprintf(&command, PYTHON "ci/tests/validate_json.py %s %s", schema, files) > 0);
        struct finished f = run_command(command);
        free(command);
        cr_expect_eq(f.status, 0, "%s", f.err);
        if (*told)
                cr_expect(has(f.out, told), "%s", f.out);
        else
                cr_expect_str_empty(f.out, "%s", f.out);
        finished_free(&f);
}
