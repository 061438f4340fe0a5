/*
 * A ring that grows by doubling up to its depth: a program that has run for a minute pays for a
 * minute, not for the whole of stats_histo. It is straight (first == 0) until it is full.
 */
#include "core/statistics/ring.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 8 };

void sv_ring_done(struct sv_ring *ring)
{
    free(ring->data);
    *ring = (struct sv_ring){.element_bytes = ring->element_bytes};
}

static int grow(struct sv_ring *ring, uint32_t depth)
{
    uint32_t wanted = ring->capacity ? ring->capacity * 2 : FIRST_CAPACITY;
    if (wanted > depth)
        wanted = depth;
    unsigned char *data = reallocarray(ring->data, wanted, ring->element_bytes);
    if (!data)
        return -ENOMEM;
    ring->data = data;
    ring->capacity = wanted;
    return 0;
}

int sv_ring_push(struct sv_ring *ring, uint32_t depth, const void *element)
{
    assert(ring->element_bytes > 0 && depth > 0 && ring->count <= depth);
    uint32_t place = ring->first;
    if (ring->count < depth) {
        if (ring->count == ring->capacity && grow(ring, depth) < 0)
            return -ENOMEM;
        place = ring->count++;
    } else {
        ring->first = (ring->first + 1) % ring->count;
    }
    memcpy(ring->data + place * ring->element_bytes, element, ring->element_bytes);
    return 0;
}

const void *sv_ring_at(const struct sv_ring *ring, uint32_t index)
{
    assert(index < ring->count);
    return ring->data + (ring->first + index) % ring->count * ring->element_bytes;
}
