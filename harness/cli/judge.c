/* shmcheck judge: a record from a file or standard input, judged without a run. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "verdict_output.h"

static struct poptOption option_table[] = {
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, verdict_option_table, 0, "Verdicts:", NULL}, POPT_AUTOHELP POPT_TABLEEND};

static bool read_file(const char *path, struct record_reader *reader)
{
        FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
        static char bytes[64 * 1024];
        size_t n = 0;
        if (!f) {
                complain("%s: %s", path, strerror(errno));
                return false;
        }
        while ((n = fread(bytes, 1, sizeof(bytes), f)) > 0 && record_reader_feed(reader, bytes, n)) {
        }
        bool readable = !ferror(f);
        if (!readable)
                complain("%s: %s", path, strerror(errno));
        if (f != stdin)
                fclose(f);
        return readable;
}

static bool check_status(const char *path, enum record_status status, size_t line)
{
        switch (status) {
        case RECORD_OK:
                return true;
        case RECORD_EMPTY:
                complain("%s: no record in it: no line has the mark '@shmcheck' of a record", path);
                return false;
        case RECORD_NEWER:
                complain("%s:%zu: the record has a newer format than this shmcheck reads (1)", path, line);
                return false;
        case RECORD_TWICE:
                complain("%s:%zu: a second record begins here; a file holds one", path, line);
                return false;
        case RECORD_NO_MEMORY:
                complain("%s:%zu: out of memory", path, line);
                return false;
        }
        return false;
}

static int judge_file(const char *path, const struct locations *where)
{
        struct record_reader *reader = record_reader_new();
        size_t line = 0;
        int status = EXIT_USAGE;
        if (!reader) {
                complain("out of memory");
                return EXIT_HARNESS;
        }
        enum record_status read = RECORD_OK;
        bool readable = read_file(path, reader);
        if (readable)
                read = record_reader_finish(reader, &line);
        if (readable && check_status(path, read, line)) {
                const struct record *record = record_reader_record(reader);
                const json_t *platform = json_object_get(record->start, "platform");
                struct profiles profiles;
                if (load_profiles(&profiles, where->profiles,
                                  json_string_value(json_object_get(platform, "sysname")))) {
                        const char *const files[] = {verdict_options.json};
                        struct output_file json;
                        bool redirected = false;
                        open_results(&json, verdict_options.json, "--json", &redirected);
                        status = report_verdicts(record, &profiles, redirected ? stderr : report_stream(files, 1),
                                                 &json);
                        status = redirected ? EXIT_HARNESS : status;
                        output_discard(&json);
                        free_profiles(&profiles);
                }
        }
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
        else if (verdict_options_check())
                status = judge_file(rest[0], &where);
        poptFreeContext(context);
        return status;
}
