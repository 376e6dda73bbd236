/* The recorded calls: each keeps its result and errno in one breath, then writes the step. */
#include "case.h"
#include "context.h"
#include "decode.h"
#include "journal.h"
#include "ledger.h"

#include <stdio.h>
#if defined(__linux__)
#include <sys/syscall.h>
#endif

bool shmc_in_case_namespace = true;
char shmc_process_name[32] = "case";

static void add_who(struct shmc_text *t, unsigned step)
{
        shmc_add_string(t, "{\"n\":");
        shmc_add_decimal(t, step);
        shmc_add_string(t, ",\"by\":");
        shmc_add_json_string(t, shmc_process_name);
}

static unsigned begin_step(struct shmc_text *t, const char *call, bool raw)
{
        unsigned step = atomic_fetch_add(&shmc_journal->next_step, 1) + 1;
        add_who(t, step);
        if (raw)
                shmc_add_string(t, ",\"via\":\"syscall\"");
        shmc_add_string(t, ",\"call\":\"");
        shmc_add_string(t, call);
        shmc_add_string(t, "\",\"args\":[");
        return step;
}

static void add_argument(struct shmc_text *t, const char *argument)
{
        if (t->bytes[t->length - 1] != '[')
                shmc_add_bytes(t, ",", 1);
        shmc_add_json_string(t, argument);
}

static void add_number_argument(struct shmc_text *t, intmax_t n)
{
        char argument[32];
        struct shmc_text a = SHMC_TEXT(argument);
        shmc_add_decimal(&a, n);
        add_argument(t, argument);
}

static void add_result(struct shmc_text *t, const struct outcome *o)
{
        char returned[64];
        struct shmc_text r = SHMC_TEXT(returned);
        if (strcmp(o->call, "shmat") == 0 && !o->failed)
                shmc_add_address(&r, address_of(*o));
        else if (strcmp(o->call, "ftok") == 0 && !o->failed)
                shmc_add_key(&r, (key_t)o->value);
        else
                shmc_add_decimal(&r, o->value);
        shmc_add_string(t, "],\"ret\":");
        shmc_add_json_string(t, returned);
        if (o->failed) {
                shmc_add_string(t, ",\"errno\":\"");
                shmc_add_string(t, shmc_errno_name(o->error));
                shmc_add_string(t, "\"");
        }
}

static void end_step(struct shmc_text *t)
{
        shmc_add_bytes(t, "}", 1);
        if (!t->cut)
                shmc_journal_append(shmc_journal, SHMC_STEP, t->bytes, t->length);
        else
                shmc_journal_drop(shmc_journal, SHMC_STEP);
}

struct outcome shmc_try_ftok(const char *path, int proj_id)
{
        errno = 0;
        key_t key = ftok(path, proj_id);
        int error = errno;
        struct outcome o = {.value = key, .error = error, .failed = key == (key_t)-1, .call = "ftok"};
        char buffer[6 * 1024];
        struct shmc_text t = SHMC_TEXT(buffer);
        o.step = begin_step(&t, "ftok", false);
        char shown[200];
        struct shmc_text s = SHMC_TEXT(shown);
        if ((uintptr_t)path < shmc_page() || (o.failed && error == EFAULT))
                shmc_add_address(&s, path);
        else if (strlen(path) > 120)
                shmc_add(&s, "\"%.60s...\" /* %zu bytes */", path, strlen(path));
        else {
                shmc_add_string(&s, "\"");
                shmc_add_string(&s, path);
                shmc_add_string(&s, "\"");
        }
        add_argument(&t, shown);
        add_number_argument(&t, proj_id);
        add_result(&t, &o);
        end_step(&t);
        return o;
}

static struct outcome record_shmget(struct outcome o, key_t key, size_t size, int flags, bool raw)
{
        char buffer[512];
        char argument[96];
        struct shmc_text t = SHMC_TEXT(buffer);
        o.step = begin_step(&t, "shmget", raw);
        struct shmc_text k = SHMC_TEXT(argument);
        shmc_add_key(&k, key);
        add_argument(&t, argument);
        struct shmc_text s = SHMC_TEXT(argument);
        shmc_add_digits(&s, size, 10, 1);
        add_argument(&t, argument);
        struct shmc_text f = SHMC_TEXT(argument);
        shmc_add_shmget_flags(&f, flags);
        add_argument(&t, argument);
        add_result(&t, &o);
        end_step(&t);
        return o;
}

static void note_made(const struct outcome *o, key_t key)
{
        if (o->failed || !shmc_in_case_namespace)
                return;
        shmc_journal_made(shmc_journal, (int)o->value, key);
        shmc_ledger_made((int)o->value, key);
}

static bool may_create(key_t key, int flags)
{
        return key == IPC_PRIVATE || (flags & IPC_CREAT);
}

struct outcome shmc_try_shmget(key_t key, size_t size, int flags)
{
        if (may_create(key, flags))
                shmc_ledger_intend(key);
        errno = 0;
        int id = shmget(key, size, flags);
        int error = errno;
        struct outcome o = {.value = id, .error = error, .failed = id == -1, .odd = id < -1, .call = "shmget"};
        note_made(&o, key);
        return record_shmget(o, key, size, flags, false);
}

static struct outcome record_shmat(struct outcome o, int shmid, const void *address, int flags, bool raw)
{
        char buffer[512];
        char argument[96];
        struct shmc_text t = SHMC_TEXT(buffer);
        o.step = begin_step(&t, "shmat", raw);
        add_number_argument(&t, shmid);
        struct shmc_text a = SHMC_TEXT(argument);
        shmc_add_address(&a, address);
        add_argument(&t, argument);
        struct shmc_text f = SHMC_TEXT(argument);
        shmc_add_shmat_flags(&f, flags);
        add_argument(&t, argument);
        add_result(&t, &o);
        end_step(&t);
        return o;
}

struct outcome shmc_try_shmat(int shmid, const void *address, int flags)
{
        errno = 0;
        void *at = shmat(shmid, address, flags);
        int error = errno;
        struct outcome o = {.value = (intptr_t)at, .error = error, .failed = (intptr_t)at == -1, .call = "shmat"};
        return record_shmat(o, shmid, address, flags, false);
}

static struct outcome record_shmdt(struct outcome o, const void *address, bool raw)
{
        char buffer[256];
        char argument[64];
        struct shmc_text t = SHMC_TEXT(buffer);
        o.step = begin_step(&t, "shmdt", raw);
        struct shmc_text a = SHMC_TEXT(argument);
        shmc_add_address(&a, address);
        add_argument(&t, argument);
        add_result(&t, &o);
        end_step(&t);
        return o;
}

struct outcome shmc_try_shmdt(const void *address)
{
        errno = 0;
        int r = shmdt(address);
        int error = errno;
        struct outcome o = {.value = r, .error = error, .failed = r == -1, .odd = r != 0 && r != -1, .call = "shmdt"};
        return record_shmdt(o, address, false);
}

static bool reads_shmid_ds(int command)
{
#ifdef __linux__
        if (command == SHM_STAT || command == SHM_STAT_ANY)
                return true;
#endif
        return command == IPC_STAT;
}

struct member {
        const char *before; /* the JSON in front of the value */
        uintmax_t value;
        unsigned base;
        bool is_signed;
};

static void add_shmid_ds(struct shmc_text *t, const struct shmid_ds *ds)
{
        const struct member members[] = {
                {"{\"key\":\"0x", (unsigned)ds->shm_perm.SHMC_PERM_KEY, 16, false},
                {"\",\"uid\":", ds->shm_perm.uid, 10, false},
                {",\"gid\":", ds->shm_perm.gid, 10, false},
                {",\"cuid\":", ds->shm_perm.cuid, 10, false},
                {",\"cgid\":", ds->shm_perm.cgid, 10, false},
                {",\"mode\":\"0", ds->shm_perm.mode, 8, false},
                {"\",\"segsz\":\"", (uintmax_t)ds->shm_segsz, 10, false},
                {"\",\"nattch\":\"", (uintmax_t)ds->shm_nattch, 10, false},
                {"\",\"cpid\":", (uintmax_t)ds->shm_cpid, 10, true},
                {",\"lpid\":", (uintmax_t)ds->shm_lpid, 10, true},
                {",\"atime\":", (uintmax_t)ds->shm_atime, 10, true},
                {",\"dtime\":", (uintmax_t)ds->shm_dtime, 10, true},
                {",\"ctime\":", (uintmax_t)ds->shm_ctime, 10, true},
        };
        for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
                const struct member *m = &members[i];
                shmc_add_string(t, m->before);
                if (m->is_signed)
                        shmc_add_decimal(t, (intmax_t)m->value);
                else
                        shmc_add_digits(t, m->value, m->base, m->base == 16 ? 8 : 1);
        }
        shmc_add_string(t, "}");
}

/* Whether the command's only value of success is 0. */
static bool returns_nothing(int command)
{
#ifdef __linux__
        if (command == SHM_LOCK || command == SHM_UNLOCK)
                return true;
#endif
        return command == IPC_STAT || command == IPC_SET || command == IPC_RMID;
}

/* set: what IPC_SET was given, or NULL where that may not be readable. */
static struct outcome record_shmctl(struct outcome o, int shmid, int command, void *buffer, const struct shmid_ds *set,
                                    bool raw)
{
        char bytes[1024];
        char argument[96];
        struct shmc_text t = SHMC_TEXT(bytes);
        o.step = begin_step(&t, "shmctl", raw);
        add_number_argument(&t, shmid);
        struct shmc_text c = SHMC_TEXT(argument);
        shmc_add_command(&c, command);
        add_argument(&t, argument);
        struct shmc_text b = SHMC_TEXT(argument);
        if (set) {
                /* Cases give buffers at odd addresses, and some of which only this part can be read. */
                struct ipc_perm perm;
                memcpy(&perm, &((const char *)set)[offsetof(struct shmid_ds, shm_perm)], sizeof(perm));
                shmc_add_string(&b, "{uid=");
                shmc_add_digits(&b, perm.uid, 10, 1);
                shmc_add_string(&b, ", gid=");
                shmc_add_digits(&b, perm.gid, 10, 1);
                shmc_add_string(&b, ", mode=0");
                shmc_add_digits(&b, perm.mode, 8, 1);
                shmc_add_string(&b, "}");
        } else {
                shmc_add_address(&b, buffer);
        }
        add_argument(&t, argument);
        add_result(&t, &o);
        if (!o.failed && reads_shmid_ds(command) && buffer) {
                struct shmid_ds ds;
                memcpy(&ds, buffer, sizeof(ds));
                shmc_add_string(&t, ",\"shmid_ds\":");
                add_shmid_ds(&t, &ds);
        }
        end_step(&t);
        return o;
}

static void note_removed(const struct outcome *o, int shmid, int command)
{
        if (o->failed || command != IPC_RMID || !shmc_in_case_namespace)
                return;
        shmc_journal_removed(shmc_journal, shmid);
        shmc_ledger_removed(shmid);
}

static const struct shmid_ds *taken(const struct outcome *o, int command, const void *buffer)
{
        return command == IPC_SET && !o->failed ? buffer : NULL;
}

struct outcome shmc_try_set(int shmid, uid_t uid, gid_t gid, mode_t mode)
{
        struct stat_buffer b;
        struct stat_buffer given;
        fill_set(&b, 0, uid, gid, mode);
        given = b;
        errno = 0;
        int r = shmctl(shmid, IPC_SET, &b.is.ds);
        int error = errno;
        struct outcome o = {.value = r, .error = error, .failed = r == -1, .odd = r != 0 && r != -1, .call = "shmctl"};
        return record_shmctl(o, shmid, IPC_SET, &b.is.ds, &given.is.ds, false);
}

struct outcome shmc_try_shmctl(int shmid, int command, void *buffer)
{
        errno = 0;
        int r = shmctl(shmid, command, buffer);
        int error = errno;
        struct outcome o = {.value = r, .error = error, .failed = r == -1, .call = "shmctl"};
        o.odd = returns_nothing(command) && r != 0 && r != -1;
        note_removed(&o, shmid, command);
        return record_shmctl(o, shmid, command, buffer, taken(&o, command, buffer), false);
}

#if defined(SYS_shmget) && defined(SYS_shmat) && defined(SYS_shmdt) && defined(SYS_shmctl)

struct outcome shmc_try_raw_shmget(long key, unsigned long size, long flags)
{
        if (may_create((key_t)key, (int)flags))
                shmc_ledger_intend((key_t)key);
        errno = 0;
        long id = syscall(SYS_shmget, key, size, flags);
        int error = errno;
        struct outcome o = {.value = id, .error = error, .failed = id == -1, .odd = id < -1, .call = "shmget"};
        note_made(&o, (key_t)key);
        return record_shmget(o, (key_t)key, size, (int)flags, true);
}

struct outcome shmc_try_raw_shmat(int shmid, const void *address, int flags)
{
        errno = 0;
        long at = syscall(SYS_shmat, shmid, address, flags);
        int error = errno;
        struct outcome o = {.value = at, .error = error, .failed = at == -1, .call = "shmat"};
        return record_shmat(o, shmid, address, flags, true);
}

struct outcome shmc_try_raw_shmdt(const void *address)
{
        errno = 0;
        long r = syscall(SYS_shmdt, address);
        int error = errno;
        struct outcome o = {.value = r, .error = error, .failed = r == -1, .odd = r != 0 && r != -1, .call = "shmdt"};
        return record_shmdt(o, address, true);
}

struct outcome shmc_try_raw_shmctl(int shmid, int command, void *buffer)
{
        errno = 0;
        long r = syscall(SYS_shmctl, shmid, command, buffer);
        int error = errno;
        struct outcome o = {.value = r, .error = error, .failed = r == -1, .call = "shmctl"};
        o.odd = returns_nothing(command) && r != 0 && r != -1;
        note_removed(&o, shmid, command);
        return record_shmctl(o, shmid, command, buffer, taken(&o, command, buffer), true);
}

#else

static struct outcome no_raw_call(const char *call)
{
        skip_case("this C library has no system call number for %s", call);
}

struct outcome shmc_try_raw_shmget(long key, unsigned long size, long flags)
{
        (void)key, (void)size, (void)flags;
        return no_raw_call("shmget");
}

struct outcome shmc_try_raw_shmat(int shmid, const void *address, int flags)
{
        (void)shmid, (void)address, (void)flags;
        return no_raw_call("shmat");
}

struct outcome shmc_try_raw_shmdt(const void *address)
{
        (void)address;
        return no_raw_call("shmdt");
}

struct outcome shmc_try_raw_shmctl(int shmid, int command, void *buffer)
{
        (void)shmid, (void)command, (void)buffer;
        return no_raw_call("shmctl");
}

#endif

struct outcome shmc_try_other(const char *text, intptr_t value, bool failed, int error)
{
        struct outcome o = {.value = value, .error = error, .failed = failed, .call = "other"};
        char buffer[512];
        struct shmc_text t = SHMC_TEXT(buffer);
        o.step = atomic_fetch_add(&shmc_journal->next_step, 1) + 1;
        add_who(&t, o.step);
        shmc_add_string(&t, ",\"text\":");
        shmc_add_json_string(&t, text);
        shmc_add_string(&t, ",\"args\":[");
        add_result(&t, &o);
        end_step(&t);
        return o;
}

int shmc_quiet_shmget(key_t key, size_t size, int flags)
{
        return shmget(key, size, flags);
}

int shmc_quiet_rmid(int shmid)
{
        return shmctl(shmid, IPC_RMID, NULL);
}
