/* What a check saw, and what each profile allows, as one observation of the record. */
#include "current_case.h"
#include "context.h"
#include "decode.h"
#include "journal.h"

#include <stdarg.h>
#include <stdio.h>

/* The case that runs in this process and the processes it forks. */
const struct shmc_case *shmc_current_case;

/* Inside LINUX_ONLY { }. */
static bool linux_scope;

bool shmc_scope_enter(void)
{
        linux_scope = true;
        return true;
}

void shmc_scope_leave(void)
{
        linux_scope = false;
}

static const char *default_profile(void)
{
        return linux_scope || shmc_current_case->level >= LINUX ? "linux" : "posix";
}

static void begin_observation(struct shmc_text *t, const char *what, unsigned step)
{
        shmc_add_string(t, "{\"by\":");
        shmc_add_json_string(t, shmc_process_name);
        shmc_add_string(t, ",\"what\":");
        shmc_add_json_string(t, what);
        if (step) {
                shmc_add_string(t, ",\"step\":");
                shmc_add_decimal(t, step);
        }
}

static void end_observation(struct shmc_text *t)
{
        shmc_add_bytes(t, "}", 1);
        if (t->cut)
                shmc_journal_drop(shmc_journal, SHMC_OBSERVATION);
        else
                shmc_journal_append(shmc_journal, SHMC_OBSERVATION, t->bytes, t->length);
}

static void open_profile(struct shmc_text *t, const char *profile)
{
        shmc_add_string(t, "\"");
        shmc_add_string(t, profile);
        shmc_add_string(t, "\":[");
}

static void add_seen_and_expected(struct shmc_text *t, const char *seen, const char *expected)
{
        shmc_add_string(t, ",\"seen\":");
        shmc_add_json_string(t, seen);
        shmc_add_string(t, ",\"expected\":{");
        open_profile(t, default_profile());
        shmc_add_json_string(t, expected);
        shmc_add_string(t, "]}");
}

static void add_allowed(struct shmc_text *t, const int *allowed, const char *(*name)(int))
{
        shmc_add_string(t, ",\"expected\":{");
        const char *profile = default_profile();
        bool open = false;
        bool first_profile = true;
        for (const int *a = allowed; *a != SHMC_END; a++) {
                if (*a == SHMC_FOR_POSIX || *a == SHMC_FOR_LINUX) {
                        profile = *a == SHMC_FOR_POSIX ? "posix" : "linux";
                        if (open)
                                shmc_add_string(t, "]");
                        open = false;
                        continue;
                }
                if (!open) {
                        if (!first_profile)
                                shmc_add_string(t, ",");
                        open_profile(t, profile);
                        first_profile = false;
                } else {
                        shmc_add_string(t, ",");
                }
                open = true;
                shmc_add_json_string(t, *a == OK ? "success" : name(*a));
        }
        if (open)
                shmc_add_string(t, "]");
        shmc_add_string(t, "}");
}

void shmc_check_outcome(struct outcome o, const int *allowed)
{
        char buffer[2048];
        struct shmc_text t = SHMC_TEXT(buffer);
        char what[64];
        struct shmc_text w = SHMC_TEXT(what);
        shmc_add_string(&w, "result of ");
        shmc_add_string(&w, o.call);
        begin_observation(&t, what, o.step);
        shmc_add_string(&t, ",\"seen\":");
        char returned[48];
        struct shmc_text r = SHMC_TEXT(returned);
        shmc_add_string(&r, "returned ");
        shmc_add_decimal(&r, o.value);
        shmc_add_json_string(&t, o.failed ? shmc_errno_name(o.error) : o.odd ? returned : "success");
        add_allowed(&t, allowed, shmc_errno_name);
        end_observation(&t);
}

static void add_number(struct shmc_text *t, intmax_t n, enum shmc_base base)
{
        switch (base) {
        case SHMC_OCTAL:
                shmc_add_string(t, "0");
                shmc_add_digits(t, (uintmax_t)n, 8, 1);
                break;
        case SHMC_HEX:
                shmc_add_hex(t, (unsigned)n, 8);
                break;
        case SHMC_DECIMAL:
                shmc_add_decimal(t, n);
                break;
        }
}

void shmc_check_number(const char *what, intmax_t seen, intmax_t low, intmax_t high, enum shmc_base base)
{
        char shown[32];
        char expected[72];
        struct shmc_text s = SHMC_TEXT(shown);
        struct shmc_text e = SHMC_TEXT(expected);
        add_number(&s, seen, base);
        add_number(&e, low, base);
        if (low != high) {
                shmc_add_string(&e, "..");
                add_number(&e, high, base);
        }
        char buffer[1024];
        struct shmc_text t = SHMC_TEXT(buffer);
        begin_observation(&t, what, 0);
        add_seen_and_expected(&t, shown, expected);
        end_observation(&t);
}

void shmc_check_that(bool holds, const char *what, const char *detail, ...)
{
        char seen[512] = "yes";
        if (!holds) {
                va_list arguments;
                va_start(arguments, detail);
                int n = vsnprintf(seen, sizeof(seen), detail, arguments);
                va_end(arguments);
                if (n < 0)
                        snprintf(seen, sizeof(seen), "no");
        }
        char buffer[2048];
        struct shmc_text t = SHMC_TEXT(buffer);
        begin_observation(&t, what, 0);
        add_seen_and_expected(&t, seen, "yes");
        end_observation(&t);
}

void shmc_record_fact(const char *what, const char *format, ...)
{
        char seen[512];
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(seen, sizeof(seen), format, arguments);
        va_end(arguments);
        char buffer[2048];
        struct shmc_text t = SHMC_TEXT(buffer);
        begin_observation(&t, what, 0);
        shmc_add_string(&t, ",\"seen\":");
        shmc_add_json_string(&t, seen);
        shmc_add_string(&t, ",\"expected\":{}");
        end_observation(&t);
}

#define PATTERN_PERIOD 251

/* Byte i of the pattern, given i modulo the period; no two neighbours and no two pages are alike. */
static unsigned char pattern_byte(unsigned seed, size_t i, unsigned remainder)
{
        return (unsigned char)(seed * 37U + remainder + (unsigned)(i >> 8) + 1U);
}

static unsigned next_remainder(unsigned remainder)
{
        return remainder + 1 == PATTERN_PERIOD ? 0 : remainder + 1;
}

void shmc_fill_pattern(void *start, size_t size, unsigned seed)
{
        unsigned char *p = start;
        unsigned remainder = 0;
        for (size_t i = 0; i < size; i++) {
                p[i] = pattern_byte(seed, i, remainder);
                remainder = next_remainder(remainder);
        }
}

static void check_content(const char *what, const unsigned char *p, size_t size, bool is_pattern, unsigned value)
{
        unsigned remainder = 0;
        for (size_t i = 0; i < size; i++) {
                unsigned char expected = is_pattern ? pattern_byte(value, i, remainder) : (unsigned char)value;
                remainder = next_remainder(remainder);
                if (p[i] != expected) {
                        shmc_check_that(false, what, "byte %zu of %zu is 0x%02x, not 0x%02x", i, size, p[i], expected);
                        return;
                }
        }
        shmc_check_that(true, what, "no");
}

void shmc_check_bytes(const char *what, const void *start, size_t size, int value)
{
        check_content(what, start, size, false, (unsigned)value);
}

void shmc_check_pattern(const char *what, const void *start, size_t size, unsigned seed)
{
        check_content(what, start, size, true, seed);
}

void shmc_check_death(const char *what, const struct death *d, const int *allowed)
{
        char buffer[1024];
        struct shmc_text t = SHMC_TEXT(buffer);
        begin_observation(&t, what, 0);
        shmc_add_string(&t, ",\"seen\":");
        shmc_add_json_string(&t, d->signal_number ? shmc_signal_name(d->signal_number) : "success");
        add_allowed(&t, allowed, shmc_signal_name);
        end_observation(&t);
}

struct member {
        intmax_t before, now;
        const char *name;
        unsigned bit;
        enum shmc_base base;
};

/* Appends "shm_nattch 1 -> 2" for each member that differs and is not in allowed. */
static void add_differences(struct shmc_text *t, const struct shmid_ds *a, const struct shmid_ds *b, unsigned allowed)
{
        const struct member members[] = {
                {a->shm_perm.SHMC_PERM_KEY, b->shm_perm.SHMC_PERM_KEY, "key", M_KEY, SHMC_HEX},
                {a->shm_perm.uid, b->shm_perm.uid, "shm_perm.uid", M_UID, SHMC_DECIMAL},
                {a->shm_perm.gid, b->shm_perm.gid, "shm_perm.gid", M_GID, SHMC_DECIMAL},
                {a->shm_perm.cuid, b->shm_perm.cuid, "shm_perm.cuid", M_CUID, SHMC_DECIMAL},
                {a->shm_perm.cgid, b->shm_perm.cgid, "shm_perm.cgid", M_CGID, SHMC_DECIMAL},
                {(intmax_t)a->shm_perm.mode, (intmax_t)b->shm_perm.mode, "shm_perm.mode", M_MODE, SHMC_OCTAL},
                {(intmax_t)a->shm_segsz, (intmax_t)b->shm_segsz, "shm_segsz", M_SEGSZ, SHMC_DECIMAL},
                {a->shm_atime, b->shm_atime, "shm_atime", M_ATIME, SHMC_DECIMAL},
                {a->shm_dtime, b->shm_dtime, "shm_dtime", M_DTIME, SHMC_DECIMAL},
                {a->shm_ctime, b->shm_ctime, "shm_ctime", M_CTIME, SHMC_DECIMAL},
                {a->shm_cpid, b->shm_cpid, "shm_cpid", M_CPID, SHMC_DECIMAL},
                {a->shm_lpid, b->shm_lpid, "shm_lpid", M_LPID, SHMC_DECIMAL},
                {(intmax_t)a->shm_nattch, (intmax_t)b->shm_nattch, "shm_nattch", M_NATTCH, SHMC_DECIMAL},
        };
        for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
                const struct member *m = &members[i];
                if (m->before == m->now || (m->bit & allowed))
                        continue;
                shmc_add(t, "%s%s ", t->length ? ", " : "", m->name);
                add_number(t, m->before, m->base);
                shmc_add_string(t, " -> ");
                add_number(t, m->now, m->base);
        }
}

void shmc_check_only_changed(const struct shmid_ds *before, const struct shmid_ds *now, unsigned allowed)
{
        char changes[512] = "";
        struct shmc_text t = SHMC_TEXT(changes);
        add_differences(&t, before, now, allowed);
        shmc_check_that(t.length == 0, "every other member of shmid_ds is as before", "%s", changes);
}

void shmc_fill_set(struct stat_buffer *b, int filler, uid_t uid, gid_t gid, mode_t mode)
{
        memset(b, filler, sizeof(*b));
        b->is.ds.shm_perm.uid = uid;
        b->is.ds.shm_perm.gid = gid;
        b->is.ds.shm_perm.mode = (__typeof__(b->is.ds.shm_perm.mode))mode;
}

bool shmc_same_bytes(const struct stat_buffer *a, const struct stat_buffer *b)
{
        return memcmp(a->before, b->before, sizeof(a->before)) == 0 &&
               memcmp(a->is.bytes, b->is.bytes, sizeof(a->is.bytes)) == 0 &&
               memcmp(a->after, b->after, sizeof(a->after)) == 0;
}

static uint64_t digest(const unsigned char *p, size_t size)
{
        uint64_t h = 14695981039346656037U;
        for (size_t i = 0; i < size; i++)
                h = (h ^ p[i]) * 1099511628211U;
        return h;
}

/* The namespace's totals, silently; false where the platform does not tell. */
static bool read_totals(unsigned long *used_ids, unsigned long *pages, unsigned long *resident)
{
#ifdef __linux__
        union {
                struct shm_info info;
                struct shmid_ds ds;
                unsigned char room[512];
        } u;
        if (shmctl(0, SHM_INFO, &u.ds) == -1)
                return false;
        *used_ids = (unsigned long)u.info.SHMC_INFO_USED_IDS;
        *pages = u.info.shm_tot;
        *resident = u.info.shm_rss;
        return true;
#else
        (void)used_ids, (void)pages, (void)resident;
        return false;
#endif
}

struct totals shmc_make_totals(void)
{
        struct totals t = {0};
        make_sure(read_totals(&t.used_ids, &t.pages, &t.resident), "shmctl(SHM_INFO): %s", strerror(errno));
        return t;
}

struct snapshot shmc_take_snapshot(int shmid, const void *mapped)
{
        struct snapshot s = {.shmid = shmid, .mapped = mapped};
        unsigned long resident = 0;
        /* Others make and remove segments in the host's namespace. */
        bool own = shmc_in_case_namespace && shmc_context.isolation != SHMC_ISOLATION_HOST;
        s.has_totals = own && read_totals(&s.used_ids, &s.pages, &resident);
        s.ds = make_stat(shmid);
        if (mapped)
                s.digest = digest(mapped, (size_t)s.ds.shm_segsz);
        return s;
}

void shmc_check_unchanged(const struct snapshot *before)
{
        char changes[768] = "";
        struct shmc_text t = SHMC_TEXT(changes);
        struct stat_buffer now;
        memset(&now, 0x5a, sizeof(now));
        if (shmctl(before->shmid, IPC_STAT, &now.is.ds) == -1)
                shmc_add(&t, "IPC_STAT fails with %s", shmc_errno_name(errno));
        else
                add_differences(&t, &before->ds, &now.is.ds, 0);
        unsigned long used_ids = 0;
        unsigned long pages = 0;
        unsigned long resident = 0;
        if (before->has_totals && read_totals(&used_ids, &pages, &resident)) {
                if (used_ids != before->used_ids)
                        shmc_add(&t, "%sused_ids %lu -> %lu", t.length ? ", " : "", before->used_ids, used_ids);
                if (pages != before->pages)
                        shmc_add(&t, "%sshm_tot %lu -> %lu pages", t.length ? ", " : "", before->pages, pages);
        }
        if (before->mapped && digest(before->mapped, (size_t)before->ds.shm_segsz) != before->digest)
                shmc_add(&t, "%sthe contents differ", t.length ? ", " : "");
        shmc_check_that(t.length == 0, "nothing changed", "%s", changes);
}
