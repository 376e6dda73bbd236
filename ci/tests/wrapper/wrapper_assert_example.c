/*
 * How a wrapper is tested with shmfault.h and nothing but assert:
 *
 *     cc wrapper_assert_example.c counter.c $(pkg-config --cflags --libs shmfault)
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <shmfault.h>

#include "counter.h"

#define FILE_NAME "/etc/passwd"

static int arm(const char *rule)
{
        char why[SHMFAULT_WHY];
        int handle = shmfault_arm(rule, why, sizeof(why));
        if (handle == -1)
                fprintf(stderr, "%s: %s\n", rule, why);
        assert(handle != -1);
        return handle;
}

static void expect_hits(int handle, unsigned long hits)
{
        struct shmfault_counts counts;
        assert(shmfault_counts(handle, &counts) == 0);
        assert(counts.hit == hits);
}

static void expect_nothing_left(void)
{
        assert(shmfault_segments(NULL, 0) == 0);
        assert(shmfault_attachments(NULL, 0) == 0);
}

static void a_counter_counts(void)
{
        struct counter *a = NULL;
        struct counter *b = NULL;
        assert(counter_open(FILE_NAME, &a) == COUNTER_OK);
        assert(counter_open(FILE_NAME, &b) == COUNTER_OK);
        assert(counter_add(a, 2) == 2 && counter_add(b, 3) == 5);

        struct shmfault_segment segment;
        assert(shmfault_segments(&segment, 1) == 1 && segment.attached == 2);
        assert(shmfault_attachments(NULL, 0) == 2);
        assert(counter_close(a) == COUNTER_OK && counter_close(b) == COUNTER_OK);
        expect_nothing_left();
}

static void each_failure_is_told(void)
{
        static const struct {
                const char *rule;
                enum counter_error error;
        } rows[] = {
                {"ftok:error=ENOENT", COUNTER_NO_NAME},     {"shmget:error=ENOSPC", COUNTER_NO_ROOM},
                {"shmget:error=EACCES", COUNTER_DENIED},    {"shmat:error=ENOMEM", COUNTER_NO_ROOM},
                {"shmat:error=EINVAL", COUNTER_NOT_OURS},   {"shmget:error=ENOENT", COUNTER_BROKEN},
                {"shmget:error=EEXIST:when=1", COUNTER_OK},
        };
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct counter *counter = NULL;
                int fault = arm(rows[i].rule);
                enum counter_error error = counter_open(FILE_NAME, &counter);
                assert(error == rows[i].error);
                expect_hits(fault, 1);
                assert(shmfault_disarm(fault) == 0);
                assert(error != COUNTER_OK || counter_close(counter) == COUNTER_OK);
                expect_nothing_left();
        }
}

/* The same as a struct, for a test that computes its rules. */
static void a_removal_that_fails_is_told(void)
{
        struct counter *counter = NULL;
        struct shmfault_rule rule = {.call = "shmctl/IPC_RMID", .error = EPERM, .first = 1, .last = 1};
        assert(counter_open(FILE_NAME, &counter) == COUNTER_OK);
        int fault = shmfault_arm_rule(&rule, NULL, 0);
        assert(fault != -1);
        assert(counter_close(counter) == COUNTER_BROKEN);
        expect_hits(fault, 1);
        assert(shmfault_segments(NULL, 0) == 1);
        assert(counter_open(FILE_NAME, &counter) == COUNTER_OK);
        assert(counter_close(counter) == COUNTER_OK);
        expect_nothing_left();
        assert(shmfault_reset() == 0);
}

int main(void)
{
        a_counter_counts();
        each_failure_is_told();
        a_removal_that_fails_is_told();
        puts("all is well");
        return 0;
}
