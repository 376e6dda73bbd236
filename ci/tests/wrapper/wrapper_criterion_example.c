/*
 * How a wrapper is tested with shmfault.h and Criterion, where each test is a
 * process of its own, so that no rule outlives its test. All use one counter,
 * so they are run one after the other:
 *
 *     cc wrapper_criterion_example.c counter.c $(pkg-config --cflags --libs shmfault) -lcriterion
 *     ./a.out --jobs 1
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <shmfault.h>

#include "counter.h"

#define FILE_NAME "/etc/passwd"

static void expect_nothing_left(void)
{
        cr_expect_eq(shmfault_segments(NULL, 0), 0);
        cr_expect_eq(shmfault_attachments(NULL, 0), 0);
}

Test(counter, counts_for_all_who_have_it_open)
{
        struct counter *a = NULL;
        struct counter *b = NULL;
        cr_assert_eq(counter_open(FILE_NAME, &a), COUNTER_OK);
        cr_assert_eq(counter_open(FILE_NAME, &b), COUNTER_OK);
        counter_add(a, 2);
        cr_expect_eq(counter_add(b, 3), 5);
        cr_expect_eq(counter_close(a), COUNTER_OK);
        cr_expect_eq(counter_close(b), COUNTER_OK);
        expect_nothing_left();
}

struct failure {
        char rule[64];
        enum counter_error error;
};

ParameterizedTestParameters(counter, tells_why_it_cannot_be_opened)
{
        static struct failure failures[] = {
                {"ftok:error=ENOENT", COUNTER_NO_NAME},  {"shmget:error=ENOSPC", COUNTER_NO_ROOM},
                {"shmget:error=EACCES", COUNTER_DENIED}, {"shmat:error=ENOMEM", COUNTER_NO_ROOM},
                {"shmat:error=EIDRM", COUNTER_BROKEN},
        };
        return cr_make_param_array(struct failure, failures, sizeof(failures) / sizeof(failures[0]));
}

ParameterizedTest(struct failure *failure, counter, tells_why_it_cannot_be_opened)
{
        char why[SHMFAULT_WHY];
        struct counter *counter = NULL;
        struct shmfault_counts counts;
        int fault = shmfault_arm(failure->rule, why, sizeof(why));
        cr_assert(fault != -1, "%s", why);
        cr_expect_eq(counter_open(FILE_NAME, &counter), failure->error);
        cr_assert_eq(shmfault_counts(fault, &counts), 0);
        cr_expect_eq(counts.hit, 1, "the fault was never met");
        expect_nothing_left();
}

Test(counter, is_not_opened_when_the_segment_is_too_small)
{
        struct counter *counter = NULL;
        struct counter *other = NULL;
        int fault = shmfault_arm("shmget:short=1", NULL, 0);
        cr_assert_eq(counter_open(FILE_NAME, &other), COUNTER_OK);
        cr_assert_eq(shmfault_disarm(fault), 0);
        cr_expect_eq(counter_open(FILE_NAME, &counter), COUNTER_NOT_OURS);
        cr_expect_eq(counter_close(other), COUNTER_OK);
        expect_nothing_left();
}

Test(counter, is_kept_while_another_has_it_open)
{
        struct counter *counter = NULL;
        struct shmfault_segment left;
        shmfault_arm("shmctl/IPC_STAT:corrupt=nattch:1:when=1", NULL, 0);
        cr_assert_eq(counter_open(FILE_NAME, &counter), COUNTER_OK);
        cr_expect_eq(counter_close(counter), COUNTER_OK);
        cr_assert_eq(shmfault_segments(&left, 1), 1, "the other one will remove it");
        cr_expect(left.attached == 0 && !left.marked);
        cr_assert_eq(counter_open(FILE_NAME, &counter), COUNTER_OK);
        cr_expect_eq(counter_close(counter), COUNTER_OK);
        expect_nothing_left();
}
