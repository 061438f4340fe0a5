#include "base/map.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * `entries` is a dense array in insertion order; `slots` is the hash index into it. A removed entry
 * leaves a hole in `entries` and its slot keeps pointing at the hole, so that probing goes on past
 * it. Holes disappear at the next rebuild, which happens when entries, holes included, fill the
 * array.
 */

enum { FIRST_CAPACITY = 8 };

/* FNV-1a, 64 bit. Keys come from configuration and bounded requests, so it needs no secret seed. */
static uint64_t hash_key(const char *key)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (const char *c = key; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 0x100000001b3u;
    return hash;
}

static struct sv_map_entry *find(const struct sv_map *map, const char *key)
{
    if (map->slot_count == 0)
        return NULL;
    uint64_t hash = hash_key(key);
    size_t mask = map->slot_count - 1;
    for (size_t i = (size_t)hash & mask; map->slots[i] != 0; i = (i + 1) & mask) {
        struct sv_map_entry *entry = &map->entries[map->slots[i] - 1];
        if (entry->key && entry->hash == hash && strcmp(entry->key, key) == 0)
            return entry;
    }
    return NULL;
}

static void index_entry(uint32_t *slots, size_t slot_count, uint64_t hash, size_t index)
{
    size_t mask = slot_count - 1;
    size_t i = (size_t)hash & mask;
    while (slots[i] != 0)
        i = (i + 1) & mask;
    slots[i] = (uint32_t)(index + 1);
}

/* Compacts the entries into arrays with room for twice the living ones. */
static int rebuild(struct sv_map *map)
{
    size_t capacity = FIRST_CAPACITY;
    while (capacity < map->count * 2)
        capacity *= 2;
    if (capacity > UINT32_MAX / 4)
        return -ENOMEM;
    size_t slot_count = capacity * 2;
    struct sv_map_entry *entries = calloc(capacity, sizeof(*entries));
    uint32_t *slots = calloc(slot_count, sizeof(*slots));
    if (!entries || !slots) {
        free(entries);
        free(slots);
        return -ENOMEM;
    }
    size_t count = 0;
    for (size_t i = 0; i < map->entry_count; i++) {
        if (!map->entries[i].key)
            continue;
        entries[count] = map->entries[i];
        index_entry(slots, slot_count, entries[count].hash, count);
        count++;
    }
    assert(count == map->count);
    free(map->entries);
    free(map->slots);
    map->entries = entries;
    map->slots = slots;
    map->entry_count = count;
    map->entry_capacity = capacity;
    map->slot_count = slot_count;
    return 0;
}

void sv_map_done(struct sv_map *map)
{
    sv_map_foreach (entry, map)
        free(entry->key);
    free(map->entries);
    free(map->slots);
    *map = (struct sv_map){0};
}

int sv_map_put(struct sv_map *map, const char *key, void *value)
{
    struct sv_map_entry *entry = find(map, key);
    if (entry) {
        entry->value = value;
        return 0;
    }
    char *copy = strdup(key);
    if (!copy)
        return -ENOMEM;
    if (map->entry_count == map->entry_capacity) {
        int r = rebuild(map);
        if (r < 0) {
            free(copy);
            return r;
        }
    }
    uint64_t hash = hash_key(key);
    map->entries[map->entry_count] =
        (struct sv_map_entry){.key = copy, .value = value, .hash = hash};
    index_entry(map->slots, map->slot_count, hash, map->entry_count);
    map->entry_count++;
    map->count++;
    return 0;
}

void *sv_map_get(const struct sv_map *map, const char *key)
{
    struct sv_map_entry *entry = find(map, key);
    return entry ? entry->value : NULL;
}

bool sv_map_has(const struct sv_map *map, const char *key)
{
    return find(map, key) != NULL;
}

void *sv_map_remove(struct sv_map *map, const char *key)
{
    struct sv_map_entry *entry = find(map, key);
    if (!entry)
        return NULL;
    void *value = entry->value;
    free(entry->key);
    entry->key = NULL;
    map->count--;
    return value;
}
