/* Rules as people write them, and get wrong. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fnmatch.h>
#include <jansson.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault_errors.h"
#include "fault_plan.h"
#include "name_glob.h"
#include "nearest.h"
#include "shm_commands.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define SHMGET (1U << SHM_CALL_SHMGET)
#define SHMAT (1U << SHM_CALL_SHMAT)
#define SHMDT (1U << SHM_CALL_SHMDT)
#define SHMCTL (1U << SHM_CALL_SHMCTL)
#define FTOK (1U << SHM_CALL_FTOK)
#define ALL (SHMGET | SHMAT | SHMDT | SHMCTL | FTOK)

/* The name that the tool would offer, or ""; good until the next call. */
static const char *offered(const struct fault_mistake *mistake)
{
        static char nearest[32];
        if (!mistake->nearest_of)
                return "";
        json_t *names = json_array();
        for (const char *const *name = mistake->nearest_of; *name; name++)
                json_array_append_new(names, json_string(*name));
        const char *found = nearest_name(mistake->word, names);
        snprintf(nearest, sizeof(nearest), "%s", found ? found : "(an empty list)");
        json_decref(names);
        return nearest;
}

struct wrong {
        const char *text;
        unsigned column;
        const char *why;     /* part of it */
        const char *nearest; /* NULL: no name is offered */
};

static void expect_mistakes(const struct wrong *rows, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                struct fault_rule rule;
                struct fault_mistake mistake;
                cr_expect(!fault_rule_parse(&rule, rows[i].text, false, &mistake), "'%s' was taken", rows[i].text);
                cr_expect_eq(mistake.column, rows[i].column, "'%s': column %u: %s", rows[i].text, mistake.column,
                             mistake.why);
                cr_expect_not_null(strstr(mistake.why, rows[i].why), "'%s': %s", rows[i].text, mistake.why);
                cr_expect_str_eq(offered(&mistake), rows[i].nearest ? rows[i].nearest : "", "'%s': %s", rows[i].text,
                                 offered(&mistake));
                cr_expect_null(strchr(mistake.why, '\n'), "'%s': %s", rows[i].text, mistake.why);
                cr_expect_neq(mistake.why[strlen(mistake.why) - 1], '.', "'%s': %s", rows[i].text, mistake.why);
                cr_expect_eq(rule.calls, 0, "'%s'", rows[i].text);
        }
}

static struct fault_rule parse_as(const char *text, bool any_error)
{
        struct fault_rule rule;
        struct fault_mistake mistake;
        cr_assert(fault_rule_parse(&rule, text, any_error, &mistake), "'%s': column %u: %s", text, mistake.column,
                  mistake.why);
        cr_expect_str_eq(rule.text, text);
        return rule;
}

static struct fault_rule parse(const char *text)
{
        return parse_as(text, false);
}

Test(fault_plan, mistakes_in_the_call)
{
        static const struct wrong rows[] = {
                {"", 1, "a rule is CALL:ACTION[:ACTION...][:SELECTION...]", NULL},
                {":error=EINVAL", 1, "a rule is CALL:ACTION", NULL},
                {"shmgte:error=EINVAL", 1, "unknown call 'shmgte'", "shmget"},
                {"shmatt", 1, "unknown call 'shmatt'", "shmat"},
                {"ftoke:error=EINVAL", 1, "unknown call 'ftoke'", "ftok"},
                {"sh:error=EINVAL", 1, "unknown call 'sh'", "shm"},
                {" shmget:error=EINVAL", 1, "unknown call ' shmget'", "shmget"},
                {"shmget :error=EINVAL", 1, "unknown call 'shmget '", "shmget"},
                {"shmget,shmd:error=EINVAL", 8, "unknown call 'shmd'", "shmdt"},
                {"shmget,:error=EINVAL", 8, "unknown call ''", NULL},
                {"shmget,,shmat:error=EINVAL", 8, "unknown call ''", NULL},
                {",shmget:error=EINVAL", 1, "unknown call ''", NULL},
                {"shmctl/IPC_STATT:error=EINVAL", 8, "unknown command of shmctl 'IPC_STATT'", "IPC_STAT"},
                {"shmctl/RMID:error=EINVAL", 8, "unknown command of shmctl 'RMID'", "IPC_RMID"},
                {"shmctl/:error=EINVAL", 8, "unknown command of shmctl ''", NULL},
                {"shmctl/-1:error=EINVAL", 8, "unknown command of shmctl '-1'", "IPC_SET"},
                {"shmctl/2147483648:error=EINVAL", 8, "unknown command of shmctl '2147483648'", "IPC_RMID"},
                {"shmctl/2x:error=EINVAL", 8, "unknown command of shmctl '2x'", "IPC_SET"},
                {"shmctl/IPC_STAT/1:error=EINVAL", 8, "unknown command of shmctl 'IPC_STAT/1'", "IPC_STAT"},
                {"shmget/IPC_STAT:error=EINVAL", 7, "only shmctl has commands", NULL},
                {"shm/IPC_STAT:error=EINVAL", 4, "only shmctl has commands", NULL},
                {"shmctl/IPC_SET,shmctl/IPC_STAT:error=EINVAL", 16, "one command of shmctl, or about all", NULL},
                {"shmctl,shmctl/IPC_STAT:error=EINVAL", 8, "one command of shmctl, or about all", NULL},
                {"shmctl/IPC_STAT,shm:error=EINVAL", 17, "'shm' takes a rule of its own", NULL},
        };
        expect_mistakes(rows, COUNT(rows));
}

Test(fault_plan, mistakes_in_the_parts)
{
        static const struct wrong rows[] = {
                {"shmget", 7, "the rule has no action: error=, retval=", NULL},
                {"shmget:when=2", 14, "the rule has no action", NULL},
                {"shmget:", 8, "nothing stands behind the colon", NULL},
                {"shmget::error=EINVAL", 8, "nothing stands behind the colon", NULL},
                {"shmget:error=EINVAL:", 21, "nothing stands behind the colon", NULL},
                {"shmget:error=EINVAL::when=2", 21, "nothing stands behind the colon", NULL},
                {"shmget:eror=EINVAL", 8, "unknown action or selection 'eror'", "error"},
                {"shmget:error=EINVAL:wehn=2", 21, "unknown action or selection 'wehn'", "when"},
                {"shmget:dealy=2ms", 8, "unknown action or selection 'dealy'", "delay"},
                {"shmget:signal_entry=HUP", 8, "unknown action or selection 'signal_entry'", "signal_enter"},
                {"shmget:shrot", 8, "unknown action or selection 'shrot'", "short"},
                {"shmget: error=EINVAL", 8, "unknown action or selection ' error'", "error"},
                {"shmget:=5", 8, "unknown action or selection ''", NULL},
                {"shmget:ENOSPC", 8, "unknown action or selection 'ENOSPC'", "error"},
                {"shmget:error=EINVAL:seed=7", 21, "seed is of prob", NULL},
                {"shmget:seed=7:error=EINVAL", 8, "seed is of prob", NULL},
        };
        expect_mistakes(rows, COUNT(rows));
}

Test(fault_plan, a_part_without_its_value_says_what_it_takes)
{
        static const char *const parts[] = {"error",       "retval",      "signal",     "delay",   "signal_enter",
                                            "signal_exit", "delay_enter", "delay_exit", "corrupt", "when",
                                            "key",         "size",        "uid",        "caller",  "thread",
                                            "prob",        "seed"};
        for (size_t i = 0; i < COUNT(parts); i++) {
                char bare[64];
                char empty[64];
                char why[64];
                int length = snprintf(bare, sizeof(bare), "shm:%s", parts[i]);
                snprintf(empty, sizeof(empty), "shm:%s=", parts[i]);
                snprintf(why, sizeof(why), "%s= takes ", parts[i]);
                const struct wrong rows[] = {
                        {bare, (unsigned)length + 1, why, NULL},
                        {empty, (unsigned)length + 2, why, NULL},
                };
                expect_mistakes(rows, COUNT(rows));
        }
        static const struct wrong rows[] = {{"shmget:short=", 14, "short= takes a size from 1 byte on", NULL}};
        expect_mistakes(rows, COUNT(rows));
}

Test(fault_plan, mistakes_in_the_values_of_actions)
{
        static const struct wrong rows[] = {
                {"shmget:error=ENOPSC", 14, "error= takes the name of an error, as ENOSPC, or its number", "ENOSPC"},
                {"shmget:error=NOENT", 14, "not 'NOENT'", "ENOENT"},
                {"shmget:error=ENOSPC ", 14, "not 'ENOSPC '", "ENOSPC"},
                {"shmget:error=0", 14, "not '0'", NULL},
                {"shmget:error=-1", 14, "not '-1'", NULL},
                {"shmget:error=4096", 14, "not '4096'", NULL},
                {"shmget:error=22x", 16, "not '22x'", NULL},
                {"shmget:error=99999999999999999999", 14, "not '99999999999999999999'", NULL},
                {"shmget:retval=x", 15, "retval= takes a number", NULL},
                {"shmget:retval=--1", 15, "not '--1'", NULL},
                {"shmget:retval=-0x", 15, "not '-0x'", NULL},
                {"shmget:retval=0x100000000", 15, "that the call's type can hold", NULL},
                {"shmget:retval=-2147483649", 15, "that the call's type can hold", NULL},
                {"shmat:retval=9223372036854775808", 14, "not '9223372036854775808'", NULL},
                {"shmat:retval=0x10000000000000000", 14, "not '0x10000000000000000'", NULL},
                {"shmget:signal=KIL", 15, "signal= takes the name of a signal, as KILL", "KILL"},
                {"shmget:signal_exit=SIGTERMM", 20, "signal_exit= takes", "SIGTERM"},
                {"shmget:signal=0", 15, "not '0'", NULL},
                {"shmget:signal=65", 15, "not '65'", NULL},
                {"shmget:signal=-9", 15, "not '-9'", NULL},
                {"shmget:signal=RTMIN+31", 21, "not 'RTMIN+31'", NULL},
                {"shmget:signal_exit=SIGRTMAX+1", 28, "not 'SIGRTMAX+1'", NULL},
                {"shmget:signal=SIG", 15, "not 'SIG'", "SIGIO"},
                {"shmget:delay_enter=2m", 21, "delay_enter= takes a time, as 300us, 2ms, 1s or 50ns", NULL},
                {"shmget:delay_exit=ms", 19, "delay_exit= takes a time", NULL},
                {"shmget:delay_exit=-2ms", 19, "delay_exit= takes a time", NULL},
                {"shmget:delay_exit=1.5ms", 20, "delay_exit= takes a time", NULL},
                {"shmget:delay_exit=1000000001s", 29, "delay_exit= takes a time", NULL},
                {"shmget:delay_exit=18446744073709551615", 19, "delay_exit= takes a time", NULL},
                {"shmctl:corrupt=natch:0", 16, "corrupt= takes a member of shmid_ds and a value", "nattch"},
                {"shmctl:corrupt=shm_:0", 16, "not 'shm_'", "segsz"},
                {"shmctl:corrupt=shm_sgsz:0", 20, "not 'sgsz'", "segsz"},
                {"shmctl:corrupt=nattch", 22, "corrupt=nattch is followed by :VALUE", NULL},
                {"shmctl:corrupt=nattch:", 22, "corrupt=nattch is followed by :VALUE", NULL},
                {"shmctl:corrupt=nattch::when=1", 22, "corrupt=nattch is followed by :VALUE", NULL},
                {"shmctl:corrupt=nattch:when=1", 23, "nattch takes a number of 64 bits, or max, not 'when=1'", NULL},
                {"shmctl:corrupt=nattch:-1", 23, "nattch takes a number of 64 bits", NULL},
                {"shmctl:corrupt=segsz:18446744073709551616", 22, "segsz takes a number of 64 bits", NULL},
                {"shmctl:corrupt=uid:4294967296", 20, "uid takes a number of 32 bits", NULL},
                {"shmctl:corrupt=mode:0608", 24, "mode takes bits, as 0600, or max", NULL},
                {"shmctl:corrupt=mode:0200000", 21, "mode takes bits", NULL},
                {"shmctl:corrupt=cpid:2147483648", 21, "cpid takes a number of 32 bits with a sign", NULL},
                {"shmctl:corrupt=ctime:maximum", 22, "ctime takes seconds since 1970, or max", NULL},
                {"shmget:short=0", 14, "short= takes a size from 1 byte on", NULL},
                {"shmget:short=0k", 14, "short= takes a size from 1 byte on", NULL},
                {"shmget:short=4T", 15, "short= takes a size from 1 byte on", NULL},
                {"shmget:short=99999999999G", 25, "short= takes a size", NULL},
        };
        expect_mistakes(rows, COUNT(rows));
}

Test(fault_plan, mistakes_in_the_values_of_selections)
{
#define E "shmget:error=EINVAL:"
        static const struct wrong rows[] = {
                {E "when=0", 26, "when= takes N, N+, N+STEP, N..M or N..M+STEP, counted from 1, not '0'", NULL},
                {E "when=-1", 26, "when= takes", NULL},
                {E "when=+", 26, "when= takes", NULL},
                {E "when=2-", 27, "when= takes", NULL},
                {E "when=2+0", 28, "when= takes", NULL},
                {E "when=2+x", 28, "when= takes", NULL},
                {E "when=2..1", 29, "when= takes", NULL},
                {E "when=2..", 29, "when= takes", NULL},
                {E "when=2...3", 29, "when= takes", NULL},
                {E "when=2..5+0", 31, "when= takes", NULL},
                {E "when=2..5+2+", 32, "when= takes", NULL},
                {E "when=18446744073709551616", 26, "when= takes", NULL},
                {E "key=IPC_PRIVAT", 25, "key= takes a key, as 5, 0x5e3a0001 or IPC_PRIVATE", NULL},
                {E "key=0x100000000", 25, "key= takes a key", NULL},
                {E "key=-2147483649", 25, "key= takes a key", NULL},
                {E "key=0x", 25, "key= takes a key", NULL},
                {E "size=<0", 26, "size= takes a size, as 4096, <4k, <=1M, >2G or >=1", NULL},
                {E "size=>18446744073709551615", 26, "size= takes a size", NULL},
                {E "size=<", 27, "size= takes a size", NULL},
                {E "size=<>4k", 27, "size= takes a size", NULL},
                {E "size==4k", 26, "size= takes a size", NULL},
                {E "size=4x", 27, "size= takes a size", NULL},
                {E "size=4kk", 27, "size= takes a size", NULL},
                {E "size=17179869184G", 37, "size= takes a size", NULL},
                {E "uid=root", 25, "uid= takes the number of a user", NULL},
                {E "uid=4294967295", 25, "uid= takes the number of a user", NULL},
                {E "uid=-1", 25, "uid= takes the number of a user", NULL},
                {E "caller=[a", 28, "in the glob '[a', a [ has no ]", NULL},
                {E "caller=x[]", 29, "in the glob 'x[]', a [ has no ]", NULL},
                {E "caller=ab\\", 30, "nothing stands behind the \\", NULL},
                {E "thread=0", 28, "thread= takes a number from 1 on", NULL},
                {E "thread=4294967296", 28, "thread= takes a number from 1 on", NULL},
                {E "thread=12345678901234567890123456789012x", 28, "of at most 31 bytes", NULL},
                {E "prob=1.1", 26, "prob= takes a probability from 0 to 1, as 0.01 or 1%", NULL},
                {E "prob=101%", 26, "prob= takes", NULL},
                {E "prob=-0.5", 26, "prob= takes", NULL},
                {E "prob=.", 26, "prob= takes", NULL},
                {E "prob=0,5", 27, "prob= takes", NULL},
                {E "prob=1e-3", 27, "prob= takes", NULL},
                {E "prob=5%%", 28, "prob= takes", NULL},
                {E "prob=nan", 26, "prob= takes", NULL},
                {E "prob=1:seed=-1", 33, "seed= takes a number", NULL},
                {E "prob=1:seed=18446744073709551616", 33, "seed= takes a number", NULL},
        };
#undef E
        expect_mistakes(rows, COUNT(rows));
}

Test(fault_plan, parts_that_contradict_each_other)
{
        static const struct wrong rows[] = {
                {"shmget:error=EINVAL:retval=3", 21, "retval contradicts error", NULL},
                {"shmget:retval=3:error=EINVAL", 17, "error contradicts retval", NULL},
                {"shmget:error=EINVAL:error=EACCES", 21, "the rule has error already", NULL},
                {"shmget:error=EINVAL:short", 21, "short contradicts error", NULL},
                {"shmget:short:error=EINVAL", 14, "error contradicts short", NULL},
                {"shmget:short=5:retval=1", 16, "retval contradicts short", NULL},
                {"shmctl:corrupt=nattch:1:error=EINVAL", 25, "error contradicts corrupt", NULL},
                {"shmctl:retval=1:corrupt=nattch:1", 17, "corrupt contradicts retval", NULL},
                {"shmctl:corrupt=nattch:1:corrupt=segsz:1", 25, "the rule has corrupt already", NULL},
                {"shmget:short:short=4k", 14, "the rule has short already", NULL},
                {"shmget:signal=1:signal_enter=2", 17, "the rule has signal already", NULL},
                {"shmget:signal_enter=1:signal=2", 23, "the rule has signal_enter already", NULL},
                {"shmget:delay=1:delay_enter=2", 16, "the rule has delay already", NULL},
                {"shmget:delay_enter=1:delay_enter=2", 22, "the rule has delay_enter already", NULL},
                {"shmget:short:when=1:when=2", 21, "the rule has when already", NULL},
                {"shmget:short:size=>1:size=<9", 22, "the rule has size already", NULL},
                {"shmget:short:prob=1:seed=1:seed=1", 28, "the rule has seed already", NULL},
                {"shmat:short", 7, "short is of shmget, which the rule is not about", NULL},
                {"shmat,shmctl,shmdt,ftok:short=4k", 25, "short is of shmget", NULL},
                {"shmat:key=5:error=EINVAL", 7, "key is of shmget", NULL},
                {"ftok:error=ENOENT:key=5", 19, "key is of shmget", NULL},
                {"shmdt:error=EINVAL:size=5", 20, "size is of shmget", NULL},
                {"shmget:corrupt=nattch:0", 8, "corrupt is of shmctl with IPC_STAT, SHM_STAT or SHM_STAT_ANY", NULL},
                {"shmctl/IPC_RMID:corrupt=nattch:0", 17, "corrupt is of shmctl with", NULL},
                {"shmctl/IPC_INFO:corrupt=nattch:0", 17, "corrupt is of shmctl with", NULL},
                {"shmctl/0:corrupt=nattch:0", 10, "corrupt is of shmctl with", NULL},
                {"shm:corrupt=nattch:1:key=5", 22, "key and size are of shmget", NULL},
                {"shm:key=5:corrupt=nattch:1", 11, "key and size are of shmget", NULL},
                {"shm:error=ENOTDIR:key=5:size=>1", 25, "key and size are of shmget", NULL},
                {"shm:size=5:error=EMFILE", 12, "key and size are of shmget", NULL},
        };
        expect_mistakes(rows, COUNT(rows));
}

Test(fault_plan, an_error_that_no_document_gives_is_refused_with_those_that_are_given)
{
        static const struct wrong rows[] = {
                {"shmdt:error=ENOSPC", 13,
                 "shmdt cannot fail with ENOSPC by any documentation (it can: EINVAL, ENOSYS); --any-error accepts it",
                 NULL},
                {"shmdt:error=28", 13, "shmdt cannot fail with ENOSPC", NULL},
                {"shmget:error=EFAULT", 14,
                 "(it can: EACCES, EEXIST, EINVAL, ENOENT, ENOSPC, ENOMEM, ENFILE, EPERM, ENOSYS)", NULL},
                {"shmctl/IPC_RMID:error=EACCES", 23,
                 "shmctl/IPC_RMID cannot fail with EACCES by any documentation (it can: EPERM, EINVAL, EIDRM, ENOSYS)",
                 NULL},
                {"shmctl/IPC_INFO:error=EINVAL", 23, "(it can: ENOSYS, EPERM)", NULL},
                {"shmctl/1000:error=EINVAL", 19, "(it can: ENOSYS, EPERM)", NULL},
                {"shmctl:error=ENOSPC", 14, "shmctl cannot fail with ENOSPC", NULL},
                {"shmat,shmdt:error=EEXIST", 19, "shmat,shmdt cannot fail with EEXIST", NULL},
                {"shm:error=EXDEV", 11, "shm cannot fail with EXDEV by any documentation (it can: ENOENT, EACCES,",
                 NULL},
                {"shm:error=EXDEV", 11, "EIDRM, EAGAIN); --any-error accepts it", NULL},
                {"ftok:error=ENOSYS", 12, "ftok cannot fail with ENOSYS", NULL},
                {"shmget:error=4095", 14, "shmget cannot fail with 4095", NULL},
        };
        expect_mistakes(rows, COUNT(rows));
        for (size_t i = 0; i < COUNT(rows); i++) {
                struct fault_rule rule = parse_as(rows[i].text, true);
                cr_expect_neq(rule.error, 0);
                cr_expect_eq(rule.spared, 0, "'%s'", rows[i].text);
        }
        cr_expect_eq(parse_as("shm:error=EXDEV", true).calls, ALL);
}

Test(fault_plan, every_row_of_the_table_of_errors_can_be_asked_for)
{
        cr_expect_eq(fault_error_count, 47);
        for (size_t i = 0; i < fault_error_count; i++) {
                const struct fault_error *row = &fault_errors[i];
                char text[128];
                bool has_command = row->command != FAULT_ANY_COMMAND;
                snprintf(text, sizeof(text), "%s%s%s:error=%s", shm_call_name(row->call), has_command ? "/" : "",
                         has_command ? shm_command_name(row->command) : "", fault_error_name(row->error));
                struct fault_rule rule = parse(text);
                cr_expect_eq(rule.error, row->error, "'%s'", text);
                cr_expect_eq(rule.calls, 1U << row->call, "'%s'", text);
                cr_expect(row->linux_ != FAULT_NEVER || row->posix != FAULT_NEVER, "'%s'", text);
                cr_expect_gt(strlen(row->when), 10, "'%s'", text);
                for (size_t j = 0; j < i; j++)
                        cr_expect(fault_errors[j].call != row->call || fault_errors[j].error != row->error ||
                                          fault_errors[j].command != row->command,
                                  "'%s' stands there twice", text);
        }
}

Test(fault_plan, errors_are_known_by_call_and_command)
{
        cr_expect(fault_error_is_known(SHMGET, FAULT_ANY_COMMAND, ENOSPC));
        cr_expect(fault_error_is_known(SHMGET | SHMDT, FAULT_ANY_COMMAND, ENOSPC));
        cr_expect(!fault_error_is_known(SHMDT, FAULT_ANY_COMMAND, ENOSPC));
        cr_expect(!fault_error_is_known(0, FAULT_ANY_COMMAND, ENOSPC));
        cr_expect(fault_error_is_known(SHMCTL, FAULT_ANY_COMMAND, EACCES));
        cr_expect(fault_error_is_known(SHMCTL, IPC_STAT, EACCES));
        cr_expect(!fault_error_is_known(SHMCTL, IPC_RMID, EACCES));
        cr_expect(fault_error_is_known(SHMCTL, IPC_RMID, ENOSYS));
        cr_expect(fault_error_is_known(SHMCTL, 1000, EPERM));
        cr_expect(fault_error_is_known(SHMGET | SHMCTL, IPC_RMID, EEXIST));
        cr_expect(!fault_error_is_known(ALL, FAULT_ANY_COMMAND, EFAULT));
}

Test(fault_plan, is_about_the_calls_that_it_names)
{
        static const struct {
                const char *text;
                unsigned calls;
                int command;
        } rows[] = {
                {"shmget:retval=1", SHMGET, FAULT_ANY_COMMAND},
                {"shmat:retval=1", SHMAT, FAULT_ANY_COMMAND},
                {"shmdt:retval=1", SHMDT, FAULT_ANY_COMMAND},
                {"shmctl:retval=1", SHMCTL, FAULT_ANY_COMMAND},
                {"ftok:retval=1", FTOK, FAULT_ANY_COMMAND},
                {"shm:retval=1", ALL, FAULT_ANY_COMMAND},
                {"shmget,shmat:retval=1", SHMGET | SHMAT, FAULT_ANY_COMMAND},
                {"shmat,shmctl/IPC_SET,shmdt:retval=1", SHMAT | SHMCTL | SHMDT, IPC_SET},
                {"shmctl/IPC_SET,shmctl/1:retval=1", SHMCTL, IPC_SET},
                {"shmget,shmget:retval=1", SHMGET, FAULT_ANY_COMMAND},
                {"shmctl/IPC_RMID:retval=1", SHMCTL, 0},
                {"shmctl/IPC_SET:retval=1", SHMCTL, 1},
                {"shmctl/ipc_stat:retval=1", SHMCTL, 2},
                {"shmctl/IPC_INFO:retval=1", SHMCTL, 3},
                {"shmctl/SHM_LOCK:retval=1", SHMCTL, 11},
                {"shmctl/SHM_UNLOCK:retval=1", SHMCTL, 12},
                {"shmctl/SHM_STAT:retval=1", SHMCTL, 13},
                {"shmctl/SHM_INFO:retval=1", SHMCTL, 14},
                {"shmctl/SHM_STAT_ANY:retval=1", SHMCTL, 15},
                {"shmctl/0x7fffffff:retval=1", SHMCTL, 0x7fffffff},
        };
        for (size_t i = 0; i < COUNT(rows); i++) {
                struct fault_rule rule = parse(rows[i].text);
                cr_expect_eq(rule.calls, rows[i].calls, "'%s'", rows[i].text);
                cr_expect_eq(rule.command, rows[i].command, "'%s'", rows[i].text);
                cr_expect_eq(rule.spared, 0, "'%s'", rows[i].text);
        }
}

Test(fault_plan, leaves_the_calls_alone_to_which_it_cannot_do_anything)
{
        const uint32_t stat = FAULT_COMMAND_BIT(IPC_STAT) | FAULT_COMMAND_BIT(SHM_STAT);
        const uint32_t all_stat = stat | FAULT_COMMAND_BIT(SHM_STAT_ANY);
        const struct {
                const char *text;
                unsigned calls;
                uint32_t spared;
        } rows[] = {
                {"shm:error=ENOSYS", ALL & ~FTOK, 0},
                {"shm:error=ENOSPC", SHMGET, 0},
                {"shm:error=EACCES", ALL & ~SHMDT, ~stat},
                {"shmctl:error=EACCES", SHMCTL, ~stat},
                {"shmctl/IPC_RMID,shmat:error=EACCES", SHMAT, 0},
                {"shm:error=ENOENT", SHMGET | FTOK, 0},
                {"shm:short", SHMGET, 0},
                {"shm:corrupt=nattch:0", SHMCTL, ~all_stat},
                {"shm:short:corrupt=nattch:0", SHMGET | SHMCTL, ~all_stat},
                {"shmget,shmctl/IPC_RMID:short", SHMGET, 0},
                {"shm:short:delay_enter=1", ALL, 0},
                {"shm:corrupt=nattch:0:signal=HUP", ALL, 0},
                {"shm:signal=KILL:key=5", SHMGET, 0},
                {"shm:signal=KILL:size=>5", SHMGET, 0},
                {"shm:error=EINVAL:key=5", SHMGET, 0},
                {"shm:short:corrupt=nattch:0:key=5", SHMGET, 0},
        };
        for (size_t i = 0; i < COUNT(rows); i++) {
                struct fault_rule rule = parse(rows[i].text);
                cr_expect_eq(rule.calls, rows[i].calls, "'%s': %x", rows[i].text, rule.calls);
                cr_expect_eq(rule.spared, rows[i].spared, "'%s': %x", rows[i].text, rule.spared);
        }
}

Test(fault_plan, errors_and_results)
{
        cr_expect_eq(parse("shmget:error=ENOSPC").error, ENOSPC);
        cr_expect_eq(parse("shmget:error=enospc").error, ENOSPC);
        cr_expect_eq(parse("shmget:error=28").error, 28);
        cr_expect_eq(parse("shmget:error=0x1c").error, 28);
        cr_expect_eq(parse_as("shmget:error=EWOULDBLOCK", true).error, EAGAIN);
        cr_expect_eq(parse_as("shmget:error=4095", true).error, 4095);
        cr_expect_eq(parse_as("shmget:error=ENOTSUP", true).error, ENOTSUP);
        cr_expect_eq(parse("shmget:error=ENOSPC").actions, FAULT_ERROR);
        cr_expect_eq(parse("shmget:retval=5").actions, FAULT_RETVAL);
        cr_expect_eq(parse("shmget:retval=5").retval, 5);
        cr_expect_eq(parse("shmget:retval=-1").retval, -1);
        cr_expect_eq(parse("shmget:retval=-2147483648").retval, INT32_MIN);
        cr_expect_eq(parse("shmget:retval=0xffffffff").retval, INT64_C(0xffffffff));
        cr_expect_eq(parse("shmat:retval=0xffffffffffffffff").retval, -1);
        cr_expect_eq(parse("shmat:retval=0x7f0000000000").retval, INT64_C(0x7f0000000000));
        cr_expect_eq(parse("shmat:retval=-9223372036854775808").retval, INT64_MIN);
        cr_expect_eq(parse("shm:retval=0x7f0000000000").retval, INT64_C(0x7f0000000000));
}

Test(fault_plan, signals)
{
        const struct {
                const char *name;
                int number;
        } rows[] = {
                {"KILL", SIGKILL},
                {"SIGKILL", SIGKILL},
                {"kill", SIGKILL},
                {"sigSegv", SIGSEGV},
                {"9", 9},
                {"64", 64},
                {"CHLD", SIGCHLD},
                {"STKFLT", SIGSTKFLT},
                {"IOT", SIGABRT},
                {"POLL", SIGIO},
                {"CLD", SIGCHLD},
                {"WINCH", SIGWINCH},
                {"RTMIN", SIGRTMIN},
                {"RTMAX", SIGRTMAX},
                {"SIGRTMAX", SIGRTMAX},
                {"SIGRTMIN+3", SIGRTMIN + 3},
                {"rtmin+1", SIGRTMIN + 1},
                {"RTMAX-1", SIGRTMAX - 1},
        };
        for (size_t i = 0; i < COUNT(rows); i++) {
                char text[64];
                snprintf(text, sizeof(text), "shmget:signal=%s", rows[i].name);
                struct fault_rule rule = parse(text);
                cr_expect_eq(rule.actions, FAULT_SIGNAL_ENTER, "'%s'", text);
                cr_expect_eq(rule.signal_enter, rows[i].number, "'%s'", text);
                snprintf(text, sizeof(text), "shmget:signal_exit=%s:signal_enter=HUP", rows[i].name);
                rule = parse(text);
                cr_expect_eq(rule.actions, FAULT_SIGNAL_ENTER | FAULT_SIGNAL_EXIT, "'%s'", text);
                cr_expect_eq(rule.signal_exit, rows[i].number, "'%s'", text);
                cr_expect_eq(rule.signal_enter, SIGHUP, "'%s'", text);
        }
}

Test(fault_plan, delays)
{
        static const struct {
                const char *time;
                uint64_t nanoseconds;
        } rows[] = {
                {"0", 0},
                {"300", 300000},
                {"300us", 300000},
                {"2ms", 2000000},
                {"1s", 1000000000},
                {"50ns", 50},
                {"0x10ms", 16000000},
                {"1000000000s", UINT64_C(1000000000000000000)},
        };
        for (size_t i = 0; i < COUNT(rows); i++) {
                char text[64];
                snprintf(text, sizeof(text), "shm:delay_enter=%s:delay_exit=7ns", rows[i].time);
                struct fault_rule rule = parse(text);
                cr_expect_eq(rule.actions, FAULT_DELAY_ENTER | FAULT_DELAY_EXIT, "'%s'", text);
                cr_expect_eq(rule.delay_enter, rows[i].nanoseconds, "'%s'", text);
                cr_expect_eq(rule.delay_exit, 7, "'%s'", text);
        }
        cr_expect_eq(parse("shmget:delay=5ms").delay_enter, 5000000);
        cr_expect_eq(parse("shmget:error=EINVAL:delay_exit=1ms:signal_exit=HUP").actions,
                     FAULT_ERROR | FAULT_DELAY_EXIT | FAULT_SIGNAL_EXIT);
}

Test(fault_plan, what_is_told_of_a_segment_can_be_falsified)
{
        static const struct {
                const char *value;
                enum fault_member member;
                int64_t number;
        } rows[] = {
                {"nattch:0", FAULT_MEMBER_NATTCH, 0},
                {"shm_nattch:7", FAULT_MEMBER_NATTCH, 7},
                {"nattch:max", FAULT_MEMBER_NATTCH, -1},
                {"nattch:18446744073709551615", FAULT_MEMBER_NATTCH, -1},
                {"segsz:0x1000", FAULT_MEMBER_SEGSZ, 4096},
                {"mode:0640", FAULT_MEMBER_MODE, 0640},
                {"mode:416", FAULT_MEMBER_MODE, 416},
                {"mode:0x1a0", FAULT_MEMBER_MODE, 416},
                {"mode:0", FAULT_MEMBER_MODE, 0},
                {"mode:0177777", FAULT_MEMBER_MODE, 0177777},
                {"uid:010", FAULT_MEMBER_UID, 10},
                {"gid:4294967295", FAULT_MEMBER_GID, UINT32_MAX},
                {"cuid:1", FAULT_MEMBER_CUID, 1},
                {"cgid:MAX", FAULT_MEMBER_CGID, -1},
                {"cpid:max", FAULT_MEMBER_CPID, INT32_MAX},
                {"lpid:-1", FAULT_MEMBER_LPID, -1},
                {"atime:0", FAULT_MEMBER_ATIME, 0},
                {"dtime:-9223372036854775808", FAULT_MEMBER_DTIME, INT64_MIN},
                {"ctime:max", FAULT_MEMBER_CTIME, INT64_MAX},
        };
        for (size_t i = 0; i < COUNT(rows); i++) {
                char text[64];
                snprintf(text, sizeof(text), "shmctl/IPC_STAT:corrupt=%s:when=2", rows[i].value);
                struct fault_rule rule = parse(text);
                cr_expect_eq(rule.actions, FAULT_CORRUPT, "'%s'", text);
                cr_expect_eq(rule.member, rows[i].member, "'%s'", text);
                cr_expect_eq(rule.value, rows[i].number, "'%s'", text);
                cr_expect_eq(rule.last, 2, "'%s'", text);
        }
        for (unsigned i = 0; i < FAULT_MEMBERS; i++)
                cr_expect_not_null(fault_member_name((enum fault_member)i));
}

Test(fault_plan, a_segment_can_be_made_short)
{
        cr_expect_eq(parse("shmget:short").actions, FAULT_SHORT);
        cr_expect_eq(parse("shmget:short").short_size, 0);
        cr_expect_eq(parse("shmget:short=1").short_size, 1);
        cr_expect_eq(parse("shmget:short=4k:when=1").short_size, 4096);
        cr_expect_eq(parse("shmget:short=3MiB").short_size, 3 << 20);
        cr_expect_eq(parse("shmget:short=2G").short_size, UINT64_C(2) << 30);
        cr_expect_eq(parse("shmget:short=17179869183G").short_size, UINT64_C(17179869183) << 30);
}

Test(fault_plan, when_counts_from_one)
{
        static const struct {
                const char *when;
                uint64_t first, last, step;
        } rows[] = {
                {"1", 1, 1, 1},
                {"3", 3, 3, 1},
                {"2+", 2, UINT64_MAX, 1},
                {"2+3", 2, UINT64_MAX, 3},
                {"2..5", 2, 5, 1},
                {"5..5", 5, 5, 1},
                {"2..9+3", 2, 9, 3},
                {"2..9+", 2, 9, 1},
                {"18446744073709551615", UINT64_MAX, UINT64_MAX, 1},
        };
        for (size_t i = 0; i < COUNT(rows); i++) {
                char text[64];
                snprintf(text, sizeof(text), "shmget:short:when=%s", rows[i].when);
                struct fault_rule rule = parse(text);
                cr_expect_eq(rule.first, rows[i].first, "'%s'", text);
                cr_expect_eq(rule.last, rows[i].last, "'%s'", text);
                cr_expect_eq(rule.step, rows[i].step, "'%s'", text);
        }
        struct fault_rule rule = parse("shmget:short");
        cr_expect(rule.first == 1 && rule.last == UINT64_MAX && rule.step == 1);
}

Test(fault_plan, keys_sizes_and_users)
{
        cr_expect_eq(parse("shmget:key=5:short").key, 5);
        cr_expect_eq(parse("shmget:key=5:short").selection, FAULT_BY_KEY);
        cr_expect_eq(parse("shmget:key=0x5e3a0001:short").key, 0x5e3a0001);
        cr_expect_eq(parse("shmget:key=-1:short").key, UINT32_MAX);
        cr_expect_eq(parse("shmget:key=0xffffffff:short").key, UINT32_MAX);
        cr_expect_eq(parse("shmget:key=4294967295:short").key, UINT32_MAX);
        cr_expect_eq(parse("shmget:key=IPC_PRIVATE:short").key, 0);
        cr_expect_eq(parse("shmget:key=IPC_PRIVATE:short").selection, FAULT_BY_KEY);
        cr_expect_eq(parse("shmdt:uid=0:error=EINVAL").selection, FAULT_BY_UID);
        cr_expect_eq(parse("shmdt:uid=65534:error=EINVAL").uid, 65534);
        static const struct {
                const char *size;
                uint64_t low, high;
        } rows[] = {
                {"4096", 4096, 4096},
                {"<4k", 0, 4095},
                {"<=4K", 0, 4096},
                {">4KiB", 4097, UINT64_MAX},
                {">=1M", 1 << 20, UINT64_MAX},
                {"<1", 0, 0},
                {"<=0", 0, 0},
                {"0", 0, 0},
                {">0", 1, UINT64_MAX},
                {">18446744073709551614", UINT64_MAX, UINT64_MAX},
                {"<=18446744073709551615", 0, UINT64_MAX},
        };
        for (size_t i = 0; i < COUNT(rows); i++) {
                char text[64];
                snprintf(text, sizeof(text), "shmget:short:size=%s", rows[i].size);
                struct fault_rule rule = parse(text);
                cr_expect_eq(rule.selection, FAULT_BY_SIZE, "'%s'", text);
                cr_expect_eq(rule.size_low, rows[i].low, "'%s'", text);
                cr_expect_eq(rule.size_high, rows[i].high, "'%s'", text);
        }
}

Test(fault_plan, callers_threads_and_chances)
{
        cr_expect_str_eq(parse("shmat:error=EINVAL:caller=libfoo.so*").caller, "libfoo.so*");
        cr_expect_str_eq(parse("shmat:error=EINVAL:caller=a\\:b:when=2").caller, "a\\:b");
        cr_expect_str_eq(parse("shmat:error=EINVAL:caller=a=b").caller, "a=b");
        cr_expect_eq(parse("shmat:error=EINVAL:caller=*").selection, FAULT_BY_CALLER);
        cr_expect_eq(parse("shmat:error=EINVAL:thread=2").thread, 2);
        cr_expect_str_eq(parse("shmat:error=EINVAL:thread=2").thread_name, "");
        cr_expect_eq(parse("shmat:error=EINVAL:thread=Web Content").thread, 0);
        cr_expect_str_eq(parse("shmat:error=EINVAL:thread=Web Content").thread_name, "Web Content");
        cr_expect_str_eq(parse("shmat:error=EINVAL:thread=2nd").thread_name, "2nd");
        static const struct {
                const char *chance;
                uint64_t of_2_32;
        } rows[] = {
                {"0", 0},
                {"1", UINT64_C(1) << 32},
                {"1.000", UINT64_C(1) << 32},
                {"100%", UINT64_C(1) << 32},
                {"0.5", UINT64_C(1) << 31},
                {".5", UINT64_C(1) << 31},
                {"50%", UINT64_C(1) << 31},
                {"25.%", UINT64_C(1) << 30},
                {"0.01", 42949673},
                {"1%", 42949673},
                {"0.000000000000000000001", 1},
                {"000000000000000000000.5", UINT64_C(1) << 31},
        };
        for (size_t i = 0; i < COUNT(rows); i++) {
                char text[64];
                snprintf(text, sizeof(text), "shmat:error=EINVAL:prob=%s", rows[i].chance);
                struct fault_rule rule = parse(text);
                cr_expect_eq(rule.selection, FAULT_BY_CHANCE, "'%s'", text);
                cr_expect_eq(rule.chance, rows[i].of_2_32, "'%s': %llu", text, (unsigned long long)rule.chance);
                cr_expect_eq(rule.seed, 0, "'%s'", text);
        }
        for (int nines = 1; nines < 100; nines++) {
                char text[160];
                snprintf(text, sizeof(text), "shmat:error=EINVAL:prob=0.%0*d", nines, 0);
                memset(strchr(text, '.') + 1, '9', (size_t)nines);
                cr_expect_leq(parse(text).chance, UINT64_C(1) << 32, "'%s'", text);
        }
        cr_expect_eq(parse("shmat:error=EINVAL:seed=18446744073709551615:prob=.5").seed, UINT64_MAX);
        cr_expect_eq(parse("shmat:error=EINVAL:prob=.5:seed=0x10").seed, 16);
}

Test(fault_plan, numbers_are_read_the_same_in_every_locale)
{
        static const char *const names[] = {"de_DE.UTF-8", "tr_TR.UTF-8", "C.UTF-8", "C"};
        for (size_t i = 0; i < COUNT(names); i++) {
                if (!setlocale(LC_ALL, names[i]))
                        continue;
                cr_expect_eq(parse("shmat:error=einval:prob=0.5").chance, UINT64_C(1) << 31, "%s", names[i]);
                cr_expect_eq(parse("shmat:error=einval").error, EINVAL, "%s", names[i]);
        }
}

Test(fault_plan, hostile_text)
{
        static const struct wrong rows[] = {
                {"shm\001", 4, "a control character, or a byte that is no UTF-8", NULL},
                {"shmget:error=EINVAL\n", 20, "a control character", NULL},
                {"shmget:error=EINVAL\x7f", 20, "a control character", NULL},
                {"shmget:error=EINVAL:caller=\x1b[31m", 28, "a control character", NULL},
                {"shmget:error=EINVAL:caller=\xff", 28, "a byte that is no UTF-8", NULL},
                {"shmget:error=EINVAL:caller=\xc3", 28, "a byte that is no UTF-8", NULL},
                {"shmget:error=EINVAL:caller=\xc0\x80", 28, "a byte that is no UTF-8", NULL},
                {"shmget:error=EINVAL:caller=\xc2\x9b", 28, "a control character", NULL},
                {"shmget:error=EINVAL:caller=\xed\xa0\x80", 28, "a byte that is no UTF-8", NULL},
                {"shmget:error=EINVAL:caller=\xf4\x90\x80\x80", 28, "a byte that is no UTF-8", NULL},
                {"shmget:error=EINVAL:caller=\x80", 28, "a byte that is no UTF-8", NULL},
                /* The column counts characters. */
                {"shmget:caller=\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80:eror=EINVAL", 19, "'eror'", "error"},
        };
        expect_mistakes(rows, COUNT(rows));
        cr_expect_str_eq(parse("shmget:error=EINVAL:caller=\xc3\xa4*").caller, "\xc3\xa4*");
}

Test(fault_plan, text_that_is_too_long)
{
        char text[1000];
        struct fault_rule rule;
        struct fault_mistake mistake;
        memset(text, 'x', sizeof(text));
        memcpy(text, "shmget:short:caller=", 20);
        text[20 + FAULT_GLOB - 1] = '\0';
        cr_expect_eq(strlen(parse(text).caller), FAULT_GLOB - 1);
        text[20 + FAULT_GLOB - 1] = 'x';
        text[20 + FAULT_GLOB] = '\0';
        cr_expect(!fault_rule_parse(&rule, text, false, &mistake));
        cr_expect_eq(mistake.column, 21);
        cr_expect_eq(strlen(mistake.word), sizeof(mistake.word) - 1);
        text[20 + FAULT_GLOB] = 'x';
        text[FAULT_TEXT] = '\0';
        cr_expect(!fault_rule_parse(&rule, text, false, &mistake));
        cr_expect_eq(mistake.column, FAULT_TEXT);
        cr_expect_str_eq(mistake.why, "a rule has at most 255 bytes");

        /* As long as a rule can be, and the word is cut between two characters. */
        memset(text, 0, sizeof(text));
        memcpy(text, "shmget:x", 8);
        for (size_t i = 8; i + 2 < FAULT_TEXT; i += 2)
                memcpy(text + i, "\xc3\xa4", 2);
        cr_expect(!fault_rule_parse(&rule, text, false, &mistake));
        cr_expect_eq(mistake.column, 8);
        cr_expect_eq(strlen(mistake.word), 63);
        memcpy(text, "shmget:\xc3\xa4", 9);
        for (size_t i = 9; i + 2 < FAULT_TEXT; i += 2)
                memcpy(text + i, "\xc3\xa4", 2);
        cr_expect(!fault_rule_parse(&rule, text, false, &mistake));
        cr_expect_eq(strlen(mistake.word), 62);
        json_t *why = json_string(mistake.why);
        cr_expect_not_null(why, "cut within a character");
        json_decref(why);
}

Test(fault_plan, names_are_complete_and_read_back)
{
        for (int error = 1; error < 134; error++) {
                /* The two that Linux's lists leave out. */
                if (error == 41 || error == 58)
                        continue;
                const char *name = fault_error_name(error);
                cr_assert_not_null(name, "%d", error);
                cr_expect_str_eq(name, strerrorname_np(error));
                char text[64];
                snprintf(text, sizeof(text), "shmget:error=%s", name);
                cr_expect_eq(parse_as(text, true).error, error, "%s", name);
        }
        for (int number = 1; number < 32; number++) {
                const char *name = fault_signal_name(number);
                cr_assert_not_null(name, "%d", number);
                if (number != SIGIO)
                        cr_expect_str_eq(name + 3, sigabbrev_np(number), "%s", name);
        }
        cr_expect_null(fault_error_name(0));
        cr_expect_null(fault_error_name(-1));
        cr_expect_null(fault_error_name(4095));
        cr_expect_null(fault_signal_name(0));
        cr_expect_null(fault_signal_name(64));
        cr_expect_str_eq(shm_call_name(SHM_CALL_FTOK), "ftok");
        cr_expect_str_eq(shm_command_name(IPC_STAT), "IPC_STAT");
        cr_expect_null(shm_command_name(4));
        cr_expect_null(shm_command_name(FAULT_ANY_COMMAND));
}

Test(name_glob, matches_what_a_reader_expects)
{
        static const struct {
                const char *glob, *text;
                bool matches;
        } rows[] = {
                {"", "", true},
                {"", "a", false},
                {"*", "", true},
                {"*", "a/b", true},
                {"?", "", false},
                {"?", "a", true},
                {"a*c", "abbc", true},
                {"a*c", "abbcd", false},
                {"*.so*", "x.so.1", true},
                {"**a**", "bab", true},
                {"[a-c]x", "bx", true},
                {"[a-c]x", "dx", false},
                {"[!a]", "b", true},
                {"[^a]", "a", false},
                {"[]]", "]", true},
                {"[]-]", "-", true},
                {"\\*", "*", true},
                {"\\*", "a", false},
                {"a\\:b", "a:b", true},
                {"[\\]]", "]", true},
                {"A", "a", false},
                {"*/libc.so.6", "/lib/libc.so.6", true},
                {".*", ".a", true},
        };
        for (size_t i = 0; i < COUNT(rows); i++)
                cr_expect_eq(name_glob_matches(rows[i].glob, rows[i].text), rows[i].matches, "'%s' on '%s'",
                             rows[i].glob, rows[i].text);
}

Test(name_glob, agrees_with_fnmatch)
{
        static const char alphabet[] = "ab*?[]!^-\\";
        static const char letters[] = "ab-]*";
        unsigned compared = 0;
        srandom(5);
        for (unsigned n = 0; n < 300000; n++) {
                char glob[8] = "";
                char text[6] = "";
                size_t glob_length = (size_t)random() % sizeof(glob);
                size_t text_length = (size_t)random() % sizeof(text);
                for (size_t i = 0; i < glob_length; i++)
                        glob[i] = alphabet[(size_t)random() % (sizeof(alphabet) - 1)];
                for (size_t i = 0; i < text_length; i++)
                        text[i] = letters[(size_t)random() % (sizeof(letters) - 1)];
                if (name_glob_flaw(glob))
                        continue;
                compared++;
                cr_assert_eq(name_glob_matches(glob, text), fnmatch(glob, text, 0) == 0, "'%s' on '%s'", glob, text);
        }
        cr_expect_gt(compared, 100000);
}

Test(name_glob, takes_no_time_that_grows_without_bound)
{
        char glob[FAULT_GLOB];
        char text[256];
        for (size_t i = 0; i + 1 < sizeof(glob); i++)
                glob[i] = i % 2 ? 'a' : '*';
        glob[sizeof(glob) - 1] = '\0';
        memset(text, 'a', sizeof(text));
        text[sizeof(text) - 1] = '\0';
        text[sizeof(text) - 2] = 'b';
        for (unsigned i = 0; i < 1000; i++)
                cr_assert(name_glob_matches(glob, text));
        glob[sizeof(glob) - 2] = 'c';
        for (unsigned i = 0; i < 1000; i++)
                cr_assert(!name_glob_matches(glob, text));
}
