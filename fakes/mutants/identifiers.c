/* Commands and identifiers that do not exist. */
#include <limits.h>

#include "segment.h"

#define control shmmutant_real.shmctl

static bool is_known(int command)
{
        return (command >= IPC_RMID && command <= IPC_INFO) || (command >= SHM_LOCK && command <= SHM_STAT_ANY);
}

static int unknown_command_succeeds(int shmid, int command, struct shmid_ds *buffer)
{
        struct shmid_ds ds;
        return !is_known(command) && shmmutant_look(shmid, &ds) ? 0 : control(shmid, command, buffer);
}

static int unknown_command_is_enosys(int shmid, int command, struct shmid_ds *buffer)
{
        return is_known(command) ? control(shmid, command, buffer) : failing(ENOSYS);
}

#define IPC_64 0x100

static int command_flag_obeyed(int shmid, int command, struct shmid_ds *buffer)
{
        bool flagged = command >= 0 && is_known(command & ~IPC_64);
        return control(shmid, flagged ? command & ~IPC_64 : command, buffer);
}

static int command_cut_to_8_bits(int shmid, int command, struct shmid_ds *buffer)
{
        return control(shmid, command & 0xff, buffer);
}

static bool takes_id(int command)
{
        return command == IPC_STAT || command == IPC_SET || command == IPC_RMID || command == SHM_LOCK ||
               command == SHM_UNLOCK;
}

static int negative_id_is_first(int shmid, int command, struct shmid_ds *buffer)
{
        return control(shmid < 0 && takes_id(command) ? 0 : shmid, command, buffer);
}

static int id_sign_ignored(int shmid, int command, struct shmid_ds *buffer)
{
        return control(takes_id(command) ? shmid & INT_MAX : shmid, command, buffer);
}

static int live_id(int shmid)
{
        struct shmid_ds ds;
        int live = shmid < 0 ? -1 : control(shmid & 0x7fff, SHM_STAT_ANY, &ds);
        return live == -1 ? shmid : live;
}

static int id_sequence_ignored(int shmid, int command, struct shmid_ds *buffer)
{
        int error = errno;
        int live = takes_id(command) ? live_id(shmid) : shmid;
        errno = error;
        return control(live, command, buffer);
}

static void *attach_sequence_ignored(int shmid, const void *address, int flags)
{
        int error = errno;
        int live = live_id(shmid);
        errno = error;
        return shmmutant_real.shmat(live, address, flags);
}

static void *attach_id_sign_ignored(int shmid, const void *address, int flags)
{
        return shmmutant_real.shmat(shmid & INT_MAX, address, flags);
}

static void *attach_unknown_id_is_first(int shmid, const void *address, int flags)
{
        struct shmid_ds ds;
        return shmmutant_real.shmat(shmmutant_look(shmid, &ds) ? shmid : 0, address, flags);
}

static int set_of_id_zero_refused(int shmid, int command, struct shmid_ds *buffer)
{
        return shmid == 0 && command == IPC_SET ? failing(EINVAL) : control(shmid, command, buffer);
}

const struct mutant shmmutant_identifiers[] = {
        {.name = "unknown_command_succeeds",
         .wrong = "An unknown command of shmctl succeeds.",
         .meant_for = "shmctl.cmd.*",
         .shmctl = unknown_command_succeeds},
        {.name = "unknown_command_is_enosys",
         .wrong = "An unknown command of shmctl fails with ENOSYS.",
         .meant_for = "shmctl.cmd.*",
         .shmctl = unknown_command_is_enosys},
        {.name = "command_flag_obeyed",
         .wrong = "A command with 0x100 added is obeyed.",
         .meant_for = "shmctl.cmd.ipc64_flag",
         .shmctl = command_flag_obeyed},
        {.name = "command_cut_to_8_bits",
         .wrong = "Of a command only the low 8 bits count.",
         .meant_for = "shmctl.cmd.*",
         .shmctl = command_cut_to_8_bits},
        {.name = "negative_id_is_first",
         .wrong = "A negative identifier means the first segment.",
         .meant_for = "shmctl.id.negative",
         .shmctl = negative_id_is_first},
        {.name = "id_sign_ignored",
         .wrong = "The sign bit of an identifier does not count.",
         .meant_for = "shmctl.id.negative",
         .shmctl = id_sign_ignored},
        {.name = "id_sequence_ignored",
         .wrong = "The sequence number in an identifier does not count.",
         .meant_for = "shmctl.id.wrong_sequence shmctl.rmid.stale_id_same_slot",
         .shmctl = id_sequence_ignored},
        {.name = "attach_sequence_ignored",
         .wrong = "The sequence number in an identifier does not count for shmat.",
         .meant_for = "shmat.error.id_wrong_sequence",
         .shmat = attach_sequence_ignored},
        {.name = "attach_id_sign_ignored",
         .wrong = "The sign bit of an identifier does not count for shmat.",
         .meant_for = "shmat.error.id_wrong_sequence",
         .shmat = attach_id_sign_ignored},
        {.name = "attach_unknown_id_is_first",
         .wrong = "shmat takes an identifier that does not exist for the first segment's.",
         .meant_for = "shmat.error.id_*",
         .shmat = attach_unknown_id_is_first},
        {.name = "set_of_id_zero_refused",
         .wrong = "IPC_SET of identifier 0 fails with EINVAL.",
         .meant_for = "shmctl.set.*",
         .shmctl = set_of_id_zero_refused},
        {.name = NULL},
};
