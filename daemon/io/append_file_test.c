/* The file of deaths: it comes into being with its first record, grows, and is replaced whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/append_file.h"

struct place {
    char directory[64];
    char path[128];
    struct sv_append_file *file;
};

static int make_place(void **state)
{
    static struct place place;
    snprintf(place.directory, sizeof(place.directory), "/tmp/svisor-append-XXXXXX");
    assert_non_null(mkdtemp(place.directory));
    snprintf(place.path, sizeof(place.path), "%s/x.deaths", place.directory);
    assert_int_equal(sv_append_file_new(place.path, &place.file), 0);
    *state = &place;
    return 0;
}

static int remove_place(void **state)
{
    struct place *place = *state;
    sv_append_file_free(place->file);
    unlink(place->path);
    return rmdir(place->directory); /* nothing else may be left in it */
}

static void expect_content(struct place *place, size_t max, const char *expected)
{
    struct sv_str bytes = {0};
    assert_int_equal(sv_append_file_read(place->file, max, &bytes), 0);
    assert_string_equal(sv_str_text(&bytes), expected);
    sv_str_done(&bytes);
}

static void a_file_that_nobody_writes_does_not_come_into_being(void **state)
{
    struct place *place = *state;
    expect_content(place, 100, "");
    assert_int_equal(access(place->path, F_OK), -1);
    assert_int_equal(sv_append_file_add(place->file, "one", 3), 0);
    assert_int_equal(sv_append_file_add(place->file, "two", 3), 0);
    struct stat status;
    assert_int_equal(stat(place->path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(sv_append_file_length(place->file), 6);
    expect_content(place, 100, "onetwo");
}

static void too_long_a_file_is_read_from_its_end(void **state)
{
    struct place *place = *state;
    assert_int_equal(sv_append_file_add(place->file, "0123456789", 10), 0);
    expect_content(place, 4, "6789");
    assert_int_equal(sv_append_file_length(place->file), 10);
}

static void a_replaced_file_is_the_one_that_grows(void **state)
{
    struct place *place = *state;
    assert_int_equal(sv_append_file_add(place->file, "old", 3), 0);
    assert_int_equal(sv_append_file_replace(place->file, "new", 3), 0);
    assert_int_equal(sv_append_file_add(place->file, "er", 2), 0);
    expect_content(place, 100, "newer");
    assert_int_equal(sv_append_file_length(place->file), 5);
}

static void what_is_no_file_is_refused(void **state)
{
    struct place *place = *state;
    struct sv_str bytes = {0};
    assert_int_equal(symlink("/etc/passwd", place->path), 0);
    assert_int_equal(sv_append_file_read(place->file, 100, &bytes), -ELOOP);
    assert_int_equal(sv_append_file_add(place->file, "x", 1), -ELOOP);
    unlink(place->path);
    assert_int_equal(mkfifo(place->path, 0600), 0);
    assert_int_equal(sv_append_file_read(place->file, 100, &bytes), -EINVAL);
    sv_str_done(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_that_nobody_writes_does_not_come_into_being,
                                        make_place, remove_place),
        cmocka_unit_test_setup_teardown(too_long_a_file_is_read_from_its_end, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(a_replaced_file_is_the_one_that_grows, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(what_is_no_file_is_refused, make_place, remove_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
