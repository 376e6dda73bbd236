/* Memory for what is kept together and freed together. */
#ifndef ARENA_H
#define ARENA_H

#include <stddef.h>

struct arena_block;

/* Begins as {0}. */
struct arena {
        struct arena_block *last;
        size_t used; /* bytes of the last block */
};

/* So many bytes, aligned for anything; NULL when memory is short. They hold until arena_free. */
void *arena_take(struct arena *arena, size_t size);

/* Of what was taken last, keeps size bytes. */
void arena_keep(struct arena *arena, const void *taken, size_t size);

/* Frees all that was taken. */
void arena_free(struct arena *arena);

#endif
