/*
 * What a traced command did: its calls as they came, and what can be told from
 * them: processes, segments, attachments, and what was left behind. Reports
 * only draw this.
 */
#ifndef TRACE_H
#define TRACE_H

#include "leaks.h"
#include "session.h"

#define TRACE_NONE SIZE_MAX

/* A place in the program: what the debug information tells of a site. */
struct trace_place {
        char function[128]; /* or "" */
        char file[256];     /* source file, or "" */
        unsigned line;      /* 0: not known */
        char module[256];
        uint64_t offset; /* of the return address, from the module's load address */
};

struct trace_process {
        pid_t pid, parent; /* parent 0: not of the command */
        char name[64];     /* of its program's file, or "" */
        int64_t from, to;  /* nanoseconds since the trace's start; to: INT64_MAX if it was still there at the end */
        bool killed;       /* it ended without exit() */
};

struct trace_segment {
        int shmid;
        uint32_t key;  /* 0: IPC_PRIVATE */
        uint64_t size; /* bytes asked for */
        unsigned mode;
        size_t made_by;     /* index of the call, or TRACE_NONE: it was there before, or made unseen */
        size_t removed_by;  /* index of the call that marked it, or TRACE_NONE */
        int64_t made_at;    /* nanoseconds since the start; 0 if not known */
        int64_t removed_at; /* INT64_MAX: never */
        bool left;          /* it is there after the command's end */
        uint64_t left_nattch;
        bool left_marked; /* marked to be destroyed, and kept by attachments */
        pid_t creator;    /* the process that made it, 0 if not known */
};

struct trace_attachment {
        size_t segment; /* index */
        size_t process; /* index */
        uint64_t address;
        bool read_only;
        bool inherited;   /* by fork */
        int64_t from, to; /* nanoseconds since the start; INT64_MAX: till the process's end was not seen */
};

/* Calls of one kind with one outcome. */
struct trace_count {
        enum shm_call call;
        int command; /* of shmctl, else FAULT_ANY_COMMAND */
        int error;   /* errno, 0 if they did not fail, TRACE_UNFINISHED if their end was not seen */
        uint64_t count;
        int64_t time; /* nanoseconds, together */
};
#define TRACE_UNFINISHED (-1)

struct trace {
        char *const *command;    /* words, ending with NULL */
        int64_t start;           /* CLOCK_MONOTONIC, nanoseconds */
        int64_t end;             /* nanoseconds since the start */
        struct shm_event *calls; /* kind SHM_EVENT_CALL only, in the order in which they were begun */
        size_t call_count;
        struct trace_place *places; /* by site index */
        size_t place_count;
        struct trace_process *processes;
        size_t process_count;
        struct trace_segment *segments; /* in the order in which they were made */
        size_t segment_count;
        struct trace_attachment *attachments;
        size_t attachment_count;
        bool leaks_known;                     /* whether what is left could be looked at */
        int status;                           /* of the command, as waitpid(2) tells it */
        const struct fault_plan *plan;        /* the rules that events name, or NULL */
        const struct rule_state *rule_states; /* how often they matched and fired, or NULL */
        struct trace_count *counts;           /* by call, command, error */
        size_t count_count;
        size_t foreign; /* segments in the host's namespace that others made meanwhile */
};

/* A trace that is being made. */
struct trace_builder;

/*
 * Begins the trace of a command that is started now. The session's plan and
 * sites are asked for while it grows; before: segments that were there (NULL:
 * none). With history every call, segment and attachment is kept; else only
 * what is needed to tell what was left behind and to count, so that a trace can
 * go on for days. What the arguments point to must outlive the builder.
 * Returns NULL if out of memory.
 */
struct trace_builder *trace_begin(const struct session *s, char *const *command, const struct segments_there *before,
                                  bool history);

/* Takes the event up. Returns false if out of memory: something of it is left out. */
bool trace_add(struct trace_builder *b, const struct shm_event *e);

/* Notices processes that have ended without a word; to be called now and then. */
void trace_watch(struct trace_builder *b);

/* What is known of a site, found out when it is asked for first; NULL for SESSION_NO_SITE. */
const struct trace_place *trace_place_of(struct trace_builder *b, uint32_t site);

/* When it began: CLOCK_MONOTONIC, nanoseconds. */
int64_t trace_origin(const struct trace_builder *b);

/* The rules that its events name. */
const struct fault_plan *trace_plan(const struct trace_builder *b);

/* Whether more than one process was met. */
bool trace_has_processes(const struct trace_builder *b);

/*
 * Ends the trace with the command's status, what is left of its segments (NULL:
 * not known), and its processes that were still there then (ending with 0). The
 * trace is the builder's.
 */
const struct trace *trace_end(struct trace_builder *b, int status, const struct segments_there *left,
                              const pid_t *alive);

/* Whether the call was made at all, and not failed or lied about by a rule. */
bool trace_call_was_made(const struct fault_plan *plan, const struct shm_event *call);

void trace_free(struct trace_builder *b);

#endif
