#include "base/heap.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

/*
 * The usual array: the children of place p are 2p and 2p + 1, counted from 1. Each node knows its
 * place, so that moving a deadline costs log n and not a search.
 */

void sv_heap_done(struct sv_heap *heap)
{
    free(heap->nodes);
    *heap = (struct sv_heap){0};
}

int sv_heap_reserve(struct sv_heap *heap, size_t count)
{
    if (count <= heap->capacity)
        return 0;
    size_t capacity = heap->capacity ? heap->capacity : 8;
    while (capacity < count)
        capacity *= 2;
    if (capacity > UINT32_MAX / 2)
        return -ENOMEM;
    struct sv_heap_node **nodes = realloc(heap->nodes, capacity * sizeof(struct sv_heap_node *));
    if (!nodes)
        return -ENOMEM;
    heap->nodes = nodes;
    heap->capacity = capacity;
    return 0;
}

static bool is_before(const struct sv_heap_node *a, const struct sv_heap_node *b)
{
    return a->key != b->key ? a->key < b->key : a->tie < b->tie;
}

static void put(struct sv_heap *heap, size_t place, struct sv_heap_node *node)
{
    heap->nodes[place - 1] = node;
    node->place = (uint32_t)place;
}

static void settle(struct sv_heap *heap, size_t place, struct sv_heap_node *node)
{
    while (place > 1 && is_before(node, heap->nodes[place / 2 - 1])) {
        put(heap, place, heap->nodes[place / 2 - 1]);
        place /= 2;
    }
    for (size_t child = place * 2; child <= heap->count; child = place * 2) {
        if (child < heap->count && is_before(heap->nodes[child], heap->nodes[child - 1]))
            child++;
        if (!is_before(heap->nodes[child - 1], node))
            break;
        put(heap, place, heap->nodes[child - 1]);
        place = child;
    }
    put(heap, place, node);
}

void sv_heap_set(struct sv_heap *heap, struct sv_heap_node *node, uint64_t key)
{
    size_t place = node->place;
    if (place == 0) {
        assert(heap->count < heap->capacity);
        place = ++heap->count;
    }
    assert(place <= heap->count);
    node->key = key;
    settle(heap, place, node);
}

void sv_heap_remove(struct sv_heap *heap, struct sv_heap_node *node)
{
    size_t place = node->place;
    if (place == 0)
        return;
    assert(place <= heap->count && heap->nodes[place - 1] == node);
    struct sv_heap_node *last = heap->nodes[--heap->count];
    node->place = 0;
    if (last != node)
        settle(heap, place, last);
}

struct sv_heap_node *sv_heap_first(const struct sv_heap *heap)
{
    return heap->count ? heap->nodes[0] : NULL;
}
