#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "nearest.h"
#include "output_file.h"

void complain(const char *format, ...)
{
        va_list arguments;
        va_start(arguments, format);
        fflush(stdout);
        fputs("shmcheck: ", stderr);
        vfprintf(stderr, format, arguments);
        fputc('\n', stderr);
        va_end(arguments);
}

bool end_output(FILE *stream, const char *what)
{
        int error = stream_error(stream);
        if (error)
                complain("%s could not be written: %s", what, strerror(error));
        return error == 0;
}

static void add_names(json_t *names, const struct poptOption *options)
{
        for (const struct poptOption *o = options; o->longName || o->shortName || o->arg; o++) {
                if ((o->argInfo & POPT_ARG_MASK) == POPT_ARG_INCLUDE_TABLE) {
                        add_names(names, o->arg);
                } else if (o->longName) {
                        char name[64];
                        snprintf(name, sizeof(name), "--%s", o->longName);
                        json_array_append_new(names, json_string(name));
                }
        }
}

static void complain_of_option(const char *subcommand, const char *usage, poptContext context,
                               const struct poptOption *options, int error)
{
        const char *bad = poptBadOption(context, POPT_BADOPTION_NOALIAS);
        if (strstr(usage, "-- CMD") && poptPeekArg(context)) {
                complain("%s: option '%s' after '%s'; a command stands behind --: shmcheck %s %s", subcommand, bad,
                         poptPeekArg(context), subcommand, usage);
                return;
        }
        if (error != POPT_ERROR_BADOPT) {
                complain("%s: %s: %s", subcommand, bad, poptStrerror(error));
                return;
        }
        char *word = strdup(bad);
        json_t *names = json_array();
        add_names(names, options);
        if (word)
                word[strcspn(word, "=")] = '\0';
        const char *nearest = word ? nearest_name(word, names) : NULL;
        if (nearest)
                complain("%s: unknown option '%s'; the nearest is '%s'", subcommand, bad, nearest);
        else
                complain("%s: unknown option '%s'", subcommand, bad);
        json_decref(names);
        free(word);
}

poptContext options_read(const char *subcommand, const char *usage, int argc, char **argv,
                         const struct poptOption *options, const char ***rest)
{
        /* popt's help begins with the name it finds here. */
        static char name[64];
        snprintf(name, sizeof(name), "shmcheck %s", subcommand);
        argv[0] = name;
        poptContext context = poptGetContext(NULL, argc, (const char **)argv, options, 0);
        if (!context) {
                complain("out of memory");
                return NULL;
        }
        poptSetOtherOptionHelp(context, usage);
        int error = poptGetNextOpt(context);
        if (error < -1) {
                complain_of_option(subcommand, usage, context, options, error);
                poptFreeContext(context);
                return NULL;
        }
        *rest = poptGetArgs(context);
        return context;
}
