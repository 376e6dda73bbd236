/*
 * The whole walk that every tutorial teaches, as one case: it is the first to
 * read, and the only one that a platform without System V shared memory fails
 * rather than cannot set up.
 */
#include "case.h"

#define SIZE 3333

CASE("walkthrough.tutorial",
     "ftok, shmget, shmat, write, read in another process, shmdt, contents still there for the next, IPC_RMID, gone",
     .level = POSIX_SHALL,
     .clause = "POSIX XSH ftok DESCRIPTION; POSIX XSH shmget DESCRIPTION; POSIX XSH shmat DESCRIPTION; POSIX XSH shmdt "
               "DESCRIPTION; POSIX XSH shmctl IPC_RMID")
{
        make_scratch_directory();
        make_file("keyfile", 0644);
        struct outcome key = try_ftok("keyfile", 'R');
        check_succeeds(key);
        struct outcome made = try_shmget((key_t)key.value, SIZE, IPC_CREAT | 0666);
        check_succeeds(made);
        if (made.failed)
                return;
        int id = id_of(made);

        struct outcome attached = try_shmat(id, NULL, 0);
        check_succeeds(attached);
        if (attached.failed)
                return;
        fill_pattern(address_of(attached), SIZE, 1);

        IN_CHILD
        {
                int found = id_of(try_shmget((key_t)key.value, SIZE, 0666));
                check_equal(found, id);
                struct outcome there = try_shmat(found, NULL, SHM_RDONLY);
                check_succeeds(there);
                if (!there.failed)
                        check_pattern("the other process reads what was written", address_of(there), SIZE, 1);
        }
        check_succeeds(try_shmdt(address_of(attached)));

        IN_CHILD
        {
                struct outcome later = try_shmat(id, NULL, SHM_RDONLY);
                check_succeeds(later);
                if (!later.failed)
                        check_pattern("the contents are there after the last detach", address_of(later), SIZE, 1);
        }
        check_succeeds(try_shmctl(id, IPC_RMID, NULL));
        check_fails(try_shmget((key_t)key.value, SIZE, 0666), ENOENT);
        check_fails(try_shmat(id, NULL, 0), EINVAL);
}
