#include "fault_names.h"

#include <errno.h>
#include <signal.h>
#include <strings.h>

#include "shm_commands.h"

/* clang-format off */
/* What shm calls fail with: of names that are equally near to a mistyped one, the first is offered. */
#define SHM_ERRORS(X) \
        X(ENOSPC) X(EACCES) X(EEXIST) X(EINVAL) X(ENOENT) X(ENOMEM) X(EPERM) X(ENOSYS) X(EIDRM) X(ENFILE) \
        X(EMFILE) X(EAGAIN) X(ENOTDIR) X(ELOOP) X(ENAMETOOLONG) X(EOVERFLOW) X(EIO)

/* The others of XBD errno.h; where two share a number, the one by which Linux's own lists call it comes first. */
#define POSIX_ERRORS(X) \
        X(E2BIG) X(EADDRINUSE) X(EADDRNOTAVAIL) X(EAFNOSUPPORT) X(EALREADY) X(EBADF) X(EBADMSG) X(EBUSY) \
        X(ECANCELED) X(ECHILD) X(ECONNABORTED) X(ECONNREFUSED) X(ECONNRESET) X(EDEADLK) X(EDESTADDRREQ) X(EDOM) \
        X(EDQUOT) X(EFAULT) X(EFBIG) X(EHOSTUNREACH) X(EILSEQ) X(EINPROGRESS) X(EINTR) X(EISCONN) X(EISDIR) \
        X(EMLINK) X(EMSGSIZE) X(EMULTIHOP) X(ENETDOWN) X(ENETRESET) X(ENETUNREACH) X(ENOBUFS) X(ENODEV) \
        X(ENOEXEC) X(ENOLCK) X(ENOLINK) X(ENOMSG) X(ENOPROTOOPT) X(ENOTCONN) X(ENOTEMPTY) X(ENOTRECOVERABLE) \
        X(ENOTSOCK) X(EOPNOTSUPP) X(ENOTSUP) X(ENOTTY) X(ENXIO) X(EOWNERDEAD) X(EPIPE) X(EPROTO) \
        X(EPROTONOSUPPORT) X(EPROTOTYPE) X(ERANGE) X(EROFS) X(ESPIPE) X(ESRCH) X(ESTALE) X(ETIMEDOUT) X(ETXTBSY) \
        X(EWOULDBLOCK) X(EXDEV)

/* What asm-generic/errno.h has beyond; every architecture has them all, under numbers of its own. */
#ifdef __linux__
#define LINUX_ERRORS(X) \
        X(ENOTBLK) X(ECHRNG) X(EL2NSYNC) X(EL3HLT) X(EL3RST) X(ELNRNG) X(EUNATCH) X(ENOCSI) X(EL2HLT) X(EBADE) \
        X(EBADR) X(EXFULL) X(ENOANO) X(EBADRQC) X(EBADSLT) X(EDEADLOCK) X(EBFONT) X(ENOSTR) X(ENODATA) X(ETIME) \
        X(ENOSR) X(ENONET) X(ENOPKG) X(EREMOTE) X(EADV) X(ESRMNT) X(ECOMM) X(EDOTDOT) X(ENOTUNIQ) X(EBADFD) \
        X(EREMCHG) X(ELIBACC) X(ELIBBAD) X(ELIBSCN) X(ELIBMAX) X(ELIBEXEC) X(ERESTART) X(ESTRPIPE) X(EUSERS) \
        X(ESOCKTNOSUPPORT) X(EPFNOSUPPORT) X(ESHUTDOWN) X(ETOOMANYREFS) X(EHOSTDOWN) X(EUCLEAN) X(ENOTNAM) \
        X(ENAVAIL) X(EISNAM) X(EREMOTEIO) X(ENOMEDIUM) X(EMEDIUMTYPE) X(ENOKEY) X(EKEYEXPIRED) X(EKEYREVOKED) \
        X(EKEYREJECTED) X(ERFKILL) X(EHWPOISON)
#else
#define LINUX_ERRORS(X)
#endif

/* XBD signal.h, and what the systems that have them all agree on. */
#define COMMON_SIGNALS(X) \
        X(HUP) X(INT) X(QUIT) X(ILL) X(TRAP) X(ABRT) X(BUS) X(FPE) X(KILL) X(USR1) X(SEGV) X(USR2) X(PIPE) X(ALRM) \
        X(TERM) X(CHLD) X(CONT) X(STOP) X(TSTP) X(TTIN) X(TTOU) X(URG) X(XCPU) X(XFSZ) X(VTALRM) X(PROF) X(SYS)
/* clang-format on */
#ifdef __linux__
#define LINUX_SIGNALS(X) X(WINCH) X(IO) X(POLL) X(PWR) X(IOT)
#else
#define LINUX_SIGNALS(X)
#endif
/* Some architectures, or some C libraries. */
#ifdef SIGSTKFLT
#define SIGNAL_STKFLT(X) X(STKFLT)
#else
#define SIGNAL_STKFLT(X)
#endif
#ifdef SIGEMT
#define SIGNAL_EMT(X) X(EMT)
#else
#define SIGNAL_EMT(X)
#endif
#ifdef SIGCLD
#define SIGNAL_CLD(X) X(CLD)
#else
#define SIGNAL_CLD(X)
#endif
#define SIGNALS(X) COMMON_SIGNALS(X) LINUX_SIGNALS(X) SIGNAL_STKFLT(X) SIGNAL_EMT(X) SIGNAL_CLD(X)

#define COMMANDS(X)                                                                                                    \
        X(IPC_RMID) X(IPC_SET) X(IPC_STAT) X(IPC_INFO) X(SHM_LOCK) X(SHM_UNLOCK) X(SHM_STAT) X(SHM_INFO) X(SHM_STAT_ANY)

#define NAME(n) #n,
#define NUMBER(n) n,
#define SIGNAL_NAME(n) "SIG" #n,
#define SIGNAL_NUMBER(n) SIG##n,

static const char *const call_names[] = {
        [SHM_CALL_SHMGET] = "shmget", [SHM_CALL_SHMAT] = "shmat", [SHM_CALL_SHMDT] = "shmdt",
        [SHM_CALL_SHMCTL] = "shmctl", [SHM_CALL_FTOK] = "ftok",   [SHM_CALLS] = "shm",
        [SHM_CALLS + 1] = NULL,
};
static const char *const command_names[] = {COMMANDS(NAME) NULL};
static const int command_numbers[] = {COMMANDS(NUMBER)};
static const char *const error_names[] = {SHM_ERRORS(NAME) POSIX_ERRORS(NAME) LINUX_ERRORS(NAME) NULL};
static const int error_numbers[] = {SHM_ERRORS(NUMBER) POSIX_ERRORS(NUMBER) LINUX_ERRORS(NUMBER)};
static const char *const signal_names[] = {SIGNALS(SIGNAL_NAME) NULL};
static const char *const short_signal_names[] = {SIGNALS(NAME) NULL};
static const int signal_numbers[] = {SIGNALS(SIGNAL_NUMBER)};
static const char *const member_names[] = {
        [FAULT_MEMBER_NATTCH] = "nattch", [FAULT_MEMBER_SEGSZ] = "segsz", [FAULT_MEMBER_MODE] = "mode",
        [FAULT_MEMBER_UID] = "uid",       [FAULT_MEMBER_GID] = "gid",     [FAULT_MEMBER_CUID] = "cuid",
        [FAULT_MEMBER_CGID] = "cgid",     [FAULT_MEMBER_CPID] = "cpid",   [FAULT_MEMBER_LPID] = "lpid",
        [FAULT_MEMBER_ATIME] = "atime",   [FAULT_MEMBER_DTIME] = "dtime", [FAULT_MEMBER_CTIME] = "ctime",
        [FAULT_MEMBERS] = NULL,
};

const struct fault_names fault_call_names = {call_names, NULL};
const struct fault_names fault_command_names = {command_names, command_numbers};
const struct fault_names fault_error_names = {error_names, error_numbers};
const struct fault_names fault_signal_names = {signal_names, signal_numbers};
const struct fault_names fault_short_signal_names = {short_signal_names, signal_numbers};
const struct fault_names fault_member_names = {member_names, NULL};

static int number_at(const struct fault_names *list, size_t index)
{
        return list->numbers ? list->numbers[index] : (int)index;
}

bool fault_name_find(const struct fault_names *list, const char *word, size_t length, int *number)
{
        for (size_t i = 0; list->names[i]; i++) {
                if (strncasecmp(list->names[i], word, length) == 0 && !list->names[i][length]) {
                        *number = number_at(list, i);
                        return true;
                }
        }
        return false;
}

const char *fault_name_of(const struct fault_names *list, int number)
{
        for (size_t i = 0; list->names[i]; i++) {
                if (number_at(list, i) == number)
                        return list->names[i];
        }
        return NULL;
}

const char *shm_call_name(enum shm_call call)
{
        return fault_name_of(&fault_call_names, (int)call);
}

const char *shm_command_name(int command)
{
        return fault_name_of(&fault_command_names, command);
}

const char *fault_error_name(int error)
{
        return fault_name_of(&fault_error_names, error);
}

const char *fault_signal_name(int signal_number)
{
        return fault_name_of(&fault_signal_names, signal_number);
}

const char *fault_member_name(enum fault_member member)
{
        return fault_name_of(&fault_member_names, (int)member);
}
