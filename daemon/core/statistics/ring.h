/* The last values of something: elements of one size, the oldest makes room. See ring.c. */
#ifndef SV_CORE_STATISTICS_RING_H
#define SV_CORE_STATISTICS_RING_H

#include <stddef.h>
#include <stdint.h>

/* The zero value is empty; set `element_bytes` before the first push. */
struct sv_ring {
    unsigned char *data;
    size_t element_bytes;
    uint32_t capacity; /* elements allocated */
    uint32_t count;
    uint32_t first; /* where the oldest is */
};

void sv_ring_done(struct sv_ring *ring);
/* Appends a copy; with `depth` elements the oldest goes. 0 or -ENOMEM. */
int sv_ring_push(struct sv_ring *ring, uint32_t depth, const void *element);
/* 0 is the oldest. Borrowed until the next push. */
const void *sv_ring_at(const struct sv_ring *ring, uint32_t index);

#endif
