/*
 * The one header a case includes: how a case is declared (case_declaration.h),
 * and the words it is written in. try_* are the recorded calls, make_* set the
 * scene (when they cannot, the case ends as a failed set-up, never as a failure
 * of the platform), check_* observe, and blocks such as CHILD or AS_USER say
 * which process does it.
 *
 * A case needs no clean-up: its segments, processes and files end with the
 * isolation that the agent puts around it.
 */
#ifndef SHMC_CASE_H
#define SHMC_CASE_H

#include "case_declaration.h"
#include "platform.h"

/* ---- numbers that a case may use ---- */

/* A key that is free when the case starts; n from 0 to 15 gives different ones. */
key_t shmc_key(unsigned n);
#define KEY shmc_key(0)
#define OTHER_KEY shmc_key(1)

/* Page size and SHMLBA, in bytes, as the platform gives them at run time. */
size_t shmc_page(void);
size_t shmc_shmlba(void);
#define PAGE shmc_page()
#define LBA shmc_shmlba()

/* Two users and groups that own nothing else, for NEED_TWO_UIDS. */
#define USER_A ((uid_t)12001)
#define USER_B ((uid_t)12002)
#define USER_C ((uid_t)12003)
#define GROUP_A ((gid_t)22001)
#define GROUP_B ((gid_t)22002)
#define GROUP_C ((gid_t)22003)

/* ---- recorded calls ---- */

/* One call as it ended: what the agent saw, taken before anything else ran. */
struct outcome {
        intptr_t value;   /* what the call returned; a pointer for shmat */
        int error;        /* errno, if the call failed */
        bool failed;      /* the call returned its failure value */
        bool odd;         /* neither that, nor a value that success can have */
        unsigned step;    /* its number in the record */
        const char *call; /* "shmget", ... */
};

struct outcome shmc_try_ftok(const char *path, int proj_id);
struct outcome shmc_try_shmget(key_t key, size_t size, int flags);
struct outcome shmc_try_shmat(int shmid, const void *address, int flags);
struct outcome shmc_try_shmdt(const void *address);
/* For IPC_STAT and SHM_STAT the step shows the members that were read. */
struct outcome shmc_try_shmctl(int shmid, int command, void *buffer);
/* IPC_STAT into a buffer that nobody looks at. */
struct outcome shmc_try_stat(int shmid);
/* IPC_SET of all that it takes; the step shows it also when the call fails. */
struct outcome shmc_try_set(int shmid, uid_t uid, gid_t gid, mode_t mode);
/* The same with the caller's effective ids. */
struct outcome shmc_try_set_mode(int shmid, mode_t mode);
/* A call that must change nothing, as a failing one has to: check_unchanged holds the segment against before it. */
struct outcome shmc_try_shmat_in_vain(int shmid, const void *address, int flags);
struct outcome shmc_try_shmdt_in_vain(int shmid, const void *address);
/* One write of text to /proc/sys/kernel/NAME; a failing open is the outcome, too. */
struct outcome shmc_try_write_sysctl(const char *name, const char *text);
/* The same by system call, past the C library; for NEED_RAW_SYSCALL. */
struct outcome shmc_try_raw_shmget(long key, unsigned long size, long flags);
struct outcome shmc_try_raw_shmat(int shmid, const void *address, int flags);
struct outcome shmc_try_raw_shmdt(const void *address);
struct outcome shmc_try_raw_shmctl(int shmid, int command, void *buffer);
/* Any other call whose result matters to the story: text is the call as a reader would write it. */
struct outcome shmc_try_other(const char *text, intptr_t value, bool failed, int error);
#define try_ftok shmc_try_ftok
#define try_shmget shmc_try_shmget
#define try_shmat shmc_try_shmat
#define try_shmdt shmc_try_shmdt
#define try_shmctl shmc_try_shmctl
#define try_stat shmc_try_stat
#define try_set shmc_try_set
#define try_set_mode shmc_try_set_mode
#define try_shmat_in_vain shmc_try_shmat_in_vain
#define try_shmdt_in_vain shmc_try_shmdt_in_vain
#define try_write_sysctl shmc_try_write_sysctl
#define try_raw_shmget shmc_try_raw_shmget
#define try_raw_shmat shmc_try_raw_shmat
#define try_raw_shmdt shmc_try_raw_shmdt
#define try_raw_shmctl shmc_try_raw_shmctl
#define try_other shmc_try_other

/* An outcome's value as what it is. */
static inline int id_of(struct outcome o)
{
        return o.failed ? -1 : (int)o.value;
}
static inline void *address_of(struct outcome o)
{
        return (void *)o.value; // NOLINT(performance-no-int-to-ptr): shmat's value travels as an integer
}

/* ---- what a profile allows ---- */

/*
 * A list of allowed results is a list of errno names, signals, or OK. Named
 * alone it holds for the case's own level: for a POSIX level every profile, for
 * a Linux level the linux profile, and any other records it. POSIX(...) and
 * LINUX_(...) give each profile its own.
 */
#define OK (-1)
#define SHMC_FOR_POSIX (-2)
#define SHMC_FOR_LINUX (-3)
#define SHMC_END (-4)
#define ON_POSIX(...) SHMC_FOR_POSIX, __VA_ARGS__
#define ON_LINUX(...) SHMC_FOR_LINUX, __VA_ARGS__

/*
 * LINUX_ONLY { checks } : inside, nothing is judged by the posix profile,
 * whatever the case's level.
 */
bool shmc_scope_enter(void);
void shmc_scope_leave(void);
#define LINUX_ONLY for (bool in_scope_ = shmc_scope_enter(); in_scope_; in_scope_ = false, shmc_scope_leave())

/* A process that the case forked. */
struct child {
        pid_t pid;
        int to_child[2], to_parent[2];
        bool running; /* true in the child */
        int status;   /* as waitpid gives it, after join */
        bool joined;
};

/* How a DOOMED one ended. */
struct death {
        struct child child;
        int signal_number; /* 0: it lived */
        int code;          /* si_code, if the signal was a fault */
        uintptr_t address; /* si_addr, if the signal was a fault */
};

/* ---- checks: each is one observation of the record ---- */

void shmc_check_outcome(struct outcome o, const int *allowed);
/* The call failed with one of the errors, or its result is one of the listed. */
#define check_fails(o, ...) shmc_check_outcome((o), (const int[]){__VA_ARGS__, SHMC_END})
#define check_result(o, ...) shmc_check_outcome((o), (const int[]){__VA_ARGS__, SHMC_END})
/* The call did not fail. */
#define check_succeeds(o) shmc_check_outcome((o), (const int[]){OK, SHMC_END})

enum shmc_base { SHMC_DECIMAL, SHMC_OCTAL, SHMC_HEX };
void shmc_check_number(const char *what, intmax_t seen, intmax_t low, intmax_t high, enum shmc_base base);
/* A number is what it must be. The expression itself is what the record calls it. */
#define check_equal(seen, expected)                                                                                    \
        shmc_check_number(#seen, (intmax_t)(seen), (intmax_t)(expected), (intmax_t)(expected), SHMC_DECIMAL)
#define check_mode(seen, expected)                                                                                     \
        shmc_check_number(#seen, (intmax_t)(seen), (intmax_t)(expected), (intmax_t)(expected), SHMC_OCTAL)
#define check_key(seen, expected)                                                                                      \
        shmc_check_number(#seen, (intmax_t)(seen), (intmax_t)(expected), (intmax_t)(expected), SHMC_HEX)
#define check_between(seen, low, high)                                                                                 \
        shmc_check_number(#seen, (intmax_t)(seen), (intmax_t)(low), (intmax_t)(high), SHMC_DECIMAL)

/* A sentence holds. check_explained says, printf style, what was seen when it does not. */
void shmc_check_that(bool holds, const char *what, const char *detail, ...) SHMC_PRINTF(3, 4);
#define check_that(holds, what) shmc_check_that((holds), (what), "no")
#define check_explained(holds, what, ...) shmc_check_that((holds), (what), __VA_ARGS__)

/* Every byte of the range is value, or byte i of the range is pattern(seed, i). */
void shmc_check_bytes(const char *what, const void *start, size_t size, int value);
void shmc_check_pattern(const char *what, const void *start, size_t size, unsigned seed);
#define check_bytes shmc_check_bytes
#define check_pattern shmc_check_pattern
/* Writes the pattern that check_pattern looks for. */
void shmc_fill_pattern(void *start, size_t size, unsigned seed);
#define fill_pattern shmc_fill_pattern

/* A byte written at the address raises a signal there and then, and the death tells where; or it raises none. */
struct death shmc_check_unwritable(const char *what, char *at);
void shmc_check_writable(const char *what, char *at);
#define check_unwritable shmc_check_unwritable
#define check_writable shmc_check_writable
/* A read, or a write, of the byte at the address ends in one of the listed signals, or OK. */
struct death shmc_check_read(const char *what, const void *at, const int *allowed);
struct death shmc_check_write(const char *what, void *at, const int *allowed);
#define check_read(what, at, ...) shmc_check_read((what), (at), (const int[]){__VA_ARGS__, SHMC_END})
#define check_write(what, at, ...) shmc_check_write((what), (at), (const int[]){__VA_ARGS__, SHMC_END})
/* Code at the address runs and returns. For what make_code wrote. */
void shmc_check_runs(const char *what, const void *at);
#define check_runs shmc_check_runs
/*
 * shmctl with a buffer that it cannot use fails with the error, in a process of its own: 32-bit C libraries convert the
 * structure themselves, and may fault there.
 */
void shmc_check_bad_buffer(int shmid, int command, void *buffer, int error);
#define check_bad_buffer shmc_check_bad_buffer
/* The same judgement of any doomed caller of shmctl: it lives, or it is a 32-bit program and faults. */
void shmc_check_caller_lives(const struct death *d);
#define check_caller_lives shmc_check_caller_lives

/* Nothing is judged, the value is only kept: for what every profile leaves open. */
void shmc_record_fact(const char *what, const char *format, ...) SHMC_PRINTF(2, 3);
#define record_fact shmc_record_fact

/* ---- whole-segment comparisons ---- */

#define SHMC_GUARD 256

/*
 * A struct shmid_ds between guard bytes, with room beyond it: some C libraries'
 * structure is shorter than what the kernel writes.
 */
struct stat_buffer {
        unsigned char before[SHMC_GUARD];
        union {
                struct shmid_ds ds;
                unsigned char bytes[SHMC_GUARD];
        } is;
        unsigned char after[SHMC_GUARD];
};
/* Every byte is filler but those of what IPC_SET takes. */
void shmc_fill_set(struct stat_buffer *b, int filler, uid_t uid, gid_t gid, mode_t mode);
#define fill_set shmc_fill_set
/* Buffer and guards hold the same bytes. */
bool shmc_same_bytes(const struct stat_buffer *a, const struct stat_buffer *b);
#define same_bytes shmc_same_bytes

/* The segment as it is now: shmid_ds, contents (through an attachment made beforehand, or NULL) and totals. */
struct snapshot {
        int shmid;
        struct shmid_ds ds;
        const unsigned char *mapped; /* where this process sees the segment, or NULL */
        uint64_t digest;             /* of the contents at mapped */
        bool has_totals;
        unsigned long used_ids, pages; /* of the namespace */
};
struct snapshot shmc_take_snapshot(int shmid, const void *mapped);
#define take_snapshot(shmid) shmc_take_snapshot((shmid), NULL)
#define take_snapshot_mapped(shmid, mapped) shmc_take_snapshot((shmid), (mapped))
void shmc_check_unchanged(const struct snapshot *before);
#define check_unchanged(before) shmc_check_unchanged(before)

/* Members of shmid_ds, for check_only_changed. */
enum shmc_member {
        M_KEY = 1 << 0,
        M_UID = 1 << 1,
        M_GID = 1 << 2,
        M_CUID = 1 << 3,
        M_CGID = 1 << 4,
        M_MODE = 1 << 5,
        M_SEGSZ = 1 << 6,
        M_ATIME = 1 << 7,
        M_DTIME = 1 << 8,
        M_CTIME = 1 << 9,
        M_CPID = 1 << 10,
        M_LPID = 1 << 11,
        M_NATTCH = 1 << 12
};
/* Every member but those in allowed is as in before (which may change or not). */
void shmc_check_only_changed(const struct shmid_ds *before, const struct shmid_ds *now, unsigned allowed);
#define check_only_changed shmc_check_only_changed

/* The namespace's totals: segments and pages. Ends the case as a failed set-up where there is no SHM_INFO. */
struct totals {
        unsigned long used_ids, pages, resident;
};
struct totals shmc_make_totals(void);
#define make_totals shmc_make_totals

/* ---- setting the scene ---- */

/* Each ends the case as a failed set-up when the platform refuses. flags: mode bits, and more if needed. */
int shmc_make_segment(key_t key, size_t size, int flags);
void *shmc_make_attached(int shmid, int flags);
void shmc_make_detached(const void *address);
void shmc_make_removed(int shmid);
struct shmid_ds shmc_make_stat(int shmid);
void shmc_make_ownership(int shmid, uid_t uid, gid_t gid, mode_t mode);
key_t shmc_make_ftok(const char *path, int proj_id);
#define make_segment shmc_make_segment
#define make_attached shmc_make_attached
#define make_detached shmc_make_detached
#define make_removed shmc_make_removed
#define make_stat shmc_make_stat
#define make_ownership shmc_make_ownership
#define make_ftok shmc_make_ftok
/* A segment whose size bytes hold pattern(seed), attached and detached once. */
int shmc_make_filled_segment(key_t key, size_t size, int flags, unsigned seed);
#define make_filled_segment shmc_make_filled_segment
/* What the user makes and owns; the second holds pattern(seed), as above. */
int shmc_make_anothers_segment(uid_t uid, gid_t gid, key_t key, size_t size, int flags);
int shmc_make_anothers_filled_segment(uid_t uid, gid_t gid, key_t key, size_t size, mode_t mode, unsigned seed);
#define make_anothers_segment shmc_make_anothers_segment
#define make_anothers_filled_segment shmc_make_anothers_filled_segment
/* Lets another process attach, write pattern(seed) and detach: lpid, atime and dtime are then not the caller's. */
void shmc_make_touched_by_another(int shmid, size_t size, unsigned seed);
#define make_touched_by_another shmc_make_touched_by_another
/* A segment that this was done to: a stray attach of the caller would show. */
int shmc_make_touched_segment(key_t key, size_t size, int flags, unsigned seed);
#define make_touched_segment shmc_make_touched_segment
/* The segment of size bytes, attached where the neighbourhood is free. */
void *shmc_make_attached_apart(int shmid, size_t size, int flags);
#define make_attached_apart shmc_make_attached_apart
/* shm_nattch. */
unsigned long shmc_attachments(int shmid);
#define attachments shmc_attachments
#ifdef __linux__
/* The index by which SHM_STAT knows the segment: its identifier where no index leads to it, as in gVisor. */
int shmc_make_index(int shmid);
#define make_index shmc_make_index
#endif
/* An aligned address with size bytes that are mapped by nobody; the pages around it are free too. */
void *shmc_make_free_range(size_t size);
#define make_free_range shmc_make_free_range
/* An anonymous private mapping of size bytes; protection as for mmap. */
void *shmc_make_mapping(void *address_or_null, size_t size, int protection);
#define make_mapping shmc_make_mapping
/* A page that can be read and written, between two that cannot be touched. */
unsigned char *shmc_make_fenced_page(void);
#define make_fenced_page shmc_make_fenced_page
/* Writes a function that returns at once, at most 16 bytes; skips the case where the processor is not known. */
void shmc_make_code(void *at);
#define make_code shmc_make_code
/* An identifier that no segment has: made and removed, so that it is well formed. */
int shmc_make_stale_id(void);
#define make_stale_id shmc_make_stale_id
/* A directory of the case's own, as the working directory; gone with the case. */
void shmc_make_scratch_directory(void);
#define make_scratch_directory shmc_make_scratch_directory
/* An empty file of the given mode in the scratch directory. */
void shmc_make_file(const char *path, mode_t mode);
#define make_file shmc_make_file
/* Sets kernel.NAME of this IPC namespace, after proof that it is not the host's. For NEED_SYSCTL. */
void shmc_make_sysctl(const char *name, const char *value);
#define make_sysctl shmc_make_sysctl
/* The number that kernel.NAME reads; a negative one as an unsigned does. */
unsigned long long shmc_read_sysctl(const char *name);
#define read_sysctl shmc_read_sysctl
/* Moves this process into a new IPC namespace. For NEED_IPC_NAMESPACE. */
void shmc_make_ipc_namespace(void);
#define make_ipc_namespace shmc_make_ipc_namespace
/* The children that this process forks from now on are in a new PID namespace. For NEED_PID_NAMESPACE. */
void shmc_make_pid_namespace(void);
#define make_pid_namespace shmc_make_pid_namespace
/*
 * Moves this process into a new user namespace with these maps, as its root; a map is "inside outside count". For
 * NEED_USER_NAMESPACE and NEED_PROC.
 */
void shmc_make_mapped_user_namespace(const char *uid_map, const char *gid_map);
#define make_mapped_user_namespace shmc_make_mapped_user_namespace
/* Writes /proc/PROCESS/MAP, which is uid_map, gid_map or setgroups. */
void shmc_make_id_map(const char *process, const char *map, const char *text);
#define make_id_map shmc_make_id_map
/* RLIMIT_x of this process, soft limit, in the limit's own unit. */
void shmc_make_rlimit(int resource, unsigned long long soft);
#define make_rlimit shmc_make_rlimit
/* Keeps only the capabilities whose bits are in mask. For NEED_CAP_DROP. */
void shmc_make_only_capabilities(unsigned long long mask);
#define make_only_capabilities shmc_make_only_capabilities
/* Becomes the user for good with only these capabilities. For NEED_TWO_UIDS and NEED_CAP_DROP. */
void shmc_become_user_with_capabilities(uid_t uid, gid_t gid, unsigned long long mask);
#define become_user_with_capabilities shmc_become_user_with_capabilities
#define CAP_CHOWN_BIT (1ULL << 0)
#define CAP_DAC_OVERRIDE_BIT (1ULL << 1)
#define CAP_DAC_READ_SEARCH_BIT (1ULL << 2)
#define CAP_FOWNER_BIT (1ULL << 3)
#define CAP_IPC_LOCK_BIT (1ULL << 14)
#define CAP_IPC_OWNER_BIT (1ULL << 15)
#define CAP_SYS_ADMIN_BIT (1ULL << 21)
/* A condition that the scene relies on; why it fails is printf style, and looked at (errno, too) only then. */
SHMC_NORETURN void shmc_setup_failed(const char *why, ...) SHMC_PRINTF(1, 2);
#define make_sure(holds, ...)                                                                                          \
        do {                                                                                                           \
                if (!(holds))                                                                                          \
                        shmc_setup_failed(__VA_ARGS__);                                                                \
        } while (0)
/* The case cannot be tried here for a reason that is no fault: printf style. Ends the case. */
SHMC_NORETURN void shmc_skip(const char *why, ...) SHMC_PRINTF(1, 2);
#define skip_case shmc_skip

/* The case means to leave n segments behind; without it, as many as it made and did not remove. */
void shmc_means_to_leave(int n);
#define means_to_leave shmc_means_to_leave

/* Waits until time() shows a later second. All cases that wait do so side by side. For NEED_CLOCK_TICK. */
void shmc_wait_for_tick(void);
#define wait_for_tick shmc_wait_for_tick
/* The second that the kernel stamps with: it follows the clock of time() by up to a timer tick in some C libraries. */
time_t shmc_stamp_time(void);
#define stamp_time shmc_stamp_time
/* Whether this process has anything mapped in the page at address. */
bool shmc_is_mapped(const void *address);
#define is_mapped shmc_is_mapped
/* The pages of this process's address space, as RLIMIT_AS counts them; 0 where /proc does not tell. */
unsigned long shmc_pages_mapped(void);
#define pages_mapped shmc_pages_mapped
/* VmLck of this process, in KiB. For NEED_PROC. */
long shmc_locked_kib(void);
#define locked_kib shmc_locked_kib

/* ---- other processes ---- */

/*
 * IN_CHILD { body } : a forked child runs the body; the case goes on when it
 * has ended. AS_USER(uid, gid) is the same after it became that user, verified.
 * A child that dies by a signal takes the case with it, as a crash.
 */
struct child shmc_begin_child(const char *name);
struct child shmc_begin_user(uid_t uid, gid_t gid);
void shmc_end_child(struct child *c);
#define IN_CHILD SHMC_IN_CHILD(SHMC_JOIN(child_, __LINE__), shmc_begin_child("child"))
#define AS_USER(uid, gid) SHMC_IN_CHILD(SHMC_JOIN(child_, __LINE__), shmc_begin_user((uid), (gid)))
#define SHMC_IN_CHILD(c, begin) for (struct child c = begin; c.running; shmc_end_child(&c))

/*
 * struct child c;
 * CHILD(&c, "holder") { body } : a forked child runs the body beside the case.
 * Both sides keep step with tell and await; join_child waits for its end and
 * expects it to exit, join_killed expects nothing of how it ended.
 */
void shmc_start_child(struct child *c, const char *name);
#define CHILD(c, name) for (shmc_start_child((c), (name)); (c)->running; shmc_end_child(c))
void shmc_tell_child(struct child *c);
void shmc_await_child(struct child *c);
void shmc_tell_parent(struct child *c);
void shmc_await_parent(struct child *c);
void shmc_join_child(struct child *c);
void shmc_kill_child(struct child *c, int signal_number);
#define tell_child shmc_tell_child
#define await_child shmc_await_child
#define tell_parent shmc_tell_parent
#define await_parent shmc_await_parent
#define join_child shmc_join_child
#define kill_child shmc_kill_child
/* Starts a child that is attached to the segment and awaits its parent, until end_holder or kill_child. */
void shmc_start_holder(struct child *c, int shmid);
#define start_holder shmc_start_holder
/* tell_child, and join_child. */
void shmc_end_holder(struct child *c);
#define end_holder shmc_end_holder
/* Replaces this child by a program that does tell_parent and await_parent, and exits. */
SHMC_NORETURN void shmc_exec_holder(const struct child *c);
#define exec_holder shmc_exec_holder
/* Becomes the user for good, groups too, and verifies it. */
void shmc_become_user(uid_t uid, gid_t gid);
#define become_user shmc_become_user
/* Sets real, effective and saved ids apart; -1 leaves one. For NEED_TWO_UIDS on systems that have setresuid. */
void shmc_become_ids(uid_t real, uid_t effective, uid_t saved, gid_t egid);
#define become_ids shmc_become_ids
/*
 * WITH_IDS(uid, gid, supplementary) { body } : this process itself, without a fork, as that user of that group and of
 * one supplementary group (0: of none), verified. Only the saved uid stays root's: it is the way back to root's ids,
 * while the supplementary groups stay what they are. For NEED_TWO_UIDS.
 */
bool shmc_take_ids(uid_t uid, gid_t gid, gid_t supplementary);
void shmc_leave_ids(void);
#define WITH_IDS(uid, gid, supplementary)                                                                              \
        for (bool with_ids_ = shmc_take_ids((uid), (gid), (supplementary)); with_ids_;                                 \
             with_ids_ = false, shmc_leave_ids())

/*
 * struct death d;
 * DOOMED(&d) { body } : a child runs the body and is expected to die by a
 * signal; check_death says which are allowed.
 */
void shmc_start_doomed(struct death *d);
void shmc_end_doomed(struct death *d);
#define DOOMED(d) for (shmc_start_doomed(d); (d)->child.running; shmc_end_doomed(d))
void shmc_check_death(const char *what, const struct death *d, const int *allowed);
#define check_death(what, d, ...) shmc_check_death((what), (d), (const int[]){__VA_ARGS__, SHMC_END})

/* Seconds that a race is to go on for, as --stress asks; 0: no longer than it usually does. */
double shmc_stress(void);

/* A loop that records no step: for races, whose rounds would drown the record. Returned values are the call's. */
int shmc_quiet_shmget(key_t key, size_t size, int flags);
int shmc_quiet_rmid(int shmid);
#define quiet_shmget shmc_quiet_shmget
#define quiet_rmid shmc_quiet_rmid

/* A barrier for n processes in shared anonymous memory: no sleep, no pipe. */
struct barrier;
struct barrier *shmc_make_barrier(unsigned members);
void shmc_meet(struct barrier *b);
#define make_barrier shmc_make_barrier
#define meet shmc_meet
/* size bytes of zeroed memory that this process and the children it forks share. */
void *shmc_make_shared(size_t size);
#define make_shared shmc_make_shared

#endif
