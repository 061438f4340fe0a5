#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/idmap.h"
#include "base/map.h"

static void a_key_is_found_after_it_was_put(void **state)
{
    (void)state;
    struct sv_map map = {0};
    int a, b;
    assert_int_equal(sv_map_put(&map, "a", &a), 0);
    assert_int_equal(sv_map_put(&map, "b", &b), 0);
    assert_ptr_equal(sv_map_get(&map, "a"), &a);
    assert_ptr_equal(sv_map_get(&map, "b"), &b);
    assert_null(sv_map_get(&map, "c"));
    assert_int_equal(sv_map_put(&map, "a", &b), 0);
    assert_ptr_equal(sv_map_get(&map, "a"), &b);
    assert_int_equal(map.count, 2);
    sv_map_done(&map);
}

static void iteration_keeps_the_order_of_insertion_over_removals_and_growth(void **state)
{
    (void)state;
    struct sv_map map = {0};
    char key[16];
    static int values[1000];
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        assert_int_equal(sv_map_put(&map, key, &values[i]), 0);
        if (i % 3 == 0)
            assert_ptr_equal(sv_map_remove(&map, key), &values[i]);
    }
    int *last = NULL;
    size_t count = 0;
    sv_map_foreach (entry, &map) {
        int *value = entry->value;
        assert_true(!last || value > last);
        assert_int_not_equal((value - values) % 3, 0);
        last = value;
        count++;
    }
    assert_int_equal(count, map.count);
    assert_int_equal(count, 666);
    sv_map_done(&map);
}

static void a_map_that_is_used_as_a_queue_does_not_grow(void **state)
{
    (void)state;
    struct sv_map map = {0};
    char key[16];
    int value;
    for (int i = 0; i < 100000; i++) {
        snprintf(key, sizeof(key), "%d", i);
        assert_int_equal(sv_map_put(&map, key, &value), 0);
        assert_ptr_equal(sv_map_remove(&map, key), &value);
    }
    assert_int_equal(map.count, 0);
    assert_true(map.entry_capacity <= 16);
    sv_map_done(&map);
}

/* Against the plainest model there is: an array indexed by the id. */
static void ids_are_found_and_removed_as_in_a_plain_array(void **state)
{
    (void)state;
    enum { IDS = 512 };
    struct sv_idmap map = {0};
    void *model[IDS + 1] = {0};
    size_t model_count = 0;
    uint64_t random = 1;
    for (int step = 0; step < 200000; step++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        uint64_t id = 1 + (random >> 33) % IDS;
        if (random >> 63) {
            model_count += model[id] == NULL;
            model[id] = &model[id];
            assert_int_equal(sv_idmap_put(&map, id, model[id]), 0);
        } else {
            model_count -= model[id] != NULL;
            assert_ptr_equal(sv_idmap_remove(&map, id), model[id]);
            model[id] = NULL;
        }
        assert_int_equal(map.count, model_count);
    }
    for (uint64_t id = 1; id <= IDS; id++)
        assert_ptr_equal(sv_idmap_get(&map, id), model[id]);
    assert_null(sv_idmap_get(&map, 0));
    sv_idmap_done(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_found_after_it_was_put),
        cmocka_unit_test(iteration_keeps_the_order_of_insertion_over_removals_and_growth),
        cmocka_unit_test(a_map_that_is_used_as_a_queue_does_not_grow),
        cmocka_unit_test(ids_are_found_and_removed_as_in_a_plain_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
