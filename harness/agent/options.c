#include "options.h"

#include <stdio.h>

#include "isolation.h"

static bool read_words_file(struct shmc_options *o, const char *path);

static bool complain(const char *what, const char *word)
{
        fprintf(stderr, "shmcheck-agent: %s: %s; see --help\n", word, what);
        return false;
}

static bool read_unsigned(const char *option, const char *value, unsigned low, unsigned high, unsigned *out)
{
        char *end = NULL;
        errno = 0;
        unsigned long n = strtoul(value, &end, 10);
        if (errno || end == value || *end || *value == '-' || n < low || n > high) {
                fprintf(stderr, "shmcheck-agent: %s %s: takes a whole number from %u to %u\n", option, value, low,
                        high);
                return false;
        }
        *out = (unsigned)n;
        return true;
}

static bool read_seconds(const char *option, const char *value, double *out)
{
        char *end = NULL;
        double seconds = strtod(value, &end);
        if (end == value || *end || !(seconds >= 0.01 && seconds <= 86400)) {
                fprintf(stderr, "shmcheck-agent: %s %s: takes seconds from 0.01 to 86400\n", option, value);
                return false;
        }
        *out = seconds;
        return true;
}

static bool read_valued(struct shmc_options *o, const char *option, const char *value)
{
        if (strcmp(option, "--filter") == 0) {
                if (o->filter_count == SHMC_FILTERS)
                        return complain("too many filters", option);
                o->filters[o->filter_count++] = value;
                return true;
        }
        if (strcmp(option, "--except") == 0) {
                if (o->excepted_count == SHMC_EXCEPTED)
                        return complain("given too often", option);
                o->excepted[o->excepted_count++] = value;
                return true;
        }
        if (strcmp(option, "--jobs") == 0 || strcmp(option, "-j") == 0)
                return read_unsigned(option, value, 1, 1024, &o->jobs);
        if (strcmp(option, "--repeat") == 0)
                return read_unsigned(option, value, 1, 100000, &o->repeat);
        if (strcmp(option, "--timeout") == 0)
                return read_seconds(option, value, &o->timeout);
        if (strcmp(option, "--stress") == 0)
                return read_seconds(option, value, &o->stress);
        if (strcmp(option, "--isolation") == 0) {
                if (shmc_isolation_parse(value, &o->isolation))
                        return true;
                fprintf(stderr, "shmcheck-agent: --isolation %s: takes auto, ipcns, userns or host\n", value);
                return false;
        }
        if (strcmp(option, "--words") == 0)
                return read_words_file(o, value);
        return complain("unknown option", option);
}

static bool takes_value(const char *word)
{
        static const char *const options[] = {"--filter", "--jobs",      "-j",      "--repeat", "--timeout",
                                              "--stress", "--isolation", "--words", "--except"};
        for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
                if (strcmp(word, options[i]) == 0)
                        return true;
        }
        return false;
}

#define WORDS (2 * SHMC_FILTERS)

/* The words of a file, one a line; the options point at them. Returns NULL after one line on standard error. */
static char **words_of_file(const char *path, int *count)
{
        static char bytes[32 * 1024];
        static char *words[WORDS];
        FILE *f = fopen(path, "r");
        size_t length = f ? fread(bytes, 1, sizeof(bytes) - 1, f) : 0;
        bool whole = f && !ferror(f) && feof(f);
        if (f)
                fclose(f);
        if (!whole) {
                fprintf(stderr, "shmcheck-agent: --words %s: %s\n", path, f ? "too long" : strerror(errno));
                return NULL;
        }
        bytes[length] = '\0';
        *count = 1;
        for (char *word = strtok(bytes, "\n"); word && *count < WORDS; word = strtok(NULL, "\n"))
                words[(*count)++] = word;
        return words;
}

static bool read_words(struct shmc_options *o, int argc, char **argv);

static bool read_words_file(struct shmc_options *o, const char *path)
{
        int count = 0;
        char **words = words_of_file(path, &count);
        return words && read_words(o, count, words);
}

static bool read_words(struct shmc_options *o, int argc, char **argv)
{
        for (int i = 1; i < argc; i++) {
                if (strcmp(argv[i], "--program") == 0) {
                        if (i + 1 == argc)
                                return complain("needs a name", argv[i]);
                        o->action = SHMC_PROGRAM;
                        o->rest = i + 1;
                        return true;
                }
                if (strcmp(argv[i], "--list") == 0) {
                        o->action = SHMC_LIST;
                } else if (strcmp(argv[i], "--floor") == 0) {
                        o->floor = true;
                } else if (strcmp(argv[i], "--power-off") == 0) {
                        o->power_off = true;
                } else if (strcmp(argv[i], "--clean") == 0) {
                        o->action = SHMC_CLEAN;
                } else if (strcmp(argv[i], "--help") == 0) {
                        o->action = SHMC_HELP;
                } else if (strcmp(argv[i], "--version") == 0) {
                        o->action = SHMC_VERSION;
                } else if (takes_value(argv[i])) {
                        if (i + 1 == argc)
                                return complain("needs a value", argv[i]);
                        if (!read_valued(o, argv[i], argv[i + 1]))
                                return false;
                        i++;
                } else {
                        return complain("unknown option", argv[i]);
                }
        }
        return true;
}

bool shmc_options_read(struct shmc_options *o, int argc, char **argv)
{
        memset(o, 0, sizeof(*o));
        o->timeout = 5;
        o->repeat = 1;
        return read_words(o, argc, argv);
}

void shmc_options_help(void)
{
        puts("usage: shmcheck-agent [OPTION...]\n"
             "Runs the cases of shmcheck on this platform and writes the record to standard output.\n"
             "\n"
             "  --list             what cases there are, and run none\n"
             "  --filter GLOB      only the cases whose id matches; may be given again\n"
             "  --except GLOB      none of these; may be given again\n"
             "  --isolation MODE   auto (default), ipcns, userns or host\n"
             "  --timeout SECONDS  what a case may take (default 5)\n"
             "  --stress SECONDS   races go on for so long each, and may take that longer\n"
             "  -j, --jobs N       cases side by side (default: processors)\n"
             "  --repeat N         each case N times\n"
             "  --floor            after each case measure what no case can cost less than\n"
             "  --words FILE       further words of the command line, one a line\n"
             "  --power-off        as the first process of a machine of its own: mount what is usual, run, power off\n"
             "  --clean            remove what a killed run left in the host's IPC namespace\n"
             "  --version          the agent's version\n"
             "\n"
             "Exit status: 0 the record is complete, 2 wrong usage, 3 the agent could not do its work.");
}
