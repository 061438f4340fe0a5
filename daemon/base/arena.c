#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 4096 };

struct sv_arena_block {
    struct sv_arena_block *next;
    size_t used;
    size_t capacity;
    alignas(max_align_t) unsigned char data[];
};

void sv_arena_done(struct sv_arena *arena)
{
    for (struct sv_arena_block *block = arena->blocks; block;) {
        struct sv_arena_block *next = block->next;
        free(block);
        block = next;
    }
    arena->blocks = NULL;
}

static struct sv_arena_block *block_with_room(struct sv_arena *arena, size_t bytes)
{
    struct sv_arena_block *block = arena->blocks;
    if (block && block->capacity - block->used >= bytes)
        return block;
    size_t capacity = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
    if (capacity > SIZE_MAX - sizeof(*block))
        return NULL;
    block = calloc(1, sizeof(*block) + capacity);
    if (!block)
        return NULL;
    block->capacity = capacity;
    block->next = arena->blocks;
    arena->blocks = block;
    return block;
}

void *sv_arena_alloc(struct sv_arena *arena, size_t count, size_t size)
{
    size_t alignment = alignof(max_align_t);
    if (size != 0 && count > (SIZE_MAX - alignment) / size)
        return NULL;
    size_t bytes = (count * size + alignment - 1) / alignment * alignment;
    struct sv_arena_block *block = block_with_room(arena, bytes);
    if (!block)
        return NULL;
    void *memory = block->data + block->used;
    block->used += bytes;
    return memory;
}

char *sv_arena_strndup(struct sv_arena *arena, const char *text, size_t length)
{
    char *copy = sv_arena_alloc(arena, length + 1, 1);
    if (copy)
        memcpy(copy, text, length);
    return copy;
}

char *sv_arena_strdup(struct sv_arena *arena, const char *text)
{
    return sv_arena_strndup(arena, text, strlen(text));
}

char *sv_arena_printf(struct sv_arena *arena, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0)
        return NULL;
    char *text = sv_arena_alloc(arena, (size_t)length + 1, 1);
    if (!text)
        return NULL;
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}
