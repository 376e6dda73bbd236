#include "level.h"

#include <string.h>

const char *const level_names[LEVELS] = {"posix-shall", "posix-may", "posix-impl-defined", "linux",
                                         "linux-undocumented"};

size_t level_place(const char *name)
{
        size_t place = 0;
        while (place < LEVELS && (!name || strcmp(name, level_names[place]) != 0))
                place++;
        return place;
}
