/* Arrays that grow one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/grow.h"

static void what_was_there_stays_and_what_is_new_is_zero(void **state)
{
    (void)state;
    int *items = NULL;
    size_t capacity = 0;
    for (size_t count = 1; count <= 1000; count++) {
        items = sv_grow(items, &capacity, count, sizeof(*items));
        assert_true(capacity >= count);
        for (size_t i = 0; i < capacity; i++)
            assert_int_equal(items[i], i + 1 < count ? (int)i + 1 : 0);
        items[count - 1] = (int)count;
    }
    free(items);
}

static void an_array_with_room_stays_where_it_is(void **state)
{
    (void)state;
    size_t capacity = 0;
    char *items = sv_grow(NULL, &capacity, 5, 1);
    size_t room = capacity;
    assert_ptr_equal(sv_grow(items, &capacity, room, 1), items);
    assert_ptr_equal(sv_grow(items, &capacity, 0, 1), items);
    assert_int_equal(capacity, room);
    free(items);
}

static void nothing_is_still_a_pointer(void **state)
{
    (void)state;
    void *memory = sv_allocate(0, 8);
    assert_non_null(memory);
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_there_stays_and_what_is_new_is_zero),
        cmocka_unit_test(an_array_with_room_stays_where_it_is),
        cmocka_unit_test(nothing_is_still_a_pointer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
