/* The page of a trace: one file that holds everything, and that no text of the trace can break out of. */
#include "command.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <unistd.h>

#include "trace_page.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MILLISECOND INT64_C(1000000)
#define START INT64_C(987654321000)
#define DATA "<script type=\"application/json\" id=\"trace-data\">"

static char *page_of(const struct trace *trace)
{
        char *page = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&page, &size);
        cr_assert_not_null(f);
        cr_assert(trace_page_write(trace, f));
        fclose(f);
        cr_assert_eq(strlen(page), size, "no NUL in it");
        return page;
}

/* The text of the data in the page, to be freed. */
static char *data_text(const char *page)
{
        const char *from = strstr(page, DATA);
        cr_assert_not_null(from);
        from += strlen(DATA);
        return strndup(from, (size_t)(strstr(from, "</script>") - from));
}

static json_t *data_of(const struct trace *trace)
{
        char *page = page_of(trace);
        char *text = data_text(page);
        json_error_t error;
        json_t *data = json_loads(text, 0, &error);
        cr_assert_not_null(data, "line %d, column %d: %s", error.line, error.column, error.text);
        free(text);
        free(page);
        return data;
}

static size_t count_of(const char *text, const char *part)
{
        size_t count = 0;
        for (; (text = strstr(text, part)) != NULL; text++)
                count++;
        return count;
}

static const char *text_at(const json_t *data, const char *list, size_t entry, size_t member)
{
        return json_string_value(json_array_get(json_array_get(json_object_get(data, list), entry), member));
}

/* ---- traces ---- */

/* A trace's lists are the arrays of the same names. */
#define LISTS                                                                                                          \
        .calls = calls, .call_count = COUNT(calls), .places = places, .place_count = COUNT(places),                    \
        .processes = processes, .process_count = COUNT(processes), .segments = segments,                               \
        .segment_count = COUNT(segments), .attachments = attachments, .attachment_count = COUNT(attachments)

/* Two processes, a segment that is removed and one that is left, a call that fails by a rule, one that never ends. */
static const struct trace *ordinary_trace(void)
{
        static char *command[] = {"./ring", "a b", NULL};
        static struct fault_plan plan = {.count = 1,
                                         .rules = {{.text = "shmat:error=ENOMEM:when=2", .actions = FAULT_ERROR}}};
        static struct rule_state states[] = {{.matched = 2, .hit = 1}};
        static struct trace_place places[] = {
                {.function = "make_ring", .file = "src/ring.c", .line = 42, .module = "/bin/ring"}};
        static struct trace_process processes[] = {{.pid = 10, .name = "ring", .to = 9 * MILLISECOND},
                                                   {.pid = 11,
                                                    .parent = 10,
                                                    .name = "reader",
                                                    .from = 3 * MILLISECOND,
                                                    .to = 8 * MILLISECOND,
                                                    .killed = true}};
        static struct shm_event calls[] = {
                {.call = SHM_CALL_SHMGET, .args = {0x5e3a0001, 4096, IPC_CREAT | 0600}, .result = 3, .site = 0},
                {.call = SHM_CALL_SHMAT, .args = {3}, .result = 0x7f0000001000, .site = 0},
                {.call = SHM_CALL_SHMGET,
                 .args = {IPC_PRIVATE, 100, IPC_CREAT | 0640},
                 .result = 4,
                 .site = SESSION_NO_SITE},
                {.call = SHM_CALL_SHMAT,
                 .args = {4},
                 .result = -1,
                 .error = ENOMEM,
                 .rule = 1,
                 .site = SESSION_NO_SITE},
                {.call = SHM_CALL_SHMDT, .args = {0x7f0000001000}, .site = 0},
                {.call = SHM_CALL_SHMCTL, .args = {3, IPC_RMID}, .site = 0},
                {.call = SHM_CALL_SHMCTL, .args = {4, IPC_STAT, 0x1000}, .site = 0}};
        static struct trace_segment segments[] = {{.shmid = 3,
                                                   .key = 0x5e3a0001,
                                                   .size = 4096,
                                                   .mode = 0600,
                                                   .made_by = 0,
                                                   .removed_by = 5,
                                                   .made_at = MILLISECOND,
                                                   .removed_at = 6 * MILLISECOND},
                                                  {.shmid = 4,
                                                   .size = 100,
                                                   .mode = 0640,
                                                   .made_by = 2,
                                                   .removed_by = TRACE_NONE,
                                                   .made_at = 3 * MILLISECOND,
                                                   .removed_at = INT64_MAX,
                                                   .left = true}};
        static struct trace_attachment attachments[] = {
                {0, 0, 0x7f0000001000, false, false, 2 * MILLISECOND, 5 * MILLISECOND},
                {0, 1, 0x7f0000001000, true, true, 3 * MILLISECOND, INT64_MAX}};
        for (size_t i = 0; i < COUNT(calls); i++) {
                calls[i].start = START + (int64_t)(i + 1) * MILLISECOND;
                calls[i].duration = 5000;
                calls[i].pid = calls[i].tid = i < 4 ? 10 : 11;
                calls[i].has_result = i + 1 < COUNT(calls);
                calls[i].rule = calls[i].error ? 0 : -1;
        }
        static const struct trace trace = {.command = command,
                                           .start = START,
                                           .end = 10 * MILLISECOND,
                                           LISTS,
                                           .leaks_known = true,
                                           .status = 3 << 8,
                                           .plan = &plan,
                                           .rule_states = states};
        return &trace;
}

#define HOSTILE "</script><script>console.error(1)</script><!--<img src=x>&lt;\xe2\x80\xae\x1b[31m\a\xff\"\\"
#define HOSTILE_READ                                                                                                   \
        "</script><script>console.error(1)</script><!--<img src=x>&lt;\xe2\x80\xae\x1b[31m\a\xef\xbf\xbd\"\\"
#define HUGE_TEXT (1 << 20)

/* Text that would like to be markup, and numbers that refer to nothing. */
static const struct trace *hostile_trace(void)
{
        static char huge[HUGE_TEXT];
        static char hostile[] = HOSTILE;
        static char *command[] = {hostile, huge, NULL};
        static struct trace_place places[] = {
                {.function = HOSTILE, .file = HOSTILE, .line = UINT32_MAX, .module = HOSTILE}};
        static struct trace_process processes[] = {{.pid = 7, .parent = 7, .from = -5, .to = INT64_MAX, .killed = true},
                                                   {.pid = 8, .parent = 9},
                                                   {.pid = 9, .parent = 8}};
        static struct shm_event calls[] = {{.start = INT64_MIN,
                                            .duration = INT64_MAX,
                                            .pid = 7,
                                            .call = 200,
                                            .args = {INT64_MIN, -1, INT64_MAX},
                                            .site = 9},
                                           {.start = START,
                                            .pid = -1,
                                            .tid = 7,
                                            .call = SHM_CALL_SHMGET,
                                            .args = {-1, -1, -1},
                                            .rule = 70,
                                            .has_result = 1},
                                           {.start = START,
                                            .call = SHM_CALL_SHMCTL,
                                            .args = {-1, INT32_MIN, -1},
                                            .error = 99999,
                                            .has_result = 1,
                                            .site = 0}};
        static struct trace_segment segments[] = {{.shmid = INT32_MIN,
                                                   .key = UINT32_MAX,
                                                   .size = UINT64_MAX,
                                                   .mode = UINT32_MAX,
                                                   .made_by = 12345,
                                                   .removed_by = 99,
                                                   .made_at = -1,
                                                   .removed_at = INT64_MAX,
                                                   .left = true,
                                                   .left_nattch = UINT64_MAX,
                                                   .left_marked = true}};
        static struct trace_attachment attachments[] = {{.segment = 55, .process = 66, .from = 5, .to = 1},
                                                        {.address = UINT64_MAX, .to = INT64_MAX}};
        static const struct trace trace = {.command = command, .start = START, .end = INT64_MAX, LISTS, .status = 11};
        memset(huge, '<', sizeof(huge) - 1);
        memcpy(processes[0].name, HOSTILE, sizeof(processes[0].name)); /* no NUL behind it */
        return &trace;
}

#define MANY_CALLS 20000
#define MANY_PROCESSES 50
#define MANY_SEGMENTS 10

/* Each process attaches and detaches in turn. */
static const struct trace *large_trace(void)
{
        static char *command[] = {"bench", NULL};
        static struct trace_place places[1];
        static struct trace_process processes[MANY_PROCESSES];
        static struct trace_segment segments[MANY_SEGMENTS];
        static struct trace_attachment attachments[MANY_CALLS / 2];
        static struct shm_event calls[MANY_CALLS];
        for (int i = 0; i < MANY_PROCESSES; i++)
                processes[i] = (struct trace_process){.pid = 100 + i, .parent = 100, .name = "worker", .to = INT64_MAX};
        for (int i = 0; i < MANY_SEGMENTS; i++)
                segments[i] = (struct trace_segment){.shmid = i,
                                                     .size = 4096,
                                                     .made_by = TRACE_NONE,
                                                     .removed_by = TRACE_NONE,
                                                     .removed_at = INT64_MAX};
        for (size_t i = 0; i < MANY_CALLS; i++) {
                size_t pair = i / 2;
                int64_t address = INT64_C(0x7f0000000000) + (int64_t)pair * 4096;
                size_t process = pair % MANY_PROCESSES;
                calls[i] = (struct shm_event){
                        .start = START + (int64_t)i * 250123, .duration = 4321, .has_result = 1, .rule = -1};
                calls[i].pid = calls[i].tid = processes[process].pid;
                calls[i].call = i % 2 ? SHM_CALL_SHMDT : SHM_CALL_SHMAT;
                calls[i].args[0] = i % 2 ? address : (int64_t)(pair % MANY_SEGMENTS);
                calls[i].result = i % 2 ? 0 : address;
                attachments[pair] = (struct trace_attachment){pair % MANY_SEGMENTS,
                                                              process,
                                                              (uint64_t)address,
                                                              false,
                                                              false,
                                                              (int64_t)(i & ~1UL) * 250123,
                                                              (int64_t)(i | 1) * 250123};
        }
        static const struct trace trace = {
                .command = command, .start = START, .end = INT64_C(250123) * MANY_CALLS, LISTS, .leaks_known = true};
        return &trace;
}

/* ---- the file ---- */

Test(trace_page, makes_text_of_the_trace_harmless)
{
        static const struct trace empty = {0};
        char *page = page_of(hostile_trace());
        char *plain = page_of(&empty);
        char *text = data_text(page);
        cr_expect_eq(count_of(page, "<script"), count_of(plain, "<script"));
        cr_expect_eq(count_of(page, "</script"), count_of(plain, "</script"));
        cr_expect_eq(count_of(page, "<img"), 0);
        for (const char *c = text; *c; c++)
                cr_assert(*c >= ' ' && *c < 127 && !strchr("<>&", *c), "character %d", *c);
        free(text);
        free(plain);
        free(page);
}

Test(trace_page, gives_hostile_text_back_as_it_was)
{
        json_t *data = data_of(hostile_trace());
        const char *huge = json_string_value(json_array_get(json_object_get(data, "command"), 1));
        cr_expect_str_eq(json_string_value(json_array_get(json_object_get(data, "command"), 0)), HOSTILE_READ);
        cr_expect_str_eq(text_at(data, "places", 0, 2), HOSTILE_READ);
        cr_expect_lt(strlen(huge), 5000UL, "cut");
        cr_expect_str_eq(huge + strlen(huge) - 3, "\xe2\x80\xa6", "and it is seen that it is");
        cr_expect_eq(strncmp(text_at(data, "processes", 0, 2), HOSTILE_READ, 50), 0);
        json_decref(data);
}

Test(trace_page, keeps_whole_numbers_that_a_script_would_round)
{
        json_t *data = data_of(hostile_trace());
        json_t *call = json_array_get(json_object_get(data, "calls"), 0);
        json_t *segment = json_array_get(json_object_get(data, "segments"), 0);
        cr_expect_str_eq(json_string_value(json_array_get(call, 1)), "9223372036854775807", "the duration");
        cr_expect_str_eq(json_string_value(json_array_get(call, 5)), "-9223372036854775808", "the first argument");
        cr_expect_eq(json_integer_value(json_array_get(segment, 2)), -1, "the size, as it lies in 64 bits");
        json_decref(data);
}

Test(trace_page, asks_for_nothing)
{
        static const char *const unwanted[] = {"http:",          "https:",         "src=",    "@import",   "url(",
                                               "fetch(",         "XMLHttp",        "import(", "innerHTML", "outerHTML",
                                               "insertAdjacent", "document.write", "eval(",   "style=\"",  "onclick="};
        char *page = page_of(ordinary_trace());
        const char *policy = strstr(page, "http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; ");
        cr_assert_not_null(policy);
        cr_expect_lt((void *)policy, (void *)strstr(page, "<style"), "it holds for all that comes after it");
        for (size_t i = 0; i < COUNT(unwanted); i++)
                cr_expect_null(strstr(page, unwanted[i]), "%s", unwanted[i]);
        free(page);
}

Test(trace_page, lets_run_only_what_carries_a_word_that_is_new_each_time)
{
        char *page = page_of(ordinary_trace());
        char *other = page_of(ordinary_trace());
        char *nonce = strndup(strstr(page, "'nonce-") + strlen("'nonce-"), 32);
        size_t scripts = count_of(page, "<script") - 1;
        cr_expect_eq(strspn(nonce, "0123456789abcdef"), 32);
        cr_expect_eq(count_of(page, nonce), scripts + 3, "each script, the style, and the policy twice");
        cr_expect_eq(count_of(other, nonce), 0);
        cr_expect_null(strstr(page, "{{"));
        free(nonce);
        free(other);
        free(page);
}

Test(trace_page, holds_the_whole_trace)
{
        static const struct {
                const char *list;
                size_t count;
        } rows[] = {{"command", 2},  {"rules", 1},       {"places", 1}, {"processes", 2},
                    {"segments", 2}, {"attachments", 2}, {"calls", 7}};
        json_t *data = data_of(ordinary_trace());
        for (size_t i = 0; i < COUNT(rows); i++)
                cr_expect_eq(json_array_size(json_object_get(data, rows[i].list)), rows[i].count, "%s", rows[i].list);
        cr_expect_eq(json_integer_value(json_object_get(json_object_get(data, "status"), "exit")), 3);
        json_t *call = json_array_get(json_object_get(data, "calls"), 3);
        json_t *expected = json_pack("[i,i,i,i,i,i,s,s,i,n,i,i,s]", 4000000, 5000, 10, 10, 2, 4, "shmat(4, NULL, 0)",
                                     "-1", ENOMEM, 0, 0, "INJECTED");
        cr_expect(json_equal(call, expected));
        json_t *error = json_object_get(json_object_get(data, "errors"), "12");
        cr_expect_str_eq(json_string_value(json_array_get(error, 0)), "ENOMEM");
        cr_expect(json_is_null(json_array_get(json_array_get(json_object_get(data, "calls"), 6), 7)),
                  "it did not return");
        cr_expect(json_is_null(json_array_get(json_array_get(json_object_get(data, "segments"), 1), 7)),
                  "it was never removed");
        json_decref(expected);
        json_decref(data);
}

Test(trace_page, is_small_for_many_calls)
{
        char *page = page_of(large_trace());
        cr_expect_lt(strlen(page), 3000000UL);
        free(page);
}

Test(trace_page, tells_that_it_could_not_be_written)
{
        FILE *full = fopen("/dev/full", "we");
        if (!full)
                cr_skip_test("no /dev/full");
        errno = 0;
        cr_expect_not(trace_page_write(large_trace(), full));
        cr_expect_eq(errno, ENOSPC);
        fclose(full);
}

/* ---- in a browser ---- */

/* The page's elements as the browser has them after its script has run; fails the test if anything was complained of.
 */
static char *shown(const struct trace *trace)
{
        char folder[] = "/tmp/shmcheck-page-XXXXXX";
        if (system("command -v chromium >/dev/null 2>&1") != 0)
                cr_skip_test("chromium is not installed");
        char *page = page_of(trace);
        cr_assert_not_null(mkdtemp(folder));
        setenv("P", folder, 1);
        char path[64];
        snprintf(path, sizeof(path), "%s/page.html", folder);
        FILE *f = fopen(path, "we");
        cr_assert_not_null(f);
        fputs(page, f);
        fclose(f);
        free(page);
        struct finished result = run_command("HOME=$P TMPDIR=$P timeout -k 1 40 chromium --headless --no-sandbox "
                                             "--disable-gpu --user-data-dir=$P/profile "
                                             "--window-size=1280,900 --enable-logging=stderr --dump-dom "
                                             "file://$P/page.html; s=$?; rm -rf $P; exit $s");
        cr_assert_eq(result.status, 0, "%s", result.err);
        const char *complaint = strstr(result.err, ":CONSOLE");
        cr_expect_null(complaint, "%.300s", complaint ? complaint : "");
        free(result.err);
        return result.out;
}

Test(trace_page, shows_each_process_segment_and_call)
{
        static const struct {
                const char *part;
                size_t count;
        } rows[] = {
                /* seven calls, and the two of a segment's making and the one of its removal in the segments' rows */
                {"data-marks=\"10\"", 1},
                {"class=\"label\" tabindex=\"-1\" data-segment=", 2},
                {"data-process=", 2},
                {"<tr data-call=", 7},
                {">shmget(0x5e3a0001, 4096, IPC_CREAT|0600)<", 1},
                {">shmget(IPC_PRIVATE, 100, IPC_CREAT|0640)<", 1},
                {">shmat(4, NULL, 0)<", 1},
                {"-1 ENOMEM", 1},
                {">injected<", 2}, /* at the call, and in the legend */
                {"<span>?</span>", 1},
                {">1 segment left behind<", 1},
                {">exit status 3<", 1},
                {">fired 1 time<", 1},
                {">./ring 'a b'<", 1},
                {">make_ring (ring.c:42)<", 5},
        };
        char *dom = shown(ordinary_trace());
        for (size_t i = 0; i < COUNT(rows); i++)
                cr_expect_eq(count_of(dom, rows[i].part), rows[i].count, "%s: %zu times", rows[i].part,
                             count_of(dom, rows[i].part));
        free(dom);
}

Test(trace_page, shows_hostile_text_as_text)
{
        char *dom = shown(hostile_trace());
        cr_expect_not_null(strstr(dom, "'&lt;/script&gt;&lt;script&gt;console.error(1)"));
        cr_expect_not_null(strstr(dom, "\\u202e\\u001b[31m\\u0007"), "what is not seen, by its number");
        cr_expect_null(strstr(dom, "<img"));
        cr_expect_not_null(strstr(dom, ">killed by SIGSEGV<"));
        cr_expect_not_null(strstr(dom, "data-marks="));
        free(dom);
}

Test(trace_page, makes_only_the_rows_in_sight)
{
        char *dom = shown(large_trace());
        size_t rows = count_of(dom, "<tr data-call=");
        cr_expect(rows > 10 && rows < 200, "%zu", rows);
        cr_expect_not_null(strstr(dom, "aria-rowcount=\"20001\""));
        cr_expect_not_null(strstr(dom, ">50 processes<"));
        free(dom);
}
