/* The processes of a traced command: how they come, what they are called, how they end. */
#include "trace_builder.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

/* Nanoseconds between two looks at the processes. */
#define WATCH_INTERVAL 5000000

static void set_name(struct trace_process *p, const char *file)
{
        const char *slash = strrchr(file, '/');
        snprintf(p->name, sizeof(p->name), "%.63s", slash ? slash + 1 : file);
}

static void look_up_name(struct trace_process *p)
{
        char link[64];
        char path[4096];
        snprintf(link, sizeof(link), "/proc/%ld/exe", (long)p->pid);
        ssize_t n = readlink(link, path, sizeof(path) - 1);
        path[n > 0 ? n : 0] = '\0';
        set_name(p, path);
}

static pid_t parent_of(pid_t pid)
{
        char path[64];
        char line[1024] = "";
        int parent = 0;
        snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
        FILE *f = fopen(path, "re");
        if (!f)
                return 0;
        /* The name, in parentheses, may hold anything, also parentheses. */
        const char *after = fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
        if (after)
                sscanf(after, ") %*c %d", &parent);
        fclose(f);
        return parent;
}

/* The process that has this pid now, or TRACE_NONE. */
static size_t find_process(struct trace_builder *b, pid_t pid)
{
        size_t last = b->last_process;
        if (last < b->trace.process_count && b->trace.processes[last].pid == pid && !b->states[last].over)
                return last;
        for (size_t i = b->trace.process_count; i-- > 0;) {
                if (b->trace.processes[i].pid == pid && !b->states[i].over) {
                        b->last_process = i;
                        return i;
                }
        }
        return TRACE_NONE;
}

static size_t add_process(struct trace_builder *b, pid_t pid, pid_t parent, int64_t from)
{
        struct trace *t = &b->trace;
        struct trace_process *processes =
                trace_with_room(t->processes, &b->process_room, t->process_count, sizeof(processes[0]));
        t->processes = processes ? processes : t->processes;
        struct process_state *states = trace_with_room(b->states, &b->state_room, t->process_count, sizeof(states[0]));
        b->states = states ? states : b->states;
        if (!processes || !states)
                return TRACE_NONE;
        struct process_state *state = &b->states[t->process_count];
        *state = (struct process_state){.pidfd = (int)syscall(SYS_pidfd_open, pid, 0), .gone_at = INT64_MAX};
        if (state->pidfd == -1 && errno == ESRCH) {
                state->gone_at = from;
                state->missed = true;
        }
        t->processes[t->process_count] =
                (struct trace_process){.pid = pid, .parent = parent, .from = from, .to = INT64_MAX};
        return t->process_count++;
}

bool trace_has_met(const struct trace_builder *b, pid_t pid)
{
        for (size_t i = 0; i < b->trace.process_count; i++) {
                if (b->trace.processes[i].pid == pid)
                        return true;
        }
        return false;
}

/* What the process has done now it has not ended before. */
static void push_end(struct trace_builder *b, size_t process, int64_t at)
{
        if (b->states[process].missed && b->states[process].gone_at < at)
                b->states[process].gone_at = at;
}

/* What exit() calls after the library's own destructor may make calls too. */
static size_t find_exited(struct trace_builder *b, const struct shm_event *e)
{
        int64_t at = trace_end_of(b, e);
        for (size_t i = b->trace.process_count; i-- > 0;) {
                struct trace_process *p = &b->trace.processes[i];
                if (p->pid != e->pid)
                        continue;
                if (p->killed)
                        break;
                p->to = at > p->to ? at : p->to;
                return i;
        }
        return TRACE_NONE;
}

size_t trace_process_of(struct trace_builder *b, const struct shm_event *e)
{
        size_t process = find_process(b, e->pid);
        if (process == TRACE_NONE)
                process = find_exited(b, e);
        if (process != TRACE_NONE) {
                push_end(b, process, trace_end_of(b, e));
                return process;
        }
        pid_t parent = parent_of(e->pid);
        bool known = parent && find_process(b, parent) != TRACE_NONE;
        process = add_process(b, e->pid, known ? parent : 0, e->start - b->trace.start);
        if (process != TRACE_NONE)
                look_up_name(&b->trace.processes[process]);
        return process;
}

static void look_for_ends(struct trace_builder *b)
{
        for (size_t i = 0; i < b->trace.process_count; i++) {
                struct process_state *state = &b->states[i];
                struct pollfd polled = {.fd = state->pidfd, .events = POLLIN};
                if (state->pidfd == -1 || poll(&polled, 1, 0) != 1)
                        continue;
                close(state->pidfd);
                state->pidfd = -1;
                state->gone_at = trace_now(b);
        }
}

void trace_watch(struct trace_builder *b)
{
        int64_t time = trace_now(b);
        if (time - b->watched_at < WATCH_INTERVAL)
                return;
        b->watched_at = time;
        look_for_ends(b);
}

bool trace_has_processes(const struct trace_builder *b)
{
        return b->trace.process_count > 1;
}

/* ---- what becomes of processes ---- */

static void end_process(struct trace_builder *b, size_t process, int64_t at, bool killed)
{
        struct trace_process *p = &b->trace.processes[process];
        p->to = at;
        p->killed = killed;
        b->states[process].over = true;
        if (b->states[process].pidfd != -1)
                close(b->states[process].pidfd);
        b->states[process].pidfd = -1;
        trace_detach_all(b, process, at);
}

bool trace_add_fork(struct trace_builder *b, const struct shm_event *e)
{
        int64_t at = e->start - b->trace.start;
        size_t former = find_process(b, e->pid);
        /* The pid was another's, whose end nobody told. */
        if (former != TRACE_NONE)
                end_process(b, former, b->states[former].gone_at < at ? b->states[former].gone_at : at, true);
        size_t parent = find_process(b, (pid_t)e->args[0]);
        size_t child = add_process(b, e->pid, parent == TRACE_NONE ? 0 : (pid_t)e->args[0], at);
        if (child == TRACE_NONE)
                return false;
        if (parent == TRACE_NONE)
                return true;
        memcpy(b->trace.processes[child].name, b->trace.processes[parent].name, sizeof(b->trace.processes[0].name));
        return trace_inherit(b, parent, child, at);
}

bool trace_add_start(struct trace_builder *b, const struct shm_event *e)
{
        int64_t at = e->start - b->trace.start;
        size_t process = find_process(b, e->pid);
        if (process == TRACE_NONE) {
                bool known = find_process(b, (pid_t)e->args[0]) != TRACE_NONE;
                process = add_process(b, e->pid, known ? (pid_t)e->args[0] : 0, at);
        } else {
                /* Another program in the same process: execve(2) detaches all segments. */
                trace_detach_all(b, process, at);
        }
        if (process == TRACE_NONE)
                return false;
        const char *file = e->site < SESSION_SITES ? b->session->sites[e->site].module : b->trace.command[0];
        set_name(&b->trace.processes[process], file);
        return true;
}

void trace_add_exit(struct trace_builder *b, const struct shm_event *e)
{
        size_t process = find_process(b, e->pid);
        if (process != TRACE_NONE)
                end_process(b, process, e->start - b->trace.start, false);
}

static bool is_among(const pid_t *pids, pid_t pid)
{
        while (*pids && *pids != pid)
                pids++;
        return *pids != 0;
}

void trace_end_processes(struct trace_builder *b, const pid_t *alive)
{
        look_for_ends(b);
        for (size_t i = 0; i < b->trace.process_count; i++) {
                const struct process_state *state = &b->states[i];
                if (!state->over && state->gone_at != INT64_MAX && !is_among(alive, b->trace.processes[i].pid))
                        end_process(b, i, state->gone_at, true);
        }
}
