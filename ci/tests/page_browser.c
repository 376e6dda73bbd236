#include "page_browser.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "command.h"

#define NOT_INSTALLED 77

void use_page(const char *program, const char *words)
{
        char *command = NULL;
        if (system("command -v chromium >/dev/null && command -v node >/dev/null && command -v npm >/dev/null") != 0)
                cr_skip_test("chromium, node or npm is not installed: ci/setup --all");
        cr_assert(asprintf(&command,
                           "CHROMIUM=$(command -v chromium) HOME=$D TMPDIR=$D timeout -k 1 100 "
                           "node ci/tests/%s %s",
                           program, words) > 0);
        struct finished f = run_command(command);
        free(command);
        if (f.status == NOT_INSTALLED)
                cr_skip_test("playwright-core is not installed: ci/setup --all");
        cr_expect_eq(f.status, 0, "%s%s", f.out, f.err);
        finished_free(&f);
}
