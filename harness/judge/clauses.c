#include "clauses.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool mistake(const char *path, size_t line, const char *what, char *why, size_t size)
{
        snprintf(why, size, "%s:%zu: %s", path, line, what);
        return false;
}

static char *trimmed(char *text)
{
        while (isspace((unsigned char)*text))
                text++;
        size_t length = strlen(text);
        while (length && isspace((unsigned char)text[length - 1]))
                text[--length] = '\0';
        return text;
}

static bool begins(const char *text, const char *with)
{
        return strncmp(text, with, strlen(with)) == 0;
}

/* "shmget(2)", with a blank or nothing behind it. */
static bool is_manual_page(const char *text)
{
        const char *p = text;
        while (isalnum((unsigned char)*p) || *p == '_')
                p++;
        return p > text && p[0] == '(' && isdigit((unsigned char)p[1]) && p[2] == ')' && (!p[3] || p[3] == ' ');
}

static bool find_kind(const char *text, enum clause_kind *kind)
{
        static const struct {
                const char *with;
                enum clause_kind kind;
        } beginnings[] = {{"POSIX XSH ", CLAUSE_POSIX},
                          {"POSIX XBD ", CLAUSE_POSIX},
                          {"Linux ", CLAUSE_SOURCE},
                          {"glibc ", CLAUSE_SOURCE},
                          {"x86 ABI", CLAUSE_SOURCE}};
        for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
                if (begins(text, beginnings[i].with)) {
                        *kind = beginnings[i].kind;
                        return true;
                }
        }
        *kind = CLAUSE_MANUAL;
        return is_manual_page(text);
}

/* Takes the line apart. Returns NULL, or what is wrong with it. */
static const char *read_clause(struct clause *c, char *line)
{
        char *bar = strchr(line, '|');
        if (bar)
                *bar = '\0';
        const char *text = trimmed(line);
        const char *reason = bar ? trimmed(bar + 1) : NULL;
        if (!*text)
                return "no clause stands before '|'";
        if (reason && !*reason)
                return "no reason stands behind '|'";
        if (strchr(text, ';'))
                return "a line holds one clause; only cases join them by '; '";
        if (!find_kind(text, &c->kind))
                return "a clause begins with POSIX XSH, POSIX XBD, a manual page like shmget(2), Linux, glibc or x86 "
                       "ABI";
        c->text = strdup(text);
        c->reason = reason ? strdup(reason) : NULL;
        return c->text && (c->reason || !reason) ? NULL : "out of memory";
}

static const struct clause *find(const struct clauses *clauses, const char *text)
{
        for (size_t i = 0; i < clauses->count; i++) {
                if (strcmp(clauses->all[i].text, text) == 0)
                        return &clauses->all[i];
        }
        return NULL;
}

static bool add_clause(struct clauses *clauses, char *text, const char *path, size_t line, char *why, size_t size)
{
        struct clause c = {.line = line};
        char already[80];
        const char *wrong = read_clause(&c, text);
        const struct clause *same = wrong ? NULL : find(clauses, c.text);
        if (same) {
                snprintf(already, sizeof(already), "the clause stands in line %zu already", same->line);
                wrong = already;
        }
        struct clause *all = wrong ? NULL : realloc(clauses->all, (clauses->count + 1) * sizeof(all[0]));
        if (!all) {
                free(c.text);
                free(c.reason);
                return mistake(path, line, wrong ? wrong : "out of memory", why, size);
        }
        clauses->all = all;
        all[clauses->count++] = c;
        return true;
}

static int by_kind_and_text(const void *a, const void *b)
{
        const struct clause *x = a;
        const struct clause *y = b;
        return x->kind != y->kind ? (int)x->kind - (int)y->kind : strcmp(x->text, y->text);
}

static bool read_list(struct clauses *clauses, FILE *f, const char *path, char *why, size_t size)
{
        char *text = NULL;
        size_t room = 0;
        bool good = true;
        for (size_t line = 1; good && getline(&text, &room, f) != -1; line++) {
                char *content = trimmed(text);
                if (*content && *content != '#')
                        good = add_clause(clauses, content, path, line, why, size);
        }
        free(text);
        if (good && ferror(f)) {
                snprintf(why, size, "%s: %s", path, strerror(errno));
                good = false;
        }
        if (good && clauses->count)
                qsort(clauses->all, clauses->count, sizeof(clauses->all[0]), by_kind_and_text);
        return good;
}

struct clauses *clauses_load(const char *path, char *why, size_t size)
{
        FILE *f = fopen(path, "re");
        struct clauses *clauses = f ? calloc(1, sizeof(*clauses)) : NULL;
        if (!clauses) {
                snprintf(why, size, "%s: %s", path, strerror(errno));
                if (f)
                        fclose(f);
                return NULL;
        }
        bool good = read_list(clauses, f, path, why, size);
        fclose(f);
        if (good)
                return clauses;
        clauses_free(clauses);
        return NULL;
}

void clauses_free(struct clauses *clauses)
{
        if (!clauses)
                return;
        for (size_t i = 0; i < clauses->count; i++) {
                free(clauses->all[i].text);
                free(clauses->all[i].reason);
        }
        free(clauses->all);
        free(clauses);
}
