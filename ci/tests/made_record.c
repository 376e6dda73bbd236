#include "made_record.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

void write_frame(FILE *f, size_t sequence, const char *object)
{
        unsigned long crc = crc32(0, (const Bytef *)object, (uInt)strlen(object));
        fprintf(f, "@shmcheck %zu %08lx %s\n", sequence, crc, object);
}

const char *const made_ids[] = {"made.pass",  "made.fail",  "made.crash", "made.hang", "made.flaky",
                                "made.error", "made.known", "made.fixed", "made.skip", "made.record"};

struct writer {
        FILE *f;
        size_t sequence;
        const char *decoration;
};

static void write_object(struct writer *w, json_t *object)
{
        cr_assert_not_null(object, "a string of the record is no UTF-8");
        char *text = json_dumps(object, JSON_COMPACT);
        cr_assert_not_null(text);
        write_frame(w->f, w->sequence++, text);
        free(text);
        json_decref(object);
}

static json_t *decorated(const struct writer *w, const char *text)
{
        char *whole = NULL;
        cr_assert(asprintf(&whole, "%s%s", text, w->decoration) >= 0);
        json_t *string = json_string(whole);
        free(whole);
        return string;
}

static void open_record(struct writer *w, const char *path, const char *decoration, size_t cases, size_t results)
{
        *w = (struct writer){.f = fopen(path, "we"), .decoration = decoration};
        cr_assert_not_null(w->f, "%s", path);
        json_t *platform =
                json_pack("{s:i,s:i,s:i,s:i,s:i,s:o,s:o,s:o,s:s,s:o,s:b,s:{s:o}}", "pointer_bits", 64, "page", 4096,
                          "shmlba", 4096, "uid", 0, "gid", 0, "sysname", decorated(w, "Linux"), "release",
                          decorated(w, "6.1"), "version", decorated(w, "#1"), "machine", "x86_64", "libc",
                          decorated(w, "glibc"), "proc", 1, "limits", "shmmni", decorated(w, "4096"));
        write_object(w, json_pack("{s:s,s:i,s:o,s:I,s:o,s:{s:s,s:b},s:{s:o},s:i,s:i,s:i,s:i}", "type", "start",
                                  "format", 1, "agent", decorated(w, "0.1"), "time", (json_int_t)1800000000, "platform",
                                  platform, "isolation", "mode", "ipcns", "pid_namespace", 1, "missing", "root",
                                  decorated(w, "not root"), "all_cases", (int)cases, "results", (int)results, "rounds",
                                  1, "jobs", 1));
}

static void close_record(struct writer *w, size_t results)
{
        write_object(w, json_pack("{s:s,s:i}", "type", "end", "results", (int)results));
        cr_assert_eq(fclose(w->f), 0);
}

/* A case with one step and one observation of it; seen is what that saw, and EINVAL what is right. */
static json_t *made_case(struct writer *w, const char *id, const char *status, const char *seen)
{
        /* The second half of the alphabet has a file of its own. */
        const char *topic = id[strlen("made.")] < 'h' ? "first" : "second";
        json_t *step = json_pack("{s:i,s:s,s:s,s:[o],s:s,s:s}", "n", 1, "by", "case", "call", "shmdt", "args",
                                 decorated(w, "0x7f0000000000"), "ret", "-1", "errno", "ENOENT");
        json_t *object = json_pack(
                "{s:s,s:s,s:o,s:o,s:s,s:o,s:o,s:i,s:[s],s:i,s:i,s:s,s:[o],s:[{s:s,s:s,s:i,s:o,s:{s:[s]}}]}", "type",
                "case", "id", id, "topic", decorated(w, topic), "sentence", decorated(w, "It works"), "level",
                "posix-shall", "clause", decorated(w, "POSIX"), "file", decorated(w, topic), "line", 7, "needs", "root",
                "round", 1, "us", 1500, "status", status, "steps", step, "observations", "by", "case", "what",
                "result of shmdt", "step", 1, "seen", decorated(w, seen), "expected", "posix", "EINVAL");
        if (strcmp(status, "done") != 0)
                json_object_set_new(object, "reason", decorated(w, status));
        if (strcmp(seen, "EINVAL") == 0)
                json_object_set_new(json_array_get(json_object_get(object, "observations"), 0), "seen",
                                    json_string("EINVAL"));
        return object;
}

static json_t *made_open(struct writer *w)
{
        json_t *object = made_case(w, "made.record", "done", "EINVAL");
        json_object_set_new(json_array_get(json_object_get(object, "observations"), 0), "expected", json_object());
        return object;
}

void make_record(const char *path, const char *decoration)
{
        struct writer w;
        open_record(&w, path, decoration, MADE_CASES, MADE_CASES + 1);
        write_object(&w, made_case(&w, "made.pass", "done", "EINVAL"));
        write_object(&w, made_case(&w, "made.fail", "done", "ENOENT"));
        write_object(&w, made_case(&w, "made.crash", "crash", "EINVAL"));
        write_object(&w, made_case(&w, "made.hang", "hang", "EINVAL"));
        write_object(&w, made_case(&w, "made.flaky", "done", "EINVAL"));
        write_object(&w, made_case(&w, "made.flaky", "done", "ENOENT"));
        write_object(&w, made_case(&w, "made.error", "setup", "EINVAL"));
        write_object(&w, made_case(&w, "made.known", "done", "ENOENT"));
        write_object(&w, made_case(&w, "made.fixed", "done", "EINVAL"));
        write_object(&w, made_case(&w, "made.skip", "skip", "EINVAL"));
        write_object(&w, made_open(&w));
        close_record(&w, MADE_CASES + 1);
}

void make_good_record(const char *path, const char *decoration)
{
        struct writer w;
        open_record(&w, path, decoration, 2, 2);
        write_object(&w, made_case(&w, "made.pass", "done", "EINVAL"));
        write_object(&w, made_case(&w, "made.skip", "skip", "EINVAL"));
        close_record(&w, 2);
}

void make_failing_record(const char *path, size_t count, const char *sentence)
{
        struct writer w;
        open_record(&w, path, "", count, count);
        for (size_t i = 0; i < count; i++) {
                char id[32];
                snprintf(id, sizeof(id), "made.%05zu", i);
                json_t *object = made_case(&w, id, "done", "ENOENT");
                json_object_set_new(object, "sentence", json_string(sentence));
                write_object(&w, object);
        }
        close_record(&w, count);
}
