/* What a record says may come from anywhere: it is shown, and does nothing to the terminal. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "made_value.h"
#include "terminal_report.h"

static char *printed(const char *text, int width, int indent)
{
        char *bytes = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&bytes, &size);
        cr_assert_not_null(f);
        print_wrapped(f, (struct terminal_style){.color = false, .width = width}, indent, text);
        fclose(f);
        return bytes;
}

Test(terminal_report, makes_control_characters_harmless)
{
        static const struct {
                const char *text, *shown;
        } rows[] = {
                {"plain", "plain\n"},
                {"a\033[31mb\a\r\n\tc\177", "a?[31mb????c?\n"},
                {"8 bits: \xc2\x9b"
                 "31m, kept: \xc2\xb7",
                 "8 bits: ??31m, kept: \xc2\xb7\n"},
                {"", "\n"},
        };
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                char *shown = printed(rows[i].text, 0, 0);
                cr_expect_str_eq(shown, rows[i].shown, "row %zu", i);
                free(shown);
        }
}

Test(terminal_report, wraps_between_words_and_indents)
{
        char *shown = printed("one two three four five six", 20, 5);
        cr_expect_str_eq(shown, "one two three\n     four five six\n");
        free(shown);
        /* Wherever a line ends, none is wider than the terminal: each begins at the indent. */
        for (int width = 20; width < 60; width++) {
                shown = printed("one two three four five six seven eight nine ten eleven twelve", width, 8);
                for (char *line = strtok(shown, "\n"); line; line = strtok(NULL, "\n"))
                        cr_expect_leq(strlen(line) + (line == shown ? 8 : 0), (size_t)width, "'%s' of %d", line, width);
                free(shown);
        }
        shown = printed("one two three four five six", 0, 5);
        cr_expect_str_eq(shown, "one two three four five six\n", "not on a terminal: one line");
        free(shown);
}

Test(terminal_report, shows_what_is_broken_as_far_as_it_goes)
{
        static const struct {
                const char *step, *shown;
        } rows[] = {
                {"{}", "() = "},
                {"{\"call\":\"shmdt\",\"args\":[7,\"NULL\"],\"ret\":\"-1\",\"errno\":\"EINVAL\"}",
                 "shmdt(?, NULL) = -1 EINVAL"},
                {"{\"text\":\"unshare\",\"ret\":\"0\"}", "unshare = 0"},
                {"{\"via\":\"syscall\",\"call\":\"shmget\",\"args\":[],\"ret\":\"3\"}", "syscall shmget() = 3"},
        };
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct arena values = {NULL, 0};
                char *shown = describe_step(made_value(&values, rows[i].step));
                cr_expect_not_null(strstr(shown, rows[i].shown), "row %zu: %s", i, shown);
                free(shown);
                arena_free(&values);
        }
}
