/*
 * What libfiu's preload costs one of its own calls that no fault is asked for,
 * to hold libshmfault's figures against: read(2) of one byte, with fiu-run and
 * without, by turns.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "timing.h"

#define READS 200000
#define ROUNDS 7

static int run_loop(void)
{
        int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
        char byte = 0;
        double start = now_ns();
        for (int i = 0; i < READS; i++) {
                if (read(fd, &byte, 1) != 1)
                        return 1;
        }
        printf("%f\n", (now_ns() - start) / READS);
        return 0;
}

/* Nanoseconds a call, as this program run by the command tells; negative if it tells nothing. */
static double cost_under(const char *command)
{
        char line[64];
        FILE *f = popen(command, "re"); // NOLINT(cert-env33-c): the words are this program's own
        char *told = f ? fgets(line, sizeof(line), f) : NULL;
        int status = f ? pclose(f) : -1;
        return told && status == 0 ? strtod(line, NULL) : -1;
}

int main(int argc, char **argv)
{
        char bare[4200];
        char preloaded[4300];
        double ratios[ROUNDS];
        double costs[ROUNDS];
        if (argc == 2 && strcmp(argv[1], "loop") == 0)
                return run_loop();
        if (system("command -v fiu-run >/dev/null") != 0) { // NOLINT(cert-env33-c): a fixed command
                puts("libfiu            fiu-run is not installed (Debian: fiu-utils)");
                return 0;
        }
        snprintf(bare, sizeof(bare), "'%s' loop", argv[0]);
        snprintf(preloaded, sizeof(preloaded), "fiu-run -x %s", bare);
        for (int i = 0; i < ROUNDS; i++) {
                double without = cost_under(bare);
                costs[i] = cost_under(preloaded);
                if (without <= 0 || costs[i] <= 0) {
                        fputs("bench: the loop of reads could not be run under fiu-run\n", stderr);
                        return 3;
                }
                ratios[i] = costs[i] / without;
        }
        printf("libfiu's preload, read(2) of a byte  %4.0f ns  %.3f times the bare one (for comparison)\n",
               median(costs, ROUNDS), median(ratios, ROUNDS));
        return 0;
}
