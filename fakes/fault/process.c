#include "process.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "joined.h"
#include "recording.h"

static struct process unwiped; /* where memory cannot be had, or an old kernel does not zero it */
struct process *_Atomic process = &unwiped;

_Thread_local struct caller_identity identity;

void process_set_up(void)
{
        struct process *expected = &unwiped;
        size_t size = (size_t)sysconf(_SC_PAGESIZE);
        if (process != expected)
                return;
        void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (page == MAP_FAILED)
                return;
        if (madvise(page, size, MADV_WIPEONFORK) == -1 || !atomic_compare_exchange_strong(&process, &expected, page))
                munmap(page, size);
}

enum likeness { LIKENESS_UNKNOWN, SHARES_PIDS, SHARES_NO_PIDS };
static _Atomic int likeness;

void process_fork_is_alike(bool alike)
{
        bool shares = alike && atomic_load(&process->shares_pids);
        atomic_store(&likeness, !alike ? LIKENESS_UNKNOWN : shares ? SHARES_PIDS : SHARES_NO_PIDS);
}

static bool shares_pids(void)
{
        int told = atomic_exchange(&likeness, LIKENESS_UNKNOWN);
        return told == LIKENESS_UNKNOWN ? joined_shares_pids() : told == SHARES_PIDS;
}

/* Returns whether this thread is the first of a new process to come here. */
static bool begin_process(struct process *p, pid_t known, pid_t pid)
{
        int error = errno;
        atomic_store(&p->threads, 0);
        atomic_store(&p->is_zeroed, p != &unwiped);
        atomic_store(&p->shares_pids, shares_pids());
        errno = error;
        return atomic_compare_exchange_strong(&p->pid, &known, pid);
}

const struct caller_identity *identify_caller(void)
{
        static _Atomic bool image_is_known;
        struct process *p = process;
        pid_t known = p->pid;
        pid_t pid = getpid();
        if (known == pid && identity.pid == pid)
                return &identity;
        bool is_new = known != pid && begin_process(p, known, pid);
        identity.tid = (pid_t)syscall(SYS_gettid);
        identity.seen_as = p->shares_pids ? identity.tid : 0;
        identity.thread = identity.tid == pid ? 1 : atomic_fetch_add(&p->threads, 1) + 2;
        /* A signal handler takes the rest for true once it sees this. */
        atomic_signal_fence(memory_order_release);
        identity.pid = pid;
        if (is_new && atomic_exchange(&image_is_known, true))
                record_mark(SHM_EVENT_FORK);
        return &identity;
}

int cancellation_off(void)
{
        int state = PTHREAD_CANCEL_ENABLE;
        (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
        return state;
}

void cancellation_back(int state)
{
        (void)pthread_setcancelstate(state, &state);
}
