#include "arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

#define BLOCK_SIZE ((size_t)256 * 1024)

struct arena_block {
        struct arena_block *before;
        size_t size;
        alignas(max_align_t) unsigned char bytes[];
};

static size_t aligned(size_t size)
{
        const size_t unit = alignof(max_align_t);
        return (size + unit - 1) / unit * unit;
}

static struct arena_block *add_block(struct arena *arena, size_t size)
{
        size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
        struct arena_block *block = malloc(sizeof(*block) + room);
        if (!block)
                return NULL;
        block->before = arena->last;
        block->size = room;
        arena->last = block;
        arena->used = 0;
        return block;
}

void *arena_take(struct arena *arena, size_t size)
{
        struct arena_block *block = arena->last;
        if (size > SIZE_MAX / 2)
                return NULL;
        size = aligned(size);
        if (!block || block->size - arena->used < size)
                block = add_block(arena, size);
        if (!block)
                return NULL;
        void *taken = block->bytes + arena->used;
        arena->used += size;
        return taken;
}

void arena_keep(struct arena *arena, const void *taken, size_t size)
{
        arena->used = (size_t)((const unsigned char *)taken - arena->last->bytes) + aligned(size);
}

void arena_free(struct arena *arena)
{
        while (arena->last) {
                struct arena_block *before = arena->last->before;
                free(arena->last);
                arena->last = before;
        }
        arena->used = 0;
}
