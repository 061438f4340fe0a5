#include "io/scratch_test.h"

#include <errno.h>
#include <svisor/limits.h>

#include "io/cursors.h"

static void a_cursor_outlives_who_has_set_it(void **state)
{
    (void)state;
    char directory[] = "/tmp/svisor-cursors-XXXXXX";
    assert_non_null(mkdtemp(directory));
    struct sv_cursors *cursors;
    assert_int_equal(sv_cursors_open(directory, &cursors), 0);
    uint32_t first = sv_cursors_take(cursors), second = sv_cursors_take(cursors);
    assert_int_not_equal(first, 0);
    assert_int_not_equal(first, second);
    *sv_cursors_at(cursors, first) = 11;
    *sv_cursors_at(cursors, second) = 22;
    sv_cursors_free(cursors);
    assert_int_equal(sv_cursors_open(directory, &cursors), 0);
    assert_true(sv_cursors_adopt(cursors, second));
    assert_false(sv_cursors_adopt(cursors, second));
    assert_false(sv_cursors_adopt(cursors, 0));
    assert_false(sv_cursors_adopt(cursors, SV_CURSORS_MAX + 1));
    assert_int_equal(*sv_cursors_at(cursors, second), 22);
    assert_int_not_equal(sv_cursors_take(cursors), second);
    sv_cursors_release(cursors, second);
    assert_true(sv_cursors_adopt(cursors, second));
    sv_cursors_free(cursors);
    char path[64];
    snprintf(path, sizeof(path), "%s/" SV_CURSORS_FILE, directory);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(directory), 0);
    assert_int_equal(sv_cursors_open(directory, &cursors), -ENOENT);
}

static void there_is_an_end_to_them(void **state)
{
    (void)state;
    char directory[] = "/tmp/svisor-cursors-XXXXXX";
    assert_non_null(mkdtemp(directory));
    struct sv_cursors *cursors;
    assert_int_equal(sv_cursors_open(directory, &cursors), 0);
    for (int i = 0; i < SV_CURSORS_MAX; i++)
        assert_int_not_equal(sv_cursors_take(cursors), 0);
    assert_int_equal(sv_cursors_take(cursors), 0);
    sv_cursors_release(cursors, 5);
    assert_int_equal(sv_cursors_take(cursors), 5);
    sv_cursors_free(cursors);
    char path[64];
    snprintf(path, sizeof(path), "%s/" SV_CURSORS_FILE, directory);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(directory), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cursor_outlives_who_has_set_it),
        cmocka_unit_test(there_is_an_end_to_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
