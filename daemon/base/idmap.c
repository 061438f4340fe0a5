#include "base/idmap.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum { FIRST_SLOTS = 16 };

/* Fibonacci hashing: consecutive ids, which pids and inode numbers are, spread evenly. */
static size_t home_of(uint64_t id, size_t slot_count)
{
    return (size_t)(id * 0x9e3779b97f4a7c15u >> 20) & (slot_count - 1);
}

static size_t slot_of(const struct sv_idmap *map, uint64_t id)
{
    size_t i = home_of(id, map->slot_count);
    while (map->slots[i].id != 0 && map->slots[i].id != id)
        i = (i + 1) & (map->slot_count - 1);
    return i;
}

static int grow(struct sv_idmap *map)
{
    struct sv_idmap bigger = {.slot_count = map->slot_count ? map->slot_count * 2 : FIRST_SLOTS};
    bigger.slots = calloc(bigger.slot_count, sizeof(*bigger.slots));
    if (!bigger.slots)
        return -ENOMEM;
    for (size_t i = 0; i < map->slot_count; i++)
        if (map->slots[i].id != 0)
            bigger.slots[slot_of(&bigger, map->slots[i].id)] = map->slots[i];
    bigger.count = map->count;
    free(map->slots);
    *map = bigger;
    return 0;
}

void sv_idmap_done(struct sv_idmap *map)
{
    free(map->slots);
    *map = (struct sv_idmap){0};
}

int sv_idmap_put(struct sv_idmap *map, uint64_t id, void *value)
{
    assert(id != 0);
    if (map->count * 2 >= map->slot_count) {
        int r = grow(map);
        if (r < 0)
            return r;
    }
    struct sv_idmap_slot *slot = &map->slots[slot_of(map, id)];
    map->count += slot->id == 0;
    *slot = (struct sv_idmap_slot){.id = id, .value = value};
    return 0;
}

void *sv_idmap_get(const struct sv_idmap *map, uint64_t id)
{
    if (map->slot_count == 0 || id == 0)
        return NULL;
    const struct sv_idmap_slot *slot = &map->slots[slot_of(map, id)];
    return slot->id == id ? slot->value : NULL;
}

/* Backward shift: what was pushed past the freed slot by probing moves back, so no tombstones. */
void *sv_idmap_remove(struct sv_idmap *map, uint64_t id)
{
    if (map->slot_count == 0 || id == 0)
        return NULL;
    size_t mask = map->slot_count - 1;
    size_t hole = slot_of(map, id);
    if (map->slots[hole].id != id)
        return NULL;
    void *value = map->slots[hole].value;
    for (size_t i = (hole + 1) & mask; map->slots[i].id != 0; i = (i + 1) & mask) {
        size_t home = home_of(map->slots[i].id, map->slot_count);
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            map->slots[hole] = map->slots[i];
            hole = i;
        }
    }
    map->slots[hole] = (struct sv_idmap_slot){0};
    map->count--;
    return value;
}
