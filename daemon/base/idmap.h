/*
 * A map from 64-bit ids (pid, cgroup id, process id) to pointers. Key 0 is not a key. No order.
 * The zero value is an empty map. Values are borrowed.
 */
#ifndef SV_BASE_IDMAP_H
#define SV_BASE_IDMAP_H

#include <stddef.h>
#include <stdint.h>

struct sv_idmap_slot {
    uint64_t id;
    void *value;
};

struct sv_idmap {
    struct sv_idmap_slot *slots; /* open addressing with linear probing */
    size_t slot_count;           /* a power of two */
    size_t count;
};

void sv_idmap_done(struct sv_idmap *map);
/* Adds or replaces. 0, or -ENOMEM with the map unchanged. */
int sv_idmap_put(struct sv_idmap *map, uint64_t id, void *value);
/* NULL when the id is absent. */
void *sv_idmap_get(const struct sv_idmap *map, uint64_t id);
/* Returns what was removed, NULL when the id was absent. */
void *sv_idmap_remove(struct sv_idmap *map, uint64_t id);

#endif
