/*
 * An arena: memory that is given out piece by piece and freed as a whole.
 *
 * It owns everything that belongs to one accepted configuration. The zero value is an empty arena.
 * A failed allocation returns NULL and changes nothing.
 */
#ifndef SV_BASE_ARENA_H
#define SV_BASE_ARENA_H

#include <stddef.h>

#include "base/attr.h"

struct sv_arena_block;

struct sv_arena {
    struct sv_arena_block *blocks;
};

void sv_arena_done(struct sv_arena *arena);
/* Zeroed memory, aligned for any type. */
void *sv_arena_alloc(struct sv_arena *arena, size_t count, size_t size);
char *sv_arena_strdup(struct sv_arena *arena, const char *text);
char *sv_arena_strndup(struct sv_arena *arena, const char *text, size_t length);
char *sv_arena_printf(struct sv_arena *arena, const char *format, ...) SV_PRINTF(2, 3);

#define sv_arena_new(arena, type)          ((type *)sv_arena_alloc((arena), 1, sizeof(type)))
#define sv_arena_array(arena, type, count) ((type *)sv_arena_alloc((arena), (count), sizeof(type)))

#endif
