/*
 * A binary min-heap of nodes that live inside their owners: who is due next, without asking
 * everybody.
 *
 * A node is in at most one heap. Nodes with equal keys leave in the order of their `tie`, so that
 * the same input gives the same order. The zero value is an empty heap and a node outside of any
 * heap.
 */
#ifndef SV_BASE_HEAP_H
#define SV_BASE_HEAP_H

#include <stddef.h>
#include <stdint.h>

struct sv_heap_node {
    uint64_t key;
    uint32_t tie;   /* set by the owner before the node goes in, then left alone */
    uint32_t place; /* index in `nodes` + 1; 0: in no heap */
};

struct sv_heap {
    struct sv_heap_node **nodes;
    size_t count;
    size_t capacity;
};

void sv_heap_done(struct sv_heap *heap);
/* Makes room for `count` nodes in all, after which sv_heap_set() cannot fail. 0 or -ENOMEM. */
int sv_heap_reserve(struct sv_heap *heap, size_t count);
/* Puts the node in, or moves it. There must be room. */
void sv_heap_set(struct sv_heap *heap, struct sv_heap_node *node, uint64_t key);
/* A node outside of the heap is left alone. */
void sv_heap_remove(struct sv_heap *heap, struct sv_heap_node *node);
/* The smallest; NULL when empty. */
struct sv_heap_node *sv_heap_first(const struct sv_heap *heap);

#endif
