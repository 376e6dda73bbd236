/* IPC_INFO, SHM_INFO, SHM_STAT and SHM_STAT_ANY. */
#include <string.h>

#include "segment.h"

#define control shmmutant_real.shmctl

static int info_returns_count(int shmid, int command, struct shmid_ds *buffer)
{
        struct shm_info info;
        int result = control(shmid, command, buffer);
        if (result == -1 || (command != IPC_INFO && command != SHM_INFO))
                return result;
        control(0, SHM_INFO, (struct shmid_ds *)(void *)&info);
        return info.used_ids;
}

static int info_returns_zero(int shmid, int command, struct shmid_ds *buffer)
{
        int result = control(shmid, command, buffer);
        return result > 0 && (command == IPC_INFO || command == SHM_INFO) ? 0 : result;
}

static int info_needs_id(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds ds;
        bool refused = (command == IPC_INFO || command == SHM_INFO) && shmid != 0 && !shmmutant_look(shmid, &ds);
        return refused ? failing(EINVAL) : control(shmid, command, buffer);
}

/* The structure that a successful IPC_INFO or SHM_INFO has filled; NULL for any other call. */
static struct shminfo *limits_told(int result, int command, struct shmid_ds *buffer)
{
        return result >= 0 && command == IPC_INFO ? (struct shminfo *)(void *)buffer : NULL;
}

static struct shm_info *totals_told(int result, int command, struct shmid_ds *buffer)
{
        return result >= 0 && command == SHM_INFO ? (struct shm_info *)(void *)buffer : NULL;
}

#define TOLD_LIMITS(name, change)                                                                                      \
        static int name(int shmid, int command, struct shmid_ds *buffer)                                               \
        {                                                                                                              \
                int result = control(shmid, command, buffer);                                                          \
                struct shminfo *info = limits_told(result, command, buffer);                                           \
                if (info)                                                                                              \
                        change;                                                                                        \
                return result;                                                                                         \
        }
TOLD_LIMITS(shmmni_always_default, info->shmmni = 4096)
TOLD_LIMITS(shmmax_always_default, info->shmmax = ~0UL - (1UL << 24))
TOLD_LIMITS(shmall_in_bytes, info->shmall *= shmmutant_page())
TOLD_LIMITS(shmmin_zero, info->shmmin = 0)
TOLD_LIMITS(shmseg_not_shmmni, info->shmseg = 128)
TOLD_LIMITS(ipc_info_reserved_garbage, memset((unsigned char *)(info + 1) - 8, 0x77, 8))

#define TOLD_TOTALS(name, change)                                                                                      \
        static int name(int shmid, int command, struct shmid_ds *buffer)                                               \
        {                                                                                                              \
                int result = control(shmid, command, buffer);                                                          \
                struct shm_info *info = totals_told(result, command, buffer);                                          \
                if (info)                                                                                              \
                        change;                                                                                        \
                return result;                                                                                         \
        }
TOLD_TOTALS(used_ids_one_more, info->used_ids++)
TOLD_TOTALS(total_in_bytes, info->shm_tot *= shmmutant_page())
TOLD_TOTALS(total_is_resident, info->shm_tot = info->shm_rss)
TOLD_TOTALS(resident_is_total, info->shm_rss = info->shm_tot)
TOLD_TOTALS(swap_counts_garbage, info->swap_attempts = 7)

static int shm_info_half_written(int shmid, int command, struct shmid_ds *buffer)
{
        struct shm_info all;
        if (command != SHM_INFO || !buffer || !shmmutant_is_readable(buffer, sizeof(all)))
                return control(shmid, command, buffer);
        int result = control(shmid, command, (struct shmid_ds *)(void *)&all);
        if (result >= 0)
                memcpy(buffer, &all, offsetof(struct shm_info, swap_attempts));
        return result;
}

static bool by_index(int command)
{
        return command == SHM_STAT || command == SHM_STAT_ANY;
}

/* The hook told wants the identifier, so that these alter what the caller sees only. */
static int shm_stat_returns_zero(int shmid, int command, struct shmid_ds *buffer)
{
        int result = control(shmid, command, buffer);
        return result > 0 && by_index(command) ? 0 : result;
}

static int shm_stat_wants_id(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds ds;
        return by_index(command) && !shmmutant_look(shmid, &ds) ? failing(EINVAL) : control(shmid, command, buffer);
}

static int shm_stat_refuses_id(int shmid, int command, struct shmid_ds *buffer)
{
        return by_index(command) && shmid > 0x7fff ? failing(EINVAL) : control(shmid, command, buffer);
}

static int shm_stat_skips_marked(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds ds;
        bool skips = by_index(command) && control(shmid, SHM_STAT_ANY, &ds) != -1 && (ds.shm_perm.mode & SHM_DEST);
        return skips ? failing(EINVAL) : control(shmid, command, buffer);
}

static int shm_stat_fills_holes(int shmid, int command, struct shmid_ds *buffer)
{
        int result = control(shmid, command, buffer);
        for (int i = shmid + 1; result == -1 && errno == EINVAL && by_index(command) && i > 0 && i < 4096; i++)
                result = control(i, command, buffer);
        return result;
}

static int shm_stat_any_asks(int shmid, int command, struct shmid_ds *buffer)
{
        return control(shmid, command == SHM_STAT_ANY ? SHM_STAT : command, buffer);
}

static int shm_stat_never_asks(int shmid, int command, struct shmid_ds *buffer)
{
        return control(shmid, command == SHM_STAT ? SHM_STAT_ANY : command, buffer);
}

static int shm_stat_any_unknown(int shmid, int command, struct shmid_ds *buffer)
{
        return command == SHM_STAT_ANY ? failing(EINVAL) : control(shmid, command, buffer);
}

static int shm_stat_without_times(int shmid, int command, struct shmid_ds *buffer)
{
        int result = control(shmid, command, buffer);
        if (result != -1 && by_index(command))
                buffer->shm_ctime = 0;
        return result;
}

#define INDEXES 64

static int info_asks_each_segment(int shmid, int command, struct shmid_ds *buffer)
{
        for (int i = 0; (command == IPC_INFO || command == SHM_INFO) && i < INDEXES; i++) {
                struct shmid_ds ds;
                if (control(i, SHM_STAT, &ds) == -1 && errno == EACCES)
                        return -1;
        }
        return control(shmid, command, buffer);
}

const struct mutant shmmutant_info[] = {
        {.name = "info_returns_count",
         .wrong = "IPC_INFO and SHM_INFO return how many segments there are, not the highest index.",
         .meant_for = "shmctl.info.return_index*",
         .shmctl = info_returns_count},
        {.name = "info_returns_zero",
         .wrong = "IPC_INFO and SHM_INFO return 0.",
         .meant_for = "shmctl.info.return_index*",
         .shmctl = info_returns_zero},
        {.name = "info_needs_id",
         .wrong = "IPC_INFO and SHM_INFO want an identifier that exists.",
         .meant_for = "shmctl.info.shmid_unused",
         .shmctl = info_needs_id},
        {.name = "shmmni_always_default",
         .wrong = "IPC_INFO shows the default SHMMNI.",
         .meant_for = "shmctl.ipc_info.follows_sysctl shmget.limit.info_agrees",
         .shmctl = shmmni_always_default},
        {.name = "shmmax_always_default",
         .wrong = "IPC_INFO shows the default SHMMAX.",
         .meant_for = "shmctl.ipc_info.follows_sysctl shmget.limit.info_agrees",
         .shmctl = shmmax_always_default},
        {.name = "shmall_in_bytes",
         .wrong = "IPC_INFO shows SHMALL in bytes.",
         .meant_for = "shmctl.ipc_info.* shmget.limit.info_agrees",
         .shmctl = shmall_in_bytes},
        {.name = "shmmin_zero",
         .wrong = "IPC_INFO shows SHMMIN 0.",
         .meant_for = "shmctl.ipc_info.limits shmget.limit.info_agrees",
         .shmctl = shmmin_zero},
        {.name = "shmseg_not_shmmni",
         .wrong = "IPC_INFO shows another SHMSEG than SHMMNI.",
         .meant_for = "shmctl.ipc_info.shmseg shmget.limit.info_agrees",
         .shmctl = shmseg_not_shmmni},
        {.name = "ipc_info_reserved_garbage",
         .wrong = "The reserved words of IPC_INFO are garbage.",
         .meant_for = "shmctl.ipc_info.reserved_zero",
         .shmctl = ipc_info_reserved_garbage},
        {.name = "used_ids_one_more",
         .wrong = "SHM_INFO counts a segment too many.",
         .meant_for = "shmctl.shm_info.* shmctl.info.return_empty",
         .shmctl = used_ids_one_more},
        {.name = "total_in_bytes",
         .wrong = "SHM_INFO shows shm_tot in bytes.",
         .meant_for = "shmctl.shm_info.tot_pages shmget.create.totals shmctl.proc.sums",
         .shmctl = total_in_bytes},
        {.name = "total_is_resident",
         .wrong = "SHM_INFO shows the resident pages as shm_tot.",
         .meant_for = "shmctl.shm_info.tot_pages shmget.create.totals",
         .shmctl = total_is_resident},
        {.name = "resident_is_total",
         .wrong = "SHM_INFO shows all pages as resident.",
         .meant_for =
                 "shmctl.shm_info.rss_touched shmget.create.totals proc.rss shmat.stat.rss_on_touch shmctl.proc.sums",
         .shmctl = resident_is_total},
        {.name = "swap_counts_garbage",
         .wrong = "SHM_INFO shows swap attempts.",
         .meant_for = "shmctl.shm_info.swap_fields",
         .shmctl = swap_counts_garbage},
        {.name = "shm_info_half_written",
         .wrong = "SHM_INFO leaves the last members unwritten.",
         .meant_for = "shmctl.shm_info.whole_struct",
         .shmctl = shm_info_half_written},
        {.name = "shm_stat_returns_zero",
         .wrong = "SHM_STAT returns 0, as IPC_STAT does.",
         .meant_for = "shmctl.shm_stat.finds_each_once",
         .shmctl = shm_stat_returns_zero},
        {.name = "shm_stat_wants_id",
         .wrong = "SHM_STAT takes identifiers, not indexes.",
         .meant_for = "shmctl.shm_stat.index_not_id",
         .shmctl = shm_stat_wants_id},
        {.name = "shm_stat_refuses_id",
         .wrong = "SHM_STAT fails for a number that is no index.",
         .meant_for = "shmctl.shm_stat.id_as_index",
         .shmctl = shm_stat_refuses_id},
        {.name = "shm_stat_skips_marked",
         .wrong = "SHM_STAT does not find marked segments.",
         .meant_for = "shmctl.shm_stat.removed",
         .shmctl = shm_stat_skips_marked},
        {.name = "shm_stat_fills_holes",
         .wrong = "SHM_STAT of an index that is not used tells of the next that is.",
         .meant_for = "shmctl.shm_stat.hole shmctl.shm_stat.finds_each_once",
         .shmctl = shm_stat_fills_holes},
        {.name = "shm_stat_any_asks",
         .wrong = "SHM_STAT_ANY asks for read permission.",
         .meant_for = "shmctl.shm_stat_any.no_read perm.shm_stat_any.*",
         .shmctl = shm_stat_any_asks},
        {.name = "shm_stat_never_asks",
         .wrong = "SHM_STAT asks for no permission.",
         .meant_for = "shmctl.shm_stat.no_read perm.shm_stat.*",
         .shmctl = shm_stat_never_asks},
        {.name = "shm_stat_any_unknown",
         .wrong = "SHM_STAT_ANY is not known.",
         .meant_for = "shmctl.shm_stat_any.no_read perm.shm_stat_any.*",
         .shmctl = shm_stat_any_unknown},
        {.name = "shm_stat_without_times",
         .wrong = "SHM_STAT does not tell shm_ctime.",
         .meant_for = "shmctl.shm_stat.same_struct",
         .shmctl = shm_stat_without_times},
        {.name = "info_asks_each_segment",
         .wrong = "IPC_INFO and SHM_INFO fail with EACCES where the caller may not read each segment.",
         .meant_for = "shmctl.info.no_permission",
         .shmctl = info_asks_each_segment},
        {.name = NULL},
};
