#include "crash_stack.h"

#include <elfutils/libdwfl.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "call_site.h"

#define FRAMES 16
#define TEXT 4096

/* ---- one stack ---- */

struct stack {
        FILE *out;
        Dwfl *process;
        unsigned frames;
};

static const char *last_part(const char *path)
{
        const char *slash = strrchr(path, '/');
        return slash ? slash + 1 : path;
}

static int add_frame(Dwfl_Frame *frame, void *arg)
{
        struct stack *stack = arg;
        Dwarf_Addr address = 0;
        bool is_activation = false;
        if (stack->frames >= FRAMES || !dwfl_frame_pc(frame, &address, &is_activation))
                return DWARF_CB_ABORT;
        /* A call is the instruction before the one that it returns to. */
        address -= !is_activation;
        Dwfl_Module *module = dwfl_addrmodule(stack->process, address);
        const char *function = module ? dwfl_module_addrname(module, address) : NULL;
        const char *path = module ? dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL, NULL, NULL) : NULL;
        /* What calls main is nobody's to mend. */
        if (function &&
            (strncmp(function, "__libc_start", strlen("__libc_start")) == 0 || strcmp(function, "_start") == 0))
                return DWARF_CB_ABORT;
        Dwfl_Line *line = module ? dwfl_module_getsrc(module, address) : NULL;
        int number = 0;
        const char *source = line ? dwfl_lineinfo(line, NULL, &number, NULL, NULL, NULL) : NULL;
        char name[256] = "?";
        if (function)
                call_site_function(function, name, sizeof(name));
        fprintf(stack->out, "%s (%s", name, last_part(source ? source : path ? path : "?"));
        if (source)
                fprintf(stack->out, ":%d", number);
        fputs(")\n", stack->out);
        stack->frames++;
        return DWARF_CB_OK;
}

static void write_stack(pid_t thread, FILE *out)
{
        static const Dwfl_Callbacks callbacks = {.find_elf = dwfl_linux_proc_find_elf,
                                                 .find_debuginfo = dwfl_standard_find_debuginfo};
        struct stack stack = {.out = out, .process = dwfl_begin(&callbacks)};
        if (!stack.process)
                return;
        bool known = dwfl_linux_proc_report(stack.process, thread) == 0 &&
                     dwfl_report_end(stack.process, NULL, NULL) == 0 &&
                     dwfl_linux_proc_attach(stack.process, thread, true) == 0;
        if (known)
                dwfl_getthread_frames(stack.process, thread, add_frame, &stack);
        dwfl_end(stack.process);
}

/* Each stack is told as a whole, with its length before it: the last one counts. */
static void tell_stack(pid_t thread, int told)
{
        char text[TEXT] = "";
        FILE *out = fmemopen(text, sizeof(text), "w");
        if (!out)
                return;
        write_stack(thread, out);
        fclose(out);
        if (*text && write(told, text, sizeof(text)) != (ssize_t)sizeof(text))
                _exit(1);
}

/* ---- the tracer ---- */

static bool is_of_crash(int signal_number)
{
        static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGSYS, SIGTRAP};
        for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
                if (signals[i] == signal_number)
                        return true;
        }
        return false;
}

/* Until all that is traced has ended. */
static void trace(int told)
{
        int status = 0;
        for (pid_t thread = 0; (thread = waitpid(-1, &status, __WALL)) != -1 || errno == EINTR;) {
                if (thread == -1 || !WIFSTOPPED(status))
                        continue;
                int event = status >> 16;
                int signal_number = event ? 0 : WSTOPSIG(status);
                if (event == PTRACE_EVENT_STOP && WSTOPSIG(status) != SIGTRAP) {
                        /* It was stopped, as by a shell: it stays so until it is told to go on. */
                        ptrace(PTRACE_LISTEN, thread, NULL, NULL);
                        continue;
                }
                if (is_of_crash(signal_number))
                        tell_stack(thread, told);
                ptrace(PTRACE_CONT, thread, NULL, (void *)(intptr_t)signal_number); /* NOLINT(performance-*) */
        }
}

static _Noreturn void be_tracer(int meeting, int told, pid_t tool)
{
        pid_t command = 0;
        const long options = PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != tool || recv(meeting, &command, sizeof(command), 0) != (ssize_t)sizeof(command))
                _exit(1);
        bool traced = ptrace(PTRACE_SEIZE, command, NULL, (void *)options) == 0; /* NOLINT(performance-*) */
        send(meeting, "", 1, MSG_NOSIGNAL);
        close(meeting);
        if (traced)
                trace(told);
        _exit(0);
}

/* ---- the tool's side ---- */

static void close_all(struct crash_stack *s)
{
        for (int i = 0; i < 2; i++) {
                if (s->meeting[i] != -1)
                        close(s->meeting[i]);
                s->meeting[i] = -1;
        }
        if (s->told != -1)
                close(s->told);
        s->told = -1;
}

bool crash_stack_begin(struct crash_stack *s)
{
        int told[2];
        pid_t tool = getpid();
        *s = (struct crash_stack){.tracer = -1, .meeting = {-1, -1}, .told = -1};
        if (pipe(told) == -1)
                return false;
        s->told = told[0];
        fflush(NULL);
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s->meeting) == 0)
                s->tracer = fork();
        if (s->tracer == 0) {
                close(s->meeting[1]);
                be_tracer(s->meeting[0], told[1], tool);
        }
        close(told[1]);
        if (s->tracer != -1)
                return true;
        close_all(s);
        return false;
}

void crash_stack_wait(const struct crash_stack *s)
{
        pid_t self = getpid();
        char byte = 0;
        /* For whom the system lets only those trace that were named (ptrace(2), Yama). */
        prctl(PR_SET_PTRACER, s->tracer);
        close(s->meeting[0]);
        if (send(s->meeting[1], &self, sizeof(self), MSG_NOSIGNAL) == (ssize_t)sizeof(self))
                (void)recv(s->meeting[1], &byte, 1, 0);
}

char *crash_stack_end(struct crash_stack *s)
{
        char *text = NULL;
        char piece[TEXT];
        size_t length = 0;
        if (s->tracer == -1)
                return NULL;
        close(s->meeting[1]);
        s->meeting[1] = -1;
        for (ssize_t n = 0; (n = read(s->told, piece + length, sizeof(piece) - length)) != 0;) {
                if (n == -1 && errno != EINTR)
                        break;
                length += n > 0 ? (size_t)n : 0;
                if (length < sizeof(piece))
                        continue;
                free(text);
                text = strndup(piece, sizeof(piece));
                length = 0;
        }
        close_all(s);
        waitpid(s->tracer, NULL, 0);
        s->tracer = -1;
        return text;
}
