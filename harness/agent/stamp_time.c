/* The clock that the members of shmid_ds are stamped from. */
#include "case.h"

time_t shmc_stamp_time(void)
{
#ifdef CLOCK_REALTIME_COARSE
        struct timespec now;
        if (clock_gettime(CLOCK_REALTIME_COARSE, &now) == 0)
                return now.tv_sec;
#endif
        return time(NULL);
}

void shmc_wait_for_tick(void)
{
        time_t start = time(NULL);
        int patience = 6000;
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        struct timespec rest = {0, 1000000000L - now.tv_nsec};
        nanosleep(&rest, NULL);
        while (time(NULL) == start || shmc_stamp_time() == start) {
                if (patience-- == 0)
                        shmc_skip("missing need clock-tick: the clock of time() stands still");
                struct timespec moment = {0, 500000L};
                nanosleep(&moment, NULL);
        }
}
