#include "journal.h"

/* An entry is a header word and its bytes, padded to the next word. */
#define ENTRY_READY 0x80000000U
#define ENTRY_OBSERVATION 0x40000000U
#define ENTRY_LENGTH 0x3fffffffU

struct shmc_journal *shmc_journal;

struct shmc_journal *shmc_journal_new(void)
{
        void *p = mmap(NULL, sizeof(struct shmc_journal), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED)
                return NULL;
        struct shmc_journal *j = p;
        atomic_store(&j->meant_left, -1);
        return j;
}

void shmc_journal_reset(struct shmc_journal *j)
{
        size_t used = atomic_load(&j->used);
        memset(j->log, 0, used < sizeof(j->log) ? used : sizeof(j->log));
        atomic_store(&j->used, 0);
        for (int kind = 0; kind < SHMC_ENTRY_KINDS; kind++)
                atomic_store(&j->dropped[kind], 0);
        atomic_store(&j->observations, 0);
        atomic_store(&j->next_step, 0);
        atomic_store(&j->ending, SHMC_END_DONE);
        atomic_store(&j->reason_taken, 0);
        j->reason[0] = '\0';
        atomic_store(&j->meant_left, -1);
        memset(j->made, 0, sizeof(j->made));
        atomic_store(&j->made_count, 0);
        j->scratch[0] = '\0';
        atomic_store(&j->fault_code, 0);
        atomic_store(&j->fault_address, 0);
}

void shmc_journal_drop(struct shmc_journal *j, enum shmc_entry kind)
{
        atomic_fetch_add(&j->dropped[kind], 1);
}

void shmc_journal_append(struct shmc_journal *j, enum shmc_entry kind, const char *json, size_t length)
{
        uint32_t need = (uint32_t)(sizeof(uint32_t) + ((length + 3) & ~(size_t)3));
        uint32_t at = atomic_load(&j->used);
        /* However many steps there are, what was observed finds room. */
        size_t limit = kind == SHMC_STEP ? sizeof(j->log) / 2 : sizeof(j->log);
        do {
                if (at > limit || need > limit - at) {
                        shmc_journal_drop(j, kind);
                        return;
                }
        } while (!atomic_compare_exchange_weak(&j->used, &at, at + need));
        uint32_t mark = (uint32_t)length | (kind == SHMC_OBSERVATION ? ENTRY_OBSERVATION : 0U);
        _Atomic uint32_t *header = (_Atomic uint32_t *)(void *)(j->log + at);
        atomic_store(header, mark);
        memcpy(j->log + at + sizeof(uint32_t), json, length);
        atomic_store(header, mark | ENTRY_READY);
        if (kind == SHMC_OBSERVATION)
                atomic_fetch_add(&j->observations, 1);
}

bool shmc_journal_each(const struct shmc_journal *j, enum shmc_entry kind,
                       void (*visit)(const char *json, size_t length, void *arg), void *arg)
{
        uint32_t wanted = ENTRY_READY | (kind == SHMC_OBSERVATION ? ENTRY_OBSERVATION : 0U);
        uint32_t used = atomic_load(&j->used);
        for (uint32_t at = 0; at < used;) {
                uint32_t header = atomic_load((const _Atomic uint32_t *)(const void *)(j->log + at));
                uint32_t length = header & ENTRY_LENGTH;
                if (length == 0)
                        return false;
                if ((header & ~ENTRY_LENGTH) == wanted)
                        visit(j->log + at + sizeof(uint32_t), length, arg);
                at += (uint32_t)(sizeof(uint32_t) + ((length + 3U) & ~3U));
        }
        return true;
}

void shmc_journal_end(struct shmc_journal *j, enum shmc_ending ending, const char *reason)
{
        int nobody = 0;
        if (!atomic_compare_exchange_strong(&j->reason_taken, &nobody, 1))
                return;
        size_t length = strlen(reason);
        if (length >= sizeof(j->reason))
                length = sizeof(j->reason) - 1;
        memcpy(j->reason, reason, length);
        j->reason[length] = '\0';
        atomic_store(&j->ending, ending);
}

static struct shmc_made *find_made(struct shmc_journal *j, int shmid)
{
        uint32_t count = atomic_load(&j->made_count);
        for (uint32_t i = 0; i < count && i < SHMC_SEGMENTS; i++) {
                if (atomic_load(&j->made[i].id_plus_1) == (uint32_t)shmid + 1)
                        return &j->made[i];
        }
        return NULL;
}

void shmc_journal_made(struct shmc_journal *j, int shmid, key_t key)
{
        struct shmc_made *known = find_made(j, shmid);
        if (known) {
                atomic_store(&known->removed, 0);
                return;
        }
        uint32_t i = atomic_fetch_add(&j->made_count, 1);
        if (i >= SHMC_SEGMENTS)
                return;
        j->made[i].key = key;
        j->made[i].pid = getpid();
        atomic_store(&j->made[i].removed, 0);
        atomic_store(&j->made[i].id_plus_1, (uint32_t)shmid + 1);
}

void shmc_journal_removed(struct shmc_journal *j, int shmid)
{
        struct shmc_made *known = find_made(j, shmid);
        if (known)
                atomic_store(&known->removed, 1);
}
