/*
 * The steps of a result, as a record tells them: in a frame of their own (an
 * object of type "steps"). Of most cases nobody asks for them, and they are the
 * larger part of a record: they are kept as they came, and read when they are
 * asked for.
 */
#ifndef TOLD_STEPS_H
#define TOLD_STEPS_H

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "value.h"

struct told_steps {
        char *text; /* the object, as it came; NULL once it is read */
        size_t length;
        const char *id; /* not ended by a NUL while text is there */
        size_t id_length;
        long long round;
        const struct value *list;
        struct arena *values; /* where it is read to */
};

/*
 * Whether the text begins as an agent writes such an object. If so, *steps
 * holds its id and round; text, which has room for a NUL, and values have to
 * live as long as it.
 */
bool told_steps_keep(struct told_steps *steps, struct arena *values, char *text, size_t length);

/* The same of an object that was read because it begins in another way; false if a member is missing. */
bool told_steps_take(struct told_steps *steps, const struct value *object);

/*
 * The list of the steps. One whose text is no JSON, or has none, is read as a
 * single step that says so: the checksum of its frame has spoken for it.
 */
const struct value *told_steps_list(struct told_steps *steps);

#endif
