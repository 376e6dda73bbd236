#include "reach.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

/* execve(2): an interpreter may be a script itself, this many deep. */
#define INTERPRETERS 5
/* BINPRM_BUF_SIZE: what the kernel reads of a script's first line. */
#define FIRST_LINE 256

static bool refuse(char *why, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
static bool refuse(char *why, size_t size, const char *format, ...)
{
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(why, size, format, arguments);
        va_end(arguments);
        return false;
}

/* ---- the program's file ---- */

/* Returns 0, or why execve would not take the file. */
static int cannot_execute(const char *path)
{
        struct stat st;
        if (stat(path, &st) == -1)
                return errno;
        if (S_ISDIR(st.st_mode))
                return EISDIR;
        if (!S_ISREG(st.st_mode))
                return EACCES;
        return access(path, X_OK) == -1 ? errno : 0;
}

static bool join(char path[PATH_MAX], const char *folder, size_t length, const char *name)
{
        int n = length ? snprintf(path, PATH_MAX, "%.*s/%s", (int)length, folder, name)
                       : snprintf(path, PATH_MAX, "./%s", name);
        return n > 0 && n < PATH_MAX;
}

/* Returns 0, or the most telling error of all the folders. */
static int search_path(const char *name, char path[PATH_MAX])
{
        const char *folders = getenv("PATH");
        int error = ENOENT;
        for (const char *f = folders ? folders : "/bin:/usr/bin"; f; f = strchr(f, ':') ? strchr(f, ':') + 1 : NULL) {
                if (!join(path, f, strcspn(f, ":"), name))
                        continue;
                int here = cannot_execute(path);
                if (here == 0)
                        return 0;
                if (here == EACCES)
                        error = EACCES;
        }
        return error;
}

bool program_find(const char *name, char path[PATH_MAX], char *why, size_t size)
{
        int error = ENOENT;
        if (!strchr(name, '/')) {
                error = *name ? search_path(name, path) : ENOENT;
                if (error == ENOENT)
                        return refuse(why, size, "%s: no such program in PATH", *name ? name : "''");
        } else if (strlen(name) < PATH_MAX) {
                snprintf(path, PATH_MAX, "%s", name);
                error = cannot_execute(path);
        } else {
                error = ENAMETOOLONG;
        }
        if (error == EACCES)
                return refuse(why, size, "%s: may not be executed: %s", name, strerror(error));
        return error == 0 || refuse(why, size, "%s: %s", name, strerror(error));
}

/* ---- ELF ---- */

struct elf_kind {
        int class; /* ELFCLASS32 or ELFCLASS64 */
        GElf_Half machine;
        bool dynamic;    /* has a loader, or is one */
        bool executable; /* a program for itself, not a library that can be run */
        char loader[PATH_MAX];
};

static void read_loader(struct elf_kind *kind, int fd, const GElf_Phdr *segment)
{
        size_t length = segment->p_filesz < sizeof(kind->loader) ? segment->p_filesz : sizeof(kind->loader) - 1;
        ssize_t n = pread(fd, kind->loader, length, (off_t)segment->p_offset);
        kind->loader[n > 0 ? n : 0] = '\0';
}

static bool has_pie_flag(Elf *elf, const GElf_Phdr *segment)
{
        Elf_Data *data = elf_getdata_rawchunk(elf, (int64_t)segment->p_offset, segment->p_filesz, ELF_T_DYN);
        GElf_Dyn entry;
        for (int i = 0; data && gelf_getdyn(data, i, &entry) && entry.d_tag != DT_NULL; i++) {
                if (entry.d_tag == DT_FLAGS_1)
                        return (entry.d_un.d_val & DF_1_PIE) != 0;
        }
        return false;
}

static bool read_elf(Elf *elf, int fd, struct elf_kind *kind)
{
        GElf_Ehdr header;
        size_t count = 0;
        if (elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &header) || elf_getphdrnum(elf, &count) == -1)
                return false;
        kind->class = gelf_getclass(elf);
        kind->machine = header.e_machine;
        kind->executable = header.e_type == ET_EXEC;
        for (size_t i = 0; i < count; i++) {
                GElf_Phdr segment;
                if (!gelf_getphdr(elf, (int)i, &segment))
                        return false;
                if (segment.p_type == PT_INTERP)
                        read_loader(kind, fd, &segment);
                else if (segment.p_type == PT_DYNAMIC && has_pie_flag(elf, &segment))
                        kind->executable = true;
        }
        /* What asks for no loader and is no program for itself is a loader, started by its own name. */
        kind->dynamic = kind->loader[0] || !kind->executable;
        return true;
}

/* Returns false if the file is no ELF file, or cannot be read. */
static bool look_at_elf(const char *path, struct elf_kind *kind)
{
        memset(kind, 0, sizeof(*kind));
        elf_version(EV_CURRENT);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        Elf *elf = fd == -1 ? NULL : elf_begin(fd, ELF_C_READ, NULL);
        bool is = elf && read_elf(elf, fd, kind);
        elf_end(elf);
        if (fd != -1)
                close(fd);
        return is;
}

/* ---- scripts ---- */

/* The interpreter that a script's first line names; false if the file is no script. */
static bool read_interpreter(const char *path, char interpreter[FIRST_LINE])
{
        char line[FIRST_LINE] = "";
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd == -1 ? -1 : read(fd, line, sizeof(line) - 1);
        if (fd != -1)
                close(fd);
        if (n < 2 || line[0] != '#' || line[1] != '!')
                return false;
        line[strcspn(line, "\n")] = '\0';
        const char *name = line + 2 + strspn(line + 2, " \t");
        snprintf(interpreter, FIRST_LINE, "%.*s", (int)strcspn(name, " \t"), name);
        return *interpreter != '\0';
}

/* ---- privileges ---- */

static bool mount_grants_nothing(const char *path)
{
        struct statvfs fs;
        return statvfs(path, &fs) == 0 && (fs.f_flag & ST_NOSUID);
}

/* What a process of this user would gain by starting the file, or NULL. */
static const char *gained_privilege(const char *path)
{
        struct stat st;
        if (stat(path, &st) == -1 || mount_grants_nothing(path) || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
                return NULL;
        if ((st.st_mode & S_ISUID) && st.st_uid != geteuid())
                return "set-user-ID";
        /* Without leave for the group to execute it the bit means mandatory locking: inode(7). */
        if ((st.st_mode & S_ISGID) && (st.st_mode & S_IXGRP) && st.st_gid != getegid())
                return "set-group-ID";
        if (geteuid() != 0 && getxattr(path, "security.capability", NULL, 0) > 0)
                return "privileged (file capabilities)";
        return NULL;
}

/* ---- all of it ---- */

static bool elf_is_reached(const char *path, const struct elf_kind *program, const char *library, char *why,
                           size_t size)
{
        struct elf_kind shim;
        const char *privilege = gained_privilege(path);
        if (!look_at_elf(library, &shim))
                return refuse(why, size, "%s: not a library, or not readable", library);
        if (program->class != shim.class || program->machine != shim.machine)
                return refuse(why, size,
                              "%s: a program of %s, into which the %d-bit libshmfault.so cannot be preloaded; "
                              "--via kernel reaches it",
                              path, program->class == ELFCLASS32 ? "32 bits" : "another machine",
                              shim.class == ELFCLASS32 ? 32 : 64);
        if (!program->dynamic)
                return refuse(why, size,
                              "%s: a static program, into which nothing can be preloaded; --via kernel reaches it",
                              path);
        if (program->loader[0] && cannot_execute(program->loader) != 0)
                return refuse(why, size, "%s: its loader %s is missing or not executable", path, program->loader);
        if (strstr(program->loader, "/ld-musl"))
                return refuse(why, size,
                              "%s: a program of musl's, whose loader does not take libshmfault.so; "
                              "--via kernel reaches it",
                              path);
        if (privilege)
                return refuse(why, size,
                              "%s: a %s program, for which the dynamic linker heeds no LD_PRELOAD; "
                              "--via kernel reaches it",
                              path, privilege);
        return true;
}

bool reach_by_preload(const char *path, const char *library, char *why, size_t size)
{
        char current[PATH_MAX];
        char interpreter[FIRST_LINE];
        snprintf(current, sizeof(current), "%s", path);
        for (int depth = 0; depth <= INTERPRETERS; depth++) {
                struct elf_kind program;
                if (access(current, R_OK) == -1)
                        return refuse(why, size,
                                      "%s: %s, so whether a library can be preloaded into it is not known; "
                                      "--via kernel needs not know",
                                      current, strerror(errno));
                if (look_at_elf(current, &program))
                        return elf_is_reached(current, &program, library, why, size);
                if (!read_interpreter(current, interpreter))
                        return refuse(why, size, "%s: neither an ELF program nor a script that begins with #!",
                                      current);
                int error = cannot_execute(interpreter);
                if (error)
                        return refuse(why, size, "%s: its interpreter %s: %s", current, interpreter, strerror(error));
                snprintf(current, sizeof(current), "%s", interpreter);
        }
        return refuse(why, size, "%s: its interpreters are scripts, more than %d deep", path, INTERPRETERS);
}

/* ---- the environment ---- */

static bool is_variable(const char *entry, const char *name)
{
        size_t length = strlen(name);
        return strncmp(entry, name, length) == 0 && entry[length] == '=';
}

static char *assignment(const char *name, const char *value, const char *rest)
{
        char *entry = NULL;
        return asprintf(&entry, "%s=%s%s%s", name, value, *rest ? ":" : "", rest) == -1 ? NULL : entry;
}

char **environment_with(const char *library, const char *name, const char *value, char *why, size_t size)
{
        if (strpbrk(library, " :")) {
                refuse(why, size, "%s: LD_PRELOAD cannot name a path with a space or colon; install shmcheck elsewhere",
                       library);
                return NULL;
        }
        size_t count = 0;
        while (environ[count])
                count++;
        char **copy = calloc(count + 3, sizeof(copy[0]));
        size_t n = 0;
        bool whole = copy != NULL;
        for (size_t i = 0; whole && i < count; i++) {
                if (!is_variable(environ[i], "LD_PRELOAD") && !is_variable(environ[i], name))
                        whole = (copy[n++] = strdup(environ[i])) != NULL;
        }
        const char *others = getenv("LD_PRELOAD");
        whole = whole && (copy[n++] = assignment("LD_PRELOAD", library, others ? others : "")) != NULL &&
                (copy[n] = assignment(name, value, "")) != NULL;
        if (whole)
                return copy;
        environment_free(copy);
        refuse(why, size, "out of memory");
        return NULL;
}

void environment_free(char **environment)
{
        for (char **e = environment; e && *e; e++)
                free(*e);
        free(environment);
}
