/* libFuzzer's target: the record reader takes any bytes, in two pieces, and what it says of them adds up. */
#include <stdint.h>
#include <stdlib.h>

#include "record_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct record_reader *reader = record_reader_new();
        if (!reader)
                return 0;
        size_t first = size ? data[0] % (size + 1) : 0;
        if (record_reader_feed(reader, (const char *)data, first))
                record_reader_feed(reader, (const char *)data + first, size - first);
        enum record_status status = record_reader_finish(reader, NULL);
        const struct record *record = record_reader_record(reader);
        size_t results = 0;
        for (size_t i = 0; i < record->case_count; i++) {
                if (!record->cases[i].id || record->cases[i].count == 0)
                        abort();
                results += record->cases[i].count;
                /* Read twice: what is read when it is asked for stays as it is. */
                for (size_t round = 0; round < record->cases[i].count; round++) {
                        const struct value *steps = record_case_steps(&record->cases[i], round);
                        if (record_case_steps(&record->cases[i], round) != steps)
                                abort();
                        VALUE_EACH(step, steps)
                        {
                                member_text(step, "call");
                        }
                }
        }
        if (results != record->results || (record_is_complete(record) && !record->start))
                abort();
        if (status == RECORD_OK)
                free(record_describe_cut(record));
        record_reader_free(reader);
        return 0;
}
