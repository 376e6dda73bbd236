/* shmcheck clean: the agent knows the ledger, so it does the work. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "agent_process.h"
#include "cli.h"

static struct poptOption option_table[] = {POPT_AUTOHELP POPT_TABLEEND};

int command_clean(int argc, char **argv)
{
        static struct locations where;
        const char **rest = NULL;
        poptContext context = options_read("clean", "", argc, argv, option_table, &rest);
        if (!context)
                return EXIT_USAGE;
        if (rest && rest[0]) {
                complain("clean: takes no word such as '%s'", rest[0]);
                poptFreeContext(context);
                return EXIT_USAGE;
        }
        poptFreeContext(context);
        locations_find(&where);
        execl(where.agent, where.agent, "--clean", (char *)NULL);
        complain("%s cannot be started: %s", where.agent, strerror(errno));
        return EXIT_HARNESS;
}
