/* shmcheck baseline: what diverges in a record, as a file that accepts it. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "baseline_report.h"
#include "cli.h"
#include "record_file.h"
#include "verdict_output.h"

static struct {
        const char *until;
        const char *output;
} baseline_options;

static struct poptOption option_table[] = {
        {"output", 'o', POPT_ARG_STRING, &baseline_options.output, 0,
         "write to FILE, which may be the old baseline (default: standard output)", "FILE"},
        {"until", 0, POPT_ARG_STRING, &baseline_options.until, 0, "new lines count up to this day, YYYY-MM-DD", "DATE"},
        {"baseline", 0, POPT_ARG_STRING, &verdict_options.baseline, 0,
         "the old baseline: its lines keep their dates and comments; those of cases that pass now go", "OLD"},
        {"profile", 0, POPT_ARG_STRING, &verdict_options.profile, 0,
         "judge by this profile: a name, or a file if it has a slash (default: linux on Linux, else posix)", "NAME"},
        POPT_AUTOHELP POPT_TABLEEND};

static bool check_until(void)
{
        time_t end = 0;
        if (!baseline_options.until)
                return true;
        if (!baseline_day(baseline_options.until, &end))
                complain("--until %s: takes a day of the calendar, YYYY-MM-DD", baseline_options.until);
        else if (end < time(NULL))
                complain("--until %s: that day is over", baseline_options.until);
        else
                return true;
        return false;
}

static int write_baseline(const struct judged_record *judged, const struct baseline *old)
{
        struct output_file out;
        struct baseline_changes changes;
        char why[4200];
        if (!output_open(&out, baseline_options.output ? baseline_options.output : "-", why, sizeof(why))) {
                complain("--output %s", why);
                return EXIT_HARNESS;
        }
        if (!baseline_report(out.stream, judged, old, baseline_options.until, &changes)) {
                complain("out of memory");
                output_discard(&out);
                return EXIT_HARNESS;
        }
        if (changes.unfit) {
                complain("the record has a case '%s', which no baseline can name", changes.unfit);
                output_discard(&out);
                return EXIT_HARNESS;
        }
        if (!output_commit(&out, why, sizeof(why))) {
                complain("--output %s", why);
                return EXIT_HARNESS;
        }
        complain("baseline: %zu new, %zu kept, %zu gone", changes.added, changes.kept, changes.dropped);
        return EXIT_AS_IT_MUST_BE;
}

/* What diverges is judged as if there were no baseline; the old one only says what is known of it. */
static int baseline_of(const struct record *record, const struct profiles *profiles)
{
        struct profiles bare = *profiles;
        struct verdicts v;
        bare.baseline = NULL;
        bare.other_count = 0;
        if (!baseline_names_cases(record, profiles->baseline))
                return EXIT_USAGE;
        if (!judge_by_profiles(&v, record, &bare, NULL))
                return EXIT_HARNESS;
        int status = EXIT_HARNESS;
        if (v.cut)
                complain("%s; no baseline is made of it", v.cut);
        else
                status = write_baseline(&v.judged, profiles->baseline);
        free_verdicts(&v);
        return status;
}

static int baseline_of_file(const char *path, const struct locations *where)
{
        struct profiles profiles;
        struct record_reader *reader = record_file_read(path);
        int status = EXIT_USAGE;
        if (!reader)
                return EXIT_USAGE;
        const struct record *record = record_reader_record(reader);
        if (load_profiles_for(&profiles, where->profiles, record)) {
                status = baseline_of(record, &profiles);
                free_profiles(&profiles);
        }
        record_reader_free(reader);
        return status;
}

int command_baseline(int argc, char **argv)
{
        static struct locations where;
        const char **rest = NULL;
        poptContext context = options_read("baseline", "[OPTION...] RECORD", argc, argv, option_table, &rest);
        if (!context)
                return EXIT_USAGE;
        int status = EXIT_USAGE;
        locations_find(&where);
        if (!rest || !rest[0] || rest[1])
                complain("baseline: takes one record: a file, or - for standard input");
        else if (check_until())
                status = baseline_of_file(rest[0], &where);
        poptFreeContext(context);
        return status;
}
