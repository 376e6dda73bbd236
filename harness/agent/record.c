#include "record.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#if defined(__linux__)
#include <sys/syscall.h>
#endif
#if defined(__GLIBC__)
#include <gnu/libc-version.h>
#endif

#include "context.h"
#include "isolation.h"

bool shmc_write_all(int fd, const char *bytes, size_t length)
{
        while (length > 0) {
                ssize_t n = write(fd, bytes, length);
                if (n == -1 && errno == EINTR)
                        continue;
                if (n == -1)
                        return false;
                bytes += n;
                length -= (size_t)n;
        }
        return true;
}

bool shmc_write_frame(int fd, const char *object, size_t length)
{
        static unsigned sequence;
        static char line[SHMC_LINE_SIZE + 64];
        struct shmc_text t = SHMC_TEXT(line);
        shmc_add(&t, "@shmcheck %u %08x ", sequence++, (unsigned)shmc_crc32(object, length));
        shmc_add_bytes(&t, object, length);
        shmc_add_bytes(&t, "\n", 1);
        return shmc_write_all(fd, t.bytes, t.length);
}

static void add_member(struct shmc_text *t, const char *name, const char *value)
{
        shmc_add(t, ",\"%s\":", name);
        shmc_add_json_string(t, value);
}

/* What the first line of a file holds, without the newline; false if it cannot be read. */
static bool read_line(const char *path, char *line, size_t size)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd == -1)
                return false;
        ssize_t n = read(fd, line, size - 1);
        close(fd);
        if (n <= 0)
                return false;
        line[n] = '\0';
        line[strcspn(line, "\n")] = '\0';
        return true;
}

static void add_libc(struct shmc_text *t)
{
#if defined(__GLIBC__)
        char name[64];
        snprintf(name, sizeof(name), "glibc %s", gnu_get_libc_version());
        add_member(t, "libc", name);
#elif defined(__dietlibc__)
        add_member(t, "libc", "dietlibc");
#elif defined(__linux__)
        add_member(t, "libc", "musl or another without a name of its own");
#else
        add_member(t, "libc", "the system's");
#endif
}

static void add_capabilities(struct shmc_text *t)
{
#if defined(__linux__)
        struct {
                uint32_t version;
                int pid;
        } header = {0x20080522, 0};
        uint32_t sets[2][3] = {{0}};
        if (syscall(SYS_capget, &header, sets) == 0)
                shmc_add(t, ",\"capabilities\":\"%08x%08x\"", (unsigned)sets[1][0], (unsigned)sets[0][0]);
#else
        (void)t;
#endif
}

/* Members of a JSON object that is being written: each brings the comma before it. */
static void add_limit(struct shmc_text *t, const char **comma, const char *name, const char *value)
{
        shmc_add(t, "%s\"%s\":", *comma, name);
        shmc_add_json_string(t, value);
        *comma = ",";
}

static void add_rlimit(struct shmc_text *t, const char **comma, const char *name, int resource)
{
        struct rlimit limit;
        char value[32] = "unlimited";
        if (getrlimit((shmc_resource)resource, &limit) == -1)
                return;
        if (limit.rlim_cur != RLIM_INFINITY)
                snprintf(value, sizeof(value), "%" PRIuMAX, (uintmax_t)limit.rlim_cur);
        add_limit(t, comma, name, value);
}

static void add_limits(struct shmc_text *t)
{
        static const char *const sysctls[] = {"shmmni", "shmmax", "shmall", "shm_rmid_forced"};
        const char *comma = "";
        shmc_add(t, ",\"limits\":{");
        for (size_t i = 0; i < sizeof(sysctls) / sizeof(sysctls[0]); i++) {
                char path[64];
                char value[64];
                snprintf(path, sizeof(path), "/proc/sys/kernel/%s", sysctls[i]);
                if (read_line(path, value, sizeof(value)))
                        add_limit(t, &comma, sysctls[i], value);
        }
        add_rlimit(t, &comma, "RLIMIT_AS", RLIMIT_AS);
#ifdef RLIMIT_MEMLOCK
        add_rlimit(t, &comma, "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK);
#endif
        shmc_add(t, "}");
}

/* A dynamic linker that cannot preload a library says so on standard error and goes on without it. */
static bool is_loaded(const char *library)
{
        FILE *maps = fopen("/proc/self/maps", "r");
        if (!maps)
                return true;
        char line[PATH_MAX + 128];
        bool found = false;
        while (!found && fgets(line, sizeof(line), maps))
                found = strchr(line, '/') && strncmp(strchr(line, '/'), library, strlen(library)) == 0 &&
                        strchr(line, '/')[strlen(library)] == '\n';
        fclose(maps);
        return found;
}

static void add_platform(struct shmc_text *t)
{
        struct utsname u;
        if (uname(&u) == -1)
                memset(&u, 0, sizeof(u));
        shmc_add(t, ",\"platform\":{\"pointer_bits\":%zu,\"page\":%zu,\"shmlba\":%zu,\"uid\":%lu,\"gid\":%lu",
                 sizeof(void *) * CHAR_BIT, shmc_page(), shmc_shmlba(), (unsigned long)geteuid(),
                 (unsigned long)getegid());
        shmc_add(t, ",\"processors\":%ld", sysconf(_SC_NPROCESSORS_ONLN));
        add_member(t, "sysname", u.sysname);
        add_member(t, "release", u.release);
        add_member(t, "version", u.version);
        add_member(t, "machine", u.machine);
        add_libc(t);
        add_capabilities(t);
        shmc_add(t, ",\"proc\":%s", access("/proc/self/maps", R_OK) == 0 ? "true" : "false");
        const char *preload = getenv("LD_PRELOAD");
        if (preload && *preload) {
                add_member(t, "preload", preload);
                shmc_add(t, ",\"preload_loaded\":%s", is_loaded(preload) ? "true" : "false");
        }
        add_limits(t);
        shmc_add(t, "}");
}

void shmc_record_start(struct shmc_text *t, const struct shmc_needs *needs, size_t results, unsigned rounds,
                       unsigned jobs)
{
        shmc_add(t, "{\"type\":\"start\",\"format\":%d,\"agent\":\"%s\",\"time\":%" PRIdMAX, SHMC_RECORD_FORMAT,
                 SHMC_AGENT_VERSION, (intmax_t)time(NULL));
        add_platform(t);
        shmc_add(t, ",\"isolation\":{\"mode\":\"%s\",\"pid_namespace\":%s}",
                 shmc_isolation_name(shmc_context.isolation), shmc_context.pid_namespace ? "true" : "false");
        shmc_add(t, ",\"missing\":{");
        const char *comma = "";
        for (unsigned bit = 0; bit < SHMC_NEEDS; bit++) {
                if (needs->missing[bit][0])
                        add_limit(t, &comma, shmc_need_name(bit), needs->missing[bit]);
        }
        shmc_add(t, "},\"all_cases\":%zu,\"results\":%zu,\"rounds\":%u,\"jobs\":%u}", shmc_registry_count(), results,
                 rounds, jobs);
}

void shmc_record_begin(struct shmc_text *t, const struct shmc_case *c, unsigned round)
{
        shmc_add(t, "{\"type\":\"begin\",\"id\":");
        shmc_add_json_string(t, c->id);
        shmc_add(t, ",\"round\":%u}", round);
}

static void add_case(struct shmc_text *t, const struct shmc_case *c)
{
        char topic[64];
        shmc_topic(c, topic, sizeof(topic));
        add_member(t, "id", c->id);
        add_member(t, "topic", topic);
        add_member(t, "sentence", c->sentence);
        add_member(t, "level", shmc_level_name(c->level));
        add_member(t, "clause", c->clause ? c->clause : "");
        add_member(t, "file", c->file);
        shmc_add(t, ",\"line\":%d,\"needs\":[", c->line);
        const char *comma = "";
        for (unsigned bit = 0; bit < SHMC_NEEDS; bit++) {
                if (c->needs & (1UL << bit)) {
                        shmc_add(t, "%s\"%s\"", comma, shmc_need_name(bit));
                        comma = ",";
                }
        }
        shmc_add(t, "]");
        if (c->note)
                add_member(t, "note", c->note);
        if (c->differs)
                add_member(t, "differs", c->differs);
}

void shmc_record_list(struct shmc_text *t, const struct shmc_case *c)
{
        shmc_add(t, "{\"type\":\"list\"");
        add_case(t, c);
        shmc_add(t, "}");
}

struct list_state {
        struct shmc_text *t;
        const char *comma;
};

static void add_entry(const char *json, size_t length, void *arg)
{
        struct list_state *state = arg;
        shmc_add(state->t, "%s", state->comma);
        shmc_add_bytes(state->t, json, length);
        state->comma = ",";
}

void shmc_record_steps(struct shmc_text *t, const struct shmc_case *c, unsigned round, const struct shmc_journal *j)
{
        struct list_state steps = {t, ""};
        shmc_add(t, "{\"type\":\"steps\",\"id\":");
        shmc_add_json_string(t, c->id);
        shmc_add(t, ",\"round\":%u,\"steps\":[", round);
        shmc_journal_each(j, SHMC_STEP, add_entry, &steps);
        shmc_add(t, "]}");
}

void shmc_record_case(struct shmc_text *t, const struct shmc_case *c, unsigned round, const struct shmc_result *r)
{
        shmc_add(t, "{\"type\":\"case\"");
        add_case(t, c);
        shmc_add(t, ",\"round\":%u,\"us\":%ld", round, r->microseconds);
        if (r->floor)
                shmc_add(t, ",\"floor_us\":%ld", r->floor);
        add_member(t, "status", r->status);
        if (r->reason[0])
                add_member(t, "reason", r->reason);
        if (r->journal) {
                uint32_t dropped = atomic_load(&r->journal->dropped[SHMC_STEP]);
                if (dropped)
                        shmc_add(t, ",\"steps_dropped\":%u", (unsigned)dropped);
                struct list_state observations = {t, ""};
                shmc_add(t, ",\"observations\":[");
                shmc_journal_each(r->journal, SHMC_OBSERVATION, add_entry, &observations);
                shmc_add(t, "]");
        }
        if (r->left)
                shmc_add(t, ",\"left\":%s", r->left);
        shmc_add(t, "}");
}

void shmc_record_end(struct shmc_text *t, size_t results)
{
        shmc_add(t, "{\"type\":\"end\",\"results\":%zu}", results);
}
