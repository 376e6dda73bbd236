/*
 * The wrappers of ci/wrappers: that each is complete, that what FINDINGS.md says of them is seen when its commands are
 * run, and that ci/sweep_wrappers tells what is new. PostgreSQL takes minutes, and is left to ci/sweep_wrappers.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "test_folder.h"

#define PAGE "ci/wrappers/FINDINGS.md"
/* Programs are made below $B, and their files end with the test. */
#define HERE "export TMPDIR=$D SHMCHECK_PROGRAMS=$B; "
/* Of each finding of the page: its wrapper, its key, the command that shows it; a tab in between. */
#define FINDINGS                                                                                                       \
        "awk '/^## / { name = $2 } /^### / { key = $2; gsub(/`/, \"\", key) }"                                         \
        " /^    [^ ]/ && key { sub(/^ */, \"\"); print name \"\\t\" key \"\\t\" $0; key = \"\" }' " PAGE

static void set_up(void)
{
        enter_own_ipc_namespace();
        make_folder();
}

TestSuite(wrappers, .init = set_up, .fini = remove_folder, .timeout = 120);

/* Runs it and expects the status and a part of what it says on either stream. */
static void expect(const char *command, int status, const char *said)
{
        char line[1024];
        snprintf(line, sizeof(line), HERE "%s", command);
        struct finished f = run_command(line);
        cr_expect_eq(f.status, status, "%s: exit %d\n%s%s", command, f.status, f.out, f.err);
        cr_expect(has(f.out, said) || has(f.err, said), "%s: not said: %s\n%s%s", command, said, f.out, f.err);
        finished_free(&f);
}

/* Fails the test if the command says anything. */
static void expect_silence(const char *command, const char *about)
{
        struct finished f = run_command(command);
        cr_expect_str_empty(f.out, "%s:\n%s", about, f.out);
        cr_expect_str_empty(f.err, "%s:\n%s", about, f.err);
        finished_free(&f);
}

/* A program that is found before the system's. */
static void make_fake(const char *name, const char *script)
{
        char command[256];
        write_file(name, script);
        snprintf(command, sizeof(command), "mkdir -p $D/bin && mv $D/%s $D/bin && chmod +x $D/bin/%s", name, name);
        expect_silence(command, name);
}

/* ---- the folders ---- */

Test(wrappers, wrong_usage_gets_one_line)
{
        static const char *const commands[] = {"ci/wrapper",
                                               "ci/wrapper build",
                                               "ci/wrapper build no-such",
                                               "ci/wrapper build ../targets",
                                               "ci/wrapper paint tutorial-c",
                                               "ci/wrapper build tutorial-c more"};
        for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
                expect(commands[i], 2, "usage: ci/wrapper list | ");
}

Test(wrappers, each_says_what_it_is_what_it_needs_and_how_it_starts)
{
        expect_silence("for n in $(ci/wrapper list); do for a in about packages command; do"
                       " [ -n \"$(ci/wrapper $a $n)\" ] || echo $n: no $a; done;"
                       " [ -e ci/wrappers/$n/findings.txt ] || echo $n: no findings.txt;"
                       " grep -qx \"## $n\" " PAGE " || echo $n: not in " PAGE "; done",
                       "incomplete");
}

Test(wrappers, the_page_and_the_baselines_have_the_same_findings)
{
        expect_silence(
                "for n in $(ci/wrapper list); do"
                " sed \"s/ *#.*//; /^$/d; s/^/$n /\" ci/wrappers/$n/findings.txt; done | sort >$D/known; " FINDINGS
                " | cut -f 1,2 --output-delimiter=' ' | sort >$D/told; diff $D/known $D/told",
                "findings.txt (<) and " PAGE " (>)");
        expect_silence("grep -n '^[^#]*$' ci/wrappers/*/findings.txt | grep -v ':$'", "entries without a reason");
}

/* ---- the findings ---- */

static bool is_death_by_mistake(int status)
{
        static const int signals[] = {4, 5, 6, 7, 8, 11, 31}; /* ILL, TRAP, ABRT, BUS, FPE, SEGV, SYS */
        for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
                if (status == 128 + signals[i])
                        return true;
        }
        return false;
}

static bool differs_from_normal(const char *name, const struct finished *f)
{
        char command[256];
        snprintf(command, sizeof(command), HERE "ci/wrapper start %s 2>/dev/null", name);
        struct finished normal = run_command(command);
        bool differs = strcmp(normal.out, f->out) != 0;
        finished_free(&normal);
        return differs;
}

static bool is_outcome(const char *name, const char *key, const struct finished *f)
{
        if (strncmp(key, "crashed:", 8) == 0)
                return is_death_by_mistake(f->status);
        if (strncmp(key, "hung:", 5) == 0)
                return f->status == 124;
        if (strncmp(key, "leaked:", 7) == 0)
                return has(f->err, "left behind: ") && !has(f->err, "left behind: nothing");
        if (strncmp(key, "wrong:", 6) == 0)
                return f->status == 0 && differs_from_normal(name, f);
        return strncmp(key, "unrecovered:", 12) == 0 && f->status != 0;
}

/* Once: the findings of a wrapper follow each other. Criterion takes a warning for a failure. */
static void tell_missing(const char *name, const char *what)
{
        static char told[64];
        if (strcmp(told, name) != 0)
                fprintf(stderr, "%s is not tried: %s", name, what);
        snprintf(told, sizeof(told), "%s", name);
}

static bool is_built(const char *name)
{
        char command[256];
        if (strncmp(name, "postgresql", 10) == 0)
                return false;
        snprintf(command, sizeof(command), HERE "ci/wrapper build %s", name);
        struct finished f = run_command(command);
        if (f.status == 4)
                tell_missing(name, f.out);
        cr_expect(f.status == 0 || f.status == 4, "%s: %s%s", name, f.out, f.err);
        bool built = f.status == 0;
        finished_free(&f);
        return built;
}

/* The next field of a line of FINDINGS; *line is then behind it. */
static char *take_field(char **line)
{
        char *field = *line;
        *line += strcspn(field, "\t");
        if (**line)
                *(*line)++ = '\0';
        return field;
}

struct finding {
        const char *name, *key, *command;
};

/* Those of wrappers that are built here, of the text, which is cut up; their commands are in $D/run0, $D/run1 ... */
static size_t write_commands(char *text, struct finding *findings, size_t room)
{
        char *rest = NULL;
        size_t count = 0;
        for (char *line = strtok_r(text, "\n", &rest); line && count < room; line = strtok_r(NULL, "\n", &rest)) {
                char file[32];
                struct finding f = {.name = take_field(&line)};
                f.key = take_field(&line);
                f.command = line;
                if (!is_built(f.name))
                        continue;
                snprintf(file, sizeof(file), "run%zu", count);
                write_file(file, f.command);
                findings[count++] = f;
        }
        return count;
}

/* Side by side, as some hang. The page speaks of the build folder by its usual name. */
static void run_commands(void)
{
        expect_silence(HERE "export PATH=$B:$PATH; ls $D/run* | xargs -P 6 -I RUN sh -c '"
                            "sed -i \"s,\\bbuild/,$B/,g\" RUN; mkdir RUN.tmp; export TMPDIR=RUN.tmp;"
                            "timeout -k 1 3 sh RUN >RUN.out 2>RUN.err; echo $? >RUN.status'",
                       "running the commands");
}

static struct finished result_of(size_t run)
{
        char command[128];
        snprintf(command, sizeof(command), "f=$D/run%zu; cat $f.out; cat $f.err >&2; exit $(cat $f.status)", run);
        return run_command(command);
}

Test(wrappers, each_command_of_the_page_shows_its_finding)
{
        struct finding findings[200];
        struct finished page = run_command(FINDINGS);
        size_t count = write_commands(page.out, findings, sizeof(findings) / sizeof(findings[0]));
        cr_assert_gt(count, 0, "%s", page.err);
        run_commands();
        for (size_t i = 0; i < count; i++) {
                const struct finding *of = &findings[i];
                struct finished f = result_of(i);
                cr_expect(is_outcome(of->name, of->key, &f), "%s\n%s\nexit %d\n%s%s", of->key, of->command, f.status,
                          f.out, f.err);
                finished_free(&f);
        }
        finished_free(&page);
}

/* ---- ci/sweep_wrappers ---- */

static void set_up_sweep(void)
{
        struct finished f = run_command("command -v jq");
        bool there = f.status == 0;
        finished_free(&f);
        set_up();
        if (!there)
                cr_skip_test("jq is not installed");
}

TestSuite(wrapper_sweeps, .init = set_up_sweep, .fini = remove_folder, .timeout = 120);

Test(wrapper_sweeps, what_is_known_and_the_same_both_ways_is_fine)
{
        expect("ci/sweep_wrappers tutorial-c | tee $D/table; grep -q 'tutorial-c  *[0-9]*  *2  *0 ' $D/table", 0,
               "forked as well: the same");
        expect_silence("ls -d $D/shmcheck-wrappers.* 2>/dev/null", "left behind");
}

/* The tool, but without the option and the word behind it. */
Test(wrapper_sweeps, what_is_new_is_told)
{
        make_fake("shmcheck", "#!/bin/sh\n"
                              "for word; do shift; case $word in --baseline) skip=1 ;; *)\n"
                              "[ -n \"$skip\" ] || set -- \"$@\" \"$word\"; skip= ;; esac; done\n"
                              "exec $B/shmcheck \"$@\"\n");
        expect("mkdir -p $D/bin/wrappers; SHMCHECK_PROGRAMS=$D/bin ci/sweep_wrappers tutorial-c", 1,
               "key: leaked:shmat:main@tutorial.c");
}

Test(wrapper_sweeps, a_difference_between_both_ways_is_told)
{
        make_fake("shmcheck", "#!/bin/sh\n"
                              "$B/shmcheck \"$@\"; status=$?\n"
                              "case \"$*\" in *--no-fork-server*)\n"
                              "sed -i 's/\"outcome\": \"reported\"/\"outcome\": \"absorbed\"/' "
                              "$SHMCHECK_PROGRAMS/wrappers/*/anew.json\n"
                              "esac; exit $status\n");
        expect("SHMCHECK_PROGRAMS=$D/bin ci/sweep_wrappers tutorial-c", 1, "not the same, see ");
}

Test(wrapper_sweeps, one_that_cannot_be_swept_is_told)
{
        make_fake("shmcheck", "#!/bin/sh\necho 'shmcheck: out of order' >&2\nexit 3\n");
        expect("SHMCHECK_PROGRAMS=$D/bin ci/sweep_wrappers tutorial-c", 3, "exit status 3: shmcheck: out of order");
}

Test(wrapper_sweeps, one_whose_packages_are_missing_is_told_and_skipped)
{
        make_fake("dpkg-query", "#!/bin/sh\nexit 1\n");
        expect("PATH=$D/bin:$PATH ci/sweep_wrappers tutorial-c", 0, "skipped: not installed (Debian): gcc libc6-dev");
}

/* ---- a false alarm that PostgreSQL brought up ---- */

Test(wrappers, an_identifier_that_was_just_found_is_not_gone_for_ever)
{
        expect("cc -std=gnu11 -o $D/looks_again ci/tests/wrappers/looks_again.c && "
               "$B/shmcheck sweep --timeout 1 -- $D/looks_again",
               0, "0 findings");
}
