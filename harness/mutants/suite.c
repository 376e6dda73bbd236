#include "suite.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char **make_words(const struct suite_setup *setup, const char *const *ids, size_t count)
{
        const char **words = calloc(2 * count + 9, sizeof(words[0]));
        size_t n = 0;
        if (!words)
                return NULL;
        words[n++] = "--isolation";
        words[n++] = setup->isolation;
        words[n++] = "--jobs";
        words[n++] = setup->jobs;
        words[n++] = "--timeout";
        words[n++] = setup->timeout;
        if (setup->stress) {
                words[n++] = "--stress";
                words[n++] = setup->stress;
        }
        for (size_t i = 0; i < count; i++) {
                words[n++] = "--filter";
                words[n++] = ids[i];
        }
        return words;
}

bool suite_start(struct suite_run *run, const struct suite_setup *setup, const char *mutant, const char *const *ids,
                 size_t count)
{
        *run = (struct suite_run){.reader = record_reader_new()};
        const char **words = make_words(setup, ids, count);
        bool started = run->reader && words && setenv("SHMCHECK_MUTANT", mutant, 1) == 0;
        if (!started)
                snprintf(run->why, sizeof(run->why), "out of memory");
        else
                started = agent_start(&run->agent, setup->agent, words, setup->library, run->why, sizeof(run->why));
        free(words);
        if (!started) {
                record_reader_free(run->reader);
                run->reader = NULL;
        }
        return started;
}

bool suite_read(struct suite_run *run)
{
        static char bytes[64 * 1024];
        ssize_t n = read(run->agent.fd, bytes, sizeof(bytes));
        if (n == -1 && errno == EINTR)
                return true;
        return n > 0 && record_reader_feed(run->reader, bytes, (size_t)n);
}

void suite_finish(struct suite_run *run, const struct profile *profile)
{
        close(run->agent.fd);
        run->status = agent_finish(&run->agent);
        enum record_status read_as = record_reader_finish(run->reader, NULL);
        const struct record *record = record_reader_record(run->reader);
        if (read_as != RECORD_OK || !record->start)
                snprintf(run->why, sizeof(run->why), "the agent wrote no record (exit status %d)", run->status);
        else if (!record_is_complete(record))
                snprintf(run->why, sizeof(run->why), "the agent's record was cut short (exit status %d)", run->status);
        if (read_as == RECORD_OK && record->start)
                run->judgement = judge_record(record, profile, NULL);
}

void suite_free(struct suite_run *run)
{
        judgement_free(run->judgement);
        record_reader_free(run->reader);
        *run = (struct suite_run){.reader = NULL};
}
