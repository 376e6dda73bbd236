#include "test_folder.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "command.h"

static char folder[64];

void make_folder(void)
{
        snprintf(folder, sizeof(folder), "/tmp/shmcheck-test-XXXXXX");
        cr_assert_not_null(mkdtemp(folder));
        setenv("D", folder, 1);
}

void remove_folder(void)
{
        struct finished f = run_command("rm -r \"$D\"");
        finished_free(&f);
}

const char *path_of(const char *name)
{
        static char path[128];
        snprintf(path, sizeof(path), "%s/%s", folder, name);
        return path;
}

void write_file(const char *name, const char *text)
{
        FILE *f = fopen(path_of(name), "we");
        cr_assert_not_null(f);
        fputs(text, f);
        fclose(f);
}
