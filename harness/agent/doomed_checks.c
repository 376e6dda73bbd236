/* Checks whose question may kill who asks it: each asks in a child of its own. */
#include "case.h"

/* The compiler must not see through the faulting write. */
static void write_byte(volatile char *at)
{
        *at = 1;
}

struct death shmc_check_read(const char *what, const void *at, const int *allowed)
{
        struct death reader;
        DOOMED(&reader)
        {
                (void)*(const volatile char *)at;
        }
        shmc_check_death(what, &reader, allowed);
        return reader;
}

struct death shmc_check_write(const char *what, void *at, const int *allowed)
{
        struct death writer;
        DOOMED(&writer)
        {
                write_byte(at);
        }
        shmc_check_death(what, &writer, allowed);
        return writer;
}

struct death shmc_check_unwritable(const char *what, char *at)
{
        return check_write(what, at, ON_POSIX(SIGSEGV, SIGBUS), ON_LINUX(SIGSEGV));
}

void shmc_check_writable(const char *what, char *at)
{
        check_write(what, at, OK);
}

#if defined(__x86_64__) || defined(__i386__)
static const unsigned char return_code[] = {0xc3};
#elif defined(__aarch64__) && defined(__AARCH64EL__)
static const unsigned char return_code[] = {0xc0, 0x03, 0x5f, 0xd6};
#elif defined(__riscv)
static const unsigned char return_code[] = {0x67, 0x80, 0x00, 0x00};
#else
static const unsigned char return_code[1];
#define RETURN_UNKNOWN 1
#endif

void shmc_make_code(void *at)
{
#ifdef RETURN_UNKNOWN
        skip_case("this processor's return instruction is not known");
#endif
        char *start = at;
        memcpy(start, return_code, sizeof(return_code));
        __builtin___clear_cache(start, start + sizeof(return_code));
}

void shmc_check_runs(const char *what, const void *at)
{
        struct death runner;
        DOOMED(&runner)
        {
                void (*function)(void);
                memcpy(&function, &at, sizeof(at));
                function();
        }
        check_death(what, &runner, OK);
}

void shmc_check_caller_lives(const struct death *d)
{
        if (sizeof(void *) == 8)
                check_death("the caller lives", d, OK);
        else
                check_death("the caller lives, or dies in its C library", d, OK, SIGSEGV, SIGBUS);
}

void shmc_check_bad_buffer(int shmid, int command, void *buffer, int error)
{
        struct death d;
        DOOMED(&d)
        {
                check_fails(try_shmctl(shmid, command, buffer), error);
        }
        shmc_check_caller_lives(&d);
}
