#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "wire/log_cursor.h"

static void a_cursor_comes_back_as_it_was(void **state)
{
    (void)state;
    const struct sv_log_cursor cursors[] = {
        {.inode = 0, .offset = 0, .checksum = 0},
        {.inode = 36355, .offset = 8000, .checksum = 0x92ac51d3},
        {.inode = UINT64_MAX, .offset = INT64_MAX, .checksum = UINT32_MAX},
    };
    for (size_t i = 0; i < SV_ARRAY_LENGTH(cursors); i++) {
        struct sv_str text SV_CLEANUP(sv_str_done) = {0};
        struct sv_log_cursor back;
        sv_log_cursor_add(&cursors[i], &text);
        assert_true(sv_log_cursor_read(sv_str_text(&text), &back));
        assert_true(back.inode == cursors[i].inode && back.offset == cursors[i].offset &&
                    back.checksum == cursors[i].checksum);
    }
}

static void what_is_no_cursor_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "-",
        "1-2",
        "1-2-",
        "1-2-3-",
        "1-2-3 ",
        " 1-2-3",
        "1- 2-3",
        "+1-2-3",
        "-1-2-3",
        "0x1-2-3",
        "1-2-A",
        "11112222333344445-2-3",
        "1-2-123456789",
        "1-8000000000000000-3", /* no file is as long */
    };
    struct sv_log_cursor cursor;
    for (size_t i = 0; i < SV_ARRAY_LENGTH(texts); i++)
        assert_false(sv_log_cursor_read(texts[i], &cursor));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cursor_comes_back_as_it_was),
        cmocka_unit_test(what_is_no_cursor_is_refused),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
