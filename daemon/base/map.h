/*
 * A map from strings to pointers that remembers the order of insertion.
 *
 * Iteration is in that order, so the same input gives the same bytes out. Removal keeps the order
 * of the rest. Keys are copied; values are borrowed: the map frees neither them nor what they point
 * to. The zero value is an empty map.
 */
#ifndef SV_BASE_MAP_H
#define SV_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sv_map_entry {
    char *key; /* NULL: removed, skipped by sv_map_foreach */
    void *value;
    uint64_t hash;
};

struct sv_map {
    struct sv_map_entry *entries; /* in insertion order, with holes */
    uint32_t *slots;              /* open addressing: index into entries + 1, 0 is empty */
    size_t entry_count;           /* including holes */
    size_t entry_capacity;
    size_t slot_count; /* a power of two */
    size_t count;      /* living entries */
};

void sv_map_done(struct sv_map *map);
/* Adds or replaces. 0, or -ENOMEM with the map unchanged. */
int sv_map_put(struct sv_map *map, const char *key, void *value);
/* NULL when the key is absent. */
void *sv_map_get(const struct sv_map *map, const char *key);
bool sv_map_has(const struct sv_map *map, const char *key);
/* Returns the value that was removed, NULL when the key was absent. */
void *sv_map_remove(struct sv_map *map, const char *key);

#define sv_map_foreach(entry, map)                                                                 \
    for (struct sv_map_entry *entry = (map)->entries;                                              \
         entry && entry < (map)->entries + (map)->entry_count; entry++)                            \
        if (entry->key)

#endif
