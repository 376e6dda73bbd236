#include "event_clock.h"

#include <time.h>

static int64_t kernel_clock(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

#ifndef __x86_64__

void event_clock_set_up(void)
{
}

int64_t event_clock_now(void)
{
        return kernel_clock();
}

#else

#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define CLOCKSOURCE "/sys/devices/system/clocksource/clocksource0/current_clocksource"

#define SPAN 1000000 /* nanoseconds for which one comparison of the clocks is good */
#define FRACTION 32  /* bits behind the point in a rate */

/* A comparison that took longer than so many ticks was interrupted, and says nothing. */
#define LONGEST_COMPARISON 10000

static _Atomic bool counter_is_good;

/* Of one thread. In the order in which it is looked at; span 0: not to be used. */
static _Thread_local struct {
        _Atomic uint64_t span; /* ticks */
        uint64_t ticks;        /* at the last comparison */
        int64_t time;
        uint64_t rate; /* nanoseconds a tick */
        uint64_t first_ticks;
        int64_t first_time; /* 0: there was no comparison yet */
} counter __attribute__((tls_model("initial-exec")));

void event_clock_set_up(void)
{
        char name[8];
        int fd = open(CLOCKSOURCE, O_RDONLY | O_CLOEXEC);
        if (fd == -1)
                return;
        if (read(fd, name, sizeof(name)) == 4 && memcmp(name, "tsc\n", 4) == 0)
                counter_is_good = true;
        close(fd);
}

static void compare(uint64_t ticks, int64_t time)
{
        if (counter.first_time == 0) {
                counter.first_ticks = ticks;
                counter.first_time = time;
        }
        counter.span = 0;
        atomic_signal_fence(memory_order_seq_cst);
        counter.ticks = ticks;
        counter.time = time;
        int64_t elapsed = time - counter.first_time;
        if (elapsed < SPAN || ticks <= counter.first_ticks)
                return;
        counter.rate = (uint64_t)(((unsigned __int128)elapsed << FRACTION) / (ticks - counter.first_ticks));
        if (counter.rate == 0)
                return;
        atomic_signal_fence(memory_order_release);
        counter.span = ((uint64_t)SPAN << FRACTION) / counter.rate;
}

static __attribute__((noinline)) int64_t compare_clocks(void)
{
        /* Not to be used by a signal handler until it is whole again. */
        counter.span = 0;
        atomic_signal_fence(memory_order_release);
        uint64_t before = __builtin_ia32_rdtsc();
        int64_t time = kernel_clock();
        uint64_t after = __builtin_ia32_rdtsc();
        if (after - before < LONGEST_COMPARISON)
                compare(before + (after - before) / 2, time);
        return time;
}

int64_t event_clock_now(void)
{
        if (!counter_is_good)
                return kernel_clock();
        uint64_t span = atomic_load_explicit(&counter.span, memory_order_relaxed);
        uint64_t passed = __builtin_ia32_rdtsc() - counter.ticks;
        if (passed >= span)
                return compare_clocks();
        return counter.time + (int64_t)((passed * counter.rate) >> FRACTION);
}

#endif
