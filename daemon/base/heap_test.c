#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/heap.h"

enum { COUNT = 200 };

static void nodes_leave_in_the_order_of_their_keys(void **state)
{
    (void)state;
    struct sv_heap heap = {0};
    struct sv_heap_node nodes[COUNT] = {0};
    uint64_t random = 1;
    assert_int_equal(sv_heap_reserve(&heap, COUNT), 0);
    for (uint32_t i = 0; i < COUNT; i++) {
        nodes[i].tie = i;
        random = random * 6364136223846793005u + 1;
        sv_heap_set(&heap, &nodes[i], random >> 60); /* few keys: many ties */
    }
    for (uint32_t i = 0; i < COUNT; i += 3) {
        random = random * 6364136223846793005u + 1;
        sv_heap_set(&heap, &nodes[i], random >> 58);
    }
    for (uint32_t i = 1; i < COUNT; i += 7)
        sv_heap_remove(&heap, &nodes[i]);
    size_t left = heap.count;
    const struct sv_heap_node *before = NULL;
    for (; heap.count > 0; left--) {
        struct sv_heap_node *first = sv_heap_first(&heap);
        if (before)
            assert_true(before->key < first->key ||
                        (before->key == first->key && before->tie < first->tie));
        sv_heap_remove(&heap, first);
        assert_int_equal(first->place, 0);
        before = first;
    }
    assert_int_equal(left, 0);
    assert_null(sv_heap_first(&heap));
    sv_heap_done(&heap);
}

static void removing_what_is_outside_changes_nothing(void **state)
{
    (void)state;
    struct sv_heap heap = {0};
    struct sv_heap_node in = {0}, out = {0};
    assert_int_equal(sv_heap_reserve(&heap, 2), 0);
    sv_heap_set(&heap, &in, 5);
    sv_heap_remove(&heap, &out);
    assert_ptr_equal(sv_heap_first(&heap), &in);
    sv_heap_remove(&heap, &in);
    sv_heap_remove(&heap, &in);
    assert_int_equal(heap.count, 0);
    sv_heap_done(&heap);
}

static void room_that_cannot_be_had_is_said(void **state)
{
    (void)state;
    struct sv_heap heap = {0};
    assert_true(sv_heap_reserve(&heap, (size_t)UINT32_MAX) < 0);
    assert_int_equal(heap.capacity, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_leave_in_the_order_of_their_keys),
        cmocka_unit_test(removing_what_is_outside_changes_nothing),
        cmocka_unit_test(room_that_cannot_be_had_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
