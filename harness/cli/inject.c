/* shmcheck inject: runs a command under a fault plan. */
#include "cli.h"
#include "supervision.h"

static struct poptOption option_table[] = {
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, supervision_option_table, 0, "Faults:", NULL}, POPT_AUTOHELP POPT_TABLEEND};

static bool asks_for_something(void)
{
        const struct supervision_options *o = &supervision_options;
        if (o->inject || o->plan || o->deny || o->events)
                return true;
        complain("inject: no fault; --inject RULE, --plan FILE or --deny CALL=ERR names one");
        return false;
}

int command_inject(int argc, char **argv)
{
        static const struct supervision wishes;
        char **words = NULL;
        poptContext context = supervision_read("inject", argc, argv, option_table, &words);
        if (!context)
                return EXIT_USAGE;
        int status = asks_for_something() ? supervise(words, &wishes) : EXIT_USAGE;
        poptFreeContext(context);
        return status;
}
