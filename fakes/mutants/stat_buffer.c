/* IPC_STAT: the buffer it writes, and how it fails. */
#include <string.h>

#include "segment.h"

#define control shmmutant_real.shmctl

static int stat_half_written(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds all;
        if (command != IPC_STAT || !buffer || control(shmid, command, &all) == -1)
                return control(shmid, command, buffer);
        memcpy(buffer, &all, sizeof(all) / 2);
        return 0;
}

static int stat_without_perm(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds all;
        size_t perm = sizeof(all.shm_perm);
        if (command != IPC_STAT || !buffer || control(shmid, command, &all) == -1)
                return control(shmid, command, buffer);
        memcpy((unsigned char *)buffer + perm, (unsigned char *)&all + perm, sizeof(all) - perm);
        return 0;
}

static int stat_nothing_written(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds all;
        return command == IPC_STAT ? control(shmid, command, &all) : control(shmid, command, buffer);
}

/* Some C libraries' mode is wider than the kernel's. */
static int mode_half_written(int shmid, int command, struct shmid_ds *buffer)
{
        bool readable = command == IPC_STAT && buffer && shmmutant_is_readable(buffer, sizeof(*buffer));
        mode_t before = readable ? buffer->shm_perm.mode : 0;
        int result = control(shmid, command, buffer);
        if (result == 0 && readable)
                buffer->shm_perm.mode = (before & 0xffff0000U) | (buffer->shm_perm.mode & 0xffff);
        return result;
}

static int guard_byte_written(int shmid, int command, struct shmid_ds *buffer)
{
        int result = control(shmid, command, buffer);
        if (result == 0 && command == IPC_STAT && shmmutant_is_readable(buffer, sizeof(*buffer) + 1))
                ((unsigned char *)buffer)[sizeof(*buffer)] = 0;
        return result;
}

static int byte_before_written(int shmid, int command, struct shmid_ds *buffer)
{
        int result = control(shmid, command, buffer);
        if (result == 0 && command == IPC_STAT && shmmutant_is_readable((unsigned char *)buffer - 1, 1))
                ((unsigned char *)buffer)[-1] = 0;
        return result;
}

static int failing_stat_clears(int shmid, int command, struct shmid_ds *buffer)
{
        int result = control(shmid, command, buffer);
        int error = errno;
        if (result == -1 && error != EFAULT && command == IPC_STAT && buffer &&
            shmmutant_is_readable(buffer, sizeof(*buffer)))
                memset(buffer, 0, sizeof(*buffer));
        errno = error;
        return result;
}

static void reserved_not_cleared(int shmid, struct shmid_ds *ds)
{
        (void)shmid;
        memset((unsigned char *)(ds + 1) - sizeof(unsigned long), 0x77, sizeof(unsigned long));
}

static int stat_returns_id(int shmid, int command, struct shmid_ds *buffer)
{
        int result = control(shmid, command, buffer);
        return result == 0 && command == IPC_STAT ? shmid + 1 : result;
}

static int stat_null_succeeds(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds nowhere;
        return control(shmid, command, command == IPC_STAT && !buffer ? &nowhere : buffer);
}

static int stat_needs_write_permission(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds ds;
        if (command == IPC_STAT && shmmutant_look(shmid, &ds)) {
                void *at = shmmutant_real.shmat(shmid, NULL, 0);
                if (at == FAILED_ATTACH && errno == EACCES)
                        return failing(EACCES);
                if (at != FAILED_ATTACH)
                        shmmutant_real.shmdt(at);
        }
        return control(shmid, command, buffer);
}

static int control_failure_errno_zero(int shmid, int command, struct shmid_ds *buffer)
{
        int result = control(shmid, command, buffer);
        return result == -1 ? failing(0) : result;
}

static int control_failure_minus_errno(int shmid, int command, struct shmid_ds *buffer)
{
        int result = control(shmid, command, buffer);
        return result == -1 ? -errno : result;
}

static int stale_id_tells_zeros(int shmid, int command, struct shmid_ds *buffer)
{
        int result = control(shmid, command, buffer);
        if (result == 0 || errno != EINVAL || command != IPC_STAT || shmid < 0)
                return result;
        memset(buffer, 0, sizeof(*buffer));
        return 0;
}

#define ROOM 256

static int stat_needs_room_behind(int shmid, int command, struct shmid_ds *buffer)
{
        bool cramped = command == IPC_STAT && buffer && !shmmutant_is_readable(buffer, ROOM);
        return cramped ? failing(EFAULT) : control(shmid, command, buffer);
}

static int stat_refuses_odd_address(int shmid, int command, struct shmid_ds *buffer)
{
        return command == IPC_STAT && ((uintptr_t)buffer & 1) ? failing(EFAULT) : control(shmid, command, buffer);
}

const struct mutant shmmutant_stat_buffer[] = {
        {.name = "stat_half_written",
         .wrong = "IPC_STAT writes the first half of the structure only.",
         .meant_for = "shmctl.stat.whole_struct",
         .shmctl = stat_half_written},
        {.name = "stat_without_perm",
         .wrong = "IPC_STAT does not write shm_perm.",
         .meant_for = "shmctl.stat.whole_struct",
         .shmctl = stat_without_perm},
        {.name = "stat_nothing_written",
         .wrong = "IPC_STAT succeeds and writes nothing.",
         .meant_for = "shmctl.stat.whole_struct shmctl.stat.new_*",
         .shmctl = stat_nothing_written},
        {.name = "mode_half_written",
         .wrong = "IPC_STAT leaves the upper half of the mode as it was.",
         .meant_for = "shmctl.stat.new_mode* shmctl.abi.mode_upper_half shmctl.stat.whole_struct",
         .shmctl = mode_half_written},
        {.name = "guard_byte_written",
         .wrong = "IPC_STAT writes a byte behind the structure.",
         .meant_for = "shmctl.stat.guard_bytes",
         .shmctl = guard_byte_written},
        {.name = "byte_before_written",
         .wrong = "IPC_STAT writes a byte before the structure.",
         .meant_for = "shmctl.stat.guard_bytes",
         .shmctl = byte_before_written},
        {.name = "failing_stat_clears",
         .wrong = "A failing IPC_STAT clears the buffer.",
         .meant_for = "shmctl.stat.failed_leaves_buf",
         .shmctl = failing_stat_clears},
        {.name = "reserved_not_cleared",
         .wrong = "The reserved bytes at the end of the structure are garbage.",
         .meant_for = "shmctl.stat.reserved_zero shmctl.abi.raw_equals_libc",
         .told = reserved_not_cleared},
        {.name = "stat_returns_id",
         .wrong = "IPC_STAT returns a positive number.",
         .meant_for = "shmctl.stat.returns_zero",
         .shmctl = stat_returns_id},
        {.name = "stat_null_succeeds",
         .wrong = "IPC_STAT with a null buffer succeeds.",
         .meant_for = "shmctl.stat.buf_null",
         .shmctl = stat_null_succeeds},
        {.name = "stat_needs_write_permission",
         .wrong = "IPC_STAT asks for write permission too.",
         .meant_for = "shmctl.stat.owner_read_only shmctl.stat.group_read shmctl.stat.other_read perm.stat.*",
         .shmctl = stat_needs_write_permission},
        {.name = "stale_id_tells_zeros",
         .wrong = "IPC_STAT of an identifier that is gone succeeds and tells zeros.",
         .meant_for = "shmctl.rmid.unattached_gone shmctl.rmid.stale_id life.marked.last_death",
         .shmctl = stale_id_tells_zeros},
        {.name = "control_failure_errno_zero",
         .wrong = "A failing shmctl returns -1 and sets errno to 0.",
         .meant_for = "shmctl.rmid.stale_id shmctl.stat.buf_null shmctl.set.by_other",
         .shmctl = control_failure_errno_zero},
        {.name = "control_failure_minus_errno",
         .wrong = "A failing shmctl returns the negative error number, as the kernel does, and not -1.",
         .meant_for = "shmctl.rmid.stale_id shmctl.stat.buf_null",
         .shmctl = control_failure_minus_errno},
        {.name = "stat_needs_room_behind",
         .wrong = "IPC_STAT fails with EFAULT where less than 256 bytes can be written.",
         .meant_for = "shmctl.stat.buf_page_edges",
         .shmctl = stat_needs_room_behind},
        {.name = "stat_refuses_odd_address",
         .wrong = "IPC_STAT into an odd address fails with EFAULT.",
         .meant_for = "shmctl.stat.buf_unaligned",
         .shmctl = stat_refuses_odd_address},
        {.name = NULL},
};
