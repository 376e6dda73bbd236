/* The agent's own parts: what it writes has to be readable, whatever a case does. */
#include "platform.h"

#include <criterion/criterion.h>
#include <jansson.h>

#include "decode.h"
#include "journal.h"
#include "text.h"

Test(text, escapes_into_json_that_reads_back)
{
        static const struct {
                const char *raw, *read;
        } rows[] = {
                {"plain", "plain"},
                {"\"\\/", "\"\\/"},
                {"a\nb\tc\001\177", "a\nb\tc\001\177"},
                {"\xc3\xa4", "\xef\xbf\xbd\xef\xbf\xbd"}, /* U+FFFD twice */
                {"", ""},
        };
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                char bytes[256];
                struct shmc_text t = SHMC_TEXT(bytes);
                shmc_add_json_string(&t, rows[i].raw);
                json_t *s = json_loads(bytes, JSON_DECODE_ANY, NULL);
                cr_assert_not_null(s, "%s", bytes);
                cr_expect_str_eq(json_string_value(s), rows[i].read);
                json_decref(s);
        }
}

Test(text, never_writes_past_its_buffer_and_says_so)
{
        char bytes[16 + 1];
        struct shmc_text t = {.bytes = bytes, .size = 16};
        bytes[16] = 'g';
        shmc_add(&t, "%s", "0123456789");
        cr_expect(!t.cut);
        shmc_add(&t, "%s", "0123456789");
        cr_expect(t.cut);
        cr_expect_eq(t.length, 15);
        shmc_add_bytes(&t, "x", 1);
        cr_expect_eq(bytes[16], 'g');
}

Test(text, checksums_as_the_world_does)
{
        cr_expect_eq(shmc_crc32("123456789", 9), 0xcbf43926U);
        cr_expect_eq(shmc_crc32("", 0), 0);
}

Test(decode, writes_flags_as_people_do)
{
        static const struct {
                int flags;
                const char *get, *at;
        } rows[] = {
                {0, "0", "0"},
                {IPC_CREAT | 0600, "IPC_CREAT|0600", "0x380"},
                {IPC_CREAT | IPC_EXCL, "IPC_CREAT|IPC_EXCL", "0x600"},
                {0007, "0007", "0x7"},
                {SHM_RDONLY | SHM_RND, "SHM_NORESERVE|0x2000", "SHM_RDONLY|SHM_RND"},
        };
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                char bytes[128];
                struct shmc_text get = SHMC_TEXT(bytes);
                shmc_add_shmget_flags(&get, rows[i].flags);
                cr_expect_str_eq(bytes, rows[i].get);
                struct shmc_text at = SHMC_TEXT(bytes);
                shmc_add_shmat_flags(&at, rows[i].flags);
                cr_expect_str_eq(bytes, rows[i].at);
        }
        cr_expect_str_eq(shmc_errno_name(EIDRM), "EIDRM");
        cr_expect_str_eq(shmc_errno_name(0), "errno 0");
        cr_expect_str_eq(shmc_errno_name(9999), "errno 9999");
}

static void count_entry(const char *json, size_t length, void *arg)
{
        size_t *entries = arg;
        cr_expect_eq(length, strlen("{\"n\":1}"));
        cr_expect_eq(json[0], '{');
        ++*entries;
}

Test(journal, keeps_whole_entries_and_counts_what_has_no_room)
{
        struct shmc_journal *j = shmc_journal_new();
        size_t entries = 0;
        cr_assert_not_null(j);
        size_t fits = SHMC_LOG_SIZE / 2 / 12;
        for (size_t i = 0; i < fits + 3; i++)
                shmc_journal_append(j, SHMC_STEP, "{\"n\":1}", 7);
        cr_expect_eq(atomic_load(&j->dropped[SHMC_STEP]), 3);
        cr_expect(shmc_journal_each(j, SHMC_STEP, count_entry, &entries));
        cr_expect_eq(entries, fits);
        entries = 0;
        shmc_journal_append(j, SHMC_OBSERVATION, "{\"n\":1}", 7);
        cr_expect_eq(atomic_load(&j->dropped[SHMC_OBSERVATION]), 0, "steps leave room for what was observed");
        cr_expect(shmc_journal_each(j, SHMC_OBSERVATION, count_entry, &entries));
        cr_expect_eq(entries, 1);
        entries = 0;
        shmc_journal_reset(j);
        entries = 0;
        cr_expect(shmc_journal_each(j, SHMC_STEP, count_entry, &entries));
        cr_expect_eq(entries, 0);
        for (size_t i = 0; i < SHMC_LOG_SIZE; i++)
                cr_assert_eq(j->log[i], 0, "a reset leaves byte %zu", i);
}

Test(journal, passes_over_an_entry_that_its_writer_did_not_finish)
{
        struct shmc_journal *j = shmc_journal_new();
        size_t entries = 0;
        for (int i = 0; i < 3; i++)
                shmc_journal_append(j, SHMC_STEP, "{\"n\":1}", 7);
        /* The second writer was killed after it had noted the length. */
        uint32_t length = 7;
        memcpy(j->log + 12, &length, sizeof(length));
        cr_expect(shmc_journal_each(j, SHMC_STEP, count_entry, &entries));
        cr_expect_eq(entries, 2);
        /* And here before: what stands behind it cannot be found. */
        length = 0;
        entries = 0;
        memcpy(j->log + 12, &length, sizeof(length));
        cr_expect(!shmc_journal_each(j, SHMC_STEP, count_entry, &entries));
        cr_expect_eq(entries, 1);
}

Test(journal, keeps_the_first_reason_for_an_end)
{
        struct shmc_journal *j = shmc_journal_new();
        shmc_journal_end(j, SHMC_END_SKIP, "first");
        shmc_journal_end(j, SHMC_END_HARNESS, "second");
        cr_expect_eq(atomic_load(&j->ending), SHMC_END_SKIP);
        cr_expect_str_eq(j->reason, "first");
}

Test(journal, follows_which_segments_ought_to_be_left)
{
        struct shmc_journal *j = shmc_journal_new();
        shmc_journal_made(j, 0, 11);
        shmc_journal_made(j, 7, 12);
        shmc_journal_made(j, 0, 11);
        cr_expect_eq(atomic_load(&j->made_count), 2);
        shmc_journal_removed(j, 0);
        cr_expect_eq(atomic_load(&j->made[0].removed), 1);
        shmc_journal_made(j, 0, 13);
        cr_expect_eq(atomic_load(&j->made[0].removed), 0, "an id that was removed can be made again");
}
