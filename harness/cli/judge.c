/* shmcheck judge: a record from a file or standard input, judged without a run. */
#include "cli.h"
#include "record_file.h"
#include "verdict_output.h"

static struct poptOption option_table[] = {
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, verdict_option_table, 0, "Verdicts:", NULL},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, report_option_table, 0, "Reports beside the one for people:", NULL},
        POPT_AUTOHELP POPT_TABLEEND};

static int judge_record_of(struct record_reader *reader, const struct locations *where)
{
        const struct record *record = record_reader_record(reader);
        struct profiles profiles;
        if (!load_profiles_for(&profiles, where->profiles, record))
                return EXIT_USAGE;
        struct report_files reports;
        bool redirected = false;
        reports_open(&reports, &redirected);
        int status = report_verdicts(record, &profiles, reports.output_taken ? stderr : stdout, &reports);
        reports_discard(&reports);
        free_profiles(&profiles);
        return redirected ? EXIT_HARNESS : status;
}

static int judge_file(const char *path, const struct locations *where)
{
        struct record_reader *reader = record_file_read(path);
        if (!reader)
                return EXIT_USAGE;
        int status = judge_record_of(reader, where);
        record_reader_free(reader);
        return status;
}

int command_judge(int argc, char **argv)
{
        static struct locations where;
        const char **rest = NULL;
        poptContext context = options_read("judge", "[OPTION...] RECORD", argc, argv, option_table, &rest);
        if (!context)
                return EXIT_USAGE;
        int status = EXIT_USAGE;
        locations_find(&where);
        if (!rest || !rest[0] || rest[1])
                complain("judge: takes one record: a file, or - for standard input");
        else if (reports_can_share(NULL, NULL) && verdict_options_check())
                status = judge_file(rest[0], &where);
        poptFreeContext(context);
        return status;
}
